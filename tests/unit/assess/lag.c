/* Bands of lag, and what feeds a replica. */
#include "probes/assess/lag.h"

#include <stdio.h>
#include <string.h>

#include "probes/assess/assess.h"
#include "tests/unit/unit.h"

static struct band band;

static void add(int64_t value, int times)
{
    for (int i = 0; i < times; i++) {
        band_add(&band, value, LAG_MS_FLOOR);
    }
}

START_TEST(the_first_sample_sets_the_band)
{
    band = (struct band){0};
    add(-1, 1);
    ck_assert(!band.known);
    add(0, 1);
    ck_assert(band.known);
    ck_assert_int_eq(band.top, 0);
    band = (struct band){0};
    add(1, 1);
    ck_assert_int_eq(band.top, LAG_MS_FLOOR);
}
END_TEST

START_TEST(a_band_widens_and_narrows_after_samples_in_a_row)
{
    band = (struct band){0};
    add(100, 1);
    add(1000, LAG_RISES - 1);
    add(100, 1); /* a spike */
    add(1000, LAG_RISES - 1);
    ck_assert_int_eq(band.top, 128);
    add(1000, 1);
    ck_assert_int_eq(band.top, 1024);
    add(0, LAG_FALLS - 1);
    ck_assert_int_eq(band.top, 1024);
    add(0, 1);
    ck_assert_int_eq(band.top, 0);
}
END_TEST

START_TEST(a_band_has_an_end_however_far)
{
    band = (struct band){0};
    add(INT64_MAX, 1);
    ck_assert_int_gt(band.top, INT64_MAX / 4);
}
END_TEST

/* ---- feeds ----------------------------------------------------------------------------------- */

static struct assessment assessment;

/* m0 is the primary; each further one replicates from the one before it, and all is well. */
static void chain(enum kind kind, size_t count)
{
    memset(&assessment, 0, sizeof assessment);
    assessment.policy = (struct policy){.engine = ENGINE_MYSQL, .kind = kind};
    assessment.fresh_ms = 1000;
    assessment.member_count = count;
    for (size_t i = 0; i < count; i++) {
        struct assessed *member = &assessment.members[i];
        observation_init(&member->facts);
        member->config.port = 3306;
        member->config.host[0] = (char)('a' + i);
        member->answered = member->looked = true;
        member->last = member->standing = member->facts.answer = ANSWER_OK;
        member->facts.writable = i == 0;
        member->facts.replica = member->facts.live = member->facts.applying = i > 0;
        member->facts.upstream_host[0] = i > 0 ? (char)('a' + i - 1) : '\0';
        member->facts.upstream_port = 3306;
    }
}

static enum feed feed(size_t i)
{
    return lag_feed(&assessment, &assessment.members[i], 5000);
}

START_TEST(a_chain_flows)
{
    chain(KIND_ASYNC, 3);
    ck_assert_int_eq(feed(0), FEED_FLOWS);
    ck_assert_int_eq(feed(2), FEED_FLOWS);
}
END_TEST

START_TEST(behind_a_silent_member_nothing_is_known)
{
    chain(KIND_ASYNC, 3);
    assessment.members[0].last = ANSWER_STALLED;
    ck_assert_int_eq(feed(2), FEED_SILENT);
    assessment.members[0].responded_ms = 4500;
    ck_assert_int_eq(feed(2), FEED_FLOWS);
}
END_TEST

START_TEST(one_that_is_cut_off_cuts_off_those_behind_it)
{
    chain(KIND_ASYNC, 3);
    assessment.members[1].facts.live = false;
    ck_assert_int_eq(feed(2), FEED_CUT);
    assessment.members[1].facts.archived = true;
    ck_assert_int_eq(feed(2), FEED_FLOWS);
}
END_TEST

START_TEST(a_paused_standby_passes_on_only_where_its_kind_does)
{
    chain(KIND_ASYNC, 3);
    assessment.members[1].facts.applying = false;
    ck_assert_int_eq(feed(2), FEED_CUT);
    chain(KIND_STREAMING, 3);
    assessment.members[1].facts.applying = false;
    ck_assert_int_eq(feed(2), FEED_FLOWS);
}
END_TEST

START_TEST(a_circle_ends)
{
    chain(KIND_ASYNC, 3);
    struct observation *first = &assessment.members[0].facts;
    first->writable = false;
    first->replica = first->live = first->applying = true;
    first->upstream_host[0] = 'c';
    ck_assert_int_eq(feed(1), FEED_FLOWS);
}
END_TEST

/* ---- where a chain ends ---------------------------------------------------------------------- */

/* m0 to m2 in a chain, and m3, which takes writes as well; both were looked at just now. */
static void chain_beside_another(void)
{
    chain(KIND_ASYNC, 4);
    struct assessed *other = &assessment.members[3];
    other->facts.writable = true;
    other->facts.replica = other->facts.live = other->facts.applying = false;
    other->facts.upstream_host[0] = '\0';
    assessment.members[0].answered_ms = other->answered_ms = 4900;
    for (size_t i = 0; i < 4; i++) {
        snprintf(assessment.members[i].config.name, NAME_SIZE, "m%zu", i);
    }
}

START_TEST(a_chain_that_ends_at_another_than_the_primary_is_foreign)
{
    chain_beside_another();
    assessment.members[0].was_primary = true;
    ck_assert_int_eq(feed(1), FEED_FLOWS);
    ck_assert_int_eq(feed(2), FEED_FLOWS);
    chain_beside_another();
    assessment.members[3].was_primary = true;
    ck_assert_int_eq(feed(1), FEED_FOREIGN);
    ck_assert_int_eq(feed(2), FEED_FOREIGN);
}
END_TEST

START_TEST(one_that_the_verdict_bars_feeds_nobody_though_it_is_silent)
{
    chain_beside_another();
    assessment.members[0].barred = true; /* fenced */
    assessment.members[0].last = ANSWER_STALLED;
    ck_assert_int_eq(feed(1), FEED_FOREIGN);
    ck_assert_int_eq(feed(2), FEED_FOREIGN);
    assessment.members[0].barred = false;
    assessment.members[1].barred = true; /* a rival in the middle */
    ck_assert_int_eq(feed(2), FEED_FOREIGN);
}
END_TEST

/* Between two primaries: who follows the last one is up to date. */
START_TEST(while_nobody_is_the_source_the_last_primary_feeds)
{
    chain_beside_another();
    assessment.members[0].facts.writable = assessment.members[3].facts.writable = false;
    strcpy(assessment.incumbent, "m0");
    ck_assert_int_eq(feed(1), FEED_FLOWS);
    strcpy(assessment.incumbent, "m3");
    ck_assert_int_eq(feed(1), FEED_FOREIGN);
    assessment.incumbent[0] = '\0'; /* there is no verdict yet */
    ck_assert_int_eq(feed(1), FEED_FLOWS);
}
END_TEST

START_TEST(a_drained_middle_feeds_who_is_below_it)
{
    chain_beside_another();
    static struct topology topology;
    memset(&topology, 0, sizeof topology);
    strcpy(topology.primary, "m0");
    topology.member_count = 2;
    strcpy(topology.members[0].config.name, "m0");
    strcpy(topology.members[1].config.name, "m1");
    topology.members[1].drained = true;
    assess_verdict(&assessment, &topology);
    ck_assert_int_eq(feed(2), FEED_FLOWS);
    topology.members[1].drained = false;
    topology.members[1].fenced = true;
    assess_verdict(&assessment, &topology);
    ck_assert_int_eq(feed(2), FEED_FOREIGN);
}
END_TEST

/* ---- the account, and what positions say ----------------------------------------------------- */

static void source_is_at(int64_t number, int64_t ms)
{
    struct assessed *source = &assessment.members[0];
    source->answered_ms = ms;
    source->facts.written = position_at(number);
    lag_mark(&assessment, source, ms);
}

static struct lag replica_is_at(int64_t number, int64_t account_ms, int64_t ms)
{
    struct assessed *replica = &assessment.members[1];
    replica->answered_ms = ms;
    replica->facts.applied = position_at(number);
    replica->facts.lag_ms = account_ms;
    lag_measure(&assessment, replica, ms);
    return lag_reported(&assessment, replica, ms);
}

static void begin_pair(enum kind kind)
{
    chain(kind, 2);
    assessment.interval_ms = 1000;
    assessment.overdue_ms = 6000;
    strcpy(assessment.members[0].config.name, "m0");
    strcpy(assessment.members[1].config.name, "m1");
}

/* The source is at 7 at second 1, at 8 at second 5 and from then on, and was looked at last at
 * second 9. The replica, looked at then: */
static const struct {
    int64_t applied, account_ms, ms;
} accounts[] = {
    {7, 0, 4096},       /* its link is dead, and it reports 0: since second 5 at least */
    {7, 5000, 8192},    /* between the two bounds its account stands */
    {7, 3600000, 8192}, /* an hour, and yet it had all at second 1 */
    {8, 3600000, 0},    /* an hour, and it has all */
    {8, 0, 0},
    {7, -1, 8192},          /* without an account: what is beyond doubt */
    {-1, 3600000, 4194304}, /* where positions do not compare its account is all there is */
    {-1, 0, 0},
};

START_TEST(an_account_is_taken_as_far_as_positions_allow)
{
    begin_pair(KIND_ASYNC);
    source_is_at(7, 1000);
    for (int64_t ms = 5000; ms <= 9000; ms += 1000) {
        source_is_at(8, ms);
    }
    struct lag lag = replica_is_at(accounts[_i].applied, accounts[_i].account_ms, 9000);
    ck_assert_int_eq(lag.ms, accounts[_i].ms);
}
END_TEST

START_TEST(what_positions_prove_widens_a_band_at_once)
{
    begin_pair(KIND_ASYNC);
    source_is_at(7, 1000);
    ck_assert_int_eq(replica_is_at(7, 0, 1010).ms, 0);
    source_is_at(8, 2000);
    ck_assert_int_eq(replica_is_at(7, 0, 2010).ms, 0); /* a moment: a spike */
    source_is_at(8, 3000);
    ck_assert_int_eq(replica_is_at(7, 0, 3010).ms, 1024);
    source_is_at(8, 4000);
    ck_assert_int_eq(replica_is_at(7, 0, 4010).ms, 2048);
}
END_TEST

START_TEST(less_than_an_interval_widens_a_band_after_some_looks)
{
    begin_pair(KIND_ASYNC);
    source_is_at(7, 1000);
    source_is_at(8, 2000);
    ck_assert_int_eq(replica_is_at(8, 0, 2010).ms, 0);
    source_is_at(9, 2100);
    ck_assert_int_eq(replica_is_at(8, 0, 2400).ms, 0);
    ck_assert_int_eq(replica_is_at(8, 0, 2500).ms, 0);
    ck_assert_int_eq(replica_is_at(8, 0, 2600).ms, 512);
}
END_TEST

START_TEST(the_time_that_looks_take_is_no_time_in_which_a_replica_had_all)
{
    begin_pair(KIND_ASYNC);
    assessment.members[0].facts.took_ms = 400;
    source_is_at(7, 1000);
    ck_assert_int_eq(replica_is_at(7, -1, 2000).ms, 2048);
    begin_pair(KIND_ASYNC);
    source_is_at(7, 1000);
    ck_assert_int_eq(replica_is_at(7, -1, 2000).ms, 1024);
}
END_TEST

START_TEST(positions_on_another_timeline_are_not_compared)
{
    begin_pair(KIND_STREAMING);
    strcpy(assessment.members[0].facts.lineage, "8");
    strcpy(assessment.members[1].facts.lineage, "8");
    source_is_at(7, 1000);
    source_is_at(8, 2000);
    ck_assert_int_eq(replica_is_at(7, 0, 9000).ms, 0); /* the source was not looked at since */
    source_is_at(8, 9000);
    ck_assert_int_eq(replica_is_at(7, 0, 9000).ms, 8192);
    begin_pair(KIND_STREAMING);
    strcpy(assessment.members[0].facts.lineage, "8");
    strcpy(assessment.members[1].facts.lineage, "9");
    source_is_at(7, 1000);
    source_is_at(8, 9000);
    ck_assert_int_eq(replica_is_at(7, 3600000, 9000).ms, 4194304);
}
END_TEST

START_TEST(another_source_begins_another_trail)
{
    begin_pair(KIND_ASYNC);
    source_is_at(900, 1000);
    ck_assert_int_eq(assessment.trail.count, 1);
    strcpy(assessment.members[0].config.name, "other");
    source_is_at(1000, 2000);
    ck_assert_int_eq(assessment.trail.count, 1);
}
END_TEST

/* The probe began when the link was dead already, and nothing is written any more. */
START_TEST(what_a_replica_lacks_at_the_first_look_counts)
{
    begin_pair(KIND_ASYNC);
    struct assessed *source = &assessment.members[0], *replica = &assessment.members[1];
    for (int64_t ms = 1000; ms <= 4000; ms += 1000) {
        source->answered_ms = replica->answered_ms = ms;
        position_read("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-9", &source->facts.written);
        position_read("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-8", &replica->facts.applied);
        replica->facts.applied.exact = true;
        replica->facts.lag_ms = 0;
        lag_mark(&assessment, source, ms);
        lag_measure(&assessment, replica, ms);
    }
    ck_assert_int_eq(lag_reported(&assessment, replica, 4000).ms, 4096);
}
END_TEST

START_TEST(another_server_by_the_name_of_the_source_begins_another_trail)
{
    static struct cluster_settings cluster;
    static const struct probe_settings settings = {.interval_ms = 1000, .timeout_ms = 500};
    begin_pair(KIND_ASYNC);
    source_is_at(7, 1000);
    memset(&cluster, 0, sizeof cluster);
    cluster.policy = assessment.policy;
    cluster.member_count = 2;
    cluster.members[0] = assessment.members[0].config;
    cluster.members[1] = assessment.members[1].config;
    assess_reload(&assessment, &cluster, &settings);
    ck_assert_str_eq(assessment.source, "m0");
    cluster.members[0].port++;
    assess_reload(&assessment, &cluster, &settings);
    ck_assert_str_eq(assessment.source, "");
}
END_TEST

START_TEST(what_was_known_of_a_lag_gets_too_old)
{
    begin_pair(KIND_ASYNC);
    source_is_at(7, 1000);
    replica_is_at(7, 0, 1000);
    assessment.members[1].last = assessment.members[1].standing = ANSWER_AUTH;
    static struct report report;
    assess_report(&assessment, 7000, "", &report);
    ck_assert_int_eq(report.members[1].lag.state, LAG_OK);
    ck_assert_int_eq(report.members[1].lag.ms, 0);
    assess_report(&assessment, 7001, "", &report);
    ck_assert(lag_equal(&report.members[1].lag, &LAG_NOT_KNOWN));
}
END_TEST

START_TEST(one_that_is_set_to_apply_later_says_so)
{
    for (int broken = 0; broken < 2; broken++) {
        begin_pair(broken ? KIND_STREAMING : KIND_ASYNC);
        assessment.members[1].facts.delay_ms = 3600000;
        assessment.members[1].facts.live = !broken;
        source_is_at(7, 1000);
        ck_assert_int_eq(replica_is_at(7, 0, 1000).delay_ms, 3600000);
        assessment.members[1].facts.delay_ms = 0;
        ck_assert_int_eq(replica_is_at(7, 0, 2000).delay_ms, 0);
    }
}
END_TEST

Suite *lag_suite(void)
{
    Suite *suite = suite_create("lag");
    TCase *tests = tcase_create("lag");
    tcase_add_test(tests, the_first_sample_sets_the_band);
    tcase_add_test(tests, a_band_widens_and_narrows_after_samples_in_a_row);
    tcase_add_test(tests, a_band_has_an_end_however_far);
    tcase_add_test(tests, a_chain_flows);
    tcase_add_test(tests, behind_a_silent_member_nothing_is_known);
    tcase_add_test(tests, one_that_is_cut_off_cuts_off_those_behind_it);
    tcase_add_test(tests, a_paused_standby_passes_on_only_where_its_kind_does);
    tcase_add_test(tests, a_circle_ends);
    tcase_add_test(tests, a_chain_that_ends_at_another_than_the_primary_is_foreign);
    tcase_add_test(tests, one_that_the_verdict_bars_feeds_nobody_though_it_is_silent);
    tcase_add_test(tests, while_nobody_is_the_source_the_last_primary_feeds);
    tcase_add_test(tests, a_drained_middle_feeds_who_is_below_it);
    tcase_add_loop_test(tests, an_account_is_taken_as_far_as_positions_allow, 0,
                        sizeof accounts / sizeof *accounts);
    tcase_add_test(tests, what_positions_prove_widens_a_band_at_once);
    tcase_add_test(tests, less_than_an_interval_widens_a_band_after_some_looks);
    tcase_add_test(tests, the_time_that_looks_take_is_no_time_in_which_a_replica_had_all);
    tcase_add_test(tests, positions_on_another_timeline_are_not_compared);
    tcase_add_test(tests, another_source_begins_another_trail);
    tcase_add_test(tests, what_a_replica_lacks_at_the_first_look_counts);
    tcase_add_test(tests, another_server_by_the_name_of_the_source_begins_another_trail);
    tcase_add_test(tests, what_was_known_of_a_lag_gets_too_old);
    tcase_add_test(tests, one_that_is_set_to_apply_later_says_so);
    suite_add_tcase(suite, tests);
    return suite;
}
