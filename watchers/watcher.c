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

enum link {
    LINK_NEW, /* not up yet, which was not logged */
    LINK_UP,
    LINK_LOST /* logged */
};

/* Who is present: the children of /probes. */
enum presence_state {
    PRESENCE_UNREAD, /* in this session */
    PRESENCE_STALE,  /* read in this session, but not since the last connect, or it failed */
    PRESENCE_CURRENT
};

/* Which registry this is: the root znode. */
enum registry_id_state {
    REGISTRY_ID_UNREAD, /* in this session */
    REGISTRY_ID_KNOWN,  /* for this session, whatever becomes of the znode */
    REGISTRY_ID_FAULTY  /* it does not identify itself; registry_id_fault has the reason */
};

/* A proof that the registry went back in time. */
struct past {
    char registry[IDENTITY_SIZE]; /* of this identity; "": there is none */
    int64_t found, known;         /* mzxids of one topology */
};

struct watcher {
    struct store *store;
    struct mirror *mirror;
    struct mirror_node *presence_node;
    char root[PATH_SIZE];
    struct watched *all;     /* newest first */
    struct watched *news_at; /* where watcher_news continues; NULL: at the start */
    bool guarded;            /* topologies that anybody may write are not followed */
    enum link link;
    enum presence_state presence;
    enum registry_id_state registry_id_state;
    struct registry_id registry_id;
    char registry_id_fault[SENTENCE_SIZE];
    struct past past;
    char sentence[SENTENCE_SIZE]; /* about the registry, not returned yet; "" */
    int sentence_level;
    struct now now; /* of the present step */
    int64_t resync_due_ms;
    uint64_t random;
};

/* ---- small things ---------------------------------------------------------------------------- */

static __attribute__((format(printf, 3, 4))) void log_line(struct watcher *watcher, int level,
                                                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(watcher->sentence, sizeof watcher->sentence, format, args);
    va_end(args);
    watcher->sentence_level = level;
}

/* The one place where the belief moves. A topology is never given up for none, and what the
 * registry confirmed never becomes a cache file's again. */
static void enter(struct watched *watched, enum belief belief)
{
    assert(belief != BELIEF_NONE);
    assert(belief != BELIEF_CACHED || watched->belief == BELIEF_NONE);
    assert(belief != BELIEF_HELD || watched->belief >= BELIEF_HELD);
    assert(belief < BELIEF_CONFIRMED || !watched->refused[0] || guard_is_open(&watched->guard));
    if (watched->belief != belief) {
        watched->belief = belief;
        watched->news |= 1u << NEWS_STATUS;
    }
}

static void unconfirm(struct watched *watched)
{
    if (watched->belief >= BELIEF_CONFIRMED) {
        enter(watched, BELIEF_HELD);
    }
    watched->news |= 1u << NEWS_STATUS;
}

static void add_sentence(struct watched *watched, int level)
{
    watched->sentence_level = level;
    watched->news |= 1u << NEWS_SENTENCE;
}

/* czxid and version: of the value, when it is refused for its contents; else 0. */
static void set_refused(struct watched *watched, int64_t czxid, int32_t version,
                        const char *sentence)
{
    char tame[REFUSED_SIZE];
    text_tame(tame, sizeof tame, sentence);
    assert(tame[0]); /* "" means that nothing is refused */
    bool logged = text_equal(tame, watched->refused) && czxid == watched->refused_czxid &&
                  version == watched->refused_version;
    if (!logged) {
        strcpy(watched->refused, tame);
        watched->refused_czxid = czxid;
        watched->refused_version = version;
        watched->news |= 1u << NEWS_STATUS;
        add_sentence(watched, ROSTER_LOG_ERROR);
    }
}

static __attribute__((format(printf, 4, 5))) void refuse(struct watched *watched, int64_t czxid,
                                                         int32_t version, const char *format, ...)
{
    char sentence[SENTENCE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    set_refused(watched, czxid, version, sentence);
    unconfirm(watched);
}

static void stop_refusing(struct watched *watched)
{
    if (watched->refused[0]) {
        watched->refused[0] = '\0';
        watched->refused_czxid = 0;
        watched->refused_version = 0;
        watched->news |= 1u << NEWS_STATUS;
        add_sentence(watched, ROSTER_LOG_NOTICE);
    }
}

/* ---- who may write --------------------------------------------------------------------------- */

/* Behind the reads that are under way: the answers come with theirs. */
static void ask_access(struct watched *watched)
{
    struct watcher *watcher = watched->watcher;
    if (watcher->link == LINK_UP) {
        guard_ask(&watched->guard, store_tag(watched, TAG_AUDIT), watcher->now.mono_ms);
    }
}

/* Of all, or of those that are open: no watch tells that a list was mended. */
static void ask_all_access(struct watcher *watcher, bool open_ones)
{
    int64_t before_ms = watcher->now.mono_ms - OPEN_GAP_MS;
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        bool due = watched->guard.asked_ms <= before_ms;
        if (!open_ones || (due && guard_is_open(&watched->guard))) {
            ask_access(watched);
        }
    }
}

/* If not it is asked for, and the answer leads here again. */
static bool knows_access(struct watched *watched)
{
    bool known = guard_knows(&watched->guard, &watched->node->stat);
    if (!known) {
        ask_access(watched);
    }
    return known;
}

/* What is held is the one to follow: it is refused for its lists or for nothing. */
static void settle_refusal(struct watched *watched)
{
    if (guard_is_open(&watched->guard)) { /* told before there is a change that is not followed */
        char sentence[SENTENCE_SIZE];
        set_refused(watched, 0, 0, guard_phrase(&watched->guard, sentence, sizeof sentence));
    } else {
        stop_refusing(watched);
    }
}

/* ---- age ------------------------------------------------------------------------------------- */

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
    if (watcher->link != LINK_UP || watcher->presence != PRESENCE_CURRENT) {
        return -1;
    }
    int present = 0;
    for (int i = 0; i < watched->topology.evidence_count; i++) {
        present += is_present(watcher, watched->topology.evidence[i].probe);
    }
    return present;
}

static void refresh_age(const struct watcher *watcher, struct watched *watched)
{
    int witnesses = count_witnesses(watcher, watched);
    if (watched->belief >= BELIEF_CONFIRMED) {
        enter(watched, witnesses > 0 ? BELIEF_FRESH : BELIEF_CONFIRMED);
    }
    if (watched->belief == BELIEF_FRESH) {
        watched->confirmed_ms = watcher->now.mono_ms;
        watched->news |= 1u << NEWS_STATUS;
    }
    if (witnesses != watched->witnesses_now) {
        watched->witnesses_now = witnesses;
        watched->news |= 1u << NEWS_STATUS;
    }
}

static void refresh_ages(struct watcher *watcher)
{
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        refresh_age(watcher, watched);
    }
}

/* A verdict proves that the fleet confirmed it when it was reached, by the clock of the probe that
 * wrote it. */
static void confirm_at_verdict(struct watched *watched, struct now now)
{
    int64_t age_ms = now.wall_ms - watched->topology.at_wall_ms;
    int64_t confirmed_ms = now.mono_ms - (age_ms > 0 ? age_ms : 0);
    if (!watched_has_topology(watched) || confirmed_ms > watched->confirmed_ms) {
        watched->confirmed_ms = confirmed_ms;
    }
}

/* ---- judging what was read ------------------------------------------------------------------- */

static bool supersedes(const struct registry_id *registry_id, const char *registry)
{
    for (int i = 0; i < registry_id->supersedes_count; i++) {
        if (text_equal(registry_id->supersedes[i], registry)) {
            return true;
        }
    }
    return false;
}

/* Whatever is read later: a new leader's numbers are greater than all before. */
static bool went_back(const struct watcher *watcher)
{
    return watcher->past.registry[0] && watcher->registry_id_state == REGISTRY_ID_KNOWN &&
           text_equal(watcher->past.registry, watcher->registry_id.registry);
}

static void refuse_past(const struct watcher *watcher, struct watched *watched)
{
    const struct past *past = &watcher->past;
    refuse(
        watched, 0, 0,
        "the registry went back in time: it holds zxid %llx, what is known is of %llx; to follow "
        "it all the same: roster accept --registry %s",
        (unsigned long long)past->found, (unsigned long long)past->known, past->registry);
}

/* May what this registry holds be compared with what we hold? Then *ret_floor is what its mzxid
 * must pass. */
static bool judge_registry(const struct watcher *watcher, struct watched *watched,
                           int64_t *ret_floor)
{
    const char *ours = watched->provenance.registry;
    *ret_floor = watched_has_topology(watched) ? watched->provenance.mzxid : 0;
    if (!watched_has_topology(watched) || !ours[0]) {
        return true;
    }
    if (watcher->registry_id_state != REGISTRY_ID_KNOWN) {
        refuse(watched, 0, 0,
               "the registry does not say which one it is (%s); what is known is of registry %s",
               watcher->registry_id_fault, ours);
        return false;
    }
    if (text_equal(ours, watcher->registry_id.registry) && went_back(watcher)) {
        refuse_past(watcher, watched);
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

static void adopt_registry(const struct watcher *watcher, struct watched *watched)
{
    if (watcher->registry_id_state == REGISTRY_ID_KNOWN) {
        strcpy(watched->provenance.registry, watcher->registry_id.registry);
    }
}

static void accept(const struct watcher *watcher, struct watched *watched,
                   const struct topology *topology)
{
    watched->topology = *topology;
    watched->provenance.mzxid = watched->node->stat.mzxid;
    adopt_registry(watcher, watched);
    watched->news |= 1u << NEWS_TOPOLOGY | 1u << NEWS_STATUS;
    confirm_at_verdict(watched, watcher->now);
    settle_refusal(watched);
    enter(watched, BELIEF_CONFIRMED);
}

/* The registry holds just what we hold. */
static void confirm(const struct watcher *watcher, struct watched *watched)
{
    if (!watched->provenance.registry[0]) {
        adopt_registry(watcher, watched);
    }
    settle_refusal(watched);
    enter(watched, BELIEF_CONFIRMED);
}

static void judge_newer_value(const struct watcher *watcher, struct watched *watched)
{
    const struct mirror_node *node = watched->node;
    struct topology *topology = calloc(1, sizeof *topology);
    struct codec_error error = {.sentence = "memory ran out"};
    if (!topology || !topology_decode(node->data ? node->data : "", node->len, topology, &error)) {
        refuse(watched, node->stat.czxid, node->stat.version, "%s", error.sentence);
    } else if (!text_equal(topology->cluster, watched->cluster)) {
        refuse(watched, node->stat.czxid, node->stat.version,
               "it is the topology of another cluster, \"%s\"", topology->cluster);
    } else {
        accept(watcher, watched, topology);
    }
    free(topology);
}

static void judge_all(struct watcher *watcher);

/* One that does not say which it is proves it for this value only. */
static void prove_past(struct watcher *watcher, struct watched *watched, int64_t floor)
{
    struct past *past = &watcher->past;
    *past = (struct past){.found = watched->node->stat.mzxid, .known = floor};
    strcpy(past->registry, watched->provenance.registry);
    refuse_past(watcher, watched);
    if (went_back(watcher)) {
        judge_all(watcher);
    }
}

static void judge_value(struct watcher *watcher, struct watched *watched, int64_t floor)
{
    const struct mirror_node *node = watched->node;
    if (node->stat.mzxid > floor && guard_is_open(&watched->guard) &&
        watched_has_topology(watched)) {
        settle_refusal(watched);
        unconfirm(watched);
    } else if (node->stat.mzxid > floor) {
        judge_newer_value(watcher, watched);
    } else if (node->stat.mzxid == floor) {
        confirm(watcher, watched);
    } else if (node->first_of_session) { /* it follows a sync: no lagging server is the reason */
        prove_past(watcher, watched, floor);
    }
}

/* Not before all that the judgement needs was read in this session; then it is called again. */
static void judge(struct watcher *watcher, struct watched *watched)
{
    const struct mirror_node *node = watched->node;
    int64_t floor;
    if (watcher->registry_id_state == REGISTRY_ID_UNREAD || watcher->presence == PRESENCE_UNREAD ||
        node->rc == STORE_UNKNOWN || (node->rc == STORE_OK && !knows_access(watched))) {
        return;
    }
    watched->answered = true;
    watched->news |= 1u << NEWS_STATUS;
    if (judge_registry(watcher, watched, &floor)) {
        if (node->rc == STORE_OK) {
            judge_value(watcher, watched, floor);
        } else if (node->rc != STORE_NO_NODE) {
            refuse(watched, 0, 0, "reading it was refused: %s", store_rc_names[node->rc]);
        } else if (watched_has_topology(watched)) {
            refuse(watched, 0, 0, "the registry holds no topology of this cluster any more");
        } else {
            stop_refusing(watched);
        }
    }
    refresh_age(watcher, watched);
}

static void judge_all(struct watcher *watcher)
{
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        judge(watcher, watched);
    }
}

/* ---- readers of the mirror's nodes ----------------------------------------------------------- */

static void read_registry_id(void *owner, const struct mirror_node *node)
{
    struct watcher *watcher = owner;
    struct codec_error error = {.sentence = ""};
    struct registry_id registry_id;
    if (node->rc == STORE_OK &&
        registry_id_decode(node->data ? node->data : "", node->len, &registry_id, &error)) {
        watcher->registry_id = registry_id;
        watcher->registry_id_state = REGISTRY_ID_KNOWN;
    } else if (watcher->registry_id_state == REGISTRY_ID_UNREAD) {
        watcher->registry_id_state = REGISTRY_ID_FAULTY;
        text_tame(watcher->registry_id_fault, sizeof watcher->registry_id_fault,
                  node->rc == STORE_OK ? error.sentence : store_rc_names[node->rc]);
    }
    judge_all(watcher);
}

static void read_presence(void *owner, const struct mirror_node *node)
{
    struct watcher *watcher = owner;
    bool first = watcher->presence == PRESENCE_UNREAD;
    bool answered = node->rc == STORE_OK || node->rc == STORE_NO_NODE;
    watcher->presence = answered ? PRESENCE_CURRENT : PRESENCE_STALE;
    if (first) {
        judge_all(watcher);
    }
    refresh_ages(watcher);
}

static void read_topology(void *owner, const struct mirror_node *node)
{
    struct watched *watched = owner;
    assert(watched->node == node);
    judge(watched->watcher, watched);
}

/* ---- the link -------------------------------------------------------------------------------- */

static void unconfirm_all(struct watcher *watcher)
{
    if (watcher->presence == PRESENCE_CURRENT) {
        watcher->presence = PRESENCE_STALE;
    }
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        unconfirm(watched);
    }
}

static void set_resync(struct watcher *watcher)
{
    watcher->resync_due_ms = watcher->now.mono_ms + RESYNC_MS * 2 / 3 +
                             (int64_t)(random_next(&watcher->random) % (RESYNC_MS * 2 / 3));
}

static void link_up(struct watcher *watcher, const struct store_event *event)
{
    unconfirm_all(watcher);
    if (event->renewed) {
        watcher->registry_id_state = REGISTRY_ID_UNREAD;
        watcher->presence = PRESENCE_UNREAD;
        for (struct watched *watched = watcher->all; watched; watched = watched->next) {
            guard_forget(&watched->guard);
        }
    } else {
        /* The sync of this session may have been lost with the link, and its first reads are still
         * to come. */
        store_sync(watcher->store, store_tag(watcher, TAG_CALLER), "/");
    }
    set_resync(watcher);
    log_line(watcher, watcher->link == LINK_LOST ? ROSTER_LOG_NOTICE : ROSTER_LOG_INFO,
             "registry: connected, %s session %llx", event->renewed ? "new" : "same",
             (unsigned long long)event->session);
    watcher->link = LINK_UP;
}

static void link_lost(struct watcher *watcher, const struct store_event *event)
{
    unconfirm_all(watcher);
    if (watcher->link != LINK_LOST) { /* logged once, however long it takes */
        const char *detail =
            event->detail && event->detail[0] ? event->detail : "the link was lost";
        log_line(watcher, ROSTER_LOG_WARNING, "registry: %s; routing goes on by what is known",
                 detail);
    }
    watcher->link = LINK_LOST;
}

/* A process that was stopped, or a machine that slept, must not take what it held before for fresh.
 * Nor one whose clock goes back: a container that was frozen and thawed on another host. */
static void begin_step(struct watcher *watcher, struct now now)
{
    int64_t before_ms = watcher->now.mono_ms; /* 0: this is the first step */
    bool gap = now.mono_ms < before_ms || now.mono_ms - before_ms > LEASE_MS;
    watcher->now = now;
    if (before_ms != 0 && gap && watcher->link == LINK_UP) {
        unconfirm_all(watcher);
        mirror_refresh_all(watcher->mirror);
        refresh_ages(watcher);
    }
}

void watcher_event(struct watcher *watcher, const struct store_event *event, struct now now)
{
    begin_step(watcher, now);
    if (event->kind == STORE_UP) {
        link_up(watcher, event);
    } else if (event->kind == STORE_DOWN || event->kind == STORE_GONE) {
        link_lost(watcher, event);
    }
    mirror_event(watcher->mirror, event, now.mono_ms);
    if (event->kind == STORE_UP) {
        ask_all_access(watcher, false);
    } else if (event->kind == STORE_ANSWER && (event->tag & TAG_MASK) == TAG_AUDIT) {
        struct watched *watched = store_tag_pointer(event->tag);
        if (guard_take(&watched->guard, event)) {
            if (watched->belief >= BELIEF_CONFIRMED) {
                settle_refusal(watched); /* the value itself may be judged later */
            }
            judge(watcher, watched);
        }
    }
    if (event->kind != STORE_ANSWER && event->kind != STORE_CHANGED) {
        refresh_ages(watcher);
    }
}

/* ---- time ------------------------------------------------------------------------------------ */

static void refresh(struct watcher *watcher, struct watched *watched, int64_t now_ms)
{
    watched->refresh_due_ms = 0;
    watched->refreshed_ms = now_ms;
    mirror_refresh(watcher->mirror, watched->node);
}

/* Reads what is due; returns when the next one is. */
static int64_t refresh_due(struct watcher *watcher, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        if (watched->refresh_due_ms && watched->refresh_due_ms <= now_ms) {
            refresh(watcher, watched, now_ms);
        } else if (watched->refresh_due_ms && watched->refresh_due_ms < next_ms) {
            next_ms = watched->refresh_due_ms;
        }
    }
    return next_ms;
}

int64_t watcher_tick(struct watcher *watcher, struct now now)
{
    int64_t next_ms = now.mono_ms + TICK_MS;
    begin_step(watcher, now);
    if (watcher->link == LINK_UP && now.mono_ms >= watcher->resync_due_ms) {
        set_resync(watcher);
        mirror_refresh_all(watcher->mirror);
        ask_all_access(watcher, false);
    }
    ask_all_access(watcher, true);
    int64_t refresh_ms = refresh_due(watcher, now.mono_ms);
    refresh_ages(watcher);
    return refresh_ms < next_ms ? refresh_ms : next_ms;
}

void watcher_refresh(struct watcher *watcher, struct watched *watched, struct now now)
{
    assert(watched->watcher == watcher);
    if (watched->refresh_due_ms) {
        return;
    }
    if (watched->refreshed_ms && now.mono_ms - watched->refreshed_ms < REFRESH_GAP_MS) {
        watched->refresh_due_ms = watched->refreshed_ms + REFRESH_GAP_MS;
        return;
    }
    refresh(watcher, watched, now.mono_ms);
}

/* ---- news ------------------------------------------------------------------------------------ */

static bool news_of(struct watched *watched, struct news *ret_news)
{
    if (!watched->news) {
        return false;
    }
    ret_news->watched = watched;
    ret_news->kind = (enum news_kind)__builtin_ctz(watched->news);
    watched->news &= watched->news - 1;
    if (ret_news->kind == NEWS_SENTENCE) {
        ret_news->level = watched->sentence_level;
        snprintf(ret_news->sentence, sizeof ret_news->sentence, "%s: %s%s", watched->cluster,
                 watched->refused[0] ? "what the registry holds is not followed: "
                                     : "followed again",
                 watched->refused);
    }
    assert(ret_news->kind <= NEWS_STATUS);
    assert(ret_news->kind != NEWS_TOPOLOGY || watched_has_topology(watched));
    return true;
}

bool watcher_news(struct watcher *watcher, struct news *ret_news)
{
    *ret_news = (struct news){0};
    if (watcher->sentence[0]) {
        ret_news->kind = NEWS_SENTENCE;
        ret_news->level = watcher->sentence_level;
        strcpy(ret_news->sentence, watcher->sentence);
        watcher->sentence[0] = '\0';
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

/* ---- life ------------------------------------------------------------------------------------ */

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
        !mirror_add(watcher->mirror, root, false, read_registry_id, watcher) ||
        !(watcher->presence_node = mirror_add(watcher->mirror, path_probes(path, sizeof path, root),
                                              true, read_presence, watcher))) {
        watcher_free(watcher);
        return NULL;
    }
    return watcher;
}

void watcher_guard(struct watcher *watcher)
{
    assert(!watcher->all);
    watcher->guarded = true;
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
                               const struct topology *cached, const struct provenance *provenance,
                               struct now now)
{
    struct watched *watched = calloc(1, sizeof *watched);
    char path[PATH_SIZE];
    if (!watched) {
        return NULL;
    }
    assert((cached == NULL) == (provenance == NULL));
    bool fits = text_copy(watched->cluster, sizeof watched->cluster, cluster);
    assert(fits); /* the shell has checked that it is a name */
    watched->watcher = watcher;
    watched->owner = owner;
    watched->witnesses_now = -1;
    watched->news = 1u << NEWS_STATUS;
    if (cached) {
        assert(text_equal(cached->cluster, cluster));
        watched->topology = *cached;
        watched->provenance = *provenance;
        confirm_at_verdict(watched, now);
        enter(watched, BELIEF_CACHED);
    }
    if (watcher->link ==
        LINK_UP) { /* its first read must be as good as a session's: see "went back" */
        store_sync(watcher->store, store_tag(watcher, TAG_CALLER), "/");
    }
    path_topology(path, sizeof path, watcher->root, cluster);
    watched->node = mirror_add(watcher->mirror, path, false, read_topology, watched);
    if (!watched->node) {
        free(watched);
        return NULL;
    }
    if (watcher->guarded) {
        char folder[PATH_SIZE];
        path_cluster(folder, sizeof folder, watcher->root, cluster);
        guard_init(&watched->guard, watcher->store, path, folder);
    }
    watched->next = watcher->all;
    watcher->all = watched;
    ask_access(watched);
    return watched;
}

bool watcher_is_up(const struct watcher *watcher)
{
    return watcher->link == LINK_UP;
}
