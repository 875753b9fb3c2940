/* How many agree? The one loop behind "a quorum reports the same".
 *
 * Each voter reports one item of some type; a comparison defines what agreement is. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_AGREE_H
#define ROSTER_REGISTRY_VERDICT_AGREE_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/base/limits.h"

/* The items of the voters, NULL where one has none. */
struct opinions {
    int quorum;
    size_t count;
    const void *item[WITNESSES_MAX];
};

/* Does `theirs` support `mine`? An item that does not count supports nothing, not even itself. */
typedef bool agrees_fn(const void *theirs, const void *mine);

/* How many items support this one. */
int agree_count(const struct opinions *opinions, const void *mine, agrees_fn *agrees);

/* The first item that a quorum supports; NULL: none. For comparisons that are equalities, where no
 * two different items can have a quorum. */
const void *agree_first(const struct opinions *opinions, agrees_fn *agrees);

/* The greatest item that a quorum reaches, where `reaches` is "not less than" in a total order. */
const void *agree_greatest(const struct opinions *opinions, agrees_fn *reaches);

#endif
