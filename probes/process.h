/* Which process this is among all that may have the same name: the host's name, its boot, the
 * namespace of process ids, and the id. Names of hosts repeat (clones, containers), ids do in each
 * namespace; what differs in boot or namespace, or does not say, is never held to be gone because
 * no process here has its id. */
#ifndef ROSTER_PROBES_PROCESS_H
#define ROSTER_PROBES_PROCESS_H

#include <stdbool.h>

#include "registry/model/model.h"

/* Fills in what tells this process from others. */
void process_identify(struct presence *presence);

/* Was this the presence of a process of ours, here, that has ended? Not of one that is alive, or of
 * which nothing can be known from here. */
bool process_is_gone(const struct presence *presence);

#endif
