#include "probes/assess.h"

#include <string.h>

#include "probes/judge.h"

/* ---- settings --------------------------------------------------------------------- */

static void apply(struct assessment *assessment, const struct cluster_settings *cluster, const struct probe_settings *settings)
{
    assessment->policy = cluster->policy;
    assessment->rise = settings->rise;
    assessment->fall = settings->fall;
    assessment->overdue_ms = 3 * (settings->interval_ms + settings->timeout_ms * 2);
    assessment->fresh_ms = settings->interval_ms + settings->timeout_ms;
}

void assess_init(struct assessment *assessment, const char *probe, const struct cluster_settings *cluster,
                 const struct probe_settings *settings)
{
    memset(assessment, 0, sizeof *assessment);
    strcpy(assessment->cluster, cluster->name);
    strcpy(assessment->probe, probe);
    assess_reload(assessment, cluster, settings);
}

static bool same_place(const struct listing *a, const struct listing *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

void assess_reload(struct assessment *assessment, const struct cluster_settings *cluster, const struct probe_settings *settings)
{
    struct assessed before[MEMBERS_MAX];
    size_t before_count = assessment->member_count;
    memcpy(before, assessment->members, sizeof before);
    apply(assessment, cluster, settings);
    assessment->member_count = cluster->member_count;
    for (size_t i = 0; i < cluster->member_count; i++) {
        struct assessed *member = &assessment->members[i];
        *member = (struct assessed){0};
        for (size_t k = 0; k < before_count; k++) {
            if (same_place(&before[k].listing, &cluster->members[i])) {
                *member = before[k];
            }
        }
        member->listing = cluster->members[i];
    }
}

/* ---- who replicates from whom -------------------------------------------------------- */

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0;
}

static bool is_host_of(const struct assessed *member, const char *host)
{
    return strcmp(member->listing.host, host) == 0 || (member->address[0] && strcmp(member->address, host) == 0) ||
           (is_loopback(host) && (is_loopback(member->listing.host) || is_loopback(member->address)));
}

static bool has_answer(const struct assessed *member)
{
    return member->standing == ANSWER_OK;
}

/* The member that `facts` replicate from: by the server's own identity where it gives one, else by address. -1: none of ours. */
static int upstream_of(const struct assessment *assessment, const struct observation *facts)
{
    for (size_t i = 0; facts->upstream_id[0] && i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (member->answered && strcmp(member->facts.self_id, facts->upstream_id) == 0) {
            return (int)i;
        }
    }
    for (size_t i = 0; facts->upstream_host[0] && i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (member->listing.port == facts->upstream_port && is_host_of(member, facts->upstream_host)) {
            return (int)i;
        }
    }
    return -1;
}

/* The other half of a circular pair, by what it answered; NULL: there is none. */
static const struct observation *other_half_of(const struct assessment *assessment, const struct assessed *member)
{
    int upstream = upstream_of(assessment, &member->facts);
    if (upstream < 0 || !has_answer(&assessment->members[upstream])) {
        return NULL;
    }
    const struct observation *facts = &assessment->members[upstream].facts;
    return upstream_of(assessment, facts) == member - assessment->members ? facts : NULL;
}

static bool claims(const struct assessment *assessment, const struct assessed *member)
{
    return has_answer(member) && judge_of(assessment->policy.kind)->claims(&member->facts, other_half_of(assessment, member));
}

/* ---- lag ---------------------------------------------------------------------------------- */

static int64_t band_top(int64_t value, int64_t floor)
{
    int64_t top = value == 0 ? 0 : floor;
    while (top < value && top < INT64_MAX / 2) {
        top *= 2;
    }
    return top;
}

static void band_take(struct band *band, int64_t value, int64_t floor)
{
    if (value < 0) {
        return; /* not known this time */
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

/* Fresh facts of the member that claims with the newest lineage. */
static const struct observation *source_of(const struct assessment *assessment, int64_t now_ms)
{
    const struct observation *source = NULL;
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (claims(assessment, member) && now_ms - member->answered_ms <= assessment->fresh_ms &&
            (!source || lineage_compare(member->facts.lineage, source->lineage) > 0)) {
            source = &member->facts;
        }
    }
    return source;
}

static void measure_lag(const struct assessment *assessment, struct assessed *member, int64_t now_ms)
{
    struct lag lag = judge_of(assessment->policy.kind)->lag(&member->facts, source_of(assessment, now_ms));
    member->lag_state = lag.state;
    band_take(&member->bytes, lag.bytes, LAG_BYTES_FLOOR);
    band_take(&member->ms, lag.ms, LAG_MS_FLOOR);
    if (!member->facts.replica) {
        member->bytes = member->ms = (struct band){0};
    }
}

/* ---- looks ----------------------------------------------------------------------------------- */

static bool same_facts(const struct observation *a, const struct observation *b)
{
    return a->writable == b->writable && a->replica == b->replica && a->live == b->live && a->connecting == b->connecting &&
           a->applying == b->applying && strcmp(a->lineage, b->lineage) == 0 && strcmp(a->identity, b->identity) == 0 &&
           strcmp(a->self_id, b->self_id) == 0 && strcmp(a->upstream_host, b->upstream_host) == 0 &&
           a->upstream_port == b->upstream_port && strcmp(a->upstream_id, b->upstream_id) == 0;
}

static int take_answer(struct assessment *assessment, struct assessed *member, const struct observation *observation,
                       const char *address, int64_t now_ms)
{
    bool same = member->answered && same_facts(&member->facts, observation) && member->standing == ANSWER_OK;
    int flags = same && member->failures == 0 ? ASSESS_SAME : ASSESS_ALARM;
    member->failures = 0;
    member->successes++;
    member->answered = true;
    member->answered_ms = now_ms;
    member->facts = *observation;
    member->detail[0] = '\0';
    strncpy(member->address, address ? address : "", sizeof member->address - 1);
    bool returns = member->standing != ANSWER_OK && answer_health(member->standing) == HEALTH_DOWN;
    if (!returns || member->successes >= assessment->rise) {
        member->standing = ANSWER_OK;
        flags |= same ? 0 : ASSESS_CHANGED;
    }
    measure_lag(assessment, member, now_ms);
    return flags;
}

static int take_failure(struct assessment *assessment, struct assessed *member, const struct observation *observation)
{
    int flags = member->failures == 0 && member->last != observation->answer ? ASSESS_ALARM : ASSESS_SAME;
    bool definite = answer_is_definite(observation->answer);
    member->successes = 0;
    member->failures += definite ? 0 : 1;
    memcpy(member->detail, observation->detail, sizeof member->detail);
    if ((definite || member->failures >= assessment->fall) && member->standing != observation->answer) {
        member->standing = observation->answer;
        flags |= ASSESS_CHANGED | ASSESS_ALARM;
    }
    return flags;
}

int assess_look(struct assessment *assessment, size_t i, const struct observation *observation, const char *address, int64_t now_ms,
                int64_t now_wall_ms)
{
    struct assessed *member = &assessment->members[i];
    int flags = observation->answer == ANSWER_OK ? take_answer(assessment, member, observation, address, now_ms)
                                                 : take_failure(assessment, member, observation);
    member->looked = true;
    member->looked_ms = now_ms;
    member->last = observation->answer;
    if (flags & ASSESS_CHANGED) {
        assessment->changed_wall_ms = now_wall_ms;
    }
    return flags;
}

/* ---- the report --------------------------------------------------------------------------------- */

static bool is_overdue(const struct assessment *assessment, const struct assessed *member, int64_t now_ms)
{
    bool waits = member->standing == ANSWER_AUTH; /* asked rarely, so that the account is not locked */
    return member->looked && !waits && now_ms - member->looked_ms > assessment->overdue_ms;
}

static void describe_answer(const struct assessment *assessment, const struct assessed *member, struct sighting *sighting)
{
    const struct observation *facts = &member->facts;
    int upstream = upstream_of(assessment, facts);
    sighting->claim = claims(assessment, member);
    sighting->writable = facts->writable;
    sighting->replica = facts->replica;
    sighting->live = facts->live;
    strcpy(sighting->lineage, facts->lineage);
    strcpy(sighting->identity, facts->identity);
    strcpy(sighting->version, facts->version);
    strcpy(sighting->upstream, upstream >= 0 ? assessment->members[upstream].listing.name : "");
    sighting->lag =
        (struct lag){member->lag_state, member->bytes.known ? member->bytes.top : -1, member->ms.known ? member->ms.top : -1};
}

static void describe(const struct assessment *assessment, const struct assessed *member, int64_t now_ms, struct sighting *sighting)
{
    *sighting = (struct sighting){.listing = member->listing, .lag = {LAG_UNKNOWN, -1, -1}};
    sighting->answer = is_overdue(assessment, member, now_ms) ? ANSWER_UNKNOWN : member->standing;
    if (sighting->answer == ANSWER_OK) {
        describe_answer(assessment, member, sighting);
    } else if (member->answered) {
        bool was_claim = judge_of(assessment->policy.kind)->claims(&member->facts, NULL);
        sighting->last_role = was_claim ? ROLE_PRIMARY : ROLE_SECONDARY;
        strcpy(sighting->last_lineage, member->facts.lineage);
    }
}

void assess_report(const struct assessment *assessment, int64_t now_ms, const char *abstains, struct report *ret_report)
{
    memset(ret_report, 0, sizeof *ret_report);
    strcpy(ret_report->cluster, assessment->cluster);
    strcpy(ret_report->probe, assessment->probe);
    strcpy(ret_report->abstains, abstains);
    ret_report->rules = MODEL_RULES;
    ret_report->policy = assessment->policy;
    ret_report->seen_wall_ms = assessment->changed_wall_ms;
    ret_report->member_count = (uint8_t)assessment->member_count;
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        describe(assessment, member, now_ms, &ret_report->members[i]);
        if (member->standing == ANSWER_UNKNOWN && !abstains[0]) {
            strcpy(ret_report->abstains, "starting"); /* until every member was looked at */
        }
    }
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct sighting *sighting = &ret_report->members[i];
        int upstream = sighting->live ? upstream_of(assessment, &assessment->members[i].facts) : -1;
        if (upstream >= 0) {
            ret_report->members[upstream].replicas |= UINT32_C(1) << i;
        }
    }
}

static bool is_ambiguous(enum answer answer)
{
    return answer == ANSWER_TIMEOUT || answer == ANSWER_UNREACHABLE || answer == ANSWER_NAME;
}

void assess_count_failing(const struct assessment *assessment, size_t *targets, size_t *failing)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        *targets += 1;
        *failing += is_ambiguous(assessment->members[i].last);
    }
}

bool assess_sees_writer(const struct assessment *assessment, const char *name)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (strcmp(member->listing.name, name) == 0) {
            return has_answer(member) && member->facts.writable && member->failures == 0;
        }
    }
    return false;
}
