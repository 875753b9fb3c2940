/* MySQL and MariaDB by the client library's non-blocking API (mysql_client.h).
 *
 *      OFF --look--> CONNECTING (loop: clear text; worker: TLS) --> ASKING --> IDLE
 *       ^----------------'----------------------------------------------'
 *
 * A look on a connection that is up is a few statements in one message, one round
 * trip (mysql_query.c).
 *
 * Encryption is decided at the server's greeting, before anything of ours has
 * left: `require` and `verify` end there when none is offered; `prefer` starts again
 * in clear text, where fewer ways to log in are allowed. `require` keeps listeners
 * out, only `verify` an impostor.
 *
 * Limits: the handshake of TLS takes a worker, for at most timeout_ms. Without
 * tls_ca every TLS connection would load the system's authorities, some 20 ms of
 * the worker's time and 0.8 MB, unless the process hides them (main.c). */
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
    STAGE_WORKING,    /* the same, on a worker */
    STAGE_ASKING,     /* asked; the result of `part` is awaited */
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
    char query[QUERY_SIZE]; /* the operator's statement; "": our question */
    enum tls tls;
    bool discover;
    int64_t timeout_ms;

    enum stage stage;
    struct client *client;   /* NULL when STAGE_OFF */
    char address[64];        /* of this connection, to dial again */
    bool plain;              /* no encryption on this connection */
    enum client_step worked; /* what came of the worker's part */
    enum dialect dialect;
    struct statement custom[2];           /* the operator's statement as a question */
    const struct statement *parts, *part; /* of the question; the one whose result comes next */
    struct statement own_parts[STATEMENTS_MAX + 1];
    char question[MYSQL_QUERY_SIZE];
    bool answered; /* this connection has answered a look before */
    struct observation seen;
};

/* ---- endings ----------------------------------------------------------------------------------- */

static void clear(struct observation *seen)
{
    *seen = (struct observation){.answer = ANSWER_UNKNOWN,
                                 .position = -1,
                                 .received = -1,
                                 .lag_ms = -1,
                                 .lag_bytes = -1,
                                 .group.queue = -1,
                                 .claim = -1,
                                 .ready = -1};
}

static void mysql_drop(struct link *link)
{
    assert(link->stage != STAGE_WORKING);
    client_free(link->client);
    link->client = NULL;
    link->stage = STAGE_OFF;
    link->answered = false;
}

/* The look is over, and the connection too. `detail` may belong to it, or stand in what is cleared
 * here. */
static void fail(struct link *link, enum answer answer, const char *detail)
{
    char tamed[DETAIL_SIZE];
    text_tame(tamed, sizeof tamed, detail);
    clear(&link->seen);
    link->seen.answer = answer;
    memcpy(link->seen.detail, tamed, sizeof tamed);
    mysql_drop(link);
}

/* A step failed. A connection that was good before and broke is worth asking again. */
static void fail_step(struct link *link, bool connecting)
{
    const char *sentence = client_sentence(link->client);
    enum answer answer = answer_of_mysql(client_error(link->client), connecting, sentence);
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
        fail(link, answer_of_errno(client_socket_error(link->client)), sentence);
    } else {
        fail(link, answer == ANSWER_LOST && !link->answered ? ANSWER_PROTOCOL : answer, sentence);
    }
}

static void fail_late(struct link *link)
{
    bool asked = link->stage >= STAGE_ASKING;
    bool dialling = !asked && !client_has_dialled(link->client);
    char detail[DETAIL_SIZE];
    snprintf(detail, sizeof detail, "%s within %" PRId64 " ms",
             asked      ? "no answer"
             : dialling ? "no connection"
                        : "connected, but could not log in",
             link->timeout_ms);
    fail(link, dialling ? ANSWER_TIMEOUT : ANSWER_STALLED, detail);
}

/* ---- asking ------------------------------------------------------------------------------------ */

static void speak(struct link *link, enum dialect dialect)
{
    link->dialect = dialect;
    link->parts = link->query[0]   ? link->custom
                  : link->discover ? mysql_statements_and_replicas(dialect, link->own_parts)
                                   : mysql_statements(dialect);
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

/* In offline mode a server keeps accounts with CONNECTION_ADMIN; for everybody else it is not
 * there. */
static void finish_answered(struct link *link)
{
    if (link->seen.offline) {
        text_copy(link->seen.detail, sizeof link->seen.detail, "offline_mode is on");
    }
    finish(link, link->seen.offline ? ANSWER_OFFLINE : ANSWER_OK);
}

/* An error that the connection survives: our account may not ask this. What it said before may do.
 */
static bool is_denied(const struct link *link)
{
    return !client_is_flooded(link->client) &&
           answer_of_mysql(client_error(link->client), false, client_sentence(link->client)) ==
               ANSWER_PRIVILEGE;
}

static void ask_from(struct link *link, const struct statement *part);

static void take_denial(struct link *link)
{
    const struct statement *part = link->part;
    /* a group's members name each other */
    if (mysql_is_wanted(part) && link->seen.group.type == GROUP_NONE) {
        text_copy(link->seen.missing, sizeof link->seen.missing, part->privilege);
    }
    if (part->is_vital && !part->is_vital(&link->seen) && part[1].sql) {
        ask_from(link, part + 1); /* the server has not looked at these */
        return;
    }
    if (part->is_vital && !part->is_vital(&link->seen)) {
        finish_answered(link);
        return;
    }
    text_tame(link->seen.detail, sizeof link->seen.detail, client_sentence(link->client));
    text_copy(link->seen.missing, sizeof link->seen.missing,
              part->privilege ? part->privilege : "");
    finish(link, ANSWER_PRIVILEGE);
}

static void ask(struct link *link);

/* Asked for a variable that it does not have: there may be words without it. */
static bool adapts(struct link *link)
{
    enum { UNKNOWN_VARIABLE = 1193 };
    enum dialect without = link->query[0] ? link->dialect : mysql_dialect_without(link->dialect);
    if (client_error(link->client) != UNKNOWN_VARIABLE || client_is_flooded(link->client) ||
        without == link->dialect) {
        return false;
    }
    speak(link, without);
    ask(link);
    return true;
}

/* The server refuses the operator's statement, in a connection that is sound. */
static bool is_at_fault(const struct link *link)
{
    enum { CLIENT_ERRORS = 2000, CLIENT_ERRORS_END = 3000 };
    unsigned error = client_error(link->client);
    return link->query[0] && !client_is_flooded(link->client) &&
           (error < CLIENT_ERRORS || error >= CLIENT_ERRORS_END) &&
           answer_of_mysql(error, false, client_sentence(link->client)) == ANSWER_PROTOCOL;
}

static void take_results(struct link *link, enum client_step step)
{
    while (step == CLIENT_DONE) {
        bool more = link->part[1].sql != NULL;
        bool good = link->part->read(link->client, &link->seen);
        if (client_has_next(link->client) != more || (!good && !link->query[0])) {
            fail(link, ANSWER_PROTOCOL,
                 good && link->query[0] ? "the query is more than one statement"
                 : link->query[0]       ? link->seen.detail
                                        : "the server's answer has not the shape of the question");
            return;
        }
        if (!good) { /* nothing is wrong with the connection */
            finish(link, ANSWER_PROTOCOL);
            return;
        }
        if (!more) {
            finish_answered(link);
            return;
        }
        link->part++;
        step = client_next(link->client);
    }
    if (step == CLIENT_FAILED && adapts(link)) {
        return;
    }
    if (step == CLIENT_FAILED && is_denied(link)) {
        take_denial(link);
    } else if (step == CLIENT_FAILED && is_at_fault(link)) {
        text_tame(link->seen.detail, sizeof link->seen.detail, client_sentence(link->client));
        finish(link, ANSWER_PROTOCOL);
    } else if (step == CLIENT_FAILED) {
        fail_step(link, false);
    }
}

static void ask_from(struct link *link, const struct statement *part)
{
    link->stage = STAGE_ASKING;
    link->part = part;
    mysql_join_statements(part, link->question);
    take_results(link, client_ask(link->client, link->question));
}

static void ask(struct link *link)
{
    ask_from(link, link->parts);
}

/* ---- connecting -------------------------------------------------------------------------------- */

static void logged_in(struct link *link)
{
    if (link->tls >= TLS_REQUIRE && !client_is_encrypted(link->client)) {
        fail(link, ANSWER_TLS, "the connection is not encrypted");
        return;
    }
    speak(link,
          mysql_dialect(client_server_version(link->client), client_server_number(link->client)));
    ask(link);
}

static void take_login(struct link *link, enum client_step step);

static void dial(struct link *link)
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
        .ca = link->tls_ca,
        .timeout_ms = link->timeout_ms,
        .answer_max = ANSWER_BYTES_MAX,
    };
    link->client = client_new(&options);
    if (!link->client) {
        fail(link, ANSWER_UNKNOWN, "out of memory");
        return;
    }
    link->stage = STAGE_CONNECTING;
    take_login(link, client_connect(link->client, link->address));
}

static void take_login(struct link *link, enum client_step step)
{
    switch (step) {
    case CLIENT_WAITS:
        break;
    case CLIENT_DONE:
        logged_in(link);
        break;
    case CLIENT_WORKS:
        link->stage = STAGE_WORKING;
        break;
    case CLIENT_BARE:
        if (link->tls != TLS_PREFER) {
            fail(link, ANSWER_TLS, "the server offers no encryption");
            break;
        }
        mysql_drop(link);
        link->plain = true;
        dial(link);
        break;
    case CLIENT_FAILED:
        fail_step(link, true);
        break;
    }
}

static void come_back_from_work(struct link *link)
{
    link->stage = STAGE_CONNECTING;
    if (link->worked == CLIENT_WAITS) {
        fail_late(link);
    } else {
        take_login(link, link->worked);
    }
}

/* ---- the driver -------------------------------------------------------------------------------- */

static void tell(const struct link *link, struct want *want)
{
    switch (link->stage) {
    case STAGE_OFF:
    case STAGE_IDLE:
        *want = (struct want){.kind = WANT_NOTHING, .phase = PHASE_IDLE, .fd = -1};
        break;
    case STAGE_WORKING:
        *want = (struct want){.kind = WANT_WORK, .phase = PHASE_CONNECT, .fd = -1};
        break;
    default:
        *want = (struct want){
            .kind = WANT_IO,
            .phase = link->stage < STAGE_ASKING ? PHASE_CONNECT : PHASE_QUERY,
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
    client_begin_library();
    const struct cluster_settings *cluster = target->cluster;
    memcpy(link->host, target->config->host, sizeof link->host);
    memcpy(link->user, cluster->user, sizeof link->user);
    memcpy(link->database, cluster->database, sizeof link->database);
    memcpy(link->password, cluster->password, sizeof link->password);
    memcpy(link->tls_ca, cluster->tls_ca, sizeof link->tls_ca);
    const char *statement = custom_statement(cluster);
    text_copy(link->query, sizeof link->query, statement ? statement : "");
    link->custom[0] = (struct statement){.sql = link->query, .read = mysql_read_custom};
    text_tame(link->application, sizeof link->application, target->application);
    link->port = target->config->port;
    link->tls = cluster->tls;
    link->discover = cluster->discover;
    link->timeout_ms = target->timeout_ms;
    return link;
}

static void mysql_look(struct link *link, const char *address, struct want *ret_want)
{
    assert(link->stage == STAGE_OFF || link->stage == STAGE_IDLE);
    clear(&link->seen);
    if (link->stage == STAGE_IDLE) {
        ask(link);
    } else if (text_copy(link->address, sizeof link->address, address)) {
        link->plain = link->tls == TLS_OFF;
        dial(link);
    } else {
        fail(link, ANSWER_NAME, "the address is too long");
    }
    tell(link, ret_want);
}

static void mysql_go_on(struct link *link, int events, struct want *ret_want)
{
    switch (link->stage) {
    case STAGE_CONNECTING:
        take_login(link, client_go_on(link->client, events));
        break;
    case STAGE_WORKING:
        come_back_from_work(link);
        break;
    case STAGE_ASKING:
        take_results(link, client_go_on(link->client, events));
        break;
    case STAGE_OFF:
    case STAGE_IDLE:
        break;
    }
    tell(link, ret_want);
}

static void mysql_work(struct link *link)
{
    assert(link->stage == STAGE_WORKING);
    link->worked = client_work(link->client);
}

static void mysql_give_up(struct link *link)
{
    assert(link->stage != STAGE_WORKING);
    if (link->stage != STAGE_OFF && link->stage != STAGE_IDLE) {
        fail_late(link);
    }
}

static const struct observation *mysql_observation(const struct link *link)
{
    return &link->seen;
}

static int mysql_idle_fd(const struct link *link)
{
    return link->stage == STAGE_IDLE ? client_fd(link->client) : -1;
}

static void mysql_close_link(struct link *link)
{
    if (link) {
        if (link->stage == STAGE_WORKING) {
            /* the worker is done, and nobody wants to know with what */
            link->stage = STAGE_CONNECTING;
        }
        mysql_drop(link);
        explicit_bzero(link->password, sizeof link->password);
        free(link);
    }
}

const struct driver driver_mysql = {
    .engine = ENGINE_MYSQL,
    .open = mysql_open,
    .look = mysql_look,
    .go_on = mysql_go_on,
    .work = mysql_work,
    .give_up = mysql_give_up,
    .observation = mysql_observation,
    .idle_fd = mysql_idle_fd,
    .drop = mysql_drop,
    .close = mysql_close_link,
};
