#include "registry/fleet/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "registry/verdict/resolve.h"

#define RETRY_MS                                                                                   \
    200 /* after a write that was refused for a reason that reading again will not cure */

/* Another probe's report. */
struct witness {
    struct mirror_node *node;
    char name[NAME_SIZE];
    bool usable; /* decoded, and past version 0 */
    bool listed;
    struct report report;
};

struct resolver {
    struct store *store;
    struct mirror *mirror;
    const struct liveness *liveness;
    char root[PATH_SIZE];
    char cluster[NAME_SIZE];
    char self[NAME_SIZE];

    struct mirror_node *reports_node, *topology_node, *directives_node;
    /* of the reports: its version grows with each that is made, see registry/store/ephemeral.c */
    struct mirror_node *folder_node;
    struct witness *witnesses[REPORTS_MAX];
    size_t witness_count;

    bool has_own;
    struct report own;
    int32_t own_version;
    int64_t own_mzxid;

    bool has_topology; /* ever, in this process: a deleted one is put back from here */
    struct topology topology;
    struct topology before;
    bool had_before;
    bool foreign; /* the topology znode is of another format: hands off */
    bool spoiled; /* it holds nothing usable, or less than we know: put it back */
    struct directives directives;

    bool writing;
    bool creating_directives;
    bool moved;             /* something was read since the last verdict */
    uint64_t generation;    /* of the fleet, at the last verdict */
    bool beat;              /* a beat of our own since the last freshness-only write */
    int64_t topology_at_ms; /* when the topology last changed, by anyone */
    int64_t not_before_ms;
    struct topology verdict; /* being written */

    struct resolver_news news;
    char refused[SENTENCE_SIZE + PATH_SIZE + 64];
};

struct resolver *resolver_new(struct store *store, struct mirror *mirror,
                              const struct liveness *liveness,
                              const struct resolver_settings *settings)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (!resolver) {
        return NULL;
    }
    resolver->store = store;
    resolver->mirror = mirror;
    resolver->liveness = liveness;
    resolver->topology_at_ms = INT64_MIN / 2;
    strcpy(resolver->root, settings->root);
    strcpy(resolver->cluster, settings->cluster);
    strcpy(resolver->self, settings->self);
    char path[PATH_SIZE];
    resolver->reports_node =
        mirror_add(mirror, path_reports(path, sizeof path, resolver->root, resolver->cluster), true,
                   RESOLVER_REPORTS, resolver);
    resolver->topology_node =
        mirror_add(mirror, path_topology(path, sizeof path, resolver->root, resolver->cluster),
                   false, RESOLVER_TOPOLOGY, resolver);
    resolver->directives_node =
        mirror_add(mirror, path_directives(path, sizeof path, resolver->root, resolver->cluster),
                   false, RESOLVER_DIRECTIVES, resolver);
    resolver->folder_node =
        mirror_add(mirror, path_reports(path, sizeof path, resolver->root, resolver->cluster),
                   false, RESOLVER_FOLDER, resolver);
    if (!resolver->reports_node || !resolver->topology_node || !resolver->directives_node ||
        !resolver->folder_node) {
        resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

static void remove_witness(struct resolver *resolver, size_t i)
{
    mirror_remove(resolver->mirror, resolver->witnesses[i]->node);
    free(resolver->witnesses[i]);
    resolver->witnesses[i] = resolver->witnesses[--resolver->witness_count];
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver) {
        return;
    }
    while (resolver->witness_count > 0) {
        remove_witness(resolver, resolver->witness_count - 1);
    }
    mirror_remove(resolver->mirror, resolver->reports_node);
    mirror_remove(resolver->mirror, resolver->topology_node);
    mirror_remove(resolver->mirror, resolver->directives_node);
    mirror_remove(resolver->mirror, resolver->folder_node);
    free(resolver);
}

/* ---- reading ----------------------------------------------------------------------------------- */

static void refuse(struct resolver *resolver, const struct mirror_node *node, const char *sentence)
{
    snprintf(resolver->refused, sizeof resolver->refused, "%s (mzxid %lld) is not used: %s",
             node->path, (long long)node->stat.mzxid, sentence);
    resolver->news.refused = resolver->refused;
}

static struct witness *find_witness(struct resolver *resolver, const char *name)
{
    for (size_t i = 0; i < resolver->witness_count; i++) {
        if (strcmp(resolver->witnesses[i]->name, name) == 0) {
            return resolver->witnesses[i];
        }
    }
    return NULL;
}

static void add_witness(struct resolver *resolver, const char *name)
{
    if (resolver->witness_count == REPORTS_MAX - 1 || strlen(name) >= NAME_SIZE) {
        return; /* beyond the limit; one place is for our own */
    }
    struct witness *witness = calloc(1, sizeof *witness);
    char path[PATH_SIZE];
    if (!witness) {
        return;
    }
    strcpy(witness->name, name);
    witness->listed = true;
    path_report(path, sizeof path, resolver->root, resolver->cluster, name);
    witness->node = mirror_add(resolver->mirror, path, false, RESOLVER_REPORT, resolver);
    if (!witness->node) {
        free(witness);
        return;
    }
    resolver->witnesses[resolver->witness_count++] = witness;
}

static void read_list(struct resolver *resolver, const struct mirror_node *node)
{
    for (size_t i = 0; i < resolver->witness_count; i++) {
        resolver->witnesses[i]->listed = false;
    }
    for (size_t i = 0; node->exists && i < node->name_count; i++) {
        struct witness *witness = find_witness(resolver, node->names[i]);
        if (witness) {
            witness->listed = true;
        } else if (strcmp(node->names[i], resolver->self) != 0) {
            add_witness(resolver, node->names[i]);
        }
    }
    for (size_t i = resolver->witness_count; i-- > 0;) {
        if (!resolver->witnesses[i]->listed) {
            remove_witness(resolver, i);
        }
    }
}

static void read_report(struct resolver *resolver, const struct mirror_node *node)
{
    struct witness *witness = NULL;
    for (size_t i = 0; i < resolver->witness_count; i++) {
        if (resolver->witnesses[i]->node == node) {
            witness = resolver->witnesses[i];
        }
    }
    if (!witness) {
        return;
    }
    struct report *report = malloc(sizeof *report);
    struct codec_error error;
    bool was_usable = witness->usable;
    witness->usable = false;
    resolver->moved = true;
    if (!report || !node->exists) {
        free(report);
        return;
    }
    if (!report_decode(node->data ? node->data : "", node->len, report, &error)) {
        refuse(resolver, node, error.sentence);
    } else if (strcmp(report->probe, witness->name) != 0 ||
               strcmp(report->cluster, resolver->cluster) != 0) {
        refuse(resolver, node, "it speaks for another probe or cluster than its path");
    } else {
        witness->usable = node->stat.version > 0;
        resolver->news.alarm =
            resolver->news.alarm || !was_usable || !report_alike(&witness->report, report);
        witness->report = *report;
    }
    free(report);
}

static void adopt(struct resolver *resolver, const struct topology *topology, int64_t now_ms)
{
    if (!resolver->news.changed) {
        resolver->before = resolver->topology;
        resolver->had_before = resolver->has_topology;
    }
    resolver->news.changed = true;
    resolver->topology = *topology;
    resolver->has_topology = true;
    resolver->topology_at_ms = now_ms;
}

static void read_topology(struct resolver *resolver, const struct mirror_node *node, int64_t now_ms)
{
    struct codec_error error;
    struct topology *topology = malloc(sizeof *topology);
    resolver->moved = true;
    resolver->foreign = false;
    resolver->spoiled = false;
    if (!topology || !node->exists) {
        free(topology);
        return;
    }
    if (!topology_decode(node->data ? node->data : "", node->len, topology, &error)) {
        refuse(resolver, node, error.sentence);
        resolver->foreign = error.foreign;
        resolver->spoiled = !error.foreign;
    } else if (strcmp(topology->cluster, resolver->cluster) != 0) {
        refuse(resolver, node, "it is of another cluster than its path");
        resolver->spoiled = true;
    } else if (resolver->has_topology &&
               /* deleted, and put back by one who knew less */
               topology->epoch < resolver->topology.epoch) {
        refuse(resolver, node, "it is older than what this probe remembers");
        resolver->spoiled = true;
    } else if (!resolver->has_topology || !topology_equal(topology, &resolver->topology)) {
        resolver->news.alarm = resolver->news.alarm || !resolver->has_topology ||
                               strcmp(topology->primary, resolver->topology.primary) != 0 ||
                               topology->state != resolver->topology.state;
        adopt(resolver, topology, now_ms);
    } else {
        resolver->topology = *topology;
    }
    free(topology);
}

static void read_directives(struct resolver *resolver, const struct mirror_node *node)
{
    struct directives directives;
    struct codec_error error;
    resolver->moved = true;
    if (!node->exists) {
        return;
    }
    if (!directives_decode(node->data ? node->data : "", node->len, &directives, &error)) {
        refuse(resolver, node, error.sentence);
        return; /* the last good word stands */
    }
    resolver->directives = directives;
}

void resolver_read(struct resolver *resolver, const struct mirror_node *node, int64_t now_ms)
{
    switch ((enum resolver_kind)node->kind) {
    case RESOLVER_REPORTS:
        read_list(resolver, node);
        break;
    case RESOLVER_REPORT:
        read_report(resolver, node);
        break;
    case RESOLVER_FOLDER:
        break; /* its version is all that counts */
    case RESOLVER_TOPOLOGY:
        read_topology(resolver, node, now_ms);
        break;
    case RESOLVER_DIRECTIVES:
        read_directives(resolver, node);
        break;
    }
}

void resolver_own_report(struct resolver *resolver, const struct report *report, int32_t version,
                         int64_t mzxid)
{
    resolver->has_own = report != NULL;
    resolver->moved = true;
    if (report) {
        resolver->own = *report;
        resolver->own_version = version;
        resolver->own_mzxid = mzxid;
    }
}

void resolver_beat(struct resolver *resolver)
{
    resolver->beat = true;
}

/* ---- deciding ---------------------------------------------------------------------------------- */

static bool is_settled(const struct resolver *resolver)
{
    if (!mirror_is_up(resolver->mirror) || !mirror_settled(resolver->reports_node) ||
        !mirror_settled(resolver->topology_node) || !mirror_settled(resolver->directives_node) ||
        !mirror_settled(resolver->folder_node)) {
        return false;
    }
    for (size_t i = 0; i < resolver->witness_count; i++) {
        if (!mirror_settled(resolver->witnesses[i]->node)) {
            return false;
        }
    }
    return true;
}

/* Fresh reports only, ours as last acknowledged. Returns the greatest rules number among them. */
static int gather(const struct resolver *resolver, struct evidence *evidence)
{
    int rules = 0;
    *evidence = (struct evidence){
        .previous = resolver->has_topology ? &resolver->topology : NULL,
        .directives = &resolver->directives,
        .directives_mzxid = resolver->directives_node->stat.mzxid,
    };
    for (size_t i = 0; i < resolver->witness_count; i++) {
        const struct witness *witness = resolver->witnesses[i];
        if (witness->usable && witness->node->exists &&
            liveness_is_fresh(resolver->liveness, witness->name)) {
            evidence->votes[evidence->count++] =
                (struct vote){&witness->report, witness->node->stat.mzxid};
            rules = witness->report.rules > rules ? witness->report.rules : rules;
        }
    }
    if (resolver->has_own && resolver->own_version > 0 &&
        liveness_is_fresh(resolver->liveness, resolver->self)) {
        evidence->votes[evidence->count++] = (struct vote){&resolver->own, resolver->own_mzxid};
    }
    return rules;
}

/* Does this report say of the writer what the verdict says? One that does not yet tells of
 * something else that it saw. */
static bool agrees(const struct report *report, const struct topology *verdict,
                   const struct topology *previous)
{
    bool same = previous && strcmp(previous->primary, verdict->primary) == 0;
    const struct member_report *now = report_member(report, verdict->primary);
    const struct member_report *before = previous ? report_member(report, previous->primary) : NULL;
    return same || (verdict->primary[0] ? now && now->claim : !before || !before->claim);
}

/* When the evidence was first seen: the earliest time that a voter who agrees gives, after the
 * verdict before. */
static int64_t seen_at(const struct topology *verdict, const struct evidence *evidence)
{
    int64_t first = 0;
    for (size_t i = 0; i < evidence->count; i++) {
        const struct report *report = evidence->votes[i].report;
        bool used = false;
        for (size_t k = 0; k < verdict->evidence_count; k++) {
            used = used || strcmp(verdict->evidence[k].probe, report->probe) == 0;
        }
        bool recent =
            evidence->previous == NULL || report->seen_wall_ms > evidence->previous->at_wall_ms;
        if (used && recent && agrees(report, verdict, evidence->previous) && report->seen_wall_ms &&
            (first == 0 || report->seen_wall_ms < first)) {
            first = report->seen_wall_ms;
        }
    }
    return first;
}

static void write_verdict(struct resolver *resolver)
{
    struct store_op ops[STORE_OPS_MAX];
    char paths[STORE_OPS_MAX][PATH_SIZE];
    const struct topology *verdict = &resolver->verdict;
    size_t n = 0;
    path_report(paths[n], sizeof paths[n], resolver->root, resolver->cluster, resolver->self);
    ops[n] =
        (struct store_op){.kind = STORE_CHECK, .path = paths[n], .version = resolver->own_version};
    n++;
    ops[n++] = (struct store_op){.kind = STORE_CHECK,
                                 .path = resolver->folder_node->path,
                                 .version = resolver->folder_node->stat.version};
    for (size_t i = 0; i < verdict->evidence_count; i++) {
        const struct witness *witness = find_witness(resolver, verdict->evidence[i].probe);
        if (witness) {
            ops[n++] = (struct store_op){.kind = STORE_CHECK,
                                         .path = witness->node->path,
                                         .version = witness->node->stat.version};
        }
    }
    ops[n++] = (struct store_op){.kind = STORE_CHECK,
                                 .path = resolver->directives_node->path,
                                 .version = resolver->directives_node->stat.version};
    char *json = topology_encode(verdict);
    if (!json) {
        return; /* no memory: the next event tries again */
    }
    ops[n] = (struct store_op){.kind = resolver->topology_node->exists ? STORE_SET : STORE_CREATE,
                               .path = resolver->topology_node->path,
                               .data = json,
                               .len = strlen(json),
                               .version = resolver->topology_node->stat.version};
    n++;
    resolver->writing = true;
    store_write(resolver->store, store_tag(resolver, TAG_RESOLVER), ops, n);
    free(json);
}

/* The operator's znode always exists, so that its version can be checked. */
static void create_directives(struct resolver *resolver)
{
    char *json = directives_encode(&resolver->directives);
    if (!json) {
        return;
    }
    struct store_op op = {.kind = STORE_CREATE,
                          .path = resolver->directives_node->path,
                          .data = json,
                          .len = strlen(json)};
    resolver->writing = true;
    resolver->creating_directives = true;
    store_write(resolver->store, store_tag(resolver, TAG_RESOLVER), &op, 1);
    free(json);
}

/* Was anything that this verdict rests on written after the topology that stands there? If not, its
 * writer knew the same reports and took others of them for fresh. */
static bool has_new_evidence(const struct resolver *resolver)
{
    int64_t mzxid = resolver->topology_node->stat.mzxid;
    for (size_t i = 0; i < resolver->verdict.evidence_count; i++) {
        if (resolver->verdict.evidence[i].mzxid > mzxid) {
            return true;
        }
    }
    return resolver->verdict.directives_mzxid > mzxid;
}

/* Does one vote that the topology which stands there does not rest on? Routers judge its age by
 * those it names. */
static bool has_new_voter(const struct resolver *resolver)
{
    for (size_t i = 0; i < resolver->verdict.evidence_count; i++) {
        bool named = false;
        for (size_t k = 0; k < resolver->topology.evidence_count; k++) {
            named = named || strcmp(resolver->topology.evidence[k].probe,
                                    resolver->verdict.evidence[i].probe) == 0;
        }
        if (!named) {
            return true;
        }
    }
    return false;
}

/* When this verdict may be written: at once, or after the pace that its cause asks for. */
static int64_t due_at(const struct resolver *resolver, int64_t now_ms)
{
    const struct topology *current = resolver->has_topology ? &resolver->topology : NULL;
    if (!resolver->topology_node->exists || resolver->spoiled) {
        return now_ms;
    }
    if (!has_new_evidence(resolver) ||
        /* by freshness alone: one per beat, and not within a beat of anybody's */
        topology_equal(current, &resolver->verdict)) {
        return resolver->beat ? resolver->topology_at_ms + BEAT_MS : INT64_MAX;
    }
    return resolve_is_urgent(current, &resolver->verdict) ? now_ms
                                                          : resolver->topology_at_ms + PACE_MS;
}

int64_t resolver_step(struct resolver *resolver, int64_t now_ms, int64_t now_wall_ms)
{
    bool due = resolver->moved || resolver->generation != liveness_generation(resolver->liveness) ||
               resolver->beat;
    if (!due || resolver->writing || resolver->foreign || !is_settled(resolver)) {
        return INT64_MAX;
    }
    if (now_ms < resolver->not_before_ms) {
        return resolver->not_before_ms;
    }
    if (!resolver->directives_node->exists) {
        create_directives(resolver);
        return INT64_MAX;
    }
    if (!resolver->has_own || !resolver->folder_node->exists) {
        return INT64_MAX;
    }
    struct evidence evidence;
    int rules = gather(resolver, &evidence);
    bool same =
        !resolve(&evidence, &resolver->verdict) || rules > MODEL_RULES ||
        (resolver->topology_node->exists && !resolver->spoiled && resolver->has_topology &&
         topology_equal(&resolver->verdict, &resolver->topology) && !has_new_voter(resolver));
    if (same) {
        resolver->moved = false;
        resolver->beat = false;
        resolver->generation = liveness_generation(resolver->liveness);
        return INT64_MAX;
    }
    int64_t due_ms = due_at(resolver, now_ms);
    if (due_ms > now_ms) {
        return due_ms;
    }
    strcpy(resolver->verdict.by, resolver->self);
    resolver->verdict.at_wall_ms = now_wall_ms;
    resolver->verdict.seen_wall_ms = seen_at(&resolver->verdict, &evidence);
    resolver->beat = false;
    resolver->generation = liveness_generation(resolver->liveness);
    write_verdict(resolver);
    return INT64_MAX;
}

void resolver_answer(struct resolver *resolver, const struct store_event *event, int64_t now_ms)
{
    bool was_directives = resolver->creating_directives;
    resolver->writing = false;
    resolver->creating_directives = false;
    resolver->moved = true;
    if (event->rc == STORE_OK) {
        if (!was_directives) {
            resolver->news.wrote = true;
            resolver->news.alarm = resolver->news.alarm || !resolver->has_topology;
            adopt(resolver, &resolver->verdict, now_ms);
        }
    } else if (event->rc != STORE_UNKNOWN && event->rc != STORE_BAD_VERSION &&
               event->rc != STORE_EXISTS) {
        /* denied, or a parent is missing: the reporter puts that back */
        resolver->not_before_ms = now_ms + RETRY_MS;
        if (event->rc == STORE_DENIED) {
            snprintf(resolver->refused, sizeof resolver->refused,
                     "writing below %s/clusters/%s is denied: check [registry] auth",
                     resolver->root, resolver->cluster);
            resolver->news.refused = resolver->refused;
        }
    }
    /* Whatever came of it, what stands there now is read before anything else is decided. */
    mirror_refresh(resolver->mirror, resolver->topology_node);
    mirror_refresh(resolver->mirror, resolver->directives_node);
    if (event->rc != STORE_OK) {
        mirror_refresh(resolver->mirror, resolver->reports_node);
        mirror_refresh(resolver->mirror, resolver->folder_node);
        for (size_t i = 0; i < resolver->witness_count; i++) {
            mirror_refresh(resolver->mirror, resolver->witnesses[i]->node);
        }
    }
}

struct resolver_news resolver_news(struct resolver *resolver)
{
    struct resolver_news news = resolver->news;
    news.before = news.changed && resolver->had_before ? &resolver->before : NULL;
    resolver->news = (struct resolver_news){0};
    return news;
}

const struct topology *resolver_topology(const struct resolver *resolver)
{
    return resolver->has_topology ? &resolver->topology : NULL;
}

bool resolver_has_read(const struct resolver *resolver)
{
    return mirror_is_up(resolver->mirror) && mirror_settled(resolver->topology_node);
}

bool resolver_is_idle(const struct resolver *resolver)
{
    return !resolver->writing;
}
