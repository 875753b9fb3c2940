#include "registry/base/damper.h"

#include <stdio.h>

#include "tests/unit/unit.h"

enum { DAY_MS = 24 * 3600 * 1000, HOUR_MS = 3600 * 1000 };

static struct damper damper;
static int64_t now_ms;
static int told;
static unsigned long kept_back, accounted;

static void setup(void)
{
    damper = (struct damper){.spent_until_ms = 0};
    now_ms = 1000000;
    told = 0;
    accounted = 0;
}

static bool say(const char *subject, const char *sentence)
{
    bool tells = damper_tells(&damper, subject, sentence, now_ms, &kept_back);
    told += tells;
    accounted += tells ? kept_back + 1 : 0;
    return tells;
}

START_TEST(what_is_new_is_told_at_once)
{
    ck_assert(say("orders", "the first"));
    ck_assert(say("orders", "the second"));
    ck_assert(say("sales", "the first"));
    ck_assert_uint_eq(kept_back, 0);
}
END_TEST

START_TEST(what_goes_on_is_told_more_and_more_rarely_and_counted)
{
    int64_t latest_ms = 0, gap_ms = 0;
    for (int64_t i = 0; i < 3000; i++, now_ms += 100) {
        if (say("registry", "writing is denied") && told > DAMPER_BURST + 1) {
            ck_assert_int_gt(now_ms - latest_ms, gap_ms);
            gap_ms = now_ms - latest_ms;
        }
        latest_ms = kept_back || told == DAMPER_BURST ? now_ms : latest_ms;
        kept_back = 0;
    }
    ck_assert_int_eq(told, DAMPER_BURST + 5); /* after 5, 15, 35, 75 and 155 s */
    ck_assert_uint_gt(accounted, 1400);
}
END_TEST

START_TEST(numbers_make_no_other_line_and_names_do)
{
    for (int i = 0; i < DAMPER_BURST; i++) {
        char sentence[100];
        snprintf(sentence, sizeof sentence, "session 0x%x at 10.0.0.%d:5432, +%d ms", i * 77, i, i);
        ck_assert(say("registry", sentence));
    }
    ck_assert(!say("registry", "session 0xabc at 127.0.0.1:1, +999999 ms"));
    for (int i = 0; i < 2 * DAMPER_BURST; i++) {
        char sentence[100];
        snprintf(sentence, sizeof sentence, "primary went pg-%d", i);
        ck_assert(say("orders", sentence));
    }
}
END_TEST

START_TEST(what_was_quiet_for_long_is_new)
{
    for (int i = 0; i < 1000; i++, now_ms += 1000) {
        say("orders/pg-1", "went saturated");
    }
    now_ms += DAMPER_FORGET_MS;
    ck_assert(say("orders/pg-1", "went saturated"));
    ck_assert_uint_eq(kept_back, 0);
}
END_TEST

/* Troubles that a day is made of: how often each happens, and its lines. */
static const struct {
    int64_t each_ms;
    int members; /* of whom it is told */
    const char *lines[4];
} troubles[] = {
    {200, 1, {"writing below /roster/clusters/orders is denied: check [registry] auth"}},
    {700,
     1,
     {"the session is over", "connected, a new session, session", "follows registry cd9348fd"}},
    {5000, 1, {"the connection is lost", "connected again, session"}},
    {50, 1, {"went saturated: sorry, too many clients", "answers: no replica, version 15.18"}},
    {1500, 1, {"state went suspect (rule kept) by=a", "state went ok (rule sole-claimant) by=b"}},
    {7000, 1, {"primary went my-1 (rule tie) epoch", "primary went none epoch"}},
    {130000, 1, {"went stalled: no answer within 500 ms", "answers: a replica"}},
    {5000, 32, {"went timeout: no connection within", "answers: a replica"}},
    {1000, 20, {"was not looked at: Too many open files"}},
    {20000, 200, {"went unreachable", "answers"}},
};

static void say_of(int member, const char *line)
{
    char subject[32], sentence[200];
    snprintf(subject, sizeof subject, "orders/m-%d", member);
    snprintf(sentence, sizeof sentence, "%s %lld", line, (long long)now_ms);
    say(subject, sentence);
}

START_TEST(a_day_of_any_standing_trouble_stays_below_a_thousand_lines)
{
    int fewest = troubles[_i].members * (troubles[_i].lines[1] ? 2 : 1);
    int64_t end_ms = now_ms + DAY_MS;
    for (; now_ms < end_ms; now_ms += troubles[_i].each_ms) {
        for (int m = 0; m < troubles[_i].members; m++) {
            for (size_t k = 0; troubles[_i].lines[k]; k++) {
                say_of(m, troubles[_i].lines[k]);
            }
        }
    }
    ck_assert_int_lt(told, 1000);
    ck_assert_int_ge(told, fewest);
}
END_TEST

Suite *damper_suite(void)
{
    Suite *suite = suite_create("damper");
    TCase *tcase = tcase_create("damper");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_is_new_is_told_at_once);
    tcase_add_test(tcase, what_goes_on_is_told_more_and_more_rarely_and_counted);
    tcase_add_test(tcase, numbers_make_no_other_line_and_names_do);
    tcase_add_test(tcase, what_was_quiet_for_long_is_new);
    tcase_add_loop_test(tcase, a_day_of_any_standing_trouble_stays_below_a_thousand_lines, 0,
                        (int)(sizeof troubles / sizeof *troubles));
    suite_add_tcase(suite, tcase);
    return suite;
}
