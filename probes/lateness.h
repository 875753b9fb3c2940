/* How late this process comes: on a busy machine it does not run when it should, and what it then
 * finds late is not the server's fault.
 *
 * Measured by timers: how long after its time each of them ran. The sum grows for ever; who waits
 * for a server takes the difference over the wait. A process that was stopped for seconds is
 * another matter (probe.h: slipped). Pure. */
#ifndef ROSTER_PROBES_LATENESS_H
#define ROSTER_PROBES_LATENESS_H

#include <stdint.h>

enum { LATE_MS = 5 /* less than that is how timers are */ };

struct lateness {
    int64_t total_ms;
    int64_t woke_ms; /* when a timer ran last: what two of them were late is counted once */
};

/* A timer that was due at `due_ms` runs. */
void lateness_woke(struct lateness *lateness, int64_t due_ms, int64_t now_ms);

#endif
