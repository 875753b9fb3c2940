#include "registry/store/zk_hosts.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "registry/base/limits.h"
#include "registry/base/text.h"

static bool is_listed(const char *list, const char *entry)
{
    size_t len = strlen(entry);
    for (const char *at = list; *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        if (part == len && memcmp(at, entry, len) == 0) {
            return true;
        }
        at += part;
    }
    return false;
}

static void add(struct text *to, size_t room, const struct addrinfo *address, uint16_t port)
{
    char host[LITERAL_SIZE];
    char entry[ADDRESS_SIZE];
    if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST) != 0) {
        return;
    }
    snprintf(entry, sizeof entry, "%s:%u", host, port);
    if (to->used + strlen(entry) + 2 <= room && !is_listed(to->at, entry)) {
        text_put(to, "%s%s", to->used ? "," : "", entry);
    }
}

bool zk_hosts_resolve(const struct connect_string *servers, char *ret_addresses, size_t size,
                      char *why, size_t why_size)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct text to;
    text_init(&to, ret_addresses, size);
    size_t room = size - strlen(servers->chroot);
    for (size_t i = 0; i < servers->count; i++) {
        struct addrinfo *found = NULL;
        int rc = getaddrinfo(servers->entries[i].host, NULL, &hints, &found);
        if (rc != 0) {
            snprintf(why, why_size, "no server of the registry has an address (%s: %s)",
                     servers->entries[i].host, gai_strerror(rc));
            continue;
        }
        for (const struct addrinfo *at = found; at; at = at->ai_next) {
            add(&to, room, at, servers->entries[i].port);
        }
        freeaddrinfo(found);
    }
    if (to.used == 0) {
        return false;
    }
    text_put(&to, "%s", servers->chroot);
    return true;
}
