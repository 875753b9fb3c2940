/* The registry, one request at a time: what one-shot verbs need.
 *
 * A wrapper of store.h that waits for each answer, up to one deadline for the
 * whole of a session. Every connect is followed by a sync, so that what another
 * client wrote before is seen. Reads are repeated after a broken link; a
 * write never is. One thread. */
#ifndef ROSTER_WATCHERS_CLI_CLIENT_H
#define ROSTER_WATCHERS_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/model/access.h"
#include "registry/model/codec.h"
#include "registry/model/model.h"
#include "registry/store/store.h"
#include "watchers/cli/cli.h"

struct client;

/* Begins to connect; the deadline is args->timeout_ms from now. On failure prints why and returns
 * the exit code. */
int client_open(const struct args *args, struct client **ret_client);

/* A new deadline, from now: for a client that is used again. Once `cancel_fd` (-1: none) is
 * readable no request waits any longer. */
void client_set_deadline(struct client *client, int64_t timeout_ms, int cancel_fd);

void client_close(struct client *client); /* NULL is fine */

/* Prints that the registry cannot be reached, and why; returns
 * CLI_UNREACHABLE. */
int client_unreachable(const struct client *client);

/* The same where there is no client; `trouble` "": not known, then names are looked up. */
int unreachable(const char *servers, const char *trouble);

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

/* Read an access list; as client_get. */
enum store_rc client_access(struct client *client, const char *path, struct access_list *ret_list,
                            struct store_stat *ret_stat);

/* Replace one; as client_write. */
enum store_rc client_protect(struct client *client, const char *path,
                             const struct access_list *list, int32_t aversion);

/* Prints why a read or write of `what` failed and returns the exit code for it. */
int client_failed(const struct client *client, enum store_rc rc, const char *what);

/* ---- what several verbs read ----------------------------------------------------------------- */

/* Decode the value of a cluster's topology znode. False, with the reason, also when it is another
 * cluster's. */
bool client_decode(const struct client_value *value, const char *cluster,
                   struct topology *ret_topology, struct codec_error *error);

/* Prints that a cluster has no topology: it waits for one, or does not exist, and then which one
 * may be meant. Returns CLI_NO_CLUSTER. */
int client_no_cluster(struct client *client, const struct args *args, const char *cluster);

/* The topology of a cluster. On failure prints why and returns the exit code. */
int client_topology(struct client *client, const struct args *args, const char *cluster,
                    struct topology *ret_topology);

/* Is there a presence of this probe? */
bool client_names_hold(const struct client_names *names, const char *name);

/* There is nothing at the root. If the address ends in a chroot that does not exist, prints so and
 * returns true. */
bool client_lacks_chroot(const struct args *args);

/* Has a probe proved that this registry went back in time? Then `sentence` says so, else it is
 * "". */
enum store_rc client_past(struct client *client, const struct args *args,
                          char sentence[SENTENCE_SIZE]);

/* The probes that are present; none when the path is missing. */
enum store_rc client_probes(struct client *client, const struct args *args,
                            struct client_names *ret_names);

/* How many probes report the cluster and are present: its witnesses now, spare ones and those that
 * abstain included. The evidence in the topology does not answer this: it names the probes that
 * reached the verdict, however long ago. STORE_OK: *ret_count is filled. */
enum store_rc client_witnesses(struct client *client, const struct args *args, const char *cluster,
                               const struct client_names *probes, int *ret_count);

#endif
