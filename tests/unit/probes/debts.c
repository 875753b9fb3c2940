#include "probes/debts.h"

#include "tests/unit/unit.h"

enum { START = 5000 };

static struct debts debts;

static void setup(void)
{
    debts_init(&debts, START);
}

/* How long the next log-in waits after one that ended so. */
static int64_t wait_after(enum answer answer, enum remains remains)
{
    int64_t now_ms = debts.not_before_ms;
    debts_end(&debts, answer, remains, true, now_ms);
    return debts.not_before_ms - now_ms;
}

START_TEST(a_refused_account_is_asked_more_and_more_rarely)
{
    static const int64_t waits[] = {5000, 10000, 20000, 40000, 60000, 60000};
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        ck_assert_int_eq(wait_after(ANSWER_AUTH, REMAINS_NOTHING), waits[i]);
        ck_assert(!debts_allow(&debts, debts.not_before_ms - 1));
        ck_assert(debts_allow(&debts, debts.not_before_ms));
    }
    wait_after(ANSWER_OK, REMAINS_SESSION);
    ck_assert_int_eq(wait_after(ANSWER_AUTH, REMAINS_NOTHING), 5000);
}
END_TEST

START_TEST(handshakes_broken_off_wait_longer_and_longer)
{
    static const int64_t waits[] = {0, 0, 5000, 10000, 20000, 30000, 30000};
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        ck_assert_int_eq(wait_after(ANSWER_TLS, REMAINS_BREAK), waits[i]);
    }
}
END_TEST

START_TEST(a_day_of_broken_handshakes_does_not_reach_a_hundred_before_half_of_it)
{
    int64_t until_ms = START + 8 * 3600 * 1000;
    int count = 0;
    while (debts.not_before_ms < until_ms) {
        wait_after(ANSWER_TLS, REMAINS_BREAK);
        count++;
    }
    ck_assert_int_lt(count, 100);
    ck_assert_int_lt(debts_count(&debts, false, until_ms).handshakes, BREAKS_KEPT);
}
END_TEST

START_TEST(sessions_in_doubt_are_bounded)
{
    static const int64_t waits[] = {0, 1000, 2000, 4000, 600000, 600000};
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        ck_assert_int_eq(wait_after(ANSWER_STALLED, REMAINS_DOUBT), waits[i]);
    }
    ck_assert_uint_eq(debts_count(&debts, true, START).sessions, SESSIONS_MOST);
}
END_TEST

START_TEST(a_server_that_starts_anew_has_none_of_them)
{
    static const enum answer anew[] = {ANSWER_REFUSED, ANSWER_STARTING, ANSWER_OK};
    for (size_t i = 0; i < sizeof anew / sizeof *anew; i++) {
        wait_after(ANSWER_STALLED, REMAINS_DOUBT);
        wait_after(ANSWER_STALLED, REMAINS_DOUBT);
        wait_after(ANSWER_TLS, REMAINS_BREAK);
        ck_assert_int_eq(wait_after(anew[i], REMAINS_NOTHING), 0);
        ck_assert_uint_eq(debts_count(&debts, false, debts.not_before_ms).sessions, 0);
    }
}
END_TEST

START_TEST(an_answer_over_an_old_session_pays_nothing)
{
    wait_after(ANSWER_STALLED, REMAINS_DOUBT);
    debts_end(&debts, ANSWER_OK, REMAINS_SESSION, false, START);
    ck_assert_uint_eq(debts_count(&debts, false, START).sessions, 1);
}
END_TEST

START_TEST(a_pardon_counts_at_once_and_not_again_and_again)
{
    wait_after(ANSWER_TLS, REMAINS_BREAK);
    wait_after(ANSWER_TLS, REMAINS_BREAK);
    int64_t now_ms = debts.not_before_ms;
    wait_after(ANSWER_TLS, REMAINS_BREAK);
    ck_assert(debts_pardon(&debts, now_ms + 1));
    ck_assert(debts_allow(&debts, now_ms + 1));
    ck_assert(!debts_pardon(&debts, now_ms + 2));
    ck_assert(debts_pardon(&debts, now_ms + 1 + PARDON_MS));
}
END_TEST

START_TEST(handshakes_are_counted_for_a_minute)
{
    wait_after(ANSWER_TLS, REMAINS_BREAK);
    ck_assert_uint_eq(debts_count(&debts, false, START + 59999).handshakes, 1);
    ck_assert_uint_eq(debts_count(&debts, false, START + 60000).handshakes, 0);
}
END_TEST

Suite *debts_suite(void)
{
    Suite *suite = suite_create("debts");
    TCase *tcase = tcase_create("debts");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_refused_account_is_asked_more_and_more_rarely);
    tcase_add_test(tcase, handshakes_broken_off_wait_longer_and_longer);
    tcase_add_test(tcase, a_day_of_broken_handshakes_does_not_reach_a_hundred_before_half_of_it);
    tcase_add_test(tcase, sessions_in_doubt_are_bounded);
    tcase_add_test(tcase, a_server_that_starts_anew_has_none_of_them);
    tcase_add_test(tcase, an_answer_over_an_old_session_pays_nothing);
    tcase_add_test(tcase, a_pardon_counts_at_once_and_not_again_and_again);
    tcase_add_test(tcase, handshakes_are_counted_for_a_minute);
    suite_add_tcase(suite, tcase);
    return suite;
}
