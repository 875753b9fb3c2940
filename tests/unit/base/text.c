#include "registry/base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registry/base/clock.h"
#include "registry/base/limits.h"
#include "registry/base/log.h"
#include "tests/unit/unit.h"

START_TEST(a_writer_stops_at_its_buffer_and_says_so)
{
    char buffer[8];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    text_put(&text, "%s", "abc");
    ck_assert(!text.cut);
    ck_assert_uint_eq(text.used, 3);
    text_put(&text, "%d", 12345);
    ck_assert(text.cut);
    ck_assert_str_eq(buffer, "abc1234");
    text_put(&text, "more");
    ck_assert_str_eq(buffer, "abc1234");
    ck_assert_uint_eq(text.used, 7);
}
END_TEST

START_TEST(a_writer_that_is_exactly_full_is_not_cut)
{
    char buffer[4];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    text_put(&text, "abc");
    ck_assert(!text.cut);
    text_put(&text, "%s", "");
    ck_assert(!text.cut);
}
END_TEST

START_TEST(a_copy_that_does_not_fit_changes_nothing)
{
    char to[4] = "old";
    ck_assert(!text_copy(to, sizeof to, "long"));
    ck_assert_str_eq(to, "old");
    ck_assert(text_copy(to, sizeof to, "new"));
    ck_assert_str_eq(to, "new");
}
END_TEST

START_TEST(foreign_sentences_are_tamed)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"plain", "plain"},
        {"line\nnext\ttab\n", "line next tab"},
        {"\x1b[31mred", " [31mred"},
        {"\x7f!", " !"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"bad \xff byte", "bad ? byte"},
        {"overlong \xc0\xaf", "overlong ??"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
        {"c1 \302\23331m", "c1  31m"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[64];
        text_tame(to, sizeof to, cases[i].from);
        ck_assert_str_eq(to, cases[i].to);
    }
}
END_TEST

START_TEST(taming_cuts_between_characters)
{
    char to[6];
    text_tame(
        to, sizeof to,
        "abc\xe2\x82\xac!"); /* three letters, a euro of three bytes: does not fit into five */
    ck_assert_str_eq(to, "abc");
    text_tame(to, sizeof to, "ab\xe2\x82\xac!");
    ck_assert_str_eq(to, "ab\xe2\x82\xac");
    text_tame(to, 1, "x");
    ck_assert_str_eq(to, "");
}
END_TEST

START_TEST(utf8_is_told_from_other_bytes)
{
    ck_assert(text_is_utf8("", 0));
    ck_assert(text_is_utf8("a\0b", 3));
    ck_assert(text_is_utf8("\xf0\x9f\x92\xa9", 4));
    ck_assert(!text_is_utf8("\xf0\x9f\x92\xa9", 3));
    ck_assert(!text_is_utf8("\xf4\x90\x80\x80", 4)); /* beyond U+10FFFF */
    ck_assert(!text_is_utf8("\x80", 1));
    ck_assert(!text_is_utf8("caf\xe9", 4)); /* Latin-1 */
}
END_TEST

START_TEST(names_are_short_and_plain)
{
    char longest[NAME_SIZE + 1];
    memset(longest, 'n', sizeof longest);
    longest[NAME_SIZE] = '\0';
    ck_assert(!text_is_name(longest));
    longest[NAME_SIZE - 1] = '\0';
    ck_assert(text_is_name(longest));
    ck_assert(text_is_name("pg-1.example_A"));
    ck_assert(text_is_name("..."));
    static const char *const others[] = {"", ".", "..", "a b", "a/b", "a\xc3\xa4", "a\n", "a:b"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ck_assert_msg(!text_is_name(others[i]), "%s", others[i]);
    }
}
END_TEST

START_TEST(integers_are_whole_and_in_range)
{
    int64_t n = 7;
    ck_assert(text_parse_int("42", 0, 100, &n) && n == 42);
    ck_assert(text_parse_int("-5", -5, 100, &n) && n == -5);
    ck_assert(text_parse_int("9223372036854775807", 0, INT64_MAX, &n) && n == INT64_MAX);
    n = 7;
    static const char *const others[] = {"",
                                         "-",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "1.0",
                                         "0x10",
                                         "101",
                                         "-6",
                                         "9223372036854775808",
                                         "99999999999999999999999"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ck_assert_msg(!text_parse_int(others[i], -5, 100, &n), "%s", others[i]);
    }
    ck_assert_int_eq(n, 7);
}
END_TEST

START_TEST(durations_have_units)
{
    static const struct {
        const char *from;
        int64_t ms;
    } cases[] = {{"250us", 1},     {"1000us", 1},   {"1001us", 2},          {"0", 0},
                 {"0s", 0},        {"25ms", 25},    {"1s", 1000},           {"1.5s", 1500},
                 {"0.0001s", 1},   {"2m", 120000},  {"2min", 120000},       {"1h", 3600000},
                 {"1d", 86400000}, {"40 s", 40000}, {"1.000001d", 86400087}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1;
        ck_assert_msg(text_parse_duration(cases[i].from, &ms), "%s", cases[i].from);
        ck_assert_int_eq(ms, cases[i].ms);
    }
    static const char *const others[] = {"",
                                         "s",
                                         "10",
                                         "-1s",
                                         "1 week",
                                         "1S",
                                         ".5s",
                                         "1.s",
                                         "1.1234567s",
                                         "1s ",
                                         "99999999999999999d",
                                         "1e3s"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int64_t ms = -1;
        ck_assert_msg(!text_parse_duration(others[i], &ms), "%s", others[i]);
        ck_assert_int_eq(ms, -1);
    }
}
END_TEST

START_TEST(sizes_are_powers_of_1024)
{
    static const struct {
        const char *from;
        int64_t bytes;
    } cases[] = {{"65536", 65536},    {"64k", 65536},       {"64KiB", 65536}, {"1M", 1048576},
                 {"1.5MiB", 1572864}, {"2GiB", 2147483648}, {"8 B", 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t bytes = -1;
        ck_assert_msg(text_parse_size(cases[i].from, &bytes), "%s", cases[i].from);
        ck_assert_int_eq(bytes, cases[i].bytes);
    }
    static const char *const others[] = {"", "k", "-1", "1kb", "1x", "9999999999T"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int64_t bytes;
        ck_assert_msg(!text_parse_size(others[i], &bytes), "%s", others[i]);
    }
}
END_TEST

START_TEST(yes_and_no_have_their_words)
{
    bool value = false;
    ck_assert(text_parse_bool("yes", &value) && value);
    ck_assert(text_parse_bool("off", &value) && !value);
    ck_assert(text_parse_bool("true", &value) && value);
    ck_assert(text_parse_bool("0", &value) && !value);
    ck_assert(!text_parse_bool("perhaps", &value));
    ck_assert(!text_parse_bool("YES", &value));
}
END_TEST

START_TEST(addresses_are_read_and_written_back)
{
    static const char *const cases[] = {"db1.example.org:5432", "10.0.0.1:1",
                                        "[::1]:65535",          "[2001:db8::1]:3306",
                                        "[fe80::1%eth0]:5432",  "under_score:80"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char host[HOST_SIZE], back[ADDRESS_SIZE];
        uint16_t port;
        ck_assert_msg(text_parse_address(cases[i], host, sizeof host, &port), "%s", cases[i]);
        ck_assert(!strpbrk(host, "[]"));
        ck_assert_str_eq(text_address(back, sizeof back, host, port), cases[i]);
    }
    static const char *const others[] = {
        "",           ":",         "host",    "host:",        ":5432",    "host:0",
        "host:65536", "host:-1",   "host:1x", "::1:5432",     "[::1]",    "[::1]5",
        "[]:1",       "[host]:1",  "a b:1",   "a/b:1",        "[::1%]:5", "-x:1",
        "[::1:5432",  "::1]:5432", "host: 1", "h\xc3\xb6st:1"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char host[HOST_SIZE] = "same";
        uint16_t port = 9;
        ck_assert_msg(!text_parse_address(others[i], host, sizeof host, &port), "%s", others[i]);
        ck_assert_str_eq(host, "same");
        ck_assert_uint_eq(port, 9);
    }
}
END_TEST

START_TEST(a_host_that_does_not_fit_is_refused)
{
    char host[8], from[HOST_SIZE + 8];
    uint16_t port;
    ck_assert(text_parse_address("1234567:1", host, sizeof host, &port));
    ck_assert(!text_parse_address("12345678:1", host, sizeof host, &port));
    memset(from, 'h', sizeof from);
    memcpy(from + HOST_SIZE, ":1", 3);
    char roomy[2 * HOST_SIZE];
    ck_assert(!text_parse_address(from, roomy, sizeof roomy, &port));
}
END_TEST

START_TEST(amounts_read_as_people_say_them)
{
    static const struct {
        int64_t ms;
        const char *shown;
    } durations[] = {{0, "0 ms"},       {850, "850 ms"},
                     {999, "999 ms"},   {40000, "40 s"},
                     {119999, "119 s"}, {180000, "3 min"},
                     {7200000, "2 h"},  {432000000, "5 d"},
                     {-1, "unknown"},   {INT64_MAX, "106751991167 d"}};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        char shown[32];
        ck_assert_str_eq(text_duration(shown, sizeof shown, durations[i].ms), durations[i].shown);
    }
    static const struct {
        int64_t bytes;
        const char *shown;
    } sizes[] = {{0, "0 B"},           {1023, "1023 B"}, {1024, "1 KiB"},       {65536, "64 KiB"},
                 {1572864, "1.5 MiB"}, {-1, "unknown"},  {INT64_MAX, "7.9 EiB"}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char shown[32];
        ck_assert_str_eq(text_bytes(shown, sizeof shown, sizes[i].bytes), sizes[i].shown);
    }
}
END_TEST

START_TEST(times_are_rfc_3339_and_read_back)
{
    static const struct {
        int64_t ms;
        const char *shown;
    } cases[] = {{0, "1970-01-01T00:00:00.000Z"},
                 {1795224153123, "2026-11-21T01:22:33.123Z"},
                 {951782400000, "2000-02-29T00:00:00.000Z"},
                 {-1, "1969-12-31T23:59:59.999Z"},
                 {253402300799999, "9999-12-31T23:59:59.999Z"},
                 {-62167219200000, "0000-01-01T00:00:00.000Z"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[CLOCK_TEXT_SIZE];
        int64_t back = 1;
        ck_assert_str_eq(text_time(shown, sizeof shown, cases[i].ms), cases[i].shown);
        ck_assert(text_parse_time(shown, &back));
        ck_assert_int_eq(back, cases[i].ms);
    }
    char shown[CLOCK_TEXT_SIZE];
    ck_assert_str_eq(text_time(shown, sizeof shown, INT64_MAX), "9999-12-31T23:59:59.999Z");
    ck_assert_str_eq(text_time(shown, sizeof shown, INT64_MIN), "0000-01-01T00:00:00.000Z");
}
END_TEST

START_TEST(every_day_of_four_centuries_reads_back)
{
    for (int64_t day = -146097; day <= 146097; day++) {
        char shown[CLOCK_TEXT_SIZE];
        int64_t back = 1;
        text_time(shown, sizeof shown, day * 86400000 + 1);
        ck_assert_msg(text_parse_time(shown, &back) && back == day * 86400000 + 1, "%s", shown);
    }
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
    static const char *const others[] = {"",
                                         "2026-11-21",
                                         "2026-11-21T01:22:33.123",
                                         "2026-11-21T01:22:33.123+01:00",
                                         "2026-11-21 01:22:33.123Z",
                                         "2026-02-29T00:00:00.000Z",
                                         "2026-13-01T00:00:00.000Z",
                                         "2026-00-01T00:00:00.000Z",
                                         "2026-11-21T24:00:00.000Z",
                                         "2026-11-21T01:22:60.000Z",
                                         "2026-11-21T01:22:33.1234Z",
                                         "2026-11-21T01:22:33.123Zx",
                                         "2026-11-21T01:22:3"};
    int64_t ms = 7;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ck_assert_msg(!text_parse_time(others[i], &ms), "%s", others[i]);
    }
    ck_assert_int_eq(ms, 7);
    ck_assert(text_parse_time("2026-11-21T01:22:33Z", &ms));
    ck_assert_int_eq(ms, 1795224153000);
}
END_TEST

START_TEST(a_slip_of_the_finger_is_guessed)
{
    static const char *const words[] = {"servers", "root", "session_timeout", "auth", NULL};
    ck_assert_str_eq(text_nearest("server", words, 4, sizeof *words), "servers");
    ck_assert_str_eq(text_nearest("Root", words, 4, sizeof *words), "root");
    ck_assert_str_eq(text_nearest("sesion_timout", words, 4, sizeof *words), "session_timeout");
    ck_assert_ptr_null(text_nearest("interval", words, 4, sizeof *words));
    ck_assert_ptr_null(text_nearest("", words, 4, sizeof *words));
    ck_assert_ptr_null(text_nearest("r", words, 4, sizeof *words));
    char endless[300];
    memset(endless, 'x', sizeof endless);
    endless[299] = '\0';
    ck_assert_ptr_null(text_nearest(endless, words, 4, sizeof *words));
}
END_TEST

START_TEST(any_table_with_names_can_be_searched)
{
    static const struct {
        int number;
        const char *name;
        double other;
    } table[] = {{1, "alpha", 0}, {2, "beta", 0}, {3, NULL, 0}};
    ck_assert_str_eq(text_nearest("betta", &table[0].name, 3, sizeof *table), "beta");
}
END_TEST

/* ---- log lines: what came out of standard error, which leads where a test puts it ------------ */

static int log_end = -1; /* where lines can be read */
static int real_stderr;
static char lines[1 << 20];

static void log_to(int writer, int reader)
{
    real_stderr = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(writer, STDERR_FILENO), 0);
    close(writer);
    log_end = reader;
}

/* Standard error is the real one again; all that was logged stands in `lines`. */
static void collect(void)
{
    size_t used = 0;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    for (ssize_t got; (got = read(log_end, lines + used, sizeof lines - 1 - used)) > 0;) {
        used += (size_t)got;
    }
    close(log_end);
    lines[used] = '\0';
}

static void log_to_pipe(void)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    log_to(ends[1], ends[0]);
}

START_TEST(a_log_line_is_time_level_subject_and_sentence)
{
    int64_t ms;
    char time[CLOCK_TEXT_SIZE] = "";
    log_to_pipe();
    log_line(LOG_NOTICE, "orders/pg-2", "went %s\nand %d", "primary", 7);
    log_line(LOG_INFO, "orders/pg-2", "is not shown");
    log_set_level(LOG_DEBUG);
    log_line(LOG_DEBUG, "registry", "is shown");
    collect();
    memcpy(time, lines, strcspn(lines, " "));
    ck_assert(text_parse_time(time, &ms));
    ck_assert_ptr_nonnull(strstr(lines, "Z notice orders/pg-2 went primary and 7\n"));
    ck_assert_ptr_null(strstr(lines, "is not shown"));
    ck_assert_ptr_nonnull(strstr(lines, "Z debug registry is shown\n"));
}
END_TEST

START_TEST(a_log_line_is_cut_but_whole)
{
    char endless[5000];
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    log_to_pipe();
    log_line(LOG_ERROR, "subject", "%s", endless);
    log_line(LOG_ERROR, "subject", "next");
    collect();
    ck_assert_uint_le(strcspn(lines, "\n"), 4096);
    ck_assert_ptr_nonnull(strstr(lines, "xx\n2"));
    ck_assert_ptr_nonnull(strstr(lines, "subject next\n"));
}
END_TEST

/* Log until well after it is full; then read, log once more, and see what was lost. Nothing of it
 * may block. */
static void overflow(void)
{
    long lost = -1;
    int shown = 0;
    for (int i = 0; i < 20000; i++) {
        log_line(LOG_NOTICE, "subject", "line %d", i);
    }
    ck_assert(read(log_end, lines, 16384) > 0);
    log_line(LOG_NOTICE, "subject", "reading again");
    collect();
    char *found = strstr(lines, "warning log lost ");
    ck_assert_ptr_nonnull(found);
    ck_assert_int_eq(sscanf(found, "warning log lost %ld lines", &lost), 1);
    ck_assert_int_gt(lost, 0);
    ck_assert_ptr_nonnull(strstr(found, "subject reading again\n"));
    for (char *at = lines; (at = strstr(at, " line ")); at++) {
        shown++;
    }
    ck_assert_int_lt(shown, 20000);
}

START_TEST(a_pipe_that_nobody_reads_does_not_stop_us)
{
    log_to_pipe();
    overflow();
}
END_TEST

START_TEST(a_socket_that_nobody_reads_does_not_stop_us)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    log_to(ends[1], ends[0]);
    overflow();
}
END_TEST

START_TEST(a_log_file_gets_every_line)
{
    char path[] = "/tmp/roster-note-XXXXXX";
    int writer = mkstemp(path), reader = open(path, O_RDONLY | O_CLOEXEC), shown = 0;
    ck_assert(writer >= 0 && reader >= 0);
    unlink(path);
    log_to(writer, reader);
    for (int i = 0; i < 5000; i++) {
        log_line(LOG_NOTICE, "subject", "line %d", i);
    }
    collect();
    for (char *at = lines; (at = strstr(at, " line ")); at++) {
        shown++;
    }
    ck_assert_int_eq(shown, 5000);
}
END_TEST

Suite *text_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *log = tcase_create("log lines");
    tcase_add_test(log, a_log_line_is_time_level_subject_and_sentence);
    tcase_add_test(log, a_log_line_is_cut_but_whole);
    tcase_add_test(log, a_pipe_that_nobody_reads_does_not_stop_us);
    tcase_add_test(log, a_socket_that_nobody_reads_does_not_stop_us);
    tcase_add_test(log, a_log_file_gets_every_line);
    suite_add_tcase(suite, log);
    TCase *writing = tcase_create("writing"), *reading = tcase_create("reading"),
          *people = tcase_create("people");
    tcase_add_test(writing, a_writer_stops_at_its_buffer_and_says_so);
    tcase_add_test(writing, a_writer_that_is_exactly_full_is_not_cut);
    tcase_add_test(writing, a_copy_that_does_not_fit_changes_nothing);
    tcase_add_test(writing, foreign_sentences_are_tamed);
    tcase_add_test(writing, taming_cuts_between_characters);
    tcase_add_test(writing, utf8_is_told_from_other_bytes);
    tcase_add_test(reading, names_are_short_and_plain);
    tcase_add_test(reading, integers_are_whole_and_in_range);
    tcase_add_test(reading, durations_have_units);
    tcase_add_test(reading, sizes_are_powers_of_1024);
    tcase_add_test(reading, yes_and_no_have_their_words);
    tcase_add_test(reading, addresses_are_read_and_written_back);
    tcase_add_test(reading, a_host_that_does_not_fit_is_refused);
    tcase_add_test(people, amounts_read_as_people_say_them);
    tcase_add_test(people, times_are_rfc_3339_and_read_back);
    tcase_add_test(people, every_day_of_four_centuries_reads_back);
    tcase_add_test(people, what_is_no_time_is_refused);
    tcase_add_test(people, a_slip_of_the_finger_is_guessed);
    tcase_add_test(people, any_table_with_names_can_be_searched);
    suite_add_tcase(suite, writing);
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, people);
    return suite;
}
