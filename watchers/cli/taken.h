/* Has a verdict taken the operator's word? */
#ifndef ROSTER_WATCHERS_CLI_TAKEN_H
#define ROSTER_WATCHERS_CLI_TAKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/model/model.h"
#include "watchers/cli/client.h"

/* Waits, args->wait_ms at most, until the cluster's topology rests on directives of at least this
 * mzxid, and fills *ret_topology with that one. False: none did; `why` says so, and what can be
 * seen of the reason. Ends at once when no probe is there to do it. */
bool taken_wait(struct client *client, const struct args *args, const char *cluster, int64_t mzxid,
                struct topology *ret_topology, char *why, size_t size);

#endif
