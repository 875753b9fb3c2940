/* Which further servers belong to a cluster: from the addresses that its members name, and from
 * what each server there then reports of itself.
 *
 *     a member names an address --> barred: no literal, or out of range
 *                               --> waits --discovery_next--> on trial --discovery_verify--+
 *                                     ^                                                    |
 *                                     +------------- refused: again, later ----------------+
 *                                     |                                                    v
 *                                     '---- discovery_prune: somebody else ------- verified: a
 * member
 *
 * discovery_prune also removes what nobody names and what does not answer for long.
 *
 * Invariants: what a server names is not believed: an address is looked at only within the
 * configured ranges, and listed only when its own answer shows that it belongs. What a probe lists
 * is the same as at every other probe that sees the same servers.
 * Limits: CANDIDATES_MAX addresses are remembered, TRIALS_MAX are looked at at a time, each more
 * and more rarely.
 *
 * Pure: the caller makes the looks and logs the events. */
#ifndef ROSTER_PROBES_DISCOVERY_DISCOVERY_H
#define ROSTER_PROBES_DISCOVERY_DISCOVERY_H

#include "probes/assess/assess.h"
#include "registry/base/cidr.h"

enum {
    CANDIDATES_MAX = 64,
    TRIALS_MAX = 4,
    TRIAL_AGAIN_MS = 1000, /* after the first refusal; doubles */
    TRIAL_AGAIN_MOST_MS = 60000
};

enum candidate_state { CANDIDATE_BARRED, CANDIDATE_WAITS, CANDIDATE_ON_TRIAL, CANDIDATE_VERIFIED };

/* Why an address is no member. */
enum refusal {
    REFUSAL_NONE,
    REFUSAL_NAME,      /* a name, not an address */
    REFUSAL_RANGE,     /* outside of the ranges */
    REFUSAL_LOOPBACK,  /* the loopback of another host */
    REFUSAL_ANSWER,    /* it does not answer */
    REFUSAL_IDENTITY,  /* it belongs to another cluster */
    REFUSAL_DOUBLE,    /* it is a listed member, by another address */
    REFUSAL_UNRELATED, /* nothing shows that it belongs */
    REFUSAL_CLAIM,     /* it takes writes, and no listed member follows it */
    REFUSAL_FULL       /* there are discover_max */
};

struct candidate {
    char host[ADVERTISED_SIZE]; /* a literal in its one spelling, unless barred as a name */
    uint16_t port;
    enum candidate_state state;
    enum refusal refusal; /* the last reason that was notified */
    int64_t named_ms;     /* when a member named it last */
    int64_t due_ms;       /* not tried before */
    int64_t wait_ms;
};

/* What happens to a candidate, each notified once. */
enum discovery_event {
    DISCOVERY_NAMED,
    DISCOVERY_VERIFIED,
    DISCOVERY_REFUSED,
    DISCOVERY_FORGOTTEN
};

struct discovery {
    bool on;
    struct cidr_list within;
    size_t most; /* verified ones */
    int64_t forget_ms;
    size_t configured;                  /* members that configuration lists */
    char names[MEMBERS_MAX][NAME_SIZE]; /* theirs */
    size_t port_count;
    uint16_t ports[MEMBERS_MAX]; /* and their ports, each once */
    size_t count;
    struct candidate candidates[CANDIDATES_MAX];
    void *owner;
    void (*on_event)(void *owner, enum discovery_event event, const struct candidate *candidate,
                     const char *why); /* or NULL */
};

/* `configured`: as in the file. Candidates are kept as far as they are still allowed; trials begin
 * anew. */
void discovery_reload(struct discovery *discovery, const struct cluster_settings *configured);

/* Take in what member `i` named in its last answer. */
void discovery_learn(struct discovery *discovery, const struct assessment *assessment, size_t i,
                     int64_t now_ms);

/* A member of the registry's topology: one that was discovered becomes a candidate again. */
void discovery_restore(struct discovery *discovery, const struct member_config *config,
                       int64_t now_ms);

/* The next candidate to be looked at, which is on trial from now on. NULL: none is due. */
const struct candidate *discovery_next(struct discovery *discovery,
                                       const struct assessment *assessment, int64_t now_ms);

/* `facts` of the one on trial at this address. `identity`: the cluster's, as the registry has it,
 * or
 * "". True when it is a member now. */
bool discovery_verify(struct discovery *discovery, const char *host, uint16_t port,
                      const struct observation *facts, const struct assessment *assessment,
                      const char *identity, int64_t now_ms);

/* Remove what is gone, and members that turned out to be another server. True when members went. */
bool discovery_prune(struct discovery *discovery, const struct assessment *assessment,
                     const char *identity, int64_t now_ms);

/* Nothing that was restored or named waits for its first trial. */
bool discovery_is_settled(const struct discovery *discovery);

/* Add the verified ones to the configured members, sorted by name. */
void discovery_list(const struct discovery *discovery, struct cluster_settings *to);

/* "10.0.0.7-5432", "2001_db8__2-5432": the same at every probe. */
void discovery_name(const struct candidate *candidate, char to[NAME_SIZE]);

#endif
