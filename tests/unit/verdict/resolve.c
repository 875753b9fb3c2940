#include "registry/verdict/resolve.h"

#include <stdio.h>
#include <string.h>

#include "registry/verdict/rules.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

static const struct member *member(size_t m)
{
    return &world.previous.members[m];
}

static void expect(const char *primary, enum state state, const char *rule)
{
    ck_assert_str_eq(world.previous.primary, primary);
    ck_assert_str_eq(state_names[world.previous.state], state_names[state]);
    ck_assert_str_eq(topology_rule(&world.previous), rule);
}

/* m0 is primary on timeline 7, m1 and m2 stream from it; three probes agree. */
static void begin_streaming(void)
{
    world_init(&world, KIND_STREAMING, 3, 3, 3);
    world_primary(&world, ALL, 0, "7");
    world_standby(&world, ALL, 1, 0, "7");
    world_standby(&world, ALL, 2, 0, "7");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
}

static void begin_async(void)
{
    world_init(&world, KIND_ASYNC, 3, 3, 3);
    world_primary(&world, ALL, 0, "");
    world_standby(&world, ALL, 1, 0, "");
    world_standby(&world, ALL, 2, 0, "");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
}

START_TEST(a_first_verdict_names_the_sole_claimant)
{
    begin_streaming();
    ck_assert_int_eq(world.previous.epoch, 1);
    ck_assert_str_eq(world.previous.lineage, "7");
    ck_assert_int_eq(member(1)->role, ROLE_SECONDARY);
    ck_assert_str_eq(member(1)->upstream, "m0");
    ck_assert_int_eq(member(1)->health, HEALTH_UP);
}
END_TEST

START_TEST(one_probe_alone_changes_nothing)
{
    begin_streaming();
    world_primary(&world, 0, 1, "8");
    world_fails(&world, 0, 0, ANSWER_REFUSED);
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
    ck_assert_int_eq(world.previous.epoch, 1);
}
END_TEST

START_TEST(a_promotion_wins_by_its_newer_timeline)
{
    begin_streaming();
    world_primary(&world, ALL, 1, "8");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_CONFLICT, "newest-lineage"); /* the old one still claims */
    ck_assert(member(0)->fenced);
    ck_assert(member(0)->claims);
    ck_assert_int_eq(member(0)->role, ROLE_NONE);
    ck_assert_int_eq(world.previous.epoch, 2);
}
END_TEST

START_TEST(a_killed_primary_is_withdrawn_before_the_next_is_known)
{
    begin_streaming();
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    for (size_t m = 1; m < 3; m++) {
        for (size_t p = 0; p < 3; p++) {
            world.reports[p].members[m].live = false;
            world.reports[p].members[m].lag.state = LAG_BROKEN;
        }
    }
    ck_assert(world_resolve(&world));
    expect("", STATE_NO_PRIMARY, "refused");
    ck_assert_str_eq(world.previous.last_primary, "m0");
    ck_assert_int_eq(world.previous.epoch, 2);
    ck_assert(!member(0)->fenced);

    world_primary(&world, ALL, 1, "8");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "newest-lineage");
    ck_assert(member(0)->fenced);
    ck_assert_int_eq(member(0)->fenced_epoch, 3);
    ck_assert_str_eq(world.previous.last_primary, "");
}
END_TEST

START_TEST(a_refused_primary_that_a_replica_still_streams_from_is_kept)
{
    begin_streaming();
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    ck_assert(world_resolve(&world));
    expect("m0", STATE_SUSPECT, "kept");
}
END_TEST

/* It may be the primary's, under another address. */
START_TEST(a_refused_primary_is_kept_while_a_replica_streams_from_a_name_that_no_member_has)
{
    for (int by_timelines = 0; by_timelines <= 1; by_timelines++) {
        if (by_timelines) {
            begin_streaming();
        } else {
            begin_async();
        }
        for (size_t i = 0; i < 6; i++) {
            world.reports[i / 2].members[1 + i % 2].upstream[0] = '\0';
        }
        ck_assert(world_resolve(&world));
        world_fails(&world, ALL, 0, ANSWER_REFUSED);
        ck_assert(world_resolve(&world));
        expect("m0", STATE_SUSPECT, "kept");
        for (size_t i = 0; i < 6; i++) {
            world.reports[i / 2].members[1 + i % 2].live = false;
        }
        ck_assert(world_resolve(&world));
        expect("", STATE_NO_PRIMARY, "refused");
    }
}
END_TEST

START_TEST(an_unreachable_primary_is_kept_and_suspect)
{
    begin_streaming();
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    ck_assert(world_resolve(&world));
    expect("m0", STATE_SUSPECT, "kept");
    ck_assert_int_eq(member(0)->health, HEALTH_DOWN);
    ck_assert_int_eq(world.previous.epoch, 1);
}
END_TEST

START_TEST(a_restart_in_place_takes_the_writer_back)
{
    begin_streaming();
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    ck_assert(world_resolve(&world));
    expect("", STATE_NO_PRIMARY, "not-writable");
    world_primary(&world, ALL, 0, "7");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
    ck_assert_int_eq(world.previous.epoch, 3);
}
END_TEST

START_TEST(another_member_on_the_same_timeline_does_not_win)
{
    begin_streaming();
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    ck_assert(world_resolve(&world));
    world_primary(&world, ALL, 1, "7"); /* its standby.signal was removed by hand: no promotion */
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "");
    ck_assert_int_eq(world.previous.state, STATE_CONFLICT);
}
END_TEST

START_TEST(a_returned_old_primary_is_fenced_until_it_follows)
{
    begin_streaming();
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    world_primary(&world, ALL, 1, "8");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "newest-lineage");

    world_primary(&world, ALL, 0, "7");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_CONFLICT, "newest-lineage");
    ck_assert_int_eq(member(0)->role, ROLE_NONE);
    ck_assert_int_eq(member(0)->reason, ANSWER_RIVAL);

    world_standby(&world, ALL, 0, 1, "8");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "newest-lineage");
    ck_assert(!member(0)->fenced);
    ck_assert_int_eq(member(0)->role, ROLE_SECONDARY);
}
END_TEST

START_TEST(a_fence_is_cleared_by_a_cascade_up_to_the_primary)
{
    begin_streaming();
    world_primary(&world, ALL, 1, "8");
    world_standby(&world, ALL, 0, 2, "8");
    world_standby(&world, ALL, 2, 1, "8");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "newest-lineage");
    ck_assert(!member(0)->fenced);
}
END_TEST

/* A former primary that was not rewound is seen to stream for a moment, each time it tries. */
START_TEST(a_fence_stands_while_a_member_streams_on_its_own_timeline)
{
    begin_streaming();
    world_primary(&world, ALL, 1, "8");
    world_standby(&world, ALL, 2, 1, "8");
    world_standby(&world, ALL, 0, 1, "7");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "newest-lineage");
    ck_assert(member(0)->fenced && member(0)->role == ROLE_NONE);
    world_standby(&world, ALL, 0, 2, "7"); /* nor does a cascade lift it */
    ck_assert(world_resolve(&world));
    ck_assert(member(0)->fenced);
    world_standby(&world, ALL, 0, 2, "8");
    ck_assert(world_resolve(&world));
    ck_assert(!member(0)->fenced);
}
END_TEST

/* The probes doubt a stream on a number that the member has claimed itself, until that is over. */
START_TEST(who_is_on_the_line_has_no_claim_of_its_own_any_more)
{
    begin_streaming();
    world_primary(&world, ALL, 1, "8");
    ck_assert(world_resolve(&world));
    world_primary(&world, ALL, 0, "8");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(member(0)->record.lineage, "8");
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(member(0)->record.lineage, "8");
    world_standby(&world, ALL, 0, 1, "8");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(member(0)->record.lineage, "");
}
END_TEST

START_TEST(a_fence_is_cleared_by_the_operators_acceptance)
{
    begin_streaming();
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    world_primary(&world, ALL, 1, "8");
    ck_assert(world_resolve(&world));
    ck_assert(member(0)->fenced);
    world.directives.accept_count = 1;
    strcpy(world.directives.accept[0].name, "m0");
    world.directives.accept[0].epoch = member(0)->fenced_epoch - 1; /* of an earlier fence */
    ck_assert(world_resolve(&world));
    ck_assert(member(0)->fenced);
    world.directives.accept[0].epoch = world.previous.epoch;
    ck_assert(world_resolve(&world));
    ck_assert(!member(0)->fenced);
}
END_TEST

START_TEST(a_fenced_claimant_cannot_win_by_a_newer_number)
{
    begin_streaming();
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    world_primary(&world, ALL, 1, "8");
    ck_assert(world_resolve(&world));
    world_primary(&world, ALL, 0, "9"); /* promoted by itself, twice: its history left ours at 7 */
    ck_assert(world_resolve(&world));
    expect("m1", STATE_CONFLICT, "newest-lineage");
}
END_TEST

START_TEST(an_incumbent_older_than_a_timeline_seen_on_a_standby_is_withdrawn)
{
    begin_streaming();
    world_standby(&world, ALL, 2, 1, "8");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "");
    ck_assert_str_eq(topology_rule(&world.previous), "outdated");
}
END_TEST

START_TEST(a_newer_timeline_that_is_no_longer_seen_does_not_bring_the_outdated_back)
{
    begin_streaming();
    world_standby(&world, ALL, 2, 1, "8");
    ck_assert(world_resolve(&world));
    expect("", STATE_CONFLICT, "outdated");
    world_fails(&world, ALL, 2, ANSWER_REFUSED);
    ck_assert(world_resolve(&world));
    expect("", STATE_CONFLICT, "outdated");
    world_fails(&world, ALL, 0, ANSWER_REFUSED); /* and starting again makes it no newer */
    ck_assert(world_resolve(&world));
    world_primary(&world, ALL, 0, "7");
    ck_assert(world_resolve(&world));
    expect("", STATE_CONFLICT, "outdated");
    world_primary(&world, ALL, 0, "8"); /* promoted in its turn */
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
}
END_TEST

START_TEST(an_incumbent_that_was_read_on_an_older_timeline_comes_back_with_its_own)
{
    begin_streaming();
    world_primary(&world, ALL, 0,
                  "6"); /* restored from a backup, or read by witnesses that were behind */
    ck_assert(world_resolve(&world));
    expect("", STATE_CONFLICT, "rewound");
    world_primary(&world, ALL, 0, "7");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
}
END_TEST

START_TEST(a_stranger_claims_nothing)
{
    begin_streaming();
    world_primary(&world, ALL, 2, "99");
    for (size_t p = 0; p < 3; p++) {
        strcpy(world.reports[p].members[2].identity, "1");
    }
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
    ck_assert_int_eq(member(2)->reason, ANSWER_STRANGER);
    ck_assert_int_eq(member(2)->role, ROLE_NONE);
}
END_TEST

START_TEST(two_identities_alike_give_no_primary_until_one_is_accepted)
{
    world_init(&world, KIND_STREAMING, 1, 1, 2);
    world_primary(&world, ALL, 0, "1");
    world_primary(&world, ALL, 1, "1");
    strcpy(world.reports[0].members[1].identity, "2");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "");
    world.directives.accept_count = 1;
    strcpy(world.directives.accept[0].name, "m1");
    world.directives.accept[0].epoch = world.previous.epoch;
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m1");
    ck_assert_str_eq(world.previous.identity, "2");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m1");
}
END_TEST

START_TEST(a_read_only_primary_is_withdrawn)
{
    begin_streaming();
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[0].claim = false;
        world.reports[p].members[0].writable = false;
    }
    ck_assert(world_resolve(&world));
    expect("", STATE_NO_PRIMARY, "not-writable");
}
END_TEST

START_TEST(vanished_reports_change_no_routing)
{
    begin_streaming();
    world.count = 2;
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
    world.count = 1;
    struct topology before = world.previous;
    ck_assert(!world_resolve(&world));
    ck_assert(topology_equal(&before, &world.previous));
}
END_TEST

START_TEST(a_planned_switch_without_an_order_withdraws_and_follows)
{
    begin_async();
    for (size_t p = 0; p < 3; p++) { /* read_only = 1 on the old one */
        world.reports[p].members[0].claim = false;
        world.reports[p].members[0].writable = false;
    }
    ck_assert(world_resolve(&world));
    expect("", STATE_NO_PRIMARY, "not-writable");
    world_primary(&world, ALL, 1, ""); /* STOP SLAVE, read_only = 0 on the new one */
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "sole-claimant");
    ck_assert(member(0)->fenced);
    world_standby(&world, ALL, 0, 1, "");
    ck_assert(world_resolve(&world));
    ck_assert(!member(0)->fenced);
}
END_TEST

START_TEST(two_writers_without_an_order_freeze_at_the_incumbent)
{
    begin_async();
    world_primary(&world, ALL, 1, "");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_CONFLICT, "incumbent-holds");
    ck_assert(member(1)->claims);
    ck_assert_int_eq(member(1)->role, ROLE_NONE);
}
END_TEST

START_TEST(the_policy_none_withdraws_in_a_conflict_and_silence_does_not_undo_it)
{
    begin_async();
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].policy.conflict = CONFLICT_NONE;
    }
    world_primary(&world, ALL, 1, "");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "");
    ck_assert_str_eq(topology_rule(&world.previous), "tie");
    world_fails(&world, 0, 1, ANSWER_UNKNOWN);
    world_fails(&world, 1, 1, ANSWER_UNKNOWN);
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "");
    world_standby(&world, ALL, 1, 0, "");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
}
END_TEST

START_TEST(a_writable_replica_is_no_primary)
{
    begin_async();
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[1].writable = true;
    }
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
    ck_assert_int_eq(member(1)->role, ROLE_SECONDARY);
}
END_TEST

START_TEST(an_incumbent_that_follows_the_claimant_gives_way)
{
    begin_async();
    world_primary(&world, ALL, 1, "");
    world_standby(&world, ALL, 0, 1, "");
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[0].writable = true; /* nobody set it read-only */
    }
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "sole-claimant");
    ck_assert(!member(0)->fenced);
}
END_TEST

START_TEST(an_unseen_incumbent_without_an_order_is_not_replaced)
{
    begin_async();
    world_fails(&world, 0, 0, ANSWER_UNKNOWN);
    world_fails(&world, 1, 0, ANSWER_NAME);
    world_primary(&world, ALL, 1, "");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
}
END_TEST

/* Starting up is both down and its own word; that is still one witness. */
START_TEST(one_witness_alone_does_not_replace_an_incumbent_without_an_order)
{
    begin_async();
    world_fails(&world, 0, 0, ANSWER_STARTING);
    world_fails(&world, 1, 0, ANSWER_NAME);
    world_primary(&world, ALL, 1, "");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
}
END_TEST

START_TEST(a_drained_member_does_not_become_primary)
{
    begin_streaming();
    world.directives.drain_count = 1;
    strcpy(world.directives.drain[0], "m1");
    world_fails(&world, ALL, 0, ANSWER_STOPPING);
    world_primary(&world, ALL, 1, "8");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "");
    ck_assert(member(1)->drained);
}
END_TEST

START_TEST(a_drained_primary_stays)
{
    begin_streaming();
    world.directives.drain_count = 1;
    strcpy(world.directives.drain[0], "m0");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
    ck_assert(member(0)->drained);
}
END_TEST

START_TEST(a_hold_freezes_the_writer)
{
    begin_streaming();
    strcpy(world.directives.hold, "m0");
    world_fails(&world, ALL, 0, ANSWER_STOPPING);
    world_primary(&world, ALL, 1, "8");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
    ck_assert_str_eq(topology_rule(&world.previous), "held");
    world.directives.hold[0] = '\0';
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m1");
}
END_TEST

START_TEST(a_weight_by_the_operator_counts_until_it_is_withdrawn)
{
    begin_streaming();
    world.directives.weight_count = 1;
    world.directives.weight[0] = (struct override){"m1", 7};
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(member(1)->config.weight, 7);
    world.directives.weight_count = 0;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(member(1)->config.weight, 100);
}
END_TEST

Suite *resolve_suite(void)
{
    Suite *suite = suite_create("resolve");
    TCase *rules = tcase_create("rules");
    tcase_add_test(rules, a_first_verdict_names_the_sole_claimant);
    tcase_add_test(rules, one_probe_alone_changes_nothing);
    tcase_add_test(rules, a_promotion_wins_by_its_newer_timeline);
    tcase_add_test(rules, a_killed_primary_is_withdrawn_before_the_next_is_known);
    tcase_add_test(rules, a_refused_primary_that_a_replica_still_streams_from_is_kept);
    tcase_add_test(
        rules, a_refused_primary_is_kept_while_a_replica_streams_from_a_name_that_no_member_has);
    tcase_add_test(rules, an_unreachable_primary_is_kept_and_suspect);
    tcase_add_test(rules, a_restart_in_place_takes_the_writer_back);
    tcase_add_test(rules, another_member_on_the_same_timeline_does_not_win);
    tcase_add_test(rules, a_returned_old_primary_is_fenced_until_it_follows);
    tcase_add_test(rules, a_fence_is_cleared_by_a_cascade_up_to_the_primary);
    tcase_add_test(rules, a_fence_stands_while_a_member_streams_on_its_own_timeline);
    tcase_add_test(rules, who_is_on_the_line_has_no_claim_of_its_own_any_more);
    tcase_add_test(rules, a_fence_is_cleared_by_the_operators_acceptance);
    tcase_add_test(rules, a_fenced_claimant_cannot_win_by_a_newer_number);
    tcase_add_test(rules, an_incumbent_older_than_a_timeline_seen_on_a_standby_is_withdrawn);
    tcase_add_test(rules, a_newer_timeline_that_is_no_longer_seen_does_not_bring_the_outdated_back);
    tcase_add_test(rules, an_incumbent_that_was_read_on_an_older_timeline_comes_back_with_its_own);
    tcase_add_test(rules, a_stranger_claims_nothing);
    tcase_add_test(rules, two_identities_alike_give_no_primary_until_one_is_accepted);
    tcase_add_test(rules, a_read_only_primary_is_withdrawn);
    tcase_add_test(rules, vanished_reports_change_no_routing);
    tcase_add_test(rules, a_planned_switch_without_an_order_withdraws_and_follows);
    tcase_add_test(rules, two_writers_without_an_order_freeze_at_the_incumbent);
    tcase_add_test(rules, the_policy_none_withdraws_in_a_conflict_and_silence_does_not_undo_it);
    tcase_add_test(rules, a_writable_replica_is_no_primary);
    tcase_add_test(rules, an_incumbent_that_follows_the_claimant_gives_way);
    tcase_add_test(rules, an_unseen_incumbent_without_an_order_is_not_replaced);
    tcase_add_test(rules, one_witness_alone_does_not_replace_an_incumbent_without_an_order);
    tcase_add_test(rules, a_drained_member_does_not_become_primary);
    tcase_add_test(rules, a_drained_primary_stays);
    tcase_add_test(rules, a_hold_freezes_the_writer);
    tcase_add_test(rules, a_weight_by_the_operator_counts_until_it_is_withdrawn);
    suite_add_tcase(suite, rules);
    return suite;
}
