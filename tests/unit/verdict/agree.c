#include "registry/verdict/agree.h"

#include "tests/unit/unit.h"

static bool same(const void *theirs, const void *mine)
{
    return *(const int *)theirs == *(const int *)mine;
}

static bool reaches(const void *theirs, const void *mine)
{
    return *(const int *)theirs >= *(const int *)mine;
}

/* Zero does not count: it supports nothing, not even itself. */
static bool same_and_counts(const void *theirs, const void *mine)
{
    return *(const int *)theirs && same(theirs, mine);
}

static const int one = 1, two = 2, three = 3, zero = 0, uno = 1;

START_TEST(the_first_item_with_a_quorum_is_found)
{
    struct opinions opinions = {2, 4, {&two, &one, NULL, &uno}};
    ck_assert_ptr_eq(agree_first(&opinions, same), &one);
    ck_assert_int_eq(agree_count(&opinions, &uno, same), 2);
    opinions.quorum = 3;
    ck_assert_ptr_null(agree_first(&opinions, same));
}
END_TEST

START_TEST(absent_items_and_those_that_do_not_count_support_nothing)
{
    struct opinions opinions = {1, 2, {NULL, &zero}};
    ck_assert_ptr_null(agree_first(&opinions, same_and_counts));
    ck_assert_ptr_null(agree_greatest(&opinions, same_and_counts));
    ck_assert_int_eq(agree_count(&opinions, NULL, same), 0);
    opinions.count = 0;
    ck_assert_ptr_null(agree_first(&opinions, same));
}
END_TEST

START_TEST(the_greatest_that_a_quorum_reaches_is_no_single_one)
{
    struct opinions opinions = {2, 3, {&one, &three, &two}};
    ck_assert_ptr_eq(agree_greatest(&opinions, reaches), &two);
    opinions.quorum = 3;
    ck_assert_ptr_eq(agree_greatest(&opinions, reaches), &one);
    opinions.quorum = 1;
    ck_assert_ptr_eq(agree_greatest(&opinions, reaches), &three);
}
END_TEST

Suite *agree_suite(void)
{
    Suite *suite = suite_create("agree");
    TCase *tcase = tcase_create("agree");
    tcase_add_test(tcase, the_first_item_with_a_quorum_is_found);
    tcase_add_test(tcase, absent_items_and_those_that_do_not_count_support_nothing);
    tcase_add_test(tcase, the_greatest_that_a_quorum_reaches_is_no_single_one);
    suite_add_tcase(suite, tcase);
    return suite;
}
