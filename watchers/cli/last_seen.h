/* What `roster show` saw last, kept for the day when the registry is away: a cache folder of the
 * user's own, one per registry, used when --cache names none. */
#ifndef ROSTER_WATCHERS_CLI_LAST_SEEN_H
#define ROSTER_WATCHERS_CLI_LAST_SEEN_H

#include "watchers/cli/cli.h"

/* The folder for this registry, made if it is not there: $XDG_CACHE_HOME/roster/..., else
 * ~/.cache/roster/... NULL when there is no home to keep it in. Lives until the next call. */
const char *last_seen_open(const struct args *args);

/* Another registry answers at this address than when it was written: forget what was kept of
 * `cluster`. */
void last_seen_forget(const char *folder, const char *cluster);

#endif
