/* roster forget: remove a cluster that no probe reports any more.
 *
 * All of its znodes go in one transaction, or none: a probe that begins to
 * report meanwhile makes it fail, since a znode with children cannot be deleted. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/client.h"
#include "watchers/cli/output.h"

enum { STATEMENTS_MAX = 8, LISTED_MAX = 5 };

/* The cluster's znode and what hangs below it, children first. */
struct parts {
    char paths[STATEMENTS_MAX + 1][PATH_SIZE];
    struct store_op ops[STATEMENTS_MAX + 1];
    size_t count;
};

static void add_part(struct parts *parts, const char *path)
{
    assert(parts->count <= STATEMENTS_MAX);
    char *copy = parts->paths[parts->count];
    text_copy(copy, PATH_SIZE, path);
    parts->ops[parts->count++] =
        (struct store_op){.kind = STORE_DELETE, .path = copy, .version = -1};
}

/* Prints who still uses it. */
static int still_used(const char *cluster, const char *part, const struct client_names *names)
{
    char who[SENTENCE_SIZE];
    struct text text;
    text_init(&text, who, sizeof who);
    for (size_t i = 0; i < names->count && i < LISTED_MAX; i++) {
        text_put(&text, "%s%s", i > 0 ? ", " : "", names->names[i]);
    }
    if (names->count > LISTED_MAX) {
        text_put(&text, " and %zu more", names->count - LISTED_MAX);
    }
    if (text_equal(part, "reports")) {
        return fail(CLI_USAGE,
                    "%s is reported by %s; take it out of their configuration first (a dead "
                    "probe's report goes with its session)",
                    cluster, who);
    }
    return fail(CLI_USAGE, "%s is not forgotten: below its %s there is %s", cluster, part, who);
}

/* Collects what is to be deleted, and refuses when any of it is in use. */
static int collect(struct client *client, const char *cluster, const char *path,
                   const struct client_names *children, struct parts *parts)
{
    parts->count = 0;
    if (children->count > STATEMENTS_MAX) {
        return fail(CLI_USAGE,
                    "%s holds more than roster puts there; remove what is foreign by hand", path);
    }
    for (size_t i = 0; i < children->count; i++) {
        char part[PATH_SIZE];
        struct client_names names = {0};
        if (snprintf(part, sizeof part, "%s/%s", path, children->names[i]) >= (int)sizeof part) {
            return fail(CLI_USAGE,
                        "%s holds a name that is too long; remove what is foreign by hand", path);
        }
        enum store_rc rc = client_list(client, part, &names);
        if (rc == STORE_OK && names.count == 0) {
            add_part(parts, part);
        } else if (rc != STORE_NO_NODE) {
            int code = rc == STORE_OK ? still_used(cluster, children->names[i], &names)
                                      : client_failed(client, rc, part);
            client_names_release(&names);
            return code;
        }
        client_names_release(&names);
    }
    add_part(parts, path);
    return CLI_DONE;
}

enum { ATTEMPTS = 5 };

static int forget_in(struct client *client, const struct args *args, const char *cluster)
{
    static struct parts parts;
    char path[PATH_SIZE];
    path_cluster(path, sizeof path, args->root, cluster);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct client_names children = {0};
        enum store_rc rc = client_list(client, path, &children);
        if (rc == STORE_NO_NODE && attempt > 0) {
            /* by the attempt of unknown outcome, or by somebody else */
            return done("%s is forgotten", cluster);
        }
        if (rc == STORE_NO_NODE) {
            return client_no_cluster(client, args, cluster);
        }
        if (rc != STORE_OK) {
            return client_failed(client, rc, path);
        }
        int code = collect(client, cluster, path, &children, &parts);
        client_names_release(&children);
        if (code != CLI_DONE) {
            return code;
        }
        rc = client_write(client, parts.ops, parts.count);
        if (rc == STORE_OK) {
            return done("%s is forgotten", cluster);
        }
        if (rc != STORE_UNKNOWN && rc != STORE_NO_NODE && rc != STORE_NOT_EMPTY) {
            return client_failed(client, rc, path);
        }
    }
    return fail(CLI_INTERNAL, "%s is being written by others all the time; nothing was removed",
                path);
}

int forget_run(const struct args *args)
{
    if (!is_cluster_name(args->operands[0])) {
        return CLI_USAGE;
    }
    struct client *client;
    int code = client_open(args, &client);
    if (code == CLI_DONE) {
        code = forget_in(client, args, args->operands[0]);
        client_close(client);
    }
    return code;
}
