/* MySQL's and MariaDB's asynchronous replication. Writable is not primary: a replica restarted
 * without read_only is writable too. So only one without any running or connecting channel claims,
 * wherever that leads (a primary that is fed from another cluster is its standby), save one half of
 * a circular pair whose other half is read-only. A channel whose applier alone runs counts as
 * running until it has applied all that it received. Whether a claim was promoted by anybody is for
 * the verdict to know. */
#include "probes/kinds/kind.h"

#include <assert.h>

static bool shows(const struct observation *facts)
{
    (void)facts;
    return true;
}

static bool claims(const struct observation *facts, const struct observation *other)
{
    assert(facts->answer == ANSWER_OK); /* a look that failed has no facts */
    if (!facts->writable || facts->fed_elsewhere) {
        return false;
    }
    if (!facts->live && !facts->connecting && !(facts->applying && facts->unapplied)) {
        return true;
    }
    return other && other->answer == ANSWER_OK && !other->writable;
}

static struct claim_state claim_state(const struct observation *facts,
                                      const struct observation *other)
{
    return (struct claim_state){.claim = claims(facts, other), .writable = facts->writable};
}

static struct lag lag(const struct observation *facts, const struct observation *source)
{
    struct lag lag = LAG_NOT_KNOWN;
    (void)source;
    assert(facts->answer == ANSWER_OK);
    if (!facts->replica) {
        /* read-only and fed by nobody: frozen */
        lag.state = facts->writable ? LAG_UNKNOWN : LAG_BROKEN;
    } else if (!facts->live || !facts->applying) {
        lag.state = LAG_BROKEN;
    } else {
        lag.state = facts->lag_ms < 0 ? LAG_UNKNOWN : LAG_OK;
        lag.ms = facts->lag_ms;
    }
    lag.delay_ms = facts->replica ? facts->delay_ms : 0;
    return lag;
}

const struct kind_rules kind_async = {.shows = shows, .claim_state = claim_state, .lag = lag};
