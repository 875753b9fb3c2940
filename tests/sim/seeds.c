#include "tests/sim/seeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "registry/model/codec.h"
#include "tests/sim/store_mem.h"
#include "tests/sim/world.h"

enum {
    WARM_MS = 60000,   /* to the first verdict */
    FAULTS_MS = 60000, /* of trouble */
    PEACE_MS = 60000,  /* within which all is well again */
    LOOK_MS = 15000,   /* the operator looks so often */
    STEADY_MS = 3000   /* so long it stays well */
};

#define TOPOLOGY SIM_ROOT "/clusters/" SIM_CLUSTER "/topology"

/* ---- kinds of trouble: each does one thing, if it can ---------------------------------------- */

static int any(struct world *world, int n)
{
    return (int)chance_below(&world->chance, (uint64_t)n);
}

static int any_database(struct world *world)
{
    return any(world, world->databases.count);
}

static int writer_of(const struct world *world)
{
    for (int i = 0; i < world->databases.count; i++) {
        if (databases_writes(&world->databases, i)) {
            return i;
        }
    }
    return -1;
}

static struct sim_probe *any_probe(struct world *world, int *ret_index)
{
    *ret_index = any(world, world->settings.probes);
    return world->probes[*ret_index];
}

static void crash_something(struct world *world)
{
    int i = any_database(world);
    int writer = writer_of(world);
    i = writer >= 0 && chance_hits(&world->chance, 50) ? writer : i;
    if (world->databases.at[i].condition == RUNNING) {
        world_crash(world, i);
    }
}

static void hang_something(struct world *world)
{
    int i = any_database(world);
    if (world->databases.at[i].condition == RUNNING) {
        world_hang(world, i);
    }
}

/* It may be a former primary, and still think that it is one. */
static void return_something(struct world *world)
{
    int i = any_database(world);
    if (world->databases.at[i].condition != RUNNING) {
        world_return(world, i);
    }
}

/* The databases' own HA: when nobody writes, somebody is promoted and some follow. Some do not look
 * whether somebody writes. */
static void promote_something(struct world *world)
{
    bool careless = chance_hits(&world->chance, 15);
    int i = any_database(world);
    if ((writer_of(world) < 0 || careless) && world_promote(world, i)) {
        for (int k = 0; k < world->databases.count; k++) {
            if (k != i && world->databases.at[k].condition == RUNNING &&
                chance_hits(&world->chance, 70)) {
                world_follow(world, k, i);
            }
        }
    }
}

static void switch_over(struct world *world)
{
    int writer = writer_of(world);
    int i = any_database(world);
    if (writer >= 0 && i != writer && world->databases.at[i].condition == RUNNING) {
        world_demote(world, writer);
        world_promote(world, i);
        world_follow(world, writer, i);
    }
}

static void follow_something(struct world *world)
{
    int writer = writer_of(world);
    int i = any_database(world);
    if (writer >= 0 && i != writer) {
        world_follow(world, i, writer);
    }
}

/* Without an order: somebody opens a replica, for a temporary table or by mistake. */
static void open_something(struct world *world)
{
    int i = any_database(world);
    const struct database *database = &world->databases.at[i];
    if (world->databases.kind == KIND_ASYNC && database->condition == RUNNING &&
        database->standby && !database->writable) {
        world_open(world, i);
    }
}

/* For a backup, or at an error; and it is started again. */
static void stop_or_start_channel(struct world *world)
{
    int i = any_database(world);
    const struct database *database = &world->databases.at[i];
    if (world->databases.kind == KIND_ASYNC && database->condition == RUNNING &&
        database->standby) {
        (database->stopped ? world_start_channel : world_stop_channel)(world, i);
    }
}

static void restart_something(struct world *world)
{
    int i = any_database(world);
    bool channel = chance_hits(&world->chance, 50);
    if (world->databases.at[i].condition == RUNNING) {
        world_restart(world, i, channel);
    }
}

static void restore_something(struct world *world)
{
    int writer = writer_of(world);
    int i = any_database(world);
    if (world->databases.kind == KIND_STREAMING && writer >= 0 && i != writer) {
        world_restore(world, i, writer);
    }
}

static void cut_stream(struct world *world)
{
    struct database *database = &world->databases.at[any_database(world)];
    database->stream_cut = !database->stream_cut;
    world_log(world, true, "the stream to %s is %s", database->name,
              database->stream_cut ? "cut" : "mended");
}

static void cut_path(struct world *world)
{
    int probe = any(world, world->settings.probes);
    int database = any_database(world);
    world_cut_path(world, probe, database, !world->path_cut[probe][database]);
}

static void cut_off_probe(struct world *world)
{
    int probe = any(world, world->settings.probes);
    bool cut = chance_hits(&world->chance, 50);
    for (int i = 0; i < world->databases.count; i++) {
        world_cut_path(world, probe, i, cut);
    }
}

static void kill_or_start_probe(struct world *world)
{
    int i;
    struct sim_probe *probe = any_probe(world, &i);
    if (probe) {
        world_kill_probe(world, i);
    } else {
        world_start_probe(world, i);
    }
}

static void freeze_or_thaw_probe(struct world *world)
{
    int i;
    struct sim_probe *probe = any_probe(world, &i);
    if (probe && sim_probe_is_frozen(probe)) {
        world_thaw_probe(world, i);
    } else if (probe) {
        world_freeze_probe(world, i);
    }
}

/* A probe or a router, its link to the registry. */
static struct store *any_client(struct world *world)
{
    int i = any(world, world->settings.probes + world->settings.routers);
    if (i >= world->settings.probes) {
        return router_store(world->routers[i - world->settings.probes]);
    }
    return world->probes[i] ? sim_probe_store(world->probes[i]) : NULL;
}

static void cut_link(struct world *world)
{
    struct store *store = any_client(world);
    bool silent = chance_hits(&world->chance, 50);
    if (store) {
        world_log(world, true, "a link breaks%s", silent ? " silently" : "");
        store_mem_cut(store, silent);
    }
}

static void mend_link(struct world *world)
{
    struct store *store = any_client(world);
    if (store) {
        store_mem_mend(store);
    }
}

/* Cut and mended at once: outcomes unknown, the session lives. */
static void flap_link(struct world *world)
{
    struct store *store = any_client(world);
    if (store) {
        world_log(world, true, "a link flaps");
        store_mem_cut(store, false);
        store_mem_mend(store);
    }
}

static void delay_link(struct world *world)
{
    struct store *store = any_client(world);
    int64_t most_ms = chance_hits(&world->chance, 50) ? 2 : chance_between(&world->chance, 5, 1500);
    if (store) {
        store_mem_delay(store, 0, most_ms);
    }
}

static void expire_session(struct world *world)
{
    struct store *store = any_client(world);
    if (store) {
        world_log(world, true, "a session expires");
        store_mem_expire(store);
    }
}

static void expire_all_sessions(struct world *world)
{
    world_log(world, true, "all sessions expire");
    for (int i = 0; i < PROBES; i++) {
        if (world->probes[i]) {
            store_mem_expire(sim_probe_store(world->probes[i]));
        }
    }
    for (int i = 0; i < world->settings.routers; i++) {
        store_mem_expire(router_store(world->routers[i]));
    }
}

static void break_write(struct world *world)
{
    int i;
    struct sim_probe *probe = any_probe(world, &i);
    bool carried_out = chance_hits(&world->chance, 50);
    if (probe) {
        world_log(world, true, "the next verdict of %s has an unknown outcome", probe_name(i));
        store_mem_break_at(sim_probe_store(probe), TOPOLOGY, carried_out);
    }
}

static void halt_or_resume(struct world *world)
{
    bool halted = world->ensemble->halted;
    world_log(world, true, "the registry %s", halted ? "is back" : "is gone");
    if (halted) {
        ensemble_resume(world->ensemble);
    } else {
        ensemble_halt(world->ensemble);
    }
    oracle_halted(world->oracle, !halted);
}

static void lag_server(struct world *world)
{
    struct zk_server *server = &world->ensemble->servers[any(world, SERVERS)];
    server->lag_ms = chance_hits(&world->chance, 50) ? 0 : chance_between(&world->chance, 10, 3000);
}

static void touch_topology(struct world *world)
{
    bool deletes = chance_hits(&world->chance, 50);
    if (world->ensemble->halted || !tree_find(&world->ensemble->head, TOPOLOGY)) {
        return;
    }
    world_log(world, true, "somebody %s the topology", deletes ? "deletes" : "spoils");
    if (deletes) {
        ensemble_delete(world->ensemble, TOPOLOGY);
    } else {
        ensemble_put(world->ensemble, TOPOLOGY, "{ \"format\": 1, \"cluster\": 7 }");
    }
}

static void touch_report(struct world *world)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, SIM_ROOT "/clusters/" SIM_CLUSTER "/reports/%s",
             probe_name(any(world, world->settings.probes)));
    if (!world->ensemble->halted) {
        world_log(world, true, "somebody deletes %s", path);
        ensemble_delete(world->ensemble, path);
    }
}

static const struct {
    const char *name;
    void (*strike)(struct world *world);
    unsigned weight; /* how often, among those drawn */
} troubles[] = {
    {"crash", crash_something, 4},
    {"hang", hang_something, 2},
    {"return", return_something, 5},
    {"promote", promote_something, 8},
    {"switch", switch_over, 2},
    {"follow", follow_something, 3},
    {"open", open_something, 4},
    {"channel", stop_or_start_channel, 4},
    {"restart", restart_something, 4},
    {"restore", restore_something, 1},
    {"stream", cut_stream, 1},
    {"path", cut_path, 3},
    {"blind", cut_off_probe, 1},
    {"kill", kill_or_start_probe, 2},
    {"freeze", freeze_or_thaw_probe, 3},
    {"cut", cut_link, 2},
    {"mend", mend_link, 4},
    {"flap", flap_link, 3},
    {"delay", delay_link, 2},
    {"expire", expire_session, 1},
    {"expire-all", expire_all_sessions, 1},
    {"break", break_write, 2},
    {"halt", halt_or_resume, 1},
    {"lag", lag_server, 2},
    {"topology", touch_topology, 1},
    {"report", touch_report, 1},
};
enum { TROUBLES = sizeof troubles / sizeof *troubles };

/* A swarm: each seed knows only some kinds of trouble. Databases always crash, return and are
 * promoted. */
static unsigned draw_weights(struct world *world, unsigned weights[TROUBLES])
{
    unsigned sum = 0;
    for (int i = 0; i < TROUBLES; i++) {
        bool always = troubles[i].strike == promote_something ||
                      troubles[i].strike == return_something ||
                      troubles[i].strike == crash_something;
        weights[i] = always || chance_hits(&world->chance, 40) ? troubles[i].weight : 0;
        sum += weights[i];
    }
    return sum;
}

static void strike(struct world *world, const unsigned weights[TROUBLES], unsigned sum)
{
    unsigned mark = (unsigned)chance_below(&world->chance, sum);
    for (int i = 0; i < TROUBLES; i++) {
        if (mark < weights[i]) {
            troubles[i].strike(world);
            return;
        }
        mark -= weights[i];
    }
}

/* ---- peace ----------------------------------------------------------------------------------- */

/* The operator vouches for a member that was fenced. */
static void accept_fenced(struct world *world, int database)
{
    const struct topology *topology = oracle_topology(world->oracle);
    const char *name = world->databases.at[database].name;
    const struct member *member = topology ? topology_member(topology, name) : NULL;
    struct directives directives = {.accept_count = 1};
    if (!member || !member->fenced) {
        return;
    }
    strcpy(directives.accept[0].name, name);
    directives.accept[0].epoch = topology->epoch;
    char *json = directives_encode(&directives);
    world_log(world, true, "the operator accepts %s", name);
    ensemble_put(world->ensemble, SIM_ROOT "/clusters/" SIM_CLUSTER "/directives", json);
    free(json);
}

/* What an operator and the databases' own HA would do: everything runs, one writes on a new
 * timeline, the rest follow. */
static int make_peace(struct world *world)
{
    world_log(world, true, "peace");
    if (world->ensemble->halted) {
        halt_or_resume(world);
    }
    for (int i = 0; i < SERVERS; i++) {
        world->ensemble->servers[i].lag_ms = 0;
    }
    for (int i = 0; i < world->settings.probes; i++) {
        if (!world->probes[i]) {
            world_start_probe(world, i);
        } else if (sim_probe_is_frozen(world->probes[i])) {
            world_thaw_probe(world, i);
        }
        store_mem_mend(sim_probe_store(world->probes[i]));
        store_mem_delay(sim_probe_store(world->probes[i]), 0, 2);
        store_mem_break_at(sim_probe_store(world->probes[i]), "", false);
        for (int k = 0; k < world->databases.count; k++) {
            world->path_cut[i][k] = false;
        }
    }
    for (int i = 0; i < world->settings.routers; i++) {
        store_mem_mend(router_store(world->routers[i]));
        store_mem_delay(router_store(world->routers[i]), 0, 2);
    }
    int primary = any_database(world);
    accept_fenced(world, primary);
    for (int i = 0; i < world->databases.count; i++) {
        struct database *database = &world->databases.at[i];
        database->stream_cut = false;
        world_return(world, i);
        if (database->writable) {
            world_demote(world, i);
        }
    }
    world->databases.at[primary].timeline = databases_newest(&world->databases);
    world_promote(world, primary);
    for (int i = 0; i < world->databases.count; i++) {
        if (i != primary) {
            world_follow(world, i, primary);
        }
    }
    return primary;
}

static bool has_begun(struct world *world)
{
    return oracle_topology(world->oracle) != NULL;
}

/* All becomes well in time, and stays so. The operator looks every now and then, for a probe that
 * was away may bring back what was fenced before somebody deleted the topology. */
static void expect_well(struct world *world, int primary)
{
    char why[SENTENCE_SIZE] = "it did not stay so";
    int64_t peace_ms = world_now(world);
    bool well = false;
    for (int64_t until_ms = peace_ms + LOOK_MS; !well && until_ms <= peace_ms + PEACE_MS;
         until_ms += LOOK_MS) {
        if (world_run(world, until_ms, world_is_settled)) {
            world_log(world, true, "well after %lld ms", (long long)(world_now(world) - peace_ms));
            world_run(world, world_now(world) + STEADY_MS, NULL);
        }
        well = world_is_well(world, why, sizeof why);
        accept_fenced(world, primary);
    }
    if (!well) {
        world_fail(world, "L3: not well in time: %s", why);
    }
}

static void live(struct world *world)
{
    unsigned weights[TROUBLES];
    unsigned sum = draw_weights(world, weights);
    world_run(world, WARM_MS, has_begun);
    int64_t end_ms = world_now(world) + FAULTS_MS;
    int64_t calm_ms = chance_between(&world->chance, 100, 6000); /* how hasty this world is */
    while (world_now(world) < end_ms && !world->fault[0]) {
        strike(world, weights, sum);
        world_run(world, world_now(world) + chance_between(&world->chance, 0, calm_ms), NULL);
    }
    expect_well(world, make_peace(world));
}

static uint64_t run(uint64_t seed, bool loud, char fault[FAULT_SIZE])
{
    static struct world world;
    struct chance chance = {seed};
    /* drawn one by one: the order in a list is the compiler's */
    struct world_settings settings = {.seed = seed, .loud = loud};
    settings.kind = chance_hits(&chance, 65) ? KIND_STREAMING : KIND_ASYNC;
    settings.databases = (int)chance_between(&chance, 2, 4);
    settings.probes = (int)chance_between(&chance, 3, PROBES);
    settings.routers = (int)chance_between(&chance, 1, ROUTERS);
    settings.witnesses = chance_hits(&chance, 80) ? 3 : 1;
    world_init(&world, &settings);
    live(&world);
    strcpy(fault, world.fault);
    uint64_t hash = world.hash;
    world_release(&world);
    return hash;
}

int seeds_run(const struct seeds_settings *settings)
{
    int64_t began_ms = clock_mono_ms();
    char fault[FAULT_SIZE], again[FAULT_SIZE];
    uint64_t done = 0;
    while (done < settings->count &&
           (!settings->budget_ms || clock_mono_ms() - began_ms < settings->budget_ms)) {
        uint64_t seed = settings->from + done++;
        uint64_t hash = run(seed, settings->loud, fault);
        bool same = run(seed, false, again) == hash;
        if (fault[0] || !same) {
            printf("not ok seeds %s; replay: %s --seeds 1 --from %" PRIu64 " --loud\n",
                   fault[0] ? fault : "two runs of one seed differ", settings->program, seed);
            return 1;
        }
    }
    printf("ok seeds %" PRIu64 " to %" PRIu64 ", each twice\n", settings->from,
           settings->from + done - 1);
    return 0;
}
