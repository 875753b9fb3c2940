/* Who is primary, of those that claim, and what becomes of the primary when nobody does.
 *
 *     verdict_inputs --> rows of rules, from the top, the first that applies --> decision
 *
 * The table in primary.c is the decision: each row has the rule that it applies, the condition, the
 * member that wins, and the event in the world that it is there for. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_PRIMARY_H
#define ROSTER_REGISTRY_VERDICT_PRIMARY_H

#include "registry/verdict/claims.h"

struct decision {
    const struct contender *primary; /* of the inputs; NULL: none */
    enum rule rule;                  /* why */
    const char *scenario;            /* of the row that decided; for tests and people */
};

struct decision primary_choose(const struct verdict_inputs *inputs);

#endif
