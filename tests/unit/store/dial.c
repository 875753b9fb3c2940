/* Pauses between dials, and what a failure is put down to. */
#include "registry/store/dial.h"

#include <errno.h>
#include <string.h>

#include "registry/base/limits.h"
#include "tests/unit/unit.h"

START_TEST(without_a_session_to_keep_pauses_grow_with_jitter)
{
    static const struct {
        unsigned failures;
        int64_t low_ms, high_ms;
    } steps[] = {{0, 0, 0},        {1, 1000, 2000},   {2, 2000, 4000},          {3, 4000, 8000},
                 {4, 5000, 10000}, {40, 5000, 10000}, {UINT32_MAX, 5000, 10000}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (uint64_t chance = 0; chance < 20000; chance += 37) {
            int64_t ms = dial_pause_ms(steps[i].failures, 0, chance);
            ck_assert_int_ge(ms, steps[i].low_ms);
            ck_assert_int_le(ms, steps[i].high_ms);
        }
        ck_assert_int_eq(dial_pause_ms(steps[i].failures, 0, 0), steps[i].low_ms);
    }
    ck_assert_int_ne(dial_pause_ms(1, 0, 17), dial_pause_ms(1, 0, 18));
}
END_TEST

START_TEST(a_session_that_may_be_kept_is_worth_more_dials)
{
    int64_t before_ms = 0;
    for (unsigned failures = 1; failures < 50; failures++) {
        int64_t ms = dial_pause_ms(failures, 10000, UINT64_MAX);
        ck_assert_int_le(ms, 1000);
        ck_assert_int_ge(dial_pause_ms(failures, 10000, 0), before_ms / 2);
        before_ms = ms;
    }
    ck_assert_int_le(dial_pause_ms(50, 1000, UINT64_MAX), 100);
    ck_assert_int_eq(dial_pause_ms(0, 10000, 5), 0);
}
END_TEST

START_TEST(what_is_to_be_mended_is_told_and_what_is_merely_away_is_not)
{
    char why[SENTENCE_SIZE] = "";
    static const int away[] = {0, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH};
    for (size_t i = 0; i < sizeof away / sizeof *away; i++) {
        struct dial_failure failure = {.error = away[i], .rounds = 100, .lasting_ms = 100000};
        ck_assert(!dial_explain(&failure, why, sizeof why));
    }
    ck_assert(dial_explain(&(struct dial_failure){EMFILE, 1, 0}, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "Too many open files"));
    /* an election looks the same, for a moment */
    ck_assert(!dial_explain(&(struct dial_failure){EHOSTDOWN, 30, 2999}, why, sizeof why));
    ck_assert(!dial_explain(&(struct dial_failure){EHOSTDOWN, 2, 60000}, why, sizeof why));
    ck_assert(dial_explain(&(struct dial_failure){EHOSTDOWN, 3, 3000}, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "maxClientCnxns"));
}
END_TEST

START_TEST(a_write_that_breaks_each_link_is_put_down_to_its_size)
{
    char why[SENTENCE_SIZE] = "";
    ck_assert(!dial_explain_write(1, "/roster/a", 5000, why, sizeof why));
    ck_assert(dial_explain_write(2, "/roster/a", 5000, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "a write of 5000 bytes to /roster/a"));
    ck_assert_ptr_nonnull(strstr(why, "jute.maxbuffer"));
}
END_TEST

Suite *dial_suite(void)
{
    Suite *suite = suite_create("dial");
    TCase *tests = tcase_create("dial");
    tcase_add_test(tests, without_a_session_to_keep_pauses_grow_with_jitter);
    tcase_add_test(tests, a_session_that_may_be_kept_is_worth_more_dials);
    tcase_add_test(tests, what_is_to_be_mended_is_told_and_what_is_merely_away_is_not);
    tcase_add_test(tests, a_write_that_breaks_each_link_is_put_down_to_its_size);
    suite_add_tcase(suite, tests);
    return suite;
}
