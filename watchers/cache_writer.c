/* The cache writer: writes the last good answers to the cache directory, on a
 * thread of its own, since a disk may take seconds. */
#include <stdlib.h>
#include <string.h>

#include "watchers/cache.h"
#include "watchers/internal.h"

struct cache_entry {
    struct topology topology;
    struct provenance provenance;
    bool cached;
};

static void copy_snapshot(const struct snapshot *snapshot, void *to)
{
    struct cache_entry *entry = to;
    entry->topology = snapshot->topology;
    entry->provenance = snapshot->provenance;
    entry->cached = snapshot->cached;
}

static void save(struct roster_cluster *cluster, struct cache_entry *entry)
{
    struct roster *roster = cluster->roster;
    char sentence[SENTENCE_SIZE];
    if (routing_read(&cluster->routing, copy_snapshot, entry) && !entry->cached &&
        !cache_save(roster->cache_dir, &entry->topology, &entry->provenance, sentence,
                    sizeof sentence)) {
        notifier_log(roster, ROSTER_LOG_WARNING, "%s: not kept in %s: %s", cluster->name,
                     roster->cache_dir, sentence);
    }
}

/* With the lock held; NULL when all is saved. */
static struct roster_cluster *next_pending(struct roster *roster)
{
    for (struct roster_cluster *cluster = __atomic_load_n(&roster->clusters, __ATOMIC_ACQUIRE);
         cluster; cluster = cluster->next) {
        if (cluster->pending_save) {
            cluster->pending_save = false;
            return cluster;
        }
    }
    return NULL;
}

static void *run(void *arg)
{
    struct roster *roster = arg;
    struct thread *thread = &roster->cache_writer;
    struct cache_entry *entry = malloc(sizeof *entry);
    thread_lock(thread);
    for (;;) {
        struct roster_cluster *cluster = entry ? next_pending(roster) : NULL;
        if (cluster) {
            thread_unlock(thread);
            save(cluster, entry);
            thread_lock(thread);
        } else if (thread->stop) {
            break;
        } else {
            thread_wait(thread);
        }
    }
    thread_unlock(thread);
    free(entry);
    return NULL;
}

bool cache_writer_start(struct roster *roster)
{
    return thread_start(&roster->cache_writer, "roster-cache", run, roster);
}

void cache_writer_stop(struct roster *roster)
{
    thread_stop(&roster->cache_writer);
}

void cache_writer_changed(struct roster_cluster *cluster)
{
    struct thread *thread = &cluster->roster->cache_writer;
    if (cluster->roster->cache_dir) {
        thread_lock(thread);
        cluster->pending_save = true;
        thread_wake(thread);
        thread_unlock(thread);
    }
}
