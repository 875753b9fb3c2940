/* The watcher: how old is what it holds, while links break, probes die and processes sleep. */
#include "tests/unit/unit.h"
#include "tests/unit/watchers/fake_registry.h"

/* ---- age ------------------------------------------------------------------------------------- */

START_TEST(age_is_nothing_while_the_fleet_stands_behind_it)
{
    fake_pass(3600 * 1000);
    ck_assert_int_eq(fake_age_ms(), 0);
    ck_assert_int_ge(fake.orders->confirmed_ms, fake.now_ms - 2000);
    ck_assert_int_eq(fake.orders->witnesses_now, 2);
}
END_TEST

START_TEST(age_grows_while_the_registry_is_silent_for_hours)
{
    fake_disconnect(STORE_DOWN);
    ck_assert_int_eq(fake.orders->witnesses_now, -1);
    fake_pass(73 * 3600 * 1000LL);
    ck_assert_int_eq(fake_age_ms(), 73 * 3600 * 1000LL);
    assert_primary("pg-1");
    ck_assert_int_eq(fake.topologies, 1);
    for (int i = 0; i < 100; i++) {
        fake_disconnect(STORE_GONE);
    }
    ck_assert_int_eq(fake_count_logged("routing goes on"), 1); /* logged once, however long */
    fake_put_topology(2, "pg-2");
    fake_connect(true);
    assert_primary("pg-2");
    ck_assert_int_eq(fake_age_ms(), 0);
}
END_TEST

START_TEST(age_grows_while_none_of_the_evidences_probes_is_present)
{
    static const char *const stray[] = {"stray"};
    fake_present(1, stray);
    fake_pass(40000);
    ck_assert_int_eq(fake_age_ms(), 40000);
    ck_assert_int_eq(fake.orders->witnesses_now, 0);
    fake_present(3, fake_probes);
    ck_assert_int_eq(fake_age_ms(), 0);
    fake_take("/roster/probes");
    fake_pass(5000);
    ck_assert_int_eq(fake_age_ms(), 5000);
}
END_TEST

START_TEST(age_grows_while_what_the_registry_holds_is_refused)
{
    fake_put(fake_topology_path, "garbage");
    fake_pass(9000);
    ck_assert_int_eq(fake_age_ms(), 9000);
}
END_TEST

START_TEST(a_cold_start_without_probes_counts_from_the_verdict)
{
    fake_teardown();
    fake_prepare();
    fake_present(0, NULL);
    fake.wall_ms += 86400000;
    fake_follow();
    fake_connect(true);
    ck_assert_int_eq(fake_age_ms(), 86400000);
    fake_put_topology(2, "pg-2"); /* somebody decided just now */
    ck_assert_int_eq(fake_age_ms(), 0);
    fake_pass(2000);
    ck_assert_int_eq(fake_age_ms(), 2000);
}
END_TEST

START_TEST(a_verdict_from_a_clock_ahead_has_no_known_age)
{
    fake_teardown();
    fake_prepare();
    fake_present(0, NULL);
    fake.wall_ms -= 3600000;
    fake_follow();
    fake_connect(true);
    ck_assert_int_eq(fake.orders->confirmed_ms, CONFIRMED_NEVER);
    fake_pass(5000);
    ck_assert_int_eq(fake.orders->confirmed_ms, CONFIRMED_NEVER);
    fake_present(3, fake_probes); /* the fleet itself */
    ck_assert_int_eq(fake_age_ms(), 0);
    ck_assert_int_ge(fake.orders->confirmed_ms, fake.now_ms - 2000);
}
END_TEST

START_TEST(age_grows_from_the_last_answer_and_not_from_when_silence_is_noticed)
{
    fake_pass(10000);
    int64_t heard_ms = fake.orders->confirmed_ms;
    fake.silent = true; /* it accepts what it is asked, and answers no more */
    fake_pass(6000);
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
    ck_assert_int_eq(fake.orders->confirmed_ms, heard_ms);
    ck_assert_int_eq(fake_count_requests(true), 1); /* one sync is under way, not one a second */
    fake_disconnect(STORE_DOWN);
    ck_assert_int_eq(fake.orders->confirmed_ms, heard_ms);
    fake.silent = false;
    fake_connect(false);
    ck_assert_int_eq(fake.orders->confirmed_ms, fake.now_ms);
}
END_TEST

START_TEST(an_answer_confirms_nothing_that_changed_meanwhile)
{
    fake_pass(1000);
    int64_t before_ms = fake.orders->confirmed_ms;
    fake.silent = true;
    fake_pass(3000); /* a sync is asked for, */
    fake_put_topology(2, "pg-2");
    fake.silent = false;
    fake_answer_one(); /* and answered while the topology is read anew */
    ck_assert_int_eq(fake.orders->confirmed_ms, before_ms);
    fake_answer_all();
    assert_primary("pg-2");
    ck_assert_int_gt(fake.orders->confirmed_ms, before_ms);
}
END_TEST

START_TEST(the_registry_is_asked_as_often_as_a_callers_limit_needs)
{
    int asked = fake.syncs;
    fake_pass(20000);
    ck_assert_int_le(fake.syncs - asked, 11);
    ck_assert_int_ge(fake.syncs - asked, 9);
    watcher_limit_age(fake.watcher, 400);
    for (int i = 0; i < 100; i++) {
        int64_t due_ms = watcher_tick(fake.watcher, fake_now());
        fake_answer_all();
        ck_assert_int_le(fake.now_ms - fake.orders->confirmed_ms, 200);
        due_ms = due_ms > fake.now_ms ? due_ms : fake.now_ms + 100;
        fake.now_ms = due_ms < fake.now_ms + 100 ? due_ms : fake.now_ms + 100;
    }
    asked = fake.syncs;
    watcher_limit_age(fake.watcher, 1);
    for (int i = 0; i < 1000; i++) {
        fake.now_ms++;
        watcher_tick(fake.watcher, fake_now());
        fake_answer_all();
    }
    ck_assert_int_le(fake.syncs - asked, 20); /* however little a caller takes */
}
END_TEST

START_TEST(a_process_that_was_stopped_doubts_before_it_believes)
{
    int64_t before_ms = fake.now_ms;
    fake.now_ms += 600000;
    watcher_tick(fake.watcher, fake_now());
    ck_assert_int_ne(fake.orders->belief, BELIEF_FRESH);
    ck_assert_int_eq(fake.orders->confirmed_ms, before_ms);
    fake_answer_all();
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
}
END_TEST

START_TEST(a_clock_that_goes_back_ends_nothing_but_the_belief)
{
    fake.now_ms -= 5000; /* thawed on another host */
    watcher_tick(fake.watcher, fake_now());
    ck_assert_int_eq(fake.orders->belief, BELIEF_HELD);
    fake_answer_all();
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
    assert_primary("pg-1");
}
END_TEST

START_TEST(a_flapping_link_changes_nothing_but_the_age)
{
    for (int i = 0; i < 50; i++) {
        fake_disconnect(i % 5 ? STORE_DOWN : STORE_GONE);
        fake_pass(100);
        ck_assert_int_eq(fake_age_ms(), 100);
        fake_connect(i % 5 == 0);
        ck_assert_int_eq(fake_age_ms(), 0);
    }
    ck_assert_int_eq(fake.topologies, 1);
    assert_primary("pg-1");
}
END_TEST

Suite *age_suite(void)
{
    const TTest *const all[] = {age_is_nothing_while_the_fleet_stands_behind_it,
                                age_grows_while_the_registry_is_silent_for_hours,
                                age_grows_while_none_of_the_evidences_probes_is_present,
                                age_grows_while_what_the_registry_holds_is_refused,
                                a_cold_start_without_probes_counts_from_the_verdict,
                                a_verdict_from_a_clock_ahead_has_no_known_age,
                                age_grows_from_the_last_answer_and_not_from_when_silence_is_noticed,
                                an_answer_confirms_nothing_that_changed_meanwhile,
                                the_registry_is_asked_as_often_as_a_callers_limit_needs,
                                a_process_that_was_stopped_doubts_before_it_believes,
                                a_clock_that_goes_back_ends_nothing_but_the_belief,
                                a_flapping_link_changes_nothing_but_the_age};
    Suite *suite = suite_create("age");
    TCase *tests = tcase_create("age");
    tcase_add_checked_fixture(tests, fake_setup, fake_teardown);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tcase_add_test(tests, all[i]);
    }
    suite_add_tcase(suite, tests);
    return suite;
}
