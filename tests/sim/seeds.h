/* Worlds drawn from seeds: faults of a drawn choice of kinds for a while, then peace, in which all
 * must become well. */
#ifndef ROSTER_TESTS_SIM_SEEDS_H
#define ROSTER_TESTS_SIM_SEEDS_H

#include <stdbool.h>
#include <stdint.h>

struct seeds_settings {
    uint64_t from;
    uint64_t count;
    int64_t budget_ms; /* of real time: no further seed is begun after it; 0: no limit */
    bool loud;
    const char *program; /* for the command that replays */
};

/* Runs every seed twice and compares. Prints one "ok" or "not ok" line in all. Returns how many
 * failed; stops at the first. */
int seeds_run(const struct seeds_settings *settings);

#endif
