/* Chance, from a seed. The same seed gives the same world. */
#ifndef ROSTER_TESTS_SIM_CHANCE_H
#define ROSTER_TESTS_SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/base/random.h"

struct chance {
    uint64_t state;
};

static inline uint64_t chance_draw(struct chance *chance)
{
    return random_next(&chance->state);
}

/* 0 .. n-1; 0 for n == 0. */
static inline uint64_t chance_below(struct chance *chance, uint64_t n)
{
    return n ? chance_draw(chance) % n : 0;
}

/* low .. high, both included. */
static inline int64_t chance_between(struct chance *chance, int64_t low, int64_t high)
{
    return low + (int64_t)chance_below(chance, (uint64_t)(high - low + 1));
}

static inline bool chance_hits(struct chance *chance, unsigned percent)
{
    return chance_below(chance, 100) < percent;
}

#endif
