#include "probes/drivers/gtid.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define B "8a94f357-aab4-11df-86ab-c80aa9429444"

static void contains(const char *mine, const char *theirs)
{
    ck_assert_msg(gtid_compare(mine, theirs) == GTID_CONTAINS, "'%s' should contain '%s'", mine,
                  theirs);
}

static void lacks(const char *mine, const char *theirs)
{
    ck_assert_msg(gtid_compare(mine, theirs) == GTID_LACKS, "'%s' should lack of '%s'", mine,
                  theirs);
}

static void unknown(const char *mine, const char *theirs)
{
    ck_assert_msg(gtid_compare(mine, theirs) == GTID_UNKNOWN, "'%s' tells nothing of '%s'", mine,
                  theirs);
}

START_TEST(a_set_contains_itself_and_what_is_less)
{
    contains(A ":1-77", A ":1-77");
    contains(A ":1-77", A ":1-76");
    contains(A ":1-77", A ":5-9:70");
    contains(A ":1-77", A ":77");
    lacks(A ":1-76", A ":1-77");
    lacks(A ":1-77", A ":78");
    lacks(A ":2-77", A ":1-77");
}
END_TEST

START_TEST(a_gap_is_lacking)
{
    contains(A ":1-10:20-30", A ":1-10:20:25-30");
    lacks(A ":1-10:20-30", A ":1-30");
    lacks(A ":1-10:20-30", A ":11");
    lacks(A ":1-10:20-30", A ":10-20");
}
END_TEST

START_TEST(every_server_of_the_set_counts)
{
    contains(A ":1-77,\n" B ":1-3", B ":1-3");
    contains(A ":1-77,\n" B ":1-3", B ":2,\n" A ":1-77");
    lacks(A ":1-77", A ":1-77,\n" B ":1");
    lacks(A ":1-77,\n" B ":1-3", A ":1-77,\n" B ":1-4");
    lacks(A ":1-3", B ":1-3");
}
END_TEST

START_TEST(spaces_newlines_letters_and_commas_too_many_do_not_matter)
{
    contains(" " A " : 1 - 77 ,\r\n\t" B ":1-3\n", B ":1-3," A ":1-77");
    contains("3E11FA47-71CA-11E1-9E33-C80AA9429562:1-77", A ":1-77");
    contains(A ":1-77,,\n," B ":1-3,", A ":1-77,");
}
END_TEST

START_TEST(a_tag_makes_another_sequence)
{
    contains(A ":1-5:backup:1-3", A ":backup:2");
    contains(A ":1-5:backup:1-3:9:restore:1", A ":backup:9:restore:1," A ":5");
    contains(A ":BackUp:1-3", A ":backup:1-3");
    lacks(A ":1-5", A ":backup:1");
    lacks(A ":backup:1-5", A ":1");
    lacks(A ":1-5:backup:1-3", A ":restore:1-3");
    lacks(A ":1-5:backup:1-3", A ":1-5:backup:1-4");
    lacks(A ":backup:1-3,\n" B ":1-5", B ":backup:1");
}
END_TEST

START_TEST(mariadb_tells_how_far_each_server_got_in_each_domain)
{
    contains("0-1-270", "0-1-270");
    contains("0-1-270,0-2-113", "0-2-100");
    contains("0-1-270, 1-1-5,0-2-113", "1-1-5,0-1-1");
    lacks("0-1-270", "0-1-271");
    lacks("0-1-270", "0-2-113");
    lacks("0-1-270", "1-1-1");
    lacks("0-11-270", "0-1-1");
    lacks("0-1-270", "0-11-1");
    contains("0-1-0", "0-1-0");
}
END_TEST

START_TEST(of_nothing_nothing_is_known)
{
    unknown("", "");
    unknown("", A ":1-3");
    unknown(A ":1-3", "");
    unknown("0-1-1", " \n,");
}
END_TEST

START_TEST(what_cannot_be_read_is_not_taken_for_an_answer)
{
    static const char *const bad[] = {
        "garbage",
        A,
        A ":",
        A ":1-",
        A ":-3",
        A ":5-3",
        A ":0",
        A ":0-3",
        A ":1-3x",
        A ":1-3 4",
        A ":1--3",
        A ":tag",
        A ":tag:",
        A ":tag:other:1",
        A ":abcdefghijklmnopqrstuvwxyzabcdefg:1",
        A ":1-99999999999999999999999",
        A ":1-3;" B ":1",
        A ":1-3," B,
        "3e11fa47:1-3",
        A "0:1-3",
        ":1-3",
        "-",
        "--",
        "0-1",
        "0-1-",
        "0--1",
        "-1-1",
        "0-1-2-3",
        "0-1-2:3",
        "0-1-2 0-1-3",
        "0-x-2",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unknown(bad[i], A ":1");
        unknown(A ":1-9", bad[i]);
        unknown(bad[i], bad[i]);
    }
    unknown(A ":1-9,nonsense", A ":1"); /* however early the answer were found */
    unknown(A ":1", A ":1-9,nonsense");
}
END_TEST

/* A text that ends where its memory ends: a sanitizer sees who reads on. */
static char *exact(const char *from, size_t length)
{
    char *text = malloc(length + 1);
    ck_assert_ptr_nonnull(text);
    memcpy(text, from, length);
    text[length] = '\0';
    return text;
}

START_TEST(any_bytes_are_read_to_their_end_and_no_further)
{
    static const char whole[] = A ":1-5:backup:1-3:9,\n" B ":1-77,0-1-270, 0-2-113";
    static const char signs[] = "0189-:, \naFgz_\x80\xff";
    uint64_t chance = 20260101;
    for (int round = 0; round < 20000; round++) {
        char bytes[sizeof whole];
        memcpy(bytes, whole, sizeof whole);
        for (int change = 0; change < 3; change++) {
            chance = chance * 6364136223846793005U + 1442695040888963407U;
            bytes[(chance >> 33) % (sizeof whole - 1)] = signs[(chance >> 40) % (sizeof signs - 1)];
        }
        size_t length = (chance >> 20) % sizeof whole;
        char *text = exact(bytes, length);
        char *other = exact(whole, sizeof whole - 1);
        enum gtid_relation with_itself = gtid_compare(text, text);
        ck_assert(with_itself == GTID_UNKNOWN || with_itself == GTID_CONTAINS);
        ck_assert((gtid_compare(text, other) == GTID_UNKNOWN) == (with_itself == GTID_UNKNOWN));
        ck_assert((gtid_compare(other, text) == GTID_UNKNOWN) == (with_itself == GTID_UNKNOWN));
        free(other);
        free(text);
    }
}
END_TEST

START_TEST(a_position_is_reached_along_its_domain_whoever_wrote_there_last)
{
    ck_assert_int_eq(gtid_reaches("0-2-4", "0-1-3"), GTID_CONTAINS); /* a local write behind it */
    ck_assert_int_eq(gtid_reaches("0-1-3", "0-1-3"), GTID_CONTAINS);
    ck_assert_int_eq(gtid_reaches("0-1-2", "0-1-3"), GTID_LACKS);
    ck_assert_int_eq(gtid_reaches("0-2-4", "0-1-3,1-1-1"), GTID_LACKS);
    ck_assert_int_eq(gtid_reaches("0-2-4,1-2-9", "0-1-3,1-1-1"), GTID_CONTAINS);
    ck_assert_int_eq(gtid_reaches("", "0-1-3"), GTID_UNKNOWN);
    ck_assert_int_eq(gtid_reaches("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
                                  "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-6"),
                     GTID_LACKS);
}
END_TEST

Suite *gtid_suite(void)
{
    Suite *suite = suite_create("gtid");
    TCase *tests = tcase_create("gtid");
    tcase_add_test(tests, a_set_contains_itself_and_what_is_less);
    tcase_add_test(tests, a_gap_is_lacking);
    tcase_add_test(tests, every_server_of_the_set_counts);
    tcase_add_test(tests, spaces_newlines_letters_and_commas_too_many_do_not_matter);
    tcase_add_test(tests, a_tag_makes_another_sequence);
    tcase_add_test(tests, mariadb_tells_how_far_each_server_got_in_each_domain);
    tcase_add_test(tests, of_nothing_nothing_is_known);
    tcase_add_test(tests, what_cannot_be_read_is_not_taken_for_an_answer);
    tcase_add_test(tests, any_bytes_are_read_to_their_end_and_no_further);
    tcase_add_test(tests, a_position_is_reached_along_its_domain_whoever_wrote_there_last);
    suite_add_tcase(suite, tests);
    return suite;
}
