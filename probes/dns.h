/* Host names to literal addresses, without ever waiting for a resolver.
 *
 * Client libraries resolve names inside calls that must not block; so they get
 * literal addresses, and names are turned into those here: on libuv's worker
 * threads, remembered, and refreshed behind the back of those who ask.
 *
 *      a literal          the answer comes before dns_lookup returns
 *      young in memory    likewise
 *      old in memory      likewise, and a refresh goes under way
 *      not in memory      the answer comes when the resolver has answered
 *
 * A failing resolver takes nothing away: the last good addresses stay, and the
 * answer shows that they are stale. One loop's thread uses one `dns`. */
#ifndef ROSTER_PROBES_DNS_H
#define ROSTER_PROBES_DNS_H

#include "registry/base/limits.h"

struct uv_loop_s;
struct dns;

enum {
    DNS_FRESH_MS = 30000,   /* an answer younger than this is not asked for again */
    DNS_RETRY_MS = 5000,    /* after a failure the resolver is left alone for so long */
    DNS_FORGET_MS = 600000, /* a name nobody asked for in this time is dropped */
    DNS_SLOW_MS = 1000,     /* who takes longer is slow */
    DNS_SLOW_MOST = 8,      /* names known to be slow that are asked for at a time */
    DNS_DOUBTFUL_MOST = 24, /* those, and names of which nothing is known yet */
    /* libuv's threads (UV_THREADPOOL_SIZE), half of which it gives to lookups: some are left for
     * names that are known to be quick */
    DNS_WORKERS = 64
};

/* What became of a lookup; borrowed for the callback only.
 *   address != "", problem == ""   good
 *   address != "", problem != ""   the resolver fails; this is the last good address
 *   address == "", problem != ""   not found, and never was */
struct resolution {
    const char *host;
    char address[LITERAL_SIZE];
    char problem[DETAIL_SIZE];
};

/* NULL when memory ran out. The loop must outlive it. */
struct dns *dns_new(struct uv_loop_s *loop);

/* Ask for `host`. `done` is called exactly once, perhaps before dns_lookup returns, unless
 * dns_cancel or dns_free comes first. `done` may call back into this module, dns_free
 * excepted. */
void dns_lookup(struct dns *dns, const char *host,
                void (*done)(void *context, const struct resolution *resolution), void *context);

/* Who waits with this context is called no more. */
void dns_cancel(struct dns *dns, const void *context);

/* `address` did not answer: when the name has several, later lookups give the one after it (of
 * either family, in the resolver's order, in a circle). Nothing happens when the name has moved on
 * already. */
void dns_next_address(struct dns *dns, const char *host, const char *address);

/* No waiter is called any more. Memory goes when the resolver has let go of it, which needs the
 * loop to run; then `done` (may be NULL) is called, at the earliest in the loop's next turn. NULL
 * is fine: `done` is then called at once. */
void dns_free(struct dns *dns, void (*done)(void *context), void *context);

#endif
