#include "registry/fleet/cluster_report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"

/* A report and how many hold it: the one published, the one being written and the one acknowledged
 * are nearly always the same. */
struct shared_report {
    unsigned holders;
    struct report report;
};

/* NULL: no memory */
static struct shared_report *share(const struct report *report)
{
    struct shared_report *shared = malloc(sizeof *shared);
    if (shared) {
        shared->holders = 1;
        shared->report = *report;
    }
    return shared;
}

/* `at` holds this one from now on, too; NULL: none. */
static void hold(struct shared_report **at, struct shared_report *shared)
{
    if (shared) {
        shared->holders++;
    }
    if (*at) {
        assert((*at)->holders > 0);
        if (--(*at)->holders == 0) {
            free(*at);
        }
    }
    *at = shared;
}

struct cluster_report *cluster_report_new(struct store *store, struct mirror *mirror,
                                          const char *root, const char *cluster, const char *probe)
{
    assert(strlen(cluster) < NAME_SIZE && strlen(probe) < NAME_SIZE);
    struct cluster_report *report = calloc(1, sizeof *report);
    if (!report) {
        return NULL;
    }
    struct report first = {
        .rules = MODEL_RULES, .abstains = "starting", .policy = {.witnesses = 1}};
    char path[PATH_SIZE];
    strcpy(first.cluster, cluster);
    strcpy(first.probe, probe);
    strcpy(report->cluster, cluster);
    path_report(path, sizeof path, root, cluster, probe);
    char *json = report_encode(&first);
    bool made = json && ephemeral_init(&report->ephemeral, store, mirror, path, json);
    free(json);
    if (!made) {
        free(report);
        return NULL;
    }
    return report;
}

void cluster_report_free(struct cluster_report *report)
{
    ephemeral_release(&report->ephemeral);
    hold(&report->published, NULL);
    hold(&report->paced, NULL);
    hold(&report->writing, NULL);
    hold(&report->acked, NULL);
    free(report);
}

/* ---- what is published ----------------------------------------------------------------------- */

static void publish(struct cluster_report *report, struct shared_report *shared, int64_t now_ms)
{
    hold(&report->published, shared);
    hold(&report->paced, NULL);
    report->published_ms = now_ms;
}

bool cluster_report_publish(struct cluster_report *report, const struct report *as, int64_t now_ms)
{
    const struct report *before = report->published ? &report->published->report : NULL;
    assert(strcmp(as->cluster, report->cluster) == 0);
    if (before && report_equal(before, as)) {
        hold(&report->paced, NULL);
        return false;
    }
    struct shared_report *shared = share(as);
    if (!shared) {
        return false; /* no memory: the next time that it is published tries again */
    }
    if (before && report_alike(before, as) && now_ms < report->published_ms + PACE_MS) {
        hold(&report->paced, shared);
    } else {
        publish(report, shared, now_ms);
    }
    hold(&shared, NULL);
    return true;
}

/* ---- what is acknowledged -------------------------------------------------------------------- */

static void set_acked(struct cluster_report *report, struct shared_report *acked)
{
    hold(&report->acked, acked);
    report->news = true;
}

/* Does it still exist as it was acknowledged? */
static void check_acked(struct cluster_report *report)
{
    if (report->acked &&
        (!ephemeral_is_ours(&report->ephemeral) || report->ephemeral.state == EPHEMERAL_HELD)) {
        set_acked(report, NULL);
    }
}

void cluster_report_answer(struct cluster_report *report, const struct store_event *event,
                           int64_t now_ms)
{
    if (ephemeral_answer(&report->ephemeral, event, now_ms)) {
        assert(report->writing);
        set_acked(report, report->writing);
    }
    check_acked(report);
}

bool cluster_report_take_acked(struct cluster_report *report, const struct report **ret_report,
                               int32_t *ret_version, int64_t *ret_mzxid)
{
    check_acked(report);
    if (!report->news) {
        return false;
    }
    report->news = false;
    *ret_report = report->acked ? &report->acked->report : NULL;
    *ret_version = report->ephemeral.version;
    *ret_mzxid = report->ephemeral.mzxid;
    return true;
}

/* ---- what is due ----------------------------------------------------------------------------- */

static void write_published(struct cluster_report *report)
{
    struct ephemeral *ephemeral = &report->ephemeral;
    bool written = ephemeral->state == EPHEMERAL_WRITTEN && report->writing == report->published;
    if (!report->published || !ephemeral_is_writable(ephemeral) || written) {
        return;
    }
    char *json = report_encode(&report->published->report);
    if (json) { /* else no memory: the next step tries again */
        hold(&report->writing, report->published);
        ephemeral_write(ephemeral, json);
    }
    free(json);
}

int64_t cluster_report_step(struct cluster_report *report, int64_t now_ms)
{
    struct ephemeral *ephemeral = &report->ephemeral;
    int64_t due_ms = INT64_MAX;
    if (report->paced && now_ms >= report->published_ms + PACE_MS) {
        publish(report, report->paced, now_ms);
    } else if (report->paced) {
        due_ms = report->published_ms + PACE_MS;
    }
    if (ephemeral->state == EPHEMERAL_FOREIGN) {
        ephemeral_replace(ephemeral); /* the name is ours, so this is our ghost's */
    }
    if (ephemeral_take_trouble(ephemeral)) {
        report->has_folder = false; /* it may be what is missing */
    }
    int64_t next_ms = ephemeral_step(ephemeral, now_ms);
    write_published(report);
    check_acked(report);
    return next_ms < due_ms ? next_ms : due_ms;
}
