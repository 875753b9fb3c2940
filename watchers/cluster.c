/* The cluster functions of roster.h: they check the arguments and read what the
 * loop thread publishes in cluster->routing and cluster->status. */
#include <roster.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "registry/base/text.h"
#include "registry/model/server_errors.h"
#include "watchers/cache.h"
#include "watchers/internal.h"

enum { SUBSCRIBE_WAIT_MS = 5000 };

static_assert(sizeof((struct roster_state *)0)->refused == REFUSED_SIZE, "a refusal fits");
static_assert((int)STATE_CONFLICT == (int)ROSTER_STATE_CONFLICT &&
                  (int)STATE_NO_PRIMARY == (int)ROSTER_STATE_NO_PRIMARY &&
                  (int)STATE_SUSPECT == (int)ROSTER_STATE_SUSPECT,
              "same order");

/* ---- subscribing ----------------------------------------------------------------------------- */

/* With loop.lock held. */
static struct roster_cluster *find(struct roster *roster, const char *name)
{
    struct roster_cluster *cluster = roster->clusters;
    while (cluster && !text_equal(cluster->name, name)) {
        cluster = cluster->next;
    }
    return cluster;
}

static void load_cache(struct roster_cluster *cluster)
{
    struct roster *roster = cluster->roster;
    char sentence[SENTENCE_SIZE] = "memory ran out";
    struct topology *cached = calloc(1, sizeof *cached);
    struct snapshot *snapshot = NULL;
    if (cached && cache_load(roster->cache_dir, cluster->name, cached, &cluster->cached_provenance,
                             sentence, sizeof sentence)) {
        snapshot = snapshot_new(cached, &cluster->cached_provenance, true, clock_wall_ms());
    }
    if (!snapshot) {
        free(cached);
        if (sentence[0]) {
            notifier_log(roster, ROSTER_LOG_WARNING, "%s: what is kept in %s is not used: %s",
                         cluster->name, roster->cache_dir, sentence);
        }
        return;
    }
    struct now now = {clock_boot_ms(), clock_wall_ms()};
    routing_confirm(&cluster->routing, age_of_verdict(cached, now), false);
    routing_publish(&cluster->routing, snapshot);
    cluster->cached = cached;
    cluster->status.cached = true;
}

static void free_cluster(struct roster_cluster *cluster)
{
    if (cluster) {
        routing_release(&cluster->routing);
        free(cluster->cached);
        free(cluster);
    }
}

static struct roster_cluster *new_cluster(struct roster *roster, const char *name,
                                          const struct roster_subscription *subscription)
{
    struct roster_cluster *cluster = aligned_alloc(alignof(struct roster_cluster), sizeof *cluster);
    if (!cluster) {
        return NULL;
    }
    memset(cluster, 0, sizeof *cluster);
    cluster->roster = roster;
    text_copy(cluster->name, sizeof cluster->name, name);
    cluster->status.witnesses_now = -1;
    if (subscription) {
        cluster->subscription = *subscription;
    }
    if (roster->cache_dir) {
        load_cache(cluster);
    }
    return cluster;
}

/* Two threads may subscribe to one name at once: the first to get here wins, and the other's
 * object is freed by its caller. */
static struct roster_cluster *add(struct roster *roster, struct roster_cluster *cluster)
{
    thread_lock(&roster->loop);
    struct roster_cluster *there = find(roster, cluster->name);
    if (!there && roster->cluster_count < CLUSTERS_MAX) {
        cluster->next = roster->clusters;
        /* pairs with first_cluster in loop.c and the loads of the other threads */
        __atomic_store_n(&roster->clusters, cluster, __ATOMIC_RELEASE);
        roster->cluster_count++;
        there = cluster;
    }
    thread_unlock(&roster->loop);
    return there;
}

static enum roster_status find_or_add(struct roster *roster, const char *name,
                                      const struct roster_subscription *subscription,
                                      struct roster_cluster **ret_cluster)
{
    thread_lock(&roster->loop);
    *ret_cluster = find(roster, name);
    thread_unlock(&roster->loop);
    if (*ret_cluster) {
        return ROSTER_OK;
    }
    if (atomic_load(&roster->forked)) {
        return roster_refuse(
            ROSTER_INVALID,
            "this handle is the parent process's: open one in the child to follow more");
    }
    if (subscription && subscription->changed && !notifier_start(roster)) {
        return roster_refuse(ROSTER_INTERNAL, "a thread could not be made");
    }
    struct roster_cluster *mine = new_cluster(roster, name, subscription);
    if (!mine) {
        return roster_refuse(ROSTER_NO_MEMORY, "memory ran out");
    }
    /* once added, the status may be written by the loop thread */
    bool cached = mine->status.cached;
    *ret_cluster = add(roster, mine);
    if (*ret_cluster != mine) {
        free_cluster(mine);
    } else {
        if (cached) {
            notifier_changed(mine);
        }
        loop_wake(roster);
    }
    return *ret_cluster ? ROSTER_OK
                        : roster_refuse(ROSTER_INVALID, "cluster: a handle follows %d at most",
                                        CLUSTERS_MAX);
}

static bool has_topology(struct roster_cluster *cluster)
{
    return __atomic_load_n(&cluster->routing.now, __ATOMIC_ACQUIRE) != NULL;
}

/* Until the registry has answered, or time is up. */
static void wait_for_answer(struct roster_cluster *cluster, int wait_ms)
{
    struct roster *roster = cluster->roster;
    int64_t until_ms = clock_mono_ms() + wait_ms;
    if (has_topology(cluster) && until_ms > roster->opened_ms + wait_ms) {
        /* many clusters and no registry: one wait for all, not one each */
        until_ms = roster->opened_ms + wait_ms;
    }
    thread_lock(&roster->loop);
    while (!cluster->status.answered && thread_wait_until(&roster->loop, until_ms)) {
    }
    thread_unlock(&roster->loop);
}

static enum roster_status result_of(struct roster_cluster *cluster)
{
    if (has_topology(cluster)) {
        return ROSTER_OK;
    }
    thread_lock(&cluster->roster->loop);
    struct status status = cluster->status;
    thread_unlock(&cluster->roster->loop);
    if (!status.answered) {
        return roster_refuse(ROSTER_UNREACHABLE, "cluster %s: the registry was not reached in time",
                             cluster->name);
    }
    return roster_refuse(ROSTER_NO_CLUSTER, "cluster %s: %s", cluster->name,
                         status.refused[0] ? status.refused
                                           : "the registry holds no topology of that name");
}

enum roster_status roster_subscribe(struct roster *roster, const char *cluster,
                                    const struct roster_subscription *subscription,
                                    struct roster_cluster **ret_cluster)
{
    int wait_ms = subscription && subscription->wait_ms ? subscription->wait_ms : SUBSCRIBE_WAIT_MS;
    if (!ret_cluster) {
        return roster_refuse(ROSTER_INVALID, "ret_cluster: required");
    }
    *ret_cluster = NULL;
    if (!roster) {
        return roster_refuse(ROSTER_INVALID, "roster: required");
    }
    if (!cluster || !text_is_name(cluster)) {
        return roster_refuse(ROSTER_INVALID,
                             "cluster: \"%.80s\" is not a name ([A-Za-z0-9._-], 1 to 63)",
                             cluster ? cluster : "");
    }
    enum roster_status status = find_or_add(roster, cluster, subscription, ret_cluster);
    if (status != ROSTER_OK) {
        return status;
    }
    if (wait_ms > 0 && !atomic_load(&roster->forked)) {
        wait_for_answer(*ret_cluster, wait_ms);
    }
    return result_of(*ret_cluster);
}

/* ---- routing --------------------------------------------------------------------------------- */

static const struct roster_request defaults;

static bool is_request(const struct roster_request *request)
{
    return request->policy == ROSTER_ROUND_ROBIN || request->policy == ROSTER_RANDOM ||
           request->policy == ROSTER_WEIGHTED;
}

/* A caller needs younger knowledge than the registry was asked for: it is asked at once, and
 * oftener from now on. */
static void hurry(struct roster_cluster *cluster, int64_t max_age_ms)
{
    struct roster *roster = cluster->roster;
    if (max_age_ms < atomic_load(&roster->limit_now_ms) && !atomic_load(&roster->forked) &&
        !atomic_exchange(&roster->hurry, true)) {
        loop_wake(roster);
    }
}

enum roster_status roster_route(struct roster_cluster *cluster, enum roster_access access,
                                const struct roster_request *request,
                                struct roster_endpoint *ret_endpoint)
{
    request = request ? request : &defaults;
    if (!cluster || !ret_endpoint || (access != ROSTER_WRITE && access != ROSTER_READ) ||
        !is_request(request)) {
        return ROSTER_INVALID;
    }
    enum roster_status status = routing_route(&cluster->routing, access, request, ret_endpoint);
    if (__builtin_expect(status == ROSTER_TOO_OLD, 0)) {
        hurry(cluster, request->max_age_ms);
    }
    return status;
}

/* ---- feedback -------------------------------------------------------------------------------- */

static const struct {
    const char *begins;
    enum roster_outcome outcome;
} sqlstates[] = {
#define SQLSTATE(code, connecting, asking, outcome, meaning) {code, ROSTER_OUTCOME_##outcome},
    SQLSTATES(SQLSTATE)
#undef SQLSTATE
};

static const struct {
    unsigned code;
    enum roster_outcome outcome;
} mysql_errors[] = {
#define MYSQL_ERROR(code, connecting, asking, outcome, meaning) {code, ROSTER_OUTCOME_##outcome},
    MYSQL_ERRORS(MYSQL_ERROR)
#undef MYSQL_ERROR
};

enum roster_outcome roster_classify(const char *sqlstate, unsigned code)
{
    if (code) {
        for (size_t i = 0; i < sizeof mysql_errors / sizeof *mysql_errors; i++) {
            if (mysql_errors[i].code == code) {
                return mysql_errors[i].outcome;
            }
        }
        return ROSTER_OUTCOME_OTHER;
    }
    for (size_t i = 0; sqlstate && i < sizeof sqlstates / sizeof *sqlstates; i++) {
        if (strncmp(sqlstate, sqlstates[i].begins, strlen(sqlstates[i].begins)) == 0) {
            return sqlstates[i].outcome;
        }
    }
    return sqlstate && text_equal(sqlstate, "00000") ? ROSTER_OUTCOME_OK : ROSTER_OUTCOME_OTHER;
}

void roster_feedback(struct roster_cluster *cluster, const struct roster_endpoint *endpoint,
                     enum roster_outcome outcome)
{
    if (!cluster || !endpoint) {
        return;
    }
    routing_feedback(&cluster->routing, endpoint, outcome, clock_boot_ms());
    if ((outcome != ROSTER_OUTCOME_REFUSED && outcome != ROSTER_OUTCOME_READ_ONLY) ||
        atomic_load(&cluster->roster->forked)) {
        return;
    }
    atomic_store(&cluster->refresh, true);
    if (!atomic_exchange(&cluster->roster->refresh, true)) {
        loop_wake(cluster->roster);
    }
}

/* ---- inspection ------------------------------------------------------------------------------ */

static void copy(char *to, size_t size, const char *from)
{
    text_tame(to, size, from);
}

static void read_state(const struct snapshot *snapshot, void *to)
{
    const struct topology *topology = &snapshot->topology;
    struct roster_state *state = to;
    state->state = (enum roster_topology_state)topology->state;
    state->epoch = topology->epoch;
    copy(state->engine, sizeof state->engine, engine_names[topology->policy.engine]);
    copy(state->kind, sizeof state->kind, kind_names[topology->policy.kind]);
    copy(state->primary, sizeof state->primary, topology->primary);
    copy(state->lineage, sizeof state->lineage, topology->lineage);
    copy(state->identity, sizeof state->identity, topology->identity);
    copy(state->rule, sizeof state->rule, topology_rule(topology));
    copy(state->why, sizeof state->why, topology->why);
    copy(state->by, sizeof state->by, topology->by);
    state->at_wall_ms = topology->at_wall_ms;
    state->witnesses = topology->policy.witnesses;
    state->quorum = quorum_of(topology->policy.witnesses);
}

enum roster_status roster_state(struct roster_cluster *cluster, struct roster_state *ret_state)
{
    if (!cluster || !ret_state) {
        return ROSTER_INVALID;
    }
    *ret_state = (struct roster_state){.witnesses_now = -1, .age_ms = -1};
    bool known = routing_read(&cluster->routing, read_state, ret_state);
    if (known) {
        ret_state->age_ms = routing_age(&cluster->routing, clock_boot_ms());
    }
    thread_lock(&cluster->roster->loop);
    const struct status *status = &cluster->status;
    if (!atomic_load(&cluster->roster->forked)) { /* a child has no session */
        ret_state->connected = status->connected;
        ret_state->witnesses_now = status->witnesses_now;
    }
    ret_state->cached = status->cached;
    copy(ret_state->refused, sizeof ret_state->refused, status->refused);
    thread_unlock(&cluster->roster->loop);
    return known ? ROSTER_OK : ROSTER_NO_CLUSTER;
}

static void write_labels(char *to, size_t size, const struct member_config *config)
{
    struct text text;
    text_init(&text, to, size);
    for (int i = 0; i < config->label_count; i++) {
        text_put(&text, "%s%s=%s", i ? "," : "", config->labels[i].key, config->labels[i].value);
    }
}

struct members_wanted {
    struct roster_member *members;
    size_t capacity;
    size_t count;
};

static void read_members(const struct snapshot *snapshot, void *to)
{
    struct members_wanted *wanted = to;
    for (int i = 0; i < snapshot->topology.member_count && wanted->count < wanted->capacity; i++) {
        const struct member *from = &snapshot->topology.members[i];
        struct roster_member *member = &wanted->members[wanted->count++];
        *member = (struct roster_member){.endpoint = snapshot->table.endpoints[i],
                                         .fenced = from->fenced,
                                         .drained = from->drained,
                                         .claims = from->claims};
        member->sync = from->sync;
        copy(member->condition, sizeof member->condition,
             from->condition != CONDITION_FIT ? condition_names[from->condition]
             : from->lag.delay_ms > 0         ? "delayed"
                                              : "");
        copy(member->reason, sizeof member->reason,
             from->alias[0]              ? "alias"
             : from->reason == ANSWER_OK ? ""
                                         : answer_names[from->reason]);
        copy(member->upstream, sizeof member->upstream, from->upstream);
        write_labels(member->labels, sizeof member->labels, &from->config);
    }
}

enum roster_status roster_members(struct roster_cluster *cluster, struct roster_member *ret_members,
                                  size_t capacity, size_t *ret_count)
{
    struct members_wanted wanted = {.members = ret_members, .capacity = capacity};
    if (!cluster || !ret_count || (!ret_members && capacity > 0)) {
        return ROSTER_INVALID;
    }
    if (!routing_read(&cluster->routing, read_members, &wanted)) {
        return ROSTER_NO_CLUSTER;
    }
    *ret_count = wanted.count;
    return ROSTER_OK;
}
