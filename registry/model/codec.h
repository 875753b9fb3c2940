/* Records to JSON and back: what stands in the znodes.
 *
 * Written for people first (pretty-printed, keys in a fixed order), read
 * strictly: the length is checked before parsing, duplicate keys, wrong types,
 * numbers out of range, names that are not names and formats other than
 * MODEL_FORMAT are refused with a sentence that says where ("members[2].port:
 * 70000 is not in 1..65535"). Unknown keys are skipped. Numbers that may pass
 * 2^53 travel as strings. decode(encode(x)) == x; encode(decode(b)) is the
 * canonical form of b. Only json.c knows jansson. Thread-safe. */
#ifndef ROSTER_REGISTRY_MODEL_CODEC_H
#define ROSTER_REGISTRY_MODEL_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/model/model.h"

/* The sentence of a error; written only on failure. */
struct codec_error {
    char sentence[SENTENCE_SIZE];
    /* a record of another format: valid JSON, made by another program version; leave it alone */
    bool foreign;
};

/* Each returns a heap string (free() it) ending in a newline, or NULL when memory ran out. */
char *report_encode(const struct report *report);
char *topology_encode(const struct topology *topology);
char *directives_encode(const struct directives *directives);
char *presence_encode(const struct presence *presence);
char *registry_id_encode(const struct registry_id *registry_id);

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

#endif
