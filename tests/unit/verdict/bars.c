/* Why a claim may not win: a test for each bar, and for what lifts it. */
#include "registry/verdict/bars.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;
static struct verdict_inputs inputs;

static void look(void)
{
    static struct evidence evidence;
    evidence = world_evidence(&world);
    ck_assert(verdict_inputs_init(&inputs, &evidence));
}

static void expect(size_t m, enum bar bar)
{
    look();
    ck_assert_str_eq(bar_names[inputs.contenders[m].bar], bar_names[bar]);
}

static void settle(void)
{
    ck_assert(world_resolve(&world));
}

/* m1 is open for writes all the time, its channel is stopped, and it was seen so for an interval.
 */
static void begin_stopped(void)
{
    world_begin(&world, KIND_ASYNC, 3);
    world_server(&world, ALL, 1, true, CHANNEL_LIVE, 0);
    settle();
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    for (size_t p = 0; p < world.count; p++) {
        world.reports[p].members[1].stood = true;
        world.reports[p].members[1].acts = ACT_STOPPED;
    }
    settle();
}

static void set_unapplied(size_t m, bool unapplied)
{
    for (size_t p = 0; p < world.count; p++) {
        world_seen(&world, p, m)->unapplied = unapplied;
    }
}

/* By all probes: it lacks some of the other's transactions, it has all, or nobody knows. */
enum sets { UNKNOWN, LACKS, HAS };

static void compare(size_t m, size_t other, enum sets sets)
{
    for (size_t p = 0; p < world.count; p++) {
        uint32_t bit = UINT32_C(1) << other;
        world_seen(&world, p, m)->misses = sets == LACKS ? bit : 0;
        world_seen(&world, p, m)->has = sets == HAS ? bit : 0;
    }
}

static void set_late(size_t m)
{
    for (size_t p = 0; p < world.count; p++) {
        world_seen(&world, p, m)->late = true;
        world_seen(&world, p, m)->acts = world.previous.members[m].record.acts & ACT_PROMOTES;
    }
}

static void directive(const char *drain, const char *accept, bool replace)
{
    memset(&world.directives, 0, sizeof world.directives);
    world.directives.drain_count = drain[0] != '\0';
    strcpy(world.directives.drain[0], drain);
    world.directives.accept_count = accept[0] != '\0';
    strcpy(world.directives.accept[0].name, accept);
    world.directives.accept[0].epoch = world.previous.epoch;
    world.directives.accept[0].replace = replace;
}

/* ---- promoted by an act, without an order ---------------------------------------------------- */

START_TEST(a_claim_without_an_act_is_not_promoted)
{
    world_begin(&world, KIND_ASYNC, 3);
    world.restarts++; /* started with its channel stopped, or its file says so */
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    expect(1, BAR_NOT_PROMOTED);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    expect(1, BAR_NOT_PROMOTED);
    world_standby(&world, ALL, 2, 1, "");
    expect(1, BAR_NONE);
}
END_TEST

START_TEST(a_stop_is_too_new_until_it_has_stood)
{
    begin_stopped();
    expect(1, BAR_NONE);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 1)->stood = false;
    }
    expect(1, BAR_NOT_PROMOTED);
    world_seen(&world, 2, 1)->stood = true; /* any voter saw it stand */
    world_seen(&world, 2, 1)->acts = ACT_STOPPED;
    expect(1, BAR_NONE);
    world_seen(&world, 2, 1)->stood = false;
    world_standby(&world, ALL, 2, 1, ""); /* that is a choice already */
    expect(1, BAR_NONE);
}
END_TEST

START_TEST(what_it_received_is_applied_first)
{
    begin_stopped();
    set_unapplied(1, true);
    expect(1, BAR_UNAPPLIED);
    compare(1, 0, LACKS);
    expect(1, BAR_UNAPPLIED);
    set_unapplied(1, false);
    expect(1, BAR_LACKS);
    set_unapplied(1, true);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 2)->live = true;
        strcpy(world_seen(&world, p, 2)->upstream, "m1");
    }
    expect(1, BAR_NONE); /* others were led to it as it is */
}
END_TEST

START_TEST(a_removed_channel_leaves_nothing_to_apply)
{
    begin_stopped();
    world_server(&world, ALL, 1, true, CHANNEL_NONE, 0);
    set_unapplied(1, true);
    expect(1, BAR_NONE);
}
END_TEST

/* What it lacks bars it while the primary is there, and a stop alone always. */
START_TEST(lacking_bars_by_what_was_done)
{
    static const struct {
        bool removed, gone;
        enum sets sets;
        enum bar bar;
    } cases[] = {
        {false, false, LACKS, BAR_LACKS}, {false, false, UNKNOWN, BAR_NONE},
        {false, false, HAS, BAR_NONE},    {false, true, LACKS, BAR_LACKS},
        {false, true, UNKNOWN, BAR_NONE}, {true, false, LACKS, BAR_LACKS},
        {true, false, UNKNOWN, BAR_NONE}, {true, true, LACKS, BAR_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_stopped();
        if (cases[i].removed) {
            world_server(&world, ALL, 1, true, CHANNEL_NONE, 0);
        }
        world_seen(&world, 0, 1)->stood = true;
        world_seen(&world, 0, 1)->acts = ACT_STOPPED;
        if (cases[i].gone) {
            world_fails(&world, ALL, 0, ANSWER_REFUSED);
        }
        compare(1, 0, cases[i].sets);
        expect(1, cases[i].bar);
    }
}
END_TEST

START_TEST(what_appeared_unseen_must_not_lack)
{
    world_begin(&world, KIND_ASYNC, 3);
    world.restarts++;
    world_server(&world, ALL, 1, true, CHANNEL_NONE, 0);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    expect(1, BAR_NONE); /* unknown is not lacking */
    compare(1, 0, LACKS);
    expect(1, BAR_LACKS);
}
END_TEST

START_TEST(late_acts_need_all_that_the_primary_had)
{
    world_begin(&world, KIND_ASYNC, 3);
    world_server(&world, ALL, 1, true, CHANNEL_NONE, 0);
    settle();
    set_late(1);
    settle();
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0); /* closed, by an act */
    expect(1, BAR_LACKS);
    compare(1, 0, HAS);
    expect(1, BAR_NONE);
    compare(1, 0, LACKS);
    expect(1, BAR_LACKS);
    world_standby(&world, ALL, 0, 1, ""); /* it streams from it itself */
    expect(1, BAR_NONE);
}
END_TEST

START_TEST(the_last_primary_needs_no_act)
{
    world_begin(&world, KIND_ASYNC, 3);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_server(&world, ALL, 1, false, CHANNEL_CONNECTING, 0);
    world_server(&world, ALL, 2, false, CHANNEL_CONNECTING, 0);
    world_expect(&world, "");
    world.restarts++;
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0); /* read-only in its file */
    world_expect(&world, "");
    world_server(&world, ALL, 0, true, CHANNEL_NONE, 0);
    expect(0, BAR_NONE);
    world_expect(&world, "m0");
}
END_TEST

START_TEST(nobody_witnesses_acts_where_no_report_says_when_servers_started)
{
    world_begin(&world, KIND_ASYNC, 3);
    memset(&world.previous.members[1].record, 0, sizeof world.previous.members[1].record);
    for (size_t m = 1; m < 3; m++) {
        world_server(&world, ALL, m, true, CHANNEL_STOPPED, 0);
        for (size_t p = 0; p < 3; p++) {
            world_seen(&world, p, m)->start_ms = 0;
            world.reports[p].rules = RULES_WITH_RECORDS - 1;
        }
    }
    expect(1, BAR_NONE);         /* as the former version has it */
    expect(2, BAR_NOT_PROMOTED); /* it is known to have followed */
}
END_TEST

START_TEST(kinds_with_their_own_words_need_no_act)
{
    static const enum kind kinds[] = {KIND_GROUP, KIND_CUSTOM};
    for (size_t i = 0; i < 2; i++) {
        world_begin(&world, kinds[i], 3);
        world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
        expect(1, BAR_NONE);
    }
}
END_TEST

/* ---- the first look -------------------------------------------------------------------------- */

START_TEST(at_the_first_look_a_stopped_replica_is_no_primary)
{
    for (enum channel_state channel = CHANNEL_NONE; channel <= CHANNEL_APPLYING; channel++) {
        world_init(&world, KIND_ASYNC, 3, 3, 2);
        world_fails(&world, ALL, 0, ANSWER_REFUSED);
        world_server(&world, ALL, 1, true, channel, 0);
        expect(1, channel == CHANNEL_NONE ? BAR_NONE : BAR_NOT_PROMOTED);
    }
}
END_TEST

START_TEST(at_the_first_look_a_stopped_replica_is_chosen_when_followed_or_its_source_closed)
{
    world_init(&world, KIND_ASYNC, 3, 3, 3);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    world_standby(&world, ALL, 2, 1, "");
    expect(1, BAR_NONE);
    world_fails(&world, ALL, 2, ANSWER_REFUSED);
    expect(1, BAR_NOT_PROMOTED);
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0);
    expect(1, BAR_NONE);
    world_fails(&world, ALL, 0, ANSWER_STARTING); /* it may come up as the primary */
    expect(1, BAR_NOT_PROMOTED);
    world_server(&world, ALL, 0, true, CHANNEL_NONE, 0);
    expect(1, BAR_NOT_PROMOTED);
    world_expect(&world, "m0");
}
END_TEST

START_TEST(at_the_first_look_a_greater_timeline_bars_nobody)
{
    world_init(&world, KIND_STREAMING, 3, 3, 3);
    world_primary(&world, ALL, 0, "7");
    world_primary(&world, ALL, 1, "8"); /* perhaps a restored backup */
    world_standby(&world, ALL, 2, 0, "7");
    expect(0, BAR_NONE);
    expect(1, BAR_NONE);
    world_expect(&world, "m0");
    world_init(&world, KIND_STREAMING, 3, 3, 2);
    world_primary(&world, ALL, 0, "7");
    world_standby(&world, ALL, 1, 0, "8"); /* but what a standby has shows a promotion */
    expect(0, BAR_OLDER);
}
END_TEST

/* ---- timelines ------------------------------------------------------------------------------- */

START_TEST(a_claim_beside_a_primary_is_held_and_so_through_its_blink)
{
    world_begin(&world, KIND_STREAMING, 3);
    world.restarts++;
    world_primary(&world, ALL, 1, "8");
    expect(1, BAR_HELD);
    world_expect(&world, "m0");
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    world_expect(&world, "");
    expect(1, BAR_HELD);
    world_expect(&world, "");
    world_primary(&world, ALL, 0, "7");
    world_expect(&world, "m0");
}
END_TEST

START_TEST(a_late_promotion_is_held)
{
    world_begin(&world, KIND_STREAMING, 3);
    directive("m1", "", false);
    world_primary(&world, ALL, 1, "8");
    expect(1, BAR_DRAINED);
    settle();
    directive("", "", false);
    set_late(1);
    expect(1, BAR_HELD);
    world_expect(&world, "m0");
    expect(1, BAR_HELD);
}
END_TEST

START_TEST(a_number_that_is_not_newer_is_older)
{
    world_begin(&world, KIND_STREAMING, 3);
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    world_primary(&world, ALL, 1, "7");
    expect(1, BAR_OLDER);
    world_primary(&world, ALL, 1, "8");
    expect(1, BAR_NONE);
    world_standby(&world, ALL, 2, 1, "9"); /* one newer is seen on a standby */
    expect(1, BAR_OLDER);
    world_primary(&world, ALL, 0, "8"); /* also for the last primary */
    expect(0, BAR_OLDER);
}
END_TEST

START_TEST(what_was_outdated_stays_older_when_the_newer_is_not_seen)
{
    world_begin(&world, KIND_STREAMING, 3);
    world_standby(&world, ALL, 2, 1, "8");
    world_expect(&world, "");
    world_fails(&world, ALL, 2, ANSWER_TIMEOUT);
    expect(0, BAR_OLDER);
    world_primary(&world, ALL, 0, "8");
    expect(0, BAR_NONE);
}
END_TEST

/* ---- what moves the lineage ------------------------------------------------------------------ */

static void expect_newest(const char *lineage)
{
    look();
    ck_assert_str_eq(inputs.newest, lineage);
}

/* m3 streams from m2, which streams from m1, as ever, and now on timeline 8. */
static void cascade(void)
{
    world_begin(&world, KIND_STREAMING, 4);
    world_standby(&world, ALL, 2, 1, "7");
    world_standby(&world, ALL, 3, 2, "7");
    settle();
    world_standby(&world, ALL, 2, 1, "8");
    world_standby(&world, ALL, 3, 2, "8");
}

START_TEST(what_standbys_follow_moves_the_lineage_unless_it_is_off_the_line)
{
    cascade();
    expect_newest("8");
    directive("m1", "", false); /* a rehearsal: with all that stream from it */
    expect_newest("7");
    directive("m2", "", false);
    expect_newest("7");
    directive("", "", false);
    world.previous.members[1].record.acts |= ACT_LEFT;
    expect_newest("7");
    cascade();
    world.previous.members[1].fenced = true;
    world.previous.members[1].fenced_epoch = 1;
    expect_newest("7");
    cascade();
    world.restarts++;
    world_primary(&world, ALL, 1, "8"); /* held: a backup that promoted itself */
    expect_newest("7");
    cascade();
    world_primary(&world, ALL, 1, "8");
    for (size_t p = 0; p < 3; p++) {
        strcpy(world_seen(&world, p, 1)->identity, "another");
    }
    expect_newest("7");
}
END_TEST

START_TEST(a_drained_primary_moves_its_lineage)
{
    world_begin(&world, KIND_STREAMING, 3);
    directive("m0", "", false);
    world_standby(&world, ALL, 1, 0, "8"); /* promoted in place, first seen on its standby */
    expect_newest("8");
}
END_TEST

START_TEST(an_acceptance_settles_the_lineage)
{
    cascade();
    world_primary(&world, ALL, 1, "8");
    settle();
    world_primary(&world, ALL, 0, "7");
    directive("", "m0", true);
    expect_newest("7");
    expect(0, BAR_NONE);
    world_expect(&world, "m0");
    ck_assert_str_eq(world.previous.lineage, "7");
    expect(1, BAR_FENCED);
    world_expect(&world, "m0");
    ck_assert_str_eq(world.previous.lineage, "7");
}
END_TEST

/* ---- the operator, fences, identities -------------------------------------------------------- */

START_TEST(a_drained_member_makes_no_claim_and_a_drained_primary_keeps_its_own)
{
    world_begin(&world, KIND_ASYNC, 3);
    directive("m1", "", false);
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0);
    world_server(&world, ALL, 1, true, CHANNEL_NONE, 0);
    expect(1, BAR_DRAINED);
    directive("m0", "", false);
    world_server(&world, ALL, 0, true, CHANNEL_NONE, 0);
    expect(0, BAR_NONE);
}
END_TEST

/* m1 was promoted in the place of m0, which is down. */
static void begin_replaced(enum kind kind)
{
    world_begin(&world, kind, 3);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_primary(&world, ALL, 1, "8");
    world_standby(&world, ALL, 2, 1, "8");
    settle();
    ck_assert(world.previous.members[0].fenced);
}

START_TEST(a_replaced_primary_is_fenced_and_a_later_act_of_its_own_lifts_that_without_an_order)
{
    begin_replaced(KIND_ASYNC);
    world_server(&world, ALL, 0, true, CHANNEL_NONE, 0);
    expect(0, BAR_FENCED);
    settle();
    world_fails(&world, ALL, 1, ANSWER_REFUSED); /* not by a blink of the other */
    expect(0, BAR_FENCED);
    world_primary(&world, ALL, 1, "8");
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0);
    settle();
    world_fails(&world, ALL, 1, ANSWER_REFUSED);
    world_server(&world, ALL, 0, true, CHANNEL_NONE, 0);
    expect(0, BAR_NONE);
    begin_replaced(KIND_STREAMING);
    world_primary(&world, ALL, 0, "9");
    expect(0, BAR_FENCED);
    directive("", "m0", true);
    expect(0, BAR_NONE);
}
END_TEST

START_TEST(a_stranger_is_barred_also_when_it_claims_nothing)
{
    world_begin(&world, KIND_STREAMING, 3);
    for (size_t p = 0; p < 3; p++) {
        strcpy(world_seen(&world, p, 1)->identity, "another");
    }
    expect(1, BAR_IDENTITY);
    world_init(&world, KIND_STREAMING, 3, 3, 2); /* nobody knows which of the two is ours */
    world_primary(&world, ALL, 0, "7");
    world_primary(&world, ALL, 1, "7");
    for (size_t p = 0; p < 3; p++) {
        strcpy(world_seen(&world, p, 1)->identity, "another");
    }
    expect(0, BAR_IDENTITY);
    expect(1, BAR_IDENTITY);
}
END_TEST

/* ---- ties ------------------------------------------------------------------------------------ */

/* m1 and m2 are promoted to one number at once, m0 is down. */
static void begin_tie(void)
{
    world_begin(&world, KIND_STREAMING, 4);
    for (size_t m = 0; m < 4; m++) {
        world_fails(&world, ALL, m, ANSWER_REFUSED);
    }
    settle();
    world_primary(&world, ALL, 1, "8");
    world_primary(&world, ALL, 2, "8");
    world_expect(&world, "");
    ck_assert_str_eq(topology_rule(&world.previous), "tie");
}

START_TEST(a_tie_is_not_ended_by_the_silence_of_one)
{
    static const enum answer answers[] = {ANSWER_REFUSED, ANSWER_TIMEOUT, ANSWER_STARTING};
    for (size_t i = 0; i < 3; i++) {
        begin_tie();
        world_fails(&world, ALL, 2, answers[i]);
        expect(1, BAR_TIE);
        world_expect(&world, "");
        expect(1, BAR_TIE);
    }
}
END_TEST

START_TEST(a_tie_ends_by_order_by_others_by_a_word_or_when_one_follows)
{
    begin_tie();
    world_fails(&world, ALL, 2, ANSWER_REFUSED);
    settle();
    world_primary(&world, ALL, 1, "9");
    expect(1, BAR_NONE);
    begin_tie();
    world_fails(&world, ALL, 2, ANSWER_REFUSED);
    world_standby(&world, ALL, 3, 1, "8");
    expect(1, BAR_NONE);
    begin_tie();
    world_fails(&world, ALL, 2, ANSWER_REFUSED);
    directive("", "m1", false);
    expect(1, BAR_NONE);
    begin_tie();
    world_standby(&world, ALL, 2, 1, "8");
    expect(1, BAR_NONE);
}
END_TEST

/* ---- accept ---------------------------------------------------------------------------------- */

START_TEST(an_acceptance_pends_until_its_member_claims)
{
    world_begin(&world, KIND_STREAMING, 3);
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    world_fails(&world, ALL, 2, ANSWER_REFUSED);
    settle();
    directive("", "m1", false);
    world_expect(&world, "");
    world_primary(&world, ALL, 0, "7"); /* the last primary is no other one */
    world_expect(&world, "m0");
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    world_expect(&world, "");
    world.restarts++;
    world_primary(&world, ALL, 1, "7"); /* no newer, and a start that nobody saw */
    world_expect(&world, "m1");
    ck_assert_int_eq(world.previous.rule, RULE_ACCEPTED);
    ck_assert(world.previous.members[0].fenced);
}
END_TEST

START_TEST(an_acceptance_is_void_once_another_became_primary)
{
    world_begin(&world, KIND_STREAMING, 3);
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    settle();
    directive("", "m1", false);
    settle();
    world_primary(&world, ALL, 2, "8");
    world_expect(&world, "m2");
    world.restarts++;
    world_primary(&world, ALL, 1, "8");
    world_fails(&world, ALL, 2, ANSWER_STARTING);
    look();
    ck_assert(!inputs.contenders[1].accepted);
    expect(1, BAR_OLDER);
}
END_TEST

START_TEST(an_acceptance_is_used_up)
{
    begin_tie();
    directive("", "m1", false);
    world_expect(&world, "m1");
    look();
    ck_assert(!inputs.contenders[1].accepted);
    world_begin(&world, KIND_STREAMING,
                3); /* also by the last primary, after which nobody was elected */
    world_standby(&world, ALL, 2, 1, "8");
    world_expect(&world, "");
    directive("", "m0", false);
    world_expect(&world, "m0");
    look();
    ck_assert(!inputs.contenders[0].accepted);
}
END_TEST

START_TEST(a_primary_that_others_follow_is_replaced_by_the_explicit_word_only)
{
    world_begin(&world, KIND_STREAMING, 3);
    world.restarts++;
    world_primary(&world, ALL, 1, "8");
    directive("", "m1", false);
    expect(1, BAR_HELD);
    world_expect(&world, "m0");
    directive("", "m1", true);
    world_expect(&world, "m1");
    world_begin(&world, KIND_STREAMING, 2); /* nobody follows it */
    world.restarts++;
    world_primary(&world, ALL, 1, "8");
    directive("", "m1", false);
    world_expect(&world, "m1");
}
END_TEST

START_TEST(a_drained_member_is_not_accepted_before_it_is_undrained)
{
    world_begin(&world, KIND_STREAMING, 3);
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    world_primary(&world, ALL, 1, "8");
    directive("m1", "m1", true);
    expect(1, BAR_DRAINED);
    directive("", "m1", true);
    expect(1, BAR_NONE);
}
END_TEST

START_TEST(an_accepted_claim_has_no_bar_at_all)
{
    begin_stopped(); /* unapplied, lacking, too new */
    set_unapplied(1, true);
    compare(1, 0, LACKS);
    directive("", "m1", true);
    expect(1, BAR_NONE);
    world_expect(&world, "m1");
    ck_assert_int_eq(world.previous.rule, RULE_ACCEPTED);
}
END_TEST

Suite *bars_suite(void)
{
    Suite *suite = suite_create("bars");
    TCase *acts = tcase_create("acts");
    tcase_add_test(acts, a_claim_without_an_act_is_not_promoted);
    tcase_add_test(acts, a_stop_is_too_new_until_it_has_stood);
    tcase_add_test(acts, what_it_received_is_applied_first);
    tcase_add_test(acts, a_removed_channel_leaves_nothing_to_apply);
    tcase_add_test(acts, lacking_bars_by_what_was_done);
    tcase_add_test(acts, what_appeared_unseen_must_not_lack);
    tcase_add_test(acts, late_acts_need_all_that_the_primary_had);
    tcase_add_test(acts, the_last_primary_needs_no_act);
    tcase_add_test(acts, nobody_witnesses_acts_where_no_report_says_when_servers_started);
    tcase_add_test(acts, kinds_with_their_own_words_need_no_act);
    suite_add_tcase(suite, acts);
    TCase *first = tcase_create("first look");
    tcase_add_test(first, at_the_first_look_a_stopped_replica_is_no_primary);
    tcase_add_test(
        first, at_the_first_look_a_stopped_replica_is_chosen_when_followed_or_its_source_closed);
    tcase_add_test(first, at_the_first_look_a_greater_timeline_bars_nobody);
    suite_add_tcase(suite, first);
    TCase *timelines = tcase_create("timelines");
    tcase_add_test(timelines, a_claim_beside_a_primary_is_held_and_so_through_its_blink);
    tcase_add_test(timelines, a_late_promotion_is_held);
    tcase_add_test(timelines, a_number_that_is_not_newer_is_older);
    tcase_add_test(timelines, what_was_outdated_stays_older_when_the_newer_is_not_seen);
    tcase_add_test(timelines, what_standbys_follow_moves_the_lineage_unless_it_is_off_the_line);
    tcase_add_test(timelines, a_drained_primary_moves_its_lineage);
    tcase_add_test(timelines, an_acceptance_settles_the_lineage);
    suite_add_tcase(suite, timelines);
    TCase *others = tcase_create("others");
    tcase_add_test(others, a_drained_member_makes_no_claim_and_a_drained_primary_keeps_its_own);
    tcase_add_test(
        others,
        a_replaced_primary_is_fenced_and_a_later_act_of_its_own_lifts_that_without_an_order);
    tcase_add_test(others, a_stranger_is_barred_also_when_it_claims_nothing);
    tcase_add_test(others, a_tie_is_not_ended_by_the_silence_of_one);
    tcase_add_test(others, a_tie_ends_by_order_by_others_by_a_word_or_when_one_follows);
    suite_add_tcase(suite, others);
    TCase *accept = tcase_create("accept");
    tcase_add_test(accept, an_acceptance_pends_until_its_member_claims);
    tcase_add_test(accept, an_acceptance_is_void_once_another_became_primary);
    tcase_add_test(accept, an_acceptance_is_used_up);
    tcase_add_test(accept, a_primary_that_others_follow_is_replaced_by_the_explicit_word_only);
    tcase_add_test(accept, a_drained_member_is_not_accepted_before_it_is_undrained);
    tcase_add_test(accept, an_accepted_claim_has_no_bar_at_all);
    suite_add_tcase(suite, accept);
    return suite;
}
