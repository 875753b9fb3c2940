/* How to look at a server without ever blocking the loop.
 *
 * A link is one connection to one member, with the statement that is sent over it. It owns no timer
 * and no poller: each call returns in `struct want` what the link waits for, and the loop calls
 * again when that has happened.
 *
 *      start --> want IO --> resume --> want IO --> ... --> want NOTHING (the observation is there)
 *        ^          \--> the deadline passed: expire ----------^
 *        '--- the answer is still owed: the next look listens for it ---'
 *
 * After NOTHING the link is at rest, and remains() tells in which state. When the descriptor of one
 * that is open turns readable, the server has sent something unsolicited, nearly always that it
 * closes the connection, or what it owed: start the next look.
 *
 * A log-in or a statement that gets no answer in time is not given up: the server may go on with it
 * and keep the session, whether or not somebody listens. A look over such a link listens on. What a
 * statement gives then was true at some time before; so the statement is sent once more, and that
 * answer counts.
 *
 * Drivers collect facts, kinds judge them (kinds/kind.h): an observation has no roles.
 *
 * Limits: one look at a time per link; a link is used by one thread at a time. */
#ifndef ROSTER_PROBES_DRIVERS_DRIVER_H
#define ROSTER_PROBES_DRIVERS_DRIVER_H

#include <stdint.h>

#include "probes/drivers/observation.h"
#include "registry/config/config.h"

enum want_kind {
    WANT_NOTHING, /* done: observation() has the outcome */
    /* call resume when `fd` shows `events` (POLLIN, POLLOUT), or after tick_ms if that is set */
    WANT_IO,
    WANT_BLOCKING /* call run_blocking on a worker thread, then resume with events 0 */
};

/* What the deadline is for: a new phase gets a new one of `timeout`. */
enum phase { PHASE_IDLE, PHASE_CONNECT, PHASE_QUERY };

struct want {
    enum want_kind kind;
    enum phase phase;
    /* may change from one want to the next, even under the same number: stop polling before every
     * call, and poll anew after it */
    int fd;
    int events;
    /* 0: none. The client library does not show what it waits for: resume with events 0 after this
     * time */
    int tick_ms;
};

/* Vouches for a server with tls = verify, unless tls_ca is set. */
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

/* What a link needs to know; borrowed for the call of open() only. */
struct target {
    const struct cluster_settings *cluster; /* user, database, password, tls, discover, query */
    const struct member_config *config;     /* host, port */
    const char *application; /* our name in the server's list of sessions: "roster-probe NAME" */
    int64_t timeout_ms;
};

struct link;

/* What a look has left at the server. */
enum remains {
    REMAINS_NOTHING,  /* no connection was made, or the server has ended it, or will at once */
    REMAINS_SESSION,  /* open, and idle */
    REMAINS_QUESTION, /* open, and the server owes the answer to a log-in or a statement */
    REMAINS_DOUBT,    /* closed while an answer was owed: the server may keep its end of it */
    REMAINS_BREAK     /* we broke off the handshake: some servers count that, and block the host */
};

struct driver {
    enum engine engine;

    /* A new link, not connected; NULL when memory ran out. Copies what it needs. */
    struct link *(*open)(const struct target *target);

    /* Start one look, or listen on for what is owed. `address`, a literal IPv4 or IPv6 address, is
     * used when the link is not open. */
    void (*start)(struct link *link, const char *address, struct want *ret_want);

    /* Continue after what was wanted has happened. */
    void (*resume)(struct link *link, int events, struct want *ret_want);

    /* The blocking part, on a worker thread; the loop does not use the link meanwhile. It waits for
     * the server for timeout_ms at most, or computes, which is our own time. */
    void (*run_blocking)(struct link *link);

    /* The deadline passed. The observation is TIMEOUT (not connected, and given up) or STALLED
     * (connected, then silence: the answer is owed). Not while run_blocking is under way. */
    void (*expire)(struct link *link);

    /* The outcome of the last look. */
    const struct observation *(*observation)(const struct link *link);

    /* Of a link at rest: what the last look left. */
    enum remains (*remains)(const struct link *link);

    /* Descriptor of a link at rest that is open; -1 otherwise. */
    int (*idle_fd)(const struct link *link);

    /* Close the connection, keep the link. */
    void (*disconnect)(struct link *link);

    /* Disconnect and free. NULL is fine. */
    void (*close)(struct link *link);
};

extern const struct driver driver_pg;    /* pg.c: libpq */
extern const struct driver driver_mysql; /* mysql.c: Connector/C or libmysqlclient */

#endif
