#include "probes/drivers/advertised.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "registry/base/text.h"

/* Visible ASCII is all that hosts and addresses are made of. */
static bool is_sound(const char *host)
{
    for (const char *at = host; *at; at++) {
        if (*at <= ' ' || *at > '~') {
            return false;
        }
    }
    return *host && strlen(host) < ADVERTISED_SIZE;
}

void advertised_add(struct advertised *named, const char *host, uint16_t port)
{
    if (!is_sound(host) || named->count == ADVERTISED_MAX) {
        return;
    }
    for (size_t i = 0; i < named->count; i++) {
        if (named->server[i].port == port && text_equal(named->server[i].host, host)) {
            return;
        }
    }
    strcpy(named->server[named->count].host, host);
    named->server[named->count].port = port;
    named->count++;
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

void advertised_add_hosts(struct advertised *named, const char *list)
{
    char entry[ADVERTISED_SIZE];
    while (take_entry(&list, entry, sizeof entry)) {
        advertised_add(named, entry, 0);
    }
}

void advertised_add_addresses(struct advertised *named, const char *list)
{
    char entry[ADVERTISED_SIZE + 8], host[ADVERTISED_SIZE];
    uint16_t port;
    while (take_entry(&list, entry, sizeof entry)) {
        if (text_parse_address(entry, host, sizeof host, &port)) {
            advertised_add(named, host, port);
        } else if (!text_equal(entry, "AUTO") && !strchr(entry, ':')) {
            advertised_add(named, entry, 0);
        }
    }
}
