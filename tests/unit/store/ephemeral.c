/* One znode of ours against a registry in memory: its owner here writes "two" as soon as it may. */
#include "registry/store/ephemeral.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/sandbox.h"
#include "tests/unit/unit.h"

#define PATH "/folder/ours"

enum { SETTLE_MS = 50 };

static struct sandbox sandbox;
static struct ephemeral ephemeral;
static int acked;
static const char *trouble;
static bool writes; /* does the owner write? */

static void event(const struct store_event *it)
{
    if (it->kind == STORE_UP && it->renewed) {
        ephemeral_session(&ephemeral, it->session);
    } else if (it->kind == STORE_GONE) {
        ephemeral_session(&ephemeral, 0);
    } else if (it->kind == STORE_ANSWER && (it->tag & TAG_MASK) == TAG_EPHEMERAL) {
        acked += ephemeral_answer(store_tag_pointer(it->tag), it, sandbox_now(&sandbox));
    }
}

static void step(void)
{
    const char *refused = ephemeral_take_trouble(&ephemeral);
    trouble = refused ? refused : trouble;
    ephemeral_step(&ephemeral, sandbox_now(&sandbox));
    if (writes && ephemeral_is_writable(&ephemeral) && ephemeral.state == EPHEMERAL_HELD) {
        ephemeral_write(&ephemeral, "two");
    }
}

static void setup(void)
{
    sandbox_init(&sandbox);
    acked = 0;
    trouble = NULL;
    writes = true;
    ck_assert(ephemeral_init(&ephemeral, sandbox.store, sandbox.mirror, PATH, "one"));
    sandbox.event = event;
    sandbox.step = step;
}

static void teardown(void)
{
    sandbox.step = NULL;
    sandbox_pass(&sandbox, SETTLE_MS); /* the answer to whatever is under way */
    ephemeral_release(&ephemeral);
    sandbox_release(&sandbox);
}

static void begin(void)
{
    sandbox_put(&sandbox, "/folder", strdup(""));
    sandbox_pass(&sandbox, SETTLE_MS);
}

static bool holds(const char *data)
{
    const struct znode *node = sandbox_find(&sandbox, PATH);
    return node && node->len == strlen(data) && memcmp(node->data, data, node->len) == 0;
}

static bool is_ours(void)
{
    const struct znode *node = sandbox_find(&sandbox, PATH);
    return node && node->stat.owner == store_mem_session(sandbox.store) &&
           ephemeral_is_ours(&ephemeral) && ephemeral.version == node->stat.version &&
           (ephemeral.version == 0 || ephemeral.mzxid == node->stat.mzxid);
}

START_TEST(it_is_created_with_the_first_data_and_written_once)
{
    writes = false;
    begin();
    ck_assert(is_ours() && holds("one"));
    ck_assert_int_eq(ephemeral.state, EPHEMERAL_HELD);
    writes = true;
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(is_ours() && holds("two"));
    ck_assert_int_eq(ephemeral.state, EPHEMERAL_WRITTEN);
    ck_assert_int_eq(ephemeral.version, 1);
    ck_assert_int_eq(acked, 1);
}
END_TEST

START_TEST(one_that_is_deleted_is_created_again)
{
    begin();
    ensemble_delete(sandbox.ensemble, PATH);
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(is_ours() && holds("two"));
    ck_assert_int_eq(acked, 2);
}
END_TEST

START_TEST(one_that_is_overwritten_is_written_again)
{
    begin();
    sandbox_put(&sandbox, PATH, strdup("another's"));
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(is_ours() && holds("two"));
    ck_assert_int_eq(ephemeral.version, 3);
}
END_TEST

START_TEST(without_its_folder_there_is_trouble_and_it_is_tried_again)
{
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert_ptr_nonnull(strstr(trouble, "does not exist"));
    ck_assert(!ephemeral_may_exist(&ephemeral) || ephemeral.state == EPHEMERAL_UNCERTAIN);
    begin();
    sandbox_pass(&sandbox, 500);
    ck_assert(is_ours() && holds("two"));
}
END_TEST

START_TEST(another_sessions_is_left_to_the_owner)
{
    sandbox_put(&sandbox, "/folder", strdup(""));
    sandbox_put(&sandbox, PATH, strdup("a ghost"));
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert_int_eq(ephemeral.state, EPHEMERAL_FOREIGN);
    ck_assert_str_eq(ephemeral.found, "a ghost");
    ck_assert(!ephemeral_may_exist(&ephemeral));
    ephemeral_read_again(&ephemeral, sandbox_now(&sandbox) + 1000);
    sandbox_pass(&sandbox, 900);
    ck_assert_int_eq(ephemeral.state, EPHEMERAL_UNCERTAIN);
    sandbox_pass(&sandbox, 200);
    ck_assert_int_eq(ephemeral.state, EPHEMERAL_FOREIGN);
    ephemeral_replace(&ephemeral);
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(is_ours() && holds("two"));
}
END_TEST

START_TEST(a_ghost_that_moves_is_not_replaced)
{
    sandbox_put(&sandbox, "/folder", strdup(""));
    sandbox_put(&sandbox, PATH, strdup("a ghost"));
    sandbox_pass(&sandbox, SETTLE_MS);
    ephemeral_replace(&ephemeral);
    sandbox_put(&sandbox, PATH, strdup("alive")); /* before our transaction arrives */
    sandbox_pass(&sandbox, SETTLE_MS);
    ck_assert(holds("alive"));
    ck_assert_int_eq(ephemeral.state, EPHEMERAL_FOREIGN);
    ck_assert_str_eq(ephemeral.found, "alive");
}
END_TEST

START_TEST(an_unknown_outcome_is_settled_by_reading)
{
    begin();
    for (int i = 0; i < 20; i++) {
        sandbox_put(&sandbox, PATH, strdup("another's")); /* so that there is something to do */
        sandbox_pass(&sandbox, i);
        store_mem_cut(sandbox.store, false);
        store_mem_mend(sandbox.store);
    }
    sandbox_pass(&sandbox, 2000);
    ck_assert(is_ours() && holds("two"));
    ck_assert_ptr_null(trouble);
}
END_TEST

START_TEST(what_the_former_session_was_asked_for_does_not_count)
{
    begin();
    int before = acked;
    sandbox_put(&sandbox, PATH, strdup("another's"));
    while (!ephemeral_is_busy(&ephemeral)) {
        sandbox_pass(&sandbox, 1);
    }
    store_mem_expire(sandbox.store);
    sandbox_pass(&sandbox, 1000);
    ck_assert(is_ours() && holds("two"));
    ck_assert_int_eq(ephemeral.version, 1); /* another life of it */
    ck_assert_int_gt(acked, before);
}
END_TEST

Suite *ephemeral_suite(void)
{
    Suite *suite = suite_create("ephemeral");
    TCase *tcase = tcase_create("ephemeral");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, it_is_created_with_the_first_data_and_written_once);
    tcase_add_test(tcase, one_that_is_deleted_is_created_again);
    tcase_add_test(tcase, one_that_is_overwritten_is_written_again);
    tcase_add_test(tcase, without_its_folder_there_is_trouble_and_it_is_tried_again);
    tcase_add_test(tcase, another_sessions_is_left_to_the_owner);
    tcase_add_test(tcase, a_ghost_that_moves_is_not_replaced);
    tcase_add_test(tcase, an_unknown_outcome_is_settled_by_reading);
    tcase_add_test(tcase, what_the_former_session_was_asked_for_does_not_count);
    suite_add_tcase(suite, tcase);
    return suite;
}
