/* Our report of one cluster, kept in the registry.
 *
 *     published --> written --> acknowledged: may be relied on, at this version
 *         |
 *         +-- differs from the one before in lag alone: not before PACE_MS have passed
 *
 * It is created as a report that abstains, so that version 0 never votes. */
#ifndef ROSTER_REGISTRY_FLEET_CLUSTER_REPORT_H
#define ROSTER_REGISTRY_FLEET_CLUSTER_REPORT_H

#include "registry/model/model.h"
#include "registry/store/ephemeral.h"

struct shared_report;

struct cluster_report {
    struct ephemeral ephemeral; /* first: a tag carries its pointer */
    char cluster[NAME_SIZE];
    bool has_folder;                 /* the folder that it is created in was made */
    struct shared_report *published; /* as it should be written; NULL: nothing yet */
    int64_t published_ms;
    struct shared_report *paced;   /* a change of lag that waits for its pace, or NULL */
    struct shared_report *writing; /* what the latest write holds, or NULL */
    struct shared_report *acked;   /* what exists in the registry, acknowledged, or NULL */
    bool news;                     /* `acked` changed since it was taken */
    struct cluster_report *next;   /* the reporter's */
};

/* NULL: no memory */
struct cluster_report *cluster_report_new(struct store *store, struct mirror *mirror,
                                          const char *root, const char *cluster, const char *probe);
void cluster_report_free(struct cluster_report *report); /* no answer may come after it */

/* What should be in the registry now; copied. Unchanged reports cost nothing. True when there is
 * something to write, now or later: cluster_report_step. */
bool cluster_report_publish(struct cluster_report *report, const struct report *as, int64_t now_ms);

/* Does what is due in this session, which has our name. Returns when to come back. */
int64_t cluster_report_step(struct cluster_report *report, int64_t now_ms);

/* The answer to a request of its ephemeral. */
void cluster_report_answer(struct cluster_report *report, const struct store_event *event,
                           int64_t now_ms);

/* True when the report as last acknowledged changed since the last call: then ret_report (NULL:
 * none exists), version and mzxid are set. */
bool cluster_report_take_acked(struct cluster_report *report, const struct report **ret_report,
                               int32_t *ret_version, int64_t *ret_mzxid);

#endif
