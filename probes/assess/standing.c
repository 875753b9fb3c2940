#include "probes/assess/standing.h"

#include <assert.h>
#include <string.h>

#include "probes/drivers/gtid_fold.h"
#include "registry/base/host.h"

static enum kind kind_of(const struct assessment *assessment)
{
    return kind_or_least(assessment->policy.kind, assessment->policy.engine);
}

const struct kind_traits *standing_traits(const struct assessment *assessment)
{
    return kind_traits_of(kind_of(assessment));
}

const struct kind_rules *standing_rules(const struct assessment *assessment)
{
    return kind_rules_of(kind_of(assessment));
}

bool standing_has_answer(const struct assessed *member)
{
    assert(member->answered || member->standing != ANSWER_OK);
    return member->standing == ANSWER_OK;
}

bool standing_is_at(const struct assessed *member, const char *host, uint16_t port)
{
    return member->config.port == port &&
           (host_equal(member->config.host, host) ||
            (member->address[0] && host_equal(member->address, host)));
}

/* ---- upstream -------------------------------------------------------------------------------- */

/* MariaDB's server_id repeats between clusters, 1 at every second server: with an address beside
 * it, it proves nothing without that. */
static bool is_proof(const char *id, const char *host)
{
    return id[0] && (!host[0] || id[strspn(id, "0123456789")] != '\0');
}

/* A stream that runs comes from the server with this id. One that does not may have been led to
 * another since. */
static bool contradicts(const struct assessed *member, const char *id, bool live)
{
    return live && id[0] && member->answered && member->facts.self_id[0] &&
           strcmp(member->facts.self_id, id) != 0;
}

/* The member that reports this identity, where that is proof, else the one at this address. */
static int find_member(const struct assessment *assessment, const struct channel *channel)
{
    const char *id = channel->id, *host = channel->host;
    for (size_t i = 0; is_proof(id, host) && i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (member->answered && strcmp(member->facts.self_id, id) == 0) {
            return (int)i;
        }
    }
    for (size_t i = 0; host[0] && i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (standing_is_at(member, host, channel->port) &&
            !contradicts(member, id, channel->live)) {
            return (int)i;
        }
    }
    return -1;
}

int standing_upstream(const struct assessment *assessment, const struct observation *facts)
{
    struct channel chosen = {.live = facts->live, .port = facts->upstream_port};
    strcpy(chosen.id, facts->upstream_id);
    strcpy(chosen.host, facts->upstream_host);
    return find_member(assessment, &chosen);
}

int standing_server(const struct assessment *assessment, int i)
{
    const char *name = i >= 0 ? assessment->members[i].alias : "";
    for (size_t k = 0; name[0] && k < assessment->member_count; k++) {
        if (strcmp(assessment->members[k].config.name, name) == 0) {
            return (int)k;
        }
    }
    return i;
}

void standing_choose_channel(const struct assessment *assessment, struct observation *facts)
{
    assert(facts->channel_count <= CHANNELS_KEPT);
    size_t best = 0;
    int most = -1;
    for (size_t i = 0; i < facts->channel_count; i++) {
        const struct channel *channel = &facts->channels[i];
        bool is_ours = find_member(assessment, channel) >= 0;
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

/* ---- claims ---------------------------------------------------------------------------------- */

/* The other half of a circular pair, by what it answered; NULL: there is none. */
static const struct observation *other_half_of(const struct assessment *assessment,
                                               const struct assessed *member)
{
    int upstream = standing_upstream(assessment, &member->facts);
    if (upstream < 0 || !standing_has_answer(&assessment->members[upstream])) {
        return NULL;
    }
    const struct observation *facts = &assessment->members[upstream].facts;
    return standing_upstream(assessment, facts) == member - assessment->members ? facts : NULL;
}

struct claim_state standing_claim(const struct assessment *assessment,
                                  const struct assessed *member)
{
    assert(member->answered);
    return standing_rules(assessment)
        ->claim_state(&member->facts, other_half_of(assessment, member));
}

bool standing_claims(const struct assessment *assessment, const struct assessed *member)
{
    return standing_has_answer(member) && standing_claim(assessment, member).claim;
}

static bool shares_claim(const struct assessment *assessment, const struct assessed *member)
{
    return standing_claims(assessment, member) && standing_claim(assessment, member).shared;
}

/* ---- the source ------------------------------------------------------------------------------ */

static bool is_barred(const struct topology *topology, const struct member *known)
{
    bool primary = known && strcmp(known->config.name, topology->primary) == 0;
    return known && !primary &&
           (known->fenced || known->claims || known->reason == ANSWER_STRANGER);
}

void standing_take(struct assessment *assessment, const struct topology *topology)
{
    strcpy(assessment->identity, topology->identity);
    for (size_t i = 0; i < assessment->member_count; i++) {
        struct assessed *member = &assessment->members[i];
        member->barred = is_barred(topology, topology_member(topology, member->config.name));
    }
}

/* The verdict's primary comes first: another with a newer lineage is not followed. */
static bool is_source_before(const struct assessed *a, const struct assessed *b)
{
    if (a->was_primary != b->was_primary) {
        return a->was_primary;
    }
    return lineage_compare(a->facts.lineage, b->facts.lineage) > 0;
}

static bool is_stranger(const struct assessment *assessment, const struct assessed *member)
{
    return assessment->identity[0] && member->facts.identity[0] &&
           strcmp(assessment->identity, member->facts.identity) != 0;
}

const struct assessed *standing_source(const struct assessment *assessment, int64_t now_ms)
{
    const struct assessed *source = NULL;
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        bool fresh = now_ms - member->answered_ms <= assessment->fresh_ms;
        if (fresh && !member->barred && !member->alias[0] && standing_claims(assessment, member) &&
            !is_stranger(assessment, member) && (!source || is_source_before(member, source))) {
            source = member;
        }
    }
    return source;
}

/* By its last answer nothing feeds it. */
static bool is_end(const struct assessment *assessment, const struct assessed *member)
{
    const struct observation *facts = &member->facts;
    return member->answered && (!facts->replica || standing_claims(assessment, member) ||
                                (facts->writable && !facts->live));
}

bool standing_is_foreign(const struct assessment *assessment, const struct assessed *member,
                         const struct assessed *source)
{
    if (member->barred || member == source || !is_end(assessment, member)) {
        return member->barred;
    }
    if (shares_claim(assessment, member) && (!source || shares_claim(assessment, source))) {
        return false; /* they have each other's writes */
    }
    bool last = strcmp(member->config.name, assessment->incumbent) == 0;
    return source || (assessment->incumbent[0] && !last);
}

/* ---- lineages -------------------------------------------------------------------------------- */

/* A new view of a group reaches its members one after the other, and the probes see that one after
 * the other: so for VIEW_SPREADS_MS a member that may write beside others is reported with the
 * newest view among them. One that is cut off reports that, or keeps the old view for longer. */
const char *standing_lineage(const struct assessment *assessment, const struct assessed *member,
                             int64_t now_ms)
{
    const struct assessed *newest = member;
    int64_t since_ms = 0;
    bool shares = shares_claim(assessment, member);
    for (size_t i = 0; shares && i < assessment->member_count; i++) {
        const struct assessed *other = &assessment->members[i];
        int newer = lineage_compare(other->facts.lineage, newest->facts.lineage);
        bool first = newer > 0 || (newer == 0 && newest != member && other->view_ms < since_ms);
        if (first && shares_claim(assessment, other) &&
            strcmp(other->facts.identity, member->facts.identity) == 0) {
            newest = other;
            since_ms = other->view_ms;
        }
    }
    return now_ms - since_ms < VIEW_SPREADS_MS ? newest->facts.lineage : member->facts.lineage;
}

/* ---- rivals ---------------------------------------------------------------------------------- */

/* Has `theirs` something that `mine` has not? When `mine` claims it has all that it was fed, so
 * only answers of the other from after that can be compared. Where no lineage orders the two, what
 * is not known counts as lacking. */
static bool lacks(const struct assessed *mine, const struct assessed *theirs, bool ordered)
{
    enum gtid_relation relation = gtid_fold_compare(mine->facts.gtids, theirs->facts.gtids);
    if (!ordered && theirs->answered_ms <= mine->claims_since_ms) {
        relation = GTID_UNKNOWN;
    }
    return relation == GTID_LACKS || (relation == GTID_UNKNOWN && !ordered);
}

/* Those that share a claim are left out: they apply each other's writes, and always differ by a
 * few. */
void standing_relate(const struct assessment *assessment, struct report *report)
{
    assert(report->member_count == assessment->member_count);
    for (size_t i = 0; i < report->member_count; i++) {
        struct member_report *rival = &report->members[i];
        bool ordered = rival->lineage[0];
        for (size_t k = 0; rival->claim && !rival->shared && k < report->member_count; k++) {
            if (k != i && report->members[k].claim &&
                lacks(&assessment->members[i], &assessment->members[k], ordered)) {
                rival->lacks |= UINT32_C(1) << k;
            }
        }
    }
}
