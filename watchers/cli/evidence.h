/* All that the registry holds about one cluster: the verdict, every report with
 * the presence of its probe, and the directives.
 *
 * The znodes are read one by one, so a change meanwhile may be seen in part. */
#ifndef ROSTER_WATCHERS_CLI_EVIDENCE_H
#define ROSTER_WATCHERS_CLI_EVIDENCE_H

#include "registry/model/model.h"
#include "watchers/cli/client.h"

/* The report of one probe, and what is known of that probe. */
struct probe_evidence {
    char name[NAME_SIZE];
    bool readable;
    struct codec_error error; /* when not readable */
    struct report report;
    int64_t mzxid;
    int32_t version; /* 0: does not vote, since a report created anew must not pass for the one
                        before */
    bool present; /* its probe's presence exists; that alone does not prove that the probe lives */
    bool presence_readable; /* `presence` could be read */
    struct presence presence;
    bool votes; /* among those that the verdict counts, as far as this can be known from outside */
};

struct cluster_evidence {
    const char *cluster;
    char past[SENTENCE_SIZE]; /* the registry went back in time; "" */
    bool exists;              /* something is known of the cluster */
    bool has_topology;
    struct topology topology;
    int64_t topology_mzxid;
    char topology_refused[SENTENCE_SIZE]; /* why it cannot be read; "" */
    bool has_directives;
    struct directives directives;
    int64_t directives_mzxid;
    char directives_refused[SENTENCE_SIZE];
    size_t probe_count;
    struct probe_evidence probes[REPORTS_MAX]; /* by name */
    size_t left_out;                           /* reports beyond REPORTS_MAX */
    bool quorum;                               /* those that vote are enough for a verdict */
    bool decided;        /* and all that it rests on could be read: it is `now` */
    struct topology now; /* the verdict that the evidence read here leads to */
};

/* Reads it. On failure prints why and returns the exit code. */
int cluster_evidence_read(struct client *client, const struct args *args, const char *cluster,
                          struct cluster_evidence *ret_evidence);

#endif
