#include "probes/log_events.h"

#include <stdio.h>

#include "registry/base/clock.h"
#include "registry/base/log.h"
#include "registry/base/text.h"

void words_member(const char *cluster, const struct assessed *member)
{
    char subject[2 * NAME_SIZE];
    snprintf(subject, sizeof subject, "%s/%s", cluster, member->config.name);
    if (member->standing == ANSWER_OK) {
        log_line(LOG_NOTICE, subject, "answers: %s, version %s%s%s",
                 member->facts.replica ? "a replica" : "no replica", member->facts.version,
                 member->facts.writable ? ", writable" : "",
                 member->facts.missing[0] ? "; a privilege is missing" : "");
        if (member->facts.missing[0]) {
            log_line(LOG_WARNING, subject, "the account lacks %s: what depends on it is not seen",
                     member->facts.missing);
        }
    } else {
        log_line(LOG_WARNING, subject, "went %s%s%s", answer_names[member->standing],
                 member->detail[0] ? ": " : "", member->detail);
    }
}

void words_verdict(const char *cluster, const struct topology *before, const struct topology *now)
{
    if (!before || !text_equal(before->primary, now->primary)) {
        log_line(LOG_NOTICE, cluster,
                 "primary went %s (rule %s) epoch=%lld was=%s state=%s by=%s: %s",
                 now->primary[0] ? now->primary : "none", topology_rule(now), (long long)now->epoch,
                 before && before->primary[0] ? before->primary : "none", state_names[now->state],
                 now->by, now->why);
        if (now->seen_wall_ms) {
            char seen[CLOCK_TEXT_SIZE];
            log_line(LOG_NOTICE, cluster, "timeline: evidence %s, verdict +%lld ms",
                     text_time(seen, sizeof seen, now->seen_wall_ms),
                     (long long)(now->at_wall_ms - now->seen_wall_ms));
        }
    } else if (before->state != now->state) {
        log_line(now->state == STATE_OK ? LOG_NOTICE : LOG_WARNING, cluster,
                 "state went %s (rule %s) by=%s: %s", state_names[now->state], topology_rule(now),
                 now->by, now->why);
    } else {
        log_line(LOG_INFO, cluster, "topology changed by %s: %s", now->by, now->why);
    }
}
