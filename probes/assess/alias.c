#include "probes/assess/alias.h"

#include <assert.h>
#include <string.h>

#include "probes/assess/standing.h"
#include "registry/base/text.h"

enum { PROVED = 16 };

static struct alias_pair *pair_of(struct assessment *assessment, size_t i, size_t k)
{
    assert(i != k && i < MEMBERS_MAX && k < MEMBERS_MAX);
    return i < k ? &assessment->aliases.pairs[i][k] : &assessment->aliases.pairs[k][i];
}

static const struct alias_pair *pair_in(const struct assessment *assessment, size_t i, size_t k)
{
    const struct aliases *aliases = &assessment->aliases;
    return i < k ? &aliases->pairs[i][k] : &aliases->pairs[k][i];
}

static bool is_one(const struct assessment *assessment, size_t i, size_t k)
{
    return pair_in(assessment, i, k)->score >= PROVED;
}

void alias_forget(struct assessment *assessment)
{
    memset(assessment->aliases.pairs, 0, sizeof assessment->aliases.pairs);
}

/* ---- two looks ------------------------------------------------------------------------------- */

enum likeness { OTHER, MAYBE, SAME };

/* Of one row: so near to each other that they were counted from one second. */
static bool near(const struct observation *a, const struct observation *b)
{
    uint64_t gap = a->serial > b->serial ? a->serial - b->serial : b->serial - a->serial;
    return a->serial && b->serial && gap < UINT64_C(1) << 24;
}

static enum likeness likeness_of(const struct observation *a, const struct observation *b)
{
    if (!a->self_id[0] || !text_equal(a->self_id, b->self_id) ||
        !text_equal(a->identity, b->identity) || a->group.type != b->group.type) {
        return OTHER;
    }
    /* PostgreSQL's identity is the microsecond of its start */
    return a->start_ms > 0 && a->uptime_ms < 0 ? SAME : near(a, b) ? MAYBE : OTHER;
}

/* A number is given out once. */
static bool gave_out(const struct assessed *member, uint64_t serial)
{
    for (size_t i = 0; i < PROGRESS_KEPT; i++) {
        if (serial && member->progress[i].serial == serial) {
            return true;
        }
    }
    return false;
}

static bool is_behind(const struct progress *now, const struct progress *before)
{
    if (now->serial) {
        return now->serial < before->serial;
    }
    return now->replica == before->replica && now->position >= 0 &&
           now->position < before->position;
}

/* What it showed last before this time. */
static const struct progress *shown_at(const struct assessed *member, int64_t ms)
{
    for (size_t i = 0; i < PROGRESS_KEPT; i++) {
        if (member->progress[i].ms && member->progress[i].ms <= ms) {
            return &member->progress[i];
        }
    }
    return NULL;
}

/* Looks at two members overlap: this one began after the member's former one had ended. */
static void compare(struct assessment *assessment, size_t i, size_t k)
{
    const struct assessed *member = &assessment->members[i], *other = &assessment->members[k];
    struct alias_pair *pair = pair_of(assessment, i, k);
    enum likeness likeness = likeness_of(&member->facts, &other->facts);
    if (likeness == OTHER) {
        *pair = (struct alias_pair){0};
        return;
    }
    const struct progress *before = shown_at(other, member->progress[1].ms);
    bool same_run = before && before->ms >= other->run_ms;
    if (gave_out(other, member->facts.serial) ||
        (same_run && is_behind(&member->progress[0], before))) {
        pair->is_other = true;
    }
    int score = likeness == SAME ? PROVED : pair->score + same_run;
    pair->score = (uint8_t)(pair->is_other ? 0 : score > PROVED ? PROVED : score);
}

static void remember_look(struct assessed *member)
{
    memmove(&member->progress[1], &member->progress[0],
            sizeof member->progress - sizeof member->progress[0]);
    member->progress[0] = (struct progress){member->facts.serial, member->facts.position,
                                            member->facts.replica, member->answered_ms};
}

/* Its present server was another member's before it was this one's. */
static bool has_moved(const struct assessment *assessment, size_t i, int64_t before_ms)
{
    const struct assessed *member = &assessment->members[i];
    for (size_t k = 0; k < assessment->member_count; k++) {
        const struct assessed *other = &assessment->members[k];
        if (k != i && standing_has_answer(other) && other->run_ms <= before_ms &&
            likeness_of(&other->facts, &member->facts) != OTHER) {
            return true;
        }
    }
    return false;
}

/* ---- which of the two ------------------------------------------------------------------------ */

static bool is_alias_of(const struct assessment *assessment, size_t i, size_t k)
{
    const struct assessed *mine = &assessment->members[i], *other = &assessment->members[k];
    if (mine->moved != other->moved) {
        return mine->moved;
    }
    if (mine->was_alias != other->was_alias) {
        return mine->was_alias;
    }
    if (mine->was_primary != other->was_primary) {
        return other->was_primary;
    }
    return strcmp(mine->config.name, other->config.name) > 0;
}

/* They may be one, and not enough looks have shown whether they are. */
static bool is_undecided(const struct assessment *assessment, size_t i, size_t k)
{
    const struct assessed *mine = &assessment->members[i], *other = &assessment->members[k];
    const struct alias_pair *pair = pair_in(assessment, i, k);
    return standing_has_answer(mine) && standing_has_answer(other) && pair->score < PROVED &&
           !pair->is_other && likeness_of(&mine->facts, &other->facts) != OTHER;
}

static int64_t last_ms(const struct assessed *member)
{
    return member->answered_ms > member->looked_ms ? member->answered_ms : member->looked_ms;
}

/* When a server was restarted, one of its names shows that before the other. */
static bool is_compared(const struct assessment *assessment, size_t i)
{
    const struct assessed *member = &assessment->members[i];
    for (size_t k = 0; k < assessment->member_count; k++) {
        const struct assessed *other = &assessment->members[k];
        if (k != i && (last_ms(other) < member->run_ms || last_ms(member) < other->run_ms ||
                       is_undecided(assessment, i, k))) {
            return false;
        }
    }
    return true;
}

/* The server itself: of those that it is one with, the one that is no alias. -1: it is that. */
static int find_target(const struct assessment *assessment, size_t i)
{
    int target = -1;
    for (size_t k = 0; k < assessment->member_count; k++) {
        if (k != i && is_one(assessment, i, k) && is_alias_of(assessment, i, k) &&
            (target < 0 || is_alias_of(assessment, (size_t)target, k))) {
            target = (int)k;
        }
    }
    return target;
}

static void judge(struct assessment *assessment, size_t i)
{
    struct assessed *member = &assessment->members[i];
    int target = find_target(assessment, i);
    if (target >= 0) {
        strcpy(member->alias, assessment->members[target].config.name);
    } else if (member->alias[0] && standing_has_answer(member) && is_compared(assessment, i)) {
        member->alias[0] = '\0';
    }
}

void alias_look(struct assessment *assessment, size_t i, const struct observation *before,
                int64_t before_ms)
{
    struct assessed *member = &assessment->members[i];
    assert(member->answered);
    remember_look(member);
    if (!before || likeness_of(before, &member->facts) == OTHER) {
        member->moved = member->moved || (before && has_moved(assessment, i, before_ms));
        member->run_ms = member->answered_ms;
    }
    for (size_t k = 0; k < assessment->member_count; k++) {
        if (k != i && assessment->members[k].answered) {
            compare(assessment, i, k);
        }
    }
    for (size_t k = 0; k < assessment->member_count; k++) {
        judge(assessment, k);
    }
}

bool alias_is_open(const struct assessment *assessment)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        for (size_t k = 0; k < i; k++) {
            bool marked = assessment->members[i].alias[0] || assessment->members[k].alias[0];
            if (!marked && is_undecided(assessment, i, k)) {
                return true;
            }
        }
    }
    return false;
}

void alias_hint(struct assessment *assessment, const struct topology *topology)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        struct assessed *member = &assessment->members[i];
        const struct member *known = topology_member(topology, member->config.name);
        member->was_alias = known && known->alias[0];
        member->was_primary = text_equal(topology->primary, member->config.name);
    }
}
