/* Which further servers belong to a cluster: by what its members say of others, and by what each
 * then says of itself.
 *
 *     a member names an address --> barred: no literal, out of range
 *                               --> waits --discovery_next--> on trial --discovery_judge-->
 * verified: listed as a member ^                           |                             |
 *                                     '------- refused, later ----' '--discovery_review-->
 * forgotten
 *
 * What a server says of others is believed by nobody: an address is asked only within the
 * configured ranges, one listed only when its own answer shows that it belongs. Bounded: FOUND_MAX
 * addresses are remembered, TRIALS_MAX are asked at a time, each more and more rarely. Pure: a
 * step; the shell (discoverer.h) makes the looks. */
#ifndef ROSTER_PROBES_DISCOVERY_DISCOVERY_H
#define ROSTER_PROBES_DISCOVERY_DISCOVERY_H

#include "probes/assess/assess.h"
#include "registry/base/cidr.h"

enum {
    FOUND_MAX = 64,
    TRIALS_MAX = 4,
    TRIAL_AGAIN_MS = 1000, /* after the first refusal; doubles */
    TRIAL_AGAIN_MOST_MS = 60000
};

enum found_state { FOUND_BARRED, FOUND_WAITS, FOUND_ON_TRIAL, FOUND_VERIFIED };

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

struct found {
    char host[ADVERTISED_SIZE]; /* a literal in its one spelling, unless barred as a name */
    uint16_t port;
    enum found_state state;
    enum refusal refusal; /* what was told of it last */
    int64_t named_ms;     /* when a member named it last */
    int64_t due_ms;       /* not tried before */
    int64_t wait_ms;
};

/* What there is to tell of an address, each once. */
enum tidings { TIDINGS_NAMED, TIDINGS_VERIFIED, TIDINGS_REFUSED, TIDINGS_FORGOTTEN };

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
    struct found found[FOUND_MAX];
    void *owner;
    void (*tell)(void *owner, enum tidings tidings, const struct found *found, const char *why);
};

/* `configured`: what the file says. Keeps what was found, as far as it is still allowed; trials
 * begin anew. */
void discovery_reload(struct discovery *discovery, const struct cluster_settings *configured);

/* What member `i` has named in its last answer. */
void discovery_hear(struct discovery *discovery, const struct assessment *assessment, size_t i,
                    int64_t now_ms);

/* The name in the registry of a member that was discovered: the registry gives addresses to try,
 * too. */
void discovery_recall(struct discovery *discovery, const struct member_config *config,
                      int64_t now_ms);

/* The next address to be asked; from now on it is on trial. NULL: none is due. */
const struct found *discovery_next(struct discovery *discovery, const struct assessment *assessment,
                                   int64_t now_ms);

/* What the one on trial at this address answered. `identity`: the cluster's, as the registry has
 * it, or "". True when it is a member now. */
bool discovery_judge(struct discovery *discovery, const char *host, uint16_t port,
                     const struct observation *facts, const struct assessment *assessment,
                     const char *identity, int64_t now_ms);

/* Forget what is gone, and drop what turned out to be somebody else. True when members went. */
bool discovery_review(struct discovery *discovery, const struct assessment *assessment,
                      const char *identity, int64_t now_ms);

/* Nothing that was recalled or named still waits for its first trial. */
bool discovery_is_settled(const struct discovery *discovery);

/* Add the verified ones to the configured members, sorted by name. */
void discovery_list(const struct discovery *discovery, struct cluster_settings *to);

/* "10.0.0.7-5432", "2001_db8__2-5432": the same at every probe. */
void discovery_name(const struct found *found, char to[NAME_SIZE]);

#endif
