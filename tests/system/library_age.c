/* library_test, third part: how old what it knows is, and what a caller's limit makes of that. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/library_test.h"

enum { LONG_SESSION_MS = 20000 };

static enum roster_status route_within(struct roster_cluster *cluster, int64_t max_age_ms)
{
    struct roster_endpoint to;
    struct roster_request request = {.max_age_ms = max_age_ms};
    return roster_route(cluster, ROSTER_WRITE, &request, &to);
}

/* Two thirds of that session would be 13 s. */
static void a_limit_holds_however_long_the_session_is(void)
{
    struct roster *roster = open_for((struct roster_options){0}, LONG_SESSION_MS);
    struct roster_cluster *cluster = followed(roster, "orders");
    CHECK(route_within(cluster, 1000) == ROSTER_OK);
    for (int64_t until_ms = now_ms() + 3000; now_ms() < until_ms; pause_ms(10)) {
        CHECK(route_within(cluster, 2000) == ROSTER_OK); /* an idle registry is no old one */
    }
    stop_server();
    int64_t stopped_ms = now_ms();
    EVENTUALLY(route_within(cluster, 1000) == ROSTER_TOO_OLD);
    int64_t kept_ms = now_ms() - stopped_ms;
    EVENTUALLY(state_of(cluster).age_ms > 0);
    int64_t shown_ms = now_ms() - stopped_ms, age_ms = state_of(cluster).age_ms;
    CHECK(state_of(cluster).connected); /* nobody has noticed anything yet */
    continue_server();
    EVENTUALLY(route_within(cluster, 1000) == ROSTER_OK && state_of(cluster).age_ms == 0);
    roster_close(roster);
    if (kept_ms > 1200 || shown_ms > 6000 || age_ms < shown_ms - 100) {
        fail("refused after %lld ms, shown after %lld ms as %lld ms", (long long)kept_ms,
             (long long)shown_ms, (long long)age_ms);
    }
}

/* In a child, which the parent stops for a while: 0 when the first answer behind each gap kept the
 * limit. */
static int route_through_pauses(int ready)
{
    struct roster *roster;
    struct roster_cluster *cluster;
    struct roster_options options = {.servers = servers, .root = root, .session_timeout_ms = 5000};
    if (roster_open(&options, &roster) != ROSTER_OK ||
        roster_subscribe(roster, "orders", NULL, &cluster) != ROSTER_OK) {
        return 1;
    }
    while (route_within(cluster, 500) != ROSTER_OK) {
        pause_ms(1);
    }
    int64_t last_ms = now_ms();
    int gaps = 0;
    if (write(ready, "!", 1) != 1) {
        return 2;
    }
    while (gaps < 2) {
        int64_t at_ms = now_ms(); /* before it: a pause behind it proves nothing */
        enum roster_status status = route_within(cluster, 500);
        if (at_ms - last_ms > 1000) {
            gaps++;
            if (status != ROSTER_TOO_OLD) {
                return 10 + gaps;
            }
            while (route_within(cluster, 500) != ROSTER_OK) { /* the answer is on its way */
                pause_ms(1);
            }
        }
        last_ms = now_ms();
    }
    return 0;
}

static void a_limit_below_a_second_holds_right_after_a_pause_of_the_process(void)
{
#ifdef UNDER_TSAN
    return; /* a child of threads may have none of its own there */
#endif
    int ready[2], status;
    char byte;
    CHECK(pipe(ready) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        _exit(route_through_pauses(ready[1]));
    }
    CHECK(pid > 0 && read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(ready[1]);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        CHECK(kill(pid, SIGSTOP) == 0);
        stop_server(); /* or it might have answered anew before the child's first call */
        pause_ms(1150);
        CHECK(kill(pid, SIGCONT) == 0);
        pause_ms(150);
        continue_server();
        pause_ms(400);
    }
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status)) {
        fail("the child ended with %d", WEXITSTATUS(status));
    }
}

static int age_in_child(struct roster_cluster *cluster)
{
    int64_t forked_ms = now_ms();
    pause_ms(200);
    int64_t age_ms = state_of(cluster).age_ms, passed_ms = now_ms() - forked_ms;
    if (age_ms < 200 || route_within(cluster, 150) != ROSTER_TOO_OLD) {
        return 1;
    }
    return age_ms > passed_ms + 3000 ? 2 : 0;
}

static void a_childs_age_grows_from_the_fork_on(void)
{
    int status;
    struct roster *roster = opened();
    struct roster_cluster *cluster = followed(roster, "orders");
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        _exit(age_in_child(cluster));
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(state_of(cluster).age_ms == 0); /* the parent's does not */
    roster_close(roster);
}

static void before_the_first_answer_no_age_is_known(void)
{
    struct roster_cluster *cluster;
    struct roster_state state;
    struct roster *roster = open_with((struct roster_options){.servers = "127.0.0.1:1"});
    roster_subscribe(roster, "orders", &(struct roster_subscription){.wait_ms = -1}, &cluster);
    CHECK(roster_state(cluster, &state) == ROSTER_NO_CLUSTER && state.age_ms == -1);
    roster_close(roster);
}

/* This machine's clock is an hour behind that of the probe that wrote the verdict. */
static void a_verdict_from_the_future_has_no_known_age_until_a_registry_answers(void)
{
    char folder[64] = "/tmp/roster-future-XXXXXX", file[128];
    struct roster_cluster *cluster;
    struct roster_subscription at_once = {.wait_ms = -1};
    CHECK(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/future.roster", folder);
    put_topology_of("future", 1, "a", 3600 * 1000);
    struct roster *roster = open_with((struct roster_options){.cache_dir = folder});
    CHECK(writes_to(followed(roster, "future"), "a"));
    roster_close(roster);
    roster = open_with((struct roster_options){.servers = "127.0.0.1:1", .cache_dir = folder});
    CHECK(roster_subscribe(roster, "future", &at_once, &cluster) == ROSTER_OK);
    CHECK(state_of(cluster).cached && state_of(cluster).age_ms == -1);
    CHECK(route_within(cluster, INT64_MAX) == ROSTER_TOO_OLD && writes_to(cluster, "a"));
    roster_close(roster);
    roster = open_with((struct roster_options){.cache_dir = folder});
    cluster = followed(roster, "future");
    EVENTUALLY(route_within(cluster, 1000) == ROSTER_OK);
    roster_close(roster);
    unlink(file);
    rmdir(folder);
}

const struct test age_tests[] = {
    TEST(a_limit_holds_however_long_the_session_is, true),
    TEST(a_limit_below_a_second_holds_right_after_a_pause_of_the_process, true),
    TEST(a_childs_age_grows_from_the_fork_on, false),
    TEST(before_the_first_answer_no_age_is_known, false),
    TEST(a_verdict_from_the_future_has_no_known_age_until_a_registry_answers, false),
    {0},
};
