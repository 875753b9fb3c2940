/* What servers advertise is bounded and tamed. */
#include "probes/drivers/advertised.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(what_servers_name_is_tamed)
{
    struct advertised list = {0};
    char longest[200];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    advertised_add(&list, "", 1);
    advertised_add(&list, "a b", 1);
    advertised_add(&list, "a\x1b[31m", 1);
    advertised_add(&list, "\xc3\xa4.example", 1);
    advertised_add(&list, longest, 1);
    ck_assert_uint_eq(list.count, 0);
    advertised_add(&list, "a", 1);
    advertised_add(&list, "a", 1);
    advertised_add(&list, "a", 2);
    ck_assert_uint_eq(list.count, 2);
    advertised_add_hosts(&list, "b,,c,");
    advertised_add_hosts(&list, NULL);
    advertised_add_hosts(&list, longest);
    ck_assert_uint_eq(list.count, 4);
    ck_assert_str_eq(list.server[3].host, "c");
    ck_assert_uint_eq(list.server[3].port, 0);
    advertised_add_addresses(&list, "d:1,AUTO,,[::1]:2,e,d:99999,::3,unspecified");
    ck_assert_uint_eq(list.count, 8);
    ck_assert_str_eq(list.server[5].host, "::1");
    ck_assert_str_eq(list.server[7].host, "unspecified");
}
END_TEST

START_TEST(a_full_list_takes_no_more)
{
    struct advertised list = {0};
    char host[16];
    for (int i = 0; i <= ADVERTISED_MAX; i++) {
        snprintf(host, sizeof host, "10.0.0.%d", i);
        advertised_add(&list, host, 5432);
    }
    ck_assert_uint_eq(list.count, ADVERTISED_MAX);
    ck_assert_str_eq(list.server[ADVERTISED_MAX - 1].host, "10.0.0.31");
}
END_TEST

START_TEST(a_host_of_the_longest_length_is_taken)
{
    struct advertised list = {0};
    char host[ADVERTISED_SIZE + 1];
    memset(host, 'a', sizeof host);
    host[ADVERTISED_SIZE] = '\0';
    advertised_add(&list, host, 1);
    ck_assert_uint_eq(list.count, 0);
    host[ADVERTISED_SIZE - 1] = '\0';
    advertised_add(&list, host, 1);
    ck_assert_uint_eq(list.count, 1);
}
END_TEST

Suite *advertised_suite(void)
{
    Suite *suite = suite_create("advertised");
    TCase *tcase = tcase_create("list");
    tcase_add_test(tcase, what_servers_name_is_tamed);
    tcase_add_test(tcase, a_full_list_takes_no_more);
    tcase_add_test(tcase, a_host_of_the_longest_length_is_taken);
    suite_add_tcase(suite, tcase);
    return suite;
}
