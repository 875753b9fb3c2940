#include "probes/assess/lag.h"

#include <assert.h>

#include "probes/assess/standing.h"

/* ---- bands ----------------------------------------------------------------------------------- */

static int64_t band_top(int64_t value, int64_t floor)
{
    int64_t top = value == 0 ? 0 : floor;
    while (top < value && top < INT64_MAX / 2) {
        top *= 2;
    }
    return top;
}

void band_add(struct band *band, int64_t value, int64_t floor)
{
    assert(floor > 0 && band->above < LAG_RISES && band->below < LAG_FALLS);
    if (value < 0) {
        return;
    }
    int64_t top = band_top(value, floor);
    if (!band->known) {
        *band = (struct band){.known = true, .top = top};
        return;
    }
    band->above = top > band->top ? band->above + 1 : 0;
    band->below = top < band->top ? band->below + 1 : 0;
    if (band->above >= LAG_RISES || band->below >= LAG_FALLS) {
        *band = (struct band){.known = true, .top = top};
    }
}

static int64_t reported(const struct band *band)
{
    return band->known ? band->top : -1;
}

/* ---- feeds ----------------------------------------------------------------------------------- */

static bool is_silent(const struct assessment *assessment, const struct assessed *member,
                      int64_t now_ms)
{
    return answer_health(member->last) != HEALTH_UP &&
           now_ms - member->responded_ms > assessment->fresh_ms;
}

/* Nothing upstream of it is newer than what it has. */
static bool is_origin(const struct assessment *assessment, const struct assessed *member)
{
    const struct observation *facts = &member->facts;
    return !standing_has_answer(member) || !facts->replica || standing_claims(assessment, member) ||
           (facts->writable && !facts->live);
}

static bool passes_on(const struct assessment *assessment, const struct observation *facts)
{
    bool streams =
        facts->live && (facts->applying || standing_traits(assessment)->passes_on_unapplied);
    return streams || facts->archived || facts->missing[0];
}

/* MySQL, MariaDB: what it replicates from is no member, and no identity in the data shows whether it
 * has ours. How far it is behind that one says nothing. */
static bool is_fed_by_another(const struct assessment *assessment, const struct assessed *member)
{
    const struct kind_traits *traits = standing_traits(assessment);
    const struct observation *facts = &member->facts;
    return traits->by_act && !traits->identity_in_data && facts->replica &&
           facts->upstream_host[0] && facts->group.type == GROUP_NONE;
}

enum feed lag_feed(const struct assessment *assessment, const struct assessed *member,
                   int64_t now_ms)
{
    for (size_t steps = 0; steps < assessment->member_count; steps++) {
        int upstream = standing_upstream(assessment, &member->facts);
        if (upstream < 0) {
            return is_fed_by_another(assessment, member) ? FEED_SILENT : FEED_FLOWS;
        }
        member = &assessment->members[upstream];
        if (is_silent(assessment, member, now_ms)) {
            return FEED_SILENT;
        }
        if (is_origin(assessment, member)) {
            return FEED_FLOWS;
        }
        if (!passes_on(assessment, &member->facts)) {
            return FEED_CUT;
        }
    }
    return FEED_FLOWS; /* a circle */
}

/* ---- lag ------------------------------------------------------------------------------------- */

void lag_measure(const struct assessment *assessment, struct assessed *member, int64_t now_ms)
{
    assert(member->answered);
    enum feed feed = lag_feed(assessment, member, now_ms);
    struct observation facts = member->facts;
    if (feed == FEED_SILENT) {
        facts.lag_ms = -1;
    }
    struct lag lag = standing_rules(assessment)->lag(&facts, standing_source(assessment, now_ms));
    if (lag.state == LAG_OK && feed != FEED_FLOWS) {
        lag.state = feed == FEED_CUT ? LAG_BROKEN : LAG_UNKNOWN;
    }
    /* Former samples mean nothing for a member that does not lag, or whose lag is not known. */
    bool restarts = lag.ms < 0 && (!facts.replica || lag.state == LAG_UNKNOWN);
    member->lag_state = lag.state;
    if (restarts) {
        member->ms = (struct band){0};
    }
    if (restarts && lag.bytes < 0 && lag.transactions < 0) {
        member->bytes = member->transactions = (struct band){0};
    }
    band_add(&member->bytes, lag.bytes, LAG_BYTES_FLOOR);
    band_add(&member->ms, lag.ms, LAG_MS_FLOOR);
    band_add(&member->transactions, lag.transactions, LAG_TRANSACTIONS_FLOOR);
}

struct lag lag_reported(const struct assessed *member)
{
    return (struct lag){member->lag_state, reported(&member->bytes), reported(&member->ms),
                        reported(&member->transactions)};
}
