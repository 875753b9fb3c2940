/* Galera: in which primary component a node is, as far as its own answers prove it.
 *
 *     record of the last verdict + what the voters agree on now --> record: start, lineage, left
 *
 * The number of a configuration grows within one component, and begins anew where a group is
 * bootstrapped again. So a number alone does not tell a node that was frozen all the while, and
 * claims the component of before, from one of the group that was built since. What does: that the
 * node was started since, or that it said in between that it is in no primary component.
 *
 * For kinds whose traits have `stale_after_minority`. The record holds the start and the lineage of
 * the node's last claim, the lineage "" once it was seen outside, and ACT_LEFT where another
 * component was formed without it. Records of a former version prove nothing. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_COMPONENTS_H
#define ROSTER_REGISTRY_VERDICT_COMPONENTS_H

#include "registry/verdict/claims.h"

/* Is what it claims a component that was formed since its record: was it started since, or seen
 * outside? */
bool component_is_renewed(const struct verdict_inputs *inputs, const struct contender *contender);

/* The same, or its configuration is newer than the last verdict's; and the incumbent does not
 * claim: there is nothing that its fence could protect. */
bool component_outlives_fence(const struct verdict_inputs *inputs,
                              const struct contender *contender);

/* Was another component formed without it, and nothing shows yet that it is in that one? */
bool component_is_left(const struct contender *contender);

/* Sets left in the records of contenders, behind acts_observe. */
void components_observe(struct verdict_inputs *inputs);

/* Into the members of `out`, whose primary, lineage and fences are decided. */
void components_close(const struct verdict_inputs *inputs, struct topology *out);

#endif
