/* A test for each row of the table of rules, in the table's order: the event of its scenario, and
 * who is primary then. */
#include "registry/verdict/primary.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;
static struct verdict_inputs inputs;

/* The decision on the world as it is; `scenario` is a part of the deciding row's. */
static void expect(const char *primary, enum rule rule, const char *scenario)
{
    struct evidence evidence = world_evidence(&world);
    ck_assert(verdict_inputs_init(&inputs, &evidence));
    struct decision decision = primary_choose(&inputs);
    ck_assert_str_eq(rule_names[decision.rule], rule_names[rule]);
    ck_assert_str_eq(decision.primary ? decision.primary->listing->name : "", primary);
    ck_assert_msg(strstr(decision.scenario, scenario), "decided by: %s", decision.scenario);
}

static void settle(void)
{
    ck_assert(world_resolve(&world));
}

/* m0 is primary, m1 and m2 stream from it; three probes agree. */
static void begin(enum kind kind)
{
    world_init(&world, kind, 3, 3, 3);
    world_primary(&world, ALL, 0, "7");
    world_standby(&world, ALL, 1, 0, "7");
    world_standby(&world, ALL, 2, 0, "7");
    settle();
}

/* m0, m1 and m2 write in one configuration. */
static void writes(size_t m, const char *lineage)
{
    struct member_report node = {
        .answer = ANSWER_OK, .claim = true, .shared = true, .writable = true, .lag = LAG_NOT_KNOWN};
    strcpy(node.lineage, lineage);
    world_says(&world, ALL, m, &node);
}

static void begin_galera(void)
{
    world_init(&world, KIND_GALERA, 3, 3, 3);
    for (size_t m = 0; m < 3; m++) {
        writes(m, "conf:3");
    }
    settle();
}

/* A member of a group with one primary; `leader` "": it is the primary itself. */
static void in_view(size_t m, const char *view, const char *leader)
{
    struct member_report node = {.answer = ANSWER_OK, .lag = LAG_NOT_KNOWN};
    strcpy(node.lineage, view);
    strcpy(node.upstream, leader);
    node.claim = node.writable = !leader[0];
    node.replica = node.live = leader[0];
    world_says(&world, ALL, m, &node);
}

static void begin_group(void)
{
    world_init(&world, KIND_GROUP, 3, 3, 3);
    in_view(0, "view:4", "");
    in_view(1, "view:4", "m0");
    in_view(2, "view:4", "m0");
    settle();
}

static void read_only(size_t m, enum condition condition)
{
    struct member_report node = {.answer = ANSWER_OK, .condition = condition, .lag = LAG_NOT_KNOWN};
    strcpy(node.lineage, world.reports[0].members[m].lineage);
    strcpy(node.identity, world.reports[0].members[m].identity);
    world_says(&world, ALL, m, &node);
}

START_TEST(a_hold_freezes_the_primary)
{
    begin(KIND_STREAMING);
    strcpy(world.directives.hold, "m0");
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_primary(&world, ALL, 1, "8");
    expect("m0", RULE_HELD, "froze the primary");
    strcpy(world.directives.hold, "m1"); /* the one that may become it */
    expect("m1", RULE_HELD, "froze the primary");
    strcpy(world.directives.hold, "m2"); /* neither primary nor a candidate: nobody else wins */
    expect("", RULE_OUTDATED, "a standby follows a promoted server");
    strcpy(world.directives.hold, "m9"); /* no member any more: the writer stays where it is */
    expect("m0", RULE_HELD, "no longer listed");
}
END_TEST

static void accept(const char *name)
{
    world.directives.accept_count = 1;
    strcpy(world.directives.accept[0].name, name);
    world.directives.accept[0].epoch = world.previous.epoch;
    world.directives.accept[0].replace = true;
}

START_TEST(who_is_accepted_comes_before_all_that_servers_report)
{
    begin(KIND_STREAMING);
    world_primary(&world, ALL, 1, "8");
    settle();
    accept("m0");
    expect("m0", RULE_ACCEPTED, "an accidental promotion was undone");
    world.directives.accept_count = 2; /* of two that claim the later word counts */
    world.directives.accept[1] = world.directives.accept[0];
    strcpy(world.directives.accept[1].name, "m1");
    world.directives.accept[1].epoch++;
    expect("m1", RULE_ACCEPTED, "an accidental promotion was undone");
    begin(KIND_ASYNC);
    world_primary(&world, ALL, 1, "");
    accept("m1");
    expect("m1", RULE_ACCEPTED, "a tie decided by a person");
    strcpy(world.directives.hold, "m0"); /* a hold comes before that */
    expect("m0", RULE_HELD, "froze the primary");
}
END_TEST

START_TEST(the_last_node_of_a_group_is_the_sole_claimant)
{
    begin_galera();
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_fails(&world, ALL, 1, ANSWER_REFUSED);
    expect("m2", RULE_SOLE_CLAIMANT, "one node of the group is left");
}
END_TEST

START_TEST(of_several_nodes_one_is_preferred)
{
    begin_galera();
    expect("m0", RULE_PREFERRED, "several nodes could write");
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[0].condition = CONDITION_DONOR;
        world.reports[p].members[2].config.weight = 200;
    }
    expect("m2", RULE_PREFERRED, "several nodes could write");
}
END_TEST

START_TEST(a_peer_does_not_replace_an_incumbent_that_may_only_be_unseen)
{
    begin_galera();
    world_fails(&world, ALL, 0, ANSWER_AUTH);
    expect("m0", RULE_KEPT, "silence");
}
END_TEST

START_TEST(on_every_day_the_incumbent_is_the_sole_claimant)
{
    begin(KIND_STREAMING);
    expect("m0", RULE_SOLE_CLAIMANT, "every day");
    begin(KIND_ASYNC);
    expect("m0", RULE_SOLE_CLAIMANT, "every day");
}
END_TEST

START_TEST(none_is_preferred_to_a_doubtful_one_also_against_a_claim_that_may_not_win)
{
    static const enum kind kinds[] = {KIND_STREAMING, KIND_ASYNC};
    for (size_t k = 0; k < 2; k++) {
        begin(kinds[k]);
        for (size_t p = 0; p < 3; p++) {
            world.reports[p].policy.conflict = CONFLICT_NONE;
        }
        world.restarts++;
        world_primary(&world, ALL, 1, "7"); /* nobody promoted it */
        expect("", RULE_TIE, "prefers no primary to a doubtful one");
        world_primary(&world, ALL, 1, "6"); /* where there is an order this one is older */
        expect(k == 0 ? "m0" : "", k == 0 ? RULE_SOLE_CLAIMANT : RULE_TIE, "");
        world.directives.drain_count = 1;
        strcpy(world.directives.drain[0], "m1");
        world_primary(&world, ALL, 1, "7");
        expect("m0", RULE_SOLE_CLAIMANT, "every day");
    }
}
END_TEST

START_TEST(at_the_first_look_at_two_histories_it_is_the_one_that_others_follow)
{
    world_init(&world, KIND_STREAMING, 3, 3, 3);
    world_primary(&world, ALL, 0, "7");
    world_primary(&world, ALL, 1, "8");
    world_standby(&world, ALL, 2, 0, "7");
    expect("m0", RULE_MOST_REPLICAS, "the first look at two histories");
    world_fails(&world, ALL, 2, ANSWER_REFUSED);
    expect("", RULE_TIE, "two opened at once");
}
END_TEST

START_TEST(a_first_look_finds_the_sole_claimant)
{
    begin(KIND_STREAMING);
    world.has_previous = false;
    expect("m0", RULE_SOLE_CLAIMANT, "the first look");
}
END_TEST

START_TEST(a_promotion_has_the_newest_timeline)
{
    begin(KIND_STREAMING);
    world_primary(&world, ALL, 1, "8");
    expect("m1", RULE_NEWEST_LINEAGE, "a standby was promoted");
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    expect("m1", RULE_NEWEST_LINEAGE, "a standby was promoted");
}
END_TEST

START_TEST(within_one_view_the_others_name_the_primary)
{
    begin_group();
    in_view(1, "view:4", "");
    in_view(2, "view:4", "m1");
    expect("m1", RULE_MOST_REPLICAS, "within one view");
}
END_TEST

START_TEST(the_group_that_went_on_has_the_newest_view)
{
    begin_group();
    in_view(1, "view:5", "");
    in_view(2, "view:5", "m1");
    expect("m1", RULE_NEWEST_LINEAGE, "still claims in an old view");
}
END_TEST

START_TEST(the_one_that_the_others_were_pointed_to_overtakes)
{
    begin(KIND_ASYNC);
    world_primary(&world, ALL, 1, "");
    world_standby(&world, ALL, 2, 1, "");
    expect("m1", RULE_MOST_REPLICAS, "at the far side of a partition");
}
END_TEST

START_TEST(by_reports_of_a_former_version_the_one_that_others_follow_overtakes)
{
    begin(KIND_ASYNC);
    world_primary(&world, ALL, 1, "");
    world_standby(&world, ALL, 2, 1, "");
    memset(&world.previous.members[1].record, 0, sizeof world.previous.members[1].record);
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].rules = RULES_WITH_RECORDS - 1;
        world.reports[p].members[1].start_ms = 0;
    }
    expect("m1", RULE_MOST_REPLICAS, "while the old primary still takes writes");
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[1].lacks = 1u << 0;
    }
    expect("m0", RULE_INCUMBENT, "the old one holds");
}
END_TEST

START_TEST(late_acts_do_not_take_over_from_a_primary_that_takes_writes)
{
    begin(KIND_ASYNC);
    world_primary(&world, ALL, 1, "");
    settle();
    for (int i = 0; i < 2; i++) {
        for (size_t p = 0; p < 3; p++) {
            world.reports[p].members[1].late = true;
            world.reports[p].members[1].acts = world.previous.members[1].record.acts & ACT_PROMOTES;
        }
        settle();
    }
    expect("m0", RULE_SOLE_CLAIMANT, "every day"); /* it may lack something */
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[1].has = 1u << 0;
    }
    expect("m0", RULE_INCUMBENT, "the old one holds");
}
END_TEST

START_TEST(of_two_without_an_order_the_incumbent_holds_or_nobody_does)
{
    begin(KIND_ASYNC);
    world_primary(&world, ALL, 1, "");
    world_fails(&world, ALL, 2, ANSWER_TIMEOUT);
    expect("m0", RULE_INCUMBENT, "the old one holds");
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].policy.conflict = CONFLICT_NONE;
    }
    expect("", RULE_TIE, "conflict = none");
}
END_TEST

START_TEST(a_successor_needs_an_incumbent_that_is_unfit)
{
    begin(KIND_ASYNC);
    world_primary(&world, ALL, 1, "");
    read_only(0, CONDITION_FIT);
    expect("m1", RULE_SOLE_CLAIMANT, "down, read-only or follows it");
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    expect("m1", RULE_SOLE_CLAIMANT, "down, read-only or follows it");
    world_fails(&world, ALL, 0, ANSWER_AUTH);
    expect("m0", RULE_KEPT, "silence");
}
END_TEST

START_TEST(a_primary_in_no_probes_file_may_be_left)
{
    begin(KIND_ASYNC);
    world_primary(&world, ALL, 1, "");
    world_fails(&world, ALL, 0, ANSWER_AUTH);
    expect("m0", RULE_KEPT, "silence");
    for (size_t p = 0; p < 3; p++) {
        struct report *report = &world.reports[p];
        memmove(&report->members[0], &report->members[1], 2 * sizeof *report->members);
        report->member_count = 2;
    }
    expect("m1", RULE_SOLE_CLAIMANT, "down, read-only or follows it");
}
END_TEST

START_TEST(of_two_successors_the_one_that_others_follow)
{
    world_init(&world, KIND_ASYNC, 3, 3, 4);
    world_primary(&world, ALL, 0, "");
    for (size_t m = 1; m < 4; m++) {
        world_standby(&world, ALL, m, 0, "");
    }
    settle();
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_primary(&world, ALL, 1, "");
    world_primary(&world, ALL, 2, "");
    world_standby(&world, ALL, 3, 2, "");
    expect("m2", RULE_MOST_REPLICAS, "a second replica open for writes");
}
END_TEST

START_TEST(the_outdated_stays_withdrawn_while_the_newer_is_cut_off)
{
    begin(KIND_STREAMING);
    world_standby(&world, ALL, 2, 1, "8");
    expect("", RULE_OUTDATED, "a standby follows a promoted server");
    settle();
    world_fails(&world, ALL, 2, ANSWER_TIMEOUT);
    expect("", RULE_OUTDATED, "while the promoted one is cut off");
}
END_TEST

START_TEST(a_minority_is_withdrawn_until_the_group_is_together_again)
{
    begin_galera();
    for (size_t m = 0; m < 3; m++) {
        read_only(m, CONDITION_MINORITY);
    }
    expect("", RULE_MINORITY, "the smaller side of a partition");
    settle();
    expect("", RULE_MINORITY, "has not come together again");
}
END_TEST

START_TEST(two_that_claim_from_the_start_are_a_tie)
{
    world_init(&world, KIND_ASYNC, 3, 3, 2);
    world_primary(&world, ALL, 0, "");
    world_primary(&world, ALL, 1, "");
    expect("", RULE_TIE, "two opened at once");
}
END_TEST

START_TEST(who_was_not_promoted_inherits_nothing)
{
    begin(KIND_ASYNC);
    world_server(&world, ALL, 1, true, CHANNEL_LIVE, 0);
    settle();
    world.restarts++;
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    world_server(&world, ALL, 2, false, CHANNEL_CONNECTING, 0);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    expect("", RULE_REFUSED, "crashed on a living host");
    settle();
    expect("", RULE_UNPROMOTED, "its channel stopped for a backup");
    world_primary(&world, ALL, 0, "");
    expect("m0", RULE_SOLE_CLAIMANT, "every day");
}
END_TEST

START_TEST(where_nobody_claims_there_is_no_primary)
{
    world_init(&world, KIND_STREAMING, 3, 3, 2);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    expect("", RULE_NO_CLAIM, "down or was never up");
}
END_TEST

START_TEST(a_stranger_at_its_address_withdraws_the_primary)
{
    begin(KIND_STREAMING);
    for (size_t p = 0; p < 3; p++) {
        strcpy(world.reports[p].members[0].identity, "another");
    }
    expect("", RULE_STRANGER, "at the primary's address");
}
END_TEST

START_TEST(a_restored_primary_is_rewound)
{
    begin(KIND_STREAMING);
    world_primary(&world, ALL, 0, "6");
    expect("", RULE_REWOUND, "restored from a backup");
}
END_TEST

START_TEST(a_primary_that_takes_no_writes_is_withdrawn)
{
    begin(KIND_STREAMING);
    read_only(0, CONDITION_FIT);
    expect("", RULE_NOT_WRITABLE, "a planned switch");
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    expect("", RULE_NOT_WRITABLE, "a planned switch");
}
END_TEST

START_TEST(a_refused_primary_is_dead_when_nothing_streams_from_it)
{
    begin(KIND_STREAMING);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    expect("m0", RULE_KEPT, "silence");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    world_fails(&world, 0, 2, ANSWER_TIMEOUT);
    expect("m0", RULE_KEPT, "silence"); /* one report has both facts, a quorum has not */
    world_fails(&world, 1, 2, ANSWER_TIMEOUT);
    expect("", RULE_REFUSED, "crashed on a living host");
}
END_TEST

START_TEST(silence_keeps_the_primary)
{
    begin(KIND_STREAMING);
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    expect("m0", RULE_KEPT, "silence");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    world_fails(&world, ALL, 2, ANSWER_TIMEOUT);
    expect("m0", RULE_KEPT, "silence");
}
END_TEST

Suite *primary_suite(void)
{
    Suite *suite = suite_create("primary");
    TCase *tcase = tcase_create("rows");
    tcase_add_test(tcase, a_hold_freezes_the_primary);
    tcase_add_test(tcase, who_is_accepted_comes_before_all_that_servers_report);
    tcase_add_test(tcase, the_last_node_of_a_group_is_the_sole_claimant);
    tcase_add_test(tcase, of_several_nodes_one_is_preferred);
    tcase_add_test(tcase, a_peer_does_not_replace_an_incumbent_that_may_only_be_unseen);
    tcase_add_test(tcase, on_every_day_the_incumbent_is_the_sole_claimant);
    tcase_add_test(tcase,
                   none_is_preferred_to_a_doubtful_one_also_against_a_claim_that_may_not_win);
    tcase_add_test(tcase, a_first_look_finds_the_sole_claimant);
    tcase_add_test(tcase, at_the_first_look_at_two_histories_it_is_the_one_that_others_follow);
    tcase_add_test(tcase, a_promotion_has_the_newest_timeline);
    tcase_add_test(tcase, within_one_view_the_others_name_the_primary);
    tcase_add_test(tcase, the_group_that_went_on_has_the_newest_view);
    tcase_add_test(tcase, the_one_that_the_others_were_pointed_to_overtakes);
    tcase_add_test(tcase, by_reports_of_a_former_version_the_one_that_others_follow_overtakes);
    tcase_add_test(tcase, late_acts_do_not_take_over_from_a_primary_that_takes_writes);
    tcase_add_test(tcase, of_two_without_an_order_the_incumbent_holds_or_nobody_does);
    tcase_add_test(tcase, a_successor_needs_an_incumbent_that_is_unfit);
    tcase_add_test(tcase, a_primary_in_no_probes_file_may_be_left);
    tcase_add_test(tcase, of_two_successors_the_one_that_others_follow);
    tcase_add_test(tcase, the_outdated_stays_withdrawn_while_the_newer_is_cut_off);
    tcase_add_test(tcase, a_minority_is_withdrawn_until_the_group_is_together_again);
    tcase_add_test(tcase, two_that_claim_from_the_start_are_a_tie);
    tcase_add_test(tcase, who_was_not_promoted_inherits_nothing);
    tcase_add_test(tcase, where_nobody_claims_there_is_no_primary);
    tcase_add_test(tcase, a_stranger_at_its_address_withdraws_the_primary);
    tcase_add_test(tcase, a_restored_primary_is_rewound);
    tcase_add_test(tcase, a_primary_that_takes_no_writes_is_withdrawn);
    tcase_add_test(tcase, a_refused_primary_is_dead_when_nothing_streams_from_it);
    tcase_add_test(tcase, silence_keeps_the_primary);
    suite_add_tcase(suite, tcase);
    return suite;
}
