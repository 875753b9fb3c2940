#include "watchers/cli/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "registry/verdict/resolve.h"

static enum store_rc read_topology(struct session *session, const struct asked *asked,
                                   struct dossier *dossier)
{
    char path[PATH_SIZE];
    struct session_value value = {0};
    struct codec_error error;
    enum store_rc rc = session_get(
        session, path_topology(path, sizeof path, asked->root, dossier->cluster), &value);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    dossier->exists = true;
    dossier->topology_mzxid = value.stat.mzxid;
    dossier->has_topology = session_decode(&value, dossier->cluster, &dossier->topology, &error);
    if (!dossier->has_topology) {
        text_copy(dossier->topology_refused, sizeof dossier->topology_refused, error.sentence);
    }
    session_value_release(&value);
    return STORE_OK;
}

static enum store_rc read_directives(struct session *session, const struct asked *asked,
                                     struct dossier *dossier)
{
    char path[PATH_SIZE];
    struct session_value value = {0};
    struct codec_error error;
    enum store_rc rc = session_get(
        session, path_directives(path, sizeof path, asked->root, dossier->cluster), &value);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    dossier->directives_mzxid = value.stat.mzxid;
    dossier->has_directives =
        directives_decode(value.data ? value.data : "", value.len, &dossier->directives, &error);
    if (!dossier->has_directives) {
        text_copy(dossier->directives_refused, sizeof dossier->directives_refused, error.sentence);
    }
    session_value_release(&value);
    return STORE_OK;
}

static enum store_rc read_presence(struct session *session, const struct asked *asked,
                                   struct file *file)
{
    char path[PATH_SIZE];
    struct session_value value = {0};
    struct codec_error error;
    enum store_rc rc =
        session_get(session, path_probe(path, sizeof path, asked->root, file->probe), &value);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    file->present = true;
    file->introduced =
        presence_decode(value.data ? value.data : "", value.len, &file->presence, &error);
    session_value_release(&value);
    return STORE_OK;
}

/* A report that vanished between the list and the read is simply not there. */
static enum store_rc read_file(struct session *session, const struct asked *asked,
                               struct dossier *dossier, const char *probe)
{
    char path[PATH_SIZE];
    struct session_value value = {0};
    struct file *file = &dossier->files[dossier->file_count];
    enum store_rc rc = session_get(
        session, path_report(path, sizeof path, asked->root, dossier->cluster, probe), &value);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    memset(file, 0, sizeof *file);
    text_copy(file->probe, sizeof file->probe, probe);
    file->mzxid = value.stat.mzxid;
    file->version = value.stat.version;
    file->readable =
        report_decode(value.data ? value.data : "", value.len, &file->report, &file->error);
    session_value_release(&value);
    dossier->file_count++;
    return read_presence(session, asked, file);
}

static enum store_rc read_files(struct session *session, const struct asked *asked,
                                struct dossier *dossier)
{
    char path[PATH_SIZE];
    struct session_names names = {0};
    enum store_rc rc = session_list(
        session, path_reports(path, sizeof path, asked->root, dossier->cluster), &names);
    if (rc != STORE_OK) {
        return rc == STORE_NO_NODE ? STORE_OK : rc;
    }
    dossier->exists = true;
    for (size_t i = 0; i < names.count && rc == STORE_OK; i++) {
        if (!text_is_name(names.names[i]) || dossier->file_count == REPORTS_MAX) {
            dossier->left_out++;
        } else {
            rc = read_file(session, asked, dossier, names.names[i]);
        }
    }
    session_names_release(&names);
    return rc;
}

/* The fleet's own reckoning, with presence standing in for life. */
static void reckon(struct dossier *dossier)
{
    static struct evidence evidence;
    static struct voters voters;
    evidence = (struct evidence){
        .previous = dossier->has_topology ? &dossier->topology : NULL,
        .directives = dossier->has_directives ? &dossier->directives : NULL,
        .directives_mzxid = dossier->directives_mzxid,
    };
    for (size_t i = 0; i < dossier->file_count; i++) {
        const struct file *file = &dossier->files[i];
        if (file->readable && file->present && file->version > 0 &&
            text_equal(file->report.cluster, dossier->cluster) &&
            text_equal(file->report.probe, file->probe)) {
            evidence.votes[evidence.count++] = (struct vote){&file->report, file->mzxid};
        }
    }
    if (!voters_select(evidence.previous, evidence.votes, evidence.count, &voters)) {
        return;
    }
    for (size_t i = 0; i < voters.count; i++) {
        for (size_t k = 0; k < dossier->file_count; k++) {
            dossier->files[k].votes =
                dossier->files[k].votes || voters.votes[i].report == &dossier->files[k].report;
        }
    }
    dossier->quorum = resolve(&evidence, &dossier->now);
}

int dossier_read(struct session *session, const struct asked *asked, const char *cluster,
                 struct dossier *ret_dossier)
{
    memset(ret_dossier, 0, sizeof *ret_dossier);
    ret_dossier->cluster = cluster;
    enum store_rc rc = read_topology(session, asked, ret_dossier);
    if (rc == STORE_OK) {
        rc = read_directives(session, asked, ret_dossier);
    }
    if (rc == STORE_OK) {
        rc = read_files(session, asked, ret_dossier);
    }
    if (rc != STORE_OK) {
        return session_failed(session, rc, cluster);
    }
    reckon(ret_dossier);
    return CLI_DONE;
}
