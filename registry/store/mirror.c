#include "registry/store/mirror.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024 };

struct mirror {
    struct store *store;
    struct mirror_node *nodes;           /* all, newest first */
    struct mirror_node *bucket[BUCKETS]; /* by path */
    bool up;
};

static size_t bucket_of(const char *path)
{
    uint32_t hash = 2166136261u;
    for (; *path; path++) {
        hash = (hash ^ (unsigned char)*path) * 16777619u;
    }
    return hash % BUCKETS;
}

struct mirror *mirror_new(struct store *store)
{
    struct mirror *mirror = calloc(1, sizeof *mirror);
    if (mirror) {
        mirror->store = store;
    }
    return mirror;
}

static void free_names(struct mirror_node *node)
{
    for (size_t i = 0; i < node->name_count; i++) {
        free(node->names[i]);
    }
    free(node->names);
    node->names = NULL;
    node->name_count = 0;
}

static void free_node(struct mirror_node *node)
{
    free_names(node);
    free(node->data);
    free(node);
}

void mirror_free(struct mirror *mirror)
{
    if (!mirror) {
        return;
    }
    while (mirror->nodes) {
        struct mirror_node *node = mirror->nodes;
        mirror->nodes = node->next;
        free_node(node);
    }
    free(mirror);
}

static void read_node(struct mirror *mirror, struct mirror_node *node)
{
    switch (node->state) {
    case MIRROR_READING:
        node->state = MIRROR_STALE;
        return;
    case MIRROR_STALE:
    case MIRROR_REMOVED:
        return;
    case MIRROR_IDLE:
    case MIRROR_DUE:
        break;
    }
    if (!mirror->up) {
        node->state = MIRROR_DUE; /* the next STORE_UP reads everything */
        return;
    }
    node->state = MIRROR_READING;
    if (node->list) {
        store_list(mirror->store, store_tag(node, TAG_MIRROR), node->path, true);
    } else {
        store_get(mirror->store, store_tag(node, TAG_MIRROR), node->path, true);
    }
}

struct mirror_node *mirror_add(struct mirror *mirror, const char *path, bool list,
                               void (*read)(void *owner, const struct mirror_node *node),
                               void *owner)
{
    struct mirror_node *node = calloc(1, sizeof *node);
    if (!node) {
        return NULL;
    }
    assert(path[0] == '/' && strlen(path) < sizeof node->path);
    strcpy(node->path, path);
    node->list = list;
    node->read = read;
    node->owner = owner;
    node->rc = STORE_UNKNOWN;
    node->next = mirror->nodes;
    mirror->nodes = node;
    struct mirror_node **bucket = &mirror->bucket[bucket_of(path)];
    node->chain = *bucket;
    *bucket = node;
    mirror_refresh_synced(mirror, node);
    return node;
}

static void unlink_node(struct mirror *mirror, struct mirror_node *node)
{
    struct mirror_node **at = &mirror->nodes;
    while (*at != node) {
        assert(*at); /* it is one of ours */
        at = &(*at)->next;
    }
    *at = node->next;
    at = &mirror->bucket[bucket_of(node->path)];
    while (*at != node) {
        at = &(*at)->chain;
    }
    *at = node->chain;
}

void mirror_remove(struct mirror *mirror, struct mirror_node *node)
{
    if (!node) {
        return;
    }
    assert(node->state != MIRROR_REMOVED);
    if (node->state == MIRROR_READING || node->state == MIRROR_STALE) {
        node->state = MIRROR_REMOVED;
    } else {
        unlink_node(mirror, node);
        free_node(node);
    }
}

void mirror_refresh(struct mirror *mirror, struct mirror_node *node)
{
    assert(node->state != MIRROR_REMOVED);
    read_node(mirror, node);
}

void mirror_refresh_all(struct mirror *mirror)
{
    for (struct mirror_node *node = mirror->nodes; node; node = node->next) {
        read_node(mirror, node);
    }
}

void mirror_refresh_synced(struct mirror *mirror, struct mirror_node *node)
{
    if (mirror->up) {
        store_sync(mirror->store, store_tag(mirror, TAG_MIRROR), "/");
        node->sync_next = true;
    }
    mirror_refresh(mirror, node);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Both takers leave the node as it was when memory runs out. */
static bool take_names(struct mirror_node *node, const struct store_event *event)
{
    char **names = calloc(event->name_count + 1, sizeof *names);
    if (!names) {
        return false;
    }
    for (size_t i = 0; i < event->name_count; i++) {
        names[i] = strdup(event->names[i]);
        if (!names[i]) {
            while (i-- > 0) {
                free(names[i]);
            }
            free(names);
            return false;
        }
    }
    qsort(names, event->name_count, sizeof *names, compare_names);
    free_names(node);
    node->names = names;
    node->name_count = event->name_count;
    return true;
}

static bool take_data(struct mirror_node *node, const struct store_event *event)
{
    char *data = NULL;
    if (event->data) {
        data = malloc(event->len + 1);
        if (!data) {
            return false;
        }
        memcpy(data, event->data, event->len);
        data[event->len] = '\0';
    }
    free(node->data);
    node->data = data;
    node->len = event->data ? event->len : 0;
    return true;
}

static bool take_answer(struct mirror_node *node, const struct store_event *event, bool again)
{
    if (event->rc == STORE_UNKNOWN) {
        return false;
    }
    if (event->rc == STORE_OK && !(node->list ? take_names(node, event) : take_data(node, event))) {
        return false;
    }
    node->rc = event->rc;
    if (event->rc == STORE_OK) {
        node->stat = event->stat;
        node->exists = true;
    } else if (event->rc == STORE_NO_NODE) {
        node->exists = false;
    } else {
        return true; /* denied or the like: what was known stays */
    }
    node->known = true;
    node->synced = node->sync_next && !again; /* one with another behind it may be older */
    node->sync_next = node->sync_next && again;
    return true;
}

/* In the same session too: its sync may have been lost with the link. */
static void connected(struct mirror *mirror)
{
    mirror->up = true;
    store_sync(mirror->store, store_tag(mirror, TAG_MIRROR), "/");
    for (struct mirror_node *node = mirror->nodes; node; node = node->next) {
        node->sync_next = true;
    }
    mirror_refresh_all(mirror);
}

static void changed(struct mirror *mirror, const char *path)
{
    for (struct mirror_node *node = mirror->bucket[bucket_of(path)]; node; node = node->chain) {
        if (strcmp(node->path, path) == 0) {
            read_node(mirror, node);
        }
    }
}

static void answered(struct mirror *mirror, const struct store_event *event, int64_t now_ms)
{
    if ((event->tag & TAG_MASK) != TAG_MIRROR) {
        return;
    }
    struct mirror_node *node = store_tag_pointer(event->tag);
    if ((void *)node == (void *)mirror) {
        return; /* the sync */
    }
    assert(node->state >= MIRROR_READING && strcmp(node->path, event->path) == 0);
    if (node->state == MIRROR_REMOVED) {
        unlink_node(mirror, node);
        free_node(node);
        return;
    }
    bool again = node->state == MIRROR_STALE || event->rc == STORE_UNKNOWN;
    bool taken =
        take_answer(node, event, again); /* false without memory: the next resync reads it */
    node->state = MIRROR_IDLE;
    if (again) {
        read_node(mirror, node); /* or, while the link is down, the next connect does */
    }
    if (taken) {
        node->read_ms = now_ms;
        if (node->read) {
            node->read(node->owner, node);
        }
    }
}

void mirror_event(struct mirror *mirror, const struct store_event *event, int64_t now_ms)
{
    switch (event->kind) {
    case STORE_UP:
        connected(mirror);
        break;
    case STORE_DOWN:
    case STORE_GONE:
        mirror->up = false;
        break;
    case STORE_CHANGED:
        changed(mirror, event->path);
        break;
    case STORE_ANSWER:
        answered(mirror, event, now_ms);
        break;
    }
}

bool mirror_lists(const struct mirror_node *node, const char *name)
{
    assert(node->list);
    return node->exists && node->name_count > 0 &&
           bsearch(&name, node->names, node->name_count, sizeof *node->names, compare_names);
}

bool mirror_is_up(const struct mirror *mirror)
{
    return mirror->up;
}
