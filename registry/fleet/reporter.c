#include "registry/fleet/reporter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"

#define STILL_MS                                                                                   \
    (BEATS_FRESH * BEAT_MS) /* a beat that stands still for so long is a dead one's   \
                                          */
#define RETRY_MS 500

struct published {
    struct ephemeral ephemeral;
    char cluster[NAME_SIZE];
    void *owner;
    bool ready; /* its folders were made */
    bool has_said;
    struct report said; /* as handed to the ephemeral last */
    int64_t said_ms;
    bool later; /* a change of lag waits for its pace */
    struct report next;
    bool told_acked, acked_changed, has_acked;
    struct report acked;
    struct published *after;
};

/* A report that was withdrawn and may still stand: left alone it would vote, fresh by our beat, as
 * long as we live. */
struct withdrawal {
    char path[PATH_SIZE];
    int64_t session;       /* with this one it goes by itself */
    bool busy;             /* its deletion is under way */
    bool moot;             /* its cluster is back */
    int64_t not_before_ms; /* after a error */
    struct withdrawal *after;
};

enum stage { STAGE_DOWN, STAGE_FOLDERS, STAGE_REGISTRY_ID, STAGE_READY };

struct reporter {
    struct store *store;
    struct mirror *mirror;
    char root[PATH_SIZE];
    bool make_chroot;
    char uuid[IDENTITY_SIZE];
    struct presence presence;
    bool (*is_gone)(const struct presence *);
    struct ephemeral own; /* our presence */
    struct published *all_published;
    struct withdrawal *withdrawals;

    int64_t session;
    enum stage stage;
    bool busy;                /* a folder or registry_id request is under way */
    size_t root_at;           /* how much of the root path has been made */
    int folder;               /* which standing folder comes next */
    struct published *making; /* whose folders are being made */
    int64_t not_before_ms;

    int64_t beat_ms; /* when the last beat was sent */
    bool beating;
    unsigned beats;      /* acknowledged and not yet taken */
    uint64_t rival_beat; /* of whoever holds our name */
    uint64_t rival_nonce;
    int64_t rival_since_ms; /* since when it stands still; 0: not watched */
    int rival_moves;        /* one may be a dead one's last, which was on its way */
    char taken[SENTENCE_SIZE];
    const char *trouble, *told_trouble;
};

struct reporter *reporter_new(struct store *store, struct mirror *mirror,
                              const struct reporter_settings *settings)
{
    struct reporter *reporter = calloc(1, sizeof *reporter);
    char path[PATH_SIZE];
    if (!reporter) {
        return NULL;
    }
    reporter->store = store;
    reporter->mirror = mirror;
    reporter->make_chroot = settings->chroot_create != NULL;
    reporter->presence = settings->presence;
    reporter->is_gone = settings->is_gone;
    strcpy(reporter->root, settings->root);
    strcpy(reporter->uuid, settings->registry_uuid);
    path_probe(path, sizeof path, reporter->root, reporter->presence.probe);
    char *first = presence_encode(&reporter->presence);
    bool made =
        first && ephemeral_init(&reporter->own, store, mirror, path, REPORTER_EPHEMERAL, first);
    free(first);
    if (!made) {
        free(reporter);
        return NULL;
    }
    return reporter;
}

void reporter_free(struct reporter *reporter)
{
    if (!reporter) {
        return;
    }
    while (reporter->all_published) {
        struct published *published = reporter->all_published;
        reporter->all_published = published->after;
        ephemeral_release(&published->ephemeral);
        free(published);
    }
    while (reporter->withdrawals) {
        struct withdrawal *withdrawal = reporter->withdrawals;
        reporter->withdrawals = withdrawal->after;
        free(withdrawal);
    }
    ephemeral_release(&reporter->own);
    free(reporter);
}

/* ---- clusters ---------------------------------------------------------------------------------- */

struct published *reporter_add(struct reporter *reporter, const char *cluster, void *owner)
{
    struct published *published = calloc(1, sizeof *published);
    char path[PATH_SIZE];
    if (!published) {
        return NULL;
    }
    struct report first = {
        .rules = MODEL_RULES, .abstains = "starting", .policy = {.witnesses = 1}};
    strcpy(first.cluster, cluster);
    strcpy(first.probe, reporter->presence.probe);
    strcpy(published->cluster, cluster);
    published->owner = owner;
    path_report(path, sizeof path, reporter->root, cluster, reporter->presence.probe);
    char *json = report_encode(&first);
    bool made = json && ephemeral_init(&published->ephemeral, reporter->store, reporter->mirror,
                                       path, REPORTER_EPHEMERAL, json);
    free(json);
    if (!made) {
        free(published);
        return NULL;
    }
    for (struct withdrawal *withdrawal = reporter->withdrawals; withdrawal;
         withdrawal = withdrawal->after) {
        withdrawal->moot = withdrawal->moot || strcmp(withdrawal->path, path) == 0;
    }
    published->after = reporter->all_published;
    reporter->all_published = published;
    return published;
}

/* In this session it may stand, or be about to. */
static bool may_stand(const struct ephemeral *ephemeral)
{
    return ephemeral->session != 0 && ephemeral->state != EPHEMERAL_ABSENT &&
           ephemeral->state != EPHEMERAL_FOREIGN;
}

static void withdraw(struct reporter *reporter, const struct ephemeral *ephemeral)
{
    struct withdrawal *withdrawal = calloc(1, sizeof *withdrawal);
    if (!withdrawal) {
        return;
    }
    strcpy(withdrawal->path, ephemeral->path);
    withdrawal->session = ephemeral->session;
    withdrawal->after = reporter->withdrawals;
    reporter->withdrawals = withdrawal;
}

static void withdrawal_answered(struct withdrawal *withdrawal, enum store_rc rc, int64_t now_ms)
{
    withdrawal->busy = false;
    if (rc == STORE_OK || rc == STORE_NO_NODE) {
        withdrawal->moot = true;
    } else if (rc != STORE_UNKNOWN) {
        withdrawal->not_before_ms = now_ms + RETRY_MS;
    }
}

/* Returns when to come back. */
static int64_t step_withdrawals(struct reporter *reporter, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;
    for (struct withdrawal **at = &reporter->withdrawals; *at;) {
        struct withdrawal *withdrawal = *at;
        if (!withdrawal->busy && (withdrawal->moot || withdrawal->session != reporter->session)) {
            *at = withdrawal->after;
            free(withdrawal);
            continue;
        }
        if (!withdrawal->busy && now_ms >= withdrawal->not_before_ms) {
            struct store_op op = {.kind = STORE_DELETE, .path = withdrawal->path, .version = -1};
            withdrawal->busy = true;
            store_write(reporter->store, store_tag(withdrawal, TAG_REPORTER), &op, 1);
        } else if (!withdrawal->busy && withdrawal->not_before_ms < due_ms) {
            due_ms = withdrawal->not_before_ms;
        }
        at = &withdrawal->after;
    }
    return due_ms;
}

void reporter_remove(struct reporter *reporter, struct published *published)
{
    struct published **at = &reporter->all_published;
    while (*at != published) {
        at = &(*at)->after;
    }
    *at = published->after;
    if (may_stand(&published->ephemeral)) {
        withdraw(reporter, &published->ephemeral);
    }
    if (reporter->making == published) {
        reporter->making = NULL;
    }
    ephemeral_release(&published->ephemeral);
    free(published);
}

static void publish(struct published *published, const struct report *report, int64_t now_ms)
{
    published->said = *report;
    published->has_said = true;
    published->later = false;
    published->said_ms = now_ms;
    ephemeral_want(&published->ephemeral, report_encode(report));
}

void reporter_say(struct reporter *reporter, struct published *published,
                  const struct report *report, int64_t now_ms)
{
    (void)reporter;
    if (published->has_said && report_equal(&published->said, report)) {
        published->later = false;
    } else if (published->has_said && report_alike(&published->said, report) &&
               now_ms < published->said_ms + PACE_MS) {
        published->later = true;
        published->next = *report;
    } else {
        publish(published, report, now_ms);
    }
}

void *published_owner(const struct published *published)
{
    return published->owner;
}

struct published *reporter_published(struct reporter *reporter)
{
    return reporter->all_published;
}

struct published *published_next(struct published *published)
{
    return published->after;
}

static bool is_standing(const struct ephemeral *ephemeral)
{
    return ephemeral->state == EPHEMERAL_HELD || ephemeral->state == EPHEMERAL_WRITING;
}

bool published_take_acked(struct published *published, const struct report **ret_report,
                          int32_t *ret_version, int64_t *ret_mzxid)
{
    struct ephemeral *ephemeral = &published->ephemeral;
    struct codec_error error;
    if (ephemeral->acked) {
        ephemeral->acked = false;
        published->has_acked =
            report_decode(ephemeral->sent, strlen(ephemeral->sent), &published->acked, &error);
        published->told_acked = false;
    } else if (published->has_acked && !is_standing(ephemeral)) {
        published->has_acked = false;
        published->told_acked = false;
    }
    if (published->told_acked) {
        return false;
    }
    published->told_acked = true;
    *ret_report = published->has_acked ? &published->acked : NULL;
    *ret_version = ephemeral->version;
    *ret_mzxid = ephemeral->mzxid;
    return true;
}

/* ---- the folders that everything stands in ----------------------------------------------------- */

static void make_folder(struct reporter *reporter, const char *path, char *data)
{
    struct store_op op = {.kind = STORE_CREATE,
                          .path = path,
                          .data = data ? data : "",
                          .len = data ? strlen(data) : 0};
    reporter->busy = true;
    store_write(reporter->store, store_tag(reporter, TAG_REPORTER), &op, 1);
    free(data);
}

/* The root, part by part; the last part is the registry_id. */
static bool make_root(struct reporter *reporter)
{
    size_t len = strlen(reporter->root);
    if (reporter->root_at == 0 && reporter->make_chroot) {
        reporter->root_at = 1;
        make_folder(reporter, "/", NULL);
        return true;
    }
    if (reporter->root_at >= len) {
        return false;
    }
    char path[PATH_SIZE];
    const char *slash = strchr(reporter->root + reporter->root_at + 1, '/');
    size_t end = slash ? (size_t)(slash - reporter->root) : len;
    memcpy(path, reporter->root, end);
    path[end] = '\0';
    reporter->root_at = end;
    struct registry_id registry_id = {0};
    strcpy(registry_id.registry, reporter->uuid);
    make_folder(reporter, path, end == len ? registry_id_encode(&registry_id) : NULL);
    return true;
}

static bool make_standing(struct reporter *reporter)
{
    char path[PATH_SIZE];
    if (reporter->folder == 0) {
        path_probes(path, sizeof path, reporter->root);
    } else if (reporter->folder == 1) {
        path_clusters(path, sizeof path, reporter->root);
    } else {
        return false;
    }
    reporter->folder++;
    make_folder(reporter, path, NULL);
    return true;
}

static bool make_cluster(struct reporter *reporter)
{
    char path[PATH_SIZE];
    if (reporter->making) {
        path_reports(path, sizeof path, reporter->root, reporter->making->cluster);
        reporter->making->ready = true;
        reporter->making = NULL;
        make_folder(reporter, path, NULL);
        return true;
    }
    for (struct published *published = reporter->all_published; published;
         published = published->after) {
        if (!published->ready) {
            reporter->making = published;
            make_folder(reporter,
                        path_cluster(path, sizeof path, reporter->root, published->cluster), NULL);
            return true;
        }
    }
    return false;
}

/* The clusters' folders are not made anew: were one missing, its report would say so. */
static void begin_folders(struct reporter *reporter)
{
    reporter->stage = STAGE_FOLDERS;
    reporter->root_at = 0;
    reporter->folder = 0;
    reporter->making = NULL;
}

/* A root that was made by hand has no registry_id: give it one. Anything else that stands there is
 * left alone. */
static void check_registry_id(struct reporter *reporter, const struct store_event *event)
{
    struct registry_id registry_id = {0};
    struct codec_error error;
    if (event->rc == STORE_OK && event->len == 0) {
        strcpy(registry_id.registry, reporter->uuid);
        char *json = registry_id_encode(&registry_id);
        struct store_op op = {.kind = STORE_SET,
                              .path = reporter->root,
                              .data = json,
                              .len = json ? strlen(json) : 0,
                              .version = event->stat.version};
        if (json) {
            /* lost to another probe: as good */
            store_write(reporter->store, store_tag(NULL, TAG_REPORTER), &op, 1);
        }
        free(json);
    } else if (event->rc == STORE_OK &&
               !registry_id_decode(event->data, event->len, &registry_id, &error)) {
        reporter->trouble = "the root znode holds something that is not ours to overwrite; routers "
                            "cannot tell this registry's identity";
    }
    reporter->stage = STAGE_READY;
}

static void folder_answered(struct reporter *reporter, const struct store_event *event,
                            int64_t now_ms)
{
    reporter->busy = false;
    if (event->rc == STORE_UNKNOWN) {
        begin_folders(reporter);
    } else if (reporter->stage == STAGE_REGISTRY_ID) {
        check_registry_id(reporter, event);
    } else if (event->rc == STORE_DENIED) {
        reporter->trouble =
            "the registry's access list forbids creating the root: check [registry] auth";
        reporter->not_before_ms = now_ms + RETRY_MS;
    } else if (event->rc == STORE_NO_NODE) {
        reporter->trouble = "the parent of the registry's root or chroot does not exist";
        reporter->not_before_ms = now_ms + RETRY_MS;
        begin_folders(reporter);
    }
}

static void step_folders(struct reporter *reporter, int64_t now_ms)
{
    if (reporter->busy || now_ms < reporter->not_before_ms) {
        return;
    }
    if (reporter->stage == STAGE_FOLDERS && !make_root(reporter) && !make_standing(reporter)) {
        reporter->stage = STAGE_REGISTRY_ID;
        reporter->busy = true;
        store_get(reporter->store, store_tag(reporter, TAG_REPORTER), reporter->root, false);
    } else if (reporter->stage == STAGE_READY) {
        make_cluster(reporter); /* one at a time, while we beat */
    }
}

/* ---- our name ---------------------------------------------------------------------------------- */

/* Our presence is in another session's hand: whose? */
static int64_t settle_name(struct reporter *reporter, int64_t now_ms)
{
    struct presence rival;
    struct codec_error error;
    struct ephemeral *own = &reporter->own;
    if (!own->found || !presence_decode(own->found, own->found_len, &rival, &error)) {
        ephemeral_replace(own); /* nobody's */
        return INT64_MAX;
    }
    if (rival.nonce == reporter->presence.nonce || reporter->is_gone(&rival)) {
        ephemeral_replace(own); /* our own former session, or a dead process's */
        return INT64_MAX;
    }
    bool known = reporter->rival_since_ms && rival.nonce == reporter->rival_nonce;
    bool moved = known && rival.beat != reporter->rival_beat;
    reporter->rival_moves = known ? reporter->rival_moves + moved : 0;
    if (reporter->rival_moves > 1) {
        snprintf(reporter->taken, sizeof reporter->taken,
                 "another live probe has the name %s (host %.64s, pid %lld): give each probe its "
                 "own [probe] name",
                 reporter->presence.probe, rival.host, (long long)rival.pid);
        return INT64_MAX;
    }
    if (!known || moved) {
        reporter->rival_since_ms = now_ms;
        reporter->rival_nonce = rival.nonce;
        reporter->rival_beat = rival.beat;
    } else if (now_ms - reporter->rival_since_ms >= STILL_MS) {
        ephemeral_replace(own);
        return INT64_MAX;
    }
    own->not_before_ms = now_ms + BEAT_MS / 4;
    own->state = EPHEMERAL_EXAMINING; /* its beat moves, or it does not */
    return own->not_before_ms;
}

static void beat(struct reporter *reporter, int64_t now_ms)
{
    struct ephemeral *own = &reporter->own;
    if (own->acked) {
        own->acked = false;
        reporter->beats += reporter->beating;
        reporter->beating = false;
    }
    if (own->state == EPHEMERAL_HELD && !own->busy &&
        (now_ms - reporter->beat_ms >= BEAT_MS || reporter->beat_ms == 0)) {
        reporter->beat_ms = now_ms;
        reporter->beating = true;
        reporter->presence.beat++;
        ephemeral_want(own, presence_encode(&reporter->presence));
    }
}

/* ---- events ------------------------------------------------------------------------------------ */

static void session_began(struct reporter *reporter, int64_t session)
{
    reporter->session = session;
    reporter->rival_since_ms = 0;
    reporter->beat_ms = 0;
    reporter->beating = false;
    ephemeral_session(&reporter->own, session);
    for (struct published *published = reporter->all_published; published;
         published = published->after) {
        ephemeral_session(&published->ephemeral, session);
    }
    begin_folders(reporter);
}

bool reporter_event(struct reporter *reporter, const struct store_event *event, int64_t now_ms)
{
    if (event->kind == STORE_UP && (event->renewed || event->session != reporter->session)) {
        session_began(reporter, event->session);
    }
    if (event->kind == STORE_GONE) {
        reporter->stage = STAGE_DOWN;
        reporter->session = 0;
        ephemeral_session(&reporter->own, 0);
        for (struct published *published = reporter->all_published; published;
             published = published->after) {
            ephemeral_session(&published->ephemeral, 0);
        }
    }
    if (event->kind != STORE_ANSWER || (event->tag & TAG_MASK) != TAG_REPORTER) {
        return false;
    }
    void *whose = store_tag_pointer(event->tag);
    if (whose == reporter) {
        folder_answered(reporter, event, now_ms);
    } else if (whose == &reporter->own) {
        ephemeral_answer(&reporter->own, event, now_ms);
    }
    for (struct published *published = reporter->all_published; published;
         published = published->after) {
        if (whose == &published->ephemeral) {
            ephemeral_answer(&published->ephemeral, event, now_ms);
        }
    }
    for (struct withdrawal *withdrawal = reporter->withdrawals; withdrawal;
         withdrawal = withdrawal->after) {
        if (whose == withdrawal) {
            withdrawal_answered(withdrawal, event->rc, now_ms);
        }
    }
    return true; /* an answer to what was withdrawn has no taker */
}

void reporter_read(struct reporter *reporter, const struct mirror_node *node)
{
    (void)reporter;
    ephemeral_read(node->owner);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t step_published(struct reporter *reporter, struct published *published,
                              int64_t now_ms)
{
    struct ephemeral *ephemeral = &published->ephemeral;
    int64_t due_ms = INT64_MAX;
    if (published->later && now_ms >= published->said_ms + PACE_MS) {
        publish(published, &published->next, now_ms);
    } else if (published->later) {
        due_ms = published->said_ms + PACE_MS;
    }
    if (ephemeral->session != reporter->session) {
        ephemeral_session(ephemeral, reporter->session);
    }
    if (!published->ready || !is_standing(&reporter->own)) {
        return due_ms; /* reports follow the name */
    }
    if (ephemeral->state == EPHEMERAL_FOREIGN && !ephemeral->busy) {
        ephemeral_replace(ephemeral); /* the name is ours, so this is our ghost's */
    }
    if (ephemeral->trouble && ephemeral->state == EPHEMERAL_EXAMINING && !ephemeral->busy) {
        published->ready = false; /* the folder may be what is missing */
        ephemeral->trouble = NULL;
    }
    return sooner(due_ms, ephemeral_step(ephemeral, now_ms));
}

int64_t reporter_step(struct reporter *reporter, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;
    if (reporter->session == 0 || !mirror_is_up(reporter->mirror) || reporter->taken[0]) {
        return due_ms;
    }
    step_folders(reporter, now_ms);
    if (reporter->stage != STAGE_READY) {
        return reporter->busy ? INT64_MAX : reporter->not_before_ms;
    }
    if (reporter->own.trouble && reporter->own.state == EPHEMERAL_EXAMINING &&
        !reporter->own.busy) {
        reporter->trouble = reporter->own.trouble;
        reporter->own.trouble = NULL;
        begin_folders(reporter);
        return now_ms;
    }
    if (reporter->own.state == EPHEMERAL_FOREIGN && !reporter->own.busy) {
        due_ms = sooner(due_ms, settle_name(reporter, now_ms));
    }
    beat(reporter, now_ms);
    due_ms = sooner(due_ms, ephemeral_step(&reporter->own, now_ms));
    for (struct published *published = reporter->all_published; published;
         published = published->after) {
        due_ms = sooner(due_ms, step_published(reporter, published, now_ms));
    }
    if (is_standing(&reporter->own)) {
        due_ms = sooner(due_ms, step_withdrawals(reporter, now_ms));
        due_ms = sooner(due_ms, reporter->beat_ms + BEAT_MS > now_ms ? reporter->beat_ms + BEAT_MS
                                                                     : now_ms + RETRY_MS);
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
    return reporter->taken;
}

const char *reporter_trouble(struct reporter *reporter)
{
    const char *trouble = reporter->own.trouble ? reporter->own.trouble : reporter->trouble;
    if (trouble == reporter->told_trouble) {
        return NULL;
    }
    reporter->told_trouble = trouble;
    return trouble;
}
