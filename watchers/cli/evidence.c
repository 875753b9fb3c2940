#include "watchers/cli/evidence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "registry/verdict/resolve.h"

static enum store_rc read_topology(struct client *client, const struct args *args,
                                   struct cluster_evidence *evidence)
{
    char path[PATH_SIZE];
    struct client_value value = {0};
    struct codec_error error;
    enum store_rc rc =
        client_get(client, path_topology(path, sizeof path, args->root, evidence->cluster), &value);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    evidence->exists = true;
    evidence->topology_mzxid = value.stat.mzxid;
    evidence->has_topology = client_decode(&value, evidence->cluster, &evidence->topology, &error);
    if (!evidence->has_topology) {
        text_copy(evidence->topology_refused, sizeof evidence->topology_refused, error.sentence);
    }
    client_value_release(&value);
    return STORE_OK;
}

static enum store_rc read_directives(struct client *client, const struct args *args,
                                     struct cluster_evidence *evidence)
{
    char path[PATH_SIZE];
    struct client_value value = {0};
    struct codec_error error;
    enum store_rc rc = client_get(
        client, path_directives(path, sizeof path, args->root, evidence->cluster), &value);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    evidence->directives_mzxid = value.stat.mzxid;
    evidence->has_directives =
        directives_decode(value.data ? value.data : "", value.len, &evidence->directives, &error);
    if (!evidence->has_directives) {
        text_copy(evidence->directives_refused, sizeof evidence->directives_refused,
                  error.sentence);
    }
    client_value_release(&value);
    return STORE_OK;
}

static enum store_rc read_presence(struct client *client, const struct args *args,
                                   struct probe_evidence *probe)
{
    char path[PATH_SIZE];
    struct client_value value = {0};
    struct codec_error error;
    enum store_rc rc =
        client_get(client, path_probe(path, sizeof path, args->root, probe->name), &value);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    probe->present = true;
    probe->presence_readable =
        presence_decode(value.data ? value.data : "", value.len, &probe->presence, &error);
    client_value_release(&value);
    return STORE_OK;
}

/* A report that was deleted between the list and the read is left out. */
static enum store_rc read_report(struct client *client, const struct args *args,
                                 struct cluster_evidence *evidence, const char *name)
{
    char path[PATH_SIZE];
    struct client_value value = {0};
    assert(evidence->probe_count < REPORTS_MAX);
    struct probe_evidence *probe = &evidence->probes[evidence->probe_count];
    enum store_rc rc = client_get(
        client, path_report(path, sizeof path, args->root, evidence->cluster, name), &value);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    memset(probe, 0, sizeof *probe);
    text_copy(probe->name, sizeof probe->name, name);
    probe->mzxid = value.stat.mzxid;
    probe->version = value.stat.version;
    probe->readable =
        report_decode(value.data ? value.data : "", value.len, &probe->report, &probe->error);
    client_value_release(&value);
    evidence->probe_count++;
    return read_presence(client, args, probe);
}

static enum store_rc read_reports(struct client *client, const struct args *args,
                                  struct cluster_evidence *evidence)
{
    char path[PATH_SIZE];
    struct client_names names = {0};
    enum store_rc rc =
        client_list(client, path_reports(path, sizeof path, args->root, evidence->cluster), &names);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    evidence->exists = true;
    for (size_t i = 0; i < names.count && rc == STORE_OK; i++) {
        if (!text_is_name(names.names[i]) || evidence->probe_count == REPORTS_MAX) {
            evidence->left_out++;
        } else {
            rc = read_report(client, args, evidence, names.names[i]);
        }
    }
    client_names_release(&names);
    return rc;
}

/* The computation of the fleet, except that a probe counts as alive while its presence exists. */
static void recompute(struct cluster_evidence *evidence)
{
    static struct evidence inputs;
    static struct voters voters;
    inputs = (struct evidence){
        .previous = evidence->has_topology ? &evidence->topology : NULL,
        .directives = evidence->has_directives ? &evidence->directives : NULL,
        .directives_mzxid = evidence->directives_mzxid,
    };
    for (size_t i = 0; i < evidence->probe_count; i++) {
        const struct probe_evidence *probe = &evidence->probes[i];
        if (probe->readable && probe->present && probe->version > 0 &&
            text_equal(probe->report.cluster, evidence->cluster) &&
            text_equal(probe->report.probe, probe->name)) {
            inputs.votes[inputs.count++] = (struct vote){&probe->report, probe->mzxid};
        }
    }
    if (!voters_select(inputs.previous, inputs.votes, inputs.count, &voters)) {
        return;
    }
    for (size_t i = 0; i < voters.count; i++) {
        for (size_t k = 0; k < evidence->probe_count; k++) {
            evidence->probes[k].votes =
                evidence->probes[k].votes || voters.votes[i].report == &evidence->probes[k].report;
        }
    }
    evidence->quorum = resolve(&inputs, &evidence->now);
    /* probes that run keep those they read before, which are not to be had from here */
    evidence->decided = !evidence->directives_refused[0];
}

int cluster_evidence_read(struct client *client, const struct args *args, const char *cluster,
                          struct cluster_evidence *ret_evidence)
{
    memset(ret_evidence, 0, sizeof *ret_evidence);
    ret_evidence->cluster = cluster;
    enum store_rc rc = client_past(client, args, ret_evidence->past);
    if (rc == STORE_OK) {
        rc = read_topology(client, args, ret_evidence);
    }
    if (rc == STORE_OK) {
        rc = read_directives(client, args, ret_evidence);
    }
    if (rc == STORE_OK) {
        rc = read_reports(client, args, ret_evidence);
    }
    if (rc != STORE_OK) {
        return client_failed(client, rc, cluster);
    }
    recompute(ret_evidence);
    return CLI_DONE;
}
