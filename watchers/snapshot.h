/* Publication: how an answer reaches any number of callers, none of which waits.
 *
 *     loop thread ----> routing_publish ---> [ pointer ] <-- routing_route <-- any thread
 *                             |                  |
 *                             +-- grace period --+--> the old snapshot is freed
 *
 * A snapshot is complete and never changes, except its quarantine. Readers take
 * the pointer inside an RCU read section (liburcu, bp flavour, inlined:
 * about 1.5 ns, no registration by the caller), copy out and leave; the
 * publisher waits for them before it frees. So an answer is always a function
 * of one topology.
 *
 * The quarantine is what this process learned from its own connections: a
 * deadline per member and the set of members that have one. It changes choices
 * for seconds at most; a primary's ends with the next verdict.
 *
 * Limits: a thread's first read section registers it with liburcu, which takes
 * a lock briefly; a host that uses liburcu-bp with fork hooks of its own
 * would install them twice. */
#ifndef ROSTER_WATCHERS_SNAPSHOT_H
#define ROSTER_WATCHERS_SNAPSHOT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <roster.h>

#include "watchers/table.h"
#include "watchers/watcher.h"

enum {
    AVOID_SECONDARY_MS = 5000, /* a secondary that refused us */
    AVOID_PRIMARY_MS = 500     /* a primary that refused a write */
};

struct snapshot {
    struct topology topology;
    struct table table;
    struct provenance provenance;
    bool cached;                                 /* from a cache file */
    int64_t routed_wall_ms;                      /* when it was published */
    _Atomic uint32_t avoid;                      /* the quarantined, as bits by index */
    _Atomic int64_t avoid_until_ms[MEMBERS_MAX]; /* monotonic; holds where the bit is set */
};

/* What the callers of one cluster see. Zeroed memory is an empty one. */
struct routing {
    struct snapshot *now; /* RCU; NULL: no topology yet */
    /* of round-robin; alone on its cache line, since every reader writes it */
    alignas(64) _Atomic uint64_t turn;
    /* when the fleet last confirmed it: twice the milliseconds, plus 1 while it does */
    alignas(64) _Atomic int64_t confirmed;
    /* the least age that a caller took, lately; 0: none asked */
    _Atomic int64_t limit_ms;
};

/* Takes ownership of the snapshot, copies the quarantine to it and frees the one before. The
 * publisher's thread only; not inside a read section. */
void routing_publish(struct routing *routing, struct snapshot *snapshot);

/* NULL: no memory. */
struct snapshot *snapshot_new(const struct topology *topology, const struct provenance *provenance,
                              bool cached, int64_t routed_wall_ms);

/* Frees the snapshot; nobody may be reading. */
void routing_release(struct routing *routing);

/* When the fleet last confirmed what is routed by, and whether it still does. CONFIRMED_NEVER: not
 * known. Any thread. */
void routing_confirm(struct routing *routing, int64_t confirmed_ms, bool fresh);

/* From now on the age grows: nobody will confirm it any more. Any thread. */
void routing_leave(struct routing *routing);

/* Milliseconds since the fleet last confirmed it; 0 while it does, if the last word of that is no
 * older than FRESH_MS; -1: not known. For people: limits go by that last word itself. Any
 * thread. */
int64_t routing_age(const struct routing *routing, int64_t now_ms);

/* The least age that a caller took lately; INT64_MAX: none asked. The second forgets it. */
int64_t routing_limit(const struct routing *routing);
int64_t routing_take_limit(struct routing *routing);

/* roster_route(), its arguments checked. Wait-free. Any thread. */
enum roster_status routing_route(struct routing *routing, enum roster_access access,
                                 const struct roster_request *request,
                                 struct roster_endpoint *ret_endpoint);

/* A caller's outcome at an endpoint: starts a quarantine, or ends it. Lock-free. Any thread. */
void routing_feedback(struct routing *routing, const struct roster_endpoint *endpoint,
                      enum roster_outcome outcome, int64_t now_ms);

/* Forgets the quarantines that have ended. The publisher, now and then. */
void routing_discard_ended(struct routing *routing, int64_t now_ms);

/* Calls `read` with the snapshot (never NULL) inside a read section; false when there is none. Any
 * thread. */
bool routing_read(struct routing *routing, void (*read)(const struct snapshot *snapshot, void *to),
                  void *to);

/* Around fork(), on the forking thread; in the child the readers of other threads are
 * forgotten. */
void snapshot_before_fork(void);
void snapshot_after_fork_parent(void);
void snapshot_after_fork_child(void);

#endif
