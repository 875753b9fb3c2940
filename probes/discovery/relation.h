/* What shows that two servers belong together, or are one: by what each says of itself. Pure. */
#ifndef ROSTER_PROBES_DISCOVERY_RELATION_H
#define ROSTER_PROBES_DISCOVERY_RELATION_H

#include "probes/assess/assess.h"

/* One address in two spellings; the names of loopback are one. */
bool relation_same_host(const char *a, const char *b);

/* Is that where the member is, as configuration has it or as it was last reached? */
bool relation_is_at(const struct assessed *member, const char *host, uint16_t port);

/* One server, reached at two addresses. False where its own words do not tell it from others. */
bool relation_same_server(const struct observation *a, const struct observation *b);

/* Has a listed member a live stream from the server at this address, which says `facts` of itself?
 */
bool relation_is_followed(const struct assessment *assessment, const char *host, uint16_t port,
                          const struct observation *facts);

/* Has the server that says `facts` of itself a live stream from a listed member? */
bool relation_is_follower(const struct assessment *assessment, const struct observation *facts);

#endif
