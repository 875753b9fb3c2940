/* The last good answer on disk, for a cold start without a registry.
 *
 *     roster-cache 1 <registry> <mzxid> <bytes> <crc32>\n
 *     { the topology as the registry holds it }
 *
 * One file per cluster, "<cluster>.roster", in a directory that belongs to the
 * caller alone. A file is written under another name and renamed. It is used only
 * when it is complete, its sum is right, it is owned by us and no symbolic link;
 * else it is treated as absent. Several processes may share a directory: an older
 * answer never replaces a newer one of the same registry. */
#ifndef ROSTER_WATCHERS_CACHE_H
#define ROSTER_WATCHERS_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/model/model.h"
#include "watchers/watcher.h"

/* Is it a directory of ours that nobody else may write to? If not: false and a sentence. */
bool cache_check_dir(const char *dir, char *sentence, size_t size);

/* False when there is no usable file; then `sentence` has the reason, or is "" when there was no
 * file. */
bool cache_load(const char *dir, const char *cluster, struct topology *ret_topology,
                struct provenance *ret_provenance, char *sentence, size_t size);

/* False and a sentence when it could not be written; the file there stays. True also when a newer
 * one is there. */
bool cache_save(const char *dir, const struct topology *topology,
                const struct provenance *provenance, char *sentence, size_t size);

#endif
