/* A few znodes kept in step with the registry: what both the fleet and the
 * routers read goes through here.
 *
 *     add a node --> get with watch --> data --> (watch fires) --> get with watch --> ...
 *
 * One-shot watches lose nothing this way: each read arms the next watch. Every
 * connect re-reads everything behind one sync; a slow resync with jitter does so
 * without, for the watch that never fired. A read that failed keeps what was
 * known. Each node names who reads it: the reader is called once per answer.
 * A step: events in, requests out, no clock of its own.
 *
 * Limits: all nodes of a mirror live on one store; the names of all watched
 * paths of a session must stay under 900 kB (the C client sends them in one
 * packet on reconnect). */
#ifndef ROSTER_REGISTRY_STORE_MIRROR_H
#define ROSTER_REGISTRY_STORE_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/store/store.h"

struct mirror;

struct mirror_node {
    char path[PATH_SIZE];
    bool list;   /* its children's names rather than its data */
    bool known;  /* was read at least once in this process */
    bool exists; /* at the latest read */
    bool synced; /* the latest read came behind a sync of its own, or of the latest connect */
    /* the latest value, terminated; NULL: no data. Kept when the node goes. */
    char *data;
    size_t len;
    struct store_stat stat; /* of the latest value */
    char **names;           /* list: sorted */
    size_t name_count;
    enum store_rc rc; /* of the latest read that was answered with certainty */
    int64_t read_ms;  /* when it was answered */
    /* The latest read was answered with certainty. It may add and remove nodes, but not this one.
     * NULL: what the node holds is enough for its owner. */
    void (*read)(void *owner, const struct mirror_node *node);
    void *owner; /* the caller's */
    /* private */
    enum {
        MIRROR_IDLE,
        MIRROR_DUE,     /* to be read when the link is up */
        MIRROR_READING, /* a read is under way */
        MIRROR_STALE,   /* likewise, and another is due behind it */
        MIRROR_REMOVED  /* likewise, and its answer frees the node */
    } state;
    bool sync_next; /* the next read that is sent comes behind a sync */
    struct mirror_node *next, *chain;
};

struct mirror *mirror_new(struct store *store); /* NULL: no memory */
/* its nodes too; the store must not answer it afterwards */
void mirror_free(struct mirror *mirror);

/* Begin to follow a path. NULL: no memory. */
struct mirror_node *mirror_add(struct mirror *mirror, const char *path, bool list,
                               void (*read)(void *owner, const struct mirror_node *node),
                               void *owner);

/* Stop; the node is gone for the caller, and its reader is called no more. NULL is fine. */
void mirror_remove(struct mirror *mirror, struct mirror_node *node);

/* Read a node again now, without waiting for its watch. */
void mirror_refresh(struct mirror *mirror, struct mirror_node *node);
void mirror_refresh_all(struct mirror *mirror);

/* The same behind a sync: what it finds is no lagging server's. */
void mirror_refresh_synced(struct mirror *mirror, struct mirror_node *node);

/* Feed every store event. */
void mirror_event(struct mirror *mirror, const struct store_event *event, int64_t now_ms);

/* No read of this node is outstanding and none is due: what it holds is the latest we can know. */
static inline bool mirror_settled(const struct mirror_node *node)
{
    return node->known && node->state == MIRROR_IDLE;
}

/* Does this list, as read last, have that name? */
bool mirror_lists(const struct mirror_node *node, const char *name);

/* Is the session up? */
bool mirror_is_up(const struct mirror *mirror);

#endif
