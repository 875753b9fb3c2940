/* The library thread: a loop around store and watcher.
 *
 * It waits for the store or for a caller, feeds the watcher, and publishes what
 * is new. It runs no foreign code, and nothing of it waits for a name. Its descriptors are its own:
 * see descriptors.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "registry/base/text.h"
#include "watchers/descriptors.h"
#include "watchers/internal.h"
#include "watchers/plan.h"

enum {
    CLOSE_MS = 2000, /* roster_close waits so long for this thread */
    LIMIT_MS = 10000
};

static struct now read_clocks(void)
{
    return (struct now){clock_boot_ms(), clock_wall_ms()};
}

/* ---- publishing ------------------------------------------------------------------------------ */

static void publish(struct roster *roster, struct roster_cluster *cluster)
{
    const struct watched *watched = cluster->watched;
    const struct snapshot *before = cluster->routing.now; /* nobody else replaces it */
    assert(watched_has_topology(watched));
    int64_t wall_ms = clock_wall_ms();
    struct snapshot *snapshot = snapshot_new(&watched->topology, &watched->provenance,
                                             watched->belief == BELIEF_CACHED, wall_ms);
    cluster->unpublished = snapshot == NULL;
    if (!snapshot) {
        return; /* the old one stays in use; the next tick tries again */
    }
    bool another = plan_is_needed(before ? &before->table : NULL, &snapshot->table);
    bool decided = !before || before->table.epoch != snapshot->table.epoch;
    if (!before) { /* else the former one's stands, and is as good for this one */
        routing_confirm(&cluster->routing, watched->confirmed_ms, watched->belief == BELIEF_FRESH);
    }
    routing_publish(&cluster->routing, snapshot);
    notifier_changed(cluster);
    cache_writer_changed(cluster);
    if (another) {
        char timeline[TIMELINE_SIZE];
        plan_timeline(timeline, sizeof timeline, &watched->topology, wall_ms);
        notifier_log(roster, decided ? ROSTER_LOG_NOTICE : ROSTER_LOG_INFO, "%s", timeline);
    }
}

static void update_status(struct roster *roster, struct roster_cluster *cluster)
{
    const struct watched *watched = cluster->watched;
    if (watched_has_topology(watched)) {
        routing_confirm(&cluster->routing, watched->confirmed_ms, watched->belief == BELIEF_FRESH);
    }
    thread_lock(&roster->loop);
    cluster->status.connected = watcher_is_up(roster->watcher);
    cluster->status.answered = watched->answered;
    cluster->status.cached = watched->belief == BELIEF_CACHED;
    cluster->status.witnesses_now = watched->witnesses_now;
    text_copy(cluster->status.refused, sizeof cluster->status.refused,
              watched->refused[0] ? watched->refused : watcher_trouble(roster->watcher));
    thread_wake(&roster->loop);
    thread_unlock(&roster->loop);
}

static void deliver_news(struct roster *roster)
{
    struct news news;
    while (watcher_news(roster->watcher, &news)) {
        struct roster_cluster *cluster = news.watched ? news.watched->owner : NULL;
        switch (news.kind) {
        case NEWS_TOPOLOGY:
            publish(roster, cluster);
            break;
        case NEWS_STATUS:
            update_status(roster, cluster);
            break;
        case NEWS_SENTENCE:
            notifier_log(roster, (enum roster_log_level)news.level, "%s", news.sentence);
            break;
        }
    }
}

/* ---- requests of callers --------------------------------------------------------------------- */

static struct roster_cluster *first_cluster(struct roster *roster)
{
    /* pairs with the store in roster_subscribe */
    return __atomic_load_n(&roster->clusters, __ATOMIC_ACQUIRE);
}

static void follow_new_clusters(struct roster *roster)
{
    for (struct roster_cluster *cluster = first_cluster(roster); cluster && !cluster->watched;
         cluster = cluster->next) {
        const struct provenance *provenance = cluster->cached ? &cluster->cached_provenance : NULL;
        cluster->watched = watcher_follow(roster->watcher, cluster->name, cluster, cluster->cached,
                                          provenance, read_clocks());
        if (cluster->watched) {
            free(cluster->cached);
            cluster->cached = NULL;
        }
    }
}

static void start_refreshes(struct roster *roster)
{
    if (!atomic_exchange(&roster->refresh, false)) {
        return;
    }
    for (struct roster_cluster *cluster = first_cluster(roster); cluster; cluster = cluster->next) {
        if (cluster->watched && atomic_exchange(&cluster->refresh, false)) {
            watcher_refresh(roster->watcher, cluster->watched, read_clocks());
        }
    }
}

/* What callers take decides how often the registry is asked. Who asked once is remembered for a
 * while: LIMIT_MS to twice that. */
static void limit_age(struct roster *roster)
{
    int64_t now_ms = clock_boot_ms(), limit_ms = roster->limit_ms ? roster->limit_ms : INT64_MAX;
    bool begins_anew = now_ms >= roster->limit_due_ms;
    int64_t seen_ms = INT64_MAX;
    for (struct roster_cluster *cluster = first_cluster(roster); cluster; cluster = cluster->next) {
        int64_t of_this_ms =
            begins_anew ? routing_take_limit(&cluster->routing) : routing_limit(&cluster->routing);
        seen_ms = of_this_ms < seen_ms ? of_this_ms : seen_ms;
    }
    limit_ms = seen_ms < limit_ms ? seen_ms : limit_ms;
    watcher_limit_age(roster->watcher, limit_ms);
    atomic_store(&roster->limit_now_ms, limit_ms);
    atomic_store(&roster->hurry, false);
    if (begins_anew) {
        roster->limit_ms = seen_ms;
        roster->limit_due_ms = now_ms + LIMIT_MS;
    }
}

static void maintain_clusters(struct roster *roster)
{
    int64_t now_ms = clock_boot_ms();
    for (struct roster_cluster *cluster = first_cluster(roster); cluster; cluster = cluster->next) {
        if (cluster->unpublished) {
            publish(roster, cluster);
        }
        routing_discard_ended(&cluster->routing, now_ms);
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

static bool is_stopped(struct roster *roster)
{
    thread_lock(&roster->loop);
    bool stop = roster->loop.stop;
    thread_unlock(&roster->loop);
    return stop;
}

static void drain_store(struct roster *roster)
{
    struct store_event event;
    while (store_next(roster->store, clock_mono_ms(), &event)) {
        bool gone = event.kind == STORE_GONE;
        watcher_event(roster->watcher, &event, read_clocks());
        deliver_news(roster);
        if (gone) {
            if (is_stopped(roster)) {
                return;
            }
            store_renew(roster->store);
        }
    }
}

static void wait_until(struct roster *roster, int64_t due_ms)
{
    int64_t wait_ms = due_ms - clock_boot_ms(), idle_ms = store_idle_ms(roster->store);
    bell_wait(&roster->bell, idle_ms >= 0 && idle_ms < wait_ms ? idle_ms : wait_ms);
}

static void *run(void *arg)
{
    struct roster *roster = arg;
    if (!descriptors_leave_host()) {
        notifier_log(roster, ROSTER_LOG_INFO,
                     "the registry's connection is among the process's own descriptors");
    }
    if (!is_stopped(roster)) {
        store_renew(roster->store);
    }
    while (!is_stopped(roster)) {
        follow_new_clusters(roster);
        start_refreshes(roster);
        drain_store(roster);
        limit_age(roster);
        int64_t due_ms = watcher_tick(roster->watcher, read_clocks());
        deliver_news(roster);
        maintain_clusters(roster);
        wait_until(roster, due_ms);
    }
    store_close(roster->store); /* first: it must not answer a mirror that was freed */
    watcher_free(roster->watcher);
    roster->store = NULL;
    roster->watcher = NULL;
    thread_lock(&roster->loop);
    bool ours_to_free = roster->loop_state == LOOP_ABANDONED;
    roster->loop_state = LOOP_ENDED;
    thread_wake(&roster->loop);
    thread_unlock(&roster->loop);
    if (ours_to_free) {
        roster_free(roster);
    }
    return NULL;
}

/* ---- for other threads ----------------------------------------------------------------------- */

void loop_wake(struct roster *roster)
{
    bell_ring(&roster->bell);
}

bool loop_start(struct roster *roster)
{
    return thread_start(&roster->loop, "roster", run, roster);
}

void loop_stop(struct roster *roster)
{
    int64_t until_ms = clock_mono_ms() + CLOSE_MS;
    thread_lock(&roster->loop);
    roster->loop.stop = true;
    loop_wake(roster);
    while (roster->loop_state == LOOP_RUNNING && thread_wait_until(&roster->loop, until_ms)) {
    }
    thread_unlock(&roster->loop);
}

bool loop_leave(struct roster *roster)
{
    thread_lock(&roster->loop);
    bool ended = roster->loop_state == LOOP_ENDED;
    pthread_t id = roster->loop.id;
    if (!ended) {
        roster->loop_state = LOOP_ABANDONED;
        pthread_detach(id); /* from the unlock on the handle belongs to that thread */
    }
    thread_unlock(&roster->loop);
    if (ended) {
        pthread_join(id, NULL);
    }
    return ended;
}
