/* PostgreSQL by libpq's non-blocking API.
 *
 *      OFF --start--> CONNECTING <-> WORKING --> QUERYING --> IDLE --start--> QUERYING ...
 *       ^------------------'------------'-----------'  (a failure closes the connection)
 *
 * Nothing here waits but in the loop: libpq gets a literal address (hostaddr) beside the configured
 * name (host, for the certificate). What it computes for a log-in goes to a worker thread: proofs
 * for SCRAM, as dear as the server says (3 ms by default, a second where it wants 1,000,000
 * iterations), and certificates. A look on an open connection is one statement, one round trip
 * (pg_query.c).
 *
 * Invariant: the password is never sent in clear text to a server that was not verified (tls =
 * verify). From libpq 16 on require_auth enforces that, before that the guard (pg_guard.c).
 *
 * Limits: a server may ask for 2^31 iterations of SCRAM, which keep a worker for an hour; nothing
 * ends libpq's computation. With tls = verify and no tls_ca, the system's authorities are loaded
 * for each log-in, 20 ms. ANSWER_BYTES_MAX per look: with a server that sends without end the
 * bound is checked between reads; one read takes at most what is in the socket, and what arrives
 * meanwhile. */
#include <assert.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "probes/drivers/custom_query.h"
#include "probes/drivers/driver.h"
#include "probes/drivers/errors.h"
#include "probes/drivers/pg_guard.h"
#include "probes/drivers/pg_query.h"
#include "registry/base/limits.h"
#include "registry/base/text.h"

static_assert((int)QUERY_SIZE <= (int)PG_QUERY_SIZE, "the operator's statement fits, too");

enum stage {
    STAGE_OFF,
    STAGE_CONNECTING,
    STAGE_WORKING, /* the same, on a worker thread */
    STAGE_QUERYING,
    STAGE_IDLE
};

struct link {
    char host[HOST_SIZE];
    char port[8];
    char user[NAME_SIZE];
    char database[NAME_SIZE];
    char password[SECRET_SIZE];
    char application[NAME_SIZE];
    char tls_ca[PATH_SIZE];
    char query[PG_QUERY_SIZE];
    bool custom;                /* it is the operator's */
    bool plain;                 /* a pooler refuses options at the start: none are sent */
    char address[LITERAL_SIZE]; /* of this look */
    enum tls tls;
    int64_t timeout_ms;

    enum stage stage;
    PGconn *connection;                /* NULL when STAGE_OFF */
    PostgresPollingStatusType polling; /* what libpq waits for to connect */
    bool flushing;                     /* STAGE_QUERYING: the query is not sent completely */
    bool answered;                     /* this connection has completed a look */
    bool repeated;                     /* the query was sent twice in this look */
    bool overdue;                      /* what is awaited did not come in time */
    enum remains remains;              /* with STAGE_OFF */
    size_t read_bytes;                 /* in this look */
    struct guard guard;
    struct observation seen;
};

/* ---- connections ----------------------------------------------------------------------------- */

static void pg_disconnect(struct link *link)
{
    guard_end(&link->guard);
    PQfinish(link->connection);
    link->connection = NULL;
    link->stage = STAGE_OFF;
    link->answered = false;
    link->overdue = false;
    link->remains = REMAINS_NOTHING;
}

/* Ends the look and the connection. `detail` may belong to either. */
static void fail(struct link *link, enum answer answer, const char *detail)
{
    observation_fail(&link->seen, answer, detail);
    pg_disconnect(link);
}

/* The connection broke. If it worked before, the look is worth repeating; a new one that breaks
 * shows that the server (or something in front of it) hangs up. */
static void fail_broken(struct link *link, const char *detail)
{
    fail(link, link->answered ? ANSWER_LOST : ANSWER_PROTOCOL,
         detail && *detail ? detail : "the server closed the connection");
}

/* May libpq read on? */
static bool within_bounds(struct link *link)
{
    int waiting = 0;
    if (ioctl(PQsocket(link->connection), FIONREAD, &waiting) == 0 && waiting > 0) {
        link->read_bytes += (size_t)waiting;
    }
    if (link->read_bytes <= ANSWER_BYTES_MAX) {
        return true;
    }
    bool connecting = link->stage == STAGE_CONNECTING;
    fail(link, ANSWER_PROTOCOL, "the answer is too long");
    link->remains = connecting ? REMAINS_BREAK : REMAINS_NOTHING;
    return false;
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

static const char NOWHERE[] = "/dev/null/none";

static PGconn *start_connection(const struct link *link, const char *address)
{
    static const char *const modes[] = {[TLS_OFF] = "disable",
                                        [TLS_PREFER] = "prefer",
                                        [TLS_REQUIRE] = "require",
                                        [TLS_VERIFY] = "verify-full"};
    const char *keys[32], *values[32];
    size_t n = 0;
    char options[160], user_timeout_ms[24];
    /* Twice our deadline, so that ours comes first; these end what the server would continue. */
    snprintf(options, sizeof options, "-c statement_timeout=%" PRId64 " -c search_path=pg_catalog",
             2 * link->timeout_ms);
    snprintf(user_timeout_ms, sizeof user_timeout_ms, "%" PRId64, 2 * link->timeout_ms + 1000);
#define SET(key, value) (keys[n] = (key), values[n] = (value), n++)
    SET("hostaddr", address);
    SET("host", link->host);
    SET("port", link->port);
    SET("user", link->user);
    SET("dbname", link->database[0] ? link->database : "postgres");
    SET("password", link->password);
    /* not those in somebody's home: what cannot be is not there */
    SET("passfile", NOWHERE);
    SET("sslcert", NOWHERE);
    SET("sslkey", NOWHERE);
    SET("sslcrl", NOWHERE);
    SET("application_name", link->application);
    SET("client_encoding", "UTF8");
    if (!link->plain) {
        SET("options", options);
    }
    SET("target_session_attrs", "any");
    SET("gssencmode", "disable");
    SET("sslmode", modes[link->tls]);
    if (link->tls_ca[0]) {
        SET("sslrootcert", link->tls_ca);
    } else if (link->tls == TLS_VERIFY) {
        SET("sslrootcert", SYSTEM_CA);
    } else {
        SET("sslrootcert", NOWHERE);
    }
    if (PQlibVersion() >= 160000) {
        SET("require_auth", link->tls == TLS_VERIFY ? "!gss,!sspi" : "!password,!gss,!sspi");
    }
    SET("keepalives", "1");
    SET("keepalives_idle", "10");
    SET("keepalives_interval", "2");
    SET("keepalives_count", "3");
    SET("tcp_user_timeout", user_timeout_ms);
#undef SET
    keys[n] = values[n] = NULL;
    assert(n < sizeof keys / sizeof *keys);
    return PQconnectStartParams(keys, values, 0);
}

/* require_auth, or the guard in its place, has kept the password back. */
static bool is_barred(const struct link *link)
{
    return link->guard.tripped ||
           strstr(PQerrorMessage(link->connection), "server requested a cleartext password");
}

/* A pooler in between knows some start-up parameters only: PgBouncer's sentence, and that of RDS
 * Proxy. */
static bool refuses_options(const struct link *link)
{
    static const char *const words[] = {"startup parameter", "command-line options"};
    const char *message = PQerrorMessage(link->connection);
    bool refused = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        refused = refused || strstr(message, words[i]);
    }
    return refused && !link->guard.tripped && !link->plain;
}

static void connect_to(struct link *link);

/* Servers behind a pooler are no members whose replication could be asked for; peers are asked
 * without options. */
static void go_without_options(struct link *link)
{
    if (!link->custom) {
        fail(link, ANSWER_AUTH,
             "a pooler refuses start-up options: give the address of the server behind it");
        return;
    }
    pg_disconnect(link);
    link->plain = true;
    connect_to(link);
}

static void fail_connecting(struct link *link)
{
    if (refuses_options(link)) {
        go_without_options(link);
        return;
    }
    if (is_barred(link)) {
        fail(link, ANSWER_AUTH, guard_sentence(&link->guard));
        link->remains = REMAINS_BREAK;
        return;
    }
    enum answer answer = answer_of_libpq(PQerrorMessage(link->connection), link->tls != TLS_OFF,
                                         link->seen.detail, sizeof link->seen.detail);
    fail(link, answer, link->seen.detail);
    link->remains = answer == ANSWER_TLS ? REMAINS_BREAK : REMAINS_NOTHING;
}

static bool needs_guard(const struct link *link)
{
    return PQlibVersion() < 160000 && link->tls != TLS_VERIFY && link->password[0];
}

static void connect_to(struct link *link)
{
    link->connection = start_connection(link, link->address);
    if (!link->connection) {
        fail(link, ANSWER_UNKNOWN, "out of memory");
        return;
    }
    PQsetNoticeReceiver(link->connection, ignore_notice, NULL);
    /* else the SQLSTATE of a failed connect is not available */
    PQsetErrorVerbosity(link->connection, PQERRORS_VERBOSE);
    if (PQstatus(link->connection) == CONNECTION_BAD) {
        fail_connecting(link);
        return;
    }
    if (needs_guard(link) && !guard_begin(&link->guard, link->connection, link->password)) {
        fail(link, ANSWER_UNKNOWN, "out of memory");
        return;
    }
    link->stage = STAGE_CONNECTING;
    link->polling = PGRES_POLLING_WRITING;
}

/* Reads the errno of a failed connect(), which libpq gives as a sentence only. False when the
 * connect failed, which ended the look, or is still pending. */
static bool has_connected(struct link *link, int events)
{
    if (PQstatus(link->connection) != CONNECTION_STARTED) {
        return true;
    }
    if (events == 0) {
        return false;
    }
    int error = errors_of_connect(PQsocket(link->connection));
    if (error == 0) {
        return true;
    }
    fail(link, answer_of_errno(error), strerror(error));
    return false;
}

static void send_query(struct link *link);

static void resume_connect(struct link *link, int events)
{
    if (has_connected(link, events) && within_bounds(link)) {
        link->stage = STAGE_WORKING;
    }
}

/* The worker has done what could be done. */
static void on_worked(struct link *link)
{
    link->stage = STAGE_CONNECTING;
    if (link->guard.tripped || link->polling == PGRES_POLLING_FAILED) {
        fail_connecting(link);
    } else if (link->polling == PGRES_POLLING_OK) {
        guard_end(&link->guard);
        PQsetnonblocking(link->connection, 1);
        send_query(link);
    }
}

/* ---- the query ------------------------------------------------------------------------------- */

static void flush(struct link *link)
{
    int left = PQflush(link->connection);
    link->flushing = left > 0;
    /* An error while sending shows when reading: the server's last message may be there. */
}

static void send_query(struct link *link)
{
    link->stage = STAGE_QUERYING;
    link->overdue = false;
    if (!PQsendQuery(link->connection, link->query)) {
        fail_broken(link, PQerrorMessage(link->connection));
        return;
    }
    flush(link);
}

static void read_error(struct link *link, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *sentence = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!sqlstate) { /* libpq's own sentence: the connection is gone, which the caller sees */
        return;
    }
    enum answer answer = answer_of_sqlstate(sqlstate, false, sentence ? sentence : "");
    /* what fails in the operator's statement may be the very thing that it is to find */
    bool in_question = link->custom && !errors_knows_sqlstate(sqlstate);
    link->seen.answer = in_question ? ANSWER_PROTOCOL : answer;
    link->seen.was_idle = errors_ends_idle(sqlstate);
    text_tame(link->seen.detail, sizeof link->seen.detail, sentence ? sentence : sqlstate);
}

/* Recovery ended during the query (55000): the server will answer as a primary now. */
static bool should_repeat(struct link *link, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return !link->repeated && sqlstate && text_equal(sqlstate, "55000");
}

static void read_rows(struct link *link, const PGresult *result)
{
    const char *version = PQparameterStatus(link->connection, "server_version");
    if (link->seen.answer != ANSWER_UNKNOWN) {
        fail(link, ANSWER_PROTOCOL,
             link->custom ? "the query is more than one statement" : "the server answers twice");
    } else if (link->custom) {
        pg_read_custom(result, version, &link->seen);
    } else if (!pg_read_answer(result, version, &link->seen)) {
        fail(link, ANSWER_PROTOCOL, "the server's answer has not the shape of the question");
    }
}

static void read_result(struct link *link, const PGresult *result, bool *repeat)
{
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
        read_rows(link, result);
        break;
    case PGRES_FATAL_ERROR:
        *repeat = should_repeat(link, result);
        if (!*repeat) {
            read_error(link, result);
        }
        break;
    default:
        fail(link, ANSWER_PROTOCOL, "the server answers something that was not asked");
    }
}

/* The answer is complete. */
static void finish(struct link *link, bool repeat)
{
    if (repeat || link->overdue) {
        link->repeated = link->repeated || repeat;
        observation_init(&link->seen);
        send_query(link);
    } else if (link->seen.answer == ANSWER_UNKNOWN) {
        fail(link, ANSWER_PROTOCOL, "the server gives no answer");
    } else {
        link->answered = true;
        link->stage = STAGE_IDLE;
    }
}

static void resume_query(struct link *link)
{
    if (!within_bounds(link)) {
        return;
    }
    int well = PQconsumeInput(link->connection);
    flush(link);
    bool repeat = false;
    while (link->stage == STAGE_QUERYING && !PQisBusy(link->connection)) {
        PGresult *result = PQgetResult(link->connection);
        if (!result) {
            break;
        }
        read_result(link, result, &repeat);
        PQclear(result);
    }
    if (link->stage != STAGE_QUERYING) {
        return;
    }
    bool was_idle = link->seen.was_idle;
    bool broken = !well || PQstatus(link->connection) == CONNECTION_BAD;
    enum answer said = link->seen.answer;
    if (broken && said != ANSWER_UNKNOWN && said != ANSWER_OK && said != ANSWER_LOST) {
        fail(link, said, link->seen.detail); /* its last words */
    } else if (broken || said == ANSWER_LOST) {
        fail_broken(link,
                    link->seen.detail[0] ? link->seen.detail : PQerrorMessage(link->connection));
        link->seen.was_idle = was_idle;
    } else if (!PQisBusy(link->connection)) {
        finish(link, repeat);
    }
}

/* ---- the driver ------------------------------------------------------------------------------ */

static void set_want(const struct link *link, struct want *want)
{
    *want = (struct want){.kind = WANT_IO, .fd = PQsocket(link->connection)};
    switch (link->stage) {
    case STAGE_CONNECTING:
        want->phase = PHASE_CONNECT;
        want->events = link->polling == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        return;
    case STAGE_WORKING:
        *want = (struct want){.kind = WANT_BLOCKING, .phase = PHASE_CONNECT, .fd = -1};
        return;
    case STAGE_QUERYING:
        want->phase = PHASE_QUERY;
        want->events = link->flushing ? POLLIN | POLLOUT : POLLIN;
        return;
    default:
        *want = (struct want){.kind = WANT_NOTHING, .phase = PHASE_IDLE, .fd = -1};
    }
}

static struct link *pg_open(const struct target *target)
{
    struct link *link = calloc(1, sizeof *link);
    if (!link) {
        return NULL;
    }
    const struct cluster_settings *cluster = target->cluster;
    memcpy(link->host, target->config->host, sizeof link->host);
    snprintf(link->port, sizeof link->port, "%u", target->config->port);
    memcpy(link->user, cluster->user, sizeof link->user);
    memcpy(link->database, cluster->database, sizeof link->database);
    memcpy(link->password, cluster->password, sizeof link->password);
    memcpy(link->tls_ca, cluster->tls_ca, sizeof link->tls_ca);
    const char *custom = custom_statement(cluster);
    link->custom = custom;
    if (custom) {
        text_copy(link->query, sizeof link->query, custom);
    } else {
        pg_query(cluster->discover, link->query);
    }
    text_tame(link->application, sizeof link->application, target->application);
    link->tls = cluster->tls;
    link->timeout_ms = target->timeout_ms;
    return link;
}

static void pg_start(struct link *link, const char *address, struct want *ret_want)
{
    assert(link->stage == STAGE_OFF || link->stage == STAGE_IDLE || link->overdue);
    observation_init(&link->seen);
    if (!link->overdue) {
        link->repeated = false;
        link->read_bytes = 0;
    }
    if (link->stage == STAGE_IDLE) {
        send_query(link);
    } else if (link->stage == STAGE_OFF) {
        text_copy(link->address, sizeof link->address, address);
        connect_to(link);
    }
    set_want(link, ret_want);
}

static void pg_resume(struct link *link, int events, struct want *ret_want)
{
    if (link->stage == STAGE_CONNECTING) {
        resume_connect(link, events);
    } else if (link->stage == STAGE_WORKING) {
        on_worked(link);
    } else if (link->stage == STAGE_QUERYING) {
        resume_query(link);
    }
    set_want(link, ret_want);
}

static void pg_run_blocking(struct link *link)
{
    assert(link->stage == STAGE_WORKING);
    link->polling = PQconnectPoll(link->connection);
}

static void pg_expire(struct link *link)
{
    assert(link->stage != STAGE_WORKING);
    if (link->stage != STAGE_CONNECTING && link->stage != STAGE_QUERYING) {
        return;
    }
    bool accepted = PQstatus(link->connection) != CONNECTION_STARTED;
    bool queried = link->stage == STAGE_QUERYING;
    char detail[DETAIL_SIZE];
    snprintf(detail, sizeof detail, "%s within %" PRId64 " ms",
             queried    ? "no answer"
             : accepted ? "connected, but could not log in"
                        : "no connection",
             link->timeout_ms);
    if (accepted) {
        observation_fail(&link->seen, ANSWER_STALLED, detail);
        link->overdue = true;
    } else {
        fail(link, ANSWER_TIMEOUT, detail);
    }
}

static const struct observation *pg_observation(const struct link *link)
{
    return &link->seen;
}

static enum remains pg_remains(const struct link *link)
{
    return link->stage == STAGE_OFF    ? link->remains
           : link->stage == STAGE_IDLE ? REMAINS_SESSION
                                       : REMAINS_QUESTION;
}

static int pg_idle_fd(const struct link *link)
{
    bool open = link->stage == STAGE_IDLE || link->overdue;
    return open ? PQsocket(link->connection) : -1;
}

static void pg_close(struct link *link)
{
    if (link) {
        pg_disconnect(link);
        explicit_bzero(link->password, sizeof link->password);
        free(link);
    }
}

const struct driver driver_pg = {
    .engine = ENGINE_POSTGRESQL,
    .open = pg_open,
    .start = pg_start,
    .resume = pg_resume,
    .run_blocking = pg_run_blocking,
    .expire = pg_expire,
    .observation = pg_observation,
    .remains = pg_remains,
    .idle_fd = pg_idle_fd,
    .disconnect = pg_disconnect,
    .close = pg_close,
};
