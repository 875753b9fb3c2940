/* Servers that a reload gave other names.
 *
 * What the last verdict knows of a server belongs to its address: when the members of a file swap
 * their addresses, or one is listed under another name, the records move to the new names with the
 * servers, the incumbent's among them. A server at an address of its own that no other name has
 * now, keeps its name's record: it moved, or its address is written in another way. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_RENAMED_H
#define ROSTER_REGISTRY_VERDICT_RENAMED_H

#include "registry/model/model.h"

/* The last verdict under the names that are listed now. False: no server has another name; or the
 * primary's name is another server's now, and its own is listed under none. */
bool renamed_topology(const struct topology *previous, const struct member_config *listed,
                      size_t count, struct topology *ret_topology);

#endif
