/* Topologies for tests to build from, and the tables of them. */
#ifndef ROSTER_TESTS_UNIT_WATCHERS_TOPOLOGIES_H
#define ROSTER_TESTS_UNIT_WATCHERS_TOPOLOGIES_H

#include "registry/model/model.h"
#include "watchers/table.h"

/* A member that is up, at host-NAME:5432, of weight 100, without lag; a primary is the topology's.
 */
struct member *add_member(struct topology *topology, const char *name, enum role role);

/* "orders", epoch 7: a is the primary; b, c and d follow it. */
struct topology usual_topology(void);

struct table built_table(const struct topology *topology);

#endif
