/* When was the source of a cluster's data where? By that a replica's lag is bounded in time, from
 * both ends, by one clock, this probe's.
 *
 *     a look at the source  --> its position, at two times: no later than the look's begin it was
 *                               not further, no later than its end it was there
 *     a look at a replica   --> what it has applied --> span: the least and the most that its data
 *                                                       can be behind
 *
 *     least   for so long at least the source has had something that the replica lacks
 *     most    so long ago the replica had all that the source had then
 *
 * A slow look makes a span wider, and never wrong; so does forgetting. Clocks of servers are not
 * asked. Marks get sparser with their age, so that hours have room. Pure. */
#ifndef ROSTER_PROBES_ASSESS_TRAIL_H
#define ROSTER_PROBES_ASSESS_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "probes/drivers/position.h"

enum { MARKS_MAX = 40 };

struct mark {
    int64_t first_ms; /* it was there by then */
    int64_t last_ms;  /* and at that time it was not further */
    struct position position;
};

/* In the order of time, which is that of positions. */
struct trail {
    uint8_t count;
    struct mark marks[MARKS_MAX];
};

/* -1: not known */
struct span {
    int64_t least_ms;
    int64_t most_ms;
};

/* A look at the source, from its begin to its end, found it there. One that has gone back, or is of
 * another history, begins anew. */
void trail_add(struct trail *trail, const struct position *position, int64_t began_ms,
               int64_t ended_ms);

/* A look at a replica, from its begin to its end, found that it has applied so much. */
struct span trail_span(const struct trail *trail, const struct position *applied, int64_t began_ms,
                       int64_t ended_ms);

#endif
