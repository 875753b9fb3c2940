/* promotion - how long after a server became the primary does a router know?
 *
 *     promotion SERVERS CLUSTER postgresql|mysql MEMBER PORT
 *
 * Two watch the same promotion, on one machine and by one clock:
 *
 *     a router        a libroster handle: the callback that names MEMBER primary, after routing
 *                     follows
 *     a direct poll   an open connection to the server at 127.0.0.1:PORT that asks it every 5 ms
 *                     whether it takes writes
 *
 * Prints "armed" once both watch; promote MEMBER then. Afterwards one line of
 * milliseconds, all counted from when the direct poll saw it:
 *
 *     ROUTED EVIDENCE VERDICT     the router switched; the evidence was first seen; the fleet
 *                                 agreed ("-": not known)
 *
 * Exit: 0 measured, 1 not (why is on stderr), 2 usage. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>
#include <mysql.h>

#include <roster.h>

enum { POLL_MS = 5, PATIENCE_MS = 30000 };

static int64_t now_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void sleep_until(int64_t us)
{
    struct timespec at = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

/* ---- the router ------------------------------------------------------------------------------ */

struct router {
    const char *member;
    pthread_mutex_t lock;
    int64_t routed_us; /* when it switched, monotonic; 0: not yet */
    bool notified;     /* of a topology at all */
    int64_t evidence_wall_ms, verdict_wall_ms;
};

static void changed(void *context, const struct roster_change *change)
{
    struct router *router = context;
    int64_t at_us = now_us(CLOCK_MONOTONIC);
    pthread_mutex_lock(&router->lock);
    router->notified = true;
    if (!router->routed_us && change->primary && !strcmp(change->primary->name, router->member)) {
        router->routed_us = at_us;
        router->evidence_wall_ms = change->evidence_wall_ms;
        router->verdict_wall_ms = change->verdict_wall_ms;
    }
    pthread_mutex_unlock(&router->lock);
}

static struct router look(struct router *router)
{
    pthread_mutex_lock(&router->lock);
    struct router copy = *router;
    pthread_mutex_unlock(&router->lock);
    return copy;
}

/* ---- the direct poll ------------------------------------------------------------------------- */

struct direct {
    PGconn *pg;
    MYSQL *my;
};

static bool open_direct(struct direct *direct, bool mysql, unsigned port)
{
    char text[16];
    snprintf(text, sizeof text, "%u", port);
    if (mysql) {
        direct->my = mysql_init(NULL);
        return direct->my &&
               mysql_real_connect(direct->my, "127.0.0.1", "app", "app", "app", port, NULL, 0);
    }
    const char *const keys[] = {"hostaddr", "port", "user", "password", "dbname", NULL};
    const char *const values[] = {"127.0.0.1", text, "app", "app", "app", NULL};
    direct->pg = PQconnectdbParams(keys, values, 0);
    return PQstatus(direct->pg) == CONNECTION_OK;
}

static const char *error_of(const struct direct *direct)
{
    return direct->my ? mysql_error(direct->my) : PQerrorMessage(direct->pg);
}

/* 1: it takes writes; 0: not; -1: no answer. */
static int ask_mysql(MYSQL *my)
{
    MYSQL_RES *result = mysql_query(my, "SELECT @@read_only") == 0 ? mysql_store_result(my) : NULL;
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    int writable = row && row[0] ? !strcmp(row[0], "0") : -1;
    mysql_free_result(result);
    return writable;
}

static int ask_pg(PGconn *pg)
{
    PGresult *result = PQexec(pg, "SELECT pg_is_in_recovery()");
    int writable =
        PQresultStatus(result) == PGRES_TUPLES_OK ? !strcmp(PQgetvalue(result, 0, 0), "f") : -1;
    PQclear(result);
    return writable;
}

static int ask(const struct direct *direct)
{
    return direct->my ? ask_mysql(direct->my) : ask_pg(direct->pg);
}

/* ---- both ------------------------------------------------------------------------------------ */

static void print_from(int64_t wall_ms, int64_t seen_wall_us, const char *end)
{
    if (wall_ms) {
        printf("%.1f%s", (double)(wall_ms * 1000 - seen_wall_us) / 1000, end);
    } else {
        printf("-%s", end);
    }
}

static bool measure(struct router *router, const struct direct *direct)
{
    int64_t begin_us = now_us(CLOCK_MONOTONIC), seen_us = 0, seen_wall_us = 0;
    for (int64_t turn = 1; !seen_us || !look(router).routed_us; turn++) {
        int writable = seen_us ? 1 : ask(direct);
        if (writable < 0) {
            fprintf(stderr, "promotion: the direct poll: %s\n", error_of(direct));
            return false;
        }
        if (writable && !seen_us) {
            seen_us = now_us(CLOCK_MONOTONIC);
            seen_wall_us = now_us(CLOCK_REALTIME);
        }
        if (now_us(CLOCK_MONOTONIC) - begin_us > PATIENCE_MS * 1000) {
            fprintf(stderr, "promotion: %s\n",
                    seen_us ? "the router was never notified" : "the server was never promoted");
            return false;
        }
        sleep_until(begin_us + turn * POLL_MS * 1000);
    }
    struct router final = look(router);
    printf("%.1f ", (double)(final.routed_us - seen_us) / 1000);
    print_from(final.evidence_wall_ms, seen_wall_us, " ");
    print_from(final.verdict_wall_ms, seen_wall_us, "\n");
    return true;
}

/* Nothing is armed that is promoted already, or that nothing is known of. */
static bool arm(const struct router *router, const struct direct *direct)
{
    const char *why = !router->notified   ? "the cluster has no topology"
                      : router->routed_us ? "the router already goes there"
                                          : NULL;
    if (!why && ask(direct) != 0) {
        why = "the server already takes writes, or does not answer";
    }
    if (why) {
        fprintf(stderr, "promotion: %s\n", why);
        return false;
    }
    puts("armed");
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: promotion SERVERS CLUSTER postgresql|mysql MEMBER PORT\n", stderr);
        return 2;
    }
    struct router router = {.member = argv[4], .lock = PTHREAD_MUTEX_INITIALIZER};
    struct direct direct = {0};
    struct roster *roster;
    struct roster_cluster *cluster;
    if (roster_open(&(struct roster_options){.servers = argv[1]}, &roster) != ROSTER_OK) {
        fprintf(stderr, "promotion: %s\n", roster_error());
        return 1;
    }
    roster_subscribe(roster, argv[2],
                     &(struct roster_subscription){.changed = changed, .context = &router},
                     &cluster);
    /* the callback runs on a thread of its own */
    for (int waited = 0; waited < 1000 && !look(&router).notified; waited++) {
        sleep_until(now_us(CLOCK_MONOTONIC) + 1000);
    }
    struct router at_start = look(&router);
    bool measured = false;
    if (!open_direct(&direct, !strcmp(argv[3], "mysql"), (unsigned)atoi(argv[5]))) {
        fprintf(stderr, "promotion: the direct poll: %s\n", error_of(&direct));
    } else {
        measured = arm(&at_start, &direct) && measure(&router, &direct);
    }
    roster_close(roster);
    PQfinish(direct.pg);
    if (direct.my) {
        mysql_close(direct.my);
    }
    return measured ? 0 : 1;
}
