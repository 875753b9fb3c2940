/* All that the registry holds about one cluster, read out for a person: the
 * verdict, every report with the presence of its probe, and the operator's word.
 *
 * Read znode by znode, so a change in the midst of it may show half. */
#ifndef ROSTER_WATCHERS_CLI_EVIDENCE_H
#define ROSTER_WATCHERS_CLI_EVIDENCE_H

#include "registry/model/model.h"
#include "watchers/cli/client.h"

/* One probe's report, and what can be said of the probe. */
struct file {
    char probe[NAME_SIZE];
    bool readable;
    struct codec_error error; /* when not readable */
    struct report report;
    int64_t mzxid;
    int32_t version; /* 0: never votes, lest a re-created report be taken for its former self */
    bool present;    /* its probe's presence is there; that alone does not prove life */
    bool introduced; /* `presence` could be read */
    struct presence presence;
    bool votes; /* counts as far as can be told from outside: among the first N */
};

struct dossier {
    const char *cluster;
    bool exists; /* something is known of the cluster */
    bool has_topology;
    struct topology topology;
    int64_t topology_mzxid;
    char topology_refused[SENTENCE_SIZE]; /* there is one, and it cannot be read; "" */
    bool has_directives;
    struct directives directives;
    int64_t directives_mzxid;
    char directives_refused[SENTENCE_SIZE];
    size_t file_count;
    struct file files[REPORTS_MAX]; /* by name */
    size_t left_out;                /* reports beyond REPORTS_MAX */
    bool quorum;                    /* those that vote are enough for a verdict: */
    struct topology now;            /* the one that the evidence read here leads to */
};

/* Fills the dossier. On failure says why and returns the exit code. */
int dossier_read(struct session *session, const struct asked *asked, const char *cluster,
                 struct dossier *ret_dossier);

#endif
