/* What one probe can witness about a change of the primary. */
#include "probes/assess/incumbent.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { INTERVAL = 1000 };

static const struct probe_settings settings = {
    .interval_ms = INTERVAL, .alert_interval_ms = 25, .timeout_ms = 500, .rise = 1, .fall = 1};
static struct assessment assessment;
static struct topology topology;
static struct report report;
static int64_t now_ms;

static const char all_ten[] = "0-1-10", seven[] = "0-1-7";

static struct observation server(bool writable, const char *gtids)
{
    struct observation facts = {.answer = ANSWER_OK,
                                .version = "10.11.19-MariaDB",
                                .writable = writable,
                                .start_ms = -1,
                                .uptime_ms = -1,
                                .position = -1,
                                .received = -1,
                                .lag_ms = -1};
    strcpy(facts.gtids, gtids);
    return facts;
}

static struct observation failure(enum answer answer)
{
    return (struct observation){.answer = answer, .position = -1, .received = -1, .lag_ms = -1};
}

static void look(size_t i, struct observation observation)
{
    assess_look(&assessment, i, &observation, NULL, now_ms, now_ms);
}

static const struct member_report *reported(size_t i)
{
    assess_report(&assessment, now_ms, "", &report);
    return &report.members[i];
}

/* The verdict remembers this of m1. */
static void verdict(unsigned acts)
{
    topology.members[1].record.acts = acts;
    incumbent_take(&assessment, &topology, now_ms);
}

/* m0 is primary by the verdict, m1 and m2 are others. */
static void begin_kind(enum kind kind)
{
    static struct cluster_settings cluster;
    memset(&cluster, 0, sizeof cluster);
    memset(&topology, 0, sizeof topology);
    strcpy(cluster.name, "orders");
    cluster.policy = (struct policy){kind == KIND_STREAMING ? ENGINE_POSTGRESQL : ENGINE_MYSQL,
                                     kind, CONFLICT_HOLD, WRITERS_SINGLE, 3};
    cluster.member_count = topology.member_count = 3;
    for (size_t i = 0; i < 3; i++) {
        struct member_config *config = &cluster.members[i];
        strcpy(config->name, (const char *[]){"m0", "m1", "m2"}[i]);
        strcpy(config->host, config->name);
        config->port = 5432;
        topology.members[i].config = *config;
    }
    strcpy(topology.primary, "m0");
    assess_init(&assessment, "probe-a", &cluster, &settings);
    now_ms = 1000000;
    verdict(0);
}

static void begin(void)
{
    begin_kind(KIND_ASYNC);
    look(0, server(true, all_ten));
    look(1, server(true, seven));
    look(2, server(false, seven));
}

/* ---- late and stood -------------------------------------------------------------------------- */

START_TEST(an_act_stands_once_an_interval_has_passed)
{
    begin();
    verdict(ACT_STOPPED);
    now_ms += INTERVAL;
    ck_assert(!reported(1)->stood);
    now_ms++;
    ck_assert(reported(1)->stood);
    ck_assert(!reported(2)->stood); /* it did nothing */
    verdict(ACT_STOPPED | ACT_OPENED);
    ck_assert(!reported(1)->stood); /* one more begins anew */
    now_ms += INTERVAL + 1;
    verdict(ACT_OPENED); /* one less does not */
    ck_assert(reported(1)->stood);
    verdict(0);
    ck_assert(!reported(1)->stood);
}
END_TEST

START_TEST(an_act_is_late_when_the_primary_is_fit_two_intervals_after_it)
{
    begin();
    verdict(ACT_OPENED);
    now_ms += 2 * INTERVAL;
    look(0, server(true, all_ten));
    ck_assert(!reported(1)->late);
    now_ms++;
    ck_assert(!reported(1)->late); /* time alone proves nothing */
    look(0, server(true, all_ten));
    ck_assert(reported(1)->late);
    ck_assert(!reported(0)->late && !reported(2)->late);
    look(0, failure(ANSWER_REFUSED));
    ck_assert(reported(1)->late); /* it stays so */
    verdict(ACT_OPENED | ACT_REPOINTED);
    ck_assert(!reported(1)->late);
    now_ms += 2 * INTERVAL + 1;
    look(0, server(true, all_ten));
    ck_assert(reported(1)->late);
    verdict(0);
    verdict(ACT_OPENED);
    ck_assert(!reported(1)->late);
}
END_TEST

START_TEST(only_a_fit_primary_makes_an_act_late)
{
    begin();
    verdict(ACT_OPENED);
    now_ms += 3 * INTERVAL;
    look(0, server(false, all_ten)); /* it is closed */
    look(2, server(true, seven));    /* another is open */
    ck_assert(!reported(1)->late);
    topology.primary[0] = '\0'; /* withdrawn: it still is the last one */
    strcpy(topology.last_primary, "m0");
    verdict(ACT_OPENED);
    look(0, server(true, all_ten));
    ck_assert(reported(1)->late);
}
END_TEST

START_TEST(without_a_verdict_there_is_no_incumbent_and_no_act)
{
    begin();
    verdict(ACT_OPENED);
    now_ms += 3 * INTERVAL;
    look(0, server(true, all_ten));
    incumbent_take(&assessment, NULL, now_ms);
    ck_assert_str_eq(assessment.incumbent, "");
    ck_assert(!reported(1)->late && !reported(1)->stood);
    ck_assert_str_eq(report.last_set, "");
}
END_TEST

START_TEST(what_cannot_come_too_late_is_not_timed)
{
    begin();
    verdict(ACT_CLOSED | ACT_STREAMED | ACT_HELD | ACT_LEFT);
    now_ms += 3 * INTERVAL;
    look(0, server(true, all_ten));
    ck_assert(!reported(1)->late && !reported(1)->stood);
}
END_TEST

/* ---- transactions ---------------------------------------------------------------------------- */

START_TEST(a_claim_is_compared_with_the_incumbent_and_with_other_claims)
{
    begin();
    ck_assert_uint_eq(reported(1)->misses, 1u << 0);
    ck_assert_uint_eq(reported(1)->has, 0);
    ck_assert_uint_eq(reported(0)->misses | reported(0)->has, 0); /* the incumbent itself */
    ck_assert_uint_eq(reported(2)->misses | reported(2)->has, 0); /* it does not claim */
    look(2, server(true, seven));
    ck_assert_uint_eq(reported(1)->misses, 1u << 0);
    ck_assert_uint_eq(reported(1)->has, 1u << 2);
    look(1, server(true, all_ten));
    ck_assert_uint_eq(reported(1)->has, 1u << 0 | 1u << 2);
    ck_assert_uint_eq(reported(2)->misses, 1u << 0 | 1u << 1);
    look(1, server(true, "")); /* nobody knows */
    ck_assert_uint_eq(reported(1)->misses | reported(1)->has, 0);
}
END_TEST

START_TEST(what_the_incumbent_had_is_remembered_beyond_its_end)
{
    begin();
    look(0, failure(ANSWER_REFUSED));
    ck_assert_uint_eq(reported(1)->misses, 1u << 0);
    ck_assert_str_eq(report.last_set, all_ten);
    strcpy(topology.last_set, all_ten);
    verdict(0);
    reported(1);
    ck_assert_str_eq(report.last_set, ""); /* the verdict has it by now */
}
END_TEST

START_TEST(of_what_was_seen_and_what_the_verdict_kept_the_worse_counts)
{
    static const struct {
        const char *seen, *kept;
        bool misses, has;
    } cases[] = {
        {"0-1-7", "0-1-10", true, false}, {"0-1-10", "0-1-7", true, false},
        {"0-1-7", "0-1-7", false, true},  {"", "0-1-7", false, true},
        {"0-1-7", "", false, true},       {"", "0-1-10", true, false},
        {"", "", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        look(0, server(true, cases[i].seen));
        look(0, failure(ANSWER_REFUSED));
        strcpy(topology.last_set, cases[i].kept);
        verdict(0);
        ck_assert_int_eq(reported(1)->misses & 1, cases[i].misses);
        ck_assert_int_eq(reported(1)->has & 1, cases[i].has);
    }
}
END_TEST

START_TEST(a_set_is_kept_of_a_primary_that_is_not_fit_only)
{
    begin();
    reported(0);
    ck_assert_str_eq(report.last_set, "");
    look(0, server(false, all_ten));
    reported(0);
    ck_assert_str_eq(report.last_set, all_ten);
    begin_kind(KIND_ASYNC);
    look(0, failure(ANSWER_REFUSED)); /* it never answered this probe */
    reported(0);
    ck_assert_str_eq(report.last_set, "");
}
END_TEST

START_TEST(kinds_with_their_own_words_are_not_witnessed)
{
    begin_kind(KIND_GROUP);
    look(0, server(true, all_ten));
    look(1, server(true, seven));
    verdict(ACT_OPENED);
    now_ms += 3 * INTERVAL;
    look(0, server(false, all_ten));
    ck_assert(!reported(1)->stood);
    ck_assert_uint_eq(reported(1)->misses | reported(1)->has, 0);
    ck_assert_str_eq(report.last_set, "");
}
END_TEST

/* ---- starts ---------------------------------------------------------------------------------- */

/* It answers after `passed_ms` that it was started then, by its clock, and has been up for so long.
 */
static int64_t start_after(int64_t passed_ms, int64_t start_ms, int64_t uptime_ms)
{
    struct observation facts = server(true, seven);
    facts.start_ms = start_ms;
    facts.uptime_ms = uptime_ms;
    now_ms += passed_ms;
    look(1, facts);
    return reported(1)->start_ms;
}

static bool is_same(int64_t a_ms, int64_t b_ms)
{
    return a_ms - START_SLACK_MS <= b_ms && b_ms <= a_ms + START_SLACK_MS;
}

START_TEST(a_start_stays_one_while_the_server_is_up_for_as_long_as_can_be)
{
    begin_kind(KIND_ASYNC);
    ck_assert_int_eq(start_after(0, 50000, 10000), 50000);
    ck_assert_int_eq(start_after(1000, 50000, 11000), 50000);
    ck_assert_int_eq(start_after(1000, 51000, 12000), 50000);    /* whole seconds */
    ck_assert_int_eq(start_after(1000, 3650000, 13000), 50000);  /* its clock was set */
    ck_assert_int_eq(start_after(60000, 7000000, 73000), 50000); /* and again, unseen */
    ck_assert_int_eq(start_after(1000, 50000, 73000), 50000);    /* within the slack */
}
END_TEST

START_TEST(a_restart_is_another_start_however_near)
{
    begin_kind(KIND_ASYNC);
    start_after(0, 50000, 10000);
    ck_assert_int_eq(start_after(60000, 120000, 3000), 120000);
    begin_kind(KIND_ASYNC);
    start_after(0, 50000, 1000);
    int64_t again_ms = start_after(1000, 51000, 0); /* crashed as soon as it was up */
    ck_assert(!is_same(50000, again_ms));
    int64_t later_ms = start_after(30000, 51000, 30000);
    ck_assert_int_eq(later_ms, again_ms); /* and that one stays what it is */
    begin_kind(KIND_ASYNC);               /* its clock was set back to the same second meanwhile */
    start_after(0, 50000, 10000);
    ck_assert(!is_same(50000, start_after(60000, 50000, 5000)));
}
END_TEST

/* A server that is up for longer than at the last answer, but not for as long as has passed. */
START_TEST(a_restart_that_was_not_seen_is_told_by_the_time_that_passed)
{
    begin_kind(KIND_ASYNC);
    start_after(0, 50000, 10000);
    ck_assert_int_eq(start_after(60000, 100000, 20000), 100000);
}
END_TEST

START_TEST(a_start_without_an_uptime_is_taken_as_it_is_told)
{
    begin_kind(KIND_STREAMING);
    ck_assert_int_eq(start_after(0, 50000, -1), 50000);
    ck_assert_int_eq(start_after(1000, 50001, -1), 50001);
    ck_assert_int_eq(start_after(1000, -1, -1), 0); /* it does not say */
}
END_TEST

Suite *incumbent_suite(void)
{
    Suite *suite = suite_create("incumbent");
    TCase *times = tcase_create("times");
    tcase_add_test(times, an_act_stands_once_an_interval_has_passed);
    tcase_add_test(times, an_act_is_late_when_the_primary_is_fit_two_intervals_after_it);
    tcase_add_test(times, only_a_fit_primary_makes_an_act_late);
    tcase_add_test(times, without_a_verdict_there_is_no_incumbent_and_no_act);
    tcase_add_test(times, what_cannot_come_too_late_is_not_timed);
    suite_add_tcase(suite, times);
    TCase *sets = tcase_create("sets");
    tcase_add_test(sets, a_claim_is_compared_with_the_incumbent_and_with_other_claims);
    tcase_add_test(sets, what_the_incumbent_had_is_remembered_beyond_its_end);
    tcase_add_test(sets, of_what_was_seen_and_what_the_verdict_kept_the_worse_counts);
    tcase_add_test(sets, a_set_is_kept_of_a_primary_that_is_not_fit_only);
    tcase_add_test(sets, kinds_with_their_own_words_are_not_witnessed);
    suite_add_tcase(suite, sets);
    TCase *starts = tcase_create("starts");
    tcase_add_test(starts, a_start_stays_one_while_the_server_is_up_for_as_long_as_can_be);
    tcase_add_test(starts, a_restart_is_another_start_however_near);
    tcase_add_test(starts, a_restart_that_was_not_seen_is_told_by_the_time_that_passed);
    tcase_add_test(starts, a_start_without_an_uptime_is_taken_as_it_is_told);
    suite_add_tcase(suite, starts);
    return suite;
}
