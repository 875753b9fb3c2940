/* The registry's servers as literal addresses, in the form that ZooKeeper's C client takes:
 * "10.0.0.1:2181,::1:2181/chroot" (no brackets). It must not see names: it would look them up on
 * every packet, on the thread that keeps the session alive.
 *
 *   zk_names_look_up --> spawner --> a thread for each name: getaddrinfo --> its addresses
 *                                                              \--> queue_ring: look again
 *
 * Nobody waits for a lookup, and a name that hangs holds up no other. A name keeps its last good
 * addresses: a resolver that is away for a while takes no server from the list. The threads are
 * made by one that was made by whoever made the store, so that they have that one's
 * descriptors: what a resolver keeps open between two lookups is the process's. A list without
 * names needs none. */
#ifndef ROSTER_REGISTRY_STORE_ZK_NAMES_H
#define ROSTER_REGISTRY_STORE_ZK_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/base/limits.h"
#include "registry/store/connect_string.h"
#include "registry/store/queue.h"

enum { ZK_NAMES_SIZE = 8192 };

struct zk_names;

/* NULL: no memory, or no thread. */
struct zk_names *zk_names_new(const struct connect_string *servers, struct queue *queue);

/* What is under way ends by itself. NULL is fine. */
void zk_names_free(struct zk_names *names);

/* Looks up again what is missing, at growing intervals, however well the link is. Returns when
 * it is to be called again at the latest; 0: not for that. *ret_state is as by zk_names_look. */
struct zk_names_state;
int64_t zk_names_step(struct zk_names *names, int64_t now_ms, struct zk_names_state *ret_state);

/* Look up every name that is not being looked up. Never waits. */
void zk_names_look_up(struct zk_names *names);

/* What is known. */
struct zk_names_state {
    unsigned edition;        /* grows with every change of an address */
    size_t addresses;        /* how many are known */
    size_t pending;          /* names that are being looked up */
    size_t missing;          /* names that have no address, or whose last lookup failed */
    char why[SENTENCE_SIZE]; /* of the first that is missing: "zk2 does not resolve (...)"; "" */
};
void zk_names_look(struct zk_names *names, struct zk_names_state *ret_state);

/* The list for the client, with the chroot. What goes past `size` is left out. */
void zk_names_list(struct zk_names *names, char *to, size_t size);

#endif
