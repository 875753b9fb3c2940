/* The routing table: who is in it, and who is picked. */
#include "watchers/table.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/watchers/topologies.h"
#include "watchers/plan.h"

static const char *picked(const struct table *table, enum roster_access access,
                          struct roster_request request, uint64_t chance, uint32_t avoid)
{
    int index = table_pick(table, access, &request, chance, avoid);
    ck_assert_int_lt(index, table->endpoint_count);
    return index < 0 ? "none" : table->endpoints[index].name;
}

static const char *writer(const struct topology *topology)
{
    struct table table = built_table(topology);
    return picked(&table, ROSTER_WRITE, (struct roster_request){0}, 0, 0);
}

/* The names in the pool, in the order of the floor. */
static const char *pool(const struct topology *topology)
{
    static char names[256];
    struct table table = built_table(topology);
    names[0] = '\0';
    for (int i = 0; i < table.pool_count; i++) {
        strcat(names, table.endpoints[table.pool[i]].name);
    }
    return names;
}

/* Who is picked over many draws, each once, by name. */
static const char *reached_by(enum roster_access access, const struct table *table,
                              struct roster_request request, uint32_t avoid)
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
        int index = table_pick(table, access, &request, chance, avoid);
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

static const char *reached(const struct table *table, struct roster_request request, uint32_t avoid)
{
    return reached_by(ROSTER_READ, table, request, avoid);
}

/* ---- the writer ------------------------------------------------------------------------------ */

START_TEST(where_all_write_all_are_written_to_and_read)
{
    struct topology topology = usual_topology();
    struct roster_request request = {.policy = ROSTER_ROUND_ROBIN};
    topology.policy.writers = WRITERS_ALL;
    for (int i = 0; i < topology.member_count; i++) {
        topology.members[i].role = ROLE_PRIMARY;
    }
    struct table table = built_table(&topology);
    uint32_t written = 0;
    for (uint64_t chance = 0; chance < 100; chance++) {
        written |= UINT32_C(1) << table_pick(&table, ROSTER_WRITE, &request, chance, 0);
    }
    ck_assert_uint_eq(written, (UINT32_C(1) << topology.member_count) - 1);
    ck_assert_str_eq(writer(&topology), "a"); /* the preferred one */
    ck_assert_int_eq(table_pick(&table, ROSTER_WRITE, &request, 0, ~UINT32_C(2)), 1);
    ck_assert_int_eq(table.pool_count, topology.member_count);
    topology.policy.writers = WRITERS_SINGLE;
    table = built_table(&topology);
    ck_assert_int_eq(table_pick(&table, ROSTER_WRITE, &request, 1, 0), 0);
    ck_assert_int_eq(table.pool_count, 0);
}
END_TEST

START_TEST(where_all_write_one_of_weight_zero_is_left_to_itself_while_there_is_another)
{
    struct topology topology = usual_topology();
    topology.policy.writers = WRITERS_ALL;
    for (int i = 0; i < topology.member_count; i++) {
        topology.members[i].role = i < 4 ? ROLE_PRIMARY : ROLE_NONE;
    }
    topology.members[0].config.weight = 0; /* also the preferred one */
    topology.members[2].config.weight = 0;
    struct table table = built_table(&topology);
    for (int policy = ROSTER_ROUND_ROBIN; policy <= ROSTER_WEIGHTED; policy++) {
        struct roster_request request = {.policy = (enum roster_policy)policy};
        ck_assert_str_eq(reached_by(ROSTER_WRITE, &table, request, 0), "bd");
        ck_assert_str_eq(reached_by(ROSTER_WRITE, &table, request, 1u << 1), "d");
        ck_assert_str_eq(reached_by(ROSTER_WRITE, &table, request, 1u << 1 | 1u << 3), "ac");
        ck_assert_str_eq(reached_by(ROSTER_WRITE, &table, request, 0xf), "none");
    }
    topology.policy.writers = WRITERS_SINGLE;
    table = built_table(&topology);
    ck_assert_str_eq(reached_by(ROSTER_WRITE, &table, (struct roster_request){0}, 0), "a");
}
END_TEST

START_TEST(writes_go_to_the_primary)
{
    struct topology topology = usual_topology();
    ck_assert_str_eq(writer(&topology), "a");
    topology.state = STATE_SUSPECT;
    ck_assert_str_eq(writer(&topology), "a"); /* suspicion alone takes nothing away */
    topology.state = STATE_CONFLICT;
    ck_assert_str_eq(writer(&topology), "a");
    topology.members[0].health = HEALTH_DOWN;
    topology.members[0].drained = true;
    ck_assert_str_eq(writer(&topology), "a");
    topology.members[0].lag = (struct lag){LAG_BROKEN, 1 << 30, 1000000, -1, 0};
    ck_assert_str_eq(writer(&topology), "a"); /* the writer is never dropped for lag */
}
END_TEST

START_TEST(there_is_no_writer_without_a_verdict_that_names_one)
{
    struct topology none = usual_topology();
    none.primary[0] = '\0';
    ck_assert_str_eq(writer(&none), "none");
    struct topology withdrawn = usual_topology();
    withdrawn.state = STATE_NO_PRIMARY;
    ck_assert_str_eq(writer(&withdrawn), "none");
    struct topology fenced = usual_topology();
    fenced.members[0].fenced = true;
    ck_assert_str_eq(writer(&fenced), "none");
    struct topology demoted = usual_topology();
    demoted.members[0].role = ROLE_SECONDARY;
    ck_assert_str_eq(writer(&demoted), "none");
    struct topology stranger = usual_topology();
    stranger.members[0].reason = ANSWER_STRANGER;
    ck_assert_str_eq(writer(&stranger), "none");
    struct topology absent = usual_topology();
    strcpy(absent.primary, "z");
    ck_assert_str_eq(writer(&absent), "none");
    struct topology empty = {.epoch = 1};
    ck_assert_str_eq(writer(&empty), "none");
}
END_TEST

/* ---- the read pool --------------------------------------------------------------------------- */

START_TEST(some_members_are_never_read_from_whatever_is_left)
{
    struct topology topology = usual_topology();
    ck_assert_str_eq(pool(&topology), "bcd");
    topology.members[1].fenced = true;
    topology.members[2].drained = true;
    topology.members[3].health = HEALTH_DOWN;
    ck_assert_str_eq(pool(&topology), "");
    topology = usual_topology();
    topology.members[1].reason = ANSWER_STRANGER;
    topology.members[2].reason = ANSWER_RIVAL;
    topology.members[3].claims = true;
    ck_assert_str_eq(pool(&topology), "");
    struct table table = built_table(&topology);
    ck_assert_str_eq(picked(&table, ROSTER_READ, (struct roster_request){0}, 0, 0), "none");
    ck_assert_str_eq(picked(&table, ROSTER_READ, (struct roster_request){.fallback = 1}, 0, 0),
                     "a");
}
END_TEST

START_TEST(the_floor_is_ordered_least_lagged_first_unknown_then_broken_last)
{
    struct topology topology = usual_topology();
    topology.members[1].lag = (struct lag){LAG_OK, 4096, 64, -1, 0};
    topology.members[2].lag = (struct lag){LAG_BROKEN, 0, 0, -1, 0};
    topology.members[3].lag = LAG_NOT_KNOWN;
    add_member(&topology, "e", ROLE_SECONDARY)->lag = (struct lag){LAG_OK, 1 << 20, 8, -1, 0};
    add_member(&topology, "f", ROLE_SECONDARY)->lag = (struct lag){LAG_OK, 1024, 64, -1, 0};
    add_member(&topology, "g", ROLE_SECONDARY)->lag = (struct lag){LAG_OK, 0, -1, -1, 0};
    ck_assert_str_eq(pool(&topology), "efbgdc");
    topology.members[4].health = HEALTH_UNKNOWN;
    topology.members[5].config.weight = 0;
    ck_assert_str_eq(pool(&topology), "bgdfec");
}
END_TEST

START_TEST(weight_zero_serves_only_when_nothing_else_is_left)
{
    struct topology topology = usual_topology();
    topology.members[2].config.weight = 0;
    for (int policy = ROSTER_ROUND_ROBIN; policy <= ROSTER_WEIGHTED; policy++) {
        struct table table = built_table(&topology);
        struct roster_request request = {.policy = (enum roster_policy)policy};
        ck_assert_str_eq(reached(&table, request, 0), "bd");
        ck_assert_str_eq(reached(&table, request, 1u << 1), "d");
        ck_assert_str_eq(reached(&table, request, 1u << 1 | 1u << 3), "c");
    }
    topology.members[1].health = topology.members[3].health = HEALTH_DOWN;
    struct table table = built_table(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){.policy = ROSTER_WEIGHTED}, 0), "c");
}
END_TEST

START_TEST(a_broken_replica_is_read_only_when_nothing_else_is_left)
{
    struct topology topology = usual_topology();
    topology.members[1].lag = (struct lag){LAG_BROKEN, -1, -1, -1, 0};
    topology.members[2].lag = LAG_NOT_KNOWN;
    struct table table = built_table(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 0), "cd");
    topology.members[2].health = topology.members[3].health = HEALTH_DOWN;
    table = built_table(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 0), "b");
    ck_assert_str_eq(reached(&table, (struct roster_request){.strict = 1, .max_lag_ms = 1000}, 0),
                     "none");
}
END_TEST

START_TEST(one_that_is_set_to_apply_later_is_read_before_a_broken_one_and_after_all_others)
{
    struct topology topology = usual_topology();
    topology.members[1].lag.delay_ms = 60000;
    topology.members[2].lag.state = LAG_BROKEN;
    topology.members[3].config.weight = 0;
    topology.members[3].health = HEALTH_UNKNOWN;
    ck_assert_str_eq(pool(&topology), "dbc");
    struct table table = built_table(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 0), "d");
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 1u << 3), "b");
    topology.members[3].health = HEALTH_DOWN;
    table = built_table(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 0), "b");
    topology.members[1].lag.delay_ms = 0;
    struct table now = built_table(&topology);
    ck_assert(plan_is_needed(&table, &now));
}
END_TEST

START_TEST(in_the_floor_the_policy_chooses_among_equals)
{
    struct topology topology = usual_topology();
    for (int i = 1; i <= 3; i++) {
        topology.members[i].lag = (struct lag){LAG_OK, 1 << 20, 4096, -1, 0};
        topology.members[i].config.weight = i == 1 ? 1000 : 1;
    }
    for (int policy = ROSTER_ROUND_ROBIN; policy <= ROSTER_WEIGHTED; policy++) {
        struct table table = built_table(&topology);
        struct roster_request request = {.policy = (enum roster_policy)policy, .max_lag_ms = 100};
        ck_assert_str_eq(reached(&table, request, 0), "bcd");
        ck_assert_str_eq(reached(&table, request, 1u << 1), "cd");
        request.strict = 1;
        ck_assert_str_eq(reached(&table, request, 0), "none");
    }
    topology.members[2].lag.ms = 2048; /* one is ahead */
    struct table table = built_table(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){.max_lag_ms = 100}, 0), "c");
    ck_assert_str_eq(reached(&table, (struct roster_request){.max_lag_ms = 100}, 1u << 2), "bd");
    for (int i = 1; i <= 3; i++) {
        topology.members[i].lag = LAG_NOT_KNOWN;
    }
    table = built_table(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){.max_lag_ms = 100}, 0), "bcd");
}
END_TEST

/* ---- picking --------------------------------------------------------------------------------- */

START_TEST(round_robin_takes_each_in_turn)
{
    struct topology topology = usual_topology();
    struct table table = built_table(&topology);
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
    struct topology topology = usual_topology();
    topology.members[1].config.weight = 300;
    topology.members[2].config.weight = 100;
    topology.members[3].config.weight = 1000;
    struct table table = built_table(&topology);
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
    struct topology topology = usual_topology();
    topology.members[1].lag = (struct lag){LAG_OK, 1 << 20, 500, -1, 0};
    topology.members[2].lag = (struct lag){LAG_OK, 1 << 10, 2000, -1, 0};
    topology.members[3].lag = LAG_NOT_KNOWN;
    struct table table = built_table(&topology);
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
    struct topology topology = usual_topology();
    struct table table = built_table(&topology);
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 1u << 2), "bd");
    ck_assert_str_eq(reached(&table, (struct roster_request){0}, 0xfffffffe), "bcd");
    ck_assert_str_eq(reached(&table, (struct roster_request){.fallback = 1}, 0xfffffffe), "a");
    topology.members[1].lag.ms = 900;
    table = built_table(&topology);
    struct roster_request limited = {.max_lag_ms = 100};
    ck_assert_str_eq(reached(&table, limited, 1u << 2 | 1u << 3),
                     "b"); /* better lagged than refused */
    ck_assert_str_eq(reached(&table, limited, 0xfffffffe), "cd");
}
END_TEST

START_TEST(a_quarantined_primary_is_none)
{
    struct topology topology = usual_topology();
    struct table table = built_table(&topology);
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
        add_member(&topology, name, ROLE_SECONDARY)->config.weight = (uint16_t)(i % 3 ? 1000 : 0);
    }
    struct table table = built_table(&topology);
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

Suite *table_suite(void)
{
    Suite *suite = suite_create("table");
    TCase *writes = tcase_create("the writer");
    tcase_add_test(writes, writes_go_to_the_primary);
    tcase_add_test(writes, where_all_write_all_are_written_to_and_read);
    tcase_add_test(writes,
                   where_all_write_one_of_weight_zero_is_left_to_itself_while_there_is_another);
    tcase_add_test(writes, there_is_no_writer_without_a_verdict_that_names_one);
    tcase_add_test(writes, a_quarantined_primary_is_none);
    suite_add_tcase(suite, writes);
    TCase *reads = tcase_create("the read pool");
    tcase_add_test(reads, some_members_are_never_read_from_whatever_is_left);
    tcase_add_test(reads, the_floor_is_ordered_least_lagged_first_unknown_then_broken_last);
    tcase_add_test(reads, weight_zero_serves_only_when_nothing_else_is_left);
    tcase_add_test(reads, a_broken_replica_is_read_only_when_nothing_else_is_left);
    tcase_add_test(reads,
                   one_that_is_set_to_apply_later_is_read_before_a_broken_one_and_after_all_others);
    tcase_add_test(reads, in_the_floor_the_policy_chooses_among_equals);
    tcase_add_test(reads, round_robin_takes_each_in_turn);
    tcase_add_test(reads, weights_are_kept_with_and_without_a_quarantine);
    tcase_add_test(reads, limits_choose_and_the_floor_catches);
    tcase_add_test(reads, a_quarantine_bends_reads_but_never_empties_the_pool);
    tcase_add_test(reads, the_largest_cluster_and_every_draw_stay_in_bounds);
    suite_add_tcase(suite, reads);
    return suite;
}
