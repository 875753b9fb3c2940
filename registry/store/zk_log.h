/* The log of ZooKeeper's C client, separated by handle.
 *
 * Its log callback carries no context, so each handle that wants its lines
 * gets a function of its own out of a few; further handles are silent, for
 * without any callback the client writes to stderr. */
#ifndef ROSTER_REGISTRY_STORE_ZK_LOG_H
#define ROSTER_REGISTRY_STORE_ZK_LOG_H

#include <stdbool.h>

enum { ZK_LOGS_MAX = 64 };

struct zk_log {
    int slot;                           /* -1: none */
    void (*callback)(const char *line); /* for zookeeper_init2; never NULL */
};

/* Before the handle is made; any thread. `log` is called on the client's threads, with a
 * severity of 1 error, 2 warning, 3 info or 4 debug. Who is modest leaves half of them to those
 * who are not. */
struct zk_log zk_log_claim(void (*log)(void *ctx, int severity, const char *line), void *ctx,
                           bool modest);

/* After the handle is closed. */
void zk_log_release(struct zk_log *log);

#endif
