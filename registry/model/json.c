#include "registry/model/json.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/codec.h"

enum {
    NUMBER_TEXT_MAX = 20, /* digits of a 64-bit number */
    DOUBLES_DEPTH = 16    /* no record is deeper; nothing below that is looked at for doubles */
};

/* ---- places and errors ----------------------------------------------------------------------- */

static void put_path(struct text *to, const struct json_value *place)
{
    if (!place->up) {
        return;
    }
    put_path(to, place->up);
    if (place->key) {
        text_put(to, "%s%s", place->up->up ? "." : "", place->key);
    } else {
        text_put(to, "[%zu]", place->index);
    }
}

bool json_refuse(const struct json_value *place, const char *format, ...)
{
    char sentence[SENTENCE_SIZE];
    char fault[SENTENCE_SIZE];
    struct text text;
    va_list args;
    assert(place->error);
    va_start(args, format);
    vsnprintf(fault, sizeof fault, format, args);
    va_end(args);
    text_init(&text, sentence, sizeof sentence);
    put_path(&text, place);
    text_put(&text, "%s%s", place->up ? ": " : "", fault);
    text_tame(place->error->sentence, sizeof place->error->sentence, sentence);
    place->error->foreign = false;
    return false;
}

struct json_value json_key(const struct json_value *object, const char *key)
{
    assert(key);
    return (struct json_value){object, key, 0, json_object_get(object->value, key), object->error};
}

struct json_value json_element(const struct json_value *list, size_t index)
{
    return (struct json_value){list, NULL, index, json_array_get(list->value, index), list->error};
}

size_t json_count(const struct json_value *place)
{
    return json_is_array(place->value) ? json_array_size(place->value)
                                       : json_object_size(place->value);
}

static bool is_absent(const struct json_value *place)
{
    return !place->value || json_is_null(place->value);
}

/* The value to read, or false with *ret_fine: is its absence fine. */
static bool is_there(const struct json_value *place, enum need need, bool *ret_fine)
{
    if (!is_absent(place)) {
        return true;
    }
    *ret_fine = need == OPTIONAL || json_refuse(place, "is missing");
    return false;
}

/* ---- values ---------------------------------------------------------------------------------- */

bool json_is_printable(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        if (*s < 0x20 || *s == 0x7F || (s[0] == 0xC2 && s[1] < 0xA0)) {
            return false;
        }
    }
    return true;
}

bool json_value_text(const struct json_value *place, char *to, size_t size)
{
    assert(to && size > 0);
    if (!json_is_string(place->value)) {
        return json_refuse(place, "is not a string");
    }
    const char *text = json_string_value(place->value);
    if (strlen(text) >= size) {
        return json_refuse(place, "is longer than %zu bytes", size - 1);
    }
    if (!json_is_printable(text)) {
        return json_refuse(place, "holds a control character");
    }
    strcpy(to, text);
    return true;
}

bool json_value_name(const struct json_value *place, char to[NAME_SIZE])
{
    char name[NAME_SIZE];
    if (!json_value_text(place, name, sizeof name)) {
        return false;
    }
    if (!text_is_name(name)) {
        return json_refuse(place, "'%s' is not a name ([A-Za-z0-9._-]{1,63})", name);
    }
    strcpy(to, name);
    return true;
}

bool json_value_number(const struct json_value *place, int64_t low, int64_t high,
                       int64_t *ret_number)
{
    assert(low <= high);
    if (!json_is_integer(place->value)) {
        return json_refuse(place, "is not a whole number");
    }
    int64_t number = json_integer_value(place->value);
    if (number < low || number > high) {
        return json_refuse(place, "%" PRId64 " is not in %" PRId64 "..%" PRId64, number, low, high);
    }
    *ret_number = number;
    return true;
}

bool json_value_digits(const struct json_value *place, uint64_t max, uint64_t *ret_number)
{
    char text[NUMBER_TEXT_MAX + 1];
    uint64_t number = 0;
    if (!json_value_text(place, text, sizeof text)) {
        return false;
    }
    if (!*text) {
        return json_refuse(place, "is empty where a number should be");
    }
    for (const char *s = text; *s; s++) {
        if (*s < '0' || *s > '9') {
            return json_refuse(place, "'%s' is not a number", text);
        }
        uint64_t digit = (uint64_t)(*s - '0');
        if (number > (max - digit) / 10) {
            return json_refuse(place, "'%s' is more than %" PRIu64, text, max);
        }
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

/* ---- fields of an object --------------------------------------------------------------------- */

bool json_get_text(const struct json_value *object, const char *key, enum need need, char *to,
                   size_t size)
{
    struct json_value at = json_key(object, key);
    bool fine;
    return is_there(&at, need, &fine) ? json_value_text(&at, to, size) : fine;
}

bool json_get_name(const struct json_value *object, const char *key, enum need need,
                   char to[NAME_SIZE])
{
    struct json_value at = json_key(object, key);
    bool fine;
    return is_there(&at, need, &fine) ? json_value_name(&at, to) : fine;
}

bool json_get_number(const struct json_value *object, const char *key, enum need need, int64_t low,
                     int64_t high, int64_t *ret_number)
{
    struct json_value at = json_key(object, key);
    bool fine;
    return is_there(&at, need, &fine) ? json_value_number(&at, low, high, ret_number) : fine;
}

bool json_get_digits(const struct json_value *object, const char *key, uint64_t *ret_number)
{
    struct json_value at = json_key(object, key);
    bool fine;
    return is_there(&at, REQUIRED, &fine) ? json_value_digits(&at, UINT64_MAX, ret_number) : fine;
}

bool json_get_flag(const struct json_value *object, const char *key, bool *ret_flag)
{
    struct json_value at = json_key(object, key);
    if (is_absent(&at)) {
        return true;
    }
    if (!json_is_boolean(at.value)) {
        return json_refuse(&at, "is neither true nor false");
    }
    *ret_flag = json_is_true(at.value);
    return true;
}

bool json_get_choice(const struct json_value *object, const char *key, enum need need,
                     const char *const *names, int *ret_index)
{
    struct json_value at = json_key(object, key);
    char name[NAME_SIZE];
    bool fine;
    if (!is_there(&at, need, &fine)) {
        return fine;
    }
    if (!json_value_text(&at, name, sizeof name)) {
        return false;
    }
    int index = name_index(names, name);
    if (index < 0) {
        return json_refuse(&at, "'%s' is not known here", name);
    }
    *ret_index = index;
    return true;
}

bool json_get_time(const struct json_value *object, const char *key, enum need need,
                   int64_t *ret_wall_ms)
{
    struct json_value at = json_key(object, key);
    char text[NAME_SIZE];
    bool fine;
    if (!is_there(&at, need, &fine)) {
        return fine;
    }
    if (!json_value_text(&at, text, sizeof text)) {
        return false;
    }
    int64_t wall_ms = 0;
    if (!text_parse_time(text, &wall_ms) || wall_ms < 0) {
        return json_refuse(&at, "'%s' is not a time like 2026-11-21T01:22:33.123Z", text);
    }
    *ret_wall_ms = wall_ms;
    return true;
}

static bool get_container(const struct json_value *object, const char *key, enum need need,
                          size_t max, bool list, struct json_value *ret_place)
{
    bool fine;
    *ret_place = json_key(object, key);
    if (!is_there(ret_place, need, &fine)) {
        ret_place->value = NULL;
        return fine;
    }
    if (!(list ? json_is_array(ret_place->value) : json_is_object(ret_place->value))) {
        return json_refuse(ret_place, "is not %s", list ? "a list" : "an object");
    }
    size_t count = json_count(ret_place);
    return count <= max || json_refuse(ret_place, "has %zu %s where %zu are the most", count,
                                       list ? "elements" : "keys", max);
}

bool json_get_object(const struct json_value *object, const char *key, enum need need, size_t max,
                     struct json_value *ret_object)
{
    return get_container(object, key, need, max, false, ret_object);
}

bool json_get_list(const struct json_value *object, const char *key, enum need need, size_t max,
                   struct json_value *ret_list)
{
    return get_container(object, key, need, max, true, ret_list);
}

static void *key_at(const struct json_value *object, void *iter, struct json_value *ret_place)
{
    if (iter) {
        *ret_place = (struct json_value){object, json_object_iter_key(iter), 0,
                                         json_object_iter_value(iter), object->error};
    }
    return iter;
}

void *json_first(const struct json_value *object, struct json_value *ret_place)
{
    return key_at(object, json_object_iter((json_t *)(uintptr_t)object->value), ret_place);
}

void *json_next(const struct json_value *object, void *iter, struct json_value *ret_place)
{
    return key_at(object, json_object_iter_next((json_t *)(uintptr_t)object->value, iter),
                  ret_place);
}

bool json_same(const struct json_value *a, const struct json_value *b)
{
    return json_equal(a->value, b->value);
}

bool json_is_repeated(const struct json_value *list, size_t index)
{
    struct json_value this = json_element(list, index);
    for (size_t i = 0; i < index; i++) {
        struct json_value other = json_element(list, i);
        if (json_same(&this, &other)) {
            list->error->mended = true;
            return true;
        }
    }
    return false;
}

/* ---- keys that stand twice -------------------------------------------------------------------
 *
 * The parser keeps the last of two and drops the other without a word, or refuses both without
 * saying which. So a text with doubles, which the parser found sound otherwise, is walked once
 * more: doubles of the same value are one, others are refused by name. */

struct walk {
    const char *at, *end;
};

static void skip_blank(struct walk *walk)
{
    while (walk->at < walk->end && strchr(" \t\r\n", *walk->at)) {
        walk->at++;
    }
}

/* From a quote to behind its partner. */
static void skip_string(struct walk *walk)
{
    for (walk->at++; walk->at < walk->end && *walk->at != '"'; walk->at++) {
        walk->at += *walk->at == '\\';
    }
    walk->at++;
}

/* The value that begins here. */
static json_t *value_at(const char *from, const char *end)
{
    return json_loadb(from, (size_t)(end - from), JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);
}

/* Notes where the value of this key begins; false: it differs from that of an earlier one. */
static bool note_key(json_t *seen, const struct json_value *place, const char *text,
                     const char *from, const char *end)
{
    const json_t *before = json_object_get(seen, place->key);
    if (!before) {
        return json_object_set_new(seen, place->key, json_integer(from - text)) == 0 ||
               json_refuse(place, "cannot be read: out of memory");
    }
    json_t *first = value_at(text + json_integer_value(before), end);
    json_t *second = value_at(from, end);
    bool same = first && second && json_equal(first, second);
    json_decref(first);
    json_decref(second);
    return same || json_refuse(place, "stands twice, and not with the same value");
}

static bool fold_value(struct walk *walk, const struct json_value *place, const char *text,
                       int depth);

/* One key and its value. */
static bool fold_key(struct walk *walk, const struct json_value *object, const char *text,
                     json_t *seen, int depth)
{
    json_t *key = value_at(walk->at, walk->end);
    struct json_value place = {.up = object, .error = object->error};
    if (!key) {
        return json_refuse(object, "cannot be read: out of memory");
    }
    place.key = json_string_value(key);
    skip_string(walk);
    skip_blank(walk);
    walk->at++; /* the colon */
    skip_blank(walk);
    const char *from = walk->at;
    bool fine =
        fold_value(walk, &place, text, depth) && note_key(seen, &place, text, from, walk->end);
    json_decref(key);
    return fine;
}

/* From a bracket to behind its partner. `seen` is NULL for a list. */
static bool fold_elements(struct walk *walk, const struct json_value *place, const char *text,
                          json_t *seen, int depth)
{
    bool fine = true;
    walk->at++;
    skip_blank(walk);
    for (size_t i = 0; fine && *walk->at != ']' && *walk->at != '}'; i++) {
        struct json_value element = {.up = place, .index = i, .error = place->error};
        fine = seen ? fold_key(walk, place, text, seen, depth + 1)
                    : fold_value(walk, &element, text, depth + 1);
        skip_blank(walk);
        if (fine && *walk->at == ',') {
            walk->at++;
            skip_blank(walk);
        }
    }
    walk->at++;
    return fine;
}

static bool fold_value(struct walk *walk, const struct json_value *place, const char *text,
                       int depth)
{
    assert(walk->at < walk->end);
    if (depth > DOUBLES_DEPTH) {
        return json_refuse(place, "is nested too deep");
    }
    if (*walk->at == '"') {
        skip_string(walk);
    } else if (*walk->at == '[') {
        return fold_elements(walk, place, text, NULL, depth);
    } else if (*walk->at == '{') {
        json_t *seen = json_object();
        bool fine = seen ? fold_elements(walk, place, text, seen, depth)
                         : json_refuse(place, "cannot be read: out of memory");
        json_decref(seen);
        return fine;
    } else {
        while (walk->at < walk->end && !strchr(",]} \t\r\n", *walk->at)) {
            walk->at++;
        }
    }
    return true;
}

static void refuse_text(const struct json_value *root, const json_error_t *error)
{
    json_refuse(root, "is not JSON: line %d, column %d: %s", error->line, error->column,
                error->text);
}

/* The text with its doubles folded, or NULL. */
static json_t *parse_folded(const char *data, size_t len, const struct json_value *root)
{
    struct walk walk = {data, data + len};
    json_error_t error;
    json_t *json = json_loadb(data, len, 0, &error);
    if (!json) {
        refuse_text(root, &error); /* behind the doubles */
        return NULL;
    }
    skip_blank(&walk);
    if (!fold_value(&walk, root, data, 0)) {
        json_decref(json);
        return NULL;
    }
    root->error->mended = true;
    return json;
}

/* ---- from bytes to the root ------------------------------------------------------------------ */

static json_t *parse(const char *data, size_t len, const struct json_value *root)
{
    if (len == 0) {
        json_refuse(root, "is empty");
        return NULL;
    }
    if (len > PAYLOAD_MAX) {
        json_refuse(root, "is %zu bytes long where %d are the most", len, PAYLOAD_MAX);
        return NULL;
    }
    json_error_t error;
    json_t *json = json_loadb(data, len, JSON_REJECT_DUPLICATES, &error);
    if (!json && json_error_code(&error) == json_error_duplicate_key) {
        return parse_folded(data, len, root);
    }
    if (!json) {
        refuse_text(root, &error);
    }
    return json;
}

static bool check_format(const struct json_value *root)
{
    if (!json_is_object(root->value)) {
        return json_refuse(root, "is not a JSON object");
    }
    struct json_value format = json_key(root, "format");
    bool fine;
    if (!is_there(&format, REQUIRED, &fine)) {
        return fine;
    }
    if (!json_is_integer(format.value)) {
        return json_refuse(&format, "is not a whole number");
    }
    json_int_t number = json_integer_value(format.value);
    if (number != MODEL_FORMAT) {
        json_refuse(&format, "is %" JSON_INTEGER_FORMAT " where only %d is understood%s", number,
                    MODEL_FORMAT,
                    number > MODEL_FORMAT ? " (it was written by a newer roster)" : "");
        root->error->foreign = number > MODEL_FORMAT;
        return false;
    }
    return true;
}

bool json_parse(struct json_value *ret_root, const char *data, size_t len,
                struct codec_error *error)
{
    *ret_root = (struct json_value){.error = error};
    error->mended = false;
    json_t *json = parse(data, len, ret_root);
    if (!json) {
        return false;
    }
    ret_root->value = json;
    if (!check_format(ret_root)) {
        json_release(ret_root);
        return false;
    }
    return true;
}

void json_release(struct json_value *root)
{
    json_decref((json_t *)(uintptr_t)root->value);
    root->value = NULL;
}

/* Reads into a scratch record, for `ret_record` must stay as it is on failure and records are too
 * big for small stacks. */
bool json_read(const char *data, size_t len, bool (*read)(const struct json_value *, void *),
               void *ret_record, size_t size, struct codec_error *error)
{
    struct json_value root;
    assert(data || len == 0);
    assert(ret_record && error);
    if (!json_parse(&root, data, len, error)) {
        return false;
    }
    void *record = calloc(1, size);
    bool good = record ? read(&root, record) : json_refuse(&root, "cannot be read: out of memory");
    if (good) {
        memcpy(ret_record, record, size);
    }
    free(record);
    json_release(&root);
    return good;
}
