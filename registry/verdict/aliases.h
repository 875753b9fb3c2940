/* Members that are one server with another, by what a quorum reads of them (or, while no quorum
 * does, by the last verdict). An alias claims nothing, has no role and counts for nothing; were it
 * the primary, its server is so under its own name. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_ALIASES_H
#define ROSTER_REGISTRY_VERDICT_ALIASES_H

#include "registry/verdict/claims.h"

/* Sets `alias` of the contenders, and the incumbent anew. */
void aliases_find(struct verdict_inputs *inputs);

/* Under the server's own name. NULL stays NULL. */
const struct contender *aliases_itself(const struct verdict_inputs *inputs,
                                       const struct contender *contender);

#endif
