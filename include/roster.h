/* roster.h - learn from the registry which database server to talk to.
 *
 *     struct roster *roster;
 *     struct roster_cluster *orders;
 *     struct roster_endpoint to;
 *
 *     roster_open(&(struct roster_options){ .servers = "zk1:2181,zk2:2181,zk3:2181" }, &roster);
 *     roster_subscribe(roster, "orders", NULL, &orders);
 *     if (roster_route(orders, ROSTER_WRITE, NULL, &to) == ROSTER_OK)
 *         connect_to(to.host, to.port);
 *     roster_close(roster);
 *
 * The library keeps the last good answer: a registry that is away, probes that
 * are dead or a session that expired change only the age of what it knows, and
 * it recovers by itself. It prints nothing, installs no signal
 * handler, exports roster_* only, and blocks all signals in its own threads.
 *
 * Structs that the caller fills may be zero for defaults. Strings are UTF-8.
 * "Any thread" below means: at any time between roster_open and roster_close,
 * concurrently with every other call. A forked child may go on to route, inspect
 * and close by what was known at the fork; it leaves the parent's session alone
 * and may open a handle of its own. See libroster(3). */
#ifndef ROSTER_H
#define ROSTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ROSTER_API __attribute__((visibility("default")))

enum roster_status {
    ROSTER_OK = 0,
    ROSTER_INVALID = 1, /* an argument is wrong; roster_error() has the sentence */
    ROSTER_NO_MEMORY = 2,
    ROSTER_UNREACHABLE = 3, /* the registry was not reached in the time allowed */
    ROSTER_NO_CLUSTER = 4,  /* no topology of that name was ever seen */
    ROSTER_NO_ENDPOINT = 5, /* none to route to: no primary, or no member fit for the request */
    ROSTER_TOO_OLD = 6,     /* what is known is older than the request's max_age_ms */
    ROSTER_INTERNAL = 7     /* a thread or a descriptor could not be made */
};

/* A sentence for a status. Static, never NULL. Any thread. */
ROSTER_API const char *roster_strerror(enum roster_status status);

/* "0.1.0" */
ROSTER_API const char *roster_version(void);

/* ---- a handle: one registry session ---------------------------------------------------------- */

struct roster; /* opaque */

enum roster_log_level {
    ROSTER_LOG_ERROR,
    ROSTER_LOG_WARNING,
    ROSTER_LOG_NOTICE,
    ROSTER_LOG_INFO,
    ROSTER_LOG_DEBUG
};

struct roster_options {
    const char *servers;         /* host:port[,host:port...][/chroot]; [v6]:port. Required. */
    const char *root;            /* NULL: "/roster" */
    unsigned session_timeout_ms; /* 0: 10000. 1000..300000 */
    /* "digest:user:password"; NULL: none. With it a topology that anybody may write is not
     * followed: see roster_state's refused */
    const char *auth;
    /* NULL: none. A directory of the caller's own (0700) in which the last good answers are
     * kept, so that a cold start without a registry still routes. */
    const char *cache_dir;
    /* NULL: silent. Called on a thread of the library's own, one line at a time, without a newline;
     * may be slow (lines that do not fit into the queue are dropped and counted); must not call the
     * library. */
    void (*log)(void *log_context, enum roster_log_level level, const char *line);
    void *log_context;
};

/* Checks the options and starts the library's thread; does not wait for the network. A handle is
 * one connection to the registry, of which ZooKeeper takes 60 from one address by default
 * (maxClientCnxns): open one in a process. Its descriptors are apart from the process's own.
 * ROSTER_INVALID (then *ret_roster is NULL and roster_error() has the sentence, per thread),
 * ROSTER_NO_MEMORY, ROSTER_INTERNAL. */
ROSTER_API enum roster_status roster_open(const struct roster_options *options,
                                          struct roster **ret_roster);

/* Why the last roster_open or roster_subscribe of the calling thread was refused. Never NULL; lasts
 * until the next of these. */
ROSTER_API const char *roster_error(void);

/* Ends the session and frees everything, clusters included. No other call may be running. Waits for
 * a callback that is running; called from one it does nothing (and logs so). Takes 2 s at most
 * when the registry hangs: what hangs then ends by itself. NULL is fine.
 * In a forked child it frees memory only. */
ROSTER_API void roster_close(struct roster *roster);

/* ---- a cluster: what to follow --------------------------------------------------------------- */

struct roster_cluster; /* opaque; owned by its handle, lives until roster_close */

enum roster_role { ROSTER_ROLE_NONE, ROSTER_ROLE_PRIMARY, ROSTER_ROLE_SECONDARY };
enum roster_health { ROSTER_HEALTH_UNKNOWN, ROSTER_HEALTH_UP, ROSTER_HEALTH_DOWN };
enum roster_lag_state { ROSTER_LAG_UNKNOWN, ROSTER_LAG_OK, ROSTER_LAG_BROKEN };

struct roster_endpoint {
    char name[64];
    uint16_t port;
    uint16_t weight;
    enum roster_role role;
    enum roster_health health;
    enum roster_lag_state lag_state;
    int64_t lag_bytes; /* upper bound; -1: not known */
    int64_t lag_ms;    /* upper bound; -1: not known */
    /* received and not applied, where groups report it; upper bound; -1: not known */
    int64_t lag_transactions;
    int64_t epoch; /* of the topology it was chosen from */
    /* as configured, unresolved; no brackets. Last, since roster_route copies as much as is
     * used. */
    char host[256];
};

enum roster_action {
    ROSTER_KEEP, /* stays in use; a secondary that became the primary is kept too */
    /* close its connections now, idle ones too: no longer the primary (even if it serves reads
     * from now on), fenced, of another cluster, at another address, or no member any more */
    ROSTER_DROP,
    ROSTER_DRAIN /* unused now (down, drained): give it no new work; let running work end */
};

struct roster_step {
    enum roster_action action;
    struct roster_endpoint endpoint; /* as it was before the change; for KEEP as it is now */
};

/* One change of a cluster's routing. Changes that arrive during a slow callback are merged: the
 * newest wins, and the plan leads from the last callback to the present state. */
struct roster_change {
    const char *cluster;
    int64_t epoch;
    const struct roster_endpoint *primary; /* NULL: none now */
    /* every endpoint known before or now: what to drop, to drain, to keep, by name */
    const struct roster_step *plan;
    size_t plan_size;
    const char *why; /* the verdict's sentence */
    /* The timeline, milliseconds since 1970 by the clocks of those who saw it; 0: not known. */
    int64_t evidence_wall_ms; /* a probe first saw it */
    int64_t verdict_wall_ms;  /* the fleet agreed */
    int64_t routed_wall_ms;   /* roster_route() here answers by it */
    const char *timeline;     /* the same as one line of text */
};

struct roster_subscription {
    /* NULL: none. Called on a thread of the library's own, one at a time, after routing already
     * follows the change. May call roster_route, roster_feedback, roster_state, roster_members; may
     * be slow; must not call roster_close. Its argument is valid during the call only. Called
     * first with the topology found at start. */
    void (*changed)(void *context, const struct roster_change *change);
    void *context;
    /* How long roster_subscribe waits for the first topology. 0: 5000; negative: not at all. */
    int wait_ms;
};

/* Follow a cluster. Waits up to wait_ms for the registry's answer, which may be that there is
 * none; without an answer the cache's topology is enough, and then the wait counts from
 * roster_open, so that many clusters do not wait one after the other. Subscribing again to a name
 * returns the same object (the first one's callback, or none, stays). At most 1024 clusters. Any
 * thread. ROSTER_OK; ROSTER_UNREACHABLE or ROSTER_NO_CLUSTER when there is no topology yet:
 * *ret_cluster is valid, is followed, and routes as soon as there is one; ROSTER_INVALID (also for
 * a new name in a forked child), ROSTER_NO_MEMORY, ROSTER_INTERNAL: *ret_cluster is NULL. */
ROSTER_API enum roster_status roster_subscribe(struct roster *roster, const char *cluster,
                                               const struct roster_subscription *subscription,
                                               struct roster_cluster **ret_cluster);

/* ---- routing --------------------------------------------------------------------------------- */

enum roster_access { ROSTER_WRITE, ROSTER_READ };

enum roster_policy { ROSTER_ROUND_ROBIN, ROSTER_RANDOM, ROSTER_WEIGHTED };

struct roster_request {
    /* among secondaries; where all members may write (writers = all), among them, for writes too */
    enum roster_policy policy;
    /* 0: any. Refuse (ROSTER_TOO_OLD) to answer from older knowledge: by the last answer of the
     * registry, which is asked as often as the least limit in use needs, 20 times a second at
     * most. An age that is not known meets no limit. */
    int64_t max_age_ms;
    /* 0: any. Reads: only secondaries whose lag is known and within */
    int64_t max_lag_ms;
    int64_t max_lag_bytes;        /* 0: any. Likewise */
    int64_t max_lag_transactions; /* 0: any. Likewise */
    /* 0: when no secondary meets the limits the least-lagged one is used (the floor), by `policy`
     * where several are equal; 1: ROSTER_NO_ENDPOINT then */
    int strict;
    /* 1: reads go to the primary when no secondary qualifies */
    int fallback;
};

/* Where to go now. Writes: the primary, or one of those that write where the cluster's
 * configuration says writers = all, one of weight 0 only when no other is left. Reads: a secondary
 * (or one of those writers) that is up and replicates; one of weight 0, one no probe has seen up
 * yet, one that is set to apply later, or one whose replication is broken or does not lead to the
 * primary only when nothing better is left, in this order; never one that is down, drained or
 * fenced. Wait-free, allocates nothing (but a thread's very first call registers it,
 * under a lock held for a moment), copies the endpoint out. `request` NULL: all defaults. Any
 * thread, also in a forked child.
 * ROSTER_OK, ROSTER_NO_CLUSTER, ROSTER_NO_ENDPOINT, ROSTER_TOO_OLD, ROSTER_INVALID; *ret_endpoint
 * is written for ROSTER_OK only. */
ROSTER_API enum roster_status roster_route(struct roster_cluster *cluster,
                                           enum roster_access access,
                                           const struct roster_request *request,
                                           struct roster_endpoint *ret_endpoint);

/* ---- feedback -------------------------------------------------------------------------------- */

enum roster_outcome {
    ROSTER_OUTCOME_OK,      /* it worked: ends a quarantine */
    ROSTER_OUTCOME_REFUSED, /* connection refused, reset, timed out */
    /* it refused a write: PostgreSQL 25006, MySQL 1290, 1792, 1836, 1874, 1881, 3100 */
    ROSTER_OUTCOME_READ_ONLY,
    ROSTER_OUTCOME_OTHER /* no consequence for routing */
};

/* The outcome that an error means. `sqlstate` (five letters) or NULL; `code` a MySQL error
 * number or 0. Any thread. */
ROSTER_API enum roster_outcome roster_classify(const char *sqlstate, unsigned code);

/* Reports the outcome at an endpoint that roster_route returned. Re-reads the registry at once
 * (four times a second at most) after ROSTER_OUTCOME_REFUSED and ROSTER_OUTCOME_READ_ONLY, and
 * quarantines in this process: a secondary that refused for 5 s, half of the read pool at most; a
 * primary only when it refused a write, for 0.5 s or until a new verdict. Never waits. Any thread,
 * also in a forked child (which quarantines only). */
ROSTER_API void roster_feedback(struct roster_cluster *cluster,
                                const struct roster_endpoint *endpoint,
                                enum roster_outcome outcome);

/* ---- inspection ------------------------------------------------------------------------------ */

enum roster_topology_state {
    ROSTER_STATE_OK,
    ROSTER_STATE_SUSPECT,
    ROSTER_STATE_NO_PRIMARY,
    ROSTER_STATE_CONFLICT
};

struct roster_state {
    enum roster_topology_state state;
    int64_t epoch;
    char engine[16];
    char kind[32];
    /* "": none. That of the verdict: roster_route may avoid it for a moment, see
     * roster_feedback */
    char primary[64];
    char lineage[64];
    char identity[64];
    char rule[32];
    char why[512];
    char by[64];        /* the probe that wrote it */
    int64_t at_wall_ms; /* when the verdict was reached */
    /* since the registry last answered that it holds just this, with a probe of its evidence
     * present; 0 while that answer is no older than 5 s. Started cold with none present: since
     * at_wall. -1: not known, as before the first topology, or when it is dated later than now */
    int64_t age_ms;
    int witnesses; /* probes that should watch it */
    /* of those whose evidence it rests on, how many are present; -1: the registry is not reached */
    int witnesses_now;
    int quorum;
    int connected; /* 1: the registry answers */
    int cached;    /* 1: from the cache file, not yet confirmed */
    /* why what the registry holds is not followed ("" when nothing is refused): garbage, another
     * format, another registry, one that went back in time, nothing any more, access denied,
     * one that anybody may write. While it is not reached: what is to be mended, if anything */
    char refused[256];
};

/* Any thread. ROSTER_NO_CLUSTER before the first topology (ret_state's connected and refused are
 * filled too). */
ROSTER_API enum roster_status roster_state(struct roster_cluster *cluster,
                                           struct roster_state *ret_state);

struct roster_member {
    struct roster_endpoint endpoint;
    int fenced;
    int drained;
    int claims;
    int sync; /* a commit on the primary waits for it */
    /* what it reports of its own fitness: "recovering", "minority", "donor", "paused", ...; or
     * "delayed": it is set to apply later; "" fit */
    char condition[16];
    /* why it is not up or not used: "refused", "auth", "stranger", "rival"; "" nothing */
    char reason[32];
    char upstream[64];
    char labels[768]; /* "rack=7,zone=a" */
};

enum { ROSTER_MEMBERS_MAX = 32 };

/* Members by name; *ret_count of them are written, at most `capacity`. Any thread.
 * ROSTER_NO_CLUSTER before the first topology. */
ROSTER_API enum roster_status roster_members(struct roster_cluster *cluster,
                                             struct roster_member *ret_members, size_t capacity,
                                             size_t *ret_count);

#ifdef __cplusplus
}
#endif

#endif
