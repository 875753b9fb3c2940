#include "registry/verdict/acts.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"

/* ---- ways to the past ------------------------------------------------------------------------ */

static const struct record *record_before(const struct contender *contender)
{
    static const struct record nothing = {0};
    return contender->before ? &contender->before->record : &nothing;
}

static bool is_known(const struct record *record)
{
    return record->start_ms > 0;
}

static bool is_same_start(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct record *before = record_before(contender);
    return is_known(before) && same_start(inputs->voters.policy.engine, before->start_ms,
                                          contender->tally.facts->start_ms);
}

/* A verdict of a former version has no records; by its roles it is known who followed. */
static bool was_secondary_unrecorded(const struct verdict_inputs *inputs,
                                     const struct contender *contender)
{
    return inputs->previous && inputs->previous->rules < RULES_WITH_RECORDS && contender->before &&
           contender->before->role == ROLE_SECONDARY && !is_known(&contender->before->record);
}

static bool is_in(unsigned acts, unsigned wanted)
{
    return (acts & wanted) != 0;
}

/* One act more begins the time anew in which the primary has to end. */
static unsigned with(unsigned acts, unsigned act)
{
    return is_in(acts, act) ? acts : (acts & ~(unsigned)ACT_LATE) | act;
}

/* ---- kinds without an order: MySQL, MariaDB -------------------------------------------------- */

/* Of a server that is open for writes now. */
static unsigned acts_in_one_start(const struct record *before, const struct member_report *facts)
{
    unsigned acts = before->acts;
    bool removed = before->channel != CHANNEL_NONE && facts->channel == CHANNEL_NONE;
    if (!before->writable || removed) {
        acts = with(acts, ACT_OPENED);
    } else if (before->channel > CHANNEL_STOPPED && facts->channel == CHANNEL_STOPPED) {
        acts = with(acts, ACT_STOPPED);
    }
    return acts;
}

/* The files may lead to another server, or it was installed anew. */
static bool is_another(const struct record *before, const struct member_report *facts)
{
    return before->self[0] && facts->self[0] && !text_equal(before->self, facts->self);
}

/* It was restarted. What was removed stays removed, and nobody saw whether more was. */
static unsigned acts_across_starts(const struct verdict_inputs *inputs,
                                   const struct contender *contender,
                                   const struct member_report *facts)
{
    const struct record *before = record_before(contender);
    bool followed = is_known(before) && (!before->writable || before->channel != CHANNEL_NONE);
    unsigned acts = before->acts;
    if (facts->channel != CHANNEL_NONE) {
        acts &= ~(unsigned)(ACT_OPENED | ACT_STOPPED);
    } else if (is_another(before, facts)) {
        acts = 0;
    } else if (followed && inputs->unfit) {
        acts = with(acts, ACT_APPEARED);
    }
    return acts;
}

static unsigned async_acts(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct record *before = record_before(contender);
    const struct member_report *facts = contender->tally.facts;
    bool same = is_same_start(inputs, contender);
    if (contender_is_incumbent(inputs, contender) && facts->writable) {
        return 0;
    }
    if (!facts->writable) {
        bool closed = contender_is_incumbent(inputs, contender) &&
                      ((same && before->writable) || is_in(before->acts, ACT_CLOSED));
        return closed ? ACT_CLOSED : 0;
    }
    if (facts->channel >= CHANNEL_CONNECTING && !contender->claims) {
        return 0; /* it follows */
    }
    unsigned acts =
        same ? acts_in_one_start(before, facts) : acts_across_starts(inputs, contender, facts);
    if (was_secondary_unrecorded(inputs, contender) && contender->claims) {
        acts = with(acts, ACT_OPENED);
    }
    return acts & ~(unsigned)ACT_CLOSED;
}

/* ---- timelines: PostgreSQL ------------------------------------------------------------------- */

static unsigned streaming_acts(const struct verdict_inputs *inputs,
                               const struct contender *contender)
{
    const struct record *before = record_before(contender);
    const struct member_report *facts = contender->tally.facts;
    bool same = is_same_start(inputs, contender);
    unsigned acts = same ? before->acts : before->acts & (ACT_REPOINTED | ACT_HELD);
    if (facts->channel != CHANNEL_NONE) { /* in recovery */
        return acts & ACT_STREAMED;
    }
    if (contender_is_incumbent(inputs, contender)) {
        return 0;
    }
    if (!contender->claims) {
        return acts;
    }
    if (is_in(acts, ACT_STREAMED) || was_secondary_unrecorded(inputs, contender)) {
        return with(acts, ACT_OPENED);
    }
    bool first = !is_in(acts, ACT_PROMOTES | ACT_HELD);
    return first ? acts | (inputs->unfit ? ACT_APPEARED : ACT_HELD) : acts;
}

/* ---- voters of a former version alone -------------------------------------------------------- */

/* They give no start, and do say whether it has a channel. That the last one was removed, or that
 * recovery ended, is an act across starts too; a channel that is merely stopped is none. */
static unsigned undated_acts(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct record *before = record_before(contender);
    const struct tally *tally = &contender->tally;
    int without = 0;
    for (size_t i = 0; i < tally->count; i++) {
        without += tally->seen[i]->answer == ANSWER_OK && !tally->seen[i]->replica;
    }
    bool removed = is_known(before) && before->channel != CHANNEL_NONE && without >= tally->quorum;
    bool acted = tally->dated == 0 && removed && contender->claims &&
                 !contender_is_incumbent(inputs, contender);
    return acted ? with(before->acts, ACT_OPENED) : before->acts;
}

/* ---- others that follow ---------------------------------------------------------------------- */

/* Did this one follow `contender` before, by any number of steps? */
static bool stood_below(const struct verdict_inputs *inputs, const struct contender *follower,
                        const struct contender *contender)
{
    for (size_t steps = 0; follower && steps < inputs->count; steps++) {
        const char *streamed = record_before(follower)->streamed;
        if (text_equal(streamed, contender->listing->name)) {
            return true;
        }
        follower = contender_find(inputs, streamed);
    }
    return false;
}

/* Did it stream from a primary, the last one or one before that? Who loses an intermediate is moved
 * to whatever server is at hand. */
static bool followed_primary(const struct verdict_inputs *inputs, const struct contender *follower)
{
    const char *streamed = record_before(follower)->streamed;
    const struct contender *source = contender_find(inputs, streamed);
    return streamed[0] && (!source || contender_is_incumbent(inputs, source) ||
                           !record_before(source)->streamed[0]);
}

static bool has_channel(const struct contender *contender)
{
    const struct member_report *facts = contender->tally.facts;
    return (facts ? facts->channel : record_before(contender)->channel) != CHANNEL_NONE;
}

/* The old primary itself counts, unless the two are a circular pair, or may become one: whom it
 * follows has a channel of its own. */
static bool is_repointed_to(const struct verdict_inputs *inputs, const struct contender *follower,
                            const struct contender *contender)
{
    bool gives_way = contender_is_incumbent(inputs, follower) && !has_channel(contender);
    bool followed = followed_primary(inputs, follower) || gives_way;
    return follower != contender && followed && follower->tally.live && !follower->stranger &&
           !follower->claims && text_equal(follower->tally.upstream, contender->listing->name) &&
           !stood_below(inputs, follower, contender);
}

static unsigned acts_of_others(const struct verdict_inputs *inputs,
                               const struct contender *contender, unsigned acts)
{
    bool may_win = contender->claims && !contender_is_incumbent(inputs, contender);
    for (size_t i = 0; may_win && i < inputs->count; i++) {
        if (is_repointed_to(inputs, &inputs->contenders[i], contender)) {
            acts = with(acts, ACT_REPOINTED);
        }
    }
    return acts;
}

/* While the primary is unfit, a follower that is re-pointed to one that does not claim yet may be
 * ahead of the claim: it is remembered as following whom it did until that is decided. So may the
 * primary itself, which followed nobody. */
static void remember_stream(const struct verdict_inputs *inputs, const struct contender *contender,
                            struct record *record)
{
    const char *upstream = contender->tally.upstream;
    if (!contender->tally.live || !upstream[0]) {
        return;
    }
    const struct contender *source = contender_find(inputs, upstream);
    bool ahead = inputs->unfit && source && !source->claims &&
                 !contender_is_incumbent(inputs, source) &&
                 (record->streamed[0] || contender_is_incumbent(inputs, contender));
    /* a primary that is led to one that claims gives way; only a circle is a state */
    bool yields = contender_is_incumbent(inputs, contender) && source && source->claims;
    if (!ahead && !yields) {
        strcpy(record->streamed, upstream);
    }
}

/* ---- too late -------------------------------------------------------------------------------- */

/* Did the primary end by an act of its promoter: closed, told to follow this one, or taken out of
 * the files? Else it was a blink, or a crash much later. */
static bool ended_by_act(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct contender *incumbent = inputs->incumbent;
    return !incumbent || incumbent->unlisted || is_in(incumbent->record.acts, ACT_CLOSED) ||
           (incumbent->tally.live &&
            text_equal(incumbent->tally.upstream, contender->listing->name));
}

static unsigned voided(const struct verdict_inputs *inputs, unsigned acts)
{
    acts &= ~(unsigned)(ACT_PROMOTES | ACT_LATE | ACT_STREAMED);
    return acts | (inputs->ordered ? ACT_HELD : 0);
}

/* Acts beside a primary that went on taking writes for long: they promoted nothing. They are void
 * for good once that primary is lost without an act. */
static unsigned without_void(const struct verdict_inputs *inputs, const struct contender *contender,
                             unsigned acts)
{
    if (is_in(acts, ACT_PROMOTES) && tally_is_late(&contender->tally, acts & ACT_PROMOTES)) {
        acts |= ACT_LATE;
    }
    if (is_in(acts, ACT_LATE) && inputs->unfit && !ended_by_act(inputs, contender)) {
        acts = voided(inputs, acts);
    }
    return acts;
}

/* ---- the fold -------------------------------------------------------------------------------- */

static unsigned acts_of(const struct verdict_inputs *inputs, const struct contender *contender)
{
    unsigned acts = !contender->tally.facts ? undated_acts(inputs, contender)
                    : inputs->ordered       ? streaming_acts(inputs, contender)
                                            : async_acts(inputs, contender);
    return without_void(inputs, contender, acts_of_others(inputs, contender, acts));
}

static void observe(const struct verdict_inputs *inputs, struct contender *contender)
{
    const struct member_report *facts = contender->tally.facts;
    struct record *record = &contender->record;
    *record = *record_before(contender);
    if (facts) {
        strcpy(record->self, facts->self);
    }
    unsigned left = record->acts & ACT_LEFT;
    if (!kind_traits_of(inputs->voters.policy.kind)->by_act) {
        return;
    }
    record->acts = acts_of(inputs, contender) | left;
    if (facts) {
        record->start_ms = is_same_start(inputs, contender) ? record->start_ms : facts->start_ms;
        record->writable = facts->writable;
        record->channel = facts->channel;
        strcpy(record->source, facts->upstream);
    } else if (contender->tally.dated == 0 && contender->tally.live) {
        record->channel = CHANNEL_LIVE;
    }
    if (contender->tally.claim) {
        strcpy(record->lineage, contender->tally.claim->lineage);
    }
    remember_stream(inputs, contender, record);
}

void acts_observe(struct verdict_inputs *inputs)
{
    /* the incumbent first: how it ended decides what others' acts are worth */
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < inputs->count; i++) {
            struct contender *contender = &inputs->contenders[i];
            if (contender_is_incumbent(inputs, contender) == (pass == 0)) {
                observe(inputs, contender);
            }
        }
    }
}

/* ---- after the decision ---------------------------------------------------------------------- */

/* Does it stream on the cluster's timeline, and not from one whose claim was not followed? */
static bool is_on_line(const struct verdict_inputs *inputs, const struct topology *out,
                       const struct contender *contender)
{
    const struct tally *tally = &contender->tally;
    if (!tally->live || contender->stranger || contender->claims || !tally->has_lineage ||
        !text_equal(tally->lineage, out->lineage)) {
        return false;
    }
    const struct contender *upstream = contender_find(inputs, tally->upstream);
    return !upstream || text_equal(upstream->listing->name, out->primary) ||
           !(upstream->stranger || upstream->fenced || upstream->claims);
}

/* The operator chose a history: whoever is on another one is left, also one that is down now. */
static void leave_others(const struct verdict_inputs *inputs, struct topology *out)
{
    for (size_t i = 0; i < inputs->count; i++) {
        const struct contender *contender = &inputs->contenders[i];
        struct record *record = &out->members[i].record;
        if (text_equal(out->members[i].config.name, out->primary)) {
            record->accepted = contender->accepted ? contender->accepted_epoch : record->accepted;
            record->acts &= ~(unsigned)ACT_LEFT;
        } else if (inputs->ordered && is_on_line(inputs, out, contender)) {
            record->acts &= ~(unsigned)ACT_LEFT;
        } else if (inputs->ordered && out->rule == RULE_ACCEPTED) {
            record->acts |= ACT_LEFT;
        }
    }
}

void acts_close(const struct verdict_inputs *inputs, struct topology *out)
{
    const struct topology *previous = inputs->previous;
    bool moved = previous && !text_equal(previous->lineage, out->lineage);
    bool over = out->primary[0] && !text_equal(out->primary, inputs->incumbent_name);
    bool by_act = kind_traits_of(inputs->voters.policy.kind)->by_act;
    for (size_t i = 0; by_act && i < inputs->count; i++) {
        const struct contender *contender = &inputs->contenders[i];
        struct record *record = &out->members[i].record;
        bool primary = text_equal(out->members[i].config.name, out->primary);
        bool replaced = contender_is_incumbent(inputs, contender) && out->primary[0] && !primary;
        if (over && contender->tally.live && contender->tally.upstream[0]) {
            strcpy(record->streamed, contender->tally.upstream); /* that is decided */
        }
        if (primary || replaced) {
            record->acts = replaced && inputs->ordered && contender->claims ? ACT_HELD : 0;
            if (!contender->tally.live) {
                record->streamed[0] = '\0'; /* it led when it was a standby */
            } else if (replaced && contender->tally.upstream[0]) {
                strcpy(record->streamed, contender->tally.upstream); /* it has given way */
            }
            continue;
        }
        /* the word for all that was before, also of one that is silent now; and at the first look
         * nothing was seen to be done */
        bool ends = out->rule == RULE_ACCEPTED || (out->primary[0] && !inputs->incumbent_name[0]);
        if (ends && is_in(record->acts, ACT_PROMOTES)) {
            record->acts = voided(inputs, record->acts);
        }
        record->acts &= moved ? ~(unsigned)ACT_STREAMED : ~0U;
        if (inputs->ordered && contender->tally.facts && is_on_line(inputs, out, contender)) {
            record->lineage[0] = '\0'; /* what it claimed is no history of its own any more */
            record->acts |= ACT_STREAMED;
        }
    }
    leave_others(inputs, out);
}
