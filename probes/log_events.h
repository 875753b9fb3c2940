/* What the daemon's log says of members and verdicts: subject, sentence, evidence. */
#ifndef ROSTER_PROBES_LOG_EVENTS_H
#define ROSTER_PROBES_LOG_EVENTS_H

#include "probes/assess/assess.h"

/* A member's standing changed. */
void words_member(const char *cluster, const struct assessed *member);

/* Another verdict is in force. `before` is NULL for a first one. */
void words_verdict(const char *cluster, const struct topology *before, const struct topology *now);

#endif
