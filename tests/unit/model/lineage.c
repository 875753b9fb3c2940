#include "registry/model/lineage.h"

#include "tests/unit/unit.h"

START_TEST(lineages_are_compared_as_numbers_of_any_length)
{
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        {"7", "8", -1},
        {"9", "10", -1},
        {"10", "9", 1},
        {"8", "8", 0},
        {"", "0", -1},
        {"", "", 0},
        {"0", "", 1},
        {"007", "7", 0},
        {"00", "0", 0},
        {"018", "9", 1},
        {"18446744073709551616", "18446744073709551615", 1},
        {"99999999999999999999999999999", "100000000000000000000000000000", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(lineage_compare(cases[i].a, cases[i].b) == cases[i].order, "%s %s",
                      cases[i].a, cases[i].b);
        ck_assert_msg(lineage_compare(cases[i].b, cases[i].a) == -cases[i].order, "%s %s",
                      cases[i].b, cases[i].a);
    }
}
END_TEST

START_TEST(streaming_has_an_order_and_async_has_none)
{
    ck_assert(lineage_is_total("8"));
    ck_assert(!lineage_is_total("17952678283947496:3"));
    ck_assert(!lineage_is_total(""));
}
END_TEST

START_TEST(views_are_ordered_under_one_stamp_only)
{
    ck_assert_int_eq(lineage_compare("s:9", "s:10"), -1);
    ck_assert_int_eq(lineage_compare("s:10", "s:10"), 0);
    ck_assert_int_eq(lineage_compare("s:10", "t:9"), 0);
    ck_assert_int_eq(lineage_compare("s:10", "ss:9"), 0);
    ck_assert_int_eq(lineage_compare("s:10", "9"), 0);
    ck_assert_int_eq(lineage_compare("", "s:10"), 0);
}
END_TEST

Suite *lineage_suite(void)
{
    Suite *suite = suite_create("lineage");
    TCase *tcase = tcase_create("lineage");
    tcase_add_test(tcase, lineages_are_compared_as_numbers_of_any_length);
    tcase_add_test(tcase, streaming_has_an_order_and_async_has_none);
    tcase_add_test(tcase, views_are_ordered_under_one_stamp_only);
    suite_add_tcase(suite, tcase);
    return suite;
}
