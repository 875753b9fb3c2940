/* What was seen to be done: the record of each member, folded on with each verdict.
 *
 *     record of the last verdict + what the voters agree on now --> record, with its acts
 *
 * A promotion is an act, not a state: a server that takes writes may be a replica whose channel was
 * stopped for a backup. So the verdict remembers of each member its start, whether it took writes,
 * its channel and whom it streamed from; what changes in these within one start is an act, also
 * when all probes were restarted in between.
 *
 * For kinds whose traits have `by_act`; the others' records hold facts and no acts. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_ACTS_H
#define ROSTER_REGISTRY_VERDICT_ACTS_H

#include "registry/verdict/claims.h"

/* Sets the record of every contender. What it claims is known, what bars the claim is not. */
void acts_observe(struct verdict_inputs *inputs);

/* Into the members of `out`, whose primary and lineage are decided: what was done before brings
 * nothing about from here on. The winner needs no act any more, the former primary is to make one
 * of its own, and who streamed on a former line has not been seen on the new one. */
void acts_close(const struct verdict_inputs *inputs, struct topology *out);

#endif
