/* The simulator's shell round a router: what watchers/loop.c does with a
 * thread, done on the agenda. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/store_mem.h"
#include "tests/sim/world.h"
#include "watchers/plan.h"
#include "watchers/table.h"
#include "watchers/watcher.h"

struct router {
    struct world *world;
    char name[NAME_SIZE];
    int64_t clock_ms;
    struct store *store;
    struct watcher *watcher;
    struct watched *watched;
    bool draining;
    int64_t tick_ms; /* when a tick is on the agenda */
    bool has;
    struct topology topology; /* as published last */
    int64_t mzxid;
    struct table table;
    char writer[NAME_SIZE];
};

static struct now read_clocks(const struct router *router)
{
    int64_t now_ms = world_now(router->world);
    return (struct now){now_ms + router->clock_ms, now_ms + INT64_C(1795224000000)};
}

static void check_table(const struct router *router)
{
    const struct topology *topology = &router->topology;
    for (int i = 0; i < router->table.endpoint_count; i++) {
        const struct member *member = &topology->members[i];
        bool used = i == router->table.writer || (router->table.pool_set >> i & 1);
        if (used && (member->fenced || member->reason == ANSWER_STRANGER ||
                     (member->claims && i != router->table.writer))) {
            world_fail(router->world, "S8: %s routes to %s, which is fenced, foreign or a rival",
                       router->name, member->config.name);
        }
        if ((router->table.pool_set >> i & 1) &&
            (member->role != ROLE_SECONDARY || member->health == HEALTH_DOWN)) {
            world_fail(router->world, "S13: %s reads from %s, which is %s and %s", router->name,
                       member->config.name, role_names[member->role], health_names[member->health]);
        }
    }
    if (router->table.writer >= 0 &&
        strcmp(topology->members[router->table.writer].config.name, topology->primary) != 0) {
        world_fail(router->world, "%s writes to another than the primary", router->name);
    }
}

static void publish(struct router *router)
{
    static struct table table;
    struct roster_step steps[STEPS_MAX];
    const struct watched *watched = router->watched;
    table_build(&watched->topology, &table);
    plan_make(router->has ? &router->table : NULL, &table, steps);
    oracle_check_router(router->world->oracle, router->name, router->has ? &router->topology : NULL,
                        router->mzxid, &watched->topology, watched->provenance.mzxid);
    router->table = table;
    router->topology = watched->topology;
    router->mzxid = watched->provenance.mzxid;
    router->has = true;
    check_table(router);
    const char *writer = table.writer < 0 ? "" : table.endpoints[table.writer].name;
    if (strcmp(writer, router->writer) != 0) {
        strcpy(router->writer, writer);
        world_log(router->world, false, "%s writes to %s", router->name,
                  writer[0] ? writer : "nobody");
    }
}

static void on_tick(void *owner, uint64_t arg);

static void take_news(struct router *router)
{
    struct news news;
    while (watcher_news(router->watcher, &news)) {
        if (news.kind == NEWS_TOPOLOGY) {
            publish(router);
        } else if (news.kind == NEWS_SENTENCE) {
            world_log(router->world, news.level != ROSTER_LOG_ERROR, "%s: %s", router->name,
                      news.sentence);
        }
    }
}

static void go_on(struct router *router)
{
    int64_t due_ms = watcher_tick(router->watcher, read_clocks(router));
    take_news(router);
    if (router->tick_ms == 0 || due_ms < router->tick_ms) {
        router->tick_ms = due_ms;
        agenda_at(&router->world->agenda, due_ms - router->clock_ms, on_tick, router, 0);
    }
}

static void on_tick(void *owner, uint64_t arg)
{
    struct router *router = owner;
    (void)arg;
    if (read_clocks(router).mono_ms >= router->tick_ms) {
        router->tick_ms = 0;
    }
    go_on(router);
}

static void on_store(void *owner, uint64_t arg)
{
    struct router *router = owner;
    struct store_event event;
    (void)arg;
    router->draining = false;
    while (store_next(router->store, read_clocks(router).mono_ms, &event)) {
        bool gone = event.kind == STORE_GONE;
        watcher_event(router->watcher, &event, read_clocks(router));
        take_news(router);
        if (gone) {
            store_renew(router->store);
        }
    }
    go_on(router);
}

static void on_ready(void *owner)
{
    struct router *router = owner;
    if (!router->draining) {
        router->draining = true;
        agenda_at(&router->world->agenda, world_now(router->world), on_store, router, 0);
    }
}

struct router *router_new(struct world *world, int index)
{
    struct router *router = calloc(1, sizeof *router);
    assert(router);
    router->world = world;
    snprintf(router->name, sizeof router->name, "router-%c", (char)('a' + index));
    router->clock_ms = chance_between(&world->chance, 1, 1000000000);
    router->store = store_mem_new(world->ensemble, router->name, SESSION_MS, on_ready, router);
    router->watcher = watcher_new(router->store, SIM_ROOT, chance_draw(&world->chance));
    assert(router->watcher);
    router->watched =
        watcher_follow(router->watcher, SIM_CLUSTER, router, NULL, NULL, read_clocks(router));
    assert(router->watched);
    store_renew(router->store);
    go_on(router);
    return router;
}

void router_free(struct router *router)
{
    if (router) {
        store_mem_kill(router->store);
        watcher_free(router->watcher);
        free(router);
    }
}

struct store *router_store(struct router *router)
{
    return router->store;
}

const char *router_writer(const struct router *router)
{
    return router->writer;
}

bool router_is_fresh(const struct router *router)
{
    return router->watched->belief == BELIEF_FRESH;
}
