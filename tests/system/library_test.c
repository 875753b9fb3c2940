/* library_test SERVERS [PID [WORD]] - what roster.h promises, asked of a real ZooKeeper.
 *
 * With the server's PID the tests that stop and continue it run too. WORD
 * picks the tests whose names contain it. Prints "ok NAME" or "not ok NAME
 * REASON" per test; exits 1 when one failed. The topologies are written by
 * hand: there are no probes here. */
#include <roster.h>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

#ifdef __SANITIZE_THREAD__
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

enum { PATIENCE_MS = 30000, SESSION_MS = 2000, TEXT_SIZE = 8192 };

static const char *servers;
static pid_t server_pid;
static char root[64];
static zhandle_t *zk;
static int threads_at_start; /* ours, those of our own client, a sanitizer's */

static jmp_buf failed;
static char reason[512];

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    longjmp(failed, 1);
}

#define CHECK(condition)                                                                                                         \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            fail("line %d: %s", __LINE__, #condition);                                                                           \
        }                                                                                                                        \
    } while (0)

/* Until it holds, with a generous deadline. */
#define EVENTUALLY(condition)                                                                                                    \
    do {                                                                                                                         \
        for (int64_t until_ms = now_ms() + PATIENCE_MS; !(condition);) {                                                         \
            if (now_ms() > until_ms) {                                                                                           \
                fail("line %d: never: %s", __LINE__, #condition);                                                                \
            }                                                                                                                    \
            pause_ms(2);                                                                                                         \
        }                                                                                                                        \
    } while (0)

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- a resolver that can be made to hang ------------------------------------------------ */

static atomic_int resolver_hangs, resolver_hung;

__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                                                       struct addrinfo **ret_list)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (atomic_load(&resolver_hangs)) {
        atomic_fetch_add(&resolver_hung, 1);
        while (atomic_load(&resolver_hangs)) {
            pause_ms(5);
        }
        atomic_fetch_sub(&resolver_hung, 1);
    }
    return real(host, service, hints, ret_list);
}

/* ---- the registry, by hand ---------------------------------------------------------------- */

/* What is asked again: the link broke, and asking twice does no harm. */
static bool is_passing(int rc)
{
    return rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT;
}

static int put_once(const char *path, const char *data)
{
    int len = data ? (int)strlen(data) : -1;
    int rc = zoo_set(zk, path, data, len, -1);
    return rc == ZNONODE ? zoo_create(zk, path, data, len, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) : rc;
}

static void put(const char *path, const char *data)
{
    char full[256];
    int rc;
    snprintf(full, sizeof full, "%s%s", root, path);
    for (int64_t until_ms = now_ms() + PATIENCE_MS; is_passing(rc = put_once(full, data)) && now_ms() < until_ms;) {
        pause_ms(50);
    }
    if (rc != ZOK && rc != ZNODEEXISTS) {
        fail("put %s: %s", full, zerror(rc));
    }
}

static void take(const char *path)
{
    char full[256];
    int rc;
    snprintf(full, sizeof full, "%s%s", root, path);
    for (int64_t until_ms = now_ms() + PATIENCE_MS; is_passing(rc = zoo_delete(zk, full, -1)) && now_ms() < until_ms;) {
        pause_ms(50);
    }
    if (rc != ZOK && rc != ZNONODE) {
        fail("delete %s: %s", full, zerror(rc));
    }
}

static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *time_text(char *to, size_t size, int64_t ms)
{
    struct tm tm;
    time_t seconds = (time_t)(ms / 1000);
    char day[32];
    gmtime_r(&seconds, &tm);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(to, size, "%s.%03dZ", day, (int)(ms % 1000));
    return to;
}

/* Three members a, b, c; `primary` is one of them or NULL. Every port tells the epoch: 10000 + epoch. */
static void topology_text(char *to, size_t size, const char *cluster, int epoch, const char *primary)
{
    static const char *const names[] = {"a", "b", "c"};
    char at[40], seen[40], name[80];
    snprintf(name, sizeof name, primary ? "\"%s\"" : "null", primary);
    int n = snprintf(to, size,
                     "{ \"format\": 1, \"cluster\": \"%s\", \"engine\": \"postgresql\", \"kind\": \"streaming\", "
                     "\"conflict\": \"hold\", \"witnesses\": 3, \"epoch\": %d, \"state\": \"%s\", \"primary\": %s, "
                     "\"lineage\": \"%d\", \"identity\": \"4711\", \"why\": \"because\", \"rule\": \"sole\", \"rules\": 1, "
                     "\"by\": \"probe-a\", \"at_wall\": \"%s\", \"seen_wall\": \"%s\", \"members\": [",
                     cluster, epoch, primary ? "ok" : "no-primary", name, epoch, time_text(at, sizeof at, wall_ms()),
                     time_text(seen, sizeof seen, wall_ms() - 22));
    for (int i = 0; i < 3; i++) {
        bool leads = primary && strcmp(names[i], primary) == 0;
        n += snprintf(to + n, size - (size_t)n,
                      "%s { \"name\": \"%s\", \"host\": \"10.0.0.%d\", \"port\": %d, \"role\": \"%s\", \"health\": \"up\", %s"
                      "\"weight\": 100, \"labels\": { \"rack\": \"%d\", \"zone\": \"z\" } }",
                      i ? "," : "", names[i], i + 1, 10000 + epoch % 50000, leads ? "primary" : "secondary",
                      leads ? "" : "\"lag\": { \"state\": \"ok\", \"bytes\": 0, \"ms\": 0 }, ", i);
    }
    snprintf(to + n, size - (size_t)n, " ], \"evidence\": { \"probe-a\": \"1\", \"probe-b\": \"2\", \"directives\": \"3\" } }\n");
}

static void put_topology(const char *cluster, int epoch, const char *primary)
{
    char text[TEXT_SIZE], path[128];
    topology_text(text, sizeof text, cluster, epoch, primary);
    snprintf(path, sizeof path, "/clusters/%s", cluster);
    put(path, NULL);
    strcat(path, "/topology");
    put(path, text);
}

/* What every test finds. */
static void begin(void)
{
    put("", "{ \"format\": 1, \"registry\": \"11111111-aaaa-4bbb-8ccc-000000000001\", \"supersedes\": [] }");
    put("/probes", NULL);
    put("/probes/probe-a", NULL);
    put("/clusters", NULL);
    put_topology("orders", 1, "a");
}

static void stop_server(void)
{
    CHECK(kill(server_pid, SIGSTOP) == 0);
}

static void continue_server(void)
{
    kill(server_pid, SIGCONT);
}

/* ---- a handle ------------------------------------------------------------------------------ */

static struct roster *open_with(struct roster_options options)
{
    struct roster *roster;
    options.servers = options.servers ? options.servers : servers;
    options.root = root;
    options.session_timeout_ms = SESSION_MS;
    if (roster_open(&options, &roster) != ROSTER_OK) {
        fail("roster_open: %s", roster_error());
    }
    return roster;
}

static struct roster *opened(void)
{
    return open_with((struct roster_options){0});
}

static struct roster_cluster *followed(struct roster *roster, const char *name)
{
    struct roster_cluster *cluster;
    enum roster_status status = roster_subscribe(roster, name, &(struct roster_subscription){.wait_ms = PATIENCE_MS}, &cluster);
    if (status != ROSTER_OK) {
        fail("roster_subscribe: %s: %s", roster_strerror(status), roster_error());
    }
    return cluster;
}

static const char *writer(struct roster_cluster *cluster)
{
    static __thread struct roster_endpoint to;
    enum roster_status status = roster_route(cluster, ROSTER_WRITE, NULL, &to);
    return status == ROSTER_OK ? to.name : roster_strerror(status);
}

static bool writes_to(struct roster_cluster *cluster, const char *name)
{
    return strcmp(writer(cluster), name) == 0;
}

static int64_t epoch_of(struct roster_cluster *cluster)
{
    struct roster_state state;
    return roster_state(cluster, &state) == ROSTER_OK ? state.epoch : -1;
}

static struct roster_state state_of(struct roster_cluster *cluster)
{
    struct roster_state state;
    roster_state(cluster, &state);
    return state;
}

/* How many of 300 reads reach each of a, b, c. */
static void count_reads(struct roster_cluster *cluster, const struct roster_request *request, int hits[3])
{
    hits[0] = hits[1] = hits[2] = 0;
    for (int i = 0; i < 300; i++) {
        struct roster_endpoint to;
        CHECK(roster_route(cluster, ROSTER_READ, request, &to) == ROSTER_OK);
        hits[to.name[0] - 'a']++;
    }
}

static int count_entries(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    CHECK(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

/* ---- arguments --------------------------------------------------------------------------------- */

static void wrong_options_are_refused_with_a_sentence(void)
{
    static const struct {
        struct roster_options options;
        const char *word;
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
        if (roster_open(&wrong[i].options, &roster) != ROSTER_INVALID || roster || !strstr(roster_error(), wrong[i].word) ||
            strstr(roster_error(), "secret")) {
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
    CHECK(roster_subscribe(roster, "or/ders", NULL, &cluster) == ROSTER_INVALID && strstr(roster_error(), "or/ders"));
    CHECK(roster_subscribe(roster, "..", NULL, &cluster) == ROSTER_INVALID);
    CHECK(roster_subscribe(roster, "", NULL, &cluster) == ROSTER_INVALID);
    CHECK(roster_subscribe(roster, "orders", NULL, NULL) == ROSTER_INVALID);
    cluster = followed(roster, "orders");
    CHECK(roster_route(NULL, ROSTER_WRITE, NULL, &to) == ROSTER_INVALID);
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, NULL) == ROSTER_INVALID);
    CHECK(roster_route(cluster, (enum roster_access)7, NULL, &to) == ROSTER_INVALID);
    CHECK(roster_route(cluster, ROSTER_READ, &(struct roster_request){.policy = (enum roster_policy)9}, &to) == ROSTER_INVALID);
    CHECK(roster_state(NULL, &state) == ROSTER_INVALID && roster_state(cluster, NULL) == ROSTER_INVALID);
    CHECK(roster_members(NULL, &member, 1, &count) == ROSTER_INVALID);
    CHECK(roster_members(cluster, NULL, 1, &count) == ROSTER_INVALID);
    CHECK(roster_members(cluster, &member, 1, NULL) == ROSTER_INVALID);
    CHECK(roster_members(cluster, NULL, 0, &count) == ROSTER_OK && count == 0);
    roster_report(NULL, &to, ROSTER_MET_REFUSED);
    roster_report(cluster, NULL, ROSTER_MET_REFUSED);
    CHECK(roster_classify("25006", 0) == ROSTER_MET_READ_ONLY && roster_classify(NULL, 1290) == ROSTER_MET_READ_ONLY);
    CHECK(roster_classify("HY000", 1836) == ROSTER_MET_READ_ONLY && roster_classify("25006", 1792) == ROSTER_MET_READ_ONLY);
    CHECK(roster_classify("08006", 0) == ROSTER_MET_REFUSED && roster_classify(NULL, 2003) == ROSTER_MET_REFUSED);
    CHECK(roster_classify("42601", 0) == ROSTER_MET_OTHER && roster_classify(NULL, 0) == ROSTER_MET_OTHER);
    roster_close(roster);
}

/* ---- following ------------------------------------------------------------------------------------ */

static void a_cluster_is_followed(void)
{
    struct roster_member members[ROSTER_MEMBERS_MAX];
    size_t count;
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    CHECK(writes_to(cluster, "a"));
    CHECK(followed(roster, "orders") == cluster);
    struct roster_state state = state_of(cluster);
    CHECK(state.age_ms == 0 && state.connected && !state.cached && state.witnesses == 3 && state.witnesses_now == 1);
    CHECK(state.quorum == 2 && strcmp(state.primary, "a") == 0 && strcmp(state.engine, "postgresql") == 0);
    CHECK(roster_members(cluster, members, ROSTER_MEMBERS_MAX, &count) == ROSTER_OK && count == 3);
    CHECK(strcmp(members[1].labels, "rack=1,zone=z") == 0 && members[0].endpoint.role == ROSTER_ROLE_PRIMARY);
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
    CHECK(roster_route(cluster, ROSTER_WRITE, &limited, &to) == ROSTER_OK);
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

/* ---- callbacks --------------------------------------------------------------------------------------- */

struct told {
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
    static const char *const words[] = {[ROSTER_KEEP] = "keep", [ROSTER_DROP] = "drop", [ROSTER_DRAIN] = "drain"};
    struct told *told = context;
    struct roster_endpoint to;
    struct roster_member members[4];
    size_t count;
    struct roster_cluster *cluster = told->cluster;
    bool routed = !cluster || ((roster_route(cluster, ROSTER_WRITE, NULL, &to) != ROSTER_OK || to.epoch >= change->epoch) &&
                               roster_members(cluster, members, 4, &count) == ROSTER_OK && epoch_of(cluster) >= change->epoch);
    pthread_mutex_lock(&told->lock);
    told->calls++;
    told->consistent &= routed && change->epoch > told->last_epoch;
    told->last_epoch = change->epoch;
    told->plan[0] = '\0';
    for (size_t i = 0; i < change->plan_size; i++) {
        size_t used = strlen(told->plan);
        snprintf(told->plan + used, sizeof told->plan - used, "%s%s %s", i ? ", " : "", words[change->plan[i].action],
                 change->plan[i].endpoint.name);
    }
    snprintf(told->timeline, sizeof told->timeline, "%s", change->timeline);
    snprintf(told->primary, sizeof told->primary, "%s", change->primary ? change->primary->name : "");
    pthread_mutex_unlock(&told->lock);
    pause_ms(atomic_load(&told->hold_ms));
}

static bool told_epoch(struct told *told, int64_t epoch)
{
    pthread_mutex_lock(&told->lock);
    bool yes = told->last_epoch == epoch;
    pthread_mutex_unlock(&told->lock);
    return yes;
}

static struct roster_cluster *follow_told(struct roster *roster, const char *name, struct told *told)
{
    struct roster_cluster *cluster;
    *told = (struct told){.lock = PTHREAD_MUTEX_INITIALIZER, .consistent = true};
    struct roster_subscription subscription = {.changed = changed, .context = told, .wait_ms = PATIENCE_MS};
    CHECK(roster_subscribe(roster, name, &subscription, &cluster) == ROSTER_OK);
    told->cluster = cluster;
    return cluster;
}

static void a_callback_gets_the_plan_and_the_timeline(void)
{
    static struct told told;
    put_topology("plans", 1, "a");
    struct roster *roster = opened();
    struct roster_cluster *cluster = follow_told(roster, "plans", &told);
    EVENTUALLY(told_epoch(&told, 1));
    CHECK(strcmp(told.plan, "keep a, keep b, keep c") == 0 && strcmp(told.primary, "a") == 0);
    put_topology("plans", 2, "b");
    EVENTUALLY(told_epoch(&told, 2));
    CHECK(strcmp(told.plan, "drop a, drop b, drop c") == 0); /* every port moves with the epoch here */
    CHECK(strncmp(told.timeline, "plans: b is primary, epoch 2: evidence ", 39) == 0);
    CHECK(strstr(told.timeline, "Z, verdict +22 ms, routed +"));
    put_topology("plans", 3, NULL);
    EVENTUALLY(told_epoch(&told, 3));
    CHECK(strcmp(told.primary, "") == 0 && told.consistent);
    CHECK(roster_route(cluster, ROSTER_READ, NULL, &(struct roster_endpoint){0}) == ROSTER_OK);
    roster_close(roster);
}

static void a_slow_callback_delays_no_routing_and_changes_merge(void)
{
    enum { CHANGES = 20 };
    static struct told slow;
    put_topology("slow", 1, "a");
    struct roster *roster = opened();
    struct roster_cluster *cluster = follow_told(roster, "slow", &slow);
    EVENTUALLY(told_epoch(&slow, 1));
    atomic_store(&slow.hold_ms, 1500);
    put_topology("slow", 2, "b");
    EVENTUALLY(told_epoch(&slow, 2)); /* the callback sleeps from here on */
    int calls = slow.calls;
    for (int epoch = 3; epoch < 3 + CHANGES; epoch++) {
        put_topology("slow", epoch, epoch % 2 ? "a" : "b");
        EVENTUALLY(epoch_of(cluster) == epoch);
    }
    atomic_store(&slow.hold_ms, 0);
    EVENTUALLY(told_epoch(&slow, 2 + CHANGES));
    CHECK(slow.calls - calls < CHANGES && slow.consistent);
    roster_close(roster);
}

static atomic_int lines, shouting;
static char last_notice[512];

static void log_line(void *context, enum roster_log_level level, const char *line)
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
    roster_close(roster); /* tells what is left before it returns */
    CHECK(atomic_load(&lines) > 0);
    if (strncmp(last_notice, "logged: b is primary, epoch 2: evidence ", 40) != 0) {
        fail("the log said: %s", last_notice);
    }
}

/* ---- what callers meet ----------------------------------------------------------------------------------- */

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
        roster_report(cluster, &b, ROSTER_MET_REFUSED);
        count_reads(cluster, &request, hits);
        CHECK(hits[0] == 0 && hits[1] == 0 && hits[2] == 300);
        roster_report(cluster, &c, ROSTER_MET_REFUSED); /* half of the pool at most */
        count_reads(cluster, &request, hits);
        CHECK(hits[1] == 0 && hits[2] == 300);
        roster_report(cluster, &b, ROSTER_MET_OTHER);
        count_reads(cluster, &request, hits);
        CHECK(hits[1] == 0);
        roster_report(cluster, &b, ROSTER_MET_OK);
        count_reads(cluster, &request, hits);
        CHECK(hits[1] > 90 && hits[2] > 90);
    }
    roster_report(cluster, &b, ROSTER_MET_REFUSED);
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
    roster_report(cluster, &before, ROSTER_MET_REFUSED); /* says nothing about its office */
    CHECK(writes_to(cluster, "a"));
    roster_report(cluster, &before, ROSTER_MET_READ_ONLY);
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, &to) == ROSTER_NO_ENDPOINT);
    put_topology("orders", 2, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    roster_report(cluster, &before, ROSTER_MET_READ_ONLY); /* late news of an older verdict */
    CHECK(writes_to(cluster, "b"));
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, &to) == ROSTER_OK);
    roster_report(cluster, &to, ROSTER_MET_READ_ONLY);
    CHECK(!writes_to(cluster, "b"));
    EVENTUALLY(writes_to(cluster, "b")); /* the verdict stands: back to it */
    roster_close(roster);
}

/* ---- threads and processes ----------------------------------------------------------------------------------- */

struct runner {
    pthread_t thread;
    struct roster_cluster *cluster;
    atomic_bool *stop;
    uint64_t routed;
    bool good;
};

/* Every answer is a function of one topology, and they never go back. */
static void *route_on(void *arg)
{
    struct runner *runner = arg;
    int64_t last = 0;
    while (!atomic_load(runner->stop)) {
        struct roster_endpoint to;
        struct roster_request request = {.policy = (enum roster_policy)(runner->routed % 3), .max_age_ms = 600000};
        if (roster_route(runner->cluster, runner->routed % 2 ? ROSTER_READ : ROSTER_WRITE, &request, &to) != ROSTER_OK ||
            to.port != 10000 + to.epoch || to.epoch < last) {
            runner->good = false;
        }
        last = to.epoch;
        if (runner->routed++ % 64 == 0) {
            roster_report(runner->cluster, &to, runner->routed % 128 ? ROSTER_MET_REFUSED : ROSTER_MET_OK);
        }
    }
    return NULL;
}

static void start_runners(struct runner *runners, size_t n, struct roster_cluster *cluster, atomic_bool *stop)
{
    for (size_t i = 0; i < n; i++) {
        runners[i] = (struct runner){.cluster = cluster, .stop = stop, .good = true};
        CHECK(pthread_create(&runners[i].thread, NULL, route_on, &runners[i]) == 0);
    }
}

static bool join_runners(struct runner *runners, size_t n, atomic_bool *stop)
{
    bool good = true;
    atomic_store(stop, true);
    for (size_t i = 0; i < n; i++) {
        pthread_join(runners[i].thread, NULL);
        good &= runners[i].good && runners[i].routed > 0;
    }
    return good;
}

static void threads_route_while_topologies_change(void)
{
    enum { THREADS = 4, CHANGES = 300 };
    struct runner runners[THREADS];
    atomic_bool stop = false;
    put_topology("busy", 1, "a");
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "busy");
    start_runners(runners, THREADS, cluster, &stop);
    for (int epoch = 2; epoch <= CHANGES; epoch++) {
        put_topology("busy", epoch, epoch % 2 ? "a" : "b");
    }
    EVENTUALLY(epoch_of(cluster) == CHANGES);
    CHECK(join_runners(runners, THREADS, &stop));
    roster_close(roster);
}

static void *subscribe_shared(void *arg)
{
    struct roster_cluster *cluster = NULL;
    roster_subscribe(arg, "shared", NULL, &cluster);
    return cluster;
}

static void *read_once(void *arg)
{
    struct roster_request request = {.policy = ROSTER_RANDOM};
    struct roster_endpoint to;
    return roster_route(arg, ROSTER_READ, &request, &to) == ROSTER_OK ? (void *)(uintptr_t)to.name[0] : NULL;
}

static void a_thread_per_request_spreads_its_reads_too(void)
{
    pthread_t thread;
    int hits[256] = {0};
    void *name;
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    for (int i = 0; i < 200; i++) {
        CHECK(pthread_create(&thread, NULL, read_once, cluster) == 0);
        pthread_join(thread, &name);
        hits[(uintptr_t)name & 255]++;
    }
    CHECK(hits['b'] > 50 && hits['c'] > 50 && hits['b'] + hits['c'] == 200);
    roster_close(roster);
}

static void threads_subscribe_to_one_name_and_get_one_object(void)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    void *cluster, *first = NULL;
    put_topology("shared", 1, "a");
    struct roster *roster = opened();
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, subscribe_shared, roster) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &cluster);
        CHECK(cluster && (!first || cluster == first));
        first = cluster;
    }
    roster_close(roster);
}

/* In a forked child: 0 when all is as promised, else the line. _exit keeps the parent's things out of it. */
static int in_child(struct roster *roster, struct roster_cluster *cluster)
{
    struct roster_endpoint to;
    struct roster_state state;
    struct roster_cluster *other;
    if (roster_route(cluster, ROSTER_WRITE, NULL, &to) != ROSTER_OK || roster_route(cluster, ROSTER_READ, NULL, &to) != ROSTER_OK) {
        return 1;
    }
    roster_report(cluster, &to, ROSTER_MET_REFUSED);
    if (roster_state(cluster, &state) != ROSTER_OK || state.connected) {
        return 2;
    }
    if (roster_subscribe(roster, "orders-too", NULL, &other) != ROSTER_INVALID || other) {
        return 3;
    }
    roster_close(roster);
    return 0;
}

static int wait_for(pid_t pid)
{
    int status;
    CHECK(pid > 0);
    while (waitpid(pid, &status, 0) < 0) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void children_route_on_and_leave_the_parent_alone(void)
{
    enum { CHILDREN = 30 };
    struct runner runners[2];
    atomic_bool stop = false;
    put_topology("forked", 1, "a");
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "forked");
    start_runners(runners, 2, cluster, &stop);
    for (int i = 0; i < CHILDREN; i++) {
        put_topology("forked", i + 2, i % 2 ? "a" : "b"); /* so that forks fall into updates */
        pid_t pid = fork();
        if (pid == 0) {
            alarm(60);
            _exit(in_child(roster, cluster));
        }
        int code = wait_for(pid);
        if (code) {
            fail("child %d ended with %d", i, code);
        }
    }
    EVENTUALLY(epoch_of(cluster) == CHILDREN + 1);
    CHECK(join_runners(runners, 2, &stop));
    roster_close(roster);
}

static int child_of_its_own(void)
{
    struct roster *roster;
    struct roster_cluster *cluster;
    struct roster_options options = {.servers = servers, .root = root, .session_timeout_ms = SESSION_MS};
    if (roster_open(&options, &roster) != ROSTER_OK) {
        return 1;
    }
    if (roster_subscribe(roster, "forked", NULL, &cluster) != ROSTER_OK || !writer(cluster)) {
        return 2;
    }
    roster_close(roster);
    return 0;
}

static void a_child_may_open_a_handle_of_its_own(void)
{
#ifdef UNDER_TSAN
    return; /* a child of threads may have none of its own there */
#endif
    put_topology("forked", 1, "a");
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "forked");
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        _exit(child_of_its_own());
    }
    int code = wait_for(pid);
    if (code) {
        fail("the child ended with %d", code);
    }
    put_topology("forked", 2, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    roster_close(roster);
}

/* Every thread but the first blocks every signal that can be. */
static void its_threads_block_all_signals(void)
{
    struct roster *roster = open_with((struct roster_options){.log = log_line});
    followed(roster, "orders");
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir);
    int looked = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[300], line[128], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = entry->d_name[0] != '.' ? fopen(path, "r") : NULL;
        while (file && fgets(line, sizeof line, file)) {
            unsigned long long blocked;
            sscanf(line, "Name: %31s", name);
            if (strncmp(name, "roster", 6) == 0 && sscanf(line, "SigBlk: %llx", &blocked) == 1) {
                looked++;
                CHECK((blocked | 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1) | 3ull << 31) == ~0ull); /* 32, 33: the C library's */
            }
        }
        if (file) {
            fclose(file);
        }
    }
    closedir(dir);
    CHECK(looked >= 2);
    roster_close(roster);
}

static void opening_and_closing_leaves_nothing_behind(void)
{
    roster_close(opened());
    EVENTUALLY(count_entries("/proc/self/task") == threads_at_start);
    int fds = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    for (int i = 0; i < 10; i++) {
        struct roster *roster = open_with((struct roster_options){.log = log_line});
        if (i % 2) {
            followed(roster, "orders");
        }
        roster_close(roster);
    }
    EVENTUALLY(count_entries("/proc/self/task") == threads);
    CHECK(count_entries("/proc/self/fd") == fds);
}

/* ---- the cache --------------------------------------------------------------------------------------------------- */

static char cache_dir[64];

static void make_cache(void)
{
    snprintf(cache_dir, sizeof cache_dir, "/tmp/roster-cache-XXXXXX");
    CHECK(mkdtemp(cache_dir));
}

static void remove_cache(void)
{
    char path[400];
    DIR *dir = opendir(cache_dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", cache_dir, entry->d_name);
        unlink(path);
    }
    closedir(dir);
    rmdir(cache_dir);
}

static void fill_cache(const char *cluster, int epoch, const char *primary)
{
    put_topology(cluster, epoch, primary);
    struct roster *roster = open_with((struct roster_options){.cache_dir = cache_dir});
    CHECK(writes_to(followed(roster, cluster), primary));
    roster_close(roster); /* writes what is left */
}

static struct roster *open_cold(void)
{
    return open_with((struct roster_options){.servers = "127.0.0.1:1", .cache_dir = cache_dir});
}

static void a_cold_start_routes_by_the_cache(void)
{
    struct roster_cluster *cluster, *unknown;
    make_cache();
    fill_cache("kept", 3, "c");
    fill_cache("kept-too", 1, "a");
    struct roster *roster = open_cold();
    int64_t start_ms = now_ms();
    struct roster_subscription patient = {.wait_ms = 400};
    CHECK(roster_subscribe(roster, "kept", &patient, &cluster) == ROSTER_OK);
    CHECK(writes_to(cluster, "c"));
    struct roster_state state = state_of(cluster);
    CHECK(state.cached && !state.connected && state.epoch == 3 && state.witnesses_now == -1 && state.age_ms >= 0);
    CHECK(roster_subscribe(roster, "kept-too", &patient, &cluster) == ROSTER_OK);
    CHECK(now_ms() - start_ms < 4000); /* they did not wait one after the other */
    CHECK(roster_subscribe(roster, "not-kept", &patient, &unknown) == ROSTER_UNREACHABLE && unknown);
    CHECK(roster_subscribe(roster, "kept", &(struct roster_subscription){.wait_ms = -1}, &cluster) == ROSTER_OK);
    roster_close(roster);
    remove_cache();
}

static void the_registry_beats_the_cache(void)
{
    struct roster_cluster *cluster;
    make_cache();
    fill_cache("kept", 3, "c");
    put_topology("kept", 4, "b");
    struct roster *roster = open_with((struct roster_options){.cache_dir = cache_dir});
    cluster = followed(roster, "kept");
    CHECK(writes_to(cluster, "b") && !state_of(cluster).cached);
    roster_close(roster);
    roster = open_cold();
    CHECK(roster_subscribe(roster, "kept", &(struct roster_subscription){.wait_ms = -1}, &cluster) == ROSTER_OK);
    CHECK(writes_to(cluster, "b"));
    roster_close(roster);
    remove_cache();
}

static void spoil(const char *how)
{
    char path[200], copy[220];
    snprintf(path, sizeof path, "%s/kept.roster", cache_dir);
    snprintf(copy, sizeof copy, "%s/elsewhere", cache_dir);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    if (strcmp(how, "torn") == 0) {
        CHECK(ftruncate(fd, 500) == 0);
    } else if (strcmp(how, "flipped") == 0) {
        CHECK(pwrite(fd, "X", 1, 600) == 1);
    } else if (strcmp(how, "empty") == 0) {
        CHECK(ftruncate(fd, 0) == 0);
    } else if (strcmp(how, "longer") == 0) {
        CHECK(lseek(fd, 0, SEEK_END) > 0 && write(fd, "\n", 1) == 1);
    } else if (strcmp(how, "link") == 0) {
        CHECK(rename(path, copy) == 0 && symlink("elsewhere", path) == 0);
    } else {
        CHECK(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    }
    close(fd);
}

static void a_cache_file_that_is_not_whole_and_ours_is_as_good_as_absent(void)
{
    static const char *const ways[] = {"torn", "flipped", "empty", "longer", "link", "fifo"};
    struct roster_cluster *cluster;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        make_cache();
        fill_cache("kept", 3, "c");
        spoil(ways[i]);
        struct roster *roster = open_cold();
        if (roster_subscribe(roster, "kept", &(struct roster_subscription){.wait_ms = -1}, &cluster) != ROSTER_UNREACHABLE) {
            fail("%s: it was used", ways[i]);
        }
        roster_close(roster);
        remove_cache();
    }
}

static void a_cache_directory_open_to_others_is_refused(void)
{
    struct roster *roster;
    make_cache();
    CHECK(chmod(cache_dir, 0770) == 0);
    struct roster_options options = {.servers = servers, .cache_dir = cache_dir};
    CHECK(roster_open(&options, &roster) == ROSTER_INVALID && strstr(roster_error(), "0700"));
    remove_cache();
}

/* ---- the registry's bad days --------------------------------------------------------------------------------------- */

static void without_a_registry_subscribing_waits_no_longer_than_told(void)
{
    struct roster_cluster *cluster;
    struct roster_endpoint to;
    struct roster *roster = open_with((struct roster_options){.servers = "127.0.0.1:1"});
    int64_t start_ms = now_ms();
    struct roster_subscription patient = {.wait_ms = 300};
    CHECK(roster_subscribe(roster, "orders", &patient, &cluster) == ROSTER_UNREACHABLE && cluster);
    CHECK(now_ms() - start_ms >= 300 && now_ms() - start_ms < 5000);
    CHECK(roster_route(cluster, ROSTER_WRITE, NULL, &to) == ROSTER_NO_CLUSTER);
    start_ms = now_ms();
    roster_close(roster);
    CHECK(now_ms() - start_ms < 3000);
}

static void a_hung_resolver_delays_neither_open_nor_close(void)
{
    struct roster_cluster *cluster;
    atomic_store(&resolver_hangs, 1);
    int64_t start_ms = now_ms();
    struct roster *roster = open_with((struct roster_options){.servers = "localhost:1", .log = log_line});
    CHECK(roster_subscribe(roster, "orders", &(struct roster_subscription){.wait_ms = -1}, &cluster) == ROSTER_UNREACHABLE);
    EVENTUALLY(atomic_load(&resolver_hung) > 0);
    CHECK(now_ms() - start_ms < 5000);
    start_ms = now_ms();
    roster_close(roster);
    CHECK(now_ms() - start_ms < 4000);
    atomic_store(&resolver_hangs, 0); /* its thread comes back, and cleans up after itself */
    EVENTUALLY(count_entries("/proc/self/task") == threads_at_start);
}

static void a_hung_registry_ages_the_answer_and_expiry_heals(void)
{
    struct roster_endpoint to;
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    struct roster_request limited = {.max_age_ms = 500};
    CHECK(roster_route(cluster, ROSTER_WRITE, &limited, &to) == ROSTER_OK);
    stop_server();
    EVENTUALLY(roster_route(cluster, ROSTER_WRITE, &limited, &to) == ROSTER_TOO_OLD);
    CHECK(writes_to(cluster, "a") && !state_of(cluster).connected);
    EVENTUALLY(state_of(cluster).age_ms > 3 * SESSION_MS); /* the session expires meanwhile */
    CHECK(writes_to(cluster, "a"));
    continue_server();
    EVENTUALLY(state_of(cluster).age_ms == 0 && state_of(cluster).connected);
    put_topology("orders", 2, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    CHECK(!state_of(cluster).refused[0]);
    roster_close(roster);
}

static void closing_while_the_registry_hangs_takes_two_seconds_at_most(void)
{
    struct roster *roster = opened();
    followed(roster, "orders");
    stop_server();
    int64_t start_ms = now_ms();
    roster_close(roster);
    int64_t took_ms = now_ms() - start_ms;
    continue_server();
    if (took_ms > 3000) { /* some grace for a busy machine */
        fail("it took %lld ms", (long long)took_ms);
    }
}

/* ---- running them ------------------------------------------------------------------------------------------------------ */

#define TEST(name, stops) {#name, name, stops}

static const struct test {
    const char *name;
    void (*run)(void);
    bool stops; /* the server: needs its process id */
} tests[] = {
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
    TEST(threads_route_while_topologies_change, false),
    TEST(a_thread_per_request_spreads_its_reads_too, false),
    TEST(threads_subscribe_to_one_name_and_get_one_object, false),
    TEST(children_route_on_and_leave_the_parent_alone, false),
    TEST(a_child_may_open_a_handle_of_its_own, false),
    TEST(its_threads_block_all_signals, false),
    TEST(opening_and_closing_leaves_nothing_behind, false),
    TEST(a_cold_start_routes_by_the_cache, false),
    TEST(the_registry_beats_the_cache, false),
    TEST(a_cache_file_that_is_not_whole_and_ours_is_as_good_as_absent, false),
    TEST(a_cache_directory_open_to_others_is_refused, false),
    TEST(without_a_registry_subscribing_waits_no_longer_than_told, false),
    TEST(a_hung_resolver_delays_neither_open_nor_close, false),
    TEST(a_hung_registry_ages_the_answer_and_expiry_heals, true),
    TEST(closing_while_the_registry_hangs_takes_two_seconds_at_most, true),
};

static bool run(const struct test *test)
{
    int64_t start_ms = now_ms();
    if (setjmp(failed) == 0) {
        begin();
        test->run();
        printf("ok %s (%lld ms)\n", test->name, (long long)(now_ms() - start_ms));
        return true;
    }
    atomic_store(&resolver_hangs, 0);
    if (server_pid) {
        continue_server();
    }
    printf("not ok %s %s\n", test->name, reason);
    return false;
}

static bool connect_to_registry(void)
{
    zoo_set_debug_level((ZooLogLevel)0);
    zk = zookeeper_init(servers, NULL, 30000, NULL, NULL, 0);
    if (zk) {
        zoo_set_servers_resolution_delay(zk, -1); /* it would ask the resolver on every packet, also while that hangs */
    }
    for (int64_t until_ms = now_ms() + PATIENCE_MS; zk && zoo_state(zk) != ZOO_CONNECTED_STATE && now_ms() < until_ms;) {
        pause_ms(5);
    }
    return zk && zoo_state(zk) == ZOO_CONNECTED_STATE;
}

int main(int argc, char **argv)
{
    bool good = true;
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: library_test SERVERS [PID [WORD]]\n");
        return 2;
    }
    servers = argv[1];
    server_pid = argc > 2 ? (pid_t)atol(argv[2]) : 0;
    const char *word = argc > 3 ? argv[3] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(root, sizeof root, "/library-test-%ld", (long)getpid());
    if (!connect_to_registry()) {
        fprintf(stderr, "library_test: %s was not reached\n", servers);
        return 1;
    }
    threads_at_start = count_entries("/proc/self/task");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (strstr(tests[i].name, word) && (server_pid || !tests[i].stops)) {
            good &= run(&tests[i]);
        }
    }
    zookeeper_close(zk);
    return good ? 0 : 1;
}
