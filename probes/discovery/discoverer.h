/* The search for further members of one cluster, beside discovery: how it starts, and whom to look
 * at on trial.
 *
 * A probe that starts must not vote before it knows what it knew in a former life: it abstains
 * until what the registry holds was restored and tried once, or for SETTLE_MS at most. Pure. */
#ifndef ROSTER_PROBES_DISCOVERY_DISCOVERER_H
#define ROSTER_PROBES_DISCOVERY_DISCOVERER_H

#include "probes/discovery/discovery.h"

enum { SETTLE_MS = 5000 };

struct discoverer {
    struct discovery discovery;
    bool restored; /* what the registry holds */
    bool settled;  /* and that was tried */
    int64_t began_ms;
};

void discoverer_init(struct discoverer *discoverer, const struct cluster_settings *configured,
                     int64_t now_ms, void *owner,
                     void (*on_event)(void *owner, enum discovery_event event,
                                      const struct candidate *candidate, const char *why));

/* The registry was read. `topology`: what it holds, or NULL. The first call counts. */
void discoverer_restore(struct discoverer *discoverer, const struct topology *topology,
                        int64_t now_ms);

/* Is what is listed all that this probe can know so soon? Stays true. */
bool discoverer_is_settled(struct discoverer *discoverer, int64_t now_ms);

/* The next trial look, whose outcome discovery_verify is given. False: none is due. */
bool discoverer_next(struct discoverer *discoverer, const struct assessment *assessment,
                     int64_t now_ms, struct member_config *ret_config);

#endif
