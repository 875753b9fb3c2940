/* What libroster knows of one cluster, copied out at one moment: for printing. */
#ifndef ROSTER_WATCHERS_CLI_VIEW_H
#define ROSTER_WATCHERS_CLI_VIEW_H

#include <stdio.h>

#include "registry/model/model.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/remarks.h"

/* Opens a handle of libroster with the options of the command line. On failure prints why and
 * returns the exit code. */
int open_roster(const struct args *args, struct roster **ret_roster);

struct view {
    const char *cluster;
    struct roster_state state;
    size_t member_count;
    struct roster_member members[ROSTER_MEMBERS_MAX];
    struct topology topology; /* of the registry, for what libroster does not give */
    bool has_directives;      /* they could be read, now */
    struct directives directives;
    char directives_refused[SENTENCE_SIZE]; /* why not; "" */
};

/* Subscribe to the first operand and wait, at most the timeout, for the registry's answer. On
 * failure prints why and returns the exit code. */
int view_follow(struct roster *roster, const struct args *args,
                struct roster_cluster **ret_cluster);

/* Copy out what is known. state.witnesses_now becomes the number of probes that report the cluster
 * now, and the directives are those of now. False: there is no topology yet; then only
 * state.connected and state.refused mean something.
 */
bool view_read(struct view *view, const struct args *args, struct roster_cluster *cluster);

/* One JSON object and a newline: the keys of the topology in the registry, then age_ms,
 * witnesses_now, quorum, connected, cached, refused, remarks. */
void view_json(const struct view *view, FILE *to);

/* The same for people, a line each below a blank one: what should be known beside the members. */
void view_scene(const struct view *view, struct remark_scene *ret_scene);
void print_remarks(const struct remark_scene *scene);

/* The names of the registry. */
const char *view_state_name(enum roster_topology_state state);
const char *view_role_name(enum roster_role role);
const char *view_health_name(enum roster_health health);

#endif
