#include "registry/store/ephemeral.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 250 /* after a refusal that reading alone will not cure */

static void on_read(void *owner, const struct mirror_node *node);

bool ephemeral_init(struct ephemeral *ephemeral, struct store *store, struct mirror *mirror,
                    const char *path, const char *first)
{
    *ephemeral = (struct ephemeral){.store = store, .mirror = mirror};
    assert(strlen(path) < sizeof ephemeral->path);
    assert(path[0] == '/' && strrchr(path, '/') != path); /* it has a folder */
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
    free(ephemeral->found);
    *ephemeral = (struct ephemeral){0};
}

/* ---- states ---------------------------------------------------------------------------------- */

static bool is_request(enum ephemeral_state state)
{
    return state >= EPHEMERAL_CREATING;
}

/* A request is sent by whoever enters its state. None begins while another is under way. */
static void enter(struct ephemeral *ephemeral, enum ephemeral_state state)
{
    assert(!is_request(state) || !is_request(ephemeral->state) || state == EPHEMERAL_ORPHANED);
    assert(ephemeral->session != 0 || state == EPHEMERAL_ABSENT || state == EPHEMERAL_ORPHANED ||
           state == EPHEMERAL_UNCERTAIN);
    ephemeral->state = state;
}

static void enter_uncertain(struct ephemeral *ephemeral, int64_t not_before_ms, const char *trouble)
{
    enter(ephemeral, EPHEMERAL_UNCERTAIN);
    ephemeral->not_before_ms = not_before_ms;
    ephemeral->trouble = trouble;
}

static void enter_ours(struct ephemeral *ephemeral, enum ephemeral_state state, int32_t version,
                       int64_t mzxid)
{
    enter(ephemeral, state);
    ephemeral->version = version;
    ephemeral->mzxid = mzxid;
    ephemeral->trouble = NULL;
}

void ephemeral_session(struct ephemeral *ephemeral, int64_t session)
{
    assert(session == 0 || session != ephemeral->session); /* in the same one it still exists */
    ephemeral->session = session;
    enter(ephemeral, is_request(ephemeral->state) ? EPHEMERAL_ORPHANED : EPHEMERAL_ABSENT);
}

bool ephemeral_is_busy(const struct ephemeral *ephemeral)
{
    return is_request(ephemeral->state);
}

bool ephemeral_is_writable(const struct ephemeral *ephemeral)
{
    return ephemeral->state == EPHEMERAL_HELD || ephemeral->state == EPHEMERAL_WRITTEN;
}

bool ephemeral_is_ours(const struct ephemeral *ephemeral)
{
    return ephemeral_is_writable(ephemeral) || ephemeral->state == EPHEMERAL_WRITING;
}

bool ephemeral_may_exist(const struct ephemeral *ephemeral)
{
    return ephemeral->session != 0 && ephemeral->state != EPHEMERAL_ABSENT &&
           ephemeral->state != EPHEMERAL_FOREIGN && ephemeral->state != EPHEMERAL_ORPHANED;
}

const char *ephemeral_take_trouble(struct ephemeral *ephemeral)
{
    const char *trouble = ephemeral->state == EPHEMERAL_UNCERTAIN ? ephemeral->trouble : NULL;
    ephemeral->trouble = NULL;
    return trouble;
}

/* ---- requests -------------------------------------------------------------------------------- */

static uint64_t tag_of(const struct ephemeral *ephemeral)
{
    return store_tag(ephemeral, TAG_EPHEMERAL);
}

enum { CREATION_OPS = 2 };

/* Created together with a write to the folder above, whose version thus counts lives: versions
 * alone do not distinguish a report from one created anew that has reached the same version, so
 * whoever relies on reports checks the folder's as well. */
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
    enter(ephemeral, EPHEMERAL_CREATING);
    store_write(ephemeral->store, tag_of(ephemeral), ops, CREATION_OPS);
}

static void read_it(struct ephemeral *ephemeral)
{
    enter(ephemeral, EPHEMERAL_READING);
    store_get(ephemeral->store, tag_of(ephemeral), ephemeral->path, false);
}

void ephemeral_replace(struct ephemeral *ephemeral)
{
    struct store_op ops[1 + CREATION_OPS] = {
        {.kind = STORE_DELETE, .path = ephemeral->path, .version = ephemeral->found_version}};
    char folder[PATH_SIZE];
    assert(ephemeral->state == EPHEMERAL_FOREIGN);
    plan_creation(ephemeral, folder, ops + 1);
    enter(ephemeral, EPHEMERAL_REPLACING);
    store_write(ephemeral->store, tag_of(ephemeral), ops, 1 + CREATION_OPS);
}

void ephemeral_read_again(struct ephemeral *ephemeral, int64_t at_ms)
{
    assert(ephemeral->state == EPHEMERAL_FOREIGN);
    enter_uncertain(ephemeral, at_ms, NULL);
}

void ephemeral_write(struct ephemeral *ephemeral, const char *data)
{
    struct store_op op = {.kind = STORE_SET,
                          .path = ephemeral->path,
                          .data = data,
                          .len = strlen(data),
                          .version = ephemeral->version};
    assert(ephemeral_is_writable(ephemeral));
    enter(ephemeral, EPHEMERAL_WRITING);
    store_write(ephemeral->store, tag_of(ephemeral), &op, 1);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void on_found(struct ephemeral *ephemeral, const struct store_event *event)
{
    if (event->stat.owner == ephemeral->session) {
        enter_ours(ephemeral, EPHEMERAL_HELD, event->stat.version, event->stat.mzxid);
        return;
    }
    free(ephemeral->found);
    ephemeral->found = event->data ? strndup(event->data, event->len) : NULL;
    ephemeral->found_version = event->stat.version;
    enter(ephemeral, EPHEMERAL_FOREIGN);
}

static void on_refusal(struct ephemeral *ephemeral, enum store_rc rc, int64_t now_ms)
{
    switch (rc) {
    case STORE_NO_NODE:
        enter_uncertain(ephemeral, now_ms + RETRY_MS, "it, or the znode above it, does not exist");
        break;
    case STORE_DENIED:
        enter_uncertain(ephemeral, now_ms + RETRY_MS,
                        "the registry's access list forbids it: check [registry] auth");
        break;
    case STORE_INVALID:
    case STORE_FAILED:
    case STORE_NOT_EMPTY:
        enter_uncertain(ephemeral, now_ms + RETRY_MS, "the registry refuses it");
        break;
    default: /* moved, exists, unknown: ordinary, read it at once */
        enter_uncertain(ephemeral, now_ms, NULL);
        break;
    }
}

bool ephemeral_answer(struct ephemeral *ephemeral, const struct store_event *event, int64_t now_ms)
{
    enum ephemeral_state state = ephemeral->state;
    assert(event->kind == STORE_ANSWER && is_request(state));
    if (state == EPHEMERAL_ORPHANED) {
        enter(ephemeral, EPHEMERAL_ABSENT); /* whatever it did ends with its session */
    } else if (state == EPHEMERAL_READING && event->rc == STORE_NO_NODE) {
        enter(ephemeral, EPHEMERAL_ABSENT);
    } else if (event->rc != STORE_OK) {
        on_refusal(ephemeral, event->rc, now_ms);
    } else if (state == EPHEMERAL_READING) {
        on_found(ephemeral, event);
    } else if (state == EPHEMERAL_WRITING) {
        enter_ours(ephemeral, EPHEMERAL_WRITTEN, event->stat.version, event->stat.mzxid);
        return true;
    } else {
        enter_ours(ephemeral, EPHEMERAL_HELD, 0, event->stat.mzxid);
    }
    return false;
}

static void on_read(void *owner, const struct mirror_node *node)
{
    struct ephemeral *ephemeral = owner;
    assert(node == ephemeral->node);
    if (!ephemeral_is_writable(ephemeral)) {
        return;
    }
    if (!node->exists) {
        enter(ephemeral, EPHEMERAL_ABSENT);
    } else if (node->stat.owner != ephemeral->session || node->stat.version > ephemeral->version) {
        read_it(ephemeral);
    }
}

int64_t ephemeral_step(struct ephemeral *ephemeral, int64_t now_ms)
{
    if (ephemeral->session == 0 || !mirror_is_up(ephemeral->mirror)) {
        return INT64_MAX;
    }
    if (ephemeral->state == EPHEMERAL_ABSENT) {
        create(ephemeral);
    } else if (ephemeral->state == EPHEMERAL_UNCERTAIN) {
        if (now_ms < ephemeral->not_before_ms) {
            return ephemeral->not_before_ms;
        }
        read_it(ephemeral);
    }
    return INT64_MAX;
}
