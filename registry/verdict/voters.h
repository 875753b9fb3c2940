/* Who votes, and what a quorum of the voters has configured.
 *
 * At most N reports vote, so that no two quorums of N can be disjoint. The
 * order of the voters is sticky: those the last verdict rests on come first,
 * then the rest by name; reports beyond N are standbys.
 *
 * N itself, the members and their settings are decided by quorum too, so that
 * during a rolling reload of the fleet the probes do not overwrite each other:
 * a greater N takes effect when a quorum of the new N is configured so, a
 * lower N needs a quorum of the old.
 *
 * A sighting belongs to a name and an address: what a voter reports of a name that it lists at
 * another address than the members have by quorum is about another server. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_VOTERS_H
#define ROSTER_REGISTRY_VERDICT_VOTERS_H

#include "registry/model/model.h"

/* A fresh report, and the zxid of the write that it came with. */
struct vote {
    const struct report *report;
    int64_t mzxid;
};

struct voters {
    size_t count; /* voters, at most policy.witnesses */
    struct vote votes[WITNESSES_MAX];
    int quorum;
    struct policy policy;
    size_t member_count;
    struct member_config members[MEMBERS_MAX]; /* the members by quorum, sorted by name */
};

/* Fills ret_voters and returns true when there is a quorum of voters that leaves no question of
 * configuration open. `votes` may come in any order and hold abstentions. */
bool voters_select(const struct topology *previous, const struct vote *votes, size_t count,
                   struct voters *ret_voters);

/* What voter `i` reports of this member; NULL: nothing. */
const struct member_report *voters_sighting(const struct voters *voters, size_t i,
                                            const char *name);

#endif
