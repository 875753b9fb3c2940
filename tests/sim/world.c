#include "tests/sim/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "tests/sim/store_mem.h"

/* ---- narration ------------------------------------------------------------------------------- */

void world_log(struct world *world, bool aside, const char *format, ...)
{
    char sentence[2 * SENTENCE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (world->settings.loud) {
        printf("%9.3f %s%s\n", (double)world_now(world) / 1000, aside ? "    " : "", sentence);
    }
    world->hash = (world->hash ^ (uint64_t)world_now(world)) * UINT64_C(1099511628211);
    for (const char *at = sentence; *at; at++) {
        world->hash = (world->hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    }
    size_t length = strlen(sentence);
    if (!aside && world->narration_length + length + 2 <= sizeof world->narration) {
        memcpy(world->narration + world->narration_length, sentence, length);
        world->narration_length += length;
        world->narration[world->narration_length++] = '\n';
        world->narration[world->narration_length] = '\0';
    }
}

void world_fail(struct world *world, const char *format, ...)
{
    char fault[FAULT_SIZE / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(fault, sizeof fault, format, args);
    va_end(args);
    if (!world->fault[0]) {
        snprintf(world->fault, sizeof world->fault, "at %.3f s: %s",
                 (double)world_now(world) / 1000, fault);
        world_log(world, false, "FAULT: %s", fault);
    }
}

/* ---- what can be done to it ------------------------------------------------------------------ */

static const char *name_of(const struct world *world, int database)
{
    return world->databases.at[database].name;
}

const char *world_member_name(const struct world *world, int database)
{
    static char name[NAME_SIZE];
    if (database < world->databases.count - world->settings.unlisted) {
        return name_of(world, database);
    }
    snprintf(name, sizeof name, "%.32s-5432", world->databases.at[database].address);
    return name;
}

void world_close_connections(struct world *world, int database)
{
    world->databases.at[database].boot++;
    for (int i = 0; i < PROBES; i++) {
        if (world->probes[i]) {
            sim_probe_disconnected(world->probes[i], database);
        }
    }
}

/* One whose channel is configured, running or not, was not promoted by what became of it. */
static void note_channel(struct world *world, int database)
{
    if (world->databases.at[database].standby) {
        oracle_follows(world->oracle, database);
    }
}

void world_crash(struct world *world, int database)
{
    world_log(world, false, "%s crashes", name_of(world, database));
    databases_crash(&world->databases, database);
    note_channel(world, database);
    world_close_connections(world, database);
}

void world_hang(struct world *world, int database)
{
    world_log(world, false, "%s hangs", name_of(world, database));
    databases_hang(&world->databases, database);
}

void world_return(struct world *world, int database)
{
    world_log(world, false, "%s returns", name_of(world, database));
    databases_return(&world->databases, database);
}

bool world_promote(struct world *world, int database)
{
    bool promoted = databases_promote(&world->databases, database, world_now(world));
    if (promoted) {
        oracle_promoted(world->oracle, database);
        world_log(world, false, "%s is promoted to %lld", name_of(world, database),
                  (long long)world->databases.at[database].timeline);
    }
    return promoted;
}

void world_demote(struct world *world, int database)
{
    world_log(world, false, "%s is demoted", name_of(world, database));
    databases_demote(&world->databases, database);
}

void world_follow(struct world *world, int database, int upstream)
{
    world_log(world, false, "%s follows %s", name_of(world, database), name_of(world, upstream));
    if (world->databases.at[database].upstream != upstream) {
        oracle_promoted(world->oracle, upstream); /* it was chosen */
    }
    oracle_follows(world->oracle, database);
    databases_follow(&world->databases, database, upstream);
    if (world->databases.kind == KIND_STREAMING) {
        world_close_connections(world, database); /* it was restarted for that */
    }
}

/* Opened without a channel that runs, or the other way round: that may be a promotion. */
static void note_open(struct world *world, int database)
{
    if (databases_writes(&world->databases, database)) {
        oracle_promoted(world->oracle, database);
    }
}

void world_open(struct world *world, int database)
{
    world_log(world, false, "%s is opened", name_of(world, database));
    databases_open(&world->databases, database, world_now(world));
    note_open(world, database);
}

void world_stop_channel(struct world *world, int database)
{
    world_log(world, false, "the channel of %s is stopped", name_of(world, database));
    databases_stop_channel(&world->databases, database, world_now(world));
    note_open(world, database);
}

void world_start_channel(struct world *world, int database)
{
    world_log(world, false, "the channel of %s is started", name_of(world, database));
    databases_start_channel(&world->databases, database);
    oracle_follows(world->oracle, database);
}

void world_restart(struct world *world, int database, bool channel)
{
    bool without = world->databases.at[database].standby && !channel;
    world_log(world, false, "%s is restarted%s", name_of(world, database),
              without ? " without its channel" : "");
    databases_restart(&world->databases, database, channel, world_now(world));
    note_channel(world, database);
    world_close_connections(world, database);
}

void world_restore(struct world *world, int database, int upstream)
{
    world_log(world, false, "%s is restored from %s, and promotes itself", name_of(world, database),
              name_of(world, upstream));
    databases_restore(&world->databases, database, upstream, world_now(world));
    oracle_follows(world->oracle, database);
    world_close_connections(world, database);
}

void world_cut_path(struct world *world, int probe, int database, bool cut)
{
    world_log(world, true, "%s %s %s", probe_name(probe), cut ? "is cut off from" : "reaches",
              name_of(world, database));
    world->path_cut[probe][database] = cut;
}

void world_start_probe(struct world *world, int probe)
{
    world_log(world, false, "%s starts", probe_name(probe));
    world->probes[probe] = sim_probe_new(world, probe);
}

void world_kill_probe(struct world *world, int probe)
{
    world_log(world, false, "%s is killed", probe_name(probe));
    sim_probe_kill(world->probes[probe]);
    world->probes[probe] = NULL;
}

void world_freeze_probe(struct world *world, int probe)
{
    world_log(world, false, "%s is stopped", probe_name(probe));
    sim_probe_freeze(world->probes[probe], true);
}

void world_thaw_probe(struct world *world, int probe)
{
    world_log(world, false, "%s goes on", probe_name(probe));
    sim_probe_freeze(world->probes[probe], false);
}

void world_stop_probe(struct world *world, int probe)
{
    world_log(world, false, "%s is told to stop", probe_name(probe));
    sim_probe_stop(world->probes[probe]);
    world->probes[probe] = NULL;
}

void world_set_door(struct world *world, int database, enum door door)
{
    static const char *const changes[] = {"takes connections again", "takes no connection any more",
                                          "is full"};
    world_log(world, false, "%s %s", name_of(world, database), changes[door]);
    world->databases.at[database].door = door;
}

void world_reload(struct world *world)
{
    world_log(world, false, "the configuration is reloaded");
    for (int i = 0; i < PROBES; i++) {
        if (world->probes[i]) {
            sim_probe_reload(world->probes[i]);
        }
    }
}

/* ---- is all well? ---------------------------------------------------------------------------- */

static bool config_refuse(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool config_refuse(char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return false;
}

static int true_primary(const struct world *world)
{
    int primary = -1;
    for (int i = 0; i < world->databases.count; i++) {
        if (databases_writes(&world->databases, i)) {
            if (primary >= 0) {
                return -1;
            }
            primary = i;
        }
    }
    return primary;
}

static bool is_topology_well(struct world *world, int primary, char *why, size_t size)
{
    const struct topology *topology = oracle_topology(world->oracle);
    if (!topology || strcmp(topology->primary, name_of(world, primary)) != 0 ||
        topology->state != STATE_OK) {
        return config_refuse(why, size, "the topology has %s, %s, where %s writes",
                             topology ? topology->primary : "nothing",
                             topology ? state_names[topology->state] : "", name_of(world, primary));
    }
    for (size_t i = 0; i < topology->member_count; i++) {
        const struct member *member = &topology->members[i];
        bool is_primary = strcmp(member->config.name, name_of(world, primary)) == 0;
        if (member->fenced || member->claims || member->health != HEALTH_UP ||
            member->role != (is_primary ? ROLE_PRIMARY : ROLE_SECONDARY)) {
            return config_refuse(why, size, "%s is %s, %s%s", member->config.name,
                                 role_names[member->role], health_names[member->health],
                                 member->fenced ? ", fenced" : "");
        }
    }
    return true;
}

static bool is_ours(const struct world *world, const char *path, int probe)
{
    const struct znode *node = tree_find(&world->ensemble->head, path);
    return node && node->stat.owner == store_mem_session(sim_probe_store(world->probes[probe]));
}

static bool is_probe_well(struct world *world, int probe, char *why, size_t size)
{
    char path[PATH_SIZE];
    static struct report report;
    struct codec_error error;
    if (!is_ours(world, path_probe(path, sizeof path, SIM_ROOT, probe_name(probe)), probe) ||
        !is_ours(world, path_report(path, sizeof path, SIM_ROOT, SIM_CLUSTER, probe_name(probe)),
                 probe)) {
        return config_refuse(why, size, "%s has no presence or no report in its session",
                             probe_name(probe));
    }
    const struct znode *node = tree_find(&world->ensemble->head, path);
    if (!report_decode(node->data, node->len, &report, &error) || report.abstains[0]) {
        return config_refuse(why, size, "%s abstains", probe_name(probe));
    }
    return true;
}

static bool has_ghosts(const struct world *world)
{
    const struct tree *tree = &world->ensemble->head;
    for (size_t i = 0; i < tree->count; i++) {
        bool owned = tree->nodes[i].stat.owner == 0;
        for (int k = 0; k < PROBES; k++) {
            owned = owned ||
                    (world->probes[k] && tree->nodes[i].stat.owner ==
                                             store_mem_session(sim_probe_store(world->probes[k])));
        }
        if (!owned) {
            return true;
        }
    }
    return false;
}

bool world_is_well(struct world *world, char *why, size_t size)
{
    int primary = true_primary(world);
    if (primary < 0) {
        return config_refuse(why, size, "there is not one primary");
    }
    if (!is_topology_well(world, primary, why, size)) {
        return false;
    }
    for (int i = 0; i < ROUTERS; i++) {
        if (world->routers[i] &&
            (strcmp(router_writer(world->routers[i]), name_of(world, primary)) != 0 ||
             !router_is_fresh(world->routers[i]))) {
            return config_refuse(
                why, size, "router %d writes to %s%s", i, router_writer(world->routers[i]),
                router_is_fresh(world->routers[i]) ? "" : ", and is not sure of it");
        }
    }
    for (int i = 0; i < PROBES; i++) {
        if (world->probes[i] && !is_probe_well(world, i, why, size)) {
            return false;
        }
    }
    return !has_ghosts(world) || config_refuse(why, size, "a ghost's znode is left");
}

bool world_is_settled(struct world *world)
{
    char why[SENTENCE_SIZE];
    return world_is_well(world, why, sizeof why);
}

/* ---- life ------------------------------------------------------------------------------------ */

bool world_run(struct world *world, int64_t until_ms, bool (*holds)(struct world *world))
{
    int64_t asked_ms = -1;
    while (!world->fault[0]) {
        if (holds && world_now(world) != asked_ms) {
            asked_ms = world_now(world);
            if (holds(world)) {
                return true;
            }
        }
        if (!agenda_step(&world->agenda, until_ms)) {
            return holds ? holds(world) : true;
        }
    }
    return false;
}

static void configure(struct world *world)
{
    world->probing = (struct probe_settings){
        .interval_ms = 1000, .alert_interval_ms = 25, .timeout_ms = 500, .rise = 1, .fall = 3};
    struct cluster_settings *cluster = &world->cluster;
    strcpy(cluster->name, SIM_CLUSTER);
    cluster->policy =
        (struct policy){world->settings.kind == KIND_STREAMING ? ENGINE_POSTGRESQL : ENGINE_MYSQL,
                        world->settings.auto_kind ? KIND_AUTO : world->settings.kind, CONFLICT_HOLD,
                        WRITERS_SINGLE, (uint8_t)world->settings.witnesses};
    cluster->discover = world->settings.unlisted > 0;
    strcpy(cluster->discover_within, "10.0.0.0/24");
    cluster->discover_max = 8;
    cluster->discover_forget_ms = 3600 * 1000;
    cluster->member_count = (size_t)(world->settings.databases - world->settings.unlisted);
    for (size_t i = 0; i < cluster->member_count; i++) {
        struct member_config *config = &cluster->members[i];
        strcpy(config->name, name_of(world, (int)i));
        strcpy(config->host, name_of(world, (int)i));
        config->port = 5432;
        config->weight = 100;
    }
}

void world_init(struct world *world, const struct world_settings *settings)
{
    memset(world, 0, sizeof *world);
    world->settings = *settings;
    world->chance.state = settings->seed;
    world->hash = UINT64_C(14695981039346656037);
    databases_init(&world->databases, settings->kind, settings->databases);
    configure(world);
    world->ensemble = ensemble_new(&world->agenda, chance_draw(&world->chance));
    world->oracle = oracle_new(world);
    for (int i = 0; i < settings->probes; i++) {
        world->probes[i] = sim_probe_new(world, i);
    }
    for (int i = 0; i < settings->routers; i++) {
        world->routers[i] = router_new(world, i);
    }
}

void world_release(struct world *world)
{
    for (int i = 0; i < ROUTERS; i++) {
        router_free(world->routers[i]);
    }
    for (int i = 0; i < PROBES; i++) {
        world->probes[i] = NULL;
    }
    while (world->all_probes) {
        struct sim_probe *probe = world->all_probes;
        world->all_probes = sim_probe_next(probe);
        sim_probe_free(probe);
    }
    ensemble_free(world->ensemble);
    oracle_free(world->oracle);
    agenda_release(&world->agenda);
}
