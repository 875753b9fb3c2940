/* The plan: what a change of routing asks of those who hold connections. */
#include "watchers/plan.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/watchers/topologies.h"

/* "drop a, drain b, keep c" */
static const char *plan(const struct topology *before, const struct topology *now)
{
    static const char *const words[] = {
        [ROSTER_KEEP] = "keep", [ROSTER_DROP] = "drop", [ROSTER_DRAIN] = "drain"};
    static char text[512];
    struct roster_step steps[STEPS_MAX];
    struct table old = before ? built_table(before) : (struct table){0};
    struct table new = built_table(now);
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

START_TEST(a_primary_that_is_primary_no_more_is_dropped)
{
    struct topology before = usual_topology(), now = usual_topology();
    promote(&now, 0, 1);
    ck_assert_str_eq(plan(&before, &now),
                     "drop a, keep b, keep c, keep d"); /* even when it serves reads from now on */
    now.members[0].role = ROLE_NONE;
    now.members[0].fenced = true;
    ck_assert_str_eq(plan(&before, &now), "drop a, keep b, keep c, keep d");
    struct topology withdrawn = usual_topology();
    withdrawn.primary[0] = '\0';
    withdrawn.members[0].role = ROLE_NONE;
    ck_assert_str_eq(plan(&before, &withdrawn), "drop a, keep b, keep c, keep d");
}
END_TEST

START_TEST(what_is_merely_unused_is_drained_and_what_is_gone_or_foreign_dropped)
{
    struct topology before = usual_topology(), now = usual_topology();
    now.members[1].drained = true;
    now.members[2].health = HEALTH_DOWN;
    now.members[3].reason = ANSWER_STRANGER;
    now.members[3].role = ROLE_NONE;
    ck_assert_str_eq(plan(&before, &now), "drop d, drain b, drain c, keep a");
    struct topology smaller = usual_topology();
    smaller.member_count = 3;
    ck_assert_str_eq(plan(&before, &smaller), "drop d, keep a, keep b, keep c");
    struct topology larger = usual_topology();
    add_member(&larger, "e", ROLE_SECONDARY);
    ck_assert_str_eq(plan(&before, &larger), "keep a, keep b, keep c, keep d, keep e");
    ck_assert_str_eq(plan(NULL, &now), "drop d, drain b, drain c, keep a");
}
END_TEST

START_TEST(a_member_that_moved_is_dropped_where_it_was)
{
    struct topology before = usual_topology(), now = usual_topology();
    now.members[2].config.port = 5433;
    struct table old = built_table(&before), new = built_table(&now);
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
        add_member(&before, name, ROLE_SECONDARY);
        snprintf(name, sizeof name, "n%02d", i);
        add_member(&now, name, ROLE_SECONDARY);
    }
    struct table old = built_table(&before), new = built_table(&now);
    ck_assert_uint_eq(plan_make(&old, &new, steps), STEPS_MAX);
    ck_assert_str_eq(steps[0].endpoint.name, "m00");
    ck_assert_str_eq(steps[STEPS_MAX - 1].endpoint.name, "n31");
}
END_TEST

START_TEST(only_what_a_caller_could_notice_is_a_change)
{
    struct topology before = usual_topology(), now = usual_topology();
    struct table old = built_table(&before), new = built_table(&now);
    ck_assert(!plan_is_needed(&old, &new));
    ck_assert(plan_is_needed(NULL, &new));
    strcpy(now.why, "another sentence");
    new = built_table(&now);
    ck_assert(!plan_is_needed(&old, &new));
    now.members[3].lag.ms = 8;
    new = built_table(&now);
    ck_assert(plan_is_needed(&old, &new));
    now = usual_topology();
    now.members[3].drained = true;
    new = built_table(&now);
    ck_assert(plan_is_needed(&old, &new));
}
END_TEST

START_TEST(the_timeline_is_one_line_and_leaves_out_what_is_not_known)
{
    char line[TIMELINE_SIZE];
    struct topology topology = usual_topology();
    topology.seen_wall_ms = 1795224153101; /* 2026-11-21T01:22:33.101Z */
    topology.at_wall_ms = topology.seen_wall_ms + 22;
    ck_assert_str_eq(
        plan_timeline(line, sizeof line, &topology, topology.seen_wall_ms + 25),
        "orders: a is primary, epoch 7: evidence 01:22:33.101Z, verdict +22 ms, routed +25 ms");
    ck_assert_str_eq(
        plan_timeline(line, sizeof line, &topology, topology.seen_wall_ms - 3),
        "orders: a is primary, epoch 7: evidence 01:22:33.101Z, verdict +22 ms, routed -3 ms");
    ck_assert_str_eq(
        plan_timeline(line, sizeof line, &topology, topology.seen_wall_ms - 3599934),
        "orders: a is primary, epoch 7: evidence 01:22:33.101Z, verdict +22 ms, routed at "
        "00:22:33.167Z (the clocks differ by 59 min or more)");
    topology.seen_wall_ms = 0;
    ck_assert_str_eq(plan_timeline(line, sizeof line, &topology, topology.at_wall_ms + 3),
                     "orders: a is primary, epoch 7: verdict 01:22:33.123Z, routed +3 ms");
    topology.at_wall_ms = 0;
    topology.primary[0] = '\0';
    ck_assert_str_eq(plan_timeline(line, sizeof line, &topology, 0), "orders: no primary, epoch 7");
}
END_TEST

Suite *plan_suite(void)
{
    Suite *suite = suite_create("plan");
    TCase *tests = tcase_create("plan");
    tcase_add_test(tests, a_primary_that_is_primary_no_more_is_dropped);
    tcase_add_test(tests, what_is_merely_unused_is_drained_and_what_is_gone_or_foreign_dropped);
    tcase_add_test(tests, a_member_that_moved_is_dropped_where_it_was);
    tcase_add_test(tests, a_plan_of_two_full_and_disjoint_topologies_fits);
    tcase_add_test(tests, only_what_a_caller_could_notice_is_a_change);
    tcase_add_test(tests, the_timeline_is_one_line_and_leaves_out_what_is_not_known);
    suite_add_tcase(suite, tests);
    return suite;
}
