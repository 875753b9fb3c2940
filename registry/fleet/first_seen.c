#include "registry/fleet/first_seen.h"

#include <string.h>

/* Does this report agree with the verdict about the primary? One that does not yet was written
 * for another reason. */
static bool agrees(const struct report *report, const struct topology *verdict,
                   const struct topology *previous)
{
    bool same = previous && strcmp(previous->primary, verdict->primary) == 0;
    const struct member_report *now = report_member(report, verdict->primary);
    const struct member_report *before = previous ? report_member(report, previous->primary) : NULL;
    return same || (verdict->primary[0] ? now && now->claim : !before || !before->claim);
}

int64_t first_seen_of(const struct topology *verdict, const struct evidence *evidence)
{
    int64_t first = 0;
    for (size_t i = 0; i < evidence->count; i++) {
        const struct report *report = evidence->votes[i].report;
        bool used = false;
        for (size_t k = 0; k < verdict->evidence_count; k++) {
            used = used || strcmp(verdict->evidence[k].probe, report->probe) == 0;
        }
        bool recent =
            evidence->previous == NULL || report->seen_wall_ms > evidence->previous->at_wall_ms;
        if (used && recent && agrees(report, verdict, evidence->previous) && report->seen_wall_ms &&
            (first == 0 || report->seen_wall_ms < first)) {
            first = report->seen_wall_ms;
        }
    }
    return first;
}
