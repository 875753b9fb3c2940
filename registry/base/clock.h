/* The one door to the clocks. Steps do not call it: time is an argument of theirs. */
#ifndef ROSTER_REGISTRY_BASE_CLOCK_H
#define ROSTER_REGISTRY_BASE_CLOCK_H

#include <stdint.h>

enum { CLOCK_TEXT_SIZE = 32 };

/* Milliseconds of CLOCK_MONOTONIC; never goes back, does not advance while the machine is
 * suspended. */
int64_t clock_mono_ms(void);

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t clock_mono_ns(void);

/* Milliseconds of the processor that the calling thread has had. */
int64_t clock_thread_ms(void);

/* Milliseconds of CLOCK_BOOTTIME: like monotonic, but counts suspension. */
int64_t clock_boot_ms(void);

/* Milliseconds since 1970, UTC. For people and timelines, never for decisions. */
int64_t clock_wall_ms(void);

#endif
