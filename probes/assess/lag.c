#include "probes/assess/lag.h"

#include <assert.h>
#include <string.h>

#include "probes/assess/history.h"
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

void band_raise(struct band *band, int64_t value, int64_t floor)
{
    int64_t top = band_top(value < 0 ? 0 : value, floor);
    if (value >= 0 && (!band->known || top > band->top)) {
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
    const struct assessed *source = standing_source(assessment, now_ms);
    for (size_t steps = 0; steps < assessment->member_count; steps++) {
        int upstream = standing_server(assessment, standing_upstream(assessment, &member->facts));
        if (upstream < 0) {
            return is_fed_by_another(assessment, member) ? FEED_SILENT : FEED_FLOWS;
        }
        member = &assessment->members[upstream];
        if (standing_is_foreign(assessment, member, source) || history_is_apart(member)) {
            return FEED_FOREIGN;
        }
        if (is_silent(assessment, member, now_ms)) {
            return FEED_SILENT;
        }
        if (is_origin(assessment, member)) {
            return FEED_FLOWS;
        }
        if (!passes_on(assessment, &member->facts) || history_is_apart(member)) {
            return FEED_CUT;
        }
    }
    return FEED_FLOWS; /* a circle */
}

/* ---- positions ------------------------------------------------------------------------------- */

void lag_mark(struct assessment *assessment, const struct assessed *member, int64_t now_ms)
{
    if (standing_source(assessment, now_ms) != member) {
        return;
    }
    if (strcmp(assessment->source, member->config.name) != 0) {
        strcpy(assessment->source, member->config.name);
        assessment->trail.count = 0;
    }
    trail_add(&assessment->trail, &member->facts.written, now_ms - member->facts.took_ms, now_ms);
}

/* On another timeline than the source's a position is one of another log. */
static bool compares(const struct assessed *source, const struct assessed *member)
{
    const char *lineage = source->facts.lineage;
    return !lineage_is_total(lineage) || strcmp(lineage, member->facts.lineage) == 0;
}

static struct span span_of(const struct assessment *assessment, const struct assessed *member,
                           int64_t now_ms)
{
    const struct assessed *source = standing_source(assessment, now_ms);
    bool measured = source && source != member && compares(source, member) &&
                    strcmp(source->config.name, assessment->source) == 0;
    if (!measured) {
        return (struct span){-1, -1};
    }
    return trail_span(&assessment->trail, &member->facts.applied, now_ms - member->facts.took_ms,
                      now_ms);
}

/* The account of time, as far as positions allow it. */
static int64_t bounded(int64_t account_ms, struct span span)
{
    int64_t ms = account_ms < 0 ? span.most_ms : account_ms;
    ms = span.most_ms >= 0 && ms > span.most_ms ? span.most_ms : ms;
    return ms >= 0 && ms < span.least_ms ? span.least_ms : ms;
}

/* ---- lag ------------------------------------------------------------------------------------- */

static struct lag measure(const struct assessment *assessment, const struct assessed *member,
                          enum feed feed, struct span span, int64_t now_ms)
{
    const struct assessed *source = standing_source(assessment, now_ms);
    struct observation facts = member->facts;
    if (feed == FEED_FOREIGN) {
        return (struct lag){LAG_BROKEN, -1, -1, -1, facts.delay_ms};
    }
    if (feed == FEED_SILENT) {
        facts.lag_ms = -1;
    }
    struct lag lag = standing_rules(assessment)->lag(&facts, source ? &source->facts : NULL);
    if (feed != FEED_SILENT) {
        lag.ms = bounded(lag.ms, span);
    }
    if (lag.state == LAG_OK && feed != FEED_FLOWS) {
        lag.state = feed == FEED_CUT ? LAG_BROKEN : LAG_UNKNOWN;
    }
    return lag;
}

void lag_measure(const struct assessment *assessment, struct assessed *member, int64_t now_ms)
{
    assert(member->answered);
    enum feed feed = lag_feed(assessment, member, now_ms);
    struct span span = span_of(assessment, member, now_ms);
    struct lag lag = measure(assessment, member, feed, span, now_ms);
    /* Former samples mean nothing for a member that does not lag, or whose lag is not known. */
    bool restarts = feed == FEED_FOREIGN ||
                    (lag.ms < 0 && (!member->facts.replica || lag.state == LAG_UNKNOWN));
    member->lag_state = lag.state;
    member->delay_ms = lag.delay_ms;
    if (restarts) {
        member->ms = (struct band){0};
    }
    if (restarts && lag.bytes < 0 && lag.transactions < 0) {
        member->bytes = member->transactions = (struct band){0};
    }
    band_add(&member->bytes, lag.bytes, LAG_BYTES_FLOOR);
    band_add(&member->ms, lag.ms, LAG_MS_FLOOR);
    band_add(&member->transactions, lag.transactions, LAG_TRANSACTIONS_FLOOR);
    if (lag.ms >= 0 && span.least_ms >= assessment->interval_ms) {
        band_raise(&member->ms, span.least_ms, LAG_MS_FLOOR);
    }
}

struct lag lag_reported(const struct assessment *assessment, const struct assessed *member,
                        int64_t now_ms)
{
    if (now_ms - member->answered_ms > assessment->overdue_ms) {
        return LAG_NOT_KNOWN;
    }
    return (struct lag){member->lag_state, reported(&member->bytes), reported(&member->ms),
                        reported(&member->transactions), member->delay_ms};
}
