#include "registry/fleet/liveness.h"

#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"

struct peer {
    struct liveness *liveness;
    char name[NAME_SIZE];
    struct mirror_node *node;
    bool seen;  /* a beat was read */
    bool moved; /* and another one later, in the same life */
    uint64_t nonce;
    uint64_t beat;
    uint64_t moved_at; /* our own beat count then */
    bool listed;
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
    if (liveness->count == PROBES_MAX || strlen(name) >= NAME_SIZE) {
        return;
    }
    struct peer *peer = calloc(1, sizeof *peer);
    if (!peer) {
        return; /* the next change of the list tries again */
    }
    peer->liveness = liveness;
    peer->listed = true;
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
    mirror_remove(liveness->mirror, liveness->peers[i]->node);
    free(liveness->peers[i]);
    liveness->peers[i] = liveness->peers[--liveness->count];
}

static void read_list(void *owner, const struct mirror_node *node)
{
    struct liveness *liveness = owner;
    for (size_t i = 0; i < liveness->count; i++) {
        liveness->peers[i]->listed = false;
    }
    for (size_t i = 0; node->exists && i < node->name_count; i++) {
        struct peer *peer = find(liveness, node->names[i]);
        if (peer) {
            peer->listed = true;
        } else if (strcmp(node->names[i], liveness->self) != 0) {
            add_peer(liveness, node->names[i]);
        }
    }
    for (size_t i = liveness->count; i-- > 0;) {
        if (!liveness->peers[i]->listed) {
            remove_peer(liveness, i);
        }
    }
    liveness->generation++;
}

static void read_presence(void *owner, const struct mirror_node *node)
{
    struct peer *peer = owner;
    struct liveness *liveness = peer->liveness;
    struct presence presence;
    struct codec_error error;
    if (!node->exists || !node->data ||
        !presence_decode(node->data, node->len, &presence, &error)) {
        return; /* says nothing: its beat stands still */
    }
    if (!peer->seen || peer->nonce != presence.nonce) {
        peer->seen = true;
        peer->moved = false;
        liveness->generation++;
    } else if (peer->beat != presence.beat) {
        bool was_fresh = liveness_is_fresh(liveness, peer->name);
        peer->moved = true;
        peer->moved_at = liveness->own_beats;
        liveness->generation += !was_fresh;
    }
    peer->nonce = presence.nonce;
    peer->beat = presence.beat;
}

static bool is_alive(const struct liveness *liveness, const struct peer *peer)
{
    return peer->moved && liveness->own_beats - peer->moved_at <= BEATS_FRESH;
}

void liveness_beat(struct liveness *liveness)
{
    bool ended = false;
    for (size_t i = 0; i < liveness->count; i++) {
        const struct peer *peer = liveness->peers[i];
        ended = ended || (peer->moved && liveness->own_beats - peer->moved_at == BEATS_FRESH);
    }
    liveness->own_beats++;
    liveness->generation += ended || liveness->own_beats == 1;
}

void liveness_forget(struct liveness *liveness)
{
    for (size_t i = 0; i < liveness->count; i++) {
        liveness->peers[i]->seen = false;
        liveness->peers[i]->moved = false;
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
