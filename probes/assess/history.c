#include "probes/assess/history.h"

#include <assert.h>
#include <string.h>

#include "probes/assess/standing.h"

/* Two looks at a source: the second was begun when the first had ended, so its answer is the later
 * one whatever was under way when the standby answered. */
enum { LATER_LOOKS = 2 };

/* Not of what an operator's statement says: its numbers may be of any sort. */
static bool applies(const struct assessment *assessment)
{
    return standing_traits(assessment)->identity_in_data;
}

static bool has_position(const struct observation *facts)
{
    return facts->position >= 0 && lineage_is_total(facts->lineage);
}

static bool is_same_run(const struct observation *a, const struct observation *b)
{
    return strcmp(a->self_id, b->self_id) == 0 && strcmp(a->lineage, b->lineage) == 0 &&
           a->start_ms == b->start_ms;
}

/* The mark stands until it is judged, though the standby answers meanwhile. */
static void mark(struct assessed *member, const struct observation *before)
{
    struct history *history = &member->history;
    const struct observation *facts = &member->facts;
    bool goes_on = before && before->live && facts->live && is_same_run(before, facts);
    if (!goes_on) {
        *history = (struct history){.fenced = history->fenced, .doubted = history->doubted};
    }
    history->moved = history->moved || (goes_on && facts->position > before->position);
    if (facts->live && has_position(facts) && history->looks == 0) {
        history->mark = facts->position;
        history->looks = LATER_LOOKS;
    }
}

static void judge(struct history *history, int64_t written)
{
    if (history->looks > 0 && --history->looks == 0) {
        history->ahead = history->mark > written;
        history->within = !history->ahead;
    }
}

/* The verdict's primary, or whoever claims while there is none. */
static bool is_source(const struct assessment *assessment, const struct assessed *member)
{
    bool known = false;
    for (size_t i = 0; i < assessment->member_count; i++) {
        known = known || assessment->members[i].was_primary;
    }
    return !member->facts.replica && has_position(&member->facts) &&
           (known ? member->was_primary : standing_claims(assessment, member));
}

void history_look(struct assessment *assessment, struct assessed *member,
                  const struct observation *before)
{
    assert(member->answered);
    if (!applies(assessment)) {
        member->history = (struct history){0};
        return;
    }
    mark(member, before);
    if (!is_source(assessment, member)) {
        return;
    }
    for (size_t i = 0; i < assessment->member_count; i++) {
        struct assessed *other = &assessment->members[i];
        if (other != member && other->answered && other->facts.live &&
            strcmp(other->facts.identity, member->facts.identity) == 0 &&
            strcmp(other->facts.lineage, member->facts.lineage) == 0) {
            judge(&other->history, member->facts.position);
        }
    }
}

void history_hint(struct assessment *assessment, const struct topology *topology)
{
    for (size_t i = 0; applies(assessment) && i < assessment->member_count; i++) {
        struct assessed *member = &assessment->members[i];
        const struct member *known = topology_member(topology, member->config.name);
        bool primary = strcmp(topology->primary, member->config.name) == 0;
        member->history.fenced = known && known->fenced;
        member->history.doubted = known && !primary && lineage_is_total(topology->lineage) &&
                                  strcmp(known->record.lineage, topology->lineage) == 0;
    }
}

bool history_is_apart(const struct assessed *member)
{
    const struct history *history = &member->history;
    return member->facts.live && has_position(&member->facts) &&
           (history->ahead || (history->fenced && !history->within) ||
            (history->doubted && !(history->within && history->moved)));
}
