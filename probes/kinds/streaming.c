/* PostgreSQL's streaming replication. A primary is what is not in recovery and takes writes; of
 * several the timeline decides. */
#include "probes/kinds/kind.h"

#include <assert.h>

static bool shows(const struct observation *facts)
{
    (void)facts;
    return true;
}

static struct claim_state claim_state(const struct observation *facts,
                                      const struct observation *other)
{
    (void)other;
    assert(facts->answer == ANSWER_OK); /* a look that failed has no facts */
    return (struct claim_state){
        .claim = !facts->replica && facts->writable,
        .writable = facts->writable,
        .condition = facts->replica && !facts->applying ? CONDITION_PAUSED : CONDITION_FIT,
    };
}

/* Distance from what the primary wrote to what this one replayed, by however many steps it comes
 * here. Receive == replay hides a dead receiver and a paused replay hides nothing yet, so both are
 * broken whatever the numbers are; so is a stream of a history that the primary has left, where
 * distances mean nothing. A standby that an archive feeds is as far behind as its distance. */
static struct lag lag(const struct observation *facts, const struct observation *source)
{
    struct lag lag = LAG_NOT_KNOWN;
    assert(!source || source->answer == ANSWER_OK);
    if (!facts->replica) {
        /* closed by a setting and fed by nobody: frozen */
        lag.state = facts->writable ? LAG_UNKNOWN : LAG_BROKEN;
        return lag;
    }
    lag.delay_ms = facts->delay_ms;
    if (source && facts->live && lineage_compare(facts->lineage, source->lineage) < 0) {
        lag.state = LAG_BROKEN;
        return lag;
    }
    lag.state = (facts->live || facts->archived) && facts->applying ? LAG_OK : LAG_BROKEN;
    if (!facts->live && facts->missing[0]) {
        lag.state = LAG_UNKNOWN; /* whether it streams is what we may not see */
    }
    lag.ms = facts->lag_ms;
    if (source && source->position >= 0 && facts->position >= 0) {
        lag.bytes = source->position > facts->position ? source->position - facts->position : 0;
    }
    return lag;
}

const struct kind_rules kind_streaming = {.shows = shows, .claim_state = claim_state, .lag = lag};
