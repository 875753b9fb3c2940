/* Publication: what routes answer by, the quarantine of this process, and the age. */
#include "watchers/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "tests/unit/unit.h"
#include "tests/unit/watchers/topologies.h"

static struct routing routing;

static void publish(const struct topology *topology)
{
    struct provenance provenance = {.mzxid = 1};
    struct snapshot *snapshot = snapshot_new(topology, &provenance, false, 0);
    ck_assert_ptr_nonnull(snapshot);
    routing_publish(&routing, snapshot);
}

static void setup(void)
{
    struct topology topology = usual_topology();
    routing = (struct routing){0};
    publish(&topology);
}

static void teardown(void)
{
    routing_release(&routing);
}

static struct roster_endpoint endpoint(const char *name)
{
    struct roster_endpoint endpoint = {.epoch = 7};
    strcpy(endpoint.name, name);
    return endpoint;
}

static void feed(const char *name, enum roster_outcome outcome, int64_t now_ms)
{
    struct roster_endpoint at = endpoint(name);
    routing_feedback(&routing, &at, outcome, now_ms);
}

static enum roster_status route(enum roster_access access, struct roster_request request,
                                struct roster_endpoint *to)
{
    return routing_route(&routing, access, &request, to);
}

/* Who of a, b, c, d is read in 300 routes, by name. */
static const char *readers(void)
{
    static char names[8];
    bool seen[4] = {false};
    for (int i = 0; i < 300; i++) {
        struct roster_endpoint to;
        ck_assert_int_eq(route(ROSTER_READ, (struct roster_request){0}, &to), ROSTER_OK);
        seen[to.name[0] - 'a'] = true;
    }
    char *end = names;
    for (int i = 0; i < 4; i++) {
        if (seen[i]) {
            *end++ = (char)('a' + i);
        }
    }
    *end = '\0';
    return names;
}

/* ---- publishing ------------------------------------------------------------------------------ */

static void take_epoch(const struct snapshot *snapshot, void *to)
{
    *(int64_t *)to = snapshot->topology.epoch;
}

START_TEST(nothing_is_routed_before_the_first_snapshot)
{
    struct roster_endpoint to = {.name = "untouched"};
    int64_t epoch = -1;
    routing_release(&routing);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){0}, &to), ROSTER_NO_CLUSTER);
    ck_assert_str_eq(to.name, "untouched");
    ck_assert(!routing_read(&routing, take_epoch, &epoch));
    ck_assert_int_eq(epoch, -1);
    feed("b", ROSTER_OUTCOME_REFUSED, clock_boot_ms());
    routing_discard_ended(&routing, clock_boot_ms());
}
END_TEST

START_TEST(an_answer_is_of_the_latest_snapshot)
{
    struct topology next = usual_topology();
    struct roster_endpoint to;
    int64_t epoch;
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){0}, &to), ROSTER_OK);
    ck_assert_str_eq(to.host, "host-a");
    ck_assert_int_eq(to.epoch, 7);
    next.epoch = 8;
    next.members[0].role = ROLE_SECONDARY;
    next.members[1].role = ROLE_PRIMARY;
    strcpy(next.primary, "b");
    publish(&next);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){0}, &to), ROSTER_OK);
    ck_assert_str_eq(to.name, "b");
    ck_assert(routing_read(&routing, take_epoch, &epoch));
    ck_assert_int_eq(epoch, 8);
}
END_TEST

START_TEST(reads_reach_every_secondary_by_every_policy)
{
    ck_assert_str_eq(readers(), "bcd");
    for (int policy = ROSTER_ROUND_ROBIN; policy <= ROSTER_WEIGHTED; policy++) {
        int hits[4] = {0};
        for (int i = 0; i < 300; i++) {
            struct roster_endpoint to;
            struct roster_request request = {.policy = (enum roster_policy)policy};
            ck_assert_int_eq(route(ROSTER_READ, request, &to), ROSTER_OK);
            hits[to.name[0] - 'a']++;
        }
        ck_assert_int_eq(hits[0], 0);
        ck_assert(hits[1] > 50 && hits[2] > 50 && hits[3] > 50);
    }
}
END_TEST

/* ---- the quarantine -------------------------------------------------------------------------- */

START_TEST(a_secondary_that_refused_is_avoided_until_it_works_or_time_is_up)
{
    int64_t now_ms = clock_boot_ms();
    feed("b", ROSTER_OUTCOME_REFUSED, now_ms);
    ck_assert_str_eq(readers(), "cd");
    feed("b", ROSTER_OUTCOME_OK, now_ms);
    ck_assert_str_eq(readers(), "bcd");
    feed("c", ROSTER_OUTCOME_REFUSED, now_ms - AVOID_SECONDARY_MS);
    ck_assert_str_eq(readers(), "bcd");
}
END_TEST

START_TEST(half_of_the_pool_is_avoided_at_most)
{
    int64_t now_ms = clock_boot_ms();
    feed("b", ROSTER_OUTCOME_REFUSED, now_ms);
    feed("c", ROSTER_OUTCOME_REFUSED, now_ms); /* one of three is half */
    ck_assert_str_eq(readers(), "cd");
    struct topology small = usual_topology();
    small.member_count = 2;
    publish(&small);
    feed("b", ROSTER_OUTCOME_OK, now_ms);
    feed("b", ROSTER_OUTCOME_REFUSED, now_ms);
    ck_assert_str_eq(readers(), "b"); /* never the last */
}
END_TEST

START_TEST(a_primary_is_avoided_for_a_refused_write_of_its_own_epoch_only)
{
    struct roster_endpoint to, former = endpoint("a");
    int64_t now_ms = clock_boot_ms();
    feed("a", ROSTER_OUTCOME_REFUSED, now_ms);
    feed("a", ROSTER_OUTCOME_OTHER, now_ms);
    former.epoch = 6;
    routing_feedback(&routing, &former, ROSTER_OUTCOME_READ_ONLY, now_ms);
    feed("z", ROSTER_OUTCOME_READ_ONLY, now_ms);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){0}, &to), ROSTER_OK);
    feed("a", ROSTER_OUTCOME_READ_ONLY, now_ms + 60000);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){0}, &to), ROSTER_NO_ENDPOINT);
    ck_assert_str_eq(readers(), "bcd");
}
END_TEST

START_TEST(a_new_verdict_ends_the_primarys_quarantine_and_keeps_a_secondarys)
{
    struct topology next = usual_topology();
    struct roster_endpoint to;
    int64_t now_ms = clock_boot_ms() + 60000;
    feed("a", ROSTER_OUTCOME_READ_ONLY, now_ms);
    feed("c", ROSTER_OUTCOME_REFUSED, now_ms);
    next.epoch = 8;
    next.members[1] = next.members[2]; /* b left: c has another index */
    next.members[2] = next.members[3];
    next.member_count = 3;
    publish(&next);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){0}, &to), ROSTER_OK);
    ck_assert_str_eq(readers(), "d");
}
END_TEST

START_TEST(what_has_ended_is_discarded)
{
    int64_t now_ms = clock_boot_ms();
    feed("b", ROSTER_OUTCOME_REFUSED, now_ms);
    routing_discard_ended(&routing, now_ms + AVOID_SECONDARY_MS - 1);
    ck_assert_uint_eq(routing.now->avoid, 1u << 1);
    routing_discard_ended(&routing, now_ms + AVOID_SECONDARY_MS);
    ck_assert_uint_eq(routing.now->avoid, 0);
}
END_TEST

/* ---- age ------------------------------------------------------------------------------------- */

START_TEST(fresh_is_a_lease)
{
    routing_confirm(&routing, 100000, true);
    ck_assert_int_eq(routing_age(&routing, 100000 + FRESH_MS), 0);
    ck_assert_int_eq(routing_age(&routing, 100000 + FRESH_MS + 1), FRESH_MS + 1);
    routing_leave(&routing); /* a forked child */
    ck_assert_int_eq(routing_age(&routing, 100007), 7);
    routing_confirm(&routing, 100000, false);
    ck_assert_int_eq(routing_age(&routing, 100007), 7);
    ck_assert_int_eq(routing_age(&routing, 99000), 0); /* a clock that was read before */
    routing_confirm(&routing, -5000, false);           /* before the machine's start */
    ck_assert_int_eq(routing_age(&routing, 1000), 6000);
}
END_TEST

START_TEST(a_request_may_limit_the_age)
{
    struct roster_endpoint to;
    int64_t now_ms = clock_boot_ms();
    routing_confirm(&routing, now_ms - 60000, false);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){.max_age_ms = 59000}, &to),
                     ROSTER_TOO_OLD);
    ck_assert_int_eq(route(ROSTER_READ, (struct roster_request){.max_age_ms = 59000}, &to),
                     ROSTER_TOO_OLD);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){.max_age_ms = 3600000}, &to),
                     ROSTER_OK);
    routing_confirm(&routing, clock_boot_ms(), true);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){.max_age_ms = 20000}, &to),
                     ROSTER_OK);
    ck_assert_int_eq(routing_take_limit(&routing), 20000 < 59000 ? 20000 : 59000);
    ck_assert_int_eq(routing_limit(&routing), INT64_MAX);
}
END_TEST

START_TEST(a_limit_below_the_interval_is_kept_though_all_is_fresh)
{
    struct roster_endpoint to;
    routing_confirm(&routing, clock_boot_ms() - 700, true);
    ck_assert_int_eq(routing_age(&routing, clock_boot_ms()), 0);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){.max_age_ms = 500}, &to),
                     ROSTER_TOO_OLD);
}
END_TEST

START_TEST(an_age_that_is_not_known_meets_no_limit)
{
    struct roster_endpoint to;
    routing_confirm(&routing, CONFIRMED_NEVER, false);
    ck_assert_int_eq(routing_age(&routing, clock_boot_ms()), -1);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){.max_age_ms = INT64_MAX}, &to),
                     ROSTER_TOO_OLD);
    ck_assert_int_eq(route(ROSTER_WRITE, (struct roster_request){0}, &to), ROSTER_OK);
}
END_TEST

Suite *snapshot_suite(void)
{
    const TTest *const all[] = {nothing_is_routed_before_the_first_snapshot,
                                an_answer_is_of_the_latest_snapshot,
                                reads_reach_every_secondary_by_every_policy,
                                a_secondary_that_refused_is_avoided_until_it_works_or_time_is_up,
                                half_of_the_pool_is_avoided_at_most,
                                a_primary_is_avoided_for_a_refused_write_of_its_own_epoch_only,
                                a_new_verdict_ends_the_primarys_quarantine_and_keeps_a_secondarys,
                                what_has_ended_is_discarded,
                                fresh_is_a_lease,
                                a_request_may_limit_the_age,
                                a_limit_below_the_interval_is_kept_though_all_is_fresh,
                                an_age_that_is_not_known_meets_no_limit};
    Suite *suite = suite_create("snapshot");
    TCase *tests = tcase_create("snapshot");
    tcase_add_checked_fixture(tests, setup, teardown);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tcase_add_test(tests, all[i]);
    }
    suite_add_tcase(suite, tests);
    return suite;
}
