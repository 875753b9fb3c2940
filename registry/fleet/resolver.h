/* One cluster's verdict, kept in the registry: reads the evidence, resolves it,
 * and writes the verdict by compare-and-set. Every probe runs one per cluster;
 * none is the leader; the first to write wins and the rest read an equal
 * verdict and stop.
 *
 *     reports, directives, topology --(mirror)--> evidence --resolve--> verdict
 *     verdict != topology --> one transaction:
 *                                 check every report used, our own, their folder, directives
 *                                 set topology at its version
 *
 * Decides only while none of its reads is outstanding, and takes a topology in only from a registry
 * that this probe follows (root.h). A transaction that
 * fails, or whose outcome is unknown, is settled by reading again and resolving
 * anew, never by retrying. A step: time and events come in. */
#ifndef ROSTER_REGISTRY_FLEET_RESOLVER_H
#define ROSTER_REGISTRY_FLEET_RESOLVER_H

#include "registry/fleet/liveness.h"
#include "registry/fleet/root.h"
#include "registry/model/model.h"
#include "registry/store/mirror.h"

struct resolver;

struct resolver_settings {
    const char *root;
    const char *cluster;
    const char *self;      /* our probe's name */
    struct root *registry; /* whether this registry may be used; NULL: it may */
};

/* What has happened; the shell acts on it and logs it. */
struct resolver_news {
    /* another witness's report or the verdict changed: look closely now */
    bool alarm;
    const char *refused;           /* a znode that cannot be used: where and why; NULL none */
    const struct topology *before; /* with changed: the verdict before, or NULL */
    /* there is another verdict in the registry than before, ours or not */
    bool changed;
};

struct resolver *resolver_new(struct store *store, struct mirror *mirror,
                              const struct liveness *liveness,
                              const struct resolver_settings *settings); /* NULL: no memory */
/* takes its nodes out of the mirror; no answer may come after it: resolver_is_idle */
void resolver_free(struct resolver *resolver);

/* The answer to a write of ours (tag TAG_RESOLVER with our pointer). */
void resolver_answer(struct resolver *resolver, const struct store_event *event, int64_t now_ms);

/* Our own report as last acknowledged; NULL: none in this session. The report is copied. */
void resolver_own_report(struct resolver *resolver, const struct report *report, int32_t version,
                         int64_t mzxid);

/* A beat of our own was acknowledged. */
void resolver_beat(struct resolver *resolver);

/* Resolve and write if that is due. Returns when to come back (monotonic ms), INT64_MAX when only
 * an event can change anything. */
int64_t resolver_step(struct resolver *resolver, int64_t now_ms, int64_t now_wall_ms);

/* What has happened since the last call; pointers live until the next call on this resolver. */
struct resolver_news resolver_news(struct resolver *resolver);

/* Does the member answer another probe, by the report that this one has read last? */
bool resolver_hears(const struct resolver *resolver, const char *member);

/* The verdict in force, NULL when there is none yet. */
const struct topology *resolver_topology(const struct resolver *resolver);

/* Is that all that the registry has? False while it is being read, or out of reach. */
bool resolver_has_read(const struct resolver *resolver);

/* No write of ours is under way. */
bool resolver_is_idle(const struct resolver *resolver);

#endif
