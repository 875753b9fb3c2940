#include "probes/assess/assess.h"

#include <string.h>

#include "probes/kinds/gtid.h"
#include "probes/kinds/kind.h"

/* ---- settings -------------------------------------------------------------------------------- */

static void apply(struct assessment *assessment, const struct cluster_settings *cluster,
                  const struct probe_settings *settings)
{
    enum kind found = assessment->finds_kind ? assessment->policy.kind : KIND_AUTO;
    assessment->policy = cluster->policy;
    assessment->finds_kind = cluster->policy.kind == KIND_AUTO;
    if (assessment->finds_kind) {
        assessment->policy.kind = found;
    }
    assessment->rise = settings->rise;
    assessment->fall = settings->fall;
    assessment->overdue_ms = 3 * (settings->interval_ms + settings->timeout_ms * 2);
    assessment->fresh_ms = settings->interval_ms + settings->timeout_ms;
}

void assess_init(struct assessment *assessment, const char *probe,
                 const struct cluster_settings *cluster, const struct probe_settings *settings)
{
    memset(assessment, 0, sizeof *assessment);
    strcpy(assessment->cluster, cluster->name);
    strcpy(assessment->probe, probe);
    assess_reload(assessment, cluster, settings);
}

static bool same_place(const struct member_config *a, const struct member_config *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

void assess_reload(struct assessment *assessment, const struct cluster_settings *cluster,
                   const struct probe_settings *settings)
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
            if (same_place(&before[k].config, &cluster->members[i])) {
                *member = before[k];
            }
        }
        member->config = cluster->members[i];
    }
}

/* ---- who replicates from whom ---------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "::1") == 0;
}

static bool is_host_of(const struct assessed *member, const char *host)
{
    return strcmp(member->config.host, host) == 0 ||
           (member->address[0] && strcmp(member->address, host) == 0) ||
           (is_loopback(host) &&
            (is_loopback(member->config.host) || is_loopback(member->address)));
}

static bool has_answer(const struct assessed *member)
{
    return member->standing == ANSWER_OK;
}

/* The member with this identity of its own, where one is given, else at this address. -1: none of
 * ours. */
static int find_member(const struct assessment *assessment, const char *id, const char *host,
                       uint16_t port)
{
    for (size_t i = 0; id[0] && i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (member->answered && strcmp(member->facts.self_id, id) == 0) {
            return (int)i;
        }
    }
    for (size_t i = 0; host[0] && i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (member->config.port == port && is_host_of(member, host)) {
            return (int)i;
        }
    }
    return -1;
}

/* The member that `facts` replicate from. */
static int upstream_of(const struct assessment *assessment, const struct observation *facts)
{
    return find_member(assessment, facts->upstream_id, facts->upstream_host, facts->upstream_port);
}

/* Of several channels, the one to tell of: one that leads to a member before one that does not,
 * then by how well it runs. */
static void choose_channel(const struct assessment *assessment, struct observation *facts)
{
    size_t best = 0;
    int most = -1;
    for (size_t i = 0; i < facts->channel_count; i++) {
        const struct channel *channel = &facts->channels[i];
        bool is_ours = find_member(assessment, channel->id, channel->host, channel->port) >= 0;
        int worth = (is_ours ? 4 : 0) + (channel->live ? 2 : channel->connecting ? 1 : 0);
        if (worth > most) {
            most = worth;
            best = i;
        }
    }
    if (facts->channel_count > 1 && facts->group.type == GROUP_NONE) {
        observation_follow(facts, best);
    }
}

/* The other half of a circular pair, by what it answered; NULL: there is none. */
static const struct observation *other_half_of(const struct assessment *assessment,
                                               const struct assessed *member)
{
    int upstream = upstream_of(assessment, &member->facts);
    if (upstream < 0 || !has_answer(&assessment->members[upstream])) {
        return NULL;
    }
    const struct observation *facts = &assessment->members[upstream].facts;
    return upstream_of(assessment, facts) == member - assessment->members ? facts : NULL;
}

/* By which kind to read the servers. */
static enum kind kind_of(const struct assessment *assessment)
{
    return kind_or_least(assessment->policy.kind, assessment->policy.engine);
}

static const struct kind_rules *rules_of(const struct assessment *assessment)
{
    return kind_rules_of(kind_of(assessment));
}

static struct claim_state claim_of(const struct assessment *assessment,
                                   const struct assessed *member)
{
    return rules_of(assessment)->claim_state(&member->facts, other_half_of(assessment, member));
}

static bool claims(const struct assessment *assessment, const struct assessed *member)
{
    return has_answer(member) && claim_of(assessment, member).claim;
}

void assess_hint(struct assessment *assessment, enum kind kind)
{
    int rank = kind_traits_of(kind)->rank;
    if (assessment->finds_kind && rank > kind_traits_of(assessment->policy.kind)->rank) {
        assessment->policy.kind = kind;
    }
}

/* ---- lag ------------------------------------------------------------------------------------- */

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

static bool is_silent(const struct assessment *assessment, const struct assessed *member,
                      int64_t now_ms)
{
    return answer_health(member->last) != HEALTH_UP &&
           now_ms - member->heard_ms > assessment->fresh_ms;
}

/* What comes down to a replica from above it. */
enum feed {
    FEED_FLOWS,
    /* a member above says nothing any more: whether it has something new, nobody knows */
    FEED_SILENT,
    FEED_CUT /* a member above is not fed itself: what it has is passed on, the rest does not come
              */
};

static enum feed feed_of(const struct assessment *assessment, const struct assessed *member,
                         int64_t now_ms)
{
    for (size_t steps = 0; steps < assessment->member_count; steps++) {
        int i = upstream_of(assessment, &member->facts);
        if (i < 0) {
            return FEED_FLOWS;
        }
        member = &assessment->members[i];
        const struct observation *facts = &member->facts;
        if (is_silent(assessment, member, now_ms)) {
            return FEED_SILENT;
        }
        if (!has_answer(member) || !facts->replica || claims(assessment, member) ||
            (facts->writable && !facts->live)) {
            return FEED_FLOWS; /* what it has is the newest that there is */
        }
        bool passes_on = facts->live && (facts->applying ||
                                         kind_traits_of(kind_of(assessment))->passes_on_unapplied);
        if (!passes_on && !facts->archived && !facts->missing[0]) {
            return FEED_CUT;
        }
    }
    return FEED_FLOWS; /* in a circle */
}

static void measure_lag(const struct assessment *assessment, struct assessed *member,
                        int64_t now_ms)
{
    enum feed feed = feed_of(assessment, member, now_ms);
    struct observation facts = member->facts;
    if (feed == FEED_SILENT) {
        facts.lag_ms = -1;
    }
    struct lag lag = rules_of(assessment)->lag(&facts, source_of(assessment, now_ms));
    if (lag.state == LAG_OK && feed != FEED_FLOWS) {
        lag.state = feed == FEED_CUT ? LAG_BROKEN : LAG_UNKNOWN;
    }
    bool told_nothing = !facts.replica || lag.state == LAG_UNKNOWN;
    member->lag_state = lag.state;
    if (lag.ms < 0 && told_nothing) {
        member->ms = (struct band){0};
    }
    if (lag.bytes < 0 && lag.ms < 0 && lag.transactions < 0 && told_nothing) {
        member->bytes = member->ms = member->transactions = (struct band){0};
    }
    band_take(&member->bytes, lag.bytes, LAG_BYTES_FLOOR);
    band_take(&member->ms, lag.ms, LAG_MS_FLOOR);
    band_take(&member->transactions, lag.transactions, LAG_TRANSACTIONS_FLOOR);
}

/* ---- looks ----------------------------------------------------------------------------------- */

static bool same_facts(const struct observation *a, const struct observation *b)
{
    return a->writable == b->writable && a->replica == b->replica && a->live == b->live &&
           a->connecting == b->connecting && a->applying == b->applying &&
           a->fed_elsewhere == b->fed_elsewhere && a->archived == b->archived &&
           strcmp(a->stream_name, b->stream_name) == 0 && strcmp(a->awaited, b->awaited) == 0 &&
           strcmp(a->lineage, b->lineage) == 0 && strcmp(a->identity, b->identity) == 0 &&
           strcmp(a->self_id, b->self_id) == 0 && a->group.type == b->group.type &&
           a->group.state == b->group.state && a->group.leads == b->group.leads &&
           a->group.many == b->group.many && a->group.size == b->group.size &&
           a->group.reachable == b->group.reachable &&
           strcmp(a->group.leader_id, b->group.leader_id) == 0 && a->claim == b->claim &&
           a->ready == b->ready && strcmp(a->upstream_host, b->upstream_host) == 0 &&
           a->upstream_port == b->upstream_port && strcmp(a->upstream_id, b->upstream_id) == 0;
}

static int take_answer(struct assessment *assessment, struct assessed *member,
                       const struct observation *observation, const char *address, int64_t now_ms)
{
    struct observation facts = *observation;
    choose_channel(assessment, &facts);
    bool same =
        member->answered && same_facts(&member->facts, &facts) && member->standing == ANSWER_OK;
    int flags = same && member->failures == 0 ? ASSESS_SAME : ASSESS_ALARM;
    member->failures = 0;
    member->successes++;
    if (!member->answered || strcmp(member->facts.lineage, observation->lineage) != 0) {
        member->view_ms = now_ms;
    }
    member->answered = true;
    member->answered_ms = now_ms;
    member->facts = facts;
    bool claimed = member->claims;
    member->claims = claim_of(assessment, member).claim;
    member->claims_since_ms = claimed ? member->claims_since_ms : now_ms;
    member->missing[0] = '\0';
    assess_hint(assessment, kind_shown(assessment->policy.engine, observation));
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

static int take_failure(struct assessment *assessment, struct assessed *member,
                        const struct observation *observation)
{
    int flags =
        member->failures == 0 && member->last != observation->answer ? ASSESS_ALARM : ASSESS_SAME;
    bool definite = answer_is_definite(observation->answer);
    member->successes = 0;
    member->failures += definite ? 0 : 1;
    memcpy(member->detail, observation->detail, sizeof member->detail);
    memcpy(member->missing, observation->missing, sizeof member->missing);
    if (observation->answer == ANSWER_PRIVILEGE) {
        /* so much it has said */
        assess_hint(assessment, kind_shown(assessment->policy.engine, observation));
    }
    if ((definite || member->failures >= assessment->fall) &&
        member->standing != observation->answer) {
        member->standing = observation->answer;
        flags |= ASSESS_CHANGED | ASSESS_ALARM;
    }
    return flags;
}

int assess_look(struct assessment *assessment, size_t i, const struct observation *observation,
                const char *address, int64_t now_ms, int64_t now_wall_ms)
{
    struct assessed *member = &assessment->members[i];
    if (answer_health(observation->answer) == HEALTH_UP) {
        member->heard_ms = now_ms;
    }
    int flags = observation->answer == ANSWER_OK
                    ? take_answer(assessment, member, observation, address, now_ms)
                    : take_failure(assessment, member, observation);
    member->looked = true;
    member->looked_ms = now_ms;
    member->last = observation->answer;
    if (flags & ASSESS_CHANGED) {
        assessment->changed_wall_ms = now_wall_ms;
    }
    return flags;
}

/* ---- the report ------------------------------------------------------------------------------ */

static bool is_overdue(const struct assessment *assessment, const struct assessed *member,
                       int64_t now_ms)
{
    /* asked rarely, so that the account is not locked */
    bool waits = member->standing == ANSWER_AUTH;
    return member->looked && !waits && now_ms - member->looked_ms > assessment->overdue_ms;
}

static int64_t told(const struct band *band)
{
    return band->known ? band->top : -1;
}

static bool is_peer(const struct assessment *assessment, const struct assessed *member)
{
    struct claim_state state =
        has_answer(member) ? claim_of(assessment, member) : (struct claim_state){0};
    return state.claim && state.shared;
}

/* The view that a member writes in. A new one reaches members one after the other, and probes one
 * after the other see that: for a moment, who may write beside others goes by the newest view among
 * them. Whoever is cut off says so; or keeps to the old view for longer. */
static const char *view_of(const struct assessment *assessment, const struct assessed *member,
                           int64_t now_ms)
{
    const struct assessed *newest = member;
    int64_t since_ms = 0;
    for (size_t i = 0; is_peer(assessment, member) && i < assessment->member_count; i++) {
        const struct assessed *other = &assessment->members[i];
        int newer = lineage_compare(other->facts.lineage, newest->facts.lineage);
        bool first = newer > 0 || (newer == 0 && newest != member && other->view_ms < since_ms);
        if (first && is_peer(assessment, other) &&
            strcmp(other->facts.identity, member->facts.identity) == 0) {
            newest = other;
            since_ms = other->view_ms;
        }
    }
    return now_ms - since_ms < VIEW_SPREADS_MS ? newest->facts.lineage : member->facts.lineage;
}

static void describe_answer(const struct assessment *assessment, const struct assessed *member,
                            int64_t now_ms, struct member_report *member_report)
{
    const struct observation *facts = &member->facts;
    int upstream = upstream_of(assessment, facts);
    struct claim_state state = claim_of(assessment, member);
    member_report->claim = state.claim;
    member_report->shared = state.claim && state.shared;
    member_report->writable = state.writable;
    member_report->condition = state.condition;
    member_report->sync = upstream >= 0 && has_answer(&assessment->members[upstream]) &&
                          kind_awaits(&assessment->members[upstream].facts, facts);
    member_report->replica = facts->replica;
    member_report->live = facts->live;
    strcpy(member_report->lineage, view_of(assessment, member, now_ms));
    strcpy(member_report->identity, facts->identity);
    strcpy(member_report->version, facts->version);
    strcpy(member_report->upstream, upstream >= 0 ? assessment->members[upstream].config.name : "");
    member_report->lag = (struct lag){member->lag_state, told(&member->bytes), told(&member->ms),
                                      told(&member->transactions)};
}

static void describe(const struct assessment *assessment, const struct assessed *member,
                     int64_t now_ms, struct member_report *member_report)
{
    *member_report = (struct member_report){.config = member->config, .lag = LAG_NOT_KNOWN};
    member_report->answer =
        is_overdue(assessment, member, now_ms) ? ANSWER_UNKNOWN : member->standing;
    strcpy(member_report->missing,
           member_report->answer == ANSWER_OK ? member->facts.missing : member->missing);
    if (member_report->answer == ANSWER_OK) {
        describe_answer(assessment, member, now_ms, member_report);
    } else if (member->answered) {
        bool was_claim = rules_of(assessment)->claim_state(&member->facts, NULL).claim;
        member_report->last_role = was_claim ? ROLE_PRIMARY : ROLE_SECONDARY;
        strcpy(member_report->last_lineage, member->facts.lineage);
    }
}

/* Has `theirs` something that `mine` has not? What `mine` was fed it has by when it claims, so what
 * the other says after that can be compared. Where nothing else orders them, not to know is to
 * lack. */
static bool lacks(const struct assessed *mine, const struct assessed *theirs, bool ordered)
{
    enum gtid_relation relation = gtid_compare(mine->facts.gtids, theirs->facts.gtids);
    if (!ordered && theirs->answered_ms <= mine->claims_since_ms) {
        relation = GTID_UNKNOWN;
    }
    return relation == GTID_LACKS || (relation == GTID_UNKNOWN && !ordered);
}

/* Between rivals: who has what the other has not? Peers take each other's writes, and are always a
 * few apart. */
static void relate_claimants(const struct assessment *assessment, struct report *report)
{
    for (size_t i = 0; i < report->member_count; i++) {
        struct member_report *member_report = &report->members[i];
        bool ordered = member_report->lineage[0];
        for (size_t k = 0;
             member_report->claim && !member_report->shared && k < report->member_count; k++) {
            if (k != i && report->members[k].claim &&
                lacks(&assessment->members[i], &assessment->members[k], ordered)) {
                member_report->lacks |= UINT32_C(1) << k;
            }
        }
    }
}

void assess_report(const struct assessment *assessment, int64_t now_ms, const char *abstains,
                   struct report *ret_report)
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
    if (assessment->policy.kind == KIND_AUTO && !ret_report->abstains[0]) {
        strcpy(ret_report->abstains, "kind not known"); /* until a server answers */
    }
    relate_claimants(assessment, ret_report);
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct member_report *member_report = &ret_report->members[i];
        int upstream =
            member_report->live ? upstream_of(assessment, &assessment->members[i].facts) : -1;
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
        if (strcmp(member->config.name, name) == 0) {
            return has_answer(member) && member->facts.writable && member->failures == 0;
        }
    }
    return false;
}
