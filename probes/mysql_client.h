/* The one door to the MySQL client library's non-blocking API.
 *
 * Libraries differ in how they wait; behind this door each call is a step: it is
 * done, it failed, or it waits for client_events() on client_fd() and goes on
 * with client_go_on(). MariaDB Connector/C is what stands behind it now.
 *
 *      client_new -> client_connect -> client_ask -> (client_value...) -> client_next -> ... -> client_free
 *
 * With encryption Connector/C waits inside its calls, from the server's greeting
 * to the end of the log-in. So a connect with `encrypt` stops when the server
 * begins to speak; client_greeting then tells what would follow:
 *
 *      client_connect ... CLIENT_WAITS, client_has_dialled, readable
 *          GREETING_PARTIAL  wait on
 *          GREETING_TLS      client_finish_connect, on a worker thread
 *          GREETING_ERROR    client_go_on: the library reads the error
 *          else              there is no encryption to be had: free the client
 *
 * A client is used by one thread at a time. */
#ifndef ROSTER_PROBES_MYSQL_CLIENT_H
#define ROSTER_PROBES_MYSQL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

enum client_step { CLIENT_DONE, CLIENT_WAITS, CLIENT_FAILED };

enum client_greeting {
    GREETING_PARTIAL, /* not all here yet */
    GREETING_PLAIN,   /* the server offers no encryption */
    GREETING_TLS,     /* it does */
    GREETING_ERROR,   /* an error message instead */
    GREETING_OTHER    /* no greeting of this protocol */
};

/* Strings are borrowed until client_free. */
struct client_options {
    const char *name;     /* host name that a certificate must be made out to */
    const char *user;
    const char *password;
    const char *database; /* "": none */
    const char *program;  /* how we show in performance_schema.session_connect_attrs */
    uint16_t port;
    bool encrypt;         /* ask for TLS */
    bool verify;          /* check the certificate's chain and name */
    const char *ca;       /* file; "": the system's */
    int64_t timeout_ms;
    size_t answer_max;    /* bytes to read between two calls of client_connect or client_ask */
};

/* Loads what the library would load at some later, less convenient time. Not thread-safe; may be called again. */
void client_begin_library(void);

/* NULL when memory ran out. */
struct client *client_new(const struct client_options *options);
void client_free(struct client *client);

enum client_step client_connect(struct client *client, const char *address);

/* Is the network connection there? */
bool client_has_dialled(const struct client *client);

/* What the server greets with; see above. */
enum client_greeting client_greeting(struct client *client);

/* The rest of a connect, in at most timeout_ms; CLIENT_WAITS: the time was over (or there was no thread to watch it). */
enum client_step client_finish_connect(struct client *client);

/* Send statements, separated by ';', and read the first one's result. */
enum client_step client_ask(struct client *client, const char *sql);

/* Read the next one's. */
enum client_step client_next(struct client *client);
bool client_has_next(const struct client *client);

/* Whatever waits goes on; `events` as from poll(). */
enum client_step client_go_on(struct client *client, int events);

int client_fd(const struct client *client);      /* -1: no socket */
int client_events(const struct client *client);  /* POLLIN, POLLOUT */

/* Of the last failure. client_socket_error is the errno of a connect() that failed, else 0. */
unsigned client_error(const struct client *client);
int client_socket_error(const struct client *client);
const char *client_sentence(const struct client *client);
bool client_is_flooded(const struct client *client); /* the server sent more than answer_max */

/* Of the connection. */
const char *client_server_version(const struct client *client);
unsigned long client_server_number(const struct client *client); /* 101119, 80036 */
bool client_is_encrypted(const struct client *client);

/* Of the result at hand. client_value gives the column of either name; NULL when SQL says NULL or there is none. */
size_t client_rows(const struct client *client);
const char *client_value(const struct client *client, size_t row, const char *name, const char *other_name);

#endif
