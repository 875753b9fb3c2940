#include "probes/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "probes/cluster.h"
#include "registry/base/clock.h"
#include "registry/base/entropy.h"
#include "registry/base/log.h"
#include "registry/base/random.h"
#include "registry/base/text.h"

enum { PULSE_MS = 250, STOP_MS = 1800, STOP_GONE_MS = 4500 };

struct agent {
    struct ground ground; /* first: the watches know their agent by it */
    uv_loop_t loop;
    const char *file;
    uv_poll_t store_poll;
    uv_timer_t pulse, reporting, stopping;
    uv_signal_t hup, term, intr;
    uv_work_t store_work;
    bool store_busy; /* in a worker's hands: nobody else's */
    bool reload_due; /* asked for while the store was in a worker's hands */
    bool connected;
    bool told_away;
    int64_t away_ms;  /* since when the registry is silent */
    int64_t pulse_ms; /* when the pulse came last */
    int64_t resync_ms;
    bool stop;
    int exit_code;
};

static void settle(struct agent *agent);
static void stop(struct agent *agent);
static void reload(struct agent *agent);
static void on_store(uv_poll_t *handle, int status, int events);
static void finish_stop(struct agent *agent);

static bool is_pid_gone(const struct presence *presence)
{
    char host[HOST_SIZE] = "";
    gethostname(host, sizeof host - 1);
    return text_equal(host, presence->host) && presence->pid > 0 &&
           kill((pid_t)presence->pid, 0) != 0 && errno == ESRCH;
}

/* ---- everything that is due ------------------------------------------------------------------ */

static void on_reporting(uv_timer_t *timer)
{
    settle(timer->data);
}

/* A gap in our own time: what was read before it is not to be acted on. Every way into deciding
 * comes by here first. */
static void check_slip(struct agent *agent, int64_t now_ms)
{
    int64_t gap_ms = now_ms - agent->pulse_ms;
    if (gap_ms <= BEAT_MS + PULSE_MS) {
        return;
    }
    agent->pulse_ms = now_ms;
    log_line(LOG_WARNING, agent->ground.config->probe.name,
             "this process stood still for %lld ms: reading everything again before deciding",
             (long long)gap_ms);
    agent->ground.slipped_ms = now_ms + agent->ground.config->probe.interval_ms;
    liveness_forget(agent->ground.liveness);
    if (!agent->store_busy) {
        mirror_refresh_all(agent->ground.mirror);
    }
    watch_report_all(&agent->ground);
    for (struct watch *watch = watch_first(&agent->ground); watch; watch = watch_next(watch)) {
        watch_alarm(watch, "", "this process stood still");
    }
}

static void settle(struct agent *agent)
{
    if (agent->store_busy || agent->stop) {
        return;
    }
    int64_t now_ms = clock_mono_ms();
    check_slip(agent, now_ms);
    int64_t due_ms = reporter_step(agent->ground.reporter, now_ms);
    unsigned beats = reporter_take_beats(agent->ground.reporter);
    while (beats-- > 0) {
        liveness_beat(agent->ground.liveness);
        for (struct watch *watch = watch_first(&agent->ground); watch; watch = watch_next(watch)) {
            resolver_beat(watch_resolver(watch));
        }
    }
    agent->ground.size = liveness_size(agent->ground.liveness, &agent->ground.rank);
    watch_sweep(&agent->ground, false);
    for (struct watch *watch = watch_first(&agent->ground); watch; watch = watch_next(watch)) {
        watch_settle(watch);
    }
    const char *trouble = reporter_trouble(agent->ground.reporter);
    if (trouble) {
        log_line(LOG_WARNING, "registry", "%s", trouble);
    }
    if (reporter_name_conflict(agent->ground.reporter)[0]) {
        log_line(LOG_ERROR, agent->ground.config->probe.name, "%s",
                 reporter_name_conflict(agent->ground.reporter));
        agent->exit_code = 1;
        stop(agent);
    } else if (due_ms < INT64_MAX) {
        uv_timer_start(&agent->reporting, on_reporting,
                       (uint64_t)(due_ms > now_ms ? due_ms - now_ms : 1), 0);
    }
}

static void settle_ground(struct ground *ground)
{
    settle((struct agent *)ground);
}

/* ---- the store ------------------------------------------------------------------------------- */

static void watch_store(struct agent *agent)
{
    uv_poll_start(&agent->store_poll, UV_READABLE, on_store);
}

static void renew_work(uv_work_t *work)
{
    struct agent *agent = work->data;
    store_renew(agent->ground.store);
}

static void renewed(uv_work_t *work, int status)
{
    struct agent *agent = work->data;
    (void)status;
    agent->store_busy = false;
    if (agent->stop) {
        finish_stop(agent);
        return;
    }
    watch_store(agent);
    if (agent->reload_due) {
        agent->reload_due = false;
        reload(agent);
    }
    settle(agent);
}

static void renew(struct agent *agent)
{
    uv_poll_stop(&agent->store_poll);
    agent->store_busy = true;
    agent->store_work.data = agent;
    if (uv_queue_work(&agent->loop, &agent->store_work, renew_work, renewed) != 0) {
        agent->store_busy = false;
        watch_store(agent); /* the pulse finds it gone again */
    }
}

static void session_news(struct agent *agent, const struct store_event *event)
{
    bool up = event->kind == STORE_UP;
    if (up && (!agent->connected || event->renewed)) {
        log_line(LOG_NOTICE, "registry", "%s, session 0x%llx",
                 event->renewed ? "connected, a new session" : "connected again",
                 (unsigned long long)event->session);
        if (event->renewed) {
            liveness_session_began(agent->ground.liveness);
        } else if (clock_mono_ms() - agent->away_ms > BEAT_MS) {
            liveness_forget(agent->ground.liveness);
        }
    } else if (!up && agent->connected) {
        log_line(LOG_WARNING, "registry", "%s%s%s: probing goes on",
                 event->kind == STORE_GONE ? "the session is over" : "the connection is lost",
                 event->detail ? ", " : "", event->detail ? event->detail : "");
        agent->away_ms = clock_mono_ms();
    }
    agent->told_away = !up && agent->told_away;
    agent->connected = up;
}

/* Returns false when the store has to be renewed. */
static bool take_event(struct agent *agent, const struct store_event *event)
{
    if (event->kind == STORE_UP || event->kind == STORE_DOWN || event->kind == STORE_GONE) {
        session_news(agent, event);
    }
    reporter_event(agent->ground.reporter, event, clock_mono_ms());
    mirror_event(agent->ground.mirror, event, clock_mono_ms());
    if (event->kind == STORE_ANSWER && (event->tag & TAG_MASK) == TAG_RESOLVER) {
        resolver_answer(store_tag_pointer(event->tag), event, clock_mono_ms());
    }
    return event->kind != STORE_GONE;
}

static void drain_store(struct agent *agent)
{
    struct store_event event;
    bool lives = true;
    while (lives && !agent->store_busy &&
           store_next(agent->ground.store, clock_mono_ms(), &event)) {
        lives = take_event(agent, &event);
    }
    if (!lives) {
        renew(agent);
        return;
    }
    settle(agent);
}

static void on_store(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    drain_store(handle->data);
}

/* ---- the pulse: our own clock, silence, the slow resync -------------------------------------- */

static void on_pulse(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    int64_t now_ms = clock_mono_ms();
    check_slip(agent, now_ms);
    agent->pulse_ms = now_ms;
    watch_report_all(&agent->ground); /* a look may be overdue, a doubt over */
    if (agent->store_busy) {
        return;
    }
    if (!agent->connected && !agent->told_away && now_ms - agent->away_ms > 3000) {
        agent->told_away = true;
        log_line(LOG_WARNING, "registry", "not reached at %s: waiting; probing goes on",
                 agent->ground.config->registry.servers);
    }
    if (now_ms >= agent->resync_ms) {
        agent->resync_ms =
            now_ms + RESYNC_MS * 2 / 3 + (int64_t)(entropy_draw() % (RESYNC_MS * 2 / 3));
        mirror_refresh_all(agent->ground.mirror);
    }
    drain_store(agent);
}

/* ---- signals --------------------------------------------------------------------------------- */

static const struct cluster_settings *find_cluster(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->cluster_count; i++) {
        if (text_equal(config->clusters[i].name, name)) {
            return &config->clusters[i];
        }
    }
    return NULL;
}

static void keep_what_needs_a_restart(const struct config *old, struct config *new)
{
    char changes[SENTENCE_SIZE];
    if (config_fixed_changes(old, new, changes, sizeof changes)[0]) {
        log_line(LOG_WARNING, "reload", "takes effect at a restart only: %s", changes);
    }
    new->registry = old->registry;
    memcpy(new->probe.name, old->probe.name, sizeof new->probe.name);
}

static void reload(struct agent *agent)
{
    char *errors = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&errors, &size);
    struct config *config = to ? config_load(agent->file, to) : NULL;
    if (to) {
        fclose(to);
    }
    for (char *line = errors, *end; line && *line; line = end) {
        end = line + strcspn(line, "\n");
        end += *end ? 1 : 0;
        log_line(LOG_WARNING, "reload", "%.*s", (int)strcspn(line, "\n"), line);
    }
    free(errors);
    if (!config) {
        log_line(LOG_ERROR, "reload", "%s is not taken over: the old configuration stays in force",
                 agent->file);
        return;
    }
    struct config *old = agent->ground.config;
    bool same_timeout = old->probe.timeout_ms == config->probe.timeout_ms;
    keep_what_needs_a_restart(old, config);
    agent->ground.config = config;
    log_set_level((enum log_level)config->probe.log_level);
    for (struct watch *watch = watch_first(&agent->ground); watch; watch = watch_next(watch)) {
        const struct cluster_settings *settings = find_cluster(config, watch_name(watch));
        if (settings) {
            watch_reload(watch, settings, same_timeout);
        } else {
            log_line(LOG_NOTICE, watch_name(watch),
                     "no longer configured: its report is withdrawn");
            watch_leave(watch);
        }
    }
    for (size_t i = 0; i < config->cluster_count; i++) {
        const char *name = config->clusters[i].name;
        if (!watch_find(&agent->ground, name) &&
            !watch_start(&agent->ground, &config->clusters[i])) {
            log_line(LOG_ERROR, name, "no memory to watch it");
        }
    }
    config_free(old);
    log_line(LOG_NOTICE, "reload", "%s is in force: %zu clusters", agent->file,
             config->cluster_count);
    settle(agent);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct agent *agent = handle->data;
    if (number == SIGHUP) {
        if (agent->store_busy) {
            agent->reload_due = true; /* once the registry's session is begun */
        } else if (!agent->stop) {
            reload(agent);
        }
        return;
    }
    log_line(LOG_NOTICE, agent->ground.config->probe.name, "stopping: %s",
             number == SIGTERM ? "SIGTERM" : "SIGINT");
    stop(agent);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void close_work(uv_work_t *work)
{
    struct agent *agent = work->data;
    store_close(agent->ground.store); /* our reports go with the session */
}

static void closed(uv_work_t *work, int status)
{
    struct agent *agent = work->data;
    (void)status;
    agent->ground.store = NULL;
    agent->store_busy = false;
}

static void finish_stop(struct agent *agent)
{
    agent->store_busy = true;
    agent->store_work.data = agent;
    uv_queue_work(&agent->loop, &agent->store_work, close_work, closed);
}

/* The registry or a worker hangs: what we held goes by itself when the session expires. */
static void give_up_waiting(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    log_line(LOG_WARNING, "registry",
             "does not take our leave: the reports go when the session expires");
    _exit(agent->exit_code);
}

static void stop(struct agent *agent)
{
    if (agent->stop) {
        return;
    }
    agent->stop = true;
    uv_timer_start(&agent->stopping, give_up_waiting, agent->connected ? STOP_MS : STOP_GONE_MS, 0);
    /* fires only while something else is still waited for */
    uv_unref((uv_handle_t *)&agent->stopping);
    for (struct watch *watch = watch_first(&agent->ground); watch; watch = watch_next(watch)) {
        watch_stop(watch);
    }
    names_free(agent->ground.names, NULL, NULL);
    uv_close((uv_handle_t *)&agent->store_poll, NULL);
    uv_close((uv_handle_t *)&agent->pulse, NULL);
    uv_close((uv_handle_t *)&agent->reporting, NULL);
    /* caught to the end: a second signal changes nothing */
    uv_unref((uv_handle_t *)&agent->hup);
    uv_unref((uv_handle_t *)&agent->term);
    uv_unref((uv_handle_t *)&agent->intr);
    if (!agent->store_busy) {
        finish_stop(agent);
    }
}

static void release(struct agent *agent)
{
    watch_sweep(&agent->ground, true);
    reporter_free(agent->ground.reporter);
    liveness_free(agent->ground.liveness);
    mirror_free(agent->ground.mirror);
    config_free(agent->ground.config);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void store_says(void *ctx, int severity, const char *line)
{
    (void)ctx;
    log_line(severity <= 1 ? LOG_INFO : LOG_DEBUG, "zookeeper", "%s", line);
}

static bool start_store(struct agent *agent)
{
    const struct registry_settings *registry = &agent->ground.config->registry;
    char sentence[SENTENCE_SIZE] = "no memory";
    char uuid[UUID_SIZE];
    struct reporter_settings settings = {
        .root = registry->root,
        .chroot_create = strchr(registry->servers, '/') ? "/" : NULL,
        .presence = {.pid = getpid(), .version = ROSTER_VERSION, .nonce = entropy_draw()},
        .registry_uuid = uuid,
        .is_gone = is_pid_gone,
    };
    random_uuid(uuid, entropy_draw(), entropy_draw());
    strcpy(settings.presence.probe, agent->ground.config->probe.name);
    gethostname(settings.presence.host, sizeof settings.presence.host - 1);
    agent->ground.store =
        store_zk_new(&(struct store_zk_options){.servers = registry->servers,
                                                .session_timeout_ms = registry->session_timeout_ms,
                                                .auth = registry->auth,
                                                .log = store_says},
                     sentence, sizeof sentence);
    agent->ground.mirror = agent->ground.store ? mirror_new(agent->ground.store) : NULL;
    agent->ground.reporter =
        agent->ground.mirror ? reporter_new(agent->ground.store, agent->ground.mirror, &settings)
                             : NULL;
    agent->ground.liveness =
        agent->ground.reporter
            ? liveness_new(agent->ground.mirror, registry->root, agent->ground.config->probe.name)
            : NULL;
    if (!agent->ground.liveness) {
        log_line(LOG_ERROR, "registry", "%s", sentence);
    }
    return agent->ground.liveness != NULL;
}

static void start_handles(struct agent *agent)
{
    uv_poll_init(&agent->loop, &agent->store_poll, store_fd(agent->ground.store));
    uv_timer_init(&agent->loop, &agent->pulse);
    uv_timer_init(&agent->loop, &agent->reporting);
    uv_timer_init(&agent->loop, &agent->stopping);
    uv_signal_init(&agent->loop, &agent->hup);
    uv_signal_init(&agent->loop, &agent->term);
    uv_signal_init(&agent->loop, &agent->intr);
    agent->store_poll.data = agent->pulse.data = agent->reporting.data = agent->stopping.data =
        agent;
    agent->hup.data = agent->term.data = agent->intr.data = agent;
    uv_signal_start(&agent->hup, on_signal, SIGHUP);
    uv_signal_start(&agent->term, on_signal, SIGTERM);
    uv_signal_start(&agent->intr, on_signal, SIGINT);
    uv_timer_start(&agent->pulse, on_pulse, PULSE_MS, PULSE_MS);
}

int agent_run(struct config *config, const char *file)
{
    static struct agent agent;
    agent = (struct agent){
        .file = file,
        .ground = {.loop = &agent.loop, .config = config, .size = 1, .settle = settle_ground}};
    signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&agent.loop) != 0 || !(agent.ground.names = names_new(&agent.loop)) ||
        !start_store(&agent)) {
        config_free(config);
        return 1;
    }
    start_handles(&agent);
    agent.away_ms = agent.pulse_ms = clock_mono_ms();
    agent.resync_ms = agent.pulse_ms + RESYNC_MS;
    log_line(LOG_NOTICE, config->probe.name, "roster-probe %s watches %zu clusters", ROSTER_VERSION,
             config->cluster_count);
    for (size_t i = 0; i < config->cluster_count; i++) {
        if (!watch_start(&agent.ground, &config->clusters[i])) {
            log_line(LOG_ERROR, config->clusters[i].name, "no memory to watch it");
            agent.exit_code = 1;
        }
    }
    renew(&agent);
    uv_run(&agent.loop, UV_RUN_DEFAULT);
    /* The handles of signals stay open, and so does the loop: closed, they would give the signals
     * back their deadly meaning, and a late one would change how we end. */
    release(&agent);
    return agent.exit_code;
}
