/* What a failure means: socket errors, SQLSTATEs and client libraries' sentences to one of the
 * classes of enum answer.
 *
 * Invariants: an error of the server that has no row (registry/model/server_errors.h) is definite
 * and proves that the server lives: AUTH at log-in, PRIVILEGE in a session. What is no error of a
 * server and is not known is PROTOCOL, which is ambiguous (it counts after some in a row).
 * Limit: where a library returns a sentence without a number, it is searched for the sentences of
 * this process's language, and of the server's translations that are listed.
 *
 * Any thread. Pure, but for errors_of_connect. */
#ifndef ROSTER_PROBES_DRIVERS_ERRORS_H
#define ROSTER_PROBES_DRIVERS_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/model/model.h"

/* Result of a non-blocking connect(): 0 when `fd` is connected, else an errno. Call it once, when
 * `fd` has become writable. A socket connected to itself counts as refused: that happens when
 * nobody listens at the port, and it is one of this machine's own outgoing ones. */
int errors_of_connect(int fd);

/* A peer that is gone without a word is noticed in 16 s, and one that does not acknowledge what it
 * was sent sooner, as libpq is told to. */
void errors_keep_alive(int fd, int64_t timeout_ms);

/* Of a failed connect(): REFUSED, UNREACHABLE or TIMEOUT; PROTOCOL for anything else (a broken
 * handshake). */
enum answer answer_of_errno(int error);

/* The error number whose sentence (strerror, in the process's language) `message` contains, for
 * libraries that return a sentence only; 0: none. */
int errors_find_errno(const char *message);

/* PostgreSQL's SQLSTATE, five characters. `connecting`: before the session was established.
 * `message`: the server's sentence, which distinguishes shutting down from starting up (57P03 means
 * both). */
enum answer answer_of_sqlstate(const char *sqlstate, bool connecting, const char *message);

/* Has it a row? Without one it may be the fault of the statement. */
bool errors_knows_sqlstate(const char *sqlstate);

/* libpq's PQerrorMessage after a failed connect, made with PQERRORS_VERBOSE. The server's own
 * sentence, or libpq's, is copied to `detail`, without prefix and location. `encrypting`: TLS was
 * requested. */
enum answer answer_of_libpq(const char *message, bool encrypting, char *detail, size_t size);

/* MySQL's and MariaDB's error numbers, the client's (2000-2999) included. `connecting` as above.
 * `message` contains the socket error behind 2002 and 2003. */
enum answer answer_of_mysql(unsigned error, bool connecting, const char *message);

/* The server has ended the session for being idle for too long. */
bool errors_ends_idle(const char *sqlstate);
bool errors_ends_idle_mysql(unsigned error);

/* As errors_knows_sqlstate. */
bool errors_knows_mysql(unsigned error);

/* It is the client library's own, and no server's. */
bool errors_is_of_mysql_client(unsigned error);

#endif
