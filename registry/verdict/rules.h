/* The rules that a verdict can rest on, and the sentence that each one tells. */
#ifndef ROSTER_REGISTRY_VERDICT_RULES_H
#define ROSTER_REGISTRY_VERDICT_RULES_H

#include "registry/model/model.h"

enum rule {
    RULE_NO_CLAIM,       /* nobody claims, and nobody was primary */
    RULE_SOLE_CLAIMANT,  /* one claims */
    RULE_NEWEST_LINEAGE, /* the strictly newest of several, or newer than the last */
    RULE_PREFERRED,      /* several may write: the incumbent, else by weight, then by name */
    RULE_MOST_REPLICAS,  /* no order: the one that most others replicate from */
    RULE_INCUMBENT,      /* several claim, none is newest: the incumbent holds */
    RULE_HELD,           /* the operator holds the writer */
    RULE_KEPT,           /* it cannot be read as primary, but nothing speaks against it */
    RULE_NOT_WRITABLE,   /* withdrawn by its own word */
    RULE_MINORITY,       /* withdrawn: it says itself that it sees no majority of its group */
    RULE_REFUSED,        /* withdrawn: its port refuses and nothing streams from it */
    RULE_OUTDATED,       /* withdrawn: a newer lineage was seen */
    RULE_REWOUND,        /* withdrawn: its own lineage is older than it was */
    RULE_STRANGER,       /* withdrawn: another cluster answers at its address */
    RULE_TIE             /* several claim, none is newest, and none may hold */
};
extern const char *const rule_names[]; /* no-claim, sole-claimant, newest-lineage, ... */

/* With the same primary, is it still `before` that brought this about, although `now` would be the
 * rule to find it so? */
bool rule_still_stands(const char *before, const char *now, bool same_state);

/* Writes the sentence of `topology` by its own rule; `readers` of `witnesses` read the primary as
 * such. */
void rule_tell(const struct topology *topology, int readers, char *to, size_t size);

#endif
