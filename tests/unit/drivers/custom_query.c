#include "probes/drivers/custom_query.h"

#include <string.h>

#include "probes/kinds/kind.h"
#include "tests/unit/unit.h"

/* A row as a list of names and values; a value of NULL is SQL's. */
struct cell {
    const char *name, *value;
};

static struct observation seen;

static const char *name_of(const void *cells, size_t column)
{
    return ((const struct cell *)cells)[column].name;
}

static const char *value_of(const void *cells, size_t column)
{
    return ((const struct cell *)cells)[column].value;
}

static void read_rows(size_t rows, const struct cell *cells)
{
    struct custom_result answer = {
        .result = cells, .rows = rows, .name = name_of, .value = value_of};
    while (cells[answer.columns].name) {
        answer.columns++;
    }
    seen = (struct observation){
        .position = -1, .received = -1, .lag_ms = -1, .lag_bytes = -1, .claim = -1, .ready = -1};
    custom_read(&answer, &seen);
}

#define ROW(...) read_rows(1, (const struct cell[]){__VA_ARGS__, {NULL, NULL}})
#define REFUSED(words, ...)                                                                        \
    do {                                                                                           \
        ROW(__VA_ARGS__);                                                                          \
        ck_assert_int_eq(seen.answer, ANSWER_PROTOCOL);                                            \
        ck_assert_msg(strstr(seen.detail, words) != NULL, "'%s' lacks '%s'", seen.detail, words);  \
    } while (0)

START_TEST(every_column_tells_a_fact)
{
    ROW({"claim", "t"}, {"writable", "1"}, {"ready", "yes"}, {"lineage", "7"}, {"identity", "77"},
        {"self_id", "db-1"}, {"lag_ms", "12"}, {"lag_bytes", "34"}, {"position", "56"},
        {"version", "5.0"});
    ck_assert_int_eq(seen.answer, ANSWER_OK);
    ck_assert_int_eq(seen.claim, 1);
    ck_assert(seen.writable);
    ck_assert_int_eq(seen.ready, 1);
    ck_assert_str_eq(seen.lineage, "7");
    ck_assert_str_eq(seen.identity, "77");
    ck_assert_str_eq(seen.self_id, "db-1");
    ck_assert_int_eq(seen.lag_ms, 12);
    ck_assert_int_eq(seen.lag_bytes, 34);
    ck_assert_int_eq(seen.position, 56);
    ck_assert_str_eq(seen.version, "5.0");
    ck_assert(!seen.replica);
}
END_TEST

START_TEST(names_go_in_any_case_and_order)
{
    ROW({"VERSION", "9"}, {"Claim", "f"});
    ck_assert_int_eq(seen.answer, ANSWER_OK);
    ck_assert_int_eq(seen.claim, 0);
    ck_assert_str_eq(seen.version, "9");
}
END_TEST

START_TEST(yes_and_no_have_many_words)
{
    static const char *const words[] = {"f", "t",   "false", "TRUE", "0",
                                        "1", "OFF", "on",    "No",   "Yes"};
    for (int i = 0; i < 10; i++) {
        ROW({"ready", words[i]});
        ck_assert_int_eq(seen.answer, ANSWER_OK);
        ck_assert_int_eq(seen.ready, i % 2);
    }
    REFUSED("column ready is '2'; it takes t or f", {"ready", "2"});
    REFUSED("column claim is ''", {"claim", ""});
    REFUSED("column writable is 'maybe'", {"writable", "maybe"});
}
END_TEST

START_TEST(null_is_not_told)
{
    ROW({"lineage", NULL}, {"identity", NULL}, {"lag_ms", NULL}, {"upstream", NULL});
    ck_assert_int_eq(seen.answer, ANSWER_OK);
    ck_assert_int_eq(seen.claim, -1);
    ck_assert_int_eq(seen.ready, -1);
    ck_assert_int_eq(seen.lag_ms, -1);
    ck_assert_str_eq(seen.lineage, "");
    ck_assert(seen.writable);
    ck_assert(!seen.replica);
}
END_TEST

START_TEST(no_row_is_not_ready)
{
    read_rows(0, (const struct cell[]){{"claim", "unused"}, {NULL, NULL}});
    ck_assert_int_eq(seen.answer, ANSWER_OK);
    ck_assert_int_eq(seen.ready, 0);
    ck_assert(!seen.writable);
    ck_assert_int_eq(kind_custom.claim_state(&seen, NULL).condition, CONDITION_UNREADY);
    ck_assert_int_eq(kind_stateless.claim_state(&seen, NULL).condition, CONDITION_UNREADY);
}
END_TEST

START_TEST(two_rows_are_an_error)
{
    read_rows(2, (const struct cell[]){{"claim", "t"}, {NULL, NULL}});
    ck_assert_int_eq(seen.answer, ANSWER_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(seen.detail, "2 rows"));
    read_rows(0, (const struct cell[]){{NULL, NULL}});
    ck_assert_int_eq(seen.answer, ANSWER_PROTOCOL);
}
END_TEST

START_TEST(a_column_that_means_nothing_is_told_with_the_nearest_that_does)
{
    REFUSED("'Lineag', which means nothing here; did you mean lineage?", {"Lineag", "7"});
    REFUSED("'lag_msec', which means nothing here; did you mean lag_ms?", {"lag_msec", "7"});
    REFUSED("'?column?'; there are claim, identity, lag_bytes, lag_ms, lineage, position, ready, "
            "self_id, upstream, version, writable",
            {"?column?", "1"});
    REFUSED("column claim twice", {"claim", "1"}, {"CLAIM", "1"});
    read_rows(0, (const struct cell[]){{"claims", NULL}, {NULL, NULL}}); /* without a row, too */
    ck_assert_int_eq(seen.answer, ANSWER_PROTOCOL);
}
END_TEST

START_TEST(a_lineage_is_a_number_or_has_a_stamp)
{
    ROW({"lineage", "0012"}, {"identity", "x"});
    ck_assert_str_eq(seen.lineage, "12");
    ROW({"lineage", "17634d:007"});
    ck_assert_str_eq(seen.lineage, "17634d:7");
    ROW({"lineage", ""});
    ck_assert_int_eq(seen.answer, ANSWER_OK);
    ck_assert_str_eq(seen.lineage, "");
    static const char *const bad[] = {"-1", "1.5", "a", ":5", "a:", "a:b", "a:1:2", "a b:1", "1 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSED("it takes a number, or STAMP:NUMBER", {"lineage", bad[i]}, {"identity", "x"});
    }
}
END_TEST

START_TEST(a_number_as_lineage_needs_an_identity)
{
    REFUSED("no identity", {"lineage", "7"});
    ROW({"lineage", "7"}, {"identity", NULL}); /* this server does not know it now */
    ck_assert_int_eq(seen.answer, ANSWER_OK);
}
END_TEST

START_TEST(numbers_lose_their_fractions)
{
    ROW({"lag_ms", "19.7649993896484"}, {"lag_bytes", "-5"}, {"position", "9007199254740993"});
    ck_assert_int_eq(seen.answer, ANSWER_OK);
    ck_assert_int_eq(seen.lag_ms, 19);
    ck_assert_int_eq(seen.lag_bytes, 0); /* clocks differ */
    ck_assert_int_eq(seen.position, 9007199254740993);
    ROW({"lag_ms", "1e3"});
    ck_assert_int_eq(seen.lag_ms, 1000);
    static const char *const bad[] = {"", "soon", "nan", "inf", "0x10", " 5", "1e400", "5ms", "."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSED("column lag_ms is", {"lag_ms", bad[i]});
    }
    REFUSED("a number of bytes", {"position", "-1"});
}
END_TEST

START_TEST(an_upstream_goes_by_address_or_by_identity)
{
    ROW({"upstream", "10.0.0.1:5432"});
    ck_assert_str_eq(seen.upstream_host, "10.0.0.1");
    ck_assert_int_eq(seen.upstream_port, 5432);
    ck_assert(seen.replica && seen.live && seen.applying);
    ROW({"upstream", "instance-1"});
    ck_assert_str_eq(seen.upstream_id, "instance-1");
    ck_assert(seen.replica);
    ROW({"upstream", ""});
    ck_assert(!seen.replica);
}
END_TEST

START_TEST(texts_that_are_too_long_or_not_tame_do_no_harm)
{
    char long_one[4000];
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    REFUSED("column identity is", {"identity", long_one});
    REFUSED("column self_id is", {"self_id", long_one});
    REFUSED("column upstream is", {"upstream", long_one});
    REFUSED("column lineage is", {"lineage", long_one});
    REFUSED("the query gives a column 'xxx", {long_one, "1"});
    ROW({"version", long_one}, {"identity", "a\nb"});
    ck_assert_uint_lt(strlen(seen.version), sizeof seen.version);
    ck_assert_str_eq(seen.identity, "a b");
}
END_TEST

/* ---- what follows from it
 * ---------------------------------------------------------------------- */

static struct claim_state claim_state(void)
{
    ck_assert_int_eq(seen.answer, ANSWER_OK);
    return kind_custom.claim_state(&seen, NULL);
}

START_TEST(who_says_that_it_claims_is_writable_unless_it_says_otherwise)
{
    ROW({"claim", "t"});
    ck_assert(claim_state().claim && claim_state().writable);
    ROW({"claim", "t"}, {"writable", "f"});
    ck_assert(!claim_state().claim && !claim_state().writable);
    ROW({"claim", "t"}, {"ready", "f"});
    ck_assert(!claim_state().claim && !claim_state().writable && !seen.writable);
}
END_TEST

START_TEST(who_says_that_it_does_not_claim_is_nobody_s_writer)
{
    ROW({"claim", "f"}, {"writable", "t"});
    ck_assert(!claim_state().claim && !claim_state().writable);
    ck_assert(seen.replica && seen.live);
}
END_TEST

/* Whatever the order of the columns, and whatever else it says. */
START_TEST(who_does_not_know_whether_it_claims_does_not_claim)
{
    ROW({"claim", NULL});
    ck_assert(!claim_state().claim && !claim_state().writable && !seen.replica);
    ck_assert_str_eq(seen.closed_by, "claim is NULL");
    ROW({"claim", NULL}, {"writable", "t"}, {"ready", "t"});
    ck_assert(!claim_state().claim && !claim_state().writable && !seen.replica);
    ROW({"writable", "t"}, {"claim", NULL}, {"upstream", "10.0.0.1:5432"});
    ck_assert(!claim_state().claim && seen.replica);
    ROW({"claim", "t"}, {"writable", NULL});
    ck_assert(!claim_state().claim && !claim_state().writable);
    ck_assert_str_eq(seen.closed_by, "writable is NULL");
    ROW({"writable", NULL});
    ck_assert(!claim_state().claim && !claim_state().writable);
}
END_TEST

START_TEST(who_does_not_know_whether_it_is_ready_is_not)
{
    ROW({"claim", "t"}, {"ready", NULL});
    ck_assert(!claim_state().claim && !claim_state().writable);
    ck_assert_int_eq(claim_state().condition, CONDITION_UNREADY);
    ck_assert(!kind_stateless.claim_state(&seen, NULL).claim);
}
END_TEST

START_TEST(without_a_word_on_claiming_the_writable_that_follow_nobody_claim)
{
    ROW({"writable", "t"});
    ck_assert(claim_state().claim);
    ROW({"writable", "f"});
    ck_assert(!claim_state().claim);
    ROW({"writable", "t"}, {"upstream", "10.0.0.1:5432"});
    ck_assert(!claim_state().claim && claim_state().writable);
}
END_TEST

START_TEST(lag_is_as_told_or_by_distance_or_unknown)
{
    struct observation source = {.position = 1000};
    ROW({"claim", "f"});
    ck_assert_int_eq(kind_custom.lag(&seen, &source).state, LAG_UNKNOWN);
    ROW({"claim", "f"}, {"position", "400"});
    ck_assert_int_eq(kind_custom.lag(&seen, &source).bytes, 600);
    ROW({"claim", "f"}, {"position", "400"}, {"lag_bytes", "5"}, {"lag_ms", "0"});
    ck_assert_int_eq(kind_custom.lag(&seen, &source).bytes, 5);
    ck_assert_int_eq(kind_custom.lag(&seen, &source).state, LAG_OK);
}
END_TEST

START_TEST(only_these_kinds_ask_another_question)
{
    struct cluster_settings cluster = {.policy.kind = KIND_CUSTOM, .query = "SELECT true AS claim"};
    ck_assert_str_eq(custom_statement(&cluster), "SELECT true AS claim");
    cluster.policy.kind = KIND_STATELESS;
    ck_assert_str_eq(custom_statement(&cluster), "SELECT true AS claim");
    cluster.query[0] = '\0';
    ck_assert_str_eq(custom_statement(&cluster), "SELECT 1 AS ready");
    cluster.policy.kind = KIND_STREAMING;
    ck_assert_ptr_null(custom_statement(&cluster));
    cluster.policy.kind = KIND_AUTO;
    ck_assert_ptr_null(custom_statement(&cluster));
}
END_TEST

Suite *custom_query_suite(void)
{
    Suite *suite = suite_create("custom_answer");
    TCase *tests = tcase_create("custom_answer");
    tcase_add_test(tests, every_column_tells_a_fact);
    tcase_add_test(tests, names_go_in_any_case_and_order);
    tcase_add_test(tests, yes_and_no_have_many_words);
    tcase_add_test(tests, null_is_not_told);
    tcase_add_test(tests, who_does_not_know_whether_it_claims_does_not_claim);
    tcase_add_test(tests, who_does_not_know_whether_it_is_ready_is_not);
    tcase_add_test(tests, no_row_is_not_ready);
    tcase_add_test(tests, two_rows_are_an_error);
    tcase_add_test(tests, a_column_that_means_nothing_is_told_with_the_nearest_that_does);
    tcase_add_test(tests, a_lineage_is_a_number_or_has_a_stamp);
    tcase_add_test(tests, a_number_as_lineage_needs_an_identity);
    tcase_add_test(tests, numbers_lose_their_fractions);
    tcase_add_test(tests, an_upstream_goes_by_address_or_by_identity);
    tcase_add_test(tests, texts_that_are_too_long_or_not_tame_do_no_harm);
    tcase_add_test(tests, who_says_that_it_claims_is_writable_unless_it_says_otherwise);
    tcase_add_test(tests, who_says_that_it_does_not_claim_is_nobody_s_writer);
    tcase_add_test(tests, without_a_word_on_claiming_the_writable_that_follow_nobody_claim);
    tcase_add_test(tests, lag_is_as_told_or_by_distance_or_unknown);
    tcase_add_test(tests, only_these_kinds_ask_another_question);
    suite_add_tcase(suite, tests);
    return suite;
}
