/* takeover - when the primary of a group is lost, how soon is a write committed again?
 *
 *     takeover SERVERS CLUSTER ROUTER_PORT kill PID PORT...
 *         kill -9 PID, the server that listens on the first PORT
 *     takeover SERVERS CLUSTER ROUTER_PORT switch UUID PORT...
 *         a planned switch to the member UUID, requested at the first PORT
 *
 * PORT... are all members' on 127.0.0.1, the primary's first. Three write side by side, on one
 * machine and by one clock, an attempt every 5 ms:
 *
 *     roster    where roster_route() leads; gives it the outcomes
 *     router    to ROUTER_PORT, which is MySQL Router's for writing; 0: there is none
 *     direct    asks every member every 5 ms, and writes where super_read_only is off
 *
 * All have the same deadlines, and come with a new connection after each attempt that failed.
 * Prints a line of three pairs, in that order:
 *
 *     MS FAILED    kill: milliseconds from the kill until a write was committed by another server;
 *                  switch: the longest time between two commits. And how many attempts to write
 *                  failed. "- -": not measured
 *
 * Exit: 0 roster and direct were measured, 1 not (why is on stderr), 2 usage. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mysql.h>

#include <roster.h>

enum {
    /* between attempts while nothing is measured: three servers and all else share the
     * processors */
    CALM_US = 50000,
    PACE_US = 5000,
    /* of a connect and of a statement; the client library knows whole seconds only */
    DEADLINE_S = 1,
    ARMING_S = 20,
    BRISK_US = 300000,  /* at the pace before the event */
    AFTER_US = 3000000, /* a planned switch is watched for so long */
    PATIENCE_S = 60,
    MEMBERS_MAX = 9,
    OLD = 0, /* among the members */
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void sleep_until(int64_t us)
{
    struct timespec at = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

static atomic_int_least64_t pace_us = CALM_US;
/* when the kill or the switch was asked for; 0: not yet */
static atomic_int_least64_t event_us;

/* ---- what each of the three achieved --------------------------------------------------------- */

enum way { ROSTER, ROUTER, DIRECT, WAYS };

struct tally {
    int64_t last_us; /* the last commit; 0: none yet */
    /* the first commit by another server than the old one, after the event; 0: none yet */
    int64_t taken_us;
    int64_t gap_us; /* the longest time between two commits, the later one after the event */
    int failed;     /* attempts, since the event */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over the tallies */
static struct tally tallies[WAYS];

static struct tally tally_of(enum way way)
{
    pthread_mutex_lock(&lock);
    struct tally copy = tallies[way];
    pthread_mutex_unlock(&lock);
    return copy;
}

static void committed(enum way way, int64_t at_us, bool elsewhere)
{
    pthread_mutex_lock(&lock);
    struct tally *tally = &tallies[way];
    if (event_us && at_us - tally->last_us > tally->gap_us) {
        tally->gap_us = at_us - tally->last_us;
    }
    if (event_us && elsewhere && !tally->taken_us) {
        tally->taken_us = at_us;
    }
    tally->last_us = at_us;
    pthread_mutex_unlock(&lock);
}

static void failed(enum way way)
{
    pthread_mutex_lock(&lock);
    tallies[way].failed += event_us != 0;
    pthread_mutex_unlock(&lock);
}

/* ---- one connection, and the thread that writes by it ---------------------------------------- */

struct line {
    enum way way;
    int member;                     /* direct: whose it is */
    unsigned port;                  /* router and direct */
    struct roster_cluster *cluster; /* roster: whom to ask */
    struct roster_endpoint to;      /* roster: where the connection leads */
    MYSQL *my;
    int64_t connected_us;
};

static void hang_up(struct line *line)
{
    mysql_close(line->my);
    line->my = NULL;
}

static bool dial(struct line *line, const char *host, unsigned port)
{
    unsigned deadline = DEADLINE_S;
    line->my = mysql_init(NULL);
    mysql_options(line->my, MYSQL_OPT_CONNECT_TIMEOUT, &deadline);
    mysql_options(line->my, MYSQL_OPT_READ_TIMEOUT, &deadline);
    mysql_options(line->my, MYSQL_OPT_WRITE_TIMEOUT, &deadline);
    /* from when on it can lead to no server that had been killed */
    line->connected_us = now_us();
    return mysql_real_connect(line->my, host, "app", "app", "app", port, NULL, 0) != NULL;
}

static bool writable(struct line *line)
{
    MYSQL_RES *result = mysql_query(line->my, "SELECT @@global.super_read_only") == 0
                            ? mysql_store_result(line->my)
                            : NULL;
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    bool off = row && row[0] && !strcmp(row[0], "0");
    if (!row) {
        hang_up(line);
    }
    mysql_free_result(result);
    return off;
}

/* A connection from before the kill leads to the server that was killed, whatever it may still have
 * answered; but for those that the poll has to the other members. */
static bool leads_elsewhere(const struct line *line)
{
    return line->connected_us > event_us || (line->way == DIRECT && line->member != OLD);
}

static bool write_one(struct line *line)
{
    static const char *const names[WAYS] = {"roster", "router", "direct"};
    char statement[80];
    snprintf(statement, sizeof statement, "INSERT INTO writes (way) VALUES ('%s')",
             names[line->way]);
    if (mysql_query(line->my, statement) != 0) {
        return false;
    }
    committed(line->way, now_us(), leads_elsewhere(line));
    return true;
}

static void attempt_direct(struct line *line)
{
    if (!line->my && !dial(line, "127.0.0.1", line->port)) {
        hang_up(line); /* nothing was tried to be written */
        return;
    }
    if (writable(line) && !write_one(line)) {
        failed(line->way);
        hang_up(line);
    }
}

static void attempt_router(struct line *line)
{
    if ((!line->my && !dial(line, "127.0.0.1", line->port)) || !write_one(line)) {
        failed(line->way);
        hang_up(line);
    }
}

static void attempt_roster(struct line *line)
{
    struct roster_endpoint to;
    if (roster_route(line->cluster, ROSTER_WRITE, NULL, &to) != ROSTER_OK) {
        return; /* there is nowhere to write now: no attempt */
    }
    if (line->my && (to.port != line->to.port || strcmp(to.host, line->to.host) != 0)) {
        hang_up(line);
    }
    line->to = to;
    if ((!line->my && !dial(line, to.host, to.port)) || !write_one(line)) {
        failed(line->way);
        unsigned code = mysql_errno(line->my);
        roster_feedback(line->cluster, &to, roster_classify(NULL, code));
        hang_up(line);
    }
}

static void *write_for_ever(void *argument)
{
    static void (*const attempt[WAYS])(struct line *) = {attempt_roster, attempt_router,
                                                         attempt_direct};
    struct line *line = argument;
    mysql_thread_init();
    for (;;) {
        int64_t began_us = now_us();
        attempt[line->way](line);
        sleep_until(began_us + pace_us);
    }
    return NULL;
}

/* ---- the event ------------------------------------------------------------------------------- */

struct event {
    bool planned;
    pid_t pid;
    char statement[120];
    struct line line; /* by which the switch is asked for */
};

static bool prepare(struct event *event, const char *what, const char *whom, unsigned port)
{
    event->planned = !strcmp(what, "switch");
    event->pid = atoi(whom);
    if (!event->planned) {
        return !strcmp(what, "kill") && event->pid > 1;
    }
    snprintf(event->statement, sizeof event->statement,
             "SELECT group_replication_set_as_primary('%s')", whom);
    unsigned deadline = PATIENCE_S;
    event->line.my = mysql_init(NULL);
    mysql_options(event->line.my, MYSQL_OPT_READ_TIMEOUT, &deadline);
    return mysql_real_connect(event->line.my, "127.0.0.1", "app", "app", NULL, port, NULL, 0) !=
           NULL;
}

static bool let_happen(struct event *event)
{
    event_us = now_us();
    if (!event->planned) {
        return kill(event->pid, SIGKILL) == 0;
    }
    MYSQL *my = event->line.my;
    MYSQL_RES *result = mysql_query(my, event->statement) == 0 ? mysql_store_result(my) : NULL;
    mysql_free_result(result);
    return result != NULL;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool used[WAYS] = {true, false, true};

static bool all_committed(void)
{
    bool all = true;
    for (enum way way = 0; way < WAYS; way++) {
        all = all && (!used[way] || tally_of(way).last_us);
    }
    return all;
}

static bool all_taken(void)
{
    bool all = true;
    for (enum way way = 0; way < WAYS; way++) {
        all = all && (!used[way] || tally_of(way).taken_us);
    }
    return all;
}

static bool wait_for(bool (*holds)(void), int seconds)
{
    int64_t end_us = now_us() + (int64_t)seconds * 1000000;
    while (!holds() && now_us() < end_us) {
        sleep_until(now_us() + PACE_US);
    }
    return holds();
}

/* Prints a pair; false: there was nothing to measure. */
static bool print_way(enum way way, bool planned)
{
    struct tally tally = tally_of(way);
    int64_t us = planned ? tally.gap_us : tally.taken_us - event_us;
    bool measured = used[way] && (planned ? tally.gap_us : tally.taken_us) > 0;
    if (measured) {
        printf("%.1f %d", (double)us / 1000, tally.failed);
    } else {
        printf("- -");
    }
    fputs(way == WAYS - 1 ? "\n" : " ", stdout);
    return measured;
}

static bool print_all(bool planned)
{
    bool roster = print_way(ROSTER, planned);
    print_way(ROUTER, planned);
    return print_way(DIRECT, planned) && roster;
}

static bool measure(struct event *event)
{
    if (!wait_for(all_committed, ARMING_S)) {
        fprintf(stderr, "takeover: before anything happened:%s%s%s could not write\n",
                tally_of(ROSTER).last_us ? "" : " roster",
                !used[ROUTER] || tally_of(ROUTER).last_us ? "" : " router",
                tally_of(DIRECT).last_us ? "" : " direct");
        return false;
    }
    pace_us = PACE_US;
    sleep_until(now_us() + BRISK_US);
    if (!let_happen(event)) {
        fprintf(stderr, "takeover: %s\n",
                event->planned ? mysql_error(event->line.my) : strerror(errno));
        return false;
    }
    if (event->planned) {
        sleep_until(event_us + AFTER_US);
    } else {
        wait_for(all_taken, PATIENCE_S);
    }
    return print_all(event->planned);
}

static bool start_line(struct line line)
{
    static struct line lines[MEMBERS_MAX + 2];
    static size_t count;
    pthread_t thread;
    lines[count] = line;
    return pthread_create(&thread, NULL, write_for_ever, &lines[count++]) == 0;
}

int main(int argc, char **argv)
{
    struct roster *roster;
    struct roster_cluster *cluster;
    struct event event = {0};
    if (argc < 7 || argc > 6 + MEMBERS_MAX) {
        fputs("usage: takeover SERVERS CLUSTER ROUTER_PORT kill PID|switch UUID PORT...\n", stderr);
        return 2;
    }
    mysql_library_init(0, NULL, NULL);
    if (!prepare(&event, argv[4], argv[5], (unsigned)atoi(argv[6]))) {
        fprintf(stderr, "takeover: %s\n",
                event.planned ? mysql_error(event.line.my) : "kill whom?");
        return 2;
    }
    if (roster_open(&(struct roster_options){.servers = argv[1]}, &roster) != ROSTER_OK ||
        roster_subscribe(roster, argv[2], NULL, &cluster) != ROSTER_OK) {
        fprintf(stderr, "takeover: the registry has no topology of %s: %s\n", argv[2],
                roster_error());
        return 1;
    }
    unsigned router_port = (unsigned)atoi(argv[3]);
    used[ROUTER] = router_port != 0;
    bool started = start_line((struct line){.way = ROSTER, .cluster = cluster}) &&
                   (!used[ROUTER] || start_line((struct line){.way = ROUTER, .port = router_port}));
    for (int i = 6; started && i < argc; i++) {
        started = start_line(
            (struct line){.way = DIRECT, .member = i - 6, .port = (unsigned)atoi(argv[i])});
    }
    bool measured = started && measure(&event);
    fflush(stdout);
    _exit(measured ? 0 : 1); /* the threads write for ever: nobody waits for them */
}
