/* The registry, args one question at a time: what one-shot verbs need.
 *
 * A wrapper of store.h that waits for each answer, up to one deadline for the
 * whole of a session. Every connect is followed by a sync, so that what another
 * client wrote before is seen. Reads are args again after a broken link; a
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

struct client;

/* Begins to connect; the deadline is args->timeout_ms from now. On failure says why and returns
 * the exit code. */
int client_open(const struct args *args, struct client **ret_client);

/* A new deadline, from now: for a session that goes on. Once `cancel_fd` (-1: none) is readable
 * nothing is waited for. */
void client_set_deadline(struct client *client, int64_t timeout_ms, int cancel_fd);

void client_close(struct client *client); /* NULL is fine */

/* Says that the registry cannot be reached, and what the store knows of it; returns
 * CLI_UNREACHABLE. */
int client_unreachable(const struct client *client);

/* A znode's value; owned by the caller once filled. */
struct client_value {
    char *data; /* terminated; NULL: it has none */
    size_t len;
    struct store_stat stat;
};
void client_value_release(struct client_value *value);

/* Read. STORE_OK (then, only then, *ret_value is filled), STORE_NO_NODE, STORE_DENIED, ...;
 * STORE_UNKNOWN: no answer before the deadline. */
enum store_rc client_get(struct client *client, const char *path, struct client_value *ret_value);

/* Children, sorted. */
struct client_names {
    char **names;
    size_t count;
};
void client_names_release(struct client_names *names);
enum store_rc client_list(struct client *client, const char *path, struct client_names *ret_names);

/* All steps or none. STORE_UNKNOWN: it may have happened; re-read. */
enum store_rc client_write(struct client *client, const struct store_op *ops, size_t n);

/* Says why a read or write of `what` failed and returns the exit code for it. */
int client_failed(const struct client *client, enum store_rc rc, const char *what);

/* ---- what several verbs read ----------------------------------------------------------------- */

/* Decode what stands at a cluster's topology. False, with the reason, also when it is another
 * cluster's. */
bool client_decode(const struct client_value *value, const char *cluster,
                   struct topology *ret_topology, struct codec_error *error);

/* Says that a cluster has no topology: it waits for one, or is none, and then which one may be
 * meant. Returns CLI_NO_CLUSTER. */
int client_no_cluster(struct client *client, const struct args *args, const char *cluster);

/* The topology of a cluster. On failure says why and returns the exit code. */
int client_topology(struct client *client, const struct args *args, const char *cluster,
                    struct topology *ret_topology);

/* Is there a presence of this probe? */
bool client_names_hold(const struct client_names *names, const char *name);

/* The probes whose presence is there; none when the path is missing. */
enum store_rc client_probes(struct client *client, const struct args *args,
                            struct client_names *ret_names);

/* How many probes report the cluster and are present: its witnesses now, those who stand by and
 * abstain included. A verdict that nothing has changed since names those who reached it, and not
 * who watches today; so it is not args. STORE_OK: *ret_count is filled. */
enum store_rc client_witnesses(struct client *client, const struct args *args, const char *cluster,
                               const struct client_names *probes, int *ret_count);

#endif
