/* One name, one probe: what a reporter does when its presence is already in the registry; and that
 * whoever rests on reports can tell a new life of one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/fleet/reporter.h"
#include "registry/model/codec.h"
#include "tests/unit/sandbox.h"
#include "tests/unit/unit.h"

#define PRESENCE "/roster/probes/probe-a"
#define REPORTS "/roster/clusters/orders/reports"

enum { NONCE = 7, RIVAL = 8, OTHERS_MS = 20 * BEAT_MS };

static struct sandbox sandbox;
static struct reporter *reporter;
static struct cluster_report *orders_report;
static struct store *rival; /* another process */
static bool is_gone;

static bool gone(const struct presence *presence)
{
    return is_gone && presence->nonce == RIVAL;
}

static void event(const struct store_event *it)
{
    reporter_event(reporter, it, sandbox_now(&sandbox));
}

static void step(void)
{
    struct store_event ignored;
    reporter_step(reporter, sandbox_now(&sandbox));
    while (rival && store_next(rival, sandbox_now(&sandbox), &ignored)) {
    }
}

static void put_folders(void)
{
    sandbox_put(&sandbox, "/roster", strdup(""));
    sandbox_put(&sandbox, "/roster/probes", strdup(""));
}

static char *rivals(uint64_t nonce, uint64_t beat)
{
    return presence_encode(&(struct presence){.probe = "probe-a",
                                              .host = "elsewhere",
                                              .pid = 9,
                                              .version = "1",
                                              .nonce = nonce,
                                              .beat = beat});
}

/* Somebody else's session holds our name. */
static void rival_comes(uint64_t nonce)
{
    put_folders();
    rival = store_mem_new(sandbox.ensemble, "rival", 3600 * 1000, NULL, NULL);
    store_renew(rival);
    sandbox_pass(&sandbox, 50);
    char *json = rivals(nonce, 1);
    store_write(rival, 0,
                &(struct store_op){STORE_CREATE_EPHEMERAL, PRESENCE, json, strlen(json), 0}, 1);
    free(json);
    sandbox_pass(&sandbox, 50);
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, PRESENCE));
}

static void rival_beats(uint64_t beat)
{
    sandbox_put(&sandbox, PRESENCE, rivals(RIVAL, beat));
}

static bool is_ours(void)
{
    const struct znode *node = sandbox_find(&sandbox, PRESENCE);
    return node && node->stat.owner == store_mem_session(sandbox.store);
}

static void start(void)
{
    struct reporter_settings settings = {
        .root = "/roster",
        .presence = {.probe = "probe-a", .host = "here", .pid = 1, .version = "1", .nonce = NONCE},
        .registry_uuid = "00000000-0000-4000-8000-000000000001",
        .is_gone = gone};
    reporter = reporter_new(sandbox.store, sandbox.mirror, &settings);
    orders_report = reporter_add(reporter, "orders");
    ck_assert_ptr_nonnull(orders_report);
    sandbox.event = event;
    sandbox.step = step;
    mirror_event(sandbox.mirror, &(struct store_event){.kind = STORE_GONE}, sandbox_now(&sandbox));
    store_renew(sandbox.store);
    static struct report report;
    report = (struct report){
        .cluster = "orders", .probe = "probe-a", .rules = MODEL_RULES, .policy = {.witnesses = 1}};
    cluster_report_publish(orders_report, &report, sandbox_now(&sandbox));
}

static void setup(void)
{
    sandbox_init(&sandbox);
    rival = NULL;
    is_gone = false;
}

static void teardown(void)
{
    store_mem_kill(sandbox.store);
    reporter_free(reporter);
    sandbox_release(&sandbox);
}

START_TEST(the_first_to_come_makes_the_folders_and_the_registry_id)
{
    start();
    sandbox_pass(&sandbox, 200);
    ck_assert(is_ours());
    struct registry_id registry_id;
    struct codec_error error;
    const struct znode *root = sandbox_find(&sandbox, "/roster");
    ck_assert(registry_id_decode(root->data, root->len, &registry_id, &error));
    ck_assert_str_eq(registry_id.registry, "00000000-0000-4000-8000-000000000001");
    const struct znode *report = sandbox_find(&sandbox, REPORTS "/probe-a");
    ck_assert_int_eq(report->stat.version, 1); /* it began as one that abstains */
    ck_assert_int_eq(report->stat.owner, store_mem_session(sandbox.store));
}
END_TEST

START_TEST(nothing_but_beats_is_written_when_nothing_changes)
{
    start();
    sandbox_pass(&sandbox, 4 * BEAT_MS); /* the registry's identity is final */
    uint64_t writes = sandbox.ensemble->writes;
    sandbox_pass(&sandbox, 10 * BEAT_MS);
    ck_assert_uint_eq(sandbox.ensemble->writes - writes, 10);
    ck_assert_int_eq(sandbox_find(&sandbox, REPORTS "/probe-a")->stat.version, 1);
}
END_TEST

START_TEST(our_own_former_self_is_replaced_at_once)
{
    rival_comes(NONCE);
    start();
    sandbox_pass(&sandbox, 200);
    ck_assert(is_ours());
}
END_TEST

START_TEST(a_process_that_is_gone_is_replaced_at_once)
{
    rival_comes(RIVAL);
    is_gone = true;
    start();
    sandbox_pass(&sandbox, 200);
    ck_assert(is_ours());
}
END_TEST

START_TEST(one_whose_beat_stands_still_is_replaced)
{
    rival_comes(RIVAL);
    start();
    sandbox_pass(&sandbox, BEATS_FRESH * BEAT_MS - 100);
    ck_assert(!is_ours());
    sandbox_pass(&sandbox, BEAT_MS);
    ck_assert(is_ours());
    ck_assert_str_eq(reporter_name_conflict(reporter), "");
}
END_TEST

START_TEST(one_whose_beat_goes_on_keeps_the_name)
{
    rival_comes(RIVAL);
    start();
    for (uint64_t beat = 2; beat < 6; beat++) {
        sandbox_pass(&sandbox, BEAT_MS);
        rival_beats(beat);
    }
    ck_assert(!is_ours());
    ck_assert_ptr_nonnull(strstr(reporter_name_conflict(reporter), "probe-a"));
}
END_TEST

START_TEST(the_last_beat_of_a_dead_one_that_was_still_on_its_way_is_no_life)
{
    rival_comes(RIVAL);
    start();
    sandbox_pass(&sandbox, 1000);
    rival_beats(2);
    sandbox_pass(&sandbox, OTHERS_MS);
    ck_assert_str_eq(reporter_name_conflict(reporter), "");
    ck_assert(is_ours());
}
END_TEST

START_TEST(what_is_deleted_by_hand_is_put_back)
{
    start();
    sandbox_pass(&sandbox, 200);
    ensemble_delete(sandbox.ensemble, PRESENCE);
    ensemble_delete(sandbox.ensemble, REPORTS "/probe-a");
    sandbox_pass(&sandbox, 1000);
    ck_assert(is_ours());
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, REPORTS "/probe-a"));
    ensemble_delete(sandbox.ensemble, REPORTS "/probe-a");
    ensemble_delete(sandbox.ensemble, REPORTS);
    sandbox_pass(&sandbox, 2000);
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, REPORTS "/probe-a"));
}
END_TEST

START_TEST(another_session_publishes_it_all_again)
{
    start();
    sandbox_pass(&sandbox, 200);
    store_mem_expire(sandbox.store);
    sandbox_pass(&sandbox, 1000);
    ck_assert(is_ours());
    ck_assert_int_eq(sandbox_find(&sandbox, REPORTS "/probe-a")->stat.owner,
                     store_mem_session(sandbox.store));
}
END_TEST

/* Versions alone do not tell two lives of a report apart. */
START_TEST(the_folder_counts_the_lives_of_its_reports)
{
    start();
    sandbox_pass(&sandbox, 200);
    int32_t lives = sandbox_find(&sandbox, REPORTS)->stat.version;
    ensemble_delete(sandbox.ensemble, REPORTS "/probe-a");
    sandbox_pass(&sandbox, 1000);
    ck_assert_int_eq(sandbox_find(&sandbox, REPORTS)->stat.version, lives + 1);
    sandbox_pass(&sandbox, OTHERS_MS);
    ck_assert_int_eq(sandbox_find(&sandbox, REPORTS)->stat.version, lives + 1);
}
END_TEST

START_TEST(lost_links_lose_nothing)
{
    start();
    for (int i = 0; i < 40; i++) {
        sandbox_pass(&sandbox, 37);
        store_mem_cut(sandbox.store, false);
        store_mem_mend(sandbox.store);
    }
    sandbox_pass(&sandbox, 2000);
    ck_assert(is_ours());
    ck_assert_int_eq(sandbox_find(&sandbox, REPORTS "/probe-a")->stat.owner,
                     store_mem_session(sandbox.store));
    const struct report *report;
    int32_t version;
    int64_t mzxid;
    ck_assert(cluster_report_take_acked(orders_report, &report, &version, &mzxid));
    ck_assert_ptr_nonnull(report);
    ck_assert_int_eq(version, sandbox_find(&sandbox, REPORTS "/probe-a")->stat.version);
    ck_assert_int_eq(mzxid, sandbox_find(&sandbox, REPORTS "/probe-a")->stat.mzxid);
}
END_TEST

Suite *name_suite(void)
{
    Suite *suite = suite_create("name");
    TCase *tcase = tcase_create("name");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_first_to_come_makes_the_folders_and_the_registry_id);
    tcase_add_test(tcase, nothing_but_beats_is_written_when_nothing_changes);
    tcase_add_test(tcase, our_own_former_self_is_replaced_at_once);
    tcase_add_test(tcase, a_process_that_is_gone_is_replaced_at_once);
    tcase_add_test(tcase, one_whose_beat_stands_still_is_replaced);
    tcase_add_test(tcase, one_whose_beat_goes_on_keeps_the_name);
    tcase_add_test(tcase, the_last_beat_of_a_dead_one_that_was_still_on_its_way_is_no_life);
    tcase_add_test(tcase, what_is_deleted_by_hand_is_put_back);
    tcase_add_test(tcase, another_session_publishes_it_all_again);
    tcase_add_test(tcase, the_folder_counts_the_lives_of_its_reports);
    tcase_add_test(tcase, lost_links_lose_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
