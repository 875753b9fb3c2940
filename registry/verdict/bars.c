#include "registry/verdict/bars.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/verdict/components.h"

static bool has_act(const struct contender *contender, unsigned acts)
{
    return (contender->record.acts & acts) != 0;
}

/* ---- promoted by an act ---------------------------------------------------------------------- */

/* Reports of a former version do not say what an act is known by. */
static bool is_unwitnessed(const struct contender *contender)
{
    return contender->tally.dated == 0 && contender->record.start_ms == 0;
}

/* It has a channel, which does not run. */
static bool keeps_channel(const struct contender *contender)
{
    return contender->record.channel == CHANNEL_STOPPED ||
           contender->record.channel == CHANNEL_APPLYING;
}

static bool streams_from(const struct contender *contender, const struct contender *source)
{
    return contender->tally.live && text_equal(contender->tally.upstream, source->listing->name);
}

/* There never was a primary. A replica whose channel is stopped is no primary because nobody else
 * is up, unless another streams from it or its source is up and closed for writes. */
static enum bar first_bar(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const char *upstream = contender->tally.upstream;
    const struct contender *source = upstream ? contender_find(inputs, upstream) : NULL;
    bool closed = source && source->tally.answered >= source->tally.quorum &&
                  source->tally.denies >= source->tally.quorum;
    bool chosen = contender_replicas(inputs, contender) > 0 || closed;
    return !inputs->ordered && keeps_channel(contender) && !chosen ? BAR_NOT_PROMOTED : BAR_NONE;
}

/* Compared with the primary's transactions. With that one gone, one that was opened or is followed
 * by others was chosen for what it has. */
static bool lacks_too_much(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct contender *incumbent = inputs->incumbent;
    if (!incumbent || streams_from(incumbent, contender)) {
        return false;
    }
    bool chosen = has_act(contender, ACT_REPOINTED) ||
                  (has_act(contender, ACT_OPENED) && !keeps_channel(contender));
    bool there = incumbent->tally.answered >= incumbent->tally.quorum;
    if (chosen && !there) {
        return false;
    }
    const char *name = incumbent->listing->name;
    return has_act(contender, ACT_LATE) ? !tally_has(&contender->tally, &inputs->voters, name)
                                        : tally_misses(&contender->tally, &inputs->voters, name);
}

/* Its channel is stopped and still configured: it may be started again, and then goes on from
 * here. */
static bool is_unapplied(const struct contender *contender)
{
    const struct member_report *claim = contender->tally.claim;
    return keeps_channel(contender) && claim && claim->unapplied &&
           !has_act(contender, ACT_REPOINTED);
}

/* Who is led to another source is stopped first: that promotes nobody. */
static bool is_too_new(const struct contender *contender)
{
    return (contender->record.acts & ACT_PROMOTES) == ACT_STOPPED &&
           !tally_has_stood(&contender->tally, ACT_STOPPED);
}

static enum bar act_bar(const struct verdict_inputs *inputs, const struct contender *contender)
{
    if (contender->accepted || is_unwitnessed(contender)) {
        return BAR_NONE;
    }
    if (!inputs->incumbent_name[0]) {
        return first_bar(inputs, contender);
    }
    if (!has_act(contender, ACT_PROMOTES)) {
        return has_act(contender, ACT_HELD) ? BAR_HELD : BAR_NOT_PROMOTED;
    }
    if (is_too_new(contender)) {
        return BAR_NOT_PROMOTED;
    }
    if (inputs->ordered) {
        /* it was drained, or held back, while the primary went on */
        return has_act(contender, ACT_LATE) ? BAR_HELD : BAR_NONE;
    }
    return is_unapplied(contender)             ? BAR_UNAPPLIED
           : lacks_too_much(inputs, contender) ? BAR_LACKS
                                               : BAR_NONE;
}

static bool needs_act(const struct verdict_inputs *inputs, const struct contender *contender)
{
    return kind_traits_of(inputs->voters.policy.kind)->by_act && contender->claims &&
           !contender_is_incumbent(inputs, contender) && !contender_is_renamed(inputs, contender);
}

/* ---- what moves the lineage ------------------------------------------------------------------ */

static bool is_any_accepted(const struct verdict_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->contenders[i].accepted && inputs->contenders[i].claims) {
            return true;
        }
    }
    return false;
}

/* Its claim was held back, and it has not been seen to follow since. */
static bool was_held(const struct contender *contender)
{
    bool held = has_act(contender, ACT_HELD) && !has_act(contender, ACT_PROMOTES);
    return !contender->claims && (held || has_act(contender, ACT_LATE));
}

/* What it has shows nothing about the cluster: it may have been promoted by accident, on its own
 * side of a partition, for a rehearsal. A drained primary stays one. */
static bool is_off_line(const struct verdict_inputs *inputs, const struct contender *contender)
{
    bool primary =
        inputs->previous && text_equal(inputs->previous->primary, contender->listing->name);
    return contender->stranger || contender->fenced || has_act(contender, ACT_LEFT) ||
           (contender->drained && !primary) || was_held(contender) ||
           (contender->claims && contender->bar != BAR_NONE);
}

/* The last one that it streamed from, when it names none now. */
static const struct contender *source_of(const struct verdict_inputs *inputs,
                                         const struct contender *contender)
{
    const struct tally *tally = &contender->tally;
    bool names = tally->live || (tally->upstream && tally->upstream[0]);
    return contender_find(inputs, names ? tally->upstream : contender->record.streamed);
}

static bool moves_lineage(const struct verdict_inputs *inputs, const struct contender *contender)
{
    for (size_t steps = 0; contender && steps < inputs->count; steps++) {
        if (is_off_line(inputs, contender)) {
            return false;
        }
        contender = source_of(inputs, contender);
    }
    return true;
}

/* A standby that already follows the promoted one shows that the old primary is outdated, also
 * when no probe reaches the new one. */
static void find_newest(struct verdict_inputs *inputs)
{
    bool by_act = kind_traits_of(inputs->voters.policy.kind)->by_act;
    strcpy(inputs->newest, inputs->lineage);
    for (size_t i = 0; inputs->ordered && i < inputs->count; i++) {
        const struct contender *contender = &inputs->contenders[i];
        /* at the first look a greater number may be a restored backup's */
        bool counts = inputs->incumbent_name[0] || !by_act || !contender->claims;
        if (contender->tally.has_lineage && counts && !is_any_accepted(inputs) &&
            lineage_compare(contender->tally.lineage, inputs->newest) > 0 &&
            moves_lineage(inputs, contender)) {
            strcpy(inputs->newest, contender->tally.lineage);
        }
    }
}

/* ---- other bars ------------------------------------------------------------------------------ */

/* A standby that is promoted for a rehearsal while it is drained. A primary that is drained stays
 * one: drain takes reads from it, and makes room for nobody. */
static bool is_kept_out(const struct verdict_inputs *inputs, const struct contender *contender)
{
    return contender->drained &&
           !(inputs->previous && text_equal(inputs->previous->primary, contender->listing->name));
}

/* A conflict that ended in no primary, and then one side falls silent: the other did not win
 * against it, and its silence is no reason to win now. Another history, or one that others chose,
 * is. */
static bool lost_to_unseen_rival(const struct verdict_inputs *inputs,
                                 const struct contender *contender)
{
    if (!contender->before || !contender->before->claims || contender->accepted ||
        has_act(contender, ACT_REPOINTED)) {
        return false;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        const struct contender *other = &inputs->contenders[i];
        if (other != contender && other->rival && !other->claims && !other->fenced &&
            !(inputs->ordered &&
              lineage_compare(contender_lineage(contender), other->record.lineage) > 0)) {
            return true;
        }
    }
    return false;
}

/* The primary was withdrawn because a newer lineage was seen on a standby, and then that standby is
 * cut off: that the newer one is not seen at the moment is no reason for the old one to win. */
static bool was_outdated(const struct verdict_inputs *inputs, const struct contender *contender)
{
    return verdict_was_withdrawn_by(inputs, RULE_OUTDATED) &&
           contender_is_incumbent(inputs, contender) &&
           lineage_compare(contender_lineage(contender), inputs->lineage) <= 0;
}

/* A standby promoted from an old timeline, or a restored backup that is opened: its number is not
 * newer than what the cluster had. Two histories may carry one number, so that another member than
 * the incumbent needs a newer one. */
static bool is_late(const struct verdict_inputs *inputs, const struct contender *contender)
{
    if (contender->accepted) {
        return false;
    }
    if (lineage_compare(contender_lineage(contender), inputs->newest) < 0 ||
        was_outdated(inputs, contender)) {
        return true;
    }
    return inputs->incumbent_name[0] && !contender_is_incumbent(inputs, contender) &&
           !contender_is_renamed(inputs, contender) &&
           lineage_compare(contender_lineage(contender), inputs->lineage) <= 0;
}

/* A former primary that was replaced: it may have writes that nobody else has. Without an order a
 * later promotion of its own shows that it was chosen; of a group that was formed anew while the
 * last writer is silent all have what the group has. */
static bool is_fenced_off(const struct verdict_inputs *inputs, const struct contender *contender)
{
    bool by_act = kind_traits_of(inputs->voters.policy.kind)->by_act;
    return contender->fenced && !contender->accepted &&
           !(by_act && !inputs->ordered && has_act(contender, ACT_OPENED)) &&
           !component_outlives_fence(inputs, contender);
}

static enum bar bar_of(const struct verdict_inputs *inputs, const struct contender *contender)
{
    if (is_fenced_off(inputs, contender)) {
        return BAR_FENCED;
    }
    if (is_kept_out(inputs, contender)) {
        return BAR_DRAINED;
    }
    if (contender->bar != BAR_NONE) {
        return contender->bar; /* its acts */
    }
    /* two clusters under one name, and none accepted: neither may win by its number */
    if (inputs->ordered && !inputs->identity[0]) {
        return BAR_IDENTITY;
    }
    if (inputs->ordered && is_late(inputs, contender)) {
        return BAR_OLDER;
    }
    return lost_to_unseen_rival(inputs, contender) ? BAR_TIE : BAR_NONE;
}

void bars_judge(struct verdict_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct contender *contender = &inputs->contenders[i];
        contender->bar = needs_act(inputs, contender) ? act_bar(inputs, contender) : BAR_NONE;
    }
    find_newest(inputs);
    for (size_t i = 0; i < inputs->count; i++) {
        struct contender *contender = &inputs->contenders[i];
        contender->bar = contender->claims     ? bar_of(inputs, contender)
                         : contender->stranger ? BAR_IDENTITY
                                               : BAR_NONE;
    }
}
