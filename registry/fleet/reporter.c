#include "registry/fleet/reporter.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/fleet/folders.h"
#include "registry/fleet/withdrawals.h"
#include "registry/model/codec.h"
#include "registry/model/paths.h"

/* a beat that does not move for so long is a dead probe's */
#define STILL_MS (BEATS_FRESH * BEAT_MS)
#define RIVAL_MS (BEAT_MS / 4) /* how often a rival's beat is read */
#define RETRY_MS 500

/* Another session that holds our name, as last read. */
struct rival {
    uint64_t nonce, beat;
    int64_t since_ms; /* since when its beat has not moved; 0: never read */
    int moves;        /* one may be a dead one's last, which was on its way */
};

struct reporter {
    struct store *store;
    struct mirror *mirror;
    char root_path[PATH_SIZE];
    bool (*is_gone)(const struct presence *);
    int64_t session; /* 0: none */

    struct root root;
    struct folders folders;
    struct presence presence; /* with the beat as last written */
    struct ephemeral own;     /* the znode of it */
    int64_t beat_ms;          /* when the last beat was written; 0: none in this session */
    uint64_t acked_beat;
    unsigned beats; /* acknowledged and not yet taken */
    struct rival rival;
    char name_conflict[SENTENCE_SIZE];

    struct cluster_report *reports;
    struct cluster_report *removed; /* the answer to their last request is under way */
    struct withdrawals withdrawals;

    const char *trouble; /* the latest */
    const char *logged_trouble;
};

/* ---- life ------------------------------------------------------------------------------------ */

struct reporter *reporter_new(struct store *store, struct mirror *mirror,
                              const struct reporter_settings *settings)
{
    struct reporter *reporter = calloc(1, sizeof *reporter);
    char path[PATH_SIZE];
    if (!reporter) {
        return NULL;
    }
    assert(settings->is_gone);
    assert(strlen(settings->root) < sizeof reporter->root_path && settings->presence.probe[0]);
    reporter->store = store;
    reporter->mirror = mirror;
    reporter->withdrawals.store = store;
    reporter->presence = settings->presence;
    reporter->acked_beat = settings->presence.beat;
    reporter->is_gone = settings->is_gone;
    strcpy(reporter->root_path, settings->root);
    if (!root_init(&reporter->root, store, mirror, settings->root, settings->registry_uuid,
                   settings->memory)) {
        free(reporter);
        return NULL;
    }
    folders_init(&reporter->folders, store, &reporter->root, settings->has_chroot);
    path_probe(path, sizeof path, reporter->root_path, reporter->presence.probe);
    char *first = presence_encode(&reporter->presence);
    bool made = first && ephemeral_init(&reporter->own, store, mirror, path, first);
    free(first);
    if (!made) {
        root_release(&reporter->root);
        free(reporter);
        return NULL;
    }
    return reporter;
}

struct root *reporter_root(struct reporter *reporter)
{
    return &reporter->root;
}

static void free_reports(struct cluster_report *report)
{
    while (report) {
        struct cluster_report *next = report->next;
        cluster_report_free(report);
        report = next;
    }
}

void reporter_free(struct reporter *reporter)
{
    if (!reporter) {
        return;
    }
    free_reports(reporter->reports);
    free_reports(reporter->removed);
    withdrawals_release(&reporter->withdrawals);
    ephemeral_release(&reporter->own);
    root_release(&reporter->root);
    free(reporter);
}

/* ---- clusters -------------------------------------------------------------------------------- */

struct cluster_report *reporter_add(struct reporter *reporter, const char *cluster)
{
    struct cluster_report *report = cluster_report_new(
        reporter->store, reporter->mirror, reporter->root_path, cluster, reporter->presence.probe);
    if (report) {
        withdrawals_cancel(&reporter->withdrawals, report->ephemeral.path);
        ephemeral_session(&report->ephemeral, reporter->session);
        report->next = reporter->reports;
        reporter->reports = report;
    }
    return report;
}

/* What was removed goes once the answer to its last request is in. */
static void sweep_removed(struct reporter *reporter)
{
    for (struct cluster_report **at = &reporter->removed; *at;) {
        struct cluster_report *report = *at;
        if (ephemeral_is_busy(&report->ephemeral)) {
            at = &report->next;
        } else {
            *at = report->next;
            cluster_report_free(report);
        }
    }
}

void reporter_remove(struct reporter *reporter, struct cluster_report *report)
{
    struct cluster_report **at = &reporter->reports;
    while (*at != report) {
        assert(*at); /* it is one of ours */
        at = &(*at)->next;
    }
    *at = report->next;
    if (ephemeral_may_exist(&report->ephemeral)) {
        withdrawals_add(&reporter->withdrawals, report->ephemeral.path, report->ephemeral.session);
    }
    report->next = reporter->removed;
    reporter->removed = report;
    sweep_removed(reporter);
}

/* One cluster at a time, so that thousands of them do not delay our beat. */
static void make_cluster_folders(struct reporter *reporter, int64_t now_ms)
{
    if (!folders_are_idle(&reporter->folders, now_ms)) {
        return;
    }
    for (struct cluster_report *report = reporter->reports; report; report = report->next) {
        if (!report->has_folder) {
            folders_make_cluster(&reporter->folders, report->cluster);
            report->has_folder = true;
            return;
        }
    }
}

/* ---- our name -------------------------------------------------------------------------------- */

/* Is whoever holds our name alive, dead, or not to be decided yet? */
enum rival_state { RIVAL_DEAD, RIVAL_ALIVE, RIVAL_WATCHED };

static enum rival_state watch_rival(struct rival *rival, const struct presence *presence,
                                    int64_t now_ms)
{
    bool known = rival->since_ms && presence->nonce == rival->nonce;
    bool moved = known && presence->beat != rival->beat;
    rival->moves = known ? rival->moves + moved : 0;
    if (rival->moves > 1) {
        return RIVAL_ALIVE;
    }
    if (!known || moved) {
        rival->since_ms = now_ms;
        rival->nonce = presence->nonce;
        rival->beat = presence->beat;
    }
    return now_ms - rival->since_ms >= STILL_MS ? RIVAL_DEAD : RIVAL_WATCHED;
}

static enum rival_state judge_rival(struct reporter *reporter, const struct presence *presence,
                                    int64_t now_ms)
{
    bool former_self = presence->nonce == reporter->presence.nonce;
    return former_self || reporter->is_gone(presence)
               ? RIVAL_DEAD
               : watch_rival(&reporter->rival, presence, now_ms);
}

/* Our presence belongs to another session: whose? */
static void settle_name(struct reporter *reporter, int64_t now_ms)
{
    struct presence presence;
    struct codec_error error;
    struct ephemeral *own = &reporter->own;
    bool readable =
        own->found && presence_decode(own->found, strlen(own->found), &presence, &error);
    switch (readable ? judge_rival(reporter, &presence, now_ms) : RIVAL_DEAD) {
    case RIVAL_DEAD:
        ephemeral_replace(own);
        break;
    case RIVAL_WATCHED:
        ephemeral_read_again(own, now_ms + RIVAL_MS);
        break;
    case RIVAL_ALIVE:
        snprintf(reporter->name_conflict, sizeof reporter->name_conflict,
                 "another live probe has the name %s (host %.64s, pid %lld): give each probe its "
                 "own [probe] name",
                 reporter->presence.probe, presence.host, (long long)presence.pid);
        break;
    }
}

/* A beat when it is due; and when the znode holds another than the last, that one again. */
static void beat(struct reporter *reporter, int64_t now_ms)
{
    struct ephemeral *own = &reporter->own;
    bool due = now_ms - reporter->beat_ms >= BEAT_MS || reporter->beat_ms == 0;
    if (!ephemeral_is_writable(own) || (!due && own->state == EPHEMERAL_WRITTEN)) {
        return;
    }
    if (due) {
        reporter->beat_ms = now_ms;
        reporter->presence.beat++;
    }
    char *json = presence_encode(&reporter->presence);
    if (json) { /* else no memory: the next step tries again */
        ephemeral_write(own, json);
    }
    free(json);
}

static void presence_answered(struct reporter *reporter, const struct store_event *event,
                              int64_t now_ms)
{
    if (ephemeral_answer(&reporter->own, event, now_ms)) {
        root_wrote(&reporter->root, reporter->own.mzxid);
        reporter->beats += reporter->acked_beat != reporter->presence.beat;
        reporter->acked_beat = reporter->presence.beat;
    }
}

/* ---- events ---------------------------------------------------------------------------------- */

static void set_session(struct reporter *reporter, int64_t session)
{
    reporter->session = session;
    reporter->rival = (struct rival){0};
    reporter->beat_ms = 0;
    ephemeral_session(&reporter->own, session);
    for (struct cluster_report *report = reporter->reports; report; report = report->next) {
        ephemeral_session(&report->ephemeral, session);
    }
    folders_begin(&reporter->folders);
}

static void answered(struct reporter *reporter, const struct store_event *event, int64_t now_ms)
{
    void *whose = store_tag_pointer(event->tag);
    switch ((enum store_tag)(event->tag & TAG_MASK)) {
    case TAG_FOLDERS:
        if (whose) {
            folders_answer(whose, event, now_ms);
        }
        break;
    case TAG_EPHEMERAL:
        if (whose == &reporter->own) {
            presence_answered(reporter, event, now_ms);
        } else {
            cluster_report_answer(whose, event, now_ms);
            sweep_removed(reporter);
        }
        break;
    case TAG_ROOT:
        root_answer(whose, event, now_ms);
        break;
    case TAG_WITHDRAWAL:
        withdrawal_answer(whose, event->rc, now_ms);
        break;
    default:
        break;
    }
}

void reporter_event(struct reporter *reporter, const struct store_event *event, int64_t now_ms)
{
    root_event(&reporter->root, event);
    switch (event->kind) {
    case STORE_UP:
        if (event->renewed || event->session != reporter->session) {
            set_session(reporter, event->session);
        }
        break;
    case STORE_GONE:
        set_session(reporter, 0);
        break;
    case STORE_ANSWER:
        answered(reporter, event, now_ms);
        break;
    default:
        break;
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Our name first; what else is ours follows it. */
static int64_t step_name(struct reporter *reporter, int64_t now_ms)
{
    if (reporter->own.state == EPHEMERAL_FOREIGN) {
        settle_name(reporter, now_ms);
    }
    int64_t due_ms = ephemeral_step(&reporter->own, now_ms);
    beat(reporter, now_ms);
    return due_ms;
}

static int64_t step_reports(struct reporter *reporter, int64_t now_ms)
{
    int64_t due_ms = withdrawals_step(&reporter->withdrawals, reporter->session, now_ms);
    for (struct cluster_report *report = reporter->reports; report; report = report->next) {
        if (report->has_folder) {
            due_ms = sooner(due_ms, cluster_report_step(report, now_ms));
        }
    }
    return due_ms;
}

static int64_t step_folders(struct reporter *reporter, int64_t now_ms)
{
    struct folders *folders = &reporter->folders;
    int64_t root_ms = root_step(&reporter->root, now_ms);
    if (reporter->root.state == ROOT_ABSENT && folders_are_complete(folders)) {
        folders_begin(folders);
    }
    int64_t due_ms = sooner(root_ms, folders_step(folders, now_ms));
    const char *trouble = folders_take_trouble(folders);
    reporter->trouble = trouble ? trouble : reporter->trouble;
    return due_ms;
}

bool reporter_must_leave(const struct reporter *reporter)
{
    return reporter->session != 0 && reporter->root.state == ROOT_REFUSED &&
           ephemeral_may_exist(&reporter->own);
}

int64_t reporter_step(struct reporter *reporter, int64_t now_ms)
{
    const char *trouble;
    if (reporter->session == 0 || !mirror_is_up(reporter->mirror) || reporter->name_conflict[0]) {
        return INT64_MAX;
    }
    int64_t due_ms = step_folders(reporter, now_ms);
    if (!folders_are_complete(&reporter->folders) || !root_is_used(&reporter->root)) {
        return due_ms;
    }
    make_cluster_folders(reporter, now_ms);
    trouble = ephemeral_take_trouble(&reporter->own);
    if (trouble) {
        reporter->trouble = trouble;
        folders_begin(&reporter->folders);
        return now_ms;
    }
    due_ms = sooner(due_ms, step_name(reporter, now_ms));
    if (ephemeral_is_ours(&reporter->own)) {
        int64_t beat_ms = reporter->beat_ms + BEAT_MS;
        due_ms = sooner(due_ms, step_reports(reporter, now_ms));
        due_ms = sooner(due_ms, beat_ms > now_ms ? beat_ms : now_ms + RETRY_MS);
    }
    return due_ms;
}

unsigned reporter_take_beats(struct reporter *reporter)
{
    unsigned beats = reporter->beats;
    reporter->beats = 0;
    return beats;
}

const char *reporter_name_conflict(const struct reporter *reporter)
{
    return reporter->name_conflict;
}

const char *reporter_trouble(struct reporter *reporter)
{
    if (reporter->trouble == reporter->logged_trouble) {
        return NULL;
    }
    reporter->logged_trouble = reporter->trouble;
    return reporter->trouble;
}
