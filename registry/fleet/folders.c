#include "registry/fleet/folders.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"

#define RETRY_MS 500 /* after a refusal */

const char folders_no_chroot[] =
    "the chroot of the registry's address does not exist, and is not created";

void folders_init(struct folders *folders, struct store *store, struct root *root, bool has_chroot)
{
    *folders = (struct folders){.store = store, .root = root, .has_chroot = has_chroot};
}

static const char *root_path(const struct folders *folders)
{
    return folders->root->node->path;
}

void folders_begin(struct folders *folders)
{
    folders->phase = folders->has_chroot ? FOLDERS_CHROOT : FOLDERS_ROOT;
    folders->root_made = 0;
}

bool folders_are_idle(const struct folders *folders, int64_t now_ms)
{
    return folders->pending == 0 && now_ms >= folders->not_before_ms;
}

const char *folders_take_trouble(struct folders *folders)
{
    const char *trouble = folders->trouble;
    folders->trouble = NULL;
    return trouble;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void create(struct folders *folders, const char *path, const char *data)
{
    struct store_op op = {.kind = STORE_CREATE, .path = path, .data = data, .len = strlen(data)};
    folders->pending++;
    store_write(folders->store, store_tag(folders, TAG_FOLDERS), &op, 1);
}

/* The next part of the root's path; the last one holds the id. Without memory for that, it is made
 * empty, and gets it when it is read. */
static void create_root(struct folders *folders)
{
    const char *root = root_path(folders);
    size_t len = strlen(root);
    assert(folders->root_made < len);
    char path[PATH_SIZE];
    const char *slash = strchr(root + folders->root_made + 1, '/');
    size_t end = slash ? (size_t)(slash - root) : len;
    memcpy(path, root, end);
    path[end] = '\0';
    folders->root_made = end;
    char *id = end == len ? root_contents(folders->root) : NULL;
    create(folders, path, id ? id : "");
    free(id);
}

static bool root_is_made(const struct folders *folders)
{
    return folders->root_made == strlen(root_path(folders));
}

/* Nothing is written before it is known which registry this is. What is made is read again, by its
 * watch. */
static void step_root(struct folders *folders)
{
    const struct root *root = folders->root;
    bool gone_again = root_is_made(folders) && root->reads != folders->root_reads;
    if (root_is_used(root)) {
        folders->phase = FOLDERS_PROBES;
    } else if (root->state == ROOT_ABSENT && !root->node->exists) {
        folders->root_made = gone_again ? 0 : folders->root_made;
        if (!root_is_made(folders)) {
            create_root(folders);
        }
    }
}

static void read_chroot(struct folders *folders)
{
    folders->pending++;
    store_get(folders->store, store_tag(folders, TAG_FOLDERS), "/", false);
}

int64_t folders_step(struct folders *folders, int64_t now_ms)
{
    char path[PATH_SIZE];
    if (folders->pending > 0) {
        return INT64_MAX;
    }
    if (now_ms < folders->not_before_ms) {
        return folders->not_before_ms;
    }
    if (folders->phase == FOLDERS_ROOT) {
        step_root(folders);
    }
    if (folders->phase == FOLDERS_CHROOT) {
        read_chroot(folders);
    } else if (folders->phase == FOLDERS_PROBES) {
        create(folders, path_probes(path, sizeof path, root_path(folders)), "");
    } else if (folders->phase == FOLDERS_CLUSTERS) {
        create(folders, path_clusters(path, sizeof path, root_path(folders)), "");
    }
    return INT64_MAX;
}

void folders_make_cluster(struct folders *folders, const char *cluster)
{
    char path[PATH_SIZE];
    assert(folders_are_complete(folders) && folders->pending == 0);
    create(folders, path_cluster(path, sizeof path, root_path(folders), cluster), "");
    create(folders, path_reports(path, sizeof path, root_path(folders), cluster), "");
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Whose root stands there now, is read. */
static void advance(struct folders *folders)
{
    if (folders->phase == FOLDERS_ROOT && root_is_made(folders)) {
        folders->root_reads = folders->root->reads;
        mirror_refresh(folders->root->mirror, folders->root->node);
    } else if (folders->phase == FOLDERS_ROOT) {
        return;
    } else if (folders->phase != FOLDERS_COMPLETE) {
        folders->phase++;
    }
}

static void refuse(struct folders *folders, const char *trouble, int64_t now_ms)
{
    folders->trouble = trouble;
    folders->not_before_ms = now_ms + RETRY_MS;
}

void folders_answer(struct folders *folders, const struct store_event *event, int64_t now_ms)
{
    assert(event->kind == STORE_ANSWER && folders->pending > 0);
    folders->pending--;
    if (event->rc == STORE_UNKNOWN) {
        folders_begin(folders);
        return;
    }
    if (event->rc == STORE_DENIED && folders->phase != FOLDERS_CHROOT) {
        refuse(folders,
               "the registry's access list forbids creating the root: check [registry] auth",
               now_ms);
        if (folders->phase == FOLDERS_ROOT && root_is_made(folders)) {
            folders_begin(folders);
        }
    } else if (event->rc == STORE_NO_NODE) {
        refuse(folders,
               folders->has_chroot ? folders_no_chroot
                                   : "the parent of the registry's root does not exist",
               now_ms);
        folders_begin(folders);
        return;
    }
    advance(folders); /* where creation is denied it may exist all the same */
}
