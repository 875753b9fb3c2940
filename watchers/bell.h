/* What wakes a thread that waits for work: rung by any thread, also one that must not wait itself.
 *
 * A word of memory and a futex, and no descriptor: a host may close descriptors that it does not
 * know, and what it opens next would get their numbers. */
#ifndef ROSTER_WATCHERS_BELL_H
#define ROSTER_WATCHERS_BELL_H

#include <stdatomic.h>
#include <stdint.h>

struct bell {
    _Atomic uint32_t rung;
};

/* Never waits. Any thread. */
void bell_ring(struct bell *bell);

/* Until it is rung, or for `ms`; one thread. What was rung before returns at once. */
void bell_wait(struct bell *bell, int64_t ms);

#endif
