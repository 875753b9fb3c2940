/* What is an act and what is none: a test for each way in which a record may go on. */
#include "registry/verdict/acts.h"

#include <string.h>

#include "registry/model/model.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;
static struct verdict_inputs inputs;

/* What is known to have been done to member `m` by now, before anything is decided on it. */
static unsigned acts(size_t m)
{
    static struct evidence evidence;
    evidence = world_evidence(&world);
    ck_assert(verdict_inputs_init(&inputs, &evidence));
    return inputs.contenders[m].record.acts;
}

static void settle(void)
{
    ck_assert(world_resolve(&world));
}

static unsigned kept(size_t m)
{
    settle();
    return world.previous.members[m].record.acts;
}

/* m0 is primary, the others follow it. */
static void begin(enum kind kind, size_t members)
{
    world_init(&world, kind, 3, 3, members);
    world_primary(&world, ALL, 0, "7");
    for (size_t m = 1; m < members; m++) {
        world_standby(&world, ALL, m, 0, "7");
    }
    settle();
}

/* m1 is open for writes, and follows all the same. */
static void begin_open(void)
{
    begin(KIND_ASYNC, 3);
    world_server(&world, ALL, 1, true, CHANNEL_LIVE, 0);
    settle();
}

static void open_up(size_t m)
{
    world_server(&world, ALL, m, true, CHANNEL_NONE, 0);
}

static void report_late(int probe, size_t m)
{
    world.reports[probe].members[m].late = true;
    world.reports[probe].members[m].acts = world.previous.members[m].record.acts & ACT_PROMOTES;
}

/* ---- without an order: one start ------------------------------------------------------------- */

START_TEST(to_be_opened_is_an_act_whatever_its_channel_does)
{
    for (enum channel_state channel = CHANNEL_NONE; channel <= CHANNEL_LIVE; channel++) {
        begin(KIND_ASYNC, 3);
        world_server(&world, ALL, 1, true, channel, 0);
        bool follows = channel >= CHANNEL_CONNECTING;
        ck_assert_uint_eq(acts(1), follows ? 0 : ACT_OPENED);
    }
}
END_TEST

START_TEST(to_lose_its_last_channel_is_an_act_of_one_that_was_open)
{
    begin_open();
    ck_assert_uint_eq(acts(1), 0);
    open_up(1);
    ck_assert_uint_eq(acts(1), ACT_OPENED);
    begin_open();
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(kept(1), ACT_STOPPED);
    open_up(1);
    ck_assert_uint_eq(acts(1), ACT_STOPPED | ACT_OPENED);
}
END_TEST

START_TEST(to_lose_its_channel_is_no_act_while_it_is_closed)
{
    begin(KIND_ASYNC, 3);
    world_server(&world, ALL, 1, false, CHANNEL_NONE, 0);
    ck_assert_uint_eq(kept(1), 0);
    open_up(1);
    ck_assert_uint_eq(acts(1), ACT_OPENED);
}
END_TEST

START_TEST(a_stop_of_one_that_is_open_is_an_act_from_any_running_state)
{
    for (enum channel_state channel = CHANNEL_APPLYING; channel <= CHANNEL_LIVE; channel++) {
        begin(KIND_ASYNC, 3);
        world_server(&world, ALL, 1, false, channel, 0);
        settle();
        world_server(&world, ALL, 1, true, CHANNEL_LIVE, 0);
        settle();
        world_server(&world, ALL, 1, true, channel, 0);
        settle();
        world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
        ck_assert_uint_eq(acts(1), ACT_STOPPED);
    }
    begin_open();
    world_server(&world, ALL, 1, true, CHANNEL_APPLYING, 0); /* the receiver alone */
    ck_assert_uint_eq(acts(1), 0);
}
END_TEST

START_TEST(who_follows_again_or_is_closed_again_has_done_nothing)
{
    begin_open();
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(kept(1), ACT_STOPPED);
    world_server(&world, ALL, 1, true, CHANNEL_LIVE, 0);
    ck_assert_uint_eq(kept(1), 0);
    begin(KIND_ASYNC, 3);
    open_up(1);
    ck_assert_uint_eq(kept(1), ACT_OPENED);
    ck_assert_uint_eq(kept(1), ACT_OPENED); /* it is remembered */
    world_server(&world, ALL, 1, false, CHANNEL_NONE, 0);
    ck_assert_uint_eq(kept(1), 0);
}
END_TEST

START_TEST(a_start_that_is_as_near_as_clocks_are_is_the_same)
{
    for (int apart = 0; apart < 2; apart++) {
        begin(KIND_ASYNC, 3);
        world_fails(&world, ALL, 0, ANSWER_REFUSED);
        open_up(1);
        for (size_t p = 0; p < 3; p++) {
            world.reports[p].members[1].start_ms += START_SLACK_MS + apart;
        }
        ck_assert_uint_eq(acts(1), apart ? ACT_APPEARED : ACT_OPENED);
    }
    begin(KIND_STREAMING, 3); /* PostgreSQL says it exactly */
    world_primary(&world, ALL, 1, "8");
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[1].start_ms++;
    }
    ck_assert_uint_eq(acts(1), ACT_HELD);
}
END_TEST

/* ---- without an order: across starts --------------------------------------------------------- */

START_TEST(a_restart_keeps_what_was_removed_and_forgets_what_was_not)
{
    begin(KIND_ASYNC, 3);
    open_up(1);
    ck_assert_uint_eq(kept(1), ACT_OPENED);
    world.restarts++;
    open_up(1);
    ck_assert_uint_eq(kept(1), ACT_OPENED);
    world.restarts++;
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(kept(1), 0);
    begin_open();
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(kept(1), ACT_STOPPED);
    world.restarts++; /* its channel does not start by itself */
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(kept(1), 0);
}
END_TEST

START_TEST(who_comes_up_without_a_channel_appears_only_when_the_primary_is_unfit)
{
    begin(KIND_ASYNC, 3);
    world.restarts++;
    open_up(1);
    ck_assert_uint_eq(acts(1), 0);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    ck_assert_uint_eq(acts(1), ACT_APPEARED);
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(acts(1), 0);
    begin(KIND_ASYNC, 3);
    world.restarts++;
    open_up(1);
    settle(); /* seen beside the primary, it no longer is one that followed */
    world.restarts++;
    open_up(1);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    ck_assert_uint_eq(acts(1), 0);
}
END_TEST

/* ---- the incumbent --------------------------------------------------------------------------- */

START_TEST(the_primary_is_closed_by_an_act_or_by_a_restart)
{
    begin(KIND_ASYNC, 3);
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0);
    ck_assert_uint_eq(kept(0), ACT_CLOSED);
    ck_assert_uint_eq(kept(0), ACT_CLOSED);
    world.restarts++;
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0);
    ck_assert_uint_eq(kept(0), ACT_CLOSED);
    world_server(&world, ALL, 0, true, CHANNEL_NONE, 0);
    ck_assert_uint_eq(kept(0), 0);
    world.restarts++; /* closed in its file */
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0);
    ck_assert_uint_eq(kept(0), 0);
}
END_TEST

/* ---- others that follow ---------------------------------------------------------------------- */

START_TEST(one_that_is_led_from_the_primary_to_the_claimant_repoints)
{
    begin(KIND_ASYNC, 3);
    open_up(1);
    settle();
    world_server(&world, ALL, 2, false, CHANNEL_CONNECTING, 1);
    ck_assert_uint_eq(acts(1), ACT_OPENED); /* not yet */
    world_standby(&world, ALL, 2, 1, "");
    ck_assert_uint_eq(acts(1), ACT_OPENED | ACT_REPOINTED);
    world_server(&world, ALL, 2, true, CHANNEL_LIVE, 1);
    ck_assert_uint_eq(acts(1), ACT_OPENED | ACT_REPOINTED);
}
END_TEST

START_TEST(the_old_primary_itself_repoints)
{
    begin(KIND_ASYNC, 2);
    world.restarts++; /* nothing that it did was seen */
    open_up(1);
    world_standby(&world, ALL, 0, 1, "");
    ck_assert(acts(1) & ACT_REPOINTED);
}
END_TEST

START_TEST(who_always_stood_below_the_claimant_proves_nothing)
{
    world_init(&world, KIND_ASYNC, 3, 3, 4);
    world_primary(&world, ALL, 0, "");
    world_server(&world, ALL, 1, true, CHANNEL_LIVE, 0);
    world_standby(&world, ALL, 2, 1, "");
    world_standby(&world, ALL, 3, 2, "");
    settle();
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(acts(1), ACT_STOPPED);
    world_standby(&world, ALL, 3, 1, ""); /* led up by a step */
    ck_assert_uint_eq(acts(1), ACT_STOPPED);
}
END_TEST

START_TEST(others_that_are_led_first_are_remembered_while_the_primary_is_unfit)
{
    begin_open();
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_standby(&world, ALL, 2, 1, "");
    ck_assert_uint_eq(kept(1), 0);
    ck_assert_str_eq(world.previous.members[2].record.streamed, "m0");
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(acts(1), ACT_STOPPED | ACT_REPOINTED);
    begin_open();
    world_standby(&world, ALL, 2, 1, ""); /* a cascade is built beside a primary that is well */
    settle();
    ck_assert_str_eq(world.previous.members[2].record.streamed, "m1");
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(acts(1), ACT_STOPPED);
}
END_TEST

START_TEST(the_old_primary_that_is_led_before_the_claim_is_read_repoints)
{
    begin(KIND_ASYNC, 2);
    world.restarts++; /* nothing else that it did counts */
    open_up(1);
    settle();
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    world_standby(&world, ALL, 0, 1, "");
    settle();
    open_up(1);
    ck_assert_uint_eq(acts(1), ACT_REPOINTED);
}
END_TEST

/* ---- too late -------------------------------------------------------------------------------- */

START_TEST(late_is_what_any_voter_says_of_acts_that_stand_and_one_act_more_begins_anew)
{
    begin_open();
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    report_late(2, 1);
    ck_assert_uint_eq(acts(1), ACT_STOPPED); /* it cannot mean an act that is as new */
    settle();
    report_late(2, 1);
    ck_assert_uint_eq(kept(1), ACT_STOPPED | ACT_LATE);
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    ck_assert_uint_eq(kept(1), ACT_STOPPED | ACT_LATE); /* for good */
    open_up(1);
    ck_assert_uint_eq(kept(1), ACT_STOPPED | ACT_OPENED);
}
END_TEST

static void begin_late(void)
{
    begin(KIND_ASYNC, 3);
    open_up(1);
    settle();
    report_late(0, 1);
    ck_assert_uint_eq(kept(1), ACT_OPENED | ACT_LATE);
}

START_TEST(late_acts_are_void_when_the_primary_is_lost_without_an_act)
{
    begin_late();
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    ck_assert_uint_eq(kept(1), 0);
    ck_assert_uint_eq(kept(1), 0); /* and do not revive */
    begin_late();
    world.restarts++; /* nor does it turn read-only by a restart */
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0);
    ck_assert_uint_eq(acts(1), 0);
}
END_TEST

START_TEST(late_acts_stand_when_the_primary_ends_by_an_act)
{
    begin_late();
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0);
    ck_assert_uint_eq(acts(1), ACT_OPENED | ACT_LATE);
    world.restarts++;
    world_standby(&world, ALL, 0, 1, "");
    ck_assert_uint_eq(acts(1), ACT_OPENED | ACT_REPOINTED);
    begin_late();
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    for (size_t p = 0; p < 3; p++) { /* taken out of the files */
        memmove(&world.reports[p].members[0], &world.reports[p].members[1],
                2 * sizeof *world.reports[p].members);
        world.reports[p].member_count = 2;
    }
    acts(0);
    const struct contender *second = contender_find(&inputs, "m1");
    ck_assert_uint_eq(second->record.acts, ACT_OPENED | ACT_LATE);
}
END_TEST

/* ---- timelines ------------------------------------------------------------------------------- */

START_TEST(a_start_that_streamed_on_the_line_is_promoted)
{
    begin(KIND_STREAMING, 3);
    ck_assert_uint_eq(kept(0), 0);
    ck_assert_uint_eq(kept(1), ACT_STREAMED);
    world_primary(&world, ALL, 1, "8");
    ck_assert_uint_eq(acts(1), ACT_STREAMED | ACT_OPENED);
    ck_assert_uint_eq(kept(1), 0); /* the primary needs none */
    ck_assert_uint_eq(world.previous.members[0].record.acts, ACT_HELD);
    ck_assert_uint_eq(world.previous.members[2].record.acts, 0); /* not seen on this line */
}
END_TEST

START_TEST(another_start_is_held_beside_a_primary_and_appears_without_one)
{
    begin(KIND_STREAMING, 3);
    world.restarts++;
    world_primary(&world, ALL, 1, "8");
    ck_assert_uint_eq(acts(1), ACT_HELD);
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    ck_assert_uint_eq(acts(1), ACT_APPEARED);
}
END_TEST

START_TEST(what_is_held_stays_so_through_a_blink_until_it_is_in_recovery)
{
    begin(KIND_STREAMING, 3);
    world.restarts++;
    world_primary(&world, ALL, 1, "8");
    ck_assert_uint_eq(kept(1), ACT_HELD);
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    ck_assert_uint_eq(kept(1), ACT_HELD);
    world.restarts++; /* its own restart is no promotion either */
    world_primary(&world, ALL, 1, "8");
    ck_assert_uint_eq(kept(1), ACT_HELD);
    world_standby(&world, ALL, 1, 0, "7");
    ck_assert_uint_eq(acts(1), 0);
}
END_TEST

START_TEST(others_that_are_repointed_count_over_a_restart)
{
    begin(KIND_STREAMING, 3);
    world.restarts++;
    world_primary(&world, ALL, 1, "8");
    settle();
    world_standby(&world, ALL, 2, 1, "8");
    ck_assert_uint_eq(acts(1), ACT_HELD | ACT_REPOINTED);
}
END_TEST

START_TEST(who_streams_from_one_that_was_not_followed_is_not_on_the_line)
{
    begin(KIND_STREAMING, 4);
    world_standby(&world, ALL, 3, 1, "7");
    settle();
    world.restarts++;
    world_primary(&world, ALL, 1, "8"); /* a backup that promoted itself */
    settle();
    world.restarts++;
    world_standby(&world, ALL, 3, 1, "7"); /* rebuilt from it */
    ck_assert_uint_eq(kept(3) & ACT_STREAMED, 0);
    ck_assert_str_eq(world.previous.primary, "m0");
}
END_TEST

START_TEST(late_acts_of_a_timeline_are_held)
{
    begin(KIND_STREAMING, 3);
    world.directives.drain_count = 1;
    strcpy(world.directives.drain[0], "m1");
    world_primary(&world, ALL, 1, "8");
    ck_assert_uint_eq(kept(1), ACT_STREAMED | ACT_OPENED);
    report_late(0, 1);
    ck_assert_uint_eq(kept(1), ACT_STREAMED | ACT_OPENED | ACT_LATE);
    world_fails(&world, ALL, 0, ANSWER_STARTING);
    ck_assert_uint_eq(kept(1), ACT_HELD);
}
END_TEST

/* ---- former versions ------------------------------------------------------------------------- */

static void forget_records(void)
{
    world.previous.rules = RULES_WITH_RECORDS - 1;
    for (size_t m = 0; m < world.previous.member_count; m++) {
        memset(&world.previous.members[m].record, 0, sizeof world.previous.members[m].record);
    }
}

START_TEST(by_a_verdict_without_records_a_secondary_followed)
{
    static const enum kind kinds[] = {KIND_ASYNC, KIND_STREAMING};
    for (size_t k = 0; k < 2; k++) {
        begin(kinds[k], 3);
        forget_records();
        ck_assert_uint_eq(acts(1), 0);
        world_primary(&world, ALL, 1, "8");
        ck_assert_uint_eq(acts(1), ACT_OPENED);
        world.previous.members[1].role = ROLE_NONE;
        ck_assert_uint_eq(acts(1), kinds[k] == KIND_STREAMING ? ACT_HELD : 0);
        world.previous.members[1].role = ROLE_SECONDARY;
        world.previous.rules = RULES_WITH_RECORDS; /* it was written with records, and has none */
        ck_assert_uint_eq(acts(1), kinds[k] == KIND_STREAMING ? ACT_HELD : 0);
    }
}
END_TEST

START_TEST(reports_of_a_former_version_leave_the_record_as_it_was)
{
    begin(KIND_ASYNC, 3);
    open_up(1);
    ck_assert_uint_eq(kept(1), ACT_OPENED);
    struct record before = world.previous.members[1].record;
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].rules = RULES_WITH_RECORDS - 1;
        world.reports[p].members[1].start_ms = 0;
    }
    ck_assert_uint_eq(kept(1), ACT_OPENED);
    ck_assert_int_eq(world.previous.members[1].record.start_ms, before.start_ms);
    ck_assert_int_eq(world.previous.members[1].record.channel, before.channel);
}
END_TEST

/* All voters are of the former version, which says whether a member has a channel. */
static void former_voters(void)
{
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].rules = RULES_WITH_RECORDS - 1;
        for (size_t m = 0; m < 3; m++) {
            world.reports[p].members[m].start_ms = 0;
            world.reports[p].members[m].channel = CHANNEL_NONE;
        }
    }
}

START_TEST(to_former_voters_a_channel_that_is_gone_was_removed)
{
    begin(KIND_ASYNC, 3);
    world_server(&world, ALL, 1, true, CHANNEL_STOPPED, 0);
    former_voters();
    ck_assert_uint_eq(acts(1), 0); /* it is still there */
    world_server(&world, ALL, 1, true, CHANNEL_NONE, 0);
    former_voters();
    ck_assert_uint_eq(acts(1), ACT_OPENED);
    world.reports[0].members[1].replica = true;
    ck_assert_uint_eq(acts(1), ACT_OPENED); /* to a quorum */
    world.reports[1].members[1].replica = true;
    ck_assert_uint_eq(acts(1), 0);
}
END_TEST

START_TEST(a_stream_that_former_voters_see_is_a_channel)
{
    begin(KIND_ASYNC, 3);
    world.previous.members[1].record.channel = CHANNEL_NONE;
    former_voters();
    kept(1);
    ck_assert_int_eq(world.previous.members[1].record.channel, CHANNEL_LIVE);
}
END_TEST

START_TEST(kinds_that_have_their_own_words_have_no_acts)
{
    begin(KIND_GROUP, 3);
    open_up(1);
    ck_assert_uint_eq(kept(1), 0);
    ck_assert_int_eq(world.previous.members[1].record.start_ms, 0);
}
END_TEST

/* ---- after the decision ---------------------------------------------------------------------- */

static void accept(size_t m)
{
    world.directives.accept_count = 1;
    strcpy(world.directives.accept[0].name, world.previous.members[m].config.name);
    world.directives.accept[0].epoch = world.previous.epoch;
    world.directives.accept[0].replace = true;
}

START_TEST(an_accepted_history_leaves_the_others_until_they_stream_on_it)
{
    begin(KIND_STREAMING, 3);
    world_primary(&world, ALL, 1, "8");
    world_standby(&world, ALL, 2, 1, "8");
    settle();
    accept(0);
    ck_assert(kept(1) & ACT_LEFT);
    ck_assert_str_eq(world.previous.primary, "m0");
    ck_assert(world.previous.members[2].record.acts & ACT_LEFT);
    ck_assert_int_eq(world.previous.members[0].record.accepted, world.directives.accept[0].epoch);
    world_standby(&world, ALL, 2, 0, "7");
    ck_assert_uint_eq(kept(2), ACT_STREAMED);
    ck_assert(world.previous.members[1].record.acts & ACT_LEFT);
}
END_TEST

/* Otherwise the one that was refused would be there at the primary's next blink. */
START_TEST(an_acceptance_ends_what_promoted_others_before_it)
{
    begin(KIND_ASYNC, 3);
    open_up(1);
    open_up(2);
    ck_assert_uint_eq(kept(1), ACT_OPENED);
    world_fails(&world, ALL, 2, ANSWER_TIMEOUT); /* it may take writes all the same */
    accept(0);
    ck_assert_uint_eq(kept(1), 0);
    open_up(2);
    ck_assert_uint_eq(kept(2), 0);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    settle();
    ck_assert_str_eq(world.previous.primary, "");
    world_server(&world, ALL, 1, false, CHANNEL_NONE, 0);
    settle();
    open_up(1); /* a later one of its own */
    settle();
    ck_assert_str_eq(world.previous.primary, "m1");
}
END_TEST

START_TEST(an_acceptance_ends_a_newer_timeline_that_is_silent)
{
    begin(KIND_STREAMING, 3);
    strcpy(world.directives.hold, "m0");
    world_primary(&world, ALL, 1, "8");
    ck_assert(kept(1) & ACT_OPENED);
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    world.directives.hold[0] = '\0';
    accept(0);
    settle();
    world_primary(&world, ALL, 1, "8");
    ck_assert(kept(1) & ACT_HELD);
    ck_assert_str_eq(world.previous.primary, "m0");
}
END_TEST

START_TEST(the_winner_and_the_replaced_begin_anew)
{
    begin(KIND_ASYNC, 3);
    world_server(&world, ALL, 0, false, CHANNEL_NONE, 0);
    open_up(1);
    settle();
    ck_assert_str_eq(world.previous.primary, "m1");
    ck_assert_uint_eq(world.previous.members[0].record.acts, 0); /* closed no more */
    ck_assert_uint_eq(world.previous.members[1].record.acts, 0);
    ck_assert_str_eq(world.previous.members[1].record.streamed, "");
    ck_assert_str_eq(world.previous.members[2].record.streamed, "m0");
}
END_TEST

Suite *acts_suite(void)
{
    Suite *suite = suite_create("acts");
    TCase *async = tcase_create("async");
    tcase_add_test(async, to_be_opened_is_an_act_whatever_its_channel_does);
    tcase_add_test(async, to_lose_its_last_channel_is_an_act_of_one_that_was_open);
    tcase_add_test(async, to_lose_its_channel_is_no_act_while_it_is_closed);
    tcase_add_test(async, a_stop_of_one_that_is_open_is_an_act_from_any_running_state);
    tcase_add_test(async, who_follows_again_or_is_closed_again_has_done_nothing);
    tcase_add_test(async, a_start_that_is_as_near_as_clocks_are_is_the_same);
    tcase_add_test(async, a_restart_keeps_what_was_removed_and_forgets_what_was_not);
    tcase_add_test(async, who_comes_up_without_a_channel_appears_only_when_the_primary_is_unfit);
    tcase_add_test(async, the_primary_is_closed_by_an_act_or_by_a_restart);
    suite_add_tcase(suite, async);
    TCase *others = tcase_create("others");
    tcase_add_test(others, one_that_is_led_from_the_primary_to_the_claimant_repoints);
    tcase_add_test(others, the_old_primary_itself_repoints);
    tcase_add_test(others, the_old_primary_that_is_led_before_the_claim_is_read_repoints);
    tcase_add_test(others, who_always_stood_below_the_claimant_proves_nothing);
    tcase_add_test(others, others_that_are_led_first_are_remembered_while_the_primary_is_unfit);
    suite_add_tcase(suite, others);
    TCase *late = tcase_create("late");
    tcase_add_test(late,
                   late_is_what_any_voter_says_of_acts_that_stand_and_one_act_more_begins_anew);
    tcase_add_test(late, late_acts_are_void_when_the_primary_is_lost_without_an_act);
    tcase_add_test(late, late_acts_stand_when_the_primary_ends_by_an_act);
    suite_add_tcase(suite, late);
    TCase *timelines = tcase_create("timelines");
    tcase_add_test(timelines, a_start_that_streamed_on_the_line_is_promoted);
    tcase_add_test(timelines, another_start_is_held_beside_a_primary_and_appears_without_one);
    tcase_add_test(timelines, what_is_held_stays_so_through_a_blink_until_it_is_in_recovery);
    tcase_add_test(timelines, others_that_are_repointed_count_over_a_restart);
    tcase_add_test(timelines, who_streams_from_one_that_was_not_followed_is_not_on_the_line);
    tcase_add_test(timelines, late_acts_of_a_timeline_are_held);
    suite_add_tcase(suite, timelines);
    TCase *rest = tcase_create("rest");
    tcase_add_test(rest, by_a_verdict_without_records_a_secondary_followed);
    tcase_add_test(rest, reports_of_a_former_version_leave_the_record_as_it_was);
    tcase_add_test(rest, to_former_voters_a_channel_that_is_gone_was_removed);
    tcase_add_test(rest, a_stream_that_former_voters_see_is_a_channel);
    tcase_add_test(rest, kinds_that_have_their_own_words_have_no_acts);
    tcase_add_test(rest, an_accepted_history_leaves_the_others_until_they_stream_on_it);
    tcase_add_test(rest, an_acceptance_ends_what_promoted_others_before_it);
    tcase_add_test(rest, an_acceptance_ends_a_newer_timeline_that_is_silent);
    tcase_add_test(rest, the_winner_and_the_replaced_begin_anew);
    suite_add_tcase(suite, rest);
    return suite;
}
