#include "registry/resolve.h"

#include <string.h>

#include "registry/rule.h"
#include "registry/tally.h"

/* What is worked out on the way. Members and tallies go by the same index. */
struct work {
    const struct topology *previous;
    const struct directives *directives;
    struct ballot ballot;
    struct tally tallies[MEMBERS_MAX];
    bool stranger[MEMBERS_MAX];
    bool claims_now[MEMBERS_MAX];
    bool peer[MEMBERS_MAX];     /* claims now, and others may write beside it */
    bool ordered;               /* lineages here order claims over all time */
    bool unseen_rival;          /* one was seen to claim, and no quorum has said since what it does */
    bool accepted[MEMBERS_MAX]; /* vouched for by the operator, as of this epoch */
    char incumbent[NAME_SIZE];  /* the primary, or the last one while there is none */
    char base[LINEAGE_SIZE];    /* the last verdict's lineage; "" when the identity is new */
    char newest[LINEAGE_SIZE];  /* the newest lineage that a quorum sees on any member */
    struct topology *out;
};

/* The writer and the rule that made it so. */
struct decision {
    const char *primary; /* "": none */
    enum rule rule;
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static int index_of(const struct work *work, const char *name)
{
    for (int i = 0; i < work->out->member_count; i++) {
        if (is(work->out->members[i].listing.name, name)) {
            return i;
        }
    }
    return -1;
}

/* ---- the operator's word ---------------------------------------------------- */

static bool is_drained(const struct directives *directives, const char *name)
{
    for (size_t i = 0; directives && i < directives->drain_count; i++) {
        if (is(directives->drain[i], name)) {
            return true;
        }
    }
    return false;
}

/* An acceptance counts for what happened up to its epoch. */
static bool is_accepted(const struct directives *directives, const char *name, int64_t epoch)
{
    for (size_t i = 0; directives && i < directives->accept_count; i++) {
        if (is(directives->accept[i].name, name) && directives->accept[i].epoch >= epoch) {
            return true;
        }
    }
    return false;
}

static void apply_weight(const struct directives *directives, struct listing *listing)
{
    for (size_t i = 0; directives && i < directives->weight_count; i++) {
        if (is(directives->weight[i].name, listing->name)) {
            listing->weight = directives->weight[i].weight;
        }
    }
}

/* ---- members ------------------------------------------------------------------ */

static const struct member *before(const struct work *work, const char *name)
{
    return work->previous ? topology_member(work->previous, name) : NULL;
}

static void begin_member(struct work *work, const struct listing *listing)
{
    struct member *member = &work->out->members[work->out->member_count];
    const struct member *was = before(work, listing->name);
    *member = (struct member){.lag = LAG_NOT_KNOWN};
    if (was) {
        *member = *was;
    }
    member->listing = *listing;
    apply_weight(work->directives, &member->listing);
    member->drained = is_drained(work->directives, listing->name);
    tally_count(&work->tallies[work->out->member_count], &work->ballot, listing->name);
    int64_t epoch = work->previous ? work->previous->epoch : 1;
    work->accepted[work->out->member_count] = is_accepted(work->directives, listing->name, epoch);
    if (member->fenced && is_accepted(work->directives, listing->name, member->fenced_epoch)) {
        member->fenced = false;
        member->fenced_epoch = 0;
    }
    work->out->member_count++;
}

static void begin(struct work *work, const struct evidence *evidence)
{
    struct topology *out = work->out;
    const struct topology *previous = work->previous;
    strcpy(out->cluster, work->ballot.votes[0].report->cluster);
    out->policy = work->ballot.policy;
    out->rules = MODEL_RULES;
    out->directives_mzxid = evidence->directives_mzxid;
    for (size_t i = 0; i < work->ballot.listing_count; i++) {
        begin_member(work, &work->ballot.listings[i]);
    }
    for (size_t i = 0; i < work->ballot.count; i++) { /* by name; the ballot may have another order */
        struct testimony testimony = {.mzxid = work->ballot.votes[i].mzxid};
        strcpy(testimony.probe, work->ballot.votes[i].report->probe);
        size_t at = out->evidence_count++;
        for (; at > 0 && strcmp(testimony.probe, out->evidence[at - 1].probe) < 0; at--) {
            out->evidence[at] = out->evidence[at - 1];
        }
        out->evidence[at] = testimony;
    }
    if (previous) {
        strcpy(work->incumbent, previous->primary[0] ? previous->primary : previous->last_primary);
    }
}

/* ---- identity and lineage -------------------------------------------------------- */

/* The identity that strictly most members have; "" when two share the lead. */
static void first_identity(struct work *work)
{
    int most = 0;
    for (int i = 0; i < work->out->member_count; i++) {
        const char *identity = work->tallies[i].identity;
        int same = 0;
        for (int k = 0; identity && identity[0] && k < work->out->member_count; k++) {
            same += work->tallies[k].identity && is(work->tallies[k].identity, identity);
        }
        if (same > most) {
            most = same;
            strcpy(work->out->identity, identity);
        } else if (same == most && same > 0 && !is(work->out->identity, identity)) {
            work->out->identity[0] = '\0';
        }
    }
}

static void decide_identity(struct work *work)
{
    struct topology *out = work->out;
    if (work->previous && work->previous->identity[0]) {
        strcpy(out->identity, work->previous->identity);
    } else {
        first_identity(work);
    }
    for (int i = 0; i < out->member_count; i++) {
        const char *identity = work->tallies[i].identity;
        if (work->accepted[i] && identity && identity[0]) {
            strcpy(out->identity, identity); /* the operator vouches for this one: the cluster is what it is */
        }
    }
    for (int i = 0; i < out->member_count; i++) {
        const char *identity = work->tallies[i].identity;
        work->stranger[i] = identity && identity[0] && !is(identity, out->identity);
    }
}

static void find_lineage(struct work *work)
{
    const struct topology *previous = work->previous;
    if (previous && is(previous->identity, work->out->identity)) {
        strcpy(work->out->lineage, previous->lineage);
    }
    work->ordered = lineage_is_total(work->out->lineage);
    for (int i = 0; i < work->out->member_count; i++) {
        work->ordered = work->ordered || work->tallies[i].has_lineage;
    }
    if (!work->ordered) {
        return;
    }
    strcpy(work->base, work->out->lineage);
    strcpy(work->newest, work->base);
    for (int i = 0; i < work->out->member_count; i++) {
        const struct tally *tally = &work->tallies[i];
        bool counts = tally->has_lineage && !work->stranger[i] && !work->out->members[i].fenced;
        if (counts && lineage_compare(tally->lineage, work->newest) > 0) {
            strcpy(work->newest, tally->lineage);
        }
    }
}

/* ---- claims ------------------------------------------------------------------------- */

static bool is_incumbent(const struct work *work, int i)
{
    return is(work->out->members[i].listing.name, work->incumbent);
}

/* Without an order, an incumbent that is writable goes on claiming, whatever channels it has, unless it
 * replicates from one that claims without any doubt. */
static bool keeps_claiming(const struct work *work, int i)
{
    const struct tally *tally = &work->tallies[i];
    if (work->ordered || !is_incumbent(work, i) || !tally->writer) {
        return false;
    }
    int upstream = tally->upstream && tally->live ? index_of(work, tally->upstream) : -1;
    return upstream < 0 || !work->tallies[upstream].claim;
}

static const char *claimed_lineage(const struct work *work, int i)
{
    return work->tallies[i].claim ? work->tallies[i].claim->lineage : "";
}

static bool was_withdrawn_by(const struct work *work, enum rule rule)
{
    return work->previous && !work->previous->primary[0] && is(work->previous->rule, rule_names[rule]);
}

/* A Galera cluster that lost its majority comes back under another configuration: who claims the one in which it was lost
 * does not know yet. */
static bool is_stale(const struct work *work, int i)
{
    return work->out->policy.kind == KIND_GALERA && was_withdrawn_by(work, RULE_MINORITY) &&
           is(claimed_lineage(work, i), work->previous->lineage);
}

/* Behind another that writes in the same group? It has not heard yet that the group went on without it. */
static bool is_behind_a_peer(const struct work *work, int i)
{
    for (int k = 0; k < work->out->member_count; k++) {
        if (work->peer[k] && lineage_compare(claimed_lineage(work, k), claimed_lineage(work, i)) > 0) {
            return true;
        }
    }
    return false;
}

static void find_claims(struct work *work)
{
    for (int i = 0; i < work->out->member_count; i++) {
        const struct tally *tally = &work->tallies[i];
        work->claims_now[i] = !work->stranger[i] && (tally->claim || keeps_claiming(work, i)) && !is_stale(work, i);
        work->peer[i] = work->claims_now[i] && tally->claim && tally->claim->peer;
    }
    for (int i = 0; i < work->out->member_count; i++) {
        const struct tally *tally = &work->tallies[i];
        struct member *member = &work->out->members[i];
        bool contrary = tally->follows + tally->down >= tally->quorum;
        bool allowed = work->peer[i] && !is_behind_a_peer(work, i);
        member->claims = (work->claims_now[i] && !allowed) || (member->claims && !contrary && !allowed && !work->stranger[i]);
        work->unseen_rival = work->unseen_rival || (member->claims && !work->claims_now[i] && !member->fenced);
    }
}

/* Does it claim the lineage that it was withdrawn with? That the newer one is not seen at the moment is no reason to win. */
static bool was_outdated(const struct work *work, int i)
{
    return was_withdrawn_by(work, RULE_OUTDATED) && is_incumbent(work, i) && !work->accepted[i] &&
           lineage_compare(claimed_lineage(work, i), work->base) <= 0;
}

/* May this claim win? Timelines: never one older than the newest seen, and for another than the incumbent
 * only one newer than the last verdict's, since two histories may carry the same number. */
static bool is_candidate(const struct work *work, int i)
{
    const struct member *member = &work->out->members[i];
    bool ordered = work->ordered;
    if (!work->claims_now[i] || member->fenced || (ordered && !work->out->identity[0])) {
        return false;
    }
    const struct member *was = before(work, member->listing.name);
    if (work->unseen_rival && was && was->claims) {
        return false; /* it did not win against that rival; the rival's silence is no reason to win now */
    }
    if (member->drained && !is(member->listing.name, work->previous ? work->previous->primary : "")) {
        return false;
    }
    if (!ordered) {
        return true;
    }
    if (lineage_compare(claimed_lineage(work, i), work->newest) < 0 || was_outdated(work, i)) {
        return false;
    }
    return !work->incumbent[0] || is_incumbent(work, i) || work->accepted[i] ||
           lineage_compare(claimed_lineage(work, i), work->base) > 0;
}

static int replicas_of(const struct work *work, int i)
{
    int replicas = 0;
    for (int k = 0; k < work->out->member_count; k++) {
        const struct tally *tally = &work->tallies[k];
        replicas += tally->live && is(tally->upstream, work->out->members[i].listing.name);
    }
    return replicas;
}

/* ---- the writer ------------------------------------------------------------------------ */

/* Something to order claims by: lineage where it tells, else how many replicate from it (or, in a group, name it), unless it is
 * known to lack what the other has. */
static int compare_claims(const struct work *work, int a, int b)
{
    int order = lineage_compare(claimed_lineage(work, a), claimed_lineage(work, b));
    if (order != 0 || work->ordered) {
        return order;
    }
    int lead = replicas_of(work, a) - replicas_of(work, b);
    int ahead = lead > 0 ? a : b;
    int other = lead > 0 ? b : a;
    bool lacks = tally_lacks(&work->tallies[ahead], &work->ballot, work->out->members[other].listing.name);
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

/* Can the incumbent be left for another without an order between them? Only when it says itself that it takes
 * no writes, or does not answer at all. */
static bool is_replaceable(const struct work *work, int incumbent)
{
    if (incumbent < 0) {
        return true;
    }
    const struct tally *tally = &work->tallies[incumbent];
    return tally->unfit >= tally->quorum || work->stranger[incumbent] ||
           (tally->follows >= tally->quorum && !work->claims_now[incumbent]);
}

/* Voters to whom `primary` is dead: refused, or denying it itself, and no member that answers them streams from it. Both
 * in one voter's word, so that the silence of another cannot turn the sum. */
static int count_of_dead(const struct work *work, const char *primary)
{
    int dead = 0;
    for (size_t v = 0; v < work->ballot.count; v++) {
        const struct report *report = work->ballot.votes[v].report;
        const struct sighting *seen = report_member(report, primary);
        bool is_dead = seen && (seen->answer == ANSWER_REFUSED || sighting_denies(seen));
        for (size_t m = 0; is_dead && m < report->member_count; m++) {
            const struct sighting *other = &report->members[m];
            is_dead = !(other->answer == ANSWER_OK && other->live && is(other->upstream, primary));
        }
        dead += is_dead;
    }
    return dead;
}

/* With nobody to take over: what becomes of the writer? */
static struct decision without_claimant(const struct work *work)
{
    const char *primary = work->previous ? work->previous->primary : "";
    int i = primary[0] ? index_of(work, primary) : -1;
    if (i < 0) {
        enum rule rule = was_withdrawn_by(work, RULE_OUTDATED)   ? RULE_OUTDATED
                         : was_withdrawn_by(work, RULE_MINORITY) ? RULE_MINORITY
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
        return (struct decision){"", RULE_REWOUND}; /* unlike the outdated it may come back as what it was */
    }
    if (tally->denies >= tally->quorum) {
        bool lost = tally->condition && *tally->condition == CONDITION_MINORITY;
        return (struct decision){"", lost ? RULE_MINORITY : RULE_NOT_WRITABLE};
    }
    if (count_of_dead(work, primary) >= work->ballot.quorum) {
        return (struct decision){"", RULE_REFUSED};
    }
    return (struct decision){primary, RULE_KEPT};
}

static bool is_fit(const struct work *work, int i)
{
    const enum condition *condition = work->tallies[i].condition;
    return !condition || *condition == CONDITION_FIT;
}

/* To be preferred to another peer: one in full service, then the incumbent, then by weight, then by name. */
static bool is_preferable(const struct work *work, int a, int b)
{
    if (is_fit(work, a) != is_fit(work, b)) {
        return is_fit(work, a);
    }
    if (is_incumbent(work, a) || is_incumbent(work, b)) {
        return is_incumbent(work, a);
    }
    return work->out->members[a].listing.weight > work->out->members[b].listing.weight;
}

/* All may write, so there is no rivalry. */
static struct decision among_peers(const struct work *work, const int *candidates, int count, int incumbent)
{
    int best = -1;
    bool incumbent_claims = false;
    for (int i = 0; i < count; i++) {
        incumbent_claims = incumbent_claims || candidates[i] == incumbent;
        if (!is_behind_a_peer(work, candidates[i]) && (best < 0 || is_preferable(work, candidates[i], best))) {
            best = candidates[i];
        }
    }
    if (best < 0 || (!incumbent_claims && !is_replaceable(work, incumbent))) {
        return without_claimant(work);
    }
    return (struct decision){work->out->members[best].listing.name, count == 1 ? RULE_SOLE_CLAIMANT : RULE_PREFERRED};
}

static struct decision among_candidates(const struct work *work, const int *candidates, int count)
{
    int incumbent = work->incumbent[0] ? index_of(work, work->incumbent) : -1;
    bool ordered = work->ordered;
    bool incumbent_claims = false;
    bool peers = true;
    for (int i = 0; i < count; i++) {
        incumbent_claims = incumbent_claims || candidates[i] == incumbent;
        peers = peers && work->peer[candidates[i]];
    }
    if (peers) {
        return among_peers(work, candidates, count, incumbent);
    }
    int leader = leader_of(work, candidates, count);
    if (count == 1 && leader == incumbent) {
        return (struct decision){work->incumbent, RULE_SOLE_CLAIMANT};
    }
    if (leader >= 0 && ordered) {
        return (struct decision){work->out->members[leader].listing.name,
                                 count == 1 && !work->base[0] ? RULE_SOLE_CLAIMANT : RULE_NEWEST_LINEAGE};
    }
    if (leader >= 0 && incumbent_claims && claimed_lineage(work, leader)[0]) { /* of one group: the views tell, or the others */
        bool named = incumbent != leader && lineage_compare(claimed_lineage(work, leader), claimed_lineage(work, incumbent)) == 0;
        return (struct decision){work->out->members[leader].listing.name, named ? RULE_MOST_REPLICAS : RULE_NEWEST_LINEAGE};
    }
    if (leader >= 0 && leader != incumbent && incumbent_claims &&
        tally_overtakes(&work->tallies[leader], &work->ballot, work->incumbent)) {
        return (struct decision){work->out->members[leader].listing.name, RULE_MOST_REPLICAS};
    }
    if (incumbent_claims) { /* several without an order between them */
        return work->out->policy.conflict == CONFLICT_HOLD ? (struct decision){work->incumbent, RULE_INCUMBENT}
                                                           : (struct decision){"", RULE_TIE};
    }
    if (leader >= 0 && is_replaceable(work, incumbent)) {
        return (struct decision){work->out->members[leader].listing.name, count == 1 ? RULE_SOLE_CLAIMANT : RULE_MOST_REPLICAS};
    }
    struct decision otherwise = without_claimant(work);
    return otherwise.rule == RULE_NO_CLAIM ? (struct decision){"", RULE_TIE} : otherwise;
}

/* `hold` freezes the writer at a member: it stays whatever happens, and if it is not the writer yet, only it may become so. */
static bool decide_held(const struct work *work, struct decision *ret_decision)
{
    const char *hold = work->directives ? work->directives->hold : "";
    int i = hold[0] ? index_of(work, hold) : -1;
    if (i < 0) {
        return false;
    }
    const char *primary = work->previous ? work->previous->primary : "";
    if (is(hold, primary) || is_candidate(work, i)) {
        *ret_decision = (struct decision){work->out->members[i].listing.name, RULE_HELD};
    } else {
        *ret_decision = without_claimant(work);
    }
    return true;
}

static struct decision decide_writer(const struct work *work)
{
    struct decision decision;
    if (decide_held(work, &decision)) {
        return decision;
    }
    int candidates[MEMBERS_MAX];
    int count = 0;
    for (int i = 0; i < work->out->member_count; i++) {
        if (is_candidate(work, i)) {
            candidates[count++] = i;
        }
    }
    return count > 0 ? among_candidates(work, candidates, count) : without_claimant(work);
}

static void install(struct work *work, struct decision decision)
{
    struct topology *out = work->out;
    const struct topology *previous = work->previous;
    strcpy(out->primary, decision.primary);
    strcpy(out->rule, rule_names[decision.rule]);
    if (!out->primary[0]) {
        strcpy(out->last_primary, work->incumbent);
    }
    int i = out->primary[0] ? index_of(work, out->primary) : -1;
    if (i >= 0 && work->tallies[i].claim && !work->stranger[i]) {
        strcpy(out->lineage, claimed_lineage(work, i));
    }
    out->epoch = !previous ? 1 : previous->epoch + (is(previous->primary, out->primary) ? 0 : 1);
}

/* ---- fences ------------------------------------------------------------------------------- */

/* Does a live stream lead from this member up to the primary, by any number of steps? */
static bool follows_primary(const struct work *work, int i)
{
    const struct topology *out = work->out;
    for (int steps = 0; i >= 0 && steps < out->member_count; steps++) {
        const struct tally *tally = &work->tallies[i];
        if (!tally->live || work->stranger[i] || work->claims_now[i] || tally->follows < tally->quorum) {
            return false;
        }
        if (is(tally->upstream, out->primary)) {
            return true;
        }
        if (!tally->upstream[0]) { /* its upstream goes by a name that no member has: then its history tells */
            return work->ordered && tally->has_lineage && is(tally->lineage, out->lineage);
        }
        i = index_of(work, tally->upstream);
    }
    return false;
}

/* It writes in the same view as the primary: the group has it back. */
static bool shares_view(const struct work *work, int i)
{
    return work->peer[i] && work->out->primary[0] && is(claimed_lineage(work, i), work->out->lineage);
}

static void fence(struct work *work)
{
    struct topology *out = work->out;
    int former = work->incumbent[0] ? index_of(work, work->incumbent) : -1;
    if (former >= 0 && out->primary[0] && !is(out->primary, work->incumbent)) {
        out->members[former].fenced = true;
        out->members[former].fenced_epoch = out->epoch;
    }
    for (int i = 0; i < out->member_count; i++) {
        struct member *member = &out->members[i];
        bool follows = out->primary[0] && (follows_primary(work, i) || shares_view(work, i));
        if (member->fenced && (is(member->listing.name, out->primary) || follows)) {
            member->fenced = false;
            member->fenced_epoch = 0;
        }
    }
}

/* ---- what members are ------------------------------------------------------------------------ */

static void judge_health(struct work *work, int i)
{
    const struct tally *tally = &work->tallies[i];
    struct member *member = &work->out->members[i];
    if (tally->up >= tally->quorum) {
        member->health = HEALTH_UP;
        member->reason = tally->reason;
    } else if (tally->down >= tally->quorum) {
        member->health = HEALTH_DOWN;
        member->reason = tally->reason;
    } else if (!before(work, member->listing.name)) {
        member->reason = tally->reason;
    }
    if (work->stranger[i]) {
        member->reason = ANSWER_STRANGER;
    } else if (member->claims && !is(member->listing.name, work->out->primary)) {
        member->reason = ANSWER_RIVAL;
    } else if (member->reason == ANSWER_RIVAL || member->reason == ANSWER_STRANGER) {
        member->reason = tally->reason; /* it no longer is */
    }
    if (tally->down >= tally->quorum) {
        member->condition = CONDITION_FIT; /* what it said is of no use now */
        member->sync = false;
    } else if (tally->condition) {
        member->condition = *tally->condition;
        member->sync = tally->sync;
    }
}

static void judge_role(struct work *work, int i)
{
    const struct tally *tally = &work->tallies[i];
    struct member *member = &work->out->members[i];
    bool is_primary = is(member->listing.name, work->out->primary);
    bool writes_too = work->peer[i] && work->out->primary[0] && work->out->policy.writers == WRITERS_ALL && !member->drained;
    if (is_primary) {
        member->role = ROLE_PRIMARY;
    } else if (member->fenced || member->claims || work->stranger[i] || !condition_serves(member->condition)) {
        member->role = ROLE_NONE;
    } else if (writes_too) {
        member->role = ROLE_PRIMARY;
    } else if (work->peer[i] || tally->follows >= tally->quorum) {
        member->role = ROLE_SECONDARY;
    } else if (member->role == ROLE_PRIMARY) {
        member->role = ROLE_NONE; /* withdrawn */
    }
    if (is_primary) {
        member->claims = false;
    }
}

static void judge_stream(struct work *work, int i)
{
    const struct tally *tally = &work->tallies[i];
    struct member *member = &work->out->members[i];
    if (member->role != ROLE_SECONDARY) {
        member->lag = LAG_NOT_KNOWN;
        member->upstream[0] = '\0';
        return;
    }
    tally_lag(tally, &member->lag);
    if (tally->upstream) {
        strcpy(member->upstream, tally->upstream);
    }
}

static enum state judge_state(const struct work *work)
{
    const struct topology *out = work->out;
    for (int i = 0; i < out->member_count; i++) {
        if (out->members[i].claims) {
            return STATE_CONFLICT;
        }
    }
    if (!out->primary[0]) {
        return STATE_NO_PRIMARY;
    }
    int i = index_of(work, out->primary);
    return work->claims_now[i] ? STATE_OK : STATE_SUSPECT;
}

static int readers_of(const struct work *work)
{
    int i = work->out->primary[0] ? index_of(work, work->out->primary) : -1;
    int readers = 0;
    for (size_t k = 0; i >= 0 && k < work->tallies[i].count; k++) {
        const struct sighting *seen = work->tallies[i].seen[k];
        readers += seen->answer == ANSWER_OK && (seen->claim || (!work->ordered && seen->writable));
    }
    return readers;
}

bool resolve(const struct evidence *evidence, struct topology *ret_topology)
{
    struct work work = {.previous = evidence->previous, .directives = evidence->directives, .out = ret_topology};
    if (!ballot_draw(evidence->previous, evidence->votes, evidence->count, &work.ballot)) {
        return false;
    }
    memset(ret_topology, 0, sizeof *ret_topology);
    begin(&work, evidence);
    decide_identity(&work);
    find_lineage(&work);
    find_claims(&work);
    install(&work, decide_writer(&work));
    fence(&work);
    for (int i = 0; i < ret_topology->member_count; i++) {
        judge_health(&work, i);
        judge_role(&work, i);
        judge_stream(&work, i);
    }
    ret_topology->state = judge_state(&work);
    const struct topology *previous = evidence->previous;
    if (previous && is(previous->primary, ret_topology->primary) &&
        rule_still_stands(previous->rule, ret_topology->rule, previous->state == ret_topology->state)) {
        strcpy(ret_topology->rule, previous->rule); /* the rule that brought this about still stands */
    }
    rule_tell(ret_topology, readers_of(&work), ret_topology->why, sizeof ret_topology->why);
    return true;
}

bool resolve_is_urgent(const struct topology *before, const struct topology *after)
{
    if (!before || !is(before->primary, after->primary) || before->state != after->state ||
        before->member_count != after->member_count) {
        return true;
    }
    for (size_t i = 0; i < after->member_count; i++) {
        const struct member *a = &before->members[i];
        const struct member *b = &after->members[i];
        if (!is(a->listing.name, b->listing.name) || a->role != b->role || a->health != b->health || a->fenced != b->fenced ||
            a->drained != b->drained || a->claims != b->claims || a->condition != b->condition) {
            return true;
        }
    }
    return false;
}
