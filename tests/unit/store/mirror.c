/* Nodes kept in step with a registry in memory. */
#include "registry/store/mirror.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/sandbox.h"
#include "tests/unit/unit.h"

enum { SETTLE_MS = 50 };

static struct sandbox sandbox;
static int reads; /* how often a reader was called */

static void on_read(void *owner, const struct mirror_node *node)
{
    ck_assert_ptr_eq(owner, &sandbox);
    ck_assert(node->known);
    reads++;
}

static void setup(void)
{
    sandbox_init(&sandbox);
    reads = 0;
}

static void teardown(void)
{
    sandbox_release(&sandbox);
}

static struct mirror_node *follow(const char *path, bool list)
{
    struct mirror_node *node = mirror_add(sandbox.mirror, path, list, on_read, &sandbox);
    ck_assert_ptr_nonnull(node);
    return node;
}

static void put(const char *path, const char *data)
{
    sandbox_put(&sandbox, path, strdup(data));
}

static bool holds(const struct mirror_node *node, const char *data)
{
    return mirror_settled(node) && node->exists && node->data && strcmp(node->data, data) == 0 &&
           node->len == strlen(data);
}

START_TEST(a_node_follows_creation_change_and_deletion)
{
    struct mirror_node *node = follow("/a", false);
    ck_assert(!mirror_settled(node));
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(mirror_settled(node) && !node->exists);
    ck_assert_int_eq(node->rc, STORE_NO_NODE);
    put("/a", "one");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(holds(node, "one"));
    put("/a", "two");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(holds(node, "two"));
    ck_assert_int_eq(node->stat.version, 1);
    ensemble_delete(sandbox.ensemble, "/a");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(!node->exists);
    ck_assert_str_eq(node->data, "two"); /* the latest value is kept */
    ck_assert_int_eq(reads, 4);
}
END_TEST

START_TEST(a_list_holds_sorted_names)
{
    put("/a", "");
    put("/a/y", "");
    put("/a/x", "");
    struct mirror_node *node = follow("/a", true);
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert_uint_eq(node->name_count, 2);
    ck_assert_str_eq(node->names[0], "x");
    ck_assert_str_eq(node->names[1], "y");
    ensemble_delete(sandbox.ensemble, "/a/x");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert_uint_eq(node->name_count, 1);
    ck_assert_str_eq(node->names[0], "y");
}
END_TEST

START_TEST(two_nodes_of_one_path_are_both_read)
{
    struct mirror_node *one = follow("/a", false), *other = follow("/a", false);
    sandbox_pass(&sandbox, SETTLE_MS);
    put("/a", "x");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(holds(one, "x") && holds(other, "x"));
}
END_TEST

START_TEST(a_refresh_while_a_read_is_under_way_reads_once_more)
{
    struct mirror_node *node = follow("/a", false);
    sandbox_pass(&sandbox, SETTLE_MS);
    reads = 0;
    mirror_refresh(sandbox.mirror, node);
    mirror_refresh(sandbox.mirror, node);
    mirror_refresh(sandbox.mirror, node);
    ck_assert(!mirror_settled(node));
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(mirror_settled(node));
    ck_assert_int_eq(reads, 2);
}
END_TEST

START_TEST(a_removed_node_is_read_no_more)
{
    struct mirror_node *node = follow("/a", false);
    sandbox_pass(&sandbox, SETTLE_MS);
    reads = 0;
    mirror_refresh(sandbox.mirror, node);
    mirror_remove(sandbox.mirror, node); /* its read is under way */
    mirror_remove(sandbox.mirror, NULL);
    put("/a", "x");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert_int_eq(reads, 0);
    node = follow("/a", false);
    sandbox_pass(&sandbox, SETTLE_MS);
    mirror_remove(sandbox.mirror, node); /* none is */
    put("/a", "y");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert_int_eq(reads, 1);
}
END_TEST

START_TEST(a_lost_link_keeps_what_was_known_and_the_next_one_reads_it_again)
{
    put("/a", "one");
    struct mirror_node *node = follow("/a", false);
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(mirror_is_up(sandbox.mirror));
    store_mem_cut(sandbox.store, false);
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(!mirror_is_up(sandbox.mirror));
    put("/a", "two");
    ck_assert_str_eq(node->data, "one");
    store_mem_mend(sandbox.store);
    sandbox_pass(&sandbox, 2000);
    ck_assert(mirror_is_up(sandbox.mirror) && holds(node, "two"));
}
END_TEST

START_TEST(the_first_read_of_a_session_is_marked)
{
    put("/a", "one");
    struct mirror_node *node = follow("/a", false);
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(node->synced);
    put("/a", "two");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(!node->synced);
    store_mem_expire(sandbox.store);
    sandbox_pass(&sandbox, 1000);
    ck_assert(node->synced && holds(node, "two"));
    ck_assert_int_gt(node->read_ms, 0);
}
END_TEST

START_TEST(a_node_may_be_added_before_the_link_is_up)
{
    mirror_free(sandbox.mirror);
    sandbox.mirror = mirror_new(sandbox.store);
    struct mirror_node *node = follow("/a", false);
    ck_assert(!mirror_settled(node));
    put("/a", "one");
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(holds(node, "one"));
}
END_TEST

Suite *mirror_suite(void)
{
    Suite *suite = suite_create("mirror");
    TCase *tcase = tcase_create("mirror");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_node_follows_creation_change_and_deletion);
    tcase_add_test(tcase, a_list_holds_sorted_names);
    tcase_add_test(tcase, two_nodes_of_one_path_are_both_read);
    tcase_add_test(tcase, a_refresh_while_a_read_is_under_way_reads_once_more);
    tcase_add_test(tcase, a_removed_node_is_read_no_more);
    tcase_add_test(tcase, a_lost_link_keeps_what_was_known_and_the_next_one_reads_it_again);
    tcase_add_test(tcase, the_first_read_of_a_session_is_marked);
    tcase_add_test(tcase, a_node_may_be_added_before_the_link_is_up);
    suite_add_tcase(suite, tcase);
    return suite;
}
