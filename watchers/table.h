/* The routing table of one cluster: a topology, arranged so that a request is
 * answered in a few dozen instructions.
 *
 *     topology --> table_build --> table --> table_pick(request, chance) --> an endpoint
 *
 * The writer is the topology's primary as long as the verdict names it; suspicion
 * alone never takes it away. Where several write, they are all in the writers'
 * set, and may be read too; one of weight 0 is written to only while no other of
 * them is left. The read pool holds the secondaries
 * that may be read at all, the fittest first, in tiers: a later tier serves
 * only when nobody is left in the earlier ones.
 *
 *     tier   health    replication        weight
 *     0      up        flows, or unknown  above 0
 *     1      up        flows, or unknown  0
 *     2      unknown   flows, or unknown  above 0
 *     3      unknown   flows, or unknown  0
 *     4..7   as 0..3   flows, or unknown, and is set to apply later
 *     8..15  as 0..7   broken: also one that follows a former primary
 *
 * Within a tier the least-lagged comes first. That one order is the floor too; of those that are
 * equal in it the policy chooses.
 * Never in the pool, whatever is left: a member that is down, fenced, drained,
 * a stranger, or one that claims to be primary and is not the one.
 *
 * Flat and pure: a table is a value, nothing here reads a clock or draws. */
#ifndef ROSTER_WATCHERS_TABLE_H
#define ROSTER_WATCHERS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <roster.h>

#include "registry/model/model.h"

enum { TIERS = 16 };

struct table {
    int64_t epoch;
    /* index of the endpoint that takes writes, the preferred one of several; -1: none */
    int writer;
    uint32_t writer_set;  /* all that take them, as bits by index */
    uint32_t weighty_set; /* those of them with a weight above 0 */
    int endpoint_count;
    int pool_count;
    uint8_t pool[MEMBERS_MAX]; /* indices, in the order of the floor */
    uint32_t delayed_set;      /* those that are set to apply later */
    uint32_t pool_set;         /* the same as bits by index */
    uint32_t tier_set[TIERS];  /* the pool, split */
    /* connections to these must be closed: fenced, strangers, rivals */
    uint32_t gone_set;
    /* the first that is not empty; TIERS when all are */
    int first_tier;
    /* its members, as indices, with their weights summed up: the fast path */
    int first_count;
    uint8_t first[MEMBERS_MAX];
    uint32_t first_sum[MEMBERS_MAX]; /* first_sum[i]: the weights of first[0..i] */
    /* bytes of each endpoint up to the end of its host: what is worth copying */
    uint16_t used[MEMBERS_MAX];
    /* as the topology's members: sorted by name */
    struct roster_endpoint endpoints[MEMBERS_MAX];
};

/* Total: any topology that the codec accepts gives a table. */
void table_build(const struct topology *topology, struct table *ret_table);

static inline bool table_has_several_writers(const struct table *table)
{
    return (table->writer_set & (table->writer_set - 1)) != 0;
}

/* The endpoint to use, or -1 when there is none for this request. `chance` is the draw: a counter
 * for ROSTER_ROUND_ROBIN, a uniform 64-bit number otherwise. `avoid` are the quarantined, as bits
 * by index: they serve only when everyone else is used up, and a writer among them is none. Bounded
 * work, no side effect. */
int table_pick(const struct table *table, enum roster_access access,
               const struct roster_request *request, uint64_t chance, uint32_t avoid);

/* Index of the endpoint of that name, or -1. */
int table_find(const struct table *table, const char *name);

#endif
