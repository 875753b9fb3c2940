/* roster(1): a table of verbs, one file each.
 *
 *     argv --> options.c --> struct args --> verb->run(args) --> exit code
 *
 * A verb prints its result to stdout and everything else, as "roster: sentence",
 * to stderr. show, watch and route are customers of <roster.h>, as any compute
 * node is; list, explain and the verbs that change something read and write the
 * registry through client.h.
 *
 * Limits: one command, one registry; only `protect` reads a file, that of a probe. */
#ifndef ROSTER_WATCHERS_CLI_CLI_H
#define ROSTER_WATCHERS_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roster.h"

/* Part of the interface: see EXIT STATUS in roster(1). */
enum cli_exit {
    CLI_DONE,
    CLI_INTERNAL,
    CLI_USAGE,
    CLI_UNREACHABLE,
    CLI_NO_CLUSTER,
    CLI_NO_ENDPOINT,
    CLI_NOT_TAKEN,
    CLI_UNPROTECTED
};

enum option {
    OPTION_SERVERS,
    OPTION_ROOT,
    OPTION_TIMEOUT,
    OPTION_CACHE,
    OPTION_JSON,
    OPTION_PRIMARY,
    OPTION_COUNT,
    OPTION_POLICY,
    OPTION_MAX_LAG,
    OPTION_MAX_LAG_BYTES,
    OPTION_MAX_AGE,
    OPTION_STRICT,
    OPTION_FALLBACK,
    OPTION_FORCE,
    OPTION_WAIT,
    OPTION_REPLACE,
    OPTION_REGISTRY,
    OPTION_CONFIG,
    OPTION_APPLY,
    OPTION_VERBOSE,
    OPTION_HELP,
    OPTION_VERSION,
    OPTIONS
};

#define OPTION_BIT(option) (UINT32_C(1) << (option))

struct args;

/* ---- verbs.c: the table ---------------------------------------------------------------------- */

struct verb {
    const char *name;
    const char *operands; /* as its usage line has them */
    size_t least, most;   /* how many operands */
    /* those of its own, as OPTION_BITs; the common ones come with every verb */
    uint32_t options;
    const char *summary; /* half a line */
    const char *details; /* some lines more, for `roster help VERB`; NULL: none */
    int (*run)(const struct args *args);
    bool local; /* needs no registry */
};

/* in the order of `roster help`, ended by a row without name */
extern const struct verb verbs[];

/* The verb of that name; else NULL, after a sentence on stderr that has the nearest one. */
const struct verb *verb_find(const char *name);

/* ---- options.c: the command line ------------------------------------------------------------- */

enum { OPERANDS_MAX = 3 };

/* A parsed command line. Zero or NULL is the default of everything. */
struct args {
    const struct verb *verb;
    const char *operands[OPERANDS_MAX];
    size_t operand_count;
    uint32_t given;      /* OPTION_BITs */
    const char *servers; /* option, else environment; checked */
    const char *root;
    const char *auth; /* environment only: arguments are for all to see in ps(1) */
    const char *also_auth;
    const char *config;
    const char *cache;
    int64_t timeout_ms;
    int64_t wait_ms; /* for a verdict that has taken the word; 0: not at all */
    int64_t count;
    const char *registry;
    struct roster_request request;
};

static inline bool has_option(const struct args *args, enum option option)
{
    return (args->given & OPTION_BIT(option)) != 0;
}

/* The registry's address is there and sound? If not, prints so. `protect` takes it from a file. */
bool options_have_registry(const struct args *args);

/* Parses argv. On failure prints why and returns CLI_USAGE. */
int options_parse(int argc, char **argv, struct args *ret_args);

/* Prints the usage of one verb, or of all when it is NULL. */
void options_help(const struct verb *verb);

/* Is this a cluster's, a member's name? If not, prints so. */
bool is_cluster_name(const char *name);
bool is_member_name(const char *name);

/* ---- what the verbs run ---------------------------------------------------------------------- */

int list_run(const struct args *args);
int show_run(const struct args *args);
int watch_run(const struct args *args);
int route_run(const struct args *args);
int explain_run(const struct args *args);
int drain_run(const struct args *args);
int undrain_run(const struct args *args);
int weight_run(const struct args *args);
int hold_run(const struct args *args);
int release_run(const struct args *args);
int accept_run(const struct args *args);
int forget_run(const struct args *args);
int protect_run(const struct args *args);

/* accept --registry, in registry_id.c. */
int registry_id_accept(const struct args *args);

#endif
