/* MySQL Group Replication. PRIMARY in its own table is not enough: cut off from the majority it
 * stays PRIMARY there for ever, with super_read_only off, and its writes hang. Thawed or healed it
 * does so for seconds, among members all ONLINE, in an old view; the order of views decides then,
 * where both are seen. */
#include "probes/kinds/kind.h"

#include <assert.h>

static bool shows(const struct observation *facts)
{
    return facts->group.type == GROUP_REPLICATION;
}

static enum condition condition(const struct observation *facts)
{
    const struct group *group = &facts->group;
    assert(facts->answer == ANSWER_OK); /* a look that failed has no facts */
    if (group->type != GROUP_REPLICATION) {
        /* fed by a channel from outside the group, or by nobody */
        return facts->replica ? CONDITION_FIT : CONDITION_LEFT;
    }
    if (group->state == CONDITION_FIT && 2 * group->reachable <= group->size) {
        return CONDITION_MINORITY;
    }
    return group->state;
}

static struct claim_state claim_state(const struct observation *facts,
                                      const struct observation *other)
{
    bool fit = facts->group.type == GROUP_REPLICATION && condition(facts) == CONDITION_FIT;
    (void)other;
    return (struct claim_state){
        .claim = fit && facts->group.leads && facts->writable,
        .shared = facts->group.many,
        .writable = fit && facts->writable,
        .condition = condition(facts),
    };
}

/* What waits for its applier. */
static struct lag lag(const struct observation *facts, const struct observation *source)
{
    bool grouped = facts->group.type == GROUP_REPLICATION;
    return grouped ? kind_lag_of_queue(facts, condition(facts)) : kind_async.lag(facts, source);
}

const struct kind_rules kind_group = {.shows = shows, .claim_state = claim_state, .lag = lag};
