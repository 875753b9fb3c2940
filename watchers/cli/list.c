/* roster list: all clusters, one line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/client.h"
#include "watchers/cli/output.h"

static void print_head(struct grid *grid)
{
    static const char *const heads[] = {"CLUSTER", "STATE", "EPOCH",     "PRIMARY",
                                        "ADDRESS", "UP",    "WITNESSES", "SINCE"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        grid_cell(grid, FAINT, "%s", heads[i]);
    }
    grid_end_row(grid);
}

/* is_past: the registry went back, and nobody follows what it holds. */
static void print_topology(struct grid *grid, const struct topology *topology, int witnesses_now,
                           bool is_past)
{
    char address[ADDRESS_SIZE] = "-";
    char since[32] = "-";
    int up = 0;
    for (size_t i = 0; i < topology->member_count; i++) {
        up += topology->members[i].health == HEALTH_UP;
    }
    const struct member *primary =
        topology->primary[0] ? topology_member(topology, topology->primary) : NULL;
    if (primary) {
        text_address(address, sizeof address, primary->config.host, primary->config.port);
    }
    if (topology->at_wall_ms) {
        int64_t age_ms = clock_wall_ms() - topology->at_wall_ms;
        text_duration(since, sizeof since, age_ms > 0 ? age_ms : 0);
    }
    const char *state = is_past ? "refused" : state_names[topology->state];
    grid_cell(grid, STRONG, "%s", topology->cluster);
    grid_cell(grid, is_past ? BAD : colour_of(state), "%s", state);
    grid_cell(grid, PLAIN, "%lld", (long long)topology->epoch);
    grid_cell(grid, PLAIN, "%s", primary ? primary->config.name : "-");
    grid_cell(grid, PLAIN, "%s", address);
    grid_cell(grid, up < topology->member_count ? DOUBTFUL : PLAIN, "%d/%d", up,
              topology->member_count);
    grid_cell(grid, witnesses_now < quorum_of(topology->policy.witnesses) ? BAD : PLAIN, "%d/%d",
              witnesses_now, topology->policy.witnesses);
    grid_cell(grid, PLAIN, "%s", since);
    grid_end_row(grid);
}

static void print_past(const char *past)
{
    if (past[0]) {
        printf("refused: ");
        output_put(BAD, "%s", past);
        printf("\n");
    }
}

/* A cluster whose topology is missing or unreadable is listed all the same: hiding it would be a
 * lie. */
static void print_blank(struct grid *grid, const char *cluster, const char *state)
{
    grid_cell(grid, STRONG, "%s", cluster);
    grid_cell(grid, DOUBTFUL, "%s", state);
    for (int i = 0; i < 6; i++) {
        grid_cell(grid, PLAIN, "-");
    }
    grid_end_row(grid);
}

static enum store_rc list_cluster(struct client *client, const struct args *args,
                                  const char *cluster, const struct client_names *probes,
                                  bool is_past, struct grid *grid)
{
    static struct topology topology;
    char path[PATH_SIZE];
    struct client_value value = {0};
    struct codec_error error;
    enum store_rc rc =
        client_get(client, path_topology(path, sizeof path, args->root, cluster), &value);
    if (rc == STORE_NO_NODE) {
        print_blank(grid, cluster, "waiting");
        return STORE_OK;
    }
    if (rc != STORE_OK) {
        return rc;
    }
    if (client_decode(&value, cluster, &topology, &error)) {
        int now = 0;
        rc = client_witnesses(client, args, cluster, probes, &now);
        print_topology(grid, &topology, now, is_past);
    } else {
        print_blank(grid, cluster, "unreadable");
        warn("%s: %s", path, error.sentence);
    }
    client_value_release(&value);
    return rc;
}

static int list_all(struct client *client, const struct args *args,
                    const struct client_names *clusters, const struct client_names *probes,
                    const char *past)
{
    struct grid *grid = grid_new();
    enum store_rc rc = STORE_OK;
    print_head(grid);
    for (size_t i = 0; i < clusters->count && rc == STORE_OK; i++) {
        if (text_is_name(clusters->names[i])) {
            rc = list_cluster(client, args, clusters->names[i], probes, past[0] != '\0', grid);
        } else {
            warn("skipped a cluster whose name is none of ours");
        }
    }
    if (rc == STORE_OK) {
        grid_print(grid, "");
        print_past(past);
    }
    grid_free(grid);
    return rc == STORE_OK ? CLI_DONE : client_failed(client, rc, "clusters");
}

int list_run(const struct args *args)
{
    char path[PATH_SIZE];
    struct client_names clusters = {0};
    struct client_names probes = {0};
    struct client *client;
    int code = client_open(args, &client);
    if (code != CLI_DONE) {
        return code;
    }
    char past[SENTENCE_SIZE] = "";
    enum store_rc rc = client_list(client, path_clusters(path, sizeof path, args->root), &clusters);
    enum store_rc past_rc = client_past(client, args, past);
    if (rc == STORE_OK && clusters.count > 0) {
        rc = past_rc == STORE_OK ? client_probes(client, args, &probes) : past_rc;
        code = rc == STORE_OK ? list_all(client, args, &clusters, &probes, past)
                              : client_failed(client, rc, "probes");
    } else if (past[0]) {
        print_past(past);
    } else if (rc == STORE_NO_NODE && client_lacks_chroot(args)) {
        code = CLI_USAGE;
    } else if (rc == STORE_OK || rc == STORE_NO_NODE) {
        warn("there is no cluster below %s yet; a roster-probe puts them there", args->root);
    } else {
        code = client_failed(client, rc, path);
    }
    client_names_release(&clusters);
    client_names_release(&probes);
    client_close(client);
    return code;
}
