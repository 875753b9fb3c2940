/* MySQL and MariaDB by the client library's non-blocking API (mysql_client.h).
 *
 *      OFF --start--> CONNECTING --> QUERYING --> IDLE --start--> QUERYING ...
 *       ^             |    ^ |          |
 *       |   TLS:      v    | |          |
 *       |          BLOCKING' |          |
 *       '--------------------'----------'  (a failure closes the connection)
 *
 * A look on an open connection is a few statements in one message, one round trip (mysql_query.c).
 *
 * Invariant: encryption is decided at the server's greeting, before anything of ours is sent:
 * `require` and `verify` end there when none is offered; `prefer` goes on in clear text, where
 * fewer authentication methods are allowed. `require` protects from listeners, only `verify`
 * from an impostor.
 *
 * Limits: the TLS handshake occupies a worker thread, for at most timeout_ms. Without tls_ca every
 * TLS connection would load the system's authorities, some 20 ms of the worker's time and 0.8 MB,
 * unless the process hides them (main.c). */
#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/drivers/custom_query.h"
#include "probes/drivers/driver.h"
#include "probes/drivers/errors.h"
#include "probes/drivers/mysql_client.h"
#include "probes/drivers/mysql_query.h"
#include "registry/base/limits.h"
#include "registry/base/text.h"

enum stage {
    STAGE_OFF,
    STAGE_CONNECTING, /* on the loop */
    STAGE_BLOCKING,   /* the same, on a worker thread */
    STAGE_QUERYING,   /* the result of `statement` is awaited */
    STAGE_IDLE
};

struct link {
    char host[HOST_SIZE];
    uint16_t port;
    char user[NAME_SIZE];
    char database[NAME_SIZE];
    char password[SECRET_SIZE];
    char application[NAME_SIZE];
    char tls_ca[PATH_SIZE];
    char custom[QUERY_SIZE]; /* the operator's statement; "": our own ones */
    enum tls tls;
    bool discover;
    int64_t timeout_ms;

    enum stage stage;
    struct client *client;    /* NULL when STAGE_OFF */
    char address[64];         /* of this connection, to connect again */
    bool plain;               /* no encryption on this connection */
    enum client_step blocked; /* outcome of the blocking part */
    enum dialect dialect;
    const struct statement *statements; /* of a look */
    const struct statement *statement;  /* the one whose result comes next */
    struct statement custom_statements[2];
    struct statement discovery_statements[STATEMENTS_MAX + 1];
    char batch[MYSQL_QUERY_SIZE]; /* statements as they are sent */
    bool answered;                /* this connection has completed a look */
    bool overdue;                 /* what is awaited did not come in time */
    enum remains remains;         /* with STAGE_OFF */
    struct observation seen;
};

/* ---- endings --------------------------------------------------------------------------------- */

static void mysql_disconnect(struct link *link)
{
    assert(link->stage != STAGE_BLOCKING);
    client_free(link->client);
    link->client = NULL;
    link->stage = STAGE_OFF;
    link->answered = false;
    link->overdue = false;
    link->remains = REMAINS_NOTHING;
}

/* Ends the look and the connection. `detail` may belong to either. */
static void fail(struct link *link, enum answer answer, const char *detail)
{
    observation_fail(&link->seen, answer, detail);
    mysql_disconnect(link);
}

/* The log-in failed: was it we who hung up, with the server waiting for more? */
static bool breaks_off(const struct link *link)
{
    unsigned error = client_error(link->client);
    if (client_is_flooded(link->client) || client_is_barred(link->client)) {
        return true;
    }
    switch (error) {
    case 2002: /* it was never connected, */
    case 2003:
    case 2006: /* or the server hung up */
    case 2013:
    case 2055:
        return false;
    default:
        return client_socket_error(link->client) == 0 && errors_is_of_mysql_client(error);
    }
}

/* A step failed. If a connection that worked before broke, the look is worth repeating. */
static void fail_step(struct link *link, bool connecting)
{
    bool broken_off = connecting && breaks_off(link);
    bool was_idle = errors_ends_idle_mysql(client_error(link->client));
    const char *message = client_message(link->client);
    enum answer answer = answer_of_mysql(client_error(link->client), connecting, message);
    if (client_is_flooded(link->client)) {
        fail(link, ANSWER_PROTOCOL, "the answer is too long");
    } else if (client_is_barred(link->client)) {
        fail(
            link, ANSWER_AUTH,
            link->plain
                ? "the server asks for a way to log in that shows the password without encryption; "
                  "for caching_sha2_password set tls = require or verify"
                : "the server asks for a way to log in that is not allowed");
    } else if (client_socket_error(link->client) != 0) {
        fail(link, answer_of_errno(client_socket_error(link->client)), message);
    } else {
        fail(link, answer == ANSWER_LOST && !link->answered ? ANSWER_PROTOCOL : answer, message);
    }
    link->seen.was_idle = was_idle;
    link->remains = broken_off ? REMAINS_BREAK : REMAINS_NOTHING;
}

static void fail_timed_out(struct link *link)
{
    bool queried = link->stage >= STAGE_QUERYING;
    bool connecting = !queried && !client_has_connected(link->client);
    char detail[DETAIL_SIZE];
    snprintf(detail, sizeof detail, "%s within %" PRId64 " ms",
             queried      ? "no answer"
             : connecting ? "no connection"
                          : "connected, but could not log in",
             link->timeout_ms);
    if (connecting) {
        fail(link, ANSWER_TIMEOUT, detail);
    } else {
        observation_fail(&link->seen, ANSWER_STALLED, detail);
        link->overdue = true;
    }
}

/* The end of the part that blocks gives the connection up, too. */
static void fail_blocked(struct link *link)
{
    fail_timed_out(link);
    if (link->overdue) {
        mysql_disconnect(link);
        link->remains = REMAINS_DOUBT;
    }
}

/* ---- statements ------------------------------------------------------------------------------ */

static void choose_statements(struct link *link, enum dialect dialect)
{
    link->dialect = dialect;
    if (link->custom[0]) {
        link->statements = link->custom_statements;
    } else if (link->discover) {
        link->statements = mysql_statements_and_replicas(dialect, link->discovery_statements);
    } else {
        link->statements = mysql_statements(dialect);
    }
}

static void finish(struct link *link, enum answer answer)
{
    link->seen.answer = answer;
    link->answered = true;
    link->stage = STAGE_IDLE;
    if (!link->seen.version[0]) {
        mysql_read_version(client_server_version(link->client), link->seen.version,
                           sizeof link->seen.version);
    }
}

/* A server in offline mode rejects all accounts but those with CONNECTION_ADMIN: for users it is
 * not available. */
static void finish_answered(struct link *link)
{
    if (link->seen.offline) {
        text_copy(link->seen.detail, sizeof link->seen.detail, "offline_mode is on");
    }
    finish(link, link->seen.offline ? ANSWER_OFFLINE : ANSWER_OK);
}

/* An error that the connection survives: our account lacks a privilege for this statement. The
 * results before it may be enough. */
static bool is_denied(const struct link *link)
{
    unsigned error = client_error(link->client);
    return !client_is_flooded(link->client) && errors_knows_mysql(error) &&
           answer_of_mysql(error, false, client_message(link->client)) == ANSWER_PRIVILEGE;
}

static void send_from(struct link *link, const struct statement *statement);

static void on_denied(struct link *link)
{
    const struct statement *denied = link->statement;
    bool vital = !denied->is_vital || denied->is_vital(&link->seen);
    /* a group's members name each other */
    if (mysql_is_wanted(denied) && link->seen.group.type == GROUP_NONE) {
        text_copy(link->seen.missing, sizeof link->seen.missing, denied->privilege);
    }
    if (!vital && denied[1].sql) {
        send_from(link, denied + 1); /* the server has skipped these */
        return;
    }
    if (!vital) {
        finish_answered(link);
        return;
    }
    text_tame(link->seen.detail, sizeof link->seen.detail, client_message(link->client));
    text_copy(link->seen.missing, sizeof link->seen.missing,
              denied->privilege ? denied->privilege : "");
    finish(link, ANSWER_PRIVILEGE);
}

/* The server refuses the statement for a reason of its own, over a connection that works. What
 * fails in the operator's may be the very thing that it is to find. */
static bool is_refused(const struct link *link, enum answer *ret_answer)
{
    unsigned error = client_error(link->client);
    bool known = errors_knows_mysql(error);
    *ret_answer = link->custom[0] && !known
                      ? ANSWER_PROTOCOL
                      : answer_of_mysql(error, false, client_message(link->client));
    return error != 0 && !client_is_flooded(link->client) && !errors_is_of_mysql_client(error) &&
           (!known || (link->custom[0] && *ret_answer == ANSWER_PROTOCOL));
}

static void on_statement_failed(struct link *link)
{
    enum answer answer;
    if (is_denied(link)) {
        on_denied(link);
    } else if (is_refused(link, &answer)) {
        text_tame(link->seen.detail, sizeof link->seen.detail, client_message(link->client));
        finish(link, answer);
    } else {
        fail_step(link, false);
    }
}

/* Reads the result at hand. True: the next statement's result is to come. */
static bool read_result(struct link *link)
{
    bool custom = link->custom[0];
    bool more = link->statement[1].sql != NULL;
    bool good = link->statement->read(link->client, &link->seen);
    if (client_has_next(link->client) != more || (!good && !custom)) {
        fail(link, ANSWER_PROTOCOL,
             good && custom ? "the query is more than one statement"
             : custom       ? link->seen.detail
                            : "the server's answer has not the shape of the question");
    } else if (!good) {
        finish(link, ANSWER_PROTOCOL); /* nothing is wrong with the connection */
    } else if (!more) {
        finish_answered(link);
    } else {
        link->statement++;
        return true;
    }
    return false;
}

static void read_results(struct link *link, enum client_step step)
{
    while (step == CLIENT_DONE && read_result(link)) {
        step = client_next(link->client);
    }
    if (step == CLIENT_FAILED) {
        on_statement_failed(link);
    }
    if (link->stage == STAGE_IDLE && link->overdue) { /* it was true at some time before */
        observation_init(&link->seen);
        choose_statements(link, link->dialect);
        send_from(link, link->statements);
    }
}

static void send_from(struct link *link, const struct statement *statement)
{
    link->overdue = link->overdue && statement != link->statements;
    link->stage = STAGE_QUERYING;
    link->statement = statement;
    mysql_join_statements(statement, link->batch);
    read_results(link, client_query(link->client, link->batch));
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void on_logged_in(struct link *link)
{
    if (link->tls >= TLS_REQUIRE && !client_is_encrypted(link->client)) {
        fail(link, ANSWER_TLS, "the connection is not encrypted");
        link->remains = REMAINS_BREAK;
        return;
    }
    choose_statements(link, mysql_dialect(client_server_version(link->client),
                                          client_server_number(link->client)));
    send_from(link, link->statements);
}

static void on_login_step(struct link *link, enum client_step step);

static void connect_client(struct link *link)
{
    const struct client_options options = {
        .name = link->host,
        .user = link->user,
        .password = link->password,
        .database = link->database,
        .program = link->application,
        .port = link->port,
        .encrypt = !link->plain,
        .verify = link->tls == TLS_VERIFY,
        .ca = link->tls == TLS_VERIFY && !link->tls_ca[0] ? SYSTEM_CA : link->tls_ca,
        .timeout_ms = link->timeout_ms,
        .answer_max = MYSQL_ANSWER_BYTES_MAX,
    };
    link->client = client_new(&options);
    if (!link->client) {
        fail(link, ANSWER_UNKNOWN, "out of memory");
        return;
    }
    link->stage = STAGE_CONNECTING;
    on_login_step(link, client_connect(link->client, link->address));
}

static void go_on_plain(struct link *link)
{
    enum client_step step = client_go_on_plain(link->client);
    if (step == CLIENT_PLAINTEXT) {
        mysql_disconnect(link);
        connect_client(link);
    } else {
        on_login_step(link, step);
    }
}

static void on_login_step(struct link *link, enum client_step step)
{
    switch (step) {
    case CLIENT_WAITS:
        break;
    case CLIENT_DONE:
        on_logged_in(link);
        break;
    case CLIENT_BLOCKS:
        link->stage = STAGE_BLOCKING;
        break;
    case CLIENT_PLAINTEXT:
        if (link->tls != TLS_PREFER) {
            fail(link, ANSWER_TLS, "the server offers no encryption");
            link->remains = REMAINS_BREAK;
            break;
        }
        link->plain = true;
        go_on_plain(link);
        break;
    case CLIENT_FAILED:
        fail_step(link, true);
        break;
    }
}

static void on_blocking_done(struct link *link)
{
    link->stage = STAGE_CONNECTING;
    if (link->blocked == CLIENT_WAITS) {
        fail_blocked(link);
    } else {
        on_login_step(link, link->blocked);
    }
}

/* ---- the driver ------------------------------------------------------------------------------ */

static void set_want(const struct link *link, struct want *want)
{
    switch (link->stage) {
    case STAGE_OFF:
    case STAGE_IDLE:
        *want = (struct want){.kind = WANT_NOTHING, .phase = PHASE_IDLE, .fd = -1};
        break;
    case STAGE_BLOCKING:
        *want = (struct want){.kind = WANT_BLOCKING, .phase = PHASE_CONNECT, .fd = -1};
        break;
    default:
        *want = (struct want){
            .kind = WANT_IO,
            .phase = link->stage < STAGE_QUERYING ? PHASE_CONNECT : PHASE_QUERY,
            .fd = client_fd(link->client),
            .events = client_events(link->client),
            .tick_ms = client_tick_ms(link->client),
        };
    }
}

static struct link *mysql_open(const struct target *target)
{
    struct link *link = calloc(1, sizeof *link);
    if (!link) {
        return NULL;
    }
    client_init_library();
    const struct cluster_settings *cluster = target->cluster;
    memcpy(link->host, target->config->host, sizeof link->host);
    memcpy(link->user, cluster->user, sizeof link->user);
    memcpy(link->database, cluster->database, sizeof link->database);
    memcpy(link->password, cluster->password, sizeof link->password);
    memcpy(link->tls_ca, cluster->tls_ca, sizeof link->tls_ca);
    const char *custom = custom_statement(cluster);
    text_copy(link->custom, sizeof link->custom, custom ? custom : "");
    link->custom_statements[0] = (struct statement){.sql = link->custom, .read = mysql_read_custom};
    text_tame(link->application, sizeof link->application, target->application);
    link->port = target->config->port;
    link->tls = cluster->tls;
    link->discover = cluster->discover;
    link->timeout_ms = target->timeout_ms;
    return link;
}

static void mysql_start(struct link *link, const char *address, struct want *ret_want)
{
    assert(link->stage == STAGE_OFF || link->stage == STAGE_IDLE || link->overdue);
    observation_init(&link->seen);
    if (link->overdue) {
        /* it goes on where it stands */
    } else if (link->stage == STAGE_IDLE) {
        send_from(link, link->statements);
    } else if (text_copy(link->address, sizeof link->address, address)) {
        link->plain = link->tls == TLS_OFF;
        connect_client(link);
    } else {
        fail(link, ANSWER_NAME, "the address is too long");
    }
    set_want(link, ret_want);
}

static void mysql_resume(struct link *link, int events, struct want *ret_want)
{
    switch (link->stage) {
    case STAGE_CONNECTING:
        on_login_step(link, client_resume(link->client, events));
        break;
    case STAGE_BLOCKING:
        on_blocking_done(link);
        break;
    case STAGE_QUERYING:
        read_results(link, client_resume(link->client, events));
        break;
    case STAGE_OFF:
    case STAGE_IDLE:
        break;
    }
    set_want(link, ret_want);
}

static void mysql_run_blocking(struct link *link)
{
    assert(link->stage == STAGE_BLOCKING);
    link->blocked = client_run_blocking(link->client);
}

static void mysql_expire(struct link *link)
{
    assert(link->stage != STAGE_BLOCKING);
    if (link->stage != STAGE_OFF && link->stage != STAGE_IDLE) {
        fail_timed_out(link);
    }
}

static const struct observation *mysql_observation(const struct link *link)
{
    return &link->seen;
}

static enum remains mysql_remains(const struct link *link)
{
    return link->stage == STAGE_OFF    ? link->remains
           : link->stage == STAGE_IDLE ? REMAINS_SESSION
                                       : REMAINS_QUESTION;
}

static int mysql_idle_fd(const struct link *link)
{
    return link->stage == STAGE_IDLE || link->overdue ? client_fd(link->client) : -1;
}

static void mysql_close_link(struct link *link)
{
    if (link) {
        if (link->stage == STAGE_BLOCKING) {
            /* the worker is done; its outcome is not needed */
            link->stage = STAGE_CONNECTING;
        }
        mysql_disconnect(link);
        explicit_bzero(link->password, sizeof link->password);
        free(link);
    }
}

const struct driver driver_mysql = {
    .engine = ENGINE_MYSQL,
    .open = mysql_open,
    .start = mysql_start,
    .resume = mysql_resume,
    .run_blocking = mysql_run_blocking,
    .expire = mysql_expire,
    .observation = mysql_observation,
    .remains = mysql_remains,
    .idle_fd = mysql_idle_fd,
    .disconnect = mysql_disconnect,
    .close = mysql_close_link,
};
