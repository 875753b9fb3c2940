#include "registry/fleet/liveness.h"

#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"

struct peer {
    char name[NAME_SIZE];
    struct mirror_node *node;
    bool seen;  /* a beat was read */
    bool moved; /* and another one later, in the same life */
    uint64_t nonce;
    uint64_t beat;
    uint64_t moved_at; /* our own beat count then */
    bool listed;
};

struct fleet {
    struct mirror *mirror;
    char root[PATH_SIZE];
    char self[NAME_SIZE];
    int probe_kind;
    uint64_t own_beats; /* acknowledged in this session */
    uint64_t generation;
    size_t count;
    struct peer peers[PROBES_MAX];
};

struct fleet *fleet_new(struct mirror *mirror, const char *root, const char *self, int list_kind, int probe_kind)
{
    struct fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet) {
        return NULL;
    }
    fleet->mirror = mirror;
    fleet->probe_kind = probe_kind;
    strcpy(fleet->root, root);
    strcpy(fleet->self, self);
    char path[PATH_SIZE];
    if (!mirror_add(mirror, path_probes(path, sizeof path, root), true, list_kind, fleet)) {
        free(fleet);
        return NULL;
    }
    return fleet;
}

void fleet_free(struct fleet *fleet)
{
    free(fleet);
}

static struct peer *find(const struct fleet *fleet, const char *name)
{
    for (size_t i = 0; i < fleet->count; i++) {
        if (strcmp(fleet->peers[i].name, name) == 0) {
            return (struct peer *)&fleet->peers[i];
        }
    }
    return NULL;
}

static void add_peer(struct fleet *fleet, const char *name)
{
    char path[PATH_SIZE];
    if (fleet->count == PROBES_MAX || strlen(name) >= NAME_SIZE) {
        return;
    }
    struct mirror_node *node =
        mirror_add(fleet->mirror, path_probe(path, sizeof path, fleet->root, name), false, fleet->probe_kind, fleet);
    if (!node) {
        return; /* the next change of the list tries again */
    }
    struct peer *peer = &fleet->peers[fleet->count++];
    *peer = (struct peer){.node = node, .listed = true};
    strcpy(peer->name, name);
}

static void read_list(struct fleet *fleet, const struct mirror_node *node)
{
    for (size_t i = 0; i < fleet->count; i++) {
        fleet->peers[i].listed = false;
    }
    for (size_t i = 0; node->exists && i < node->name_count; i++) {
        struct peer *peer = find(fleet, node->names[i]);
        if (peer) {
            peer->listed = true;
        } else if (strcmp(node->names[i], fleet->self) != 0) {
            add_peer(fleet, node->names[i]);
        }
    }
    for (size_t i = fleet->count; i-- > 0;) {
        if (!fleet->peers[i].listed) {
            mirror_remove(fleet->mirror, fleet->peers[i].node);
            fleet->peers[i] = fleet->peers[--fleet->count];
        }
    }
    fleet->generation++;
}

static void read_presence(struct fleet *fleet, struct peer *peer, const struct mirror_node *node)
{
    struct presence presence;
    struct codec_error error;
    if (!node->exists || !node->data || !presence_decode(node->data, node->len, &presence, &error)) {
        return; /* says nothing: its beat stands still */
    }
    if (!peer->seen || peer->nonce != presence.nonce) {
        peer->seen = true;
        peer->moved = false;
        fleet->generation++;
    } else if (peer->beat != presence.beat) {
        bool was_fresh = fleet_is_fresh(fleet, peer->name);
        peer->moved = true;
        peer->moved_at = fleet->own_beats;
        fleet->generation += !was_fresh;
    }
    peer->nonce = presence.nonce;
    peer->beat = presence.beat;
}

void fleet_read(struct fleet *fleet, const struct mirror_node *node)
{
    if (node->list) {
        read_list(fleet, node);
        return;
    }
    for (size_t i = 0; i < fleet->count; i++) {
        if (fleet->peers[i].node == node) {
            read_presence(fleet, &fleet->peers[i], node);
        }
    }
}

static bool is_alive(const struct fleet *fleet, const struct peer *peer)
{
    return peer->moved && fleet->own_beats - peer->moved_at <= BEATS_FRESH;
}

bool fleet_beat(struct fleet *fleet)
{
    bool ended = false;
    for (size_t i = 0; i < fleet->count; i++) {
        const struct peer *peer = &fleet->peers[i];
        ended = ended || (peer->moved && fleet->own_beats - peer->moved_at == BEATS_FRESH);
    }
    fleet->own_beats++;
    fleet->generation += ended || fleet->own_beats == 1;
    return ended;
}

void fleet_forget(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        fleet->peers[i].seen = false;
        fleet->peers[i].moved = false;
    }
    fleet->generation++;
}

void fleet_session_began(struct fleet *fleet)
{
    fleet->own_beats = 0;
    fleet_forget(fleet);
}

bool fleet_is_fresh(const struct fleet *fleet, const char *probe)
{
    if (fleet->own_beats == 0) {
        return false;
    }
    if (strcmp(probe, fleet->self) == 0) {
        return true;
    }
    const struct peer *peer = find(fleet, probe);
    return peer && is_alive(fleet, peer);
}

uint64_t fleet_generation(const struct fleet *fleet)
{
    return fleet->generation;
}

size_t fleet_size(const struct fleet *fleet, size_t *ret_rank)
{
    size_t rank = 0;
    for (size_t i = 0; i < fleet->count; i++) {
        rank += strcmp(fleet->peers[i].name, fleet->self) < 0;
    }
    *ret_rank = rank;
    return fleet->count + 1;
}
