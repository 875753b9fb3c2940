#include "probes/drivers/gtid_fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { LONG_SET = 200 * 1024 };

static char text[LONG_SET], other[LONG_SET];
static const char *self = "";
static char folded[GTIDS_SIZE], other_folded[GTIDS_SIZE];

/* Of so many servers, each with so many intervals; the first has written up to `reached`. */
static void make(char *set, int servers, int intervals, uint64_t reached)
{
    char *at = set;
    *at = '\0';
    for (int s = 0; s < servers; s++) {
        at += sprintf(at, "%s%08x-71ca-11e1-9e33-c80aa9429562", s > 0 ? ",\n" : "",
                      (unsigned)s * 2654435U);
        for (int i = 0; s > 0 && i < intervals; i++) {
            at += sprintf(at, ":%d-%d", i * 10 + 1, i * 10 + 5 + s % 3);
        }
        at += s == 0 ? sprintf(at, ":1-%" PRIu64, reached) : 0;
        ck_assert(at - set < LONG_SET);
    }
}

static void relate(enum gtid_relation mine, enum gtid_relation theirs)
{
    gtid_fold(text, self, folded);
    gtid_fold(other, "", other_folded);
    ck_assert_int_eq(gtid_fold_compare(folded, other_folded), mine);
    ck_assert_int_eq(gtid_fold_compare(other_folded, folded), theirs);
}

START_TEST(what_fits_is_what_it_was)
{
    make(text, 3, 2, 77);
    gtid_fold(text, self, folded);
    ck_assert_str_eq(folded, text);
    gtid_fold("", self, folded);
    ck_assert_str_eq(folded, "");
    make(other, 3, 2, 76);
    relate(GTID_CONTAINS, GTID_LACKS);
}
END_TEST

/* 5 kB, 50 kB, 150 kB. */
START_TEST(long_sets_are_compared)
{
    static const int servers[] = {100, 1000, 3000};
    for (size_t i = 0; i < 3; i++) {
        make(text, servers[i], 1, 1000000);
        make(other, servers[i], 1, 1000000);
        relate(GTID_CONTAINS, GTID_CONTAINS);
        ck_assert_uint_lt(strlen(folded), GTIDS_SIZE);
        ck_assert_str_ne(folded, "");
        make(other, servers[i], 1, 999999);
        relate(GTID_CONTAINS, GTID_LACKS);
    }
}
END_TEST

/* A server that has become the primary, and wrote little so far: the others have some of that, or
 * none; one set fits, or neither does. */
START_TEST(what_a_new_primary_wrote_is_told_from_what_was_there)
{
    static const char *const written[] = {"", ":1", ":1-8", ":1-9"};
    static const int servers[] = {95, 1000};
    self = "ffffffff-71ca-11e1-9e33-c80aa9429562";
    for (size_t k = 0; k < 2; k++) {
        make(text, servers[k], 1, 1000);
        sprintf(text + strlen(text), ",\n%s:1-9", self);
        for (size_t i = 0; i < 4; i++) {
            make(other, servers[k], 1, 1000);
            sprintf(other + strlen(other), "%s%s%s", i > 0 ? ",\n" : "", i > 0 ? self : "",
                    written[i]);
            relate(GTID_CONTAINS, i < 3 ? GTID_LACKS : GTID_CONTAINS);
        }
    }
    self = "";
}
END_TEST

/* Each wrote something that the other has not. */
START_TEST(long_sets_that_part_lack_of_each_other)
{
    make(text, 1000, 1, 1000);
    make(other, 1000, 1, 1001);
    strcat(text, ",\nffffffff-71ca-11e1-9e33-c80aa9429562:1-2000");
    relate(GTID_LACKS, GTID_LACKS);
}
END_TEST

START_TEST(gaps_that_are_the_same_say_nothing_and_more_of_them_are_not_known)
{
    make(text, 40, 60, 500);
    make(other, 40, 60, 499);
    relate(GTID_CONTAINS, GTID_LACKS);
    make(other, 40, 60, 500);
    char *last = strrchr(other, ':');
    *last = '\0'; /* of a server with many gaps */
    relate(GTID_UNKNOWN, GTID_LACKS);
}
END_TEST

START_TEST(positions_of_mariadb_are_folded_likewise)
{
    char *at = text;
    for (int s = 1; s <= 900; s++) {
        at += sprintf(at, "%s0-%d-%d", s > 1 ? "," : "", s, s == 7 ? 100000 : s);
    }
    strcpy(other, text);
    relate(GTID_CONTAINS, GTID_CONTAINS);
    memcpy(strstr(other, "0-7-100000"), "0-7-099999", 10);
    relate(GTID_CONTAINS, GTID_LACKS);
}
END_TEST

START_TEST(what_is_no_set_is_not_known)
{
    static const char *const wrong[] = {"", "~", "~1.2;", "~0.0,", "nonsense"};
    make(text, 200, 1, 9);
    gtid_fold(text, self, folded);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(gtid_fold_compare(folded, wrong[i]), GTID_UNKNOWN);
        ck_assert_int_eq(gtid_fold_compare(wrong[i], folded), GTID_UNKNOWN);
    }
    ck_assert_int_eq(gtid_compare(folded, folded), GTID_UNKNOWN); /* to a former version */
    memset(text, 'x', GTIDS_SIZE);
    text[GTIDS_SIZE] = '\0';
    gtid_fold(text, self, folded);
    ck_assert_str_eq(folded, "");
}
END_TEST

Suite *gtid_fold_suite(void)
{
    Suite *suite = suite_create("gtid_fold");
    TCase *cases = tcase_create("folded sets");
    tcase_add_test(cases, what_fits_is_what_it_was);
    tcase_add_test(cases, long_sets_are_compared);
    tcase_add_test(cases, what_a_new_primary_wrote_is_told_from_what_was_there);
    tcase_add_test(cases, long_sets_that_part_lack_of_each_other);
    tcase_add_test(cases, gaps_that_are_the_same_say_nothing_and_more_of_them_are_not_known);
    tcase_add_test(cases, positions_of_mariadb_are_folded_likewise);
    tcase_add_test(cases, what_is_no_set_is_not_known);
    suite_add_tcase(suite, cases);
    return suite;
}
