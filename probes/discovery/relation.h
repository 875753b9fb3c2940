/* Whether two servers belong together, or are one, by what each reports of itself.
 *
 * Invariant: what cannot be proved is false; an identity that several servers may share (a
 * server_id) proves nothing alone. Pure. */
#ifndef ROSTER_PROBES_DISCOVERY_RELATION_H
#define ROSTER_PROBES_DISCOVERY_RELATION_H

#include "probes/assess/assess.h"

/* One server, reached at two addresses. False where nothing it reports is unique. */
bool relation_same_server(const struct observation *a, const struct observation *b);

/* Has a listed member a live stream from the server at this address, which reports `facts`? */
bool relation_is_followed(const struct assessment *assessment, const char *host, uint16_t port,
                          const struct observation *facts);

/* Has the server that reports `facts` a live stream from a listed member? */
bool relation_is_follower(const struct assessment *assessment, const struct observation *facts);

#endif
