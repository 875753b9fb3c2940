#include "registry/verdict/resolve.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/verdict/acts.h"
#include "registry/verdict/components.h"
#include "registry/verdict/fences.h"
#include "registry/verdict/primary.h"
#include "registry/verdict/rules.h"

/* ---- what the verdict is about --------------------------------------------------------------- */

/* By name; the voters may have another order. */
static void put_evidence(struct topology *out, const struct voters *voters)
{
    for (size_t i = 0; i < voters->count; i++) {
        struct evidence_ref ref = {.mzxid = voters->votes[i].mzxid};
        strcpy(ref.probe, voters->votes[i].report->probe);
        size_t at = out->evidence_count++;
        for (; at > 0 && strcmp(ref.probe, out->evidence[at - 1].probe) < 0; at--) {
            out->evidence[at] = out->evidence[at - 1];
        }
        out->evidence[at] = ref;
    }
}

/* A member begins as the last verdict left it: no evidence, no change. */
static struct member member_of(const struct contender *contender)
{
    struct member member = {.lag = LAG_NOT_KNOWN};
    if (contender->before) {
        member = *contender->before;
    }
    member.config = *contender->listing;
    member.config.weight = contender->weight;
    member.drained = contender->drained;
    member.unlisted = contender->unlisted;
    member.fenced = contender->fenced;
    member.fenced_epoch = contender->fenced_epoch;
    member.claims = contender->rival;
    member.record = contender->record;
    strcpy(member.alias, contender->alias);
    return member;
}

static void begin(struct topology *out, const struct verdict_inputs *inputs)
{
    memset(out, 0, sizeof *out);
    strcpy(out->cluster, inputs->voters.votes[0].report->cluster);
    out->policy = inputs->voters.policy;
    out->rules = MODEL_RULES;
    strcpy(out->identity, inputs->identity);
    strcpy(out->lineage, inputs->lineage);
    for (size_t i = 0; i < inputs->count; i++) {
        out->members[out->member_count++] = member_of(&inputs->contenders[i]);
    }
    put_evidence(out, &inputs->voters);
}

static bool is_primary(const struct topology *out, const char *name)
{
    return out->primary[0] && text_equal(out->primary, name);
}

/* The last primary's transactions, once it is lost: by the first voter that knows them. */
static void put_last_set(struct topology *out, const struct verdict_inputs *inputs)
{
    strcpy(out->last_set, inputs->previous->last_set);
    for (size_t i = 0; !out->last_set[0] && i < inputs->voters.count; i++) {
        strcpy(out->last_set, inputs->voters.votes[i].report->last_set);
    }
}

static void put_decision(struct topology *out, const struct verdict_inputs *inputs,
                         struct decision decision)
{
    const struct topology *previous = inputs->previous;
    const struct contender *primary = decision.primary;
    out->rule = decision.rule;
    if (primary) {
        strcpy(out->primary, primary->listing->name);
    } else {
        strcpy(out->last_primary, inputs->incumbent_name);
    }
    /* a primary that is kept through silence keeps its lineage; a stranger's is not ours */
    if (primary && primary->tally.claim && !primary->stranger) {
        strcpy(out->lineage, contender_lineage(primary));
    }
    bool same = previous && text_equal(previous->primary, out->primary);
    if (previous && inputs->unfit && (!primary || contender_is_incumbent(inputs, primary))) {
        put_last_set(out, inputs);
    }
    out->epoch = !previous ? 1 : same ? previous->epoch : previous->epoch + 1;
    assert(out->epoch > 0);
    bool over = primary && !text_equal(inputs->incumbent_name, out->primary);
    out->elected = over || !previous ? out->epoch : previous->elected;
}

/* ---- fences ---------------------------------------------------------------------------------- */

/* Of what an operator's statement says of a replica nobody knows how late its lineage is. */
static bool is_historical(const struct verdict_inputs *inputs)
{
    return kind_traits_of(inputs->voters.policy.kind)->identity_in_data;
}

/* Does a live stream lead from this member up to the primary, by any number of steps? A cascade
 * does (a replica of a replica); a circle of replicas does not, and is left after as many steps as
 * there are members. Where timelines order, on the primary's: a former primary that was not rewound
 * streams for a moment, at each attempt, on its own. */
static bool follows_primary(const struct verdict_inputs *inputs, const struct topology *out,
                            const struct contender *contender)
{
    for (size_t steps = 0; contender && steps < inputs->count; steps++) {
        const struct tally *tally = &contender->tally;
        if (!tally->live || contender->stranger || contender->claims ||
            tally->follows < tally->quorum) {
            return false;
        }
        bool asks = inputs->ordered && (is_historical(inputs) || !tally->upstream[0]);
        if (asks && !(tally->has_lineage && text_equal(tally->lineage, out->lineage))) {
            return false;
        }
        if (text_equal(tally->upstream, out->primary)) {
            return true;
        }
        /* it streams from a name that no member has (a VIP, a proxy): then its history decides */
        if (!tally->upstream[0]) {
            return inputs->ordered;
        }
        contender = contender_find(inputs, tally->upstream);
    }
    return false;
}

/* It writes in the same view as the primary: the group has taken it back. */
static bool shares_view(const struct topology *out, const struct contender *contender)
{
    return contender->shared && out->primary[0] && !component_is_left(contender) &&
           text_equal(contender_lineage(contender), out->lineage);
}

/* A former primary may have writes that nobody else has, and may take more: it is fenced until it
 * is seen to follow, or writes in the primary's view, or is primary again. */
static void fence(struct topology *out, const struct verdict_inputs *inputs,
                  const struct contender *winner, const struct topology *written)
{
    bool renamed = winner && contender_is_renamed(inputs, winner);
    for (size_t i = 0; i < inputs->count; i++) {
        const struct contender *contender = &inputs->contenders[i];
        struct member *member = &out->members[i];
        bool primary = is_primary(out, member->config.name);
        bool replaced = (contender_is_incumbent(inputs, contender) && !renamed) ||
                        (out->rule == RULE_ACCEPTED && contender->claims && !contender->shared);
        if (replaced && out->primary[0] && !primary && !member->fenced) {
            member->fenced = true;
            member->fenced_epoch = out->epoch;
        }
        bool follows = out->primary[0] &&
                       (follows_primary(inputs, out, contender) || shares_view(out, contender));
        if (member->fenced && (primary || follows)) {
            member->fenced = false;
            member->fenced_epoch = 0;
        }
    }
    fences_carry(written, out); /* under the names of then: who left is in no other */
}

/* ---- what members are ------------------------------------------------------------------------ */

static void judge_fitness(const struct tally *tally, struct member *member)
{
    if (tally->down >= tally->quorum) {
        member->condition = CONDITION_FIT; /* its last report of itself is of no use now */
        member->closed_by[0] = '\0';
        member->sync = false;
        return;
    }
    if (tally->condition) {
        member->condition = *tally->condition;
        member->sync = tally->sync;
    }
    if (tally->closed_by) {
        strcpy(member->closed_by, tally->closed_by);
    }
}

static void judge_health(const struct topology *out, const struct contender *contender,
                         struct member *member)
{
    const struct tally *tally = &contender->tally;
    if (contender->unlisted) { /* nobody is to look at it */
        member->health = HEALTH_UNKNOWN;
        member->reason = ANSWER_UNKNOWN;
        return;
    }
    /* half of the probes reach it and half do not: it stays what it was */
    if (tally->up >= tally->quorum) {
        member->health = HEALTH_UP;
        member->reason = tally->reason;
    } else if (tally->down >= tally->quorum) {
        member->health = HEALTH_DOWN;
        member->reason = tally->reason;
    } else if (!contender->before) {
        member->reason = tally->reason;
    }
    if (contender->stranger) {
        member->reason = ANSWER_STRANGER;
    } else if (member->claims && !is_primary(out, member->config.name)) {
        member->reason = ANSWER_RIVAL;
    } else if (member->reason == ANSWER_RIVAL || member->reason == ANSWER_STRANGER) {
        member->reason = tally->reason; /* it no longer is */
    }
    judge_fitness(tally, member);
}

static enum role role_of(const struct topology *out, const struct contender *contender,
                         const struct member *member)
{
    const struct tally *tally = &contender->tally;
    if (is_primary(out, member->config.name)) {
        return ROLE_PRIMARY;
    }
    /* reads from these would return another history, or none */
    if (member->fenced || member->claims || contender->stranger || contender->alias[0] ||
        !condition_serves(member->condition)) {
        return ROLE_NONE;
    }
    if (contender->shared && out->primary[0] && out->policy.writers == WRITERS_ALL &&
        !member->drained) {
        return ROLE_PRIMARY;
    }
    bool wrote = member->role == ROLE_PRIMARY && out->policy.writers == WRITERS_ALL &&
                 !contender->unlisted && !member->drained;
    if (wrote && out->primary[0] && tally->resigns < tally->quorum) {
        return ROLE_PRIMARY; /* nobody can read it just now: that is no reason to give it up */
    }
    /* a peer that gets no writes is as good for reads as one that follows */
    if (contender->shared || tally->follows >= tally->quorum) {
        return ROLE_SECONDARY;
    }
    /* withdrawn; a secondary that no quorum reads stays one, its health shows the rest */
    return member->role == ROLE_PRIMARY ? ROLE_NONE : member->role;
}

static void judge_stream(const struct contender *contender, struct member *member)
{
    if (member->role != ROLE_SECONDARY) {
        member->lag = LAG_NOT_KNOWN;
        member->upstream[0] = '\0';
        return;
    }
    tally_lag(&contender->tally, &member->lag);
    if (contender->tally.upstream) {
        strcpy(member->upstream, contender->tally.upstream);
    }
}

/* One that may win and did not, stands beside a primary or beside its equal. */
static enum bar bar_of(const struct topology *out, const struct contender *contender,
                       const struct member *member)
{
    if (member->fenced) {
        return BAR_FENCED;
    }
    if (contender->bar != BAR_NONE || !contender->claims) {
        return contender->bar;
    }
    if (!out->primary[0]) {
        return BAR_TIE;
    }
    const char *lineage = contender_lineage(contender);
    bool older = lineage_is_total(lineage) && lineage_compare(lineage, out->lineage) <= 0;
    return older ? BAR_OLDER : BAR_HELD;
}

static void judge_members(struct topology *out, const struct verdict_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        const struct contender *contender = &inputs->contenders[i];
        struct member *member = &out->members[i];
        judge_health(out, contender, member);
        member->role = role_of(out, contender, member);
        member->claims = member->claims && !is_primary(out, member->config.name);
        member->bar = member->claims ? bar_of(out, contender, member) : BAR_NONE;
        judge_stream(contender, member);
    }
}

static enum state state_of(const struct topology *out, const struct decision *decision)
{
    /* an old primary that still takes writes is what an operator has to know first */
    for (size_t i = 0; i < out->member_count; i++) {
        if (out->members[i].claims) {
            return STATE_CONFLICT;
        }
    }
    if (!decision->primary) {
        return STATE_NO_PRIMARY;
    }
    return decision->primary->claims ? STATE_OK : STATE_SUSPECT;
}

static int count_readers(const struct verdict_inputs *inputs, const struct contender *primary)
{
    int readers = 0;
    for (size_t i = 0; primary && i < primary->tally.count; i++) {
        const struct member_report *seen = primary->tally.seen[i];
        readers +=
            seen->answer == ANSWER_OK && (seen->claim || (!inputs->ordered && seen->writable));
    }
    return readers;
}

/* The rule that brought this about stays, so that a verdict that changed nothing is equal to the
 * last one and is not written again. */
static void keep_rule(struct topology *out, const struct topology *previous)
{
    if (previous && text_equal(previous->primary, out->primary) &&
        rule_stays(previous->rule, out->rule, previous->state == out->state)) {
        out->rule = previous->rule;
        strcpy(out->foreign_rule, previous->foreign_rule);
    }
}

bool resolve(const struct evidence *evidence, struct topology *ret_topology)
{
    struct verdict_inputs inputs;
    struct topology *out = ret_topology;
    assert(out && out != evidence->previous);
    assert(evidence->count <= REPORTS_MAX);
    if (!verdict_inputs_init(&inputs, evidence)) {
        return false;
    }
    struct decision decision = primary_choose(&inputs);
    begin(out, &inputs);
    out->directives_mzxid = evidence->directives_mzxid;
    put_decision(out, &inputs, decision);
    fence(out, &inputs, decision.primary, evidence->previous);
    acts_close(&inputs, out);
    components_close(&inputs, out);
    judge_members(out, &inputs);
    out->state = state_of(out, &decision);
    keep_rule(out, inputs.previous);
    rule_explain(out, count_readers(&inputs, decision.primary), out->why, sizeof out->why);
    return true;
}

bool resolve_is_urgent(const struct topology *before, const struct topology *after)
{
    if (!before || !text_equal(before->primary, after->primary) || before->state != after->state ||
        before->directives_mzxid != after->directives_mzxid ||
        !text_equal(before->last_set, after->last_set) ||
        before->member_count != after->member_count) {
        return true;
    }
    for (size_t i = 0; i < after->member_count; i++) {
        const struct member *a = &before->members[i];
        const struct member *b = &after->members[i];
        if (!text_equal(a->config.name, b->config.name) || a->role != b->role ||
            a->health != b->health || a->fenced != b->fenced || a->drained != b->drained ||
            a->claims != b->claims || a->condition != b->condition || a->bar != b->bar ||
            !text_equal(a->closed_by, b->closed_by) || a->unlisted != b->unlisted ||
            a->record.acts != b->record.acts) {
            return true;
        }
    }
    return false;
}
