/* The kinds of clusters, one row each.
 *
 * What the code decides by kind is a column of this table; what the answers of a kind's servers
 * mean is a few pure functions in probes/kinds/. Nothing else names a kind: a new one is a row here
 * and a file there ("How to add a kind", etc/doc/contributing.md).
 *
 * Invariants: a kind is the name in its row wherever it is stored or configured, so that rows can
 * come in any order. Kinds that servers of one engine can show differ in rank.
 *
 * Limit: a probe or library that does not know a name cannot read the report or topology with
 * it. */
#ifndef ROSTER_REGISTRY_MODEL_KINDS_H
#define ROSTER_REGISTRY_MODEL_KINDS_H

#include <stdbool.h>
#include <stddef.h>

/* Which protocol and statements a server takes. */
enum engine { ENGINE_POSTGRESQL, ENGINE_MYSQL };
extern const char *const engine_names[]; /* postgresql, mysql */

/* Where several may write at a time: which of them get the writes. */
enum writers { WRITERS_SINGLE, WRITERS_ALL };
extern const char *const writers_names[]; /* single, all */

/* ROW(CONSTANT, rules, "name", columns...): enum kind has KIND_CONSTANT, probes/kinds/ defines
 * kind_rules; columns are those of struct kind_traits, and what is not given is 0. */
#define KINDS(ROW)                                                                                 \
    ROW(STREAMING, streaming, "streaming", .engines = ON_POSTGRESQL, .rank = 1,                    \
        .may_discover = true, .identity_in_data = true, .passes_on_unapplied = true,               \
        .by_act = true)                                                                            \
    ROW(ASYNC, async, "async", .engines = ON_MYSQL, .rank = 1, .may_discover = true,               \
        .by_act = true)                                                                            \
    ROW(GROUP, group, "group-replication", .engines = ON_MYSQL, .rank = 2, .many_writers = true,   \
        .may_discover = true)                                                                      \
    ROW(GALERA, galera, "galera", .engines = ON_MYSQL, .rank = 3, .many_writers = true,            \
        .may_discover = true, .stale_after_minority = true)                                        \
    ROW(STATELESS, stateless, "stateless", .engines = ON_POSTGRESQL | ON_MYSQL,                    \
        .many_writers = true, .writers = WRITERS_ALL, .takes_query = true,                         \
        .default_query = "SELECT 1 AS ready")                                                      \
    ROW(CUSTOM, custom, "custom", .engines = ON_POSTGRESQL | ON_MYSQL, .takes_query = true)

enum kind {
#define KIND_CONSTANT(constant, rules, name, ...) KIND_##constant,
    KINDS(KIND_CONSTANT)
        KIND_AUTO /* not known yet: servers show it. Never in a report that votes */
#undef KIND_CONSTANT
};
extern const char *const kind_names[]; /* those names, then auto */

enum { ON_POSTGRESQL = 1 << ENGINE_POSTGRESQL, ON_MYSQL = 1 << ENGINE_MYSQL };

struct kind_traits {
    unsigned engines; /* whose servers can be of this kind: ON_* */

    /* How specific it is: facts that fit several kinds show the one of greatest rank, and a kind
     * once shown yields to greater ranks only (a server that was started without its group looks
     * like one that never had one). 0: servers do not show it, only configuration can name it. */
    int rank;

    enum writers writers; /* unless configured */
    bool many_writers;    /* may be configured as writers = all */
    bool may_discover;    /* its servers name each other */

    /* The operator's statement replaces the driver's own; without `default_query` it is
     * required. */
    bool takes_query;
    const char *default_query;

    /* The cluster's identity is part of the data: every server has one, and a copy that was
     * promoted elsewhere has the same. */
    bool identity_in_data;

    /* A replica hands on what it has received, whether or not it has applied that itself. */
    bool passes_on_unapplied;

    /* A server may take writes without having been promoted, and nothing in its own answer tells
     * the difference: another primary has to be seen to act, or to be acted on. */
    bool by_act;

    /* A cluster that regains its majority has a new lineage, so a claim under the lineage in which
     * the majority was lost comes from a server that does not know yet. */
    bool stale_after_minority;
};

/* KIND_AUTO has traits, too: what is allowed while the kind is open. */
const struct kind_traits *kind_traits_of(enum kind kind);

/* Can the servers of this engine be of this kind? */
bool kind_fits(enum kind kind, enum engine engine);

/* What every server of this engine is at least: its kind of least rank. */
enum kind kind_least(enum engine engine);

/* The one kind that servers of this engine can show; KIND_AUTO: there are several. */
enum kind kind_only(enum engine engine);

/* By which rules to read servers of kind `kind`: KIND_AUTO is read as the engine's least. */
enum kind kind_or_least(enum kind kind, enum engine engine);

/* For hints: the kinds that fit an engine ("streaming, stateless, custom"), those that take a query
 * ("custom, or stateless"). */
void kind_list_fitting(enum engine engine, char *to, size_t size);
void kind_list_queried(char *to, size_t size);

#endif
