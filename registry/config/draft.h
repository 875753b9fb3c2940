/* A configuration on its way from lines to struct config: its sections one by
 * one, each value with the line it was set on.
 *
 *     file --config.c--> draft --checks.c--> settled and checked --draft.c--> struct config
 *
 * The config keeps the sections, emptied of values, as its origins: --check
 * prints the lines from them (print.c). Nobody else includes this. */
#ifndef ROSTER_REGISTRY_CONFIG_DRAFT_H
#define ROSTER_REGISTRY_CONFIG_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "registry/config/errors.h"
#include "registry/config/settings.h"

enum { SETTINGS_MAX = 48 }; /* rows of the table */

struct label_origin {
    char key[LABEL_KEY_SIZE];
    int line;
};

struct section {
    enum section_kind kind;
    /* misnamed, or the second of its name: its lines are checked, its values unused */
    bool spare;
    int line;                 /* of its heading; 0: not in the file */
    char *heading;            /* "cluster orders" */
    char cluster[NAME_SIZE];  /* of a member: whose */
    char name[NAME_SIZE];     /* of a cluster or member */
    int lines[SETTINGS_MAX];  /* by row of `settings`: where it was set; 0: nowhere */
    bool wrong[SETTINGS_MAX]; /* it was set, to something we refused */
    size_t label_count;
    struct label_origin labels[LABELS_MAX];
    void *values; /* the struct of its kind */
};

/* What config.h calls config_origins: the sections, in the order of the file. */
struct config_origins {
    size_t count, room;
    struct section *sections;
};

struct draft {
    struct config_origins *origins;
    struct config_errors errors;
    uid_t file_owner; /* of the INI file */
    mode_t file_mode;
};

/* A new section at the end, its struct zeroed; NULL when memory ran out. Moves the others. */
struct section *draft_add_section(struct draft *draft, enum section_kind kind, int line,
                                  const char *heading);

/* Take a section's name from its heading ("orders", "orders/pg-1", or "" where none belongs);
 * false, and an error, when it is not a name. */
bool draft_name_section(struct section *section, const char *name, struct config_errors *errors);

/* The one [registry] or [probe], NULL when there is none. */
struct section *draft_only_section(struct draft *draft, enum section_kind kind);

/* Row of a key in `settings`. The key must exist. */
size_t draft_row(enum section_kind kind, const char *key);

/* The position of an error about a key: its line, or the heading's when it was not set. */
struct config_position draft_position(const struct section *section, const char *key);

/* A sound draft as a config, NULL when memory ran out. The origins go over to it, their values into
 * its structs. */
struct config *draft_make_config(struct draft *draft);

/* Wipes the secrets. NULL is fine. */
void origins_free(struct config_origins *origins);

/* checks.c: set the defaults, read the files that are named, and check everything that takes more
 * than one line to judge. */
void draft_check(struct draft *draft);

#endif
