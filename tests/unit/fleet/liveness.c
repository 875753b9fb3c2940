#include "registry/fleet/liveness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "tests/unit/sandbox.h"
#include "tests/unit/unit.h"

enum { SETTLE_MS = 50 };

static struct sandbox sandbox;
static struct liveness *liveness;

static void event(const struct store_event *it)
{
    if (it->kind == STORE_UP && it->renewed) {
        liveness_session_began(liveness);
    }
}

static void setup(void)
{
    sandbox_init(&sandbox);
    sandbox.event = event;
    liveness = liveness_new(sandbox.mirror, "/roster", "me");
    ck_assert_ptr_nonnull(liveness);
    sandbox_put(&sandbox, "/roster", strdup(""));
    sandbox_put(&sandbox, "/roster/probes", strdup(""));
    sandbox_pass(&sandbox, SETTLE_MS);
    liveness_beat(liveness);
}

static void teardown(void)
{
    liveness_free(liveness);
    sandbox_release(&sandbox);
}

/* `probe` is at this beat of this life. */
static void beats(const char *probe, uint64_t nonce, uint64_t at)
{
    char path[PATH_SIZE];
    struct presence presence = {.host = "h", .pid = 1, .version = "1", .nonce = nonce, .beat = at};
    strcpy(presence.probe, probe);
    sandbox_put(&sandbox, path_probe(path, sizeof path, "/roster", probe),
                presence_encode(&presence));
    sandbox_pass(&sandbox, SETTLE_MS);
}

static void own_beats(int n)
{
    while (n-- > 0) {
        liveness_beat(liveness);
    }
}

START_TEST(a_probe_is_fresh_once_its_beat_was_seen_to_move)
{
    beats("b", 1, 10);
    ck_assert(!liveness_is_fresh(liveness, "b"));
    uint64_t generation = liveness_generation(liveness);
    beats("b", 1, 11);
    ck_assert(liveness_is_fresh(liveness, "b"));
    ck_assert_uint_gt(liveness_generation(liveness), generation);
    ck_assert(!liveness_is_fresh(liveness, "nobody"));
}
END_TEST

START_TEST(a_beat_that_stands_still_for_three_of_our_own_is_no_life)
{
    beats("b", 1, 10);
    beats("b", 1, 11);
    own_beats(BEATS_FRESH);
    ck_assert(liveness_is_fresh(liveness, "b"));
    uint64_t generation = liveness_generation(liveness);
    liveness_beat(liveness);
    ck_assert(!liveness_is_fresh(liveness, "b"));
    ck_assert_uint_gt(liveness_generation(liveness), generation);
    generation = liveness_generation(liveness);
    liveness_beat(liveness); /* ended already */
    ck_assert_uint_eq(liveness_generation(liveness), generation);
}
END_TEST

START_TEST(a_stalled_registry_ages_nobody)
{
    beats("b", 1, 10);
    beats("b", 1, 11);
    sandbox_pass(&sandbox, 3600 * 1000 / 60);
    ck_assert(liveness_is_fresh(liveness, "b"));
}
END_TEST

START_TEST(a_new_life_of_a_probe_proves_itself_anew)
{
    beats("b", 1, 10);
    beats("b", 1, 11);
    beats("b", 2, 500);
    ck_assert(!liveness_is_fresh(liveness, "b"));
    beats("b", 2, 501);
    ck_assert(liveness_is_fresh(liveness, "b"));
}
END_TEST

START_TEST(a_beat_that_moved_in_our_absence_is_no_proof_of_life)
{
    beats("b", 1, 10);
    beats("b", 1, 11);
    liveness_forget(liveness);
    ck_assert(!liveness_is_fresh(liveness, "b"));
    ck_assert(liveness_is_fresh(liveness, "me"));
    beats("b", 1, 20); /* it may have died since */
    ck_assert(!liveness_is_fresh(liveness, "b"));
    beats("b", 1, 21);
    ck_assert(liveness_is_fresh(liveness, "b"));
}
END_TEST

START_TEST(another_session_of_ours_starts_from_nothing)
{
    beats("b", 1, 10);
    beats("b", 1, 11);
    store_mem_expire(sandbox.store);
    beats("b", 1, 15);
    sandbox_pass(&sandbox, 1000);
    ck_assert(!liveness_is_fresh(liveness, "b"));
    ck_assert(!liveness_is_fresh(liveness, "me"));
    liveness_beat(liveness);
    ck_assert(liveness_is_fresh(liveness, "me"));
    beats("b", 1, 16);
    ck_assert(liveness_is_fresh(liveness, "b"));
}
END_TEST

START_TEST(what_cannot_be_read_says_nothing)
{
    beats("b", 1, 10);
    beats("b", 1, 11);
    sandbox_put(&sandbox, "/roster/probes/b", strdup("{ \"format\": 1 }"));
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(liveness_is_fresh(liveness, "b"));
    own_beats(BEATS_FRESH + 1);
    ck_assert(!liveness_is_fresh(liveness, "b"));
}
END_TEST

START_TEST(a_probe_that_is_gone_from_the_list_is_not_fresh)
{
    beats("b", 1, 10);
    beats("b", 1, 11);
    ensemble_delete(sandbox.ensemble, "/roster/probes/b");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(!liveness_is_fresh(liveness, "b"));
}
END_TEST

START_TEST(our_place_is_by_name)
{
    size_t rank;
    ck_assert_uint_eq(liveness_size(liveness, &rank), 1);
    beats("a", 1, 1);
    beats("z", 1, 1);
    beats("me", 1, 1); /* ourselves, as the registry lists us */
    ck_assert_uint_eq(liveness_size(liveness, &rank), 3);
    ck_assert_uint_eq(rank, 1);
}
END_TEST

Suite *liveness_suite(void)
{
    Suite *suite = suite_create("fleet");
    TCase *tcase = tcase_create("fleet");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_probe_is_fresh_once_its_beat_was_seen_to_move);
    tcase_add_test(tcase, a_beat_that_stands_still_for_three_of_our_own_is_no_life);
    tcase_add_test(tcase, a_stalled_registry_ages_nobody);
    tcase_add_test(tcase, a_new_life_of_a_probe_proves_itself_anew);
    tcase_add_test(tcase, a_beat_that_moved_in_our_absence_is_no_proof_of_life);
    tcase_add_test(tcase, another_session_of_ours_starts_from_nothing);
    tcase_add_test(tcase, what_cannot_be_read_says_nothing);
    tcase_add_test(tcase, a_probe_that_is_gone_from_the_list_is_not_fresh);
    tcase_add_test(tcase, our_place_is_by_name);
    suite_add_tcase(suite, tcase);
    return suite;
}
