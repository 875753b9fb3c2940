#include "probes/discovery/discovery.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/assess/standing.h"
#include "probes/discovery/relation.h"
#include "registry/base/host.h"
#include "registry/base/text.h"

void discovery_name(const struct candidate *candidate, char to[NAME_SIZE])
{
    snprintf(to, NAME_SIZE, "%.*s-%u", LITERAL_TEXT_SIZE, candidate->host, candidate->port);
    for (char *at = to; *at; at++) {
        *at = *at == ':' ? '_' : *at;
    }
}

/* ---- the list -------------------------------------------------------------------------------- */

static void notify(const struct discovery *discovery, enum discovery_event event,
                   const struct candidate *candidate, const char *why)
{
    if (discovery->on_event) {
        discovery->on_event(discovery->owner, event, candidate, why);
    }
}

/* Notifies when the reason is another than the last time. */
static void refuse(struct discovery *discovery, struct candidate *candidate, enum refusal refusal,
                   const char *detail)
{
    static const char *const reasons[] = {
        [REFUSAL_NONE] = "",
        [REFUSAL_NAME] = "it is a name, and only addresses count",
        [REFUSAL_RANGE] = "it is outside of discover_within",
        [REFUSAL_LOOPBACK] = "it is a loopback address of another host",
        [REFUSAL_ANSWER] = "it gives no answer",
        [REFUSAL_IDENTITY] = "it belongs to another cluster",
        [REFUSAL_DOUBLE] = "it is a member already, by another address",
        [REFUSAL_UNRELATED] =
            "nothing shows that it replicates from a listed member, or a listed member from it",
        [REFUSAL_CLAIM] = "it is no standby, and no listed member follows it",
        [REFUSAL_FULL] = "there are discover_max already",
    };
    assert(refusal != REFUSAL_NONE && candidate->state != CANDIDATE_VERIFIED);
    if (candidate->refusal != refusal) {
        char why[SENTENCE_SIZE];
        snprintf(why, sizeof why, "%s%s%s", reasons[refusal], *detail ? ": " : "", detail);
        candidate->refusal = refusal;
        notify(discovery, DISCOVERY_REFUSED, candidate, why);
    }
}

static struct candidate *find(struct discovery *discovery, const char *host, uint16_t port)
{
    for (size_t i = 0; i < discovery->count; i++) {
        if (discovery->candidates[i].port == port &&
            text_equal(discovery->candidates[i].host, host)) {
            return &discovery->candidates[i];
        }
    }
    return NULL;
}

static void remove_candidate(struct discovery *discovery, size_t i)
{
    assert(i < discovery->count);
    discovery->count--;
    memmove(&discovery->candidates[i], &discovery->candidates[i + 1],
            (discovery->count - i) * sizeof discovery->candidates[i]);
}

/* Room for one more: at the cost of the one of least use, but never of a member or one on trial. A
 * barred one replaces none. */
static bool make_room(struct discovery *discovery, bool barred)
{
    assert(discovery->count <= CANDIDATES_MAX);
    size_t least = CANDIDATES_MAX;
    if (discovery->count < CANDIDATES_MAX) {
        return true;
    }
    for (size_t i = 0; !barred && i < discovery->count; i++) {
        const struct candidate *candidate = &discovery->candidates[i];
        bool refused = candidate->state == CANDIDATE_WAITS && candidate->refusal != REFUSAL_NONE;
        if (candidate->state == CANDIDATE_BARRED || (refused && least == CANDIDATES_MAX)) {
            least = i;
        }
    }
    if (least < CANDIDATES_MAX) {
        remove_candidate(discovery, least);
    }
    return least < CANDIDATES_MAX;
}

static struct candidate *add(struct discovery *discovery, const char *host, uint16_t port,
                             enum refusal barred, int64_t now_ms)
{
    assert(!find(discovery, host, port) && strlen(host) < ADVERTISED_SIZE);
    if (!make_room(discovery, barred != REFUSAL_NONE)) {
        return NULL;
    }
    struct candidate *candidate = &discovery->candidates[discovery->count++];
    *candidate = (struct candidate){
        .port = port, .named_ms = now_ms, .due_ms = now_ms, .wait_ms = TRIAL_AGAIN_MS};
    text_copy(candidate->host, sizeof candidate->host, host);
    candidate->state = barred == REFUSAL_NONE ? CANDIDATE_WAITS : CANDIDATE_BARRED;
    return candidate;
}

static size_t count_of(const struct discovery *discovery, enum candidate_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < discovery->count; i++) {
        count += discovery->candidates[i].state == state;
    }
    return count;
}

/* ---- settings -------------------------------------------------------------------------------- */

static void take_configured(struct discovery *discovery, const struct cluster_settings *configured)
{
    discovery->configured = configured->member_count;
    discovery->port_count = 0;
    for (size_t i = 0; i < configured->member_count; i++) {
        size_t k = 0;
        memcpy(discovery->names[i], configured->members[i].name, NAME_SIZE);
        while (k < discovery->port_count && discovery->ports[k] != configured->members[i].port) {
            k++;
        }
        discovery->ports[k] = configured->members[i].port;
        discovery->port_count = k == discovery->port_count ? k + 1 : discovery->port_count;
    }
}

/* Configured by now, or of the same name as one that is. */
static bool is_taken(const struct candidate *candidate, const struct cluster_settings *configured)
{
    char name[NAME_SIZE];
    discovery_name(candidate, name);
    for (size_t i = 0; i < configured->member_count; i++) {
        const struct member_config *config = &configured->members[i];
        if (text_equal(config->name, name) ||
            (config->port == candidate->port && host_equal(config->host, candidate->host))) {
            return true;
        }
    }
    return false;
}

void discovery_reload(struct discovery *discovery, const struct cluster_settings *configured)
{
    assert(configured->member_count <= MEMBERS_MAX);
    char wrong[SENTENCE_SIZE];
    size_t verified = 0;
    discovery->on = configured->discover && cidr_parse(configured->discover_within,
                                                       &discovery->within, wrong, sizeof wrong);
    discovery->forget_ms = configured->discover_forget_ms;
    discovery->most = (size_t)configured->discover_max;
    if (discovery->most > MEMBERS_MAX - configured->member_count) {
        discovery->most = MEMBERS_MAX - configured->member_count;
    }
    take_configured(discovery, configured);
    for (size_t i = 0; i < discovery->count;) {
        struct candidate *candidate = &discovery->candidates[i];
        candidate->state =
            candidate->state == CANDIDATE_ON_TRIAL ? CANDIDATE_WAITS : candidate->state;
        bool allowed = discovery->on && !is_taken(candidate, configured) &&
                       candidate->state != CANDIDATE_BARRED &&
                       cidr_contains(&discovery->within, candidate->host);
        verified += candidate->state == CANDIDATE_VERIFIED;
        if (allowed && (candidate->state != CANDIDATE_VERIFIED || verified <= discovery->most)) {
            i++;
        } else {
            remove_candidate(discovery, i);
        }
    }
}

/* ---- learning -------------------------------------------------------------------------------- */

static bool is_listed_at(const struct assessment *assessment, const char *host, uint16_t port)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        if (standing_is_at(&assessment->members[i], host, port)) {
            return true;
        }
    }
    return false;
}

static void learn_one(struct discovery *discovery, const struct assessment *assessment,
                      const struct assessed *by, const char *named, uint16_t port, int64_t now_ms)
{
    char host[LITERAL_TEXT_SIZE];
    bool literal = cidr_literal(named, host);
    struct candidate *candidate = find(discovery, literal ? host : named, port);
    enum refusal barred = !literal                                   ? REFUSAL_NAME
                          : !cidr_contains(&discovery->within, host) ? REFUSAL_RANGE
                          : cidr_is_loopback(host) && !cidr_is_loopback(by->address)
                              ? REFUSAL_LOOPBACK
                              : REFUSAL_NONE;
    if (candidate && candidate->state != CANDIDATE_BARRED) {
        candidate->named_ms = barred == REFUSAL_NONE ? now_ms : candidate->named_ms;
        return;
    }
    if (candidate && barred != REFUSAL_NONE) {
        candidate->named_ms = now_ms;
        return;
    }
    if (is_listed_at(assessment, literal ? host : named, port)) {
        return;
    }
    if (candidate) { /* barred before, as another member named it */
        remove_candidate(discovery, (size_t)(candidate - discovery->candidates));
    }
    candidate = add(discovery, literal ? host : named, port, barred, now_ms);
    if (candidate && barred == REFUSAL_NONE) {
        notify(discovery, DISCOVERY_NAMED, candidate, by->config.name);
    } else if (candidate) {
        refuse(discovery, candidate, barred, "");
    }
}

void discovery_learn(struct discovery *discovery, const struct assessment *assessment, size_t i,
                     int64_t now_ms)
{
    assert(i < assessment->member_count);
    const struct assessed *by = &assessment->members[i];
    const struct observation *facts = &by->facts;
    if (!discovery->on || by->standing != ANSWER_OK || by->last != ANSWER_OK) {
        return;
    }
    for (size_t n = 0; n < facts->advertised.count; n++) {
        const char *host = facts->advertised.server[n].host;
        uint16_t port = facts->advertised.server[n].port;
        for (size_t k = 0; port == 0 && k < discovery->port_count; k++) {
            learn_one(discovery, assessment, by, host, discovery->ports[k], now_ms);
        }
        if (port != 0) {
            learn_one(discovery, assessment, by, host, port, now_ms);
        }
    }
    if (facts->upstream_host[0] && facts->upstream_port &&
        strlen(facts->upstream_host) < ADVERTISED_SIZE) {
        learn_one(discovery, assessment, by, facts->upstream_host, facts->upstream_port, now_ms);
    }
}

void discovery_restore(struct discovery *discovery, const struct member_config *config,
                       int64_t now_ms)
{
    struct candidate restored = {.port = config->port};
    char host[LITERAL_TEXT_SIZE], name[NAME_SIZE];
    if (!discovery->on || !cidr_literal(config->host, host) ||
        !cidr_contains(&discovery->within, host)) {
        return;
    }
    text_copy(restored.host, sizeof restored.host, host);
    discovery_name(&restored, name);
    if (text_equal(name, config->name) && !find(discovery, host, config->port)) {
        struct candidate *candidate = add(discovery, host, config->port, REFUSAL_NONE, now_ms);
        if (candidate) {
            notify(discovery, DISCOVERY_NAMED, candidate, "the registry");
        }
    }
}

/* ---- trials ---------------------------------------------------------------------------------- */

/* Until every listed member was looked at, one of them may be the server that is named. */
static bool has_begun(const struct assessment *assessment)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        if (!assessment->members[i].looked) {
            return false;
        }
    }
    return true;
}

const struct candidate *discovery_next(struct discovery *discovery,
                                       const struct assessment *assessment, int64_t now_ms)
{
    struct candidate *next = NULL;
    assert(count_of(discovery, CANDIDATE_ON_TRIAL) <= TRIALS_MAX);
    if (!discovery->on || !has_begun(assessment) ||
        count_of(discovery, CANDIDATE_ON_TRIAL) >= TRIALS_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < discovery->count; i++) {
        struct candidate *candidate = &discovery->candidates[i];
        if (candidate->state == CANDIDATE_WAITS && candidate->due_ms <= now_ms &&
            (!next || candidate->due_ms < next->due_ms)) {
            next = candidate;
        }
    }
    if (next) {
        next->state = CANDIDATE_ON_TRIAL;
    }
    return next;
}

static bool is_configured(const struct discovery *discovery, const struct assessed *member)
{
    for (size_t i = 0; i < discovery->configured; i++) {
        if (text_equal(discovery->names[i], member->config.name)) {
            return true;
        }
    }
    return false;
}

/* The registry's, else the one on which all configured members that ever answered agree. */
static const char *identity_of(const struct discovery *discovery,
                               const struct assessment *assessment, const char *known)
{
    const char *identity = *known ? known : NULL;
    for (size_t i = 0; !*known && i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        if (member->answered && is_configured(discovery, member)) {
            if (identity && !text_equal(identity, member->facts.identity)) {
                return "";
            }
            identity = member->facts.identity;
        }
    }
    return identity ? identity : "";
}

/* Of two discovered addresses of one server the one with the lesser name is listed, by all probes.
 * A name that is listed is taken, wherever that member is: names in a cluster are unique. */
static bool is_double(const struct discovery *discovery, const struct assessment *assessment,
                      const struct candidate *candidate, const struct observation *facts)
{
    char name[NAME_SIZE];
    discovery_name(candidate, name);
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        int order = strcmp(member->config.name, name);
        bool stays = is_configured(discovery, member) || order < 0;
        if (order == 0 || (stays && member->standing == ANSWER_OK &&
                           relation_same_server(&member->facts, facts))) {
            return true;
        }
    }
    return false;
}

static enum refusal refusal_of(const struct discovery *discovery, const struct candidate *candidate,
                               const struct observation *facts, const struct assessment *assessment,
                               const char *identity)
{
    enum kind kind = kind_or_least(assessment->policy.kind, assessment->policy.engine);
    bool in_data = kind_traits_of(kind)->identity_in_data;
    if (facts->answer != ANSWER_OK) {
        return REFUSAL_ANSWER;
    }
    if (!text_equal(facts->identity, identity) || (in_data && !*identity)) {
        return REFUSAL_IDENTITY;
    }
    if (is_double(discovery, assessment, candidate, facts) ||
        is_listed_at(assessment, candidate->host, candidate->port)) {
        return REFUSAL_DOUBLE;
    }
    if (in_data && !facts->replica &&
        !relation_is_followed(assessment, candidate->host, candidate->port, facts)) {
        return REFUSAL_CLAIM;
    }
    if (!*identity && !relation_is_follower(assessment, facts) &&
        !relation_is_followed(assessment, candidate->host, candidate->port, facts)) {
        return REFUSAL_UNRELATED;
    }
    return count_of(discovery, CANDIDATE_VERIFIED) >= discovery->most ? REFUSAL_FULL : REFUSAL_NONE;
}

static void wait_longer(struct candidate *candidate, enum answer answer, int64_t now_ms)
{
    /* no account is to be locked */
    candidate->wait_ms = answer == ANSWER_AUTH ? TRIAL_AGAIN_MOST_MS : candidate->wait_ms;
    candidate->due_ms = now_ms + candidate->wait_ms;
    candidate->wait_ms =
        2 * candidate->wait_ms < TRIAL_AGAIN_MOST_MS ? 2 * candidate->wait_ms : TRIAL_AGAIN_MOST_MS;
}

bool discovery_verify(struct discovery *discovery, const char *host, uint16_t port,
                      const struct observation *facts, const struct assessment *assessment,
                      const char *identity, int64_t now_ms)
{
    struct candidate *candidate = find(discovery, host, port);
    if (!candidate || candidate->state != CANDIDATE_ON_TRIAL) {
        return false; /* there was a reload in between */
    }
    identity = identity_of(discovery, assessment, identity);
    enum refusal refusal = refusal_of(discovery, candidate, facts, assessment, identity);
    if (refusal == REFUSAL_NONE) {
        candidate->state = CANDIDATE_VERIFIED;
        candidate->refusal = REFUSAL_NONE;
        candidate->wait_ms = TRIAL_AGAIN_MS;
        notify(discovery, DISCOVERY_VERIFIED, candidate, "");
        return true;
    }
    char detail[SENTENCE_SIZE] = "";
    if (refusal == REFUSAL_ANSWER) {
        snprintf(detail, sizeof detail, "%s%s%s", answer_names[facts->answer],
                 facts->detail[0] ? ", " : "", facts->detail);
    } else if (refusal == REFUSAL_IDENTITY) {
        snprintf(detail, sizeof detail, "%s", facts->identity[0] ? facts->identity : "none");
    }
    candidate->state = CANDIDATE_WAITS;
    wait_longer(candidate, facts->answer, now_ms);
    refuse(discovery, candidate, refusal, detail);
    return false;
}

/* ---- pruning --------------------------------------------------------------------------------- */

static const struct assessed *member_of(const struct assessment *assessment,
                                        const struct candidate *candidate)
{
    char name[NAME_SIZE];
    discovery_name(candidate, name);
    for (size_t i = 0; i < assessment->member_count; i++) {
        if (text_equal(assessment->members[i].config.name, name)) {
            return &assessment->members[i];
        }
    }
    return NULL;
}

/* Another member is the same server: of two discovered ones the later name yields. */
static bool yields(const struct discovery *discovery, const struct assessment *assessment,
                   const struct assessed *member)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct assessed *other = &assessment->members[i];
        bool before =
            is_configured(discovery, other) || strcmp(other->config.name, member->config.name) < 0;
        if (other != member && before && other->standing == ANSWER_OK &&
            (relation_same_server(&other->facts, &member->facts) ||
             (other->config.port == member->config.port && other->address[0] &&
              host_equal(other->address, member->config.host)))) {
            return true;
        }
    }
    return false;
}

static enum refusal objection_to(const struct discovery *discovery,
                                 const struct assessment *assessment, const struct assessed *member,
                                 const char *identity)
{
    if (member->standing != ANSWER_OK) {
        return REFUSAL_NONE;
    }
    if (*identity && member->facts.identity[0] && !text_equal(identity, member->facts.identity)) {
        return REFUSAL_IDENTITY;
    }
    return yields(discovery, assessment, member) ? REFUSAL_DOUBLE : REFUSAL_NONE;
}

bool discovery_prune(struct discovery *discovery, const struct assessment *assessment,
                     const char *identity, int64_t now_ms)
{
    bool went = false;
    identity = identity_of(discovery, assessment, identity);
    for (size_t i = 0; i < discovery->count;) {
        struct candidate *candidate = &discovery->candidates[i];
        const struct assessed *member =
            candidate->state == CANDIDATE_VERIFIED ? member_of(assessment, candidate) : NULL;
        enum refusal objection =
            member ? objection_to(discovery, assessment, member, identity) : REFUSAL_NONE;
        int64_t seen_ms = member && member->answered && member->answered_ms > candidate->named_ms
                              ? member->answered_ms
                              : candidate->named_ms;
        if (objection != REFUSAL_NONE) {
            went = true;
            candidate->state = CANDIDATE_WAITS;
            wait_longer(candidate, ANSWER_OK, now_ms);
            refuse(discovery, candidate, objection, "");
        } else if (candidate->state != CANDIDATE_ON_TRIAL &&
                   now_ms - seen_ms > discovery->forget_ms) {
            went = went || member;
            if (member) {
                notify(discovery, DISCOVERY_FORGOTTEN, candidate, "");
            }
            remove_candidate(discovery, i);
            continue;
        }
        i++;
    }
    return went;
}

/* ---- the result ------------------------------------------------------------------------------ */

bool discovery_is_settled(const struct discovery *discovery)
{
    for (size_t i = 0; i < discovery->count; i++) {
        const struct candidate *candidate = &discovery->candidates[i];
        bool tried = candidate->state == CANDIDATE_VERIFIED ||
                     candidate->state == CANDIDATE_BARRED || candidate->refusal != REFUSAL_NONE;
        if (!tried) {
            return false;
        }
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct member_config *)a)->name, ((const struct member_config *)b)->name);
}

void discovery_list(const struct discovery *discovery, struct cluster_settings *to)
{
    assert(to->member_count == discovery->configured);
    assert(count_of(discovery, CANDIDATE_VERIFIED) <= discovery->most);
    for (size_t i = 0; i < discovery->count && to->member_count < MEMBERS_MAX; i++) {
        const struct candidate *candidate = &discovery->candidates[i];
        if (candidate->state == CANDIDATE_VERIFIED) {
            struct member_config *config = &to->members[to->member_count++];
            *config = (struct member_config){.port = candidate->port, .weight = 100};
            discovery_name(candidate, config->name);
            text_copy(config->host, sizeof config->host, candidate->host);
        }
    }
    qsort(to->members, to->member_count, sizeof to->members[0], by_name);
}
