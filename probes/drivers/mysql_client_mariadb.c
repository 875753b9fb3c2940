/* See mysql_client.h. MariaDB Connector/C 3.3 and 3.4.
 *
 * What the library does, and what follows (all measured):
 *  - It uses the host passed to the connect twice: to connect, and after the greeting as the name
 *    that the certificate must have. It gets a buffer of ours, which holds the literal address
 *    first and the configured name from the greeting on.
 *  - After a TLS log-in the socket is blocking. With O_NONBLOCK set, queries return to us to wait.
 *  - During the handshake nothing limits its waiting; the watchdog does.
 *  - SSL_ENFORCE enforces nothing: without a verified certificate it continues in clear text when
 *    the server offers no TLS. So we read the greeting, while the library still believes to be
 *    connecting; the bytes stay in the socket, and it reads the same.
 *  - It takes whatever is in OpenSSL's queue of errors, one per thread, for its own: what the end
 *    of one connection left there would end the next one that has to wait. So the queue is emptied
 *    before every call.
 *  - 3.4 verifies by whatever file of authorities it is given, asked to or not; so it gets one to
 *    verify by alone. And with 127.0.0.1 or ::1 it compares no name.
 *  - While data keeps coming, a call reads on. The callback counts the bytes and ends the
 *    connection.
 *
 * Which authentication methods a server may request: see `challenges`. */
#include "probes/drivers/mysql_client.h"

#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <errmsg.h>
#include <mysql.h>
#include <openssl/err.h>
#ifndef MARIADB_PACKAGE_VERSION_ID
#error "this is not MariaDB Connector/C; for Oracle's libmysqlclient: make MYSQL_CLIENT=oracle"
#endif

/* For the library's trace plugins; exported since 3.0, but in no installed header that compiles. */
enum { AUTHENTICATION_PLUGIN = 2 };
extern int ma_pvio_register_callback(my_bool add,
                                     void (*callback)(int mode, MYSQL *mysql,
                                                      const unsigned char *bytes, size_t length));

#include "probes/drivers/errors.h"
#include "registry/base/clock.h"
#include "registry/base/limits.h"
#include "registry/base/text.h"

enum operation {
    OPERATION_NONE,
    OPERATION_CONNECT,
    OPERATION_QUERY,
    OPERATION_STORE,
    OPERATION_NEXT
};

struct client {
    MYSQL mysql; /* first: the callback comes back from it */
    struct client_options options;
    char host[HOST_SIZE];     /* see above */
    enum operation operation; /* which waits */
    int waits_for;            /* MYSQL_WAIT_* */
    bool connected;           /* connect() is done, */
    bool held;                /* but the library does not know yet: we read the greeting first */
    int socket_error;
    const char *problem;    /* our own sentence about the server; NULL: none */
    unsigned problem_error; /* and the number that the library has for such a thing */
    bool offers_no_tls;
    size_t read_bytes;
    bool flooded;
    MYSQL_RES *result;
};

/* Authentication methods that do not disclose the password: the server gets a proof made for its
 * challenge. */
static const char challenges[] = "mysql_native_password,client_ed25519,parsec";

/* Over TLS also those that send the password on request: without `verify`, to whoever answers;
 * MySQL 8 and later offer nothing else. In clear text they would encrypt it under a key that
 * anybody in between may have put in. */
static const char under_tls[] =
    "mysql_native_password,client_ed25519,parsec,caching_sha2_password,sha256_password";

/* ---- the library ----------------------------------------------------------------------------- */

static void count_bytes(int mode, MYSQL *mysql, const unsigned char *bytes, size_t length)
{
    struct client *client = (struct client *)mysql;
    (void)bytes;
    if (mode != 0 || (ssize_t)length <= 0) {
        return; /* written, or an error */
    }
    client->read_bytes += length;
    if (client->read_bytes > client->options.answer_max && !client->flooded) {
        client->flooded = true;
        shutdown(mysql_get_socket(mysql), SHUT_RDWR);
    }
}

/* Plugins are files; opening them takes milliseconds, better now than while the loop waits. */
void client_init_library(void)
{
    static bool begun;
    static const char *const plugins[] = {"client_ed25519", "caching_sha2_password"};
    if (begun) {
        return;
    }
    begun = true;
    MYSQL *mysql = mysql_init(NULL);
    for (size_t i = 0; mysql && i < sizeof plugins / sizeof *plugins; i++) {
        /* or it is not there */
        mysql_client_find_plugin(mysql, plugins[i], AUTHENTICATION_PLUGIN);
    }
    mysql_close(mysql);
    ma_pvio_register_callback(1, count_bytes);
}

static void set_options(struct client *client)
{
    const struct client_options *options = &client->options;
    MYSQL *mysql = &client->mysql;
    /* our own deadlines come first */
    unsigned seconds = (unsigned)(options->timeout_ms / 1000 + 2);
    unsigned off = 0, tcp = MYSQL_PROTOCOL_TCP;
    my_bool encrypt = options->encrypt, verify = options->verify;
    unsigned long packet = options->answer_max;
    mysql_optionsv(mysql, MYSQL_OPT_NONBLOCK, (void *)0);
    mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &tcp);
    mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_optionsv(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, challenges);
    mysql_optionsv(mysql, MYSQL_DEFAULT_AUTH,
                   "mysql_native_password"); /* to begin with; the server asks for another */
    mysql_optionsv(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", options->program);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (encrypt) {
        mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &encrypt);
        if (verify) {
            mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, options->ca);
        }
    }
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

/* The server offers no encryption, and waits for our log-in. To hang up now is an error of the
 * handshake, after max_connect_errors of which it blocks this host; a log-in that it denies is
 * none. So it gets one that says why, without a secret, in the server's plainest protocol. */
static void decline(struct client *client)
{
    static const unsigned char login[] =
        "\x32\0\0\1" /* 50 bytes, the second message */
        "\0\x82\0\0" /* protocol 4.1, by a challenge */
        "\0\0\0\1"   /* the largest message */
        "\x2d"       /* utf8mb4 */
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
        "roster-needs-tls\0"; /* and no answer: this string's zero */
    unsigned char greeting[512];
    static_assert(sizeof login == 4 + 50, "its length stands in it");
    while (recv(client_fd(client), greeting, sizeof greeting, MSG_DONTWAIT) > 0) {
        /* unread, it would make the system tear the connection down */
    }
    (void)!send(client_fd(client), login, sizeof login, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void client_free(struct client *client)
{
    if (client) {
        if (client->held && client->offers_no_tls) {
            decline(client);
        }
        mysql_free_result(client->result);
        mysql_close(&client->mysql);
        free(client);
    }
}

int client_fd(const struct client *client)
{
    return (int)mysql_get_socket((MYSQL *)&client->mysql);
}

int client_events(const struct client *client)
{
    int events = 0;
    events |= client->waits_for & MYSQL_WAIT_READ ? POLLIN : 0;
    events |= client->waits_for & MYSQL_WAIT_WRITE ? POLLOUT : 0;
    events |= client->waits_for & MYSQL_WAIT_EXCEPT ? POLLPRI : 0;
    return events;
}

int client_tick_ms(const struct client *client)
{
    (void)client;
    return 0;
}

/* ---- the greeting ---------------------------------------------------------------------------- */

enum greeting {
    GREETING_PARTIAL, /* not all here yet */
    GREETING_PLAIN,   /* the server offers no encryption */
    GREETING_TLS,     /* it does */
    GREETING_ERROR,   /* an error message instead */
    GREETING_NONE,    /* the server hangs up */
    GREETING_OTHER    /* no greeting of this protocol */
};

/* Length (3 bytes), number (1), then: protocol 10, version with its zero, thread (4), challenge
 * (8), filler (1), the lower half of the capabilities (2). */
static enum greeting read_greeting(const unsigned char *bytes, size_t count)
{
    enum { HEAD = 4, BEHIND_VERSION = 4 + 8 + 1, PROTOCOL = 10, ERROR = 255, OFFERS_TLS = 0x08 };
    if (count <= HEAD) {
        return GREETING_PARTIAL;
    }
    if (bytes[HEAD] == ERROR) {
        return GREETING_ERROR;
    }
    size_t length = bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16;
    if (bytes[HEAD] != PROTOCOL || length < 1 + 1 + BEHIND_VERSION + 2) {
        return GREETING_OTHER;
    }
    const unsigned char *zero = memchr(bytes + HEAD + 1, 0, count - HEAD - 1);
    if (!zero || (size_t)(zero - bytes) + 1 + BEHIND_VERSION + 2 > count) {
        return GREETING_PARTIAL;
    }
    return zero[1 + BEHIND_VERSION + 1] & OFFERS_TLS ? GREETING_TLS : GREETING_PLAIN;
}

static enum greeting peek_greeting(struct client *client)
{
    unsigned char bytes[512];
    ssize_t count = recv(client_fd(client), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (count <= 0) {
        return GREETING_NONE;
    }
    enum greeting greeting = read_greeting(bytes, (size_t)count);
    if (greeting == GREETING_PARTIAL && (size_t)count == sizeof bytes) {
        greeting = GREETING_OTHER;
    }
    /* What was only peeked at stays readable: wait for more than that. */
    int least = greeting == GREETING_PARTIAL ? (int)count + 1 : 1;
    setsockopt(client_fd(client), SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
    return greeting;
}

/* CLIENT_DONE: the library may read it. */
static enum client_step check_greeting(struct client *client)
{
    switch (peek_greeting(client)) {
    case GREETING_PARTIAL:
        return CLIENT_WAITS;
    case GREETING_TLS:
        return CLIENT_BLOCKS;
    case GREETING_PLAIN:
        client->offers_no_tls = true;
        return CLIENT_PLAINTEXT;
    case GREETING_ERROR:
        return CLIENT_DONE;
    case GREETING_NONE:
        client->problem = "the server hangs up";
        client->problem_error = CR_SERVER_LOST;
        break;
    case GREETING_OTHER:
        client->problem = "the server greets in an unknown protocol";
        client->problem_error = CR_VERSION_ERROR;
        break;
    }
    return CLIENT_FAILED;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static enum client_step begin_store(struct client *client);

/* An operation has returned: it waits (for `status`), it failed, or the next one begins. */
static enum client_step after(struct client *client, enum operation operation, int status,
                              bool well)
{
    client->waits_for = status;
    client->operation = status ? operation : OPERATION_NONE;
    if (status) {
        return CLIENT_WAITS;
    }
    if (!well || client->flooded) {
        return CLIENT_FAILED;
    }
    return operation == OPERATION_QUERY || operation == OPERATION_NEXT ? begin_store(client)
                                                                       : CLIENT_DONE;
}

/* A statement may have no result; if there was an error instead, errno shows it. */
static bool stored_well(struct client *client)
{
    return client->result || mysql_errno(&client->mysql) == 0;
}

static enum client_step begin_store(struct client *client)
{
    int status = mysql_store_result_start(&client->result, &client->mysql);
    return after(client, OPERATION_STORE, status, status || stored_well(client));
}

enum client_step client_connect(struct client *client, const char *address)
{
    const struct client_options *options = &client->options;
    MYSQL *connected = NULL;
    client->read_bytes = 0;
    if (!text_copy(client->host, sizeof client->host, address)) {
        return CLIENT_FAILED;
    }
    int status =
        mysql_real_connect_start(&connected, &client->mysql, client->host, options->user,
                                 options->password, options->database[0] ? options->database : NULL,
                                 options->port, NULL, CLIENT_MULTI_STATEMENTS);
    return after(client, OPERATION_CONNECT, status, connected != NULL);
}

enum client_step client_query(struct client *client, const char *sql)
{
    int error = 0;
    ERR_clear_error();
    client->read_bytes = 0;
    mysql_free_result(client->result);
    client->result = NULL;
    int status = mysql_real_query_start(&error, &client->mysql, sql, strlen(sql));
    return after(client, OPERATION_QUERY, status, error == 0);
}

bool client_has_next(const struct client *client)
{
    return mysql_more_results((MYSQL *)&client->mysql);
}

enum client_step client_next(struct client *client)
{
    int error = 0;
    ERR_clear_error();
    mysql_free_result(client->result);
    client->result = NULL;
    int status = mysql_next_result_start(&error, &client->mysql);
    return after(client, OPERATION_NEXT, status, error == 0);
}

/* The library would return a failed connect() as a sentence only. */
static bool check_connected(struct client *client)
{
    client->socket_error = errors_of_connect(client_fd(client));
    client->connected = client->socket_error == 0;
    if (client->connected) {
        errors_keep_alive(client_fd(client), client->options.timeout_ms);
    }
    return client->connected;
}

static enum client_step resume_connect(struct client *client, int ready)
{
    MYSQL *connected = NULL;
    if (!client->connected) {
        if (!check_connected(client)) {
            client->operation = OPERATION_NONE;
            return CLIENT_FAILED;
        }
        if (client->options.encrypt) {
            client->held = true;
            client->waits_for = MYSQL_WAIT_READ;
            return CLIENT_WAITS;
        }
    }
    if (client->held) {
        enum client_step step = check_greeting(client);
        if (step != CLIENT_DONE) {
            return step;
        }
        client->held = false;
        ready = MYSQL_WAIT_WRITE;
    }
    int status = mysql_real_connect_cont(&connected, &client->mysql, ready);
    return after(client, OPERATION_CONNECT, status, connected != NULL);
}

enum client_step client_go_on_plain(struct client *client)
{
    my_bool encrypt = 0;
    assert(client->held && client->offers_no_tls);
    client->options.encrypt = false;
    client->held = false;
    mysql_optionsv(&client->mysql, MYSQL_OPT_SSL_ENFORCE, &encrypt);
    return resume_connect(client, MYSQL_WAIT_WRITE);
}

enum client_step client_resume(struct client *client, int events)
{
    int ready = 0, error = 0, status;
    if (events == 0) {
        return CLIENT_WAITS;
    }
    ready |= events & (POLLIN | POLLHUP | POLLERR) ? MYSQL_WAIT_READ : 0;
    ready |= events & (POLLOUT | POLLHUP | POLLERR) ? MYSQL_WAIT_WRITE : 0;
    ready |= events & POLLPRI ? MYSQL_WAIT_EXCEPT : 0;
    ERR_clear_error();
    switch (client->operation) {
    case OPERATION_CONNECT:
        return resume_connect(client, ready);
    case OPERATION_QUERY:
        status = mysql_real_query_cont(&error, &client->mysql, ready);
        return after(client, OPERATION_QUERY, status, error == 0);
    case OPERATION_NEXT:
        status = mysql_next_result_cont(&error, &client->mysql, ready);
        return after(client, OPERATION_NEXT, status, error == 0);
    case OPERATION_STORE:
        status = mysql_store_result_cont(&client->result, &client->mysql, ready);
        return after(client, OPERATION_STORE, status, status || stored_well(client));
    case OPERATION_NONE:
        break;
    }
    return CLIENT_FAILED;
}

/* ---- the rest of a connect, on a worker thread ----------------------------------------------- */

/* Shuts the connection down at the deadline: inside the library nothing does, neither its own
 * timeout nor the socket's. */
struct watchdog {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t dismissed;
    int64_t deadline_ns;
    /* a second descriptor of the socket: the library may close the first at any time */
    int fd;
    bool is_dismissed;
    bool timed_out;
};

static void *run_watchdog(void *context)
{
    struct watchdog *dog = context;
    const struct timespec deadline = {.tv_sec = dog->deadline_ns / 1000000000,
                                      .tv_nsec = dog->deadline_ns % 1000000000};
    pthread_mutex_lock(&dog->lock);
    while (!dog->is_dismissed && !dog->timed_out) {
        if (pthread_cond_timedwait(&dog->dismissed, &dog->lock, &deadline) != 0) {
            dog->timed_out = true;
            shutdown(dog->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&dog->lock);
    return NULL;
}

static bool start_watchdog(struct watchdog *dog, int fd, int64_t timeout_ms)
{
    pthread_condattr_t attributes;
    *dog = (struct watchdog){.deadline_ns = clock_mono_ns() + timeout_ms * 1000000,
                             .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    if (dog->fd < 0) {
        return false;
    }
    pthread_mutex_init(&dog->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&dog->dismissed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&dog->thread, NULL, run_watchdog, dog) != 0) {
        close(dog->fd);
        return false;
    }
    return true;
}

/* When the library has closed a descriptor within a call, the loop removes its number from the
 * epoll set a moment later (probes/prober.c), and this one may have got the number meanwhile. The
 * kernel refuses that, since the set holds no such number, and nothing is disturbed; the thread
 * sanitizer reports it, and is told to pass over it by the name of this function. */
static void __attribute__((noinline)) close_second_descriptor(int fd)
{
    close(fd);
}

/* True: the deadline passed. */
static bool stop_watchdog(struct watchdog *dog)
{
    pthread_mutex_lock(&dog->lock);
    dog->is_dismissed = true;
    pthread_cond_signal(&dog->dismissed);
    pthread_mutex_unlock(&dog->lock);
    pthread_join(dog->thread, NULL);
    pthread_cond_destroy(&dog->dismissed);
    pthread_mutex_destroy(&dog->lock);
    close_second_descriptor(dog->fd);
    return dog->timed_out;
}

enum client_step client_run_blocking(struct client *client)
{
    struct watchdog dog;
    int fd = client_fd(client);
    if (!start_watchdog(&dog, fd, client->options.timeout_ms)) {
        return CLIENT_WAITS;
    }
    /* from now on the name for the certificate */
    text_copy(client->host, sizeof client->host, client->options.name);
    mysql_optionsv(&client->mysql, MARIADB_OPT_RESTRICTED_AUTH, under_tls);
    client->held = false;
    enum client_step step = resume_connect(client, MYSQL_WAIT_WRITE);
    while (step == CLIENT_WAITS) { /* the watchdog makes the socket ready at the deadline */
        struct pollfd wait = {.fd = fd, .events = (short)client_events(client)};
        if (poll(&wait, 1, -1) > 0) {
            step = client_resume(client, wait.revents);
        }
    }
    if (step == CLIENT_DONE) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    return stop_watchdog(&dog) ? CLIENT_WAITS : step;
}

/* ---- state and results ----------------------------------------------------------------------- */

bool client_has_connected(const struct client *client)
{
    return client->connected;
}

unsigned client_error(const struct client *client)
{
    return client->problem ? client->problem_error : mysql_errno((MYSQL *)&client->mysql);
}

int client_socket_error(const struct client *client)
{
    return client->socket_error;
}

const char *client_message(const struct client *client)
{
    if (client->socket_error != 0) {
        return strerror(client->socket_error);
    }
    return client->problem ? client->problem : mysql_error((MYSQL *)&client->mysql);
}

bool client_is_barred(const struct client *client)
{
    return client_error(client) == CR_PLUGIN_NOT_ALLOWED;
}

bool client_is_flooded(const struct client *client)
{
    return client->flooded;
}

const char *client_server_version(const struct client *client)
{
    const char *version = mysql_get_server_info((MYSQL *)&client->mysql);
    return version ? version : "";
}

unsigned long client_server_number(const struct client *client)
{
    return mysql_get_server_version((MYSQL *)&client->mysql);
}

bool client_is_encrypted(const struct client *client)
{
    return mysql_get_ssl_cipher((MYSQL *)&client->mysql) != NULL;
}

size_t client_rows(const struct client *client)
{
    return client->result ? (size_t)mysql_num_rows(client->result) : 0;
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
    if (row >= client_rows(client)) {
        return NULL;
    }
    int column = find_column(client->result, name);
    if (column < 0 && other_name) {
        column = find_column(client->result, other_name);
    }
    mysql_data_seek(client->result, row);
    MYSQL_ROW values = mysql_fetch_row(client->result);
    return column < 0 || !values ? NULL : values[column];
}

size_t client_columns(const struct client *client)
{
    return client->result ? mysql_num_fields(client->result) : 0;
}

const char *client_column(const struct client *client, size_t column)
{
    return mysql_fetch_fields(client->result)[column].name;
}
