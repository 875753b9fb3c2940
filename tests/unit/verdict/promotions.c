/* Ways to promote a server, and what only looks like one: each flow as the sequence of what the
 * probes see. Every verdict on the way resolves to itself. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

/* ---- servers without an order: what promotes ------------------------------------------------- */

START_TEST(a_switch_by_hand_and_back_is_followed)
{
    world_begin(&world, KIND_ASYNC, 3);
    world_closed(&world, 0);
    world_expect(&world, "");
    world_replica(&world, 1, 0, CHANNEL_STOPPED, false);
    world_expect(&world, "");
    world_closed(&world, 1);
    world_expect(&world, "");
    world_opened(&world, 1);
    world_expect(&world, "m1");
    world_replica(&world, 0, 1, CHANNEL_LIVE, false);
    world_replica(&world, 2, 1, CHANNEL_LIVE, false);
    world_expect(&world, "m1");
    world_closed(&world, 1);
    world_expect(&world, "");
    world_opened(&world, 0);
    world_expect(&world, "m0");
    world_replica(&world, 1, 0, CHANNEL_LIVE, false);
    world_replica(&world, 2, 0, CHANNEL_LIVE, false);
    world_expect(&world, "m0");
    ck_assert(!world.previous.members[1].fenced);
}
END_TEST

START_TEST(a_failover_right_after_a_failover_is_followed)
{
    world_begin(&world, KIND_ASYNC, 4);
    world_gone(&world, 0);
    world_settle(&world);
    world_replica(&world, 2, 0, CHANNEL_CONNECTING, false);
    world_replica(&world, 3, 0, CHANNEL_CONNECTING, false);
    world_opened(&world, 1);
    world_expect(&world, "m1");
    world_replica(&world, 2, 0, CHANNEL_STOPPED, false);
    world_gone(&world, 1);
    world_expect(&world, "");
    world_opened(&world, 2);
    world_expect(&world, "m2");
}
END_TEST

START_TEST(an_orphan_of_a_former_primary_that_moves_on_counts)
{
    world_begin(&world, KIND_ASYNC, 4);
    for (size_t m = 1; m < 4; m++) { /* never read-only */
        world_replica(&world, m, 0, CHANNEL_LIVE, true);
    }
    world_expect(&world, "m0");
    world_gone(&world, 0);
    world_replica(&world, 2, 0, CHANNEL_CONNECTING, true);
    world_replica(&world, 3, 0, CHANNEL_CONNECTING, true);
    world_opened(&world, 1);
    world_expect(&world, "m1");
    world_gone(&world, 1);
    world_settle(&world);
    world_replica(&world, 2, 0, CHANNEL_STOPPED, true);
    world_settle(&world);
    world_replica(&world, 3, 2, CHANNEL_LIVE, true);
    world_expect(&world, "m2");
}
END_TEST

/* ---- servers without an order: what only looks like it --------------------------------------- */

START_TEST(an_orphan_of_an_intermediate_promotes_nobody)
{
    world_begin(&world, KIND_ASYNC, 4);
    world_replica(&world, 1, 0, CHANNEL_LIVE, true);
    world_replica(&world, 3, 2, CHANNEL_LIVE, false);
    world_expect(&world, "m0");
    world_replica(&world, 1, 0, CHANNEL_STOPPED, true); /* a backup */
    world_expect(&world, "m0");
    world_take(&world, 1, true, true);
    world_expect(&world, "m0");
    world_gone(&world, 2);
    world_replica(&world, 3, 1, CHANNEL_LIVE,
                  false); /* its source goes down, this one is at hand */
    world_take(&world, 1, false, false);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 1)->misses = 1;
    }
    world_expect(&world, "m0");
    world_gone(&world, 0);
    world_expect(&world, "");
}
END_TEST

START_TEST(the_passive_half_of_a_circular_pair_stopped_for_a_backup_does_not_win)
{
    world_begin(&world, KIND_ASYNC, 2);
    world_replica(&world, 0, 1, CHANNEL_LIVE, true);
    world_replica(&world, 1, 0, CHANNEL_LIVE, true);
    world_expect(&world, "m0");
    world_replica(&world, 1, 0, CHANNEL_STOPPED, true);
    world_expect(&world, "m0");
    world_take(&world, 1, true, false);
    world_expect(&world, "m0");
}
END_TEST

START_TEST(the_passive_half_of_a_circular_pair_opened_for_maintenance_does_not_win)
{
    world_begin(&world, KIND_ASYNC, 2);
    world_replica(&world, 0, 1, CHANNEL_LIVE, true);
    world_replica(&world, 1, 0, CHANNEL_LIVE, false);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 0)->claim = true; /* the other half is read-only */
    }
    world_expect(&world, "m0");
    world_replica(&world, 1, 0, CHANNEL_STOPPED, false);
    world_expect(&world, "m0");
    world_replica(&world, 1, 0, CHANNEL_STOPPED, true);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 0)->claim = false;
    }
    world_take(&world, 1, true, false);
    world_expect(&world, "m0");
}
END_TEST

START_TEST(a_circular_pair_switches_and_switches_back)
{
    world_begin(&world, KIND_ASYNC, 2);
    world_replica(&world, 0, 1, CHANNEL_LIVE, true);
    world_replica(&world, 1, 0, CHANNEL_LIVE, false);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 0)->claim = true;
    }
    world_expect(&world, "m0");
    world_replica(&world, 0, 1, CHANNEL_LIVE, false);
    world_expect(&world, "");
    world_replica(&world, 1, 0, CHANNEL_LIVE, true);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 1)->claim = true;
    }
    world_expect(&world, "m1");
    world_replica(&world, 1, 0, CHANNEL_LIVE, false);
    world_expect(&world, "");
    world_replica(&world, 0, 1, CHANNEL_LIVE, true);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 0)->claim = true;
    }
    world_expect(&world, "m0");
}
END_TEST

START_TEST(half_a_circular_pair_that_tries_to_connect_claims_nothing_beside_the_other)
{
    world_begin(&world, KIND_ASYNC, 2);
    world_replica(&world, 0, 1, CHANNEL_LIVE, true);
    world_replica(&world, 1, 0, CHANNEL_LIVE, true);
    world_expect(&world, "m0");
    world_replica(&world, 1, 0, CHANNEL_CONNECTING, true); /* its password is wrong */
    world_expect(&world, "m0");
    ck_assert_int_eq(world.previous.state, STATE_OK);
}
END_TEST

START_TEST(half_a_circular_pair_is_opened_when_the_other_is_gone)
{
    world_begin(&world, KIND_ASYNC, 2);
    world_replica(&world, 0, 1, CHANNEL_LIVE, true);
    world_replica(&world, 1, 0, CHANNEL_LIVE, false);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 0)->claim = true;
    }
    world_expect(&world, "m0");
    world_gone(&world, 0);
    world_replica(&world, 1, 0, CHANNEL_CONNECTING, false);
    world_expect(&world, "");
    world_replica(&world, 1, 0, CHANNEL_CONNECTING, true);
    world_expect(&world, "m1");
}
END_TEST

START_TEST(a_report_from_before_a_new_act_does_not_make_that_late)
{
    world_begin(&world, KIND_ASYNC, 3);
    world_replica(&world, 1, 0, CHANNEL_LIVE, true);
    world_expect(&world, "m0");
    world_replica(&world, 1, 0, CHANNEL_STOPPED, true);
    world_expect(&world, "m0");
    world_take(&world, 1, true, true);
    world_expect(&world, "m0");
    struct member_report taken = *world_seen(&world, 0, 1);
    world_opened(&world, 1); /* RESET ALL, and no probe has taken the verdict on it yet */
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 1)->acts = taken.acts;
        world_seen(&world, p, 1)->late = world_seen(&world, p, 1)->stood = true;
    }
    world_expect(&world, "m0");
    world_take(&world, 1, false, false);
    world_expect(&world, "m0");
    world_gone(&world, 0);
    world_expect(&world, "m1");
}
END_TEST

START_TEST(another_server_at_the_address_of_a_replica_was_not_promoted)
{
    for (int same = 0; same < 2; same++) {
        world_begin(&world, KIND_ASYNC, 2);
        for (size_t p = 0; p < 3; p++) {
            strcpy(world_seen(&world, p, 1)->self, "server-1");
        }
        world_expect(&world, "m0");
        world_gone(&world, 0);
        world_gone(&world, 1);
        world_settle(&world);
        world.restarts = 1;
        world_opened(&world, 1); /* or installed anew, and nobody has told it yet whom to follow */
        for (size_t p = 0; p < 3; p++) {
            strcpy(world_seen(&world, p, 1)->self, same ? "server-1" : "server-2");
        }
        world_expect(&world, same ? "m1" : "");
    }
}
END_TEST

/* ---- timelines ------------------------------------------------------------------------------- */

START_TEST(a_held_server_that_falls_silent_withdraws_nobody_by_its_cascade)
{
    world_begin(&world, KIND_STREAMING, 4);
    world_standby(&world, ALL, 2, 1, "7");
    world_expect(&world, "m0");
    world.restarts = 1;
    world_primary(&world, ALL, 1, "8"); /* recovery.signal in the place of standby.signal */
    world_expect(&world, "m0");
    world.restarts = 0;
    world_standby(&world, ALL, 2, 1, "8");
    world_expect(&world, "m0");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    world_expect(&world, "m0");
    world_gone(&world, 1);
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 2)->live = false;
        world_seen(&world, p, 2)->channel = CHANNEL_CONNECTING;
        world_seen(&world, p, 2)->upstream[0] =
            '\0'; /* there is no receiver that says whom it follows */
    }
    world_expect(&world, "m0");
}
END_TEST

START_TEST(a_rehearsal_that_falls_silent_after_its_drain_withdraws_nobody_by_its_cascade)
{
    world_begin(&world, KIND_STREAMING, 4);
    world_standby(&world, ALL, 2, 1, "7");
    world.directives.drain_count = 1;
    strcpy(world.directives.drain[0], "m1");
    world_expect(&world, "m0");
    world_primary(&world, ALL, 1, "8");
    world_standby(&world, ALL, 2, 1, "8");
    world_expect(&world, "m0");
    world_take(&world, 1, true, true);
    world_expect(&world, "m0");
    world.directives.drain_count = 0;
    world_expect(&world, "m0");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    world_expect(&world, "m0");
}
END_TEST

/* `m0` is lost this way, and two standbys are promoted to one number; then one blinks. */
static void tie_of_two(enum answer lost)
{
    world_begin(&world, KIND_STREAMING, 3);
    world_fails(&world, ALL, 0, lost);
    world_settle(&world);
    world_primary(&world, ALL, 1, "8");
    world_primary(&world, ALL, 2, "8");
    world_expect(&world, "");
    world_gone(&world, 1);
    world_expect(&world, "");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    world_expect(&world, "");
    world.restarts = 1;
    world_primary(&world, ALL, 1, "8");
    world_expect(&world, "");
}

START_TEST(what_the_first_look_did_not_choose_does_not_win_at_the_second)
{
    world_init(&world, KIND_STREAMING, 3, 3, 3);
    world_primary(&world, ALL, 0, "7");
    world_primary(&world, ALL, 1, "8");
    world_standby(&world, ALL, 2, 0, "7");
    world_expect(&world, "m0");
    world_expect(&world, "m0");
    world_gone(&world, 0);
    world_expect(&world, "m0"); /* a blink */
    world_primary(&world, ALL, 0, "7");
    world_expect(&world, "m0");
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
    world_begin(&world, KIND_STREAMING, 3);
    world_primary(&world, ALL, 1, "8");
    world_primary(&world, ALL, 2, "8");
    world_settle(&world);
    world_gone(&world, 1);
    world_settle(&world);
    ck_assert_str_ne(world.previous.primary, "m2");
}
END_TEST

START_TEST(a_standby_moved_to_one_of_two_equal_timelines_ends_the_tie)
{
    world_begin(&world, KIND_STREAMING, 4);
    world_gone(&world, 0);
    world_settle(&world);
    world_primary(&world, ALL, 1, "8");
    world_primary(&world, ALL, 2, "8");
    world_expect(&world, "");
    world_standby(&world, ALL, 3, 2, "8");
    world_expect(&world, "m2");
}
END_TEST

START_TEST(a_standby_that_left_a_held_server_moves_the_lineage)
{
    world_begin(&world, KIND_STREAMING, 4);
    world_standby(&world, ALL, 2, 1, "7");
    world_expect(&world, "m0");
    world.restarts = 1;
    world_primary(&world, ALL, 1, "8");
    world.restarts = 0;
    world_standby(&world, ALL, 2, 1, "8");
    world_expect(&world, "m0");
    world_fails(&world, ALL, 1, ANSWER_TIMEOUT);
    world_standby(&world, ALL, 2, 3, "9"); /* of one that was promoted */
    for (size_t p = 0; p < 3; p++) {
        world_seen(&world, p, 2)->upstream[0] = '\0'; /* under a name that no member has */
    }
    world_fails(&world, ALL, 3, ANSWER_TIMEOUT);
    world_expect(&world, "");
}
END_TEST

START_TEST(two_failovers_in_a_row_are_followed_on_their_timelines)
{
    world_begin(&world, KIND_STREAMING, 3);
    world_gone(&world, 0);
    world_settle(&world);
    world_primary(&world, ALL, 1, "8");
    world_expect(&world, "m1");
    world_gone(&world, 1);
    world_settle(&world);
    world_primary(&world, ALL, 2, "9");
    world_expect(&world, "m2");
    world_standby(&world, ALL, 0, 2, "9");
    world_standby(&world, ALL, 1, 2, "9");
    world_expect(&world, "m2");
    ck_assert(!world.previous.members[0].fenced && !world.previous.members[1].fenced);
    world_gone(&world, 2);
    world_settle(&world);
    world_primary(&world, ALL, 0, "10");
    world_expect(&world, "m0");
}
END_TEST

START_TEST(what_happened_while_the_registry_was_away_is_followed)
{
    world_begin(&world, KIND_STREAMING, 3); /* m1 was promoted and lost, then m2 */
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    world_gone(&world, 1);
    world_primary(&world, ALL, 2, "9");
    world_expect(&world, "m2");
    world_begin(&world, KIND_ASYNC, 3);
    world_fails(&world, ALL, 0, ANSWER_TIMEOUT);
    world_gone(&world, 1);
    world_opened(&world, 2);
    world_expect(&world, "m2");
}
END_TEST

START_TEST(a_restart_as_a_part_of_the_promotion_is_followed)
{
    world_begin(&world, KIND_STREAMING, 3);
    world_gone(&world, 0);
    world_gone(&world, 1);
    world_settle(&world);
    world.restarts = 1;
    world_primary(&world, ALL, 1, "8");
    world_expect(&world, "m1");
    world_begin(&world, KIND_ASYNC, 3);
    world_gone(&world, 0);
    world_gone(&world, 1);
    world_settle(&world);
    world.restarts = 1;
    world_opened(&world, 1);
    world_expect(&world, "m1");
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
    return suite;
}
