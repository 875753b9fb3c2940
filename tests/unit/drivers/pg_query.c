/* How the row of PostgreSQL's statement becomes facts; libpq's accessors are replaced. */
#include "probes/drivers/pg_query.h"

#include <libpq-fe.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { COLUMNS = 19 };

struct pg_result {
    int rows, columns;
    const char *values[COLUMNS]; /* NULL: SQL's */
};

static struct pg_result row;
static struct observation seen;

int PQntuples(const PGresult *result)
{
    return result->rows;
}

int PQnfields(const PGresult *result)
{
    return result->columns;
}

char *PQgetvalue(const PGresult *result, int tuple, int field)
{
    (void)tuple;
    return (char *)(result->values[field] ? result->values[field] : "");
}

int PQgetisnull(const PGresult *result, int tuple, int field)
{
    (void)tuple;
    return !result->values[field];
}

char *PQfname(const PGresult *result, int field)
{
    (void)result;
    (void)field;
    return (char *)"claim";
}

/* As in the statement: recovery, identity, timeline, read only, receiver, status, host, port,
 * paused, position, received, lag, archived, conninfo, awaited, privileged, started, delay,
 * named. */
static void begin_primary(void)
{
    row = (struct pg_result){1,
                             COLUMNS,
                             {"f", "-1", "7", "f", "f", NULL, NULL, NULL, "f", "1000", NULL, NULL,
                              "f", NULL, "pg-2\npg-3\n", "t", NULL, "0", NULL}};
}

static void begin_standby(void)
{
    row = (struct pg_result){1,
                             COLUMNS,
                             {"t", "77", "7", "f", "t", "streaming", "10.0.0.1", "5432", "f", "900",
                              "950", "12", "f", "user=a b application_name=pg 2 sslmode=prefer",
                              NULL, "t", "123", "1min", "10.0.0.3,10.0.0.4"}};
}

static bool read(void)
{
    observation_init(&seen);
    return pg_read_answer(&row, "15.20 (Debian 15.20-0+deb12u1)", &seen);
}

START_TEST(a_primary_is_read)
{
    begin_primary();
    ck_assert(read());
    ck_assert_int_eq(seen.answer, ANSWER_OK);
    ck_assert(seen.writable && !seen.replica);
    ck_assert_str_eq(seen.identity, "18446744073709551615"); /* SQL shows it signed */
    ck_assert_str_eq(seen.lineage, "7");
    ck_assert_str_eq(seen.version, "15.20");
    ck_assert_str_eq(seen.awaited, "pg-2\npg-3\n");
    ck_assert_int_eq(seen.position, 1000);
    ck_assert_int_eq(seen.received, -1);
    ck_assert_int_eq(seen.written.streams[0].top, 1000);
    row.values[3] = "t"; /* default_transaction_read_only */
    ck_assert(read() && !seen.writable);
}
END_TEST

START_TEST(a_standby_is_read)
{
    begin_standby();
    ck_assert(read());
    ck_assert(!seen.writable && seen.replica && seen.live && seen.applying && !seen.connecting);
    ck_assert_str_eq(seen.upstream_host, "10.0.0.1");
    ck_assert_uint_eq(seen.upstream_port, 5432);
    ck_assert_str_eq(seen.stream_name, "pg 2");
    ck_assert_int_eq(seen.lag_ms, 12);
    ck_assert_int_eq(seen.delay_ms, 60000);
    ck_assert_int_eq(seen.applied.streams[0].top, 900);
    ck_assert_str_eq(seen.self_id, "123");
    ck_assert_uint_eq(seen.advertised.count, 2);
    row.values[5] = "starting";
    row.values[8] = "t";
    ck_assert(read() && !seen.live && seen.connecting && !seen.applying);
}
END_TEST

START_TEST(a_delay_is_read_in_any_unit)
{
    static const struct {
        const char *shown;
        int64_t ms;
    } cases[] = {{"0", 0},           {"7", 7},         {"1500ms", 1500},  {"90s", 90000},
                 {"90min", 5400000}, {"3h", 10800000}, {"2d", 172800000}, {"1 week", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_standby();
        row.values[17] = cases[i].shown;
        ck_assert(read());
        ck_assert_int_eq(seen.delay_ms, cases[i].ms);
    }
}
END_TEST

START_TEST(a_missing_privilege_is_named)
{
    begin_standby();
    row.values[5] = row.values[6] = row.values[7] = NULL;
    row.values[15] = "f";
    ck_assert(read() && !seen.live);
    ck_assert_str_eq(seen.missing, "pg_read_all_stats");
}
END_TEST

START_TEST(a_row_of_another_shape_is_refused)
{
    begin_primary();
    row.rows = 2;
    ck_assert(!read());
    begin_primary();
    row.columns--;
    ck_assert(!read());
    static const int typed[] = {0, 1, 2, 3, 4, 8, 9, 12, 15}; /* numbers and booleans */
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        begin_primary();
        row.values[typed[i]] = "nonsense";
        ck_assert(!read());
    }
}
END_TEST

Suite *pg_query_suite(void)
{
    Suite *suite = suite_create("pg_query");
    TCase *tests = tcase_create("row");
    tcase_add_test(tests, a_primary_is_read);
    tcase_add_test(tests, a_standby_is_read);
    tcase_add_test(tests, a_delay_is_read_in_any_unit);
    tcase_add_test(tests, a_missing_privilege_is_named);
    tcase_add_test(tests, a_row_of_another_shape_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
