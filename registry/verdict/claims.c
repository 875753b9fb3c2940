#include "registry/verdict/claims.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/verdict/aliases.h"
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

/* An acceptance covers what happened up to its epoch: the same member's next failure is judged
 * anew. */
static bool is_accepted(const struct directives *directives, const char *name, int64_t epoch)
{
    for (size_t i = 0; directives && i < directives->accept_count; i++) {
        if (text_equal(directives->accept[i].name, name) && directives->accept[i].epoch >= epoch) {
            return true;
        }
    }
    return false;
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
        .accepted = is_accepted(directives, listing->name, previous ? previous->epoch : 1),
        .weight = weight_of(directives, listing),
    };
    tally_count(&contender->tally, &inputs->voters, listing->name);
    if (before &&
        !(before->fenced && is_accepted(directives, listing->name, before->fenced_epoch))) {
        contender->fenced = before->fenced;
        contender->fenced_epoch = before->fenced_epoch;
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
    /* the whole cluster was restored under a new identity: the operator accepts one of its members
     */
    for (size_t i = 0; i < inputs->count; i++) {
        const struct contender *contender = &inputs->contenders[i];
        const char *identity = contender->tally.identity;
        if (contender->accepted && identity && identity[0]) {
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
        inputs->ordered = inputs->ordered || inputs->contenders[i].tally.has_lineage;
    }
    if (!inputs->ordered) {
        return;
    }
    /* A standby that already follows the promoted one shows that the old primary is outdated, also
     * when no probe reaches the new one. A fenced member's number shows nothing: it may have been
     * promoted by accident on its own side of a partition. */
    strcpy(inputs->newest, inputs->lineage);
    for (size_t i = 0; i < inputs->count; i++) {
        const struct contender *contender = &inputs->contenders[i];
        bool counts = contender->tally.has_lineage && !contender->stranger && !contender->fenced;
        if (counts && lineage_compare(contender->tally.lineage, inputs->newest) > 0) {
            strcpy(inputs->newest, contender->tally.lineage);
        }
    }
}

/* ---- claims ---------------------------------------------------------------------------------- */

bool contender_is_incumbent(const struct verdict_inputs *inputs, const struct contender *contender)
{
    assert(contender);
    return contender == inputs->incumbent;
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
    return !upstream || !upstream->tally.claim;
}

/* Galera: a group that lost its majority comes back under another configuration. Who claims the one
 * in which it was lost is a node that was frozen meanwhile and does not know yet. */
static bool is_stale(const struct verdict_inputs *inputs, const struct contender *contender)
{
    return kind_traits_of(inputs->voters.policy.kind)->stale_after_minority &&
           verdict_was_withdrawn_by(inputs, RULE_MINORITY) &&
           text_equal(contender_lineage(contender), inputs->previous->lineage);
}

/* Galera: a node that was suspended (SIGSTOP, a frozen host) claims the old configuration for some
 * seconds after it is thawed, while the rest of the group has a newer one. */
bool contender_is_behind(const struct verdict_inputs *inputs, const struct contender *contender)
{
    assert(contender);
    for (size_t i = 0; i < inputs->count; i++) {
        const struct contender *other = &inputs->contenders[i];
        if (other->shared &&
            lineage_compare(contender_lineage(other), contender_lineage(contender)) > 0) {
            return true;
        }
    }
    return false;
}

/* A rival stays one through its silence: an old primary that claimed and then is cut off from the
 * probes may still take writes. Only a quorum that reads the contrary ends it. */
static bool is_rival(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct tally *tally = &contender->tally;
    bool contrary = tally->follows + tally->down >= tally->quorum;
    bool allowed = contender->shared && !contender_is_behind(inputs, contender);
    bool was = contender->before && contender->before->claims;
    return (contender->claims && !allowed) ||
           (was && !contrary && !allowed && !contender->stranger && !contender->alias[0]);
}

static void find_claims(struct verdict_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct contender *contender = &inputs->contenders[i];
        const struct member_report *claim = contender->tally.claim;
        contender->claims = !contender->stranger && !contender->alias[0] &&
                            !is_stale(inputs, contender) &&
                            (claim || keeps_claiming(inputs, contender));
        contender->shared = contender->claims && claim && claim->shared;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        struct contender *contender = &inputs->contenders[i];
        contender->rival = is_rival(inputs, contender);
        inputs->unseen_rival =
            inputs->unseen_rival || (contender->rival && !contender->claims && !contender->fenced);
    }
}

/* ---- candidates ------------------------------------------------------------------------------ */

/* A conflict that ended in no primary (`conflict = none`), and then one side falls silent: the
 * other did not win against it, and its silence is no reason to win now. */
static bool lost_to_unseen_rival(const struct verdict_inputs *inputs,
                                 const struct contender *contender)
{
    return inputs->unseen_rival && contender->before && contender->before->claims;
}

/* A standby that is promoted for a rehearsal while it is drained. A primary that is drained stays
 * one: drain takes reads from it, and makes room for nobody. */
static bool is_kept_out(const struct verdict_inputs *inputs, const struct contender *contender)
{
    return contender->drained &&
           !(inputs->previous && text_equal(inputs->previous->primary, contender->listing->name));
}

/* The primary was withdrawn because a newer lineage was seen on a standby, and then that standby is
 * cut off: that the newer one is not seen at the moment is no reason for the old one to win. */
static bool was_outdated(const struct verdict_inputs *inputs, const struct contender *contender)
{
    return verdict_was_withdrawn_by(inputs, RULE_OUTDATED) &&
           contender_is_incumbent(inputs, contender) && !contender->accepted &&
           lineage_compare(contender_lineage(contender), inputs->lineage) <= 0;
}

/* A standby promoted from an old timeline, or a restored backup that is opened: its number is not
 * newer than what the cluster had. Two histories may carry one number, so that another member than
 * the incumbent needs a newer one. */
static bool is_late(const struct verdict_inputs *inputs, const struct contender *contender)
{
    if (lineage_compare(contender_lineage(contender), inputs->newest) < 0 ||
        was_outdated(inputs, contender)) {
        return true;
    }
    return inputs->incumbent_name[0] && !contender_is_incumbent(inputs, contender) &&
           !contender->accepted &&
           lineage_compare(contender_lineage(contender), inputs->lineage) <= 0;
}

bool contender_is_candidate(const struct verdict_inputs *inputs, const struct contender *contender)
{
    assert(contender);
    /* a former primary that was replaced: it may have writes that nobody else has */
    if (!contender->claims || contender->fenced) {
        return false;
    }
    if (lost_to_unseen_rival(inputs, contender) || is_kept_out(inputs, contender)) {
        return false;
    }
    /* two clusters under one name, and none accepted: neither may win by its number */
    return !inputs->ordered || (inputs->identity[0] && !is_late(inputs, contender));
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
    decide_identity(inputs);
    find_lineage(inputs);
    find_claims(inputs);
    return true;
}
