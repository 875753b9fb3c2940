/* What `roster show` saw last, for when the registry is away: a cache folder of the user's own, one
 * per registry, used when --cache names none. */
#ifndef ROSTER_WATCHERS_CLI_LAST_SEEN_H
#define ROSTER_WATCHERS_CLI_LAST_SEEN_H

#include "watchers/cli/cli.h"

/* The folder for this registry, made if it is missing: $XDG_CACHE_HOME/roster/..., else
 * ~/.cache/roster/... NULL when the user has no home. Valid until the next call. */
const char *last_seen_open(const struct args *args);

/* Deletes what was seen of `cluster`: the registry at this address is another one by now. */
void last_seen_forget(const char *folder, const char *cluster);

#endif
