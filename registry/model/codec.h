/* Records to JSON and back: the contents of the znodes.
 *
 * The dialect, of all records:
 *   - One object, laid out for people: a line per member, keys in a fixed order. "format" is 1.
 *   - A key that every record of its kind has is always written: null, [] or {} where there is
 *     none ("primary": null, "abstains": null, "drain": []).
 *   - A value that is not known is not written: the lag of a member that did not answer, the time
 *     of evidence that nobody dated. So null is "there is none", and absence is "not known". What a
 *     member reports of itself is complete when its answer is "ok".
 *   - A value that is the usual one is not written: "reason" where it is "ok", "condition" where it
 *     is "fit", "writers" where it is "single", "fenced_epoch" where it is 0.
 *   - A flag that is false is not written.
 *   - Host and port are two keys, "host" and "port"; a host has no brackets.
 *   - A choice is a name in lower case, of the tables in model.h. A rule has its number beside the
 *     name ("rule", "rule_id"): names may change, numbers do not.
 *   - A number is whole. One that may pass 2^53 (zxids, nonces, beats) is a string of digits. Units
 *     are in the key: "bytes", "ms".
 *   - A time is RFC 3339 in UTC with milliseconds, its key ends in "_wall": for people and
 *     timelines, no decision rests on it.
 *   - Members are sorted by name, labels by key, evidence by probe, orders by member.
 *
 * Readers are strict: the length is checked before parsing; wrong types, numbers out of range,
 * names that are not names and other formats are refused with a sentence that names the place
 * ("members[2].port: 70000 is not in 1..65535"). Lenient where versions differ and where hands
 * wrote: what stands twice in the same words is one, and what contradicts itself is refused by
 * name; unknown keys are skipped, any order is taken, and false, null and absence of an optional
 * key are one (former versions wrote "claim": false, "bytes": null, and directives without orders
 * as { "format": 1 }).
 *
 * decode(encode(x)) == x; encode(decode(b)) is the canonical form of b. Only json.c knows jansson.
 * Thread-safe. */
#ifndef ROSTER_REGISTRY_MODEL_CODEC_H
#define ROSTER_REGISTRY_MODEL_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/model/model.h"

/* What was wrong with a record. The first two are written on failure only. */
struct codec_error {
    char sentence[SENTENCE_SIZE]; /* why it was refused */
    /* a record of another format: valid JSON, made by another program version; leave it alone */
    bool foreign;
    /* it was read, but held something twice or out of order: roster has never written it so */
    bool mended;
};

/* Each returns a heap string (free() it) ending in a newline, or NULL when memory ran out. */
char *report_encode(const struct report *report);
char *topology_encode(const struct topology *topology);
char *directives_encode(const struct directives *directives);
char *presence_encode(const struct presence *presence);
char *registry_id_encode(const struct registry_id *registry_id);
char *memory_encode(const struct memory *memory);

/* Each fills ret_* only when it returns true. `data` need not be terminated; len 0 is refused. */
bool report_decode(const char *data, size_t len, struct report *ret_report,
                   struct codec_error *error);
bool topology_decode(const char *data, size_t len, struct topology *ret_topology,
                     struct codec_error *error);
bool directives_decode(const char *data, size_t len, struct directives *ret_directives,
                       struct codec_error *error);
bool presence_decode(const char *data, size_t len, struct presence *ret_presence,
                     struct codec_error *error);
bool registry_id_decode(const char *data, size_t len, struct registry_id *ret_registry_id,
                        struct codec_error *error);
bool memory_decode(const char *data, size_t len, struct memory *ret_memory,
                   struct codec_error *error);

#endif
