#include "probes/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "probes/assess/assess.h"
#include "probes/discovery/discoverer.h"
#include "probes/drivers/custom_query.h"
#include "probes/log_events.h"
#include "probes/prober.h"
#include "registry/base/clock.h"
#include "registry/base/log.h"
#include "registry/base/text.h"

struct watch {
    struct ground *ground;
    struct cluster_settings configured; /* what the file says */
    struct cluster_settings settings;   /* with the discovered members */
    struct search search;
    struct assessment assessment;
    struct schedule schedule;
    struct resolver *resolver;
    struct published *published;     /* NULL: withdrawn */
    struct look *looks[MEMBERS_MAX]; /* by index in assessment.members */
    uv_timer_t timer;
    bool timer_open;
    bool leaving;
    char abstains[RULE_SIZE];
    enum kind told_kind;
    enum answer told[MEMBERS_MAX]; /* what the log last said of each member */
    struct watch *next;
};

/* ---- looks and reports ------------------------------------------------------------------------- */

static void hasten(struct watch *watch)
{
    for (size_t i = 0; i < watch->assessment.member_count; i++) {
        if (watch->looks[i]) {
            look_hasten(watch->looks[i], watch->assessment.members[i].standing);
        }
    }
}

void watch_alarm(struct watch *watch, const char *member, const char *why)
{
    if (schedule_alarm(&watch->schedule, clock_mono_ms())) {
        log_line(LOG_INFO, watch->settings.name, "looking closely: %s%s%s", member,
                 member[0] ? ": " : "", why);
        hasten(watch);
    }
}

static void report(struct watch *watch)
{
    static struct report now; /* 60 kB; one thread */
    int64_t now_ms = clock_mono_ms();
    const char *abstains = watch->ground->blind                 ? "blind"
                           : now_ms < watch->ground->slipped_ms ? "slipped"
                                                                : "";
    if (!abstains[0] && !search_is_settled(&watch->search, now_ms)) {
        abstains = "starting";
    }
    assess_report(&watch->assessment, now_ms, abstains, &now);
    if (!text_equal(watch->abstains, now.abstains)) {
        log_line(LOG_NOTICE, watch->settings.name,
                 now.abstains[0] ? "this probe abstains: %s" : "this probe votes%s", now.abstains);
        strcpy(watch->abstains, now.abstains);
    }
    reporter_say(watch->ground->reporter, watch->published, &now, now_ms);
}

void watch_report_all(struct ground *ground)
{
    for (struct watch *watch = watch_first(ground); watch; watch = watch_next(watch)) {
        report(watch);
    }
}

/* Is there a writer that the liveness agrees on and that we see? */
static void update_schedule(struct watch *watch)
{
    const struct topology *topology = resolver_topology(watch->resolver);
    bool valid = topology && topology->primary[0] && topology->state != STATE_SUSPECT &&
                 assess_sees_writer(&watch->assessment, topology->primary);
    schedule_writer(&watch->schedule, valid, clock_mono_ms());
}

/* All of two or more targets fail in an ambiguous way at once: it is probably this probe that is
 * cut off. */
static void doubt_oneself(struct ground *ground)
{
    size_t targets = 0;
    size_t failing = 0;
    for (struct watch *watch = watch_first(ground); watch; watch = watch_next(watch)) {
        assess_count_failing(&watch->assessment, &targets, &failing);
    }
    bool blind = targets >= 2 && failing == targets;
    if (blind != ground->blind) {
        ground->blind = blind;
        watch_report_all(ground);
    }
}

static size_t member_index(const struct watch *watch, const char *name)
{
    for (size_t i = 0; i < watch->assessment.member_count; i++) {
        if (text_equal(watch->assessment.members[i].config.name, name)) {
            return i;
        }
    }
    return MEMBERS_MAX;
}

static void tell_member(struct watch *watch, size_t i)
{
    const struct assessed *member = &watch->assessment.members[i];
    if (watch->told[i] != member->standing) {
        words_member(watch->settings.name, member);
        watch->told[i] = member->standing;
    }
}

/* kind = auto: say what was found. */
static void tell_kind(struct watch *watch)
{
    enum kind kind = watch->assessment.policy.kind;
    if (watch->assessment.finds_kind && kind != watch->told_kind) {
        log_line(LOG_NOTICE, watch->settings.name, "the servers show that its kind is %s",
                 kind_names[kind]);
        watch->told_kind = kind;
    }
}

static void search_on(struct watch *watch, size_t i);

static void look_ended(void *owner, const char *member, const struct observation *observation,
                       const char *address)
{
    struct watch *watch = owner;
    size_t i = member_index(watch, member);
    if (i == MEMBERS_MAX) {
        return;
    }
    int flags =
        assess_look(&watch->assessment, i, observation, address, clock_mono_ms(), clock_wall_ms());
    tell_member(watch, i);
    tell_kind(watch);
    if (flags & ASSESS_ALARM) {
        watch_alarm(watch, member,
                    observation->answer == ANSWER_OK ? "its answer changed"
                                                     : answer_names[observation->answer]);
    }
    search_on(watch, i);
    doubt_oneself(watch->ground);
    report(watch);
    update_schedule(watch);
    watch->ground->settle(watch->ground);
}

static void look_alarmed(void *owner, const char *member, const char *why)
{
    watch_alarm(owner, member, why);
}

/* ---- life -------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    watch->ground->settle(watch->ground);
}

/* How looks at this cluster are made; what is about one member is left out. */
static struct look_settings how_to_look(struct watch *watch, char application[NAME_SIZE + 16])
{
    static const struct driver *const drivers[] = {
        [ENGINE_POSTGRESQL] = &driver_pg, [ENGINE_MYSQL] = &driver_mysql};
    struct ground *ground = watch->ground;
    snprintf(application, NAME_SIZE + 16, "roster-probe %s", ground->config->probe.name);
    return (struct look_settings){
        .loop = ground->loop,
        .names = ground->names,
        .driver = drivers[watch->settings.policy.engine],
        .cluster = &watch->settings,
        .application = application,
        .timeout_ms = ground->config->probe.timeout_ms,
        .schedule = &watch->schedule,
        .rank = &ground->rank,
        .size = &ground->size,
    };
}

static void start_look(struct watch *watch, size_t i)
{
    char application[NAME_SIZE + 16];
    struct look_settings look = how_to_look(watch, application);
    look.config = &watch->settings.members[i];
    look.owner = watch;
    look.outcome = look_ended;
    look.alarm = look_alarmed;
    watch->told[i] = ANSWER_UNKNOWN;
    watch->looks[i] = look_new(&look);
    if (!watch->looks[i]) {
        log_line(LOG_ERROR, watch->settings.name, "no memory to look at %s",
                 watch->settings.members[i].name);
    }
}

static void trial_ended(void *owner, const struct member_config *config,
                        const struct observation *observation, const char *address);

bool watch_start(struct ground *ground, const struct cluster_settings *settings)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        return false;
    }
    watch->ground = ground;
    watch->settings = watch->configured = *settings;
    watch->told_kind = KIND_AUTO;
    search_init(&watch->search, settings, watch, trial_ended);
    assess_init(&watch->assessment, ground->config->probe.name, settings, &ground->config->probe);
    schedule_init(&watch->schedule, ground->config->probe.interval_ms,
                  ground->config->probe.alert_interval_ms, clock_mono_ms());
    watch->resolver =
        resolver_new(ground->store, ground->mirror, ground->liveness,
                     &(struct resolver_settings){ground->config->registry.root, settings->name,
                                                 ground->config->probe.name});
    watch->published = watch->resolver ? reporter_add(ground->reporter, settings->name) : NULL;
    if (!watch->published) {
        resolver_free(watch->resolver);
        free(watch);
        return false;
    }
    uv_timer_init(ground->loop, &watch->timer);
    watch->timer.data = watch;
    watch->timer_open = true;
    watch->next = ground->watches;
    ground->watches = watch;
    for (size_t i = 0; i < settings->member_count; i++) {
        start_look(watch, i);
    }
    return true;
}

static void free_if_done(struct watch *watch)
{
    if (watch->leaving && !watch->timer_open && !watch->resolver) {
        explicit_bzero(&watch->settings, sizeof watch->settings);
        explicit_bzero(&watch->configured, sizeof watch->configured);
        free(watch);
    }
}

static void timer_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    watch->timer_open = false;
    free_if_done(watch);
}

void watch_stop(struct watch *watch)
{
    watch->leaving = true;
    search_stop(&watch->search);
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        look_close(watch->looks[i]);
        watch->looks[i] = NULL;
    }
    uv_close((uv_handle_t *)&watch->timer, timer_closed);
}

void watch_leave(struct watch *watch)
{
    reporter_remove(watch->ground->reporter, watch->published);
    watch->published = NULL;
    watch_stop(watch);
}

void watch_sweep(struct ground *ground, bool all)
{
    for (struct watch **at = &ground->watches; *at;) {
        struct watch *watch = *at;
        if (watch->leaving && (all || resolver_is_idle(watch->resolver))) {
            *at = watch->next;
            resolver_free(watch->resolver);
            watch->resolver = NULL;
            free_if_done(watch);
        } else {
            at = &watch->next;
        }
    }
}

static bool same_question(const struct cluster_settings *a, const struct cluster_settings *b)
{
    const char *one = custom_statement(a), *other = custom_statement(b);
    return one && other ? text_equal(one, other) : one == other;
}

static bool same_access(const struct cluster_settings *a, const struct cluster_settings *b)
{
    return a->policy.engine == b->policy.engine && text_equal(a->user, b->user) &&
           text_equal(a->database, b->database) && text_equal(a->password, b->password) &&
           a->discover == b->discover && a->tls == b->tls && text_equal(a->tls_ca, b->tls_ca) &&
           same_question(a, b);
}

/* Looks at these members from now on. */
static void change_members(struct watch *watch, const struct cluster_settings *settings,
                           bool same_timeout)
{
    struct look *kept[MEMBERS_MAX] = {0};
    enum answer told[MEMBERS_MAX] = {0};
    bool keep = same_timeout && same_access(&watch->settings, settings);
    for (size_t i = 0; i < settings->member_count; i++) {
        size_t was = member_index(watch, settings->members[i].name);
        const struct member_config *before =
            was < MEMBERS_MAX ? &watch->assessment.members[was].config : NULL;
        if (keep && before && text_equal(before->host, settings->members[i].host) &&
            before->port == settings->members[i].port) {
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
    schedule_reload(&watch->schedule, watch->ground->config->probe.interval_ms,
                    watch->ground->config->probe.alert_interval_ms);
    assess_reload(&watch->assessment, settings, &watch->ground->config->probe);
    for (size_t i = 0; i < settings->member_count; i++) {
        if (!watch->looks[i]) {
            start_look(watch, i);
        }
    }
}

/* The configured members and those that were discovered. */
static void list_members(struct watch *watch, bool same_timeout)
{
    static struct cluster_settings listed; /* 40 kB; one thread */
    listed = watch->configured;
    discovery_list(&watch->search.discovery, &listed);
    change_members(watch, &listed, same_timeout);
    explicit_bzero(&listed, sizeof listed);
}

void watch_reload(struct watch *watch, const struct cluster_settings *settings, bool same_timeout)
{
    watch->configured = *settings;
    search_reload(&watch->search, settings);
    list_members(watch, same_timeout);
    watch_alarm(watch, "", "the configuration was reloaded");
}

/* ---- discovery --------------------------------------------------------------------------------- */

static const char *identity_of(const struct watch *watch)
{
    const struct topology *topology = resolver_topology(watch->resolver);
    return topology ? topology->identity : "";
}

static void begin_trials(struct watch *watch)
{
    char application[NAME_SIZE + 16];
    struct look_settings like = how_to_look(watch, application);
    search_step(&watch->search, &like, &watch->assessment, clock_mono_ms());
}

/* Member `i` was looked at: whom does it name, who is the same as it, and who has been silent for
 * long? */
static void hear(struct watch *watch, size_t i)
{
    struct discovery *discovery = &watch->search.discovery;
    int64_t now_ms = clock_mono_ms();
    discovery_learn(discovery, &watch->assessment, i, now_ms);
    if (discovery_prune(discovery, &watch->assessment, identity_of(watch), now_ms)) {
        list_members(watch, true);
    }
}

static void search_on(struct watch *watch, size_t i)
{
    if (!watch->search.discovery.on) {
        return;
    }
    if (!watch->search.recalled && resolver_has_read(watch->resolver)) {
        search_recall(&watch->search, resolver_topology(watch->resolver), clock_mono_ms());
    }
    hear(watch, i);
    begin_trials(watch);
}

static void trial_ended(void *owner, const struct member_config *config,
                        const struct observation *observation, const char *address)
{
    struct watch *watch = owner;
    int64_t now_ms = clock_mono_ms();
    bool joins = discovery_verify(&watch->search.discovery, config->host, config->port, observation,
                                  &watch->assessment, identity_of(watch), now_ms);
    if (joins) {
        list_members(watch, true);
        size_t i = member_index(watch, config->name);
        /* Taken in at once: a report with a member that was not looked at abstains. */
        assess_look(&watch->assessment, i, observation, address, now_ms, clock_wall_ms());
        tell_member(watch, i);
        hear(watch, i);
        report(watch);
    }
    begin_trials(watch);
    watch->ground->settle(watch->ground);
}

/* ---- beliefs ----------------------------------------------------------------------------------- */

static void tell_news(struct watch *watch)
{
    struct resolver_news news = resolver_news(watch->resolver);
    if (news.refused) {
        log_line(LOG_WARNING, watch->settings.name, "%s", news.refused);
    }
    if (news.changed) {
        words_verdict(watch->settings.name, news.before, resolver_topology(watch->resolver));
        update_schedule(watch);
    }
    if (news.alarm) {
        watch_alarm(watch, "", "another probe saw a change");
    }
}

void watch_settle(struct watch *watch)
{
    const struct report *acked;
    int32_t version;
    int64_t mzxid;
    if (published_take_acked(watch->published, &acked, &version, &mzxid)) {
        resolver_own_report(watch->resolver, acked, version, mzxid);
    }
    int64_t now_ms = clock_mono_ms();
    int64_t due_ms = resolver_step(watch->resolver, now_ms, clock_wall_ms());
    tell_news(watch);
    const struct topology *topology = resolver_topology(watch->resolver);
    if (topology) {
        assess_hint(&watch->assessment, topology->policy.kind);
        tell_kind(watch);
    }
    if (due_ms < INT64_MAX) {
        uv_timer_start(&watch->timer, on_timer, (uint64_t)(due_ms > now_ms ? due_ms - now_ms : 1),
                       0);
    }
}

/* ---- finding one's way ------------------------------------------------------------------------- */

static struct watch *staying(struct watch *watch)
{
    while (watch && watch->leaving) {
        watch = watch->next;
    }
    return watch;
}

struct watch *watch_first(struct ground *ground)
{
    return staying(ground->watches);
}

struct watch *watch_next(struct watch *watch)
{
    return staying(watch->next);
}

struct watch *watch_find(struct ground *ground, const char *cluster)
{
    for (struct watch *watch = watch_first(ground); watch; watch = watch_next(watch)) {
        if (text_equal(watch->settings.name, cluster)) {
            return watch;
        }
    }
    return NULL;
}

const char *watch_name(const struct watch *watch)
{
    return watch->settings.name;
}

struct resolver *watch_resolver(struct watch *watch)
{
    return watch->resolver;
}
