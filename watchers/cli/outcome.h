/* What became of the operator's word: judged from the verdict before it, and the one that took it.
 *
 * Pure. A word holds, or it is pending (it counts, and what it waits for is said), or
 * it is refused (what stands against it is said, with the command that ends that). */
#ifndef ROSTER_WATCHERS_CLI_OUTCOME_H
#define ROSTER_WATCHERS_CLI_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/model/model.h"

enum order { ORDER_DRAIN, ORDER_UNDRAIN, ORDER_WEIGHT, ORDER_HOLD, ORDER_RELEASE, ORDER_ACCEPT };

struct directive {
    enum order order;
    const char *member; /* "" with ORDER_RELEASE */
    int weight;         /* -1: as configured */
    bool replace;
    const char *hold; /* the member at which the directives hold the writer; "" */
};

enum outcome { OUTCOME_HOLDS, OUTCOME_PENDING, OUTCOME_REFUSED };

enum outcome outcome_of(const struct directive *word, const struct topology *before,
                        const struct topology *after, char *sentence, size_t size);

/* Would accepting this member replace a primary that is up, read as such, and followed? Then the
 * operator has to mean it. False where the word has a meaning of its own: a member that does not
 * claim is freed from its fence, a stranger from being one. */
bool outcome_replaces(const char *member, const struct topology *topology);

#endif
