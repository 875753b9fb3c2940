/* Random numbers for pauses, choices and identities; not for secrets. Pure: whoever needs chance
 * is handed a seed, and the kernel is asked in entropy.h alone. */
#ifndef ROSTER_REGISTRY_BASE_RANDOM_H
#define ROSTER_REGISTRY_BASE_RANDOM_H

#include <stdint.h>

enum { UUID_SIZE = 37 }; /* 36 characters and the end */

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). Any number
 * is a state; random_next advances it and returns the next number of its sequence. Inline, because
 * every route() draws one. */
static inline uint64_t random_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t random_step(uint64_t *state)
{
    return *state += UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint64_t random_next(uint64_t *state)
{
    return random_mix(random_step(state));
}

/* A UUID of version 4 (RFC 4122) from two random numbers. Returns `to`. */
const char *random_uuid(char to[UUID_SIZE], uint64_t a, uint64_t b);

#endif
