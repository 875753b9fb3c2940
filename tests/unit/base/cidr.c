#include "registry/base/cidr.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct cidr_list ranges;
static char wrong[200];

static bool parses(const char *from)
{
    wrong[0] = '\0';
    return cidr_parse(from, &ranges, wrong, sizeof wrong);
}

START_TEST(an_address_is_in_a_range_when_its_first_bits_are)
{
    ck_assert_msg(parses("10.0.0.0/8, 192.0.2.7,198.51.100.128/25 ,fd00::/8"), "%s", wrong);
    ck_assert_uint_eq(ranges.count, 4);
    ck_assert(cidr_contains(&ranges, "10.0.0.0"));
    ck_assert(cidr_contains(&ranges, "10.255.255.255"));
    ck_assert(!cidr_contains(&ranges, "11.0.0.0"));
    ck_assert(!cidr_contains(&ranges, "9.255.255.255"));
    ck_assert(cidr_contains(&ranges, "192.0.2.7"));
    ck_assert(!cidr_contains(&ranges, "192.0.2.6"));
    ck_assert(cidr_contains(&ranges, "198.51.100.128"));
    ck_assert(!cidr_contains(&ranges, "198.51.100.127"));
    ck_assert(cidr_contains(&ranges, "fd12:3456::1"));
    ck_assert(!cidr_contains(&ranges, "fe00::1"));
}
END_TEST

START_TEST(ranges_of_one_family_hold_nothing_of_the_other)
{
    ck_assert(parses("0.0.0.0/0"));
    ck_assert(cidr_contains(&ranges, "203.0.113.9"));
    ck_assert(!cidr_contains(&ranges, "2001:db8::1"));
    ck_assert(parses("::/0"));
    ck_assert(cidr_contains(&ranges, "2001:db8::1"));
    ck_assert(!cidr_contains(&ranges, "203.0.113.9"));
    ck_assert(!cidr_contains(&ranges, "::ffff:203.0.113.9")); /* which is the same server */
    ck_assert(parses("203.0.113.0/24"));
    ck_assert(cidr_contains(&ranges, "::ffff:203.0.113.9"));
}
END_TEST

START_TEST(what_is_no_literal_address_is_in_no_range)
{
    static const char *const none[] = {"",     "localhost",    "10.0.0.1 ", "10.0.0.1:5432",
                                       "10.1", "fe80::1%eth0", "010.0.0.1"};
    ck_assert(parses("0.0.0.0/0,::/0"));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        ck_assert_msg(!cidr_contains(&ranges, none[i]), "%s", none[i]);
    }
    ck_assert(parses(""));
    ck_assert(!cidr_contains(&ranges, "10.0.0.1"));
}
END_TEST

START_TEST(a_bad_range_is_refused_with_its_reason_and_changes_nothing)
{
    static const struct {
        const char *from, *why;
    } cases[] = {
        {"10.0.0.0/33", "from 0 to 32"},
        {"10.0.0.0/", "from 0 to 32"},
        {"10.0.0.0/-1", "from 0 to 32"},
        {"fd00::/129", "from 0 to 128"},
        {"10.0.0.1/8", "more address than its 8 bits"},
        {"fd00::1/8", "more address than its 8 bits"},
        {"10.0.0/8", "'10.0.0' is not an IPv4 or IPv6 address"},
        {"db.example.org", "not an IPv4 or IPv6 address"},
        {"::ffff:10.0.0.0/104", "write the former"},
        {"10.0.0.0/8,", "nothing between two commas"},
        {",10.0.0.0/8", "nothing between two commas"},
        {"10.0.0.0/8,,fd00::/8", "nothing between two commas"},
        {" ", "nothing between"},
        {"1111111111111111111111111111111111111111111111111111111111111111111111111111111111111",
         "too long"},
        {"1.0.0.0,1.0.0.1,1.0.0.2,1.0.0.3,1.0.0.4,1.0.0.5,1.0.0.6,1.0.0.7,1.0.0.8,1.0.0.9,1.0.0.10,"
         "1.0.0.11,1.0.0.12,1.0.0.13,"
         "1.0.0.14,1.0.0.15,1.0.0.16",
         "one range too many"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(parses("192.0.2.1"));
        ck_assert_msg(!parses(cases[i].from), "%s", cases[i].from);
        ck_assert_msg(strstr(wrong, cases[i].why), "%s: said: %s", cases[i].from, wrong);
        ck_assert(ranges.count == 1 && cidr_contains(&ranges, "192.0.2.1"));
    }
}
END_TEST

START_TEST(one_address_has_one_spelling)
{
    static const struct {
        const char *from, *to;
    } cases[] = {{"10.0.0.1", "10.0.0.1"},
                 {"::ffff:10.0.0.1", "10.0.0.1"},
                 {"2001:DB8:0:0::2", "2001:db8::2"},
                 {"::1", "::1"}};
    char to[LITERAL_TEXT_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(cidr_literal(cases[i].from, to));
        ck_assert_str_eq(to, cases[i].to);
    }
    ck_assert(!cidr_literal("pg-1", to));
    ck_assert(!cidr_literal("fe80::1%eth0", to));
}
END_TEST

START_TEST(loopback_is_known_in_all_its_spellings)
{
    ck_assert(cidr_is_loopback("127.0.0.1"));
    ck_assert(cidr_is_loopback("127.8.9.10"));
    ck_assert(cidr_is_loopback("::1"));
    ck_assert(cidr_is_loopback("::ffff:127.0.0.1"));
    ck_assert(!cidr_is_loopback("128.0.0.1"));
    ck_assert(!cidr_is_loopback("::2"));
    ck_assert(!cidr_is_loopback("localhost"));
}
END_TEST

Suite *cidr_suite(void)
{
    Suite *suite = suite_create("ranges");
    TCase *tcase = tcase_create("ranges");
    tcase_add_test(tcase, an_address_is_in_a_range_when_its_first_bits_are);
    tcase_add_test(tcase, ranges_of_one_family_hold_nothing_of_the_other);
    tcase_add_test(tcase, what_is_no_literal_address_is_in_no_range);
    tcase_add_test(tcase, a_bad_range_is_refused_with_its_reason_and_changes_nothing);
    tcase_add_test(tcase, one_address_has_one_spelling);
    tcase_add_test(tcase, loopback_is_known_in_all_its_spellings);
    suite_add_tcase(suite, tcase);
    return suite;
}
