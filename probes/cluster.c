#include "probes/cluster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "probes/assess/incumbent.h"
#include "probes/discovery/discoverer.h"
#include "probes/drivers/custom_query.h"
#include "registry/base/text.h"

struct probed_cluster {
    struct probe_context *context;
    struct cluster_settings configured; /* as in the file */
    struct cluster_settings settings;   /* with the discovered members */
    struct discoverer discoverer;
    struct assessment assessment;
    struct schedule schedule;
    struct resolver *resolver;
    struct cluster_report *published; /* NULL: withdrawn */
    struct slot *slots[MEMBERS_MAX];  /* by index in assessment.members */
    struct slot *trials[TRIALS_MAX];  /* NULL: free */
    bool heard[MEMBERS_MAX];          /* it answers another probe */
    struct timer timer;               /* when the resolver has something to do */
    bool leaving;
    size_t targets, failing; /* as counted in the context */
    char abstains[RULE_SIZE];
    enum kind logged_kind;
    enum answer logged[MEMBERS_MAX]; /* the standing answer that was logged last, of each member */
    struct probed_cluster *next;
};

static void emit(const struct probed_cluster *cluster, struct fact fact)
{
    fact.cluster = cluster->settings.name;
    cluster->context->log(cluster->context->log_owner, &fact);
}

/* ---- slots ----------------------------------------------------------------------------------- */

static struct slot_context slot_context(const struct probed_cluster *cluster, struct probe_time now)
{
    return (struct slot_context){.now = now,
                                 .schedule = &cluster->schedule,
                                 .timeout_ms = cluster->context->config->probe.timeout_ms,
                                 .rank = cluster->context->rank,
                                 .size = cluster->context->size};
}

/* After whatever was done to a slot: its timer, and its orders for the shell. */
static void update_slot(struct slot *slot)
{
    struct probe_context *context = cluster_of(slot)->context;
    if (slot->state != SLOT_CLOSED) {
        timers_set(&context->timers, &slot->timer, slot_due(slot));
    }
    orders_add(&context->orders, slot);
}

/* NULL: no memory */
static struct slot *open_slot(struct probed_cluster *cluster, const struct member_config *config,
                              bool trial, struct probe_time now)
{
    struct slot *slot = calloc(1, sizeof *slot);
    if (!slot) {
        return NULL;
    }
    slot_init(slot, config, trial, now.ms);
    slot->cluster = cluster;
    if (!timers_add(&cluster->context->timers, &slot->timer, TIMER_SLOT, slot)) {
        free(slot);
        return NULL;
    }
    update_slot(slot);
    return slot;
}

/* It is freed once the shell got the order to close it. NULL is fine. */
static void close_slot(struct slot *slot)
{
    if (slot) {
        timers_remove(&cluster_of(slot)->context->timers, &slot->timer);
        slot_close(slot);
        update_slot(slot);
    }
}

static void open_member(struct probed_cluster *cluster, size_t i, struct probe_time now)
{
    const struct member_config *config = &cluster->settings.members[i];
    assert(!cluster->slots[i]);
    cluster->logged[i] = ANSWER_UNKNOWN;
    cluster->slots[i] = open_slot(cluster, config, false, now);
    if (!cluster->slots[i]) {
        emit(cluster, (struct fact){.kind = FACT_NO_MEMORY, .member = config->name});
    }
}

static void close_trials(struct probed_cluster *cluster)
{
    for (size_t i = 0; i < TRIALS_MAX; i++) {
        close_slot(cluster->trials[i]);
        cluster->trials[i] = NULL;
    }
}

static void expedite(struct probed_cluster *cluster, struct probe_time now)
{
    struct slot_context context = slot_context(cluster, now);
    for (size_t i = 0; i < cluster->assessment.member_count; i++) {
        if (cluster->slots[i]) {
            slot_expedite(cluster->slots[i], cluster->assessment.members[i].standing, &context);
            update_slot(cluster->slots[i]);
        }
    }
}

void cluster_alarm(struct probed_cluster *cluster, const char *member, const char *why,
                   struct probe_time now)
{
    if (schedule_alarm(&cluster->schedule, now.ms)) {
        emit(cluster, (struct fact){.kind = FACT_LOOKS_CLOSELY, .member = member, .text = why});
        expedite(cluster, now);
    }
}

/* ---- reports --------------------------------------------------------------------------------- */

/* Why this probe must not vote on the cluster, the strongest reason first; "": it may. */
static const char *abstains(struct probed_cluster *cluster, struct probe_time now)
{
    if (cluster->context->blind) {
        return "blind";
    }
    if (now.ms < cluster->context->slipped_until_ms) {
        return "slipped";
    }
    return discoverer_is_settled(&cluster->discoverer, now.ms) ? "" : "starting";
}

void cluster_report(struct probed_cluster *cluster, struct probe_time now)
{
    static struct report report; /* 60 kB; one thread */
    assert(cluster->published);
    assess_report(&cluster->assessment, now.ms, abstains(cluster, now), &report);
    for (size_t i = 0; i < report.member_count; i++) {
        if (cluster->slots[i]) {
            report.members[i].left = slot_left(cluster->slots[i], now.ms);
        }
    }
    if (!text_equal(cluster->abstains, report.abstains)) {
        emit(cluster, (struct fact){.kind = report.abstains[0] ? FACT_ABSTAINS : FACT_VOTES,
                                    .text = report.abstains});
        strcpy(cluster->abstains, report.abstains);
    }
    if (cluster_report_publish(cluster->published, &report, now.ms)) {
        cluster->context->report_due = true;
    }
}

/* Is there a writer that the fleet agrees on and that we see? */
static void update_schedule(struct probed_cluster *cluster, struct probe_time now)
{
    const struct topology *topology = resolver_topology(cluster->resolver);
    bool valid = topology && topology->primary[0] && topology->state != STATE_SUSPECT &&
                 assess_sees_writer(&cluster->assessment, topology->primary);
    schedule_writer(&cluster->schedule, valid, now.ms);
}

/* The context's sums of all clusters follow this one's. */
static void count_failing(struct probed_cluster *cluster)
{
    struct probe_context *context = cluster->context;
    assert(context->targets >= cluster->targets && context->failing >= cluster->failing);
    context->targets -= cluster->targets;
    context->failing -= cluster->failing;
    cluster->targets = cluster->failing = 0;
    if (!cluster->leaving) {
        assess_count_failing(&cluster->assessment, &cluster->targets, &cluster->failing);
    }
    context->targets += cluster->targets;
    context->failing += cluster->failing;
}

static size_t member_index(const struct probed_cluster *cluster, const char *name)
{
    for (size_t i = 0; i < cluster->assessment.member_count; i++) {
        if (text_equal(cluster->assessment.members[i].config.name, name)) {
            return i;
        }
    }
    return MEMBERS_MAX;
}

static void log_member(struct probed_cluster *cluster, size_t i)
{
    const struct assessed *member = &cluster->assessment.members[i];
    if (cluster->logged[i] != member->standing) {
        emit(cluster,
             (struct fact){.kind = FACT_MEMBER, .member = member->config.name, .assessed = member});
        cluster->logged[i] = member->standing;
    }
}

/* kind = auto: what the servers show. */
static void log_kind(struct probed_cluster *cluster)
{
    enum kind kind = cluster->assessment.policy.kind;
    if (cluster->assessment.finds_kind && kind != cluster->logged_kind) {
        emit(cluster, (struct fact){.kind = FACT_KIND, .number = kind});
        cluster->logged_kind = kind;
    }
}

/* ---- members come and go --------------------------------------------------------------------- */

static bool same_statement(const struct cluster_settings *a, const struct cluster_settings *b)
{
    const char *one = custom_statement(a), *other = custom_statement(b);
    return one && other ? text_equal(one, other) : one == other;
}

static bool same_access(const struct cluster_settings *a, const struct cluster_settings *b)
{
    return a->policy.engine == b->policy.engine && text_equal(a->user, b->user) &&
           text_equal(a->database, b->database) && text_equal(a->password, b->password) &&
           a->discover == b->discover && a->tls == b->tls && text_equal(a->tls_ca, b->tls_ca) &&
           same_statement(a, b);
}

static bool same_place(const struct member_config *a, const struct member_config *b)
{
    return text_equal(a->name, b->name) && text_equal(a->host, b->host) && a->port == b->port;
}

/* Looks at these members from now on. Slots of members at the same place stay, if `keep`. */
static void change_members(struct probed_cluster *cluster, const struct cluster_settings *settings,
                           bool keep, struct probe_time now)
{
    struct slot *kept[MEMBERS_MAX] = {0};
    enum answer logged[MEMBERS_MAX] = {0};
    const struct probe_settings *probe = &cluster->context->config->probe;
    assert(settings->member_count <= MEMBERS_MAX);
    for (size_t i = 0; i < settings->member_count; i++) {
        size_t was = member_index(cluster, settings->members[i].name);
        if (keep && was < MEMBERS_MAX && cluster->slots[was] &&
            same_place(&cluster->slots[was]->config, &settings->members[i])) {
            kept[i] = cluster->slots[was];
            kept[i]->config = settings->members[i];
            logged[i] = cluster->logged[was];
            cluster->slots[was] = NULL;
        }
    }
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        close_slot(cluster->slots[i]);
    }
    memcpy(cluster->slots, kept, sizeof kept);
    memcpy(cluster->logged, logged, sizeof logged);
    cluster->settings = *settings;
    schedule_reload(&cluster->schedule, probe->interval_ms, probe->alert_interval_ms);
    assess_reload(&cluster->assessment, settings, probe);
    for (size_t i = 0; i < settings->member_count; i++) {
        if (!cluster->slots[i]) {
            open_member(cluster, i, now);
        }
    }
}

/* The configured members and those that were discovered. */
static void list_members(struct probed_cluster *cluster, bool same_timeout, struct probe_time now)
{
    static struct cluster_settings listed; /* 40 kB; one thread */
    listed = cluster->configured;
    discovery_list(&cluster->discoverer.discovery, &listed);
    change_members(cluster, &listed, same_timeout && same_access(&cluster->settings, &listed), now);
    explicit_bzero(&listed, sizeof listed);
}

/* ---- discovery ------------------------------------------------------------------------------- */

static void on_discovery(void *owner, enum discovery_event event, const struct candidate *candidate,
                         const char *why)
{
    emit(owner, (struct fact){
                    .kind = FACT_DISCOVERY, .event = event, .candidate = candidate, .text = why});
}

static const char *identity_of(const struct probed_cluster *cluster)
{
    const struct topology *topology = resolver_topology(cluster->resolver);
    return topology ? topology->identity : "";
}

/* Begins the trial looks that are due. */
static void begin_trials(struct probed_cluster *cluster, struct probe_time now)
{
    struct member_config config;
    for (size_t i = 0; i < TRIALS_MAX; i++) {
        if (cluster->trials[i] ||
            !discoverer_next(&cluster->discoverer, &cluster->assessment, now.ms, &config)) {
            continue;
        }
        cluster->trials[i] = open_slot(cluster, &config, true, now);
        if (!cluster->trials[i]) {
            struct observation nothing;
            observation_fail(&nothing, ANSWER_UNKNOWN, "no memory for a look");
            discovery_verify(&cluster->discoverer.discovery, config.host, config.port, &nothing,
                             &cluster->assessment, "", now.ms);
        }
    }
}

/* Member `i` answered, or not: whom does it name, who is the same as it, and who has been silent
 * for long? */
static void learn(struct probed_cluster *cluster, size_t i, struct probe_time now)
{
    struct discovery *discovery = &cluster->discoverer.discovery;
    discovery_learn(discovery, &cluster->assessment, i, now.ms);
    if (discovery_prune(discovery, &cluster->assessment, identity_of(cluster), now.ms)) {
        list_members(cluster, true, now);
    }
}

static void discover(struct probed_cluster *cluster, size_t i, struct probe_time now)
{
    if (!cluster->discoverer.discovery.on) {
        return;
    }
    if (resolver_has_read(cluster->resolver)) {
        discoverer_restore(&cluster->discoverer, resolver_topology(cluster->resolver), now.ms);
    }
    learn(cluster, i, now);
    begin_trials(cluster, now);
}

static void trial_ended(struct probed_cluster *cluster, struct slot *slot,
                        const struct observation *observation, struct probe_time now)
{
    struct member_config config = slot->config;
    assert(slot->trial && slot->state == SLOT_WAITING);
    for (size_t i = 0; i < TRIALS_MAX; i++) {
        cluster->trials[i] = cluster->trials[i] == slot ? NULL : cluster->trials[i];
    }
    close_slot(slot);
    if (discovery_verify(&cluster->discoverer.discovery, config.host, config.port, observation,
                         &cluster->assessment, identity_of(cluster), now.ms)) {
        list_members(cluster, true, now);
        size_t i = member_index(cluster, config.name);
        assert(i < MEMBERS_MAX);
        /* Taken in at once: a report with a member that was not looked at abstains. */
        assess_look(&cluster->assessment, i, observation, slot->address, now.ms, now.wall_ms);
        log_member(cluster, i);
        learn(cluster, i, now);
    }
    begin_trials(cluster, now);
}

/* ---- the slots' events ----------------------------------------------------------------------- */

static void log_aliases(struct probed_cluster *cluster)
{
    for (size_t i = 0; i < cluster->assessment.member_count; i++) {
        struct assessed *member = &cluster->assessment.members[i];
        if (!text_equal(member->alias, member->alias_told)) {
            strcpy(member->alias_told, member->alias);
            emit(cluster, (struct fact){.kind = FACT_ALIAS,
                                        .member = member->config.name,
                                        .text = member->alias});
        }
    }
}

/* A word that member `i` serves: an answer that another probe has, or a stream from it. */
static void pardon(struct probed_cluster *cluster, size_t i, struct probe_time now)
{
    struct slot_context context = slot_context(cluster, now);
    if (cluster->slots[i]) {
        slot_pardon(cluster->slots[i], &context);
        update_slot(cluster->slots[i]);
    }
}

/* Does member `i` stream from another than it did before its last look? */
static void pardon_feeder(struct probed_cluster *cluster, size_t i, int before,
                          struct probe_time now)
{
    int feeder = assess_feeder(&cluster->assessment, i);
    if (feeder >= 0 && feeder != before) {
        pardon(cluster, (size_t)feeder, now);
    }
}

static void member_ended(struct probed_cluster *cluster, struct slot *slot,
                         const struct observation *observation, struct probe_time now)
{
    size_t i = member_index(cluster, slot->config.name);
    assert(i < MEMBERS_MAX && cluster->slots[i] == slot);
    int feeder = assess_feeder(&cluster->assessment, i);
    int flags =
        assess_look(&cluster->assessment, i, observation, slot->address, now.ms, now.wall_ms);
    assess_next(&cluster->assessment, i, slot->times.due_ms);
    pardon_feeder(cluster, i, feeder, now);
    log_member(cluster, i);
    log_aliases(cluster);
    log_kind(cluster);
    if (flags & ASSESS_ALARM) {
        cluster_alarm(cluster, slot->config.name,
                      observation->answer == ANSWER_OK ? "its answer changed"
                                                       : answer_names[observation->answer],
                      now);
    }
    discover(cluster, i, now);
}

/* What a step of the slot gave. */
static bool take_outcome(struct slot *slot, const struct slot_outcome *outcome,
                         struct probe_time now)
{
    struct probed_cluster *cluster = cluster_of(slot);
    update_slot(slot);
    if (outcome->alarm && !slot->trial) {
        cluster_alarm(cluster, slot->config.name, outcome->alarm, now);
    }
    if (outcome->failed && !slot->trial) {
        emit(cluster, (struct fact){.kind = FACT_NO_MEANS,
                                    .member = slot->config.name,
                                    .text = outcome->observation.detail});
    }
    if (!outcome->ended) {
        return false;
    }
    if (slot->trial) {
        trial_ended(cluster, slot, &outcome->observation, now);
    } else {
        member_ended(cluster, slot, &outcome->observation, now);
    }
    count_failing(cluster);
    update_schedule(cluster, now);
    return true;
}

bool cluster_resolved(struct slot *slot, const char *address, const char *problem,
                      struct probe_time now)
{
    struct slot_context context = slot_context(cluster_of(slot), now);
    struct slot_outcome outcome;
    slot_resolved(slot, address, problem, &context, &outcome);
    return take_outcome(slot, &outcome, now);
}

bool cluster_look_ended(struct slot *slot, const struct observation *observation,
                        enum remains remains, struct probe_time now)
{
    struct slot_context context = slot_context(cluster_of(slot), now);
    struct slot_outcome outcome;
    slot_look_ended(slot, observation, remains, &context, &outcome);
    return take_outcome(slot, &outcome, now);
}

bool cluster_unsolicited(struct slot *slot, struct probe_time now)
{
    struct slot_context context = slot_context(cluster_of(slot), now);
    struct slot_outcome outcome;
    slot_unsolicited(slot, &context, &outcome);
    return take_outcome(slot, &outcome, now);
}

bool cluster_slot_timer(struct slot *slot, struct probe_time now)
{
    struct slot_context context = slot_context(cluster_of(slot), now);
    struct slot_outcome outcome;
    slot_timer(slot, &context, &outcome);
    return take_outcome(slot, &outcome, now);
}

void cluster_slot_works(struct slot *slot, struct probe_time now)
{
    slot_works(slot, now.ms);
    update_slot(slot);
}

void cluster_slot_worked(struct slot *slot, int64_t cost_ms, struct probe_time now)
{
    slot_worked(slot, cost_ms, now.ms);
    update_slot(slot);
}

void cluster_slot_late(struct slot *slot, int64_t late_ms)
{
    emit(cluster_of(slot),
         (struct fact){.kind = FACT_LATE, .member = slot->config.name, .number = late_ms});
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static void take_news(struct probed_cluster *cluster, struct probe_time now)
{
    struct resolver_news news = resolver_news(cluster->resolver);
    if (news.refused) {
        emit(cluster, (struct fact){.kind = FACT_REFUSED, .text = news.refused});
    }
    if (news.changed) {
        emit(cluster, (struct fact){.kind = FACT_VERDICT,
                                    .before = news.before,
                                    .topology = resolver_topology(cluster->resolver)});
        update_schedule(cluster, now);
    }
    for (size_t i = 0; news.alarm && i < cluster->assessment.member_count; i++) {
        const char *name = cluster->assessment.members[i].config.name;
        bool heard = resolver_hears(cluster->resolver, name);
        if (heard && !cluster->heard[i]) {
            pardon(cluster, i, now);
        }
        cluster->heard[i] = heard;
    }
    if (news.alarm) {
        cluster_alarm(cluster, "", "another probe saw a change", now);
    }
}

/* The primary is looked at a moment before the others. */
static void put_in_order(struct probed_cluster *cluster, const struct topology *topology)
{
    for (size_t i = 0; i < cluster->assessment.member_count; i++) {
        const char *name = cluster->assessment.members[i].config.name;
        if (cluster->slots[i]) {
            cluster->slots[i]->times.after_ms = text_equal(name, topology->primary) ? 0 : FOLLOW_MS;
        }
    }
}

void cluster_settle(struct probed_cluster *cluster, struct probe_time now)
{
    const struct report *acked;
    int32_t version;
    int64_t mzxid;
    assert(!cluster->leaving);
    if (cluster_report_take_acked(cluster->published, &acked, &version, &mzxid)) {
        resolver_own_report(cluster->resolver, acked, version, mzxid);
    }
    int64_t due_ms = resolver_step(cluster->resolver, now.ms, now.wall_ms);
    take_news(cluster, now);
    const struct topology *topology = resolver_topology(cluster->resolver);
    if (topology) {
        incumbent_take(&cluster->assessment, topology, now.ms);
        assess_verdict(&cluster->assessment, topology);
        put_in_order(cluster, topology);
        log_kind(cluster);
    }
    if (due_ms < TIMER_NEVER) {
        timers_set(&cluster->context->timers, &cluster->timer,
                   due_ms > now.ms ? due_ms : now.ms + 1);
    }
}

void cluster_beat(struct probed_cluster *cluster)
{
    resolver_beat(cluster->resolver);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* What it does with the registry: a report of ours, and the resolver. */
static bool join_registry(struct probed_cluster *cluster)
{
    struct probe_context *context = cluster->context;
    struct resolver_settings settings = {context->config->registry.root, cluster->settings.name,
                                         context->config->probe.name,
                                         reporter_root(context->reporter)};
    cluster->resolver = resolver_new(context->store, context->mirror, context->liveness, &settings);
    cluster->published =
        cluster->resolver ? reporter_add(context->reporter, cluster->settings.name) : NULL;
    return cluster->published != NULL;
}

struct probed_cluster *cluster_new(struct probe_context *context,
                                   const struct cluster_settings *settings, struct probe_time now)
{
    struct probed_cluster *cluster = calloc(1, sizeof *cluster);
    if (!cluster) {
        return NULL;
    }
    const struct probe_settings *probe = &context->config->probe;
    cluster->context = context;
    cluster->settings = cluster->configured = *settings;
    cluster->logged_kind = KIND_AUTO;
    discoverer_init(&cluster->discoverer, settings, now.ms, cluster, on_discovery);
    assess_init(&cluster->assessment, probe->name, settings, probe);
    schedule_init(&cluster->schedule, probe->interval_ms, probe->alert_interval_ms, now.ms);
    if (!timers_add(&context->timers, &cluster->timer, TIMER_CLUSTER, cluster)) {
        free(cluster);
        return NULL;
    }
    if (!join_registry(cluster)) {
        cluster_free(cluster);
        return NULL;
    }
    context->report_due = true;
    for (size_t i = 0; i < settings->member_count; i++) {
        open_member(cluster, i, now);
    }
    return cluster;
}

void cluster_stop(struct probed_cluster *cluster)
{
    if (cluster->leaving) {
        return;
    }
    cluster->leaving = true;
    close_trials(cluster);
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        close_slot(cluster->slots[i]);
        cluster->slots[i] = NULL;
    }
    timers_set(&cluster->context->timers, &cluster->timer, TIMER_NEVER);
    count_failing(cluster);
}

void cluster_leave(struct probed_cluster *cluster)
{
    assert(!cluster->leaving);
    reporter_remove(cluster->context->reporter, cluster->published);
    cluster->published = NULL;
    cluster->context->report_due = true;
    cluster_stop(cluster);
}

bool cluster_is_done(const struct probed_cluster *cluster)
{
    return cluster->leaving && resolver_is_idle(cluster->resolver);
}

void cluster_free(struct probed_cluster *cluster)
{
    timers_remove(&cluster->context->timers, &cluster->timer);
    resolver_free(cluster->resolver);
    explicit_bzero(cluster, sizeof *cluster); /* it has passwords */
    free(cluster);
}

void cluster_reload(struct probed_cluster *cluster, const struct cluster_settings *settings,
                    bool same_timeout, struct probe_time now)
{
    cluster->configured = *settings;
    close_trials(cluster);
    discovery_reload(&cluster->discoverer.discovery, settings);
    list_members(cluster, same_timeout, now);
    memset(cluster->heard, 0, sizeof cluster->heard); /* members may have other places */
    count_failing(cluster);
    cluster_alarm(cluster, "", "the configuration was reloaded", now);
}

/* ---- ways to it ------------------------------------------------------------------------------ */

const char *cluster_name(const struct probed_cluster *cluster)
{
    return cluster->settings.name;
}

struct probed_cluster *cluster_of(const struct slot *slot)
{
    return slot->cluster;
}

const struct cluster_settings *cluster_settings_of(const struct slot *slot)
{
    return &cluster_of(slot)->settings;
}

struct probed_cluster **cluster_next(struct probed_cluster *cluster)
{
    return &cluster->next;
}

bool cluster_is_leaving(const struct probed_cluster *cluster)
{
    return cluster->leaving;
}
