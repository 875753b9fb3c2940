#include "registry/fleet/liveness.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"

/* What its beats have shown since we last had to begin anew. */
enum life {
    LIFE_UNKNOWN, /* none was read */
    LIFE_READ,    /* one was: it may be a dead one's last */
    LIFE_MOVED    /* and another one later, of the same process */
};

struct peer {
    struct liveness *liveness;
    char name[NAME_SIZE];
    struct mirror_node *node;
    enum life life;
    uint64_t nonce;
    uint64_t beat;
    uint64_t moved_at; /* LIFE_MOVED: our own beat count when it last moved */
};

struct liveness {
    struct mirror *mirror;
    char root[PATH_SIZE];
    char self[NAME_SIZE];
    uint64_t own_beats; /* acknowledged in this session */
    uint64_t generation;
    size_t count;
    struct peer *peers[PROBES_MAX];
};

static void read_list(void *owner, const struct mirror_node *node);
static void read_presence(void *owner, const struct mirror_node *node);

struct liveness *liveness_new(struct mirror *mirror, const char *root, const char *self)
{
    struct liveness *liveness = calloc(1, sizeof *liveness);
    if (!liveness) {
        return NULL;
    }
    assert(strlen(root) < PATH_SIZE && strlen(self) < NAME_SIZE);
    liveness->mirror = mirror;
    strcpy(liveness->root, root);
    strcpy(liveness->self, self);
    char path[PATH_SIZE];
    if (!mirror_add(mirror, path_probes(path, sizeof path, root), true, read_list, liveness)) {
        free(liveness);
        return NULL;
    }
    return liveness;
}

void liveness_free(struct liveness *liveness)
{
    for (size_t i = 0; liveness && i < liveness->count; i++) {
        free(liveness->peers[i]);
    }
    free(liveness);
}

static struct peer *find(const struct liveness *liveness, const char *name)
{
    for (size_t i = 0; i < liveness->count; i++) {
        if (strcmp(liveness->peers[i]->name, name) == 0) {
            return liveness->peers[i];
        }
    }
    return NULL;
}

static void add_peer(struct liveness *liveness, const char *name)
{
    char path[PATH_SIZE];
    assert(!find(liveness, name) && strcmp(name, liveness->self) != 0);
    if (liveness->count == PROBES_MAX || strlen(name) >= NAME_SIZE) {
        return;
    }
    struct peer *peer = calloc(1, sizeof *peer);
    if (!peer) {
        return; /* the next change of the list tries again */
    }
    peer->liveness = liveness;
    strcpy(peer->name, name);
    path_probe(path, sizeof path, liveness->root, name);
    peer->node = mirror_add(liveness->mirror, path, false, read_presence, peer);
    if (!peer->node) {
        free(peer); /* likewise */
        return;
    }
    liveness->peers[liveness->count++] = peer;
}

static void remove_peer(struct liveness *liveness, size_t i)
{
    assert(i < liveness->count);
    mirror_remove(liveness->mirror, liveness->peers[i]->node);
    free(liveness->peers[i]);
    liveness->peers[i] = liveness->peers[--liveness->count];
}

static void read_list(void *owner, const struct mirror_node *node)
{
    struct liveness *liveness = owner;
    for (size_t i = liveness->count; i-- > 0;) {
        if (!mirror_lists(node, liveness->peers[i]->name)) {
            remove_peer(liveness, i);
        }
    }
    for (size_t i = 0; node->exists && i < node->name_count; i++) {
        const char *name = node->names[i];
        if (strcmp(name, liveness->self) != 0 && !find(liveness, name)) {
            add_peer(liveness, name);
        }
    }
    liveness->generation++;
}

static void read_presence(void *owner, const struct mirror_node *node)
{
    struct peer *peer = owner;
    struct liveness *liveness = peer->liveness;
    assert(node == peer->node);
    struct presence presence;
    struct codec_error error;
    if (!node->exists || !node->data ||
        !presence_decode(node->data, node->len, &presence, &error)) {
        return; /* nothing to go by: its beat does not move */
    }
    if (peer->life == LIFE_UNKNOWN || peer->nonce != presence.nonce) {
        peer->life = LIFE_READ;
        liveness->generation++;
    } else if (peer->beat != presence.beat) {
        bool was_fresh = liveness_is_fresh(liveness, peer->name);
        peer->life = LIFE_MOVED;
        peer->moved_at = liveness->own_beats;
        liveness->generation += !was_fresh;
    }
    peer->nonce = presence.nonce;
    peer->beat = presence.beat;
}

static bool is_alive(const struct liveness *liveness, const struct peer *peer)
{
    assert(peer->life != LIFE_MOVED || peer->moved_at <= liveness->own_beats);
    return peer->life == LIFE_MOVED && liveness->own_beats - peer->moved_at <= BEATS_FRESH;
}

static size_t count_alive(const struct liveness *liveness)
{
    size_t count = 0;
    for (size_t i = 0; i < liveness->count; i++) {
        count += is_alive(liveness, liveness->peers[i]);
    }
    return count;
}

void liveness_beat(struct liveness *liveness)
{
    size_t before = count_alive(liveness);
    liveness->own_beats++;
    liveness->generation += count_alive(liveness) < before || liveness->own_beats == 1;
}

void liveness_forget(struct liveness *liveness)
{
    for (size_t i = 0; i < liveness->count; i++) {
        liveness->peers[i]->life = LIFE_UNKNOWN;
    }
    liveness->generation++;
}

void liveness_session_began(struct liveness *liveness)
{
    liveness->own_beats = 0;
    liveness_forget(liveness);
}

bool liveness_is_fresh(const struct liveness *liveness, const char *probe)
{
    if (liveness->own_beats == 0) {
        return false;
    }
    if (strcmp(probe, liveness->self) == 0) {
        return true;
    }
    const struct peer *peer = find(liveness, probe);
    return peer && is_alive(liveness, peer);
}

uint64_t liveness_generation(const struct liveness *liveness)
{
    return liveness->generation;
}

size_t liveness_size(const struct liveness *liveness, size_t *ret_rank)
{
    size_t rank = 0;
    for (size_t i = 0; i < liveness->count; i++) {
        rank += strcmp(liveness->peers[i]->name, liveness->self) < 0;
    }
    *ret_rank = rank;
    return liveness->count + 1;
}
