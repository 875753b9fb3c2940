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
#include "watchers/watcher_parts.h"

static __attribute__((format(printf, 3, 4))) void log_line(struct watcher *watcher, int level,
                                                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(watcher->sentence, sizeof watcher->sentence, format, args);
    va_end(args);
    watcher->sentence_level = level;
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
    age_refresh_all(watcher);
}

static void read_topology(void *owner, const struct mirror_node *node)
{
    struct watched *watched = owner;
    assert(watched->node == node);
    judge_cluster(watched->watcher, watched);
}

/* ---- the link -------------------------------------------------------------------------------- */

static void unconfirm_all(struct watcher *watcher)
{
    if (watcher->presence == PRESENCE_CURRENT) {
        watcher->presence = PRESENCE_STALE;
    }
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        belief_unconfirm(watched);
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
    }
    set_resync(watcher);
    log_line(watcher, watcher->link == LINK_LOST ? ROSTER_LOG_NOTICE : ROSTER_LOG_INFO,
             "registry: connected, %s session %llx", event->renewed ? "new" : "same",
             (unsigned long long)event->session);
    watcher->link = LINK_UP;
    watcher->trouble[0] = '\0';
    pulse_send(watcher);
}

static void link_lost(struct watcher *watcher, const struct store_event *event)
{
    unconfirm_all(watcher);
    const char *detail = event->detail && event->detail[0] ? event->detail : "the link was lost";
    bool is_news = event->to_mend && !text_equal(watcher->trouble, detail);
    if (watcher->link != LINK_LOST || is_news) { /* once, however long it takes */
        log_line(watcher, ROSTER_LOG_WARNING, "registry: %s; routing goes on by what is known",
                 detail);
    }
    if (event->to_mend) { /* what is merely away has no news of it */
        text_copy(watcher->trouble, sizeof watcher->trouble, detail);
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
    if (now.mono_ms < before_ms) {
        age_clock_went_back(watcher);
    }
    if (before_ms != 0 && gap && watcher->link == LINK_UP) {
        unconfirm_all(watcher);
        pulse_send(watcher);
        mirror_refresh_all(watcher->mirror);
        age_refresh_all(watcher);
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
        judge_ask_all_access(watcher, false);
    } else if (event->kind == STORE_ANSWER && (event->tag & TAG_MASK) == TAG_AUDIT) {
        struct watched *watched = store_tag_pointer(event->tag);
        if (guard_take(&watched->guard, event)) {
            if (watched->belief >= BELIEF_CONFIRMED) {
                belief_settle_refusal(watched); /* the value itself may be judged later */
            }
            judge_cluster(watcher, watched);
        }
    }
    if (event->kind == STORE_ANSWER && (event->tag & TAG_MASK) == TAG_CALLER) {
        pulse_answer(watcher, event);
    } else if (event->kind != STORE_ANSWER && event->kind != STORE_CHANGED) {
        age_refresh_all(watcher);
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
        judge_ask_all_access(watcher, false);
    }
    judge_ask_all_access(watcher, true);
    int64_t refresh_ms = refresh_due(watcher, now.mono_ms);
    int64_t pulse_ms = pulse_step(watcher);
    age_refresh_all(watcher);
    next_ms = pulse_ms < next_ms ? pulse_ms : next_ms;
    return refresh_ms < next_ms ? refresh_ms : next_ms;
}

void watcher_limit_age(struct watcher *watcher, int64_t limit_ms)
{
    watcher->limit_ms = limit_ms;
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
    watcher->limit_ms = INT64_MAX;
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
        age_begin_at_verdict(watched, now);
        belief_enter(watched, BELIEF_CACHED);
    }
    pulse_send(watcher);
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
    judge_ask_access(watched);
    return watched;
}

bool watcher_is_up(const struct watcher *watcher)
{
    return watcher->link == LINK_UP;
}

const char *watcher_trouble(const struct watcher *watcher)
{
    return watcher->trouble;
}
