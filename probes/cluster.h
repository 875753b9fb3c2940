/* One cluster under watch: its members' looks, what is held of them, the report
 * that says so, and the resolver that believes or not.
 *
 *     look --> assess --> report --> reporter
 *                                    resolver --> news --> log, alarm
 *
 * Loop thread only. */
#ifndef ROSTER_PROBES_CLUSTER_H
#define ROSTER_PROBES_CLUSTER_H

#include "probes/dns.h"
#include "registry/config/config.h"
#include "registry/fleet/liveness.h"
#include "registry/fleet/reporter.h"
#include "registry/fleet/resolver.h"

struct watch;

/* What all watches of a process share; the agent's. */
struct ground {
    struct uv_loop_s *loop;
    struct config *config;
    struct names *names;
    struct store *store;
    struct mirror *mirror;
    struct liveness *liveness;
    struct reporter *reporter;
    struct watch *watches;
    size_t rank, size;                     /* our place in the liveness */
    bool blind;                            /* every target fails at once: it is probably us */
    int64_t slipped_ms;                    /* until when our own clock is not to be trusted */
    void (*settle)(struct ground *ground); /* something was assessed: do what is due */
};

/* false: no memory */
bool watch_start(struct ground *ground, const struct cluster_settings *settings);

/* Takes over new settings; unchanged members keep their connections and history. */
void watch_reload(struct watch *watch, const struct cluster_settings *settings, bool same_timeout);

/* Stop looking; it leaves the list once its resolver is idle, and withdraws its report now. */
void watch_leave(struct watch *watch);

/* Stop looking, and leave what stands in the registry to the end of the session. */
void watch_stop(struct watch *watch);

/* Frees whatever has left. With `all`, the store is closed: no answer is waited for any more. */
void watch_sweep(struct ground *ground, bool all);

/* Step the resolver, and tell its news. */
void watch_settle(struct watch *watch);

/* Look closely at every member. */
void watch_alarm(struct watch *watch, const char *member, const char *why);

/* Say again what is held, as of now; of every cluster. */
void watch_report_all(struct ground *ground);

/* NULL: none, or leaving */
struct watch *watch_find(struct ground *ground, const char *cluster);
/* that is not leaving; NULL begins and ends */
struct watch *watch_next(struct watch *watch);
struct watch *watch_first(struct ground *ground);
const char *watch_name(const struct watch *watch);
struct resolver *watch_resolver(struct watch *watch);

#endif
