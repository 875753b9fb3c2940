/* The keeper: writes the last good answers to the cache directory, on a thread
 * of its own, since a disk may take seconds over it. */
#include <stdlib.h>
#include <string.h>

#include "watchers/cache.h"
#include "watchers/internal.h"

struct keeping {
    struct topology topology;
    struct provenance provenance;
    bool cached;
};

static void copy_snapshot(const struct snapshot *snapshot, void *to)
{
    struct keeping *keeping = to;
    keeping->topology = snapshot->topology;
    keeping->provenance = snapshot->provenance;
    keeping->cached = snapshot->cached;
}

static void save(struct roster_cluster *cluster, struct keeping *keeping)
{
    struct roster *roster = cluster->roster;
    char sentence[SENTENCE_SIZE];
    if (routing_read(&cluster->routing, copy_snapshot, keeping) && !keeping->cached &&
        !cache_save(roster->cache_dir, &keeping->topology, &keeping->provenance, sentence,
                    sizeof sentence)) {
        teller_say(roster, ROSTER_LOG_WARNING, "%s: not kept in %s: %s", cluster->name,
                   roster->cache_dir, sentence);
    }
}

/* With the lock held; NULL when all is saved. */
static struct roster_cluster *next_unsaved(struct roster *roster)
{
    for (struct roster_cluster *cluster = __atomic_load_n(&roster->clusters, __ATOMIC_ACQUIRE);
         cluster; cluster = cluster->next) {
        if (cluster->unsaved) {
            cluster->unsaved = false;
            return cluster;
        }
    }
    return NULL;
}

static void *run(void *arg)
{
    struct roster *roster = arg;
    struct worker *worker = &roster->keeper;
    struct keeping *keeping = malloc(sizeof *keeping);
    worker_lock(worker);
    for (;;) {
        struct roster_cluster *cluster = keeping ? next_unsaved(roster) : NULL;
        if (cluster) {
            worker_unlock(worker);
            save(cluster, keeping);
            worker_lock(worker);
        } else if (worker->stop) {
            break;
        } else {
            worker_wait(worker);
        }
    }
    worker_unlock(worker);
    free(keeping);
    return NULL;
}

bool keeper_start(struct roster *roster)
{
    return worker_start(&roster->keeper, "roster-keeper", run, roster);
}

void keeper_stop(struct roster *roster)
{
    worker_stop(&roster->keeper);
}

void keeper_changed(struct roster_cluster *cluster)
{
    struct worker *worker = &cluster->roster->keeper;
    if (cluster->roster->cache_dir) {
        worker_lock(worker);
        cluster->unsaved = true;
        worker_wake(worker);
        worker_unlock(worker);
    }
}
