#include "registry/model/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/codec.h"

enum { NUMBER_TEXT_MAX = 20 }; /* digits of a 64-bit number */

/* ---- places and refusals ------------------------------------------------------- */

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

bool place_refuse(const struct place *place, const char *format, ...)
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
    place->refusal->foreign = false;
    return false;
}

struct place place_key(const struct place *object, const char *key)
{
    return (struct place){object, key, 0, json_object_get(object->value, key), object->refusal};
}

struct place place_element(const struct place *list, size_t index)
{
    return (struct place){list, NULL, index, json_array_get(list->value, index), list->refusal};
}

size_t place_count(const struct place *place)
{
    return json_is_array(place->value) ? json_array_size(place->value) : json_object_size(place->value);
}

static bool is_absent(const struct place *place)
{
    return !place->value || json_is_null(place->value);
}

/* The value to read, or false with *ret_fine telling whether its absence is fine. */
static bool is_there(const struct place *place, enum need need, bool *ret_fine)
{
    if (!is_absent(place)) {
        return true;
    }
    *ret_fine = need == OPTIONAL || place_refuse(place, "is missing");
    return false;
}

/* ---- values --------------------------------------------------------------------- */

bool place_is_printable(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        if (*s < 0x20 || *s == 0x7F || (s[0] == 0xC2 && s[1] < 0xA0)) {
            return false;
        }
    }
    return true;
}

bool place_take_text(const struct place *place, char *to, size_t size)
{
    if (!json_is_string(place->value)) {
        return place_refuse(place, "is not a string");
    }
    const char *text = json_string_value(place->value);
    if (strlen(text) >= size) {
        return place_refuse(place, "is longer than %zu bytes", size - 1);
    }
    if (!place_is_printable(text)) {
        return place_refuse(place, "holds a control character");
    }
    strcpy(to, text);
    return true;
}

bool place_take_name(const struct place *place, char to[NAME_SIZE])
{
    char name[NAME_SIZE];
    if (!place_take_text(place, name, sizeof name)) {
        return false;
    }
    if (!text_is_name(name)) {
        return place_refuse(place, "'%s' is not a name ([A-Za-z0-9._-]{1,63})", name);
    }
    strcpy(to, name);
    return true;
}

bool place_take_number(const struct place *place, int64_t low, int64_t high, int64_t *ret_number)
{
    if (!json_is_integer(place->value)) {
        return place_refuse(place, "is not a whole number");
    }
    int64_t number = json_integer_value(place->value);
    if (number < low || number > high) {
        return place_refuse(place, "%" PRId64 " is not in %" PRId64 "..%" PRId64, number, low, high);
    }
    *ret_number = number;
    return true;
}

bool place_take_digits(const struct place *place, uint64_t max, uint64_t *ret_number)
{
    char text[NUMBER_TEXT_MAX + 1];
    uint64_t number = 0;
    if (!place_take_text(place, text, sizeof text)) {
        return false;
    }
    if (!*text) {
        return place_refuse(place, "is empty where a number should be");
    }
    for (const char *s = text; *s; s++) {
        if (*s < '0' || *s > '9') {
            return place_refuse(place, "'%s' is not a number", text);
        }
        uint64_t digit = (uint64_t)(*s - '0');
        if (number > (max - digit) / 10) {
            return place_refuse(place, "'%s' is more than %" PRIu64, text, max);
        }
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

/* ---- fields of an object ------------------------------------------------------------ */

bool place_text(const struct place *object, const char *key, enum need need, char *to, size_t size)
{
    struct place at = place_key(object, key);
    bool fine;
    return is_there(&at, need, &fine) ? place_take_text(&at, to, size) : fine;
}

bool place_name(const struct place *object, const char *key, enum need need, char to[NAME_SIZE])
{
    struct place at = place_key(object, key);
    bool fine;
    return is_there(&at, need, &fine) ? place_take_name(&at, to) : fine;
}

bool place_number(const struct place *object, const char *key, enum need need, int64_t low, int64_t high, int64_t *ret_number)
{
    struct place at = place_key(object, key);
    bool fine;
    return is_there(&at, need, &fine) ? place_take_number(&at, low, high, ret_number) : fine;
}

bool place_digits(const struct place *object, const char *key, uint64_t *ret_number)
{
    struct place at = place_key(object, key);
    bool fine;
    return is_there(&at, REQUIRED, &fine) ? place_take_digits(&at, UINT64_MAX, ret_number) : fine;
}

bool place_flag(const struct place *object, const char *key, bool *ret_flag)
{
    struct place at = place_key(object, key);
    if (is_absent(&at)) {
        return true;
    }
    if (!json_is_boolean(at.value)) {
        return place_refuse(&at, "is neither true nor false");
    }
    *ret_flag = json_is_true(at.value);
    return true;
}

bool place_word(const struct place *object, const char *key, enum need need, const char *const *names, int *ret_index)
{
    struct place at = place_key(object, key);
    char word[NAME_SIZE];
    bool fine;
    if (!is_there(&at, need, &fine)) {
        return fine;
    }
    if (!place_take_text(&at, word, sizeof word)) {
        return false;
    }
    int index = name_index(names, word);
    if (index < 0) {
        return place_refuse(&at, "'%s' is not known here", word);
    }
    *ret_index = index;
    return true;
}

bool place_time(const struct place *object, const char *key, enum need need, int64_t *ret_wall_ms)
{
    struct place at = place_key(object, key);
    char text[NAME_SIZE];
    bool fine;
    if (!is_there(&at, need, &fine)) {
        return fine;
    }
    if (!place_take_text(&at, text, sizeof text)) {
        return false;
    }
    int64_t wall_ms = 0;
    if (!text_parse_time(text, &wall_ms) || wall_ms < 0) {
        return place_refuse(&at, "'%s' is not a time like 2026-11-21T01:22:33.123Z", text);
    }
    *ret_wall_ms = wall_ms;
    return true;
}

static bool get_container(const struct place *object, const char *key, enum need need, size_t max, bool list,
                          struct place *ret_place)
{
    bool fine;
    *ret_place = place_key(object, key);
    if (!is_there(ret_place, need, &fine)) {
        ret_place->value = NULL;
        return fine;
    }
    if (!(list ? json_is_array(ret_place->value) : json_is_object(ret_place->value))) {
        return place_refuse(ret_place, "is not %s", list ? "a list" : "an object");
    }
    size_t count = place_count(ret_place);
    return count <= max || place_refuse(ret_place, "has %zu %s where %zu are the most", count, list ? "elements" : "keys", max);
}

bool place_object(const struct place *object, const char *key, enum need need, size_t max, struct place *ret_object)
{
    return get_container(object, key, need, max, false, ret_object);
}

bool place_list(const struct place *object, const char *key, enum need need, size_t max, struct place *ret_list)
{
    return get_container(object, key, need, max, true, ret_list);
}

static void *key_at(const struct place *object, void *iter, struct place *ret_place)
{
    if (iter) {
        *ret_place = (struct place){object, json_object_iter_key(iter), 0, json_object_iter_value(iter), object->refusal};
    }
    return iter;
}

void *place_first(const struct place *object, struct place *ret_place)
{
    return key_at(object, json_object_iter((json_t *)(uintptr_t)object->value), ret_place);
}

void *place_next(const struct place *object, void *iter, struct place *ret_place)
{
    return key_at(object, json_object_iter_next((json_t *)(uintptr_t)object->value, iter), ret_place);
}

/* ---- from bytes to the root ------------------------------------------------------------------- */

static json_t *parse(const char *data, size_t len, const struct place *root)
{
    if (len == 0) {
        place_refuse(root, "is empty");
        return NULL;
    }
    if (len > PAYLOAD_MAX) {
        place_refuse(root, "is %zu bytes long where %d are the most", len, PAYLOAD_MAX);
        return NULL;
    }
    json_error_t error;
    json_t *json = json_loadb(data, len, JSON_REJECT_DUPLICATES, &error);
    if (!json) {
        place_refuse(root, "is not JSON: line %d, column %d: %s", error.line, error.column, error.text);
    }
    return json;
}

static bool check_format(const struct place *root)
{
    if (!json_is_object(root->value)) {
        return place_refuse(root, "is not a JSON object");
    }
    struct place format = place_key(root, "format");
    bool fine;
    if (!is_there(&format, REQUIRED, &fine)) {
        return fine;
    }
    if (!json_is_integer(format.value)) {
        return place_refuse(&format, "is not a whole number");
    }
    json_int_t number = json_integer_value(format.value);
    if (number != MODEL_FORMAT) {
        place_refuse(&format, "is %" JSON_INTEGER_FORMAT " where only %d is understood%s", number, MODEL_FORMAT,
                     number > MODEL_FORMAT ? " (it was written by a newer roster)" : "");
        root->refusal->foreign = number > MODEL_FORMAT;
        return false;
    }
    return true;
}

bool place_open(struct place *ret_root, const char *data, size_t len, struct refusal *refusal)
{
    *ret_root = (struct place){.refusal = refusal};
    json_t *json = parse(data, len, ret_root);
    if (!json) {
        return false;
    }
    ret_root->value = json;
    if (!check_format(ret_root)) {
        place_close(ret_root);
        return false;
    }
    return true;
}

void place_close(struct place *root)
{
    json_decref((json_t *)(uintptr_t)root->value);
    root->value = NULL;
}
