#include "registry/verdict/claims.h"

#include <string.h>

#include "registry/base/text.h"

int work_index(const struct work *work, const char *name)
{
    for (int i = 0; i < work->out->member_count; i++) {
        if (text_equal(work->out->members[i].config.name, name)) {
            return i;
        }
    }
    return -1;
}

/* ---- the operator's word --------------------------------------------------------------------- */

static bool is_drained(const struct directives *directives, const char *name)
{
    for (size_t i = 0; directives && i < directives->drain_count; i++) {
        if (text_equal(directives->drain[i], name)) {
            return true;
        }
    }
    return false;
}

/* An acceptance counts for what happened up to its epoch. */
static bool is_accepted(const struct directives *directives, const char *name, int64_t epoch)
{
    for (size_t i = 0; directives && i < directives->accept_count; i++) {
        if (text_equal(directives->accept[i].name, name) && directives->accept[i].epoch >= epoch) {
            return true;
        }
    }
    return false;
}

static void apply_weight(const struct directives *directives, struct member_config *config)
{
    for (size_t i = 0; directives && i < directives->weight_count; i++) {
        if (text_equal(directives->weight[i].name, config->name)) {
            config->weight = directives->weight[i].weight;
        }
    }
}

/* ---- members --------------------------------------------------------------------------------- */

const struct member *work_before(const struct work *work, const char *name)
{
    return work->previous ? topology_member(work->previous, name) : NULL;
}

static void begin_member(struct work *work, const struct member_config *config)
{
    struct member *member = &work->out->members[work->out->member_count];
    const struct member *was = work_before(work, config->name);
    *member = (struct member){.lag = LAG_NOT_KNOWN};
    if (was) {
        *member = *was;
    }
    member->config = *config;
    apply_weight(work->directives, &member->config);
    member->drained = is_drained(work->directives, config->name);
    tally_count(&work->tallies[work->out->member_count], &work->voters, config->name);
    int64_t epoch = work->previous ? work->previous->epoch : 1;
    work->accepted[work->out->member_count] = is_accepted(work->directives, config->name, epoch);
    if (member->fenced && is_accepted(work->directives, config->name, member->fenced_epoch)) {
        member->fenced = false;
        member->fenced_epoch = 0;
    }
    work->out->member_count++;
}

static void begin(struct work *work, const struct evidence *evidence)
{
    struct topology *out = work->out;
    const struct topology *previous = work->previous;
    strcpy(out->cluster, work->voters.votes[0].report->cluster);
    out->policy = work->voters.policy;
    out->rules = MODEL_RULES;
    out->directives_mzxid = evidence->directives_mzxid;
    for (size_t i = 0; i < work->voters.member_count; i++) {
        begin_member(work, &work->voters.members[i]);
    }
    /* by name; the voters may have another order */
    for (size_t i = 0; i < work->voters.count; i++) {
        struct evidence_ref testimony = {.mzxid = work->voters.votes[i].mzxid};
        strcpy(testimony.probe, work->voters.votes[i].report->probe);
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

/* ---- identity and lineage -------------------------------------------------------------------- */

/* The identity that strictly most members have; "" when two share the lead. */
static void first_identity(struct work *work)
{
    int most = 0;
    for (int i = 0; i < work->out->member_count; i++) {
        const char *identity = work->tallies[i].identity;
        int same = 0;
        for (int k = 0; identity && identity[0] && k < work->out->member_count; k++) {
            same += work->tallies[k].identity && text_equal(work->tallies[k].identity, identity);
        }
        if (same > most) {
            most = same;
            strcpy(work->out->identity, identity);
        } else if (same == most && same > 0 && !text_equal(work->out->identity, identity)) {
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
            /* the operator vouches for this one: the cluster is what it is */
            strcpy(out->identity, identity);
        }
    }
    for (int i = 0; i < out->member_count; i++) {
        const char *identity = work->tallies[i].identity;
        work->stranger[i] = identity && identity[0] && !text_equal(identity, out->identity);
    }
}

static void find_lineage(struct work *work)
{
    const struct topology *previous = work->previous;
    if (previous && text_equal(previous->identity, work->out->identity)) {
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

/* ---- claims ---------------------------------------------------------------------------------- */

bool work_is_incumbent(const struct work *work, int i)
{
    return text_equal(work->out->members[i].config.name, work->incumbent);
}

/* Without an order, an incumbent that is writable goes on claiming, whatever channels it has,
 * unless it replicates from one that claims without any doubt. */
static bool keeps_claiming(const struct work *work, int i)
{
    const struct tally *tally = &work->tallies[i];
    if (work->ordered || !work_is_incumbent(work, i) || !tally->writer) {
        return false;
    }
    int upstream = tally->upstream && tally->live ? work_index(work, tally->upstream) : -1;
    return upstream < 0 || !work->tallies[upstream].claim;
}

const char *work_lineage(const struct work *work, int i)
{
    return work->tallies[i].claim ? work->tallies[i].claim->lineage : "";
}

bool work_was_withdrawn_by(const struct work *work, enum rule rule)
{
    return work->previous && !work->previous->primary[0] &&
           text_equal(work->previous->rule, rule_names[rule]);
}

/* Who claims under the lineage in which the majority was lost does not know yet that it was. */
static bool is_stale(const struct work *work, int i)
{
    return kind_traits_of(work->out->policy.kind)->stale_after_minority &&
           work_was_withdrawn_by(work, RULE_MINORITY) &&
           text_equal(work_lineage(work, i), work->previous->lineage);
}

bool work_is_behind_a_peer(const struct work *work, int i)
{
    for (int k = 0; k < work->out->member_count; k++) {
        if (work->shared[k] && lineage_compare(work_lineage(work, k), work_lineage(work, i)) > 0) {
            return true;
        }
    }
    return false;
}

static void find_claims(struct work *work)
{
    for (int i = 0; i < work->out->member_count; i++) {
        const struct tally *tally = &work->tallies[i];
        work->claims_now[i] =
            !work->stranger[i] && (tally->claim || keeps_claiming(work, i)) && !is_stale(work, i);
        work->shared[i] = work->claims_now[i] && tally->claim && tally->claim->shared;
    }
    for (int i = 0; i < work->out->member_count; i++) {
        const struct tally *tally = &work->tallies[i];
        struct member *member = &work->out->members[i];
        bool contrary = tally->follows + tally->down >= tally->quorum;
        bool allowed = work->shared[i] && !work_is_behind_a_peer(work, i);
        member->claims = (work->claims_now[i] && !allowed) ||
                         (member->claims && !contrary && !allowed && !work->stranger[i]);
        work->unseen_rival =
            work->unseen_rival || (member->claims && !work->claims_now[i] && !member->fenced);
    }
}

/* Does it claim the lineage that it was withdrawn with? That the newer one is not seen at the
 * moment is no reason to win. */
static bool was_outdated(const struct work *work, int i)
{
    return work_was_withdrawn_by(work, RULE_OUTDATED) && work_is_incumbent(work, i) &&
           !work->accepted[i] && lineage_compare(work_lineage(work, i), work->base) <= 0;
}

/* May this claim win? Timelines: never one older than the newest seen, and for another than the
 * incumbent only one newer than the last verdict's, since two histories may carry the same number.
 */
bool work_is_candidate(const struct work *work, int i)
{
    const struct member *member = &work->out->members[i];
    bool ordered = work->ordered;
    if (!work->claims_now[i] || member->fenced || (ordered && !work->out->identity[0])) {
        return false;
    }
    const struct member *was = work_before(work, member->config.name);
    if (work->unseen_rival && was && was->claims) {
        /* it did not win against that rival; the rival's silence is no reason to win now */
        return false;
    }
    if (member->drained &&
        !text_equal(member->config.name, work->previous ? work->previous->primary : "")) {
        return false;
    }
    if (!ordered) {
        return true;
    }
    if (lineage_compare(work_lineage(work, i), work->newest) < 0 || was_outdated(work, i)) {
        return false;
    }
    return !work->incumbent[0] || work_is_incumbent(work, i) || work->accepted[i] ||
           lineage_compare(work_lineage(work, i), work->base) > 0;
}

int work_replicas(const struct work *work, int i)
{
    int replicas = 0;
    for (int k = 0; k < work->out->member_count; k++) {
        const struct tally *tally = &work->tallies[k];
        replicas += tally->live && text_equal(tally->upstream, work->out->members[i].config.name);
    }
    return replicas;
}

void work_begin(struct work *work, const struct evidence *evidence)
{
    begin(work, evidence);
    decide_identity(work);
    find_lineage(work);
    find_claims(work);
}
