/* library_test, fourth part: the library as a guest in its host's process. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/library_test.h"

enum { FILES = 40 };

/* What a host in a process of its own tells. */
struct told {
    atomic_bool ready; /* it follows */
    atomic_int epoch;
};

/* 0 when all is as promised, else the line. */
static int run_apart(int (*host)(struct told *told), void (*meanwhile)(struct told *told))
{
    int status = 0;
    struct told *told =
        mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(told != MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        _exit(host(told));
    }
    CHECK(pid > 0);
    while (!atomic_load(&told->ready) && waitpid(pid, &status, WNOHANG) == 0) {
        pause_ms(2);
    }
    if (atomic_load(&told->ready) && meanwhile) {
        meanwhile(told);
    }
    while (waitpid(pid, &status, 0) == pid) {
    }
    munmap(told, sizeof *told);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static struct roster_cluster *follow_guest(struct roster **ret_roster)
{
    struct roster_cluster *cluster;
    struct roster_options options = {
        .servers = servers, .root = root, .session_timeout_ms = SESSION_MS};
    return roster_open(&options, ret_roster) == ROSTER_OK &&
                   roster_subscribe(*ret_roster, "guest", NULL, &cluster) == ROSTER_OK
               ? cluster
               : NULL;
}

/* Files of its own, under the numbers that it closed: nobody else may write into them. */
static bool open_files(int *files)
{
    for (int i = 0; i < FILES; i++) {
        char path[] = "/tmp/roster-guest-XXXXXX";
        files[i] = mkstemp(path);
        if (files[i] < 0 || unlink(path) != 0 || write(files[i], "mine", 4) != 4) {
            return false;
        }
    }
    return true;
}

static bool files_are_intact(const int *files)
{
    for (int i = 0; i < FILES; i++) {
        char text[8] = "";
        if (lseek(files[i], 0, SEEK_END) != 4 || pread(files[i], text, 8, 0) != 4 ||
            strcmp(text, "mine") != 0) {
            return false;
        }
    }
    return true;
}

static int close_all_and_follow(struct told *told)
{
    struct roster *roster;
    int files[FILES];
    struct roster_cluster *cluster = follow_guest(&roster);
    if (!cluster) {
        return 1;
    }
    if (syscall(SYS_close_range, 3, ~0u, 0) != 0 || !open_files(files)) {
        return 2;
    }
    atomic_store(&told->ready, true);
    while (epoch_of(cluster) < 5) {
        pause_ms(2);
    }
    if (!state_of(cluster).connected || !files_are_intact(files)) {
        return 3;
    }
    roster_feedback(cluster, &(struct roster_endpoint){.name = "a"}, ROSTER_OUTCOME_REFUSED);
    roster_close(roster);
    return files_are_intact(files) ? 0 : 4;
}

static void go_on(struct told *told)
{
    (void)told;
    for (int epoch = 2; epoch <= 5; epoch++) {
        put_topology("guest", epoch, epoch % 2 ? "a" : "b");
        pause_ms(20);
    }
}

static void a_host_that_closes_what_it_does_not_know_loses_nothing(void)
{
#ifdef UNDER_TSAN
    return; /* a child of threads may have none of its own there */
#endif
    put_topology("guest", 1, "a");
    int code = run_apart(close_all_and_follow, go_on);
    if (code) {
        fail("the host ended with %d", code);
    }
}

static void its_descriptors_are_not_the_hosts(void)
{
    int before = count_entries("/proc/self/fd");
    struct roster *roster = open_with((struct roster_options){.log = log_line});
    CHECK(writes_to(followed(roster, "orders"), "a"));
    CHECK(count_entries("/proc/self/fd") == before); /* so no program that it starts inherits any */
    roster_close(roster);
}

static int follow_without_descriptors(struct told *told)
{
    struct roster *roster;
    struct rlimit few = {16, 16};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) {
        return 1;
    }
    while (open("/dev/null", O_RDONLY) >= 0) {
    }
    struct roster_cluster *cluster = follow_guest(&roster);
    if (!cluster) {
        return 2;
    }
    atomic_store(&told->ready, true);
    while (epoch_of(cluster) < 5) {
        pause_ms(2);
    }
    roster_close(roster);
    return 0;
}

static void a_host_without_descriptors_left_follows_all_the_same(void)
{
#ifdef UNDER_TSAN
    return;
#endif
    put_topology("guest", 1, "a");
    int code = run_apart(follow_without_descriptors, go_on);
    if (code) {
        fail("the host ended with %d", code);
    }
}

/* Not even for itself: one is needed for the pipe, one for the socket. */
static int open_with_hardly_any(struct told *told)
{
    struct roster *roster;
    struct roster_cluster *cluster;
    struct rlimit few = {4, 4};
    struct roster_options options = {
        .servers = servers, .root = root, .session_timeout_ms = SESSION_MS};
    (void)told;
    if (setrlimit(RLIMIT_NOFILE, &few) != 0 || roster_open(&options, &roster) != ROSTER_OK) {
        return 1;
    }
    roster_subscribe(roster, "guest", &(struct roster_subscription){.wait_ms = -1}, &cluster);
    while (!strstr(state_of(cluster).refused, "Too many open files")) {
        pause_ms(2);
    }
    struct rlimit more = {1024, 1024};
    if (setrlimit(RLIMIT_NOFILE, &more) == 0) { /* the hard one may be out of reach */
        while (epoch_of(cluster) < 1) {
            pause_ms(2);
        }
        if (state_of(cluster).refused[0]) {
            return 2;
        }
    }
    roster_close(roster);
    return 0;
}

static void a_want_of_descriptors_stands_in_refused(void)
{
#ifdef UNDER_TSAN
    return;
#endif
    put_topology("guest", 1, "a");
    int code = run_apart(open_with_hardly_any, NULL);
    if (code) {
        fail("the host ended with %d", code);
    }
}

const struct test guest_tests[] = {
    TEST(its_descriptors_are_not_the_hosts, false),
    TEST(a_host_that_closes_what_it_does_not_know_loses_nothing, false),
    TEST(a_host_without_descriptors_left_follows_all_the_same, false),
    TEST(a_want_of_descriptors_stands_in_refused, false),
    {0},
};
