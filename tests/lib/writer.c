/* writer - a compute node in small: writes all the time, where libroster routes.
 *
 *     writer SERVERS CLUSTER postgresql|mysql USER PASSWORD DATABASE
 *
 * Inserts (id, member) into the table `journal`, one row each 5 ms, ids growing
 * from 1, over one connection that it keeps while the route does not change.
 * It reports each outcome to the library. It prints, flushed,
 *
 *     12:00:01.123 orders: writes to pg-2 instead of pg-1, 143 ms after the last one
 *     12:00:01.045 orders: pg-1: what the server said
 *     12:00:01.120 orders: the library's own line for the change
 *
 * (where writes go; the first of each run of failures)
 * and on SIGTERM a line of JSON:
 * {"writes":N,"failures":N,"longest_gap_ms":N,"last":{"MEMBER":ID,...}}, where `last` is the last
 * id that each member acknowledged. Rows beyond it on a server are rows nobody was promised. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>
#include <mysql.h>

#include <roster.h>

static volatile sig_atomic_t ended;

static void end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static int64_t now_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- one connection, of either engine -------------------------------------------------------- */

struct target {
    const char *cluster;
    int mysql;
    const char *user;
    const char *password;
    const char *database;
};

struct connection {
    PGconn *pg;
    MYSQL *my;
    char message[256];
};

static void disconnect(struct connection *connection)
{
    PQfinish(connection->pg);
    if (connection->my) {
        mysql_close(connection->my);
    }
    connection->pg = NULL;
    connection->my = NULL;
}

static void keep_first_line(struct connection *connection, const char *text)
{
    snprintf(connection->message, sizeof connection->message, "%.*s", (int)strcspn(text, "\n"),
             text);
}

static enum roster_outcome pg_write(struct connection *connection, const struct target *target,
                                    const struct roster_endpoint *to, const char *statement)
{
    if (!connection->pg) {
        char port[16];
        snprintf(port, sizeof port, "%u", to->port);
        const char *const keys[] = {"host", "port", "user", "password", "dbname", "connect_timeout",
                                    NULL};
        const char *const values[] = {to->host,         port, target->user, target->password,
                                      target->database, "2",  NULL};
        connection->pg = PQconnectdbParams(keys, values, 0);
    }
    if (PQstatus(connection->pg) != CONNECTION_OK) {
        keep_first_line(connection, PQerrorMessage(connection->pg));
        return ROSTER_OUTCOME_REFUSED;
    }
    PGresult *result = PQexec(connection->pg, statement);
    enum roster_outcome outcome = ROSTER_OUTCOME_OK;
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        keep_first_line(connection, PQerrorMessage(connection->pg));
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        outcome = sqlstate ? roster_classify(sqlstate, 0) : ROSTER_OUTCOME_REFUSED;
    }
    PQclear(result);
    return outcome;
}

static enum roster_outcome my_write(struct connection *connection, const struct target *target,
                                    const struct roster_endpoint *to, const char *statement)
{
    unsigned seconds = 2;
    int connected = connection->my != NULL;
    if (!connected) {
        connection->my = mysql_init(NULL);
        mysql_options(connection->my, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
        mysql_options(connection->my, MYSQL_OPT_READ_TIMEOUT, &seconds);
        connected = mysql_real_connect(connection->my, to->host, target->user, target->password,
                                       target->database, to->port, NULL, 0) != NULL;
    }
    if (connected && mysql_query(connection->my, statement) == 0) {
        return ROSTER_OUTCOME_OK;
    }
    keep_first_line(connection, mysql_error(connection->my));
    return connected ? roster_classify(mysql_sqlstate(connection->my), mysql_errno(connection->my))
                     : ROSTER_OUTCOME_REFUSED;
}

/* ---- the books ------------------------------------------------------------------------------- */

struct books {
    long long writes;
    long long failures;
    int64_t longest_gap_ms;
    int64_t last_ms; /* of the last write, monotonic; 0: none yet */
    int failing;     /* the last attempt failed and was printed */
    char at[64];     /* the member last written to */
    size_t count;
    struct {
        char name[64];
        long long id;
    } last[ROSTER_MEMBERS_MAX];
};

__attribute__((format(printf, 1, 2))) static void print_line(const char *format, ...)
{
    int64_t ms = now_ms(CLOCK_REALTIME);
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    localtime_r(&seconds, &tm);
    printf("%02d:%02d:%02d.%03d %s\n", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms % 1000), line);
    fflush(stdout);
}

static void acknowledge(struct books *books, const struct target *target,
                        const struct roster_endpoint *to, long long id)
{
    int64_t now = now_ms(CLOCK_MONOTONIC);
    int64_t gap_ms = books->last_ms ? now - books->last_ms : 0;
    if (gap_ms > books->longest_gap_ms) {
        books->longest_gap_ms = gap_ms;
    }
    if (strcmp(books->at, to->name)) {
        if (books->at[0]) {
            print_line("%s: writes to %s instead of %s, %lld ms after the last one",
                       target->cluster, to->name, books->at, (long long)gap_ms);
        } else {
            print_line("%s: writes to %s", target->cluster, to->name);
        }
        snprintf(books->at, sizeof books->at, "%s", to->name);
    }
    size_t i = 0;
    while (i < books->count && strcmp(books->last[i].name, to->name)) {
        i++;
    }
    if (i == books->count && books->count < ROSTER_MEMBERS_MAX) {
        snprintf(books->last[books->count++].name, sizeof books->last[0].name, "%s", to->name);
    }
    if (i < books->count) {
        books->last[i].id = id;
    }
    books->writes++;
    books->last_ms = now;
    books->failing = 0;
}

static void print_books(const struct books *books)
{
    printf("{\"writes\":%lld,\"failures\":%lld,\"longest_gap_ms\":%lld,\"last\":{", books->writes,
           books->failures, (long long)books->longest_gap_ms);
    for (size_t i = 0; i < books->count; i++) {
        printf("%s\"%s\":%lld", i ? "," : "", books->last[i].name, books->last[i].id);
    }
    printf("}}\n");
}

/* ---- writing --------------------------------------------------------------------------------- */

static void changed(void *context, const struct roster_change *change)
{
    (void)context;
    print_line("%s", change->timeline);
}

static void write_until_ended(struct roster_cluster *cluster, const struct target *target,
                              struct books *books)
{
    struct connection connection = {0};
    struct roster_endpoint now = {0};
    for (long long id = 1; !ended; id++) {
        struct roster_endpoint to;
        char statement[256];
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        if (roster_route(cluster, ROSTER_WRITE, NULL, &to) != ROSTER_OK) {
            disconnect(&connection);
            continue;
        }
        if (strcmp(now.name, to.name) || now.epoch != to.epoch) {
            disconnect(&connection); /* never write over a connection of before */
            now = to;
        }
        snprintf(statement, sizeof statement,
                 "INSERT INTO journal (id, member) VALUES (%lld, '%s')", id, to.name);
        enum roster_outcome outcome =
            (target->mysql ? my_write : pg_write)(&connection, target, &to, statement);
        roster_feedback(cluster, &to, outcome);
        if (outcome == ROSTER_OUTCOME_OK) {
            acknowledge(books, target, &to, id);
            continue;
        }
        books->failures++;
        if (!books->failing) {
            print_line("%s: %s: %s", target->cluster, to.name, connection.message);
        }
        books->failing = 1;
        disconnect(&connection);
    }
    disconnect(&connection);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fputs("usage: writer SERVERS CLUSTER postgresql|mysql USER PASSWORD DATABASE\n", stderr);
        return 2;
    }
    struct target target = {.cluster = argv[2],
                            .mysql = !strcmp(argv[3], "mysql"),
                            .user = argv[4],
                            .password = argv[5],
                            .database = argv[6]};
    struct roster *roster;
    struct roster_cluster *cluster;
    struct books books = {0};
    signal(SIGTERM, end);
    signal(SIGINT, end);
    if (roster_open(&(struct roster_options){.servers = argv[1]}, &roster) != ROSTER_OK) {
        fprintf(stderr, "writer: %s\n", roster_error());
        return 2;
    }
    roster_subscribe(roster, argv[2],
                     &(struct roster_subscription){.changed = changed, .wait_ms = -1}, &cluster);
    if (cluster) {
        write_until_ended(cluster, &target, &books);
        print_books(&books);
    }
    roster_close(roster);
    return cluster ? 0 : 1;
}
