/* Does a standby follow its source's history, or one of its own? */
#include "probes/assess/history.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct probe_settings settings = {
    .interval_ms = 1000, .alert_interval_ms = 25, .timeout_ms = 500, .rise = 1, .fall = 1};
static struct assessment assessment;
static struct topology topology;
static struct report report;
static int64_t now_ms;

static struct observation server(bool replica, const char *lineage, int64_t position)
{
    struct observation facts;
    observation_init(&facts);
    facts.answer = ANSWER_OK;
    strcpy(facts.identity, "7710429185476665205");
    strcpy(facts.self_id, replica ? "2" : "1");
    strcpy(facts.lineage, lineage);
    facts.start_ms = replica ? 2 : 1;
    facts.writable = !replica;
    facts.replica = facts.live = facts.applying = replica;
    facts.position = position;
    if (replica) {
        strcpy(facts.upstream_host, "m0");
        facts.upstream_port = 5432;
    }
    return facts;
}

static void look(size_t i, struct observation facts)
{
    now_ms += 10;
    assess_look(&assessment, i, &facts, NULL, now_ms, now_ms);
}

/* m0, the primary, answers twice: the second answer is later than what any other said before. */
static void source_at(int64_t position)
{
    look(0, server(false, "2", position));
    look(0, server(false, "2", position));
}

static bool is_live(void)
{
    assess_report(&assessment, now_ms, "", &report);
    ck_assert((report.members[1].lag.state == LAG_OK) == report.members[1].live);
    return report.members[1].live;
}

/* m1 is fenced, or not; its last claim had this number. */
static void begin(bool fenced, const char *claimed)
{
    static struct cluster_settings cluster;
    memset(&cluster, 0, sizeof cluster);
    memset(&topology, 0, sizeof topology);
    strcpy(cluster.name, "orders");
    cluster.policy = topology.policy =
        (struct policy){ENGINE_POSTGRESQL, KIND_STREAMING, CONFLICT_HOLD, WRITERS_SINGLE, 3};
    cluster.member_count = topology.member_count = 3;
    for (size_t i = 0; i < 3; i++) {
        struct member_config *config = &cluster.members[i];
        snprintf(config->name, sizeof config->name, "m%zu", i);
        strcpy(config->host, config->name);
        config->port = 5432;
        topology.members[i].config = *config;
    }
    strcpy(topology.primary, "m0");
    strcpy(topology.lineage, "2");
    topology.members[1].fenced = fenced;
    strcpy(topology.members[1].record.lineage, claimed);
    now_ms = 1000000;
    assess_init(&assessment, "probe-a", &cluster, &settings);
    assess_verdict(&assessment, &topology);
    source_at(5000);
}

START_TEST(a_standby_is_believed_at_once)
{
    begin(false, "1");
    look(1, server(true, "2", 5000));
    ck_assert(is_live());
}
END_TEST

START_TEST(one_that_has_replayed_more_than_its_source_has_written_follows_nobody)
{
    begin(false, "1");
    look(1, server(true, "2", 6000));
    look(0, server(false, "2", 5000)); /* this answer may be older than the standby's */
    ck_assert(is_live());
    look(0, server(false, "2", 5500));
    ck_assert(!is_live());
    ck_assert_int_eq(report.members[1].channel, CHANNEL_CONNECTING);
    look(1, server(true, "2", 6000));
    source_at(6000);
    ck_assert(is_live());
}
END_TEST

START_TEST(one_that_is_fenced_is_believed_once_its_source_was_asked)
{
    begin(true, "1");
    look(1, server(true, "2", 5000));
    ck_assert(!is_live());
    source_at(5000);
    ck_assert(is_live());
    look(1, server(true, "2", 5000)); /* it goes on */
    ck_assert(is_live());
    struct observation restarted = server(true, "2", 5000);
    strcpy(restarted.self_id, "3");
    look(1, restarted);
    ck_assert(!is_live());
}
END_TEST

START_TEST(whose_own_claim_had_the_number_has_to_replay_more)
{
    for (int fenced = 0; fenced <= 1; fenced++) {
        begin(fenced, "2");
        look(1, server(true, "2", 5000));
        source_at(7000);
        look(1, server(true, "2", 5000)); /* what it receives does not fit at its end */
        source_at(8000);
        ck_assert(!is_live());
        look(1, server(true, "2", 8000));
        source_at(8000);
        ck_assert(is_live());
    }
}
END_TEST

START_TEST(the_verdicts_word_is_taken_anew_each_time)
{
    begin(false, "2");
    look(1, server(true, "2", 5000));
    source_at(5000);
    ck_assert(!is_live());
    topology.members[1].record.lineage[0] = '\0';
    assess_verdict(&assessment, &topology);
    ck_assert(is_live());
}
END_TEST

START_TEST(below_one_that_follows_another_history_lag_is_broken)
{
    begin(false, "1");
    look(1, server(true, "2", 6000));
    source_at(5000);
    ck_assert(!is_live());
    struct observation below = server(true, "2", 4000);
    strcpy(below.self_id, "4");
    strcpy(below.upstream_host, "m1");
    look(2, below);
    assess_report(&assessment, now_ms, "", &report);
    ck_assert_int_eq(report.members[2].lag.state, LAG_BROKEN);
}
END_TEST

Suite *history_suite(void)
{
    Suite *suite = suite_create("history");
    TCase *tests = tcase_create("history");
    tcase_add_test(tests, a_standby_is_believed_at_once);
    tcase_add_test(tests, one_that_has_replayed_more_than_its_source_has_written_follows_nobody);
    tcase_add_test(tests, one_that_is_fenced_is_believed_once_its_source_was_asked);
    tcase_add_test(tests, whose_own_claim_had_the_number_has_to_replay_more);
    tcase_add_test(tests, below_one_that_follows_another_history_lag_is_broken);
    tcase_add_test(tests, the_verdicts_word_is_taken_anew_each_time);
    suite_add_tcase(suite, tests);
    return suite;
}
