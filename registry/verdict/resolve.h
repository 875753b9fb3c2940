/* The verdict: what follows from the evidence.
 *
 *     previous topology + fresh reports + directives --> topology
 *
 * A fold: pure, deterministic, the same for any order of the reports, and
 * idempotent (its own output resolves to itself). So no leader is needed: any
 * probe that sees the evidence reaches the same verdict.
 *
 * In this order:
 *   1. who votes, and what is configured (voters)
 *   2. what the voters report of each member (tally)
 *   3. which identity the cluster has; strangers claim nothing
 *   4. who claims (claims): by quorum, from an answer, not fenced, not older than the
 *      newest lineage seen, not drained
 *   5. the primary: one claimant; the strictly newest of several; else the
 *      incumbent; with none, withdrawn or kept by what it reports itself (primary)
 *   6. fences, roles, health, lag, and the state
 *
 * No evidence, no change: what no quorum reports stays as it was. */
#ifndef ROSTER_REGISTRY_VERDICT_RESOLVE_H
#define ROSTER_REGISTRY_VERDICT_RESOLVE_H

#include "registry/verdict/voters.h"

struct evidence {
    const struct topology *previous;     /* NULL: none yet */
    const struct directives *directives; /* NULL: none */
    int64_t directives_mzxid;
    size_t count;
    struct vote votes[REPORTS_MAX]; /* fresh reports, abstentions included, in any order */
};

/* Reaches a verdict and returns true; false when there is no quorum to reach one with. The
 * outcome has no by, at_wall and seen_wall: the probe that writes it fills them. It is not
 * `evidence->previous`. */
bool resolve(const struct evidence *evidence, struct topology *ret_topology);

/* A change that somebody needs at once: routers the primary, a conflict, a member gone, fenced or
 * drained; the operator that new directives were taken. The rest (lag) may wait to be written
 * together. `before` NULL: there was none. */
bool resolve_is_urgent(const struct topology *before, const struct topology *after);

#endif
