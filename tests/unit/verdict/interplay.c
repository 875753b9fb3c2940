/* Promotions together with renames, the operator's orders, probes of the former version, other
 * quorums. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

/* ---- names and the operator ------------------------------------------------------------------ */

/* m0 has the name m3 from now on, in the files of all probes but the last `behind`. */
static void rename_primary(size_t behind)
{
    for (size_t p = 0; p < 3 - behind; p++) {
        struct member_report renamed = *world_seen(&world, p, 0);
        strcpy(renamed.config.name, "m3");
        *world_seen(&world, p, 0) = *world_seen(&world, p, 1);
        *world_seen(&world, p, 1) = *world_seen(&world, p, 2);
        *world_seen(&world, p, 2) = renamed;
        for (size_t m = 0; m < 2; m++) {
            strcpy(world_seen(&world, p, m)->upstream, world_seen(&world, p, m)->live ? "m3" : "");
        }
    }
}

static void check_rename(enum kind kind, bool followed)
{
    world_begin(&world, kind, 3);
    for (size_t m = 1; !followed && m < 3; m++) {
        world_fails(&world, ALL, m, ANSWER_TIMEOUT);
    }
    for (size_t p = 0; p < 3; p++) {
        strcpy(world_seen(&world, p, 0)->self, "server-0");
    }
    world_expect(&world, "m0");
    struct world before = world;
    rename_primary(2);
    world_expect(&world, "m0");
    world = before;
    rename_primary(1);
    ck_assert(world_resolve(&world)); /* after this one m0 is no member any more */
    world_expect(&world, "m3");
    ck_assert_int_eq(world.previous.state, STATE_OK);
    ck_assert_uint_eq(world.previous.fence_count, 0);
    world = before;
    rename_primary(0);
    ck_assert(world_resolve(&world));
    world_expect(&world, "m3");
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
    world_begin(&world, KIND_STREAMING, 2);
    for (size_t p = 0; p < 3; p++) {
        strcpy(world_seen(&world, p, 1)->identity, "another"); /* another cluster's standby */
        world_seen(&world, p, 1)->upstream[0] = '\0';
    }
    world_expect(&world, "m0");
    accept_m(1, world.previous.epoch);
    world_expect(&world, "m0");
}
END_TEST

START_TEST(a_pending_acceptance_is_void_after_a_promotion)
{
    world_begin(&world, KIND_STREAMING, 3);
    world_gone(&world, 0);
    world_settle(&world);
    accept_m(1, world.previous.epoch);
    world_settle(&world);
    world_primary(&world, ALL, 2, "8");
    world_expect(&world, "m2");
    world_primary(&world, ALL, 1, "7");
    world_expect(&world, "m2");
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
        world_seen(&world, p, m)->start_ms = 0;
        world_seen(&world, p, m)->channel = CHANNEL_NONE;
    }
}

START_TEST(a_promotion_after_a_verdict_of_the_former_version_is_followed)
{
    world_begin(&world, KIND_ASYNC, 3);
    forget_records();
    world_gone(&world, 0);
    world_opened(&world, 1);
    world_expect(&world, "m1");
    world_begin(&world, KIND_STREAMING, 3);
    forget_records();
    world_gone(&world, 0);
    world_primary(&world, ALL, 1, "8");
    world_expect(&world, "m1");
}
END_TEST

START_TEST(a_promotion_among_probes_of_both_versions_is_followed)
{
    for (size_t former = 1; former <= 3; former++) {
        world_begin(&world, KIND_ASYNC, 3);
        for (int step = 0; step < 4; step++) {
            if (step == 2) {
                world_closed(&world, 0);
            } else if (step == 3) {
                world_opened(&world, 1);
            }
            for (size_t p = 0; p < former; p++) {
                speak_as_former(p);
            }
            if (former == 3) {
                forget_records();
            }
            world_settle(&world);
        }
        ck_assert_str_eq(world.previous.primary, "m1");
        world_begin(&world, KIND_STREAMING, 3);
        world_fails(&world, ALL, 0, ANSWER_REFUSED);
        world_primary(&world, ALL, 1, "8");
        for (size_t p = 0; p < former; p++) {
            speak_as_former(p);
        }
        if (former == 3) {
            forget_records();
        }
        world_expect(&world, "m1");
    }
}
END_TEST

START_TEST(of_five_witnesses_three_see_the_promotion)
{
    world_init(&world, KIND_ASYNC, 5, 5, 3);
    world_primary(&world, ALL, 0, "");
    world_standby(&world, ALL, 1, 0, "");
    world_standby(&world, ALL, 2, 0, "");
    world_expect(&world, "m0");
    for (int p = 0; p < 3; p++) {
        world_expect(&world, p == 0 ? "m0" : world.previous.primary);
        world_fails(&world, p, 0, ANSWER_REFUSED);
        world_primary(&world, p, 1, "");
    }
    world_expect(&world, "m1");
    for (size_t p = 3; p < 5; p++) { /* the others come late, or not at all */
        strcpy(world.reports[p].abstains, "blind");
        world_expect(&world, "m1");
    }
}
END_TEST

START_TEST(one_witness_alone_follows_a_promotion)
{
    world_init(&world, KIND_ASYNC, 1, 1, 2);
    world_primary(&world, ALL, 0, "");
    world_standby(&world, ALL, 1, 0, "");
    world_expect(&world, "m0");
    world_gone(&world, 0);
    world_replica(&world, 1, 0, CHANNEL_STOPPED, false);
    world_settle(&world);
    world_opened(&world, 1);
    world_expect(&world, "m1");
    world_opened(&world, 0);
    world_expect(&world, "m1");
    ck_assert(world.previous.members[0].fenced);
}
END_TEST

START_TEST(a_rehearsal_that_is_no_longer_drained_does_not_win_by_a_blink)
{
    world_begin(&world, KIND_STREAMING, 3);
    world.directives.drain_count = 1;
    strcpy(world.directives.drain[0], "m1");
    world_primary(&world, ALL, 1, "8");
    world_expect(&world, "m0");
    world_take(&world, 1, true, true);
    world_expect(&world, "m0");
    world.directives.drain_count = 0;
    world_expect(&world, "m0");
    world_gone(&world, 0);
    world_settle(&world);
    ck_assert_str_ne(world.previous.primary, "m1");
    world_fails(&world, ALL, 2, ANSWER_TIMEOUT);
    world_expect(&world, "");
    world_take(&world, 1, false, false);
    world_primary(&world, ALL, 0, "7");
    world_expect(&world, "m0");
    world_gone(&world, 0); /* a crash, and the other standby is led to it */
    world_standby(&world, ALL, 2, 1, "8");
    world_expect(&world, "m1");
}
END_TEST

START_TEST(a_failover_during_a_hold_is_followed_at_its_end)
{
    for (int ordered = 0; ordered < 2; ordered++) {
        world_begin(&world, ordered ? KIND_STREAMING : KIND_ASYNC, 3);
        strcpy(world.directives.hold, "m0");
        world_expect(&world, "m0");
        world_gone(&world, 0);
        world_expect(&world, "m0");
        world_primary(&world, ALL, 1, "8");
        world_expect(&world, "m0");
        world.directives.hold[0] = '\0';
        world_expect(&world, "m1");
    }
}
END_TEST

START_TEST(where_the_operator_prefers_none_a_switch_that_opens_first_arrives)
{
    world_begin(&world, KIND_ASYNC, 3);
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].policy.conflict = CONFLICT_NONE;
    }
    world_expect(&world, "m0");
    world_opened(&world, 1);
    world_expect(&world, "");
    world_closed(&world, 0);
    world_expect(&world, "m1");
    world_begin(&world, KIND_ASYNC, 3);
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].policy.conflict = CONFLICT_NONE;
    }
    world_opened(&world, 1);
    world_expect(&world, "");
    world_gone(&world, 0);
    world_expect(&world, "m1");
}
END_TEST

START_TEST(after_the_whole_site_was_down_the_last_primary_returns)
{
    world_begin(&world, KIND_ASYNC, 3);
    world_replica(&world, 1, 0, CHANNEL_LIVE, true);
    world_expect(&world, "m0");
    for (size_t m = 0; m < 3; m++) {
        world_gone(&world, m);
    }
    world_expect(&world, "");
    world.restarts = 1;
    world_replica(&world, 1, 0, CHANNEL_STOPPED, true); /* skip_replica_start */
    world_expect(&world, "");
    world_replica(&world, 2, 0, CHANNEL_CONNECTING, false);
    world_expect(&world, "");
    world_closed(&world, 0); /* read_only in its file */
    world_expect(&world, "");
    world_opened(&world, 0);
    world_expect(&world, "m0");
    for (size_t m = 0; m < 3; m++) {
        world_gone(&world, m);
    }
    world_expect(&world, "");
    world.restarts = 2;
    world_replica(&world, 1, 0, CHANNEL_CONNECTING, false); /* the primary's disk is lost */
    world_replica(&world, 2, 0, CHANNEL_CONNECTING, false);
    world_expect(&world, "");
    world_replica(&world, 1, 0, CHANNEL_STOPPED, false);
    world_opened(&world, 1);
    world_expect(&world, "m1");
}
END_TEST

Suite *interplay_suite(void)
{
    Suite *suite = suite_create("interplay");
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
