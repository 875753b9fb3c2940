/* What the operator's own statement returns. Its column claim is final: a server that returns no
 * does not claim, however writable. Without that column, what is writable and replicates from
 * nobody claims. */
#include "probes/kinds/kind.h"

#include <assert.h>

static struct claim_state claim_state(const struct observation *facts,
                                      const struct observation *other)
{
    assert(facts->answer == ANSWER_OK); /* a look that failed has no facts */
    bool ready = facts->ready != 0;
    bool claim = facts->claim >= 0 ? facts->claim == 1 : !facts->replica;
    bool writable = ready && facts->writable && facts->claim != 0;
    (void)other;
    return (struct claim_state){
        .claim = writable && claim,
        .writable = writable,
        .condition = ready ? CONDITION_FIT : CONDITION_UNREADY,
    };
}

static struct lag lag(const struct observation *facts, const struct observation *source)
{
    struct lag lag = LAG_NOT_KNOWN;
    lag.ms = facts->lag_ms;
    lag.bytes = facts->lag_bytes;
    if (lag.bytes < 0 && source && source->position >= 0 && facts->position >= 0) {
        lag.bytes = source->position > facts->position ? source->position - facts->position : 0;
    }
    lag.state = lag.ms >= 0 || lag.bytes >= 0 ? LAG_OK : LAG_UNKNOWN;
    return lag;
}

const struct kind_rules kind_custom = {.claim_state = claim_state, .lag = lag};
