/* What a probe makes of asynchronous replication: channels, cascades, lag by hearsay, who has what.
 */
#include <string.h>

#include "probes/assess/assess.h"
#include "tests/unit/unit.h"

#define UUID "3e11fa47-71ca-11e1-9e33-c80aa9429562"

enum { INTERVAL = 1000, TIMEOUT = 500, FRESH = INTERVAL + TIMEOUT, MEMBERS = 3 };

static const struct probe_settings settings = {
    .interval_ms = INTERVAL, .alert_interval_ms = 25, .timeout_ms = TIMEOUT, .rise = 2, .fall = 3};
static struct assessment assessment;
static struct report report;
static int64_t now_ms;

static void begin(void)
{
    static struct cluster_settings cluster;
    cluster = (struct cluster_settings){.name = "sales", .member_count = MEMBERS};
    cluster.policy = (struct policy){ENGINE_MYSQL, KIND_ASYNC, CONFLICT_HOLD, WRITERS_SINGLE, 1};
    for (size_t i = 0; i < MEMBERS; i++) {
        cluster.members[i] =
            (struct member_config){.name = "m0", .host = "m0", .port = 3306, .weight = 100};
        cluster.members[i].name[1] = cluster.members[i].host[1] = (char)('0' + i);
    }
    assess_init(&assessment, "probe-a", &cluster, &settings);
    now_ms = 100000;
}

static struct observation says(bool writable)
{
    return (struct observation){.answer = ANSWER_OK,
                                .writable = writable,
                                .position = -1,
                                .received = -1,
                                .lag_ms = -1,
                                .gtids = UUID ":1-9"};
}

static struct observation source(void)
{
    return says(true);
}

enum stream { STOPPED, GIVEN_UP, CONNECTING, RUNNING };

static void add_channel(struct observation *facts, const char *host, enum stream stream)
{
    struct channel *channel = &facts->channels[facts->channel_count++];
    *channel = (struct channel){.live = stream == RUNNING,
                                .connecting = stream == CONNECTING,
                                .applying = stream != STOPPED,
                                .port = 3306};
    channel->lag_ms = stream == RUNNING ? 0 : -1;
    strcpy(channel->host, host);
    facts->replica = true;
    observation_follow(facts, 0);
}

static struct observation replica(const char *host)
{
    struct observation facts = says(false);
    add_channel(&facts, host, RUNNING);
    return facts;
}

static void look(size_t i, struct observation facts)
{
    now_ms += 25;
    assess_look(&assessment, i, &facts, NULL, now_ms, now_ms);
}

static void look_in_vain(size_t i, enum answer answer)
{
    look(i, (struct observation){.answer = answer, .position = -1, .received = -1, .lag_ms = -1});
}

static const struct member_report *member_report(size_t i)
{
    assess_report(&assessment, now_ms, "", &report);
    return &report.members[i];
}

/* m0 is fed by nobody; m1 by m0; m2 by m1. */
static void begin_cascade(void)
{
    begin();
    look(0, source());
    look(1, replica("m0"));
    look(2, replica("m1"));
    ck_assert(member_report(0)->claim);
    ck_assert_int_eq(member_report(2)->lag.state, LAG_OK);
}

START_TEST(the_channel_that_leads_to_a_member_is_told_of)
{
    begin();
    look(0, source());
    struct observation facts = says(false);
    add_channel(&facts, "elsewhere", RUNNING);
    add_channel(&facts, "m0", CONNECTING);
    look(1, facts);
    ck_assert_str_eq(member_report(1)->upstream, "m0");
    ck_assert(!member_report(1)->live);
    ck_assert_int_eq(member_report(1)->lag.state, LAG_BROKEN);
    ck_assert_uint_eq(member_report(0)->replicas, 0);

    facts = says(false);
    add_channel(&facts, "elsewhere", STOPPED);
    add_channel(&facts, "m0", RUNNING);
    look(1, facts);
    ck_assert_int_eq(member_report(1)->lag.state, LAG_OK);
    ck_assert_uint_eq(member_report(0)->replicas, UINT32_C(1) << 1);
}
END_TEST

START_TEST(of_two_channels_to_members_the_one_that_runs_is_told_of)
{
    begin();
    look(0, source());
    look(1, replica("m0"));
    struct observation facts = says(false);
    add_channel(&facts, "m0", STOPPED);
    add_channel(&facts, "m1", RUNNING);
    look(2, facts);
    ck_assert_str_eq(member_report(2)->upstream, "m1");
    ck_assert(member_report(2)->live);
}
END_TEST

START_TEST(any_channel_that_runs_or_tries_to_keeps_a_writable_server_from_claiming)
{
    static const struct {
        const char *first, *second;
        enum stream first_stream, second_stream;
        bool claims;
    } cases[] = {
        {"m0", "elsewhere", STOPPED, STOPPED, true},
        {"m0", "elsewhere", STOPPED, RUNNING, false},
        {"m0", "elsewhere", STOPPED, CONNECTING, false},
        {"m0", "elsewhere", RUNNING, STOPPED, false},
        {"elsewhere", "m0", STOPPED, CONNECTING, false},
        {"elsewhere", "there", STOPPED, RUNNING, false},
        {"elsewhere", "there", STOPPED, STOPPED, true},
        {"m0", "elsewhere", STOPPED, GIVEN_UP, false},
        {"m0", "elsewhere", GIVEN_UP, STOPPED, true}, /* it has applied what it received */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        look(0, source());
        struct observation facts = says(true);
        add_channel(&facts, cases[i].first, cases[i].first_stream);
        add_channel(&facts, cases[i].second, cases[i].second_stream);
        look(1, facts);
        ck_assert_msg(member_report(1)->claim == cases[i].claims, "case %zu", i);
    }
}
END_TEST

START_TEST(half_a_circular_pair_that_is_fed_from_elsewhere_claims_nothing)
{
    begin();
    struct observation half = says(true);
    add_channel(&half, "m1", RUNNING);
    look(0, half);
    look(1, replica("m0"));
    ck_assert(member_report(0)->claim);
    add_channel(&half, "elsewhere", RUNNING);
    look(0, half);
    ck_assert(!member_report(0)->claim);
}
END_TEST

START_TEST(a_cascade_is_seen_as_a_tree_and_its_middle_is_no_primary_even_when_writable)
{
    begin_cascade();
    struct observation middle = replica("m0");
    middle.writable = true;
    look(1, middle);
    ck_assert(member_report(0)->claim);
    ck_assert(!member_report(1)->claim);
    ck_assert_str_eq(member_report(1)->upstream, "m0");
    ck_assert_str_eq(member_report(2)->upstream, "m1");
    ck_assert_uint_eq(member_report(0)->replicas, UINT32_C(1) << 1);
    ck_assert_uint_eq(member_report(1)->replicas, UINT32_C(1) << 2);
}
END_TEST

START_TEST(a_leaf_whose_middle_has_gone_is_broken)
{
    begin_cascade();
    look_in_vain(1, ANSWER_REFUSED);
    struct observation leaf = says(false);
    add_channel(&leaf, "m1", CONNECTING);
    look(2, leaf);
    ck_assert_int_eq(member_report(2)->lag.state, LAG_BROKEN);
    leaf.writable = true;
    look(2, leaf);
    ck_assert(!member_report(2)->claim);
}
END_TEST

START_TEST(a_source_that_says_nothing_makes_lag_unknown_all_the_way_down)
{
    begin_cascade();
    now_ms += INTERVAL;
    look_in_vain(0, ANSWER_STALLED); /* it may be late */
    look(1, replica("m0"));
    ck_assert_int_eq(member_report(1)->lag.state, LAG_OK);
    now_ms += TIMEOUT;
    look_in_vain(0, ANSWER_STALLED);
    look(1, replica("m0"));
    look(2, replica("m1"));
    for (size_t i = 1; i <= 2; i++) {
        ck_assert_int_eq(member_report(i)->lag.state, LAG_UNKNOWN);
        ck_assert_int_eq(member_report(i)->lag.ms, -1);
        ck_assert(member_report(i)->live);
    }
    look(0, source());
    look(1, replica("m0"));
    look(2, replica("m1"));
    ck_assert_int_eq(member_report(1)->lag.state, LAG_OK);
    ck_assert_int_eq(member_report(2)->lag.ms, 0);
}
END_TEST

START_TEST(a_source_that_has_no_room_for_us_is_heard_of)
{
    begin_cascade();
    look_in_vain(0, ANSWER_SATURATED);
    now_ms += 10 * FRESH;
    look(1, replica("m0"));
    ck_assert_int_eq(member_report(1)->lag.state, LAG_OK);
}
END_TEST

START_TEST(a_leaf_is_cut_off_while_its_middle_is_not_fed)
{
    begin_cascade();
    struct observation middle = says(false);
    add_channel(&middle, "m0", STOPPED);
    look(1, middle);
    look(2, replica("m1"));
    ck_assert_int_eq(member_report(2)->lag.state, LAG_BROKEN);
    middle.writable = true; /* beside the one that is the source it is a rival */
    look(1, middle);
    look(2, replica("m1"));
    ck_assert_int_eq(member_report(2)->lag.state, LAG_BROKEN);
    look(0, says(false)); /* promoted: it is what others are measured by */
    look(2, replica("m1"));
    ck_assert_int_eq(member_report(2)->lag.state, LAG_OK);
}
END_TEST

/* What the first lacks of the second, when the second is looked at once more after both were seen
 * to claim. */
static bool lacks(const char *mine, const char *theirs)
{
    begin();
    struct observation first = source(), second = source();
    strcpy(first.gtids, mine);
    strcpy(second.gtids, theirs);
    look(1, second);
    look(0, first);
    ck_assert(member_report(0)->lacks & UINT32_C(1) << 1); /* not known yet */
    look(1, second);
    return member_report(0)->lacks & UINT32_C(1) << 1;
}

START_TEST(of_two_that_claim_each_is_told_what_it_may_lack)
{
    ck_assert(!lacks(UUID ":1-9", UUID ":1-9"));
    ck_assert(!lacks(UUID ":1-9", UUID ":1-8"));
    ck_assert(lacks(UUID ":1-9", UUID ":1-10"));
    ck_assert(lacks(UUID ":1-9", ""));
    ck_assert(lacks("", UUID ":1-9"));
    ck_assert(!lacks("0-1-9,0-2-3", "0-1-9"));
    ck_assert(lacks("0-1-9,0-2-3", "0-3-1"));
}
END_TEST

START_TEST(who_does_not_claim_is_not_compared)
{
    begin_cascade();
    ck_assert_uint_eq(member_report(0)->lacks | member_report(1)->lacks | member_report(2)->lacks,
                      0);
}
END_TEST

Suite *async_suite(void)
{
    Suite *suite = suite_create("async");
    TCase *tests = tcase_create("async");
    tcase_add_test(tests, the_channel_that_leads_to_a_member_is_told_of);
    tcase_add_test(tests, of_two_channels_to_members_the_one_that_runs_is_told_of);
    tcase_add_test(tests, any_channel_that_runs_or_tries_to_keeps_a_writable_server_from_claiming);
    tcase_add_test(tests, half_a_circular_pair_that_is_fed_from_elsewhere_claims_nothing);
    tcase_add_test(tests,
                   a_cascade_is_seen_as_a_tree_and_its_middle_is_no_primary_even_when_writable);
    tcase_add_test(tests, a_leaf_whose_middle_has_gone_is_broken);
    tcase_add_test(tests, a_source_that_says_nothing_makes_lag_unknown_all_the_way_down);
    tcase_add_test(tests, a_source_that_has_no_room_for_us_is_heard_of);
    tcase_add_test(tests, a_leaf_is_cut_off_while_its_middle_is_not_fed);
    tcase_add_test(tests, of_two_that_claim_each_is_told_what_it_may_lack);
    tcase_add_test(tests, who_does_not_claim_is_not_compared);
    suite_add_tcase(suite, tests);
    return suite;
}
