/* A reload of the configuration lifts no fence. */
#include "registry/verdict/fences.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

static void settle(void)
{
    ck_assert(world_resolve(&world));
}

static void set_self(size_t m, const char *self)
{
    for (size_t p = 0; p < world.count; p++) {
        strcpy(world.reports[p].members[m].self, self);
    }
}

/* m0 was replaced by m1, and is back as a rival; the probes' files list it last. */
static void begin(void)
{
    world_init(&world, KIND_ASYNC, 3, 3, 2);
    world_primary(&world, ALL, 0, "");
    world_standby(&world, ALL, 1, 0, "");
    set_self(0, "uuid-0");
    settle();
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_primary(&world, ALL, 1, "");
    settle();
    world_primary(&world, ALL, 0, "");
    set_self(0, "uuid-0");
    settle();
    ck_assert_str_eq(world.previous.primary, "m1");
    ck_assert(world.previous.members[0].fenced);
}

static struct member_report absent[WORLD_PROBES];

/* m0 leaves the files. */
static void unlist(void)
{
    for (size_t p = 0; p < world.count; p++) {
        struct report *report = &world.reports[p];
        absent[p] = report->members[0];
        report->members[0] = report->members[1];
        report->member_count = 1;
    }
    settle();
    ck_assert_uint_eq(world.previous.member_count, 1);
    ck_assert_uint_eq(world.previous.fence_count, 1);
}

/* It is listed again: under this name, at this address, as this server. */
static void list(const char *name, const char *host, const char *self)
{
    for (size_t p = 0; p < world.count; p++) {
        struct report *report = &world.reports[p];
        size_t at = strcmp(name, report->members[0].config.name) > 0;
        report->members[1] = report->members[0];
        report->members[at] = absent[p];
        struct member_report *back = &report->members[at];
        strcpy(back->config.name, name);
        strcpy(back->config.host, host);
        strcpy(back->self, self);
        report->member_count = 2;
    }
    settle();
}

static bool is_fenced(const char *name)
{
    const struct member *member = topology_member(&world.previous, name);
    ck_assert_ptr_nonnull(member);
    return member->fenced;
}

START_TEST(a_fence_is_found_again_by_name_by_address_and_by_server)
{
    static const struct {
        const char *name, *host, *self;
        bool fenced;
    } cases[] = {
        {"m0", "10.9.9.9", "", true},   {"m0", "10.9.9.9", "another", true},
        {"old", "10.0.0.1", "", true},  {"old", "10.9.9.9", "uuid-0", true},
        {"old", "10.9.9.9", "", false}, {"old", "10.9.9.9", "another", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        int64_t epoch = world.previous.members[0].fenced_epoch;
        unlist();
        settle(); /* it is carried on, verdict by verdict */
        list(cases[i].name, cases[i].host, cases[i].self);
        ck_assert_int_eq(is_fenced(cases[i].name), cases[i].fenced);
        ck_assert_uint_eq(world.previous.fence_count, !cases[i].fenced);
        const struct member *back = topology_member(&world.previous, cases[i].name);
        ck_assert_int_eq(back->fenced_epoch, cases[i].fenced ? epoch : 0);
        world_fails(&world, ALL, cases[i].name[0] == 'm' ? 1 : 0, ANSWER_REFUSED); /* m1 */
        settle();
        ck_assert_msg(!cases[i].fenced || strcmp(world.previous.primary, cases[i].name) != 0,
                      "the fenced one inherits");
    }
}
END_TEST

START_TEST(a_port_alone_is_no_address)
{
    begin();
    unlist();
    struct member_config listing = {.name = "old", .host = "10.0.0.1", .port = 5432};
    ck_assert_int_gt(fences_find(&world.previous, &listing, ""), 0);
    listing.port++;
    ck_assert_int_eq(fences_find(&world.previous, &listing, ""), 0);
    ck_assert_int_eq(fences_find(NULL, &listing, ""), 0);
}
END_TEST

START_TEST(it_is_lifted_when_the_server_follows_or_is_accepted)
{
    begin();
    unlist();
    list("old", "10.9.9.9", "uuid-0");
    ck_assert(is_fenced("old"));
    world_standby(&world, ALL, 1, 0, "");
    for (size_t p = 0; p < 3; p++) {
        strcpy(world.reports[p].members[1].upstream, "m1");
    }
    settle();
    ck_assert(!is_fenced("old"));
    ck_assert_uint_eq(world.previous.fence_count, 0);
    begin();
    unlist();
    world.directives.accept_count = 1;
    strcpy(world.directives.accept[0].name, "old");
    world.directives.accept[0].epoch = world.previous.epoch;
    world.directives.accept[0].replace = true;
    list("old", "10.9.9.9", "uuid-0");
    ck_assert(!is_fenced("old"));
    ck_assert_str_eq(world.previous.primary, "old");
}
END_TEST

START_TEST(of_several_that_match_the_latest_counts)
{
    static struct topology topology;
    memset(&topology, 0, sizeof topology);
    topology.fence_count = 2;
    topology.fences[0] = (struct fence){.name = "a", .host = "h", .port = 1, .epoch = 3};
    topology.fences[1] = (struct fence){.name = "b", .self = "s", .epoch = 7};
    struct member_config listing = {.name = "c", .host = "h", .port = 1};
    ck_assert_int_eq(fences_find(&topology, &listing, ""), 3);
    ck_assert_int_eq(fences_find(&topology, &listing, "s"), 7);
    topology.member_count = 1;
    strcpy(topology.members[0].config.name, "c");
    ck_assert_int_eq(fences_find(&topology, &listing, ""), 3);
    topology.members[0].fenced = true; /* of a version that did not count epochs */
    ck_assert_int_eq(fences_find(&topology, &listing, ""), 3);
    topology.members[0].fenced_epoch = 9;
    ck_assert_int_eq(fences_find(&topology, &listing, "s"), 9);
}
END_TEST

START_TEST(beyond_the_limit_the_oldest_are_forgotten)
{
    static struct topology previous, out;
    memset(&previous, 0, sizeof previous);
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        struct fence *fence = &previous.fences[previous.fence_count++];
        snprintf(fence->name, sizeof fence->name, "a%02zu", i);
        fence->epoch = i == 5 ? 1 : 10 + (int64_t)i;
    }
    previous.member_count = 1;
    strcpy(previous.members[0].config.name, "a00a");
    previous.members[0].fenced = true;
    previous.members[0].fenced_epoch = 99;
    memset(&out, 0, sizeof out);
    fences_carry(&previous, &out);
    ck_assert_uint_eq(out.fence_count, MEMBERS_MAX);
    ck_assert_str_eq(out.fences[0].name, "a00");
    ck_assert_str_eq(out.fences[1].name, "a00a");
    for (size_t i = 0; i < out.fence_count; i++) {
        ck_assert_str_ne(out.fences[i].name, "a05");
        ck_assert(i == 0 || strcmp(out.fences[i - 1].name, out.fences[i].name) < 0);
    }
}
END_TEST

Suite *fences_suite(void)
{
    Suite *suite = suite_create("fences");
    TCase *tcase = tcase_create("fences");
    tcase_add_test(tcase, a_fence_is_found_again_by_name_by_address_and_by_server);
    tcase_add_test(tcase, a_port_alone_is_no_address);
    tcase_add_test(tcase, it_is_lifted_when_the_server_follows_or_is_accepted);
    tcase_add_test(tcase, of_several_that_match_the_latest_counts);
    tcase_add_test(tcase, beyond_the_limit_the_oldest_are_forgotten);
    suite_add_tcase(suite, tcase);
    return suite;
}
