/* The watcher: what it believes of a registry that forgets, lies or was replaced. */
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "tests/unit/unit.h"
#include "tests/unit/watchers/fake_registry.h"

/* ---- following ------------------------------------------------------------------------------- */

START_TEST(a_topology_is_followed_from_change_to_change)
{
    assert_primary("pg-1");
    ck_assert_int_eq(fake.topologies, 1);
    ck_assert(fake.orders->answered);
    fake_put_topology(2, "pg-2");
    assert_primary("pg-2");
    ck_assert_int_eq(fake.topologies, 2);
    assert_followed();
}
END_TEST

START_TEST(a_cluster_that_is_not_there_yet_is_found_when_it_comes)
{
    struct watched *later = watcher_follow(fake.watcher, "later", NULL, NULL, NULL, fake_now());
    fake_answer_all();
    ck_assert(later->answered);
    ck_assert(!watched_has_topology(later));
    ck_assert_str_eq(later->refused, "");
    char *text = fake_topology(1, "pg-1");
    char *name = strstr(text, "\"orders\"");
    ck_assert_ptr_nonnull(name);
    memcpy(name, "\"later\" ", 8);
    fake_put("/roster/clusters/later/topology", text);
    free(text);
    ck_assert(watched_has_topology(later));
}
END_TEST

START_TEST(a_deleted_topology_is_kept_and_its_successor_followed)
{
    fake_take(fake_topology_path);
    assert_primary("pg-1");
    assert_refused("no topology");
    ck_assert_int_ne(fake.orders->belief, BELIEF_FRESH);
    fake_put_topology(2, "pg-2");
    assert_primary("pg-2");
    assert_followed();
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
}
END_TEST

START_TEST(garbage_and_the_future_are_refused_and_logged_once_each)
{
    fake_put(fake_topology_path, "garbage");
    assert_primary("pg-1");
    ck_assert_str_ne(fake.orders->refused, "");
    ck_assert_int_eq(fake_count_logged("not followed"), 1);
    fake_pass(3 * RESYNC_MS); /* read again and again */
    fake_new_session();
    ck_assert_int_eq(fake_count_logged("not followed"), 1);
    fake_put(fake_topology_path, "{\"format\": 2}");
    assert_refused("format");
    ck_assert_int_eq(fake_count_logged("not followed"), 2);
    fake_put(fake_topology_path, "");
    fake_put(fake_topology_path, NULL);
    assert_primary("pg-1");
    fake_put_topology(2, "pg-2");
    assert_primary("pg-2");
    assert_followed();
    ck_assert_int_eq(fake_count_logged("followed again"), 1);
}
END_TEST

START_TEST(the_topology_of_another_cluster_is_refused)
{
    char *text = fake_topology(2, "pg-2");
    memcpy(strstr(text, "\"orders\""), "\"others\"", 8);
    fake_put(fake_topology_path, text);
    free(text);
    assert_primary("pg-1");
    assert_refused("another cluster");
}
END_TEST

START_TEST(a_denied_read_keeps_what_was_known)
{
    fake_znode(fake_topology_path)->refuses = STORE_DENIED;
    fake_put_topology(2, "pg-2");
    assert_primary("pg-1");
    assert_refused("denied");
    fake_znode(fake_topology_path)->refuses = STORE_OK;
    fake_pass(2 * RESYNC_MS);
    assert_primary("pg-2");
    assert_followed();
}
END_TEST

START_TEST(a_watch_that_never_fired_is_made_up_for_by_the_resync)
{
    fake_znode(fake_topology_path)->watched = false;
    fake_put_topology(2, "pg-2");
    assert_primary("pg-1");
    fake_pass(RESYNC_MS * 4 / 3 + TICK_MS);
    assert_primary("pg-2");
}
END_TEST

START_TEST(reads_that_callers_ask_for_are_spread)
{
    fake.up = false; /* count the requests, answer nothing */
    fake.first = fake.count = 0;
    fake_znode(fake_topology_path)->watched = false;
    fake.up = true;
    for (int i = 0; i < 1000; i++) {
        watcher_refresh(fake.watcher, fake.orders, fake_now());
        fake_answer_all();
    }
    fake_put_topology(2, "pg-2");
    watcher_refresh(fake.watcher, fake.orders, fake_now());
    ck_assert_uint_eq(fake.count, 0);
    assert_primary("pg-2"); /* the first of the thousand set the watch again */
    fake_znode(fake_topology_path)->watched = false;
    fake_put_topology(3, "pg-3");
    ck_assert_int_eq(watcher_tick(fake.watcher, fake_now()), fake.now_ms + REFRESH_GAP_MS);
    fake_pass(REFRESH_GAP_MS);
    assert_primary("pg-3");
}
END_TEST

/* ---- order ----------------------------------------------------------------------------------- */

START_TEST(a_lagging_read_within_a_session_is_passed_over_in_silence)
{
    fake_put_topology(2, "pg-2");
    int64_t zxid = fake_znode(fake_topology_path)->stat.mzxid;
    char *old = fake_topology(1, "pg-1");
    fake_lag(fake_topology_path, old, zxid - 1);
    free(old);
    assert_primary("pg-2");
    assert_followed();
    ck_assert_int_eq(fake_count_logged("not followed"), 0);
}
END_TEST

START_TEST(a_registry_that_went_back_is_refused_whatever_it_holds_later)
{
    fake_put_topology(2, "pg-2");
    int64_t zxid = fake.zxid;
    fake.zxid -= 50; /* yesterday's backup */
    fake_put_topology(1, "pg-1");
    fake_new_session();
    assert_primary("pg-2");
    assert_refused("back in time");
    ck_assert_int_ne(fake.orders->belief, BELIEF_FRESH);
    ck_assert_int_eq(fake_count_logged("not followed"), 1);
    fake_new_session();
    fake_new_session();
    ck_assert_int_eq(fake_count_logged("not followed"), 1);
    fake.zxid = zxid + (INT64_C(1) << 32); /* a new leader counts anew, in a greater epoch */
    fake_put_topology(3, "pg-3");
    assert_primary("pg-2");
    assert_refused("roster accept --registry " OURS);
    fake_new_session();
    assert_primary("pg-2");
    fake_put_registry_id(OTHER, OURS);
    assert_primary("pg-3");
    assert_followed();
}
END_TEST

/* Its data are lost; then the probes put back what they know, one after the other. */
START_TEST(a_registry_that_lost_its_data_is_told_by_what_it_holds_now)
{
    fake_put_topology(2, "pg-2");
    fake_take(fake_topology_path);
    fake_take("/roster");
    fake_new_session();
    assert_refused("does not say which one it is (no node)");
    fake.zxid = 10;
    fake_put_registry_id(OURS, NULL);
    fake_put_topology(3, "pg-3"); /* within the session */
    assert_refused("went back in time: zxid c after 68; ");
    assert_refused("roster accept --registry " OURS);
    assert_primary("pg-2");
    fake_put_registry_id(OTHER, OURS);
    assert_primary("pg-3");
    assert_followed();
}
END_TEST

START_TEST(who_knew_nothing_is_told_what_a_probe_has_proved)
{
    struct registry_id id = {.registry = OURS, .went_back = {0xf, 0x1dd}};
    fake_teardown();
    fake_prepare();
    char *text = registry_id_encode(&id);
    fake_put("/roster", text);
    free(text);
    fake_follow();
    fake_connect(true);
    assert_primary("pg-1");
    assert_refused("went back in time: zxid f after 1dd; ");
    fake_put_topology(2, "pg-2");
    assert_primary("pg-2");
    assert_refused("went back in time: zxid f after 1dd; ");
    fake_put_registry_id(OTHER, OURS);
    assert_followed();
}
END_TEST

START_TEST(what_one_cluster_proves_of_the_registry_holds_for_all)
{
    char *text = fake_topology(1, "pg-1");
    memcpy(strstr(text, "\"orders\""), "\"others\"", 8);
    fake_put("/roster/clusters/others/topology", text);
    struct watched *others = watcher_follow(fake.watcher, "others", NULL, NULL, NULL, fake_now());
    fake_answer_all();
    fake_put_topology(2, "pg-2");
    fake.zxid -= 50;
    fake_put_topology(1, "pg-1");
    fake_new_session();
    ck_assert_ptr_nonnull(strstr(others->refused, "back in time"));
    fake.zxid += INT64_C(1) << 32;
    fake_put("/roster/clusters/others/topology", text);
    ck_assert_ptr_nonnull(strstr(others->refused, "back in time"));
    fake_put_registry_id(OTHER, OURS);
    ck_assert_str_eq(others->refused, "");
    free(text);
}
END_TEST

START_TEST(who_knew_nothing_follows_a_registry_that_went_back)
{
    fake_put_topology(2, "pg-2");
    fake.zxid -= 50;
    fake_put_topology(1, "pg-1");
    fake_new_session();
    assert_refused("back in time");
    struct watched *later = watcher_follow(fake.watcher, "later", NULL, NULL, NULL, fake_now());
    fake_answer_all();
    ck_assert_str_eq(later->refused, "");
}
END_TEST

START_TEST(a_restored_registry_is_taken_when_an_operator_accepts_it)
{
    fake_put_topology(2, "pg-2");
    fake.zxid -= 50;
    fake_put_topology(1, "pg-1");
    fake_new_session();
    assert_refused("back in time");
    fake_put_registry_id(OTHER, OURS);
    assert_primary("pg-1");
    assert_followed();
    ck_assert_str_eq(fake.orders->provenance.registry, OTHER);
    ck_assert_int_eq(fake.orders->provenance.mzxid, fake_znode(fake_topology_path)->stat.mzxid);
}
END_TEST

START_TEST(another_registry_is_refused_however_new_its_topology)
{
    fake_disconnect(STORE_GONE);
    fake_put_registry_id(OTHER, NULL);
    fake_put_topology(9, "pg-9");
    fake_connect(true);
    assert_primary("pg-1");
    assert_refused(OTHER);
    fake_put_topology(10, "pg-10");
    assert_primary("pg-1");
    ck_assert_int_eq(fake_count_logged("not followed"), 1);
    fake_put_registry_id(OTHER, OURS);
    assert_primary("pg-10");
    assert_followed();
}
END_TEST

START_TEST(a_registry_without_a_name_is_refused_by_those_who_knew_one)
{
    fake_disconnect(STORE_GONE);
    fake_put("/roster", "");
    fake_put_topology(9, "pg-9");
    fake_connect(true);
    assert_primary("pg-1");
    assert_refused("does not say which");
    fake_put_registry_id(OURS, NULL);
    assert_primary("pg-9");
    assert_followed();
}
END_TEST

START_TEST(within_a_session_the_root_may_be_spoilt_without_harm)
{
    fake_put("/roster", "garbage");
    fake_put_topology(2, "pg-2");
    assert_primary("pg-2");
    fake_disconnect(STORE_DOWN);
    fake_connect(false);
    fake_put_topology(3, "pg-3");
    assert_primary("pg-3");
    assert_followed();
}
END_TEST

START_TEST(a_nameless_registry_is_followed_by_newcomers)
{
    fake_teardown();
    fake_prepare();
    fake_take("/roster");
    fake_follow();
    fake_connect(true);
    assert_primary("pg-1");
    fake_put_registry_id(OURS, NULL);
    fake_new_session();
    ck_assert_str_eq(fake.orders->provenance.registry, OURS);
    assert_followed();
}
END_TEST

START_TEST(nothing_is_taken_before_the_registry_has_identified_itself)
{
    fake_teardown();
    fake_prepare();
    fake_follow();
    fake.up = true;
    fake_event(&(struct store_event){.kind = STORE_UP, .session = 1, .renewed = true});
    while (fake.count > 0) { /* in whatever order the reads are answered */
        ck_assert(!watched_has_topology(fake.orders));
        fake_answer_one();
    }
    ck_assert(watched_has_topology(fake.orders));
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH); /* and who is present was known by then */
}
END_TEST

/* ---- the cache ------------------------------------------------------------------------------- */

static void follow_cached(const char *registry, int64_t mzxid, const char *primary)
{
    struct topology *kept = calloc(1, sizeof *kept);
    struct provenance provenance = {.mzxid = mzxid};
    struct codec_error error;
    char *text = fake_topology(1, primary);
    ck_assert(topology_decode(text, strlen(text), kept, &error));
    strcpy(provenance.registry, registry);
    kept->at_wall_ms -= 60000;
    fake.orders = watcher_follow(fake.watcher, "orders", NULL, kept, &provenance, fake_now());
    fake_answer_all();
    free(text);
    free(kept);
}

START_TEST(a_cached_topology_holds_until_the_registry_speaks)
{
    fake_teardown();
    fake_prepare();
    follow_cached(OURS, fake_znode(fake_topology_path)->stat.mzxid - 1, "pg-0");
    assert_primary("pg-0");
    ck_assert_int_eq(fake.orders->belief, BELIEF_CACHED);
    fake_pass(10000);
    ck_assert_int_eq(fake_age_ms(), 70000);
    fake_connect(true);
    assert_primary("pg-1");
    ck_assert_int_ne(fake.orders->belief, BELIEF_CACHED);
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
}
END_TEST

START_TEST(the_very_topology_that_was_cached_is_confirmed_without_news)
{
    fake_teardown();
    fake_prepare();
    follow_cached(OURS, fake_znode(fake_topology_path)->stat.mzxid, "pg-1");
    fake_connect(true);
    ck_assert_int_ne(fake.orders->belief, BELIEF_CACHED);
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
    ck_assert_int_eq(fake.topologies, 0);
}
END_TEST

START_TEST(a_registry_older_than_the_cache_or_another_is_refused)
{
    fake_teardown();
    fake_prepare();
    follow_cached(OURS, fake_znode(fake_topology_path)->stat.mzxid + 1, "pg-0");
    fake_connect(true);
    assert_primary("pg-0");
    assert_refused("back in time");
    fake_teardown();
    fake_prepare();
    follow_cached(OTHER, 1, "pg-0");
    fake_connect(true);
    assert_primary("pg-0");
    assert_refused(OTHER);
    ck_assert_int_eq(fake.orders->belief, BELIEF_CACHED);
}
END_TEST

Suite *watcher_suite(void)
{
    const TTest *const all[] = {a_topology_is_followed_from_change_to_change,
                                a_cluster_that_is_not_there_yet_is_found_when_it_comes,
                                a_deleted_topology_is_kept_and_its_successor_followed,
                                garbage_and_the_future_are_refused_and_logged_once_each,
                                the_topology_of_another_cluster_is_refused,
                                a_denied_read_keeps_what_was_known,
                                a_watch_that_never_fired_is_made_up_for_by_the_resync,
                                reads_that_callers_ask_for_are_spread,
                                a_lagging_read_within_a_session_is_passed_over_in_silence,
                                a_registry_that_went_back_is_refused_whatever_it_holds_later,
                                a_registry_that_lost_its_data_is_told_by_what_it_holds_now,
                                who_knew_nothing_is_told_what_a_probe_has_proved,
                                what_one_cluster_proves_of_the_registry_holds_for_all,
                                who_knew_nothing_follows_a_registry_that_went_back,
                                a_restored_registry_is_taken_when_an_operator_accepts_it,
                                another_registry_is_refused_however_new_its_topology,
                                a_registry_without_a_name_is_refused_by_those_who_knew_one,
                                within_a_session_the_root_may_be_spoilt_without_harm,
                                a_nameless_registry_is_followed_by_newcomers,
                                nothing_is_taken_before_the_registry_has_identified_itself,
                                a_cached_topology_holds_until_the_registry_speaks,
                                the_very_topology_that_was_cached_is_confirmed_without_news,
                                a_registry_older_than_the_cache_or_another_is_refused};
    Suite *suite = suite_create("watcher");
    TCase *tests = tcase_create("watcher");
    tcase_add_checked_fixture(tests, fake_setup, fake_teardown);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tcase_add_test(tests, all[i]);
    }
    suite_add_tcase(suite, tests);
    return suite;
}
