/* How long to wait before the registry's servers are tried again, and what a failure is likely to
 * come from. Pure: chance comes in.
 *
 * ZooKeeper's client tries one server after the other and pauses for a sixtieth of the session
 * timeout behind the last, for ever: six times a second for a usual session, from each handle.
 * Here a round that reached none is followed by a pause that grows. A session that may still be
 * kept is worth more tries than none. */
#ifndef ROSTER_REGISTRY_STORE_DIAL_H
#define ROSTER_REGISTRY_STORE_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With a session to keep, of that timeout (0: none): a tenth of it at most; else 1 to 2 s, 2 to
 * 4 s, then 5 to 10 s. `failures` rounds in a row came to nothing; 0: none, no pause. */
int64_t dial_pause_ms(unsigned failures, int64_t session_timeout_ms, uint64_t chance);

/* Behind lookups that found no address: nobody else is troubled by them. */
int64_t dial_lookup_pause_ms(unsigned failures, uint64_t chance);

/* What the last dial ended with. */
struct dial_failure {
    int error;          /* errno of the client; 0: not known */
    unsigned rounds;    /* so many in a row, */
    int64_t lasting_ms; /* since the first of them */
};

/* A sentence where something is to be mended; false: the registry is merely away. */
bool dial_explain(const struct dial_failure *failure, char *to, size_t size);

/* The same of a link that was lost so many times in a row with this write under way. */
bool dial_explain_write(unsigned losses, const char *path, size_t bytes, char *to, size_t size);

#endif
