/* Virtual time: what is to happen, in order. Two things of one millisecond
 * happen in the order in which they were put down. */
#ifndef ROSTER_TESTS_SIM_AGENDA_H
#define ROSTER_TESTS_SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry {
    int64_t at_ms;
    uint64_t order;
    void (*run)(void *owner, uint64_t arg);
    void *owner;
    uint64_t arg;
};

struct agenda {
    int64_t now_ms;
    uint64_t entered;
    size_t count, room;
    struct entry *heap;
};

/* Moments that are past happen now. */
void agenda_at(struct agenda *agenda, int64_t at_ms, void (*run)(void *owner, uint64_t arg),
               void *owner, uint64_t arg);

/* Does the next thing that is due by `until_ms`; false, with the time at until_ms, when there is
 * none. */
bool agenda_step(struct agenda *agenda, int64_t until_ms);

void agenda_release(struct agenda *agenda);

#endif
