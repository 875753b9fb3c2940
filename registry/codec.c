/* The reading half of codec.h, and the only file that knows jansson.
 *
 *   znode -> (length, JSON, format) -> fields -> members in order -> invariants -> record
 *
 * A place is a value together with the way to it from the root, so that every
 * refusal can say where. Readers of required fields refuse an absent or null
 * value; readers of optional ones leave the default that stands in the record.
 * Nothing reaches the caller's record before all of it was found right.
 *
 * Limits: members are sorted here, so any order is accepted; a second member
 * or key of the same name is not. What depends on more than one record (is
 * this the cluster I asked for?) is the caller's to check. */
#include "registry/codec.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"

enum { RULES_MAX = 1000000, WEIGHT_MAX = 1000, WEIGHT_DEFAULT = 100, NUMBER_TEXT_MAX = 20 };

/* Whole numbers above this lose digits in parsers that hold them as doubles. */
static const int64_t exact_max = INT64_C(1) << 53;

/* ---- places and refusals ------------------------------------------------------- */

struct place {
    const struct place *up; /* NULL: the root */
    const char *key;        /* NULL: the element `index` of an array */
    size_t index;
    const json_t *value;    /* NULL: absent */
    struct refusal *refusal;
};

static void put_way(struct text *to, const struct place *place)
{
    if (!place->up) {
        return;
    }
    put_way(to, place->up);
    if (place->key) {
        text_put(to, "%s%s", place->up->up ? "." : "", place->key);
    } else {
        text_put(to, "[%zu]", place->index);
    }
}

static bool refuse(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Always false, for `return refuse(...)`. Keys and values in the sentence are foreign: they are tamed. */
static bool refuse(const struct place *place, const char *format, ...)
{
    char sentence[SENTENCE_SIZE];
    char fault[SENTENCE_SIZE];
    struct text text;
    va_list args;
    va_start(args, format);
    vsnprintf(fault, sizeof fault, format, args);
    va_end(args);
    text_init(&text, sentence, sizeof sentence);
    put_way(&text, place);
    text_put(&text, "%s%s", place->up ? ": " : "", fault);
    text_tame(place->refusal->sentence, sizeof place->refusal->sentence, sentence);
    return false;
}

static struct place at_key(const struct place *object, const char *key)
{
    return (struct place){object, key, 0, json_object_get(object->value, key), object->refusal};
}

static struct place at_index(const struct place *array, size_t index)
{
    return (struct place){array, NULL, index, json_array_get(array->value, index), array->refusal};
}

static bool is_absent(const struct place *place)
{
    return !place->value || json_is_null(place->value);
}

enum need { REQUIRED, OPTIONAL };

/* The value to read, or false with *ret_fine telling whether its absence is fine. */
static bool is_there(const struct place *place, enum need need, bool *ret_fine)
{
    if (!is_absent(place)) {
        return true;
    }
    *ret_fine = need == OPTIONAL || refuse(place, "is missing");
    return false;
}

/* ---- values --------------------------------------------------------------------- */

/* No control characters, neither of ASCII nor of Latin-1: they would reach terminals. */
static bool is_printable(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        if (*s < 0x20 || *s == 0x7F || (s[0] == 0xC2 && s[1] < 0xA0)) {
            return false;
        }
    }
    return true;
}

static bool to_text(const struct place *place, char *to, size_t size)
{
    if (!json_is_string(place->value)) {
        return refuse(place, "is not a string");
    }
    const char *text = json_string_value(place->value);
    if (strlen(text) >= size) {
        return refuse(place, "is longer than %zu bytes", size - 1);
    }
    if (!is_printable(text)) {
        return refuse(place, "holds a control character");
    }
    strcpy(to, text);
    return true;
}

static bool to_name(const struct place *place, char to[NAME_SIZE])
{
    char name[NAME_SIZE];
    if (!to_text(place, name, sizeof name)) {
        return false;
    }
    if (!text_is_name(name)) {
        return refuse(place, "'%s' is not a name ([A-Za-z0-9._-]{1,63})", name);
    }
    strcpy(to, name);
    return true;
}

static bool to_number(const struct place *place, int64_t low, int64_t high, int64_t *ret_number)
{
    if (!json_is_integer(place->value)) {
        return refuse(place, "is not a whole number");
    }
    int64_t number = json_integer_value(place->value);
    if (number < low || number > high) {
        return refuse(place, "%" PRId64 " is not in %" PRId64 "..%" PRId64, number, low, high);
    }
    *ret_number = number;
    return true;
}

/* Digits only, and no more than a 64-bit number may have. */
static bool to_digits(const struct place *place, uint64_t max, uint64_t *ret_number)
{
    char text[NUMBER_TEXT_MAX + 1];
    uint64_t number = 0;
    if (!to_text(place, text, sizeof text)) {
        return false;
    }
    if (!*text) {
        return refuse(place, "is empty where a number should be");
    }
    for (const char *s = text; *s; s++) {
        if (*s < '0' || *s > '9') {
            return refuse(place, "'%s' is not a number", text);
        }
        uint64_t digit = (uint64_t)(*s - '0');
        if (number > (max - digit) / 10) {
            return refuse(place, "'%s' is more than %" PRIu64, text, max);
        }
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

/* ---- fields of an object ------------------------------------------------------------ */

static bool get_text(const struct place *object, const char *key, enum need need, char *to, size_t size)
{
    struct place at = at_key(object, key);
    bool fine;
    return is_there(&at, need, &fine) ? to_text(&at, to, size) : fine;
}

static bool get_name(const struct place *object, const char *key, enum need need, char to[NAME_SIZE])
{
    struct place at = at_key(object, key);
    bool fine;
    return is_there(&at, need, &fine) ? to_name(&at, to) : fine;
}

/* A name under which evidence can be filed: the key "directives" there is taken. */
static bool get_probe(const struct place *object, const char *key, char to[NAME_SIZE])
{
    if (!get_name(object, key, REQUIRED, to)) {
        return false;
    }
    struct place at = at_key(object, key);
    return !text_equal(to, "directives") || refuse(&at, "'directives' cannot be a probe's name");
}

static bool get_lineage(const struct place *object, const char *key, char to[LINEAGE_SIZE])
{
    struct place at = at_key(object, key);
    if (!get_text(object, key, OPTIONAL, to, LINEAGE_SIZE)) {
        return false;
    }
    return to[strspn(to, "0123456789")] == '\0' || refuse(&at, "'%s' is not a number", to);
}

static bool get_number(const struct place *object, const char *key, enum need need, int64_t low, int64_t high, int64_t *ret_number)
{
    struct place at = at_key(object, key);
    bool fine;
    return is_there(&at, need, &fine) ? to_number(&at, low, high, ret_number) : fine;
}

static bool get_digits(const struct place *object, const char *key, uint64_t *ret_number)
{
    struct place at = at_key(object, key);
    bool fine;
    return is_there(&at, REQUIRED, &fine) ? to_digits(&at, UINT64_MAX, ret_number) : fine;
}

static bool get_flag(const struct place *object, const char *key, bool *ret_flag)
{
    struct place at = at_key(object, key);
    if (is_absent(&at)) {
        return true;
    }
    if (!json_is_boolean(at.value)) {
        return refuse(&at, "is neither true nor false");
    }
    *ret_flag = json_is_true(at.value);
    return true;
}

/* A word out of a table of names; its index. */
static bool get_word(const struct place *object, const char *key, enum need need, const char *const *names, int *ret_index)
{
    struct place at = at_key(object, key);
    char word[NAME_SIZE];
    bool fine;
    if (!is_there(&at, need, &fine)) {
        return fine;
    }
    if (!to_text(&at, word, sizeof word)) {
        return false;
    }
    int index = name_index(names, word);
    if (index < 0) {
        return refuse(&at, "'%s' is not known here", word);
    }
    *ret_index = index;
    return true;
}

static bool get_time(const struct place *object, const char *key, enum need need, int64_t *ret_wall_ms)
{
    struct place at = at_key(object, key);
    char text[NAME_SIZE];
    bool fine;
    if (!is_there(&at, need, &fine)) {
        return fine;
    }
    if (!to_text(&at, text, sizeof text)) {
        return false;
    }
    return text_parse_time(text, ret_wall_ms) || refuse(&at, "'%s' is not a time like 2026-11-21T01:22:33.123Z", text);
}

/* An object below an object; an absent optional one leaves ret_object->value NULL. */
static bool get_object(const struct place *object, const char *key, enum need need, struct place *ret_object)
{
    bool fine;
    *ret_object = at_key(object, key);
    if (!is_there(ret_object, need, &fine)) {
        ret_object->value = NULL;
        return fine;
    }
    return json_is_object(ret_object->value) || refuse(ret_object, "is not an object");
}

static bool get_array(const struct place *object, const char *key, enum need need, size_t max, struct place *ret_array)
{
    bool fine;
    *ret_array = at_key(object, key);
    if (!is_there(ret_array, need, &fine)) {
        ret_array->value = NULL;
        return fine;
    }
    if (!json_is_array(ret_array->value)) {
        return refuse(ret_array, "is not a list");
    }
    size_t count = json_array_size(ret_array->value);
    return count <= max || refuse(ret_array, "has %zu elements where %zu are the most", count, max);
}

/* Walks an object's keys in the order they stand in, as places: for (iter = keys_begin(...); iter; iter = keys_next(...)). */
static void *key_at(const struct place *object, void *iter, struct place *ret_place)
{
    if (iter) {
        *ret_place = (struct place){object, json_object_iter_key(iter), 0, json_object_iter_value(iter), object->refusal};
    }
    return iter;
}

static void *first_key(const struct place *object, struct place *ret_place)
{
    return key_at(object, json_object_iter((json_t *)(uintptr_t)object->value), ret_place);
}

static void *next_key(const struct place *object, void *iter, struct place *ret_place)
{
    return key_at(object, json_object_iter_next((json_t *)(uintptr_t)object->value, iter), ret_place);
}

static bool keys_fit(const struct place *object, size_t max)
{
    size_t count = json_object_size(object->value);
    return count <= max || refuse(object, "has %zu keys where %zu are the most", count, max);
}

/* ---- the parts of records ---------------------------------------------------------------- */

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

static bool get_labels(const struct place *object, struct listing *listing)
{
    struct place labels, at;
    if (!get_object(object, "labels", OPTIONAL, &labels) || !keys_fit(&labels, LABELS_MAX)) {
        return false;
    }
    for (void *iter = first_key(&labels, &at); iter; iter = next_key(&labels, iter, &at)) {
        struct label *label = &listing->labels[listing->label_count];
        if (!*at.key || strlen(at.key) >= sizeof label->key || !is_printable(at.key)) {
            return refuse(&at, "the label's key is not one of 1..%d printable bytes", LABEL_KEY_SIZE - 1);
        }
        if (!to_text(&at, label->value, sizeof label->value)) {
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
    struct place at = at_key(object, key);
    if (!get_text(object, key, REQUIRED, to, HOST_SIZE)) {
        return false;
    }
    return (*to && !strpbrk(to, " []/")) || refuse(&at, "'%s' is not a host name or address", to);
}

static bool get_listing(const struct place *object, struct listing *listing)
{
    int64_t port = 0;
    int64_t weight = WEIGHT_DEFAULT;
    if (!json_is_object(object->value)) {
        return refuse(object, "is not an object");
    }
    if (!get_name(object, "name", REQUIRED, listing->name) || !get_host(object, "host", listing->host) ||
        !get_number(object, "port", REQUIRED, 1, UINT16_MAX, &port) ||
        !get_number(object, "weight", OPTIONAL, 0, WEIGHT_MAX, &weight) || !get_labels(object, listing)) {
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
    *lag = (struct lag){LAG_UNKNOWN, -1, -1};
    if (!get_object(object, "lag", OPTIONAL, &at)) {
        return false;
    }
    if (!at.value) {
        return true;
    }
    if (!get_word(&at, "state", REQUIRED, lag_state_names, &state) ||
        !get_number(&at, "bytes", OPTIONAL, 0, INT64_MAX, &lag->bytes) || !get_number(&at, "ms", OPTIONAL, 0, INT64_MAX, &lag->ms)) {
        return false;
    }
    lag->state = (enum lag_state)state;
    return true;
}

static bool get_policy(const struct place *object, struct policy *policy)
{
    int engine = 0;
    int conflict = CONFLICT_HOLD;
    int64_t witnesses = 0;
    if (!get_word(object, "engine", REQUIRED, engine_names, &engine)) {
        return false;
    }
    int kind = engine == ENGINE_POSTGRESQL ? KIND_STREAMING : KIND_ASYNC;
    if (!get_word(object, "kind", OPTIONAL, kind_names, &kind) ||
        !get_number(object, "witnesses", REQUIRED, 1, WITNESSES_MAX, &witnesses) ||
        !get_word(object, "conflict", OPTIONAL, conflict_names, &conflict)) {
        return false;
    }
    *policy = (struct policy){(enum engine)engine, (enum kind)kind, (enum conflict)conflict, (uint8_t)witnesses};
    return true;
}

static bool get_rules(const struct place *object, int *ret_rules)
{
    int64_t rules = 0;
    if (!get_number(object, "rules", REQUIRED, 1, RULES_MAX, &rules)) {
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
    if (!get_listing(object, &sighting->listing) || !get_word(object, "answer", REQUIRED, answer_names, &answer) ||
        !get_flag(object, "claim", &sighting->claim) || !get_flag(object, "writable", &sighting->writable) ||
        !get_flag(object, "live", &sighting->live) || !get_flag(object, "replica", &sighting->replica) ||
        !get_lineage(object, "lineage", sighting->lineage) ||
        !get_text(object, "identity", OPTIONAL, sighting->identity, sizeof sighting->identity) ||
        !get_name(object, "upstream", OPTIONAL, sighting->upstream) || !get_lag(object, &sighting->lag) ||
        !get_text(object, "version", OPTIONAL, sighting->version, sizeof sighting->version) ||
        !get_word(object, "last_role", OPTIONAL, role_names, &last_role) ||
        !get_lineage(object, "last_lineage", sighting->last_lineage)) {
        return false;
    }
    sighting->answer = (enum answer)answer;
    sighting->last_role = (enum role)last_role;
    struct place at = at_key(object, "claim");
    return !sighting->claim || answer == ANSWER_OK || refuse(&at, "cannot be true of a member that did not answer");
}

static int compare_sightings(const void *a, const void *b)
{
    return strcmp(((const struct sighting *)a)->listing.name, ((const struct sighting *)b)->listing.name);
}

/* Names to bits; to be called when the report's members stand in their order. */
static bool get_replicas(const struct place *object, struct report *report)
{
    struct place replicas;
    char name[NAME_SIZE] = "";
    if (!get_array(object, "replicas", OPTIONAL, MEMBERS_MAX, &replicas) || !get_name(object, "name", REQUIRED, name)) {
        return false;
    }
    uint32_t bits = 0;
    for (size_t i = 0; i < json_array_size(replicas.value); i++) {
        struct place at = at_index(&replicas, i);
        char replica[NAME_SIZE];
        if (!to_name(&at, replica)) {
            return false;
        }
        const struct sighting *found = report_member(report, replica);
        if (found) { /* one that is not listed counts for nothing */
            bits |= UINT32_C(1) << (found - report->members);
        }
    }
    struct sighting *sighting = &report->members[report_member(report, name) - report->members];
    sighting->replicas = bits;
    return true;
}

static bool get_sightings(const struct place *root, struct report *report)
{
    struct place members;
    if (!get_array(root, "members", REQUIRED, MEMBERS_MAX, &members)) {
        return false;
    }
    size_t count = json_array_size(members.value);
    for (size_t i = 0; i < count; i++) {
        struct place at = at_index(&members, i);
        struct sighting sighting = {0};
        if (!get_sighting(&at, &sighting)) {
            return false;
        }
        if (report_member(report, sighting.listing.name)) {
            return refuse(&at, "'%s' is listed twice", sighting.listing.name);
        }
        report->members[report->member_count++] = sighting;
    }
    qsort(report->members, count, sizeof *report->members, compare_sightings);
    for (size_t i = 0; i < count; i++) {
        struct place at = at_index(&members, i);
        if (!get_replicas(&at, report)) {
            return false;
        }
    }
    return true;
}

static bool read_report(const struct place *root, void *record)
{
    struct report *report = record;
    struct place config;
    return get_name(root, "cluster", REQUIRED, report->cluster) && get_probe(root, "probe", report->probe) &&
           get_rules(root, &report->rules) && get_text(root, "abstains", OPTIONAL, report->abstains, sizeof report->abstains) &&
           get_time(root, "seen_wall", OPTIONAL, &report->seen_wall_ms) && get_object(root, "config", REQUIRED, &config) &&
           get_policy(&config, &report->policy) && get_sightings(root, report);
}

/* ---- the topology --------------------------------------------------------------------------- */

static bool get_member(const struct place *object, struct member *member)
{
    int role = ROLE_NONE;
    int health = HEALTH_UNKNOWN;
    int reason = ANSWER_OK;
    if (!get_listing(object, &member->listing) || !get_word(object, "role", REQUIRED, role_names, &role) ||
        !get_word(object, "health", REQUIRED, health_names, &health) ||
        !get_word(object, "reason", OPTIONAL, answer_names, &reason) || !get_flag(object, "fenced", &member->fenced) ||
        !get_number(object, "fenced_epoch", OPTIONAL, 0, exact_max, &member->fenced_epoch) ||
        !get_flag(object, "drained", &member->drained) || !get_flag(object, "claims", &member->claims) ||
        !get_name(object, "upstream", OPTIONAL, member->upstream) || !get_lag(object, &member->lag)) {
        return false;
    }
    member->role = (enum role)role;
    member->health = (enum health)health;
    member->reason = (enum answer)reason;
    return !(member->fenced && role == ROLE_PRIMARY) || refuse(object, "is both primary and fenced");
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->listing.name, ((const struct member *)b)->listing.name);
}

static bool get_members(const struct place *root, struct topology *topology)
{
    struct place members;
    if (!get_array(root, "members", REQUIRED, MEMBERS_MAX, &members)) {
        return false;
    }
    size_t count = json_array_size(members.value);
    for (size_t i = 0; i < count; i++) {
        struct place at = at_index(&members, i);
        struct member member = {0};
        if (!get_member(&at, &member)) {
            return false;
        }
        if (topology_member(topology, member.listing.name)) {
            return refuse(&at, "'%s' is listed twice", member.listing.name);
        }
        if ((member.role == ROLE_PRIMARY) != text_equal(member.listing.name, topology->primary)) {
            return refuse(&at, "has role %s, but the topology's primary is %s", role_names[member.role],
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
    if (!get_object(root, "evidence", OPTIONAL, &evidence)) {
        return false;
    }
    for (void *iter = first_key(&evidence, &at); iter; iter = next_key(&evidence, iter, &at)) {
        uint64_t mzxid = 0;
        if (!to_digits(&at, INT64_MAX, &mzxid)) {
            return false;
        }
        if (text_equal(at.key, "directives")) {
            topology->directives_mzxid = (int64_t)mzxid;
            continue;
        }
        if (!text_is_name(at.key)) {
            return refuse(&at, "is not filed under a probe's name");
        }
        if (topology->evidence_count == WITNESSES_MAX + 1) {
            return refuse(&evidence, "names more than %d probes", WITNESSES_MAX + 1);
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
    struct place primary = at_key(root, "primary");
    struct place state = at_key(root, "state");
    if (*topology->primary && !topology_member(topology, topology->primary)) {
        return refuse(&primary, "'%s' is not one of the members", topology->primary);
    }
    bool may_have = topology->state != STATE_NO_PRIMARY;
    bool may_lack = topology->state == STATE_NO_PRIMARY || topology->state == STATE_CONFLICT;
    if (*topology->primary ? !may_have : !may_lack) {
        return refuse(&state, "is %s, but primary is %s", state_names[topology->state],
                      *topology->primary ? topology->primary : "null");
    }
    return true;
}

static bool read_topology(const struct place *root, void *record)
{
    struct topology *topology = record;
    int state = STATE_OK;
    if (!get_name(root, "cluster", REQUIRED, topology->cluster) || !get_policy(root, &topology->policy) ||
        !get_number(root, "epoch", REQUIRED, 1, exact_max, &topology->epoch) ||
        !get_word(root, "state", REQUIRED, state_names, &state) || !get_name(root, "primary", OPTIONAL, topology->primary) ||
        !get_name(root, "last_primary", OPTIONAL, topology->last_primary) || !get_lineage(root, "lineage", topology->lineage) ||
        !get_text(root, "identity", OPTIONAL, topology->identity, sizeof topology->identity) ||
        !get_text(root, "why", REQUIRED, topology->why, sizeof topology->why) ||
        !get_text(root, "rule", REQUIRED, topology->rule, sizeof topology->rule) || !get_rules(root, &topology->rules) ||
        !get_probe(root, "by", topology->by) || !get_time(root, "at_wall", REQUIRED, &topology->at_wall_ms) ||
        !get_time(root, "seen_wall", OPTIONAL, &topology->seen_wall_ms)) {
        return false;
    }
    topology->state = (enum state)state;
    return get_members(root, topology) && get_evidence(root, topology) && check_topology(root, topology);
}

/* ---- the operator's word --------------------------------------------------------------------- */

static bool get_drain(const struct place *root, struct directives *directives)
{
    struct place drain;
    if (!get_array(root, "drain", OPTIONAL, MEMBERS_MAX, &drain)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(drain.value); i++) {
        struct place at = at_index(&drain, i);
        if (!to_name(&at, directives->drain[i])) {
            return false;
        }
        directives->drain_count++;
    }
    return true;
}

static bool get_weights(const struct place *root, struct directives *directives)
{
    struct place weights, at;
    if (!get_object(root, "weight", OPTIONAL, &weights) || !keys_fit(&weights, MEMBERS_MAX)) {
        return false;
    }
    for (void *iter = first_key(&weights, &at); iter; iter = next_key(&weights, iter, &at)) {
        int64_t weight = 0;
        if (!text_is_name(at.key)) {
            return refuse(&at, "is not a member's name");
        }
        if (!to_number(&at, 0, WEIGHT_MAX, &weight)) {
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
    char word[NAME_SIZE + NUMBER_TEXT_MAX + 1];
    if (!to_text(place, word, sizeof word)) {
        return false;
    }
    char *at = strchr(word, '@');
    int64_t epoch = 0;
    if (at) {
        *at = '\0';
    }
    if (!at || !text_is_name(word) || !text_parse_int(at + 1, 0, exact_max, &epoch)) {
        return refuse(place, "is not of the form MEMBER@EPOCH");
    }
    strcpy(ret_acceptance->name, word);
    ret_acceptance->epoch = epoch;
    return true;
}

static bool get_acceptances(const struct place *root, struct directives *directives)
{
    struct place accept;
    if (!get_array(root, "accept", OPTIONAL, MEMBERS_MAX, &accept)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(accept.value); i++) {
        struct place at = at_index(&accept, i);
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
    return get_drain(root, directives) && get_weights(root, directives) && get_name(root, "hold", OPTIONAL, directives->hold) &&
           get_acceptances(root, directives);
}

/* ---- presence and charter ----------------------------------------------------------------------- */

static bool read_presence(const struct place *root, void *record)
{
    struct presence *presence = record;
    return get_probe(root, "probe", presence->probe) && get_host(root, "host", presence->host) &&
           get_number(root, "pid", REQUIRED, 0, exact_max, &presence->pid) &&
           get_text(root, "version", REQUIRED, presence->version, sizeof presence->version) &&
           get_digits(root, "nonce", &presence->nonce) && get_digits(root, "beat", &presence->beat);
}

static bool read_charter(const struct place *root, void *record)
{
    struct charter *charter = record;
    struct place supersedes;
    if (!get_name(root, "registry", REQUIRED, charter->registry) ||
        !get_array(root, "supersedes", OPTIONAL, sizeof charter->supersedes / sizeof *charter->supersedes, &supersedes)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(supersedes.value); i++) {
        struct place at = at_index(&supersedes, i);
        if (!to_name(&at, charter->supersedes[i])) {
            return false;
        }
        charter->supersedes_count++;
    }
    return true;
}
static_assert((int)IDENTITY_SIZE == (int)NAME_SIZE, "a registry's identity is read as a name");

/* ---- from bytes to a record ------------------------------------------------------------------------ */

static json_t *parse(const char *data, size_t len, const struct place *root)
{
    if (len == 0) {
        refuse(root, "is empty");
        return NULL;
    }
    if (len > PAYLOAD_MAX) {
        refuse(root, "is %zu bytes long where %d are the most", len, PAYLOAD_MAX);
        return NULL;
    }
    json_error_t error;
    json_t *json = json_loadb(data, len, JSON_REJECT_DUPLICATES, &error);
    if (!json) {
        refuse(root, "is not JSON: line %d, column %d: %s", error.line, error.column, error.text);
    }
    return json;
}

static bool check_format(const struct place *root)
{
    if (!json_is_object(root->value)) {
        return refuse(root, "is not a JSON object");
    }
    struct place format = at_key(root, "format");
    bool fine;
    if (!is_there(&format, REQUIRED, &fine)) {
        return fine;
    }
    if (!json_is_integer(format.value) || json_integer_value(format.value) != MODEL_FORMAT) {
        root->refusal->foreign = json_is_integer(format.value) && json_integer_value(format.value) > MODEL_FORMAT;
        return refuse(&format, "is not %d, the only one understood here (was it written by a newer roster?)", MODEL_FORMAT);
    }
    return true;
}

/* Reads into a scratch record, for `ret_record` must stay as it is on failure and records are too big for small stacks. */
static bool decode(const char *data, size_t len, bool (*read)(const struct place *, void *), void *ret_record, size_t size,
                   struct refusal *refusal)
{
    struct place root = {.refusal = refusal};
    refusal->foreign = false;
    json_t *json = parse(data, len, &root);
    if (!json) {
        return false;
    }
    root.value = json;
    bool good = false;
    void *record = calloc(1, size);
    if (!record) {
        refuse(&root, "cannot be read: out of memory");
    } else if (check_format(&root) && read(&root, record)) {
        memcpy(ret_record, record, size);
        good = true;
    }
    free(record);
    json_decref(json);
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
