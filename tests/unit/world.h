/* Small worlds for the unit tests: a line for what the probes report of a member. */
#ifndef ROSTER_TESTS_UNIT_WORLD_H
#define ROSTER_TESTS_UNIT_WORLD_H

#include "registry/verdict/resolve.h"

enum { WORLD_PROBES = 5, WORLD_RESTART_MS = 60000 };

struct world {
    struct report reports[WORLD_PROBES];
    size_t count;
    struct topology previous;
    bool has_previous;
    struct directives directives;
    bool backwards;   /* the votes come in the other order */
    int64_t restarts; /* of the servers that are shown from now on */
};

/* `probes` reports of `members` members m0, m1, ..., all unknown; every probe votes. */
void world_init(struct world *world, enum kind kind, int witnesses, size_t probes, size_t members);

/* All probes, or one of them, see member `m` thus. */
void world_primary(struct world *world, int probe, size_t m, const char *lineage);
void world_standby(struct world *world, int probe, size_t m, size_t upstream, const char *lineage);
void world_fails(struct world *world, int probe, size_t m, enum answer answer);
/* Without an order: open for writes or not, and fed over a channel from `upstream`. */
void world_server(struct world *world, int probe, size_t m, bool writable,
                  enum channel_state channel, size_t upstream);

/* All see it so: without an order, its channel to `upstream` is in this state. */
void world_replica(struct world *world, size_t m, size_t upstream, enum channel_state channel,
                   bool writable);
/* Open for writes, or closed, without a channel; or its port refuses. */
void world_opened(struct world *world, size_t m);
void world_closed(struct world *world, size_t m);
void world_gone(struct world *world, size_t m);

/* Any report; the config stays. */
void world_says(struct world *world, int probe, size_t m,
                const struct member_report *member_report);

enum { ALL = -1 };

/* What there is to resolve; points into the world. */
struct evidence world_evidence(const struct world *world);

/* Resolves; the outcome becomes the previous topology. False: no quorum. */
bool world_resolve(struct world *world);

/* Resolves, and the outcome resolves to itself. */
void world_settle(struct world *world);
/* Settles, and this one is primary; "" nobody. */
void world_expect(struct world *world, const char *primary);

/* Three probes see m0 as the primary, and the others stream from it. */
void world_begin(struct world *world, enum kind kind, size_t members);

struct member_report *world_seen(struct world *world, size_t probe, size_t m);

/* The probes take the verdict on the acts of member `m`. */
void world_take(struct world *world, size_t m, bool stood, bool late);

#endif
