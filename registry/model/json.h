/* Values in a JSON text, each with the path to it, so that every error names
 * its place: "members[2].port: 70000 is not in 1..65535".
 *
 *   bytes -> json_parse -> the root -> json_get_text(root, "cluster", ...) -> a field of a record
 *
 * Strict: the length is checked before parsing, types and ranges are what they
 * should be, no control character passes. A key that stands in an object twice
 * is one if both have the same value, else the text is refused.
 * Functions that return bool write what they promise on true; on false the
 * error is filled. The only room that knows jansson. Thread-safe. */
#ifndef ROSTER_REGISTRY_MODEL_JSON_H
#define ROSTER_REGISTRY_MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/base/limits.h"

struct json_t;
struct codec_error;

/* Whole numbers above this lose digits in parsers that hold them as doubles. */
#define JSON_EXACT_MAX (INT64_C(1) << 53)

struct json_value {
    const struct json_value *up; /* NULL: the root */
    const char *key;             /* NULL: the element `index` of a list */
    size_t index;
    const struct json_t *value; /* NULL: absent */
    struct codec_error *error;
};

/* Parses and checks that it is an object of our format. On true, json_release ends it; on false
 * there is nothing to end. */
bool json_parse(struct json_value *ret_root, const char *data, size_t len,
                struct codec_error *error);
void json_release(struct json_value *root);

/* Parses, and lets `read` fill a record of `size` bytes out of the root; `ret_record` is written
 * when all of it was good. */
bool json_read(const char *data, size_t len, bool (*read)(const struct json_value *, void *),
               void *ret_record, size_t size, struct codec_error *error);

/* Always false, for `return json_refuse(...)`. Keys and values in the sentence are foreign: they
 * are tamed. */
bool json_refuse(const struct json_value *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct json_value json_key(const struct json_value *object, const char *key);
struct json_value json_element(const struct json_value *list, size_t index);

/* Elements of a list, keys of an object; 0 for what is absent. */
size_t json_count(const struct json_value *place);

/* The same value, whatever its layout and the order of its keys? */
bool json_same(const struct json_value *a, const struct json_value *b);

/* Is this element of a list there before, in the same words? Then the record counts as mended. */
bool json_is_repeated(const struct json_value *list, size_t index);

/* Walks an object's keys in their order:
 *     for (void *at = json_first(&object, &place); at; at = json_next(&object, at, &place)) */
void *json_first(const struct json_value *object, struct json_value *ret_place);
void *json_next(const struct json_value *object, void *at, struct json_value *ret_place);

/* ---- the value at a place -------------------------------------------------------------------- */

bool json_value_text(const struct json_value *place, char *ret_text, size_t size);
bool json_value_name(const struct json_value *place, char ret_name[NAME_SIZE]);
bool json_value_number(const struct json_value *place, int64_t low, int64_t high,
                       int64_t *ret_number);

/* A string of decimal digits, for numbers that other parsers would round. */
bool json_value_digits(const struct json_value *place, uint64_t max, uint64_t *ret_number);

/* ---- fields of an object: a required one must be there, an absent (or null) optional one leaves
 * what is in ret_* ---- */

enum need { REQUIRED, OPTIONAL };

bool json_get_text(const struct json_value *object, const char *key, enum need need, char *ret_text,
                   size_t size);
bool json_get_name(const struct json_value *object, const char *key, enum need need,
                   char ret_name[NAME_SIZE]);
bool json_get_number(const struct json_value *object, const char *key, enum need need, int64_t low,
                     int64_t high, int64_t *ret_number);
/* required */
bool json_get_digits(const struct json_value *object, const char *key, uint64_t *ret_number);
/* optional */
bool json_get_flag(const struct json_value *object, const char *key, bool *ret_flag);
/* RFC 3339 */
bool json_get_time(const struct json_value *object, const char *key, enum need need,
                   int64_t *ret_wall_ms);

/* A text out of a NULL-terminated table of names; its index. */
bool json_get_choice(const struct json_value *object, const char *key, enum need need,
                     const char *const *names, int *ret_index);

/* An object or a list of at most `max` keys or elements. Absent ones count 0. */
bool json_get_object(const struct json_value *object, const char *key, enum need need, size_t max,
                     struct json_value *ret_object);
bool json_get_list(const struct json_value *object, const char *key, enum need need, size_t max,
                   struct json_value *ret_list);

/* No control characters, neither of ASCII nor of Latin-1: they would reach terminals. */
bool json_is_printable(const char *text);

#endif
