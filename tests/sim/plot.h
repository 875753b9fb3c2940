/* What stories are told with: the world set up, moments waited for, what an operator does. */
#ifndef ROSTER_TESTS_SIM_PLOT_H
#define ROSTER_TESTS_SIM_PLOT_H

#include "tests/sim/world.h"

/* How the world is set up for a story. */
enum stage {
    STREAMING,
    STREAMING_DISCOVERY, /* the last server is left to discovery */
    STREAMING_AUTO,      /* the kind is for the servers to show */
    ASYNC
};

struct story {
    const char *name;
    enum stage stage;
    void (*play)(struct world *world);
};

extern const struct story inheritance_stories[]; /* ends with one without a name */

void plot_pass(struct world *world, int64_t ms);
void plot_await(struct world *world, bool (*holds)(struct world *world), const char *what);
void plot_await_well(struct world *world);
bool plot_nobody_writes(struct world *world);
bool plot_second_writes(struct world *world);
bool plot_first_writes(struct world *world);
bool plot_in_conflict(struct world *world);
void plot_cut_paths(struct world *world, int database, bool cut);
void plot_begin(struct world *world);
void plot_crash_and_promote(struct world *world);
void plot_put_directives(struct world *world, const char *value);
bool plot_two_are_listed(struct world *world);
bool plot_three_are_listed(struct world *world);

#endif
