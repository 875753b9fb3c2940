/* The writing half of codec.h.
 *
 *   record -> buffer -> znode
 *
 * The layout is for people: a line per member, keys in one order. Whatever a
 * record holds, the result is valid JSON: control characters become blanks,
 * bytes that are not UTF-8 question marks. No JSON library here: none of them
 * writes this layout. */
#include "registry/model/codec.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"

enum { FIRST_SIZE = 1024, TIME_SIZE = 40 };

/* The end of the year 9999: the last that RFC 3339 can express. */
static const int64_t last_wall_ms = INT64_C(253402300799999);

/* ---- a growing text -------------------------------------------------------------------------- */

struct buffer {
    char *text;
    size_t used;
    size_t size;
    bool failed; /* no memory: everything after is dropped */
};

static bool reserve(struct buffer *to, size_t more)
{
    if (to->failed) {
        return false;
    }
    if (to->size - to->used > more) {
        return true;
    }
    size_t size = to->size ? to->size : FIRST_SIZE;
    while (size - to->used <= more) {
        size *= 2;
    }
    char *text = realloc(to->text, size);
    if (!text) {
        to->failed = true;
        return false;
    }
    to->text = text;
    to->size = size;
    return true;
}

static void put_bytes(struct buffer *to, const char *bytes, size_t len)
{
    if (reserve(to, len)) {
        memcpy(to->text + to->used, bytes, len);
        to->used += len;
        to->text[to->used] = '\0';
    }
}

static void put(struct buffer *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For our own short pieces; foreign text goes through put_text. */
static void put(struct buffer *to, const char *format, ...)
{
    char piece[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof piece) {
        to->failed = true;
        return;
    }
    put_bytes(to, piece, (size_t)len);
}

static char *finish(struct buffer *of)
{
    if (of->failed) {
        free(of->text);
        return NULL;
    }
    return of->text;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* Bytes of the character at `s`, 0 when it is none. */
static size_t character_size(const char *s, size_t left)
{
    for (size_t size = 1; size <= 4 && size <= left; size++) {
        if (text_is_utf8(s, size)) {
            return size;
        }
    }
    return 0;
}

/* Of ASCII or of Latin-1: neither may reach a terminal. */
static bool is_control(const char *s, size_t size)
{
    unsigned char first = (unsigned char)s[0];
    return first < 0x20 || first == 0x7F ||
           (size == 2 && first == 0xC2 && (unsigned char)s[1] < 0xA0);
}

static void put_text(struct buffer *to, const char *text)
{
    put_bytes(to, "\"", 1);
    for (size_t left = strlen(text), size; left > 0; text += size, left -= size) {
        size = character_size(text, left);
        if (size == 0) {
            put_bytes(to, "?", 1);
            size = 1;
        } else if (is_control(text, size)) {
            put_bytes(to, " ", 1);
        } else {
            if (*text == '"' || *text == '\\') {
                put_bytes(to, "\\", 1);
            }
            put_bytes(to, text, size);
        }
    }
    put_bytes(to, "\"", 1);
}

/* ---- fields, each with the comma before it --------------------------------------------------- */

static void put_key(struct buffer *to, const char *key)
{
    assert(key && *key);
    put(to, ", \"%s\": ", key);
}

static void put_text_field(struct buffer *to, const char *key, const char *value)
{
    put_key(to, key);
    put_text(to, value);
}

/* "" is null. */
static void put_text_or_null(struct buffer *to, const char *key, const char *value)
{
    if (*value) {
        put_text_field(to, key, value);
    } else {
        put_key(to, key);
        put(to, "null");
    }
}

static void put_text_if_any(struct buffer *to, const char *key, const char *value)
{
    if (*value) {
        put_text_field(to, key, value);
    }
}

static void put_flag(struct buffer *to, const char *key, bool value)
{
    if (value) {
        put_key(to, key);
        put(to, "true");
    }
}

static void put_number(struct buffer *to, const char *key, int64_t value)
{
    put_key(to, key);
    put(to, "%" PRId64, value);
}

static void put_time(struct buffer *to, const char *key, int64_t wall_ms)
{
    char text[TIME_SIZE];
    int64_t sane_ms = wall_ms < 0 ? 0 : wall_ms > last_wall_ms ? last_wall_ms : wall_ms;
    put_text_field(to, key, text_time(text, sizeof text, sane_ms));
}

static void put_time_if_known(struct buffer *to, const char *key, int64_t wall_ms)
{
    if (wall_ms > 0) {
        put_time(to, key, wall_ms);
    }
}

static void put_number_if_known(struct buffer *to, const char *key, int64_t value)
{
    if (value >= 0) {
        put_number(to, key, value);
    }
}

static void put_number_if_any(struct buffer *to, const char *key, int64_t value)
{
    if (value != 0) {
        put_number(to, key, value);
    }
}

static void put_lag_if_known(struct buffer *to, const struct lag *lag)
{
    if (lag_equal(lag, &LAG_NOT_KNOWN)) {
        return;
    }
    put(to, ", \"lag\": { \"state\": \"%s\"", lag_state_names[lag->state]);
    put_number_if_known(to, "bytes", lag->bytes);
    put_number_if_known(to, "ms", lag->ms);
    put_number_if_known(to, "transactions", lag->transactions);
    put_number_if_any(to, "delay", lag->delay_ms);
    put(to, " }");
}

static void put_left_if_any(struct buffer *to, const struct left *left)
{
    if (left->sessions || left->handshakes) {
        put(to, ", \"left\": { \"sessions\": %d, \"handshakes\": %d }", left->sessions,
            left->handshakes);
    }
}

static void put_writers(struct buffer *to, enum writers writers)
{
    if (writers != WRITERS_SINGLE) {
        put_text_field(to, "writers", writers_names[writers]);
    }
}

static void put_condition(struct buffer *to, enum condition condition)
{
    if (condition != CONDITION_FIT) {
        put_text_field(to, "condition", condition_names[condition]);
    }
}

static void put_channel(struct buffer *to, enum channel_state channel)
{
    if (channel != CHANNEL_NONE) {
        put_text_field(to, "channel", channel_names[channel]);
    }
}

/* The separator in front of the i-th element of a list on one line. */
static const char *gap(size_t i)
{
    return i == 0 ? " " : ", ";
}

static const char *closing(size_t count, const char *filled, const char *empty)
{
    return count > 0 ? filled : empty;
}

static void put_labels(struct buffer *to, const struct member_config *config)
{
    put(to, ", \"labels\": {");
    for (size_t i = 0; i < config->label_count; i++) {
        put(to, "%s", gap(i));
        put_text(to, config->labels[i].key);
        put(to, ": ");
        put_text(to, config->labels[i].value);
    }
    put(to, "%s", closing(config->label_count, " }", "}"));
}

static void put_member_config(struct buffer *to, const struct member_config *config)
{
    put(to, "{ \"name\": ");
    put_text(to, config->name);
    put_text_field(to, "host", config->host);
    put_number(to, "port", config->port);
}

/* ---- the report ------------------------------------------------------------------------------ */

static void put_set(struct buffer *to, const char *key, const struct report *report, uint32_t set)
{
    size_t count = 0;
    put_key(to, key);
    put(to, "[");
    /* a bit beyond the members would be dropped without notice */
    assert(report->member_count == MEMBERS_MAX || set >> report->member_count == 0);
    for (size_t i = 0; i < report->member_count; i++) {
        if (set >> i & 1) {
            put(to, "%s", gap(count++));
            put_text(to, report->members[i].config.name);
        }
    }
    put(to, "%s", closing(count, " ]", "]"));
}

static void put_acts(struct buffer *to, unsigned acts)
{
    size_t count = 0;
    if (acts == 0) {
        return;
    }
    put(to, ", \"acts\": [");
    for (size_t i = 0; i < ACTS; i++) {
        if (acts >> i & 1) {
            put(to, "%s\"%s\"", gap(count++), act_names[i]);
        }
    }
    put(to, " ]");
}

/* What a server reports of itself. When it answered, "there is none" is known, and written as null
 * or an empty list; when it did not, nothing is known. */
static void put_statement(struct buffer *to, const struct report *report,
                          const struct member_report *member_report)
{
    bool whole = member_report->answer == ANSWER_OK;
    void (*put_string)(struct buffer *, const char *, const char *) =
        whole ? put_text_or_null : put_text_if_any;

    put_flag(to, "claim", member_report->claim);
    put_flag(to, "peer", member_report->shared);
    put_flag(to, "writable", member_report->writable);
    put_condition(to, member_report->condition);
    put_text_if_any(to, "closed_by", member_report->closed_by);
    put_flag(to, "sync", member_report->sync);
    put_flag(to, "live", member_report->live);
    put_flag(to, "replica", member_report->replica);
    put_number_if_any(to, "start", member_report->start_ms);
    put_channel(to, member_report->channel);
    put_flag(to, "unapplied", member_report->unapplied);
    put_flag(to, "late", member_report->late);
    put_flag(to, "stood", member_report->stood);
    put_acts(to, member_report->acts);
    put_text_if_any(to, "self", member_report->self);
    put_string(to, "lineage", member_report->lineage);
    put_string(to, "identity", member_report->identity);
    put_string(to, "upstream", member_report->upstream);
    put_text_if_any(to, "alias", member_report->alias);
    if (whole || member_report->replicas) {
        put_set(to, "replicas", report, member_report->replicas);
    }
    if (member_report->lacks) {
        put_set(to, "lacks", report, member_report->lacks);
    }
    if (member_report->misses) {
        put_set(to, "misses", report, member_report->misses);
    }
    if (member_report->has) {
        put_set(to, "has", report, member_report->has);
    }
    put_lag_if_known(to, &member_report->lag);
    put_text_if_any(to, "version", member_report->version);
    put_text_if_any(to, "missing", member_report->missing);
    put_left_if_any(to, &member_report->left);
}

static void put_member_report(struct buffer *to, const struct report *report,
                              const struct member_report *member_report)
{
    put_member_config(to, &member_report->config);
    put_number(to, "weight", member_report->config.weight);
    put_labels(to, &member_report->config);
    put_text_field(to, "answer", answer_names[member_report->answer]);
    put_statement(to, report, member_report);
    if (member_report->last_role != ROLE_NONE) {
        put_text_field(to, "last_role", role_names[member_report->last_role]);
    }
    put_text_if_any(to, "last_lineage", member_report->last_lineage);
    put(to, " }");
}

char *report_encode(const struct report *report)
{
    struct buffer to = {0};
    assert(report->member_count <= MEMBERS_MAX);
    assert(report->probe[0]);
    put(&to, "{\n  \"format\": %d", MODEL_FORMAT);
    put_text_field(&to, "cluster", report->cluster);
    put_text_field(&to, "probe", report->probe);
    put_number(&to, "rules", report->rules);
    put_text_or_null(&to, "abstains", report->abstains);
    put_time_if_known(&to, "seen_wall", report->seen_wall_ms);
    put(&to,
        ",\n  \"config\": { \"engine\": \"%s\", \"kind\": \"%s\", \"witnesses\": %d, \"conflict\": "
        "\"%s\"",
        engine_names[report->policy.engine], kind_names[report->policy.kind],
        report->policy.witnesses, conflict_names[report->policy.conflict]);
    put_writers(&to, report->policy.writers);
    put(&to, " }");
    put_text_if_any(&to, "last_set", report->last_set);
    put(&to, ",\n  \"members\": [");
    for (size_t i = 0; i < report->member_count; i++) {
        put(&to, i == 0 ? "\n    " : ",\n    ");
        put_member_report(&to, report, &report->members[i]);
    }
    put(&to, "%s\n}\n", closing(report->member_count, "\n  ]", "]"));
    return finish(&to);
}

/* ---- the topology ---------------------------------------------------------------------------- */

/* Nothing is remembered of a server that never answered. */
static bool is_blank(const struct record *record)
{
    return record->start_ms == 0 && record->acts == 0 && !record->writable &&
           record->channel == CHANNEL_NONE && record->accepted == 0 && !record->source[0] &&
           !record->streamed[0] && !record->lineage[0] && !record->self[0];
}

static void put_record(struct buffer *to, const struct record *record)
{
    if (is_blank(record)) {
        return;
    }
    put(to, ", \"record\": { \"start\": %" PRId64, record->start_ms);
    put_flag(to, "writable", record->writable);
    put_channel(to, record->channel);
    put_text_if_any(to, "source", record->source);
    put_text_if_any(to, "streamed", record->streamed);
    put_text_if_any(to, "lineage", record->lineage);
    put_text_if_any(to, "self", record->self);
    put_number_if_any(to, "accepted", record->accepted);
    put_acts(to, record->acts);
    put(to, " }");
}

static void put_fences(struct buffer *to, const struct topology *topology)
{
    if (topology->fence_count == 0) {
        return;
    }
    put(to, ",\n  \"fences\": [");
    for (size_t i = 0; i < topology->fence_count; i++) {
        const struct fence *fence = &topology->fences[i];
        put(to, "%s{ \"name\": ", gap(i));
        put_text(to, fence->name);
        put_text_field(to, "host", fence->host);
        put_number(to, "port", fence->port);
        put_text_if_any(to, "self", fence->self);
        put_number(to, "epoch", fence->epoch);
        put(to, " }");
    }
    put(to, " ]");
}

static void put_member(struct buffer *to, const struct member *member)
{
    put_member_config(to, &member->config);
    put_text_field(to, "role", role_names[member->role]);
    put_text_field(to, "health", health_names[member->health]);
    if (member->reason != ANSWER_OK) {
        put_text_field(to, "reason", answer_names[member->reason]);
    }
    put_flag(to, "fenced", member->fenced);
    if (member->fenced_epoch != 0) {
        put_number(to, "fenced_epoch", member->fenced_epoch);
    }
    put_flag(to, "drained", member->drained);
    put_flag(to, "unlisted", member->unlisted);
    put_flag(to, "claims", member->claims);
    put_text_if_any(to, "bar", bar_names[member->bar]);
    put_condition(to, member->condition);
    put_text_if_any(to, "closed_by", member->closed_by);
    put_flag(to, "sync", member->sync);
    put_text_if_any(to, "alias", member->alias);
    put_text_if_any(to, "upstream", member->upstream);
    put_lag_if_known(to, &member->lag);
    put_number(to, "weight", member->config.weight);
    put_labels(to, &member->config);
    put_record(to, &member->record);
    put(to, " }");
}

static void put_evidence(struct buffer *to, const struct topology *topology)
{
    size_t count = topology->evidence_count;
    put(to, ",\n  \"evidence\": {");
    for (size_t i = 0; i < count; i++) {
        put(to, "%s", gap(i));
        put_text(to, topology->evidence[i].probe);
        put(to, ": \"%" PRId64 "\"", topology->evidence[i].mzxid);
    }
    if (topology->directives_mzxid != 0) {
        put(to, "%s\"directives\": \"%" PRId64 "\"", gap(count++), topology->directives_mzxid);
    }
    put(to, "%s", closing(count, " }", "}"));
}

char *topology_encode(const struct topology *topology)
{
    struct buffer to = {0};
    assert(topology->member_count <= MEMBERS_MAX);
    assert(topology->evidence_count <= WITNESSES_MAX + 1);
    put(&to, "{\n  \"format\": %d", MODEL_FORMAT);
    put_text_field(&to, "cluster", topology->cluster);
    put_text_field(&to, "engine", engine_names[topology->policy.engine]);
    put_text_field(&to, "kind", kind_names[topology->policy.kind]);
    put_number(&to, "witnesses", topology->policy.witnesses);
    put_text_field(&to, "conflict", conflict_names[topology->policy.conflict]);
    put_writers(&to, topology->policy.writers);
    put(&to, ",\n  \"epoch\": %" PRId64 ", \"state\": \"%s\"", topology->epoch,
        state_names[topology->state]);
    put_text_or_null(&to, "primary", topology->primary);
    put_text_if_any(&to, "last_primary", topology->last_primary);
    put_text_or_null(&to, "lineage", topology->lineage);
    put_text_or_null(&to, "identity", topology->identity);
    put_number_if_any(&to, "elected", topology->elected);
    put(&to, ",\n  \"why\": ");
    put_text(&to, topology->why);
    put(&to, ",\n  \"rule\": ");
    put_text(&to, topology_rule(topology));
    if (topology->rule != RULE_FOREIGN) {
        put_number(&to, "rule_id", topology->rule);
    }
    put_number(&to, "rules", topology->rules);
    put_text_field(&to, "by", topology->by);
    put_time(&to, "at_wall", topology->at_wall_ms);
    put_time_if_known(&to, "seen_wall", topology->seen_wall_ms);
    put_text_if_any(&to, "last_set", topology->last_set);
    put(&to, ",\n  \"members\": [");
    for (size_t i = 0; i < topology->member_count; i++) {
        put(&to, i == 0 ? "\n    " : ",\n    ");
        put_member(&to, &topology->members[i]);
    }
    put(&to, "%s", closing(topology->member_count, "\n  ]", "]"));
    put_fences(&to, topology);
    put_evidence(&to, topology);
    put(&to, "\n}\n");
    return finish(&to);
}

/* ---- the operator's orders ------------------------------------------------------------------- */

/* "pg-1@7", all or those that replace; returns how many. */
static size_t put_acceptances(struct buffer *to, const struct directives *directives,
                              bool replacing)
{
    size_t count = 0;
    for (size_t i = 0; i < directives->accept_count; i++) {
        const struct acceptance *acceptance = &directives->accept[i];
        char entry[NAME_SIZE + 32];
        if (acceptance->replace || !replacing) {
            snprintf(entry, sizeof entry, "%s@%" PRId64, acceptance->name, acceptance->epoch);
            put(to, "%s", gap(count++));
            put_text(to, entry);
        }
    }
    return count;
}

static bool replaces(const struct directives *directives)
{
    bool any = false;
    for (size_t i = 0; i < directives->accept_count; i++) {
        any = any || directives->accept[i].replace;
    }
    return any;
}

static void put_orders(struct buffer *to, const struct directives *directives)
{
    put(to, ", \"drain\": [");
    for (size_t i = 0; i < directives->drain_count; i++) {
        put(to, "%s", gap(i));
        put_text(to, directives->drain[i]);
    }
    put(to, "%s, \"weight\": {", closing(directives->drain_count, " ]", "]"));
    for (size_t i = 0; i < directives->weight_count; i++) {
        put(to, "%s", gap(i));
        put_text(to, directives->weight[i].name);
        put(to, ": %d", directives->weight[i].weight);
    }
    put(to, "%s", closing(directives->weight_count, " }", "}"));
    put_text_or_null(to, "hold", directives->hold);
    put(to, ", \"accept\": [");
    put(to, "%s", closing(put_acceptances(to, directives, false), " ]", "]"));
    /* apart, where readers of versions before skip it */
    if (replaces(directives)) {
        put(to, ", \"replace\": [");
        put(to, "%s", closing(put_acceptances(to, directives, true), " ]", "]"));
    }
}

char *directives_encode(const struct directives *directives)
{
    struct buffer to = {0};
    assert(directives->drain_count <= MEMBERS_MAX && directives->weight_count <= MEMBERS_MAX &&
           directives->accept_count <= MEMBERS_MAX);
    put(&to, "{ \"format\": %d", MODEL_FORMAT);
    put_orders(&to, directives);
    put(&to, " }\n");
    return finish(&to);
}

/* ---- presence and registry_id ---------------------------------------------------------------- */

static void put_known(struct buffer *to, const char *key, const char *value)
{
    if (value[0]) {
        put_text_field(to, key, value);
    }
}

char *presence_encode(const struct presence *presence)
{
    struct buffer to = {0};
    put(&to, "{ \"format\": %d", MODEL_FORMAT);
    put_text_field(&to, "probe", presence->probe);
    put_text_field(&to, "host", presence->host);
    put_known(&to, "boot", presence->boot);
    put_known(&to, "pid_namespace", presence->pid_namespace);
    put_number(&to, "pid", presence->pid);
    put_text_field(&to, "version", presence->version);
    put(&to, ", \"nonce\": \"%" PRIu64 "\", \"beat\": \"%" PRIu64 "\" }\n", presence->nonce,
        presence->beat);
    return finish(&to);
}

static void put_registry_id(struct buffer *to, const struct registry_id *registry_id)
{
    put(to, "{ \"format\": %d", MODEL_FORMAT);
    put_text_field(to, "registry", registry_id->registry);
    put(to, ", \"supersedes\": [");
    assert(registry_id->supersedes_count <=
           sizeof registry_id->supersedes / sizeof *registry_id->supersedes);
    for (size_t i = 0; i < registry_id->supersedes_count; i++) {
        put(to, "%s", gap(i));
        put_text(to, registry_id->supersedes[i]);
    }
    put(to, "%s", closing(registry_id->supersedes_count, " ]", "]"));
    put_flag(to, "provisional", registry_id->provisional);
    if (registry_id->went_back.known) {
        put(to, ", \"went_back\": { \"found\": \"%" PRId64 "\", \"known\": \"%" PRId64 "\" }",
            registry_id->went_back.found, registry_id->went_back.known);
    }
}

char *registry_id_encode(const struct registry_id *registry_id)
{
    struct buffer to = {0};
    put_registry_id(&to, registry_id);
    put(&to, " }\n");
    return finish(&to);
}

char *memory_encode(const struct memory *memory)
{
    struct buffer to = {0};
    assert(memory->known_count <= CLUSTERS_MAX);
    put_registry_id(&to, &memory->registry_id);
    put(&to, ", \"topologies\": {");
    for (size_t i = 0; i < memory->known_count; i++) {
        put(&to, "%s", gap(i));
        put_text(&to, memory->known[i].cluster);
        put(&to, ": \"%" PRId64 "\"", memory->known[i].mzxid);
    }
    put(&to, "%s }\n", closing(memory->known_count, " }", "}"));
    return finish(&to);
}
