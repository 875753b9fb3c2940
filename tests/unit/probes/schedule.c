#include "probes/schedule.h"

#include "tests/unit/unit.h"

enum { INTERVAL = 1000, ALERT = 25, START = 5000 };

static struct schedule schedule;
static struct look_times times;

/* Past the alarm of the beginning, with a writer in sight. */
static int64_t begin_quiet(void)
{
    schedule_init(&schedule, INTERVAL, ALERT, START);
    schedule_writer(&schedule, true, START);
    times = (struct look_times){0};
    return START + ALARM_HOLD_MS;
}

/* Begins and ends a look in `took` milliseconds; returns how long the next one waits from its end.
 */
static int64_t look(enum answer answer, int64_t now_ms, int64_t took_ms)
{
    look_times_begin(&times, now_ms);
    ck_assert(times.in_flight);
    look_times_end(&times, &schedule, answer, now_ms + took_ms, now_ms + took_ms, 0, 1);
    ck_assert(!times.in_flight);
    return times.due_ms - (now_ms + took_ms);
}

START_TEST(it_begins_alarmed_and_goes_quiet_once_there_is_a_writer)
{
    schedule_init(&schedule, INTERVAL, ALERT, START);
    ck_assert_int_eq(schedule_gap(&schedule, START), ALERT);
    schedule_writer(&schedule, true, START + 100);
    ck_assert_int_eq(schedule_gap(&schedule, START + ALARM_HOLD_MS - 1), ALERT);
    ck_assert_int_eq(schedule_gap(&schedule, START + ALARM_HOLD_MS), INTERVAL);
}
END_TEST

START_TEST(without_a_writer_it_searches_closely_then_slowly_then_rests)
{
    int64_t lost_ms = begin_quiet();
    schedule_writer(&schedule, false, lost_ms);
    /* saying it again does not start it anew */
    schedule_writer(&schedule, false, lost_ms + 5000);
    ck_assert_int_eq(schedule_gap(&schedule, lost_ms + SEARCH_MS - 1), ALERT);
    ck_assert_int_eq(schedule_gap(&schedule, lost_ms + SEARCH_MS), SEARCH_SLOW_MS);
    ck_assert_int_eq(schedule_gap(&schedule, lost_ms + SEARCH_MS + SEARCH_LONG_MS - 1),
                     SEARCH_SLOW_MS);
    ck_assert_int_eq(schedule_gap(&schedule, lost_ms + SEARCH_MS + SEARCH_LONG_MS), INTERVAL);
}
END_TEST

START_TEST(the_slow_search_is_never_faster_than_the_alarm_nor_slower_than_the_interval)
{
    schedule_init(&schedule, INTERVAL, 400, START);
    ck_assert_int_eq(schedule_gap(&schedule, START + SEARCH_MS + 1), 400);
    schedule_init(&schedule, 50, ALERT, START);
    ck_assert_int_eq(schedule_gap(&schedule, START + SEARCH_MS + 1), 50);
}
END_TEST

START_TEST(an_alarm_is_news_only_when_it_was_quiet)
{
    int64_t now_ms = begin_quiet();
    ck_assert(schedule_alarm(&schedule, now_ms));
    ck_assert(!schedule_alarm(&schedule, now_ms + 10));
    ck_assert_int_eq(schedule_gap(&schedule, now_ms + 10 + ALARM_HOLD_MS - 1), ALERT);
    ck_assert_int_eq(schedule_gap(&schedule, now_ms + 10 + ALARM_HOLD_MS), INTERVAL);
    ck_assert(schedule_alarm(&schedule, now_ms + 10 + ALARM_HOLD_MS));
}
END_TEST

START_TEST(an_alarmed_look_is_due_a_gap_after_it_began)
{
    begin_quiet();
    schedule_alarm(&schedule, START);
    ck_assert_int_eq(look(ANSWER_OK, START, 5), ALERT - 5);
    ck_assert_int_eq(look(ANSWER_OK, START, 80), 0); /* a slow one is followed at once */
}
END_TEST

START_TEST(quiet_looks_of_a_fleet_are_interleaved)
{
    int64_t now_ms = begin_quiet();
    for (size_t rank = 0; rank < 4; rank++) {
        look_times_begin(&times, now_ms);
        look_times_end(&times, &schedule, ANSWER_OK, now_ms, now_ms, rank, 4);
        ck_assert_int_eq(times.due_ms % INTERVAL, (int64_t)rank * INTERVAL / 4);
        ck_assert_int_ge(times.due_ms - now_ms, INTERVAL / 2);
        ck_assert_int_le(times.due_ms - now_ms, INTERVAL * 3 / 2);
    }
}
END_TEST

START_TEST(the_primary_is_looked_at_a_moment_before_the_others)
{
    int64_t now_ms = begin_quiet();
    times.after_ms = FOLLOW_MS;
    look_times_begin(&times, now_ms);
    look_times_end(&times, &schedule, ANSWER_OK, now_ms, now_ms, 1, 4);
    ck_assert_int_eq(times.due_ms % INTERVAL, INTERVAL / 4 + FOLLOW_MS);
    times.after_ms = 0;
}
END_TEST

START_TEST(a_wall_clock_before_1970_and_a_fleet_of_nobody_do_no_harm)
{
    int64_t now_ms = begin_quiet();
    look_times_begin(&times, now_ms);
    look_times_end(&times, &schedule, ANSWER_OK, now_ms, -123456789, 0, 0);
    ck_assert_int_ge(times.due_ms - now_ms, INTERVAL / 2);
    ck_assert_int_le(times.due_ms - now_ms, INTERVAL * 3 / 2);
}
END_TEST

START_TEST(no_alarm_brings_a_look_forward_that_must_wait)
{
    begin_quiet();
    schedule_alarm(&schedule, START);
    times.not_before_ms = START + 7000;
    ck_assert_int_eq(look(ANSWER_AUTH, START, 1), 7000 - 1);
    look_times_expedite(&times, &schedule, ANSWER_AUTH, START + 100);
    ck_assert_int_eq(times.due_ms, START + 7000);
}
END_TEST

START_TEST(a_saturated_server_is_not_pressed)
{
    begin_quiet();
    schedule_alarm(&schedule, START);
    ck_assert_int_ge(look(ANSWER_SATURATED, START, 1), INTERVAL / 2);
    int64_t due_ms = times.due_ms;
    look_times_expedite(&times, &schedule, ANSWER_SATURATED, START + 1);
    ck_assert_int_eq(times.due_ms, due_ms);
}
END_TEST

START_TEST(a_server_that_refuses_the_statement_again_is_not_pressed)
{
    begin_quiet();
    schedule_alarm(&schedule, START);
    ck_assert_int_le(look(ANSWER_PRIVILEGE, START, 1), ALERT);
    ck_assert_int_ge(look(ANSWER_PRIVILEGE, START + ALERT, 1), INTERVAL / 2);
    int64_t due_ms = times.due_ms;
    look_times_expedite(&times, &schedule, ANSWER_PRIVILEGE, START + ALERT + 2);
    ck_assert_int_eq(times.due_ms, due_ms);
    ck_assert_int_le(look(ANSWER_OK, due_ms, 1), INTERVAL + INTERVAL / 2);
    look_times_expedite(&times, &schedule, ANSWER_PRIVILEGE, due_ms + ALERT);
    ck_assert_int_lt(times.due_ms, due_ms + 2 * ALERT); /* that is over */
}
END_TEST

START_TEST(expediting_brings_a_waiting_look_forward_and_never_back)
{
    int64_t now_ms = begin_quiet();
    look(ANSWER_OK, now_ms, 1);
    schedule_alarm(&schedule, now_ms + 400);
    look_times_expedite(&times, &schedule, ANSWER_OK, now_ms + 400);
    ck_assert_int_eq(times.due_ms, now_ms + 400);
    look(ANSWER_OK, now_ms + 400, 1);
    look_times_expedite(&times, &schedule, ANSWER_OK, now_ms + 401); /* it was just looked at */
    ck_assert_int_eq(times.due_ms, now_ms + 400 + ALERT);
}
END_TEST

START_TEST(a_look_in_flight_is_not_expedited)
{
    int64_t now_ms = begin_quiet();
    look_times_begin(&times, now_ms);
    times.due_ms = now_ms + 777;
    look_times_expedite(&times, &schedule, ANSWER_OK, now_ms + 1);
    ck_assert_int_eq(times.due_ms, now_ms + 777);
}
END_TEST

START_TEST(a_reload_changes_the_cadence_and_keeps_the_alarm)
{
    int64_t now_ms = begin_quiet();
    schedule_alarm(&schedule, now_ms);
    schedule_reload(&schedule, 200, 10);
    ck_assert_int_eq(schedule_gap(&schedule, now_ms + 1), 10);
    ck_assert_int_eq(schedule_gap(&schedule, now_ms + ALARM_HOLD_MS), 200);
}
END_TEST

Suite *schedule_suite(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tcase = tcase_create("schedule");
    tcase_add_test(tcase, it_begins_alarmed_and_goes_quiet_once_there_is_a_writer);
    tcase_add_test(tcase, without_a_writer_it_searches_closely_then_slowly_then_rests);
    tcase_add_test(tcase,
                   the_slow_search_is_never_faster_than_the_alarm_nor_slower_than_the_interval);
    tcase_add_test(tcase, an_alarm_is_news_only_when_it_was_quiet);
    tcase_add_test(tcase, an_alarmed_look_is_due_a_gap_after_it_began);
    tcase_add_test(tcase, quiet_looks_of_a_fleet_are_interleaved);
    tcase_add_test(tcase, the_primary_is_looked_at_a_moment_before_the_others);
    tcase_add_test(tcase, a_wall_clock_before_1970_and_a_fleet_of_nobody_do_no_harm);
    tcase_add_test(tcase, no_alarm_brings_a_look_forward_that_must_wait);
    tcase_add_test(tcase, a_saturated_server_is_not_pressed);
    tcase_add_test(tcase, a_server_that_refuses_the_statement_again_is_not_pressed);
    tcase_add_test(tcase, expediting_brings_a_waiting_look_forward_and_never_back);
    tcase_add_test(tcase, a_look_in_flight_is_not_expedited);
    tcase_add_test(tcase, a_reload_changes_the_cadence_and_keeps_the_alarm);
    suite_add_tcase(suite, tcase);
    return suite;
}
