#include "probes/discovery/discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/discovery/relation.h"
#include "registry/base/text.h"

void discovery_name(const struct found *found, char to[NAME_SIZE])
{
    snprintf(to, NAME_SIZE, "%.*s-%u", LITERAL_TEXT_SIZE, found->host, found->port);
    for (char *at = to; *at; at++) {
        *at = *at == ':' ? '_' : *at;
    }
}

/* ---- the list -------------------------------------------------------------------------------- */

static void tell(const struct discovery *discovery, enum tidings tidings, const struct found *found,
                 const char *why)
{
    if (discovery->tell) {
        discovery->tell(discovery->owner, tidings, found, why);
    }
}

/* Told when it is another reason than the last time. */
static void refuse(struct discovery *discovery, struct found *found, enum refusal refusal,
                   const char *detail)
{
    static const char *const words[] = {
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
    if (found->refusal != refusal) {
        char why[SENTENCE_SIZE];
        snprintf(why, sizeof why, "%s%s%s", words[refusal], *detail ? ": " : "", detail);
        found->refusal = refusal;
        tell(discovery, TIDINGS_REFUSED, found, why);
    }
}

static struct found *find(struct discovery *discovery, const char *host, uint16_t port)
{
    for (size_t i = 0; i < discovery->count; i++) {
        if (discovery->found[i].port == port && text_equal(discovery->found[i].host, host)) {
            return &discovery->found[i];
        }
    }
    return NULL;
}

static void drop(struct discovery *discovery, size_t i)
{
    discovery->count--;
    memmove(&discovery->found[i], &discovery->found[i + 1],
            (discovery->count - i) * sizeof discovery->found[i]);
}

/* Room for one more: at the cost of one that is of least use, but never of a member or one on
 * trial. A barred one makes room for nothing but one that is not. */
static bool make_room(struct discovery *discovery, bool barred)
{
    size_t least = FOUND_MAX;
    if (discovery->count < FOUND_MAX) {
        return true;
    }
    for (size_t i = 0; !barred && i < discovery->count; i++) {
        const struct found *found = &discovery->found[i];
        bool refused = found->state == FOUND_WAITS && found->refusal != REFUSAL_NONE;
        if (found->state == FOUND_BARRED || (refused && least == FOUND_MAX)) {
            least = i;
        }
    }
    if (least < FOUND_MAX) {
        drop(discovery, least);
    }
    return least < FOUND_MAX;
}

static struct found *add(struct discovery *discovery, const char *host, uint16_t port,
                         enum refusal barred, int64_t now_ms)
{
    if (!make_room(discovery, barred != REFUSAL_NONE)) {
        return NULL;
    }
    struct found *found = &discovery->found[discovery->count++];
    *found = (struct found){
        .port = port, .named_ms = now_ms, .due_ms = now_ms, .wait_ms = TRIAL_AGAIN_MS};
    text_copy(found->host, sizeof found->host, host);
    found->state = barred == REFUSAL_NONE ? FOUND_WAITS : FOUND_BARRED;
    return found;
}

static size_t count_of(const struct discovery *discovery, enum found_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < discovery->count; i++) {
        count += discovery->found[i].state == state;
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

/* Configured by now, or called as one that is. */
static bool is_taken(const struct found *found, const struct cluster_settings *configured)
{
    char name[NAME_SIZE];
    discovery_name(found, name);
    for (size_t i = 0; i < configured->member_count; i++) {
        const struct member_config *config = &configured->members[i];
        if (text_equal(config->name, name) ||
            (config->port == found->port && relation_same_host(config->host, found->host))) {
            return true;
        }
    }
    return false;
}

void discovery_reload(struct discovery *discovery, const struct cluster_settings *configured)
{
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
        struct found *found = &discovery->found[i];
        found->state = found->state == FOUND_ON_TRIAL ? FOUND_WAITS : found->state;
        bool allowed = discovery->on && !is_taken(found, configured) &&
                       found->state != FOUND_BARRED &&
                       cidr_contains(&discovery->within, found->host);
        verified += found->state == FOUND_VERIFIED;
        if (allowed && (found->state != FOUND_VERIFIED || verified <= discovery->most)) {
            i++;
        } else {
            drop(discovery, i);
        }
    }
}

/* ---- hearing --------------------------------------------------------------------------------- */

static bool is_listed_at(const struct assessment *assessment, const char *host, uint16_t port)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        if (relation_is_at(&assessment->members[i], host, port)) {
            return true;
        }
    }
    return false;
}

static void hear_one(struct discovery *discovery, const struct assessment *assessment,
                     const struct assessed *by, const char *named, uint16_t port, int64_t now_ms)
{
    char host[LITERAL_TEXT_SIZE];
    bool literal = cidr_literal(named, host);
    struct found *found = find(discovery, literal ? host : named, port);
    enum refusal barred = !literal                                   ? REFUSAL_NAME
                          : !cidr_contains(&discovery->within, host) ? REFUSAL_RANGE
                          : cidr_is_loopback(host) && !cidr_is_loopback(by->address)
                              ? REFUSAL_LOOPBACK
                              : REFUSAL_NONE;
    if (found && found->state != FOUND_BARRED) {
        found->named_ms = barred == REFUSAL_NONE ? now_ms : found->named_ms;
        return;
    }
    if (found && barred != REFUSAL_NONE) {
        found->named_ms = now_ms;
        return;
    }
    if (is_listed_at(assessment, literal ? host : named, port)) {
        return;
    }
    if (found) { /* barred before by what another member said */
        drop(discovery, (size_t)(found - discovery->found));
    }
    found = add(discovery, literal ? host : named, port, barred, now_ms);
    if (found && barred == REFUSAL_NONE) {
        tell(discovery, TIDINGS_NAMED, found, by->config.name);
    } else if (found) {
        refuse(discovery, found, barred, "");
    }
}

void discovery_hear(struct discovery *discovery, const struct assessment *assessment, size_t i,
                    int64_t now_ms)
{
    const struct assessed *by = &assessment->members[i];
    const struct observation *facts = &by->facts;
    if (!discovery->on || by->standing != ANSWER_OK || by->last != ANSWER_OK) {
        return;
    }
    for (size_t n = 0; n < facts->advertised.count; n++) {
        const char *host = facts->advertised.server[n].host;
        uint16_t port = facts->advertised.server[n].port;
        for (size_t k = 0; port == 0 && k < discovery->port_count; k++) {
            hear_one(discovery, assessment, by, host, discovery->ports[k], now_ms);
        }
        if (port != 0) {
            hear_one(discovery, assessment, by, host, port, now_ms);
        }
    }
    if (facts->upstream_host[0] && facts->upstream_port &&
        strlen(facts->upstream_host) < ADVERTISED_SIZE) {
        hear_one(discovery, assessment, by, facts->upstream_host, facts->upstream_port, now_ms);
    }
}

void discovery_recall(struct discovery *discovery, const struct member_config *config,
                      int64_t now_ms)
{
    struct found recalled = {.port = config->port};
    char host[LITERAL_TEXT_SIZE], name[NAME_SIZE];
    if (!discovery->on || !cidr_literal(config->host, host) ||
        !cidr_contains(&discovery->within, host)) {
        return;
    }
    text_copy(recalled.host, sizeof recalled.host, host);
    discovery_name(&recalled, name);
    if (text_equal(name, config->name) && !find(discovery, host, config->port)) {
        struct found *found = add(discovery, host, config->port, REFUSAL_NONE, now_ms);
        if (found) {
            tell(discovery, TIDINGS_NAMED, found, "the registry");
        }
    }
}

/* ---- trials ---------------------------------------------------------------------------------- */

/* Until every listed member was looked at, one of them may be the very server that is named. */
static bool has_begun(const struct assessment *assessment)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        if (!assessment->members[i].looked) {
            return false;
        }
    }
    return true;
}

const struct found *discovery_next(struct discovery *discovery, const struct assessment *assessment,
                                   int64_t now_ms)
{
    struct found *next = NULL;
    if (!discovery->on || !has_begun(assessment) ||
        count_of(discovery, FOUND_ON_TRIAL) >= TRIALS_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < discovery->count; i++) {
        struct found *found = &discovery->found[i];
        if (found->state == FOUND_WAITS && found->due_ms <= now_ms &&
            (!next || found->due_ms < next->due_ms)) {
            next = found;
        }
    }
    if (next) {
        next->state = FOUND_ON_TRIAL;
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

/* The registry's word, else what all configured members that ever answered agree on. */
static const char *identity_of(const struct discovery *discovery,
                               const struct assessment *assessment, const char *told)
{
    const char *identity = *told ? told : NULL;
    for (size_t i = 0; !*told && i < assessment->member_count; i++) {
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
 */
static bool is_double(const struct discovery *discovery, const struct assessment *assessment,
                      const struct found *found, const struct observation *facts)
{
    char name[NAME_SIZE];
    discovery_name(found, name);
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        bool stays = is_configured(discovery, member) || strcmp(member->config.name, name) < 0;
        if (stays && member->standing == ANSWER_OK && relation_same_server(&member->facts, facts)) {
            return true;
        }
    }
    return false;
}

static enum refusal refusal_of(const struct discovery *discovery, const struct found *found,
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
    if (is_double(discovery, assessment, found, facts) ||
        is_listed_at(assessment, found->host, found->port)) {
        return REFUSAL_DOUBLE;
    }
    if (in_data && !facts->replica &&
        !relation_is_followed(assessment, found->host, found->port, facts)) {
        return REFUSAL_CLAIM;
    }
    if (!*identity && !relation_is_follower(assessment, facts) &&
        !relation_is_followed(assessment, found->host, found->port, facts)) {
        return REFUSAL_UNRELATED;
    }
    return count_of(discovery, FOUND_VERIFIED) >= discovery->most ? REFUSAL_FULL : REFUSAL_NONE;
}

static void wait_longer(struct found *found, enum answer answer, int64_t now_ms)
{
    /* no account is to be locked */
    found->wait_ms = answer == ANSWER_AUTH ? TRIAL_AGAIN_MOST_MS : found->wait_ms;
    found->due_ms = now_ms + found->wait_ms;
    found->wait_ms =
        2 * found->wait_ms < TRIAL_AGAIN_MOST_MS ? 2 * found->wait_ms : TRIAL_AGAIN_MOST_MS;
}

bool discovery_judge(struct discovery *discovery, const char *host, uint16_t port,
                     const struct observation *facts, const struct assessment *assessment,
                     const char *identity, int64_t now_ms)
{
    struct found *found = find(discovery, host, port);
    if (!found || found->state != FOUND_ON_TRIAL) {
        return false; /* a reload came in between */
    }
    identity = identity_of(discovery, assessment, identity);
    enum refusal refusal = refusal_of(discovery, found, facts, assessment, identity);
    if (refusal == REFUSAL_NONE) {
        found->state = FOUND_VERIFIED;
        found->refusal = REFUSAL_NONE;
        found->wait_ms = TRIAL_AGAIN_MS;
        tell(discovery, TIDINGS_VERIFIED, found, "");
        return true;
    }
    char detail[SENTENCE_SIZE] = "";
    if (refusal == REFUSAL_ANSWER) {
        snprintf(detail, sizeof detail, "%s%s%s", answer_names[facts->answer],
                 facts->detail[0] ? ", " : "", facts->detail);
    } else if (refusal == REFUSAL_IDENTITY) {
        snprintf(detail, sizeof detail, "%s", facts->identity[0] ? facts->identity : "none");
    }
    found->state = FOUND_WAITS;
    wait_longer(found, facts->answer, now_ms);
    refuse(discovery, found, refusal, detail);
    return false;
}

/* ---- review ---------------------------------------------------------------------------------- */

static const struct assessed *member_of(const struct assessment *assessment,
                                        const struct found *found)
{
    char name[NAME_SIZE];
    discovery_name(found, name);
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
              relation_same_host(other->address, member->config.host)))) {
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

bool discovery_review(struct discovery *discovery, const struct assessment *assessment,
                      const char *identity, int64_t now_ms)
{
    bool went = false;
    identity = identity_of(discovery, assessment, identity);
    for (size_t i = 0; i < discovery->count;) {
        struct found *found = &discovery->found[i];
        const struct assessed *member =
            found->state == FOUND_VERIFIED ? member_of(assessment, found) : NULL;
        enum refusal objection =
            member ? objection_to(discovery, assessment, member, identity) : REFUSAL_NONE;
        int64_t heard_ms = member && member->answered && member->answered_ms > found->named_ms
                               ? member->answered_ms
                               : found->named_ms;
        if (objection != REFUSAL_NONE) {
            went = true;
            found->state = FOUND_WAITS;
            wait_longer(found, ANSWER_OK, now_ms);
            refuse(discovery, found, objection, "");
        } else if (found->state != FOUND_ON_TRIAL && now_ms - heard_ms > discovery->forget_ms) {
            went = went || member;
            if (member) {
                tell(discovery, TIDINGS_FORGOTTEN, found, "");
            }
            drop(discovery, i);
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
        const struct found *found = &discovery->found[i];
        bool tried = found->state == FOUND_VERIFIED || found->state == FOUND_BARRED ||
                     found->refusal != REFUSAL_NONE;
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
    for (size_t i = 0; i < discovery->count && to->member_count < MEMBERS_MAX; i++) {
        const struct found *found = &discovery->found[i];
        if (found->state == FOUND_VERIFIED) {
            struct member_config *config = &to->members[to->member_count++];
            *config = (struct member_config){.port = found->port, .weight = 100};
            discovery_name(found, config->name);
            text_copy(config->host, sizeof config->host, found->host);
        }
    }
    qsort(to->members, to->member_count, sizeof to->members[0], by_name);
}
