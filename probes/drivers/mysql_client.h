/* The one place that uses a MySQL client library's non-blocking API: MariaDB Connector/C
 * (mysql_client_mariadb.c) or Oracle's libmysqlclient (mysql_client_oracle.c), chosen by the build.
 *
 * The libraries wait in different ways. Here each call is a step: it is done, it failed, or it
 * waits for client_events() on client_fd(), for client_tick_ms() at most, and continues with
 * client_resume().
 *
 *      new --> connect --> query --> value... --> next --> value... --> free
 *                            ^                               |
 *                            '-------------------------------'
 *
 * Invariants: a connect with `encrypt` never continues in clear text; if the server offers no TLS
 * it ends as CLIENT_PLAINTEXT, before anything of ours is sent. The TLS handshake would keep the
 * loop, by waiting or by loading authorities, so a connect ends as CLIENT_BLOCKS before it, and
 * client_run_blocking does the rest, on a worker thread.
 *
 * Limits: a client is used by one thread at a time; answer_max bytes per answer. */
#ifndef ROSTER_PROBES_DRIVERS_MYSQL_CLIENT_H
#define ROSTER_PROBES_DRIVERS_MYSQL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

enum client_step {
    CLIENT_DONE,
    CLIENT_WAITS,
    CLIENT_BLOCKS,    /* call client_run_blocking on a worker thread */
    CLIENT_PLAINTEXT, /* the server offers no encryption: free the client, or go on without */
    CLIENT_FAILED
};

/* Strings are borrowed until client_free. */
struct client_options {
    const char *name; /* the host name that a certificate must have */
    const char *user;
    const char *password;
    const char *database; /* "": none */
    const char *program;  /* our name in performance_schema.session_connect_attrs */
    uint16_t port;
    bool encrypt;   /* request TLS */
    bool verify;    /* check the certificate's chain and name */
    const char *ca; /* file of authorities; "" only without `verify` */
    int64_t timeout_ms;
    size_t answer_max; /* bytes to read between two calls of client_connect or client_query */
};

/* Loads now what the library would load during a connect, when the loop waits for it. Not
 * thread-safe; may be called again. */
void client_init_library(void);

/* NULL when memory ran out. */
struct client *client_new(const struct client_options *options);
void client_free(struct client *client);

enum client_step client_connect(struct client *client, const char *address);

/* After CLIENT_PLAINTEXT: goes on with the same connection in clear text, with the fewer ways to
 * log in. CLIENT_PLAINTEXT again: this library cannot; free the client and connect anew. */
enum client_step client_go_on_plain(struct client *client);

/* Is the network connection established? */
bool client_has_connected(const struct client *client);

/* The rest of a connect, in at most timeout_ms; CLIENT_WAITS: it timed out (or no thread could be
 * started to limit it). */
enum client_step client_run_blocking(struct client *client);

/* Send statements, separated by ';', and read the first one's result. `sql` is borrowed until that
 * is complete. */
enum client_step client_query(struct client *client, const char *sql);

/* Read the next statement's result. */
enum client_step client_next(struct client *client);
bool client_has_next(const struct client *client);

/* Continue the step that waits; `events` as from poll(), 0 after a tick. */
enum client_step client_resume(struct client *client, int events);

int client_fd(const struct client *client);     /* -1: no socket */
int client_events(const struct client *client); /* POLLIN, POLLOUT */
/* 0: none. Resume after this time, whatever the socket shows */
int client_tick_ms(const struct client *client);

/* Of the last failure. client_socket_error is the errno of a connect() that failed, else 0. */
unsigned client_error(const struct client *client);
int client_socket_error(const struct client *client);
const char *client_message(const struct client *client);
bool client_is_flooded(const struct client *client); /* the server sent more than answer_max */
/* it requests an authentication method that is not allowed */
bool client_is_barred(const struct client *client);

/* Of the connection. */
const char *client_server_version(const struct client *client);
unsigned long client_server_number(const struct client *client); /* 101119, 80036 */
bool client_is_encrypted(const struct client *client);

/* Of the result at hand. client_value gives the column of either name; NULL when it is SQL's NULL
 * or there is none. */
size_t client_rows(const struct client *client);
const char *client_value(const struct client *client, size_t row, const char *name,
                         const char *other_name);
size_t client_columns(const struct client *client);
const char *client_column(const struct client *client, size_t column); /* its name */

#endif
