/* propagation - what libroster adds to ZooKeeper's own way from a write to a reader.
 *
 *     propagation SERVERS [TIMES]
 *
 * Writes TIMES (500) topologies as a probe would and measures each time from
 * the write's issue to
 *
 *     raw      another session's watch has fired and its get has brought the value; nothing else
 *              is done with it
 *     roster   a libroster callback runs, after routing follows: decoded, judged, made a table and
 *              published
 *
 * turn by turn, a raw one of the same bytes and a roster one, every session at
 * the same server. Prints milliseconds: median, p90 and greatest, and the ratio
 * of the medians. Uses the root /bench-propagation, which it removes.
 *
 * Exit: 0 measured, 1 not (why is on stderr), 2 usage. */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zookeeper/zookeeper.h>

#include <roster.h>

#include "registry/model/codec.h"

#define ROOT "/bench-propagation"
#define TOPOLOGY ROOT "/clusters/bench/topology"
#define RAW ROOT "/raw"

enum { TIMES = 500, TIMES_MAX = 100000, PATIENCE_S = 10 };

static sem_t arrived; /* what was written last reached its reader */
static _Atomic int64_t arrived_ns;
static _Atomic int32_t raw_expected;   /* version of the raw znode */
static _Atomic int64_t epoch_expected; /* of the topology */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void arrive(void)
{
    atomic_store(&arrived_ns, now_ns());
    sem_post(&arrived);
}

static bool wait_arrival(const char *what)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    int rc;
    while ((rc = sem_timedwait(&arrived, &until)) != 0 && errno == EINTR) {
    }
    if (rc != 0) {
        fprintf(stderr, "propagation: %s: nothing arrives\n", what);
    }
    return rc == 0;
}

/* ---- the two readers ------------------------------------------------------------------------- */

static void raw_fired(zhandle_t *zh, int type, int state, const char *path, void *context);

static void raw_got(int rc, const char *value, int len, const struct Stat *stat,
                    const void *context)
{
    (void)value;
    (void)len;
    (void)context;
    if (rc == ZOK && stat->version == atomic_load(&raw_expected)) {
        arrive();
    }
}

static void raw_read(zhandle_t *zh)
{
    zoo_awget(zh, RAW, raw_fired, NULL, raw_got, NULL);
}

static void raw_fired(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)state;
    (void)path;
    (void)context;
    if (type == ZOO_CHANGED_EVENT) {
        raw_read(zh);
    }
}

static void changed(void *context, const struct roster_change *change)
{
    (void)context;
    if (change->epoch == atomic_load(&epoch_expected)) {
        arrive();
    }
}

/* ---- the writer ------------------------------------------------------------------------------ */

static void name_member(struct topology *topology, int i)
{
    struct member *member = &topology->members[i];
    member->health = HEALTH_UP;
    snprintf(member->config.name, sizeof member->config.name, "pg-%d", i + 1);
    snprintf(member->config.host, sizeof member->config.host, "10.0.0.%d", i + 1);
    member->config.port = 5432;
    member->config.weight = 100;
}

/* The primary is pg-1 and pg-2 by turns. On the heap, as JSON. */
static char *topology_of(int64_t epoch)
{
    static struct topology topology;
    topology = (struct topology){.cluster = "bench",
                                 .epoch = epoch,
                                 .rules = MODEL_RULES,
                                 .policy.witnesses = 1,
                                 .rule = RULE_SOLE_CLAIMANT,
                                 .by = "bench",
                                 .why = "it is measured how long this takes",
                                 .member_count = 3,
                                 .evidence_count = 1,
                                 .evidence[0] = {.probe = "bench", .mzxid = 1}};
    for (int i = 0; i < topology.member_count; i++) {
        bool primary = i == epoch % 2;
        name_member(&topology, i);
        topology.members[i].role = primary ? ROLE_PRIMARY : ROLE_SECONDARY;
        topology.members[i].lag =
            (struct lag){primary ? LAG_UNKNOWN : LAG_OK, primary ? -1 : 0, primary ? -1 : 0, -1, 0};
        if (primary) {
            strcpy(topology.primary, topology.members[i].config.name);
        }
    }
    return topology_encode(&topology);
}

static void written(int rc, const struct Stat *stat, const void *context)
{
    (void)stat;
    if (rc != ZOK) {
        fprintf(stderr, "propagation: %s: %s\n", (const char *)context, zerror(rc));
    }
}

/* Milliseconds from the write to its arrival; negative: it did not. */
static double write_one(zhandle_t *zh, const char *path, const char *json)
{
    int64_t begin_ns = now_ns();
    if (zoo_aset(zh, path, json, (int)strlen(json), -1, written, path) != ZOK ||
        !wait_arrival(path)) {
        return -1;
    }
    return (double)(atomic_load(&arrived_ns) - begin_ns) / 1e6;
}

static void pause_between(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000 + rand() % 1000000}, NULL);
}

static bool measure(zhandle_t *zh, int times, double *raw, double *roster)
{
    for (int i = 0; i < times; i++) {
        char *json = topology_of(i + 2);
        atomic_store(&raw_expected, i + 1);
        atomic_store(&epoch_expected, i + 2);
        raw[i] = json ? write_one(zh, RAW, json) : -1;
        pause_between();
        roster[i] = raw[i] >= 0 ? write_one(zh, TOPOLOGY, json) : -1;
        pause_between();
        free(json);
        if (roster[i] < 0) {
            return false;
        }
    }
    return true;
}

/* ---- results --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double print_line(const char *what, double *ms, int times)
{
    qsort(ms, (size_t)times, sizeof *ms, compare);
    printf("%-34s %10.2f %8.2f %8.2f\n", what, ms[times / 2], ms[times * 9 / 10], ms[times - 1]);
    return ms[times / 2];
}

static void print(double *raw, double *roster, int times)
{
    printf("%-34s %10s %8s %8s\n", "ms from write to reader", "median", "p90", "max");
    double raw_median = print_line("ZooKeeper set, watch, get", raw, times);
    double roster_median = print_line("topology written, callback called", roster, times);
    printf("%-34s %10.2f\n", "ratio of the medians", roster_median / raw_median);
}

/* ---- setting up ------------------------------------------------------------------------------ */

static zhandle_t *connect_to(const char *servers)
{
    zhandle_t *zh = zookeeper_init(servers, NULL, 10000, NULL, NULL, 0);
    if (zh) {
        zoo_set_servers_resolution_delay(zh, -1);
    }
    for (int waited = 0; zh && zoo_state(zh) != ZOO_CONNECTED_STATE; waited++) {
        if (waited >= 10000) {
            zookeeper_close(zh);
            return NULL;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return zh;
}

static bool create(zhandle_t *zh, const char *path, const char *value, int mode)
{
    int rc = zoo_create(zh, path, value, (int)strlen(value), &ZOO_OPEN_ACL_UNSAFE, mode, NULL, 0);
    if (rc != ZOK) {
        fprintf(stderr, "propagation: %s: %s\n", path, zerror(rc));
    }
    return rc == ZOK;
}

static bool create_all(zhandle_t *zh)
{
    char *registry_id = registry_id_encode(
        &(struct registry_id){.registry = "00000000-0000-4000-8000-000000000000"});
    char *presence = presence_encode(
        &(struct presence){.probe = "bench", .host = "bench", .pid = 1, .nonce = 1, .beat = 1});
    char *topology = topology_of(1);
    bool made = registry_id && presence && topology && create(zh, ROOT, registry_id, 0) &&
                create(zh, ROOT "/probes", "", 0) &&
                create(zh, ROOT "/probes/bench", presence, ZOO_EPHEMERAL) &&
                create(zh, ROOT "/clusters", "", 0) && create(zh, ROOT "/clusters/bench", "", 0) &&
                create(zh, TOPOLOGY, topology, 0) && create(zh, RAW, topology, 0);
    free(registry_id);
    free(presence);
    free(topology);
    return made;
}

static void delete_all(zhandle_t *zh)
{
    static const char *const paths[] = {RAW,
                                        TOPOLOGY,
                                        ROOT "/clusters/bench",
                                        ROOT "/clusters",
                                        ROOT "/probes/bench",
                                        ROOT "/probes",
                                        ROOT};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        zoo_delete(zh, paths[i], -1);
    }
}

static bool run(const char *servers, zhandle_t *writer, zhandle_t *reader, int times)
{
    double *ms = calloc((size_t)times * 2, sizeof *ms);
    struct roster *roster = NULL;
    struct roster_cluster *cluster;
    bool measured = false;
    raw_read(reader);
    if (!ms || !wait_arrival(RAW)) {
        goto end;
    }
    atomic_store(&epoch_expected, 1);
    if (roster_open(&(struct roster_options){.servers = servers, .root = ROOT}, &roster) !=
            ROSTER_OK ||
        roster_subscribe(roster, "bench", &(struct roster_subscription){.changed = changed},
                         &cluster) != ROSTER_OK) {
        fprintf(stderr, "propagation: %s\n", roster_error());
        goto end;
    }
    measured = wait_arrival(TOPOLOGY) && measure(writer, times, ms, ms + times);
    if (measured) {
        print(ms, ms + times, times);
    }
end:
    roster_close(roster);
    free(ms);
    return measured;
}

int main(int argc, char **argv)
{
    int times = argc == 3 ? atoi(argv[2]) : TIMES;
    if (argc < 2 || argc > 3 || times < 1 || times > TIMES_MAX) {
        fputs("usage: propagation SERVERS [TIMES]\n", stderr);
        return 2;
    }
    zoo_set_debug_level((ZooLogLevel)0);
    /* of this process: every session begins at the first server */
    zoo_deterministic_conn_order(1);
    sem_init(&arrived, 0, 0);
    zhandle_t *writer = connect_to(argv[1]), *reader = connect_to(argv[1]);
    bool measured = false;
    if (writer && reader) {
        delete_all(writer); /* what a run that was killed has left */
        measured = create_all(writer) && run(argv[1], writer, reader, times);
        delete_all(writer);
    } else {
        fprintf(stderr, "propagation: %s: not reached\n", argv[1]);
    }
    if (reader) {
        zookeeper_close(reader);
    }
    if (writer) {
        zookeeper_close(writer);
    }
    return measured ? 0 : 1;
}
