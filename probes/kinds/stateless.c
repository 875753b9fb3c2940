/* Peers that share their storage or have none: whoever answers, and is ready if asked for that,
 * serves. */
#include "probes/kinds/kind.h"

#include <assert.h>

static struct claim_state claim_state(const struct observation *facts,
                                      const struct observation *other)
{
    assert(facts->answer == ANSWER_OK); /* a look that failed has no facts */
    bool ready = facts->ready != 0;
    (void)other;
    return (struct claim_state){.claim = ready,
                                .shared = ready,
                                .writable = ready,
                                .condition = ready ? CONDITION_FIT : CONDITION_UNREADY};
}

static struct lag lag(const struct observation *facts, const struct observation *source)
{
    (void)facts;
    (void)source;
    return LAG_NOT_KNOWN;
}

const struct kind_rules kind_stateless = {.claim_state = claim_state, .lag = lag};
