#include "watchers/cli/refusal.h"

#include <stdio.h>

#include "registry/base/text.h"

/* One row for each bar: what it means, and the verb that ends it. */
static const struct {
    const char *text, *verb;
} bars[] = {
    [BAR_NONE] = {"the verdict does not say why", "accept"},
    [BAR_IDENTITY] = {"it belongs to another cluster", "accept"},
    [BAR_FENCED] = {"it was replaced and has not followed since", "accept"},
    [BAR_DRAINED] = {"the operator drained it", "undrain"},
    [BAR_OLDER] = {"its history is not newer than the cluster's", "accept"},
    [BAR_NOT_PROMOTED] = {"it takes writes, and nobody saw it promoted", "accept"},
    [BAR_UNAPPLIED] = {"it has received transactions that it has not applied", "accept"},
    [BAR_LACKS] = {"it lacks transactions of the primary, or may lack some", "accept"},
    [BAR_HELD] = {"it claims beside a primary, and nothing shows that it is the newer one",
                  "accept"},
    [BAR_TIE] = {"another claim is as good", "accept"},
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
        .bar = bar_names[member->bar],
    };
}

struct claim claim_in_view(const struct roster_member *member, const struct roster_state *state,
                           const char *bar)
{
    return (struct claim){
        .claims = member->claims && member->endpoint.role != ROSTER_ROLE_PRIMARY,
        .fenced = member->fenced,
        .drained = member->drained,
        .reason = member->reason,
        .primary = state->primary,
        .rule = state->rule,
        .bar = bar,
    };
}

/* What a verdict of a version before says without saying it; the first that holds. */
static enum bar derive(const struct claim *claim)
{
    bool tie = text_equal(claim->rule, rule_names[RULE_TIE]);
    return text_equal(claim->reason, answer_names[ANSWER_STRANGER]) ? BAR_IDENTITY
           : claim->fenced                                          ? BAR_FENCED
           : claim->drained                                         ? BAR_DRAINED
           : claim->primary[0]                                      ? BAR_HELD
           : tie                                                    ? BAR_TIE
                                                                    : BAR_OLDER;
}

const char *bar_of(const struct claim *claim)
{
    return !claim->claims ? NULL : claim->bar[0] ? claim->bar : bar_names[derive(claim)];
}

static enum bar find_bar(const char *name)
{
    int bar = name_index(bar_names, name);
    return bar > 0 && bar < BARS ? (enum bar)bar : BAR_NONE;
}

const char *bar_text(const char *bar)
{
    return bars[find_bar(bar)].text;
}

const char *bar_exit(const char *bar, const char *cluster, const char *member, char *to,
                     size_t size)
{
    snprintf(to, size, "roster %s %s %s", bars[find_bar(bar)].verb, cluster, member);
    return to;
}
