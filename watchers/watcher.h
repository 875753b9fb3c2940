/* What this process may believe of the registry: the step between znodes and
 * routing.
 *
 *     store events --> watcher_event --> (mirror reads the znodes) --> judge --> watched.topology
 *     time         --> watcher_tick  --> age, resync                       \-> watcher_news: what
 * is new, what to say
 *
 * One watcher per session. It follows the root znode (which registry this is),
 * the children of /probes (who lives) and one topology per cluster, and holds
 * the last good topology of each whatever happens:
 *
 *   - Order. Within one registry identity a topology is taken only when its
 *     mzxid is above the last one taken (the floor). A lower one is a lagging
 *     server's and is passed over in silence, but as the first read of a
 *     session, which follows a sync, it proves that the registry went back.
 *   - Identity. No topology is taken in a session before the root znode (and
 *     who is present) was read in it. Another identity is refused until the root znode's
 *     `supersedes` names ours; then the floor starts anew.
 *   - Refused data (garbage, a future format, a registry that is another or
 *     went back), absence, denial and silence change nothing but the age and
 *     the sentence `refused`; each is said once.
 *
 * A cluster's age is 0 while it is `fresh`: the session is up, the topology was
 * confirmed by a read since the last connect, none is refused, and at least one
 * probe of its evidence is present. Else it is the time since that was last so.
 *
 * A step: no clock, no thread, no I/O but requests to the store. `now` is
 * handed in and never goes back. Limits: CLUSTERS_MAX clusters. */
#ifndef ROSTER_WATCHERS_WATCHER_H
#define ROSTER_WATCHERS_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/model/model.h"
#include "registry/store/mirror.h"

enum {
    /* how long "fresh" holds without a step; a longer gap (a stopped process) is doubt */
    LEASE_MS = 3000,
    TICK_MS = 1000,      /* steps come at least this often while the session is up */
    REFUSED_SIZE = 256,  /* struct roster_state's */
    REFRESH_GAP_MS = 250 /* re-reads that callers ask for are no closer than this, per cluster */
};

struct now {
    int64_t mono_ms; /* monotonic, counting suspension */
    int64_t wall_ms; /* since 1970; used for the age of a cold start only */
};

/* What is known of a topology beyond itself; also what a cache file keeps. */
struct provenance {
    /* identity of the registry it was read from; "": it had none */
    char registry[IDENTITY_SIZE];
    int64_t mzxid; /* the floor */
};

/* One cluster. For the shell to read, not to write. */
struct watched {
    char cluster[NAME_SIZE];
    void *owner;              /* the shell's */
    bool has;                 /* a topology is known: the fields up to the gap hold */
    struct topology topology; /* the last good one */
    struct provenance provenance;
    bool cached; /* from a cache, not confirmed by the registry yet */

    /* the registry was asked and what it said was judged, in some session */
    bool answered;
    bool fresh; /* the fleet stands behind it now */
    /* when it last did (monotonic; may lie before the machine's start) */
    int64_t confirmed_ms;
    int witnesses_now;          /* of the evidence's probes, those present; -1: not known */
    char refused[REFUSED_SIZE]; /* why what the registry holds is not followed; "" */
    /* private */
    struct mirror_node *node;
    struct watched *next;
    /* what the registry holds is what we hold, read since the last connect */
    bool confirmed;
    bool confirmed_known, status_new, topology_new, sentence_new;
    int sentence_level;
    int64_t refreshed_ms;
    int64_t refresh_due_ms; /* 0: none */
    /* of the value that is refused, when it is for what it says: so that each is said once */
    int64_t refused_czxid;
    int32_t refused_version;
};

enum news_kind {
    NEWS_TOPOLOGY, /* watched->topology is another: publish it */
    NEWS_STATUS,   /* age, presence, cached or refused changed */
    NEWS_SENTENCE  /* something to tell the operator */
};

/* In the order of severity of enum roster_log_level: the shell passes it on. */
struct news {
    enum news_kind kind;
    struct watched *watched; /* NULL: a sentence about the registry */
    int level;               /* sentences: enum roster_log_level */
    char sentence[SENTENCE_SIZE];
};

struct watcher;

/* `store` must outlive the watcher and be used through it alone, save store_renew and store_next.
 * NULL: no memory. */
struct watcher *watcher_new(struct store *store, const char *root, uint64_t seed);
void watcher_free(struct watcher *watcher);

/* Begin to follow a cluster. `cached` and `provenance` (both or neither) are what a cache file held;
 * that is no news. NULL: no memory. */
struct watched *watcher_follow(struct watcher *watcher, const char *cluster, void *owner,
                               const struct topology *cached, const struct provenance *provenance,
                               struct now now);

/* Read this cluster's topology again soon (the first time at once). */
void watcher_refresh(struct watcher *watcher, struct watched *watched, struct now now);

/* Every event of the store goes through here. */
void watcher_event(struct watcher *watcher, const struct store_event *event, struct now now);

/* Time passed. Returns when the next tick is due at the latest. */
int64_t watcher_tick(struct watcher *watcher, struct now now);

/* What came of it, one at a time, until false: drain it after every step. */
bool watcher_news(struct watcher *watcher, struct news *ret_news);

bool watcher_is_up(const struct watcher *watcher);

#endif
