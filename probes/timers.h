/* When what is due: a binary heap of timers that live inside their owners.
 *
 * A timer is in the heap from timers_add to timers_remove, whether it is set or
 * not, so that setting one never needs memory. Pure. */
#ifndef ROSTER_PROBES_TIMERS_H
#define ROSTER_PROBES_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER INT64_MAX

struct timer {
    int64_t due_ms;
    size_t at; /* its place in the heap */
    int kind;  /* the owner's */
    void *owner;
};

struct timers {
    struct timer **heap;
    size_t count, room;
};

/* Not set yet. False: no memory. */
bool timers_add(struct timers *timers, struct timer *timer, int kind, void *owner);
void timers_remove(struct timers *timers, struct timer *timer);
void timers_release(struct timers *timers);

void timers_set(struct timers *timers, struct timer *timer, int64_t due_ms);

/* A timer that is due, which is set no more; NULL: none is. */
struct timer *timers_take(struct timers *timers, int64_t now_ms);

/* When the first one is due; TIMER_NEVER: none is set. */
int64_t timers_due(const struct timers *timers);

#endif
