/* The teller: runs the caller's own functions, which may take their time.
 *
 * Changes of one cluster that pile up behind a slow callback are merged, for
 * what is told is the difference between what was told last and what holds
 * now. Lines for the log wait in a ring; a full ring drops and counts. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "registry/base/text.h"
#include "watchers/internal.h"
#include "watchers/plan.h"

/* One change, as it is put together for the callback. On the heap: some 100 kB. */
struct telling {
    struct table table;
    struct topology topology;
    int64_t routed_wall_ms;
    struct roster_step plan[STEPS_MAX];
    char timeline[TIMELINE_SIZE];
};

static void copy_snapshot(const struct snapshot *snapshot, void *to)
{
    struct telling *telling = to;
    telling->table = snapshot->table;
    telling->topology = snapshot->topology;
    telling->routed_wall_ms = snapshot->routed_wall_ms;
}

static void tell(struct roster_cluster *cluster, struct telling *telling)
{
    const struct table *before = cluster->told_any ? &cluster->told : NULL;
    if (!routing_read(&cluster->routing, copy_snapshot, telling) ||
        !plan_is_needed(before, &telling->table)) {
        return;
    }
    const struct table *now = &telling->table;
    struct roster_change change = {
        .cluster = cluster->name,
        .epoch = now->epoch,
        .primary = now->writer >= 0 ? &now->endpoints[now->writer] : NULL,
        .plan = telling->plan,
        .plan_size = plan_make(before, now, telling->plan),
        .why = telling->topology.why,
        .evidence_wall_ms = telling->topology.seen_wall_ms,
        .verdict_wall_ms = telling->topology.at_wall_ms,
        .routed_wall_ms = telling->routed_wall_ms,
        .timeline = plan_timeline(telling->timeline, sizeof telling->timeline, &telling->topology,
                                  telling->routed_wall_ms)};
    cluster->subscription.changed(cluster->subscription.context, &change);
    cluster->told = *now;
    cluster->told_any = true;
}

/* With the lock held; NULL when all is told. */
static struct roster_cluster *next_untold(struct roster *roster)
{
    for (struct roster_cluster *cluster = __atomic_load_n(&roster->clusters, __ATOMIC_ACQUIRE);
         cluster; cluster = cluster->next) {
        if (cluster->untold) {
            cluster->untold = false;
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
    struct teller *teller = &roster->teller;
    struct telling *telling = malloc(sizeof *telling);
    worker_lock(&teller->worker);
    for (;;) {
        struct roster_cluster *cluster = NULL;
        if (teller->line_count) {
            struct line line = teller->lines[teller->first_line];
            uint64_t dropped = teller->line_count == 1 ? teller->dropped : 0;
            teller->first_line = (teller->first_line + 1) % LINES_MAX;
            teller->line_count--;
            teller->dropped -= dropped;
            worker_unlock(&teller->worker);
            roster->log(roster->log_context, line.level, line.text);
            if (dropped) {
                log_dropped(roster, dropped);
            }
            worker_lock(&teller->worker);
        } else if (teller->worker.stop) {
            break;
        } else if (telling && (cluster = next_untold(roster)) != NULL) {
            worker_unlock(&teller->worker);
            tell(cluster, telling);
            worker_lock(&teller->worker);
        } else {
            worker_wait(&teller->worker);
        }
    }
    worker_unlock(&teller->worker);
    free(telling);
    return NULL;
}

bool teller_start(struct roster *roster)
{
    return worker_start(&roster->teller.worker, "roster-teller", run, roster);
}

void teller_stop(struct roster *roster)
{
    worker_stop(&roster->teller.worker);
}

bool teller_is_self(const struct roster *roster)
{
    return roster->teller.worker.running &&
           pthread_equal(roster->teller.worker.thread, pthread_self());
}

void teller_changed(struct roster_cluster *cluster)
{
    struct worker *worker = &cluster->roster->teller.worker;
    if (cluster->subscription.changed) {
        worker_lock(worker);
        cluster->untold = true;
        worker_wake(worker);
        worker_unlock(worker);
    }
}

/* The ZooKeeper client's own words, some sixty lines a second while there is no server, must not
 * crowd out ours. */
static size_t room_for(enum roster_log_level level)
{
    return level == ROSTER_LOG_DEBUG ? LINES_MAX / 2 : LINES_MAX;
}

void teller_say(struct roster *roster, enum roster_log_level level, const char *format, ...)
{
    struct teller *teller = &roster->teller;
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
    worker_lock(&teller->worker);
    if (teller->worker.stop || teller->line_count >= room_for(level)) {
        teller->dropped++; /* once the handle is being closed the caller's log may be gone */
    } else {
        teller->lines[(teller->first_line + teller->line_count++) % LINES_MAX] = line;
        worker_wake(&teller->worker);
    }
    worker_unlock(&teller->worker);
}
