#include "tests/sim/plot.h"

#include <string.h>

enum { PATIENCE_MS = 60000 };

void plot_pass(struct world *world, int64_t ms)
{
    world_run(world, world_now(world) + ms, NULL);
}

void plot_await(struct world *world, bool (*holds)(struct world *world), const char *what)
{
    if (!world_run(world, world_now(world) + PATIENCE_MS, holds)) {
        world_fail(world, "waited in vain: %s", what);
    }
}

void plot_await_well(struct world *world)
{
    char why[SENTENCE_SIZE] = "";
    if (!world_run(world, world_now(world) + PATIENCE_MS, world_is_settled)) {
        world_is_well(world, why, sizeof why);
        world_fail(world, "not well in time: %s", why);
    }
}

bool plot_nobody_writes(struct world *world)
{
    const struct topology *topology = oracle_topology(world->oracle);
    return topology && !topology->primary[0] && router_writer(world->routers[0])[0] == '\0';
}

bool plot_second_writes(struct world *world)
{
    const struct topology *topology = oracle_topology(world->oracle);
    return topology && strcmp(topology->primary, world->databases.at[1].name) == 0 &&
           strcmp(router_writer(world->routers[0]), world->databases.at[1].name) == 0;
}

/* According to the verdict: the router waits, for its memory differs. */
bool plot_first_writes(struct world *world)
{
    return strcmp(oracle_topology(world->oracle)->primary, world->databases.at[0].name) == 0;
}

bool plot_in_conflict(struct world *world)
{
    return oracle_topology(world->oracle)->state == STATE_CONFLICT;
}

void plot_cut_paths(struct world *world, int database, bool cut)
{
    for (int i = 0; i < world->settings.probes; i++) {
        world_cut_path(world, i, database, cut);
    }
}

/* Three probes, a router, the first server primary and all well. */
void plot_begin(struct world *world)
{
    plot_await_well(world);
    plot_pass(world, 5000);
}

void plot_crash_and_promote(struct world *world)
{
    world_crash(world, 0);
    plot_pass(world, 2000);
    world_promote(world, 1);
    world_follow(world, 2, 1);
    plot_await(world, plot_second_writes, "the second server writes");
}

void plot_put_directives(struct world *world, const char *value)
{
    world_log(world, false, "somebody writes the directives: %s", value);
    ensemble_put(world->ensemble, SIM_ROOT "/clusters/" SIM_CLUSTER "/directives", value);
}

bool plot_two_are_listed(struct world *world)
{
    return oracle_topology(world->oracle)->member_count == 2;
}

bool plot_three_are_listed(struct world *world)
{
    return oracle_topology(world->oracle)->member_count == 3;
}
