#include "registry/store/ephemeral.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 250

static void on_read(void *owner, const struct mirror_node *node)
{
    struct ephemeral *ephemeral = owner;
    if (ephemeral->busy || ephemeral->state != EPHEMERAL_HELD) {
        return;
    }
    if (!node->exists) {
        ephemeral->state = EPHEMERAL_ABSENT;
        ephemeral->dirty = true;
    } else if (node->stat.owner != ephemeral->session || node->stat.version > ephemeral->version) {
        ephemeral_examine(ephemeral);
    }
}

bool ephemeral_init(struct ephemeral *ephemeral, struct store *store, struct mirror *mirror,
                    const char *path, const char *first)
{
    *ephemeral = (struct ephemeral){.store = store, .mirror = mirror};
    assert(strlen(path) < sizeof ephemeral->path);
    strcpy(ephemeral->path, path);
    ephemeral->first = strdup(first);
    ephemeral->node = ephemeral->first ? mirror_add(mirror, path, false, on_read, ephemeral) : NULL;
    if (!ephemeral->node) {
        free(ephemeral->first);
        return false;
    }
    return true;
}

void ephemeral_release(struct ephemeral *ephemeral)
{
    mirror_remove(ephemeral->mirror, ephemeral->node);
    free(ephemeral->first);
    free(ephemeral->wanted);
    free(ephemeral->found);
    *ephemeral = (struct ephemeral){0};
}

void ephemeral_session(struct ephemeral *ephemeral, int64_t session)
{
    ephemeral->session = session;
    ephemeral->state = EPHEMERAL_ABSENT;
    ephemeral->dirty = true;
    ephemeral->not_before_ms = 0;
}

void ephemeral_want(struct ephemeral *ephemeral, char *data)
{
    if (data) {
        free(ephemeral->wanted);
        ephemeral->wanted = data;
        ephemeral->dirty = true;
    }
}

static void ask(struct ephemeral *ephemeral, enum ephemeral_state state)
{
    ephemeral->busy = true;
    ephemeral->state = state;
}

static uint64_t tag_of(const struct ephemeral *ephemeral)
{
    return store_tag(ephemeral, TAG_EPHEMERAL);
}

enum { CREATION_OPS = 2 };

/* Made together with a write to the folder above, whose version thus counts lives: versions alone
 * do not tell a report from one made anew that has come to the same version, so whoever rests on
 * reports checks the folder's as well. */
static void plan_creation(const struct ephemeral *ephemeral, char folder[PATH_SIZE],
                          struct store_op ops[CREATION_OPS])
{
    strcpy(folder, ephemeral->path);
    *strrchr(folder, '/') = '\0';
    ops[0] = (struct store_op){.kind = STORE_CREATE_EPHEMERAL,
                               .path = ephemeral->path,
                               .data = ephemeral->first,
                               .len = strlen(ephemeral->first)};
    ops[1] = (struct store_op){.kind = STORE_SET, .path = folder, .data = "", .version = -1};
}

static void create(struct ephemeral *ephemeral)
{
    struct store_op ops[CREATION_OPS];
    char folder[PATH_SIZE];
    plan_creation(ephemeral, folder, ops);
    ask(ephemeral, EPHEMERAL_CREATING);
    store_write(ephemeral->store, tag_of(ephemeral), ops, CREATION_OPS);
}

void ephemeral_examine(struct ephemeral *ephemeral)
{
    if (!ephemeral->busy) {
        ask(ephemeral, EPHEMERAL_EXAMINING);
        store_get(ephemeral->store, tag_of(ephemeral), ephemeral->path, false);
    }
}

void ephemeral_replace(struct ephemeral *ephemeral)
{
    struct store_op ops[1 + CREATION_OPS] = {
        {.kind = STORE_DELETE, .path = ephemeral->path, .version = ephemeral->found_version}};
    char folder[PATH_SIZE];
    plan_creation(ephemeral, folder, ops + 1);
    assert(ephemeral->state == EPHEMERAL_FOREIGN && !ephemeral->busy);
    ask(ephemeral, EPHEMERAL_REPLACING);
    store_write(ephemeral->store, tag_of(ephemeral), ops, 1 + CREATION_OPS);
}

static void write_wanted(struct ephemeral *ephemeral)
{
    struct store_op op = {.kind = STORE_SET,
                          .path = ephemeral->path,
                          .data = ephemeral->wanted,
                          .len = strlen(ephemeral->wanted),
                          .version = ephemeral->version};
    ask(ephemeral, EPHEMERAL_WRITING);
    ephemeral->dirty = false;
    store_write(ephemeral->store, tag_of(ephemeral), &op, 1);
}

static void hold(struct ephemeral *ephemeral, int32_t version, int64_t mzxid)
{
    ephemeral->state = EPHEMERAL_HELD;
    ephemeral->version = version;
    ephemeral->mzxid = mzxid;
    ephemeral->trouble = NULL;
}

static void examined(struct ephemeral *ephemeral, const struct store_event *event)
{
    if (event->rc == STORE_NO_NODE) {
        ephemeral->state = EPHEMERAL_ABSENT;
    } else if (event->rc == STORE_OK && event->stat.owner == ephemeral->session) {
        hold(ephemeral, event->stat.version, event->stat.mzxid);
        ephemeral->dirty = true; /* what stands there may be older than what we want */
    } else if (event->rc == STORE_OK) {
        free(ephemeral->found);
        ephemeral->found = event->data ? strndup(event->data, event->len) : NULL;
        ephemeral->found_len = ephemeral->found ? strlen(ephemeral->found) : 0;
        ephemeral->found_version = event->stat.version;
        ephemeral->state = EPHEMERAL_FOREIGN;
    }
}

static void refused(struct ephemeral *ephemeral, const struct store_event *event, int64_t now_ms)
{
    ephemeral->dirty = true;
    ephemeral->state = EPHEMERAL_EXAMINING; /* the next step asks */
    if (event->rc == STORE_NO_NODE) {
        ephemeral->trouble = "it, or the znode above it, is not there";
    } else if (event->rc == STORE_DENIED) {
        ephemeral->trouble = "the registry's access list forbids it: check [registry] auth";
    } else if (event->rc == STORE_INVALID || event->rc == STORE_FAILED ||
               event->rc == STORE_NOT_EMPTY) {
        ephemeral->trouble = "the registry refuses it";
    } else {
        return; /* moved, exists, unknown: ordinary, look at once */
    }
    ephemeral->not_before_ms = now_ms + RETRY_MS;
}

void ephemeral_answer(struct ephemeral *ephemeral, const struct store_event *event, int64_t now_ms)
{
    enum ephemeral_state was = ephemeral->state;
    ephemeral->busy = false;
    if (was == EPHEMERAL_EXAMINING) {
        if (event->rc == STORE_OK || event->rc == STORE_NO_NODE) {
            examined(ephemeral, event);
        } else {
            refused(ephemeral, event, now_ms);
        }
    } else if (event->rc != STORE_OK) {
        refused(ephemeral, event, now_ms);
    } else if (was == EPHEMERAL_CREATING || was == EPHEMERAL_REPLACING) {
        hold(ephemeral, 0, event->stat.mzxid);
        ephemeral->dirty = true;
    } else if (was == EPHEMERAL_WRITING) {
        hold(ephemeral, event->stat.version, event->stat.mzxid);
        ephemeral->acked = true;
    } /* else the session ended meanwhile: the answer is of a former life */
}

int64_t ephemeral_step(struct ephemeral *ephemeral, int64_t now_ms)
{
    if (ephemeral->busy || ephemeral->session == 0 || !mirror_is_up(ephemeral->mirror)) {
        return INT64_MAX;
    }
    if (now_ms < ephemeral->not_before_ms) {
        return ephemeral->not_before_ms;
    }
    switch (ephemeral->state) {
    case EPHEMERAL_ABSENT:
        create(ephemeral);
        break;
    case EPHEMERAL_EXAMINING:
        ephemeral_examine(ephemeral);
        break;
    case EPHEMERAL_HELD:
        if (ephemeral->dirty && ephemeral->wanted) {
            write_wanted(ephemeral);
        }
        break;
    case EPHEMERAL_FOREIGN: /* the owner decides */
    case EPHEMERAL_CREATING:
    case EPHEMERAL_REPLACING:
    case EPHEMERAL_WRITING:
        break;
    }
    return INT64_MAX;
}
