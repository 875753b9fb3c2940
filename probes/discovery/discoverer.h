/* The search for further members of one cluster: discovery's shell. It looks once at each address
 * that is on trial, over a connection of its own, and tells in the log what came of it.
 *
 * Loop thread only. */
#ifndef ROSTER_PROBES_DISCOVERY_DISCOVERER_H
#define ROSTER_PROBES_DISCOVERY_DISCOVERER_H

#include "probes/discovery/discovery.h"
#include "probes/prober.h"

/* a probe that starts waits no longer than this for what it knew in a former life */
enum { SETTLE_MS = 5000 };

struct trial {
    struct search *search;
    struct look *look; /* NULL: free */
    struct member_config config;
};

struct search {
    struct discovery discovery;
    char cluster[NAME_SIZE];
    struct trial trials[TRIALS_MAX];
    bool recalled; /* the registry gave what it has */
    bool settled;  /* and that was tried */
    int64_t began_ms;
    void *owner;
    /* The server of a trial has answered, or has not. */
    void (*outcome)(void *owner, const struct member_config *config,
                    const struct observation *observation, const char *address);
};

void search_init(struct search *search, const struct cluster_settings *configured, void *owner,
                 void (*outcome)(void *owner, const struct member_config *config,
                                 const struct observation *observation, const char *address));

/* New settings: trials begin anew. */
void search_reload(struct search *search, const struct cluster_settings *configured);

/* Ends all trials. */
void search_stop(struct search *search);

/* The registry was read. `topology`: what it has, or NULL. */
void search_recall(struct search *search, const struct topology *topology, int64_t now_ms);

/* Begins what trials are due. `like`: how the cluster's looks are made; its config, owner and
 * callbacks are not used. */
void search_step(struct search *search, const struct look_settings *like,
                 const struct assessment *assessment, int64_t now_ms);

/* Is what is listed all that this probe can know so soon? Stays true. */
bool search_is_settled(struct search *search, int64_t now_ms);

#endif
