/* Values in a JSON text, each with the way to it, so that every refusal can say
 * where: "members[2].port: 70000 is not in 1..65535".
 *
 *   bytes -> place_open -> the root -> place_text(root, "cluster", ...) -> a field of a record
 *
 * Strict: the length is checked before parsing, a key may stand in an object
 * once, types and ranges are what they should be, no control character passes.
 * Functions that return bool write what they promise on true; on false the
 * refusal is filled. The only room that knows jansson. Thread-safe. */
#ifndef ROSTER_REGISTRY_MODEL_JSON_H
#define ROSTER_REGISTRY_MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/base/limits.h"

struct json_t;
struct refusal;

struct place {
    const struct place *up; /* NULL: the root */
    const char *key;        /* NULL: the element `index` of a list */
    size_t index;
    const struct json_t *value; /* NULL: absent */
    struct refusal *refusal;
};

/* Parses and checks that it is an object of our format. On true, place_close ends it; on false there is nothing to end. */
bool place_open(struct place *ret_root, const char *data, size_t len, struct refusal *refusal);
void place_close(struct place *root);

/* Always false, for `return place_refuse(...)`. Keys and values in the sentence are foreign: they are tamed. */
bool place_refuse(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct place place_key(const struct place *object, const char *key);
struct place place_element(const struct place *list, size_t index);

/* Elements of a list, keys of an object; 0 for what is absent. */
size_t place_count(const struct place *place);

/* Walks an object's keys in the order they stand in:
 *     for (void *at = place_first(&object, &place); at; at = place_next(&object, at, &place)) */
void *place_first(const struct place *object, struct place *ret_place);
void *place_next(const struct place *object, void *at, struct place *ret_place);

/* ---- the value at a place ------------------------------------------------------------ */

bool place_take_text(const struct place *place, char *ret_text, size_t size);
bool place_take_name(const struct place *place, char ret_name[NAME_SIZE]);
bool place_take_number(const struct place *place, int64_t low, int64_t high, int64_t *ret_number);

/* A string of decimal digits, for numbers that other parsers would round. */
bool place_take_digits(const struct place *place, uint64_t max, uint64_t *ret_number);

/* ---- fields of an object: a required one must be there, an absent (or null) optional one leaves what is in ret_* ---- */

enum need { REQUIRED, OPTIONAL };

bool place_text(const struct place *object, const char *key, enum need need, char *ret_text, size_t size);
bool place_name(const struct place *object, const char *key, enum need need, char ret_name[NAME_SIZE]);
bool place_number(const struct place *object, const char *key, enum need need, int64_t low, int64_t high, int64_t *ret_number);
bool place_digits(const struct place *object, const char *key, uint64_t *ret_number);               /* required */
bool place_flag(const struct place *object, const char *key, bool *ret_flag);                       /* optional */
bool place_time(const struct place *object, const char *key, enum need need, int64_t *ret_wall_ms); /* RFC 3339 */

/* A word out of a NULL-terminated table of names; its index. */
bool place_word(const struct place *object, const char *key, enum need need, const char *const *names, int *ret_index);

/* An object or a list of at most `max` keys or elements. Absent ones count 0. */
bool place_object(const struct place *object, const char *key, enum need need, size_t max, struct place *ret_object);
bool place_list(const struct place *object, const char *key, enum need need, size_t max, struct place *ret_list);

/* No control characters, neither of ASCII nor of Latin-1: they would reach terminals. */
bool place_is_printable(const char *text);

#endif
