#include "registry/fleet/resolver.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/fleet/first_seen.h"
#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "registry/verdict/resolve.h"

#define RETRY_MS 200 /* after a write that was refused for a reason that reading will not cure */

/* No fleet counts so far: a greater epoch was written by hand, and soon could not grow any more.
 * One that this probe has followed step by step is taken all the same. */
static const int64_t epoch_most = INT64_C(1) << 52, epoch_step = 1 << 20;

/* Another probe's report. */
struct witness {
    struct resolver *resolver;
    struct mirror_node *node;
    char name[NAME_SIZE];
    bool usable; /* decoded, and past version 0 */
    struct report report;
};

/* What the topology's znode holds, as read last. */
enum held {
    HELD_NOTHING,  /* it does not exist */
    HELD_TOPOLOGY, /* one that can be used */
    HELD_SPOILED,  /* nothing usable, or less than we know: to be put back */
    HELD_FOREIGN   /* another format: to be left alone */
};

/* Our request under way. */
enum request { REQUEST_NONE, REQUEST_DIRECTIVES, REQUEST_TOPOLOGY };

/* What has happened since the last verdict, besides a change of who is fresh. */
enum since { SINCE_NOTHING, SINCE_READ, SINCE_BEAT };

struct resolver {
    struct store *store;
    struct mirror *mirror;
    const struct liveness *liveness;
    struct root *registry; /* or NULL */
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
    struct topology before; /* news.before points here */
    enum held held;
    /* the last readable ones; before any were read, or known not to exist, nothing is decided: it
     * may be just the one that they forbid */
    bool has_directives;
    bool untaken; /* what was read of the topology was not taken in: whose registry is it? */
    struct directives directives;
    bool directives_denied; /* told already: they are read again with every beat */

    enum request request;
    enum since since;       /* a beat counts until a verdict is written or found to be equal */
    uint64_t generation;    /* of the fleet, at the last verdict */
    int64_t topology_at_ms; /* when the topology last changed, by anyone */
    int64_t put_back_ms;    /* when we last wrote it because it was not there, or spoiled */
    int64_t not_before_ms;
    struct topology verdict; /* REQUEST_TOPOLOGY: being written */

    struct resolver_news news;
    char refused[SENTENCE_SIZE + PATH_SIZE + 128];
};

static void read_list(void *owner, const struct mirror_node *node);
static void read_report(void *owner, const struct mirror_node *node);
static void read_topology(void *owner, const struct mirror_node *node);
static void read_directives(void *owner, const struct mirror_node *node);

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
    resolver->registry = settings->registry;
    resolver->topology_at_ms = resolver->put_back_ms = INT64_MIN / 2;
    assert(strlen(settings->root) < PATH_SIZE);
    assert(strlen(settings->cluster) < NAME_SIZE && strlen(settings->self) < NAME_SIZE);
    strcpy(resolver->root, settings->root);
    strcpy(resolver->cluster, settings->cluster);
    strcpy(resolver->self, settings->self);
    char path[PATH_SIZE];
    resolver->reports_node =
        mirror_add(mirror, path_reports(path, sizeof path, resolver->root, resolver->cluster), true,
                   read_list, resolver);
    resolver->topology_node =
        mirror_add(mirror, path_topology(path, sizeof path, resolver->root, resolver->cluster),
                   false, read_topology, resolver);
    resolver->directives_node =
        mirror_add(mirror, path_directives(path, sizeof path, resolver->root, resolver->cluster),
                   false, read_directives, resolver);
    resolver->folder_node =
        mirror_add(mirror, path_reports(path, sizeof path, resolver->root, resolver->cluster),
                   false, NULL, resolver); /* its version is all that counts */
    if (!resolver->reports_node || !resolver->topology_node || !resolver->directives_node ||
        !resolver->folder_node) {
        resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

static void remove_witness(struct resolver *resolver, size_t i)
{
    assert(i < resolver->witness_count);
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

/* ---- reading --------------------------------------------------------------------------------- */

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
    witness->resolver = resolver;
    strcpy(witness->name, name);
    path_report(path, sizeof path, resolver->root, resolver->cluster, name);
    witness->node = mirror_add(resolver->mirror, path, false, read_report, witness);
    if (!witness->node) {
        free(witness);
        return;
    }
    resolver->witnesses[resolver->witness_count++] = witness;
}

static void read_list(void *owner, const struct mirror_node *node)
{
    struct resolver *resolver = owner;
    for (size_t i = resolver->witness_count; i-- > 0;) {
        if (!mirror_lists(node, resolver->witnesses[i]->name)) {
            remove_witness(resolver, i);
        }
    }
    for (size_t i = 0; node->exists && i < node->name_count; i++) {
        const char *name = node->names[i];
        if (strcmp(name, resolver->self) != 0 && !find_witness(resolver, name)) {
            add_witness(resolver, name);
        }
    }
}

/* Something was read: the verdict may be another one. */
static void mark_read(struct resolver *resolver)
{
    resolver->since = resolver->since == SINCE_NOTHING ? SINCE_READ : resolver->since;
}

static void read_report(void *owner, const struct mirror_node *node)
{
    struct witness *witness = owner;
    struct resolver *resolver = witness->resolver;
    struct report *report = malloc(sizeof *report);
    struct codec_error error;
    bool was_usable = witness->usable;
    assert(node == witness->node);
    witness->usable = false;
    mark_read(resolver);
    if (!report || !node->exists) {
        free(report);
        return;
    }
    if (!report_decode(node->data ? node->data : "", node->len, report, &error)) {
        refuse(resolver, node, error.sentence);
    } else if (strcmp(report->probe, witness->name) != 0 ||
               strcmp(report->cluster, resolver->cluster) != 0) {
        refuse(resolver, node, "it is of another probe or cluster than its path");
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
    if (!resolver->news.changed && resolver->has_topology) {
        resolver->before = resolver->topology;
        resolver->news.before = &resolver->before;
    }
    resolver->news.changed = true;
    resolver->topology = *topology;
    resolver->has_topology = true;
    resolver->topology_at_ms = now_ms;
}

static enum held spoiled(struct resolver *resolver, const struct mirror_node *node,
                         const char *sentence)
{
    refuse(resolver, node, sentence);
    return HELD_SPOILED;
}

static bool is_alarming(const struct topology *before, const struct topology *now)
{
    return strcmp(now->primary, before->primary) != 0 || now->state != before->state;
}

/* `topology` is room for what the node holds. */
static enum held take_topology(struct resolver *resolver, const struct mirror_node *node,
                               struct topology *topology)
{
    struct codec_error error;
    const struct topology *before = resolver->has_topology ? &resolver->topology : NULL;
    if (!topology_decode(node->data ? node->data : "", node->len, topology, &error)) {
        refuse(resolver, node, error.sentence);
        return error.foreign ? HELD_FOREIGN : HELD_SPOILED;
    }
    if (strcmp(topology->cluster, resolver->cluster) != 0) {
        return spoiled(resolver, node, "it is of another cluster than its path");
    }
    if (topology->epoch > epoch_most && (!before || topology->epoch - before->epoch > epoch_step)) {
        return spoiled(resolver, node, "its epoch is too great to be counted on from there");
    }
    if (before && topology->epoch < before->epoch) {
        /* it was deleted, and put back by a probe that knew less */
        return spoiled(resolver, node, "it is older than what this probe remembers");
    }
    if (before && topology_equal(topology, before)) {
        resolver->topology = *topology; /* who wrote it and when may differ */
        return HELD_TOPOLOGY;
    }
    resolver->news.alarm = resolver->news.alarm || !before || is_alarming(before, topology);
    adopt(resolver, topology, node->read_ms);
    return HELD_TOPOLOGY;
}

static bool is_refused(const struct resolver *resolver)
{
    return resolver->registry && !root_is_used(resolver->registry);
}

static bool is_from_the_past(const struct resolver *resolver, const struct mirror_node *node)
{
    return resolver->registry && node->exists &&
           !root_saw_topology(resolver->registry, resolver->cluster, node->stat.mzxid);
}

/* Not before it is known which registry this is. */
static void take_read(struct resolver *resolver)
{
    const struct mirror_node *node = resolver->topology_node;
    resolver->untaken = is_refused(resolver) || is_from_the_past(resolver, node);
    if (resolver->untaken) {
        return;
    }
    struct topology *topology = malloc(sizeof *topology);
    resolver->held = node->exists ? HELD_TOPOLOGY : HELD_NOTHING;
    if (topology && node->exists) {
        resolver->held = take_topology(resolver, node, topology);
    }
    free(topology);
}

/* The last readable ones stay in force. */
static void refuse_directives(struct resolver *resolver, const struct mirror_node *node,
                              const char *reason)
{
    char sentence[SENTENCE_SIZE + 64];
    snprintf(sentence, sizeof sentence, "%s; %s", reason,
             resolver->has_directives ? "those read before stay in force"
                                      : "nothing is decided before they were read once");
    refuse(resolver, node, sentence);
}

static void read_topology(void *owner, const struct mirror_node *node)
{
    struct resolver *resolver = owner;
    assert(node == resolver->topology_node);
    mark_read(resolver);
    take_read(resolver);
}

static void read_directives(void *owner, const struct mirror_node *node)
{
    struct resolver *resolver = owner;
    struct directives directives;
    struct codec_error error;
    bool told = resolver->directives_denied;
    mark_read(resolver);
    resolver->directives_denied = node->rc != STORE_OK && node->rc != STORE_NO_NODE;
    if (resolver->directives_denied && told) {
        return;
    }
    if (node->rc == STORE_NO_NODE) {
        resolver->has_directives = true;
    } else if (node->rc != STORE_OK) {
        refuse_directives(resolver, node, store_rc_names[node->rc]);
    } else if (!directives_decode(node->data ? node->data : "", node->len, &directives, &error)) {
        refuse_directives(resolver, node, error.sentence);
    } else {
        resolver->directives = directives;
        resolver->has_directives = true;
    }
}

void resolver_own_report(struct resolver *resolver, const struct report *report, int32_t version,
                         int64_t mzxid)
{
    assert(!report || (strcmp(report->probe, resolver->self) == 0 &&
                       strcmp(report->cluster, resolver->cluster) == 0));
    resolver->has_own = report != NULL;
    mark_read(resolver);
    if (report) {
        resolver->own = *report;
        resolver->own_version = version;
        resolver->own_mzxid = mzxid;
    }
}

void resolver_beat(struct resolver *resolver)
{
    resolver->since = SINCE_BEAT;
    if (resolver->directives_node->rc == STORE_DENIED) {
        /* no watch tells when the access list is another one */
        mirror_refresh(resolver->mirror, resolver->directives_node);
    }
}

/* ---- deciding -------------------------------------------------------------------------------- */

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

static void write_verdict(struct resolver *resolver)
{
    struct store_op ops[STORE_OPS_MAX];
    char paths[STORE_OPS_MAX][PATH_SIZE];
    const struct topology *verdict = &resolver->verdict;
    size_t n = 0;
    assert(resolver->request == REQUEST_NONE && resolver->has_own);
    assert(verdict->evidence_count <= WITNESSES_MAX); /* there is room for their checks */
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
    assert(n <= STORE_OPS_MAX);
    resolver->request = REQUEST_TOPOLOGY;
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
    resolver->request = REQUEST_DIRECTIVES;
    store_write(resolver->store, store_tag(resolver, TAG_RESOLVER), &op, 1);
    free(json);
}

/* The same facts in the same words. */
static bool says_the_same(const struct topology *a, const struct topology *b)
{
    return topology_equal(a, b) && why_equal(a->why, b->why);
}

/* Was anything that this verdict rests on written after the topology in the registry? If not, its
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

/* Does one vote that the topology in the registry does not rest on? Routers judge its age by those
 * it names. */
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

/* Does the registry hold this verdict? Another wording of the same facts by the same reports may be
 * that of another program version, with which there is no quarrel. */
static bool is_known(const struct resolver *resolver)
{
    return resolver->held == HELD_TOPOLOGY && resolver->has_topology &&
           topology_equal(&resolver->verdict, &resolver->topology) && !has_new_voter(resolver) &&
           (says_the_same(&resolver->verdict, &resolver->topology) || !has_new_evidence(resolver));
}

/* When this verdict may be written: at once, or after the pace that its cause asks for. */
static int64_t due_at(const struct resolver *resolver, int64_t now_ms)
{
    const struct topology *current = resolver->has_topology ? &resolver->topology : NULL;
    if (resolver->held != HELD_TOPOLOGY) {
        /* put back, but not against somebody who spoils it again and again */
        bool urgent = !current || resolve_is_urgent(current, &resolver->verdict);
        return urgent ? now_ms : resolver->put_back_ms + PACE_MS;
    }
    bool equal = topology_equal(current, &resolver->verdict);
    if (equal && !says_the_same(current, &resolver->verdict) && has_new_evidence(resolver)) {
        return resolver->topology_at_ms + PACE_MS;
    }
    if (!has_new_evidence(resolver) || equal) {
        /* by freshness alone: one per beat, and not within a beat of anybody's */
        return resolver->since == SINCE_BEAT ? resolver->topology_at_ms + BEAT_MS : INT64_MAX;
    }
    return resolve_is_urgent(current, &resolver->verdict) ? now_ms
                                                          : resolver->topology_at_ms + PACE_MS;
}

static bool is_due(const struct resolver *resolver)
{
    return resolver->since != SINCE_NOTHING ||
           resolver->generation != liveness_generation(resolver->liveness);
}

int64_t resolver_step(struct resolver *resolver, int64_t now_ms, int64_t now_wall_ms)
{
    if (resolver->untaken) {
        take_read(resolver);
    }
    if (resolver->untaken || is_refused(resolver) || !is_due(resolver) ||
        resolver->request != REQUEST_NONE || resolver->held == HELD_FOREIGN ||
        !is_settled(resolver)) {
        return INT64_MAX;
    }
    if (now_ms < resolver->not_before_ms) {
        return resolver->not_before_ms;
    }
    if (!resolver->has_own || !resolver->folder_node->exists) {
        return INT64_MAX;
    }
    if (!resolver->directives_node->exists) {
        create_directives(resolver);
        return INT64_MAX;
    }
    if (!resolver->has_directives) {
        return INT64_MAX;
    }
    struct evidence evidence;
    int rules = gather(resolver, &evidence);
    /* no quorum; or a newer program is among us, whose rules we do not know; or it is known */
    bool done =
        !resolve(&evidence, &resolver->verdict) || rules > MODEL_RULES || is_known(resolver);
    if (done) {
        resolver->since = SINCE_NOTHING;
        resolver->generation = liveness_generation(resolver->liveness);
        return INT64_MAX;
    }
    int64_t due_ms = due_at(resolver, now_ms);
    if (due_ms > now_ms) {
        return due_ms;
    }
    strcpy(resolver->verdict.by, resolver->self);
    resolver->verdict.at_wall_ms = now_wall_ms;
    resolver->verdict.seen_wall_ms = first_seen_of(&resolver->verdict, &evidence);
    /* the answer is read; should memory for the request run out, the next step tries again */
    resolver->since = SINCE_READ;
    resolver->generation = liveness_generation(resolver->liveness);
    resolver->put_back_ms = resolver->held != HELD_TOPOLOGY ? now_ms : resolver->put_back_ms;
    write_verdict(resolver);
    return INT64_MAX;
}

static void on_refusal(struct resolver *resolver, enum store_rc rc, int64_t now_ms)
{
    if (rc == STORE_UNKNOWN || rc == STORE_BAD_VERSION || rc == STORE_EXISTS) {
        return; /* ordinary: what is there now is read at once */
    }
    /* denied, or a parent is missing: the reporter creates that again */
    resolver->not_before_ms = now_ms + RETRY_MS;
    if (rc == STORE_DENIED) {
        snprintf(resolver->refused, sizeof resolver->refused,
                 "writing below %s/clusters/%s is denied: check [registry] auth", resolver->root,
                 resolver->cluster);
        resolver->news.refused = resolver->refused;
    }
}

void resolver_answer(struct resolver *resolver, const struct store_event *event, int64_t now_ms)
{
    enum request request = resolver->request;
    assert(event->kind == STORE_ANSWER && request != REQUEST_NONE);
    resolver->request = REQUEST_NONE;
    mark_read(resolver);
    if (event->rc == STORE_OK && request == REQUEST_TOPOLOGY) {
        resolver->news.alarm = resolver->news.alarm || !resolver->has_topology;
        adopt(resolver, &resolver->verdict, now_ms);
    } else if (event->rc != STORE_OK) {
        on_refusal(resolver, event->rc, now_ms);
    }
    /* Whatever came of it, what is there now is read before anything else is decided. */
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
    resolver->news = (struct resolver_news){0};
    return news;
}

bool resolver_hears(const struct resolver *resolver, const char *member)
{
    for (size_t i = 0; i < resolver->witness_count; i++) {
        const struct witness *witness = resolver->witnesses[i];
        const struct member_report *seen =
            witness->usable && liveness_is_fresh(resolver->liveness, witness->name)
                ? report_member(&witness->report, member)
                : NULL;
        if (seen && seen->answer == ANSWER_OK) {
            return true;
        }
    }
    return false;
}

const struct topology *resolver_topology(const struct resolver *resolver)
{
    return resolver->has_topology ? &resolver->topology : NULL;
}

bool resolver_has_read(const struct resolver *resolver)
{
    return mirror_is_up(resolver->mirror) && mirror_settled(resolver->topology_node) &&
           !resolver->untaken;
}

bool resolver_is_idle(const struct resolver *resolver)
{
    return resolver->request == REQUEST_NONE;
}
