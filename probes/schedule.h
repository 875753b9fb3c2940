/* When to look: quiet cadence, and closer while something is changing.
 *
 *   quiet      every `interval`, at a phase of the wall clock that this probe's place in
 *              the fleet gives, so that N probes look N times an interval between them; the
 *              primary first, since the others are measured by what it had
 *   alarm      every `alert_interval`, for ALARM_HOLD_MS after the last change, and
 *              for SEARCH_MS while no writer is both agreed on and seen
 *   searching  every SEARCH_SLOW_MS for SEARCH_LONG_MS more, then quiet again
 *
 * The alarm is raised by a change only. No alarm brings a look forward that needs a
 * log-in which must wait (debts.h); and a member that has no connection to spare is
 * not pressed. Pure. */
#ifndef ROSTER_PROBES_SCHEDULE_H
#define ROSTER_PROBES_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/model/model.h"

enum {
    ALARM_HOLD_MS = 1000,
    SEARCH_MS = 60000,
    SEARCH_SLOW_MS = 100,
    SEARCH_LONG_MS = 600000,
    FRESH_EVERY = 10, /* every so many looks a fresh connection is made, */
    /* but in an alarm no more often than this: an encrypted log-in is dear */
    FRESH_PACE_MS = 1000,
    /* nor, with a kept one that serves, when the last one was refused */
    FRESH_REFUSED_WAIT_MS = 60000,
    /* a log-in for which this machine computes long comes rarely: its part of the time, in so
     * many */
    DEAR_MS = 20,
    DEAR_PART = 50,
    FOLLOW_MS = 50,
    OVERDUE_MS = 100 /* a look that takes longer raises the alarm */
};

struct schedule {
    int64_t interval_ms, alert_ms;
    int64_t alarm_until_ms;
    int64_t lost_ms; /* since when there is no valid writer; -1: there is one */
};

/* When one member was looked at, and when it is to be. */
struct look_times {
    bool in_flight; /* a look is under way: never two at once */
    int64_t began_ms;
    int64_t due_ms;
    int64_t not_before_ms; /* whatever the alarm */
    unsigned looks;
    unsigned denials; /* in a row: our statement is refused over a session that works */
    int64_t after_ms; /* how long after the phase: FOLLOW_MS for those that follow the primary */
};

void schedule_init(struct schedule *schedule, int64_t interval_ms, int64_t alert_ms,
                   int64_t now_ms);
void schedule_reload(struct schedule *schedule, int64_t interval_ms, int64_t alert_ms);

/* Something changed: look closely, at once. True when the cadence was slower until now: then
 * look_times_expedite the members that wait. */
bool schedule_alarm(struct schedule *schedule, int64_t now_ms);

/* Is there a writer that the fleet agrees on and that we see ourselves? */
void schedule_writer(struct schedule *schedule, bool valid, int64_t now_ms);

/* Milliseconds between two looks, as of now. */
int64_t schedule_gap(const struct schedule *schedule, int64_t now_ms);

/* A look begins. */
void look_times_begin(struct look_times *times, int64_t now_ms);

/* A look ended: when the next one is due, not before not_before_ms. `rank` of `size` is our place
 * in the fleet. */
void look_times_end(struct look_times *times, const struct schedule *schedule, enum answer answer,
                    int64_t now_ms, int64_t now_wall_ms, size_t rank, size_t size);

/* Bring a look that waits forward after an alarm. */
void look_times_expedite(struct look_times *times, const struct schedule *schedule,
                         enum answer standing, int64_t now_ms);

#endif
