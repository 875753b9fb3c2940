/* The simulator's shell of a probe (probes/probe.h): what the daemon does with an
 * event loop, sockets and threads is done on the agenda. It decides nothing. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/probe.h"
#include "registry/config/config.h"
#include "tests/sim/store_mem.h"
#include "tests/sim/world.h"

struct connection {
    bool up;
    bool owed;     /* it hangs: a statement, or the log-in if it is not up */
    uint64_t boot; /* of the server, when it was made */
};

/* The shell of a slot. */
struct prober {
    struct sim_probe *probe;
    struct slot *slot; /* NULL: closed */
    int database;
    struct connection kept, fresh;
    struct connection *in_flight; /* one of the two */
    uint64_t flight;              /* grows with every look: what belongs to a former one is void */
    struct observation seen;
    struct prober *next; /* of all there ever were */
};

struct sim_probe {
    struct world *world;
    struct probe *probe; /* NULL: the process is gone */
    int index;
    int pid;
    int64_t clock_ms, wall_ms; /* added to the world's time */
    bool frozen;
    bool performing, draining;
    uint64_t wake; /* grows with every ACTION_WAKE: a former one is void */
    struct store *store;
    struct config configs[2]; /* in force, and the next one */
    int config;
    struct prober *probers;
    int connections[SERVERS_OF_CLUSTER_MAX];
    struct sim_probe *next; /* of all there ever were */
};

const char *probe_name(int index)
{
    static const char *const names[PROBES] = {"probe-a", "probe-b", "probe-c", "probe-d",
                                              "probe-e"};
    return names[index];
}

static void later(struct sim_probe *probe, int64_t wait_ms, void (*run)(void *owner, uint64_t arg),
                  void *owner, uint64_t arg)
{
    agenda_at(&probe->world->agenda, world_now(probe->world) + wait_ms, run, owner, arg);
}

/* A process that is stopped does what it was to do once it goes on. */
static bool is_away(struct sim_probe *probe, void (*run)(void *owner, uint64_t arg), void *owner,
                    uint64_t arg)
{
    if (probe->frozen && probe->probe) {
        later(probe, 20, run, owner, arg);
    }
    return probe->frozen || !probe->probe;
}

/* ---- events in, actions out ------------------------------------------------------------------ */

static struct probe_time time_of(const struct sim_probe *probe)
{
    int64_t now_ms = world_now(probe->world);
    return (struct probe_time){.ms = now_ms + probe->clock_ms, .wall_ms = now_ms + probe->wall_ms};
}

static void perform(struct sim_probe *probe, const struct probe_action *action);

static void perform_all(struct sim_probe *probe)
{
    struct probe_action action;
    if (probe->performing) {
        return;
    }
    probe->performing = true;
    while (probe->probe && probe_next(probe->probe, &action)) {
        perform(probe, &action);
    }
    probe->performing = false;
}

static void step(struct sim_probe *probe, struct probe_event *event)
{
    event->now = time_of(probe);
    probe_step(probe->probe, event);
    perform_all(probe);
}

static void step_kind(struct sim_probe *probe, enum probe_event_kind kind)
{
    step(probe, &(struct probe_event){.kind = kind});
}

static void on_wake(void *owner, uint64_t wake)
{
    struct sim_probe *probe = owner;
    if (wake == probe->wake && !is_away(probe, on_wake, owner, wake)) {
        step_kind(probe, EVENT_TIMER);
    }
}

static void on_renewed(void *owner, uint64_t arg)
{
    struct sim_probe *probe = owner;
    if (!is_away(probe, on_renewed, owner, arg)) {
        store_renew(probe->store);
        step_kind(probe, EVENT_RENEWED);
    }
}

static void on_store(void *owner, uint64_t arg)
{
    struct sim_probe *probe = owner;
    if (!is_away(probe, on_store, owner, arg)) {
        probe->draining = false;
        step_kind(probe, EVENT_STORE);
    }
}

static void on_store_ready(void *owner)
{
    struct sim_probe *probe = owner;
    if (!probe->draining) {
        probe->draining = true;
        later(probe, 0, on_store, probe, 0);
    }
}

/* ---- looks ----------------------------------------------------------------------------------- */

/* The one with this name or address. */
static int find_database(const struct world *world, const char *host)
{
    for (int i = 0; i < world->databases.count; i++) {
        if (strcmp(world->databases.at[i].name, host) == 0 ||
            strcmp(world->databases.at[i].address, host) == 0) {
            return i;
        }
    }
    return -1;
}

static struct prober *prober_of(struct sim_probe *probe, struct slot *slot)
{
    struct prober *prober = slot->shell;
    if (!prober) {
        prober = slot->shell = calloc(1, sizeof *prober);
        assert(prober);
        *prober = (struct prober){.probe = probe,
                                  .slot = slot,
                                  .database = find_database(probe->world, slot->config.host),
                                  .next = probe->probers};
        probe->probers = prober;
    }
    return prober;
}

static void on_outcome(void *owner, uint64_t flight)
{
    struct prober *prober = owner;
    if (flight == prober->flight && !is_away(prober->probe, on_outcome, owner, flight)) {
        enum remains remains = prober->in_flight->owed ? REMAINS_QUESTION
                               : prober->in_flight->up ? REMAINS_SESSION
                                                       : REMAINS_NOTHING;
        prober->in_flight = NULL;
        prober->flight++;
        step(prober->probe, &(struct probe_event){.kind = EVENT_LOOK_ENDED,
                                                  .slot = prober->slot,
                                                  .observation = &prober->seen,
                                                  .remains = remains});
    }
}

/* The outcome of the query at the server. Returns how long the answer takes. */
static int64_t ask_server(struct prober *prober)
{
    struct sim_probe *probe = prober->probe;
    struct world *world = probe->world;
    struct connection *connection = prober->in_flight;
    const struct database *database = &world->databases.at[prober->database];
    bool cut = world->path_cut[probe->index][prober->database];
    bool was_up = connection->up, was_open = was_up || connection->owed;
    observation_init(&prober->seen);
    connection->up = false;
    if (!cut && was_open && connection->boot != database->boot) {
        connection->owed = false;
        prober->seen.answer = was_up ? ANSWER_LOST : ANSWER_PROTOCOL;
        return 1;
    }
    if (cut || databases_is_silent(&world->databases, prober->database, was_up)) {
        prober->seen.answer = cut && !was_open ? ANSWER_TIMEOUT : ANSWER_STALLED;
        connection->up = was_up;
        connection->owed = prober->seen.answer == ANSWER_STALLED;
        connection->boot = was_open ? connection->boot : database->boot;
        return world->probing.timeout_ms;
    }
    connection->owed = false;
    databases_look(&world->databases, prober->database, was_up, &prober->seen);
    connection->up = prober->seen.answer == ANSWER_OK;
    connection->boot = database->boot;
    probe->connections[prober->database] += connection->up && !was_up;
    return chance_between(&world->chance, 0, 2);
}

static void on_question(void *owner, uint64_t flight)
{
    struct prober *prober = owner;
    if (flight == prober->flight && prober->probe->probe) {
        later(prober->probe, ask_server(prober), on_outcome, prober, flight);
    }
}

static void ask(struct prober *prober, struct connection *connection)
{
    prober->in_flight = connection;
    prober->flight++;
    later(prober->probe, chance_between(&prober->probe->world->chance, 0, 2), on_question, prober,
          prober->flight);
}

static void resolve(struct prober *prober)
{
    const struct world *world = prober->probe->world;
    bool known = prober->database >= 0;
    step(prober->probe, &(struct probe_event){
                            .kind = EVENT_RESOLVED,
                            .slot = prober->slot,
                            .address = known ? world->databases.at[prober->database].address : "",
                            .text = "no such server in this world"});
}

static void on_closed_by_server(void *owner, uint64_t flight)
{
    struct prober *prober = owner;
    if (flight == prober->flight && !prober->in_flight &&
        !is_away(prober->probe, on_closed_by_server, owner, flight)) {
        step(prober->probe, &(struct probe_event){.kind = EVENT_UNSOLICITED, .slot = prober->slot});
    }
}

void sim_probe_disconnected(struct sim_probe *probe, int database)
{
    for (struct prober *prober = probe->probers; prober; prober = prober->next) {
        if (prober->slot && prober->database == database && prober->kept.up && !prober->in_flight &&
            !probe->world->path_cut[probe->index][database]) {
            later(probe, chance_between(&probe->world->chance, 0, 2), on_closed_by_server, prober,
                  prober->flight);
        }
    }
}

/* ---- actions --------------------------------------------------------------------------------- */

static void perform_of_slot(struct prober *prober, enum probe_action_kind kind)
{
    switch (kind) {
    case ACTION_ADOPT_FRESH:
        prober->kept = prober->fresh;
        prober->fresh = (struct connection){.up = false};
        break;
    case ACTION_CLOSE_FRESH:
        prober->fresh = (struct connection){.up = false};
        break;
    case ACTION_DROP:
        prober->kept = (struct connection){.up = false};
        break;
    case ACTION_RESOLVE:
        resolve(prober);
        break;
    case ACTION_ASK:
        ask(prober, &prober->kept);
        break;
    case ACTION_ASK_FRESH:
        ask(prober, &prober->fresh);
        break;
    case ACTION_CLOSE:
        prober->slot = NULL;
        prober->flight++;
        break;
    default: /* names are resolved at once, to one address each */
        break;
    }
}

/* The next configuration is what the world has now. */
static const struct config *read_config(struct sim_probe *probe)
{
    probe->config = 1 - probe->config;
    struct config *config = &probe->configs[probe->config];
    *config = (struct config){
        .probe = probe->world->probing, .cluster_count = 1, .clusters = &probe->world->cluster};
    strcpy(config->registry.root, SIM_ROOT);
    strcpy(config->probe.name, probe_name(probe->index));
    return config;
}

/* The process is gone; the requests that it sent before are on their way. */
static void bury(struct sim_probe *probe)
{
    probe_free(probe->probe);
    probe->probe = NULL;
}

static void perform(struct sim_probe *probe, const struct probe_action *action)
{
    switch (action->kind) {
    case ACTION_RENEW:
        later(probe, chance_between(&probe->world->chance, 1, 5), on_renewed, probe, 0);
        break;
    case ACTION_RELOAD:
        step(probe, &(struct probe_event){.kind = EVENT_RELOAD, .config = read_config(probe)});
        break;
    case ACTION_STOP:     /* nothing hangs here, */
    case ACTION_REMEMBER: /* and nobody has a disk */
        break;
    case ACTION_CLOSE_STORE:
        store_close(probe->store);
        bury(probe);
        break;
    case ACTION_WAKE:
        later(probe, action->at_ms - time_of(probe).ms, on_wake, probe, ++probe->wake);
        break;
    case ACTION_CLOSE:
        if (action->shell) {
            perform_of_slot(action->shell, ACTION_CLOSE);
        }
        break;
    default:
        perform_of_slot(prober_of(probe, action->slot), action->kind);
    }
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void log_discovery(struct sim_probe *probe, const struct fact *fact)
{
    static const char *const sentences[] = {[DISCOVERY_NAMED] = "is named",
                                            [DISCOVERY_VERIFIED] = "is verified",
                                            [DISCOVERY_REFUSED] = "is refused",
                                            [DISCOVERY_FORGOTTEN] = "is forgotten"};
    world_log(probe->world, !probe->world->settings.facts, "%s: %s:%d %s%s%s",
              probe_name(probe->index), fact->candidate->host, fact->candidate->port,
              sentences[fact->event], fact->text[0] ? ": " : "", fact->text);
}

static void on_fact(void *owner, const struct fact *fact)
{
    struct sim_probe *probe = owner;
    struct world *world = probe->world;
    const char *name = probe_name(probe->index);
    bool aside = !world->settings.facts;
    switch (fact->kind) {
    case FACT_SLIPPED:
        world_log(world, true, "%s was not scheduled for %lld ms", name, (long long)fact->number);
        break;
    case FACT_CONNECTED:
        world_log(world, true, "%s: connected anew", name);
        break;
    case FACT_RECONNECTED:
        world_log(world, true, "%s: connected again", name);
        break;
    case FACT_DISCONNECTED:
        world_log(world, true, "%s: connection lost", name);
        break;
    case FACT_SESSION_OVER:
        world_log(world, true, "%s: session over", name);
        break;
    case FACT_NAME_CONFLICT:
        world_fail(world, "%s", fact->text);
        break;
    case FACT_TROUBLE:
    case FACT_REFUSED:
        world_log(world, true, "%s: %s", name, fact->text);
        break;
    case FACT_ABSTAINS:
        world_log(world, aside, "%s abstains: %s", name, fact->text);
        break;
    case FACT_VOTES:
        world_log(world, aside, "%s votes", name);
        break;
    case FACT_KIND:
        world_log(world, aside, "%s: its kind is %s", name, kind_names[fact->number]);
        break;
    case FACT_MEMBER:
        world_log(world, true, "%s: %s is %s", name, fact->member,
                  answer_names[fact->assessed->standing]);
        break;
    case FACT_DISCOVERY:
        log_discovery(probe, fact);
        break;
    case FACT_NO_MEMORY:
        world_fail(world, "%s: no memory", name);
        break;
    default:
        break; /* the oracle sees verdicts; the rest is no more than a reason */
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

/* All probes share a host: a pid is gone when no probe that runs has it. */
static struct world *world_of_pids;

static bool is_pid_gone(const struct presence *presence)
{
    for (int i = 0; i < PROBES; i++) {
        if (world_of_pids->probes[i] && world_of_pids->probes[i]->pid == presence->pid) {
            return false;
        }
    }
    return strcmp(presence->host, "sim") == 0;
}

struct sim_probe *sim_probe_new(struct world *world, int index)
{
    struct sim_probe *probe = calloc(1, sizeof *probe);
    assert(probe);
    world_of_pids = world;
    probe->world = world;
    probe->index = index;
    probe->pid = ++world->lives;
    probe->clock_ms = chance_between(&world->chance, 1, 1000000000);
    probe->wall_ms = INT64_C(1795224000000) + chance_between(&world->chance, -1000, 1000);
    probe->store =
        store_mem_new(world->ensemble, probe_name(index), SESSION_MS, on_store_ready, probe);
    struct probe_setup setup = {
        .store = probe->store,
        .config = read_config(probe),
        .presence = {.pid = probe->pid, .version = "sim", .nonce = chance_draw(&world->chance)},
        .registry_uuid = "00000000-0000-4000-8000-000000000001",
        .is_gone = is_pid_gone,
        .seed = chance_draw(&world->chance),
        .now = time_of(probe),
        .log = on_fact,
        .log_owner = probe};
    strcpy(setup.presence.host, chance_hits(&world->chance, 50) ? "sim" : "elsewhere");
    probe->probe = probe_new(&setup);
    assert(probe->probe);
    probe->next = world->all_probes;
    world->all_probes = probe;
    perform_all(probe);
    return probe;
}

void sim_probe_kill(struct sim_probe *probe)
{
    if (probe->probe) {
        store_mem_kill(probe->store);
        bury(probe);
    }
}

void sim_probe_free(struct sim_probe *probe)
{
    if (!probe) {
        return;
    }
    sim_probe_kill(probe);
    while (probe->probers) {
        struct prober *prober = probe->probers;
        probe->probers = prober->next;
        free(prober);
    }
    free(probe);
}

void sim_probe_reload(struct sim_probe *probe)
{
    step_kind(probe, EVENT_RELOAD_ASKED);
}

void sim_probe_stop(struct sim_probe *probe)
{
    step(probe, &(struct probe_event){.kind = EVENT_STOP, .text = "SIGTERM"});
}

int sim_probe_connections(const struct sim_probe *probe, int database)
{
    return probe->connections[database];
}

struct store *sim_probe_store(struct sim_probe *probe)
{
    return probe->store;
}

void sim_probe_freeze(struct sim_probe *probe, bool frozen)
{
    probe->frozen = frozen;
    (frozen ? store_mem_freeze : store_mem_thaw)(probe->store);
}

bool sim_probe_is_frozen(const struct sim_probe *probe)
{
    return probe->frozen;
}

struct sim_probe *sim_probe_next(struct sim_probe *probe)
{
    return probe->next;
}
