/* library_test, second part: threads, forks, the cache, and the registry's bad days. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/library_test.h"

/* ---- threads and processes ------------------------------------------------------------------- */

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
        struct roster_request request = {.policy = (enum roster_policy)(runner->routed % 3),
                                         .max_age_ms = 600000};
        if (roster_route(runner->cluster, runner->routed % 2 ? ROSTER_READ : ROSTER_WRITE, &request,
                         &to) != ROSTER_OK ||
            to.port != 10000 + to.epoch || to.epoch < last) {
            runner->good = false;
        }
        last = to.epoch;
        if (runner->routed++ % 64 == 0) {
            roster_feedback(runner->cluster, &to,
                            runner->routed % 128 ? ROSTER_OUTCOME_REFUSED : ROSTER_OUTCOME_OK);
        }
    }
    return NULL;
}

static void start_runners(struct runner *runners, size_t n, struct roster_cluster *cluster,
                          atomic_bool *stop)
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
    return roster_route(arg, ROSTER_READ, &request, &to) == ROSTER_OK
               ? (void *)(uintptr_t)to.name[0]
               : NULL;
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

/* In a forked child: 0 when all is as promised, else the line. _exit keeps the parent's things out
 * of it. */
static int in_child(struct roster *roster, struct roster_cluster *cluster)
{
    struct roster_endpoint to;
    struct roster_state state;
    struct roster_cluster *other;
    if (roster_route(cluster, ROSTER_WRITE, NULL, &to) != ROSTER_OK ||
        roster_route(cluster, ROSTER_READ, NULL, &to) != ROSTER_OK) {
        return 1;
    }
    roster_feedback(cluster, &to, ROSTER_OUTCOME_REFUSED);
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
    struct roster_options options = {
        .servers = servers, .root = root, .session_timeout_ms = SESSION_MS};
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
                CHECK((blocked | 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1) | 3ull << 31) ==
                      ~0ull); /* 32, 33: the C library's */
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

/* ---- the cache ------------------------------------------------------------------------------- */

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
    CHECK(state.cached && !state.connected && state.epoch == 3 && state.witnesses_now == -1 &&
          state.age_ms >= 0);
    CHECK(roster_subscribe(roster, "kept-too", &patient, &cluster) == ROSTER_OK);
    CHECK(now_ms() - start_ms < 4000); /* they did not wait one after the other */
    CHECK(roster_subscribe(roster, "not-kept", &patient, &unknown) == ROSTER_UNREACHABLE &&
          unknown);
    CHECK(roster_subscribe(roster, "kept", &(struct roster_subscription){.wait_ms = -1},
                           &cluster) == ROSTER_OK);
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
    CHECK(roster_subscribe(roster, "kept", &(struct roster_subscription){.wait_ms = -1},
                           &cluster) == ROSTER_OK);
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
        if (roster_subscribe(roster, "kept", &(struct roster_subscription){.wait_ms = -1},
                             &cluster) != ROSTER_UNREACHABLE) {
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

/* ---- the registry's bad days ----------------------------------------------------------------- */

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

static void a_hung_registry_ages_the_answer_and_expiry_heals(void)
{
    struct roster_endpoint to;
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    struct roster_request limited = {.max_age_ms = 500};
    CHECK(roster_route(cluster, ROSTER_WRITE, &limited, &to) == ROSTER_OK);
    stop_server();
    EVENTUALLY(roster_route(cluster, ROSTER_WRITE, &limited, &to) == ROSTER_TOO_OLD);
    CHECK(writes_to(cluster, "a"));
    EVENTUALLY(
        !state_of(cluster).connected); /* the link is given up later than the limit is kept */
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

/* ---- all of them ----------------------------------------------------------------------------- */

const struct test life_tests[] = {
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
    TEST(a_hung_registry_ages_the_answer_and_expiry_heals, true),
    TEST(closing_while_the_registry_hangs_takes_two_seconds_at_most, true),
    {0},
};
