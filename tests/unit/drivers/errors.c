#include "probes/drivers/errors.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static enum answer of_libpq(const char *message, const char *want_detail)
{
    char detail[DETAIL_SIZE];
    enum answer answer = answer_of_libpq(message, true, detail, sizeof detail);
    ck_assert_str_eq(detail, want_detail);
    return answer;
}

START_TEST(socket_errors_are_told_apart)
{
    ck_assert_int_eq(answer_of_errno(ECONNREFUSED), ANSWER_REFUSED);
    ck_assert_int_eq(answer_of_errno(EHOSTUNREACH), ANSWER_UNREACHABLE);
    ck_assert_int_eq(answer_of_errno(ENETUNREACH), ANSWER_UNREACHABLE);
    ck_assert_int_eq(answer_of_errno(ETIMEDOUT), ANSWER_TIMEOUT);
    ck_assert_int_eq(answer_of_errno(ECONNRESET), ANSWER_PROTOCOL);
    ck_assert_int_eq(answer_of_errno(0), ANSWER_PROTOCOL);
}
END_TEST

START_TEST(what_this_machine_lacks_is_no_answer_of_a_server)
{
    static const int lacks[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS};
    char detail[DETAIL_SIZE];
    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        ck_assert_int_eq(answer_of_errno(lacks[i]), ANSWER_UNKNOWN);
    }
    ck_assert_int_eq(
        answer_of_libpq("connection to server at \"10.0.0.1\", port 5432 failed: could "
                        "not create socket: Too many open files",
                        true, detail, sizeof detail),
        ANSWER_UNKNOWN);
    ck_assert_int_eq(answer_of_libpq("out of memory", true, detail, sizeof detail), ANSWER_UNKNOWN);
    ck_assert_int_eq(answer_of_mysql(2004, true, "Can't create TCP/IP socket (24)"),
                     ANSWER_UNKNOWN);
    ck_assert_int_eq(answer_of_mysql(2008, false, "out of memory"), ANSWER_UNKNOWN);
    /* these are the server's */
    ck_assert_int_eq(
        answer_of_libpq("connection to server at \"10.0.0.1\", port 5432 failed: could "
                        "not fork new process for connection: Cannot allocate memory",
                        true, detail, sizeof detail),
        ANSWER_SATURATED);
    ck_assert_int_eq(answer_of_sqlstate("53200", true, "out of memory"), ANSWER_SATURATED);
}
END_TEST

START_TEST(an_error_number_is_found_by_its_sentence)
{
    ck_assert_int_eq(
        errors_find_errno("could not connect: Connection refused\n\tIs the server running?"),
        ECONNREFUSED);
    ck_assert_int_eq(errors_find_errno("No route to host"), EHOSTUNREACH);
    ck_assert_int_eq(errors_find_errno("all is well"), 0);
    ck_assert_int_eq(errors_find_errno(""), 0);
}
END_TEST

START_TEST(the_sqlstate_of_a_failed_connect_is_read_from_the_verbose_sentence)
{
    ck_assert_int_eq(of_libpq("connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  "
                              "28P01: password authentication failed"
                              " for user \"roster\"\nLOCATION:  auth_failed, auth.c:337\n",
                              "password authentication failed for user \"roster\""),
                     ANSWER_AUTH);
    ck_assert_int_eq(of_libpq("connection to server at \"::1\", port 1 failed: FATAL:  53300: "
                              "sorry, too many clients already\n",
                              "sorry, too many clients already"),
                     ANSWER_SATURATED);
    ck_assert_int_eq(of_libpq("FATAL:  3D000: database \"nope\" does not exist",
                              "database \"nope\" does not exist"),
                     ANSWER_AUTH);
}
END_TEST

START_TEST(of_two_attempts_the_last_one_counts)
{
    ck_assert_int_eq(of_libpq("connection to server at \"h\" (10.0.0.1), port 5432 failed: FATAL:  "
                              "28000: no pg_hba.conf entry, SSL on\n"
                              "connection to server at \"h\" (10.0.0.1), port 5432 failed: FATAL:  "
                              "57P03: the database system is starting up\n",
                              "the database system is starting up"),
                     ANSWER_STARTING);
}
END_TEST

START_TEST(starting_and_stopping_share_a_sqlstate_but_not_the_words)
{
    ck_assert_int_eq(answer_of_sqlstate("57P03", true, "the database system is starting up"),
                     ANSWER_STARTING);
    ck_assert_int_eq(answer_of_sqlstate("57P03", true, "the database system is in recovery mode"),
                     ANSWER_STARTING);
    ck_assert_int_eq(
        answer_of_sqlstate("57P03", true, "the database system is not yet accepting connections"),
        ANSWER_STARTING);
    ck_assert_int_eq(answer_of_sqlstate("57P03", true, "the database system is shutting down"),
                     ANSWER_STOPPING);
    ck_assert_int_eq(answer_of_sqlstate("57P03", true, "das Datenbanksystem fährt herunter"),
                     ANSWER_STOPPING);
    ck_assert_int_eq(answer_of_sqlstate("57P03", true, "das Datenbanksystem startet"),
                     ANSWER_STARTING);
    ck_assert_int_eq(
        answer_of_sqlstate("57P03", true, "データベースシステムはシャットダウンしています"),
        ANSWER_STOPPING);
}
END_TEST

START_TEST(a_session_that_is_ended_is_lost_and_a_log_in_that_is_ended_is_a_shutdown)
{
    ck_assert_int_eq(answer_of_sqlstate("57P01", false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_sqlstate("57P01", true, ""), ANSWER_STOPPING);
    ck_assert_int_eq(answer_of_sqlstate("57P02", false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_mysql(1053, false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_mysql(1053, true, ""), ANSWER_STOPPING);
    ck_assert_int_eq(answer_of_mysql(3032, true, ""), ANSWER_OFFLINE);
    ck_assert_int_eq(answer_of_mysql(6400, false, ""), ANSWER_OFFLINE);
    ck_assert_int_eq(answer_of_mysql(2013, false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_mysql(2013, true, ""), ANSWER_PROTOCOL);
}
END_TEST

START_TEST(no_right_to_connect_is_not_no_right_to_ask)
{
    ck_assert_int_eq(answer_of_sqlstate("42501", true, ""), ANSWER_AUTH);
    ck_assert_int_eq(answer_of_sqlstate("42501", false, ""), ANSWER_PRIVILEGE);
    ck_assert_int_eq(answer_of_mysql(1227, false, ""), ANSWER_PRIVILEGE);
    ck_assert_int_eq(answer_of_mysql(1045, true, ""), ANSWER_AUTH);
}
END_TEST

START_TEST(an_encryption_that_fails_is_not_a_refusal)
{
    ck_assert_int_eq(of_libpq("connection to server at \"10.0.0.1\", port 5432 failed: server does "
                              "not support SSL, but SSL was required\n",
                              "server does not support SSL, but SSL was required"),
                     ANSWER_TLS);
    ck_assert_int_eq(
        answer_of_mysql(2026, true, "TLS/SSL error: self-signed certificate in certificate chain"),
        ANSWER_TLS);
    ck_assert_int_eq(answer_of_mysql(3159, true, ""), ANSWER_TLS);
}
END_TEST

START_TEST(the_socket_error_behind_mysql_s_sentence_is_found)
{
    ck_assert_int_eq(answer_of_mysql(2002, true, "Can't connect to server on '127.0.0.1' (111)"),
                     ANSWER_REFUSED);
    ck_assert_int_eq(
        answer_of_mysql(2003, true, "Can't connect to MySQL server on '10.0.0.9:3306' (113)"),
        ANSWER_UNREACHABLE);
    ck_assert_int_eq(
        answer_of_mysql(2002, true,
                        "Can't connect to server on '10.0.0.9' (110 \"Connection timed out\")"),
        ANSWER_TIMEOUT);
    ck_assert_int_eq(answer_of_mysql(2002, true, "Can't connect"), ANSWER_PROTOCOL);
}
END_TEST

START_TEST(a_server_without_room_is_alive)
{
    ck_assert_int_eq(answer_of_mysql(1040, true, ""), ANSWER_SATURATED);
    ck_assert_int_eq(answer_of_mysql(1203, true, ""), ANSWER_SATURATED);
    ck_assert_int_eq(answer_of_mysql(1226, true, ""), ANSWER_SATURATED);
    ck_assert_int_eq(answer_of_sqlstate("53300", true, ""), ANSWER_SATURATED);
}
END_TEST

START_TEST(a_server_in_offline_mode_is_neither_ours_to_ask_nor_going_down)
{
    ck_assert_int_eq(answer_of_mysql(3032, true, ""), ANSWER_OFFLINE);
    ck_assert_int_eq(answer_of_mysql(6400, true, ""), ANSWER_OFFLINE);
    ck_assert_int_eq(answer_of_mysql(3032, false, ""), ANSWER_OFFLINE);
    ck_assert_int_eq(answer_of_mysql(6400, false, ""), ANSWER_OFFLINE);
}
END_TEST

START_TEST(an_error_without_a_row_proves_that_the_server_lives)
{
    static const char *const sqlstates[] = {"58P01", "42704", "XX000", "P0001", "22023", "0A000"};
    static const unsigned numbers[] = {1146, 1231, 1298, 1815, 3535, 4088};
    for (size_t i = 0; i < sizeof sqlstates / sizeof *sqlstates; i++) {
        ck_assert(!errors_knows_sqlstate(sqlstates[i]));
        ck_assert_int_eq(answer_of_sqlstate(sqlstates[i], true, ""), ANSWER_AUTH);
        ck_assert_int_eq(answer_of_sqlstate(sqlstates[i], false, ""), ANSWER_PRIVILEGE);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        ck_assert(!errors_knows_mysql(numbers[i]));
        ck_assert_int_eq(answer_of_mysql(numbers[i], true, ""), ANSWER_AUTH);
        ck_assert_int_eq(answer_of_mysql(numbers[i], false, ""), ANSWER_PRIVILEGE);
    }
    ck_assert_int_eq(of_libpq("connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  "
                              "58P01: could not access file \"nolib\": No such file or directory\n",
                              "could not access file \"nolib\": No such file or directory"),
                     ANSWER_AUTH);
    ck_assert_int_eq(answer_of_mysql(1184, false, ""), ANSWER_AUTH); /* init_connect fails */
    ck_assert_int_eq(answer_health(ANSWER_AUTH), HEALTH_UP);
    ck_assert_int_eq(answer_health(ANSWER_PRIVILEGE), HEALTH_UP);
}
END_TEST

START_TEST(a_server_whose_storage_fails_is_no_such_one)
{
    static const char *const sqlstates[] = {"58030", "XX001", "XX002", "08P01", "08006"};
    for (size_t i = 0; i < sizeof sqlstates / sizeof *sqlstates; i++) {
        ck_assert(errors_knows_sqlstate(sqlstates[i]));
        ck_assert_int_eq(answer_of_sqlstate(sqlstates[i], true, ""), ANSWER_PROTOCOL);
        ck_assert_int_eq(answer_of_sqlstate(sqlstates[i], false, ""), ANSWER_PROTOCOL);
    }
}
END_TEST

START_TEST(a_session_that_was_idle_or_in_the_way_is_asked_again_at_once)
{
    ck_assert_int_eq(answer_of_sqlstate("57P05", false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_sqlstate("57P04", false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_sqlstate("25P03", false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_sqlstate("40001", false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_mysql(4031, false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_mysql(1927, false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_mysql(3169, false, ""), ANSWER_LOST);
    ck_assert_int_eq(answer_of_mysql(1159, false, ""), ANSWER_LOST);
}
END_TEST

START_TEST(what_nobody_knows_is_a_breach_of_protocol)
{
    char long_one[2000];
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    char detail[DETAIL_SIZE];
    ck_assert_int_eq(answer_of_libpq(long_one, false, detail, sizeof detail), ANSWER_PROTOCOL);
    ck_assert_uint_lt(strlen(detail), sizeof detail);
    ck_assert_int_eq(answer_of_sqlstate("", false, ""), ANSWER_PROTOCOL);
    ck_assert_int_eq(answer_of_sqlstate("nonsense", true, ""), ANSWER_PROTOCOL);
    ck_assert_int_eq(answer_of_mysql(0, false, ""), ANSWER_PROTOCOL);
    ck_assert_int_eq(answer_of_mysql(2027, false, ""), ANSWER_PROTOCOL);
    ck_assert_int_eq(answer_of_mysql(5999, true, ""), ANSWER_PROTOCOL);
}
END_TEST

Suite *errors_suite(void)
{
    Suite *suite = suite_create("failure");
    TCase *tests = tcase_create("failure");
    tcase_add_test(tests, socket_errors_are_told_apart);
    tcase_add_test(tests, what_this_machine_lacks_is_no_answer_of_a_server);
    tcase_add_test(tests, an_error_number_is_found_by_its_sentence);
    tcase_add_test(tests, the_sqlstate_of_a_failed_connect_is_read_from_the_verbose_sentence);
    tcase_add_test(tests, of_two_attempts_the_last_one_counts);
    tcase_add_test(tests, starting_and_stopping_share_a_sqlstate_but_not_the_words);
    tcase_add_test(tests, a_session_that_is_ended_is_lost_and_a_log_in_that_is_ended_is_a_shutdown);
    tcase_add_test(tests, no_right_to_connect_is_not_no_right_to_ask);
    tcase_add_test(tests, an_encryption_that_fails_is_not_a_refusal);
    tcase_add_test(tests, the_socket_error_behind_mysql_s_sentence_is_found);
    tcase_add_test(tests, a_server_without_room_is_alive);
    tcase_add_test(tests, a_server_in_offline_mode_is_neither_ours_to_ask_nor_going_down);
    tcase_add_test(tests, an_error_without_a_row_proves_that_the_server_lives);
    tcase_add_test(tests, a_server_whose_storage_fails_is_no_such_one);
    tcase_add_test(tests, a_session_that_was_idle_or_in_the_way_is_asked_again_at_once);
    tcase_add_test(tests, what_nobody_knows_is_a_breach_of_protocol);
    suite_add_tcase(suite, tests);
    return suite;
}
