/* What this probe can witness about a change of the primary: how claims stand beside the last
 * primary (the incumbent), whose transactions are remembered beyond its end, and for how long a
 * claim stood beside it.
 *
 *     topology --> the incumbent, its last set, what members were seen to do
 *     looks    --> the incumbent was fit at this time
 *                          --> report: misses, has, late, stood, last_set
 *
 * Pure. */
#ifndef ROSTER_PROBES_ASSESS_INCUMBENT_H
#define ROSTER_PROBES_ASSESS_INCUMBENT_H

#include "probes/assess/assess.h"

/* The verdict in force; NULL: none is known. */
void incumbent_take(struct assessment *assessment, const struct topology *topology, int64_t now_ms);

/* `member` has just answered. */
void incumbent_answered(struct assessment *assessment, const struct assessed *member,
                        int64_t now_ms);

/* Sets misses, has, late and stood of the members, and last_set. */
void incumbent_relate(const struct assessment *assessment, int64_t now_ms, struct report *report);

#endif
