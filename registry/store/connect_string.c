#include "registry/store/connect_string.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/paths.h"

/* [start, end) without the blanks round it, as a string; false when it does not fit. */
static bool take(const char *start, const char *end, char *to, size_t size)
{
    while (start < end && (*start == ' ' || *start == '\t')) {
        start++;
    }
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    size_t length = (size_t)(end - start);
    if (length >= size) {
        return false;
    }
    memcpy(to, start, length);
    to[length] = '\0';
    return true;
}

static bool add_server(struct connect_string *servers, const char *entry, char *sentence,
                       size_t size)
{
    struct zk_server server = {0};
    if (entry[0] == '\0') {
        snprintf(sentence, size, "there is an empty entry in the list");
        return false;
    }
    if (strchr(entry, '/')) {
        snprintf(sentence, size,
                 "'%s' has a chroot in the middle of the list: only the last server may have one",
                 entry);
        return false;
    }
    if (!text_parse_address(entry, server.host, sizeof server.host, &server.port)) {
        snprintf(sentence, size,
                 strchr(entry, ':') ? "'%s' is not host:port or [v6]:port"
                                    : "'%s' has no port: ZooKeeper's is 2181, most often",
                 entry);
        return false;
    }
    for (size_t i = 0; i < servers->count; i++) {
        if (text_equal(servers->entries[i].host, server.host) &&
            servers->entries[i].port == server.port) {
            snprintf(sentence, size, "'%s' is listed twice", entry);
            return false;
        }
    }
    if (servers->count == SERVERS_MAX) {
        snprintf(sentence, size, "there are more than %d servers", SERVERS_MAX);
        return false;
    }
    servers->entries[servers->count++] = server;
    return true;
}

bool connect_string_parse(const char *from, struct connect_string *ret_servers, char *sentence,
                          size_t size)
{
    struct connect_string servers = {0};
    char entry[SERVERS_SIZE];
    const char *last = strrchr(from, ',');
    const char *slash = strchr(last ? last : from, '/');
    const char *end = slash ? slash : from + strlen(from);

    if (strlen(from) >= SERVERS_SIZE) {
        snprintf(sentence, size, "the list is longer than %d bytes", SERVERS_SIZE - 1);
        return false;
    }
    if (slash && (!take(slash, slash + strlen(slash), servers.chroot, sizeof servers.chroot) ||
                  !path_is_root(servers.chroot))) {
        snprintf(sentence, size,
                 "'%.128s' is no chroot: a path of at most 120 bytes without a slash at its end",
                 slash);
        return false;
    }
    for (const char *start = from, *stop; start <= end; start = stop + 1) {
        stop = memchr(start, ',', (size_t)(end - start));
        stop = stop ? stop : end;
        bool fits = take(start, stop, entry, sizeof entry);
        assert(fits); /* the whole list does */
        if (!add_server(&servers, entry, sentence, size)) {
            return false;
        }
    }
    assert(servers.count > 0); /* an empty list has an empty entry */
    *ret_servers = servers;
    return true;
}
