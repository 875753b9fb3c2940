#include "registry/model/model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *const role_names[] = {"none", "primary", "secondary", NULL};
const char *const health_names[] = {"unknown", "up", "down", NULL};
const char *const state_names[] = {"ok", "suspect", "no-primary", "conflict", NULL};
const char *const lag_state_names[] = {"unknown", "ok", "broken", NULL};
const char *const conflict_names[] = {"hold", "none", NULL};
const char *const bar_names[] = {"",      "identity",     "fenced",    "drained",
                                 "older", "not-promoted", "unapplied", "lacks",
                                 "held",  "tie",          NULL};
const char *const channel_names[] = {"none", "stopped", "applying", "connecting", "live", NULL};
const char *const act_names[] = {"opened", "stopped",  "repointed", "appeared", "late",
                                 "closed", "streamed", "held",      "left",     NULL};
static_assert(sizeof act_names / sizeof *act_names == ACTS + 1, "every act has a name");
const char *const condition_names[] = {"fit",       "paused",   "recovering", "donor", "rejecting",
                                       "not-ready", "minority", "left",       "error", NULL};

const char *const rule_names[] = {
    [RULE_FOREIGN] = "",
    [RULE_NO_CLAIM] = "no-claim",
    [RULE_SOLE_CLAIMANT] = "sole-claimant",
    [RULE_NEWEST_LINEAGE] = "newest-lineage",
    [RULE_PREFERRED] = "preferred",
    [RULE_MOST_REPLICAS] = "most-replicas",
    [RULE_INCUMBENT] = "incumbent-holds",
    [RULE_HELD] = "held",
    [RULE_KEPT] = "kept",
    [RULE_NOT_WRITABLE] = "not-writable",
    [RULE_MINORITY] = "minority",
    [RULE_REFUSED] = "refused",
    [RULE_OUTDATED] = "outdated",
    [RULE_REWOUND] = "rewound",
    [RULE_STRANGER] = "stranger",
    [RULE_TIE] = "tie",
    [RULE_UNPROMOTED] = "unpromoted",
    [RULE_ACCEPTED] = "accepted",
    [RULE_LAST + 1] = NULL,
};

/* One row per answer. */
static const struct {
    enum health health;
    bool definite;
} answers[] = {
    [ANSWER_UNKNOWN] = {HEALTH_UNKNOWN, true},   [ANSWER_OK] = {HEALTH_UP, true},
    [ANSWER_REFUSED] = {HEALTH_DOWN, true},      [ANSWER_TIMEOUT] = {HEALTH_DOWN, false},
    [ANSWER_UNREACHABLE] = {HEALTH_DOWN, false}, [ANSWER_NAME] = {HEALTH_UNKNOWN, false},
    [ANSWER_AUTH] = {HEALTH_UP, true},           [ANSWER_SATURATED] = {HEALTH_UP, true},
    [ANSWER_STARTING] = {HEALTH_DOWN, true},     [ANSWER_STOPPING] = {HEALTH_DOWN, true},
    [ANSWER_OFFLINE] = {HEALTH_DOWN, true},      [ANSWER_STALLED] = {HEALTH_DOWN, false},
    [ANSWER_PRIVILEGE] = {HEALTH_UP, true},      [ANSWER_TLS] = {HEALTH_UP, true},
    [ANSWER_PROTOCOL] = {HEALTH_DOWN, false},    [ANSWER_LOST] = {HEALTH_UNKNOWN, true},
    [ANSWER_STRANGER] = {HEALTH_UP, true},       [ANSWER_RIVAL] = {HEALTH_UP, true},
};
enum { ANSWERS = sizeof answers / sizeof *answers };

const char *const answer_names[] = {
    "unknown",   "ok",       "refused",  "timeout", "unreachable", "name-not-found", "auth",
    "saturated", "starting", "stopping", "offline", "stalled",     "privilege",      "tls",
    "protocol",  "lost",     "stranger", "rival",   NULL};

static_assert(sizeof answer_names / sizeof *answer_names == ANSWERS + 1, "every answer has a name");

enum health answer_health(enum answer answer)
{
    assert((size_t)answer < ANSWERS);
    return answers[answer].health;
}

bool answer_is_definite(enum answer answer)
{
    assert((size_t)answer < ANSWERS);
    return answers[answer].definite;
}

bool condition_serves(enum condition condition)
{
    return condition == CONDITION_FIT || condition == CONDITION_PAUSED;
}

/* ---- look-ups: records are small, a walk will do --------------------------------------------- */

const struct member *topology_member(const struct topology *topology, const char *name)
{
    assert(topology->member_count <= MEMBERS_MAX);
    for (size_t i = 0; i < topology->member_count; i++) {
        if (strcmp(topology->members[i].config.name, name) == 0) {
            return &topology->members[i];
        }
    }
    return NULL;
}

const struct member_report *report_member(const struct report *report, const char *name)
{
    assert(report->member_count <= MEMBERS_MAX);
    for (size_t i = 0; i < report->member_count; i++) {
        if (strcmp(report->members[i].config.name, name) == 0) {
            return &report->members[i];
        }
    }
    return NULL;
}

int name_index(const char *const *names, const char *name)
{
    assert(names && name);
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *topology_rule(const struct topology *topology)
{
    assert(topology->rule <= RULE_LAST);
    assert(topology->rule == RULE_FOREIGN || !topology->foreign_rule[0]);
    return topology->rule == RULE_FOREIGN ? topology->foreign_rule : rule_names[topology->rule];
}

/* ---- equality: field by field, for bytes between and behind fields may differ ---------------- */

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool member_config_equal(const struct member_config *a, const struct member_config *b)
{
    if (!same(a->name, b->name) || !same(a->host, b->host) || a->port != b->port ||
        a->weight != b->weight || a->label_count != b->label_count) {
        return false;
    }
    for (size_t i = 0; i < a->label_count; i++) {
        if (!same(a->labels[i].key, b->labels[i].key) ||
            !same(a->labels[i].value, b->labels[i].value)) {
            return false;
        }
    }
    return true;
}

bool lag_equal(const struct lag *a, const struct lag *b)
{
    return a->state == b->state && a->bytes == b->bytes && a->ms == b->ms &&
           a->transactions == b->transactions && a->delay_ms == b->delay_ms;
}

static bool left_equal(const struct left *a, const struct left *b)
{
    return a->sessions == b->sessions && a->handshakes == b->handshakes;
}

static bool policy_equal(const struct policy *a, const struct policy *b)
{
    return a->engine == b->engine && a->kind == b->kind && a->conflict == b->conflict &&
           a->writers == b->writers && a->witnesses == b->witnesses;
}

static bool record_equal(const struct record *a, const struct record *b)
{
    return a->start_ms == b->start_ms && a->writable == b->writable && a->channel == b->channel &&
           same(a->source, b->source) && same(a->streamed, b->streamed) &&
           same(a->lineage, b->lineage) && same(a->self, b->self) && a->accepted == b->accepted &&
           a->acts == b->acts;
}

static bool fences_equal(const struct topology *a, const struct topology *b)
{
    if (a->fence_count != b->fence_count) {
        return false;
    }
    for (size_t i = 0; i < a->fence_count; i++) {
        const struct fence *mine = &a->fences[i], *theirs = &b->fences[i];
        if (!same(mine->name, theirs->name) || !same(mine->host, theirs->host) ||
            mine->port != theirs->port || !same(mine->self, theirs->self) ||
            mine->epoch != theirs->epoch) {
            return false;
        }
    }
    return true;
}

static bool member_equal(const struct member *a, const struct member *b)
{
    return member_config_equal(&a->config, &b->config) && a->role == b->role &&
           a->health == b->health && a->reason == b->reason && a->fenced == b->fenced &&
           a->fenced_epoch == b->fenced_epoch && a->drained == b->drained &&
           a->unlisted == b->unlisted && same(a->alias, b->alias) && a->claims == b->claims &&
           a->bar == b->bar && a->sync == b->sync && a->condition == b->condition &&
           same(a->closed_by, b->closed_by) && same(a->upstream, b->upstream) &&
           lag_equal(&a->lag, &b->lag) && record_equal(&a->record, &b->record);
}

/* All but what changes all the time: how large the lag is, and what probes leave behind. */
static bool member_report_alike(const struct member_report *a, const struct member_report *b)
{
    return member_config_equal(&a->config, &b->config) && a->answer == b->answer &&
           a->claim == b->claim && a->shared == b->shared && a->writable == b->writable &&
           a->sync == b->sync && a->condition == b->condition && a->lacks == b->lacks &&
           a->misses == b->misses && a->has == b->has && a->start_ms == b->start_ms &&
           a->channel == b->channel && a->unapplied == b->unapplied && a->late == b->late &&
           a->stood == b->stood && a->acts == b->acts && same(a->self, b->self) &&
           same(a->missing, b->missing) && same(a->closed_by, b->closed_by) && a->live == b->live &&
           a->replica == b->replica && same(a->lineage, b->lineage) &&
           same(a->identity, b->identity) && same(a->upstream, b->upstream) &&
           same(a->alias, b->alias) && a->replicas == b->replicas && a->lag.state == b->lag.state &&
           a->lag.delay_ms == b->lag.delay_ms && same(a->version, b->version) &&
           a->last_role == b->last_role && same(a->last_lineage, b->last_lineage);
}

bool topology_equal(const struct topology *a, const struct topology *b)
{
    if (!same(a->cluster, b->cluster) || !policy_equal(&a->policy, &b->policy) ||
        a->epoch != b->epoch || a->elected != b->elected || a->state != b->state ||
        !same(a->primary, b->primary) || !same(a->last_primary, b->last_primary) ||
        !same(a->lineage, b->lineage) || !same(a->identity, b->identity) || a->rule != b->rule ||
        !same(a->foreign_rule, b->foreign_rule) || a->rules != b->rules ||
        a->directives_mzxid != b->directives_mzxid || !same(a->last_set, b->last_set) ||
        a->member_count != b->member_count || !fences_equal(a, b)) {
        return false;
    }
    for (size_t i = 0; i < a->member_count; i++) {
        if (!member_equal(&a->members[i], &b->members[i])) {
            return false;
        }
    }
    return true;
}

/* Over the digits of a count: "2 of 3". */
static const char *behind_count(const char *text)
{
    const char *behind = text + strspn(text, "0123456789");
    return behind > text && strncmp(behind, " of ", 4) == 0 ? behind : text;
}

bool why_equal(const char *a, const char *b)
{
    for (;; a++, b++) {
        a = behind_count(a);
        b = behind_count(b);
        if (*a != *b || !*a) {
            return *a == *b;
        }
    }
}

bool report_alike(const struct report *a, const struct report *b)
{
    if (!same(a->cluster, b->cluster) || !same(a->probe, b->probe) || a->rules != b->rules ||
        !same(a->abstains, b->abstains) || !same(a->last_set, b->last_set) ||
        !policy_equal(&a->policy, &b->policy) || a->member_count != b->member_count) {
        return false;
    }
    for (size_t i = 0; i < a->member_count; i++) {
        if (!member_report_alike(&a->members[i], &b->members[i])) {
            return false;
        }
    }
    return true;
}

bool report_equal(const struct report *a, const struct report *b)
{
    bool equal = report_alike(a, b);
    for (size_t i = 0; equal && i < a->member_count; i++) {
        const struct member_report *mine = &a->members[i], *theirs = &b->members[i];
        equal = lag_equal(&mine->lag, &theirs->lag) && left_equal(&mine->left, &theirs->left);
    }
    return equal;
}

/* ---- the registry ---------------------------------------------------------------------------- */

const char *past_phrase(char *to, size_t size, const char *registry, int64_t found, int64_t known)
{
    snprintf(to, size,
             "the registry went back in time: zxid %llx after %llx; to follow it all the same: "
             "roster accept --registry %s",
             (unsigned long long)found, (unsigned long long)known, registry);
    return to;
}
