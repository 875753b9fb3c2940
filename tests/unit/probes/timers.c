#include "probes/timers.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

enum { MANY = 200 };

static struct timers timers;
static struct timer all[MANY];

static void setup(void)
{
    timers = (struct timers){0};
    for (int i = 0; i < MANY; i++) {
        ck_assert(timers_add(&timers, &all[i], i, NULL));
    }
}

static void teardown(void)
{
    timers_release(&timers);
}

START_TEST(timers_come_in_the_order_in_which_they_are_due)
{
    for (int i = 0; i < MANY; i++) {
        timers_set(&timers, &all[i], (i * 7919) % 1000);
    }
    int64_t latest_ms = -1;
    for (int i = 0; i < MANY; i++) {
        int64_t due_ms = timers_due(&timers);
        ck_assert_ptr_null(timers_take(&timers, due_ms - 1));
        ck_assert_ptr_nonnull(timers_take(&timers, due_ms));
        ck_assert_int_ge(due_ms, latest_ms);
        latest_ms = due_ms;
    }
    ck_assert_int_eq(timers_due(&timers), TIMER_NEVER);
}
END_TEST

START_TEST(one_that_was_taken_is_set_no_more_and_can_be_set_again)
{
    timers_set(&timers, &all[3], 10);
    ck_assert_ptr_eq(timers_take(&timers, 10), &all[3]);
    ck_assert_ptr_null(timers_take(&timers, 10));
    timers_set(&timers, &all[3], 5);
    ck_assert_int_eq(timers_due(&timers), 5);
}
END_TEST

START_TEST(one_can_be_put_off_or_taken_out)
{
    timers_set(&timers, &all[1], 10);
    timers_set(&timers, &all[2], 20);
    timers_set(&timers, &all[1], 30);
    ck_assert_int_eq(timers_due(&timers), 20);
    timers_remove(&timers, &all[2]);
    ck_assert_int_eq(timers_due(&timers), 30);
    ck_assert_ptr_eq(timers_take(&timers, 30), &all[1]);
}
END_TEST

Suite *timers_suite(void)
{
    Suite *suite = suite_create("timers");
    TCase *tcase = tcase_create("timers");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, timers_come_in_the_order_in_which_they_are_due);
    tcase_add_test(tcase, one_that_was_taken_is_set_no_more_and_can_be_set_again);
    tcase_add_test(tcase, one_can_be_put_off_or_taken_out);
    suite_add_tcase(suite, tcase);
    return suite;
}
