#include "watchers/cli/refusal.h"

#include <assert.h>
#include <stdio.h>

#include "registry/base/text.h"

/* One row for each bar. */
static const struct {
    const char *name, *text, *verb;
} bars[] = {
    {"identity", "it belongs to another cluster", "accept"},
    {"fenced", "it was replaced and has not followed since", "accept"},
    {"drained", "the operator drained it", "undrain"},
    {"older", "its history is not newer than the cluster's", "accept"},
    {"tie", "there is no primary, and none that claims is newer than the others", "accept"},
    {"held", "it claims beside a primary, and nothing shows that it is the newer one", "accept"},
};
enum { BARS = sizeof bars / sizeof *bars };

struct claim claim_of(const struct member *member, const struct topology *topology)
{
    return (struct claim){
        .claims = member->claims,
        .fenced = member->fenced,
        .drained = member->drained,
        .reason = member->reason == ANSWER_OK ? "" : answer_names[member->reason],
        .primary = topology->primary,
        .rule = topology_rule(topology),
    };
}

struct claim claim_in_view(const struct roster_member *member, const struct roster_state *state)
{
    return (struct claim){
        .claims = member->claims && member->endpoint.role != ROSTER_ROLE_PRIMARY,
        .fenced = member->fenced,
        .drained = member->drained,
        .reason = member->reason,
        .primary = state->primary,
        .rule = state->rule,
    };
}

/* What the records say so far; the first that holds. */
const char *bar_of(const struct claim *claim)
{
    if (!claim->claims) {
        return NULL;
    }
    bool tie = text_equal(claim->rule, rule_names[RULE_TIE]);
    return text_equal(claim->reason, answer_names[ANSWER_STRANGER]) ? "identity"
           : claim->fenced                                          ? "fenced"
           : claim->drained                                         ? "drained"
           : claim->primary[0]                                      ? "held"
           : tie                                                    ? "tie"
                                                                    : "older";
}

static size_t find_bar(const char *bar)
{
    size_t at = 0;
    while (at < BARS && !text_equal(bars[at].name, bar)) {
        at++;
    }
    return at;
}

const char *bar_text(const char *bar)
{
    size_t at = find_bar(bar);
    return at < BARS ? bars[at].text : "for a reason that this version does not know";
}

const char *bar_exit(const char *bar, const char *cluster, const char *member, char *to,
                     size_t size)
{
    size_t at = find_bar(bar);
    snprintf(to, size, "roster %s %s %s", at < BARS ? bars[at].verb : "accept", cluster, member);
    return to;
}
