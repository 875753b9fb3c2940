/* What a failure means: socket errors, SQLSTATEs and client libraries' sentences
 * to one of the classes of enum answer. Text in, class and sentence out; no
 * client library, no I/O, any thread. */
#ifndef ROSTER_PROBES_DRIVERS_ERRORS_H
#define ROSTER_PROBES_DRIVERS_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/model/model.h"

/* A connect() that failed: REFUSED, UNREACHABLE or TIMEOUT; PROTOCOL for anything else (a broken
 * handshake). */
enum answer answer_of_errno(int error);

/* An error number whose sentence (strerror, in the process's language) stands in `message`, for
 * libraries that give words only; 0 when there is none. */
int errors_find_errno(const char *message);

/* PostgreSQL's SQLSTATE, five characters. `connecting`: before the session was there. `message`:
 * the server's sentence, which tells shutting down from starting up (57P03 means both). */
enum answer answer_of_sqlstate(const char *sqlstate, bool connecting, const char *message);

/* libpq's PQerrorMessage after a failed connect, made with PQERRORS_VERBOSE. The server's own
 * sentence, or libpq's, goes to `detail`, without prefix and location. `encrypting`: TLS was asked
 * for. */
enum answer answer_of_libpq(const char *message, bool encrypting, char *detail, size_t size);

/* MySQL's and MariaDB's error numbers, the client's (2000-2999) included. `connecting` as above.
 * `message` tells which socket error is behind 2002, 2003 and 2013. */
enum answer answer_of_mysql(unsigned error, bool connecting, const char *message);

#endif
