/* A watcher with credentials follows no topology that anybody may put there. */
#include "tests/unit/watchers/fake_registry.h"

#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "tests/unit/unit.h"

static const char folder[] = "/roster/clusters/orders";

static void setup(void)
{
    fake_prepare();
    watcher_guard(fake.watcher);
}

static void begin(void)
{
    fake_follow();
    fake_connect(true);
}

/* As from a cache file: version 1, and an older state of what the registry holds. */
static void begin_from_a_cache(void)
{
    struct topology *cached = calloc(1, sizeof *cached);
    struct provenance provenance = {.registry = OURS, .mzxid = 1};
    struct codec_error error;
    char *text = fake_topology(1, "pg-1");
    ck_assert(topology_decode(text, strlen(text), cached, &error));
    fake.orders = watcher_follow(fake.watcher, "orders", NULL, cached, &provenance, fake_now());
    ck_assert_ptr_nonnull(fake.orders);
    free(text);
    free(cached);
}

START_TEST(what_the_fleet_alone_may_write_is_followed)
{
    begin();
    assert_primary("pg-1");
    assert_followed();
    fake_put_topology(2, "pg-2");
    assert_primary("pg-2");
    assert_followed();
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
}
END_TEST

START_TEST(no_change_that_anybody_may_have_made_is_followed)
{
    begin();
    fake_allow(fake_topology_path, MAY_ALL);
    fake_put_topology(2, "pg-2");
    assert_primary("pg-1");
    assert_refused("anybody may write it");
    assert_refused("roster protect");
    ck_assert_int_eq(fake.orders->belief, BELIEF_HELD);
    fake_put_topology(3, "pg-2");
    assert_primary("pg-1");
    ck_assert_int_eq(fake_count_logged("anybody may"), 1);
}
END_TEST

START_TEST(the_right_to_replace_it_is_as_good_as_that_to_write_it)
{
    static const struct {
        const char *path;
        unsigned may;
        bool open;
    } cases[] = {
        {fake_topology_path, MAY_WRITE, true},
        {fake_topology_path, MAY_ADMIN, true},
        {fake_topology_path, MAY_DELETE, false},
        {folder, MAY_DELETE, true},
        {folder, MAY_CREATE, true},
        {folder, MAY_ADMIN, true},
        {folder, MAY_WRITE, false},
    };
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_allow(cases[i].path, cases[i].may);
        fake_new_session();
        ck_assert_msg((fake.orders->refused[0] != 0) == cases[i].open, "%s %u: %s", cases[i].path,
                      cases[i].may, fake.orders->refused);
        fake_allow(cases[i].path, 0);
    }
}
END_TEST

START_TEST(who_knows_nothing_takes_what_there_is_and_says_so)
{
    fake_allow(fake_topology_path, MAY_ALL);
    begin();
    assert_primary("pg-1");
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
    assert_refused("anybody may");
    ck_assert_int_eq(fake_count_logged("anybody may"), 1);
    fake_pass(10 * RESYNC_MS);
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH); /* nothing has changed */
    ck_assert_int_eq(fake_count_logged("anybody may"), 1);
    fake_put_topology(2, "pg-2");
    assert_primary("pg-1");
    ck_assert_int_eq(fake.orders->belief, BELIEF_HELD);
}
END_TEST

START_TEST(a_cache_is_routed_by_while_anybody_may_write)
{
    fake_allow(folder, MAY_ALL);
    begin_from_a_cache();
    fake_put_topology(2, "pg-2");
    fake_connect(true);
    assert_primary("pg-1");
    assert_refused("the access list of /roster/clusters/orders");
}
END_TEST

START_TEST(once_the_lists_are_mended_the_change_is_followed)
{
    begin();
    fake_allow(fake_topology_path, MAY_ALL);
    fake_put_topology(2, "pg-2");
    assert_primary("pg-1");
    fake_allow(fake_topology_path, 0);
    fake_pass(OPEN_GAP_MS + TICK_MS);
    assert_primary("pg-2");
    assert_followed();
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
}
END_TEST

START_TEST(lists_that_are_mended_while_a_lagging_server_answers_end_the_refusal)
{
    fake_allow(fake_topology_path, MAY_ALL);
    begin();
    assert_refused("anybody may");
    /* an older value than the one that is held */
    fake_lag(fake_topology_path, NULL, fake_znode(fake_topology_path)->stat.mzxid - 1);
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
    fake_allow(fake_topology_path, 0);
    fake_pass(2 * OPEN_GAP_MS);
    assert_followed();
    ck_assert_int_eq(fake.orders->belief, BELIEF_FRESH);
}
END_TEST

START_TEST(a_list_that_changed_is_looked_at_before_the_value_is_followed)
{
    begin();
    int64_t zxid = fake.zxid;
    fake_allow(fake_topology_path, 0); /* another list, which lets nobody in */
    fake_put_topology(2, "pg-2");
    assert_primary("pg-2");
    /* deleted and made anew by somebody, with a list that lets anybody in */
    fake_take(fake_topology_path);
    fake_allow(fake_topology_path, MAY_WRITE);
    fake_znode(fake_topology_path)->stat.aversion = 0;
    fake_put_topology(3, "pg-3");
    ck_assert_int_gt(fake.zxid, zxid);
    assert_primary("pg-2");
    assert_refused("anybody may");
}
END_TEST

START_TEST(a_topology_that_comes_later_is_looked_at_as_well)
{
    fake_take(fake_topology_path);
    begin();
    ck_assert_int_eq(fake.orders->belief, BELIEF_NONE);
    fake_allow(fake_topology_path, MAY_WRITE);
    fake_put_topology(2, "pg-2");
    assert_primary("pg-2");
    assert_refused("anybody may");
}
END_TEST

START_TEST(a_list_that_is_not_shown_lets_nobody_in)
{
    fake_znode(folder)->refuses = STORE_DENIED;
    begin();
    assert_primary("pg-1");
    assert_followed();
}
END_TEST

START_TEST(the_question_goes_out_with_the_first_reads)
{
    fake_follow();
    fake.up = true;
    fake_event(&(struct store_event){.kind = STORE_UP, .session = 1, .renewed = true});
    /* two syncs (the pulse, and that of the reads), three reads and two lists are on their way
     * before the first answer */
    ck_assert_uint_eq(fake.count, 7);
    fake_answer_all();
    assert_primary("pg-1");
}
END_TEST

START_TEST(answers_that_a_lost_link_swallows_are_asked_for_again)
{
    fake_follow();
    fake.up = true;
    fake_event(&(struct store_event){.kind = STORE_UP, .session = 1, .renewed = true});
    fake.up = false;
    fake_event(&(struct store_event){.kind = STORE_DOWN});
    fake_answer_all();
    ck_assert_int_eq(fake.orders->belief, BELIEF_NONE);
    fake_connect(false);
    assert_primary("pg-1");
    assert_followed();
}
END_TEST

START_TEST(without_credentials_nothing_is_asked)
{
    fake_teardown();
    fake_prepare();
    fake_allow(fake_topology_path, MAY_ALL);
    begin();
    fake_put_topology(2, "pg-2");
    assert_primary("pg-2");
    assert_followed();
}
END_TEST

Suite *guard_suite(void)
{
    Suite *suite = suite_create("guard");
    TCase *access = tcase_create("access");
    tcase_add_checked_fixture(access, setup, fake_teardown);
    tcase_add_test(access, what_the_fleet_alone_may_write_is_followed);
    tcase_add_test(access, no_change_that_anybody_may_have_made_is_followed);
    tcase_add_test(access, the_right_to_replace_it_is_as_good_as_that_to_write_it);
    tcase_add_test(access, who_knows_nothing_takes_what_there_is_and_says_so);
    tcase_add_test(access, a_cache_is_routed_by_while_anybody_may_write);
    tcase_add_test(access, once_the_lists_are_mended_the_change_is_followed);
    tcase_add_test(access, lists_that_are_mended_while_a_lagging_server_answers_end_the_refusal);
    tcase_add_test(access, a_list_that_changed_is_looked_at_before_the_value_is_followed);
    tcase_add_test(access, a_topology_that_comes_later_is_looked_at_as_well);
    tcase_add_test(access, a_list_that_is_not_shown_lets_nobody_in);
    tcase_add_test(access, the_question_goes_out_with_the_first_reads);
    tcase_add_test(access, answers_that_a_lost_link_swallows_are_asked_for_again);
    tcase_add_test(access, without_credentials_nothing_is_asked);
    suite_add_tcase(suite, access);
    return suite;
}
