/* The one door to the kernel's randomness: seeds, nonces, the halves of a UUID. */
#ifndef ROSTER_REGISTRY_BASE_ENTROPY_H
#define ROSTER_REGISTRY_BASE_ENTROPY_H

#include <stdint.h>

/* A random 64-bit number. Never fails and never blocks for long: without entropy (a machine that
 * just booted) it is made from the clock. Thread-safe. */
uint64_t entropy_draw(void);

#endif
