#include "registry/verdict/claims.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/verdict/acts.h"
#include "registry/verdict/aliases.h"
#include "registry/verdict/bars.h"
#include "registry/verdict/components.h"
#include "registry/verdict/fences.h"
#include "registry/verdict/renamed.h"

const struct contender *contender_find(const struct verdict_inputs *inputs, const char *name)
{
    assert(name);
    for (size_t i = 0; i < inputs->count; i++) {
        if (text_equal(inputs->contenders[i].listing->name, name)) {
            return &inputs->contenders[i];
        }
    }
    return NULL;
}

/* ---- the operator's orders ------------------------------------------------------------------- */

static bool is_drained(const struct directives *directives, const char *name)
{
    for (size_t i = 0; directives && i < directives->drain_count; i++) {
        if (text_equal(directives->drain[i], name)) {
            return true;
        }
    }
    return false;
}

static const struct acceptance *acceptance_of(const struct directives *directives, const char *name)
{
    const struct acceptance *latest = NULL;
    for (size_t i = 0; directives && i < directives->accept_count; i++) {
        const struct acceptance *mine = &directives->accept[i];
        if (text_equal(mine->name, name) && (!latest || mine->epoch > latest->epoch)) {
            latest = mine;
        }
    }
    return latest;
}

/* An acceptance covers what happened up to its epoch: the same member's next failure is judged
 * anew. */
static bool is_accepted(const struct directives *directives, const char *name, int64_t epoch)
{
    const struct acceptance *acceptance = acceptance_of(directives, name);
    return acceptance && acceptance->epoch >= epoch;
}

/* It waits for the member to claim, and is void once another has become primary. */
static bool is_pending(const struct topology *previous, const struct acceptance *acceptance,
                       const struct member *before)
{
    if (!previous) {
        return true;
    }
    int64_t elected = previous->elected > 0 ? previous->elected : previous->epoch;
    return acceptance->epoch >= elected && (!before || acceptance->epoch > before->record.accepted);
}

/* A primary that serves, others streaming from it, is replaced by the operator's explicit word
 * only; and drain comes before accept. */
static bool is_guarded(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct contender *incumbent = inputs->incumbent;
    const struct acceptance *acceptance =
        acceptance_of(inputs->directives, contender->listing->name);
    bool primary = inputs->previous && text_equal(inputs->previous->primary, acceptance->name);
    if (contender->drained && !primary) {
        return true;
    }
    return !acceptance->replace && incumbent && incumbent != contender && incumbent->tally.claim &&
           !primary && inputs->previous->primary[0] && contender_replicas(inputs, incumbent) > 0;
}

static void find_accepted(struct verdict_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct contender *contender = &inputs->contenders[i];
        const struct acceptance *acceptance =
            acceptance_of(inputs->directives, contender->listing->name);
        contender->accepted = acceptance &&
                              is_pending(inputs->previous, acceptance, contender->before) &&
                              !is_guarded(inputs, contender);
        contender->accepted_epoch = contender->accepted ? acceptance->epoch : 0;
    }
}

static uint16_t weight_of(const struct directives *directives, const struct member_config *listing)
{
    uint16_t weight = listing->weight;
    for (size_t i = 0; directives && i < directives->weight_count; i++) {
        if (text_equal(directives->weight[i].name, listing->name)) {
            weight = directives->weight[i].weight;
        }
    }
    return weight;
}

/* ---- members --------------------------------------------------------------------------------- */

static void contender_init(struct contender *contender, const struct verdict_inputs *inputs,
                           const struct member_config *listing)
{
    const struct topology *previous = inputs->previous;
    const struct directives *directives = inputs->directives;
    const struct member *before = previous ? topology_member(previous, listing->name) : NULL;
    *contender = (struct contender){
        .listing = listing,
        .before = before,
        .drained = is_drained(directives, listing->name),
        .weight = weight_of(directives, listing),
    };
    tally_count(&contender->tally, &inputs->voters, listing->name);
    contender->unlisted =
        (int)(inputs->voters.count - contender->tally.count) >= inputs->voters.quorum;
    const char *self = contender->tally.facts ? contender->tally.facts->self : "";
    int64_t fenced_epoch = fences_find(previous, listing, self);
    if (fenced_epoch > 0 && !is_accepted(directives, listing->name, fenced_epoch)) {
        contender->fenced = true;
        contender->fenced_epoch = fenced_epoch;
    }
}

/* ---- identity and lineage -------------------------------------------------------------------- */

/* A cluster that is seen for the first time: the identity that strictly most members have; "" when
 * two share the lead (half of the file's members belong to another cluster: the operator has to
 * accept one). */
static void first_identity(struct verdict_inputs *inputs)
{
    int most = 0;
    for (size_t i = 0; i < inputs->count; i++) {
        const char *identity = inputs->contenders[i].tally.identity;
        int same = 0;
        for (size_t k = 0; identity && identity[0] && k < inputs->count; k++) {
            const char *other = inputs->contenders[k].tally.identity;
            same += !inputs->contenders[k].alias[0] && other && text_equal(other, identity);
        }
        if (same > most) {
            most = same;
            strcpy(inputs->identity, identity);
        } else if (same == most && same > 0 && !text_equal(inputs->identity, identity)) {
            inputs->identity[0] = '\0';
        }
    }
}

static void decide_identity(struct verdict_inputs *inputs)
{
    if (inputs->previous && inputs->previous->identity[0]) {
        strcpy(inputs->identity, inputs->previous->identity);
    } else {
        first_identity(inputs);
    }
    /* the whole cluster was restored under a new identity: the operator accepts the one of its
     * members that claims */
    for (size_t i = 0; i < inputs->count; i++) {
        const struct contender *contender = &inputs->contenders[i];
        const char *identity = contender->tally.identity;
        if (contender->accepted && contender->tally.claim && identity && identity[0]) {
            strcpy(inputs->identity, identity);
        }
    }
    /* another cluster's server was started at a member's address, or the file names a wrong one */
    for (size_t i = 0; i < inputs->count; i++) {
        const char *identity = inputs->contenders[i].tally.identity;
        inputs->contenders[i].stranger =
            identity && identity[0] && !text_equal(identity, inputs->identity);
    }
}

static void find_lineage(struct verdict_inputs *inputs)
{
    const struct topology *previous = inputs->previous;
    if (previous && text_equal(previous->identity, inputs->identity)) {
        strcpy(inputs->lineage, previous->lineage);
    }
    inputs->ordered = lineage_is_total(inputs->lineage);
    for (size_t i = 0; i < inputs->count; i++) {
        /* the operator wants this history, whatever its number */
        const struct contender *contender = &inputs->contenders[i];
        if (contender->accepted && contender->tally.claim) {
            strcpy(inputs->lineage, contender_lineage(contender));
        }
    }
    for (size_t i = 0; i < inputs->count; i++) {
        inputs->ordered = inputs->ordered || inputs->contenders[i].tally.has_lineage;
    }
}

/* ---- claims ---------------------------------------------------------------------------------- */

bool contender_is_incumbent(const struct verdict_inputs *inputs, const struct contender *contender)
{
    assert(contender);
    return contender == inputs->incumbent;
}

bool contender_is_renamed(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct contender *incumbent = inputs->incumbent;
    const struct member_report *facts = contender->tally.facts;
    if (!incumbent || !incumbent->unlisted || !incumbent->before || !facts || !facts->self[0]) {
        return false;
    }
    const struct record *before = &incumbent->before->record;
    return text_equal(before->self, facts->self) &&
           same_start(inputs->voters.policy.engine, before->start_ms, facts->start_ms);
}

const char *contender_lineage(const struct contender *contender)
{
    return contender->tally.claim ? contender->tally.claim->lineage : "";
}

bool verdict_was_withdrawn_by(const struct verdict_inputs *inputs, enum rule rule)
{
    assert(rule != RULE_FOREIGN);
    const struct topology *previous = inputs->previous;
    return previous && !previous->primary[0] && previous->rule == rule;
}

/* Its claim is no state that it was found in: it was seen to act, or no voter can witness acts. */
static bool was_promoted(const struct verdict_inputs *inputs, const struct contender *contender)
{
    return !kind_traits_of(inputs->voters.policy.kind)->by_act || contender->tally.dated == 0 ||
           (contender->record.acts & ACT_PROMOTES) != 0;
}

/* Async: the active half of a circular pair always streams from the other one, so that this shows
 * nothing, unless the other one follows nobody any more. */
static bool stood_in_circle(const struct contender *incumbent, const struct contender *upstream)
{
    return incumbent->before &&
           text_equal(incumbent->before->record.streamed, upstream->listing->name) &&
           upstream->record.channel != CHANNEL_NONE;
}

/* Async: a primary is given a channel by mistake, or keeps one from a circular pair. Without an
 * order an incumbent that is writable goes on claiming, whatever channels it has, unless it
 * replicates from one that claims without any doubt (a planned switch). */
static bool keeps_claiming(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct tally *tally = &contender->tally;
    if (inputs->ordered || !contender_is_incumbent(inputs, contender) || !tally->writer) {
        return false;
    }
    const struct contender *upstream =
        tally->upstream && tally->live ? contender_find(inputs, tally->upstream) : NULL;
    return !upstream || !upstream->tally.claim || !was_promoted(inputs, upstream) ||
           stood_in_circle(contender, upstream);
}

/* May the incumbent be left for another without an order between them? Only when it reports itself
 * that it takes no writes, or does not answer at all: that probes cannot log in to it, or that its
 * last look is overdue, proves nothing. */
static bool is_unfit(const struct contender *incumbent)
{
    if (!incumbent) {
        return true;
    }
    const struct tally *tally = &incumbent->tally;
    return tally->unfit >= tally->quorum || incumbent->stranger || incumbent->unlisted ||
           (tally->follows >= tally->quorum && !incumbent->claims);
}

/* Galera: a group that lost its majority comes back under another configuration. Who claims the one
 * in which it was lost is a node that was frozen meanwhile and does not know yet; unless the group
 * was bootstrapped anew and has come to that number again. */
static bool is_stale(const struct verdict_inputs *inputs, const struct contender *contender)
{
    return kind_traits_of(inputs->voters.policy.kind)->stale_after_minority &&
           verdict_was_withdrawn_by(inputs, RULE_MINORITY) &&
           text_equal(contender_lineage(contender), inputs->previous->lineage) &&
           !component_is_renewed(inputs, contender);
}

/* Galera: a node that was suspended (SIGSTOP, a frozen host) claims the old configuration for some
 * seconds after it is thawed, while the rest of the group has a newer one, or one whose numbers
 * began anew. */
bool contender_is_behind(const struct verdict_inputs *inputs, const struct contender *contender)
{
    assert(contender);
    if (component_is_left(contender) && contender->shared) {
        return true;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        const struct contender *other = &inputs->contenders[i];
        if (other->shared && !component_is_left(other) &&
            lineage_compare(contender_lineage(other), contender_lineage(contender)) > 0) {
            return true;
        }
    }
    return false;
}

/* Is there no primary because two claim and nothing orders them? Of two timelines alike the last
 * primary's is older than both. */
static bool is_undecided(const struct verdict_inputs *inputs)
{
    return kind_traits_of(inputs->voters.policy.kind)->by_act &&
           (verdict_was_withdrawn_by(inputs, RULE_TIE) ||
            verdict_was_withdrawn_by(inputs, RULE_OUTDATED));
}

/* A rival stays one through its silence: an old primary that claimed and then is cut off from the
 * probes may still take writes. Only a quorum that reads the contrary ends it. Where claims are
 * equal and there is no primary, one that is down did not yield either: it may come back. */
static bool is_rival(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct tally *tally = &contender->tally;
    bool undecided =
        is_undecided(inputs) && !contender->fenced && !contender_is_incumbent(inputs, contender);
    int against = tally->follows + (undecided ? 0 : tally->down);
    bool allowed = contender->shared && !contender_is_behind(inputs, contender);
    bool was = contender->before && contender->before->claims;
    return (contender->claims && !allowed) || (was && against < tally->quorum && !allowed &&
                                               !contender->stranger && !contender->alias[0]);
}

/* Async: one half of a circular pair is opened for writes while it still tries to reach the other
 * half, which is down. */
static bool opens_in_circle(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct tally *tally = &contender->tally;
    const struct contender *incumbent = inputs->incumbent;
    bool connecting = tally->writer && tally->facts && tally->facts->writable &&
                      tally->facts->channel == CHANNEL_CONNECTING;
    return !inputs->ordered && kind_traits_of(inputs->voters.policy.kind)->by_act && connecting &&
           incumbent && incumbent != contender && incumbent->before && inputs->unfit &&
           text_equal(tally->facts->upstream, incumbent->listing->name) &&
           text_equal(incumbent->before->record.source, contender->listing->name);
}

static void find_claims(struct verdict_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct contender *contender = &inputs->contenders[i];
        const struct member_report *claim = contender->tally.claim;
        bool stale = is_stale(inputs, contender) && !contender->accepted;
        contender->claims = !contender->stranger && !contender->alias[0] && !stale &&
                            (claim || opens_in_circle(inputs, contender));
        contender->shared = contender->claims && claim && claim->shared;
    }
}

static struct contender *find_incumbent(struct verdict_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        if (contender_is_incumbent(inputs, &inputs->contenders[i])) {
            return &inputs->contenders[i];
        }
    }
    return NULL;
}

/* Beside the others' acts, as far as they are known. */
static void judge_incumbent(struct verdict_inputs *inputs)
{
    struct contender *incumbent = find_incumbent(inputs);
    if (incumbent && !incumbent->stranger && !is_stale(inputs, incumbent)) {
        incumbent->claims = incumbent->tally.claim || keeps_claiming(inputs, incumbent);
    }
    inputs->unfit = is_unfit(incumbent);
}

static void find_rivals(struct verdict_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        inputs->contenders[i].rival = is_rival(inputs, &inputs->contenders[i]);
    }
}

/* ---- candidates ------------------------------------------------------------------------------ */

bool contender_is_candidate(const struct contender *contender)
{
    assert(contender);
    return contender->claims && contender->bar == BAR_NONE;
}

int contender_replicas(const struct verdict_inputs *inputs, const struct contender *contender)
{
    int replicas = 0;
    assert(contender);
    for (size_t i = 0; i < inputs->count; i++) {
        const struct tally *tally = &inputs->contenders[i].tally;
        replicas += !inputs->contenders[i].alias[0] && tally->live &&
                    text_equal(tally->upstream, contender->listing->name);
    }
    return replicas;
}

/* ---- the beginning --------------------------------------------------------------------------- */

bool verdict_inputs_init(struct verdict_inputs *inputs, const struct evidence *evidence)
{
    const struct topology *previous = evidence->previous;
    *inputs = (struct verdict_inputs){.previous = previous, .directives = evidence->directives};
    if (!voters_select(previous, evidence->votes, evidence->count, &inputs->voters)) {
        return false;
    }
    assert(inputs->voters.member_count <= MEMBERS_MAX);
    inputs->count = inputs->voters.member_count;
    if (previous &&
        renamed_topology(previous, inputs->voters.members, inputs->count, &inputs->renamed)) {
        inputs->previous = previous = &inputs->renamed;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        contender_init(&inputs->contenders[i], inputs, &inputs->voters.members[i]);
        assert(i == 0 ||
               strcmp(inputs->voters.members[i - 1].name, inputs->voters.members[i].name) < 0);
    }
    if (previous) {
        strcpy(inputs->incumbent_name,
               previous->primary[0] ? previous->primary : previous->last_primary);
    }
    inputs->incumbent = contender_find(inputs, inputs->incumbent_name);
    aliases_find(inputs);
    find_accepted(inputs);
    decide_identity(inputs);
    find_lineage(inputs);
    judge_incumbent(inputs);
    find_claims(inputs);
    judge_incumbent(inputs);
    acts_observe(inputs);
    components_observe(inputs);
    judge_incumbent(inputs);
    find_rivals(inputs);
    bars_judge(inputs);
    return true;
}
