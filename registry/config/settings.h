/* The one table of settings: every use of a key of roster-probe.ini takes it from here.
 *
 *     parsing    settings_find, setting_parse
 *     defaults   setting_default
 *     --check    setting_print
 *     lints      settings_print: the table against the manual and the sample
 *
 * Each row has the offset of its value in the struct of its section (config.h),
 * so that reading and printing are loops. What spans rows (a kind that does not
 * fit its engine, a member of an unknown cluster) is in checks.c. */
#ifndef ROSTER_REGISTRY_CONFIG_SETTINGS_H
#define ROSTER_REGISTRY_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "registry/config/config.h"

/* The sections, alphabetical; each has a struct of its own. */
enum section_kind {
    SECTION_CLUSTER,  /* [cluster NAME]: struct cluster_settings */
    SECTION_MEMBER,   /* [member CLUSTER/NAME]: struct member_config */
    SECTION_PROBE,    /* [probe]: struct probe_settings */
    SECTION_REGISTRY, /* [registry]: struct registry_settings */
    SECTION_UNKNOWN   /* a heading we could not make sense of */
};
/* "cluster", "member", "probe", "registry"; NULL-terminated */
extern const char *const section_names[];

size_t section_size(enum section_kind kind); /* of its struct */

enum setting_type {
    SETTING_NAME,     /* [A-Za-z0-9._-]{1,63} */
    SETTING_TEXT,     /* anything */
    SETTING_INTEGER,  /* low..high */
    SETTING_DURATION, /* low..high milliseconds, written with a unit */
    SETTING_CHOICE,   /* one of `choices`; stored as its index */
    SETTING_FILE,     /* a path; relative ones start from the INI file's folder */
    SETTING_SERVERS,  /* connect_string.h */
    SETTING_ROOT,     /* a znode path */
    SETTING_AUTH,     /* digest:user:password; a secret */
    SETTING_IDS,      /* user:hash,user:hash; access.h */
    SETTING_ADDRESS,  /* host:port */
    SETTING_CIDR,     /* cidr.h */
    SETTING_LABEL     /* label.KEY: any number of keys up to LABELS_MAX */
};

struct setting {
    enum section_kind section;
    const char *key;
    enum setting_type type;
    bool required;
    /* SIGHUP puts a change into force; the others wait for a restart */
    bool reloads;
    /* the default by engine (ENGINE_POSTGRESQL, ENGINE_MYSQL), as it would be written; NULL:
     * none. One alone holds for both. */
    const char *usual[2];
    int64_t low, high;          /* INTEGER, DURATION */
    const char *const *choices; /* CHOICE */
    size_t offset, size;        /* in the section's struct */
    const char *hint;           /* better than the one of the type; NULL: that one */
    const char *meaning;
};

/* Sorted by section, then key. */
extern const struct setting settings[];
extern const size_t settings_count;

/* Rows of `settings` belonging to a section: [*ret_first, *ret_end). */
void settings_of(enum section_kind kind, size_t *ret_first, size_t *ret_end);

/* NULL when the section has no such key. "label.zone" finds the row "label.KEY". */
const struct setting *settings_find(enum section_kind kind, const char *key);

/* The key of that section nearest to a mistyped one, or NULL. */
const char *settings_nearest(enum section_kind kind, const char *key);

/* What is wrong with a value, and what would be right. */
struct mistake {
    char what[SENTENCE_SIZE]; /* "'soon' is not a duration" */
    char hint[SENTENCE_SIZE]; /* "a number with a unit: 25ms, 1s, 5m"; "" none */
};

/* Parse `value` into its field of `to`, the section's struct. `key` is the key as written (it
 * matters for labels). On failure `to` is unchanged and *ret_mistake has the reason. */
bool setting_parse(const struct setting *setting, const char *key, const char *value, void *to,
                   struct mistake *ret_mistake);

/* Set the default, where the table has one (probe.name has none: it is the host's name). */
void setting_default(const struct setting *setting, enum engine engine, void *to);

/* The value in `from` as it would be written in the file; "" when it is empty, "(not shown)" for a
 * secret that is set. */
const char *setting_print(const struct setting *setting, const void *from, char *to, size_t size);

/* "from 50ms to 1h", "one of off, prefer, require, verify", ...: what the type takes. */
const char *setting_range(const struct setting *setting, char *to, size_t size);

#endif
