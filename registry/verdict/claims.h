/* What a verdict is reached from: the members, what the voters report of each, and which of them
 * claim to be primary.
 *
 *     evidence --> verdict_inputs_init: claims, acts, bars --> primary_choose --> resolve: fences,
 *                                                                               roles, state
 *
 * A contender is a member in this light. Nothing here decides who is primary, only who may be.
 * Contenders have the order, and so the index, of the members of the topology that comes out. Pure.
 */
#ifndef ROSTER_REGISTRY_VERDICT_CLAIMS_H
#define ROSTER_REGISTRY_VERDICT_CLAIMS_H

#include "registry/verdict/resolve.h"
#include "registry/verdict/tally.h"

struct contender {
    const struct member_config *listing; /* by quorum, of the voters in the same inputs */
    const struct member *before;         /* in the last verdict; NULL: it was not in it */
    struct tally tally;
    bool unlisted; /* a quorum has taken it out of its configuration */
    /* the operator's orders for it */
    bool drained;
    /* the operator vouches for it, and neither it nor another has become primary since */
    bool accepted;
    int64_t accepted_epoch; /* with that */
    uint16_t weight;        /* the operator's, else the configured one */
    /* from the last verdict, unless the operator has accepted it since */
    bool fenced;
    int64_t fenced_epoch;
    const char *alias; /* the member whose server it is by another name; "": none */
    /* what a quorum reads of it now */
    bool stranger; /* another cluster's identity */
    bool claims;
    bool shared; /* claims, and others may write beside it */
    /* claims where it may not, or did so and no quorum has read the contrary since */
    bool rival;
    struct record record; /* what is remembered of it, with what is seen now (acts.h) */
    enum bar bar;         /* why its claim may not win (bars.h) */
};

struct verdict_inputs {
    const struct topology *previous;     /* under the names of now; NULL: none yet */
    struct topology renamed;             /* room for that */
    const struct directives *directives; /* NULL: none */
    struct voters voters;
    size_t count;
    struct contender contenders[MEMBERS_MAX]; /* sorted by name */
    /* the primary, or the last one while there is none; "": there never was one */
    char incumbent_name[NAME_SIZE];
    const struct contender *incumbent; /* NULL: it is no member now */
    char identity[IDENTITY_SIZE];
    char lineage[LINEAGE_SIZE]; /* the last verdict's; "" when the identity is new */
    bool ordered;               /* lineages here order claims over all time */
    char newest[LINEAGE_SIZE];  /* where ordered: the newest that a quorum sees on any member */
    bool unfit; /* the incumbent may be left: there is none, or it takes no writes, or is down */
};

/* Fills `inputs`, which is then neither copied nor moved: it points into itself and into
 * `evidence`. False: there is no quorum of voters. */
bool verdict_inputs_init(struct verdict_inputs *inputs, const struct evidence *evidence);

/* By name; NULL: it is no member. */
const struct contender *contender_find(const struct verdict_inputs *inputs, const char *name);

bool contender_is_incumbent(const struct verdict_inputs *inputs, const struct contender *contender);

/* Is it the last primary, which the files list under another name now? */
bool contender_is_renamed(const struct verdict_inputs *inputs, const struct contender *contender);

/* Of a quorum's claim; "" without one. */
const char *contender_lineage(const struct contender *contender);

/* Behind another that writes in the same group? It does not know yet that the group went on without
 * it. */
bool contender_is_behind(const struct verdict_inputs *inputs, const struct contender *contender);

/* May this claim win? */
bool contender_is_candidate(const struct contender *contender);

/* How many members stream from it now, or name it as their group's primary. */
int contender_replicas(const struct verdict_inputs *inputs, const struct contender *contender);

/* Is there no primary since this rule withdrew the last one? */
bool verdict_was_withdrawn_by(const struct verdict_inputs *inputs, enum rule rule);

#endif
