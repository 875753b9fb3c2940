/* Servers that get other names by a reload: the verdict follows the server, and not the name. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

/* Member m of one report is the server at address a, which is the primary (a 0) or follows it. */
static void list(int probe, size_t m, size_t a, size_t primary, const char *lineage)
{
    struct member_config *config = &world.reports[probe].members[m].config;
    snprintf(config->host, sizeof config->host, "10.0.0.%zu", a + 1);
    if (a == 0) {
        world_primary(&world, probe, m, lineage);
    } else {
        world_standby(&world, probe, m, primary, lineage);
    }
}

/* A probe with the file in which m0 and m1 have each other's address. */
static void reload(int probe)
{
    list(probe, 0, 1, 1, "7");
    list(probe, 1, 0, 1, "7");
    list(probe, 2, 2, 1, "7");
}

static void begin(enum kind kind, int witnesses)
{
    world_init(&world, kind, witnesses, (size_t)witnesses, 3);
    for (int p = 0; p < witnesses; p++) {
        for (size_t m = 0; m < 3; m++) {
            list(p, m, m, 0, "7");
        }
    }
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
}

static const char *writer(void)
{
    const struct member *member = topology_member(&world.previous, world.previous.primary);
    return member ? member->config.host : "nobody";
}

static void assert_undisturbed(void)
{
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(writer(), "10.0.0.1");
    ck_assert_int_eq(world.previous.state, STATE_OK);
    for (size_t i = 0; i < world.previous.member_count; i++) {
        ck_assert(!world.previous.members[i].fenced && !world.previous.members[i].claims);
    }
}

START_TEST(members_that_swap_their_addresses_leave_the_server_the_writer)
{
    static const enum kind kinds[] = {KIND_STREAMING, KIND_ASYNC};
    static const int witnesses[] = {1, 3, 5};
    for (size_t i = 0; i < 6; i++) {
        begin(kinds[i % 2], witnesses[i / 2]);
        int64_t epoch = world.previous.epoch;
        for (int p = 0; p < witnesses[i / 2]; p++) {
            reload(p);
            assert_undisturbed();
        }
        ck_assert_str_eq(world.previous.primary, "m1");
        ck_assert_str_eq(world.previous.members[2].upstream, "m1");
        ck_assert_int_eq(world.previous.members[0].role, ROLE_SECONDARY);
        ck_assert_int_eq(world.previous.epoch, epoch + 1);
    }
}
END_TEST

START_TEST(half_of_a_roll_with_a_probe_missing_withdraws_nobody)
{
    begin(KIND_STREAMING, 3);
    reload(0);
    world.count = 2;
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(writer(), "10.0.0.1");
    ck_assert_str_eq(world.previous.primary, "m0");
}
END_TEST

START_TEST(three_that_change_round_keep_what_is_known_of_each)
{
    begin(KIND_STREAMING, 1);
    list(0, 0, 1, 2, "7");
    list(0, 1, 2, 2, "7");
    list(0, 2, 0, 2, "7");
    assert_undisturbed();
    ck_assert_str_eq(world.previous.primary, "m2");
}
END_TEST

START_TEST(a_server_that_is_listed_under_another_name_stays_the_writer)
{
    begin(KIND_STREAMING, 3);
    for (int p = 0; p < 3; p++) {
        struct report *report = &world.reports[p];
        struct member_report first = report->members[0];
        memmove(&report->members[0], &report->members[1], 2 * sizeof first);
        report->members[2] = first;
        strcpy(report->members[2].config.name, "n0");
        strcpy(report->members[0].upstream, "n0");
        strcpy(report->members[1].upstream, "n0");
        assert_undisturbed();
    }
    ck_assert_str_eq(world.previous.primary, "n0");
    ck_assert_uint_eq(world.previous.member_count, 3);
}
END_TEST

START_TEST(what_is_seen_at_another_address_is_no_sighting_of_the_member)
{
    begin(KIND_STREAMING, 3);
    /* probe-a has a new server for m0, which is not up yet; probe-b has a bad moment */
    strcpy(world.reports[0].members[0].config.host, "10.0.0.9");
    world_fails(&world, 0, 0, ANSWER_REFUSED);
    world_fails(&world, 1, 0, ANSWER_REFUSED);
    world_fails(&world, 0, 1, ANSWER_TIMEOUT);
    world_fails(&world, 1, 1, ANSWER_TIMEOUT);
    world_fails(&world, 0, 2, ANSWER_TIMEOUT);
    world_fails(&world, 1, 2, ANSWER_TIMEOUT);
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(writer(), "10.0.0.1");
    ck_assert_int_eq(world.previous.state, STATE_SUSPECT);
}
END_TEST

START_TEST(a_fence_goes_with_the_server)
{
    begin(KIND_STREAMING, 3);
    world_primary(&world, ALL, 2, "8"); /* the server at 10.0.0.3 is promoted; m0 goes on */
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m2");
    ck_assert(world.previous.members[0].fenced);
    world.directives.accept_count = 1;
    world.directives.accept[0] = (struct acceptance){.name = "m1", .epoch = world.previous.epoch};
    for (int p = 0; p < 3; p++) {
        list(p, 0, 1, 2, "8");
        list(p, 1, 0, 2, "7");
    }
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m2");
    ck_assert(!world.previous.members[0].fenced);
    ck_assert(world.previous.members[1].fenced); /* what was accepted was the other server */
    ck_assert_int_eq(world.previous.state, STATE_CONFLICT);
}
END_TEST

START_TEST(a_member_that_moves_keeps_its_record)
{
    begin(KIND_STREAMING, 3);
    int64_t epoch = world.previous.epoch;
    for (int p = 0; p < 3; p++) {
        strcpy(world.reports[p].members[0].config.host, "primary.example");
        ck_assert(world_resolve(&world));
        ck_assert_str_eq(world.previous.primary, "m0");
        ck_assert_int_eq(world.previous.state, STATE_OK);
    }
    ck_assert_str_eq(writer(), "primary.example");
    ck_assert_int_eq(world.previous.epoch, epoch);
}
END_TEST

Suite *renamed_suite(void)
{
    Suite *suite = suite_create("renamed");
    TCase *tcase = tcase_create("renamed");
    tcase_add_test(tcase, members_that_swap_their_addresses_leave_the_server_the_writer);
    tcase_add_test(tcase, half_of_a_roll_with_a_probe_missing_withdraws_nobody);
    tcase_add_test(tcase, three_that_change_round_keep_what_is_known_of_each);
    tcase_add_test(tcase, a_server_that_is_listed_under_another_name_stays_the_writer);
    tcase_add_test(tcase, what_is_seen_at_another_address_is_no_sighting_of_the_member);
    tcase_add_test(tcase, a_fence_goes_with_the_server);
    tcase_add_test(tcase, a_member_that_moves_keeps_its_record);
    suite_add_tcase(suite, tcase);
    return suite;
}
