#include "probes/drivers/advertised.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "registry/base/text.h"

/* Hosts and addresses consist of visible ASCII. */
static bool is_sound(const char *host)
{
    for (const char *at = host; *at; at++) {
        if (*at <= ' ' || *at > '~') {
            return false;
        }
    }
    return *host && strlen(host) < ADVERTISED_SIZE;
}

void advertised_add(struct advertised *to, const char *host, uint16_t port)
{
    assert(to->count <= ADVERTISED_MAX);
    if (!is_sound(host) || to->count == ADVERTISED_MAX) {
        return;
    }
    for (size_t i = 0; i < to->count; i++) {
        if (to->server[i].port == port && text_equal(to->server[i].host, host)) {
            return;
        }
    }
    strcpy(to->server[to->count].host, host);
    to->server[to->count].port = port;
    to->count++;
}

/* The next entry of a comma list; one that is too long comes as "". False: there is none. */
static bool take_entry(const char **list, char *to, size_t size)
{
    if (!*list || !**list) {
        return false;
    }
    size_t length = strcspn(*list, ",");
    snprintf(to, size, "%.*s", length < size ? (int)length : 0, *list);
    *list += length + ((*list)[length] == ',');
    return true;
}

void advertised_add_hosts(struct advertised *to, const char *list)
{
    char entry[ADVERTISED_SIZE];
    while (take_entry(&list, entry, sizeof entry)) {
        advertised_add(to, entry, 0);
    }
}

void advertised_add_addresses(struct advertised *to, const char *list)
{
    char entry[ADVERTISED_SIZE + 8], host[ADVERTISED_SIZE];
    uint16_t port;
    while (take_entry(&list, entry, sizeof entry)) {
        if (text_parse_address(entry, host, sizeof host, &port)) {
            advertised_add(to, host, port);
        } else if (!text_equal(entry, "AUTO") && !strchr(entry, ':')) {
            advertised_add(to, entry, 0);
        }
    }
}
