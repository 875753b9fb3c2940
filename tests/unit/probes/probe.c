#include "probes/probe.h"

#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "tests/unit/probes/shell.h"
#include "tests/unit/unit.h"

/* ---- abstention ------------------------------------------------------------------------------ */

START_TEST(a_probe_votes_once_every_member_was_looked_at)
{
    shell_server_at("a2")->silent = true;
    shell_start();
    shell_pass(300);
    ck_assert(strstr(shell.told, "orders abstains: starting\n"));
    ck_assert(shell_is_not_told("orders votes"));
    shell_answer_now("a2");
    ck_assert(shell_is_told("orders votes"));
}
END_TEST

START_TEST(when_every_target_of_every_cluster_fails_at_once_it_is_us)
{
    shell_add_member(shell_add_cluster("stock"), "b1");
    shell_answers("b1", ANSWER_OK);
    shell_start_and_settle();
    shell_answers("a1", ANSWER_TIMEOUT);
    shell_answers("a2", ANSWER_TIMEOUT);
    shell_pass(2000);
    ck_assert(shell_is_not_told("abstains")); /* b1 answers */
    shell_answers("b1", ANSWER_TIMEOUT);
    shell_pass(2000);
    ck_assert(strstr(shell.told, "orders abstains: blind"));
    ck_assert(shell_is_told("stock abstains: blind"));
    shell_answers("b1", ANSWER_OK); /* one proves that we see */
    shell_pass(2000);
    ck_assert(strstr(shell.told, "orders votes"));
    ck_assert(shell_is_told("stock votes"));
}
END_TEST

START_TEST(a_definite_failure_is_seen_and_makes_nobody_blind)
{
    shell_start_and_settle();
    shell_answers("a1", ANSWER_REFUSED);
    shell_answers("a2", ANSWER_TIMEOUT);
    shell_pass(3000);
    ck_assert(shell_is_not_told("abstains"));
}
END_TEST

START_TEST(one_target_proves_nothing_of_us)
{
    shell.clusters[0].member_count = 1;
    shell_start();
    shell_pass(5000);
    shell_answers("a1", ANSWER_TIMEOUT);
    shell_pass(3000);
    ck_assert(strstr(shell.told, "orders/a1 timeout"));
    ck_assert(shell_is_not_told("abstains"));
}
END_TEST

START_TEST(a_cluster_that_leaves_counts_no_more)
{
    shell_add_member(shell_add_cluster("stock"), "b1");
    shell_answers("b1", ANSWER_OK);
    shell_start_and_settle();
    shell_answers("a1", ANSWER_TIMEOUT);
    shell_answers("a2", ANSWER_TIMEOUT);
    shell.config.cluster_count = 1;
    shell_step_kind(EVENT_RELOAD_ASKED);
    ck_assert(shell_is_told("stock withdrawn"));
    shell_pass(2000);
    ck_assert(shell_is_told("orders abstains: blind"));
}
END_TEST

START_TEST(a_gap_in_our_own_time_is_a_slip_for_an_interval)
{
    shell_start_and_settle();
    shell_stand_still(5000);
    shell_step_kind(EVENT_TIMER);
    ck_assert(strstr(shell.told, "not scheduled for 5"));
    ck_assert(strstr(shell.told, "orders looks closely:  this process was not scheduled"));
    ck_assert(shell_is_told("orders abstains: slipped"));
    shell_pass(INTERVAL - 100);
    ck_assert(shell_is_not_told("votes"));
    shell_pass(500);
    ck_assert(shell_is_told("orders votes"));
}
END_TEST

START_TEST(a_clock_that_goes_back_is_a_slip_and_no_end)
{
    shell_start_and_settle();
    shell.agenda.now_ms -= 5000;
    shell_step_kind(EVENT_STORE);
    ck_assert(shell_is_told("orders abstains: slipped"));
}
END_TEST

START_TEST(whatever_comes_first_after_a_gap_the_gap_is_seen_before_it_is_acted_on)
{
    shell_start_and_settle();
    shell_stand_still(5000);
    shell_answers("a1", ANSWER_TIMEOUT); /* the first look after it */
    shell_step_kind(EVENT_STORE);
    ck_assert(strncmp(shell.told, "not scheduled", strlen("not scheduled")) == 0);
}
END_TEST

START_TEST(a_short_gap_is_none)
{
    shell_start_and_settle();
    shell_stand_still(BEAT_MS);
    shell_step_kind(EVENT_TIMER);
    ck_assert(shell_is_not_told("not scheduled"));
}
END_TEST

START_TEST(blind_is_said_before_slipped_and_slipped_before_starting)
{
    shell.clusters[0].discover = true;
    strcpy(shell.clusters[0].discover_within, "10.0.0.0/24");
    shell.clusters[0].discover_max = 8;
    shell_answers("a1", ANSWER_TIMEOUT);
    shell_answers("a2", ANSWER_TIMEOUT);
    shell_start_unconnected();
    shell_pass(300);
    ck_assert(shell_is_told("orders abstains: blind"));
    shell_stand_still(3000);
    shell_step_kind(EVENT_TIMER);
    ck_assert(shell_is_not_told("orders abstains: slipped")); /* and still blind */
    shell_answers("a1", ANSWER_OK);
    shell_answers_as_standby("a2");
    shell_pass(300);
    ck_assert(shell_is_told("orders abstains: slipped"));
    shell_pass(INTERVAL);
    ck_assert(shell_is_told("orders abstains: starting")); /* the registry was not read yet */
}
END_TEST

/* ---- discovery and the hint ------------------------------------------------------------------ */

static void discover(void)
{
    shell.clusters[0].member_count = 1; /* a1 */
    shell.clusters[0].discover = true;
    strcpy(shell.clusters[0].discover_within, "10.0.0.0/24");
    shell.clusters[0].discover_max = 8;
    shell.clusters[0].discover_forget_ms = 3600 * 1000;
    strcpy(shell.servers[shell.server_count++].host, "10.0.0.2");
    shell_answers_as_standby("10.0.0.2");
}

START_TEST(a_probe_abstains_until_what_the_registry_knew_was_tried)
{
    discover();
    shell_put_topology(KIND_STREAMING);
    shell_server_at("10.0.0.2")->silent = true;
    shell_start();
    shell_pass(1000);
    ck_assert(strstr(shell.told, "orders discovery 0 10.0.0.2\n")); /* named, by the registry */
    ck_assert(strstr(shell.told, "open 10.0.0.2-5432\n"));          /* on trial */
    ck_assert(strstr(shell.told, "orders abstains: starting"));
    ck_assert(shell_is_not_told("orders votes"));
}
END_TEST

START_TEST(what_is_verified_is_a_member_from_its_trial_on)
{
    discover();
    shell_put_topology(KIND_STREAMING);
    shell_start();
    shell_pass(1000);
    ck_assert(strstr(shell.told, "orders discovery 1 10.0.0.2\n"));
    const char *member = strstr(shell.told, "orders/10.0.0.2-5432 ok\n");
    ck_assert_ptr_nonnull(member);
    ck_assert_ptr_nonnull(strstr(member, "orders votes"));
    ck_assert_ptr_nonnull(strstr(member, "open 10.0.0.2-5432\n")); /* a slot of its own */
}
END_TEST

START_TEST(what_was_tried_in_vain_is_not_waited_for)
{
    discover();
    shell_put_topology(KIND_STREAMING);
    shell_answers("10.0.0.2", ANSWER_TIMEOUT);
    shell_start();
    shell_pass(1000);
    ck_assert(strstr(shell.told, "orders discovery 2 10.0.0.2\n"));
    ck_assert(shell_is_told("orders votes"));
}
END_TEST

START_TEST(a_registry_that_is_away_holds_the_start_up_for_seconds_only)
{
    discover();
    shell_start_unconnected();
    shell_pass(4900);
    ck_assert(shell_is_not_told("orders votes"));
    shell_pass(400);
    ck_assert(shell_is_told("orders votes"));
}
END_TEST

START_TEST(a_reload_begins_trials_anew)
{
    discover();
    shell_put_topology(KIND_STREAMING);
    shell_server_at("10.0.0.2")->silent = true;
    shell_start();
    shell_pass(1000);
    ck_assert(shell_is_told("open 10.0.0.2-5432\n"));
    shell_step_kind(EVENT_RELOAD_ASKED);
    ck_assert(shell_is_told("close one\n"));
    shell_pass(2000);
    ck_assert(shell_is_told("open 10.0.0.2-5432\n"));
}
END_TEST

START_TEST(a_kind_that_no_server_shows_is_known_from_the_verdict)
{
    shell.clusters[0].policy.kind = KIND_AUTO;
    shell_put_topology(KIND_STREAMING);
    shell_answers("a1", ANSWER_REFUSED);
    shell_answers("a2", ANSWER_REFUSED);
    shell_start_unconnected();
    shell_pass(300);
    ck_assert(strstr(shell.told, "orders abstains"));
    ck_assert(shell_is_not_told("orders is streaming"));
    shell_renew();
    shell_pass(1000);
    ck_assert(strstr(shell.told, "orders is streaming"));
    ck_assert(shell_is_told("orders votes"));
}
END_TEST

/* ---- the cadence ----------------------------------------------------------------------------- */

START_TEST(a_change_at_one_member_makes_all_be_looked_at_closely)
{
    shell_start_and_settle();
    shell_answers("a1", ANSWER_REFUSED);
    shell_pass(1200);
    ck_assert(strstr(shell.told, "orders/a1 refused"));
    ck_assert(shell_is_told("orders looks closely: a1 refused"));
}
END_TEST

START_TEST(a_server_that_sends_unasked_is_asked_again_within_the_step)
{
    shell_start_and_settle();
    shell_pass(500); /* it was not asked just now */
    shell_answers("a1", ANSWER_REFUSED);
    shell_step(
        (struct probe_event){.kind = EVENT_UNSOLICITED, .slot = shell_server_at("a1")->slot});
    ck_assert(strstr(shell.told, "orders looks closely: a1 refused\n"));
    ck_assert(shell_is_told("orders/a1 refused"));
}
END_TEST

/* ---- the registry ---------------------------------------------------------------------------- */

START_TEST(a_registry_that_is_not_reached_is_logged_once)
{
    shell_start_unconnected();
    ensemble_halt(shell.ensemble);
    shell_renew();
    shell_pass(2900);
    ck_assert(shell_is_not_told("registry not reached"));
    shell_pass(400);
    ck_assert(shell_is_told("registry not reached"));
    shell_pass(5000);
    ck_assert(shell_is_not_told("registry not reached"));
}
END_TEST

START_TEST(a_session_that_is_over_is_renewed_and_looks_go_on_meanwhile)
{
    shell_start_and_settle();
    store_mem_expire(shell.store);
    for (int i = 0; i < 15000 && !shell.renewing; i++) {
        shell_pass(1);
    }
    ck_assert(shell_is_told("renew\n"));
    shell_answers("a1", ANSWER_REFUSED);
    shell_pass(1200);
    ck_assert(shell_is_told("orders/a1 refused"));
    shell_renew();
    shell_pass(3000);
    ck_assert_ptr_nonnull(tree_find(&shell.ensemble->head, "/roster/probes/probe-a"));
}
END_TEST

START_TEST(our_name_in_the_hands_of_one_that_lives_stops_us)
{
    struct store *rival = store_mem_new(shell.ensemble, "rival", 3600 * 1000, NULL, NULL);
    struct presence presence = {
        .probe = "probe-a", .host = "elsewhere", .pid = 9, .version = "1", .nonce = 8, .beat = 1};
    shell_put("/roster", strdup(""));
    shell_put("/roster/probes", strdup(""));
    store_renew(rival);
    shell_stand_still(50);
    char *json = presence_encode(&presence);
    store_write(
        rival, 0,
        &(struct store_op){STORE_CREATE_EPHEMERAL, "/roster/probes/probe-a", json, strlen(json), 0},
        1);
    free(json);
    shell_stand_still(50);
    shell_start();
    for (int i = 0; i < 10 && !shell.closed; i++) {
        presence.beat++;
        shell_put("/roster/probes/probe-a", presence_encode(&presence));
        shell_pass(BEAT_MS);
    }
    ck_assert(strstr(shell.told, "name conflict\n"));
    ck_assert(strstr(shell.told, "stop 1 within 1800 ms\n"));
    ck_assert(shell_is_told("close the store\n"));
}
END_TEST

/* ---- reload and stop ------------------------------------------------------------------------- */

START_TEST(a_reload_that_changes_nothing_of_a_member_spares_it)
{
    shell_start_and_settle();
    shell.clusters[0].members[1].weight = 50;
    shell_step_kind(EVENT_RELOAD_ASKED);
    ck_assert(shell_is_told("reload\norders looks closely:  the configuration was reloaded\n"));
    shell_pass(1000);
    ck_assert(shell_is_not_told("open"));
}
END_TEST

START_TEST(a_reload_closes_what_is_gone_and_opens_what_is_new)
{
    shell_start_and_settle();
    shell.clusters[0].member_count = 1;
    shell_add_member(&shell.clusters[0], "a3");
    shell_answers_as_standby("a3");
    shell_step_kind(EVENT_RELOAD_ASKED);
    shell_pass(100);
    ck_assert(strstr(shell.told, "close one\n"));
    ck_assert(shell_is_told("open a3\n"));
}
END_TEST

START_TEST(another_password_asks_everybody_anew)
{
    shell_start_and_settle();
    strcpy(shell.clusters[0].password, "another");
    shell_step_kind(EVENT_RELOAD_ASKED);
    shell_pass(100);
    ck_assert(strstr(shell.told, "close one\nclose one\n"));
    ck_assert(strstr(shell.told, "open a1\n"));
    ck_assert(shell_is_told("open a2\n"));
}
END_TEST

START_TEST(another_timeout_asks_everybody_anew)
{
    static struct config before;
    shell_start_and_settle();
    before = shell.config; /* the probe holds it until the next one was stepped */
    before.probe.timeout_ms = TIMEOUT;
    shell_step((struct probe_event){.kind = EVENT_RELOAD, .config = &before});
    shell.told[0] = '\0';
    shell.config.probe.timeout_ms = 2 * TIMEOUT;
    shell_step_kind(EVENT_RELOAD_ASKED);
    ck_assert(shell_is_told("close one\nclose one\n"));
}
END_TEST

START_TEST(a_look_in_flight_survives_a_reload_that_spares_it)
{
    shell_start_and_settle();
    shell_server_at("a1")->silent = true;
    shell_pass(1500);
    shell.clusters[0].members[0].weight = 50;
    shell_step_kind(EVENT_RELOAD_ASKED);
    shell_pass(1000);
    ck_assert(shell_is_not_told("open a1")); /* and is not asked twice at once: slot.c asserts it */
}
END_TEST

START_TEST(a_reload_waits_while_the_session_is_renewed)
{
    shell_start_unconnected();
    shell_step_kind(EVENT_RELOAD_ASKED);
    ck_assert(shell_is_not_told("reload\n"));
    shell_renew();
    ck_assert(shell_is_told("reload\n"));
}
END_TEST

START_TEST(a_stop_closes_all_and_then_the_store)
{
    shell_start_and_settle();
    shell_step_kind(EVENT_STOP);
    ck_assert(shell_is_told("close one\nclose one\nstop 0 within 1800 ms\nclose the store\n"));
    shell_step_kind(EVENT_STOP);
    shell_step_kind(EVENT_RELOAD_ASKED);
    shell_step_kind(EVENT_TIMER);
    ck_assert_str_eq(shell.told, "");
}
END_TEST

START_TEST(a_stop_waits_for_the_store_while_it_is_renewed)
{
    shell_start_unconnected();
    shell_pass(100);
    shell.told[0] = '\0';
    shell_step_kind(EVENT_STOP);
    ck_assert_str_eq(shell.told, "close one\nclose one\nstop 0 within 4500 ms\n");
    shell_renew();
    ck_assert(shell_is_told("close the store\n"));
}
END_TEST

Suite *probe_suite(void)
{
    Suite *suite = suite_create("probe");
    TCase *tcase = tcase_create("probe");
    tcase_add_checked_fixture(tcase, shell_setup, shell_teardown);
    tcase_add_test(tcase, a_probe_votes_once_every_member_was_looked_at);
    tcase_add_test(tcase, when_every_target_of_every_cluster_fails_at_once_it_is_us);
    tcase_add_test(tcase, a_definite_failure_is_seen_and_makes_nobody_blind);
    tcase_add_test(tcase, one_target_proves_nothing_of_us);
    tcase_add_test(tcase, a_cluster_that_leaves_counts_no_more);
    tcase_add_test(tcase, a_gap_in_our_own_time_is_a_slip_for_an_interval);
    tcase_add_test(tcase, a_clock_that_goes_back_is_a_slip_and_no_end);
    tcase_add_test(tcase, whatever_comes_first_after_a_gap_the_gap_is_seen_before_it_is_acted_on);
    tcase_add_test(tcase, a_short_gap_is_none);
    tcase_add_test(tcase, blind_is_said_before_slipped_and_slipped_before_starting);
    tcase_add_test(tcase, a_probe_abstains_until_what_the_registry_knew_was_tried);
    tcase_add_test(tcase, what_is_verified_is_a_member_from_its_trial_on);
    tcase_add_test(tcase, what_was_tried_in_vain_is_not_waited_for);
    tcase_add_test(tcase, a_registry_that_is_away_holds_the_start_up_for_seconds_only);
    tcase_add_test(tcase, a_reload_begins_trials_anew);
    tcase_add_test(tcase, a_kind_that_no_server_shows_is_known_from_the_verdict);
    tcase_add_test(tcase, a_change_at_one_member_makes_all_be_looked_at_closely);
    tcase_add_test(tcase, a_server_that_sends_unasked_is_asked_again_within_the_step);
    tcase_add_test(tcase, a_registry_that_is_not_reached_is_logged_once);
    tcase_add_test(tcase, a_session_that_is_over_is_renewed_and_looks_go_on_meanwhile);
    tcase_add_test(tcase, our_name_in_the_hands_of_one_that_lives_stops_us);
    tcase_add_test(tcase, a_reload_that_changes_nothing_of_a_member_spares_it);
    tcase_add_test(tcase, a_reload_closes_what_is_gone_and_opens_what_is_new);
    tcase_add_test(tcase, another_password_asks_everybody_anew);
    tcase_add_test(tcase, another_timeout_asks_everybody_anew);
    tcase_add_test(tcase, a_look_in_flight_survives_a_reload_that_spares_it);
    tcase_add_test(tcase, a_reload_waits_while_the_session_is_renewed);
    tcase_add_test(tcase, a_stop_closes_all_and_then_the_store);
    tcase_add_test(tcase, a_stop_waits_for_the_store_while_it_is_renewed);
    suite_add_tcase(suite, tcase);
    return suite;
}
