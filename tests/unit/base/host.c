#include "registry/base/host.h"

#include "tests/unit/unit.h"

START_TEST(one_host_in_two_notations_is_equal)
{
    ck_assert(host_equal("db-1", "db-1"));
    ck_assert(host_equal("10.0.0.1", "::ffff:10.0.0.1"));
    ck_assert(host_equal("2001:DB8::0:1", "2001:db8::1"));
    ck_assert(host_equal("", ""));
}
END_TEST

START_TEST(two_hosts_are_not_equal)
{
    ck_assert(!host_equal("db-1", "db-2"));
    ck_assert(!host_equal("10.0.0.1", "10.0.0.2"));
    ck_assert(!host_equal("10.0.0.1", "db-1"));
    ck_assert(!host_equal("", "db-1"));
    ck_assert(!host_equal("", "localhost"));
}
END_TEST

START_TEST(the_loopback_has_several_spellings)
{
    ck_assert(host_equal("localhost", "127.0.0.1"));
    ck_assert(host_equal("::1", "127.0.0.1"));
    ck_assert(host_equal("0:0::1", "localhost"));
    ck_assert(host_equal("::ffff:127.0.0.1", "::1"));
    ck_assert(!host_equal("127.0.0.2", "127.0.0.1"));
    ck_assert(host_is_local("localhost"));
    ck_assert(!host_is_local("localhost.example.org"));
    ck_assert(!host_is_local("127.0.0.2"));
    ck_assert(!host_is_local(""));
}
END_TEST

Suite *host_suite(void)
{
    Suite *suite = suite_create("host");
    TCase *tcase = tcase_create("host_equal");
    tcase_add_test(tcase, one_host_in_two_notations_is_equal);
    tcase_add_test(tcase, two_hosts_are_not_equal);
    tcase_add_test(tcase, the_loopback_has_several_spellings);
    suite_add_tcase(suite, tcase);
    return suite;
}
