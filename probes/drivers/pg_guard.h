/* Keeps libpq 14 and 15 from answering a server's request for the password in clear text.
 *
 * They answer any such request, even after a SCRAM exchange has begun, and over TLS with an unknown
 * server, too; the only setting against it is channel_binding, which rules out MD5 and connections
 * without TLS. To read what the server sends before libpq does cannot help: the request may arrive
 * in between. But libpq writes each message to its trace before it sends it. So the trace is ours,
 * and when a message is as long as one with the password would be, the connection is shut down
 * before it can be sent.
 *
 * Limit: the trace shows lengths only. A password of 35 bytes is as long as MD5's answer; some
 * greater lengths are those of SCRAM's. With such a password no server is answered, and the
 * sentence explains it. */
#ifndef ROSTER_PROBES_DRIVERS_PG_GUARD_H
#define ROSTER_PROBES_DRIVERS_PG_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct pg_conn; /* libpq's PGconn */

struct guard {
    struct pg_conn *connection;
    FILE *trace;   /* NULL: inactive */
    size_t length; /* of the password */
    char line[64]; /* of the trace, so far */
    size_t used;
    /* the password was about to be sent; it was not, and the connection is shut down */
    bool tripped;
};

/* Call it after PQconnectStart. `guard` must not move until guard_end. False when memory ran out.
 */
bool guard_begin(struct guard *guard, struct pg_conn *connection, const char *password);

/* Call it once logged in, and before PQfinish; twice is fine. Clears `tripped`. */
void guard_end(struct guard *guard);

/* The reason, for the operator. Static. */
const char *guard_sentence(const struct guard *guard);

#endif
