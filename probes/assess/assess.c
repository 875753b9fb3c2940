#include "probes/assess/assess.h"

#include <assert.h>
#include <string.h>

#include "probes/assess/alias.h"
#include "probes/assess/history.h"
#include "probes/assess/incumbent.h"
#include "probes/assess/standing.h"
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
    assessment->interval_ms = settings->interval_ms;
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

/* Slot of the member of this name at this address, from `from` on; else a free one. */
static size_t slot_for(const struct assessment *assessment, size_t from,
                       const struct member_config *config)
{
    size_t free_slot = MEMBERS_MAX;
    for (size_t i = from; i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (same_place(&member->config, config)) {
            return i;
        }
        free_slot = member->config.name[0] ? free_slot : i;
    }
    assert(free_slot < MEMBERS_MAX);
    return free_slot;
}

static void swap(struct assessed *a, struct assessed *b)
{
    struct assessed was = *a;
    *a = *b;
    *b = was;
}

static bool is_listed(const struct cluster_settings *cluster, const struct member_config *config)
{
    for (size_t i = 0; i < cluster->member_count; i++) {
        if (same_place(config, &cluster->members[i])) {
            return true;
        }
    }
    return false;
}

/* In place: those that stay are moved to the front, the slots behind them are freed, and then each
 * member of the new list takes its own slot or a free one. */
void assess_reload(struct assessment *assessment, const struct cluster_settings *cluster,
                   const struct probe_settings *settings)
{
    assert(cluster->member_count <= MEMBERS_MAX);
    size_t kept = 0;
    apply(assessment, cluster, settings);
    for (size_t i = 0; i < assessment->member_count; i++) {
        if (is_listed(cluster, &assessment->members[i].config)) {
            swap(&assessment->members[kept++], &assessment->members[i]);
        }
    }
    memset(&assessment->members[kept], 0, (MEMBERS_MAX - kept) * sizeof assessment->members[0]);
    assessment->member_count = cluster->member_count;
    alias_forget(assessment);
    for (size_t i = 0; i < cluster->member_count; i++) {
        size_t from = slot_for(assessment, i, &cluster->members[i]);
        swap(&assessment->members[i], &assessment->members[from]);
        assessment->members[i].config = cluster->members[i];
        if (strcmp(cluster->members[i].name, assessment->source) == 0 &&
            !assessment->members[i].answered) {
            assessment->source[0] = '\0'; /* another server by that name */
        }
    }
}

void assess_hint(struct assessment *assessment, enum kind kind)
{
    int rank = kind_traits_of(kind)->rank;
    if (assessment->finds_kind && rank > kind_traits_of(assessment->policy.kind)->rank) {
        assessment->policy.kind = kind;
    }
}

/* ---- looks ----------------------------------------------------------------------------------- */

static bool same_facts(const struct observation *a, const struct observation *b)
{
    return a->writable == b->writable && a->replica == b->replica && a->live == b->live &&
           a->connecting == b->connecting && a->applying == b->applying &&
           a->fed_elsewhere == b->fed_elsewhere && a->archived == b->archived &&
           (a->unapplied == b->unapplied || a->live) &&
           strcmp(a->stream_name, b->stream_name) == 0 && strcmp(a->awaited, b->awaited) == 0 &&
           strcmp(a->lineage, b->lineage) == 0 && strcmp(a->identity, b->identity) == 0 &&
           strcmp(a->self_id, b->self_id) == 0 && strcmp(a->closed_by, b->closed_by) == 0 &&
           a->group.type == b->group.type && a->group.state == b->group.state &&
           a->group.leads == b->group.leads && a->group.many == b->group.many &&
           a->group.size == b->group.size && a->group.reachable == b->group.reachable &&
           strcmp(a->group.leader_id, b->group.leader_id) == 0 && a->claim == b->claim &&
           a->ready == b->ready && strcmp(a->upstream_host, b->upstream_host) == 0 &&
           a->upstream_port == b->upstream_port && strcmp(a->upstream_id, b->upstream_id) == 0;
}

/* MySQL and MariaDB have the second of their start by a clock that may be set. While they have been
 * up for as long as can be, it is the same start; when not, another one, however close. */
static void take_start(struct assessed *member, const struct observation *observation,
                       int64_t now_ms)
{
    int64_t start_ms = observation->start_ms < 0 ? 0 : observation->start_ms;
    int64_t uptime_ms = observation->uptime_ms;
    int64_t least_ms = member->uptime_ms + (now_ms - member->answered_ms) - START_SLACK_MS;
    if (uptime_ms >= 0 && member->start_ms > 0) {
        int64_t apart_ms = start_ms - member->start_ms;
        bool near = -START_SLACK_MS <= apart_ms && apart_ms <= START_SLACK_MS;
        if (uptime_ms >= member->uptime_ms && uptime_ms >= least_ms) {
            start_ms = member->start_ms;
        } else if (near) {
            start_ms = member->start_ms + START_SLACK_MS + 1;
        }
    }
    member->start_ms = start_ms;
    member->uptime_ms = uptime_ms;
}

static int take_answer(struct assessment *assessment, struct assessed *member,
                       const struct observation *observation, const char *address, int64_t now_ms)
{
    struct observation facts = *observation, before = member->facts;
    bool had_answered = member->answered;
    int64_t before_ms = member->answered_ms;
    standing_choose_channel(assessment, &facts);
    bool same =
        member->answered && same_facts(&member->facts, &facts) && member->standing == ANSWER_OK;
    int flags = same && member->failures == 0 ? ASSESS_SAME : ASSESS_ALARM;
    member->failures = 0;
    member->successes++;
    if (!member->answered || strcmp(member->facts.lineage, observation->lineage) != 0) {
        member->view_ms = now_ms;
    }
    take_start(member, observation, now_ms);
    member->answered = true;
    member->answered_ms = now_ms;
    member->facts = facts;
    bool claimed = member->claims;
    member->claims = standing_claim(assessment, member).claim;
    member->claims_since_ms = claimed ? member->claims_since_ms : now_ms;
    member->missing[0] = '\0';
    assess_hint(assessment, kind_shown(assessment->policy.engine, observation));
    member->detail[0] = '\0';
    strncpy(member->address, address ? address : "", sizeof member->address - 1);
    bool returns = member->standing != ANSWER_OK &&
                   answer_health(member->standing) == HEALTH_DOWN && !member->claims;
    if (!returns || member->successes >= assessment->rise) {
        member->standing = ANSWER_OK;
        flags |= same ? 0 : ASSESS_CHANGED;
    }
    history_look(assessment, member, had_answered ? &before : NULL);
    lag_mark(assessment, member, now_ms);
    lag_measure(assessment, member, now_ms);
    incumbent_answered(assessment, member, now_ms);
    alias_look(assessment, (size_t)(member - assessment->members), had_answered ? &before : NULL,
               before_ms);
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
        /* the privilege was missing for what shows the kind, and that it answered */
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
    assert(i < assessment->member_count);
    struct assessed *member = &assessment->members[i];
    if (answer_health(observation->answer) == HEALTH_UP) {
        member->responded_ms = now_ms;
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

void assess_next(struct assessment *assessment, size_t i, int64_t next_ms)
{
    assert(i < assessment->member_count);
    assessment->members[i].next_ms = next_ms;
}

int assess_feeder(const struct assessment *assessment, size_t i)
{
    assert(i < assessment->member_count);
    const struct assessed *member = &assessment->members[i];
    bool streams = member->answered && member->facts.live && standing_has_answer(member);
    return streams ? standing_upstream(assessment, &member->facts) : -1;
}

void assess_verdict(struct assessment *assessment, const struct topology *topology)
{
    assess_hint(assessment, topology->policy.kind);
    alias_hint(assessment, topology);
    history_hint(assessment, topology);
    standing_take(assessment, topology);
}

/* ---- the report ------------------------------------------------------------------------------ */

static bool is_overdue(const struct assessment *assessment, const struct assessed *member,
                       int64_t now_ms)
{
    /* one that waits for a log-in is not asked at all meanwhile */
    int64_t since_ms = member->next_ms > member->looked_ms ? member->next_ms : member->looked_ms;
    return member->looked && now_ms - since_ms > assessment->overdue_ms;
}

static enum channel_state channel_of(const struct observation *facts)
{
    if (!facts->replica) {
        return CHANNEL_NONE;
    }
    return facts->live         ? CHANNEL_LIVE
           : facts->connecting ? CHANNEL_CONNECTING
           : facts->applying   ? CHANNEL_APPLYING
                               : CHANNEL_STOPPED;
}

static int upstream_of(const struct assessment *assessment, const struct observation *facts)
{
    return standing_server(assessment, standing_upstream(assessment, facts));
}

static void describe_answer(const struct assessment *assessment, const struct assessed *member,
                            int64_t now_ms, struct member_report *member_report)
{
    const struct observation *facts = &member->facts;
    int upstream = upstream_of(assessment, facts);
    struct claim_state state = standing_claim(assessment, member);
    member_report->claim = state.claim;
    member_report->shared = state.claim && state.shared;
    member_report->writable = state.writable;
    member_report->condition = state.condition;
    strcpy(member_report->closed_by, state.writable ? "" : facts->closed_by);
    bool apart = history_is_apart(member);
    member_report->sync = upstream >= 0 && !apart &&
                          standing_has_answer(&assessment->members[upstream]) &&
                          kind_awaits(&assessment->members[upstream].facts, facts);
    member_report->replica = facts->replica;
    member_report->live = facts->live && !apart;
    member_report->start_ms = member->start_ms;
    member_report->channel = apart ? CHANNEL_CONNECTING : channel_of(facts);
    member_report->unapplied = facts->replica && !facts->live && facts->unapplied;
    strcpy(member_report->self, facts->self_id);
    strcpy(member_report->lineage, standing_lineage(assessment, member, now_ms));
    strcpy(member_report->identity, facts->identity);
    strcpy(member_report->version, facts->version);
    strcpy(member_report->upstream, upstream >= 0 ? assessment->members[upstream].config.name : "");
    strcpy(member_report->alias, member->alias);
    member_report->lag = lag_reported(assessment, member, now_ms);
    member_report->lag.state = apart ? LAG_BROKEN : member_report->lag.state;
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
        bool was_claim = standing_rules(assessment)->claim_state(&member->facts, NULL).claim;
        member_report->last_role = was_claim ? ROLE_PRIMARY : ROLE_SECONDARY;
        strcpy(member_report->last_lineage, member->facts.lineage);
        member_report->lag = lag_reported(assessment, member, now_ms);
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
    if (alias_is_open(assessment) && !ret_report->abstains[0]) {
        strcpy(ret_report->abstains, "starting"); /* is one server listed twice? */
    }
    if (assessment->policy.kind == KIND_AUTO && !ret_report->abstains[0]) {
        strcpy(ret_report->abstains, "kind not known"); /* until a server answers */
    }
    standing_relate(assessment, ret_report);
    incumbent_relate(assessment, now_ms, ret_report);
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
            return standing_has_answer(member) && member->facts.writable && member->failures == 0;
        }
    }
    return false;
}
