/* When what a verdict rests on was first seen, for timelines. Pure. */
#ifndef ROSTER_REGISTRY_FLEET_FIRST_SEEN_H
#define ROSTER_REGISTRY_FLEET_FIRST_SEEN_H

#include "registry/verdict/resolve.h"

/* The earliest time that a voter who agrees gives, by its clock, after the verdict before; 0: none.
 */
int64_t first_seen_of(const struct topology *verdict, const struct evidence *evidence);

#endif
