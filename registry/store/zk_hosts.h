/* The registry's servers as literal addresses, in the form that ZooKeeper's C
 * client takes: "10.0.0.1:2181,::1:2181/chroot" (no brackets). It must not see
 * names: it would look them up on every packet, on the thread that keeps the
 * session alive. */
#ifndef ROSTER_REGISTRY_STORE_ZK_HOSTS_H
#define ROSTER_REGISTRY_STORE_ZK_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/store/connect_string.h"

enum { ZK_HOSTS_SIZE = 8192 };

/* Blocks while names are looked up. Names without an address are left out as long as one has some;
 * else false, and `why` has a sentence. Every address of a name is taken, what goes past `size`
 * dropped. Any thread. */
bool zk_hosts_resolve(const struct connect_string *servers, char *ret_addresses, size_t size,
                      char *why, size_t why_size);

#endif
