/* See errors.h. Sources: PostgreSQL's appendix A (error codes) and postmaster.c; MySQL's
 * mysqld_error.h and errmsg.h; what real servers did under kill, stop and exhaustion.
 *
 * Sentences are searched only where no number exists: for a failed connect libpq shows the SQLSTATE
 * only inside its sentence, and no errno at all. */
#include "probes/drivers/errors.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"

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

static bool begins(const char *sqlstate, const char *class)
{
    return strncmp(sqlstate, class, strlen(class)) == 0;
}

enum answer answer_of_sqlstate(const char *sqlstate, bool connecting, const char *message)
{
    if (text_equal(sqlstate, "57P03")) {
        return is_shutdown(message) ? ANSWER_STOPPING : ANSWER_STARTING;
    }
    if (begins(sqlstate, "57P01") ||
        begins(sqlstate, "57P02")) { /* terminated: a shutdown, or pg_terminate_backend */
        return connecting ? ANSWER_STOPPING : ANSWER_LOST;
    }
    if (begins(sqlstate, "57P")) { /* database dropped, session idle for too long */
        return connecting ? ANSWER_AUTH : ANSWER_LOST;
    }
    if (begins(sqlstate, "57014")) { /* statement_timeout */
        return ANSWER_STALLED;
    }
    if (begins(sqlstate, "53")) {
        return ANSWER_SATURATED;
    }
    if (begins(sqlstate, "28") || begins(sqlstate, "3D")) {
        return ANSWER_AUTH;
    }
    if (begins(sqlstate, "42501")) {
        return connecting ? ANSWER_AUTH : ANSWER_PRIVILEGE;
    }
    if (connecting && begins(sqlstate, "55000")) { /* the database takes no connections */
        return ANSWER_AUTH;
    }
    return ANSWER_PROTOCOL;
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
    {1040, ANSWER_SATURATED, ANSWER_SATURATED}, /* too many connections */
    {1203, ANSWER_SATURATED, ANSWER_SATURATED}, /* max_user_connections */
    {1226, ANSWER_SATURATED, ANSWER_SATURATED}, /* a resource limit of the account */
    {1041, ANSWER_SATURATED, ANSWER_SATURATED}, /* out of memory */
    {1135, ANSWER_SATURATED, ANSWER_SATURATED}, /* cannot create a thread */
    {1044, ANSWER_AUTH, ANSWER_PRIVILEGE},      /* no access to the database */
    {1045, ANSWER_AUTH, ANSWER_AUTH},           /* wrong user or password */
    {1049, ANSWER_AUTH, ANSWER_AUTH},           /* unknown database */
    {1129, ANSWER_AUTH, ANSWER_AUTH},           /* host blocked after many errors */
    {1130, ANSWER_AUTH, ANSWER_AUTH},           /* host not allowed */
    {1251, ANSWER_AUTH, ANSWER_AUTH},           /* authentication protocol too old */
    {1524, ANSWER_AUTH, ANSWER_AUTH},           /* plugin not loaded */
    {1698, ANSWER_AUTH, ANSWER_AUTH},           /* access denied, no password asked */
    {1820, ANSWER_AUTH, ANSWER_AUTH},           /* the password must be changed */
    {1862, ANSWER_AUTH, ANSWER_AUTH},           /* the password has run out */
    {3118, ANSWER_AUTH, ANSWER_AUTH},           /* the account is locked */
    {4151, ANSWER_AUTH, ANSWER_AUTH},           /* the account is locked (MariaDB) */
    {3159, ANSWER_TLS, ANSWER_TLS},             /* the server insists on encryption */
    {1142, ANSWER_AUTH, ANSWER_PRIVILEGE},      /* no right to the table, */
    {1143, ANSWER_AUTH, ANSWER_PRIVILEGE},      /* to a column of it, */
    {1370, ANSWER_AUTH, ANSWER_PRIVILEGE},      /* to the routine */
    {1227, ANSWER_AUTH, ANSWER_PRIVILEGE},      /* no right to the statement */
    {1053, ANSWER_STOPPING, ANSWER_LOST},       /* shutting down */
    {1079, ANSWER_STOPPING, ANSWER_LOST},       /* shut down */
    {1077, ANSWER_STOPPING, ANSWER_LOST},       /* normal shutdown */
    {1927, ANSWER_STOPPING, ANSWER_LOST},       /* connection killed */
    /* offline mode: alive, and sends ordinary accounts away */
    {3032, ANSWER_OFFLINE, ANSWER_OFFLINE},
    {6400, ANSWER_OFFLINE, ANSWER_OFFLINE}, /* offline mode, with a reason (9.x) */
    {1317, ANSWER_STALLED, ANSWER_STALLED}, /* interrupted */
    {3024, ANSWER_STALLED, ANSWER_STALLED}, /* max_execution_time */
    {1969, ANSWER_STALLED, ANSWER_STALLED}, /* max_statement_time */
    {2008, ANSWER_UNKNOWN, ANSWER_UNKNOWN}, /* the client is out of memory */
    {2026, ANSWER_TLS, ANSWER_TLS},         /* TLS failed */
    {2049, ANSWER_AUTH, ANSWER_AUTH},       /* pre-4.1 passwords */
    /* the server asks by a plugin that is not there, */
    {2054, ANSWER_AUTH, ANSWER_AUTH},
    {2058, ANSWER_AUTH, ANSWER_AUTH}, /* cannot be initialized, */
    {2059, ANSWER_AUTH, ANSWER_AUTH}, /* cannot be loaded, */
    {2061, ANSWER_AUTH, ANSWER_AUTH}, /* failed, */
    {5010, ANSWER_AUTH, ANSWER_AUTH}, /* or is not on our list */
};
enum { MYSQL_ERRORS = sizeof mysql_errors / sizeof *mysql_errors };

enum answer answer_of_mysql(unsigned error, bool connecting, const char *message)
{
    for (size_t i = 0; i < MYSQL_ERRORS; i++) {
        if (mysql_errors[i].error == error) {
            return connecting ? mysql_errors[i].connecting : mysql_errors[i].asking;
        }
    }
    switch (error) {
    case 2002: /* cannot connect */
    case 2003:
    case 2004: /* cannot make a socket */
        return answer_of_errno(number_in(message));
    case 2006: /* gone away */
    case 2013: /* lost */
    case 2055:
        return connecting ? ANSWER_PROTOCOL : ANSWER_LOST;
    default:
        return ANSWER_PROTOCOL;
    }
}
