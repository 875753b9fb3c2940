#include "probes/drivers/pg_guard.h"

#include <libpq-fe.h>
#include <string.h>
#include <sys/socket.h>

#ifndef LIBPQ_HAS_TRACE_FLAGS
#error "libpq 14 or later is needed: an older one sends the password in clear text when asked to"
#endif

/* One line of the trace. "F <TAB> length <TAB> words" goes to the server; the length counts itself
 * and the terminating zero, and the words begin as below for messages without a type, which come
 * before all log-in. */
static void inspect(struct guard *guard)
{
    static const char untyped[] = "Unknown message: length";
    unsigned length;
    int words = 0;
    guard->line[guard->used] = 0;
    guard->used = 0;
    if (sscanf(guard->line, "F\t%u\t%n", &length, &words) == 1 && length == guard->length + 5 &&
        strncmp(guard->line + words, untyped, sizeof untyped - 1) != 0) {
        guard->tripped = true;
        shutdown(PQsocket(guard->connection), SHUT_RDWR);
    }
}

static ssize_t read_trace(void *cookie, const char *bytes, size_t count)
{
    struct guard *guard = cookie;
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            inspect(guard);
        } else if (guard->used + 1 < sizeof guard->line) {
            guard->line[guard->used++] = bytes[i];
        }
    }
    return (ssize_t)count;
}

bool guard_begin(struct guard *guard, struct pg_conn *connection, const char *password)
{
    FILE *trace = fopencookie(guard, "w", (cookie_io_functions_t){.write = read_trace});
    if (!trace) {
        return false;
    }
    setvbuf(trace, NULL, _IONBF, 0);
    *guard = (struct guard){.connection = connection, .trace = trace, .length = strlen(password)};
    PQtrace(connection, trace);
    PQsetTraceFlags(connection, PQTRACE_SUPPRESS_TIMESTAMPS);
    return true;
}

void guard_end(struct guard *guard)
{
    if (guard->trace) {
        PQuntrace(guard->connection);
        fclose(guard->trace);
    }
    *guard = (struct guard){.trace = NULL};
}

const char *guard_sentence(const struct guard *guard)
{
    enum { SHORTEST_ANSWER = 35 }; /* "md5" and 32 digits */
    if (guard->length < SHORTEST_ANSWER) {
        return "the server asks for the password in clear text, which it gets with tls = verify "
               "only";
    }
    return "the server asks for the password in clear text, which it gets with tls = verify only"
           " (or give the account a password of another length: some cannot be told from an "
           "encrypted answer)";
}
