/* The standing znodes, created by whoever comes first. */
#include "registry/fleet/folders.h"

#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "tests/unit/sandbox.h"
#include "tests/unit/unit.h"

enum { SETTLE_MS = 100 };

static struct sandbox sandbox;
static struct root root;
static struct folders folders;
static const char *trouble;

static const char uuid[] = "00000000-0000-4000-8000-000000000001";

static void event(const struct store_event *it)
{
    root_event(&root, it);
    if (it->kind == STORE_UP && it->renewed) {
        folders_begin(&folders);
    } else if (it->kind == STORE_ANSWER && store_tag_pointer(it->tag) == &folders) {
        folders_answer(&folders, it, sandbox_now(&sandbox));
    } else if (it->kind == STORE_ANSWER && store_tag_pointer(it->tag) == &root &&
               (it->tag & TAG_MASK) == TAG_ROOT) {
        root_answer(&root, it, sandbox_now(&sandbox));
    }
}

static void step(void)
{
    bool is_refusal = false;
    const char *refused = folders_take_trouble(&folders);
    trouble = refused ? refused : trouble;
    const char *sentence = root_take_sentence(&root, &is_refusal);
    trouble = sentence && is_refusal ? sentence : trouble;
    if (mirror_is_up(sandbox.mirror)) {
        root_step(&root, sandbox_now(&sandbox));
        folders_step(&folders, sandbox_now(&sandbox));
    }
}

static void setup(void)
{
    sandbox_init(&sandbox);
    trouble = NULL;
}

static void teardown(void)
{
    root_release(&root);
    sandbox_release(&sandbox);
}

static void begin(const char *path)
{
    root_init(&root, sandbox.store, sandbox.mirror, path, uuid, NULL);
    folders_init(&folders, sandbox.store, &root, false);
    sandbox.event = event;
    sandbox.step = step;
    sandbox_pass(&sandbox, SETTLE_MS);
}

static const char *id_of(const char *path)
{
    static struct registry_id id;
    struct codec_error error;
    const struct znode *node = sandbox_find(&sandbox, path);
    return node && registry_id_decode(node->data, node->len, &id, &error) ? id.registry : "";
}

START_TEST(a_deep_root_is_made_part_by_part_and_its_last_part_has_the_id)
{
    begin("/a/b/roster");
    ck_assert(folders_are_complete(&folders));
    ck_assert_str_eq(id_of("/a/b/roster"), uuid);
    ck_assert_uint_eq(sandbox_find(&sandbox, "/a")->len, 0);
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, "/a/b/roster/probes"));
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, "/a/b/roster/clusters"));
    ck_assert_ptr_null(trouble);
}
END_TEST

START_TEST(a_root_made_by_hand_gets_an_id)
{
    sandbox_put(&sandbox, "/roster", strdup(""));
    begin("/roster");
    ck_assert_str_eq(id_of("/roster"), uuid);
}
END_TEST

START_TEST(the_id_of_whoever_was_first_is_left_alone)
{
    struct registry_id other = {.registry = "11111111-0000-4000-8000-000000000001"};
    sandbox_put(&sandbox, "/roster", registry_id_encode(&other));
    begin("/roster");
    ck_assert(folders_are_complete(&folders));
    ck_assert_str_eq(id_of("/roster"), other.registry);
    ck_assert_ptr_null(trouble);
}
END_TEST

START_TEST(what_is_not_ours_is_left_alone_and_reported)
{
    sandbox_put(&sandbox, "/roster", strdup("somebody's"));
    begin("/roster");
    ck_assert(folders_are_complete(&folders));
    ck_assert_str_eq(sandbox_find(&sandbox, "/roster")->data, "somebody's");
    ck_assert_ptr_nonnull(strstr(trouble, "not ours to overwrite"));
}
END_TEST

START_TEST(a_clusters_folders_are_made_on_request)
{
    begin("/roster");
    ck_assert(folders_are_idle(&folders, sandbox_now(&sandbox)));
    folders_make_cluster(&folders, "orders");
    ck_assert(!folders_are_idle(&folders, sandbox_now(&sandbox)));
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, "/roster/clusters/orders/reports"));
    ck_assert(folders_are_idle(&folders, sandbox_now(&sandbox)));
}
END_TEST

START_TEST(a_lost_standing_folder_is_made_again)
{
    begin("/roster");
    ensemble_delete(sandbox.ensemble, "/roster/clusters");
    folders_make_cluster(&folders, "orders");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert_ptr_nonnull(strstr(trouble, "does not exist"));
    sandbox_pass(&sandbox, 1000);
    ck_assert(folders_are_complete(&folders));
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, "/roster/clusters"));
}
END_TEST

START_TEST(lost_links_lose_nothing)
{
    begin("/a/roster");
    for (int i = 0; i < 20; i++) {
        ensemble_delete(sandbox.ensemble, "/a/roster/clusters");
        folders_begin(&folders);
        sandbox_pass(&sandbox, i);
        store_mem_cut(sandbox.store, false);
        store_mem_mend(sandbox.store);
    }
    sandbox_pass(&sandbox, 2000);
    ck_assert(folders_are_complete(&folders));
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, "/a/roster/clusters"));
}
END_TEST

static void answer(enum store_rc rc)
{
    folders_answer(&folders, &(struct store_event){.kind = STORE_ANSWER, .rc = rc}, 1000);
}

START_TEST(a_chroot_that_does_not_exist_is_not_created)
{
    root_init(&root, sandbox.store, sandbox.mirror, "/roster", uuid, NULL);
    folders_init(&folders, sandbox.store, &root, true);
    folders_begin(&folders);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(folders.phase, FOLDERS_CHROOT);
        folders.not_before_ms = 0;
        folders_step(&folders, 1000);
        answer(STORE_NO_NODE);
        ck_assert_ptr_eq(folders_take_trouble(&folders), folders_no_chroot);
        ck_assert_int_gt(folders_step(&folders, 1000), 1000); /* later */
    }
    folders.not_before_ms = 0;
    folders_step(&folders, 1000);
    answer(STORE_OK); /* somebody created it */
    ck_assert_int_eq(folders.phase, FOLDERS_ROOT);
    ck_assert_ptr_null(folders_take_trouble(&folders));
}
END_TEST

Suite *folders_suite(void)
{
    Suite *suite = suite_create("folders");
    TCase *tcase = tcase_create("folders");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_deep_root_is_made_part_by_part_and_its_last_part_has_the_id);
    tcase_add_test(tcase, a_root_made_by_hand_gets_an_id);
    tcase_add_test(tcase, the_id_of_whoever_was_first_is_left_alone);
    tcase_add_test(tcase, what_is_not_ours_is_left_alone_and_reported);
    tcase_add_test(tcase, a_clusters_folders_are_made_on_request);
    tcase_add_test(tcase, a_lost_standing_folder_is_made_again);
    tcase_add_test(tcase, lost_links_lose_nothing);
    tcase_add_test(tcase, a_chroot_that_does_not_exist_is_not_created);
    suite_add_tcase(suite, tcase);
    return suite;
}
