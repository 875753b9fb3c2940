#include "probes/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "probes/assess.h"
#include "probes/look.h"
#include "probes/reporter.h"
#include "registry/base/clock.h"
#include "registry/base/note.h"
#include "registry/base/text.h"
#include "registry/resolver.h"

enum { FLEET_LIST = 48, FLEET_PROBE };
enum { PULSE_MS = 250, STOP_MS = 1800, STOP_GONE_MS = 4500 };

/* One cluster under watch. */
struct watch {
    struct agent *agent;
    struct cluster_settings settings;
    struct assessment assessment;
    struct schedule schedule;
    struct resolver *resolver;
    struct posting *posting;
    struct look *looks[MEMBERS_MAX]; /* by index in assessment.members */
    uv_timer_t timer;
    bool timer_open;
    bool leaving;
    char abstains[RULE_SIZE];
    enum answer told[MEMBERS_MAX];   /* what the log last said of each member */
    struct watch *next;
};

struct agent {
    uv_loop_t loop;
    struct config *config;
    const char *file;
    struct names *names;
    struct store *store;
    struct mirror *mirror;
    struct fleet *fleet;
    struct reporter *reporter;
    struct watch *watches;
    size_t rank, size;
    uv_poll_t store_poll;
    uv_timer_t pulse, reporting, stopping;
    uv_signal_t hup, term, intr;
    uv_work_t store_work;
    bool store_busy;    /* in a worker's hands: nobody else's */
    bool connected;
    bool told_away;
    int64_t away_ms;    /* since when the registry is silent */
    int64_t pulse_ms;   /* when the pulse came last */
    int64_t resync_ms;
    int64_t slipped_ms; /* until when our own clock is not to be trusted */
    bool blind;
    bool stop;
    int exit_code;
};

static void settle(struct agent *agent);
static void free_watch_if_done(struct watch *watch);

static bool is_pid_gone(const struct presence *presence)
{
    char host[HOST_SIZE] = "";
    gethostname(host, sizeof host - 1);
    return text_equal(host, presence->host) && presence->pid > 0 && kill((pid_t)presence->pid, 0) != 0 && errno == ESRCH;
}

/* ---- words ------------------------------------------------------------------------- */

static void subject_of(char *to, size_t size, const char *cluster, const char *member)
{
    snprintf(to, size, "%s/%s", cluster, member);
}

static void tell_member(struct watch *watch, size_t i)
{
    const struct assessed *member = &watch->assessment.members[i];
    char subject[2 * NAME_SIZE];
    if (watch->told[i] == member->standing) {
        return;
    }
    subject_of(subject, sizeof subject, watch->settings.name, member->listing.name);
    if (member->standing == ANSWER_OK) {
        note(NOTE_NOTICE, subject, "answers: %s, version %s%s%s", member->facts.replica ? "a replica" : "no replica",
             member->facts.version, member->facts.writable ? ", writable" : "",
             member->facts.missing[0] ? "; a privilege is missing" : "");
        if (member->facts.missing[0]) {
            note(NOTE_WARNING, subject, "the account lacks %s: what depends on it is not seen", member->facts.missing);
        }
    } else {
        note(NOTE_WARNING, subject, "went %s%s%s", answer_names[member->standing], member->detail[0] ? ": " : "", member->detail);
    }
    watch->told[i] = member->standing;
}

static void tell_change(const char *cluster, const struct topology *before, const struct topology *now)
{
    if (!before || !text_equal(before->primary, now->primary)) {
        note(NOTE_NOTICE, cluster, "primary went %s (rule %s) epoch=%lld was=%s state=%s by=%s: %s",
             now->primary[0] ? now->primary : "none", now->rule, (long long)now->epoch,
             before && before->primary[0] ? before->primary : "none", state_names[now->state], now->by, now->why);
        if (now->seen_wall_ms) {
            char seen[CLOCK_TEXT_SIZE];
            note(NOTE_NOTICE, cluster, "timeline: evidence %s, verdict +%lld ms",
                 text_time(seen, sizeof seen, now->seen_wall_ms), (long long)(now->at_wall_ms - now->seen_wall_ms));
        }
    } else if (before->state != now->state) {
        note(now->state == STATE_OK ? NOTE_NOTICE : NOTE_WARNING, cluster, "state went %s (rule %s) by=%s: %s",
             state_names[now->state], now->rule, now->by, now->why);
    } else {
        note(NOTE_INFO, cluster, "topology changed by %s: %s", now->by, now->why);
    }
}

/* ---- looks and reports ----------------------------------------------------------------- */

static void hasten(struct watch *watch)
{
    for (size_t i = 0; i < watch->assessment.member_count; i++) {
        if (watch->looks[i]) {
            look_hasten(watch->looks[i], watch->assessment.members[i].standing);
        }
    }
}

static void raise_alarm(struct watch *watch, const char *member, const char *why)
{
    if (schedule_alarm(&watch->schedule, clock_mono_ms())) {
        note(NOTE_INFO, watch->settings.name, "looking closely: %s%s%s", member, member[0] ? ": " : "", why);
        hasten(watch);
    }
}

static void update_report(struct watch *watch)
{
    static struct report report; /* 60 kB; one thread */
    int64_t now_ms = clock_mono_ms();
    const char *abstains = watch->agent->blind ? "blind" : now_ms < watch->agent->slipped_ms ? "slipped" : "";
    assess_report(&watch->assessment, now_ms, abstains, &report);
    if (!text_equal(watch->abstains, report.abstains)) {
        note(NOTE_NOTICE, watch->settings.name, report.abstains[0] ? "this probe abstains: %s" : "this probe votes%s",
             report.abstains);
        strcpy(watch->abstains, report.abstains);
    }
    reporter_say(watch->agent->reporter, watch->posting, &report, now_ms);
}

static void update_reports(struct agent *agent)
{
    for (struct watch *watch = agent->watches; watch; watch = watch->next) {
        if (!watch->leaving) {
            update_report(watch);
        }
    }
}

/* Is there a writer that the fleet agrees on and that we see? */
static void update_schedule(struct watch *watch)
{
    const struct topology *topology = resolver_topology(watch->resolver);
    bool valid = topology && topology->primary[0] && topology->state != STATE_SUSPECT &&
                 assess_sees_writer(&watch->assessment, topology->primary);
    schedule_writer(&watch->schedule, valid, clock_mono_ms());
}

/* All of two or more targets fail in an ambiguous way at once: it is probably this probe that is cut off. */
static void doubt_oneself(struct agent *agent)
{
    size_t targets = 0;
    size_t failing = 0;
    for (struct watch *watch = agent->watches; watch; watch = watch->next) {
        if (!watch->leaving) {
            assess_count_failing(&watch->assessment, &targets, &failing);
        }
    }
    bool blind = targets >= 2 && failing == targets;
    if (blind != agent->blind) {
        agent->blind = blind;
        update_reports(agent);
    }
}

static size_t member_index(const struct watch *watch, const char *name)
{
    for (size_t i = 0; i < watch->assessment.member_count; i++) {
        if (text_equal(watch->assessment.members[i].listing.name, name)) {
            return i;
        }
    }
    return MEMBERS_MAX;
}

static void look_ended(void *owner, const char *member, const struct observation *observation, const char *address)
{
    struct watch *watch = owner;
    size_t i = member_index(watch, member);
    if (i == MEMBERS_MAX) {
        return;
    }
    int flags = assess_look(&watch->assessment, i, observation, address, clock_mono_ms(), clock_wall_ms());
    tell_member(watch, i);
    if (flags & ASSESS_ALARM) {
        raise_alarm(watch, member, observation->answer == ANSWER_OK ? "its answer changed" : answer_names[observation->answer]);
    }
    doubt_oneself(watch->agent);
    update_report(watch);
    update_schedule(watch);
    settle(watch->agent);
}

static void look_alarmed(void *owner, const char *member, const char *why)
{
    raise_alarm(owner, member, why);
}

/* ---- clusters ---------------------------------------------------------------------------- */

static void on_watch_timer(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    settle(watch->agent);
}

static void start_look(struct watch *watch, size_t i)
{
    static const struct driver *const drivers[] = {[ENGINE_POSTGRESQL] = &driver_pg, [ENGINE_MYSQL] = &driver_mysql};
    struct agent *agent = watch->agent;
    char application[NAME_SIZE + 16];
    snprintf(application, sizeof application, "roster-probe %s", agent->config->probe.name);
    watch->told[i] = ANSWER_UNKNOWN;
    watch->looks[i] = look_new(&(struct look_settings){
        .loop = &agent->loop,
        .names = agent->names,
        .driver = drivers[watch->settings.policy.engine],
        .cluster = &watch->settings,
        .listing = &watch->settings.members[i],
        .application = application,
        .timeout_ms = agent->config->probe.timeout_ms,
        .schedule = &watch->schedule,
        .rank = &agent->rank,
        .size = &agent->size,
        .owner = watch,
        .outcome = look_ended,
        .alarm = look_alarmed,
    });
    if (!watch->looks[i]) {
        note(NOTE_ERROR, watch->settings.name, "no memory to look at %s", watch->settings.members[i].name);
    }
}

static bool start_watch(struct agent *agent, const struct cluster_settings *settings)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        return false;
    }
    watch->agent = agent;
    watch->settings = *settings;
    assess_init(&watch->assessment, agent->config->probe.name, settings, &agent->config->probe);
    schedule_init(&watch->schedule, agent->config->probe.interval_ms, agent->config->probe.alert_interval_ms, clock_mono_ms());
    watch->resolver = resolver_new(agent->store, agent->mirror, agent->fleet,
                                   &(struct resolver_settings){agent->config->registry.root, settings->name,
                                                               agent->config->probe.name});
    watch->posting = watch->resolver ? reporter_add(agent->reporter, settings->name, watch) : NULL;
    if (!watch->posting) {
        resolver_free(watch->resolver);
        free(watch);
        return false;
    }
    uv_timer_init(&agent->loop, &watch->timer);
    watch->timer.data = watch;
    watch->timer_open = true;
    watch->next = agent->watches;
    agent->watches = watch;
    for (size_t i = 0; i < settings->member_count; i++) {
        start_look(watch, i);
    }
    return true;
}

static void free_watch_if_done(struct watch *watch)
{
    if (watch->leaving && !watch->timer_open && !watch->resolver) {
        explicit_bzero(&watch->settings, sizeof watch->settings);
        free(watch);
    }
}

static void watch_timer_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    watch->timer_open = false;
    free_watch_if_done(watch);
}

/* Out of the list already, save that its resolver may still wait for an answer: then it stays until that came. */
static void close_watch(struct watch *watch)
{
    watch->leaving = true;
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        look_close(watch->looks[i]);
        watch->looks[i] = NULL;
    }
    reporter_remove(watch->agent->reporter, watch->posting);
    watch->posting = NULL;
    uv_close((uv_handle_t *)&watch->timer, watch_timer_closed);
}

/* ---- everything that is due ------------------------------------------------------------------ */

static void tell_news(struct watch *watch)
{
    struct resolver_news news = resolver_news(watch->resolver);
    if (news.refused) {
        note(NOTE_WARNING, watch->settings.name, "%s", news.refused);
    }
    if (news.changed) {
        tell_change(watch->settings.name, news.before, resolver_topology(watch->resolver));
        update_schedule(watch);
    }
    if (news.alarm) {
        raise_alarm(watch, "", "another probe saw a change");
    }
}

static void settle_watch(struct watch *watch)
{
    const struct report *acked;
    int32_t version;
    int64_t mzxid;
    if (posting_take_acked(watch->posting, &acked, &version, &mzxid)) {
        resolver_own_report(watch->resolver, acked, version, mzxid);
    }
    int64_t now_ms = clock_mono_ms();
    int64_t due_ms = resolver_step(watch->resolver, now_ms, clock_wall_ms());
    tell_news(watch);
    if (due_ms < INT64_MAX) {
        uv_timer_start(&watch->timer, on_watch_timer, (uint64_t)(due_ms > now_ms ? due_ms - now_ms : 1), 0);
    }
}

static void sweep_leavers(struct agent *agent)
{
    for (struct watch **at = &agent->watches; *at;) {
        struct watch *watch = *at;
        if (watch->leaving && resolver_is_idle(watch->resolver)) {
            *at = watch->next;
            resolver_free(watch->resolver);
            watch->resolver = NULL;
            free_watch_if_done(watch);
        } else {
            at = &watch->next;
        }
    }
}

static void stop(struct agent *agent);

static void on_reporting(uv_timer_t *timer)
{
    settle(timer->data);
}

/* A gap in our own time: what was read before it is not to be acted on. Every way into deciding comes by here first. */
static void check_slip(struct agent *agent, int64_t now_ms)
{
    int64_t gap_ms = now_ms - agent->pulse_ms;
    if (gap_ms <= BEAT_MS + PULSE_MS) {
        return;
    }
    agent->pulse_ms = now_ms;
    note(NOTE_WARNING, agent->config->probe.name, "this process stood still for %lld ms: reading everything again before deciding",
         (long long)gap_ms);
    agent->slipped_ms = now_ms + agent->config->probe.interval_ms;
    if (!agent->store_busy) {
        mirror_refresh_all(agent->mirror);
    }
    update_reports(agent);
    for (struct watch *watch = agent->watches; watch; watch = watch->next) {
        raise_alarm(watch, "", "this process stood still");
    }
}

static void settle(struct agent *agent)
{
    if (agent->store_busy || agent->stop) {
        return;
    }
    int64_t now_ms = clock_mono_ms();
    check_slip(agent, now_ms);
    int64_t due_ms = reporter_step(agent->reporter, now_ms);
    unsigned beats = reporter_take_beats(agent->reporter);
    while (beats-- > 0) {
        fleet_beat(agent->fleet);
        for (struct watch *watch = agent->watches; watch; watch = watch->next) {
            resolver_beat(watch->resolver);
        }
    }
    agent->size = fleet_size(agent->fleet, &agent->rank);
    sweep_leavers(agent);
    for (struct watch *watch = agent->watches; watch; watch = watch->next) {
        if (!watch->leaving) {
            settle_watch(watch);
        }
    }
    const char *trouble = reporter_trouble(agent->reporter);
    if (trouble) {
        note(NOTE_WARNING, "registry", "%s", trouble);
    }
    if (reporter_taken(agent->reporter)[0]) {
        note(NOTE_ERROR, agent->config->probe.name, "%s", reporter_taken(agent->reporter));
        agent->exit_code = 1;
        stop(agent);
    } else if (due_ms < INT64_MAX) {
        uv_timer_start(&agent->reporting, on_reporting, (uint64_t)(due_ms > now_ms ? due_ms - now_ms : 1), 0);
    }
}

/* ---- the store --------------------------------------------------------------------------------- */

static void on_store(uv_poll_t *handle, int status, int events);

static void watch_store(struct agent *agent)
{
    uv_poll_start(&agent->store_poll, UV_READABLE, on_store);
}

static void renew_work(uv_work_t *work)
{
    struct agent *agent = work->data;
    store_renew(agent->store);
}

static void finish_stop(struct agent *agent);

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
        note(NOTE_NOTICE, "registry", "%s, session 0x%llx", event->renewed ? "connected, a new session" : "connected again",
             (unsigned long long)event->session);
        if (event->renewed) {
            fleet_session_began(agent->fleet);
        }
    } else if (!up && agent->connected) {
        note(NOTE_WARNING, "registry", "%s%s%s: probing goes on",
             event->kind == STORE_GONE ? "the session is over" : "the connection is lost", event->detail ? ", " : "",
             event->detail ? event->detail : "");
        agent->away_ms = clock_mono_ms();
    }
    agent->told_away = !up && agent->told_away;
    agent->connected = up;
}

static void node_read(struct agent *agent, const struct mirror_node *node)
{
    switch (node->kind) {
    case FLEET_LIST:
    case FLEET_PROBE:
        fleet_read(agent->fleet, node);
        break;
    case REPORTER_POST:
        reporter_read(agent->reporter, node);
        break;
    default:
        resolver_read(node->owner, node, clock_mono_ms());
    }
}

static void resolver_answered(struct agent *agent, const struct store_event *event)
{
    void *resolver = store_tag_pointer(event->tag);
    for (struct watch *watch = agent->watches; watch; watch = watch->next) {
        if (watch->resolver == resolver) {
            resolver_answer(watch->resolver, event, clock_mono_ms());
        }
    }
}

/* Returns false when the store has to be renewed. */
static bool take_event(struct agent *agent, const struct store_event *event)
{
    struct mirror_node *node = NULL;
    if (event->kind == STORE_UP || event->kind == STORE_DOWN || event->kind == STORE_GONE) {
        session_news(agent, event);
    }
    reporter_event(agent->reporter, event, clock_mono_ms());
    if (mirror_event(agent->mirror, event, &node) && node) {
        node_read(agent, node);
    }
    if (event->kind == STORE_ANSWER && (event->tag & TAG_MASK) == TAG_RESOLVER) {
        resolver_answered(agent, event);
    }
    return event->kind != STORE_GONE;
}

static void drain_store(struct agent *agent)
{
    struct store_event event;
    bool lives = true;
    while (lives && !agent->store_busy && store_next(agent->store, clock_mono_ms(), &event)) {
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

/* ---- the pulse: our own clock, silence, the slow resync ----------------------------------------- */

static void on_pulse(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    int64_t now_ms = clock_mono_ms();
    check_slip(agent, now_ms);
    agent->pulse_ms = now_ms;
    update_reports(agent); /* a look may be overdue, a doubt over */
    if (agent->store_busy) {
        return;
    }
    if (!agent->connected && !agent->told_away && now_ms - agent->away_ms > 3000) {
        agent->told_away = true;
        note(NOTE_WARNING, "registry", "not reached at %s: waiting; probing goes on", agent->config->registry.servers);
    }
    if (now_ms >= agent->resync_ms) {
        agent->resync_ms = now_ms + RESYNC_MS * 2 / 3 + (int64_t)(clock_random() % (RESYNC_MS * 2 / 3));
        mirror_refresh_all(agent->mirror);
    }
    drain_store(agent);
}

/* ---- signals --------------------------------------------------------------------------------------- */

static const struct cluster_settings *find_cluster(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->cluster_count; i++) {
        if (text_equal(config->clusters[i].name, name)) {
            return &config->clusters[i];
        }
    }
    return NULL;
}

static bool same_access(const struct cluster_settings *a, const struct cluster_settings *b)
{
    return a->policy.engine == b->policy.engine && text_equal(a->user, b->user) && text_equal(a->database, b->database) &&
           text_equal(a->password, b->password) && a->tls == b->tls && text_equal(a->tls_ca, b->tls_ca);
}

/* Unchanged members keep their connections and their history. */
static void migrate(struct watch *watch, const struct cluster_settings *settings, bool same_timeout)
{
    struct look *kept[MEMBERS_MAX] = {0};
    enum answer told[MEMBERS_MAX] = {0};
    bool keep = same_timeout && same_access(&watch->settings, settings);
    for (size_t i = 0; i < settings->member_count; i++) {
        size_t was = member_index(watch, settings->members[i].name);
        const struct listing *before = was < MEMBERS_MAX ? &watch->assessment.members[was].listing : NULL;
        if (keep && before && text_equal(before->host, settings->members[i].host) && before->port == settings->members[i].port) {
            kept[i] = watch->looks[was];
            told[i] = watch->told[was];
            watch->looks[was] = NULL;
        }
    }
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        look_close(watch->looks[i]);
    }
    memcpy(watch->looks, kept, sizeof kept);
    memcpy(watch->told, told, sizeof told);
    watch->settings = *settings;
    assess_reload(&watch->assessment, settings, &watch->agent->config->probe);
    for (size_t i = 0; i < settings->member_count; i++) {
        if (!watch->looks[i]) {
            start_look(watch, i);
        }
    }
}

static void keep_what_needs_a_restart(const struct config *old, struct config *new)
{
    if (!text_equal(old->registry.servers, new->registry.servers) || !text_equal(old->registry.root, new->registry.root) ||
        !text_equal(old->registry.auth, new->registry.auth) || !text_equal(old->probe.name, new->probe.name) ||
        old->registry.session_timeout_ms != new->registry.session_timeout_ms) {
        note(NOTE_WARNING, "reload", "[registry] settings and [probe] name take effect at a restart only");
    }
    new->registry = old->registry;
    memcpy(new->probe.name, old->probe.name, sizeof new->probe.name);
}

static void reload(struct agent *agent)
{
    char *complaints = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&complaints, &size);
    struct config *config = to ? config_load(agent->file, to) : NULL;
    if (to) {
        fclose(to);
    }
    for (char *line = complaints, *end; line && *line; line = end) {
        end = line + strcspn(line, "\n");
        end += *end ? 1 : 0;
        note(NOTE_WARNING, "reload", "%.*s", (int)strcspn(line, "\n"), line);
    }
    free(complaints);
    if (!config) {
        note(NOTE_ERROR, "reload", "%s is not taken over: the old configuration stays in force", agent->file);
        return;
    }
    struct config *old = agent->config;
    bool same_timeout = old->probe.timeout_ms == config->probe.timeout_ms;
    keep_what_needs_a_restart(old, config);
    agent->config = config;
    note_set_level((enum note_level)config->probe.log_level);
    for (struct watch *watch = agent->watches; watch; watch = watch->next) {
        const struct cluster_settings *settings = find_cluster(config, watch->settings.name);
        if (watch->leaving) {
            continue;
        }
        if (settings) {
            schedule_reload(&watch->schedule, config->probe.interval_ms, config->probe.alert_interval_ms);
            migrate(watch, settings, same_timeout);
            raise_alarm(watch, "", "the configuration was reloaded");
        } else {
            note(NOTE_NOTICE, watch->settings.name, "no longer configured: its report is withdrawn");
            close_watch(watch);
        }
    }
    for (size_t i = 0; i < config->cluster_count; i++) {
        bool watched = false;
        for (struct watch *watch = agent->watches; watch; watch = watch->next) {
            watched = watched || (!watch->leaving && text_equal(watch->settings.name, config->clusters[i].name));
        }
        if (!watched && !start_watch(agent, &config->clusters[i])) {
            note(NOTE_ERROR, config->clusters[i].name, "no memory to watch it");
        }
    }
    config_free(old);
    note(NOTE_NOTICE, "reload", "%s is in force: %zu clusters", agent->file, config->cluster_count);
    settle(agent);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct agent *agent = handle->data;
    if (number == SIGHUP) {
        if (!agent->store_busy && !agent->stop) {
            reload(agent);
        } else {
            note(NOTE_WARNING, "reload", "the registry is being reconnected; send the signal again in a moment");
        }
        return;
    }
    note(NOTE_NOTICE, agent->config->probe.name, "stopping: %s", number == SIGTERM ? "SIGTERM" : "SIGINT");
    stop(agent);
}

/* ---- the end ------------------------------------------------------------------------------------------ */

static void close_work(uv_work_t *work)
{
    struct agent *agent = work->data;
    store_close(agent->store); /* our reports go with the session */
}

static void closed(uv_work_t *work, int status)
{
    struct agent *agent = work->data;
    (void)status;
    agent->store = NULL;
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
    note(NOTE_WARNING, "registry", "does not take our leave: the reports go when the session expires");
    _exit(agent->exit_code);
}

static void stop(struct agent *agent)
{
    if (agent->stop) {
        return;
    }
    agent->stop = true;
    uv_timer_start(&agent->stopping, give_up_waiting, agent->connected ? STOP_MS : STOP_GONE_MS, 0);
    uv_unref((uv_handle_t *)&agent->stopping); /* fires only while something else is still waited for */
    for (struct watch *watch = agent->watches; watch; watch = watch->next) {
        if (!watch->leaving) {
            for (size_t i = 0; i < MEMBERS_MAX; i++) {
                look_close(watch->looks[i]);
                watch->looks[i] = NULL;
            }
            watch->leaving = true;
            uv_close((uv_handle_t *)&watch->timer, watch_timer_closed);
        }
    }
    names_free(agent->names, NULL, NULL);
    uv_close((uv_handle_t *)&agent->store_poll, NULL);
    uv_close((uv_handle_t *)&agent->pulse, NULL);
    uv_close((uv_handle_t *)&agent->reporting, NULL);
    uv_close((uv_handle_t *)&agent->hup, NULL);
    uv_close((uv_handle_t *)&agent->term, NULL);
    uv_close((uv_handle_t *)&agent->intr, NULL);
    if (!agent->store_busy) {
        finish_stop(agent);
    }
}

static void release(struct agent *agent)
{
    while (agent->watches) {
        struct watch *watch = agent->watches;
        agent->watches = watch->next;
        resolver_free(watch->resolver);
        explicit_bzero(&watch->settings, sizeof watch->settings);
        free(watch);
    }
    reporter_free(agent->reporter);
    fleet_free(agent->fleet);
    mirror_free(agent->mirror);
    uv_loop_close(&agent->loop);
    config_free(agent->config);
}

/* ---- the beginning ---------------------------------------------------------------------------------------- */

static void store_says(void *ctx, int severity, const char *line)
{
    (void)ctx;
    note(severity <= 1 ? NOTE_INFO : NOTE_DEBUG, "zookeeper", "%s", line);
}

static void draw_uuid(char to[IDENTITY_SIZE])
{
    uint64_t a = clock_random();
    uint64_t b = clock_random();
    snprintf(to, IDENTITY_SIZE, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
             (unsigned)(a & 0xfff), (unsigned)(b >> 48 & 0x3fff) | 0x8000, (unsigned long long)(b & 0xffffffffffff));
}

static bool start_store(struct agent *agent)
{
    const struct registry_settings *registry = &agent->config->registry;
    char sentence[SENTENCE_SIZE] = "no memory";
    char uuid[IDENTITY_SIZE];
    struct reporter_settings settings = {
        .root = registry->root,
        .chroot_create = strchr(registry->servers, '/') ? "/" : NULL,
        .presence = {.pid = getpid(), .version = ROSTER_VERSION, .nonce = clock_random()},
        .registry_uuid = uuid,
        .is_gone = is_pid_gone,
    };
    draw_uuid(uuid);
    strcpy(settings.presence.probe, agent->config->probe.name);
    gethostname(settings.presence.host, sizeof settings.presence.host - 1);
    agent->store = store_zk_new(&(struct store_zk_options){.servers = registry->servers,
                                                           .session_timeout_ms = registry->session_timeout_ms,
                                                           .auth = registry->auth,
                                                           .log = store_says},
                                sentence, sizeof sentence);
    agent->mirror = agent->store ? mirror_new(agent->store) : NULL;
    agent->reporter = agent->mirror ? reporter_new(agent->store, agent->mirror, &settings) : NULL;
    agent->fleet = agent->reporter
                       ? fleet_new(agent->mirror, registry->root, agent->config->probe.name, FLEET_LIST, FLEET_PROBE)
                       : NULL;
    if (!agent->fleet) {
        note(NOTE_ERROR, "registry", "%s", sentence);
    }
    return agent->fleet != NULL;
}

static void start_handles(struct agent *agent)
{
    uv_poll_init(&agent->loop, &agent->store_poll, store_fd(agent->store));
    uv_timer_init(&agent->loop, &agent->pulse);
    uv_timer_init(&agent->loop, &agent->reporting);
    uv_timer_init(&agent->loop, &agent->stopping);
    uv_signal_init(&agent->loop, &agent->hup);
    uv_signal_init(&agent->loop, &agent->term);
    uv_signal_init(&agent->loop, &agent->intr);
    agent->store_poll.data = agent->pulse.data = agent->reporting.data = agent->stopping.data = agent;
    agent->hup.data = agent->term.data = agent->intr.data = agent;
    uv_signal_start(&agent->hup, on_signal, SIGHUP);
    uv_signal_start(&agent->term, on_signal, SIGTERM);
    uv_signal_start(&agent->intr, on_signal, SIGINT);
    uv_timer_start(&agent->pulse, on_pulse, PULSE_MS, PULSE_MS);
}

int agent_run(struct config *config, const char *file)
{
    static struct agent agent;
    agent = (struct agent){.config = config, .file = file, .size = 1};
    signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&agent.loop) != 0 || !(agent.names = names_new(&agent.loop)) || !start_store(&agent)) {
        config_free(config);
        return 1;
    }
    start_handles(&agent);
    agent.away_ms = agent.pulse_ms = clock_mono_ms();
    agent.resync_ms = agent.pulse_ms + RESYNC_MS;
    note(NOTE_NOTICE, config->probe.name, "roster-probe %s watches %zu clusters", ROSTER_VERSION, config->cluster_count);
    for (size_t i = 0; i < config->cluster_count; i++) {
        if (!start_watch(&agent, &config->clusters[i])) {
            note(NOTE_ERROR, config->clusters[i].name, "no memory to watch it");
            agent.exit_code = 1;
        }
    }
    renew(&agent);
    uv_run(&agent.loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&agent.stopping, NULL);
    uv_run(&agent.loop, UV_RUN_DEFAULT);
    release(&agent);
    return agent.exit_code;
}
