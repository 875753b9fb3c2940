/* The library thread: the loop round store and watcher.
 *
 * Waits for the store or for a caller, feeds the watcher, publishes what is
 * new. It runs no foreign code. It may be stuck for long in one place only,
 * store_renew, when the resolver of this machine hangs. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "registry/base/clock.h"
#include "watchers/internal.h"
#include "watchers/plan.h"

enum { CLOSE_MS = 2000 /* roster_close waits so long for this thread */ };

static struct moment now(void)
{
    return (struct moment){clock_boot_ms(), clock_wall_ms()};
}

/* ---- publishing -------------------------------------------------------------------------------- */

static void publish(struct roster *roster, struct roster_cluster *cluster)
{
    const struct watched *watched = cluster->watched;
    const struct snapshot *before = cluster->routing.now; /* nobody else replaces it */
    int64_t wall_ms = clock_wall_ms();
    struct snapshot *snapshot =
        snapshot_new(&watched->topology, &watched->provenance, watched->cached, wall_ms);
    cluster->unpublished = snapshot == NULL;
    if (!snapshot) {
        return; /* the old one goes on; tried again with the next tick */
    }
    bool another = plan_is_needed(before ? &before->table : NULL, &snapshot->table);
    bool decided = !before || before->table.epoch != snapshot->table.epoch;
    routing_publish(&cluster->routing, snapshot);
    teller_changed(cluster);
    keeper_changed(cluster);
    if (another) {
        char timeline[TIMELINE_SIZE];
        plan_timeline(timeline, sizeof timeline, &watched->topology, wall_ms);
        teller_say(roster, decided ? ROSTER_LOG_NOTICE : ROSTER_LOG_INFO, "%s", timeline);
    }
}

static void tell_status(struct roster *roster, struct roster_cluster *cluster)
{
    const struct watched *watched = cluster->watched;
    if (watched->has) {
        routing_stand(&cluster->routing, watched->stood_ms, watched->fresh);
    }
    worker_lock(&roster->session);
    cluster->status.connected = watcher_is_up(roster->watcher);
    cluster->status.answered = watched->answered;
    cluster->status.cached = watched->cached;
    cluster->status.witnesses_now = watched->witnesses_now;
    strcpy(cluster->status.refused, watched->refused);
    worker_wake(&roster->session);
    worker_unlock(&roster->session);
}

static void pass_on_news(struct roster *roster)
{
    struct news news;
    while (watcher_news(roster->watcher, &news)) {
        struct roster_cluster *cluster = news.watched ? news.watched->owner : NULL;
        switch (news.kind) {
        case NEWS_TOPOLOGY:
            publish(roster, cluster);
            break;
        case NEWS_STATUS:
            tell_status(roster, cluster);
            break;
        case NEWS_SENTENCE:
            teller_say(roster, (enum roster_log_level)news.level, "%s", news.sentence);
            break;
        }
    }
}

/* ---- what callers want ------------------------------------------------------------------------- */

static struct roster_cluster *first_cluster(struct roster *roster)
{
    /* pairs with the store in roster_subscribe */
    return __atomic_load_n(&roster->clusters, __ATOMIC_ACQUIRE);
}

static void take_newcomers(struct roster *roster)
{
    for (struct roster_cluster *cluster = first_cluster(roster); cluster && !cluster->watched;
         cluster = cluster->next) {
        cluster->watched = watcher_follow(roster->watcher, cluster->name, cluster, cluster->kept,
                                          &cluster->kept_provenance, now());
        if (cluster->watched) {
            free(cluster->kept);
            cluster->kept = NULL;
        }
    }
}

static void take_rereads(struct roster *roster)
{
    if (!atomic_exchange(&roster->reread, false)) {
        return;
    }
    for (struct roster_cluster *cluster = first_cluster(roster); cluster; cluster = cluster->next) {
        if (cluster->watched && atomic_exchange(&cluster->reread, false)) {
            watcher_refresh(roster->watcher, cluster->watched, now());
        }
    }
}

static void tend_clusters(struct roster *roster)
{
    int64_t now_ms = clock_boot_ms();
    for (struct roster_cluster *cluster = first_cluster(roster); cluster; cluster = cluster->next) {
        if (cluster->unpublished) {
            publish(roster, cluster);
        }
        routing_tidy(&cluster->routing, now_ms);
    }
}

/* ---- the loop ---------------------------------------------------------------------------------- */

static bool is_stopped(struct roster *roster)
{
    worker_lock(&roster->session);
    bool stop = roster->session.stop;
    worker_unlock(&roster->session);
    return stop;
}

static void drain_store(struct roster *roster)
{
    struct store_event event;
    while (store_next(roster->store, clock_mono_ms(), &event)) {
        bool gone = event.kind == STORE_GONE;
        watcher_event(roster->watcher, &event, now());
        pass_on_news(roster);
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
    struct pollfd fds[2] = {{.fd = roster->wake_fd, .events = POLLIN},
                            {.fd = store_fd(roster->store), .events = POLLIN}};
    int64_t wait_ms = due_ms - clock_boot_ms();
    uint64_t woken;
    poll(fds, 2, wait_ms < 0 ? 0 : (int)wait_ms);
    if (read(roster->wake_fd, &woken, sizeof woken) < 0) {
        assert(errno == EAGAIN || errno == EINTR);
    }
}

static void *run(void *arg)
{
    struct roster *roster = arg;
    if (!is_stopped(roster)) {
        store_renew(roster->store);
    }
    while (!is_stopped(roster)) {
        take_newcomers(roster);
        take_rereads(roster);
        drain_store(roster);
        int64_t due_ms = watcher_tick(roster->watcher, now());
        pass_on_news(roster);
        tend_clusters(roster);
        wait_until(roster, due_ms);
    }
    store_close(roster->store); /* first: it must not answer a mirror that is gone */
    watcher_free(roster->watcher);
    roster->store = NULL;
    roster->watcher = NULL;
    worker_lock(&roster->session);
    roster->finished = true;
    bool ours_to_free = roster->abandoned;
    worker_wake(&roster->session);
    worker_unlock(&roster->session);
    if (ours_to_free) {
        handle_free(roster);
    }
    return NULL;
}

/* ---- for the others ---------------------------------------------------------------------------- */

void session_wake(struct roster *roster)
{
    uint64_t one = 1;
    if (write(roster->wake_fd, &one, sizeof one) < 0) {
        assert(errno == EAGAIN || errno == EINTR); /* full: it is awake */
    }
}

bool session_start(struct roster *roster)
{
    return worker_start(&roster->session, "roster", run, roster);
}

void session_stop(struct roster *roster)
{
    int64_t until_ms = clock_mono_ms() + CLOSE_MS;
    worker_lock(&roster->session);
    roster->session.stop = true;
    session_wake(roster);
    while (!roster->finished && worker_wait_until(&roster->session, until_ms)) {
    }
    worker_unlock(&roster->session);
}

bool session_leave(struct roster *roster)
{
    worker_lock(&roster->session);
    bool finished = roster->finished;
    pthread_t thread = roster->session.thread;
    roster->abandoned = !finished;
    if (!finished) {
        pthread_detach(thread); /* from the unlock on the handle is its own */
    }
    worker_unlock(&roster->session);
    if (finished) {
        pthread_join(thread, NULL);
    }
    return finished;
}
