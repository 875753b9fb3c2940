/* The simulator's shell round a probe: what probes/agent.c and probes/prober.c
 * do with an event loop and sockets, done on the agenda. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/assess/assess.h"
#include "probes/schedule.h"
#include "registry/base/text.h"
#include "registry/fleet/liveness.h"
#include "registry/fleet/reporter.h"
#include "registry/fleet/resolver.h"
#include "registry/store/mirror.h"
#include "tests/sim/store_mem.h"
#include "tests/sim/world.h"

enum { PULSE_MS = 250 };

/* One member under the eyes of one probe. */
struct look {
    struct probe *probe;
    int database;
    struct turn turn;
    uint64_t flight; /* grows with every look: what belongs to a former one is void */
    bool connected;
    uint64_t boot; /* of the server we are connected to */
    bool again;
    struct observation seen;
};

struct probe {
    struct world *world;
    int index;
    int pid;
    uint64_t nonce;
    int64_t clock_ms, wall_ms; /* added to the world's time */
    bool dead, frozen;
    struct store *store;
    struct mirror *mirror;
    struct liveness *liveness;
    struct reporter *reporter;
    struct resolver *resolver;
    struct cluster_report *published;
    struct assessment assessment;
    struct schedule schedule;
    struct look looks[SERVERS_OF_CLUSTER_MAX];
    size_t rank, size;
    bool busy;       /* the store is being renewed */
    bool draining;   /* a drain is on the agenda */
    int64_t wake_ms; /* when a settling is on the agenda; 0: none */
    int64_t pulse_ms, resync_ms, slipped_ms, away_ms;
    bool blind;
    struct probe *next; /* of all there ever were */
};

static void settle(struct probe *probe);
static void begin(struct look *look);

const char *probe_name(int index)
{
    static const char *const names[PROBES] = {"probe-a", "probe-b", "probe-c", "probe-d",
                                              "probe-e"};
    return names[index];
}

static int64_t mono(const struct probe *probe)
{
    return world_now(probe->world) + probe->clock_ms;
}

static int64_t wall(const struct probe *probe)
{
    return world_now(probe->world) + probe->wall_ms;
}

static void later(struct probe *probe, int64_t wait_ms, void (*run)(void *owner, uint64_t arg),
                  void *owner, uint64_t arg)
{
    agenda_at(&probe->world->agenda, world_now(probe->world) + wait_ms, run, owner, arg);
}

/* A process that stands still does what it was to do once it goes on. */
static bool is_away(struct probe *probe, void (*run)(void *owner, uint64_t arg), void *owner,
                    uint64_t arg)
{
    if (probe->frozen && !probe->dead) {
        later(probe, 20, run, owner, arg);
    }
    return probe->frozen || probe->dead;
}

/* ---- looks ------------------------------------------------------------------------------------- */

static void on_turn(void *owner, uint64_t flight);

static void plan_turn(struct look *look)
{
    struct probe *probe = look->probe;
    int64_t wait_ms = look->turn.due_ms - mono(probe);
    later(probe, wait_ms, on_turn, look, look->flight);
}

static void raise_alarm(struct probe *probe)
{
    if (!schedule_alarm(&probe->schedule, mono(probe))) {
        return;
    }
    for (size_t i = 0; i < probe->assessment.member_count; i++) {
        struct look *look = &probe->looks[i];
        if (!look->turn.flying) {
            turn_hasten(&look->turn, &probe->schedule, probe->assessment.members[i].standing,
                        mono(probe));
            look->flight++;
            plan_turn(look);
        }
    }
}

static void update_report(struct probe *probe)
{
    static struct report report;
    const char *abstains = probe->blind                      ? "blind"
                           : mono(probe) < probe->slipped_ms ? "slipped"
                                                             : "";
    assess_report(&probe->assessment, mono(probe), abstains, &report);
    cluster_report_publish(probe->published, &report, mono(probe));
}

static void update_schedule(struct probe *probe)
{
    const struct topology *topology = resolver_topology(probe->resolver);
    bool valid = topology && topology->primary[0] && topology->state != STATE_SUSPECT &&
                 assess_sees_writer(&probe->assessment, topology->primary);
    schedule_writer(&probe->schedule, valid, mono(probe));
}

static void doubt_oneself(struct probe *probe)
{
    size_t targets = 0;
    size_t failing = 0;
    assess_count_failing(&probe->assessment, &targets, &failing);
    bool blind = targets >= 2 && failing == targets;
    if (blind != probe->blind) {
        probe->blind = blind;
        update_report(probe);
    }
}

static void end(struct look *look, const struct observation *observation)
{
    struct probe *probe = look->probe;
    look->flight++;
    turn_end(&look->turn, &probe->schedule, observation->answer, mono(probe), wall(probe),
             probe->rank, probe->size);
    plan_turn(look);
    int flags = assess_look(&probe->assessment, (size_t)look->database, observation, "",
                            mono(probe), wall(probe));
    if (flags & ASSESS_ALARM) {
        raise_alarm(probe);
    }
    doubt_oneself(probe);
    update_report(probe);
    update_schedule(probe);
    settle(probe);
}

static void on_outcome(void *owner, uint64_t flight)
{
    struct look *look = owner;
    if (flight == look->flight && !is_away(look->probe, on_outcome, owner, flight)) {
        end(look, &look->seen);
    }
}

static void on_overdue(void *owner, uint64_t flight)
{
    struct look *look = owner;
    if (flight == look->flight && !look->probe->dead && !look->probe->frozen) {
        raise_alarm(look->probe);
    }
}

/* The question reaches the server, or does not. */
static void on_question(void *owner, uint64_t flight)
{
    struct look *look = owner;
    struct probe *probe = look->probe;
    struct world *world = probe->world;
    if (flight != look->flight || probe->dead) {
        return;
    }
    const struct database *database = &world->databases.at[look->database];
    bool cut = world->path_cut[probe->index][look->database];
    /* it broke: asked again, anew */
    if (!cut && look->connected && look->boot != database->boot && !look->again) {
        look->connected = false;
        look->again = true;
        raise_alarm(probe);
        later(probe, 1, on_question, look, flight);
        return;
    }
    databases_look(&world->databases, look->database, &look->seen);
    bool silent = cut || database->condition == HUNG;
    if (silent) {
        look->seen = (struct observation){.position = -1, .received = -1, .lag_ms = -1};
        look->seen.answer = cut && !look->connected ? ANSWER_TIMEOUT : ANSWER_STALLED;
    }
    look->connected = look->seen.answer == ANSWER_OK;
    look->boot = database->boot;
    later(probe, silent ? world->probing.timeout_ms : chance_between(&world->chance, 0, 2),
          on_outcome, look, flight);
}

static void begin(struct look *look)
{
    struct probe *probe = look->probe;
    turn_begin(&look->turn, mono(probe));
    look->flight++;
    look->again = false;
    later(probe, chance_between(&probe->world->chance, 0, 2), on_question, look, look->flight);
    later(probe, OVERDUE_MS, on_overdue, look, look->flight);
}

static void on_turn(void *owner, uint64_t flight)
{
    struct look *look = owner;
    if (flight == look->flight && !look->turn.flying &&
        !is_away(look->probe, on_turn, owner, flight)) {
        begin(look);
    }
}

static void on_closed(void *owner, uint64_t flight)
{
    struct look *look = owner;
    if (flight == look->flight && !look->turn.flying &&
        !is_away(look->probe, on_closed, owner, flight)) {
        raise_alarm(look->probe);
        begin(look);
    }
}

void probe_disconnected(struct probe *probe, int database)
{
    struct look *look = &probe->looks[database];
    if (look->connected && !look->turn.flying && !probe->world->path_cut[probe->index][database]) {
        later(probe, chance_between(&probe->world->chance, 0, 2), on_closed, look, look->flight);
    }
}

/* ---- everything that is due -------------------------------------------------------------------- */

static void on_wake(void *owner, uint64_t arg)
{
    struct probe *probe = owner;
    (void)arg;
    if (!is_away(probe, on_wake, owner, arg)) {
        probe->wake_ms = 0;
        settle(probe);
    }
}

static void wake_at(struct probe *probe, int64_t due_ms)
{
    if (due_ms == INT64_MAX) {
        return;
    }
    int64_t at_ms = due_ms > mono(probe) ? due_ms : mono(probe) + 1;
    if (probe->wake_ms == 0 || at_ms < probe->wake_ms) {
        probe->wake_ms = at_ms;
        later(probe, at_ms - mono(probe), on_wake, probe, 0);
    }
}

static void check_slip(struct probe *probe)
{
    int64_t gap_ms = mono(probe) - probe->pulse_ms;
    if (gap_ms <= BEAT_MS + PULSE_MS) {
        return;
    }
    probe->pulse_ms = mono(probe);
    world_tell(probe->world, true, "%s stood still for %lld ms", probe_name(probe->index),
               (long long)gap_ms);
    probe->slipped_ms = mono(probe) + probe->world->probing.interval_ms;
    liveness_forget(probe->liveness);
    if (!probe->busy) {
        mirror_refresh_all(probe->mirror);
    }
    update_report(probe);
    raise_alarm(probe);
}

static void tell_news(struct probe *probe)
{
    struct resolver_news news = resolver_news(probe->resolver);
    if (news.refused) {
        world_tell(probe->world, true, "%s: %s", probe_name(probe->index), news.refused);
    }
    if (news.changed) {
        update_schedule(probe);
    }
    if (news.alarm) {
        raise_alarm(probe);
    }
}

static void settle_cluster(struct probe *probe)
{
    const struct report *acked;
    int32_t version;
    int64_t mzxid;
    if (cluster_report_take_acked(probe->published, &acked, &version, &mzxid)) {
        resolver_own_report(probe->resolver, acked, version, mzxid);
    }
    int64_t due_ms = resolver_step(probe->resolver, mono(probe), wall(probe));
    tell_news(probe);
    wake_at(probe, due_ms);
}

static void settle(struct probe *probe)
{
    if (probe->busy) {
        return;
    }
    check_slip(probe);
    int64_t due_ms = reporter_step(probe->reporter, mono(probe));
    for (unsigned beats = reporter_take_beats(probe->reporter); beats > 0; beats--) {
        liveness_beat(probe->liveness);
        resolver_beat(probe->resolver);
    }
    probe->size = liveness_size(probe->liveness, &probe->rank);
    settle_cluster(probe);
    if (reporter_name_conflict(probe->reporter)[0]) {
        world_fail(probe->world, "%s", reporter_name_conflict(probe->reporter));
    }
    const char *trouble = reporter_trouble(probe->reporter);
    if (trouble) {
        world_tell(probe->world, true, "%s: %s", probe_name(probe->index), trouble);
    }
    wake_at(probe, due_ms);
}

/* ---- the store --------------------------------------------------------------------------------- */

static void on_renewed(void *owner, uint64_t arg)
{
    struct probe *probe = owner;
    (void)arg;
    if (!is_away(probe, on_renewed, owner, arg)) {
        store_renew(probe->store);
        probe->busy = false;
        settle(probe);
    }
}

static void take_event(struct probe *probe, const struct store_event *event)
{
    if (event->kind == STORE_UP && event->renewed) {
        liveness_session_began(probe->liveness);
    } else if (event->kind == STORE_UP && mono(probe) - probe->away_ms > BEAT_MS) {
        liveness_forget(probe->liveness);
    } else if (event->kind == STORE_DOWN) {
        probe->away_ms = mono(probe);
    }
    if (event->kind == STORE_UP || event->kind == STORE_DOWN || event->kind == STORE_GONE) {
        world_tell(probe->world, true, "%s: %s", probe_name(probe->index),
                   event->kind == STORE_UP ? (event->renewed ? "connected anew" : "connected again")
                   : event->kind == STORE_DOWN ? "connection lost"
                                               : "session over");
    }
    reporter_event(probe->reporter, event, mono(probe));
    mirror_event(probe->mirror, event, mono(probe));
    if (event->kind == STORE_ANSWER && (event->tag & TAG_MASK) == TAG_RESOLVER) {
        resolver_answer(store_tag_pointer(event->tag), event, mono(probe));
    }
}

static void drain(struct probe *probe)
{
    struct store_event event;
    while (!probe->busy && store_next(probe->store, mono(probe), &event)) {
        bool gone = event.kind == STORE_GONE;
        take_event(probe, &event);
        if (gone) {
            probe->busy = true;
            later(probe, chance_between(&probe->world->chance, 1, 5), on_renewed, probe, 0);
        }
    }
    settle(probe);
}

static void on_store(void *owner, uint64_t arg)
{
    struct probe *probe = owner;
    (void)arg;
    if (!is_away(probe, on_store, owner, arg)) {
        probe->draining = false;
        drain(probe);
    }
}

static void on_ready(void *owner)
{
    struct probe *probe = owner;
    if (!probe->draining) {
        probe->draining = true;
        later(probe, 0, on_store, probe, 0);
    }
}

static void on_pulse(void *owner, uint64_t arg)
{
    struct probe *probe = owner;
    (void)arg;
    if (is_away(probe, on_pulse, owner, arg)) {
        return;
    }
    later(probe, PULSE_MS, on_pulse, probe, 0);
    check_slip(probe);
    probe->pulse_ms = mono(probe);
    update_report(probe);
    if (probe->busy) {
        return;
    }
    if (mono(probe) >= probe->resync_ms) {
        probe->resync_ms = mono(probe) + chance_between(&probe->world->chance, RESYNC_MS * 2 / 3,
                                                        RESYNC_MS * 4 / 3);
        mirror_refresh_all(probe->mirror);
    }
    drain(probe);
}

/* ---- life -------------------------------------------------------------------------------------- */

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

static void start_objects(struct probe *probe)
{
    struct world *world = probe->world;
    struct reporter_settings settings = {
        .root = SIM_ROOT,
        .presence = {.pid = probe->pid, .version = "sim", .nonce = probe->nonce},
        .registry_uuid = "00000000-0000-4000-8000-000000000001",
        .is_gone = is_pid_gone};
    strcpy(settings.presence.probe, probe_name(probe->index));
    strcpy(settings.presence.host, chance_hits(&world->chance, 50) ? "sim" : "elsewhere");
    probe->store =
        store_mem_new(world->ensemble, probe_name(probe->index), SESSION_MS, on_ready, probe);
    probe->mirror = mirror_new(probe->store);
    probe->reporter = reporter_new(probe->store, probe->mirror, &settings);
    probe->liveness = liveness_new(probe->mirror, SIM_ROOT, probe_name(probe->index));
    assess_init(&probe->assessment, probe_name(probe->index), &world->cluster, &world->probing);
    schedule_init(&probe->schedule, world->probing.interval_ms, world->probing.alert_interval_ms,
                  mono(probe));
    probe->resolver =
        resolver_new(probe->store, probe->mirror, probe->liveness,
                     &(struct resolver_settings){SIM_ROOT, SIM_CLUSTER, probe_name(probe->index)});
    probe->published = reporter_add(probe->reporter, SIM_CLUSTER);
    assert(probe->resolver && probe->published);
}

struct probe *probe_new(struct world *world, int index)
{
    struct probe *probe = calloc(1, sizeof *probe);
    assert(probe);
    world_of_pids = world;
    probe->world = world;
    probe->index = index;
    probe->pid = ++world->lives;
    probe->nonce = chance_draw(&world->chance);
    probe->clock_ms = chance_between(&world->chance, 1, 1000000000);
    probe->wall_ms = INT64_C(1795224000000) + chance_between(&world->chance, -1000, 1000);
    probe->size = 1;
    start_objects(probe);
    probe->pulse_ms = mono(probe);
    probe->resync_ms = mono(probe) + RESYNC_MS;
    for (int i = 0; i < world->databases.count; i++) {
        struct look *look = &probe->looks[i];
        *look = (struct look){.probe = probe, .database = i, .turn = {.due_ms = mono(probe)}};
        plan_turn(look);
    }
    later(probe, PULSE_MS, on_pulse, probe, 0);
    store_renew(probe->store);
    probe->next = world->all_probes;
    world->all_probes = probe;
    return probe;
}

void probe_kill(struct probe *probe)
{
    if (probe->dead) {
        return;
    }
    probe->dead = true;
    store_mem_kill(probe->store);
    resolver_free(probe->resolver);
    reporter_free(probe->reporter);
    liveness_free(probe->liveness);
    mirror_free(probe->mirror);
}

void probe_free(struct probe *probe)
{
    if (probe) {
        probe_kill(probe);
        free(probe);
    }
}

struct store *probe_store(struct probe *probe)
{
    return probe->store;
}

void probe_freeze(struct probe *probe, bool frozen)
{
    probe->frozen = frozen;
    (frozen ? store_mem_freeze : store_mem_thaw)(probe->store);
}

bool probe_is_frozen(const struct probe *probe)
{
    return probe->frozen;
}

struct probe *probe_next(struct probe *probe)
{
    return probe->next;
}
