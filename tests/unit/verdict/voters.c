#include "registry/verdict/voters.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

/* m0 is primary on timeline 7, m1 and m2 stream from it; three probes agree. */
static void begin_streaming(void)
{
    world_init(&world, KIND_STREAMING, 3, 3, 3);
    world_primary(&world, ALL, 0, "7");
    world_standby(&world, ALL, 1, 0, "7");
    world_standby(&world, ALL, 2, 0, "7");
    ck_assert(world_resolve(&world));
}

START_TEST(fewer_voters_than_the_quorum_decide_nothing)
{
    world_init(&world, KIND_STREAMING, 3, 1, 2);
    world_primary(&world, ALL, 0, "1");
    ck_assert(!world_resolve(&world));
}
END_TEST

START_TEST(an_abstention_is_no_vote)
{
    world_init(&world, KIND_STREAMING, 3, 3, 1);
    world_primary(&world, ALL, 0, "1");
    strcpy(world.reports[0].abstains, "blind");
    strcpy(world.reports[1].abstains, "starting");
    ck_assert(!world_resolve(&world));
}
END_TEST

START_TEST(a_rolling_reload_makes_nobody_fight)
{
    begin_streaming();
    world.reports[0].members[1].config.weight = 50;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.members[1].config.weight, 100);
    world.reports[1].members[1].config.weight = 50;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.members[1].config.weight, 50);
}
END_TEST

START_TEST(a_member_leaves_when_a_quorum_no_longer_lists_it_but_never_the_primary)
{
    begin_streaming();
    world.reports[0].member_count = 2;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.member_count, 3);
    world.reports[1].member_count = 2;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.member_count, 2);

    begin_streaming();
    for (size_t p = 0; p < 3; p++) { /* everybody drops m0 */
        memmove(world.reports[p].members, world.reports[p].members + 1,
                2 * sizeof(struct member_report));
        world.reports[p].member_count = 2;
    }
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
    ck_assert_int_eq(world.previous.member_count, 3);
}
END_TEST

START_TEST(more_witnesses_need_a_quorum_of_the_new_number)
{
    world_init(&world, KIND_STREAMING, 1, 3, 1);
    world_primary(&world, ALL, 0, "1");
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.policy.witnesses, 1);
    world.reports[0].policy.witnesses = 3;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.policy.witnesses, 1);
    world.reports[1].policy.witnesses = 3;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.policy.witnesses, 3);
    ck_assert_int_eq(world.previous.evidence_count, 3);
}
END_TEST

START_TEST(fewer_witnesses_need_a_quorum_of_the_old_number)
{
    begin_streaming();
    world.reports[2].policy.witnesses = 1;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.policy.witnesses, 3);
    world.reports[1].policy.witnesses = 1;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.policy.witnesses, 1);
}
END_TEST

START_TEST(standbys_do_not_vote)
{
    world_init(&world, KIND_STREAMING, 3, 5, 2);
    world_primary(&world, ALL, 0, "7");
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.evidence_count, 3);
    world_primary(&world, 3, 1, "8");
    world_primary(&world, 4, 1, "8");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
}
END_TEST

/* ---- direct ---------------------------------------------------------------------------------- */

static struct voters voters;

static bool select_voters(void)
{
    struct evidence evidence = world_evidence(&world);
    return voters_select(evidence.previous, evidence.votes, evidence.count, &voters);
}

START_TEST(voters_of_the_last_verdict_come_before_others_in_any_order_of_votes)
{
    world_init(&world, KIND_STREAMING, 2, 4, 1);
    world.has_previous = true;
    world.previous.policy.witnesses = 2;
    world.previous.evidence_count = 2;
    strcpy(world.previous.evidence[0].probe, "probe-b");
    strcpy(world.previous.evidence[1].probe, "probe-d");
    for (int backwards = 0; backwards < 2; backwards++) {
        world.backwards = backwards;
        ck_assert(select_voters());
        ck_assert_uint_eq(voters.count, 2);
        ck_assert_str_eq(voters.votes[0].report->probe, "probe-b");
        ck_assert_str_eq(voters.votes[1].report->probe, "probe-d");
    }
}
END_TEST

START_TEST(without_a_quorum_for_a_policy_the_last_one_stays_and_a_first_verdict_waits)
{
    world_init(&world, KIND_STREAMING, 3, 3, 1);
    world.reports[0].policy.conflict = CONFLICT_NONE;
    world.reports[1].policy.writers = WRITERS_ALL;
    ck_assert(!select_voters());
    world.has_previous = true;
    world.previous.policy = (struct policy){.kind = KIND_ASYNC, .witnesses = 3};
    ck_assert(select_voters());
    ck_assert_int_eq(voters.policy.kind, KIND_ASYNC);
    ck_assert_int_eq(voters.policy.witnesses, 3);
}
END_TEST

START_TEST(a_new_member_waits_until_a_quorum_agrees_on_its_address)
{
    world_init(&world, KIND_STREAMING, 3, 3, 2);
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[1].config.port = (uint16_t)(5432 + p);
    }
    ck_assert(select_voters());
    ck_assert_uint_eq(voters.member_count, 1);
    world.reports[1].members[1].config.port = 5432;
    ck_assert(select_voters());
    ck_assert_uint_eq(voters.member_count, 2);
    ck_assert_uint_eq(voters.members[1].port, 5432);
}
END_TEST

START_TEST(labels_are_taken_whole_from_a_quorum)
{
    world_init(&world, KIND_STREAMING, 3, 3, 1);
    for (size_t p = 0; p < 2; p++) {
        struct member_config *config = &world.reports[p].members[0].config;
        config->label_count = 1;
        config->labels[0] = (struct label){"zone", "a"};
    }
    ck_assert(select_voters());
    ck_assert_uint_eq(voters.members[0].label_count, 1);
    strcpy(world.reports[1].members[0].config.labels[0].value, "b");
    ck_assert(select_voters()); /* three opinions: the default stays */
    ck_assert_uint_eq(voters.members[0].label_count, 0);
}
END_TEST

Suite *voters_suite(void)
{
    Suite *suite = suite_create("voters");
    TCase *tcase = tcase_create("voters");
    tcase_add_test(tcase, fewer_voters_than_the_quorum_decide_nothing);
    tcase_add_test(tcase, an_abstention_is_no_vote);
    tcase_add_test(tcase, a_rolling_reload_makes_nobody_fight);
    tcase_add_test(tcase, a_member_leaves_when_a_quorum_no_longer_lists_it_but_never_the_primary);
    tcase_add_test(tcase, more_witnesses_need_a_quorum_of_the_new_number);
    tcase_add_test(tcase, fewer_witnesses_need_a_quorum_of_the_old_number);
    tcase_add_test(tcase, standbys_do_not_vote);
    tcase_add_test(tcase, voters_of_the_last_verdict_come_before_others_in_any_order_of_votes);
    tcase_add_test(tcase,
                   without_a_quorum_for_a_policy_the_last_one_stays_and_a_first_verdict_waits);
    tcase_add_test(tcase, a_new_member_waits_until_a_quorum_agrees_on_its_address);
    tcase_add_test(tcase, labels_are_taken_whole_from_a_quorum);
    suite_add_tcase(suite, tcase);
    return suite;
}
