/* The servers that a server advertises: as a member of its group, or as its replica.
 *
 * Invariants: hosts are visible ASCII, each pair of host and port is in the list once. Nothing here
 * is believed: discovery verifies each (discovery.h).
 * Limits: ADVERTISED_MAX servers, names shorter than ADVERTISED_SIZE; others are left out. Pure. */
#ifndef ROSTER_PROBES_DRIVERS_ADVERTISED_H
#define ROSTER_PROBES_DRIVERS_ADVERTISED_H

#include <stddef.h>
#include <stdint.h>

enum { ADVERTISED_MAX = 32, ADVERTISED_SIZE = 64 };

struct advertised {
    size_t count;
    struct {
        char host[ADVERTISED_SIZE];
        uint16_t port; /* 0: not given */
    } server[ADVERTISED_MAX];
};

/* Add one, unless it is empty, in the list, too long or one too many. */
void advertised_add(struct advertised *to, const char *host, uint16_t port);

/* Add HOST,HOST: all without a port. NULL is none. */
void advertised_add_hosts(struct advertised *to, const char *list);

/* Add HOST:PORT,HOST:PORT as Galera has it: entries may be empty, AUTO, or without a port. NULL is
 * none. */
void advertised_add_addresses(struct advertised *to, const char *list);

#endif
