/* One cluster of a probe: its members' slots, what is known of them, the report
 * of it, and the resolver that keeps the verdict.
 *
 *     look ended --> assess --> discovery --> report --> reporter
 *                      |                                 resolver --> facts, alarm
 *                      '--> alarm: every slot is expedited
 *
 * A step, part of the probe's (probe.h): pure. */
#ifndef ROSTER_PROBES_CLUSTER_H
#define ROSTER_PROBES_CLUSTER_H

#include "probes/fact.h"
#include "probes/orders.h"
#include "registry/fleet/liveness.h"
#include "registry/fleet/reporter.h"
#include "registry/fleet/resolver.h"

struct probed_cluster;

enum { TIMER_SLOT = 1, TIMER_CLUSTER, TIMER_REPORTER, TIMER_PULSE };

/* What the clusters of a probe share. */
struct probe_context {
    const struct config *config;
    struct store *store;
    struct mirror *mirror;
    struct liveness *liveness;
    struct reporter *reporter;
    struct audit *audit; /* NULL: without credentials everybody may do everything */
    struct timers timers;
    size_t rank, size;        /* this probe's place in the fleet */
    bool blind;               /* every target fails at once: the cause is probably here */
    int64_t slipped_until_ms; /* until then our own clock is not trusted */
    size_t targets, failing;  /* of all clusters */
    bool report_due;          /* a report changed: the reporter has something to do */
    struct orders orders;
    void (*log)(void *owner, const struct fact *fact);
    void *log_owner;
};

/* Its members are looked at from now on. NULL: no memory. */
struct probed_cluster *cluster_new(struct probe_context *context,
                                   const struct cluster_settings *settings, struct probe_time now);

/* Its slots close now and its report is withdrawn; it is done with once its resolver is idle. */
void cluster_leave(struct probed_cluster *cluster);
bool cluster_is_done(const struct probed_cluster *cluster);

/* Its slots close; what exists in the registry is left to the end of the session. */
void cluster_stop(struct probed_cluster *cluster);

/* No store may be used by it any more, or it is done. */
void cluster_free(struct probed_cluster *cluster);

/* Takes over new settings: members whose access did not change keep their connections and history.
 */
void cluster_reload(struct probed_cluster *cluster, const struct cluster_settings *settings,
                    bool same_timeout, struct probe_time now);

/* The slots' events. True when a look ended and its observation was taken in. */
bool cluster_resolved(struct slot *slot, const char *address, const char *problem,
                      struct probe_time now);
bool cluster_look_ended(struct slot *slot, const struct observation *observation,
                        enum remains remains, struct probe_time now);
bool cluster_unsolicited(struct slot *slot, struct probe_time now);
bool cluster_slot_timer(struct slot *slot, struct probe_time now);

/* Likewise, and no look ends by them. */
void cluster_slot_works(struct slot *slot, struct probe_time now);
void cluster_slot_worked(struct slot *slot, int64_t cost_ms, struct probe_time now);
void cluster_slot_late(struct slot *slot, int64_t late_ms);

/* Look closely at every member. */
void cluster_alarm(struct probed_cluster *cluster, const char *member, const char *why,
                   struct probe_time now);

/* Publish what is known as of now, or why this probe abstains. */
void cluster_report(struct probed_cluster *cluster, struct probe_time now);

/* Steps the resolver: decides and writes what is due. */
void cluster_settle(struct probed_cluster *cluster, struct probe_time now);

/* A beat of our own was acknowledged. */
void cluster_beat(struct probed_cluster *cluster);

const char *cluster_name(const struct probed_cluster *cluster);
struct probed_cluster *cluster_of(const struct slot *slot);

/* How its members are to be asked; lives as long as the slot. */
const struct cluster_settings *cluster_settings_of(const struct slot *slot);

struct probed_cluster **cluster_next(struct probed_cluster *cluster); /* the probe's list */
bool cluster_is_leaving(const struct probed_cluster *cluster);

#endif
