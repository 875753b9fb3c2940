/* The one door to the MySQL client library's non-blocking API.
 *
 * Libraries differ in how they wait; behind this door each call is a step: it is
 * done, it failed, or it waits for client_events() on client_fd(), for client_tick_ms()
 * at most, and goes on with client_go_on(). MariaDB Connector/C stands behind it
 * (mysql_client_mariadb.c) or Oracle's libmysqlclient (mysql_client_oracle.c), as the build says.
 *
 *      client_new -> client_connect -> client_ask -> (client_value...) -> client_next -> ... ->
 * client_free
 *
 * A connect with `encrypt` ends in clear text never: before anything of ours has left, it
 * is CLIENT_BARE. Encrypting would keep the loop, by waiting or by loading authorities:
 * CLIENT_WORKS says that it comes, and client_work does the rest, on a worker thread.
 *
 * A client is used by one thread at a time. */
#ifndef ROSTER_PROBES_DRIVERS_MYSQL_CLIENT_H
#define ROSTER_PROBES_DRIVERS_MYSQL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

enum client_step {
    CLIENT_DONE,
    CLIENT_WAITS,
    CLIENT_WORKS, /* call client_work on a worker thread */
    CLIENT_BARE,  /* the server offers no encryption: free the client */
    CLIENT_FAILED
};

/* Strings are borrowed until client_free. */
struct client_options {
    const char *name; /* host name that a certificate must be made out to */
    const char *user;
    const char *password;
    const char *database; /* "": none */
    const char *program;  /* how we show in performance_schema.session_connect_attrs */
    uint16_t port;
    bool encrypt;   /* ask for TLS */
    bool verify;    /* check the certificate's chain and name */
    const char *ca; /* file; "": the system's */
    int64_t timeout_ms;
    size_t answer_max; /* bytes to read between two calls of client_connect or client_ask */
};

/* Loads what the library would load at some later, less convenient time. Not thread-safe; may be
 * called again. */
void client_begin_library(void);

/* NULL when memory ran out. */
struct client *client_new(const struct client_options *options);
void client_free(struct client *client);

enum client_step client_connect(struct client *client, const char *address);

/* Is the network connection there? */
bool client_has_dialled(const struct client *client);

/* The rest of a connect, in at most timeout_ms; CLIENT_WAITS: the time was over (or there was no
 * thread to watch it). */
enum client_step client_work(struct client *client);

/* Send statements, separated by ';', and read the first one's result. They are borrowed until it is
 * there. */
enum client_step client_ask(struct client *client, const char *sql);

/* Read the next one's. */
enum client_step client_next(struct client *client);
bool client_has_next(const struct client *client);

/* Whatever waits goes on; `events` as from poll(), 0 after a tick. */
enum client_step client_go_on(struct client *client, int events);

int client_fd(const struct client *client);     /* -1: no socket */
int client_events(const struct client *client); /* POLLIN, POLLOUT */
/* 0: none. Go on after so long, whatever the socket shows */
int client_tick_ms(const struct client *client);

/* Of the last failure. client_socket_error is the errno of a connect() that failed, else 0. */
unsigned client_error(const struct client *client);
int client_socket_error(const struct client *client);
const char *client_sentence(const struct client *client);
bool client_is_flooded(const struct client *client); /* the server sent more than answer_max */
/* it asks for a way to log in that is not allowed */
bool client_is_barred(const struct client *client);

/* Of the connection. */
const char *client_server_version(const struct client *client);
unsigned long client_server_number(const struct client *client); /* 101119, 80036 */
bool client_is_encrypted(const struct client *client);

/* Of the result at hand. client_value gives the column of either name; NULL when SQL says NULL or
 * there is none. */
size_t client_rows(const struct client *client);
const char *client_value(const struct client *client, size_t row, const char *name,
                         const char *other_name);
size_t client_columns(const struct client *client);
const char *client_column(const struct client *client, size_t column); /* its name */

#endif
