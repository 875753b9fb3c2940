#include "probes/assess/incumbent.h"

#include <assert.h>
#include <string.h>

#include "probes/assess/standing.h"
#include "probes/drivers/gtid_fold.h"

static bool is_incumbent(const struct assessment *assessment, const struct assessed *member)
{
    return strcmp(assessment->incumbent, member->config.name) == 0;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

static const struct assessed *find_incumbent(const struct assessment *assessment)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        if (is_incumbent(assessment, &assessment->members[i])) {
            return &assessment->members[i];
        }
    }
    return NULL;
}

/* The acts that can come too late. One more of them begins the time anew. */
static void take_acts(struct assessed *member, unsigned acts, int64_t now_ms)
{
    acts &= ACT_PROMOTES;
    if (acts & ~member->acts) {
        member->acted_ms = now_ms;
        member->late = false;
    }
    member->acts = acts;
    member->late = member->late && acts;
}

void incumbent_take(struct assessment *assessment, const struct topology *topology, int64_t now_ms)
{
    const char *incumbent = !topology              ? ""
                            : topology->primary[0] ? topology->primary
                                                   : topology->last_primary;
    strcpy(assessment->incumbent, incumbent);
    strcpy(assessment->last_set, topology ? topology->last_set : "");
    for (size_t i = 0; i < assessment->member_count; i++) {
        struct assessed *member = &assessment->members[i];
        const struct member *known =
            topology ? topology_member(topology, member->config.name) : NULL;
        take_acts(member, known ? known->record.acts : 0, now_ms);
    }
}

/* ---- looks ----------------------------------------------------------------------------------- */

void incumbent_answered(struct assessment *assessment, const struct assessed *member,
                        int64_t now_ms)
{
    if (!is_incumbent(assessment, member) || !standing_claim(assessment, member).writable) {
        return;
    }
    for (size_t i = 0; i < assessment->member_count; i++) {
        struct assessed *other = &assessment->members[i];
        bool late = other != member && other->acts &&
                    now_ms - other->acted_ms > 2 * assessment->interval_ms;
        other->late = other->late || late;
    }
}

/* ---- the report ------------------------------------------------------------------------------ */

/* Of two sources the worse: the incumbent may have answered this probe before it answered others,
 * or the other way round. */
static enum gtid_relation compare(const struct assessment *assessment, const struct assessed *mine,
                                  const struct assessed *theirs)
{
    enum gtid_relation seen = gtid_fold_compare(mine->facts.gtids, theirs->facts.gtids);
    enum gtid_relation kept = is_incumbent(assessment, theirs)
                                  ? gtid_fold_compare(mine->facts.gtids, assessment->last_set)
                                  : GTID_UNKNOWN;
    if (seen == GTID_LACKS || kept == GTID_LACKS) {
        return GTID_LACKS;
    }
    return seen == GTID_UNKNOWN ? kept : seen;
}

/* A claim beside the incumbent, and beside other claims. Those that share are left out: they apply
 * each other's writes, and always differ by a few. */
static void compare_claim(const struct assessment *assessment, struct report *report, size_t i)
{
    const struct assessed *mine = &assessment->members[i];
    struct member_report *claimant = &report->members[i];
    for (size_t k = 0; k < report->member_count; k++) {
        const struct assessed *theirs = &assessment->members[k];
        if (k == i || !(is_incumbent(assessment, theirs) || report->members[k].claim)) {
            continue;
        }
        enum gtid_relation relation = compare(assessment, mine, theirs);
        claimant->misses |= relation == GTID_LACKS ? UINT32_C(1) << k : 0;
        claimant->has |= relation == GTID_CONTAINS ? UINT32_C(1) << k : 0;
    }
}

static bool is_fit(const struct member_report *report)
{
    return report->answer == ANSWER_OK && report->writable;
}

void incumbent_relate(const struct assessment *assessment, int64_t now_ms, struct report *report)
{
    assert(report->member_count == assessment->member_count);
    bool by_act = standing_traits(assessment)->by_act;
    for (size_t i = 0; by_act && i < report->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        struct member_report *mine = &report->members[i];
        mine->late = member->late;
        mine->stood = member->acts && now_ms - member->acted_ms > assessment->interval_ms;
        mine->acts = mine->late || mine->stood ? member->acts : 0;
        if (mine->claim && !mine->shared && !is_incumbent(assessment, member)) {
            compare_claim(assessment, report, i);
        }
    }
    const struct assessed *incumbent = by_act ? find_incumbent(assessment) : NULL;
    if (incumbent && !assessment->last_set[0] && incumbent->answered &&
        !is_fit(&report->members[incumbent - assessment->members])) {
        strcpy(report->last_set, incumbent->facts.gtids);
    }
}
