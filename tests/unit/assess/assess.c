#include "probes/assess/assess.h"

#include <string.h>

#include "probes/kinds/kind.h"
#include "tests/unit/unit.h"

enum { FALL = 3, RISE = 2, INTERVAL = 1000, TIMEOUT = 500, OVERDUE = 3 * (INTERVAL + 2 * TIMEOUT) };

static const struct probe_settings settings = {.interval_ms = INTERVAL,
                                               .alert_interval_ms = 25,
                                               .timeout_ms = TIMEOUT,
                                               .rise = RISE,
                                               .fall = FALL};
static struct cluster_settings cluster;
static struct assessment assessment;
static struct report report;
static int64_t now_ms;

static void begin(enum kind kind, size_t members)
{
    static const char *const names[] = {"m0", "m1", "m2"};
    memset(&cluster, 0, sizeof cluster);
    strcpy(cluster.name, "orders");
    cluster.policy = (struct policy){kind == KIND_STREAMING ? ENGINE_POSTGRESQL : ENGINE_MYSQL,
                                     kind, CONFLICT_HOLD, WRITERS_SINGLE, 3};
    cluster.member_count = members;
    for (size_t i = 0; i < members; i++) {
        strcpy(cluster.members[i].name, names[i]);
        strcpy(cluster.members[i].host, names[i]);
        cluster.members[i].port = 5432;
        cluster.members[i].weight = 100;
    }
    assess_init(&assessment, "probe-a", &cluster, &settings);
    now_ms = 100000;
}

static struct observation fails(enum answer answer)
{
    return (struct observation){
        .answer = answer, .detail = "no such luck", .position = -1, .received = -1, .lag_ms = -1};
}

static struct observation primary(const char *lineage, int64_t position)
{
    struct observation facts = {.answer = ANSWER_OK,
                                .version = "15.20",
                                .writable = true,
                                .position = position,
                                .received = -1,
                                .lag_ms = -1};
    strcpy(facts.lineage, lineage);
    strcpy(facts.identity, lineage[0] ? "77" : "");
    return facts;
}

static struct observation standby(const char *lineage, const char *upstream, int64_t position)
{
    struct observation facts = primary(lineage, position);
    facts.writable = false;
    facts.replica = facts.live = facts.applying = true;
    strcpy(facts.upstream_host, upstream);
    facts.upstream_port = 5432;
    facts.lag_ms = 0;
    return facts;
}

static int look(size_t i, struct observation observation)
{
    now_ms += 25;
    return assess_look(&assessment, i, &observation, NULL, now_ms, now_ms);
}

static const struct member_report *member_report(size_t i)
{
    assess_report(&assessment, now_ms, "", &report);
    return &report.members[i];
}

START_TEST(a_report_abstains_until_every_member_was_looked_at)
{
    begin(KIND_STREAMING, 2);
    look(0, primary("7", 1000));
    member_report(0);
    ck_assert_str_eq(report.abstains, "starting");
    look(1, fails(ANSWER_REFUSED));
    member_report(0);
    ck_assert_str_eq(report.abstains, "");
    assess_report(&assessment, now_ms, "blind", &report);
    ck_assert_str_eq(report.abstains, "blind");
}
END_TEST

START_TEST(an_unreachable_member_stops_being_a_reason_to_abstain_after_fall_looks)
{
    begin(KIND_STREAMING, 2);
    look(0, primary("7", 1000));
    for (int i = 0; i < FALL; i++) {
        member_report(0);
        ck_assert_str_eq(report.abstains, "starting");
        look(1, fails(ANSWER_TIMEOUT));
    }
    ck_assert_int_eq(member_report(1)->answer, ANSWER_TIMEOUT);
    ck_assert_str_eq(report.abstains, "");
}
END_TEST

START_TEST(a_report_tells_what_the_server_said)
{
    begin(KIND_STREAMING, 2);
    look(0, primary("7", 1000));
    look(1, standby("7", "m0", 1000));
    const struct member_report *first = member_report(0);
    const struct member_report *second = &report.members[1];
    ck_assert_str_eq(report.cluster, "orders");
    ck_assert_str_eq(report.probe, "probe-a");
    ck_assert_int_eq(report.rules, MODEL_RULES);
    ck_assert(first->claim && first->writable && !first->replica);
    ck_assert_str_eq(first->lineage, "7");
    ck_assert_str_eq(first->identity, "77");
    ck_assert_uint_eq(first->replicas, UINT32_C(1) << 1);
    ck_assert(!second->claim && second->replica && second->live);
    ck_assert_str_eq(second->upstream, "m0");
    ck_assert_int_eq(second->lag.state, LAG_OK);
    ck_assert_int_eq(second->lag.bytes, 0);
}
END_TEST

START_TEST(a_definite_failure_counts_at_once)
{
    begin(KIND_STREAMING, 1);
    look(0, primary("7", 1000));
    ck_assert_int_eq(look(0, fails(ANSWER_REFUSED)), ASSESS_CHANGED | ASSESS_ALARM);
    ck_assert_int_eq(member_report(0)->answer, ANSWER_REFUSED);
    ck_assert(!report.members[0].claim);
    ck_assert_int_eq(report.members[0].last_role, ROLE_PRIMARY);
    ck_assert_str_eq(report.members[0].last_lineage, "7");
    ck_assert_int_eq(look(0, fails(ANSWER_REFUSED)), ASSESS_SAME);
}
END_TEST

START_TEST(an_ambiguous_failure_counts_after_fall_in_a_row)
{
    begin(KIND_STREAMING, 1);
    look(0, primary("7", 1000));
    ck_assert_int_eq(look(0, fails(ANSWER_TIMEOUT)), ASSESS_ALARM);
    ck_assert_int_eq(look(0, fails(ANSWER_STALLED)), ASSESS_SAME);
    ck_assert_int_eq(member_report(0)->answer, ANSWER_OK); /* a probe's error keeps what was */
    ck_assert_int_eq(look(0, fails(ANSWER_TIMEOUT)), ASSESS_CHANGED | ASSESS_ALARM);
    ck_assert_int_eq(member_report(0)->answer, ANSWER_TIMEOUT);
}
END_TEST

START_TEST(an_answer_in_between_starts_the_count_anew)
{
    begin(KIND_STREAMING, 1);
    look(0, primary("7", 1000));
    for (int i = 0; i < 5; i++) {
        look(0, fails(ANSWER_TIMEOUT));
        look(0, fails(ANSWER_TIMEOUT));
        ck_assert_int_eq(look(0, primary("7", 1000)),
                         ASSESS_ALARM); /* a recovery is worth a closer look */
    }
    ck_assert_int_eq(member_report(0)->answer, ANSWER_OK);
    ck_assert_int_eq(look(0, primary("7", 1000)), ASSESS_SAME);
}
END_TEST

START_TEST(a_member_that_was_down_is_up_after_rise_answers)
{
    begin(KIND_STREAMING, 1);
    look(0, fails(ANSWER_REFUSED));
    look(0, standby("7", "m0", 1000));
    ck_assert_int_eq(member_report(0)->answer, ANSWER_REFUSED);
    look(0, fails(ANSWER_REFUSED));
    look(0, standby("7", "m0", 1000));
    ck_assert_int_eq(member_report(0)->answer, ANSWER_REFUSED);
    look(0, standby("7", "m0", 1000));
    ck_assert_int_eq(member_report(0)->answer, ANSWER_OK);
}
END_TEST

START_TEST(a_claim_is_taken_at_its_first_answer)
{
    begin(KIND_STREAMING, 1);
    look(0, fails(ANSWER_REFUSED));
    look(0, primary("7", 1000));
    ck_assert_int_eq(member_report(0)->answer, ANSWER_OK);
    ck_assert(member_report(0)->claim);
}
END_TEST

START_TEST(a_member_that_was_alive_all_along_is_up_at_its_first_answer)
{
    begin(KIND_STREAMING, 1);
    look(0, fails(ANSWER_SATURATED));
    look(0, primary("7", 1000));
    ck_assert_int_eq(member_report(0)->answer, ANSWER_OK);
}
END_TEST

START_TEST(a_changed_answer_raises_the_alarm_and_counts_at_once)
{
    begin(KIND_STREAMING, 2);
    look(0, primary("7", 1000));
    look(1, standby("7", "m0", 1000));
    ck_assert_int_eq(look(1, standby("7", "m0", 2000)),
                     ASSESS_SAME); /* it moves on, which is no change */
    ck_assert_int_eq(look(1, primary("8", 2000)), ASSESS_CHANGED | ASSESS_ALARM);
    ck_assert(member_report(1)->claim);
    ck_assert_str_eq(report.members[1].lineage, "8");
    ck_assert_int_eq(report.seen_wall_ms, now_ms);
}
END_TEST

START_TEST(a_look_that_is_overdue_makes_a_member_unknown_but_not_one_that_refuses_our_account)
{
    begin(KIND_STREAMING, 2);
    look(0, primary("7", 1000));
    look(1, fails(ANSWER_AUTH));
    assess_next(&assessment, 1, now_ms + OVERDUE); /* its log-in waits */
    assess_report(&assessment, now_ms + OVERDUE - 25, "", &report);
    ck_assert_int_eq(report.members[0].answer, ANSWER_OK);
    assess_report(&assessment, now_ms + OVERDUE + 1, "", &report);
    ck_assert_int_eq(report.members[0].answer, ANSWER_UNKNOWN);
    ck_assert(!report.members[0].claim);
    ck_assert_int_eq(report.members[0].last_role, ROLE_PRIMARY);
    ck_assert_int_eq(report.members[1].answer, ANSWER_AUTH);
}
END_TEST

START_TEST(an_upstream_is_known_by_address_or_by_its_own_identity)
{
    begin(KIND_STREAMING, 3);
    struct observation first = primary("7", 1000);
    now_ms += 25;
    assess_look(&assessment, 0, &first, "10.0.0.1", now_ms, now_ms);
    look(1, standby("7", "10.0.0.1", 1000)); /* the literal that m0 was reached at */
    look(2, standby("7", "elsewhere", 1000));
    ck_assert_str_eq(member_report(1)->upstream, "m0");
    ck_assert_str_eq(report.members[2].upstream, "");
    ck_assert_uint_eq(report.members[0].replicas, UINT32_C(1) << 1);

    struct observation named = primary("7", 1000);
    strcpy(named.self_id, "id-0");
    look(0, named);
    struct observation behind_nat = standby("7", "elsewhere", 1000);
    strcpy(behind_nat.upstream_id, "id-0");
    look(2, behind_nat);
    ck_assert_str_eq(member_report(2)->upstream, "m0");
}
END_TEST

START_TEST(a_spike_of_lag_is_not_told_and_a_lasting_one_is_told_by_its_band)
{
    begin(KIND_STREAMING, 2);
    look(0, primary("7", 10000000));
    look(1, standby("7", "m0", 10000000));
    ck_assert_int_eq(member_report(1)->lag.bytes, 0);
    for (int i = 1; i < LAG_RISES; i++) {
        look(1, standby("7", "m0", 10000000 - 100000));
        ck_assert_int_eq(member_report(1)->lag.bytes, 0);
    }
    look(1, standby("7", "m0", 10000000 - 100000));
    ck_assert_int_eq(member_report(1)->lag.bytes, 2 * LAG_BYTES_FLOOR);
    for (int i = 1; i < LAG_FALLS; i++) {
        look(1, standby("7", "m0", 10000000));
        ck_assert_int_eq(member_report(1)->lag.bytes, 2 * LAG_BYTES_FLOOR);
    }
    look(1, standby("7", "m0", 10000000));
    ck_assert_int_eq(member_report(1)->lag.bytes, 0);
}
END_TEST

START_TEST(a_stream_that_broke_or_a_replay_that_is_paused_is_broken_lag)
{
    begin(KIND_STREAMING, 2);
    look(0, primary("7", 1000));
    struct observation cut = standby("7", "m0", 1000);
    cut.live = false;
    look(1, cut);
    ck_assert_int_eq(member_report(1)->lag.state, LAG_BROKEN);
    ck_assert_uint_eq(report.members[0].replicas, 0);
    struct observation paused = standby("7", "m0", 1000);
    paused.applying = false;
    look(1, paused);
    ck_assert_int_eq(member_report(1)->lag.state, LAG_BROKEN);
}
END_TEST

START_TEST(a_standby_below_one_that_is_cut_off_is_cut_off_too)
{
    begin(KIND_STREAMING, 3);
    look(0, primary("7", 1000));
    look(1, standby("7", "m0", 1000));
    look(2, standby("7", "m1", 1000));
    ck_assert_int_eq(member_report(2)->lag.state, LAG_OK);
    struct observation middle = standby("7", "m0", 1000);
    middle.applying = false; /* what it does not apply it still passes on */
    look(1, middle);
    look(2, standby("7", "m1", 1000));
    ck_assert_int_eq(member_report(2)->lag.state, LAG_OK);
    middle.live = false;
    look(1, middle);
    look(2, standby("7", "m1", 1000));
    ck_assert_int_eq(member_report(2)->lag.state, LAG_BROKEN);
    middle = primary("8", 1000);
    look(1, middle);
    look(2, standby("8", "m1", 1000));
    ck_assert_int_eq(member_report(2)->lag.state, LAG_OK);
}
END_TEST

START_TEST(a_stream_of_a_history_that_the_primary_has_left_is_broken)
{
    begin(KIND_STREAMING, 3);
    look(0, primary("7", 1000));
    look(1, primary("8", 2000));
    look(2, standby("7", "m0", 1000));
    ck_assert_int_eq(member_report(2)->lag.state, LAG_BROKEN);
    look(2, standby("8", "m1", 2000));
    ck_assert_int_eq(member_report(2)->lag.state, LAG_OK);
}
END_TEST

START_TEST(a_standby_that_an_archive_feeds_is_as_far_behind_as_its_position_says)
{
    begin(KIND_STREAMING, 2);
    look(0, primary("7", 200000));
    struct observation fed = standby("7", "", 100000);
    fed.live = false;
    fed.archived = true;
    fed.lag_ms = 100;
    look(1, fed);
    ck_assert_int_eq(member_report(1)->lag.state, LAG_OK);
    ck_assert_int_eq(member_report(1)->lag.bytes, 2 * LAG_BYTES_FLOOR);
}
END_TEST

START_TEST(a_commit_waits_for_standbys_that_stream_by_a_name_of_the_list)
{
    struct observation writer = primary("7", 1000);
    struct observation second = standby("7", "m0", 1000);
    strcpy(writer.awaited, "pg-2\nsome name\n");
    ck_assert(!kind_awaits(&writer, &second)); /* it has none */
    strcpy(second.stream_name, "pg-2");
    ck_assert(kind_awaits(&writer, &second));
    strcpy(second.stream_name, "pg");
    ck_assert(!kind_awaits(&writer, &second));
    strcpy(second.stream_name, "some name");
    ck_assert(kind_awaits(&writer, &second));
    second.live = false;
    ck_assert(!kind_awaits(&writer, &second));
}
END_TEST

START_TEST(from_a_source_that_does_not_answer_no_news_is_not_good_news)
{
    begin(KIND_STREAMING, 3);
    look(0, primary("7", 1000));
    look(1, standby("7", "m0", 1000));
    look(2, standby("7", "m1", 1000));
    look(0, fails(ANSWER_STALLED));
    now_ms += INTERVAL + TIMEOUT;
    look(1, standby("7", "m0", 1000));
    look(2, standby("7", "m1", 1000));
    for (size_t i = 1; i < 3; i++) {
        ck_assert_int_eq(member_report(i)->lag.state, LAG_UNKNOWN);
        ck_assert_int_eq(member_report(i)->lag.ms, -1);
    }
    look(0, fails(ANSWER_AUTH)); /* it is alive */
    look(1, standby("7", "m0", 1000));
    ck_assert_int_eq(member_report(1)->lag.state, LAG_OK);
}
END_TEST

START_TEST(without_an_order_only_a_writable_one_without_a_channel_claims)
{
    begin(KIND_ASYNC, 2);
    look(0, primary("", -1));
    struct observation loose = standby("", "m0", -1);
    loose.writable = true; /* a replica restarted without read_only */
    look(1, loose);
    ck_assert(member_report(0)->claim);
    ck_assert(!report.members[1].claim);
    ck_assert(report.members[1].writable);
    struct observation shut = primary("", -1);
    shut.writable = false;
    look(0, shut);
    ck_assert(!member_report(0)->claim);
}
END_TEST

START_TEST(of_a_circular_pair_the_half_whose_other_half_is_read_only_claims)
{
    begin(KIND_ASYNC, 2);
    struct observation writer = standby("", "m1", -1);
    writer.writable = true;
    look(0, writer);
    look(1, standby("", "m0", -1));
    ck_assert(member_report(0)->claim);
    ck_assert(!report.members[1].claim);
    struct observation both = standby("", "m0", -1);
    both.writable = true;
    look(1, both);
    ck_assert(!member_report(0)->claim);
    ck_assert(!report.members[1].claim);
}
END_TEST

START_TEST(a_writable_leaf_below_a_read_only_replica_of_another_claims_nothing)
{
    begin(KIND_ASYNC, 3);
    look(0, primary("", -1));
    look(1, standby("", "m0", -1));
    struct observation leaf = standby("", "m1", -1);
    leaf.writable = true;
    look(2, leaf);
    ck_assert(member_report(0)->claim);
    ck_assert(!report.members[2].claim);
}
END_TEST

START_TEST(a_probe_doubts_itself_by_ambiguous_failures_alone)
{
    begin(KIND_STREAMING, 3);
    size_t targets = 0;
    size_t failing = 0;
    look(0, fails(ANSWER_TIMEOUT));
    look(1, fails(ANSWER_UNREACHABLE));
    look(2, fails(ANSWER_REFUSED));
    assess_count_failing(&assessment, &targets, &failing);
    ck_assert_uint_eq(targets, 3);
    ck_assert_uint_eq(failing, 2);
}
END_TEST

START_TEST(a_writer_is_seen_only_while_its_last_look_was_good)
{
    begin(KIND_STREAMING, 2);
    ck_assert(!assess_sees_writer(&assessment, "m0"));
    look(0, primary("7", 1000));
    look(1, standby("7", "m0", 1000));
    ck_assert(assess_sees_writer(&assessment, "m0"));
    ck_assert(!assess_sees_writer(&assessment, "m1"));
    ck_assert(!assess_sees_writer(&assessment, "nobody"));
    look(0, fails(ANSWER_TIMEOUT));
    ck_assert(!assess_sees_writer(&assessment, "m0"));
}
END_TEST

START_TEST(a_reload_keeps_the_history_of_members_that_stay_where_they_are)
{
    begin(KIND_STREAMING, 3);
    look(0, primary("7", 1000));
    look(1, standby("7", "m0", 1000));
    look(2, standby("7", "m0", 1000));
    struct cluster_settings next = cluster;
    next.member_count = 2;
    next.members[0].weight = 50;
    next.members[1].port = 5433;
    assess_reload(&assessment, &next, &settings);
    ck_assert_int_eq(member_report(0)->answer, ANSWER_OK);
    ck_assert_uint_eq(report.members[0].config.weight, 50);
    ck_assert_uint_eq(report.member_count, 2);
    ck_assert_int_eq(report.members[1].answer, ANSWER_UNKNOWN);
    ck_assert_str_eq(report.abstains, "starting");
}
END_TEST

START_TEST(looking_at_the_same_thing_again_gives_an_equal_report)
{
    begin(KIND_STREAMING, 2);
    look(0, primary("7", 1000));
    look(1, standby("7", "m0", 1000));
    static struct report first;
    member_report(0);
    first = report;
    for (int i = 0; i < 50; i++) {
        look(0, primary("7", 2000 + i));
        look(1, standby("7", "m0", 2000 + i));
        member_report(0);
        ck_assert(report_equal(&first, &report));
    }
}
END_TEST

static struct observation node(const char *view)
{
    struct observation facts = primary(view, -1);
    facts.group = (struct group){
        .type = GROUP_GALERA, .state = CONDITION_FIT, .leads = true, .size = 3, .queue = 0};
    return facts;
}

START_TEST(a_view_has_a_moment_to_reach_all_who_write_in_it)
{
    begin(KIND_GALERA, 3);
    for (size_t i = 0; i < 3; i++) {
        look(i, node("conf:9"));
    }
    look(1, node("conf:10"));
    ck_assert_str_eq(member_report(0)->lineage, "conf:10");
    look(0, node("conf:9"));
    ck_assert_str_eq(member_report(0)->lineage, "conf:10");
    now_ms += VIEW_SPREADS_MS / 2;
    look(2, node("conf:10"));
    ck_assert_str_eq(member_report(0)->lineage, "conf:10");
    now_ms += VIEW_SPREADS_MS / 2;
    ck_assert_str_eq(member_report(0)->lineage, "conf:9");
    ck_assert_str_eq(member_report(2)->lineage, "conf:10");
    look(0, node("conf:10"));
    ck_assert_str_eq(member_report(0)->lineage, "conf:10");
}
END_TEST

START_TEST(whoever_comes_back_with_an_old_view_is_given_no_moment)
{
    begin(KIND_GALERA, 3);
    for (size_t i = 0; i < 3; i++) {
        look(i, node("conf:9"));
    }
    look(0, fails(ANSWER_REFUSED));
    look(1, node("conf:10"));
    look(2, node("conf:10"));
    now_ms += VIEW_SPREADS_MS;
    for (int i = 0; i < RISE; i++) {
        look(0, node("conf:9"));
    }
    ck_assert(member_report(0)->claim);
    ck_assert_str_eq(member_report(0)->lineage, "conf:9");
}
END_TEST

START_TEST(a_kind_is_found_and_never_weakens)
{
    begin(KIND_ASYNC, 1);
    cluster.policy.kind = KIND_AUTO;
    assess_init(&assessment, "probe-a", &cluster, &settings);
    look(0, fails(ANSWER_REFUSED));
    member_report(0);
    ck_assert_str_eq(report.abstains, "kind not known");
    /* that is no word on servers that are to tell themselves */
    assess_hint(&assessment, KIND_CUSTOM);
    ck_assert_int_eq(assessment.policy.kind, KIND_AUTO);
    struct observation facts = primary("", -1);
    look(0, facts);
    member_report(0);
    ck_assert_str_eq(report.abstains, "");
    ck_assert_int_eq(report.policy.kind, KIND_ASYNC);
    assess_hint(&assessment, KIND_GROUP);
    look(0, facts); /* started without its group */
    ck_assert_int_eq(member_report(0)->condition, CONDITION_LEFT);
    ck_assert(!member_report(0)->claim);
    ck_assert_int_eq(report.policy.kind, KIND_GROUP);
}
END_TEST

Suite *assess_suite(void)
{
    Suite *suite = suite_create("assess");
    TCase *tcase = tcase_create("assess");
    tcase_add_test(tcase, a_report_abstains_until_every_member_was_looked_at);
    tcase_add_test(tcase, an_unreachable_member_stops_being_a_reason_to_abstain_after_fall_looks);
    tcase_add_test(tcase, a_report_tells_what_the_server_said);
    tcase_add_test(tcase, a_definite_failure_counts_at_once);
    tcase_add_test(tcase, an_ambiguous_failure_counts_after_fall_in_a_row);
    tcase_add_test(tcase, an_answer_in_between_starts_the_count_anew);
    tcase_add_test(tcase, a_member_that_was_down_is_up_after_rise_answers);
    tcase_add_test(tcase, a_claim_is_taken_at_its_first_answer);
    tcase_add_test(tcase, a_member_that_was_alive_all_along_is_up_at_its_first_answer);
    tcase_add_test(tcase, a_changed_answer_raises_the_alarm_and_counts_at_once);
    tcase_add_test(
        tcase, a_look_that_is_overdue_makes_a_member_unknown_but_not_one_that_refuses_our_account);
    tcase_add_test(tcase, an_upstream_is_known_by_address_or_by_its_own_identity);
    tcase_add_test(tcase, a_spike_of_lag_is_not_told_and_a_lasting_one_is_told_by_its_band);
    tcase_add_test(tcase, a_stream_that_broke_or_a_replay_that_is_paused_is_broken_lag);
    tcase_add_test(tcase, a_kind_is_found_and_never_weakens);
    tcase_add_test(tcase, a_standby_below_one_that_is_cut_off_is_cut_off_too);
    tcase_add_test(tcase, a_stream_of_a_history_that_the_primary_has_left_is_broken);
    tcase_add_test(tcase, a_standby_that_an_archive_feeds_is_as_far_behind_as_its_position_says);
    tcase_add_test(tcase, a_commit_waits_for_standbys_that_stream_by_a_name_of_the_list);
    tcase_add_test(tcase, from_a_source_that_does_not_answer_no_news_is_not_good_news);
    tcase_add_test(tcase, without_an_order_only_a_writable_one_without_a_channel_claims);
    tcase_add_test(tcase, of_a_circular_pair_the_half_whose_other_half_is_read_only_claims);
    tcase_add_test(tcase, a_writable_leaf_below_a_read_only_replica_of_another_claims_nothing);
    tcase_add_test(tcase, a_view_has_a_moment_to_reach_all_who_write_in_it);
    tcase_add_test(tcase, whoever_comes_back_with_an_old_view_is_given_no_moment);
    tcase_add_test(tcase, a_probe_doubts_itself_by_ambiguous_failures_alone);
    tcase_add_test(tcase, a_writer_is_seen_only_while_its_last_look_was_good);
    tcase_add_test(tcase, a_reload_keeps_the_history_of_members_that_stay_where_they_are);
    tcase_add_test(tcase, looking_at_the_same_thing_again_gives_an_equal_report);
    suite_add_tcase(suite, tcase);
    return suite;
}
