/* The whole system in one process, in virtual time: databases, an ensemble,
 * probes and routers, with the production objects inside and shells of the
 * simulator's round them. A shell decides nothing.
 *
 *   database --look--> probe (probes/probe.h, the daemon's own step) ------store_mem--> ensemble
 *                                                                                          |
 *   oracle <---- every write --------------------------------------------------------------+
 *                                                                                          |
 *   router (watcher, table) <--------------------------------------------------------------'
 *
 * A world is a function of its seed and of what a story does to it. What
 * happens is logged in sentences (the narration) and summed up in a hash, so
 * that two runs can be compared. */
#ifndef ROSTER_TESTS_SIM_WORLD_H
#define ROSTER_TESTS_SIM_WORLD_H

#include "registry/config/config.h"
#include "registry/model/model.h"
#include "tests/sim/agenda.h"
#include "tests/sim/chance.h"
#include "tests/sim/database.h"
#include "tests/sim/ensemble.h"

enum { PROBES = 5, ROUTERS = 3, SESSION_MS = 10000, FAULT_SIZE = 1024, NARRATION_SIZE = 64 * 1024 };

#define SIM_ROOT "/roster"
#define SIM_CLUSTER "orders"

struct world;
struct sim_probe;
struct router;
struct oracle;

struct world_settings {
    uint64_t seed;
    enum kind kind;
    int databases, probes, routers;
    int witnesses;
    int unlisted; /* the last so many servers are left to discovery */
    bool auto_kind;
    bool facts; /* what probes log of themselves is narrated, too */
    bool loud;  /* print the narration, with times, as it comes */
};

struct world {
    struct world_settings settings;
    struct agenda agenda;
    struct chance chance;
    struct ensemble *ensemble;
    struct databases databases;
    struct cluster_settings cluster;
    struct probe_settings probing;
    struct sim_probe *probes[PROBES]; /* NULL: not running */
    struct router *routers[ROUTERS];
    struct sim_probe *all_probes; /* killed ones too: the agenda may still name them */
    bool path_cut[PROBES][SERVERS_OF_CLUSTER_MAX];
    struct oracle *oracle;
    int lives;              /* probes started so far: nonces and pids */
    char fault[FAULT_SIZE]; /* the first invariant that broke; "": none */
    char narration[NARRATION_SIZE];
    size_t narration_length;
    uint64_t hash;
};

void world_init(struct world *world, const struct world_settings *settings);
void world_release(struct world *world);

/* Let time pass, till `until_ms` of world time, a fault, or (when `holds` is given) until it holds.
 * True when it held (without `holds`: when the time was reached). */
bool world_run(struct world *world, int64_t until_ms, bool (*holds)(struct world *world));
static inline int64_t world_now(const struct world *world)
{
    return world->agenda.now_ms;
}

/* A sentence of the narration; `aside`: for the hash and the loud alone. */
void world_log(struct world *world, bool aside, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An invariant broke; only the first is kept. */
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- what can be done to it; each is logged -------------------------------------------------- */

void world_crash(struct world *world, int database);
void world_hang(struct world *world, int database);
void world_return(struct world *world, int database);
bool world_promote(struct world *world, int database);
void world_demote(struct world *world, int database);
void world_follow(struct world *world, int database, int upstream);
/* without an order: open for writes it goes on replicating; its channel is stopped, and started */
void world_open(struct world *world, int database);
void world_stop_channel(struct world *world, int database);
void world_start_channel(struct world *world, int database);
/* `channel`: it starts with the server, if there is one */
void world_restart(struct world *world, int database, bool channel);
/* from a backup of `upstream`, which by mistake promotes itself */
void world_restore(struct world *world, int database, int upstream);
void world_cut_path(struct world *world, int probe, int database, bool cut);
void world_start_probe(struct world *world, int probe);
void world_kill_probe(struct world *world, int probe);
void world_freeze_probe(struct world *world, int probe);
void world_thaw_probe(struct world *world, int probe);
/* SIGTERM */
void world_stop_probe(struct world *world, int probe);
/* its accept loop hangs, or it has no connection to spare: old sessions are served */
void world_set_door(struct world *world, int database, enum door door);
void world_close_connections(struct world *world, int database);
/* All probes read world->cluster, as the story has left it. */
void world_reload(struct world *world);

/* ---- the parts ------------------------------------------------------------------------------- */

/* The name that configuration has of it, or discovery gives it. */
const char *world_member_name(const struct world *world, int database);

struct sim_probe *sim_probe_new(struct world *world, int index);
/* its production objects go at once; the shell stays for the agenda */
void sim_probe_kill(struct sim_probe *probe);
void sim_probe_free(struct sim_probe *probe);
struct sim_probe *sim_probe_next(struct sim_probe *probe); /* of all that were ever started */
struct store *sim_probe_store(struct sim_probe *probe);
void sim_probe_freeze(struct sim_probe *probe, bool frozen);
bool sim_probe_is_frozen(const struct sim_probe *probe);
/* the server closed its connections */
void sim_probe_disconnected(struct sim_probe *probe, int database);
void sim_probe_reload(struct sim_probe *probe);
void sim_probe_stop(struct sim_probe *probe);
/* connections made so far to this server */
int sim_probe_connections(const struct sim_probe *probe, int database);
const char *probe_name(int index);

struct router *router_new(struct world *world, int index);
void router_free(struct router *router);
struct store *router_store(struct router *router);
const char *router_writer(const struct router *router); /* "": none */
bool router_is_fresh(const struct router *router);

struct oracle *oracle_new(struct world *world);
void oracle_free(struct oracle *oracle);
/* the latest written; NULL: none yet */
const struct topology *oracle_topology(const struct oracle *oracle);
void oracle_check_router(struct oracle *oracle, const char *router, const struct topology *before,
                         int64_t before_mzxid, const struct topology *now, int64_t now_mzxid);
void oracle_halted(struct oracle *oracle, bool halted);
/* For the oracle's book: somebody promoted this one, or chose it; it follows, or was restarted so
 * that nobody could know. */
void oracle_promoted(struct oracle *oracle, int database);
void oracle_follows(struct oracle *oracle, int database);

/* Is everything as it should be when nothing fails any more? Otherwise `why` is what is not. */
bool world_is_well(struct world *world, char *why, size_t size);
bool world_is_settled(struct world *world); /* the same without a reason */

#endif
