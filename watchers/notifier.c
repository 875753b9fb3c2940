/* The notifier: runs the caller's own functions, which may be slow.
 *
 * A callback gets the difference between the table it got last and the present
 * one, so the changes of a cluster that arrive during a slow callback are merged.
 * Lines for the log wait in a ring; a full ring drops new lines and counts them. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "registry/base/text.h"
#include "watchers/internal.h"
#include "watchers/plan.h"

/* One change, as it is composed for the callback. On the heap: some 100 kB. */
struct notification {
    struct table table;
    struct topology topology;
    int64_t routed_wall_ms;
    struct roster_step plan[STEPS_MAX];
    char timeline[TIMELINE_SIZE];
};

static void copy_snapshot(const struct snapshot *snapshot, void *to)
{
    struct notification *notification = to;
    notification->table = snapshot->table;
    notification->topology = snapshot->topology;
    notification->routed_wall_ms = snapshot->routed_wall_ms;
}

static void notify(struct roster_cluster *cluster, struct notification *notification)
{
    const struct table *before = cluster->notified_any ? &cluster->notified : NULL;
    if (!routing_read(&cluster->routing, copy_snapshot, notification) ||
        !plan_is_needed(before, &notification->table)) {
        return;
    }
    const struct table *now = &notification->table;
    struct roster_change change = {
        .cluster = cluster->name,
        .epoch = now->epoch,
        .primary = now->writer >= 0 ? &now->endpoints[now->writer] : NULL,
        .plan = notification->plan,
        .plan_size = plan_make(before, now, notification->plan),
        .why = notification->topology.why,
        .evidence_wall_ms = notification->topology.seen_wall_ms,
        .verdict_wall_ms = notification->topology.at_wall_ms,
        .routed_wall_ms = notification->routed_wall_ms,
        .timeline = plan_timeline(notification->timeline, sizeof notification->timeline,
                                  &notification->topology, notification->routed_wall_ms)};
    cluster->subscription.changed(cluster->subscription.context, &change);
    cluster->notified = *now;
    cluster->notified_any = true;
}

/* With the lock held; NULL when no callback is due. */
static struct roster_cluster *next_pending(struct roster *roster)
{
    for (struct roster_cluster *cluster = __atomic_load_n(&roster->clusters, __ATOMIC_ACQUIRE);
         cluster; cluster = cluster->next) {
        if (cluster->pending_notify) {
            cluster->pending_notify = false;
            return cluster;
        }
    }
    return NULL;
}

static void log_dropped(struct roster *roster, uint64_t dropped)
{
    char text[64];
    snprintf(text, sizeof text, "log: %llu lines dropped", (unsigned long long)dropped);
    roster->log(roster->log_context, ROSTER_LOG_WARNING, text);
}

static void *run(void *arg)
{
    struct roster *roster = arg;
    struct notifier *notifier = &roster->notifier;
    struct notification *notification = malloc(sizeof *notification);
    thread_lock(&notifier->thread);
    for (;;) {
        struct roster_cluster *cluster = NULL;
        if (notifier->line_count) {
            struct line line = notifier->lines[notifier->first_line];
            assert(notifier->line_count <= LINES_MAX && roster->log);
            uint64_t dropped = notifier->line_count == 1 ? notifier->dropped : 0;
            notifier->first_line = (notifier->first_line + 1) % LINES_MAX;
            notifier->line_count--;
            notifier->dropped -= dropped;
            thread_unlock(&notifier->thread);
            roster->log(roster->log_context, line.level, line.text);
            if (dropped) {
                log_dropped(roster, dropped);
            }
            thread_lock(&notifier->thread);
        } else if (notifier->thread.stop) {
            break;
        } else if (notification && (cluster = next_pending(roster)) != NULL) {
            thread_unlock(&notifier->thread);
            notify(cluster, notification);
            thread_lock(&notifier->thread);
        } else {
            thread_wait(&notifier->thread);
        }
    }
    thread_unlock(&notifier->thread);
    free(notification);
    return NULL;
}

bool notifier_start(struct roster *roster)
{
    return thread_start(&roster->notifier.thread, "roster-notifier", run, roster);
}

void notifier_stop(struct roster *roster)
{
    thread_stop(&roster->notifier.thread);
}

bool notifier_is_self(const struct roster *roster)
{
    return roster->notifier.thread.running &&
           pthread_equal(roster->notifier.thread.id, pthread_self());
}

void notifier_changed(struct roster_cluster *cluster)
{
    struct thread *thread = &cluster->roster->notifier.thread;
    if (cluster->subscription.changed) {
        thread_lock(thread);
        cluster->pending_notify = true;
        thread_wake(thread);
        thread_unlock(thread);
    }
}

/* The ZooKeeper client logs some sixty lines a second while there is no server; they must not crowd
 * out ours. */
static size_t room_for(enum roster_log_level level)
{
    return level == ROSTER_LOG_DEBUG ? LINES_MAX / 2 : LINES_MAX;
}

void notifier_log(struct roster *roster, enum roster_log_level level, const char *format, ...)
{
    struct notifier *notifier = &roster->notifier;
    struct line line = {.level = level};
    char text[sizeof line.text];
    va_list args;
    if (!roster->log) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_tame(line.text, sizeof line.text, text);
    thread_lock(&notifier->thread);
    if (notifier->thread.stop || notifier->line_count >= room_for(level)) {
        notifier->dropped++; /* while the handle is being closed the caller's log may be gone */
    } else {
        notifier->lines[(notifier->first_line + notifier->line_count++) % LINES_MAX] = line;
        thread_wake(&notifier->thread);
    }
    thread_unlock(&notifier->thread);
}
