/* Two writable servers without an order: the one that the others replicate from, if it lacks
 * nothing; else the incumbent. */
#include <string.h>

#include "registry/verdict/resolve.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

static void expect(const char *primary, enum state state, const char *rule)
{
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, primary);
    ck_assert_str_eq(state_names[world.previous.state], state_names[state]);
    ck_assert_str_eq(topology_rule(&world.previous), rule);
}

static void compared(int probe, size_t m, size_t other, bool lacks)
{
    for (size_t p = 0; p < world.count; p++) {
        struct member_report *seen = &world.reports[p].members[m];
        if (probe == ALL || (size_t)probe == p) {
            seen->misses |= lacks ? UINT32_C(1) << other : 0;
            seen->has |= lacks ? 0 : UINT32_C(1) << other;
        }
    }
}

static void lacks(int probe, size_t m, size_t other)
{
    compared(probe, m, other, true);
}

static void has(int probe, size_t m, size_t other)
{
    compared(probe, m, other, false);
}

/* m0 is primary; then m1 is made writable, and m2 replicates from it. */
static void begin(void)
{
    world_init(&world, KIND_ASYNC, 3, 3, 3);
    world_primary(&world, ALL, 0, "");
    world_standby(&world, ALL, 1, 0, "");
    world_standby(&world, ALL, 2, 0, "");
    expect("m0", STATE_OK, "sole-claimant");
    world_primary(&world, ALL, 1, "");
    world_standby(&world, ALL, 2, 1, "");
}

START_TEST(the_one_with_replicas_that_lacks_nothing_wins)
{
    begin();
    lacks(ALL, 0, 1);
    expect("m1", STATE_CONFLICT, "most-replicas");
    ck_assert(world.previous.members[0].fenced);
    ck_assert(world.previous.members[0].claims);
    ck_assert_int_eq(world.previous.epoch, 2);
    world_standby(&world, ALL, 0, 1, "");
    expect("m1", STATE_OK, "most-replicas");
    ck_assert(!world.previous.members[0].fenced);
}
END_TEST

START_TEST(the_incumbent_holds_against_one_that_lacks_something)
{
    begin();
    lacks(ALL, 1, 0);
    expect("m0", STATE_CONFLICT, "sole-claimant");
    ck_assert(!world.previous.members[0].fenced);
    ck_assert_int_eq(world.previous.epoch, 1);
}
END_TEST

START_TEST(the_incumbent_holds_against_one_with_as_many_replicas)
{
    begin();
    world_standby(&world, ALL, 2, 0, "");
    expect("m0", STATE_CONFLICT, "incumbent-holds");
}
END_TEST

START_TEST(most_of_those_that_can_compare_decide_what_it_lacks)
{
    begin();
    lacks(0, 1, 0);
    lacks(1, 1, 0);
    has(2, 1, 0);
    expect("m0", STATE_CONFLICT, "sole-claimant");
    begin();
    lacks(0, 1, 0);
    has(1, 1, 0);
    has(2, 1, 0);
    expect("m1", STATE_CONFLICT, "most-replicas");
    begin();
    lacks(0, 1, 0);
    has(1, 1, 0);
    expect("m0", STATE_CONFLICT, "sole-claimant");
}
END_TEST

START_TEST(while_one_follows_the_incumbent_it_holds)
{
    world_init(&world, KIND_ASYNC, 3, 3, 4);
    world_primary(&world, ALL, 0, "");
    for (size_t m = 1; m < 4; m++) {
        world_standby(&world, ALL, m, 0, "");
    }
    expect("m0", STATE_OK, "sole-claimant");
    world_primary(&world, ALL, 1, "");
    world_standby(&world, ALL, 2, 1, "");
    expect("m0", STATE_CONFLICT, "incumbent-holds");
    world_standby(&world, ALL, 3, 1, "");
    expect("m1", STATE_CONFLICT, "most-replicas");
}
END_TEST

START_TEST(without_identifiers_the_acts_decide)
{
    begin();
    expect("m1", STATE_CONFLICT, "most-replicas");
}
END_TEST

START_TEST(of_two_that_claim_from_the_start_the_one_that_may_lack_something_does_not_win)
{
    world_init(&world, KIND_ASYNC, 3, 3, 3);
    world_primary(&world, ALL, 0, "");
    world_primary(&world, ALL, 1, "");
    world_standby(&world, ALL, 2, 1, "");
    for (size_t p = 0; p < world.count; p++) {
        world.reports[p].members[0].lacks = UINT32_C(1) << 1;
        world.reports[p].members[1].lacks = UINT32_C(1) << 0;
    }
    expect("", STATE_CONFLICT, "tie");
    world_init(&world, KIND_ASYNC, 3, 3, 3);
    world_primary(&world, ALL, 0, "");
    world_primary(&world, ALL, 1, "");
    world_standby(&world, ALL, 2, 1, "");
    lacks(ALL, 0, 1);
    expect("m1", STATE_CONFLICT, "most-replicas");
}
END_TEST

START_TEST(a_witness_that_goes_silent_does_not_turn_the_sum)
{
    begin();
    lacks(0, 1, 0);
    lacks(1, 1, 0);
    expect("m0", STATE_CONFLICT, "sole-claimant");
    strcpy(world.reports[0].abstains, "blind");
    expect("m0", STATE_CONFLICT, "sole-claimant");
}
END_TEST

Suite *rivals_suite(void)
{
    Suite *suite = suite_create("rivals");
    TCase *tests = tcase_create("rivals");
    tcase_add_test(tests, the_one_with_replicas_that_lacks_nothing_wins);
    tcase_add_test(tests, the_incumbent_holds_against_one_that_lacks_something);
    tcase_add_test(tests, the_incumbent_holds_against_one_with_as_many_replicas);
    tcase_add_test(tests, most_of_those_that_can_compare_decide_what_it_lacks);
    tcase_add_test(tests, while_one_follows_the_incumbent_it_holds);
    tcase_add_test(tests, without_identifiers_the_acts_decide);
    tcase_add_test(tests,
                   of_two_that_claim_from_the_start_the_one_that_may_lack_something_does_not_win);
    tcase_add_test(tests, a_witness_that_goes_silent_does_not_turn_the_sum);
    suite_add_tcase(suite, tests);
    return suite;
}
