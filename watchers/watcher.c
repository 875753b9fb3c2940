#include "watchers/watcher.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <roster.h>

#include "registry/base/random.h"
#include "registry/base/text.h"
#include "registry/model/codec.h"
#include "registry/model/paths.h"

enum node_kind { NODE_REGISTRY_ID, NODE_PRESENCE, NODE_TOPOLOGY };

struct watcher {
    struct store *store;
    struct mirror *mirror;
    struct mirror_node *registry_id_node, *presence_node;
    char root[PATH_SIZE];
    struct watched *all;     /* newest first */
    struct watched *news_at; /* where watcher_news goes on; NULL: at the start */
    bool up;
    bool registry_id_current; /* the root znode was read in this session */
    bool presence_current;    /* the children of /probes were read since the last connect */
    bool presence_of_session; /* ... in this session */
    bool registry_id_ok;      /* `registry_id` holds, for this session */
    struct registry_id registry_id;
    char registry_id_fault[SENTENCE_SIZE];
    bool lost; /* the loss of the link was told, its return not yet */
    bool sentence_new;
    int sentence_level;
    char sentence[SENTENCE_SIZE];
    int64_t stepped_ms; /* time of the latest step; 0: none */
    int64_t resync_due_ms;
    uint64_t random;
};

/* ---- small things ------------------------------------------------------------------------------ */

static uint64_t draw(struct watcher *watcher)
{
    return random_next(&watcher->random);
}

static __attribute__((format(printf, 3, 4))) void say(struct watcher *watcher, int level,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(watcher->sentence, sizeof watcher->sentence, format, args);
    va_end(args);
    watcher->sentence_level = level;
    watcher->sentence_new = true;
}

/* czxid and version: of the value when it is refused for what it says, else 0. */
static __attribute__((format(printf, 4, 5))) void refuse(struct watched *watched, int64_t czxid,
                                                         int32_t version, const char *format, ...)
{
    char sentence[SENTENCE_SIZE], tame[REFUSED_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    text_tame(tame, sizeof tame, sentence);
    bool told = text_equal(tame, watched->refused) && czxid == watched->refused_czxid &&
                version == watched->refused_version;
    if (!told) {
        strcpy(watched->refused, tame);
        watched->refused_czxid = czxid;
        watched->refused_version = version;
        watched->sentence_level = ROSTER_LOG_ERROR;
        watched->sentence_new = true;
    }
    watched->confirmed = false;
    watched->status_new = true;
}

static void stop_refusing(struct watched *watched)
{
    if (watched->refused[0]) {
        watched->refused[0] = '\0';
        watched->refused_czxid = 0;
        watched->refused_version = 0;
        watched->sentence_level = ROSTER_LOG_NOTICE;
        watched->sentence_new = true;
        watched->status_new = true;
    }
}

/* ---- age --------------------------------------------------------------------------------------- */

static bool is_present(const struct watcher *watcher, const char *probe)
{
    const struct mirror_node *node = watcher->presence_node;
    size_t low = 0, high = node->exists ? node->name_count : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(probe, node->names[middle]);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

static int count_witnesses(const struct watcher *watcher, const struct watched *watched)
{
    if (!watcher->up || !watcher->presence_current) {
        return -1;
    }
    int present = 0;
    for (int i = 0; watched->has && i < watched->topology.evidence_count; i++) {
        present += is_present(watcher, watched->topology.evidence[i].probe);
    }
    return present;
}

static void refresh_age(const struct watcher *watcher, struct watched *watched, int64_t now_ms)
{
    int witnesses = count_witnesses(watcher, watched);
    bool fresh = watched->has && witnesses > 0 && watched->confirmed && !watched->refused[0];
    if (fresh) {
        watched->stood_ms = now_ms;
        watched->stood_known = true;
    }
    if (fresh || fresh != watched->fresh || witnesses != watched->witnesses_now) {
        watched->status_new = true;
    }
    watched->fresh = fresh;
    watched->witnesses_now = witnesses;
}

static void refresh_ages(struct watcher *watcher, int64_t now_ms)
{
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        refresh_age(watcher, watched, now_ms);
    }
}

/* A verdict proves that the fleet stood behind it when it was reached, by the clock of the probe
 * that wrote it. */
static void stood_at_verdict(struct watched *watched, struct moment moment)
{
    int64_t age_ms = moment.wall_ms - watched->topology.at_wall_ms;
    int64_t stood_ms = moment.now_ms - (age_ms > 0 ? age_ms : 0);
    if (!watched->stood_known || stood_ms > watched->stood_ms) {
        watched->stood_ms = stood_ms;
        watched->stood_known = true;
    }
}

/* ---- judging what was read --------------------------------------------------------------------- */

static bool supersedes(const struct registry_id *registry_id, const char *registry)
{
    for (int i = 0; i < registry_id->supersedes_count; i++) {
        if (text_equal(registry_id->supersedes[i], registry)) {
            return true;
        }
    }
    return false;
}

/* May what this registry holds be compared with what we hold? Then *ret_floor is what it must pass.
 */
static bool judge_registry(const struct watcher *watcher, struct watched *watched,
                           int64_t *ret_floor)
{
    const char *ours = watched->provenance.registry;
    *ret_floor = watched->has ? watched->provenance.mzxid : 0;
    if (!watched->has || !ours[0]) {
        return true;
    }
    if (!watcher->registry_id_ok) {
        refuse(watched, 0, 0,
               "the registry does not say which one it is (%s); what is known is of registry %s",
               watcher->registry_id_fault, ours);
        return false;
    }
    if (text_equal(ours, watcher->registry_id.registry)) {
        return true;
    }
    if (supersedes(&watcher->registry_id, ours)) {
        *ret_floor = 0;
        return true;
    }
    refuse(watched, 0, 0,
           "this is registry %s; what is known is of registry %s, and an operator has not accepted "
           "the new one",
           watcher->registry_id.registry, ours);
    return false;
}

static void accept(const struct watcher *watcher, struct watched *watched,
                   const struct topology *topology, struct moment moment)
{
    watched->topology = *topology;
    watched->has = true;
    watched->provenance.mzxid = watched->node->stat.mzxid;
    if (watcher->registry_id_ok) {
        strcpy(watched->provenance.registry, watcher->registry_id.registry);
    }
    watched->cached = false;
    watched->confirmed = true;
    watched->topology_new = true;
    watched->status_new = true;
    stood_at_verdict(watched, moment);
    stop_refusing(watched);
}

static void judge_value(const struct watcher *watcher, struct watched *watched, int64_t floor,
                        struct moment moment)
{
    const struct mirror_node *node = watched->node;
    if (node->stat.mzxid == floor) {
        if (watcher->registry_id_ok && !watched->provenance.registry[0]) {
            strcpy(watched->provenance.registry, watcher->registry_id.registry);
        }
        watched->confirmed = true;
        watched->status_new |= watched->cached;
        watched->cached = false;
        stop_refusing(watched);
        return;
    }
    if (node->stat.mzxid < floor) {
        /* it follows a sync: no lagging server can be the reason */
        if (node->first_of_session) {
            refuse(watched, 0, 0,
                   "the registry went back in time: it holds zxid %llx, what is known is of %llx",
                   (unsigned long long)node->stat.mzxid, (unsigned long long)floor);
        }
        return;
    }
    struct topology *topology = calloc(1, sizeof *topology);
    struct codec_error error = {.sentence = "memory ran out"};
    if (!topology || !topology_decode(node->data ? node->data : "", node->len, topology, &error)) {
        refuse(watched, node->stat.czxid, node->stat.version, "%s", error.sentence);
    } else if (!text_equal(topology->cluster, watched->cluster)) {
        refuse(watched, node->stat.czxid, node->stat.version,
               "it is the topology of another cluster, \"%s\"", topology->cluster);
    } else {
        accept(watcher, watched, topology, moment);
    }
    free(topology);
}

static void judge(struct watcher *watcher, struct watched *watched, struct moment moment)
{
    const struct mirror_node *node = watched->node;
    int64_t floor;
    if (!watcher->registry_id_current || !watcher->presence_of_session ||
        node->rc == STORE_UNKNOWN) {
        return; /* judged when all is there */
    }
    watched->answered = true;
    watched->status_new = true;
    if (judge_registry(watcher, watched, &floor)) {
        if (node->rc == STORE_OK) {
            judge_value(watcher, watched, floor, moment);
        } else if (node->rc != STORE_NO_NODE) {
            refuse(watched, 0, 0, "reading it was refused: %s", store_rc_names[node->rc]);
        } else if (watched->has) {
            refuse(watched, 0, 0, "the registry holds no topology of this cluster any more");
        } else {
            stop_refusing(watched);
        }
    }
    refresh_age(watcher, watched, moment.now_ms);
}

static void judge_all(struct watcher *watcher, struct moment moment)
{
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        judge(watcher, watched, moment);
    }
}

static void read_registry_id(struct watcher *watcher, struct moment moment)
{
    const struct mirror_node *node = watcher->registry_id_node;
    struct codec_error error = {.sentence = ""};
    struct registry_id registry_id;
    bool first = !watcher->registry_id_current;
    watcher->registry_id_current = true;
    if (node->rc == STORE_OK &&
        registry_id_decode(node->data ? node->data : "", node->len, &registry_id, &error)) {
        watcher->registry_id = registry_id;
        watcher->registry_id_ok = true;
    } else if (first) { /* later in a session we know well which one it is, whatever became of the
                           znode */
        watcher->registry_id_ok = false;
        text_tame(watcher->registry_id_fault, sizeof watcher->registry_id_fault,
                  node->rc == STORE_OK ? error.sentence : store_rc_names[node->rc]);
    }
    judge_all(watcher, moment);
}

static void read_presence(struct watcher *watcher, struct moment moment)
{
    watcher->presence_current =
        watcher->presence_node->rc == STORE_OK || watcher->presence_node->rc == STORE_NO_NODE;
    if (!watcher->presence_of_session) {
        watcher->presence_of_session = true;
        judge_all(watcher, moment);
    }
    refresh_ages(watcher, moment.now_ms);
}

/* ---- the link ---------------------------------------------------------------------------------- */

static void unconfirm_all(struct watcher *watcher)
{
    watcher->presence_current = false;
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        watched->confirmed = false;
        watched->status_new = true;
    }
}

static void set_resync(struct watcher *watcher, int64_t now_ms)
{
    watcher->resync_due_ms =
        now_ms + RESYNC_MS * 2 / 3 + (int64_t)(draw(watcher) % (RESYNC_MS * 2 / 3));
}

static void link_up(struct watcher *watcher, const struct store_event *event, struct moment moment)
{
    watcher->up = true;
    unconfirm_all(watcher);
    if (event->renewed) {
        watcher->registry_id_current = false;
        watcher->presence_of_session = false;
    } else {
        /* The sync of this session may have been lost with the link, and its first reads are still
         * to come. */
        store_sync(watcher->store, store_tag(watcher, TAG_CALLER), "/");
    }
    set_resync(watcher, moment.now_ms);
    say(watcher, watcher->lost ? ROSTER_LOG_NOTICE : ROSTER_LOG_INFO,
        "registry: connected, %s session %llx", event->renewed ? "new" : "same",
        (unsigned long long)event->session);
    watcher->lost = false;
}

static void link_lost(struct watcher *watcher, const struct store_event *event)
{
    bool was_up = watcher->up;
    watcher->up = false;
    unconfirm_all(watcher);
    if (was_up || !watcher->lost) { /* said once per absence, however long */
        const char *detail =
            event->detail && event->detail[0] ? event->detail : "the link was lost";
        say(watcher, ROSTER_LOG_WARNING, "registry: %s; routing goes on by what is known", detail);
        watcher->lost = true;
    }
}

/* A process that was stopped, or a machine that slept, must not take what it held before for fresh.
 */
static void step_began(struct watcher *watcher, struct moment moment)
{
    int64_t gap_ms = moment.now_ms - watcher->stepped_ms;
    bool slept = watcher->stepped_ms != 0 && gap_ms > LEASE_MS;
    watcher->stepped_ms = moment.now_ms;
    if (slept && watcher->up) {
        unconfirm_all(watcher);
        mirror_refresh_all(watcher->mirror);
        refresh_ages(watcher, moment.now_ms);
    }
}

void watcher_event(struct watcher *watcher, const struct store_event *event, struct moment moment)
{
    struct mirror_node *node = NULL;
    step_began(watcher, moment);
    if (event->kind == STORE_UP) {
        link_up(watcher, event, moment);
    } else if (event->kind == STORE_DOWN || event->kind == STORE_GONE) {
        link_lost(watcher, event);
    }
    mirror_event(watcher->mirror, event, &node);
    if (event->kind != STORE_ANSWER && event->kind != STORE_CHANGED) {
        refresh_ages(watcher, moment.now_ms);
    }
    if (!node) {
        return;
    }
    switch ((enum node_kind)node->kind) {
    case NODE_REGISTRY_ID:
        read_registry_id(watcher, moment);
        break;
    case NODE_PRESENCE:
        read_presence(watcher, moment);
        break;
    case NODE_TOPOLOGY:
        judge(watcher, node->owner, moment);
        break;
    }
}

/* ---- time -------------------------------------------------------------------------------------- */

static int64_t refresh_due(struct watcher *watcher, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        if (watched->refresh_due_ms && watched->refresh_due_ms <= now_ms) {
            watched->refresh_due_ms = 0;
            watched->refreshed_ms = now_ms;
            mirror_refresh(watcher->mirror, watched->node);
        } else if (watched->refresh_due_ms && watched->refresh_due_ms < next_ms) {
            next_ms = watched->refresh_due_ms;
        }
    }
    return next_ms;
}

int64_t watcher_tick(struct watcher *watcher, struct moment moment)
{
    int64_t next_ms = moment.now_ms + TICK_MS;
    step_began(watcher, moment);
    if (watcher->up && moment.now_ms >= watcher->resync_due_ms) {
        set_resync(watcher, moment.now_ms);
        mirror_refresh_all(watcher->mirror);
    }
    int64_t refresh_ms = refresh_due(watcher, moment.now_ms);
    refresh_ages(watcher, moment.now_ms);
    return refresh_ms < next_ms ? refresh_ms : next_ms;
}

void watcher_refresh(struct watcher *watcher, struct watched *watched, struct moment moment)
{
    if (watched->refresh_due_ms) {
        return;
    }
    if (watched->refreshed_ms && moment.now_ms - watched->refreshed_ms < REFRESH_GAP_MS) {
        watched->refresh_due_ms = watched->refreshed_ms + REFRESH_GAP_MS;
        return;
    }
    watched->refreshed_ms = moment.now_ms;
    mirror_refresh(watcher->mirror, watched->node);
}

/* ---- news -------------------------------------------------------------------------------------- */

static bool news_of(struct watched *watched, struct news *ret_news)
{
    ret_news->watched = watched;
    if (watched->sentence_new) {
        watched->sentence_new = false;
        ret_news->kind = NEWS_SENTENCE;
        ret_news->level = watched->sentence_level;
        snprintf(ret_news->sentence, sizeof ret_news->sentence, "%s: %s%s", watched->cluster,
                 watched->refused[0] ? "what the registry holds is not followed: "
                                     : "followed again",
                 watched->refused);
    } else if (watched->topology_new) {
        watched->topology_new = false;
        ret_news->kind = NEWS_TOPOLOGY;
    } else if (watched->status_new) {
        watched->status_new = false;
        ret_news->kind = NEWS_STATUS;
    } else {
        return false;
    }
    return true;
}

bool watcher_news(struct watcher *watcher, struct news *ret_news)
{
    *ret_news = (struct news){0};
    if (watcher->sentence_new) {
        watcher->sentence_new = false;
        ret_news->kind = NEWS_SENTENCE;
        ret_news->level = watcher->sentence_level;
        strcpy(ret_news->sentence, watcher->sentence);
        return true;
    }
    for (struct watched *watched = watcher->news_at ? watcher->news_at : watcher->all; watched;
         watched = watched->next) {
        if (news_of(watched, ret_news)) {
            watcher->news_at = watched;
            return true;
        }
    }
    watcher->news_at = NULL;
    return false;
}

/* ---- life -------------------------------------------------------------------------------------- */

struct watcher *watcher_new(struct store *store, const char *root, uint64_t seed)
{
    struct watcher *watcher = calloc(1, sizeof *watcher);
    char path[PATH_SIZE];
    if (!watcher) {
        return NULL;
    }
    watcher->store = store;
    watcher->random = seed;
    watcher->mirror = mirror_new(store);
    if (!text_copy(watcher->root, sizeof watcher->root, root) || !watcher->mirror ||
        !(watcher->registry_id_node =
              mirror_add(watcher->mirror, root, false, NODE_REGISTRY_ID, watcher)) ||
        !(watcher->presence_node = mirror_add(watcher->mirror, path_probes(path, sizeof path, root),
                                              true, NODE_PRESENCE, watcher))) {
        watcher_free(watcher);
        return NULL;
    }
    return watcher;
}

void watcher_free(struct watcher *watcher)
{
    if (!watcher) {
        return;
    }
    while (watcher->all) {
        struct watched *watched = watcher->all;
        watcher->all = watched->next;
        free(watched);
    }
    mirror_free(watcher->mirror);
    free(watcher);
}

struct watched *watcher_follow(struct watcher *watcher, const char *cluster, void *owner,
                               const struct topology *kept, const struct provenance *provenance,
                               struct moment moment)
{
    struct watched *watched = calloc(1, sizeof *watched);
    char path[PATH_SIZE];
    if (!watched) {
        return NULL;
    }
    bool fits = text_copy(watched->cluster, sizeof watched->cluster, cluster);
    assert(fits); /* the shell let only names through */
    watched->owner = owner;
    watched->witnesses_now = -1;
    watched->status_new = true;
    if (kept) {
        watched->has = watched->cached = true;
        watched->topology = *kept;
        watched->provenance = *provenance;
        stood_at_verdict(watched, moment);
    }
    if (watcher->up) { /* its first read must be as good as a session's: see "went back" */
        store_sync(watcher->store, store_tag(watcher, TAG_CALLER), "/");
    }
    path_topology(path, sizeof path, watcher->root, cluster);
    watched->node = mirror_add(watcher->mirror, path, false, NODE_TOPOLOGY, watched);
    if (!watched->node) {
        free(watched);
        return NULL;
    }
    watched->next = watcher->all;
    watcher->all = watched;
    return watched;
}

bool watcher_is_up(const struct watcher *watcher)
{
    return watcher->up;
}
