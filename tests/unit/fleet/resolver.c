/* The resolver against a registry in memory: our own probe is "a", others are
 * said by hand. What is checked is what it writes, and what it does not. */
#include "registry/fleet/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "tests/unit/sandbox.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

enum { SETTLE_MS = 60 };

#define CLUSTER "/roster/clusters/orders"
#define TOPOLOGY CLUSTER "/topology"
#define DIRECTIVES CLUSTER "/directives"

static struct sandbox sandbox;
static struct world world; /* the reports: probe-a is ours */
static struct liveness *liveness;
static struct resolver *resolver;
static char refused[2 * SENTENCE_SIZE];
static bool alarmed;
static const char
    *first_directives; /* what stands there before the resolver starts; NULL: nothing */

static const char *const names[] = {"probe-a", "probe-b", "probe-c"};

static void event(const struct store_event *it)
{
    if (it->kind == STORE_ANSWER && (it->tag & TAG_MASK) == TAG_RESOLVER) {
        resolver_answer(resolver, it, sandbox_now(&sandbox));
    }
}

static void step(void)
{
    resolver_step(resolver, sandbox_now(&sandbox), sandbox_now(&sandbox));
    struct resolver_news news = resolver_news(resolver);
    alarmed = alarmed || news.alarm;
    if (news.refused) {
        snprintf(refused, sizeof refused, "%s", news.refused);
    }
}

static const struct topology *written(void)
{
    static struct topology topology;
    struct codec_error error;
    const struct znode *node = sandbox_find(&sandbox, TOPOLOGY);
    return node && topology_decode(node->data, node->len, &topology, &error) ? &topology : NULL;
}

static const char *report_at(char path[PATH_SIZE], size_t probe)
{
    return path_report(path, PATH_SIZE, "/roster", "orders", names[probe]);
}

/* What stands in the world as this probe's report is written; ours is acknowledged with it. */
static void report(size_t probe)
{
    char path[PATH_SIZE];
    sandbox_put(&sandbox, report_at(path, probe), report_encode(&world.reports[probe]));
    const struct znode *node = sandbox_find(&sandbox, path);
    if (probe == 0) {
        resolver_own_report(resolver, &world.reports[0], node->stat.version, node->stat.mzxid);
    }
}

static void report_all(void)
{
    for (size_t i = 0; i < world.count; i++) {
        report(i);
    }
}

static void beat(size_t probe, uint64_t at)
{
    char path[PATH_SIZE];
    struct presence presence = {.host = "h", .pid = 1, .version = "1", .nonce = probe, .beat = at};
    strcpy(presence.probe, names[probe]);
    sandbox_put(&sandbox, path_probe(path, sizeof path, "/roster", names[probe]),
                presence_encode(&presence));
    sandbox_pass(&sandbox, SETTLE_MS);
}

static void settle(void)
{
    sandbox_pass(&sandbox, SETTLE_MS);
}

/* All three beat; each has said that it is starting, so that no version is 0 from here on. */
static void setup(void)
{
    sandbox_init(&sandbox);
    sandbox.event = event;
    sandbox.step = step;
    static const char *const folders[] = {"/roster", "/roster/probes", "/roster/clusters", CLUSTER,
                                          CLUSTER "/reports"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        sandbox_put(&sandbox, folders[i], strdup(""));
    }
    if (first_directives) {
        sandbox_put(&sandbox, DIRECTIVES, strdup(first_directives));
    }
    world_init(&world, KIND_STREAMING, 3, 3, 2);
    world_primary(&world, ALL, 0, "7");
    world_standby(&world, ALL, 1, 0, "7");
    liveness = liveness_new(sandbox.mirror, "/roster", "probe-a");
    resolver = resolver_new(sandbox.store, sandbox.mirror, liveness,
                            &(struct resolver_settings){"/roster", "orders", "probe-a", NULL});
    ck_assert_ptr_nonnull(resolver);
    liveness_beat(liveness);
    for (size_t i = 0; i < world.count; i++) {
        strcpy(world.reports[i].abstains, "starting");
        report(i);
        world.reports[i].abstains[0] = '\0';
        beat(i, 1);
        beat(i, 2);
    }
    alarmed = false;
    refused[0] = '\0';
}

static void teardown(void)
{
    resolver_free(resolver);
    liveness_free(liveness);
    sandbox_release(&sandbox);
    first_directives = NULL;
}

static void restart_with(const char *directives)
{
    teardown();
    first_directives = directives;
    setup();
}

static void begin(void)
{
    report_all();
    settle();
    ck_assert_ptr_nonnull(written());
    sandbox_pass(&sandbox, 3000);
}

START_TEST(a_first_verdict_waits_for_a_quorum)
{
    report(0);
    settle();
    ck_assert_ptr_null(written());
    report(1);
    settle();
    ck_assert_ptr_nonnull(written());
    ck_assert_str_eq(written()->primary, "m0");
    ck_assert_str_eq(written()->by, "probe-a");
    ck_assert_int_eq(written()->evidence_count, 2);
}
END_TEST

static struct root registry;
static struct memory memory;

/* Another process, which has read the registry and does not know yet whether it is its own. */
static void start_anew(void)
{
    registry = (struct root){.memory = &memory, .state = ROOT_UNREAD};
    resolver_free(resolver);
    resolver = resolver_new(sandbox.store, sandbox.mirror, liveness,
                            &(struct resolver_settings){"/roster", "orders", "probe-a", &registry});
    ck_assert_ptr_nonnull(resolver);
    settle();
}

START_TEST(no_topology_is_taken_from_a_registry_that_is_refused)
{
    begin();
    memory = (struct memory){.registry_id = {.registry = "ours"}};
    start_anew();
    uint64_t writes = sandbox.ensemble->writes;
    registry.state = ROOT_REFUSED;
    ensemble_delete(sandbox.ensemble, CLUSTER "/directives");
    sandbox_pass(&sandbox, 5000);
    ck_assert_ptr_null(resolver_topology(resolver));
    ck_assert(!resolver_has_read(resolver));
    ck_assert_uint_eq(sandbox.ensemble->writes, writes + 1); /* the operator's */
    registry.state = ROOT_FOLLOWED;
    settle();
    ck_assert_ptr_nonnull(resolver_topology(resolver));
    ck_assert_int_eq(memory.known[0].mzxid, sandbox_find(&sandbox, TOPOLOGY)->stat.mzxid);
}
END_TEST

START_TEST(a_topology_from_before_what_is_known_is_not_taken)
{
    begin();
    memory = (struct memory){
        .registry_id = {.registry = "ours"}, .known_count = 1, .known = {{"orders", INT64_MAX}}};
    start_anew();
    registry.state = ROOT_FOLLOWED;
    settle();
    ck_assert_int_eq(registry.state, ROOT_REFUSED);
    ck_assert_ptr_null(resolver_topology(resolver));
}
END_TEST

START_TEST(an_equal_verdict_is_not_written)
{
    begin();
    int64_t mzxid = sandbox_find(&sandbox, TOPOLOGY)->stat.mzxid;
    world.reports[1].seen_wall_ms = 12345; /* not material */
    report(1);
    sandbox_pass(&sandbox, 5000);
    ck_assert_int_eq(sandbox_find(&sandbox, TOPOLOGY)->stat.mzxid, mzxid);
}
END_TEST

START_TEST(a_promotion_is_written_at_once_and_raises_the_alarm)
{
    begin();
    alarmed = false;
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_primary(&world, ALL, 1, "8");
    report(0);
    report(1);
    settle();
    ck_assert_str_eq(written()->primary, "m1");
    ck_assert_int_eq(written()->epoch, 2);
    ck_assert(alarmed);
}
END_TEST

START_TEST(without_a_report_of_our_own_nothing_is_written)
{
    resolver_own_report(resolver, NULL, 0, 0);
    report(1);
    report(2);
    settle();
    ck_assert_ptr_null(written());
}
END_TEST

START_TEST(a_report_at_version_0_does_not_vote)
{
    char path[PATH_SIZE];
    report(0);
    for (size_t i = 1; i < 3; i++) {
        ensemble_delete(sandbox.ensemble, report_at(path, i));
        settle();
        report(i); /* made anew */
    }
    settle();
    ck_assert_ptr_null(written());
    report(1);
    settle();
    ck_assert_ptr_nonnull(written());
}
END_TEST

START_TEST(the_report_of_a_ghost_does_not_vote)
{
    for (int i = 0; i <= BEATS_FRESH; i++) {
        liveness_beat(liveness); /* and theirs stand still */
    }
    report_all();
    settle();
    ck_assert_ptr_null(written());
    beat(1, 3);
    ck_assert_ptr_nonnull(written());
}
END_TEST

/* Whoever writes meanwhile makes our transaction fail, and what stands then is read and resolved.
 */
static void move_underway(void (*move)(void))
{
    begin();
    store_mem_delay(sandbox.store, 20, 20);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_primary(&world, ALL, 1, "8");
    report(0);
    report(1);
    while (resolver_is_idle(resolver)) {
        sandbox_pass(&sandbox, 1);
    }
    move();
    while (!resolver_is_idle(resolver)) {
        ck_assert_str_eq(written()->primary, "m0");
        sandbox_pass(&sandbox, 1);
    }
}

static void take_back(void)
{
    world_primary(&world, 1, 0, "7");
    world_standby(&world, 1, 1, 0, "7");
    report(1);
}

START_TEST(a_report_that_moved_makes_the_write_fail)
{
    move_underway(take_back);
    sandbox_pass(&sandbox, 1000);
    ck_assert_str_eq(written()->primary, "m0"); /* there is no quorum for the other any more */
}
END_TEST

/* Another life of that probe says something else, and its report has come to the same version
 * again. */
static void live_anew(void)
{
    char path[PATH_SIZE];
    int32_t version = sandbox_find(&sandbox, report_at(path, 1))->stat.version;
    ensemble_delete(sandbox.ensemble, path);
    ensemble_put(sandbox.ensemble, CLUSTER "/reports",
                 ""); /* as a probe does with each report it makes */
    do {
        take_back();
    } while (sandbox_find(&sandbox, path)->stat.version < version);
}

START_TEST(a_report_made_anew_is_not_mistaken_for_its_former_self)
{
    move_underway(live_anew);
    sandbox_pass(&sandbox, 1000);
    ck_assert_str_eq(written()->primary, "m0");
}
END_TEST

static void hold(void)
{
    struct directives directives = {.hold = "m0"};
    sandbox_put(&sandbox, DIRECTIVES, directives_encode(&directives));
}

START_TEST(a_word_of_the_operator_makes_the_write_fail)
{
    move_underway(hold);
    sandbox_pass(&sandbox, 1000);
    ck_assert_str_eq(written()->primary, "m0");
    ck_assert_str_eq(topology_rule(written()), "held");
}
END_TEST

START_TEST(the_operators_znode_is_made_when_it_is_not_there)
{
    settle();
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, CLUSTER "/directives"));
    ensemble_delete(sandbox.ensemble, CLUSTER "/directives");
    settle();
    ck_assert_ptr_nonnull(sandbox_find(&sandbox, CLUSTER "/directives"));
}
END_TEST

START_TEST(nothing_is_decided_before_the_directives_were_read_once)
{
    static const char *const unreadable[] = {"no JSON", "", "{ \"format\": 2 }",
                                             "{\"format\":1,\"hold\":\"m0\",\"hold\":\"m1\"}"};
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
        restart_with(unreadable[i]);
        refused[0] = '\0';
        report_all();
        sandbox_pass(&sandbox, 5000);
        ck_assert_msg(!written(), "%s", unreadable[i]);
        ck_assert_str_eq(sandbox_find(&sandbox, DIRECTIVES)->data, unreadable[i]);
        hold();
        settle();
        ck_assert_ptr_nonnull(written());
        ck_assert_str_eq(topology_rule(written()), "held");
        ck_assert_int_eq(written()->directives_mzxid,
                         sandbox_find(&sandbox, DIRECTIVES)->stat.mzxid);
    }
}
END_TEST

START_TEST(directives_that_cannot_be_read_any_more_stay_in_force)
{
    begin();
    hold();
    settle();
    refused[0] = '\0';
    sandbox_put(&sandbox, DIRECTIVES, strdup("no JSON"));
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_primary(&world, ALL, 1, "8");
    report_all();
    sandbox_pass(&sandbox, 3000);
    ck_assert_ptr_nonnull(strstr(refused, DIRECTIVES));
    ck_assert_str_eq(written()->primary, "m0");
}
END_TEST

START_TEST(a_new_version_of_the_directives_is_taken_at_once_though_it_changes_nothing)
{
    begin();
    for (int i = 0; i < 3; i++) {
        sandbox_put(&sandbox, DIRECTIVES, strdup("{ \"format\": 1 }"));
        settle();
        ck_assert_int_eq(written()->directives_mzxid,
                         sandbox_find(&sandbox, DIRECTIVES)->stat.mzxid);
    }
    int64_t mzxid = sandbox_find(&sandbox, TOPOLOGY)->stat.mzxid;
    sandbox_pass(&sandbox, 5000);
    ck_assert_int_eq(sandbox_find(&sandbox, TOPOLOGY)->stat.mzxid, mzxid);
}
END_TEST

/* Somebody's sentence, over the facts of now. */
static void write_why(const char *why)
{
    static struct topology topology;
    topology = *written();
    snprintf(topology.why, sizeof topology.why, "%s", why);
    sandbox_put(&sandbox, TOPOLOGY, topology_encode(&topology));
    sandbox_pass(&sandbox, 3000);
}

START_TEST(the_sentence_follows_what_it_speaks_of)
{
    begin();
    write_why("m0 is primary; m1 refuses connections");
    /* it may be that of a program of another wording: only news make us say it our way */
    ck_assert_str_eq(written()->why, "m0 is primary; m1 refuses connections");
    world.reports[1].members[1].lag.bytes = 0;
    report(1);
    sandbox_pass(&sandbox, 3000);
    ck_assert_str_eq(written()->why, "m0 is primary on timeline 7, read by 3 of 3 witnesses");
}
END_TEST

START_TEST(how_many_read_the_primary_is_no_reason_to_write)
{
    begin();
    write_why("m0 is primary on timeline 7, read by 2 of 3 witnesses");
    int64_t mzxid = sandbox_find(&sandbox, TOPOLOGY)->stat.mzxid;
    report(1);
    sandbox_pass(&sandbox, 3000);
    ck_assert_int_eq(sandbox_find(&sandbox, TOPOLOGY)->stat.mzxid, mzxid);
}
END_TEST

START_TEST(a_deleted_topology_is_put_back)
{
    begin();
    ensemble_delete(sandbox.ensemble, TOPOLOGY);
    settle();
    ck_assert_ptr_nonnull(written());
    ck_assert_int_eq(written()->epoch, 1);
}
END_TEST

START_TEST(a_spoiled_topology_is_put_back_and_told)
{
    begin();
    sandbox_put(&sandbox, TOPOLOGY, strdup("no JSON"));
    settle();
    ck_assert_ptr_nonnull(written());
    ck_assert_ptr_nonnull(strstr(refused, TOPOLOGY));
}
END_TEST

/* How often it is written in five seconds, while somebody spoils each. */
static int writes_against(const char *spoiled)
{
    int count = 0;
    for (int i = 0; i < 500; i++) {
        if (written() && written()->epoch == 1) {
            count++;
            sandbox_put(&sandbox, TOPOLOGY, strdup(spoiled));
        }
        sandbox_pass(&sandbox, 10);
    }
    return count;
}

START_TEST(a_topology_that_is_spoiled_again_and_again_is_put_back_at_a_pace)
{
    begin();
    int count = writes_against("garbage");
    ck_assert_int_ge(count, 3);
    ck_assert_int_le(count, 7);
}
END_TEST

static char *with_epoch(const struct topology *topology, int64_t epoch)
{
    static struct topology forged;
    forged = *topology;
    forged.epoch = epoch;
    return topology_encode(&forged);
}

START_TEST(an_epoch_that_cannot_grow_is_refused_with_a_word_and_put_back)
{
    static struct topology ours;
    begin();
    ours = *written();
    sandbox_put(&sandbox, TOPOLOGY, with_epoch(&ours, INT64_C(1) << 53));
    sandbox_pass(&sandbox, 1500);
    ck_assert_int_eq(written()->epoch, 1);
    ck_assert_ptr_nonnull(strstr(refused, "its epoch is too great to be counted on from there"));
    sandbox_put(&sandbox, TOPOLOGY, with_epoch(&ours, 1000000)); /* by hand, too, and it can */
    sandbox_pass(&sandbox, 1500);
    ck_assert_int_eq(written()->epoch, 1000000);
}
END_TEST

START_TEST(a_topology_of_another_format_is_left_alone)
{
    begin();
    sandbox_put(&sandbox, TOPOLOGY, strdup("{ \"format\": 2 }"));
    sandbox_pass(&sandbox, 5000);
    ck_assert_ptr_null(written());
    ck_assert_ptr_nonnull(strstr(refused, TOPOLOGY));
}
END_TEST

START_TEST(a_topology_that_knows_less_than_we_is_put_back)
{
    begin();
    static struct topology first;
    first = *written();
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_primary(&world, ALL, 1, "8");
    report_all();
    settle();
    ck_assert_int_eq(written()->epoch, 2);
    ensemble_delete(sandbox.ensemble, TOPOLOGY);
    /* by a probe that was away since */
    sandbox_put(&sandbox, TOPOLOGY, topology_encode(&first));
    settle();
    ck_assert_int_eq(written()->epoch, 2);
    ck_assert_str_eq(written()->primary, "m1");
    ck_assert(topology_member(written(), "m0")->fenced);
}
END_TEST

START_TEST(an_unknown_outcome_is_settled_by_reading)
{
    for (int carried_out = 0; carried_out < 2; carried_out++) {
        teardown();
        setup();
        begin();
        store_mem_break_at(sandbox.store, TOPOLOGY, carried_out);
        world_fails(&world, ALL, 0, ANSWER_REFUSED);
        world_primary(&world, ALL, 1, "8");
        report_all();
        sandbox_pass(&sandbox, 2000);
        ck_assert(store_mem_is_up(sandbox.store));
        ck_assert_str_eq(written()->primary, "m1");
        ck_assert_int_eq(written()->epoch, 2);
    }
}
END_TEST

START_TEST(a_newer_program_alone_writes)
{
    begin();
    world.reports[2].rules = MODEL_RULES + 1;
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    world_primary(&world, ALL, 1, "8");
    report_all();
    sandbox_pass(&sandbox, 5000);
    ck_assert_str_eq(written()->primary, "m0");
}
END_TEST

START_TEST(changes_of_lag_are_written_together)
{
    begin();
    int32_t version = sandbox_find(&sandbox, TOPOLOGY)->stat.version;
    for (int64_t bytes = 65536; bytes < 65536 * 16; bytes *= 2) {
        for (size_t i = 0; i < 3; i++) {
            world.reports[i].members[1].lag.bytes = bytes;
        }
        report_all();
        settle();
    }
    sandbox_pass(&sandbox, 3000);
    ck_assert_int_le(sandbox_find(&sandbox, TOPOLOGY)->stat.version, version + 2);
    ck_assert_int_eq(topology_member(written(), "m1")->lag.bytes, 65536 * 8);
}
END_TEST

Suite *resolver_suite(void)
{
    Suite *suite = suite_create("resolver");
    TCase *tcase = tcase_create("resolver");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_first_verdict_waits_for_a_quorum);
    tcase_add_test(tcase, an_equal_verdict_is_not_written);
    tcase_add_test(tcase, no_topology_is_taken_from_a_registry_that_is_refused);
    tcase_add_test(tcase, a_topology_from_before_what_is_known_is_not_taken);
    tcase_add_test(tcase, a_promotion_is_written_at_once_and_raises_the_alarm);
    tcase_add_test(tcase, without_a_report_of_our_own_nothing_is_written);
    tcase_add_test(tcase, a_report_at_version_0_does_not_vote);
    tcase_add_test(tcase, the_report_of_a_ghost_does_not_vote);
    tcase_add_test(tcase, a_report_that_moved_makes_the_write_fail);
    tcase_add_test(tcase, a_report_made_anew_is_not_mistaken_for_its_former_self);
    tcase_add_test(tcase, a_word_of_the_operator_makes_the_write_fail);
    tcase_add_test(tcase, the_operators_znode_is_made_when_it_is_not_there);
    tcase_add_test(tcase, nothing_is_decided_before_the_directives_were_read_once);
    tcase_add_test(tcase, directives_that_cannot_be_read_any_more_stay_in_force);
    tcase_add_test(tcase,
                   a_new_version_of_the_directives_is_taken_at_once_though_it_changes_nothing);
    tcase_add_test(tcase, the_sentence_follows_what_it_speaks_of);
    tcase_add_test(tcase, how_many_read_the_primary_is_no_reason_to_write);
    tcase_add_test(tcase, a_deleted_topology_is_put_back);
    tcase_add_test(tcase, a_spoiled_topology_is_put_back_and_told);
    tcase_add_test(tcase, a_topology_that_is_spoiled_again_and_again_is_put_back_at_a_pace);
    tcase_add_test(tcase, an_epoch_that_cannot_grow_is_refused_with_a_word_and_put_back);
    tcase_add_test(tcase, a_topology_that_is_spoiled_again_and_again_is_put_back_at_a_pace);
    tcase_add_test(tcase, an_epoch_that_cannot_grow_is_refused_with_a_word_and_put_back);
    tcase_add_test(tcase, a_topology_of_another_format_is_left_alone);
    tcase_add_test(tcase, a_topology_that_knows_less_than_we_is_put_back);
    tcase_add_test(tcase, an_unknown_outcome_is_settled_by_reading);
    tcase_add_test(tcase, a_newer_program_alone_writes);
    tcase_add_test(tcase, changes_of_lag_are_written_together);
    suite_add_tcase(suite, tcase);
    return suite;
}
