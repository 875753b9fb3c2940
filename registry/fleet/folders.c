#include "registry/fleet/folders.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"

#define RETRY_MS 500 /* after a refusal */

const char folders_no_chroot[] =
    "the chroot of the registry's address does not exist, and is not created";

void folders_init(struct folders *folders, struct store *store, const char *root, bool has_chroot,
                  const char *uuid)
{
    assert(root[0] == '/' && strlen(root) < sizeof folders->root);
    assert(strlen(uuid) < sizeof folders->uuid);
    *folders = (struct folders){.store = store, .has_chroot = has_chroot};
    strcpy(folders->root, root);
    strcpy(folders->uuid, uuid);
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

static char *new_id(const struct folders *folders)
{
    struct registry_id id = {0};
    strcpy(id.registry, folders->uuid);
    return registry_id_encode(&id);
}

/* The next part of the root's path; the last one holds the id. Without memory for that, it is made
 * empty, and gets it when it is read. */
static void create_root(struct folders *folders)
{
    size_t len = strlen(folders->root);
    assert(folders->root_made < len);
    char path[PATH_SIZE];
    const char *slash = strchr(folders->root + folders->root_made + 1, '/');
    size_t end = slash ? (size_t)(slash - folders->root) : len;
    memcpy(path, folders->root, end);
    path[end] = '\0';
    folders->root_made = end;
    char *id = end == len ? new_id(folders) : NULL;
    create(folders, path, id ? id : "");
    free(id);
}

static void read(struct folders *folders, const char *path)
{
    folders->pending++;
    store_get(folders->store, store_tag(folders, TAG_FOLDERS), path, false);
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
    switch (folders->phase) {
    case FOLDERS_CHROOT:
        read(folders, "/");
        break;
    case FOLDERS_ROOT:
        create_root(folders);
        break;
    case FOLDERS_PROBES:
        create(folders, path_probes(path, sizeof path, folders->root), "");
        break;
    case FOLDERS_CLUSTERS:
        create(folders, path_clusters(path, sizeof path, folders->root), "");
        break;
    case FOLDERS_ID:
        read(folders, folders->root);
        break;
    case FOLDERS_COMPLETE:
        break;
    }
    return INT64_MAX;
}

void folders_make_cluster(struct folders *folders, const char *cluster)
{
    char path[PATH_SIZE];
    assert(folders_are_complete(folders) && folders->pending == 0);
    create(folders, path_cluster(path, sizeof path, folders->root, cluster), "");
    create(folders, path_reports(path, sizeof path, folders->root, cluster), "");
}

/* ---- answers --------------------------------------------------------------------------------- */

/* A root that was made by hand has no id: give it one. Anything else that it holds is left alone.
 */
static void check_id(struct folders *folders, const struct store_event *event)
{
    struct registry_id id;
    struct codec_error error;
    if (event->rc == STORE_OK && event->len == 0) {
        char *json = new_id(folders);
        struct store_op op = {.kind = STORE_SET,
                              .path = folders->root,
                              .data = json,
                              .len = json ? strlen(json) : 0,
                              .version = event->stat.version};
        if (json) {
            /* should another probe be first, its id is as good: nobody waits for the answer */
            store_write(folders->store, store_tag(NULL, TAG_FOLDERS), &op, 1);
        }
        free(json);
    } else if (event->rc == STORE_OK && !registry_id_decode(event->data, event->len, &id, &error)) {
        folders->trouble = "the root znode holds something that is not ours to overwrite; routers "
                           "cannot tell this registry's identity";
    }
}

static void advance(struct folders *folders)
{
    bool more = folders->phase == FOLDERS_ROOT && folders->root_made < strlen(folders->root);
    if (!more && folders->phase != FOLDERS_COMPLETE) {
        folders->phase++;
    }
}

void folders_answer(struct folders *folders, const struct store_event *event, int64_t now_ms)
{
    assert(event->kind == STORE_ANSWER && folders->pending > 0);
    folders->pending--;
    if (event->rc == STORE_UNKNOWN) {
        folders_begin(folders);
        return;
    }
    if (folders->phase == FOLDERS_ID) {
        check_id(folders, event);
    } else if (event->rc == STORE_DENIED && folders->phase != FOLDERS_CHROOT) {
        folders->trouble =
            "the registry's access list forbids creating the root: check [registry] auth";
        folders->not_before_ms = now_ms + RETRY_MS;
    } else if (event->rc == STORE_NO_NODE) {
        folders->trouble = folders->has_chroot ? folders_no_chroot
                                               : "the parent of the registry's root does not exist";
        folders->not_before_ms = now_ms + RETRY_MS;
        folders_begin(folders);
        return;
    }
    advance(folders); /* where creation is denied it may exist all the same */
}
