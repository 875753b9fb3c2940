#include "registry/verdict/resolve.h"

#include <string.h>

#include "registry/base/text.h"
#include "registry/verdict/primary.h"

static void install(struct work *work, struct decision decision)
{
    struct topology *out = work->out;
    const struct topology *previous = work->previous;
    strcpy(out->primary, decision.primary);
    strcpy(out->rule, rule_names[decision.rule]);
    if (!out->primary[0]) {
        strcpy(out->last_primary, work->incumbent);
    }
    int i = out->primary[0] ? work_index(work, out->primary) : -1;
    if (i >= 0 && work->tallies[i].claim && !work->stranger[i]) {
        strcpy(out->lineage, work_lineage(work, i));
    }
    out->epoch =
        !previous ? 1 : previous->epoch + (text_equal(previous->primary, out->primary) ? 0 : 1);
}

/* ---- fences ---------------------------------------------------------------------------------- */

/* Does a live stream lead from this member up to the primary, by any number of steps? */
static bool follows_primary(const struct work *work, int i)
{
    const struct topology *out = work->out;
    for (int steps = 0; i >= 0 && steps < out->member_count; steps++) {
        const struct tally *tally = &work->tallies[i];
        if (!tally->live || work->stranger[i] || work->claims_now[i] ||
            tally->follows < tally->quorum) {
            return false;
        }
        if (text_equal(tally->upstream, out->primary)) {
            return true;
        }
        /* its upstream goes by a name that no member has: then its history tells */
        if (!tally->upstream[0]) {
            return work->ordered && tally->has_lineage && text_equal(tally->lineage, out->lineage);
        }
        i = work_index(work, tally->upstream);
    }
    return false;
}

/* It writes in the same view as the primary: the group has it back. */
static bool shares_view(const struct work *work, int i)
{
    return work->shared[i] && work->out->primary[0] &&
           text_equal(work_lineage(work, i), work->out->lineage);
}

static void fence(struct work *work)
{
    struct topology *out = work->out;
    int former = work->incumbent[0] ? work_index(work, work->incumbent) : -1;
    if (former >= 0 && out->primary[0] && !text_equal(out->primary, work->incumbent)) {
        out->members[former].fenced = true;
        out->members[former].fenced_epoch = out->epoch;
    }
    for (int i = 0; i < out->member_count; i++) {
        struct member *member = &out->members[i];
        bool follows = out->primary[0] && (follows_primary(work, i) || shares_view(work, i));
        if (member->fenced && (text_equal(member->config.name, out->primary) || follows)) {
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
    } else if (!work_before(work, member->config.name)) {
        member->reason = tally->reason;
    }
    if (work->stranger[i]) {
        member->reason = ANSWER_STRANGER;
    } else if (member->claims && !text_equal(member->config.name, work->out->primary)) {
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
    bool is_primary = text_equal(member->config.name, work->out->primary);
    bool writes_too = work->shared[i] && work->out->primary[0] &&
                      work->out->policy.writers == WRITERS_ALL && !member->drained;
    if (is_primary) {
        member->role = ROLE_PRIMARY;
    } else if (member->fenced || member->claims || work->stranger[i] ||
               !condition_serves(member->condition)) {
        member->role = ROLE_NONE;
    } else if (writes_too) {
        member->role = ROLE_PRIMARY;
    } else if (work->shared[i] || tally->follows >= tally->quorum) {
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
    int i = work_index(work, out->primary);
    return work->claims_now[i] ? STATE_OK : STATE_SUSPECT;
}

static int readers_of(const struct work *work)
{
    int i = work->out->primary[0] ? work_index(work, work->out->primary) : -1;
    int readers = 0;
    for (size_t k = 0; i >= 0 && k < work->tallies[i].count; k++) {
        const struct member_report *seen = work->tallies[i].seen[k];
        readers += seen->answer == ANSWER_OK && (seen->claim || (!work->ordered && seen->writable));
    }
    return readers;
}

bool resolve(const struct evidence *evidence, struct topology *ret_topology)
{
    struct work work = {
        .previous = evidence->previous, .directives = evidence->directives, .out = ret_topology};
    if (!voters_select(evidence->previous, evidence->votes, evidence->count, &work.voters)) {
        return false;
    }
    memset(ret_topology, 0, sizeof *ret_topology);
    work_begin(&work, evidence);
    install(&work, writer_decide(&work));
    fence(&work);
    for (int i = 0; i < ret_topology->member_count; i++) {
        judge_health(&work, i);
        judge_role(&work, i);
        judge_stream(&work, i);
    }
    ret_topology->state = judge_state(&work);
    const struct topology *previous = evidence->previous;
    if (previous && text_equal(previous->primary, ret_topology->primary) &&
        rule_still_stands(previous->rule, ret_topology->rule,
                          previous->state == ret_topology->state)) {
        /* the rule that brought this about still stands */
        strcpy(ret_topology->rule, previous->rule);
    }
    rule_tell(ret_topology, readers_of(&work), ret_topology->why, sizeof ret_topology->why);
    return true;
}

bool resolve_is_urgent(const struct topology *before, const struct topology *after)
{
    if (!before || !text_equal(before->primary, after->primary) || before->state != after->state ||
        before->member_count != after->member_count) {
        return true;
    }
    for (size_t i = 0; i < after->member_count; i++) {
        const struct member *a = &before->members[i];
        const struct member *b = &after->members[i];
        if (!text_equal(a->config.name, b->config.name) || a->role != b->role ||
            a->health != b->health || a->fenced != b->fenced || a->drained != b->drained ||
            a->claims != b->claims || a->condition != b->condition) {
            return true;
        }
    }
    return false;
}
