/* Positions in streams of transactions. */
#include "probes/drivers/position.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define B "8a94f357-aab4-11df-86ab-c80aa9429562"

static struct position of(const char *set)
{
    struct position position;
    position_read(set, &position);
    return position;
}

static const struct {
    const char *mine, *theirs;
    bool reaches;
} cases[] = {
    {A ":1-9", A ":1-9", true},
    {A ":1-9", A ":1-8", true},
    {A ":1-9", A ":1-10", false},
    {A ":1-9, " B ":1-3", A ":1-9", true}, /* what a replica wrote itself is not asked */
    {A ":1-9", A ":1-9," B ":1", false},
    {A ":1-5:7-9", A ":1-9", false}, /* a hole */
    {A ":1-5:7-10", A ":1-9", true}, /* by numbers alone it cannot be told */
    {A ":tag:1-9", A ":1-9", false},
    {A ":1-2:tag:1-9", A ":1-2:tag:1-8", true},
    {A ":1-50:1000001-1000030", A ":1-49:1000001-1000030", true}, /* a group's blocks */
    {A ":1-49:1000001-1000030", A ":1-50:1000001-1000030", false},
    {"3E11FA47-71CA-11E1-9E33-C80AA9429562:1-9", A ":1-9", true},
    {"0-1-9", "0-1-9", true},
    {"0-2-12", "0-1-9", true}, /* along a domain, whoever writes */
    {"0-1-9", "0-1-10", false},
    {"0-1-9,1-7-3", "0-2-9,1-5-3", true},
    {"0-1-9", "0-1-9,1-5-3", false},
    {"", A ":1-9", false},
    {A ":1-9", "", false},
    {"", "", false},
    {"no set", "no set", false},
};

START_TEST(a_position_reaches_another)
{
    struct position mine = of(cases[_i].mine), theirs = of(cases[_i].theirs);
    ck_assert_int_eq(position_reaches(&mine, &theirs), cases[_i].reaches);
}
END_TEST

START_TEST(a_number_is_a_position)
{
    struct position low = position_at(0), high = position_at(INT64_MAX), none = position_at(-1);
    ck_assert(position_reaches(&high, &low) && !position_reaches(&low, &high));
    ck_assert(position_reaches(&low, &low) && position_equal(&high, &high));
    ck_assert_int_eq(none.count, 0);
    ck_assert(!position_reaches(&high, &none) && !position_reaches(&none, &low));
    ck_assert(position_passes(&high, &low, &high) && !position_passes(&high, &none, &low));
}
END_TEST

/* A replica that was set up without a part of the history keeps up with what is written. */
START_TEST(only_streams_that_move_pass_by)
{
    struct position base = of(A ":1-100," B ":1-7"), later = of(A ":1-101," B ":1-7");
    struct position without = of(A ":1-100"), with = of(A ":1-101");
    ck_assert(!position_passes(&base, &without, &base));
    ck_assert(position_passes(&later, &without, &base));
    ck_assert(!position_passes(&later, &with, &base));
    with.exact = without.exact = true; /* what it has a part of, it lacks */
    without = of(A ":1-99");
    without.exact = true;
    ck_assert(position_passes(&base, &without, &base));
    without.exact = false;
    ck_assert(!position_passes(&base, &without, &base));
    struct position new = of(A ":1-101," B ":1-7,8a94f357-aab4-11df-86ab-000000000000:1");
    ck_assert(position_passes(&new, &with, &base));
}
END_TEST

START_TEST(a_position_of_too_many_streams_is_not_known)
{
    char set[STREAMS_MAX * 16 + 16] = "";
    for (int i = 0; i < STREAMS_MAX; i++) {
        snprintf(set + strlen(set), sizeof set - strlen(set), "%d-1-7,", i);
    }
    ck_assert_int_eq(of(set).count, STREAMS_MAX);
    strcat(set, "99-1-7");
    ck_assert_int_eq(of(set).count, 0);
}
END_TEST

Suite *position_suite(void)
{
    Suite *suite = suite_create("position");
    TCase *tests = tcase_create("position");
    tcase_add_loop_test(tests, a_position_reaches_another, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tests, a_number_is_a_position);
    tcase_add_test(tests, only_streams_that_move_pass_by);
    tcase_add_test(tests, a_position_of_too_many_streams_is_not_known);
    suite_add_tcase(suite, tests);
    return suite;
}
