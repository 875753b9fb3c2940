#include "registry/store/ephemeral.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 250

bool post_init(struct post *post, struct store *store, struct mirror *mirror, const char *path, int kind, const char *first)
{
    *post = (struct post){.store = store, .mirror = mirror};
    assert(strlen(path) < sizeof post->path);
    strcpy(post->path, path);
    post->first = strdup(first);
    post->node = post->first ? mirror_add(mirror, path, false, kind, post) : NULL;
    if (!post->node) {
        free(post->first);
        return false;
    }
    return true;
}

void post_release(struct post *post)
{
    mirror_remove(post->mirror, post->node);
    free(post->first);
    free(post->wanted);
    free(post->sent);
    free(post->found);
    *post = (struct post){0};
}

void post_session(struct post *post, int64_t session)
{
    post->session = session;
    post->state = POST_ABSENT;
    post->dirty = true;
    post->not_before_ms = 0;
}

void post_want(struct post *post, char *data)
{
    if (data) {
        free(post->wanted);
        post->wanted = data;
        post->dirty = true;
    }
}

static void ask(struct post *post, enum post_state state)
{
    post->busy = true;
    post->state = state;
}

static uint64_t tag_of(const struct post *post)
{
    return store_tag(post, TAG_REPORTER);
}

enum { CREATION_OPS = 2 };

/* Made together with a write to the folder above, whose version thus counts lives: versions alone do not tell a report from
 * one made anew that has come to the same version, so whoever rests on reports checks the folder's as well. */
static void plan_creation(const struct post *post, char folder[PATH_SIZE], struct store_op ops[CREATION_OPS])
{
    strcpy(folder, post->path);
    *strrchr(folder, '/') = '\0';
    ops[0] = (struct store_op){.kind = STORE_CREATE_EPHEMERAL, .path = post->path, .data = post->first, .len = strlen(post->first)};
    ops[1] = (struct store_op){.kind = STORE_SET, .path = folder, .data = "", .version = -1};
}

static void create(struct post *post)
{
    struct store_op ops[CREATION_OPS];
    char folder[PATH_SIZE];
    plan_creation(post, folder, ops);
    ask(post, POST_CREATING);
    store_write(post->store, tag_of(post), ops, CREATION_OPS);
}

void post_examine(struct post *post)
{
    if (!post->busy) {
        ask(post, POST_EXAMINING);
        store_get(post->store, tag_of(post), post->path, false);
    }
}

void post_replace(struct post *post)
{
    struct store_op ops[1 + CREATION_OPS] = {{.kind = STORE_DELETE, .path = post->path, .version = post->found_version}};
    char folder[PATH_SIZE];
    plan_creation(post, folder, ops + 1);
    assert(post->state == POST_FOREIGN && !post->busy);
    ask(post, POST_REPLACING);
    store_write(post->store, tag_of(post), ops, 1 + CREATION_OPS);
}

static void write_wanted(struct post *post)
{
    free(post->sent);
    post->sent = strdup(post->wanted);
    if (!post->sent) {
        return;
    }
    struct store_op op = {
        .kind = STORE_SET, .path = post->path, .data = post->sent, .len = strlen(post->sent), .version = post->version};
    ask(post, POST_WRITING);
    post->dirty = false;
    store_write(post->store, tag_of(post), &op, 1);
}

static void hold(struct post *post, int32_t version, int64_t mzxid)
{
    post->state = POST_HELD;
    post->version = version;
    post->mzxid = mzxid;
    post->trouble = NULL;
}

static void examined(struct post *post, const struct store_event *event)
{
    if (event->rc == STORE_NO_NODE) {
        post->state = POST_ABSENT;
    } else if (event->rc == STORE_OK && event->stat.owner == post->session) {
        hold(post, event->stat.version, event->stat.mzxid);
        post->dirty = true; /* what stands there may be older than what we want */
    } else if (event->rc == STORE_OK) {
        free(post->found);
        post->found = event->data ? strndup(event->data, event->len) : NULL;
        post->found_len = post->found ? strlen(post->found) : 0;
        post->found_version = event->stat.version;
        post->state = POST_FOREIGN;
    }
}

static void refused(struct post *post, const struct store_event *event, int64_t now_ms)
{
    post->dirty = true;
    post->state = POST_EXAMINING; /* the next step asks */
    if (event->rc == STORE_NO_NODE) {
        post->trouble = "it, or the znode above it, is not there";
    } else if (event->rc == STORE_DENIED) {
        post->trouble = "the registry's access list forbids it: check [registry] auth";
    } else if (event->rc == STORE_INVALID || event->rc == STORE_FAILED || event->rc == STORE_NOT_EMPTY) {
        post->trouble = "the registry refuses it";
    } else {
        return; /* moved, exists, unknown: ordinary, look at once */
    }
    post->not_before_ms = now_ms + RETRY_MS;
}

void post_answer(struct post *post, const struct store_event *event, int64_t now_ms)
{
    enum post_state was = post->state;
    post->busy = false;
    if (was == POST_EXAMINING) {
        if (event->rc == STORE_OK || event->rc == STORE_NO_NODE) {
            examined(post, event);
        } else {
            refused(post, event, now_ms);
        }
    } else if (event->rc != STORE_OK) {
        refused(post, event, now_ms);
    } else if (was == POST_CREATING || was == POST_REPLACING) {
        hold(post, 0, event->stat.mzxid);
        post->dirty = true;
    } else if (was == POST_WRITING) {
        hold(post, event->stat.version, event->stat.mzxid);
        post->acked = true;
    } /* else the session ended meanwhile: the answer is of a former life */
}

void post_read(struct post *post)
{
    const struct mirror_node *node = post->node;
    if (post->busy || post->state != POST_HELD) {
        return;
    }
    if (!node->exists) {
        post->state = POST_ABSENT;
        post->dirty = true;
    } else if (node->stat.owner != post->session || node->stat.version > post->version) {
        post_examine(post);
    }
}

int64_t post_step(struct post *post, int64_t now_ms)
{
    if (post->busy || post->session == 0 || !mirror_is_up(post->mirror)) {
        return INT64_MAX;
    }
    if (now_ms < post->not_before_ms) {
        return post->not_before_ms;
    }
    switch (post->state) {
    case POST_ABSENT:
        create(post);
        break;
    case POST_EXAMINING:
        post_examine(post);
        break;
    case POST_HELD:
        if (post->dirty && post->wanted) {
            write_wanted(post);
        }
        break;
    case POST_FOREIGN: /* the owner decides */
    case POST_CREATING:
    case POST_REPLACING:
    case POST_WRITING:
        break;
    }
    return INT64_MAX;
}
