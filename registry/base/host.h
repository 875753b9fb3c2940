/* Hosts as configuration and servers write them: are two of them one host? Pure.
 *
 * Names are not resolved: a name and its address are two hosts here, and so are two names of one
 * address. Who has the address that a name resolved to compares that as well. */
#ifndef ROSTER_REGISTRY_BASE_HOST_H
#define ROSTER_REGISTRY_BASE_HOST_H

#include <stdbool.h>

/* Equal as text, equal as addresses (::ffff:10.0.0.1 is 10.0.0.1, 2001:DB8::0:1 is 2001:db8::1), or
 * both this machine's own loopback: localhost, 127.0.0.1, ::1. "" equals only "". The rest of
 * 127.0.0.0/8 is compared like any address: servers are bound there side by side. */
bool host_equal(const char *a, const char *b);

/* One of localhost, 127.0.0.1 and ::1, in any notation. */
bool host_is_local(const char *host);

#endif
