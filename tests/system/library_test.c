/* library_test SERVERS [PID [WORD]] - what roster.h promises, asked of a real ZooKeeper.
 *
 * With the server's PID the tests that stop and continue it run too. WORD
 * picks the tests whose names contain it. Prints "ok NAME" or "not ok NAME
 * REASON" per test; exits 1 when one failed. The topologies are written by
 * hand: there are no probes here. */
#include "tests/system/library_test.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

enum { TEXT_SIZE = 8192 };

const char *servers;
static pid_t server_pid;
char root[64];
static zhandle_t *zk;
int threads_at_start;

static jmp_buf failed;
static char reason[512];

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    longjmp(failed, 1);
}

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* ---- the registry, by hand ------------------------------------------------------------------- */

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

void put(const char *path, const char *data)
{
    char full[256];
    int rc;
    snprintf(full, sizeof full, "%s%s", root, path);
    for (int64_t until_ms = now_ms() + PATIENCE_MS;
         is_passing(rc = put_once(full, data)) && now_ms() < until_ms;) {
        pause_ms(50);
    }
    if (rc != ZOK && rc != ZNODEEXISTS) {
        fail("put %s: %s", full, zerror(rc));
    }
}

void take(const char *path)
{
    char full[256];
    int rc;
    snprintf(full, sizeof full, "%s%s", root, path);
    for (int64_t until_ms = now_ms() + PATIENCE_MS;
         is_passing(rc = zoo_delete(zk, full, -1)) && now_ms() < until_ms;) {
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

/* Three members a, b, c; `primary` is one of them or NULL. Every port shows the epoch: 10000 +
 * epoch. */
static void topology_text(char *to, size_t size, const char *cluster, int epoch,
                          const char *primary, int64_t at_ms)
{
    static const char *const names[] = {"a", "b", "c"};
    char at[40], seen[40], name[80];
    snprintf(name, sizeof name, primary ? "\"%s\"" : "null", primary);
    int n =
        snprintf(to, size,
                 "{ \"format\": 1, \"cluster\": \"%s\", \"engine\": \"postgresql\", \"kind\": "
                 "\"streaming\", "
                 "\"conflict\": \"hold\", \"witnesses\": 3, \"epoch\": %d, \"state\": \"%s\", "
                 "\"primary\": %s, "
                 "\"lineage\": \"%d\", \"identity\": \"4711\", \"why\": \"because\", \"rule\": "
                 "\"sole\", \"rules\": 1, "
                 "\"by\": \"probe-a\", \"at_wall\": \"%s\", \"seen_wall\": \"%s\", \"members\": [",
                 cluster, epoch, primary ? "ok" : "no-primary", name, epoch,
                 time_text(at, sizeof at, at_ms), time_text(seen, sizeof seen, at_ms - 22));
    for (int i = 0; i < 3; i++) {
        bool leads = primary && strcmp(names[i], primary) == 0;
        n += snprintf(to + n, size - (size_t)n,
                      "%s { \"name\": \"%s\", \"host\": \"10.0.0.%d\", \"port\": %d, \"role\": "
                      "\"%s\", \"health\": \"up\", %s"
                      "\"weight\": 100, \"labels\": { \"rack\": \"%d\", \"zone\": \"z\" } }",
                      i ? "," : "", names[i], i + 1, 10000 + epoch % 50000,
                      leads ? "primary" : "secondary",
                      leads ? "" : "\"lag\": { \"state\": \"ok\", \"bytes\": 0, \"ms\": 0 }, ", i);
    }
    snprintf(
        to + n, size - (size_t)n,
        " ], \"evidence\": { \"probe-a\": \"1\", \"probe-b\": \"2\", \"directives\": \"3\" } }\n");
}

void put_topology(const char *cluster, int epoch, const char *primary)
{
    put_topology_of(cluster, epoch, primary, 0);
}

void put_topology_of(const char *cluster, int epoch, const char *primary, int64_t ahead_ms)
{
    char text[TEXT_SIZE], path[128];
    topology_text(text, sizeof text, cluster, epoch, primary, wall_ms() + ahead_ms);
    snprintf(path, sizeof path, "/clusters/%s", cluster);
    put(path, NULL);
    strcat(path, "/topology");
    put(path, text);
}

/* What every test finds. */
static void begin(void)
{
    put("", "{ \"format\": 1, \"registry\": \"11111111-aaaa-4bbb-8ccc-000000000001\", "
            "\"supersedes\": [] }");
    put("/probes", NULL);
    put("/probes/probe-a", NULL);
    put("/clusters", NULL);
    put_topology("orders", 1, "a");
}

void stop_server(void)
{
    CHECK(kill(server_pid, SIGSTOP) == 0);
}

void continue_server(void)
{
    kill(server_pid, SIGCONT);
}

/* ---- a handle -------------------------------------------------------------------------------- */

struct roster *open_with(struct roster_options options)
{
    return open_for(options, SESSION_MS);
}

struct roster *open_for(struct roster_options options, unsigned session_timeout_ms)
{
    struct roster *roster;
    options.servers = options.servers ? options.servers : servers;
    options.root = root;
    options.session_timeout_ms = session_timeout_ms;
    if (roster_open(&options, &roster) != ROSTER_OK) {
        fail("roster_open: %s", roster_error());
    }
    return roster;
}

struct roster *opened(void)
{
    return open_with((struct roster_options){0});
}

struct roster_cluster *followed(struct roster *roster, const char *name)
{
    struct roster_cluster *cluster;
    enum roster_status status = roster_subscribe(
        roster, name, &(struct roster_subscription){.wait_ms = PATIENCE_MS}, &cluster);
    if (status != ROSTER_OK) {
        fail("roster_subscribe: %s: %s", roster_strerror(status), roster_error());
    }
    return cluster;
}

const char *writer(struct roster_cluster *cluster)
{
    static __thread struct roster_endpoint to;
    enum roster_status status = roster_route(cluster, ROSTER_WRITE, NULL, &to);
    return status == ROSTER_OK ? to.name : roster_strerror(status);
}

bool writes_to(struct roster_cluster *cluster, const char *name)
{
    return strcmp(writer(cluster), name) == 0;
}

int64_t epoch_of(struct roster_cluster *cluster)
{
    struct roster_state state;
    return roster_state(cluster, &state) == ROSTER_OK ? state.epoch : -1;
}

struct roster_state state_of(struct roster_cluster *cluster)
{
    struct roster_state state;
    roster_state(cluster, &state);
    return state;
}

/* ---- running them ---------------------------------------------------------------------------- */

int count_entries(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    if (!dir) {
        fail("opendir %s", path);
    }
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static bool run(const struct test *test)
{
    int64_t start_ms = now_ms();
    if (setjmp(failed) == 0) {
        begin();
        test->run();
        printf("ok %s (%lld ms)\n", test->name, (long long)(now_ms() - start_ms));
        return true;
    }
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
        /* it would ask the resolver on every packet, also while that hangs */
        zoo_set_servers_resolution_delay(zk, -1);
    }
    for (int64_t until_ms = now_ms() + PATIENCE_MS;
         zk && zoo_state(zk) != ZOO_CONNECTED_STATE && now_ms() < until_ms;) {
        pause_ms(5);
    }
    return zk && zoo_state(zk) == ZOO_CONNECTED_STATE;
}

static bool run_all(const struct test *tests, const char *word)
{
    bool good = true;
    for (; tests->name; tests++) {
        if (strstr(tests->name, word) && (server_pid || !tests->stops)) {
            good &= run(tests);
        }
    }
    return good;
}

int main(int argc, char **argv)
{
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
    bool good = run_all(follow_tests, word);
    good &= run_all(life_tests, word);
    good &= run_all(age_tests, word);
    good &= run_all(guest_tests, word);
    good &= run_all(names_tests, word);
    zookeeper_close(zk);
    return good ? 0 : 1;
}
