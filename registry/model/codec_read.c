/* The reading half of codec.h.
 *
 *   znode -> (length, JSON, format) -> fields -> members in order -> invariants -> record
 *
 * Nothing reaches the caller's record before all of it was found right.
 * Lists are sorted here, so any order is accepted. What is listed again in the
 * same words is one; what is listed again in others is refused. What depends on
 * more than one record (is this the cluster I asked for?) is the caller's to
 * check. */
#include "registry/model/codec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/json.h"

enum { RULES_MAX = 1000000 };

/* ---- the parts of records -------------------------------------------------------------------- */

/* A name under which evidence can be filed: the key "directives" there is taken. */
static bool get_probe(const struct json_value *object, const char *key, char to[NAME_SIZE])
{
    if (!json_get_name(object, key, REQUIRED, to)) {
        return false;
    }
    struct json_value at = json_key(object, key);
    return !text_equal(to, "directives") ||
           json_refuse(&at, "'directives' cannot be a probe's name");
}

static bool get_lineage(const struct json_value *object, const char *key, char to[LINEAGE_SIZE])
{
    struct json_value at = json_key(object, key);
    if (!json_get_text(object, key, OPTIONAL, to, LINEAGE_SIZE)) {
        return false;
    }
    static const char digits[] = "0123456789";
    const char *colon = strchr(to, ':');
    const char *number = colon ? colon + 1 : to;
    bool stamped = !colon || (colon > to && *number);
    return (stamped && number[strspn(number, digits)] == '\0') ||
           json_refuse(&at, "'%s' is neither a number nor STAMP:NUMBER", to);
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

static bool get_labels(const struct json_value *object, struct member_config *config)
{
    struct json_value labels, at;
    if (!json_get_object(object, "labels", OPTIONAL, LABELS_MAX, &labels)) {
        return false;
    }
    for (void *iter = json_first(&labels, &at); iter; iter = json_next(&labels, iter, &at)) {
        struct label *label = &config->labels[config->label_count];
        if (!*at.key || strlen(at.key) >= sizeof label->key || !json_is_printable(at.key)) {
            return json_refuse(&at, "the label's key is not one of 1..%d printable bytes",
                               LABEL_KEY_SIZE - 1);
        }
        if (!json_value_text(&at, label->value, sizeof label->value)) {
            return false;
        }
        strcpy(label->key, at.key);
        config->label_count++;
    }
    qsort(config->labels, config->label_count, sizeof *config->labels, compare_labels);
    return true;
}

static bool get_host(const struct json_value *object, const char *key, char to[HOST_SIZE])
{
    struct json_value at = json_key(object, key);
    if (!json_get_text(object, key, REQUIRED, to, HOST_SIZE)) {
        return false;
    }
    return (*to && !strpbrk(to, " []/")) ||
           json_refuse(&at, "'%s' is not a host name or address", to);
}

static bool get_member_config(const struct json_value *object, struct member_config *config)
{
    int64_t port = 0;
    int64_t weight = WEIGHT_DEFAULT;
    if (!json_get_name(object, "name", REQUIRED, config->name) ||
        !get_host(object, "host", config->host) ||
        !json_get_number(object, "port", REQUIRED, 1, UINT16_MAX, &port) ||
        !json_get_number(object, "weight", OPTIONAL, 0, WEIGHT_MAX, &weight) ||
        !get_labels(object, config)) {
        return false;
    }
    config->port = (uint16_t)port;
    config->weight = (uint16_t)weight;
    return true;
}

static bool get_lag(const struct json_value *object, struct lag *lag)
{
    struct json_value at;
    int state = LAG_UNKNOWN;
    *lag = LAG_NOT_KNOWN;
    if (!json_get_object(object, "lag", OPTIONAL, SIZE_MAX, &at)) {
        return false;
    }
    if (!at.value) {
        return true;
    }
    if (!json_get_choice(&at, "state", REQUIRED, lag_state_names, &state) ||
        !json_get_number(&at, "bytes", OPTIONAL, 0, INT64_MAX, &lag->bytes) ||
        !json_get_number(&at, "ms", OPTIONAL, 0, INT64_MAX, &lag->ms) ||
        !json_get_number(&at, "transactions", OPTIONAL, 0, INT64_MAX, &lag->transactions) ||
        !json_get_number(&at, "delay", OPTIONAL, 0, INT64_MAX, &lag->delay_ms)) {
        return false;
    }
    lag->state = (enum lag_state)state;
    return true;
}

static bool get_left(const struct json_value *object, struct left *left)
{
    struct json_value at;
    int64_t sessions = 0, handshakes = 0;
    if (!json_get_object(object, "left", OPTIONAL, SIZE_MAX, &at)) {
        return false;
    }
    if (!at.value) {
        return true;
    }
    if (!json_get_number(&at, "sessions", OPTIONAL, 0, UINT8_MAX, &sessions) ||
        !json_get_number(&at, "handshakes", OPTIONAL, 0, UINT8_MAX, &handshakes)) {
        return false;
    }
    *left = (struct left){(uint8_t)sessions, (uint8_t)handshakes};
    return true;
}

static bool get_policy(const struct json_value *object, struct policy *policy)
{
    int engine = 0;
    int conflict = CONFLICT_HOLD;
    int writers = WRITERS_SINGLE;
    int64_t witnesses = 0;
    if (!json_get_choice(object, "engine", REQUIRED, engine_names, &engine)) {
        return false;
    }
    int kind = (int)kind_least((enum engine)engine);
    if (!json_get_choice(object, "kind", OPTIONAL, kind_names, &kind) ||
        !json_get_number(object, "witnesses", REQUIRED, 1, WITNESSES_MAX, &witnesses) ||
        !json_get_choice(object, "conflict", OPTIONAL, conflict_names, &conflict) ||
        !json_get_choice(object, "writers", OPTIONAL, writers_names, &writers)) {
        return false;
    }
    *policy = (struct policy){(enum engine)engine, (enum kind)kind, (enum conflict)conflict,
                              (enum writers)writers, (uint8_t)witnesses};
    return true;
}

static bool get_rules(const struct json_value *object, int *ret_rules)
{
    int64_t rules = 0;
    if (!json_get_number(object, "rules", REQUIRED, 1, RULES_MAX, &rules)) {
        return false;
    }
    *ret_rules = (int)rules;
    return true;
}

/* ---- the report ------------------------------------------------------------------------------ */

/* An act that only a newer version knows says nothing here. */
static bool get_acts(const struct json_value *object, unsigned *ret_acts)
{
    struct json_value acts;
    if (!json_get_list(object, "acts", OPTIONAL, MEMBERS_MAX, &acts)) {
        return false;
    }
    for (size_t i = 0; i < json_count(&acts); i++) {
        struct json_value at = json_element(&acts, i);
        char name[NAME_SIZE];
        if (!json_value_name(&at, name)) {
            return false;
        }
        int act = name_index(act_names, name);
        *ret_acts |= act < 0 ? 0 : 1U << act;
    }
    return true;
}

static bool get_member_report(const struct json_value *object, struct member_report *member_report)
{
    int answer = ANSWER_UNKNOWN;
    int last_role = ROLE_NONE;
    int condition = CONDITION_FIT;
    int channel = CHANNEL_NONE;
    if (!get_member_config(object, &member_report->config) ||
        !json_get_choice(object, "answer", REQUIRED, answer_names, &answer) ||
        !json_get_flag(object, "claim", &member_report->claim) ||
        !json_get_flag(object, "peer", &member_report->shared) ||
        !json_get_flag(object, "writable", &member_report->writable) ||
        !json_get_flag(object, "sync", &member_report->sync) ||
        !json_get_choice(object, "condition", OPTIONAL, condition_names, &condition) ||
        !json_get_text(object, "missing", OPTIONAL, member_report->missing,
                       sizeof member_report->missing) ||
        !json_get_text(object, "closed_by", OPTIONAL, member_report->closed_by,
                       sizeof member_report->closed_by) ||
        !json_get_flag(object, "live", &member_report->live) ||
        !json_get_flag(object, "replica", &member_report->replica) ||
        !json_get_number(object, "start", OPTIONAL, 0, JSON_EXACT_MAX, &member_report->start_ms) ||
        !json_get_choice(object, "channel", OPTIONAL, channel_names, &channel) ||
        !json_get_flag(object, "unapplied", &member_report->unapplied) ||
        !json_get_flag(object, "late", &member_report->late) ||
        !json_get_flag(object, "stood", &member_report->stood) ||
        !get_acts(object, &member_report->acts) ||
        !json_get_text(object, "self", OPTIONAL, member_report->self, sizeof member_report->self) ||
        !get_lineage(object, "lineage", member_report->lineage) ||
        !json_get_text(object, "identity", OPTIONAL, member_report->identity,
                       sizeof member_report->identity) ||
        !json_get_name(object, "upstream", OPTIONAL, member_report->upstream) ||
        !json_get_name(object, "alias", OPTIONAL, member_report->alias) ||
        !get_lag(object, &member_report->lag) || !get_left(object, &member_report->left) ||
        !json_get_text(object, "version", OPTIONAL, member_report->version,
                       sizeof member_report->version) ||
        !json_get_choice(object, "last_role", OPTIONAL, role_names, &last_role) ||
        !get_lineage(object, "last_lineage", member_report->last_lineage)) {
        return false;
    }
    member_report->answer = (enum answer)answer;
    member_report->condition = (enum condition)condition;
    member_report->channel = (enum channel_state)channel;
    member_report->last_role = (enum role)last_role;
    struct json_value at = json_key(object, "claim");
    return !member_report->claim || answer == ANSWER_OK ||
           json_refuse(&at, "cannot be true of a member that did not answer");
}

static int compare_member_reports(const void *a, const void *b)
{
    return strcmp(((const struct member_report *)a)->config.name,
                  ((const struct member_report *)b)->config.name);
}

/* Names to bits; to be called when the report's members are sorted. */
static bool get_set(const struct json_value *object, const char *key, const struct report *report,
                    uint32_t *ret_set)
{
    struct json_value names;
    if (!json_get_list(object, key, OPTIONAL, MEMBERS_MAX, &names)) {
        return false;
    }
    for (size_t i = 0; i < json_count(&names); i++) {
        struct json_value at = json_element(&names, i);
        char name[NAME_SIZE];
        if (!json_value_name(&at, name)) {
            return false;
        }
        const struct member_report *found = report_member(report, name);
        if (found) { /* one that is not listed counts for nothing */
            *ret_set |= UINT32_C(1) << (found - report->members);
        }
    }
    return true;
}

static bool get_relations(const struct json_value *object, struct report *report)
{
    char name[NAME_SIZE] = "";
    if (!json_get_name(object, "name", REQUIRED, name)) {
        return false;
    }
    const struct member_report *found = report_member(report, name);
    assert(found); /* it was read from this very object */
    struct member_report *member_report = &report->members[found - report->members];
    return get_set(object, "replicas", report, &member_report->replicas) &&
           get_set(object, "lacks", report, &member_report->lacks) &&
           get_set(object, "misses", report, &member_report->misses) &&
           get_set(object, "has", report, &member_report->has);
}

static bool get_member_reports(const struct json_value *root, struct report *report)
{
    struct json_value members;
    if (!json_get_list(root, "members", REQUIRED, MEMBERS_MAX, &members)) {
        return false;
    }
    size_t count = json_count(&members);
    for (size_t i = 0; i < count; i++) {
        struct json_value at = json_element(&members, i);
        struct member_report member_report = {0};
        if (!get_member_report(&at, &member_report)) {
            return false;
        }
        if (json_is_repeated(&members, i)) {
            continue;
        }
        if (report_member(report, member_report.config.name)) {
            return json_refuse(&at, "'%s' is listed twice", member_report.config.name);
        }
        report->members[report->member_count++] = member_report;
    }
    qsort(report->members, report->member_count, sizeof *report->members, compare_member_reports);
    for (size_t i = 0; i < count; i++) {
        struct json_value at = json_element(&members, i);
        if (!get_relations(&at, report)) {
            return false;
        }
    }
    return true;
}

static bool read_report(const struct json_value *root, void *record)
{
    struct report *report = record;
    struct json_value config;
    return json_get_name(root, "cluster", REQUIRED, report->cluster) &&
           get_probe(root, "probe", report->probe) && get_rules(root, &report->rules) &&
           json_get_text(root, "abstains", OPTIONAL, report->abstains, sizeof report->abstains) &&
           json_get_time(root, "seen_wall", OPTIONAL, &report->seen_wall_ms) &&
           json_get_text(root, "last_set", OPTIONAL, report->last_set, sizeof report->last_set) &&
           json_get_object(root, "config", REQUIRED, SIZE_MAX, &config) &&
           get_policy(&config, &report->policy) && get_member_reports(root, report);
}

/* ---- the topology ---------------------------------------------------------------------------- */

static bool get_record(const struct json_value *object, struct record *record)
{
    struct json_value at;
    int channel = CHANNEL_NONE;
    if (!json_get_object(object, "record", OPTIONAL, SIZE_MAX, &at)) {
        return false;
    }
    if (!at.value) {
        return true;
    }
    if (!json_get_number(&at, "start", REQUIRED, 0, JSON_EXACT_MAX, &record->start_ms) ||
        !json_get_flag(&at, "writable", &record->writable) ||
        !json_get_choice(&at, "channel", OPTIONAL, channel_names, &channel) ||
        !json_get_name(&at, "source", OPTIONAL, record->source) ||
        !json_get_name(&at, "streamed", OPTIONAL, record->streamed) ||
        !get_lineage(&at, "lineage", record->lineage) ||
        !json_get_text(&at, "self", OPTIONAL, record->self, sizeof record->self) ||
        !json_get_number(&at, "accepted", OPTIONAL, 0, JSON_EXACT_MAX, &record->accepted) ||
        !get_acts(&at, &record->acts)) {
        return false;
    }
    record->channel = (enum channel_state)channel;
    return true;
}

static bool get_member(const struct json_value *object, struct member *member)
{
    int role = ROLE_NONE;
    int health = HEALTH_UNKNOWN;
    int reason = ANSWER_OK;
    int condition = CONDITION_FIT;
    char bar[RULE_SIZE] = "";
    if (!get_member_config(object, &member->config) ||
        !json_get_choice(object, "role", REQUIRED, role_names, &role) ||
        !json_get_choice(object, "health", REQUIRED, health_names, &health) ||
        !json_get_choice(object, "reason", OPTIONAL, answer_names, &reason) ||
        !json_get_flag(object, "fenced", &member->fenced) ||
        !json_get_number(object, "fenced_epoch", OPTIONAL, 0, JSON_EXACT_MAX,
                         &member->fenced_epoch) ||
        !json_get_flag(object, "drained", &member->drained) ||
        !json_get_flag(object, "unlisted", &member->unlisted) ||
        !json_get_flag(object, "claims", &member->claims) ||
        !json_get_text(object, "bar", OPTIONAL, bar, sizeof bar) ||
        !json_get_flag(object, "sync", &member->sync) ||
        !json_get_choice(object, "condition", OPTIONAL, condition_names, &condition) ||
        !json_get_text(object, "closed_by", OPTIONAL, member->closed_by,
                       sizeof member->closed_by) ||
        !json_get_name(object, "alias", OPTIONAL, member->alias) ||
        !json_get_name(object, "upstream", OPTIONAL, member->upstream) ||
        !get_lag(object, &member->lag) || !get_record(object, &member->record)) {
        return false;
    }
    int known = name_index(bar_names, bar);
    member->bar = known > 0 ? (enum bar)known : BAR_NONE; /* one of a newer version */
    member->condition = (enum condition)condition;
    member->role = (enum role)role;
    member->health = (enum health)health;
    member->reason = (enum answer)reason;
    return !(member->fenced && role == ROLE_PRIMARY) ||
           json_refuse(object, "is both primary and fenced");
}

/* A number that is known here decides, else the name: versions before the number wrote that alone.
 * A rule that only a newer version knows leaves the topology readable: who is primary does not
 * depend on why. */
static bool get_rule(const struct json_value *root, struct topology *topology)
{
    char name[RULE_SIZE];
    int64_t id = 0;
    if (!json_get_text(root, "rule", REQUIRED, name, sizeof name) ||
        !json_get_number(root, "rule_id", OPTIONAL, 1, RULES_MAX, &id)) {
        return false;
    }
    int rule = id > 0 && id <= RULE_LAST ? (int)id : name_index(rule_names, name);
    topology->rule = rule > 0 ? (enum rule)rule : RULE_FOREIGN;
    if (topology->rule == RULE_FOREIGN) {
        strcpy(topology->foreign_rule, name);
    }
    return true;
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->config.name, ((const struct member *)b)->config.name);
}

static bool get_members(const struct json_value *root, struct topology *topology)
{
    struct json_value members;
    if (!json_get_list(root, "members", REQUIRED, MEMBERS_MAX, &members)) {
        return false;
    }
    size_t count = json_count(&members);
    for (size_t i = 0; i < count; i++) {
        struct json_value at = json_element(&members, i);
        struct member member = {0};
        if (!get_member(&at, &member)) {
            return false;
        }
        if (json_is_repeated(&members, i)) {
            continue;
        }
        if (topology_member(topology, member.config.name)) {
            return json_refuse(&at, "'%s' is listed twice", member.config.name);
        }
        bool is_primary = text_equal(member.config.name, topology->primary);
        bool may_write =
            is_primary || (topology->policy.writers == WRITERS_ALL && topology->primary[0]);
        if (member.role == ROLE_PRIMARY ? !may_write : is_primary) {
            return json_refuse(&at, "has role %s, but the topology's primary is %s",
                               role_names[member.role],
                               *topology->primary ? topology->primary : "null");
        }
        topology->members[topology->member_count++] = member;
    }
    qsort(topology->members, topology->member_count, sizeof *topology->members, compare_members);
    return true;
}

static int compare_fences(const void *a, const void *b)
{
    return strcmp(((const struct fence *)a)->name, ((const struct fence *)b)->name);
}

static bool get_fences(const struct json_value *root, struct topology *topology)
{
    struct json_value fences;
    if (!json_get_list(root, "fences", OPTIONAL, MEMBERS_MAX, &fences)) {
        return false;
    }
    for (size_t i = 0; i < json_count(&fences); i++) {
        struct json_value at = json_element(&fences, i);
        struct fence *fence = &topology->fences[topology->fence_count];
        int64_t port = 0;
        if (json_is_repeated(&fences, i)) {
            continue;
        }
        if (!json_get_name(&at, "name", REQUIRED, fence->name) ||
            !get_host(&at, "host", fence->host) ||
            !json_get_number(&at, "port", REQUIRED, 1, UINT16_MAX, &port) ||
            !json_get_text(&at, "self", OPTIONAL, fence->self, sizeof fence->self) ||
            !json_get_number(&at, "epoch", REQUIRED, 0, JSON_EXACT_MAX, &fence->epoch)) {
            return false;
        }
        fence->port = (uint16_t)port;
        topology->fence_count++;
    }
    qsort(topology->fences, topology->fence_count, sizeof *topology->fences, compare_fences);
    return true;
}

static int compare_evidence_refs(const void *a, const void *b)
{
    return strcmp(((const struct evidence_ref *)a)->probe, ((const struct evidence_ref *)b)->probe);
}

static bool get_evidence(const struct json_value *root, struct topology *topology)
{
    struct json_value evidence, at;
    if (!json_get_object(root, "evidence", OPTIONAL, WITNESSES_MAX + 2, &evidence)) {
        return false;
    }
    for (void *iter = json_first(&evidence, &at); iter; iter = json_next(&evidence, iter, &at)) {
        uint64_t mzxid = 0;
        if (!json_value_digits(&at, INT64_MAX, &mzxid)) {
            return false;
        }
        if (text_equal(at.key, "directives")) {
            topology->directives_mzxid = (int64_t)mzxid;
            continue;
        }
        if (!text_is_name(at.key)) {
            return json_refuse(&at, "is not filed under a probe's name");
        }
        if (topology->evidence_count == WITNESSES_MAX + 1) {
            return json_refuse(&evidence, "names more than %d probes", WITNESSES_MAX + 1);
        }
        struct evidence_ref *ref = &topology->evidence[topology->evidence_count++];
        strcpy(ref->probe, at.key);
        ref->mzxid = (int64_t)mzxid;
    }
    qsort(topology->evidence, topology->evidence_count, sizeof *topology->evidence,
          compare_evidence_refs);
    return true;
}

/* A verdict that contradicts itself is no verdict. */
static bool check_topology(const struct json_value *root, const struct topology *topology)
{
    struct json_value primary = json_key(root, "primary");
    struct json_value state = json_key(root, "state");
    if (*topology->primary && !topology_member(topology, topology->primary)) {
        return json_refuse(&primary, "'%s' is not one of the members", topology->primary);
    }
    bool may_have = topology->state != STATE_NO_PRIMARY;
    bool may_lack = topology->state == STATE_NO_PRIMARY || topology->state == STATE_CONFLICT;
    if (*topology->primary ? !may_have : !may_lack) {
        return json_refuse(&state, "is %s, but primary is %s", state_names[topology->state],
                           *topology->primary ? topology->primary : "null");
    }
    return true;
}

static bool read_topology(const struct json_value *root, void *record)
{
    struct topology *topology = record;
    int state = STATE_OK;
    if (!json_get_name(root, "cluster", REQUIRED, topology->cluster) ||
        !get_policy(root, &topology->policy) ||
        !json_get_number(root, "epoch", REQUIRED, 1, JSON_EXACT_MAX, &topology->epoch) ||
        !json_get_number(root, "elected", OPTIONAL, 0, JSON_EXACT_MAX, &topology->elected) ||
        !json_get_choice(root, "state", REQUIRED, state_names, &state) ||
        !json_get_name(root, "primary", OPTIONAL, topology->primary) ||
        !json_get_name(root, "last_primary", OPTIONAL, topology->last_primary) ||
        !get_lineage(root, "lineage", topology->lineage) ||
        !json_get_text(root, "identity", OPTIONAL, topology->identity, sizeof topology->identity) ||
        !json_get_text(root, "why", REQUIRED, topology->why, sizeof topology->why) ||
        !get_rule(root, topology) || !get_rules(root, &topology->rules) ||
        !get_probe(root, "by", topology->by) ||
        !json_get_time(root, "at_wall", REQUIRED, &topology->at_wall_ms) ||
        !json_get_time(root, "seen_wall", OPTIONAL, &topology->seen_wall_ms) ||
        !json_get_text(root, "last_set", OPTIONAL, topology->last_set, sizeof topology->last_set)) {
        return false;
    }
    topology->state = (enum state)state;
    return get_members(root, topology) && get_fences(root, topology) &&
           get_evidence(root, topology) && check_topology(root, topology);
}

/* ---- presence and registry_id ---------------------------------------------------------------- */

static bool read_presence(const struct json_value *root, void *record)
{
    struct presence *presence = record;
    return get_probe(root, "probe", presence->probe) && get_host(root, "host", presence->host) &&
           json_get_name(root, "boot", OPTIONAL, presence->boot) &&
           json_get_name(root, "pid_namespace", OPTIONAL, presence->pid_namespace) &&
           json_get_number(root, "pid", REQUIRED, 0, JSON_EXACT_MAX, &presence->pid) &&
           json_get_text(root, "version", REQUIRED, presence->version, sizeof presence->version) &&
           json_get_digits(root, "nonce", &presence->nonce) &&
           json_get_digits(root, "beat", &presence->beat);
}

static bool read_went_back(const struct json_value *root, struct went_back *went_back)
{
    struct json_value place;
    uint64_t found = 0, known = 0;
    if (!json_get_object(root, "went_back", OPTIONAL, SIZE_MAX, &place)) {
        return false;
    }
    if (json_count(&place) == 0) {
        return true;
    }
    struct json_value at_found = json_key(&place, "found"), at_known = json_key(&place, "known");
    if (!json_value_digits(&at_found, INT64_MAX, &found) ||
        !json_value_digits(&at_known, INT64_MAX, &known)) {
        return false;
    }
    *went_back = (struct went_back){(int64_t)found, (int64_t)known};
    return true;
}

static bool read_registry_id(const struct json_value *root, void *record)
{
    struct registry_id *registry_id = record;
    struct json_value supersedes;
    if (!json_get_name(root, "registry", REQUIRED, registry_id->registry) ||
        !json_get_list(root, "supersedes", OPTIONAL,
                       sizeof registry_id->supersedes / sizeof *registry_id->supersedes,
                       &supersedes)) {
        return false;
    }
    for (size_t i = 0; i < json_count(&supersedes); i++) {
        struct json_value at = json_element(&supersedes, i);
        char name[NAME_SIZE];
        if (!json_value_name(&at, name)) {
            return false;
        }
        if (!json_is_repeated(&supersedes, i)) {
            strcpy(registry_id->supersedes[registry_id->supersedes_count++], name);
        }
    }
    return json_get_flag(root, "provisional", &registry_id->provisional) &&
           read_went_back(root, &registry_id->went_back);
}
static_assert((int)IDENTITY_SIZE == (int)NAME_SIZE, "a registry's identity is read as a name");

static bool read_memory(const struct json_value *root, void *record)
{
    struct memory *memory = record;
    struct json_value topologies, at;
    if (!read_registry_id(root, &memory->registry_id) ||
        !json_get_object(root, "topologies", OPTIONAL, CLUSTERS_MAX, &topologies)) {
        return false;
    }
    for (void *it = json_first(&topologies, &at); it; it = json_next(&topologies, it, &at)) {
        struct known_topology *known = &memory->known[memory->known_count];
        uint64_t mzxid;
        if (!text_is_name(at.key)) {
            return json_refuse(&at, "is not a name");
        }
        if (!json_value_digits(&at, INT64_MAX, &mzxid)) {
            return false;
        }
        strcpy(known->cluster, at.key);
        known->mzxid = (int64_t)mzxid;
        memory->known_count++;
    }
    return true;
}

/* ---- from bytes to a record ------------------------------------------------------------------ */

bool report_decode(const char *data, size_t len, struct report *ret_report,
                   struct codec_error *error)
{
    return json_read(data, len, read_report, ret_report, sizeof *ret_report, error);
}

bool topology_decode(const char *data, size_t len, struct topology *ret_topology,
                     struct codec_error *error)
{
    return json_read(data, len, read_topology, ret_topology, sizeof *ret_topology, error);
}

bool presence_decode(const char *data, size_t len, struct presence *ret_presence,
                     struct codec_error *error)
{
    return json_read(data, len, read_presence, ret_presence, sizeof *ret_presence, error);
}

bool registry_id_decode(const char *data, size_t len, struct registry_id *ret_registry_id,
                        struct codec_error *error)
{
    return json_read(data, len, read_registry_id, ret_registry_id, sizeof *ret_registry_id, error);
}

bool memory_decode(const char *data, size_t len, struct memory *ret_memory,
                   struct codec_error *error)
{
    return json_read(data, len, read_memory, ret_memory, sizeof *ret_memory, error);
}
