/* Ways to promote a server, and what only looks like one: each flow as the sequence of what the
 * probes see. Every verdict on the way resolves to itself. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

/* ---- what the probes see --------------------------------------------------------------------- */

static void settle(void)
{
    static struct topology once;
    ck_assert(world_resolve(&world));
    once = world.previous;
    ck_assert(world_resolve(&world));
    ck_assert_msg(topology_equal(&once, &world.previous), "not idempotent: %s / %s", once.why,
                  world.previous.why);
}

static void expect(const char *primary)
{
    settle();
    ck_assert_msg(strcmp(world.previous.primary, primary) == 0, "'%s' is primary: %s",
                  world.previous.primary, world.previous.why);
}

/* m0 is primary, the others stream from it. */
static void begin(enum kind kind, size_t members)
{
    world_init(&world, kind, 3, 3, members);
    world_primary(&world, ALL, 0, "7");
    for (size_t m = 1; m < members; m++) {
        world_standby(&world, ALL, m, 0, "7");
    }
    expect("m0");
}

static struct member_report *seen(size_t probe, size_t m)
{
    return &world.reports[probe].members[m];
}

/* A MySQL server whose channel to `upstream` is in this state. */
static void replica(size_t m, size_t upstream, enum channel_state channel, bool writable)
{
    world_standby(&world, ALL, m, upstream, "");
    for (size_t p = 0; p < world.count; p++) {
        struct member_report *report = seen(p, m);
        report->channel = channel;
        report->live = channel == CHANNEL_LIVE;
        report->writable = writable;
        report->claim = writable && channel <= CHANNEL_APPLYING;
        report->lag.state = channel == CHANNEL_LIVE ? LAG_OK : LAG_BROKEN;
    }
}

/* Open for writes, without a channel. */
static void opened(size_t m)
{
    world_primary(&world, ALL, m, "");
}

static void closed(size_t m)
{
    world_primary(&world, ALL, m, "");
    for (size_t p = 0; p < world.count; p++) {
        seen(p, m)->claim = seen(p, m)->writable = false;
    }
}

static void gone(size_t m)
{
    world_fails(&world, ALL, m, ANSWER_REFUSED);
}

/* The probes take the verdict on its acts. */
static void take(size_t m, bool stood, bool late)
{
    for (size_t p = 0; p < world.count; p++) {
        seen(p, m)->acts = world.previous.members[m].record.acts & ACT_PROMOTES;
        seen(p, m)->stood = stood;
        seen(p, m)->late = late;
    }
}

/* ---- servers without an order: what promotes ------------------------------------------------- */

START_TEST(a_switch_by_hand_and_back_is_followed)
{
    begin(KIND_ASYNC, 3);
    closed(0);
    expect("");
    replica(1, 0, CHANNEL_STOPPED, false);
    expect("");
    closed(1);
    expect("");
    opened(1);
    expect("m1");
    replica(0, 1, CHANNEL_LIVE, false);
    replica(2, 1, CHANNEL_LIVE, false);
    expect("m1");
    closed(1);
    expect("");
    opened(0);
    expect("m0");
    replica(1, 0, CHANNEL_LIVE, false);
    replica(2, 0, CHANNEL_LIVE, false);
    expect("m0");
    ck_assert(!world.previous.members[1].fenced);
}
END_TEST

START_TEST(a_failover_right_after_a_failover_is_followed)
{
    begin(KIND_ASYNC, 4);
    gone(0);
    settle();
    replica(2, 0, CHANNEL_CONNECTING, false);
    replica(3, 0, CHANNEL_CONNECTING, false);
    opened(1);
    expect("m1");
    replica(2, 0, CHANNEL_STOPPED, false);
    gone(1);
    expect("");
    opened(2);
    expect("m2");
}
END_TEST

START_TEST(an_orphan_of_a_former_primary_that_moves_on_counts)
{
    begin(KIND_ASYNC, 4);
    for (size_t m = 1; m < 4; m++) { /* never read-only */
        replica(m, 0, CHANNEL_LIVE, true);
    }
    expect("m0");
    gone(0);
    replica(2, 0, CHANNEL_CONNECTING, true);
    replica(3, 0, CHANNEL_CONNECTING, true);
    opened(1);
    expect("m1");
    gone(1);
    settle();
    replica(2, 0, CHANNEL_STOPPED, true);
    settle();
    replica(3, 2, CHANNEL_LIVE, true);
    expect("m2");
}
END_TEST

/* ---- servers without an order: what only looks like it --------------------------------------- */

START_TEST(an_orphan_of_an_intermediate_promotes_nobody)
{
    begin(KIND_ASYNC, 4);
    replica(1, 0, CHANNEL_LIVE, true);
    replica(3, 2, CHANNEL_LIVE, false);
    expect("m0");
    replica(1, 0, CHANNEL_STOPPED, true); /* a backup */
    expect("m0");
    take(1, true, true);
    expect("m0");
    gone(2);
    replica(3, 1, CHANNEL_LIVE, false); /* its source goes down, this one is at hand */
    take(1, false, false);
    for (size_t p = 0; p < 3; p++) {
        seen(p, 1)->misses = 1;
    }
    expect("m0");
    gone(0);
    expect("");
}
END_TEST

START_TEST(the_passive_half_of_a_circular_pair_stopped_for_a_backup_does_not_win)
{
    begin(KIND_ASYNC, 2);
    replica(0, 1, CHANNEL_LIVE, true);
    replica(1, 0, CHANNEL_LIVE, true);
    expect("m0");
    replica(1, 0, CHANNEL_STOPPED, true);
    expect("m0");
    take(1, true, false);
    expect("m0");
}
END_TEST

START_TEST(the_passive_half_of_a_circular_pair_opened_for_maintenance_does_not_win)
{
    begin(KIND_ASYNC, 2);
    replica(0, 1, CHANNEL_LIVE, true);
    replica(1, 0, CHANNEL_LIVE, false);
    for (size_t p = 0; p < 3; p++) {
        seen(p, 0)->claim = true; /* the other half is read-only */
    }
    expect("m0");
    replica(1, 0, CHANNEL_STOPPED, false);
    expect("m0");
    replica(1, 0, CHANNEL_STOPPED, true);
    for (size_t p = 0; p < 3; p++) {
        seen(p, 0)->claim = false;
    }
    take(1, true, false);
    expect("m0");
}
END_TEST

START_TEST(a_circular_pair_switches_and_switches_back)
{
    begin(KIND_ASYNC, 2);
    replica(0, 1, CHANNEL_LIVE, true);
    replica(1, 0, CHANNEL_LIVE, false);
    for (size_t p = 0; p < 3; p++) {
        seen(p, 0)->claim = true;
    }
    expect("m0");
    replica(0, 1, CHANNEL_LIVE, false);
    expect("");
    replica(1, 0, CHANNEL_LIVE, true);
    for (size_t p = 0; p < 3; p++) {
        seen(p, 1)->claim = true;
    }
    expect("m1");
    replica(1, 0, CHANNEL_LIVE, false);
    expect("");
    replica(0, 1, CHANNEL_LIVE, true);
    for (size_t p = 0; p < 3; p++) {
        seen(p, 0)->claim = true;
    }
    expect("m0");
}
END_TEST

START_TEST(half_a_circular_pair_that_tries_to_connect_claims_nothing_beside_the_other)
{
    begin(KIND_ASYNC, 2);
    replica(0, 1, CHANNEL_LIVE, true);
    replica(1, 0, CHANNEL_LIVE, true);
    expect("m0");
    replica(1, 0, CHANNEL_CONNECTING, true); /* its password is wrong */
    expect("m0");
    ck_assert_int_eq(world.previous.state, STATE_OK);
}
END_TEST

START_TEST(half_a_circular_pair_is_opened_when_the_other_is_gone)
{
    begin(KIND_ASYNC, 2);
    replica(0, 1, CHANNEL_LIVE, true);
    replica(1, 0, CHANNEL_LIVE, false);
    for (size_t p = 0; p < 3; p++) {
        seen(p, 0)->claim = true;
    }
    expect("m0");
    gone(0);
    replica(1, 0, CHANNEL_CONNECTING, false);
    expect("");
    replica(1, 0, CHANNEL_CONNECTING, true);
    expect("m1");
}
END_TEST

START_TEST(a_report_from_before_a_new_act_does_not_make_that_late)
{
    begin(KIND_ASYNC, 3);
    replica(1, 0, CHANNEL_LIVE, true);
    expect("m0");
    replica(1, 0, CHANNEL_STOPPED, true);
    expect("m0");
    take(1, true, true);
    expect("m0");
    struct member_report taken = *seen(0, 1);
    opened(1); /* RESET ALL, and no probe has taken the verdict on it yet */
    for (size_t p = 0; p < 3; p++) {
        seen(p, 1)->acts = taken.acts;
        seen(p, 1)->late = seen(p, 1)->stood = true;
    }
    expect("m0");
    take(1, false, false);
    expect("m0");
    gone(0);
    expect("m1");
}
END_TEST

START_TEST(another_server_at_the_address_of_a_replica_was_not_promoted)
{
    for (int same = 0; same < 2; same++) {
        begin(KIND_ASYNC, 2);
        for (size_t p = 0; p < 3; p++) {
            strcpy(seen(p, 1)->self, "server-1");
        }
        expect("m0");
        gone(0);
        gone(1);
        settle();
        world.restarts = 1;
        opened(1); /* or installed anew, and nobody has told it yet whom to follow */
        for (size_t p = 0; p < 3; p++) {
            strcpy(seen(p, 1)->self, same ? "server-1" : "server-2");
        }
        expect(same ? "m1" : "");
    }
}
END_TEST

/* ---- timelines ------------------------------------------------------------------------------- */

START_TEST(a_held_server_that_falls_silent_withdraws_nobody_by_its_cascade)
{
    begin(KIND_STREAMING, 4);
    world_standby(&world, ALL, 2, 1, "7");
    expect("m0");
    world.restarts = 1;
    world_primary(&world, ALL, 1, "8"); /* recovery.signal in the place of standby.signal */
    expect("m0");
    world.restarts = 0;
    world_standby(&world, ALL, 2, 1, "8");
    expect("m0");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    expect("m0");
    gone(1);
    for (size_t p = 0; p < 3; p++) {
        seen(p, 2)->live = false;
        seen(p, 2)->channel = CHANNEL_CONNECTING;
        seen(p, 2)->upstream[0] = '\0'; /* there is no receiver that says whom it follows */
    }
    expect("m0");
}
END_TEST

START_TEST(a_rehearsal_that_falls_silent_after_its_drain_withdraws_nobody_by_its_cascade)
{
    begin(KIND_STREAMING, 4);
    world_standby(&world, ALL, 2, 1, "7");
    world.directives.drain_count = 1;
    strcpy(world.directives.drain[0], "m1");
    expect("m0");
    world_primary(&world, ALL, 1, "8");
    world_standby(&world, ALL, 2, 1, "8");
    expect("m0");
    take(1, true, true);
    expect("m0");
    world.directives.drain_count = 0;
    expect("m0");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    expect("m0");
}
END_TEST

/* `m0` is lost this way, and two standbys are promoted to one number; then one blinks. */
static void tie_of_two(enum answer lost)
{
    begin(KIND_STREAMING, 3);
    world_fails(&world, ALL, 0, lost);
    settle();
    world_primary(&world, ALL, 1, "8");
    world_primary(&world, ALL, 2, "8");
    expect("");
    gone(1);
    expect("");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    expect("");
    world.restarts = 1;
    world_primary(&world, ALL, 1, "8");
    expect("");
}

START_TEST(what_the_first_look_did_not_choose_does_not_win_at_the_second)
{
    world_init(&world, KIND_STREAMING, 3, 3, 3);
    world_primary(&world, ALL, 0, "7");
    world_primary(&world, ALL, 1, "8");
    world_standby(&world, ALL, 2, 0, "7");
    expect("m0");
    expect("m0");
    gone(0);
    expect("m0"); /* a blink */
    world_primary(&world, ALL, 0, "7");
    expect("m0");
}
END_TEST

START_TEST(a_tie_of_two_timelines_outlives_a_blink)
{
    tie_of_two(ANSWER_REFUSED);
    tie_of_two(ANSWER_TIMEOUT);
    tie_of_two(ANSWER_STARTING);
}
END_TEST

START_TEST(a_tie_of_two_timelines_beside_a_primary_outlives_a_blink)
{
    begin(KIND_STREAMING, 3);
    world_primary(&world, ALL, 1, "8");
    world_primary(&world, ALL, 2, "8");
    settle();
    gone(1);
    settle();
    ck_assert_str_ne(world.previous.primary, "m2");
}
END_TEST

START_TEST(a_standby_moved_to_one_of_two_equal_timelines_ends_the_tie)
{
    begin(KIND_STREAMING, 4);
    gone(0);
    settle();
    world_primary(&world, ALL, 1, "8");
    world_primary(&world, ALL, 2, "8");
    expect("");
    world_standby(&world, ALL, 3, 2, "8");
    expect("m2");
}
END_TEST

START_TEST(a_standby_that_left_a_held_server_moves_the_lineage)
{
    begin(KIND_STREAMING, 4);
    world_standby(&world, ALL, 2, 1, "7");
    expect("m0");
    world.restarts = 1;
    world_primary(&world, ALL, 1, "8");
    world.restarts = 0;
    world_standby(&world, ALL, 2, 1, "8");
    expect("m0");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    world_standby(&world, ALL, 2, 3, "9"); /* of one that was promoted */
    for (size_t p = 0; p < 3; p++) {
        seen(p, 2)->upstream[0] = '\0'; /* under a name that no member has */
    }
    world_fails(&world, ALL, 3, ANSWER_TIMEOUT);
    expect("");
}
END_TEST

START_TEST(two_failovers_in_a_row_are_followed_on_their_timelines)
{
    begin(KIND_STREAMING, 3);
    gone(0);
    settle();
    world_primary(&world, ALL, 1, "8");
    expect("m1");
    gone(1);
    settle();
    world_primary(&world, ALL, 2, "9");
    expect("m2");
    world_standby(&world, ALL, 0, 2, "9");
    world_standby(&world, ALL, 1, 2, "9");
    expect("m2");
    ck_assert(!world.previous.members[0].fenced && !world.previous.members[1].fenced);
    gone(2);
    settle();
    world_primary(&world, ALL, 0, "10");
    expect("m0");
}
END_TEST

START_TEST(what_happened_while_the_registry_was_away_is_followed)
{
    begin(KIND_STREAMING, 3); /* m1 was promoted and lost, then m2 */
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    gone(1);
    world_primary(&world, ALL, 2, "9");
    expect("m2");
    begin(KIND_ASYNC, 3);
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    gone(1);
    opened(2);
    expect("m2");
}
END_TEST

START_TEST(a_restart_as_a_part_of_the_promotion_is_followed)
{
    begin(KIND_STREAMING, 3);
    gone(0);
    gone(1);
    settle();
    world.restarts = 1;
    world_primary(&world, ALL, 1, "8");
    expect("m1");
    begin(KIND_ASYNC, 3);
    gone(0);
    gone(1);
    settle();
    world.restarts = 1;
    opened(1);
    expect("m1");
}
END_TEST

/* ---- names and the operator ------------------------------------------------------------------ */

/* m0 has the name m3 from now on, in the files of all probes but the last `behind`. */
static void rename_primary(size_t behind)
{
    for (size_t p = 0; p < 3 - behind; p++) {
        struct member_report renamed = *seen(p, 0);
        strcpy(renamed.config.name, "m3");
        *seen(p, 0) = *seen(p, 1);
        *seen(p, 1) = *seen(p, 2);
        *seen(p, 2) = renamed;
        for (size_t m = 0; m < 2; m++) {
            strcpy(seen(p, m)->upstream, seen(p, m)->live ? "m3" : "");
        }
    }
}

static void check_rename(enum kind kind, bool followed)
{
    begin(kind, 3);
    for (size_t m = 1; !followed && m < 3; m++) {
        world_fails(&world, ALL, m, ANSWER_TIMEOUT);
    }
    for (size_t p = 0; p < 3; p++) {
        strcpy(seen(p, 0)->self, "server-0");
    }
    expect("m0");
    struct world before = world;
    rename_primary(2);
    expect("m0");
    world = before;
    rename_primary(1);
    ck_assert(world_resolve(&world)); /* after this one m0 is no member any more */
    expect("m3");
    ck_assert_int_eq(world.previous.state, STATE_OK);
    ck_assert_uint_eq(world.previous.fence_count, 0);
    world = before;
    rename_primary(0);
    ck_assert(world_resolve(&world));
    expect("m3");
    ck_assert_int_eq(world.previous.state, STATE_OK);
    ck_assert_uint_eq(world.previous.fence_count, 0);
}

START_TEST(a_primary_that_is_renamed_stays_the_primary)
{
    for (int followed = 0; followed < 2; followed++) {
        check_rename(KIND_ASYNC, followed);
        check_rename(KIND_STREAMING, followed);
    }
}
END_TEST

static void accept_m(size_t m, int64_t epoch)
{
    world.directives.accept_count = 1;
    snprintf(world.directives.accept[0].name, NAME_SIZE, "m%zu", m);
    world.directives.accept[0].epoch = epoch;
}

START_TEST(an_acceptance_that_waits_makes_nobody_a_stranger)
{
    begin(KIND_STREAMING, 2);
    for (size_t p = 0; p < 3; p++) {
        strcpy(seen(p, 1)->identity, "another"); /* another cluster's standby */
        seen(p, 1)->upstream[0] = '\0';
    }
    expect("m0");
    accept_m(1, world.previous.epoch);
    expect("m0");
}
END_TEST

START_TEST(a_pending_acceptance_is_void_after_a_promotion)
{
    begin(KIND_STREAMING, 3);
    gone(0);
    settle();
    accept_m(1, world.previous.epoch);
    settle();
    world_primary(&world, ALL, 2, "8");
    expect("m2");
    world_primary(&world, ALL, 1, "7");
    expect("m2");
}
END_TEST

/* ---- versions, quorums, orders --------------------------------------------------------------- */

/* The verdict before was written by a program that keeps no records. */
static void forget_records(void)
{
    world.previous.rules = RULES_WITH_RECORDS - 1;
    for (size_t m = 0; m < world.previous.member_count; m++) {
        world.previous.members[m].record = (struct record){0};
    }
}

/* Nothing of what acts are known by. */
static void speak_as_former(size_t p)
{
    world.reports[p].rules = RULES_WITH_RECORDS - 1;
    for (size_t m = 0; m < world.reports[p].member_count; m++) {
        seen(p, m)->start_ms = 0;
        seen(p, m)->channel = CHANNEL_NONE;
    }
}

START_TEST(a_promotion_after_a_verdict_of_the_former_version_is_followed)
{
    begin(KIND_ASYNC, 3);
    forget_records();
    gone(0);
    opened(1);
    expect("m1");
    begin(KIND_STREAMING, 3);
    forget_records();
    gone(0);
    world_primary(&world, ALL, 1, "8");
    expect("m1");
}
END_TEST

START_TEST(a_promotion_among_probes_of_both_versions_is_followed)
{
    for (size_t former = 1; former <= 3; former++) {
        begin(KIND_ASYNC, 3);
        for (int step = 0; step < 4; step++) {
            if (step == 2) {
                closed(0);
            } else if (step == 3) {
                opened(1);
            }
            for (size_t p = 0; p < former; p++) {
                speak_as_former(p);
            }
            if (former == 3) {
                forget_records();
            }
            settle();
        }
        ck_assert_str_eq(world.previous.primary, "m1");
        begin(KIND_STREAMING, 3);
        world_fails(&world, ALL, 0, ANSWER_REFUSED);
        world_primary(&world, ALL, 1, "8");
        for (size_t p = 0; p < former; p++) {
            speak_as_former(p);
        }
        if (former == 3) {
            forget_records();
        }
        expect("m1");
    }
}
END_TEST

START_TEST(of_five_witnesses_three_see_the_promotion)
{
    world_init(&world, KIND_ASYNC, 5, 5, 3);
    world_primary(&world, ALL, 0, "");
    world_standby(&world, ALL, 1, 0, "");
    world_standby(&world, ALL, 2, 0, "");
    expect("m0");
    for (int p = 0; p < 3; p++) {
        expect(p == 0 ? "m0" : world.previous.primary);
        world_fails(&world, p, 0, ANSWER_REFUSED);
        world_primary(&world, p, 1, "");
    }
    expect("m1");
    for (size_t p = 3; p < 5; p++) { /* the others come late, or not at all */
        strcpy(world.reports[p].abstains, "blind");
        expect("m1");
    }
}
END_TEST

START_TEST(one_witness_alone_follows_a_promotion)
{
    world_init(&world, KIND_ASYNC, 1, 1, 2);
    world_primary(&world, ALL, 0, "");
    world_standby(&world, ALL, 1, 0, "");
    expect("m0");
    gone(0);
    replica(1, 0, CHANNEL_STOPPED, false);
    settle();
    opened(1);
    expect("m1");
    opened(0);
    expect("m1");
    ck_assert(world.previous.members[0].fenced);
}
END_TEST

START_TEST(a_rehearsal_that_is_no_longer_drained_does_not_win_by_a_blink)
{
    begin(KIND_STREAMING, 3);
    world.directives.drain_count = 1;
    strcpy(world.directives.drain[0], "m1");
    world_primary(&world, ALL, 1, "8");
    expect("m0");
    take(1, true, true);
    expect("m0");
    world.directives.drain_count = 0;
    expect("m0");
    gone(0);
    settle();
    ck_assert_str_ne(world.previous.primary, "m1");
    world_fails(&world, ALL, 2, ANSWER_TIMEOUT);
    expect("");
    take(1, false, false);
    world_primary(&world, ALL, 0, "7");
    expect("m0");
    gone(0); /* a crash, and the other standby is led to it */
    world_standby(&world, ALL, 2, 1, "8");
    expect("m1");
}
END_TEST

START_TEST(a_failover_during_a_hold_is_followed_at_its_end)
{
    for (int ordered = 0; ordered < 2; ordered++) {
        begin(ordered ? KIND_STREAMING : KIND_ASYNC, 3);
        strcpy(world.directives.hold, "m0");
        expect("m0");
        gone(0);
        expect("m0");
        world_primary(&world, ALL, 1, "8");
        expect("m0");
        world.directives.hold[0] = '\0';
        expect("m1");
    }
}
END_TEST

START_TEST(where_the_operator_prefers_none_a_switch_that_opens_first_arrives)
{
    begin(KIND_ASYNC, 3);
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].policy.conflict = CONFLICT_NONE;
    }
    expect("m0");
    opened(1);
    expect("");
    closed(0);
    expect("m1");
    begin(KIND_ASYNC, 3);
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].policy.conflict = CONFLICT_NONE;
    }
    opened(1);
    expect("");
    gone(0);
    expect("m1");
}
END_TEST

START_TEST(after_the_whole_site_was_down_the_last_primary_returns)
{
    begin(KIND_ASYNC, 3);
    replica(1, 0, CHANNEL_LIVE, true);
    expect("m0");
    for (size_t m = 0; m < 3; m++) {
        gone(m);
    }
    expect("");
    world.restarts = 1;
    replica(1, 0, CHANNEL_STOPPED, true); /* skip_replica_start */
    expect("");
    replica(2, 0, CHANNEL_CONNECTING, false);
    expect("");
    closed(0); /* read_only in its file */
    expect("");
    opened(0);
    expect("m0");
    for (size_t m = 0; m < 3; m++) {
        gone(m);
    }
    expect("");
    world.restarts = 2;
    replica(1, 0, CHANNEL_CONNECTING, false); /* the primary's disk is lost */
    replica(2, 0, CHANNEL_CONNECTING, false);
    expect("");
    replica(1, 0, CHANNEL_STOPPED, false);
    opened(1);
    expect("m1");
}
END_TEST

Suite *promotions_suite(void)
{
    Suite *suite = suite_create("promotions");
    TCase *async = tcase_create("async");
    tcase_add_test(async, a_switch_by_hand_and_back_is_followed);
    tcase_add_test(async, a_failover_right_after_a_failover_is_followed);
    tcase_add_test(async, an_orphan_of_a_former_primary_that_moves_on_counts);
    tcase_add_test(async, an_orphan_of_an_intermediate_promotes_nobody);
    tcase_add_test(async, the_passive_half_of_a_circular_pair_stopped_for_a_backup_does_not_win);
    tcase_add_test(async, the_passive_half_of_a_circular_pair_opened_for_maintenance_does_not_win);
    tcase_add_test(async, a_circular_pair_switches_and_switches_back);
    tcase_add_test(async,
                   half_a_circular_pair_that_tries_to_connect_claims_nothing_beside_the_other);
    tcase_add_test(async, half_a_circular_pair_is_opened_when_the_other_is_gone);
    tcase_add_test(async, a_report_from_before_a_new_act_does_not_make_that_late);
    tcase_add_test(async, another_server_at_the_address_of_a_replica_was_not_promoted);
    suite_add_tcase(suite, async);
    TCase *streaming = tcase_create("streaming");
    tcase_add_test(streaming, a_held_server_that_falls_silent_withdraws_nobody_by_its_cascade);
    tcase_add_test(streaming,
                   a_rehearsal_that_falls_silent_after_its_drain_withdraws_nobody_by_its_cascade);
    tcase_add_test(streaming, what_the_first_look_did_not_choose_does_not_win_at_the_second);
    tcase_add_test(streaming, a_tie_of_two_timelines_outlives_a_blink);
    tcase_add_test(streaming, a_tie_of_two_timelines_beside_a_primary_outlives_a_blink);
    tcase_add_test(streaming, a_standby_moved_to_one_of_two_equal_timelines_ends_the_tie);
    tcase_add_test(streaming, a_standby_that_left_a_held_server_moves_the_lineage);
    tcase_add_test(streaming, two_failovers_in_a_row_are_followed_on_their_timelines);
    tcase_add_test(streaming, what_happened_while_the_registry_was_away_is_followed);
    tcase_add_test(streaming, a_restart_as_a_part_of_the_promotion_is_followed);
    suite_add_tcase(suite, streaming);
    TCase *orders = tcase_create("orders");
    tcase_add_test(orders, a_primary_that_is_renamed_stays_the_primary);
    tcase_add_test(orders, an_acceptance_that_waits_makes_nobody_a_stranger);
    tcase_add_test(orders, a_pending_acceptance_is_void_after_a_promotion);
    suite_add_tcase(suite, orders);
    TCase *fleet = tcase_create("fleet");
    tcase_add_test(fleet, a_promotion_after_a_verdict_of_the_former_version_is_followed);
    tcase_add_test(fleet, a_promotion_among_probes_of_both_versions_is_followed);
    tcase_add_test(fleet, of_five_witnesses_three_see_the_promotion);
    tcase_add_test(fleet, one_witness_alone_follows_a_promotion);
    tcase_add_test(fleet, a_rehearsal_that_is_no_longer_drained_does_not_win_by_a_blink);
    tcase_add_test(fleet, a_failover_during_a_hold_is_followed_at_its_end);
    tcase_add_test(fleet, where_the_operator_prefers_none_a_switch_that_opens_first_arrives);
    tcase_add_test(fleet, after_the_whole_site_was_down_the_last_primary_returns);
    suite_add_tcase(suite, fleet);
    return suite;
}
