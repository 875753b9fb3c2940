/* The reading half of codec.h.
 *
 *   znode -> (length, JSON, format) -> fields -> members in order -> invariants -> record
 *
 * Nothing reaches the caller's record before all of it was found right.
 * Members and labels are sorted here, so any order is accepted; a second
 * member or key of the same name is not. What depends on more than one record
 * (is this the cluster I asked for?) is the caller's to check. */
#include "registry/model/codec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/json.h"

enum { RULES_MAX = 1000000, WEIGHT_MAX = 1000, WEIGHT_DEFAULT = 100, EPOCH_TEXT_MAX = 20 };

/* Whole numbers above this lose digits in parsers that hold them as doubles. */
static const int64_t exact_max = INT64_C(1) << 53;

/* ---- the parts of records ---------------------------------------------------------------- */

/* A name under which evidence can be filed: the key "directives" there is taken. */
static bool get_probe(const struct place *object, const char *key, char to[NAME_SIZE])
{
    if (!place_name(object, key, REQUIRED, to)) {
        return false;
    }
    struct place at = place_key(object, key);
    return !text_equal(to, "directives") || place_refuse(&at, "'directives' cannot be a probe's name");
}

static bool get_lineage(const struct place *object, const char *key, char to[LINEAGE_SIZE])
{
    struct place at = place_key(object, key);
    if (!place_text(object, key, OPTIONAL, to, LINEAGE_SIZE)) {
        return false;
    }
    static const char digits[] = "0123456789";
    const char *colon = strchr(to, ':');
    const char *number = colon ? colon + 1 : to;
    bool stamped = !colon || (colon > to && *number);
    return (stamped && number[strspn(number, digits)] == '\0') ||
           place_refuse(&at, "'%s' is neither a number nor STAMP:NUMBER", to);
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

static bool get_labels(const struct place *object, struct listing *listing)
{
    struct place labels, at;
    if (!place_object(object, "labels", OPTIONAL, LABELS_MAX, &labels)) {
        return false;
    }
    for (void *iter = place_first(&labels, &at); iter; iter = place_next(&labels, iter, &at)) {
        struct label *label = &listing->labels[listing->label_count];
        if (!*at.key || strlen(at.key) >= sizeof label->key || !place_is_printable(at.key)) {
            return place_refuse(&at, "the label's key is not one of 1..%d printable bytes", LABEL_KEY_SIZE - 1);
        }
        if (!place_take_text(&at, label->value, sizeof label->value)) {
            return false;
        }
        strcpy(label->key, at.key);
        listing->label_count++;
    }
    qsort(listing->labels, listing->label_count, sizeof *listing->labels, compare_labels);
    return true;
}

static bool get_host(const struct place *object, const char *key, char to[HOST_SIZE])
{
    struct place at = place_key(object, key);
    if (!place_text(object, key, REQUIRED, to, HOST_SIZE)) {
        return false;
    }
    return (*to && !strpbrk(to, " []/")) || place_refuse(&at, "'%s' is not a host name or address", to);
}

static bool get_listing(const struct place *object, struct listing *listing)
{
    int64_t port = 0;
    int64_t weight = WEIGHT_DEFAULT;
    if (!place_name(object, "name", REQUIRED, listing->name) || !get_host(object, "host", listing->host) ||
        !place_number(object, "port", REQUIRED, 1, UINT16_MAX, &port) ||
        !place_number(object, "weight", OPTIONAL, 0, WEIGHT_MAX, &weight) || !get_labels(object, listing)) {
        return false;
    }
    listing->port = (uint16_t)port;
    listing->weight = (uint16_t)weight;
    return true;
}

static bool get_lag(const struct place *object, struct lag *lag)
{
    struct place at;
    int state = LAG_UNKNOWN;
    *lag = LAG_NOT_KNOWN;
    if (!place_object(object, "lag", OPTIONAL, SIZE_MAX, &at)) {
        return false;
    }
    if (!at.value) {
        return true;
    }
    if (!place_word(&at, "state", REQUIRED, lag_state_names, &state) ||
        !place_number(&at, "bytes", OPTIONAL, 0, INT64_MAX, &lag->bytes) ||
        !place_number(&at, "ms", OPTIONAL, 0, INT64_MAX, &lag->ms) ||
        !place_number(&at, "transactions", OPTIONAL, 0, INT64_MAX, &lag->transactions)) {
        return false;
    }
    lag->state = (enum lag_state)state;
    return true;
}

static bool get_policy(const struct place *object, struct policy *policy)
{
    int engine = 0;
    int conflict = CONFLICT_HOLD;
    int writers = WRITERS_SINGLE;
    int64_t witnesses = 0;
    if (!place_word(object, "engine", REQUIRED, engine_names, &engine)) {
        return false;
    }
    int kind = engine == ENGINE_POSTGRESQL ? KIND_STREAMING : KIND_ASYNC;
    if (!place_word(object, "kind", OPTIONAL, kind_names, &kind) ||
        !place_number(object, "witnesses", REQUIRED, 1, WITNESSES_MAX, &witnesses) ||
        !place_word(object, "conflict", OPTIONAL, conflict_names, &conflict) ||
        !place_word(object, "writers", OPTIONAL, writers_names, &writers)) {
        return false;
    }
    *policy =
        (struct policy){(enum engine)engine, (enum kind)kind, (enum conflict)conflict, (enum writers)writers, (uint8_t)witnesses};
    return true;
}

static bool get_rules(const struct place *object, int *ret_rules)
{
    int64_t rules = 0;
    if (!place_number(object, "rules", REQUIRED, 1, RULES_MAX, &rules)) {
        return false;
    }
    *ret_rules = (int)rules;
    return true;
}

/* ---- the report ---------------------------------------------------------------------------- */

static bool get_sighting(const struct place *object, struct sighting *sighting)
{
    int answer = ANSWER_UNKNOWN;
    int last_role = ROLE_NONE;
    int condition = CONDITION_FIT;
    if (!get_listing(object, &sighting->listing) || !place_word(object, "answer", REQUIRED, answer_names, &answer) ||
        !place_flag(object, "claim", &sighting->claim) || !place_flag(object, "peer", &sighting->peer) ||
        !place_flag(object, "writable", &sighting->writable) || !place_flag(object, "sync", &sighting->sync) ||
        !place_word(object, "condition", OPTIONAL, condition_names, &condition) ||
        !place_text(object, "missing", OPTIONAL, sighting->missing, sizeof sighting->missing) ||
        !place_flag(object, "live", &sighting->live) || !place_flag(object, "replica", &sighting->replica) ||
        !get_lineage(object, "lineage", sighting->lineage) ||
        !place_text(object, "identity", OPTIONAL, sighting->identity, sizeof sighting->identity) ||
        !place_name(object, "upstream", OPTIONAL, sighting->upstream) || !get_lag(object, &sighting->lag) ||
        !place_text(object, "version", OPTIONAL, sighting->version, sizeof sighting->version) ||
        !place_word(object, "last_role", OPTIONAL, role_names, &last_role) ||
        !get_lineage(object, "last_lineage", sighting->last_lineage)) {
        return false;
    }
    sighting->answer = (enum answer)answer;
    sighting->condition = (enum condition)condition;
    sighting->last_role = (enum role)last_role;
    struct place at = place_key(object, "claim");
    return !sighting->claim || answer == ANSWER_OK || place_refuse(&at, "cannot be true of a member that did not answer");
}

static int compare_sightings(const void *a, const void *b)
{
    return strcmp(((const struct sighting *)a)->listing.name, ((const struct sighting *)b)->listing.name);
}

/* Names to bits; to be called when the report's members stand in their order. */
static bool get_set(const struct place *object, const char *key, const struct report *report, uint32_t *ret_set)
{
    struct place names;
    if (!place_list(object, key, OPTIONAL, MEMBERS_MAX, &names)) {
        return false;
    }
    for (size_t i = 0; i < place_count(&names); i++) {
        struct place at = place_element(&names, i);
        char name[NAME_SIZE];
        if (!place_take_name(&at, name)) {
            return false;
        }
        const struct sighting *found = report_member(report, name);
        if (found) { /* one that is not listed counts for nothing */
            *ret_set |= UINT32_C(1) << (found - report->members);
        }
    }
    return true;
}

static bool get_relations(const struct place *object, struct report *report)
{
    char name[NAME_SIZE] = "";
    if (!place_name(object, "name", REQUIRED, name)) {
        return false;
    }
    struct sighting *sighting = &report->members[report_member(report, name) - report->members];
    return get_set(object, "replicas", report, &sighting->replicas) && get_set(object, "lacks", report, &sighting->lacks);
}

static bool get_sightings(const struct place *root, struct report *report)
{
    struct place members;
    if (!place_list(root, "members", REQUIRED, MEMBERS_MAX, &members)) {
        return false;
    }
    size_t count = place_count(&members);
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(&members, i);
        struct sighting sighting = {0};
        if (!get_sighting(&at, &sighting)) {
            return false;
        }
        if (report_member(report, sighting.listing.name)) {
            return place_refuse(&at, "'%s' is listed twice", sighting.listing.name);
        }
        report->members[report->member_count++] = sighting;
    }
    qsort(report->members, count, sizeof *report->members, compare_sightings);
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(&members, i);
        if (!get_relations(&at, report)) {
            return false;
        }
    }
    return true;
}

static bool read_report(const struct place *root, void *record)
{
    struct report *report = record;
    struct place config;
    return place_name(root, "cluster", REQUIRED, report->cluster) && get_probe(root, "probe", report->probe) &&
           get_rules(root, &report->rules) && place_text(root, "abstains", OPTIONAL, report->abstains, sizeof report->abstains) &&
           place_time(root, "seen_wall", OPTIONAL, &report->seen_wall_ms) &&
           place_object(root, "config", REQUIRED, SIZE_MAX, &config) && get_policy(&config, &report->policy) &&
           get_sightings(root, report);
}

/* ---- the topology --------------------------------------------------------------------------- */

static bool get_member(const struct place *object, struct member *member)
{
    int role = ROLE_NONE;
    int health = HEALTH_UNKNOWN;
    int reason = ANSWER_OK;
    int condition = CONDITION_FIT;
    if (!get_listing(object, &member->listing) || !place_word(object, "role", REQUIRED, role_names, &role) ||
        !place_word(object, "health", REQUIRED, health_names, &health) ||
        !place_word(object, "reason", OPTIONAL, answer_names, &reason) || !place_flag(object, "fenced", &member->fenced) ||
        !place_number(object, "fenced_epoch", OPTIONAL, 0, exact_max, &member->fenced_epoch) ||
        !place_flag(object, "drained", &member->drained) || !place_flag(object, "claims", &member->claims) ||
        !place_flag(object, "sync", &member->sync) || !place_word(object, "condition", OPTIONAL, condition_names, &condition) ||
        !place_name(object, "upstream", OPTIONAL, member->upstream) || !get_lag(object, &member->lag)) {
        return false;
    }
    member->condition = (enum condition)condition;
    member->role = (enum role)role;
    member->health = (enum health)health;
    member->reason = (enum answer)reason;
    return !(member->fenced && role == ROLE_PRIMARY) || place_refuse(object, "is both primary and fenced");
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->listing.name, ((const struct member *)b)->listing.name);
}

static bool get_members(const struct place *root, struct topology *topology)
{
    struct place members;
    if (!place_list(root, "members", REQUIRED, MEMBERS_MAX, &members)) {
        return false;
    }
    size_t count = place_count(&members);
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(&members, i);
        struct member member = {0};
        if (!get_member(&at, &member)) {
            return false;
        }
        if (topology_member(topology, member.listing.name)) {
            return place_refuse(&at, "'%s' is listed twice", member.listing.name);
        }
        bool is_primary = text_equal(member.listing.name, topology->primary);
        bool may_write = is_primary || (topology->policy.writers == WRITERS_ALL && topology->primary[0]);
        if (member.role == ROLE_PRIMARY ? !may_write : is_primary) {
            return place_refuse(&at, "has role %s, but the topology's primary is %s", role_names[member.role],
                                *topology->primary ? topology->primary : "null");
        }
        topology->members[topology->member_count++] = member;
    }
    qsort(topology->members, count, sizeof *topology->members, compare_members);
    return true;
}

static int compare_testimonies(const void *a, const void *b)
{
    return strcmp(((const struct testimony *)a)->probe, ((const struct testimony *)b)->probe);
}

static bool get_evidence(const struct place *root, struct topology *topology)
{
    struct place evidence, at;
    if (!place_object(root, "evidence", OPTIONAL, WITNESSES_MAX + 2, &evidence)) {
        return false;
    }
    for (void *iter = place_first(&evidence, &at); iter; iter = place_next(&evidence, iter, &at)) {
        uint64_t mzxid = 0;
        if (!place_take_digits(&at, INT64_MAX, &mzxid)) {
            return false;
        }
        if (text_equal(at.key, "directives")) {
            topology->directives_mzxid = (int64_t)mzxid;
            continue;
        }
        if (!text_is_name(at.key)) {
            return place_refuse(&at, "is not filed under a probe's name");
        }
        if (topology->evidence_count == WITNESSES_MAX + 1) {
            return place_refuse(&evidence, "names more than %d probes", WITNESSES_MAX + 1);
        }
        struct testimony *testimony = &topology->evidence[topology->evidence_count++];
        strcpy(testimony->probe, at.key);
        testimony->mzxid = (int64_t)mzxid;
    }
    qsort(topology->evidence, topology->evidence_count, sizeof *topology->evidence, compare_testimonies);
    return true;
}

/* A verdict that contradicts itself is no verdict. */
static bool check_topology(const struct place *root, const struct topology *topology)
{
    struct place primary = place_key(root, "primary");
    struct place state = place_key(root, "state");
    if (*topology->primary && !topology_member(topology, topology->primary)) {
        return place_refuse(&primary, "'%s' is not one of the members", topology->primary);
    }
    bool may_have = topology->state != STATE_NO_PRIMARY;
    bool may_lack = topology->state == STATE_NO_PRIMARY || topology->state == STATE_CONFLICT;
    if (*topology->primary ? !may_have : !may_lack) {
        return place_refuse(&state, "is %s, but primary is %s", state_names[topology->state],
                            *topology->primary ? topology->primary : "null");
    }
    return true;
}

static bool read_topology(const struct place *root, void *record)
{
    struct topology *topology = record;
    int state = STATE_OK;
    if (!place_name(root, "cluster", REQUIRED, topology->cluster) || !get_policy(root, &topology->policy) ||
        !place_number(root, "epoch", REQUIRED, 1, exact_max, &topology->epoch) ||
        !place_word(root, "state", REQUIRED, state_names, &state) || !place_name(root, "primary", OPTIONAL, topology->primary) ||
        !place_name(root, "last_primary", OPTIONAL, topology->last_primary) || !get_lineage(root, "lineage", topology->lineage) ||
        !place_text(root, "identity", OPTIONAL, topology->identity, sizeof topology->identity) ||
        !place_text(root, "why", REQUIRED, topology->why, sizeof topology->why) ||
        !place_text(root, "rule", REQUIRED, topology->rule, sizeof topology->rule) || !get_rules(root, &topology->rules) ||
        !get_probe(root, "by", topology->by) || !place_time(root, "at_wall", REQUIRED, &topology->at_wall_ms) ||
        !place_time(root, "seen_wall", OPTIONAL, &topology->seen_wall_ms)) {
        return false;
    }
    topology->state = (enum state)state;
    return get_members(root, topology) && get_evidence(root, topology) && check_topology(root, topology);
}

/* ---- the operator's word --------------------------------------------------------------------- */

static bool get_drain(const struct place *root, struct directives *directives)
{
    struct place drain;
    if (!place_list(root, "drain", OPTIONAL, MEMBERS_MAX, &drain)) {
        return false;
    }
    for (size_t i = 0; i < place_count(&drain); i++) {
        struct place at = place_element(&drain, i);
        if (!place_take_name(&at, directives->drain[i])) {
            return false;
        }
        directives->drain_count++;
    }
    return true;
}

static bool get_weights(const struct place *root, struct directives *directives)
{
    struct place weights, at;
    if (!place_object(root, "weight", OPTIONAL, MEMBERS_MAX, &weights)) {
        return false;
    }
    for (void *iter = place_first(&weights, &at); iter; iter = place_next(&weights, iter, &at)) {
        int64_t weight = 0;
        if (!text_is_name(at.key)) {
            return place_refuse(&at, "is not a member's name");
        }
        if (!place_take_number(&at, 0, WEIGHT_MAX, &weight)) {
            return false;
        }
        struct override *override = &directives->weight[directives->weight_count++];
        strcpy(override->name, at.key);
        override->weight = (uint16_t)weight;
    }
    return true;
}

/* "pg-1@7" */
static bool to_acceptance(const struct place *place, struct acceptance *ret_acceptance)
{
    char word[NAME_SIZE + EPOCH_TEXT_MAX + 1];
    if (!place_take_text(place, word, sizeof word)) {
        return false;
    }
    char *at = strchr(word, '@');
    int64_t epoch = 0;
    if (at) {
        *at = '\0';
    }
    if (!at || !text_is_name(word) || !text_parse_int(at + 1, 0, exact_max, &epoch)) {
        return place_refuse(place, "is not of the form MEMBER@EPOCH");
    }
    strcpy(ret_acceptance->name, word);
    ret_acceptance->epoch = epoch;
    return true;
}

static bool get_acceptances(const struct place *root, struct directives *directives)
{
    struct place accept;
    if (!place_list(root, "accept", OPTIONAL, MEMBERS_MAX, &accept)) {
        return false;
    }
    for (size_t i = 0; i < place_count(&accept); i++) {
        struct place at = place_element(&accept, i);
        if (!to_acceptance(&at, &directives->accept[i])) {
            return false;
        }
        directives->accept_count++;
    }
    return true;
}

static bool read_directives(const struct place *root, void *record)
{
    struct directives *directives = record;
    return get_drain(root, directives) && get_weights(root, directives) && place_name(root, "hold", OPTIONAL, directives->hold) &&
           get_acceptances(root, directives);
}

/* ---- presence and charter ----------------------------------------------------------------------- */

static bool read_presence(const struct place *root, void *record)
{
    struct presence *presence = record;
    return get_probe(root, "probe", presence->probe) && get_host(root, "host", presence->host) &&
           place_number(root, "pid", REQUIRED, 0, exact_max, &presence->pid) &&
           place_text(root, "version", REQUIRED, presence->version, sizeof presence->version) &&
           place_digits(root, "nonce", &presence->nonce) && place_digits(root, "beat", &presence->beat);
}

static bool read_charter(const struct place *root, void *record)
{
    struct charter *charter = record;
    struct place supersedes;
    if (!place_name(root, "registry", REQUIRED, charter->registry) ||
        !place_list(root, "supersedes", OPTIONAL, sizeof charter->supersedes / sizeof *charter->supersedes, &supersedes)) {
        return false;
    }
    for (size_t i = 0; i < place_count(&supersedes); i++) {
        struct place at = place_element(&supersedes, i);
        if (!place_take_name(&at, charter->supersedes[i])) {
            return false;
        }
        charter->supersedes_count++;
    }
    return true;
}
static_assert((int)IDENTITY_SIZE == (int)NAME_SIZE, "a registry's identity is read as a name");

/* ---- from bytes to a record ------------------------------------------------------------------------ */

/* Reads into a scratch record, for `ret_record` must stay as it is on failure and records are too big for small stacks. */
static bool decode(const char *data, size_t len, bool (*read)(const struct place *, void *), void *ret_record, size_t size,
                   struct refusal *refusal)
{
    struct place root;
    if (!place_open(&root, data, len, refusal)) {
        return false;
    }
    void *record = calloc(1, size);
    bool good = record ? read(&root, record) : place_refuse(&root, "cannot be read: out of memory");
    if (good) {
        memcpy(ret_record, record, size);
    }
    free(record);
    place_close(&root);
    return good;
}

bool report_decode(const char *data, size_t len, struct report *ret_report, struct refusal *refusal)
{
    return decode(data, len, read_report, ret_report, sizeof *ret_report, refusal);
}

bool topology_decode(const char *data, size_t len, struct topology *ret_topology, struct refusal *refusal)
{
    return decode(data, len, read_topology, ret_topology, sizeof *ret_topology, refusal);
}

bool directives_decode(const char *data, size_t len, struct directives *ret_directives, struct refusal *refusal)
{
    return decode(data, len, read_directives, ret_directives, sizeof *ret_directives, refusal);
}

bool presence_decode(const char *data, size_t len, struct presence *ret_presence, struct refusal *refusal)
{
    return decode(data, len, read_presence, ret_presence, sizeof *ret_presence, refusal);
}

bool charter_decode(const char *data, size_t len, struct charter *ret_charter, struct refusal *refusal)
{
    return decode(data, len, read_charter, ret_charter, sizeof *ret_charter, refusal);
}
