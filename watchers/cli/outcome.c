#include "watchers/cli/outcome.h"

#include <assert.h>
#include <stdio.h>

#include "registry/base/text.h"
#include "watchers/cli/refusal.h"

/* What one judge looks at. */
struct comparison {
    const struct directive *word;
    const struct topology *before, *after;
    const struct member *member; /* in `after`; NULL: no member, or none is named */
    const struct member *was;    /* in `before`, likewise */
    struct text to;
};

static bool is_primary(const struct topology *topology, const char *name)
{
    return name[0] && text_equal(topology->primary, name);
}

static const char *cluster_of(const struct comparison *at)
{
    return at->after->cluster;
}

/* ---- the judges ------------------------------------------------------------------------------ */

static enum outcome judge_drain(struct comparison *at)
{
    const char *name = at->word->member;
    if (!at->member->drained) {
        text_put(&at->to, "still pending: %s/%s is not drained yet", cluster_of(at), name);
        return OUTCOME_PENDING;
    }
    text_put(&at->to, "%s/%s is drained", cluster_of(at), name);
    if (is_primary(at->after, name)) {
        text_put(&at->to, ", and stays primary until the database has another");
    } else if (is_primary(at->before, name) && at->after->primary[0]) {
        text_put(&at->to, "; %s is primary as of epoch %lld", at->after->primary,
                 (long long)at->after->epoch);
    }
    return OUTCOME_HOLDS;
}

static enum outcome judge_undrain(struct comparison *at)
{
    bool pending = at->member && at->member->drained;
    text_put(&at->to, "%s%s/%s is %s drained", pending ? "still pending: " : "", cluster_of(at),
             at->word->member, pending ? "still" : "not");
    return pending ? OUTCOME_PENDING : OUTCOME_HOLDS;
}

static enum outcome judge_weight(struct comparison *at)
{
    const struct directive *word = at->word;
    if (!at->member) {
        text_put(&at->to, "%s/%s has no weight of its own: it is no member", cluster_of(at),
                 word->member);
        return OUTCOME_HOLDS;
    }
    int weight = at->member->config.weight;
    if (word->weight < 0) {
        text_put(&at->to, "%s/%s has the weight that is configured, %d", cluster_of(at),
                 word->member, weight);
        return OUTCOME_HOLDS;
    }
    bool holds = weight == word->weight;
    text_put(&at->to, "%s%s/%s has weight %d", holds ? "" : "still pending: ", cluster_of(at),
             word->member, weight);
    return holds ? OUTCOME_HOLDS : OUTCOME_PENDING;
}

static enum outcome judge_release(struct comparison *at)
{
    text_put(&at->to, "%s is not held", cluster_of(at));
    return OUTCOME_HOLDS;
}

/* Why a member that is not the primary does not ask to be: the outermost reason. */
static void put_no_claim(struct comparison *at)
{
    const struct member *member = at->member;
    text_put(&at->to, "%s does not claim to be primary", at->word->member);
    if (member->health != HEALTH_UP) {
        text_put(&at->to, " (%s%s%s)", health_names[member->health],
                 member->reason != ANSWER_OK ? ": " : "",
                 member->reason != ANSWER_OK ? answer_names[member->reason] : "");
    } else if (member->upstream[0]) {
        text_put(&at->to, " (it follows %s)", member->upstream);
    }
}

static void put_refusal(struct comparison *at)
{
    struct claim claim = claim_of(at->member, at->after);
    const char *bar = bar_of(&claim);
    char exit[2 * NAME_SIZE + 32];
    assert(bar); /* it claims */
    text_put(&at->to, "%s/%s claims and does not become primary: %s", cluster_of(at),
             at->word->member, bar_text(bar));
    if (at->member->drained) { /* the others end by what was just said */
        text_put(&at->to, "; `%s` ends that",
                 bar_exit(bar, cluster_of(at), at->word->member, exit, sizeof exit));
    } else if (!at->word->replace && outcome_replaces(at->word->member, at->after)) {
        text_put(&at->to, "; `roster accept --replace %s %s` puts it in the place of %s",
                 cluster_of(at), at->word->member, at->after->primary);
    }
}

static enum outcome judge_hold(struct comparison *at)
{
    const char *name = at->word->member;
    if (is_primary(at->after, name)) {
        text_put(&at->to, "%s is held at %s, primary as of epoch %lld", cluster_of(at), name,
                 (long long)at->after->epoch);
        return OUTCOME_HOLDS;
    }
    text_put(&at->to, "still pending: %s is held at %s, and no other can become primary; ",
             cluster_of(at), name);
    if (at->member->claims) {
        struct claim claim = claim_of(at->member, at->after);
        text_put(&at->to, "it claims, but %s", bar_text(bar_of(&claim)));
    } else {
        put_no_claim(at);
    }
    return OUTCOME_PENDING;
}

/* The member is what the word could make of it, short of primary. */
static bool put_freed(struct comparison *at)
{
    bool was_stranger = at->was && at->was->reason == ANSWER_STRANGER;
    const char *freed = at->was && at->was->fenced && !at->member->fenced ? "not fenced any more"
                        : was_stranger && at->member->reason != ANSWER_STRANGER
                            ? "no stranger any more"
                            : NULL;
    if (freed) {
        text_put(&at->to, "%s/%s is %s", cluster_of(at), at->word->member, freed);
        if (at->after->primary[0]) {
            text_put(&at->to, "; %s is primary as of epoch %lld", at->after->primary,
                     (long long)at->after->epoch);
        }
    }
    return freed != NULL;
}

static enum outcome judge_accept(struct comparison *at)
{
    const struct directive *word = at->word;
    if (is_primary(at->after, word->member) || at->member->role == ROLE_PRIMARY) {
        text_put(&at->to, "%s/%s %s as of epoch %lld", cluster_of(at), word->member,
                 is_primary(at->after, word->member) ? "is primary" : "takes writes beside others",
                 (long long)at->after->epoch);
        return OUTCOME_HOLDS;
    }
    if (word->hold[0] && !text_equal(word->hold, word->member)) {
        text_put(&at->to,
                 "%s is held at %s, so %s does not become primary; `roster release %s` "
                 "ends that",
                 cluster_of(at), word->hold, word->member, cluster_of(at));
        return OUTCOME_REFUSED;
    }
    if (at->member->claims) {
        put_refusal(at);
        return OUTCOME_REFUSED;
    }
    if (put_freed(at)) {
        return OUTCOME_HOLDS;
    }
    if (at->member->drained) {
        text_put(&at->to,
                 "%s/%s is drained, so it does not become primary; `roster undrain %s %s` "
                 "ends that",
                 cluster_of(at), word->member, cluster_of(at), word->member);
        return OUTCOME_REFUSED;
    }
    text_put(&at->to, "still pending: %s/", cluster_of(at));
    put_no_claim(at);
    return OUTCOME_PENDING;
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct {
    enum outcome (*judge)(struct comparison *at);
    bool anybody; /* it is about no member, or about one that may have left */
} judges[] = {
    [ORDER_DRAIN] = {judge_drain, false},    [ORDER_UNDRAIN] = {judge_undrain, true},
    [ORDER_WEIGHT] = {judge_weight, true},   [ORDER_HOLD] = {judge_hold, false},
    [ORDER_RELEASE] = {judge_release, true}, [ORDER_ACCEPT] = {judge_accept, false},
};

enum outcome outcome_of(const struct directive *word, const struct topology *before,
                        const struct topology *after, char *sentence, size_t size)
{
    struct comparison at = {.word = word, .before = before, .after = after};
    assert(word->order < sizeof judges / sizeof *judges);
    text_init(&at.to, sentence, size);
    at.member = topology_member(after, word->member);
    at.was = topology_member(before, word->member);
    if (!at.member && !judges[word->order].anybody) {
        text_put(&at.to, "still pending: %s is no member of %s at present", word->member,
                 after->cluster);
        return OUTCOME_PENDING;
    }
    return judges[word->order].judge(&at);
}

static bool is_followed(const struct topology *topology)
{
    bool any = false;
    for (size_t i = 0; i < topology->member_count; i++) {
        const struct member *member = &topology->members[i];
        any = any || (member->role == ROLE_SECONDARY && member->health == HEALTH_UP &&
                      text_equal(member->upstream, topology->primary));
    }
    return any;
}

bool outcome_replaces(const char *name, const struct topology *topology)
{
    const struct member *primary = topology_member(topology, topology->primary);
    const struct member *member = topology_member(topology, name);
    if (!primary || !member || primary == member || primary->health != HEALTH_UP ||
        topology->state == STATE_SUSPECT || !is_followed(topology)) {
        return false;
    }
    return member->claims || !(member->fenced || member->reason == ANSWER_STRANGER);
}
