/* What a probe may have left behind at one server, and so when it may log in there again.
 *
 *     refused log-ins      an account may be locked after some of them
 *     broken handshakes    MySQL and MariaDB block a host after max_connect_errors of them
 *     sessions             closed while an answer was owed: a server that hangs keeps them, and
 *                          they count there until max_connections is reached
 *
 * Each of them makes the next log-in wait, doubling, whatever the reason of the look and whatever
 * the alarm. What happens at an open session is no log-in and does not wait.
 *
 * A log-in or statement that hangs is listened to (driver.h), and that leaves one session. It is
 * given up once, for a path that lost the connection; from then on no other is begun beside it. So
 * a probe has no more than SESSIONS_MOST sessions at a member of which it does not know the end.
 *
 * A wait ends at once with a sign that something has changed there: the port refuses or the server
 * starts, another probe or a stream says that it serves. The word of others counts every PARDON_MS,
 * and never past SESSIONS_MOST.
 *
 * Limits: what was left by slots that are closed, of members that left the configuration or whose
 * access changed, is forgotten. Pure. */
#ifndef ROSTER_PROBES_DEBTS_H
#define ROSTER_PROBES_DEBTS_H

#include "probes/drivers/driver.h"

enum {
    REFUSED_WAIT_MS = 5000, /* doubles with each refusal of our account, */
    REFUSED_WAIT_MOST_MS = 60000,
    BREAKS_FREE = 2,      /* so many broken handshakes in a row cost nothing, */
    BREAK_WAIT_MS = 5000, /* the next ones double, */
    BREAK_WAIT_MOST_MS = 30000,
    BREAKS_MANY = 40, /* and before a host is blocked they become rare */
    BREAK_WAIT_LONG_MS = 600000,
    SESSION_WAIT_MS = 1000, /* doubles with each session that is left */
    SESSION_WAIT_MOST_MS = 30000,
    SESSION_WAIT_LONG_MS = 600000,
    SESSIONS_LEFT_MOST = 4,
    SESSIONS_MOST = SESSIONS_LEFT_MOST + 1, /* and the one that is listened to */
    PARDON_MS = 5000,
    BREAKS_KEPT = 16, /* no more of them fit into a minute */
    BREAKS_COUNTED_MS = 60000
};

struct debts {
    unsigned refusals; /* of our account in a row */
    unsigned breaks;   /* handshakes broken off in a row */
    unsigned left;     /* sessions closed while an answer was owed, since the last good log-in */
    int64_t not_before_ms;
    int64_t pardoned_ms;
    int64_t broken_ms[BREAKS_KEPT]; /* when the latest ones were, in a ring */
    unsigned broken;
};

void debts_init(struct debts *debts, int64_t now_ms);

/* May a log-in be begun? If not, it may at debts->not_before_ms. */
bool debts_allow(const struct debts *debts, int64_t now_ms);

/* A look ended. `logged_in`: it began with a log-in. */
void debts_end(struct debts *debts, enum answer answer, enum remains remains, bool logged_in,
               int64_t now_ms);

/* A connection that has worked before is gone, or is given up although an answer is owed. */
void debts_lost(struct debts *debts);
void debts_give_up(struct debts *debts, int64_t now_ms);

/* Something says that the server is another one by now: may a log-in be begun at once? */
bool debts_pardon(struct debts *debts, int64_t now_ms);

/* For reports. `listens`: an answer is owed over an open connection. */
struct left debts_count(const struct debts *debts, bool listens, int64_t now_ms);

#endif
