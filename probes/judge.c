#include "probes/judge.h"

#include <stddef.h>

/* ---- streaming: PostgreSQL ---------------------------------------------------- */

static bool streaming_claims(const struct observation *facts, const struct observation *other)
{
    (void)other;
    return !facts->replica && facts->writable;
}

/* Distance from what the primary wrote to what this one replayed. Receive == replay hides a dead receiver and a
 * paused replay hides nothing yet, so both are broken whatever the numbers say. */
static struct lag streaming_lag(const struct observation *facts, const struct observation *source)
{
    struct lag lag = {LAG_UNKNOWN, -1, -1};
    if (!facts->replica) {
        return lag;
    }
    lag.state = facts->live && facts->applying ? LAG_OK : LAG_BROKEN;
    if (!facts->live && facts->missing[0]) {
        lag.state = LAG_UNKNOWN; /* whether it streams is what we may not see */
    }
    lag.ms = facts->lag_ms;
    if (source && source->position >= 0 && facts->position >= 0) {
        lag.bytes = source->position > facts->position ? source->position - facts->position : 0;
    }
    return lag;
}

/* ---- async: MySQL and MariaDB --------------------------------------------------- */

/* Writable is not primary: a replica restarted without read_only is writable too. So only one without a running or
 * connecting channel claims, save one half of a circular pair whose other half is read-only. */
static bool async_claims(const struct observation *facts, const struct observation *other)
{
    if (!facts->writable) {
        return false;
    }
    if (!facts->live && !facts->connecting) {
        return true;
    }
    return other && other->answer == ANSWER_OK && !other->writable;
}

static struct lag async_lag(const struct observation *facts, const struct observation *source)
{
    (void)source;
    if (!facts->replica) {
        return (struct lag){facts->writable ? LAG_UNKNOWN : LAG_BROKEN, -1, -1}; /* read-only and fed by nobody: frozen */
    }
    if (!facts->live || !facts->applying) {
        return (struct lag){LAG_BROKEN, -1, -1};
    }
    return (struct lag){facts->lag_ms < 0 ? LAG_UNKNOWN : LAG_OK, -1, facts->lag_ms};
}

const struct judge *judge_of(enum kind kind)
{
    static const struct judge judges[] = {
        [KIND_STREAMING] = {KIND_STREAMING, streaming_claims, streaming_lag},
        [KIND_ASYNC] = {KIND_ASYNC, async_claims, async_lag},
    };
    return &judges[kind];
}
