/* A member that is one server with another claims nothing and counts for nothing. */
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

/* m0 is primary, m1 follows it; m2 is m0 by another name. */
static void begin(enum kind kind)
{
    world_init(&world, kind, 3, 3, 3);
    world_primary(&world, ALL, 0, "7");
    world_standby(&world, ALL, 1, 0, "7");
    world_primary(&world, ALL, 2, "7");
}

static void say_alias(size_t m, const char *of, size_t probes)
{
    for (size_t p = 0; p < probes; p++) {
        strcpy(world.reports[p].members[m].alias, of);
    }
}

static const struct member *member(size_t m)
{
    return &world.previous.members[m];
}

START_TEST(a_server_that_is_listed_twice_is_no_tie)
{
    static const enum kind kinds[] = {KIND_STREAMING, KIND_ASYNC};
    for (size_t i = 0; i < 2; i++) {
        begin(kinds[i]);
        say_alias(2, "m0", 2);
        ck_assert(world_resolve(&world));
        ck_assert_str_eq(world.previous.primary, "m0");
        ck_assert_int_eq(world.previous.state, STATE_OK);
        ck_assert_int_eq(member(2)->role, ROLE_NONE);
        ck_assert_str_eq(member(2)->alias, "m0");
        ck_assert(!member(2)->claims && !member(2)->fenced);
        ck_assert_ptr_nonnull(strstr(world.previous.why, "m2 is the server m0 by another name"));
    }
}
END_TEST

START_TEST(an_alias_that_no_quorum_sees_as_such_is_what_it_was)
{
    begin(KIND_STREAMING);
    say_alias(2, "m0", 3);
    ck_assert(world_resolve(&world));
    say_alias(2, "", 1);
    world_fails(&world, 1, 2, ANSWER_TIMEOUT);
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(member(2)->alias, "m0");
    ck_assert_int_eq(world.previous.state, STATE_OK);
    say_alias(2, "", 3);
    world_standby(&world, ALL, 2, 0, "7");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(member(2)->alias, "");
    ck_assert_int_eq(member(2)->role, ROLE_SECONDARY);
}
END_TEST

START_TEST(a_primary_that_turns_out_to_be_an_alias_is_primary_under_its_own_name)
{
    begin(KIND_ASYNC);
    world_standby(&world, ALL, 2, 0, "7");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
    world_primary(&world, ALL, 2, "7");
    say_alias(0, "m2", 3);
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m2");
    ck_assert_int_eq(world.previous.state, STATE_OK);
    ck_assert(!member(0)->fenced);
}
END_TEST

START_TEST(two_that_are_said_to_be_each_others_alias_leave_one)
{
    begin(KIND_STREAMING);
    say_alias(2, "m0", 3);
    say_alias(0, "m2", 3);
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
    ck_assert_str_eq(member(0)->alias, "");
    ck_assert_str_eq(member(2)->alias, "m0");
}
END_TEST

START_TEST(an_alias_of_nobody_that_is_listed_is_a_member)
{
    begin(KIND_STREAMING);
    world_standby(&world, ALL, 2, 0, "7");
    say_alias(2, "elsewhere", 3);
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(member(2)->alias, "");
    ck_assert_int_eq(member(2)->role, ROLE_SECONDARY);
}
END_TEST

START_TEST(a_hold_on_the_alias_holds_the_server)
{
    begin(KIND_STREAMING);
    say_alias(2, "m0", 3);
    strcpy(world.directives.hold, "m2");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
    ck_assert_int_eq(world.previous.rule, RULE_HELD);
}
END_TEST

Suite *aliases_suite(void)
{
    Suite *suite = suite_create("aliases");
    TCase *tcase = tcase_create("aliases");
    tcase_add_test(tcase, a_server_that_is_listed_twice_is_no_tie);
    tcase_add_test(tcase, an_alias_that_no_quorum_sees_as_such_is_what_it_was);
    tcase_add_test(tcase, a_primary_that_turns_out_to_be_an_alias_is_primary_under_its_own_name);
    tcase_add_test(tcase, two_that_are_said_to_be_each_others_alias_leave_one);
    tcase_add_test(tcase, an_alias_of_nobody_that_is_listed_is_a_member);
    tcase_add_test(tcase, a_hold_on_the_alias_holds_the_server);
    suite_add_tcase(suite, tcase);
    return suite;
}
