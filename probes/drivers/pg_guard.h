/* Keeps libpq 14 and 15 from answering a server's demand for the password in clear text.
 *
 * They answer any demand, even one that comes after a SCRAM exchange has begun, over
 * TLS with anybody as well, and have no setting against it but channel_binding, which
 * rules out MD5 and connections without TLS. To look at what the server sends before
 * libpq does cannot help: the demand may arrive in between. But libpq tells its trace of
 * each message before it sends it. So the trace comes here, and a message as long as
 * the bare password would be finds the connection shut.
 *
 * Limit: lengths are all that the trace shows. A password of 35 bytes is as long as MD5's answer;
 * some greater lengths are those of SCRAM's. With such a password no server is answered, and the
 * sentence says so. */
#ifndef ROSTER_PROBES_DRIVERS_PG_GUARD_H
#define ROSTER_PROBES_DRIVERS_PG_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct pg_conn; /* libpq's PGconn */

struct guard {
    struct pg_conn *connection;
    FILE *trace;   /* NULL: not on guard */
    size_t length; /* of the password */
    char line[64]; /* of the trace, so far */
    size_t used;
    /* the password was about to leave; it has not, and the connection is shut */
    bool tripped;
};

/* From after PQconnectStart until the log-in is done. `guard` stays where it is meanwhile. False
 * when memory ran out. */
bool guard_begin(struct guard *guard, struct pg_conn *connection, const char *password);

/* Before PQfinish; twice is fine. Clears `tripped`. */
void guard_end(struct guard *guard);

/* For the operator. Static. */
const char *guard_sentence(const struct guard *guard);

#endif
