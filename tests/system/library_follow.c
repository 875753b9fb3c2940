/* library_test, first part: arguments, following, callbacks, and what callers encounter. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/system/library_test.h"

/* ---- arguments ------------------------------------------------------------------------------- */

static void wrong_options_are_refused_with_a_sentence(void)
{
    static const struct {
        struct roster_options options;
        const char *text;
    } wrong[] = {{{.servers = NULL}, "servers"},
                 {{.servers = ""}, "servers"},
                 {{.servers = "host-without-port"}, "host-without-port"},
                 {{.servers = "zk:99999"}, "servers"},
                 {{.servers = "zk:2181", .root = "relative"}, "relative"},
                 {{.servers = "zk:2181", .root = "/ends/"}, "root"},
                 {{.servers = "zk:2181", .session_timeout_ms = 5}, "session_timeout_ms"},
                 {{.servers = "zk:2181", .session_timeout_ms = 300001}, "session_timeout_ms"},
                 {{.servers = "zk:2181", .auth = "secret"}, "digest:"},
                 {{.servers = "zk:2181", .cache_dir = "/nonexistent"}, "cache_dir"},
                 {{.servers = "zk:2181", .cache_dir = "/tmp"}, "cache_dir"},
                 {{.servers = "zk:2181", .cache_dir = "/dev/null"}, "cache_dir"}};
    struct roster *roster;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        roster = (struct roster *)&roster;
        if (roster_open(&wrong[i].options, &roster) != ROSTER_INVALID || roster ||
            !strstr(roster_error(), wrong[i].text) || strstr(roster_error(), "secret")) {
            fail("case %zu: %s", i, roster_error());
        }
    }
    CHECK(roster_open(NULL, &roster) == ROSTER_INVALID && !roster);
    CHECK(roster_open(&wrong[0].options, NULL) == ROSTER_INVALID);
    roster_close(NULL);
}

static void wrong_arguments_are_refused(void)
{
    struct roster_endpoint to;
    struct roster_cluster *cluster;
    struct roster_state state;
    struct roster_member member;
    size_t count;
    struct roster *roster = opened();
    CHECK(roster_subscribe(NULL, "orders", NULL, &cluster) == ROSTER_INVALID && !cluster);
    CHECK(roster_subscribe(roster, NULL, NULL, &cluster) == ROSTER_INVALID && !cluster);
    CHECK(roster_subscribe(roster, "or/ders", NULL, &cluster) == ROSTER_INVALID &&
          strstr(roster_error(), "or/ders"));
    CHECK(roster_subscribe(roster, "..", NULL, &cluster) == ROSTER_INVALID);
    CHECK(roster_subscribe(roster, "", NULL, &cluster) == ROSTER_INVALID);
    CHECK(roster_subscribe(roster, "orders", NULL, NULL) == ROSTER_INVALID);
    cluster = followed(roster, "orders");
    CHECK(roster_route(NULL, ROSTER_WRITE, NULL, &to) == ROSTER_INVALID);
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, NULL) == ROSTER_INVALID);
    CHECK(roster_route(cluster, (enum roster_access)7, NULL, &to) == ROSTER_INVALID);
    CHECK(roster_route(cluster, ROSTER_READ,
                       &(struct roster_request){.policy = (enum roster_policy)9},
                       &to) == ROSTER_INVALID);
    CHECK(roster_state(NULL, &state) == ROSTER_INVALID &&
          roster_state(cluster, NULL) == ROSTER_INVALID);
    CHECK(roster_members(NULL, &member, 1, &count) == ROSTER_INVALID);
    CHECK(roster_members(cluster, NULL, 1, &count) == ROSTER_INVALID);
    CHECK(roster_members(cluster, &member, 1, NULL) == ROSTER_INVALID);
    CHECK(roster_members(cluster, NULL, 0, &count) == ROSTER_OK && count == 0);
    roster_feedback(NULL, &to, ROSTER_OUTCOME_REFUSED);
    roster_feedback(cluster, NULL, ROSTER_OUTCOME_REFUSED);
    CHECK(roster_classify("25006", 0) == ROSTER_OUTCOME_READ_ONLY &&
          roster_classify(NULL, 1290) == ROSTER_OUTCOME_READ_ONLY);
    CHECK(roster_classify("HY000", 1836) == ROSTER_OUTCOME_READ_ONLY &&
          roster_classify("HY000", 1881) == ROSTER_OUTCOME_READ_ONLY &&
          roster_classify("HY000", 1874) == ROSTER_OUTCOME_READ_ONLY &&
          roster_classify("HY000", 1036) == ROSTER_OUTCOME_OTHER && /* one table */
          roster_classify("25006", 1792) == ROSTER_OUTCOME_READ_ONLY);
    CHECK(roster_classify("08006", 0) == ROSTER_OUTCOME_REFUSED &&
          roster_classify(NULL, 2003) == ROSTER_OUTCOME_REFUSED);
    /* Galera without a majority, a group that takes no writes; a conflict is nobody's fault */
    CHECK(roster_classify(NULL, 1047) == ROSTER_OUTCOME_REFUSED &&
          roster_classify(NULL, 3100) == ROSTER_OUTCOME_READ_ONLY &&
          roster_classify(NULL, 3101) == ROSTER_OUTCOME_OTHER);
    /* a pooler's word for what is behind it, and an idle session's end, are not about routing */
    CHECK(roster_classify("08P01", 0) == ROSTER_OUTCOME_OTHER &&
          roster_classify("57P05", 0) == ROSTER_OUTCOME_OTHER &&
          roster_classify(NULL, 4031) == ROSTER_OUTCOME_OTHER);
    CHECK(roster_classify("42601", 0) == ROSTER_OUTCOME_OTHER &&
          roster_classify(NULL, 0) == ROSTER_OUTCOME_OTHER);
    roster_close(roster);
}

/* ---- following ------------------------------------------------------------------------------- */

static void a_cluster_is_followed(void)
{
    struct roster_member members[ROSTER_MEMBERS_MAX];
    size_t count;
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    CHECK(writes_to(cluster, "a"));
    CHECK(followed(roster, "orders") == cluster);
    struct roster_state state = state_of(cluster);
    CHECK(state.age_ms == 0 && state.connected && !state.cached && state.witnesses == 3 &&
          state.witnesses_now == 1);
    CHECK(state.quorum == 2 && strcmp(state.primary, "a") == 0 &&
          strcmp(state.engine, "postgresql") == 0);
    CHECK(roster_members(cluster, members, ROSTER_MEMBERS_MAX, &count) == ROSTER_OK && count == 3);
    CHECK(strcmp(members[1].labels, "rack=1,zone=z") == 0 &&
          members[0].endpoint.role == ROSTER_ROLE_PRIMARY);
    CHECK(roster_members(cluster, members, 2, &count) == ROSTER_OK && count == 2);
    put_topology("orders", 2, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    put_topology("orders", 3, NULL);
    EVENTUALLY(writes_to(cluster, roster_strerror(ROSTER_NO_ENDPOINT)));
    CHECK(state_of(cluster).state == ROSTER_STATE_NO_PRIMARY);
    put_topology("orders", 4, "c");
    EVENTUALLY(writes_to(cluster, "c"));
    roster_close(roster);
}

static void a_cluster_that_is_not_there_is_told_at_once_and_followed(void)
{
    struct roster_cluster *cluster;
    struct roster_state state;
    struct roster_endpoint to;
    take("/clusters/later/topology");
    struct roster *roster = opened();
    followed(roster, "orders");
    int64_t start_ms = now_ms();
    CHECK(roster_subscribe(roster, "later", NULL, &cluster) == ROSTER_NO_CLUSTER && cluster);
    CHECK(now_ms() - start_ms < 4000);
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, &to) == ROSTER_NO_CLUSTER);
    CHECK(roster_state(cluster, &state) == ROSTER_NO_CLUSTER && state.connected);
    put_topology("later", 1, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    roster_close(roster);
}

static void bad_data_changes_nothing_and_is_shown(void)
{
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    put("/clusters/orders/topology", "{ \"format\": 1, \"cluster\": ");
    EVENTUALLY(state_of(cluster).refused[0]);
    CHECK(writes_to(cluster, "a"));
    put("/clusters/orders/topology", "{ \"format\": 2, \"cluster\": \"orders\" }");
    EVENTUALLY(strstr(state_of(cluster).refused, "format"));
    take("/clusters/orders/topology");
    EVENTUALLY(strstr(state_of(cluster).refused, "no topology"));
    CHECK(writes_to(cluster, "a"));
    EVENTUALLY(state_of(cluster).age_ms > 0);
    put_topology("orders", 5, "c");
    EVENTUALLY(writes_to(cluster, "c"));
    EVENTUALLY(!state_of(cluster).refused[0] && state_of(cluster).age_ms == 0);
    roster_close(roster);
}

static void many_clusters_share_one_session(void)
{
    enum { MANY = 60 };
    struct roster_cluster *clusters[MANY];
    char name[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many-%d", i);
        put_topology(name, 1, "a");
    }
    struct roster *roster = opened();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many-%d", i);
        clusters[i] = followed(roster, name);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many-%d", i);
        put_topology(name, 2, "b");
    }
    for (int i = 0; i < MANY; i++) {
        EVENTUALLY(writes_to(clusters[i], "b"));
    }
    roster_close(roster);
}

static void age_grows_without_probes_and_limits_refuse_it(void)
{
    struct roster_endpoint to;
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    struct roster_request limited = {.max_age_ms = 300};
    EVENTUALLY(roster_route(cluster, ROSTER_WRITE, &limited, &to) == ROSTER_OK);
    take("/probes/probe-a");
    EVENTUALLY(roster_route(cluster, ROSTER_WRITE, &limited, &to) == ROSTER_TOO_OLD);
    CHECK(roster_route(cluster, ROSTER_READ, &limited, &to) == ROSTER_TOO_OLD);
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, &to) == ROSTER_OK);
    CHECK(state_of(cluster).witnesses_now == 0 && state_of(cluster).age_ms > 300);
    put("/probes/probe-b", NULL);
    EVENTUALLY(roster_route(cluster, ROSTER_WRITE, &limited, &to) == ROSTER_OK);
    CHECK(state_of(cluster).witnesses_now == 1);
    take("/probes/probe-b");
    put("/probes/probe-a", NULL);
    roster_close(roster);
}

/* ---- callbacks ------------------------------------------------------------------------------- */

struct notified {
    pthread_mutex_t lock;
    struct roster_cluster *_Atomic cluster;
    int calls;
    int64_t last_epoch;
    char plan[128], timeline[256], primary[64];
    atomic_int hold_ms;
    bool consistent;
};

static void changed(void *context, const struct roster_change *change)
{
    static const char *const actions[] = {
        [ROSTER_KEEP] = "keep", [ROSTER_DROP] = "drop", [ROSTER_DRAIN] = "drain"};
    struct notified *notified = context;
    struct roster_endpoint to;
    struct roster_member members[4];
    size_t count;
    struct roster_cluster *cluster = notified->cluster;
    bool routed = !cluster || ((roster_route(cluster, ROSTER_WRITE, NULL, &to) != ROSTER_OK ||
                                to.epoch >= change->epoch) &&
                               roster_members(cluster, members, 4, &count) == ROSTER_OK &&
                               epoch_of(cluster) >= change->epoch);
    pthread_mutex_lock(&notified->lock);
    notified->calls++;
    notified->consistent &= routed && change->epoch > notified->last_epoch;
    notified->last_epoch = change->epoch;
    notified->plan[0] = '\0';
    for (size_t i = 0; i < change->plan_size; i++) {
        size_t used = strlen(notified->plan);
        snprintf(notified->plan + used, sizeof notified->plan - used, "%s%s %s", i ? ", " : "",
                 actions[change->plan[i].action], change->plan[i].endpoint.name);
    }
    snprintf(notified->timeline, sizeof notified->timeline, "%s", change->timeline);
    snprintf(notified->primary, sizeof notified->primary, "%s",
             change->primary ? change->primary->name : "");
    pthread_mutex_unlock(&notified->lock);
    pause_ms(atomic_load(&notified->hold_ms));
}

static bool notified_epoch(struct notified *notified, int64_t epoch)
{
    pthread_mutex_lock(&notified->lock);
    bool yes = notified->last_epoch == epoch;
    pthread_mutex_unlock(&notified->lock);
    return yes;
}

static struct roster_cluster *follow_notified(struct roster *roster, const char *name,
                                              struct notified *notified)
{
    struct roster_cluster *cluster;
    *notified = (struct notified){.lock = PTHREAD_MUTEX_INITIALIZER, .consistent = true};
    struct roster_subscription subscription = {
        .changed = changed, .context = notified, .wait_ms = PATIENCE_MS};
    CHECK(roster_subscribe(roster, name, &subscription, &cluster) == ROSTER_OK);
    notified->cluster = cluster;
    return cluster;
}

static void a_callback_gets_the_plan_and_the_timeline(void)
{
    static struct notified notified;
    put_topology("plans", 1, "a");
    struct roster *roster = opened();
    struct roster_cluster *cluster = follow_notified(roster, "plans", &notified);
    EVENTUALLY(notified_epoch(&notified, 1));
    CHECK(strcmp(notified.plan, "keep a, keep b, keep c") == 0 &&
          strcmp(notified.primary, "a") == 0);
    put_topology("plans", 2, "b");
    EVENTUALLY(notified_epoch(&notified, 2));
    CHECK(strcmp(notified.plan, "drop a, drop b, drop c") ==
          0); /* every port moves with the epoch here */
    CHECK(strncmp(notified.timeline, "plans: b is primary, epoch 2: evidence ", 39) == 0);
    CHECK(strstr(notified.timeline, "Z, verdict +22 ms, routed +"));
    put_topology("plans", 3, NULL);
    EVENTUALLY(notified_epoch(&notified, 3));
    CHECK(strcmp(notified.primary, "") == 0 && notified.consistent);
    CHECK(roster_route(cluster, ROSTER_READ, NULL, &(struct roster_endpoint){0}) == ROSTER_OK);
    roster_close(roster);
}

static void a_slow_callback_delays_no_routing_and_changes_merge(void)
{
    enum { CHANGES = 20 };
    static struct notified slow;
    put_topology("slow", 1, "a");
    struct roster *roster = opened();
    struct roster_cluster *cluster = follow_notified(roster, "slow", &slow);
    EVENTUALLY(notified_epoch(&slow, 1));
    atomic_store(&slow.hold_ms, 1500);
    put_topology("slow", 2, "b");
    EVENTUALLY(notified_epoch(&slow, 2)); /* the callback sleeps from here on */
    int calls = slow.calls;
    for (int epoch = 3; epoch < 3 + CHANGES; epoch++) {
        put_topology("slow", epoch, epoch % 2 ? "a" : "b");
        EVENTUALLY(epoch_of(cluster) == epoch);
    }
    atomic_store(&slow.hold_ms, 0);
    EVENTUALLY(notified_epoch(&slow, 2 + CHANGES));
    CHECK(slow.calls - calls < CHANGES && slow.consistent);
    roster_close(roster);
}

static atomic_int lines, shouting;
static char last_notice[512];

void log_line(void *context, enum roster_log_level level, const char *line)
{
    (void)context;
    if (atomic_fetch_add(&shouting, 1) != 0) {
        strcpy(last_notice, "two at once");
    } else if (level == ROSTER_LOG_NOTICE && strstr(line, "logged: ")) {
        snprintf(last_notice, sizeof last_notice, "%s", line);
    }
    atomic_fetch_sub(&shouting, 1);
    atomic_fetch_add(&lines, 1);
}

static void the_log_has_a_timeline_per_change(void)
{
    put_topology("logged", 1, "a");
    struct roster *roster = open_with((struct roster_options){.log = log_line});
    struct roster_cluster *cluster = followed(roster, "logged");
    put_topology("logged", 2, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    roster_close(roster); /* logs what is left before it returns */
    CHECK(atomic_load(&lines) > 0);
    if (strncmp(last_notice, "logged: b is primary, epoch 2: evidence ", 40) != 0) {
        fail("the log has: %s", last_notice);
    }
}

/* ---- what callers encounter ------------------------------------------------------------------ */

/* How many of 300 reads reach each of a, b, c. */
static void count_reads(struct roster_cluster *cluster, const struct roster_request *request,
                        int hits[3])
{
    hits[0] = hits[1] = hits[2] = 0;
    for (int i = 0; i < 300; i++) {
        struct roster_endpoint to;
        CHECK(roster_route(cluster, ROSTER_READ, request, &to) == ROSTER_OK);
        hits[to.name[0] - 'a']++;
    }
}

static void a_refusing_secondary_is_avoided_for_a_while_but_never_the_last(void)
{
    int hits[3];
    struct roster_endpoint b = {.name = "b"}, c = {.name = "c"};
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    for (int policy = ROSTER_ROUND_ROBIN; policy <= ROSTER_WEIGHTED; policy++) {
        struct roster_request request = {.policy = (enum roster_policy)policy};
        count_reads(cluster, &request, hits);
        CHECK(hits[0] == 0 && hits[1] > 90 && hits[2] > 90);
        roster_feedback(cluster, &b, ROSTER_OUTCOME_REFUSED);
        count_reads(cluster, &request, hits);
        CHECK(hits[0] == 0 && hits[1] == 0 && hits[2] == 300);
        roster_feedback(cluster, &c, ROSTER_OUTCOME_REFUSED); /* half of the pool at most */
        count_reads(cluster, &request, hits);
        CHECK(hits[1] == 0 && hits[2] == 300);
        roster_feedback(cluster, &b, ROSTER_OUTCOME_OTHER);
        count_reads(cluster, &request, hits);
        CHECK(hits[1] == 0);
        roster_feedback(cluster, &b, ROSTER_OUTCOME_OK);
        count_reads(cluster, &request, hits);
        CHECK(hits[1] > 90 && hits[2] > 90);
    }
    roster_feedback(cluster, &b, ROSTER_OUTCOME_REFUSED);
    put_topology("orders", 2, "a"); /* a change elsewhere does not end it */
    EVENTUALLY(epoch_of(cluster) == 2);
    count_reads(cluster, NULL, hits);
    CHECK(hits[1] == 0);
    EVENTUALLY((count_reads(cluster, NULL, hits), hits[1] > 0)); /* time does */
    roster_close(roster);
}

static void a_primary_that_is_read_only_is_none_until_looked_again(void)
{
    struct roster_endpoint to, before;
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, &before) == ROSTER_OK);
    /* shows nothing about its role */
    roster_feedback(cluster, &before, ROSTER_OUTCOME_REFUSED);
    CHECK(writes_to(cluster, "a"));
    roster_feedback(cluster, &before, ROSTER_OUTCOME_READ_ONLY);
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, &to) == ROSTER_NO_ENDPOINT);
    put_topology("orders", 2, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    /* late news of an older verdict */
    roster_feedback(cluster, &before, ROSTER_OUTCOME_READ_ONLY);
    CHECK(writes_to(cluster, "b"));
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, &to) == ROSTER_OK);
    roster_feedback(cluster, &to, ROSTER_OUTCOME_READ_ONLY);
    CHECK(!writes_to(cluster, "b"));
    EVENTUALLY(writes_to(cluster, "b")); /* the verdict holds: back to it */
    roster_close(roster);
}

/* ---- all of them ----------------------------------------------------------------------------- */

const struct test follow_tests[] = {
    TEST(wrong_options_are_refused_with_a_sentence, false),
    TEST(wrong_arguments_are_refused, false),
    TEST(a_cluster_is_followed, false),
    TEST(a_cluster_that_is_not_there_is_told_at_once_and_followed, false),
    TEST(bad_data_changes_nothing_and_is_shown, false),
    TEST(many_clusters_share_one_session, false),
    TEST(age_grows_without_probes_and_limits_refuse_it, false),
    TEST(a_callback_gets_the_plan_and_the_timeline, false),
    TEST(a_slow_callback_delays_no_routing_and_changes_merge, false),
    TEST(the_log_has_a_timeline_per_change, false),
    TEST(a_refusing_secondary_is_avoided_for_a_while_but_never_the_last, false),
    TEST(a_primary_that_is_read_only_is_none_until_looked_again, false),
    {0},
};
