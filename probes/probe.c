#include "probes/probe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "probes/cluster.h"
#include "registry/base/random.h"
#include "registry/base/text.h"
#include "registry/config/config.h"
#include "registry/fleet/audit.h"
#include "registry/fleet/folders.h"

enum {
    PULSE_MS = 250,
    NOT_REACHED_MS = 3000, /* the registry is silent for so long before that is logged */
    STOP_MS = 1800,        /* a stop waits so long for the registry, */
    STOP_AWAY_MS = 4500    /* and so long when it was not reached: a connect may be under way */
};

enum probe_phase {
    PROBE_RUNNING,
    PROBE_STOPPING, /* until the store is closed */
    PROBE_STOPPED
};

struct probe {
    struct probe_context context; /* shared with the clusters */
    struct probed_cluster *clusters;
    enum probe_phase phase;
    bool renewing;               /* the store is in the shell's hands */
    bool reload_asked;           /* meanwhile */
    bool connected;              /* to the registry */
    bool logged_away;            /* that it is not */
    char to_mend[SENTENCE_SIZE]; /* why it is not, as logged; "" */
    int64_t away_ms;             /* since when it is not */
    int64_t alive_ms;            /* when this process was known to run */
    int64_t resync_ms;           /* when everything watched is read again */
    int64_t remembered_ms;       /* when the shell last had something to remember */
    const struct memory *memory; /* of ACTION_REMEMBER */
    struct timer pulse, reporter_timer;
    uint64_t random;
    unsigned actions; /* 1u << enum probe_action_kind, those of no slot */
    int64_t stop_ms;
    int exit_code;
    int64_t wake_ms; /* as the shell knows it */
};

static void stop(struct probe *probe, int exit_code, struct probe_time now);
static void leave_registry(struct probe *probe, struct probe_time now);

static void order(struct probe *probe, enum probe_action_kind action)
{
    probe->actions |= 1u << action;
}

static void emit(struct probe *probe, struct fact fact)
{
    probe->context.log(probe->context.log_owner, &fact);
}

/* ---- clusters -------------------------------------------------------------------------------- */

static struct probed_cluster *staying(struct probed_cluster *cluster)
{
    while (cluster && cluster_is_leaving(cluster)) {
        cluster = *cluster_next(cluster);
    }
    return cluster;
}

/* Those that are not leaving; NULL ends. */
static struct probed_cluster *first_cluster(struct probe *probe)
{
    return staying(probe->clusters);
}

static struct probed_cluster *next_cluster(struct probed_cluster *cluster)
{
    return staying(*cluster_next(cluster));
}

static struct probed_cluster *find_cluster(struct probe *probe, const char *name)
{
    for (struct probed_cluster *it = first_cluster(probe); it; it = next_cluster(it)) {
        if (text_equal(cluster_name(it), name)) {
            return it;
        }
    }
    return NULL;
}

static bool add_cluster(struct probe *probe, const struct cluster_settings *settings,
                        struct probe_time now)
{
    struct probed_cluster *cluster = cluster_new(&probe->context, settings, now);
    if (!cluster) {
        emit(probe, (struct fact){.kind = FACT_NO_MEMORY, .cluster = settings->name, .member = ""});
        return false;
    }
    *cluster_next(cluster) = probe->clusters;
    probe->clusters = cluster;
    return true;
}

/* What left and has nothing under way any more. */
static void sweep(struct probe *probe)
{
    for (struct probed_cluster **at = &probe->clusters; *at;) {
        struct probed_cluster *cluster = *at;
        if (cluster_is_done(cluster)) {
            *at = *cluster_next(cluster);
            cluster_free(cluster);
        } else {
            at = cluster_next(cluster);
        }
    }
}

static void report_all(struct probe *probe, struct probe_time now)
{
    for (struct probed_cluster *it = first_cluster(probe); it; it = next_cluster(it)) {
        cluster_report(it, now);
    }
}

/* ---- self-doubt ------------------------------------------------------------------------------ */

/* All of two or more targets fail in an ambiguous way at once: it is probably this probe that is
 * cut off. One target proves nothing. */
static void doubt(struct probe *probe, struct probe_time now)
{
    const struct probe_context *context = &probe->context;
    assert(context->failing <= context->targets);
    bool blind = context->targets >= 2 && context->failing == context->targets;
    if (blind != context->blind) {
        probe->context.blind = blind;
        report_all(probe, now);
    }
}

/* A gap in our own time: what was read before it must not be acted on. Every step comes by here
 * first. */
static void check_slip(struct probe *probe, struct probe_time now)
{
    int64_t gap_ms = now.ms - probe->alive_ms;
    /* a clock that goes back is that of another host, on which this process was thawed */
    bool slipped = gap_ms < 0 || gap_ms > BEAT_MS + PULSE_MS;
    if (!slipped || probe->phase != PROBE_RUNNING) {
        return;
    }
    probe->alive_ms = now.ms;
    emit(probe, (struct fact){.kind = FACT_SLIPPED, .number = gap_ms});
    probe->context.slipped_until_ms = now.ms + probe->context.config->probe.interval_ms;
    liveness_forget(probe->context.liveness);
    if (!probe->renewing) {
        mirror_refresh_all(probe->context.mirror);
    }
    report_all(probe, now);
    for (struct probed_cluster *it = first_cluster(probe); it; it = next_cluster(it)) {
        cluster_alarm(it, "", "this process was not scheduled", now);
    }
}

/* ---- everything that is due ------------------------------------------------------------------ */

/* Which registry this is, and what of it is to be remembered. */
static void take_registry(struct probe *probe)
{
    bool is_refusal;
    const char *sentence = root_take_sentence(reporter_root(probe->context.reporter), &is_refusal);
    if (sentence) {
        emit(probe,
             (struct fact){.kind = is_refusal ? FACT_TROUBLE : FACT_REGISTRY, .text = sentence});
    }
}

static void step_reporter(struct probe *probe, struct probe_time now)
{
    struct reporter *reporter = probe->context.reporter;
    probe->context.report_due = false;
    int64_t due_ms = reporter_step(reporter, now.ms);
    const char *trouble = reporter_trouble(reporter);
    if (trouble) {
        bool chroot = trouble == folders_no_chroot;
        emit(probe, (struct fact){.kind = chroot ? FACT_NO_CHROOT : FACT_TROUBLE, .text = trouble});
    }
    take_registry(probe);
    if (reporter_must_leave(reporter)) {
        leave_registry(probe, now);
        return;
    }
    if (reporter_name_conflict(reporter)[0]) {
        emit(probe,
             (struct fact){.kind = FACT_NAME_CONFLICT, .text = reporter_name_conflict(reporter)});
        stop(probe, 1, now);
        return;
    }
    timers_set(&probe->context.timers, &probe->reporter_timer,
               due_ms > now.ms ? due_ms : now.ms + 1);
}

static bool may_settle(const struct probe *probe)
{
    return probe->phase == PROBE_RUNNING && !probe->renewing;
}

/* After what concerns one cluster. */
static void settle_cluster(struct probe *probe, struct probed_cluster *cluster,
                           struct probe_time now)
{
    if (may_settle(probe) && probe->context.report_due) {
        step_reporter(probe, now);
    }
    if (may_settle(probe) && !cluster_is_leaving(cluster)) {
        cluster_settle(cluster, now);
    }
}

static void step_audit(struct probe *probe, struct probe_time now)
{
    struct audit *audit = probe->context.audit;
    enum audit_finding finding;
    if (!audit) {
        return;
    }
    audit_step(audit, now.ms);
    const char *sentence = audit_take_sentence(audit, &finding);
    if (sentence) {
        emit(probe, (struct fact){.kind = FACT_ACCESS, .number = finding, .text = sentence});
    }
}

/* After what may concern all: what the store brought. */
static void settle(struct probe *probe, struct probe_time now)
{
    struct probe_context *context = &probe->context;
    if (may_settle(probe)) {
        step_reporter(probe, now);
    }
    if (!may_settle(probe)) {
        return;
    }
    step_audit(probe, now);
    for (unsigned beats = reporter_take_beats(context->reporter); beats > 0; beats--) {
        liveness_beat(context->liveness);
        for (struct probed_cluster *it = first_cluster(probe); it; it = next_cluster(it)) {
            cluster_beat(it);
        }
    }
    context->size = liveness_size(context->liveness, &context->rank);
    assert(context->rank < context->size);
    sweep(probe);
    for (struct probed_cluster *it = first_cluster(probe); it; it = next_cluster(it)) {
        cluster_settle(it, now);
    }
}

/* ---- the store ------------------------------------------------------------------------------- */

static void link_up(struct probe *probe, const struct store_event *event, struct probe_time now)
{
    if (event->renewed) {
        emit(probe, (struct fact){.kind = FACT_CONNECTED, .number = event->session});
        liveness_session_began(probe->context.liveness);
    } else if (!probe->connected) {
        emit(probe, (struct fact){.kind = FACT_RECONNECTED, .number = event->session});
        if (now.ms - probe->away_ms > BEAT_MS) {
            liveness_forget(probe->context.liveness);
        }
    }
    probe->connected = true;
    probe->logged_away = false;
}

static void link_lost(struct probe *probe, const struct store_event *event, struct probe_time now)
{
    if (probe->connected) {
        emit(probe, (struct fact){.kind = event->kind == STORE_GONE ? FACT_SESSION_OVER
                                                                    : FACT_DISCONNECTED,
                                  .text = event->detail});
        probe->away_ms = now.ms;
    } else if (event->to_mend && !text_equal(event->detail, probe->to_mend)) {
        emit(probe, (struct fact){.kind = FACT_TROUBLE, .text = event->detail});
    }
    if (event->to_mend) {
        text_copy(probe->to_mend, sizeof probe->to_mend, event->detail);
    }
    probe->connected = false;
}

static void take_store_event(struct probe *probe, const struct store_event *event,
                             struct probe_time now)
{
    if (event->kind == STORE_UP) {
        link_up(probe, event, now);
    } else if (event->kind == STORE_DOWN || event->kind == STORE_GONE) {
        link_lost(probe, event, now);
    }
    reporter_event(probe->context.reporter, event, now.ms);
    mirror_event(probe->context.mirror, event, now.ms);
    if (probe->context.audit) {
        audit_event(probe->context.audit, event, now.ms);
    }
    if (event->kind == STORE_ANSWER && (event->tag & TAG_MASK) == TAG_RESOLVER) {
        resolver_answer(store_tag_pointer(event->tag), event, now.ms);
    }
}

static void renew(struct probe *probe)
{
    assert(!probe->renewing);
    probe->renewing = true;
    order(probe, ACTION_RENEW);
}

/* What we hold there goes with the session; the next one holds nothing while it is refused. */
static void leave_registry(struct probe *probe, struct probe_time now)
{
    take_store_event(
        probe,
        &(struct store_event){.kind = STORE_GONE,
                              .detail = "ended by this probe: the registry is refused"},
        now);
    renew(probe);
}

static void drain_store(struct probe *probe, struct probe_time now)
{
    struct store_event event;
    while (may_settle(probe) && store_next(probe->context.store, now.ms, &event)) {
        take_store_event(probe, &event, now);
        if (event.kind == STORE_GONE) {
            renew(probe);
        }
    }
    settle(probe, now);
}

static void renewed(struct probe *probe, struct probe_time now)
{
    assert(probe->renewing);
    probe->renewing = false;
    if (probe->phase == PROBE_STOPPING) {
        order(probe, ACTION_CLOSE_STORE);
        return;
    }
    if (probe->reload_asked) {
        probe->reload_asked = false;
        order(probe, ACTION_RELOAD);
    }
    settle(probe, now);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Not oftener than a beat: topologies that change all the time are no reason to wear out a disk. */
static void remember(struct probe *probe, struct probe_time now)
{
    if (now.ms - probe->remembered_ms < BEAT_MS) {
        return;
    }
    const struct memory *memory = root_take_memory(reporter_root(probe->context.reporter));
    if (memory) {
        probe->remembered_ms = now.ms;
        probe->memory = memory;
        order(probe, ACTION_REMEMBER);
    }
}

/* Silence, overdue looks, doubts that are over, the slow resync. */
static void pulse(struct probe *probe, struct probe_time now)
{
    timers_set(&probe->context.timers, &probe->pulse, now.ms + PULSE_MS);
    probe->alive_ms = now.ms;
    report_all(probe, now);
    if (probe->renewing) {
        return;
    }
    if (!probe->connected && !probe->logged_away && now.ms - probe->away_ms > NOT_REACHED_MS) {
        probe->logged_away = true;
        emit(probe, (struct fact){.kind = FACT_NOT_REACHED,
                                  .text = probe->context.config->registry.servers});
    }
    if (now.ms >= probe->resync_ms) {
        probe->resync_ms = now.ms + RESYNC_MS * 2 / 3 +
                           (int64_t)(random_next(&probe->random) % (RESYNC_MS * 2 / 3));
        mirror_refresh_all(probe->context.mirror);
    }
    drain_store(probe, now);
    remember(probe, now);
}

/* After a step of a slot: has its look ended? */
static void look_taken_in(struct probe *probe, struct probed_cluster *cluster, bool ended,
                          struct probe_time now)
{
    if (ended) {
        doubt(probe, now);
        cluster_report(cluster, now);
        settle_cluster(probe, cluster, now);
    }
}

static void on_timer(struct probe *probe, struct timer *timer, struct probe_time now)
{
    struct probed_cluster *cluster;
    switch (timer->kind) {
    case TIMER_SLOT:
        cluster = cluster_of(timer->owner);
        look_taken_in(probe, cluster, cluster_slot_timer(timer->owner, now), now);
        break;
    case TIMER_CLUSTER:
        settle_cluster(probe, timer->owner, now);
        break;
    case TIMER_REPORTER:
        if (may_settle(probe)) {
            step_reporter(probe, now);
        }
        break;
    case TIMER_PULSE:
        pulse(probe, now);
        break;
    default:
        assert(false); /* a timer of nobody */
    }
}

static void run_timers(struct probe *probe, struct probe_time now)
{
    struct timer *timer;
    probe->wake_ms = TIMER_NEVER;
    while (probe->phase == PROBE_RUNNING &&
           (timer = timers_take(&probe->context.timers, now.ms)) != NULL) {
        on_timer(probe, timer, now);
    }
}

/* ---- reload and stop ------------------------------------------------------------------------- */

static const struct cluster_settings *find_settings(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->cluster_count; i++) {
        if (text_equal(config->clusters[i].name, name)) {
            return &config->clusters[i];
        }
    }
    return NULL;
}

static void reload(struct probe *probe, const struct config *config, struct probe_time now)
{
    bool same_timeout = probe->context.config->probe.timeout_ms == config->probe.timeout_ms;
    assert(!probe->renewing);
    probe->context.config = config;
    for (struct probed_cluster *it = first_cluster(probe); it; it = next_cluster(it)) {
        const struct cluster_settings *settings = find_settings(config, cluster_name(it));
        if (settings) {
            cluster_reload(it, settings, same_timeout, now);
        } else {
            emit(probe, (struct fact){.kind = FACT_WITHDRAWN, .cluster = cluster_name(it)});
            cluster_leave(it);
        }
    }
    for (size_t i = 0; i < config->cluster_count; i++) {
        if (!find_cluster(probe, config->clusters[i].name)) {
            add_cluster(probe, &config->clusters[i], now);
        }
    }
    settle(probe, now);
}

static void stop(struct probe *probe, int exit_code, struct probe_time now)
{
    assert(probe->phase == PROBE_RUNNING);
    probe->phase = PROBE_STOPPING;
    probe->exit_code = exit_code ? exit_code : probe->exit_code;
    probe->stop_ms = now.ms + (probe->connected ? STOP_MS : STOP_AWAY_MS);
    for (struct probed_cluster *it = first_cluster(probe); it; it = next_cluster(it)) {
        cluster_stop(it);
    }
    probe->actions &= ~(1u << ACTION_RELOAD);
    order(probe, ACTION_STOP);
    if (!probe->renewing) {
        order(probe, ACTION_CLOSE_STORE);
    }
}

/* ---- the step -------------------------------------------------------------------------------- */

static void step_slot(struct probe *probe, const struct probe_event *event)
{
    struct probed_cluster *cluster = cluster_of(event->slot);
    bool ended = false;
    assert(event->slot->state != SLOT_CLOSED);
    if (event->kind == EVENT_RESOLVED) {
        ended = cluster_resolved(event->slot, event->address, event->text, event->now);
    } else if (event->kind == EVENT_LOOK_ENDED) {
        ended = cluster_look_ended(event->slot, event->observation, event->remains, event->now);
    } else {
        ended = cluster_unsolicited(event->slot, event->now);
        run_timers(probe, event->now); /* its next look may be due at once */
    }
    look_taken_in(probe, cluster, ended, event->now);
}

static void step_running(struct probe *probe, const struct probe_event *event)
{
    switch (event->kind) {
    case EVENT_TIMER:
        run_timers(probe, event->now);
        break;
    case EVENT_STORE:
        drain_store(probe, event->now);
        break;
    case EVENT_RENEWED:
        renewed(probe, event->now);
        break;
    case EVENT_RESOLVED:
    case EVENT_LOOK_ENDED:
    case EVENT_UNSOLICITED:
        step_slot(probe, event);
        break;
    case EVENT_WORKS:
        cluster_slot_works(event->slot, event->now);
        break;
    case EVENT_WORKED:
        cluster_slot_worked(event->slot, event->ms, event->now);
        break;
    case EVENT_LATE:
        cluster_slot_late(event->slot, event->ms);
        break;
    case EVENT_RELOAD_ASKED:
        /* clusters come and go through the store, which is away while it is renewed */
        probe->reload_asked = probe->renewing;
        if (!probe->renewing) {
            order(probe, ACTION_RELOAD);
        }
        break;
    case EVENT_RELOAD:
        reload(probe, event->config, event->now);
        break;
    case EVENT_STOP:
        emit(probe, (struct fact){.kind = FACT_STOPPING, .text = event->text});
        stop(probe, 0, event->now);
        break;
    }
}

void probe_step(struct probe *probe, const struct probe_event *event)
{
    check_slip(probe, event->now);
    if (probe->phase == PROBE_RUNNING) {
        step_running(probe, event);
    } else if (event->kind == EVENT_RENEWED) {
        renewed(probe, event->now);
    }
}

/* ---- actions --------------------------------------------------------------------------------- */

static bool next_of_slot(struct probe_context *context, struct probe_action *ret_action)
{
    *ret_action = (struct probe_action){.slot = NULL};
    return orders_next(&context->orders, &ret_action->slot, &ret_action->shell, &ret_action->kind);
}

bool probe_next(struct probe *probe, struct probe_action *ret_action)
{
    if (next_of_slot(&probe->context, ret_action)) {
        return true;
    }
    if (probe->actions) {
        int kind = __builtin_ctz(probe->actions);
        probe->actions &= ~(1u << kind);
        *ret_action = (struct probe_action){.kind = (enum probe_action_kind)kind,
                                            .at_ms = probe->stop_ms,
                                            .memory = probe->memory,
                                            .exit_code = probe->exit_code};
        return true;
    }
    int64_t due_ms = timers_due(&probe->context.timers);
    if (probe->phase != PROBE_RUNNING || due_ms == probe->wake_ms) {
        return false;
    }
    probe->wake_ms = due_ms;
    *ret_action = (struct probe_action){.kind = ACTION_WAKE, .at_ms = due_ms};
    return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool audit_registry(struct probe_context *context, struct store *store)
{
    const struct registry_settings *registry = &context->config->registry;
    struct access_rules rules;
    config_access_rules(registry, &rules);
    if (rules.probes.count > 0) {
        context->audit = audit_new(store, registry->root, &rules);
    }
    return rules.probes.count == 0 || context->audit;
}

static bool join_registry(struct probe *probe, const struct probe_setup *setup)
{
    struct probe_context *context = &probe->context;
    const struct config *config = setup->config;
    struct reporter_settings settings = {.root = config->registry.root,
                                         .has_chroot = setup->chroot,
                                         .presence = setup->presence,
                                         .registry_uuid = setup->registry_uuid,
                                         .memory = setup->memory,
                                         .is_gone = setup->is_gone};
    strcpy(settings.presence.probe, config->probe.name);
    context->mirror = mirror_new(setup->store);
    context->reporter =
        context->mirror ? reporter_new(setup->store, context->mirror, &settings) : NULL;
    context->liveness =
        context->reporter ? liveness_new(context->mirror, config->registry.root, config->probe.name)
                          : NULL;
    return context->liveness != NULL && audit_registry(context, setup->store);
}

static bool set_timers(struct probe *probe, int64_t now_ms)
{
    struct timers *timers = &probe->context.timers;
    if (!timers_add(timers, &probe->pulse, TIMER_PULSE, probe) ||
        !timers_add(timers, &probe->reporter_timer, TIMER_REPORTER, probe)) {
        return false;
    }
    timers_set(timers, &probe->pulse, now_ms + PULSE_MS);
    return true;
}

struct probe *probe_new(const struct probe_setup *setup)
{
    struct probe *probe = calloc(1, sizeof *probe);
    if (!probe) {
        return NULL;
    }
    probe->context.config = setup->config;
    probe->context.store = setup->store;
    probe->context.size = 1;
    probe->context.log = setup->log;
    probe->context.log_owner = setup->log_owner;
    probe->random = setup->seed;
    probe->away_ms = probe->alive_ms = setup->now.ms;
    probe->resync_ms = setup->now.ms + RESYNC_MS;
    probe->remembered_ms = setup->now.ms - BEAT_MS;
    probe->wake_ms = TIMER_NEVER;
    if (!join_registry(probe, setup) || !set_timers(probe, setup->now.ms)) {
        probe_free(probe);
        return NULL;
    }
    for (size_t i = 0; i < setup->config->cluster_count; i++) {
        if (!add_cluster(probe, &setup->config->clusters[i], setup->now)) {
            probe->exit_code = 1;
        }
    }
    renew(probe);
    return probe;
}

void probe_free(struct probe *probe)
{
    if (!probe) {
        return;
    }
    struct probe_action action;
    while (probe->clusters) {
        struct probed_cluster *cluster = probe->clusters;
        probe->clusters = *cluster_next(cluster);
        cluster_stop(cluster);
        cluster_free(cluster);
    }
    while (next_of_slot(&probe->context, &action)) {
    }
    audit_free(probe->context.audit);
    reporter_free(probe->context.reporter);
    liveness_free(probe->context.liveness);
    mirror_free(probe->context.mirror);
    timers_release(&probe->context.timers);
    free(probe);
}
