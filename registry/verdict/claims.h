/* What a verdict is worked out from: the members, what the voters say of each, and which of them
 * claim.
 *
 *     evidence --> work_begin --> writer_decide (primary.h) --> resolve: fences, roles, state
 *
 * Members go by their index in the topology that comes out, and tallies by the same. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_CLAIMS_H
#define ROSTER_REGISTRY_VERDICT_CLAIMS_H

#include "registry/verdict/resolve.h"
#include "registry/verdict/rules.h"
#include "registry/verdict/tally.h"

struct work {
    const struct topology *previous;
    const struct directives *directives;
    struct voters voters;
    struct tally tallies[MEMBERS_MAX];
    bool stranger[MEMBERS_MAX];
    bool claims_now[MEMBERS_MAX];
    bool shared[MEMBERS_MAX]; /* claims now, and others may write beside it */
    bool ordered;             /* lineages here order claims over all time */
    /* one was seen to claim, and no quorum has said since what it does */
    bool unseen_rival;
    bool accepted[MEMBERS_MAX]; /* vouched for by the operator, as of this epoch */
    char incumbent[NAME_SIZE];  /* the primary, or the last one while there is none */
    char base[LINEAGE_SIZE];    /* the last verdict's lineage; "" when the identity is new */
    char newest[LINEAGE_SIZE];  /* the newest lineage that a quorum sees on any member */
    struct topology *out;
};

/* `work` holds the previous topology, the directives, the voters and `out`, empty; the rest is
 * worked out. */
void work_begin(struct work *work, const struct evidence *evidence);

/* Index of a member, or -1. */
int work_index(const struct work *work, const char *name);

/* What stood of it before; NULL: nothing. */
const struct member *work_before(const struct work *work, const char *name);

bool work_is_incumbent(const struct work *work, int i);

/* Of a quorum's claim; "" without one. */
const char *work_lineage(const struct work *work, int i);

/* Is there no primary since this rule withdrew the last one? */
bool work_was_withdrawn_by(const struct work *work, enum rule rule);

/* Behind another that writes in the same group? It has not heard yet that the group went on without
 * it. */
bool work_is_behind_a_peer(const struct work *work, int i);

/* May this claim win? */
bool work_is_candidate(const struct work *work, int i);

/* How many members stream from it now, or name it as their group's primary. */
int work_replicas(const struct work *work, int i);

#endif
