/* The registry's address as people write it, in the INI, in ROSTER_SERVERS and
 * in struct roster_options:
 *
 *     zk1:2181, zk2.example.org:2181, [2001:db8::3]:2181/chroot
 *
 * A comma list of host:port, blanks round the entries trimmed, and at the very
 * end, once, an optional chroot. The port is not optional: ZooKeeper's client
 * has no default either. Pure. */
#ifndef ROSTER_REGISTRY_STORE_CONNECT_STRING_H
#define ROSTER_REGISTRY_STORE_CONNECT_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/base/limits.h"

struct zk_server {
    char host[HOST_SIZE]; /* no brackets */
    uint16_t port;
};

struct connect_string {
    size_t count; /* at least 1 */
    struct zk_server entries[SERVERS_MAX];
    char chroot[128]; /* "/chroot"; "" none */
};

/* On failure `sentence` is what is wrong, to follow "servers" or nothing;
 * *ret_servers is unchanged then. */
bool connect_string_parse(const char *from, struct connect_string *ret_servers, char *sentence,
                          size_t size);

#endif
