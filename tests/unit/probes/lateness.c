#include "probes/lateness.h"

#include "tests/unit/unit.h"

static struct lateness lateness;

static void setup(void)
{
    lateness = (struct lateness){0};
}

START_TEST(timers_that_run_in_time_are_not_late)
{
    for (int64_t now_ms = 1000; now_ms < 2000; now_ms += 25) {
        lateness_woke(&lateness, now_ms - LATE_MS + 1, now_ms);
    }
    ck_assert_int_eq(lateness.total_ms, 0);
}
END_TEST

START_TEST(what_a_timer_is_late_is_added_up)
{
    lateness_woke(&lateness, 1000, 1040);
    lateness_woke(&lateness, 1100, 1110);
    ck_assert_int_eq(lateness.total_ms, 50);
}
END_TEST

START_TEST(what_two_timers_are_late_together_counts_once)
{
    lateness_woke(&lateness, 1000, 1040);
    lateness_woke(&lateness, 1010, 1040);
    lateness_woke(&lateness, 1020, 1050);
    ck_assert_int_eq(lateness.total_ms, 50);
}
END_TEST

Suite *lateness_suite(void)
{
    Suite *suite = suite_create("lateness");
    TCase *tcase = tcase_create("lateness");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, timers_that_run_in_time_are_not_late);
    tcase_add_test(tcase, what_a_timer_is_late_is_added_up);
    tcase_add_test(tcase, what_two_timers_are_late_together_counts_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
