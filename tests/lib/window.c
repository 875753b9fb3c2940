/* window - was the server that roster names one that could take writes?
 *
 *     window SERVERS CLUSTER postgresql|mysql USER PASSWORD DATABASE NAME=HOST:PORT...
 *
 * It tries to commit a row on every member, each from a thread and over a
 * connection of its own, every 20 ms, into the table `commits` (member, at), and notes when each
 * member can and when it cannot. Beside that it asks libroster every millisecond where writes go.
 * All by one clock.
 *
 *     can     from the end of an attempt that succeeded in time,
 *     cannot  from the beginning of one that failed or was late; a late one that succeeds ends
 *             that when it does
 *
 * So both are known to some 20 ms. A write that hangs is waited for, however long: a member never
 * has more than one attempt.
 *
 * Prints "armed" once the primary is named and has committed. On SIGTERM it prints what happened,
 * in order, then
 *
 *     window: wrong 240 ms (named pg-1 while pg-2 took writes)
 *     window: new primary pg-2 known +31 ms after its first commit
 *     window: none named for 50 ms while pg-2 took writes
 *     {"wrong_ms":240,"wrongs":1,"none_ms":50,"switches":1,"late_ms":31,"primary":"pg-2"}
 *
 * wrong: roster named a server that could not, while another could: the longest time, and how
 * often. none: nobody was named meanwhile. late: from when the new primary took its first write
 * (where it always did: from when the old one took its last) to when roster named it; less than
 * nothing when roster was first. The worst of several.
 *
 * Exit: 0 measured, 1 the primary was never named and writing, or too much happened to be noted, 2
 * usage. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>
#include <mysql.h>

#include <roster.h>

enum { PACE_US = 20000, LATE_US = 500000, LOOK_US = 1000, EVENTS_MAX = 4096, NOBODY = -1 };

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void rest(int64_t us)
{
    if (us > 0) {
        nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
    }
}

/* ---- what happened --------------------------------------------------------------------------- */

enum happening { CAN, CANNOT, NAMED };

struct event {
    int64_t us;
    enum happening what;
    int member; /* NAMED: may be NOBODY */
    char message[120];
};

static struct {
    pthread_mutex_t lock; /* over all of this */
    struct event events[EVENTS_MAX];
    size_t count;
    int64_t armed_us; /* what was before does not count; 0: not yet */
} book = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Under the lock. An attempt is judged when it ends and noted for when it began: the book is in
 * order only at the end. */
static void note(int64_t us, enum happening what, int member, const char *message)
{
    if (book.count < EVENTS_MAX) {
        struct event *event = &book.events[book.count++];
        *event = (struct event){.us = us, .what = what, .member = member};
        snprintf(event->message, sizeof event->message, "%.*s", (int)strcspn(message, "\n"),
                 message);
    }
}

/* ---- one member ------------------------------------------------------------------------------ */

static struct {
    bool mysql;
    const char *user, *password, *database;
} login;

struct member {
    char name[64], host[64], port[8];
    PGconn *pg;
    MYSQL *my;
    char message[256];
    bool can;
    int64_t trying_us; /* since when an attempt runs; 0: none does */
};

static struct member members[ROSTER_MEMBERS_MAX];
static int member_count;

static bool pg_try(struct member *member, const char *statement)
{
    if (!member->pg) {
        const char *const keys[] = {"host", "port", "user", "password", "dbname", NULL};
        const char *const values[] = {member->host,   member->port,   login.user,
                                      login.password, login.database, NULL};
        member->pg = PQconnectdbParams(keys, values, 0);
    }
    PGresult *result = PQstatus(member->pg) == CONNECTION_OK ? PQexec(member->pg, statement) : NULL;
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!done) {
        snprintf(member->message, sizeof member->message, "%s", PQerrorMessage(member->pg));
    }
    PQclear(result);
    if (PQstatus(member->pg) != CONNECTION_OK) {
        PQfinish(member->pg);
        member->pg = NULL;
    }
    return done;
}

static bool my_try(struct member *member, const char *statement)
{
    bool connected = member->my != NULL;
    if (!connected) {
        member->my = mysql_init(NULL);
        connected =
            mysql_real_connect(member->my, member->host, login.user, login.password, login.database,
                               (unsigned)atoi(member->port), NULL, 0) != NULL;
    }
    if (connected && mysql_query(member->my, statement) == 0) {
        return true;
    }
    snprintf(member->message, sizeof member->message, "%u %s", mysql_errno(member->my),
             mysql_error(member->my));
    /* an error of the client's: the connection is gone */
    if (!connected || mysql_errno(member->my) >= 2000) {
        mysql_close(member->my);
        member->my = NULL;
    }
    return false;
}

static void judge(struct member *member, int index, int64_t began_us, bool done)
{
    int64_t ended_us = now_us();
    bool late = ended_us - began_us > LATE_US;
    pthread_mutex_lock(&book.lock);
    if (member->can && (!done || late)) {
        note(began_us, CANNOT, index, done ? "late" : member->message);
        member->can = false;
    }
    if (!member->can && done) {
        note(ended_us, CAN, index, "");
        member->can = true;
    }
    member->trying_us = 0;
    pthread_mutex_unlock(&book.lock);
}

static void *write_for_ever(void *argument)
{
    struct member *member = argument;
    mysql_thread_init();
    for (;;) {
        char statement[160];
        int64_t began_us = now_us();
        pthread_mutex_lock(&book.lock);
        member->trying_us = began_us;
        pthread_mutex_unlock(&book.lock);
        snprintf(statement, sizeof statement,
                 "INSERT INTO commits (member, at) VALUES ('%s', %lld)", member->name,
                 (long long)began_us);
        bool done = (login.mysql ? my_try : pg_try)(member, statement);
        judge(member, (int)(member - members), began_us, done);
        rest(began_us + PACE_US - now_us());
    }
    return NULL;
}

/* ---- roster ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t ended;

static void end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static int member_called(const char *name)
{
    int i = 0;
    while (i < member_count && strcmp(members[i].name, name)) {
        i++;
    }
    return i < member_count ? i : NOBODY;
}

static int named_by(struct roster_cluster *cluster)
{
    struct roster_endpoint to;
    return roster_route(cluster, ROSTER_WRITE, NULL, &to) == ROSTER_OK ? member_called(to.name)
                                                                       : NOBODY;
}

static bool watch_until_ended(struct roster_cluster *cluster)
{
    int before = NOBODY;
    while (!ended) {
        int named = named_by(cluster);
        pthread_mutex_lock(&book.lock);
        if (named != before) {
            note(now_us(), NAMED, named, "");
            before = named;
        }
        if (!book.armed_us && named != NOBODY && members[named].can) {
            book.armed_us = now_us();
            puts("armed");
            fflush(stdout);
        }
        pthread_mutex_unlock(&book.lock);
        rest(LOOK_US);
    }
    return book.armed_us != 0;
}

/* ---- the reckoning --------------------------------------------------------------------------- */

static int by_time(const void *one, const void *other)
{
    int64_t difference = ((const struct event *)one)->us - ((const struct event *)other)->us;
    return difference < 0 ? -1 : difference > 0;
}

/* A time in which something was amiss: it goes on while it is extended. */
struct spell {
    int64_t since_us; /* 0: it is not so now */
    int64_t longest_us;
    int times;
    int named, other; /* of the longest */
};

static void extend(struct spell *spell, bool so, int64_t us, int named, int other)
{
    if (spell->since_us && us - spell->since_us > spell->longest_us) {
        spell->longest_us = us - spell->since_us;
    }
    if (!so) {
        spell->since_us = 0;
    } else if (!spell->since_us) {
        spell->since_us = us;
        spell->times++;
    }
    if (so && us - spell->since_us >= spell->longest_us) {
        spell->named = named;
        spell->other = other;
    }
}

struct summary {
    bool can[ROSTER_MEMBERS_MAX];
    int64_t can_us[ROSTER_MEMBERS_MAX];    /* since when it can, or could last */
    int64_t cannot_us[ROSTER_MEMBERS_MAX]; /* since when it cannot; 0: never yet */
    int named;
    int primary; /* named last, if nobody is now */
    struct spell wrong, none;
    int switches;
    int64_t late_us; /* the worst */
};

static int other_that_can(const struct summary *now, int but)
{
    int i = 0;
    while (i < member_count && (i == but || !now->can[i])) {
        i++;
    }
    return i < member_count ? i : NOBODY;
}

/* When the member, named but not writing, begins to write. */
static int64_t first_commit_after(size_t index, int member)
{
    for (; index < book.count; index++) {
        if (book.events[index].what == CAN && book.events[index].member == member) {
            return book.events[index].us;
        }
    }
    return 0;
}

static void take_new_primary(struct summary *now, size_t index)
{
    const struct event *event = &book.events[index];
    int64_t from_us = now->can[event->member] ? now->can_us[event->member]
                                              : first_commit_after(index, event->member);
    int64_t lost_us = now->can[now->primary] ? event->us : now->cannot_us[now->primary];
    now->switches++;
    if (from_us == 0) {
        printf("window: new primary %s never took a write\n", members[event->member].name);
        return;
    }
    bool waited = lost_us > from_us; /* it could write before the old one could not */
    int64_t late_us = event->us - (waited ? lost_us : from_us);
    printf("window: new primary %s known %+lld ms after %s\n", members[event->member].name,
           (long long)late_us / 1000,
           waited ? "the last commit of the old one" : "its first commit");
    if (now->switches == 1 || late_us > now->late_us) {
        now->late_us = late_us;
    }
}

static void take(struct summary *now, size_t index)
{
    const struct event *event = &book.events[index];
    if (event->what == NAMED) {
        if (event->member != NOBODY && now->primary != NOBODY && event->member != now->primary) {
            take_new_primary(now, index);
        }
        now->named = event->member;
        now->primary = event->member != NOBODY ? event->member : now->primary;
    } else {
        now->can[event->member] = event->what == CAN;
        (event->what == CAN ? now->can_us : now->cannot_us)[event->member] = event->us;
    }
    if (event->us < book.armed_us) {
        return;
    }
    int other = other_that_can(now, now->named);
    extend(&now->wrong, now->named != NOBODY && !now->can[now->named] && other != NOBODY, event->us,
           now->named, other);
    extend(&now->none, now->named == NOBODY && now->primary != NOBODY && other != NOBODY, event->us,
           NOBODY, other);
}

static void print_event(const struct event *event, int64_t start_us)
{
    printf("%+9.3f ", (double)(event->us - start_us) / 1e6);
    if (event->what == NAMED) {
        printf("roster names %s\n",
               event->member == NOBODY ? "nobody" : members[event->member].name);
    } else {
        printf("%s %s%s%s\n", members[event->member].name,
               event->what == CAN ? "commits" : "cannot commit", *event->message ? ": " : "",
               event->message);
    }
}

static void print_spells(const struct summary *now)
{
    printf("window: wrong %lld ms", (long long)now->wrong.longest_us / 1000);
    if (now->wrong.times > 0) {
        printf(" (named %s while %s took writes)", members[now->wrong.named].name,
               members[now->wrong.other].name);
    }
    printf("\n");
    if (now->none.times > 0) {
        printf("window: none named for %lld ms while %s took writes\n",
               (long long)now->none.longest_us / 1000, members[now->none.other].name);
    }
    printf("{\"wrong_ms\":%lld,\"wrongs\":%d,\"none_ms\":%lld,\"switches\":%d,\"late_ms\":%lld,"
           "\"primary\":\"%s\"}\n",
           (long long)now->wrong.longest_us / 1000, now->wrong.times,
           (long long)now->none.longest_us / 1000, now->switches, (long long)now->late_us / 1000,
           now->named == NOBODY ? "" : members[now->named].name);
}

/* With the lock held for good: the writers write no more in the book. */
static void summarize(void)
{
    struct summary now = {.named = NOBODY, .primary = NOBODY};
    int64_t us = now_us();
    for (int i = 0; i < member_count; i++) {
        if (members[i].can && members[i].trying_us && us - members[i].trying_us > LATE_US) {
            note(members[i].trying_us, CANNOT, i, "still waiting for an answer");
        }
    }
    qsort(book.events, book.count, sizeof book.events[0], by_time);
    for (size_t i = 0; i < book.count; i++) {
        print_event(&book.events[i], book.events[0].us);
    }
    for (size_t i = 0; i < book.count; i++) {
        take(&now, i);
    }
    extend(&now.wrong, false, us, NOBODY, NOBODY);
    extend(&now.none, false, us, NOBODY, NOBODY);
    print_spells(&now);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool read_member(const char *text)
{
    struct member *member = &members[member_count];
    if (member_count == ROSTER_MEMBERS_MAX ||
        sscanf(text, "%63[^=]=%63[^:]:%7[0-9]", member->name, member->host, member->port) != 3) {
        return false;
    }
    member_count++;
    return true;
}

static bool read_arguments(int argc, char **argv)
{
    if (argc < 8) {
        return false;
    }
    login.mysql = !strcmp(argv[3], "mysql");
    login.user = argv[4];
    login.password = argv[5];
    login.database = argv[6];
    for (int i = 7; i < argc; i++) {
        if (!read_member(argv[i])) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct roster *roster;
    struct roster_cluster *cluster;
    pthread_t thread;
    if (!read_arguments(argc, argv)) {
        fputs("usage: window SERVERS CLUSTER postgresql|mysql USER PASSWORD DATABASE "
              "NAME=HOST:PORT...\n",
              stderr);
        return 2;
    }
    signal(SIGTERM, end);
    signal(SIGINT, end);
    mysql_library_init(0, NULL, NULL);
    if (roster_open(&(struct roster_options){.servers = argv[1]}, &roster) != ROSTER_OK) {
        fprintf(stderr, "window: %s\n", roster_error());
        return 2;
    }
    roster_subscribe(roster, argv[2], &(struct roster_subscription){.wait_ms = -1}, &cluster);
    for (int i = 0; cluster && i < member_count; i++) {
        if (pthread_create(&thread, NULL, write_for_ever, &members[i]) != 0) {
            return 2;
        }
    }
    bool good = cluster && watch_until_ended(cluster);
    pthread_mutex_lock(&book.lock);
    if (book.count == EVENTS_MAX) {
        puts("the book is full: what happened last is missing");
        good = false;
    }
    summarize();
    fflush(stdout);
    _exit(good ? 0 : 1); /* writers may hang in a server's answer: nobody waits for them */
}
