/* Which registry a probe follows: what it remembers, puts back, refuses and takes. */
#include <stdlib.h>
#include <string.h>

#include "registry/fleet/reporter.h"
#include "registry/model/codec.h"
#include "tests/unit/sandbox.h"
#include "tests/unit/unit.h"

#define DRAWN "00000000-0000-4000-8000-000000000001"
#define REMEMBERED "11111111-0000-4000-8000-000000000001"
#define OTHER "22222222-0000-4000-8000-000000000001"

enum { SETTLE_MS = 300 };

static struct sandbox sandbox;
static struct reporter *reporter;
static struct memory memory;
static char said[4 * SENTENCE_SIZE];

static bool nobody_is_gone(const struct presence *presence)
{
    (void)presence;
    return false;
}

static void event(const struct store_event *it)
{
    reporter_event(reporter, it, sandbox_now(&sandbox));
}

static void step(void)
{
    bool is_refusal;
    reporter_step(reporter, sandbox_now(&sandbox));
    const char *sentence = root_take_sentence(reporter_root(reporter), &is_refusal);
    if (sentence) {
        strcat(strcat(said, sentence), "\n");
    }
}

static void start(const struct memory *remembered)
{
    struct reporter_settings settings = {
        .root = "/roster",
        .presence = {.probe = "probe-a", .host = "here", .pid = 1, .version = "1", .nonce = 7},
        .registry_uuid = DRAWN,
        .memory = remembered,
        .is_gone = nobody_is_gone};
    reporter = reporter_new(sandbox.store, sandbox.mirror, &settings);
    ck_assert_ptr_nonnull(reporter);
    sandbox.event = event;
    sandbox.step = step;
    sandbox_pass(&sandbox, SETTLE_MS);
}

static void setup(void)
{
    sandbox_init(&sandbox);
    memory = (struct memory){.registry_id = {.registry = REMEMBERED}};
    said[0] = '\0';
}

static void teardown(void)
{
    store_mem_kill(sandbox.store);
    reporter_free(reporter);
    sandbox_release(&sandbox);
}

static const struct registry_id *id(void)
{
    static struct registry_id found;
    struct codec_error error;
    const struct znode *node = sandbox_find(&sandbox, "/roster");
    ck_assert_ptr_nonnull(node);
    ck_assert(registry_id_decode(node->data, node->len, &found, &error));
    return &found;
}

static void put_id(const char *registry, const char *superseded, bool provisional)
{
    struct registry_id made = {.supersedes_count = superseded != NULL, .provisional = provisional};
    strcpy(made.registry, registry);
    if (superseded) {
        strcpy(made.supersedes[0], superseded);
    }
    sandbox_put(&sandbox, "/roster", registry_id_encode(&made));
}

static bool is_present(void)
{
    return sandbox_find(&sandbox, "/roster/probes/probe-a") != NULL;
}

static void delete_all(void)
{
    ensemble_delete(sandbox.ensemble, "/roster/probes/probe-a");
    ensemble_delete(sandbox.ensemble, "/roster/probes");
    ensemble_delete(sandbox.ensemble, "/roster/clusters");
    ensemble_delete(sandbox.ensemble, "/roster");
}

START_TEST(a_first_start_waits_for_nobody_and_its_identity_is_final_after_three_beats)
{
    start(NULL);
    ck_assert_str_eq(id()->registry, DRAWN);
    ck_assert(id()->provisional && is_present());
    ck_assert_ptr_null(root_take_memory(reporter_root(reporter)));
    sandbox_pass(&sandbox, 3 * BEAT_MS - SETTLE_MS - 100);
    ck_assert(id()->provisional);
    sandbox_pass(&sandbox, 500);
    ck_assert(!id()->provisional);
    const struct memory *kept = root_take_memory(reporter_root(reporter));
    ck_assert_ptr_nonnull(kept);
    ck_assert_str_eq(kept->registry_id.registry, DRAWN);
}
END_TEST

START_TEST(one_that_follows_an_identity_puts_that_back_when_the_root_vanishes)
{
    put_id(OTHER, REMEMBERED, false);
    start(NULL);
    ck_assert_str_eq(id()->registry, OTHER);
    delete_all();
    sandbox_pass(&sandbox, 2000);
    ck_assert_str_eq(id()->registry, OTHER);
    ck_assert_str_eq(id()->supersedes[0], REMEMBERED);
    ck_assert(is_present() && !id()->provisional);
}
END_TEST

START_TEST(one_that_remembers_puts_that_back_after_a_restart)
{
    start(&memory);
    ck_assert_str_eq(id()->registry, REMEMBERED);
    ck_assert(!id()->provisional && is_present());
}
END_TEST

START_TEST(one_that_remembers_wins_over_an_identity_just_drawn)
{
    put_id(OTHER, NULL, true);
    start(&memory);
    ck_assert_str_eq(id()->registry, REMEMBERED);
    ck_assert_str_eq(id()->supersedes[0], OTHER);
    ck_assert(!id()->provisional && is_present());
}
END_TEST

START_TEST(one_that_remembers_nothing_follows_the_one_that_does)
{
    start(NULL);
    put_id(REMEMBERED, DRAWN, false);
    sandbox_pass(&sandbox, 4 * BEAT_MS);
    ck_assert_str_eq(id()->registry, REMEMBERED);
    ck_assert(!reporter_must_leave(reporter));
    ck_assert_ptr_nonnull(strstr(said, "follows registry " REMEMBERED));
}
END_TEST

START_TEST(the_drawn_identity_that_is_remembered_is_final_at_once)
{
    put_id(REMEMBERED, NULL, true);
    start(&memory);
    ck_assert_str_eq(id()->registry, REMEMBERED);
    ck_assert(!id()->provisional);
}
END_TEST

START_TEST(nothing_is_written_in_a_registry_of_another_identity)
{
    put_id(OTHER, NULL, false);
    uint64_t writes = sandbox.ensemble->writes;
    start(&memory);
    sandbox_pass(&sandbox, 10 * BEAT_MS);
    ck_assert_uint_eq(sandbox.ensemble->writes, writes);
    ck_assert_ptr_nonnull(strstr(said, "roster accept --registry " REMEMBERED));
    ck_assert_ptr_null(strstr(strstr(said, "accept") + 1, "accept")); /* told once */
}
END_TEST

START_TEST(it_is_followed_once_it_supersedes_what_is_remembered)
{
    put_id(OTHER, NULL, false);
    start(&memory);
    put_id(OTHER, REMEMBERED, false);
    sandbox_pass(&sandbox, 1000);
    ck_assert(is_present());
    ck_assert_str_eq(id()->registry, OTHER);
    ck_assert_str_eq(root_take_memory(reporter_root(reporter))->registry_id.registry, OTHER);
}
END_TEST

START_TEST(another_identity_under_a_running_probe_makes_it_leave)
{
    put_id(REMEMBERED, NULL, false);
    start(NULL);
    ck_assert(is_present() && !reporter_must_leave(reporter));
    put_id(OTHER, NULL, false);
    sandbox_pass(&sandbox, 100);
    ck_assert(reporter_must_leave(reporter));
}
END_TEST

START_TEST(a_registry_that_went_back_is_refused_whatever_it_holds_later)
{
    put_id(REMEMBERED, NULL, false);
    memory.known[0] = (struct known_topology){.cluster = "orders", .mzxid = 0x1dd};
    memory.known_count = 1;
    start(&memory);
    struct root *root = reporter_root(reporter);
    ck_assert(!root_saw_topology(root, "orders", 0xf));
    sandbox_pass(&sandbox, 100);
    ck_assert_int_eq(root->state, ROOT_REFUSED);
    ck_assert_ptr_nonnull(strstr(said, "went back in time: zxid f after 1dd"));
    ck_assert_ptr_nonnull(strstr(said, "roster accept --registry " REMEMBERED));
    /* a new leader, whose numbers are greater than all before; and another session */
    root_wrote(root, INT64_C(0x200000001));
    ck_assert(root_saw_topology(root, "orders", INT64_C(0x200000002)));
    store_mem_expire(sandbox.store);
    sandbox_pass(&sandbox, 1000);
    ck_assert_int_eq(root->state, ROOT_REFUSED);
    put_id(OTHER, REMEMBERED, false);
    sandbox_pass(&sandbox, 1000);
    ck_assert_int_eq(root->state, ROOT_FOLLOWED);
    ck_assert(root_saw_topology(root, "orders", 1));
}
END_TEST

START_TEST(the_number_of_a_write_of_ours_proves_that_it_went_back)
{
    put_id(REMEMBERED, NULL, false);
    memory.known[0] = (struct known_topology){.cluster = "elsewhere", .mzxid = INT64_C(1) << 60};
    memory.known_count = 1;
    start(&memory);
    ck_assert_int_eq(reporter_root(reporter)->state, ROOT_REFUSED);
    ck_assert_ptr_nonnull(strstr(said, "went back in time"));
}
END_TEST

START_TEST(the_root_may_be_deleted_again_and_again)
{
    start(&memory);
    for (int i = 0; i < 20; i++) {
        delete_all();
        sandbox_pass(&sandbox, 3 * i);
    }
    sandbox_pass(&sandbox, 3000);
    ck_assert_str_eq(id()->registry, REMEMBERED);
    ck_assert(is_present());
}
END_TEST

Suite *root_suite(void)
{
    Suite *suite = suite_create("root");
    TCase *tcase = tcase_create("root");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   a_first_start_waits_for_nobody_and_its_identity_is_final_after_three_beats);
    tcase_add_test(tcase, one_that_follows_an_identity_puts_that_back_when_the_root_vanishes);
    tcase_add_test(tcase, one_that_remembers_puts_that_back_after_a_restart);
    tcase_add_test(tcase, one_that_remembers_wins_over_an_identity_just_drawn);
    tcase_add_test(tcase, one_that_remembers_nothing_follows_the_one_that_does);
    tcase_add_test(tcase, the_drawn_identity_that_is_remembered_is_final_at_once);
    tcase_add_test(tcase, nothing_is_written_in_a_registry_of_another_identity);
    tcase_add_test(tcase, it_is_followed_once_it_supersedes_what_is_remembered);
    tcase_add_test(tcase, another_identity_under_a_running_probe_makes_it_leave);
    tcase_add_test(tcase, a_registry_that_went_back_is_refused_whatever_it_holds_later);
    tcase_add_test(tcase, the_number_of_a_write_of_ours_proves_that_it_went_back);
    tcase_add_test(tcase, the_root_may_be_deleted_again_and_again);
    suite_add_tcase(suite, tcase);
    return suite;
}
