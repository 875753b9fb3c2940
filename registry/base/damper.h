/* What merely goes on is told once, and again at growing intervals.
 *
 * A line is known by its subject and sentence, with the numbers in it left out. The first BURST are
 * told at once; after that one in 5 s, the next in 10 s, and so on up to an hour, with how many
 * were kept back. One that was not heard of for FORGET_MS is a new one. All that is told again shares
 * an allowance, so that a trouble of many members at once does not fill a disk either: nothing
 * that was not told before is ever kept back.
 *
 * Limits: DAMPED_MAX sentences are known, in sets of DAMPED_WAYS; of more, the one of a set that was
 * not heard of for the longest time is forgotten. Pure. */
#ifndef ROSTER_REGISTRY_BASE_DAMPER_H
#define ROSTER_REGISTRY_BASE_DAMPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DAMPED_SETS = 1024,
    DAMPED_WAYS = 8,
    DAMPED_MAX = DAMPED_SETS * DAMPED_WAYS,
    DAMPER_BURST = 3,
    DAMPER_WAIT_MS = 5000,
    DAMPER_WAIT_MOST_MS = 3600000,
    DAMPER_FORGET_MS = 600000,
    DAMPER_ALLOWANCE = 100,  /* repeated lines at once, */
    DAMPER_EARNS_MS = 200000 /* and one more in so long: 432 a day */
};

struct damped {
    uint64_t key; /* 0: free */
    unsigned told;
    unsigned long kept_back; /* since it was told last */
    int64_t told_ms, heard_ms, wait_ms;
};

struct damper {
    struct damped known[DAMPED_SETS][DAMPED_WAYS];
    int64_t spent_until_ms; /* the allowance is whole again then */
};

/* Is the line to be told now? *ret_kept_back: so many of it were not, since it was told last. */
bool damper_tells(struct damper *damper, const char *subject, const char *sentence, int64_t now_ms,
                  unsigned long *ret_kept_back);

#endif
