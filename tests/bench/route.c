/* route - what a routing decision costs, beside what else one could do.
 *
 * Prints nanoseconds per roster_route() on one thread and on two, beside the
 * same endpoint copied out of a table under a mutex, beside the copy alone,
 * and beside a bare atomic load; of many short interleaved runs the least
 * disturbed one counts.
 * Needs no registry: it starts cold from a cache file of its own making. */
#include <roster.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "registry/model/codec.h"
#include "watchers/cache.h"

enum { RUNS = 31, THREADS_MAX = 2, TIMES = 200000, SENTENCE = 512 };

static struct roster_cluster *cluster;
static volatile size_t used =
    offsetof(struct roster_endpoint, host) + sizeof "10.0.0.1"; /* as much as roster_route copies */
static struct roster_endpoint shared = {.name = "pg-1", .host = "10.0.0.1", .port = 5432};
static struct roster_endpoint *_Atomic pointer = &shared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int ready;
static atomic_bool go;

/* The compiler must believe that somebody looks at it. */
static void use(const void *what)
{
    __asm__ volatile("" : : "g"(what) : "memory");
}

/* ---- what is measured ------------------------------------------------------------------------ */

static void route(enum roster_access access, enum roster_policy policy)
{
    struct roster_endpoint to;
    struct roster_request request = {.policy = policy};
    for (int i = 0; i < TIMES; i++) {
        if (roster_route(cluster, access, &request, &to) != ROSTER_OK) {
            abort();
        }
        use(&to);
    }
}

static void route_write(void)
{
    route(ROSTER_WRITE, ROSTER_ROUND_ROBIN);
}

static void route_round_robin(void)
{
    route(ROSTER_READ, ROSTER_ROUND_ROBIN);
}

static void route_random(void)
{
    route(ROSTER_READ, ROSTER_RANDOM);
}

static void route_weighted(void)
{
    route(ROSTER_READ, ROSTER_WEIGHTED);
}

static void route_with_age(void)
{
    struct roster_endpoint to;
    struct roster_request request = {.max_age_ms = INT64_MAX / 4};
    for (int i = 0; i < TIMES; i++) {
        if (roster_route(cluster, ROSTER_WRITE, &request, &to) != ROSTER_OK) {
            abort();
        }
        use(&to);
    }
}

static void copy_under_mutex(void)
{
    struct roster_endpoint to;
    size_t size = used;
    for (int i = 0; i < TIMES; i++) {
        pthread_mutex_lock(&mutex);
        memcpy(&to, atomic_load_explicit(&pointer, memory_order_relaxed), size);
        pthread_mutex_unlock(&mutex);
        use(&to);
    }
}

static void copy_alone(void)
{
    struct roster_endpoint to;
    size_t size = used;
    for (int i = 0; i < TIMES; i++) {
        memcpy(&to, atomic_load_explicit(&pointer, memory_order_acquire), size);
        use(&to);
    }
}

static void load_alone(void)
{
    for (int i = 0; i < TIMES; i++) {
        use(atomic_load_explicit(&pointer, memory_order_acquire));
    }
}

static const struct contender {
    const char *name;
    void (*run)(void);
} contenders[] = {
    {"bare atomic load", load_alone},
    {"endpoint copied, unprotected", copy_alone},
    {"endpoint copied under a mutex", copy_under_mutex},
    {"roster_route, write", route_write},
    {"roster_route, write, max_age_ms", route_with_age},
    {"roster_route, read, round-robin", route_round_robin},
    {"roster_route, read, random", route_random},
    {"roster_route, read, weighted", route_weighted},
};
enum { CONTENDERS = sizeof contenders / sizeof *contenders, LOAD = 0, MUTEX = 2 };

/* ---- measuring ------------------------------------------------------------------------------- */

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *run(void *arg)
{
    const struct contender *contender = arg;
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&go)) {
    }
    contender->run();
    return NULL;
}

/* Nanoseconds per call and thread. */
static double measure(const struct contender *contender, int threads)
{
    pthread_t thread[THREADS_MAX];
    atomic_store(&ready, 0);
    atomic_store(&go, false);
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&thread[i], NULL, run, (void *)(uintptr_t)contender) != 0) {
            abort();
        }
    }
    while (atomic_load(&ready) < threads) {
    }
    double start_ns = now_ns();
    atomic_store(&go, true);
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
    return (now_ns() - start_ns) / TIMES;
}

static void compare_all(int threads, double least_ns[CONTENDERS])
{
    /* interleaved: what else the machine does hits all alike */
    for (int r = 0; r < RUNS; r++) {
        for (int c = 0; c < CONTENDERS; c++) {
            double ns = measure(&contenders[c], threads);
            if (r == 0 || ns < least_ns[c]) {
                least_ns[c] = ns;
            }
        }
    }
}

static void print(void)
{
    double one[CONTENDERS], two[CONTENDERS];
    compare_all(1, one);
    compare_all(2, two);
    printf("%-34s %10s %8s %8s %10s %8s %8s\n", "ns per call and thread", "1 thread", "/ load",
           "/ mutex", "2 threads", "/ load", "/ mutex");
    for (int c = 0; c < CONTENDERS; c++) {
        printf("%-34s %10.2f %8.1f %8.2f %10.2f %8.1f %8.2f\n", contenders[c].name, one[c],
               one[c] / one[LOAD], one[c] / one[MUTEX], two[c], two[c] / two[LOAD],
               two[c] / two[MUTEX]);
    }
}

/* ---- a topology without a registry ----------------------------------------------------------- */

static struct topology *sample(void)
{
    struct topology *topology = calloc(1, sizeof *topology);
    if (!topology) {
        abort();
    }
    *topology = (struct topology){.cluster = "bench",
                                  .epoch = 1,
                                  .rules = 1,
                                  .policy.witnesses = 3,
                                  .primary = "pg-1",
                                  .rule = RULE_SOLE_CLAIMANT,
                                  .by = "bench",
                                  .member_count = 5};
    for (int i = 0; i < topology->member_count; i++) {
        struct member *member = &topology->members[i];
        *member = (struct member){
            .role = i ? ROLE_SECONDARY : ROLE_PRIMARY, .health = HEALTH_UP, .reason = ANSWER_OK};
        member->lag =
            (struct lag){.state = i ? LAG_OK : LAG_UNKNOWN, .bytes = i ? 0 : -1, .ms = i ? 0 : -1};
        snprintf(member->config.name, sizeof member->config.name, "pg-%d", i + 1);
        snprintf(member->config.host, sizeof member->config.host, "10.0.0.%d", i + 1);
        member->config.port = 5432;
        member->config.weight = (uint16_t)(100 * (i + 1));
    }
    return topology;
}

int main(void)
{
    char dir[] = "/tmp/roster-bench-XXXXXX", file[64], sentence[SENTENCE] = "no folder in /tmp";
    struct roster *roster;
    struct topology *topology = sample();
    if (!mkdtemp(dir) ||
        !cache_save(dir, topology, &(struct provenance){.mzxid = 1}, sentence, sizeof sentence)) {
        fprintf(stderr, "route: no cache file: %s\n", sentence);
        return 1;
    }
    free(topology);
    snprintf(file, sizeof file, "%s/bench.roster", dir);
    enum roster_status status =
        roster_open(&(struct roster_options){.servers = "127.0.0.1:1", .cache_dir = dir}, &roster);
    if (status == ROSTER_OK) {
        status = roster_subscribe(roster, "bench", &(struct roster_subscription){.wait_ms = -1},
                                  &cluster);
    }
    if (status == ROSTER_OK) {
        print();
        roster_close(roster);
    } else {
        fprintf(stderr, "route: %s: %s\n", roster_strerror(status), roster_error());
    }
    unlink(file);
    rmdir(dir);
    return status == ROSTER_OK ? 0 : 1;
}
