/* See mysql_client.h. Oracle's libmysqlclient: 8.0.16 and later, 9.
 *
 * What the library does, and what follows (all measured, with 9.7):
 *  - While connect() is pending it does not return the socket: it is 0 then. So the first steps go
 *    by a clock.
 *  - It never returns what a call waits for: that is bytes to read, except when the socket accepts
 *    none to write. While logging in it sometimes waits for nothing at all: there too a tick helps.
 *  - It keeps the host passed to the first call as a pointer, and after the greeting that is the
 *    name that the certificate must have. It gets a buffer of ours, which holds the literal address
 *    during the first call and the configured name from then on. A server on our own machine may
 *    greet within that call: then the name comes too late, and we connect anew.
 *  - TLS returns to us to wait, as everything does, and SSL_MODE_REQUIRED does require it. But
 *    first it loads the authorities, without a tls_ca the system's, in one call of 5 to 20 ms; and
 *    with one it verifies, even if only to require. So it gets one for `verify` alone, and a worker
 *    thread from the greeting on.
 *  - There is no list of allowed authentication methods, but the library gives access to each as a
 *    table of functions. Those that send the password get a guard before them; see `guards`.
 *  - A stored result is read to its end while data keeps coming. So rows are fetched one by one,
 *    counted, and kept here. Of columns it takes no more than 4096; beyond, it is "out of memory".
 *  - Ending a result or a connection in the middle of an operation waits for the server, unless the
 *    socket is shut down.
 *
 * Limits: a server that greets within the first call gets its handshake begun on the loop. While
 * columns keep coming faster than they are read, they are read, up to 4096 of answer_max bytes
 * each. */
#include "probes/drivers/mysql_client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <linux/tcp.h>
#include <netinet/in.h>

#include <errmsg.h>
#include <mysql.h>
#ifdef MARIADB_PACKAGE_VERSION_ID
#error "this is MariaDB Connector/C, not Oracle's libmysqlclient: make MYSQL_CLIENT=mariadb"
#endif
#if MYSQL_VERSION_ID < 80016
#error "libmysqlclient before 8.0.16 can only wait"
#endif

#include "probes/drivers/errors.h"
#include "registry/base/clock.h"
#include "registry/base/limits.h"
#include "registry/base/text.h"

enum { TICK_MOST_MS = 16, WORK_TICK_MS = 4, HASTE_MOST = 20 };

enum operation {
    OPERATION_NONE,
    OPERATION_CONNECT,
    OPERATION_QUERY,
    OPERATION_FETCH,
    OPERATION_NEXT
};

/* One row that was fetched: the pointers, and behind them what they point to. */
struct row {
    char **values;
};

struct client {
    MYSQL mysql; /* first: the guards come back from it */
    struct client_options options;
    char host[HOST_SIZE];     /* see above */
    enum operation operation; /* which waits */
    const char *sql;
    int ticks; /* without an event */
    bool connected;
    int socket_error;
    uint64_t counted_from; /* bytes received before the query */
    size_t kept;           /* bytes of the rows */
    bool flooded;
    bool barred;
    const char *problem; /* our own sentence; NULL: none */
    MYSQL_RES *result;
    bool complete; /* all rows of it are there */
    struct row *rows;
    size_t row_count;
};

/* ---- authentication -------------------------------------------------------------------------- */

typedef enum net_async_status log_in(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql, int *result);

static log_in *caching_sha2, *sha256; /* the library's own */

static enum net_async_status bar(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql, int *result)
{
    (void)vio;
    ((struct client *)mysql)->barred = true;
    *result = CR_ERROR;
    return NET_ASYNC_COMPLETE;
}

static enum net_async_status guard_caching_sha2(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql, int *result)
{
    return (mysql_get_ssl_cipher(mysql) ? caching_sha2 : bar)(vio, mysql, result);
}

static enum net_async_status guard_sha256(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql, int *result)
{
    return (mysql_get_ssl_cipher(mysql) ? sha256 : bar)(vio, mysql, result);
}

static int bar_waiting(MYSQL_PLUGIN_VIO *vio, MYSQL *mysql)
{
    int result;
    bar(vio, mysql, &result);
    return result;
}

/* 9 has mysql_native_password as a file, which comes with another package */
static bool has_native;

/* mysql_native_password does not disclose the password: the server gets a proof made for its
 * challenge. Those below send it on request: with TLS, to whoever answers, unless `verify`; in
 * clear text they would encrypt it under a key that anybody in between may have put in
 * (sha256_password requests that key on its own), or not at all. */
static const struct {
    const char *name;
    log_in *guard;
    log_in **original;
} guards[] = {
    {"caching_sha2_password", guard_caching_sha2, &caching_sha2},
    {"sha256_password", guard_sha256, &sha256},
    {"mysql_clear_password", bar, NULL}, /* an environment variable can switch it on */
};

static struct auth_plugin_t *find_plugin(MYSQL *mysql, const char *name)
{
    return (struct auth_plugin_t *)mysql_client_find_plugin(mysql, name,
                                                            MYSQL_CLIENT_AUTHENTICATION_PLUGIN);
}

/* Plugins are files but for a few. Only what is loaded here is available: set_options takes the
 * folder away. */
void client_init_library(void)
{
    static bool begun;
    if (begun) {
        return;
    }
    begun = true;
    MYSQL *mysql = mysql_init(NULL);
    for (size_t i = 0; mysql && i < sizeof guards / sizeof *guards; i++) {
        struct auth_plugin_t *plugin = find_plugin(mysql, guards[i].name);
        if (plugin && guards[i].original) {
            *guards[i].original = plugin->authenticate_user_nonblocking;
        }
        if (plugin) {
            plugin->authenticate_user_nonblocking = guards[i].guard;
            plugin->authenticate_user = bar_waiting;
        }
    }
    if (mysql) {
        has_native = find_plugin(mysql, "mysql_native_password");
        mysql_close(mysql);
    }
}

/* ---- a client -------------------------------------------------------------------------------- */

static void set_tls(struct client *client)
{
    const struct client_options *options = &client->options;
    unsigned mode = !options->encrypt ? SSL_MODE_DISABLED
                    : options->verify ? SSL_MODE_VERIFY_IDENTITY
                                      : SSL_MODE_REQUIRED;
    mysql_options(&client->mysql, MYSQL_OPT_SSL_MODE, &mode);
    if (options->verify) {
        mysql_options(&client->mysql, MYSQL_OPT_SSL_CA, options->ca);
    }
}

static void set_options(struct client *client)
{
    const struct client_options *options = &client->options;
    MYSQL *mysql = &client->mysql;
    /* our own deadlines come first */
    unsigned seconds = (unsigned)(options->timeout_ms / 1000 + 2);
    unsigned off = 0, tcp = MYSQL_PROTOCOL_TCP;
    bool no = false;
    unsigned long packet = options->answer_max;
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &no);
    mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &no);
    mysql_options(mysql, MYSQL_PLUGIN_DIR, "/dev/null");
    mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    /* To begin with; the server asks for another. */
    mysql_options(mysql, MYSQL_DEFAULT_AUTH,
                  options->encrypt ? "caching_sha2_password" : "mysql_native_password");
    mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", options->program);
    set_tls(client);
}

struct client *client_new(const struct client_options *options)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client) {
        return NULL;
    }
    client->options = *options;
    if (!mysql_init(&client->mysql)) {
        free(client);
        return NULL;
    }
    set_options(client);
    return client;
}

static void drop_rows(struct client *client)
{
    if (client->result && !client->complete) {
        shutdown(client_fd(client), SHUT_RDWR); /* the library would read the rest */
    }
    for (size_t i = 0; i < client->row_count; i++) {
        free(client->rows[i].values);
    }
    free(client->rows);
    client->rows = NULL;
    client->row_count = 0;
    client->kept = 0;
    mysql_free_result(client->result);
    client->result = NULL;
}

void client_free(struct client *client)
{
    if (client) {
        if (client->connected && (client->operation != OPERATION_NONE || !client->complete)) {
            shutdown(client_fd(client), SHUT_RDWR); /* else close would wait for the server */
        }
        drop_rows(client);
        mysql_close(&client->mysql);
        free(client);
    }
}

int client_fd(const struct client *client)
{
    return client->connected && client->mysql.net.vio ? client->mysql.net.fd : -1;
}

int client_events(const struct client *client)
{
    struct pollfd out = {.fd = client_fd(client), .events = POLLOUT};
    return poll(&out, 1, 0) > 0 ? POLLIN : POLLIN | POLLOUT;
}

/* With encryption a worker thread continues from there. */
static bool awaits_greeting(const struct client *client)
{
    return client->operation == OPERATION_CONNECT && client->connected && client->options.encrypt;
}

int client_tick_ms(const struct client *client)
{
    if (client->operation != OPERATION_CONNECT || awaits_greeting(client)) {
        return 0;
    }
    return client->ticks < 4 ? 1 << client->ticks : TICK_MOST_MS;
}

/* ---- what comes in --------------------------------------------------------------------------- */

/* Bytes that the system has received on this connection, read or not; 0 when it is gone. */
static uint64_t received(const struct client *client)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    getsockopt(client_fd(client), IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_bytes_received;
}

static bool flooded(struct client *client)
{
    size_t most = client->options.answer_max;
    unsigned error = mysql_errno(&client->mysql);
    client->flooded = client->flooded || error == CR_OUT_OF_MEMORY ||
                      error == CR_NET_PACKET_TOO_LARGE || client->kept > most ||
                      received(client) > client->counted_from + most;
    return client->flooded;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static enum client_step read_rows(struct client *client);

/* An operation has returned. */
static enum client_step after(struct client *client, enum operation operation,
                              enum net_async_status status)
{
    client->operation = OPERATION_NONE;
    if (flooded(client) || status == NET_ASYNC_ERROR) {
        return CLIENT_FAILED;
    }
    if (status == NET_ASYNC_NOT_READY) {
        client->operation = operation;
        return CLIENT_WAITS;
    }
    return CLIENT_DONE;
}

static bool offers_tls(const struct client *client)
{
    return client->mysql.server_capabilities & CLIENT_SSL;
}

static enum client_step resume_connect(struct client *client)
{
    const struct client_options *options = &client->options;
    MYSQL *mysql = &client->mysql;
    enum net_async_status status =
        mysql_real_connect_nonblocking(mysql, client->host, options->user, options->password,
                                       options->database[0] ? options->database : NULL,
                                       options->port, NULL, CLIENT_MULTI_STATEMENTS);
    if (!client->connected && mysql->net.vio &&
        mysql_get_connect_nonblocking_stage(mysql) > CONNECT_STAGE_NET_WAIT_CONNECT) {
        client->socket_error = errors_of_connect(mysql->net.fd);
        client->connected = client->socket_error == 0;
        errors_keep_alive(mysql->net.fd, options->timeout_ms);
    }
    if (client->socket_error != 0) {
        return CLIENT_FAILED;
    }
    if (status == NET_ASYNC_ERROR && options->encrypt &&
        mysql_errno(mysql) == CR_SSL_CONNECTION_ERROR && !offers_tls(client)) {
        return CLIENT_PLAINTEXT;
    }
    enum client_step step = after(client, OPERATION_CONNECT, status);
    client->complete = step == CLIENT_DONE;
    return step;
}

/* Was the greeting so early that the certificate was compared with the address? */
static bool was_hasty(const struct client *client, enum client_step step)
{
    const struct client_options *options = &client->options;
    bool compared =
        client->mysql.host ||
        (step == CLIENT_FAILED && mysql_errno((MYSQL *)&client->mysql) == CR_SSL_CONNECTION_ERROR);
    return options->verify && step != CLIENT_PLAINTEXT && compared &&
           !text_equal(client->host, options->name);
}

static bool start_over(struct client *client)
{
    if (client->connected) {
        shutdown(client_fd(client), SHUT_RDWR);
    }
    mysql_close(&client->mysql);
    client->connected = false;
    client->operation = OPERATION_NONE;
    if (!mysql_init(&client->mysql)) {
        return false;
    }
    set_options(client);
    return true;
}

enum client_step client_connect(struct client *client, const char *address)
{
    enum client_step step = CLIENT_FAILED;
    for (int i = 0; i < HASTE_MOST && text_copy(client->host, sizeof client->host, address); i++) {
        step = resume_connect(client);
        if (!was_hasty(client, step)) {
            /* from now on the name for the certificate */
            text_copy(client->host, sizeof client->host, client->options.name);
            return step;
        }
        if (!start_over(client)) {
            break;
        }
    }
    client->problem = "the certificate cannot be compared with the name: the server greets at "
                      "once, time and again";
    return CLIENT_FAILED;
}

enum client_step client_go_on_plain(struct client *client)
{
    (void)client; /* the library has hung up by itself */
    return CLIENT_PLAINTEXT;
}

/* The library does not wait; this function does. */
enum client_step client_run_blocking(struct client *client)
{
    int64_t deadline_ms = clock_mono_ms() + client->options.timeout_ms;
    enum client_step step;
    mysql_thread_init();
    while ((step = resume_connect(client)) == CLIENT_WAITS && clock_mono_ms() < deadline_ms) {
        struct pollfd wait = {.fd = client_fd(client), .events = (short)client_events(client)};
        poll(&wait, 1, WORK_TICK_MS);
    }
    mysql_thread_end();
    return step;
}

static bool keep(struct client *client, MYSQL_ROW values)
{
    unsigned count = mysql_num_fields(client->result);
    const unsigned long *lengths = mysql_fetch_lengths(client->result);
    size_t size = count * sizeof(char *);
    for (unsigned i = 0; i < count; i++) {
        size += values[i] ? lengths[i] + 1 : 0;
    }
    struct row *rows = realloc(client->rows, (client->row_count + 1) * sizeof *rows);
    client->rows = rows ? rows : client->rows;
    char **copy = rows ? malloc(size) : NULL;
    if (!copy) {
        return false;
    }
    char *at = (char *)(copy + count);
    for (unsigned i = 0; i < count; i++) {
        copy[i] = values[i] ? at : NULL;
        if (values[i]) {
            memcpy(at, values[i], lengths[i]);
            at[lengths[i]] = 0;
            at += lengths[i] + 1;
        }
    }
    client->rows[client->row_count++].values = copy;
    client->kept += size;
    return true;
}

static enum client_step read_rows(struct client *client)
{
    for (;;) {
        MYSQL_ROW values = NULL;
        enum client_step step =
            after(client, OPERATION_FETCH, mysql_fetch_row_nonblocking(client->result, &values));
        if (step != CLIENT_DONE) {
            return step;
        }
        if (!values) {
            client->complete = mysql_errno(&client->mysql) == 0;
            return client->complete ? CLIENT_DONE : CLIENT_FAILED;
        }
        if (!keep(client, values)) {
            client->problem = "out of memory";
            return CLIENT_FAILED;
        }
    }
}

/* The columns of a result are complete. A statement may have no result; if there was an error
 * instead, errno shows it. */
static enum client_step take_result(struct client *client, enum operation operation,
                                    enum net_async_status status)
{
    enum client_step step = after(client, operation, status);
    if (step != CLIENT_DONE) {
        /* the server has sent an error: nothing is left to read */
        client->complete = step == CLIENT_FAILED && mysql_errno(&client->mysql) != 0;
        return step;
    }
    client->result = mysql_use_result(&client->mysql);
    client->complete = !client->result;
    return client->result                ? read_rows(client)
           : mysql_errno(&client->mysql) ? CLIENT_FAILED
                                         : CLIENT_DONE;
}

static enum client_step resume_query(struct client *client)
{
    return take_result(
        client, OPERATION_QUERY,
        mysql_real_query_nonblocking(&client->mysql, client->sql, strlen(client->sql)));
}

enum client_step client_query(struct client *client, const char *sql)
{
    drop_rows(client);
    client->counted_from = received(client);
    client->sql = sql;
    return resume_query(client);
}

bool client_has_next(const struct client *client)
{
    return mysql_more_results((MYSQL *)&client->mysql);
}

enum client_step client_next(struct client *client)
{
    drop_rows(client);
    return take_result(client, OPERATION_NEXT, mysql_next_result_nonblocking(&client->mysql));
}

enum client_step client_resume(struct client *client, int events)
{
    client->ticks = events ? 0 : client->ticks + 1;
    switch (client->operation) {
    case OPERATION_CONNECT:
        if (awaits_greeting(client)) {
            return events ? CLIENT_BLOCKS : CLIENT_WAITS;
        }
        return resume_connect(client);
    case OPERATION_QUERY:
        return resume_query(client);
    case OPERATION_NEXT:
        return take_result(client, OPERATION_NEXT, mysql_next_result_nonblocking(&client->mysql));
    case OPERATION_FETCH:
        return read_rows(client);
    case OPERATION_NONE:
        break;
    }
    return CLIENT_FAILED;
}

/* ---- state and results ----------------------------------------------------------------------- */

bool client_has_connected(const struct client *client)
{
    return client->connected;
}

unsigned client_error(const struct client *client)
{
    return mysql_errno((MYSQL *)&client->mysql);
}

int client_socket_error(const struct client *client)
{
    return client->socket_error;
}

const char *client_message(const struct client *client)
{
    if (client->problem) {
        return client->problem;
    }
    if (client_error(client) == CR_AUTH_PLUGIN_CANNOT_LOAD) {
        return "libmysqlclient comes without its plugin mysql_native_password here; Debian has it "
               "in mysql-client-core";
    }
    return client->socket_error != 0 ? strerror(client->socket_error)
                                     : mysql_error((MYSQL *)&client->mysql);
}

bool client_is_flooded(const struct client *client)
{
    return client->flooded;
}

bool client_is_barred(const struct client *client)
{
    return client->barred || (has_native && client_error(client) == CR_AUTH_PLUGIN_CANNOT_LOAD);
}

/* MariaDB before 11 greets as "5.5.5-10.11.19-MariaDB", for the sake of old replicas. */
const char *client_server_version(const struct client *client)
{
    static const char disguise[] = "5.5.5-";
    const char *version = mysql_get_server_info((MYSQL *)&client->mysql);
    if (!version) {
        return "";
    }
    bool disguised =
        strncmp(version, disguise, strlen(disguise)) == 0 && strstr(version, "MariaDB");
    return disguised ? version + strlen(disguise) : version;
}

unsigned long client_server_number(const struct client *client)
{
    unsigned long major = 0, minor = 0, patch = 0;
    sscanf(client_server_version(client), "%3lu.%2lu.%2lu", &major, &minor, &patch);
    return major * 10000 + minor * 100 + patch;
}

bool client_is_encrypted(const struct client *client)
{
    return mysql_get_ssl_cipher((MYSQL *)&client->mysql) != NULL;
}

size_t client_rows(const struct client *client)
{
    return client->row_count;
}

static int find_column(MYSQL_RES *result, const char *name)
{
    unsigned count = mysql_num_fields(result);
    const MYSQL_FIELD *fields = mysql_fetch_fields(result);
    for (unsigned i = 0; i < count; i++) {
        if (strcasecmp(fields[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const char *client_value(const struct client *client, size_t row, const char *name,
                         const char *other_name)
{
    if (row >= client->row_count) {
        return NULL;
    }
    int column = find_column(client->result, name);
    if (column < 0 && other_name) {
        column = find_column(client->result, other_name);
    }
    return column < 0 ? NULL : client->rows[row].values[column];
}

size_t client_columns(const struct client *client)
{
    return client->result ? mysql_num_fields(client->result) : 0;
}

const char *client_column(const struct client *client, size_t column)
{
    return mysql_fetch_fields(client->result)[column].name;
}
