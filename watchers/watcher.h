/* What this process may believe of the registry: the step between znodes and
 * routing.
 *
 *     store events --> watcher_event --> the mirror reads znodes --> judge --> watched.topology
 *     time ----------> watcher_tick ---> ages, resync                     \-> watcher_news
 *
 * One watcher per session. It follows the root znode (which registry this is),
 * the children of /probes (who is present) and one topology per cluster, and
 * holds the last good topology of each whatever happens:
 *
 *   - Order. Within one registry identity a topology is taken only when its
 *     mzxid is above the last one taken (the floor). A lower one comes from a
 *     lagging server and is ignored; but as the first read of a session, which
 *     follows a sync, it proves that the registry went back in time: nothing of
 *     this identity is taken or confirmed any more.
 *   - Identity. No topology is taken in a session before the root znode and the
 *     presences were read in it. Another identity is refused until the root
 *     znode's `supersedes` names ours; then the floor starts anew.
 *   - Access. A guarded watcher, one with credentials, looks at who may write the topology
 *     and its folder. While anybody may, what is known is kept and no change of it is
 *     followed; who knows nothing takes what there is. Both say so in `refused`. The lists
 *     are asked for beside the first reads of a session, so nothing waits for them longer.
 *   - Data that is refused (garbage, a future format, another registry, one that
 *     went back), absent, denied or not answered changes only the age and the
 *     sentence `refused`; each refusal is logged once.
 *
 * A cluster's belief is one value, and moves like this:
 *
 *     none, cached --> confirmed <--> fresh    a read found it in the registry; a probe is present
 *                          ^            |
 *                          +--- held <--+      the link broke, the process was stopped, a refusal
 *
 * Its age counts from the last answer of the registry that found it fresh: that of a sync,
 * which is asked for every two seconds, and more often where a caller's limit needs it. So it
 * grows from the moment of the last word on, however late the silence is noticed. A verdict
 * that is dated later than now, by a cache file or without a probe present, has no known age.
 *
 * A step: no clock, no thread, no I/O except requests to the store. The time is
 * an argument; where it goes back, what is held is read again. Limits: CLUSTERS_MAX
 * clusters. */
#ifndef ROSTER_WATCHERS_WATCHER_H
#define ROSTER_WATCHERS_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/model/model.h"
#include "registry/store/mirror.h"
#include "watchers/guard.h"

enum {
    LEASE_MS = 3000, /* a longer gap between two steps means that the process was stopped */
    FRESH_MS =
        5000, /* what is fresh is of age 0 for so long after the last answer, as people see it */
    TICK_MS = 1000,       /* steps come at least this often while the session is up */
    REFUSED_SIZE = 256,   /* struct roster_state's */
    REFRESH_GAP_MS = 250, /* between two reads that callers request, per cluster */
    OPEN_GAP_MS = 5000    /* who may write is asked again after so long, while anybody may */
};

struct now {
    int64_t mono_ms; /* monotonic, counting suspension */
    int64_t wall_ms; /* since 1970; used for the age of a cold start only */
};

/* When a verdict that a clock of another host dates later than now was reached: not known. */
#define CONFIRMED_NEVER (INT64_MIN / 4)

/* What is known of a topology beyond itself; also what a cache file keeps. */
struct provenance {
    /* identity of the registry it was read from; "": it had none */
    char registry[IDENTITY_SIZE];
    int64_t mzxid; /* the floor */
};

/* What is held of a cluster, from nothing to the best. */
enum belief {
    BELIEF_NONE,      /* no topology yet */
    BELIEF_CACHED,    /* from a cache file; the registry has not confirmed it */
    BELIEF_HELD,      /* from the registry, and not confirmed now: see `refused`, or reconnecting */
    BELIEF_CONFIRMED, /* a read since the last connect found just this in the registry */
    BELIEF_FRESH      /* and a probe of its evidence is present */
};

/* One cluster. For the shell to read, not to write. */
struct watched {
    char cluster[NAME_SIZE];
    void *owner; /* the shell's */
    enum belief belief;
    /* the last good one, and where it is from; empty while the belief is NONE */
    struct topology topology;
    struct provenance provenance;
    bool answered; /* an answer of the registry was judged, in some session */
    /* the last answer that found it fresh (monotonic, may lie before the machine's start); when
     * none did: when the verdict was reached, or CONFIRMED_NEVER */
    int64_t confirmed_ms;
    int witnesses_now;          /* of the evidence's probes, those present; -1: not known */
    char refused[REFUSED_SIZE]; /* why what the registry holds is not followed; "" */
    /* private */
    struct watcher *watcher;
    struct mirror_node *node;
    struct watched *next;
    unsigned news;      /* what watcher_news has not returned yet: 1 << NEWS_... */
    int sentence_level; /* of NEWS_SENTENCE */
    int64_t refreshed_ms;
    int64_t refresh_due_ms; /* 0: none */
    /* the value that is refused for its contents, so that each is logged once; 0: none is */
    int64_t refused_czxid;
    int32_t refused_version;
    struct access_guard guard;
};

static inline bool watched_has_topology(const struct watched *watched)
{
    return watched->belief != BELIEF_NONE;
}

/* In the order in which they are returned. */
enum news_kind {
    NEWS_SENTENCE, /* a line for the operator's log */
    NEWS_TOPOLOGY, /* watched->topology is another: publish it */
    NEWS_STATUS    /* the belief, the age, the presences or `refused` changed */
};

struct news {
    enum news_kind kind;
    struct watched *watched; /* NULL: a sentence about the registry */
    int level;               /* of a sentence: enum roster_log_level */
    char sentence[SENTENCE_SIZE];
};

struct watcher;

/* `store` must outlive the watcher and be used through it alone, save store_renew and store_next.
 * NULL: no memory. */
struct watcher *watcher_new(struct store *store, const char *root, uint64_t seed);
void watcher_free(struct watcher *watcher);

/* From now on what anybody may write is not followed. Before the first cluster. */
void watcher_guard(struct watcher *watcher);

/* Begin to follow a cluster. `cached` and `provenance` (both or neither) are what a cache file
 * held, which is no news. NULL: no memory. */
struct watched *watcher_follow(struct watcher *watcher, const char *cluster, void *owner,
                               const struct topology *cached, const struct provenance *provenance,
                               struct now now);

/* When the verdict was reached, by the clock of the probe that wrote it: then the fleet
 * confirmed it. CONFIRMED_NEVER: that clock is ahead of this machine's, which proves nothing. */
int64_t age_of_verdict(const struct topology *topology, struct now now);

/* The least age in milliseconds that callers still take; INT64_MAX: any. */
void watcher_limit_age(struct watcher *watcher, int64_t limit_ms);

/* Why the link is lost, where something is to be mended; "". */
const char *watcher_trouble(const struct watcher *watcher);

/* Read this cluster's topology again soon (the first time at once). */
void watcher_refresh(struct watcher *watcher, struct watched *watched, struct now now);

/* Every event of the store goes through here. */
void watcher_event(struct watcher *watcher, const struct store_event *event, struct now now);

/* Time passed. Returns when the next tick is due at the latest. */
int64_t watcher_tick(struct watcher *watcher, struct now now);

/* What is new, one at a time, until false. To be called after every step. */
bool watcher_news(struct watcher *watcher, struct news *ret_news);

bool watcher_is_up(const struct watcher *watcher);

#endif
