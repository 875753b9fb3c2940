#include "watchers/cli/taken.h"

#include <poll.h>
#include <stdio.h>

#include "registry/base/clock.h"
#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "watchers/cli/output.h"

enum { LOOK_MS = 50 };

/* The topology now. STORE_OK also when it cannot be read: then it is as before. */
static enum store_rc look(struct client *client, const struct args *args, const char *cluster,
                          struct topology *topology)
{
    char path[PATH_SIZE];
    struct client_value value = {0};
    struct codec_error error;
    enum store_rc rc =
        client_get(client, path_topology(path, sizeof path, args->root, cluster), &value);
    if (rc == STORE_OK) {
        client_decode(&value, cluster, topology, &error);
    }
    client_value_release(&value);
    return rc;
}

/* Why nobody took it: who is there? True: nobody will. */
static bool put_fleet(struct client *client, const struct args *args, const char *cluster,
                      const struct topology *topology, struct text *to)
{
    struct client_names probes = {0};
    int now = 0;
    bool known = client_probes(client, args, &probes) == STORE_OK &&
                 client_witnesses(client, args, cluster, &probes, &now) == STORE_OK;
    bool nobody = known && probes.count == 0;
    int witnesses = topology->policy.witnesses;
    char limit[32];
    if (nobody) {
        text_put(to, "no probe is alive to take it");
    } else {
        text_put(to, "no probe took it within %s",
                 text_duration(limit, sizeof limit, args->wait_ms));
    }
    if (known && !nobody && now < quorum_of(witnesses)) {
        text_put(to, ": %d of %d witnesses are present, quorum %d", now, witnesses,
                 quorum_of(witnesses));
    }
    client_names_release(&probes);
    return nobody;
}

static bool is_away(enum store_rc rc, struct text *to)
{
    if (rc == STORE_UNKNOWN) {
        text_put(to, "the registry stopped answering");
    }
    return rc == STORE_UNKNOWN;
}

bool taken_wait(struct client *client, const struct args *args, const char *cluster, int64_t mzxid,
                struct topology *ret_topology, char *why, size_t size)
{
    static struct topology topology;
    int64_t until_ms = clock_mono_ms() + args->wait_ms;
    bool first = true;
    struct text to;
    for (;; first = false) {
        text_init(&to, why, size);
        int64_t left_ms = until_ms - clock_mono_ms();
        /* a registry that takes a moment longer than we wait has its answer heard */
        client_set_deadline(client, left_ms > args->timeout_ms ? left_ms : args->timeout_ms, -1);
        if (is_away(look(client, args, cluster, &topology), &to)) {
            return false;
        }
        if (text_equal(topology.cluster, cluster) && topology.directives_mzxid >= mzxid) {
            *ret_topology = topology;
            return true;
        }
        if ((first || left_ms <= 0) && put_fleet(client, args, cluster, &topology, &to)) {
            return false;
        }
        if (left_ms <= 0) {
            return false;
        }
        poll(NULL, 0, LOOK_MS);
    }
}
