/* Galera: every node of the primary component may write. One that is cut off reports that; one
 * that was frozen claims for seconds to be what it was, under an old configuration. */
#include "probes/kinds/kind.h"

#include <assert.h>

static bool shows(const struct observation *facts)
{
    return facts->group.type == GROUP_GALERA;
}

static enum condition condition(const struct observation *facts)
{
    assert(facts->answer == ANSWER_OK); /* a look that failed has no facts */
    return facts->group.type == GROUP_GALERA ? facts->group.state
           : facts->replica                  ? CONDITION_FIT
                                             : CONDITION_LEFT;
}

static struct claim_state claim_state(const struct observation *facts,
                                      const struct observation *other)
{
    /* it commits, if need be slowly */
    bool able = condition(facts) == CONDITION_FIT || condition(facts) == CONDITION_DONOR;
    bool takes = able && facts->writable && facts->group.type == GROUP_GALERA;
    (void)other;
    return (struct claim_state){
        .claim = takes, .shared = takes, .writable = takes, .condition = condition(facts)};
}

/* What it has received and not applied. */
static struct lag lag(const struct observation *facts, const struct observation *source)
{
    bool grouped = facts->group.type == GROUP_GALERA;
    return grouped ? kind_lag_of_queue(facts, condition(facts)) : kind_async.lag(facts, source);
}

const struct kind_rules kind_galera = {.shows = shows, .claim_state = claim_state, .lag = lag};
