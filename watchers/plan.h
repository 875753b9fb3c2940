/* What a change of routing asks of those who hold connections.
 *
 *     before \ now      writes or reads go there   merely unused   fenced, foreign, gone, moved
 *     it took writes    keep; drop if only reads   drop            drop
 *     anything else     keep                       drain           drop
 *
 * Lessons of every pool that stuck to a demoted server: the plan names every
 * endpoint, idle ones too, and the writer that lost its office is dropped even
 * if it serves reads from now on (its old connections may hold writers). Pure. */
#ifndef ROSTER_WATCHERS_PLAN_H
#define ROSTER_WATCHERS_PLAN_H

#include <stddef.h>

#include "watchers/table.h"

enum { STEPS_MAX = 2 * MEMBERS_MAX, TIMELINE_SIZE = 256 };

/* Fills `steps` (STEPS_MAX will do): drops first, then drains, then keeps, each by name. Returns
 * how many. `before` NULL: nothing was known. */
size_t plan_make(const struct table *before, const struct table *now, struct roster_step *steps);

/* Does routing differ in anything a caller could notice? */
bool plan_is_needed(const struct table *before, const struct table *now);

/* The way of a change as one line, without a newline:
 *   "orders: pg-2 is primary, epoch 7: evidence 01:22:33.101Z, verdict +22 ms, routed +25 ms"
 * What is not known (0) is left out. The offsets compare clocks of different hosts. Returns `to`.
 */
const char *plan_timeline(char *to, size_t size, const struct topology *topology,
                          int64_t routed_wall_ms);

#endif
