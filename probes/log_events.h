/* Facts as lines of the daemon's log: subject, sentence, evidence. What merely goes on is told once,
 * and again at growing intervals (damper.h): a day of any standing trouble is some hundred lines. */
#ifndef ROSTER_PROBES_LOG_EVENTS_H
#define ROSTER_PROBES_LOG_EVENTS_H

#include "probes/fact.h"
#include "registry/base/damper.h"
#include "registry/base/log.h"

struct log_events {
    struct damper damper;
};

/* `probe`: the name of ours. */
void log_events_fact(struct log_events *log, const char *probe, const struct fact *fact);

/* What the shell itself finds again and again. */
void log_events_say(struct log_events *log, enum log_level level, const char *subject,
                    const char *sentence);

#endif
