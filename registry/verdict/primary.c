#include "registry/verdict/primary.h"

#include "registry/base/text.h"

/* Something to order claims by: lineage where it tells, else how many replicate from it (or, in a
 * group, name it), unless it is known to lack what the other has. */
static int compare_claims(const struct work *work, int a, int b)
{
    int order = lineage_compare(work_lineage(work, a), work_lineage(work, b));
    if (order != 0 || work->ordered) {
        return order;
    }
    int lead = work_replicas(work, a) - work_replicas(work, b);
    int ahead = lead > 0 ? a : b;
    int other = lead > 0 ? b : a;
    bool lacks =
        tally_lacks(&work->tallies[ahead], &work->voters, work->out->members[other].config.name);
    return lacks ? 0 : lead;
}

/* The candidate strictly ahead of all others, -1 when the lead is shared or there is none. */
static int leader_of(const struct work *work, const int *candidates, int count)
{
    for (int i = 0; i < count; i++) {
        bool leads = true;
        for (int k = 0; k < count; k++) {
            leads = leads && (k == i || compare_claims(work, candidates[i], candidates[k]) > 0);
        }
        if (leads) {
            return candidates[i];
        }
    }
    return -1;
}

/* Can the incumbent be left for another without an order between them? Only when it says itself
 * that it takes no writes, or does not answer at all. */
static bool is_replaceable(const struct work *work, int incumbent)
{
    if (incumbent < 0) {
        return true;
    }
    const struct tally *tally = &work->tallies[incumbent];
    return tally->unfit >= tally->quorum || work->stranger[incumbent] ||
           (tally->follows >= tally->quorum && !work->claims_now[incumbent]);
}

/* Voters to whom `primary` is dead: refused, or denying it itself, and no member that answers them
 * streams from it. Both in one voter's word, so that the silence of another cannot turn the sum. */
static int count_of_dead(const struct work *work, const char *primary)
{
    int dead = 0;
    for (size_t v = 0; v < work->voters.count; v++) {
        const struct report *report = work->voters.votes[v].report;
        const struct member_report *seen = report_member(report, primary);
        bool is_dead = seen && (seen->answer == ANSWER_REFUSED || member_report_denies(seen));
        for (size_t m = 0; is_dead && m < report->member_count; m++) {
            const struct member_report *other = &report->members[m];
            is_dead = !(other->answer == ANSWER_OK && other->live &&
                        text_equal(other->upstream, primary));
        }
        dead += is_dead;
    }
    return dead;
}

/* With nobody to take over: what becomes of the writer? */
static struct decision without_claimant(const struct work *work)
{
    const char *primary = work->previous ? work->previous->primary : "";
    int i = primary[0] ? work_index(work, primary) : -1;
    if (i < 0) {
        enum rule rule = work_was_withdrawn_by(work, RULE_OUTDATED)   ? RULE_OUTDATED
                         : work_was_withdrawn_by(work, RULE_MINORITY) ? RULE_MINORITY
                                                                      : RULE_NO_CLAIM;
        return (struct decision){"", rule};
    }
    const struct tally *tally = &work->tallies[i];
    if (work->stranger[i]) {
        return (struct decision){"", RULE_STRANGER};
    }
    if (work->ordered && lineage_compare(work->base, work->newest) < 0) {
        return (struct decision){"", RULE_OUTDATED};
    }
    if (work->ordered && tally_is_older(tally, work->base)) {
        return (struct decision){
            "", RULE_REWOUND}; /* unlike the outdated it may come back as what it was */
    }
    if (tally->denies >= tally->quorum) {
        bool lost = tally->condition && *tally->condition == CONDITION_MINORITY;
        return (struct decision){"", lost ? RULE_MINORITY : RULE_NOT_WRITABLE};
    }
    if (count_of_dead(work, primary) >= work->voters.quorum) {
        return (struct decision){"", RULE_REFUSED};
    }
    return (struct decision){primary, RULE_KEPT};
}

static bool is_fit(const struct work *work, int i)
{
    const enum condition *condition = work->tallies[i].condition;
    return !condition || *condition == CONDITION_FIT;
}

/* To be preferred to another peer: one in full service, then the incumbent, then by weight, then by
 * name. */
static bool is_preferable(const struct work *work, int a, int b)
{
    if (is_fit(work, a) != is_fit(work, b)) {
        return is_fit(work, a);
    }
    if (work_is_incumbent(work, a) || work_is_incumbent(work, b)) {
        return work_is_incumbent(work, a);
    }
    return work->out->members[a].config.weight > work->out->members[b].config.weight;
}

/* All may write, so there is no rivalry. */
static struct decision among_peers(const struct work *work, const int *candidates, int count,
                                   int incumbent)
{
    int best = -1;
    bool incumbent_claims = false;
    for (int i = 0; i < count; i++) {
        incumbent_claims = incumbent_claims || candidates[i] == incumbent;
        if (!work_is_behind_a_peer(work, candidates[i]) &&
            (best < 0 || is_preferable(work, candidates[i], best))) {
            best = candidates[i];
        }
    }
    if (best < 0 || (!incumbent_claims && !is_replaceable(work, incumbent))) {
        return without_claimant(work);
    }
    return (struct decision){work->out->members[best].config.name,
                             count == 1 ? RULE_SOLE_CLAIMANT : RULE_PREFERRED};
}

static struct decision among_candidates(const struct work *work, const int *candidates, int count)
{
    int incumbent = work->incumbent[0] ? work_index(work, work->incumbent) : -1;
    bool ordered = work->ordered;
    bool incumbent_claims = false;
    bool peers = true;
    for (int i = 0; i < count; i++) {
        incumbent_claims = incumbent_claims || candidates[i] == incumbent;
        peers = peers && work->shared[candidates[i]];
    }
    if (peers) {
        return among_peers(work, candidates, count, incumbent);
    }
    int leader = leader_of(work, candidates, count);
    if (count == 1 && leader == incumbent) {
        return (struct decision){work->incumbent, RULE_SOLE_CLAIMANT};
    }
    if (leader >= 0 && ordered) {
        return (struct decision){work->out->members[leader].config.name,
                                 count == 1 && !work->base[0] ? RULE_SOLE_CLAIMANT
                                                              : RULE_NEWEST_LINEAGE};
    }
    /* of one group: the views tell, or the others */
    if (leader >= 0 && incumbent_claims && work_lineage(work, leader)[0]) {
        bool named = incumbent != leader && lineage_compare(work_lineage(work, leader),
                                                            work_lineage(work, incumbent)) == 0;
        return (struct decision){work->out->members[leader].config.name,
                                 named ? RULE_MOST_REPLICAS : RULE_NEWEST_LINEAGE};
    }
    if (leader >= 0 && leader != incumbent && incumbent_claims &&
        tally_overtakes(&work->tallies[leader], &work->voters, work->incumbent)) {
        return (struct decision){work->out->members[leader].config.name, RULE_MOST_REPLICAS};
    }
    if (incumbent_claims) { /* several without an order between them */
        return work->out->policy.conflict == CONFLICT_HOLD
                   ? (struct decision){work->incumbent, RULE_INCUMBENT}
                   : (struct decision){"", RULE_TIE};
    }
    if (leader >= 0 && is_replaceable(work, incumbent)) {
        return (struct decision){work->out->members[leader].config.name,
                                 count == 1 ? RULE_SOLE_CLAIMANT : RULE_MOST_REPLICAS};
    }
    struct decision otherwise = without_claimant(work);
    return otherwise.rule == RULE_NO_CLAIM ? (struct decision){"", RULE_TIE} : otherwise;
}

/* `hold` freezes the writer at a member: it stays whatever happens, and if it is not the writer
 * yet, only it may become so. */
static bool decide_held(const struct work *work, struct decision *ret_decision)
{
    const char *hold = work->directives ? work->directives->hold : "";
    int i = hold[0] ? work_index(work, hold) : -1;
    if (i < 0) {
        return false;
    }
    const char *primary = work->previous ? work->previous->primary : "";
    if (text_equal(hold, primary) || work_is_candidate(work, i)) {
        *ret_decision = (struct decision){work->out->members[i].config.name, RULE_HELD};
    } else {
        *ret_decision = without_claimant(work);
    }
    return true;
}

struct decision writer_decide(const struct work *work)
{
    struct decision decision;
    if (decide_held(work, &decision)) {
        return decision;
    }
    int candidates[MEMBERS_MAX];
    int count = 0;
    for (int i = 0; i < work->out->member_count; i++) {
        if (work_is_candidate(work, i)) {
            candidates[count++] = i;
        }
    }
    return count > 0 ? among_candidates(work, candidates, count) : without_claimant(work);
}
