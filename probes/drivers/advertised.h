/* The servers that a server names: bounded, tamed, and not believed (discovery.h). Pure. */
#ifndef ROSTER_PROBES_DRIVERS_ADVERTISED_H
#define ROSTER_PROBES_DRIVERS_ADVERTISED_H

#include <stddef.h>
#include <stdint.h>

enum { ADVERTISED_MAX = 32, ADVERTISED_SIZE = 64 /* longer names are left out */ };

struct advertised {
    size_t count;
    struct {
        char host[ADVERTISED_SIZE];
        uint16_t port; /* 0: it does not say */
    } server[ADVERTISED_MAX];
};

/* One more, unless it is empty, there already, too long or one too many. */
void advertised_add(struct advertised *named, const char *host, uint16_t port);

/* HOST,HOST: all without a port. NULL is none. */
void advertised_add_hosts(struct advertised *named, const char *list);

/* HOST:PORT,HOST:PORT as Galera has it: entries may be empty, AUTO, or without a port. NULL is
 * none. */
void advertised_add_addresses(struct advertised *named, const char *list);

#endif
