/* See errors.h; the rows are in registry/model/server_errors.h. Sources: PostgreSQL's appendix A
 * (error codes) and postmaster.c; MySQL's mysqld_error.h and errmsg.h; what real servers did under
 * kill, stop and exhaustion.
 *
 * Sentences are searched only where no number exists: for a failed connect libpq shows the SQLSTATE
 * only inside its sentence, and no errno at all. */
#include "probes/drivers/errors.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/server_errors.h"

/* ---- sockets --------------------------------------------------------------------------------- */

static const struct {
    int error;
    enum answer answer;
} sockets[] = {
    {ECONNREFUSED, ANSWER_REFUSED},    {EHOSTUNREACH, ANSWER_UNREACHABLE},
    {ENETUNREACH, ANSWER_UNREACHABLE}, {EHOSTDOWN, ANSWER_UNREACHABLE},
    {ENETDOWN, ANSWER_UNREACHABLE},    {EADDRNOTAVAIL, ANSWER_UNREACHABLE},
    {EACCES, ANSWER_UNREACHABLE},      {EPERM, ANSWER_UNREACHABLE},
    {EINVAL, ANSWER_UNREACHABLE},      {EAFNOSUPPORT, ANSWER_UNREACHABLE},
    {ETIMEDOUT, ANSWER_TIMEOUT},       {ECONNRESET, ANSWER_PROTOCOL},
    {EPIPE, ANSWER_PROTOCOL},          {EMFILE, ANSWER_UNKNOWN}, /* these four are our own fault */
    {ENFILE, ANSWER_UNKNOWN},          {ENOMEM, ANSWER_UNKNOWN},
    {ENOBUFS, ANSWER_UNKNOWN},
};
enum { SOCKETS = sizeof sockets / sizeof *sockets };

enum answer answer_of_errno(int error)
{
    for (size_t i = 0; i < SOCKETS; i++) {
        if (sockets[i].error == error) {
            return sockets[i].answer;
        }
    }
    return ANSWER_PROTOCOL;
}

int errors_find_errno(const char *message)
{
    for (size_t i = 0; i < SOCKETS; i++) {
        const char *sentence = strerrordesc_np(sockets[i].error);
        if (sentence && strstr(message, sentence)) {
            return sockets[i].error;
        }
    }
    return 0;
}

/* ---- PostgreSQL ------------------------------------------------------------------------------ */

/* 57P03 is "starting up", "not yet accepting connections", "in recovery mode" and "shutting down".
 * The sentence is in the server's language (lc_messages); these phrases are from its translations.
 * An unknown sentence counts as starting, which means the same to routing. */
static bool is_shutdown(const char *message)
{
    static const char *const phrases[] = {
        "shutting down",   "fährt herunter", "apagándose",     "s'arrête",
        "spegnendo",       "desligando",     "zamykany",       "останавливается",
        "завершує роботу", "stänger ner",    "シャットダウン", "중지",
        "正在关闭",        "正在關閉",       "ითიშება",        NULL,
    };
    for (size_t i = 0; phrases[i]; i++) {
        if (strstr(message, phrases[i])) {
            return true;
        }
    }
    return false;
}

static const struct {
    const char *begins;
    enum answer connecting, asking;
} sqlstates[] = {
#define SQLSTATE(code, connecting, asking, outcome, meaning)                                       \
    {code, ANSWER_##connecting, ANSWER_##asking},
    SQLSTATES(SQLSTATE)
#undef SQLSTATE
};
enum { SQLSTATE_ROWS = sizeof sqlstates / sizeof *sqlstates, SQLSTATE_LENGTH = 5 };

static size_t find_row(const char *sqlstate)
{
    size_t i = 0;
    while (i < SQLSTATE_ROWS &&
           strncmp(sqlstate, sqlstates[i].begins, strlen(sqlstates[i].begins)) != 0) {
        i++;
    }
    return i;
}

bool errors_knows_sqlstate(const char *sqlstate)
{
    return find_row(sqlstate) < SQLSTATE_ROWS;
}

bool errors_ends_idle(const char *sqlstate)
{
    return text_equal(sqlstate, "57P05");
}

enum answer answer_of_sqlstate(const char *sqlstate, bool connecting, const char *message)
{
    size_t row = find_row(sqlstate);
    if (strlen(sqlstate) != SQLSTATE_LENGTH) {
        return ANSWER_PROTOCOL;
    }
    if (row == SQLSTATE_ROWS) {
        return connecting ? ANSWER_AUTH : ANSWER_PRIVILEGE;
    }
    enum answer answer = connecting ? sqlstates[row].connecting : sqlstates[row].asking;
    return answer == ANSWER_STARTING && is_shutdown(message) ? ANSWER_STOPPING : answer;
}

/* "FATAL:  28P01: password ..." as PQERRORS_VERBOSE writes it; the severity may be in any language.
 */
static const char *find_sqlstate(const char *message, char ret_sqlstate[6])
{
    for (const char *at = strstr(message, ":  "); at; at = strstr(at + 1, ":  ")) {
        const char *code = at + 3;
        size_t n = 0;
        while (n < 5 && (isdigit((unsigned char)code[n]) || isupper((unsigned char)code[n]))) {
            n++;
        }
        if (n == 5 && code[5] == ':' && code[6] == ' ') {
            memcpy(ret_sqlstate, code, 5);
            ret_sqlstate[5] = 0;
            return code + 7;
        }
    }
    return NULL;
}

/* The last attempt's part: `connection to server at "10.0.0.1", port 5432 failed: ` goes. With
 * sslmode prefer there may be two attempts, one after the other. */
static const char *last_attempt(const char *message)
{
    const char *start = message;
    for (const char *at = message; (at = strstr(at, "connection to server at ")); at++) {
        const char *failed = strstr(at, " failed: ");
        if (failed) {
            start = failed + strlen(" failed: ");
        }
    }
    return start;
}

static void keep_line(char *detail, size_t size, const char *from)
{
    char line[DETAIL_SIZE];
    size_t length = strcspn(from, "\n");
    if (length >= sizeof line) {
        length = sizeof line - 1;
    }
    memcpy(line, from, length);
    line[length] = 0;
    text_tame(detail, size, line);
}

/* libpq's own sentences, in the order in which they are searched for. */
static enum answer of_libpq_sentence(const char *message, bool encrypting)
{
    static const char *const breaches[] = {
        "expected authentication request", "received invalid",
        "invalid response to SSL",         "received unencrypted data",
        "unsupported frontend protocol",   NULL};
    static const char *const accounts[] = {
        "password", "authentication", "SCRAM", "SASL", "channel binding", "GSS", NULL};
    static const char *const secrecy[] = {"SSL", "certificate", "TLS", NULL};
    for (size_t i = 0; breaches[i]; i++) {
        if (strstr(message, breaches[i])) {
            return ANSWER_PROTOCOL;
        }
    }
    if (strstr(message, "could not fork")) { /* the server says so, from before it has a session */
        return ANSWER_SATURATED;
    }
    int error = errors_find_errno(message);
    if (strstr(message, "out of memory") ||
        (error != 0 && answer_of_errno(error) == ANSWER_UNKNOWN)) {
        return ANSWER_UNKNOWN;
    }
    for (size_t i = 0; encrypting && secrecy[i]; i++) {
        if (strstr(message, secrecy[i])) {
            return ANSWER_TLS;
        }
    }
    if (error != 0) {
        return answer_of_errno(error);
    }
    for (size_t i = 0; accounts[i]; i++) {
        if (strstr(message, accounts[i])) {
            return ANSWER_AUTH;
        }
    }
    return ANSWER_PROTOCOL;
}

enum answer answer_of_libpq(const char *message, bool encrypting, char *detail, size_t size)
{
    char sqlstate[6];
    const char *attempt = last_attempt(message);
    const char *sentence = find_sqlstate(attempt, sqlstate);
    if (sentence) {
        keep_line(detail, size, sentence);
        return answer_of_sqlstate(sqlstate, true, sentence);
    }
    keep_line(detail, size, attempt);
    return of_libpq_sentence(attempt, encrypting);
}

/* ---- MySQL and MariaDB ----------------------------------------------------------------------- */

/* "Can't connect to server on '10.0.0.1' (111)", "... reading initial communication packet, system
 * error: 110" */
static int number_in(const char *message)
{
    static const char *const before[] = {"system error: ", "(", NULL};
    for (size_t i = 0; before[i]; i++) {
        for (const char *at = message; (at = strstr(at, before[i])); at++) {
            char *end;
            long number = strtol(at + strlen(before[i]), &end, 10);
            if (end != at + strlen(before[i]) && number > 0 && number < 200) {
                return (int)number;
            }
        }
    }
    return errors_find_errno(message);
}

static const struct {
    unsigned error;
    enum answer connecting, asking;
} mysql_errors[] = {
#define MYSQL_ERROR(code, connecting, asking, outcome, meaning)                                    \
    {code, ANSWER_##connecting, ANSWER_##asking},
    MYSQL_ERRORS(MYSQL_ERROR)
#undef MYSQL_ERROR
};
enum { MYSQL_ROWS = sizeof mysql_errors / sizeof *mysql_errors };

static size_t find_mysql_row(unsigned error)
{
    size_t i = 0;
    while (i < MYSQL_ROWS && mysql_errors[i].error != error) {
        i++;
    }
    return i;
}

bool errors_knows_mysql(unsigned error)
{
    return find_mysql_row(error) < MYSQL_ROWS;
}

bool errors_ends_idle_mysql(unsigned error)
{
    enum { READ_INTERRUPTED = 1159, CLIENT_INTERACTION_TIMEOUT = 4031 };
    return error == READ_INTERRUPTED || error == CLIENT_INTERACTION_TIMEOUT;
}

bool errors_is_of_mysql_client(unsigned error)
{
    return (error >= 2000 && error < 3000) || (error >= 5000 && error < 6000);
}

enum answer answer_of_mysql(unsigned error, bool connecting, const char *message)
{
    enum { CANNOT_CONNECT = 2002, CANNOT_CONNECT_TO_HOST = 2003, NO_SOCKET = 2004 };
    size_t row = find_mysql_row(error);
    if (error == CANNOT_CONNECT || error == CANNOT_CONNECT_TO_HOST || error == NO_SOCKET) {
        return answer_of_errno(number_in(message));
    }
    if (row < MYSQL_ROWS) {
        return connecting ? mysql_errors[row].connecting : mysql_errors[row].asking;
    }
    if (error == 0 || errors_is_of_mysql_client(error)) {
        return ANSWER_PROTOCOL;
    }
    return connecting ? ANSWER_AUTH : ANSWER_PRIVILEGE;
}
