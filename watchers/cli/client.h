/* The registry, asked one question at a time: what one-shot verbs need.
 *
 * A wrapper of store.h that waits for each answer, up to one deadline for the
 * whole of a session. Every connect is followed by a sync, so that what another
 * client wrote before is seen. Reads are asked again after a broken link; a
 * write never is. One thread. */
#ifndef ROSTER_WATCHERS_CLI_CLIENT_H
#define ROSTER_WATCHERS_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/model/codec.h"
#include "registry/model/model.h"
#include "registry/store/store.h"
#include "watchers/cli/cli.h"

struct session;

/* Begins to connect; the deadline is asked->timeout_ms from now. On failure says why and returns
 * the exit code. */
int session_open(const struct asked *asked, struct session **ret_session);

/* A new deadline, from now: for a session that goes on. Once `cancel_fd` (-1: none) is readable
 * nothing is waited for. */
void session_grant(struct session *session, int64_t timeout_ms, int cancel_fd);

void session_close(struct session *session); /* NULL is fine */

/* Says that the registry cannot be reached, and what the store knows of it; returns
 * CLI_UNREACHABLE. */
int session_unreachable(const struct session *session);

/* A znode's value; owned by the caller once filled. */
struct session_value {
    char *data; /* terminated; NULL: it has none */
    size_t len;
    struct store_stat stat;
};
void session_value_release(struct session_value *value);

/* Read. STORE_OK (then, only then, *ret_value is filled), STORE_NO_NODE, STORE_DENIED, ...;
 * STORE_UNKNOWN: no answer before the deadline. */
enum store_rc session_get(struct session *session, const char *path,
                          struct session_value *ret_value);

/* Children, sorted. */
struct session_names {
    char **names;
    size_t count;
};
void session_names_release(struct session_names *names);
enum store_rc session_list(struct session *session, const char *path,
                           struct session_names *ret_names);

/* All steps or none. STORE_UNKNOWN: it may have happened; re-read. */
enum store_rc session_write(struct session *session, const struct store_op *ops, size_t n);

/* Says why a read or write of `what` failed and returns the exit code for it. */
int session_failed(const struct session *session, enum store_rc rc, const char *what);

/* ---- what several verbs read ------------------------------------------------------------------- */

/* Decode what stands at a cluster's topology. False, with the reason, also when it is another
 * cluster's. */
bool session_decode(const struct session_value *value, const char *cluster,
                    struct topology *ret_topology, struct codec_error *error);

/* Says that a cluster has no topology: it waits for one, or is none, and then which one may be
 * meant. Returns CLI_NO_CLUSTER. */
int session_no_cluster(struct session *session, const struct asked *asked, const char *cluster);

/* The topology of a cluster. On failure says why and returns the exit code. */
int session_topology(struct session *session, const struct asked *asked, const char *cluster,
                     struct topology *ret_topology);

/* Is there a presence of this probe? */
bool session_names_hold(const struct session_names *names, const char *name);

/* The probes whose presence is there; none when the path is missing. */
enum store_rc session_probes(struct session *session, const struct asked *asked,
                             struct session_names *ret_names);

/* How many probes report the cluster and are present: its witnesses now, those who stand by and
 * abstain included. A verdict that nothing has changed since names those who reached it, and not
 * who watches today; so it is not asked. STORE_OK: *ret_count is filled. */
enum store_rc session_witnesses(struct session *session, const struct asked *asked,
                                const char *cluster, const struct session_names *probes,
                                int *ret_count);

#endif
