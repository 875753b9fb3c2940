/* The routing table: who is in it, who is picked, what a change asks for. */
#include "watchers/table.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "watchers/plan.h"

/* ---- topologies to build from ---------------------------------------------------------------- */

static struct member *add(struct topology *topology, const char *name, enum role role)
{
    struct member *member = &topology->members[topology->member_count++];
    *member = (struct member){.role = role, .health = HEALTH_UP, .reason = ANSWER_OK};
    snprintf(member->config.name, sizeof member->config.name, "%s", name);
    snprintf(member->config.host, sizeof member->config.host, "host-%s", name);
    member->config.port = 5432;
    member->config.weight = 100;
    member->lag = role == ROLE_SECONDARY ? (struct lag){LAG_OK, 0, 0, -1}
                                         : (struct lag){LAG_UNKNOWN, -1, -1, -1};
    if (role == ROLE_PRIMARY) {
        snprintf(topology->primary, sizeof topology->primary, "%s", name);
    }
    return member;
}

/* a is the primary, b, c and d follow it. */
static struct topology usual(void)
{
    struct topology topology = {
        .cluster = "orders", .epoch = 7, .state = STATE_OK, .policy.witnesses = 3};
    add(&topology, "a", ROLE_PRIMARY);
    add(&topology, "b", ROLE_SECONDARY);
    add(&topology, "c", ROLE_SECONDARY);
    add(&topology, "d", ROLE_SECONDARY);
    return topology;
}

static struct table built(const struct topology *topology)
{
    struct table table;
    table_build(topology, &table);
    return table;
}

static const char *picked(const struct table *table, enum roster_access access,
                          struct roster_request request, uint64_t chance, uint32_t avoid)
{
    int index = table_pick(table, access, &request, chance, avoid);
    ck_assert_int_lt(index, table->endpoint_count);
    return index < 0 ? "none" : table->endpoints[index].name;
}

static const char *writer(const struct topology *topology)
{
    struct table table = built(topology);
    return picked(&table, ROSTER_WRITE, (struct roster_request){0}, 0, 0);
}

/* The names in the pool, in the order of the floor. */
static const char *pool(const struct topology *topology)
{
    static char names[256];
    struct table table = built(topology);
    names[0] = '\0';
    for (int i = 0; i < table.pool_count; i++) {
        strcat(names, table.endpoints[table.pool[i]].name);
    }
    return names;
}

/* Who is picked over many draws, each once, by name. */
static const char *reached(const struct table *table, struct roster_request request, uint32_t avoid)
{
    static char names[64];
    bool seen[MEMBERS_MAX] = {false};
    bool none = false;
    uint64_t chance = 1;
    names[0] = '\0';
    for (int i = 0; i < 4000; i++) {
        chance = request.policy == ROSTER_ROUND_ROBIN
                     ? (uint64_t)i
                     : chance * 6364136223846793005u + 1442695040888963407u;
        int index = table_pick(table, ROSTER_READ, &request, chance, avoid);
        none |= index < 0;
        if (index >= 0) {
            seen[index] = true;
        }
    }
    for (int i = 0; i < table->endpoint_count; i++) {
        strcat(names, seen[i] ? table->endpoints[i].name : "");
    }
    return none ? "none" : names;
}

/* ---- the writer ------------------------------------------------------------------------------ */

START_TEST(where_all_write_all_are_written_to_and_read)
{
    struct topology topology = usual();
    struct roster_request request = {.policy = ROSTER_ROUND_ROBIN};
    topology.policy.writers = WRITERS_ALL;
    for (int i = 0; i < topology.member_count; i++) {
        topology.members[i].role = ROLE_PRIMARY;
    }
    struct table table = built(&topology);
    uint32_t written = 0;
    for (uint64_t chance = 0; chance < 100; chance++) {
        written |= UINT32_C(1) << table_pick(&table, ROSTER_WRITE, &request, chance, 0);
    }
    ck_assert_uint_eq(written, (UINT32_C(1) << topology.member_count) - 1);
    ck_assert_str_eq(writer(&topology), "a"); /* the preferred one */
    ck_assert_int_eq(table_pick(&table, ROSTER_WRITE, &request, 0, ~UINT32_C(2)), 1);
    ck_assert_int_eq(table.pool_count, topology.member_count);
    topology.policy.writers = WRITERS_SINGLE;
    table = built(&topology);
    ck_assert_int_eq(table_pick(&table, ROSTER_WRITE, &request, 1, 0), 0);
    ck_assert_int_eq(table.pool_count, 0);
}
END_TEST

START_TEST(writes_go_to_the_primary)
{
    struct topology topology = usual();
    ck_assert_str_eq(writer(&topology), "a");
    topology.state = STATE_SUSPECT;
    ck_assert_str_eq(writer(&topology), "a"); /* suspicion alone takes nothing away */
    topology.state = STATE_CONFLICT;
    ck_assert_str_eq(writer(&topology), "a");
    topology.members[0].health = HEALTH_DOWN;
    topology.members[0].drained = true;
    ck_assert_str_eq(writer(&topology), "a");
    topology.members[0].lag = (struct lag){LAG_BROKEN, 1 << 30, 1000000, -1};
    ck_assert_str_eq(writer(&topology), "a"); /* the writer is never dropped for lag */
}
END_TEST

START_TEST(there_is_no_writer_without_a_verdict_that_names_one)
{
    struct topology none = usual();
    none.primary[0] = '\0';
    ck_assert_str_eq(writer(&none), "none");
    struct topology withdrawn = usual();
    withdrawn.state = STATE_NO_PRIMARY;
    ck_assert_str_eq(writer(&withdrawn), "none");
    struct topology fenced = usual();
    fenced.members[0].fenced = true;
    ck_assert_str_eq(writer(&fenced), "none");
    struct topology demoted = usual();
    demoted.members[0].role = ROLE_SECONDARY;
    ck_assert_str_eq(writer(&demoted), "none");
    struct topology stranger = usual();
    stranger.members[0].reason = ANSWER_STRANGER;
    ck_assert_str_eq(writer(&stranger), "none");
    struct topology absent = usual();
    strcpy(absent.primary, "z");
    ck_assert_str_eq(writer(&absent), "none");
    struct topology empty = {.epoch = 1};
    ck_assert_str_eq(writer(&empty), "none");
}
END_TEST

/* ---- the read pool --------------------------------------------------------------------------- */

START_TEST(some_members_are_never_read_from_whatever_is_left)
{
    struct topology topology = usual();
    ck_assert_str_eq(pool(&topology), "bcd");
    topology.members[1].fenced = true;
    topology.members[2].drained = true;
    topology.members[3].health = HEALTH_DOWN;
    ck_assert_str_eq(pool(&topology), "");
    topology = usual();
    topology.members[1].reason = ANSWER_STRANGER;
    topology.members[2].reason = ANSWER_RIVAL;
    topology.members[3].claims = true;
    ck_assert_str_eq(pool(&topology), "");
    struct table table = built(&topology);
    ck_assert_str_eq(picked(&table, ROSTER_READ, (struct roster_request){0}, 0, 0), "none");
    ck_assert_str_eq(picked(&table, ROSTER_READ, (struct roster_request){.fallback = 1}, 0, 0),
                     "a");
}
END_TEST

START_TEST(the_floor_is_ordered_least_lagged_first_unknown_then_broken_last)
{
    struct topology topology = usual();
    topology.members[1].lag = (struct lag){LAG_OK, 4096, 64, -1};
    topology.members[2].lag = (struct lag){LAG_BROKEN, 0, 0, -1};
    topology.members[3].lag = (struct lag){LAG_UNKNOWN, -1, -1, -1};
    add(&topology, "e", ROLE_SECONDARY)->lag = (struct lag){LAG_OK, 1 << 20, 8, -1};
    add(&topology, "f", ROLE_SECONDARY)->lag = (struct lag){LAG_OK, 1024, 64, -1};
    add(&topology, "g", ROLE_SECONDARY)->lag = (struct lag){LAG_OK, 0, -1, -1};
    ck_assert_str_eq(pool(&topology), "efbgdc");
    topology.members[4].health = HEALTH_UNKNOWN;
    topology.members[5].config.weight = 0;
    ck_assert_str_eq(pool(&topology), "bgdfec");
}
END_TEST

START_TEST(weight_zero_serves_only_when_nothing_else_is_left)
{
    struct topology topology = usual();
    topology.members[2].config.weight = 0;
    for (int policy = ROSTER_ROUND_ROBIN; policy <= ROSTER_WEIGHTED; policy++) {
        struct table table = built(&topology);
        struct roster_request request = {.policy = (enum roster_policy)policy};
        ck_assert_str_eq(reached(&table, request, 0), "bd");
        ck_assert_str_eq(reached(&table, request, 1u << 1), "d");
        ck_assert_str_eq(reached(&table, request, 1u << 1 | 1u << 3), "c");
    }
    topology.members[1].health = topology.members[3].health = HEALTH_DOWN;
    struct table table = built(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){.policy = ROSTER_WEIGHTED}, 0), "c");
}
END_TEST

START_TEST(a_broken_replica_is_read_only_when_nothing_else_is_left)
{
    struct topology topology = usual();
    topology.members[1].lag = (struct lag){LAG_BROKEN, -1, -1, -1};
    topology.members[2].lag = (struct lag){LAG_UNKNOWN, -1, -1, -1};
    struct table table = built(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 0), "cd");
    topology.members[2].health = topology.members[3].health = HEALTH_DOWN;
    table = built(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 0), "b");
    ck_assert_str_eq(reached(&table, (struct roster_request){.strict = 1, .max_lag_ms = 1000}, 0),
                     "none");
}
END_TEST

/* ---- picking --------------------------------------------------------------------------------- */

START_TEST(round_robin_takes_each_in_turn)
{
    struct topology topology = usual();
    struct table table = built(&topology);
    char order[8] = "";
    for (uint64_t turn = 0; turn < 6; turn++) {
        strcat(order, picked(&table, ROSTER_READ, (struct roster_request){0}, turn, 0));
    }
    ck_assert_str_eq(order, "bcdbcd");
    ck_assert_str_eq(picked(&table, ROSTER_READ, (struct roster_request){0}, UINT64_MAX, 0), "b");
}
END_TEST

START_TEST(weights_are_kept_with_and_without_a_quarantine)
{
    struct topology topology = usual();
    topology.members[1].config.weight = 300;
    topology.members[2].config.weight = 100;
    topology.members[3].config.weight = 1000;
    struct table table = built(&topology);
    struct roster_request request = {.policy = ROSTER_WEIGHTED};
    for (uint32_t avoid = 0; avoid <= 8; avoid += 8) { /* 8: d is avoided */
        int hits[4] = {0};
        int total = avoid ? 400 : 1400;
        for (int i = 0; i < total; i++) { /* one draw in the middle of each unit of weight */
            uint64_t chance = ((uint64_t)i * 2 + 1) * (UINT64_MAX / (2 * (uint64_t)total));
            hits[table_pick(&table, ROSTER_READ, &request, chance, avoid)]++;
        }
        ck_assert_int_eq(hits[0], 0);
        ck_assert_int_eq(hits[1], 300);
        ck_assert_int_eq(hits[2], 100);
        ck_assert_int_eq(hits[3], avoid ? 0 : 1000);
    }
    ck_assert_str_eq(picked(&table, ROSTER_READ, request, 0, 0), "b");
    ck_assert_str_eq(picked(&table, ROSTER_READ, request, UINT64_MAX, 0), "d");
}
END_TEST

START_TEST(limits_choose_and_the_floor_catches)
{
    struct topology topology = usual();
    topology.members[1].lag = (struct lag){LAG_OK, 1 << 20, 500, -1};
    topology.members[2].lag = (struct lag){LAG_OK, 1 << 10, 2000, -1};
    topology.members[3].lag = (struct lag){LAG_UNKNOWN, -1, -1, -1};
    struct table table = built(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){.max_lag_ms = 500}, 0), "b");
    ck_assert_str_eq(reached(&table, (struct roster_request){.max_lag_ms = 2000}, 0), "bc");
    ck_assert_str_eq(reached(&table, (struct roster_request){.max_lag_bytes = 1 << 10}, 0), "c");
    ck_assert_str_eq(
        reached(&table, (struct roster_request){.max_lag_bytes = 1 << 10, .max_lag_ms = 500}, 0),
        "b"); /* the floor */
    ck_assert_str_eq(reached(&table, (struct roster_request){.max_lag_ms = 100}, 0), "b");
    ck_assert_str_eq(reached(&table, (struct roster_request){.max_lag_ms = 100, .strict = 1}, 0),
                     "none");
    ck_assert_str_eq(
        reached(&table, (struct roster_request){.max_lag_ms = 100, .strict = 1, .fallback = 1}, 0),
        "a");
    ck_assert_str_eq(reached(&table, (struct roster_request){.max_lag_ms = 100, .fallback = 1}, 0),
                     "b");
}
END_TEST

START_TEST(a_quarantine_bends_reads_but_never_empties_the_pool)
{
    struct topology topology = usual();
    struct table table = built(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 1u << 2), "bd");
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 0xfffffffe), "bcd");
    ck_assert_str_eq(reached(&table, (struct roster_request){.fallback = 1}, 0xfffffffe), "a");
    topology.members[1].lag.ms = 900;
    table = built(&topology);
    struct roster_request limited = {.max_lag_ms = 100};
    ck_assert_str_eq(reached(&table, limited, 1u << 2 | 1u << 3),
                     "b"); /* better lagged than refused */
    ck_assert_str_eq(reached(&table, limited, 0xfffffffe), "cd");
}
END_TEST

START_TEST(a_quarantined_primary_is_none)
{
    struct topology topology = usual();
    struct table table = built(&topology);
    ck_assert_str_eq(picked(&table, ROSTER_WRITE, (struct roster_request){0}, 0, 1u << 0), "none");
    ck_assert_str_eq(picked(&table, ROSTER_WRITE, (struct roster_request){0}, 0, 1u << 1), "a");
}
END_TEST

START_TEST(the_largest_cluster_and_every_draw_stay_in_bounds)
{
    struct topology topology = {.epoch = 1};
    for (int i = 0; i < MEMBERS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%02d", i);
        add(&topology, name, ROLE_SECONDARY)->config.weight = (uint16_t)(i % 3 ? 1000 : 0);
    }
    struct table table = built(&topology);
    for (int policy = ROSTER_ROUND_ROBIN; policy <= ROSTER_WEIGHTED; policy++) {
        struct roster_request request = {.policy = (enum roster_policy)policy};
        for (uint64_t i = 0; i < 1000; i++) {
            uint64_t chance = i * (UINT64_MAX / 999);
            int index =
                table_pick(&table, ROSTER_READ, &request, chance, (uint32_t)(i * 2654435761u));
            ck_assert_int_ge(index, 0);
            ck_assert_int_lt(index, MEMBERS_MAX);
        }
    }
}
END_TEST

/* ---- the plan -------------------------------------------------------------------------------- */

/* "drop a, drain b, keep c" */
static const char *plan(const struct topology *before, const struct topology *now)
{
    static const char *const words[] = {
        [ROSTER_KEEP] = "keep", [ROSTER_DROP] = "drop", [ROSTER_DRAIN] = "drain"};
    static char text[512];
    struct roster_step steps[STEPS_MAX];
    struct table old = before ? built(before) : (struct table){0};
    struct table new = built(now);
    size_t n = plan_make(before ? &old : NULL, &new, steps);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s %s", i ? ", " : "", words[steps[i].action],
                 steps[i].endpoint.name);
    }
    return text;
}

static void promote(struct topology *topology, int from, int to)
{
    topology->epoch++;
    topology->members[from].role = ROLE_SECONDARY;
    topology->members[to].role = ROLE_PRIMARY;
    strcpy(topology->primary, topology->members[to].config.name);
}

START_TEST(a_primary_that_lost_its_office_is_dropped)
{
    struct topology before = usual(), now = usual();
    promote(&now, 0, 1);
    ck_assert_str_eq(plan(&before, &now),
                     "drop a, keep b, keep c, keep d"); /* even when it serves reads from now on */
    now.members[0].role = ROLE_NONE;
    now.members[0].fenced = true;
    ck_assert_str_eq(plan(&before, &now), "drop a, keep b, keep c, keep d");
    struct topology withdrawn = usual();
    withdrawn.primary[0] = '\0';
    withdrawn.members[0].role = ROLE_NONE;
    ck_assert_str_eq(plan(&before, &withdrawn), "drop a, keep b, keep c, keep d");
}
END_TEST

START_TEST(what_is_merely_unused_is_drained_and_what_is_gone_or_foreign_dropped)
{
    struct topology before = usual(), now = usual();
    now.members[1].drained = true;
    now.members[2].health = HEALTH_DOWN;
    now.members[3].reason = ANSWER_STRANGER;
    now.members[3].role = ROLE_NONE;
    ck_assert_str_eq(plan(&before, &now), "drop d, drain b, drain c, keep a");
    struct topology smaller = usual();
    smaller.member_count = 3;
    ck_assert_str_eq(plan(&before, &smaller), "drop d, keep a, keep b, keep c");
    struct topology larger = usual();
    add(&larger, "e", ROLE_SECONDARY);
    ck_assert_str_eq(plan(&before, &larger), "keep a, keep b, keep c, keep d, keep e");
    ck_assert_str_eq(plan(NULL, &now), "drop d, drain b, drain c, keep a");
}
END_TEST

START_TEST(a_member_that_moved_is_dropped_where_it_was)
{
    struct topology before = usual(), now = usual();
    now.members[2].config.port = 5433;
    struct table old = built(&before), new = built(&now);
    struct roster_step steps[STEPS_MAX];
    ck_assert_uint_eq(plan_make(&old, &new, steps), 4);
    ck_assert_int_eq(steps[0].action, ROSTER_DROP);
    ck_assert_int_eq(steps[0].endpoint.port, 5432);
}
END_TEST

START_TEST(a_plan_of_two_full_and_disjoint_topologies_fits)
{
    struct topology before = {.epoch = 1}, now = {.epoch = 2};
    struct roster_step steps[STEPS_MAX];
    for (int i = 0; i < MEMBERS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%02d", i);
        add(&before, name, ROLE_SECONDARY);
        snprintf(name, sizeof name, "n%02d", i);
        add(&now, name, ROLE_SECONDARY);
    }
    struct table old = built(&before), new = built(&now);
    ck_assert_uint_eq(plan_make(&old, &new, steps), STEPS_MAX);
    ck_assert_str_eq(steps[0].endpoint.name, "m00");
    ck_assert_str_eq(steps[STEPS_MAX - 1].endpoint.name, "n31");
}
END_TEST

START_TEST(only_what_a_caller_could_notice_is_a_change)
{
    struct topology before = usual(), now = usual();
    struct table old = built(&before), new = built(&now);
    ck_assert(!plan_is_needed(&old, &new));
    ck_assert(plan_is_needed(NULL, &new));
    strcpy(now.why, "another sentence");
    new = built(&now);
    ck_assert(!plan_is_needed(&old, &new));
    now.members[3].lag.ms = 8;
    new = built(&now);
    ck_assert(plan_is_needed(&old, &new));
    now = usual();
    now.members[3].drained = true;
    new = built(&now);
    ck_assert(plan_is_needed(&old, &new));
}
END_TEST

START_TEST(the_timeline_is_one_line_and_leaves_out_what_is_not_known)
{
    char line[TIMELINE_SIZE];
    struct topology topology = usual();
    topology.seen_wall_ms = 1795224153101; /* 2026-11-21T01:22:33.101Z */
    topology.at_wall_ms = topology.seen_wall_ms + 22;
    ck_assert_str_eq(
        plan_timeline(line, sizeof line, &topology, topology.seen_wall_ms + 25),
        "orders: a is primary, epoch 7: evidence 01:22:33.101Z, verdict +22 ms, routed +25 ms");
    ck_assert_str_eq(
        plan_timeline(line, sizeof line, &topology, topology.seen_wall_ms - 3),
        "orders: a is primary, epoch 7: evidence 01:22:33.101Z, verdict +22 ms, routed -3 ms");
    topology.seen_wall_ms = 0;
    ck_assert_str_eq(plan_timeline(line, sizeof line, &topology, topology.at_wall_ms + 3),
                     "orders: a is primary, epoch 7: verdict 01:22:33.123Z, routed +3 ms");
    topology.at_wall_ms = 0;
    topology.primary[0] = '\0';
    ck_assert_str_eq(plan_timeline(line, sizeof line, &topology, 0), "orders: no primary, epoch 7");
}
END_TEST

Suite *table_suite(void)
{
    Suite *suite = suite_create("table");
    TCase *writes = tcase_create("the writer");
    tcase_add_test(writes, writes_go_to_the_primary);
    tcase_add_test(writes, where_all_write_all_are_written_to_and_read);
    tcase_add_test(writes, there_is_no_writer_without_a_verdict_that_names_one);
    tcase_add_test(writes, a_quarantined_primary_is_none);
    suite_add_tcase(suite, writes);
    TCase *reads = tcase_create("the read pool");
    tcase_add_test(reads, some_members_are_never_read_from_whatever_is_left);
    tcase_add_test(reads, the_floor_is_ordered_least_lagged_first_unknown_then_broken_last);
    tcase_add_test(reads, weight_zero_serves_only_when_nothing_else_is_left);
    tcase_add_test(reads, a_broken_replica_is_read_only_when_nothing_else_is_left);
    tcase_add_test(reads, round_robin_takes_each_in_turn);
    tcase_add_test(reads, weights_are_kept_with_and_without_a_quarantine);
    tcase_add_test(reads, limits_choose_and_the_floor_catches);
    tcase_add_test(reads, a_quarantine_bends_reads_but_never_empties_the_pool);
    tcase_add_test(reads, the_largest_cluster_and_every_draw_stay_in_bounds);
    suite_add_tcase(suite, reads);
    TCase *plans = tcase_create("the plan");
    tcase_add_test(plans, a_primary_that_lost_its_office_is_dropped);
    tcase_add_test(plans, what_is_merely_unused_is_drained_and_what_is_gone_or_foreign_dropped);
    tcase_add_test(plans, a_member_that_moved_is_dropped_where_it_was);
    tcase_add_test(plans, a_plan_of_two_full_and_disjoint_topologies_fits);
    tcase_add_test(plans, only_what_a_caller_could_notice_is_a_change);
    tcase_add_test(plans, the_timeline_is_one_line_and_leaves_out_what_is_not_known);
    suite_add_tcase(suite, plans);
    return suite;
}
