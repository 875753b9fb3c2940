#include "probes/timers.h"

#include <assert.h>
#include <stdlib.h>

static void place(struct timers *timers, struct timer *timer, size_t at)
{
    timers->heap[at] = timer;
    timer->at = at;
}

static void sift_up(struct timers *timers, struct timer *timer)
{
    size_t at = timer->at;
    while (at > 0 && timers->heap[(at - 1) / 2]->due_ms > timer->due_ms) {
        place(timers, timers->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    place(timers, timer, at);
}

static void sift_down(struct timers *timers, struct timer *timer)
{
    size_t at = timer->at;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < timers->count &&
            timers->heap[child + 1]->due_ms < timers->heap[child]->due_ms) {
            child++;
        }
        if (child >= timers->count || timers->heap[child]->due_ms >= timer->due_ms) {
            break;
        }
        place(timers, timers->heap[child], at);
        at = child;
    }
    place(timers, timer, at);
}

static bool is_in(const struct timers *timers, const struct timer *timer)
{
    return timer->at < timers->count && timers->heap[timer->at] == timer;
}

bool timers_add(struct timers *timers, struct timer *timer, int kind, void *owner)
{
    assert(!is_in(timers, timer));
    if (timers->count == timers->room) {
        size_t room = timers->room ? 2 * timers->room : 16;
        struct timer **heap = realloc(timers->heap, room * sizeof(struct timer *));
        if (!heap) {
            return false;
        }
        timers->heap = heap;
        timers->room = room;
    }
    *timer = (struct timer){.due_ms = TIMER_NEVER, .kind = kind, .owner = owner};
    place(timers, timer, timers->count++);
    return true;
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    assert(is_in(timers, timer));
    struct timer *last = timers->heap[--timers->count];
    if (last != timer) {
        place(timers, last, timer->at);
        sift_up(timers, last);
        sift_down(timers, last);
    }
}

void timers_release(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){0};
}

void timers_set(struct timers *timers, struct timer *timer, int64_t due_ms)
{
    assert(is_in(timers, timer));
    timer->due_ms = due_ms;
    sift_up(timers, timer);
    sift_down(timers, timer);
}

struct timer *timers_take(struct timers *timers, int64_t now_ms)
{
    if (timers->count == 0 || timers->heap[0]->due_ms > now_ms) {
        return NULL;
    }
    struct timer *timer = timers->heap[0];
    timers_set(timers, timer, TIMER_NEVER);
    return timer;
}

int64_t timers_due(const struct timers *timers)
{
    return timers->count ? timers->heap[0]->due_ms : TIMER_NEVER;
}
