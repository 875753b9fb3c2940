/* Facts as lines of the daemon's log: subject, sentence, evidence. */
#ifndef ROSTER_PROBES_LOG_EVENTS_H
#define ROSTER_PROBES_LOG_EVENTS_H

#include "probes/fact.h"

/* `probe`: the name of ours. */
void log_events_fact(const char *probe, const struct fact *fact);

#endif
