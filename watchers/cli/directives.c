/* The operator's directives: drain, undrain, weight, hold, release, accept.
 *
 *     topology + directives --> change --> set at the version read
 *            ^                                   | the version moved, or the outcome is not known
 *            +-----------------------------------+
 *
 * Each verb is a small change of one record, made by compare-and-set. A change
 * that exists already is not written, so that starting over after a lost race or
 * an unknown outcome does no harm: what is printed at the end was read or
 * acknowledged. The fleet applies the directives; roster never waits for that,
 * but warns when no quorum of witnesses is present to do it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/client.h"
#include "watchers/cli/output.h"

enum { ATTEMPTS = 10, WEIGHT_LIMIT = 1000 };

/* One change in the making. */
struct change {
    const struct args *args;
    const char *cluster;
    const char *member; /* "" when the verb has none */
    struct topology topology;
    struct directives directives;
    char result[SENTENCE_SIZE]; /* what holds once it is written */
    char remark[SENTENCE_SIZE]; /* what the operator may not expect; "" */
};

/* Edits change->directives and fills change->result; or prints why not and returns the exit code.
 */
typedef int edit(struct change *change);

/* ---- lists sorted by name: how directives are kept ------------------------------------------- */

static size_t find_row(const void *rows, size_t count, size_t stride, const char *name,
                       bool *ret_found)
{
    assert(count <= MEMBERS_MAX && stride >= NAME_SIZE);
    size_t at = 0;
    int order = -1;
    while (at < count && (order = strcmp((const char *)rows + at * stride, name)) < 0) {
        at++;
    }
    *ret_found = at < count && order == 0;
    return at;
}

/* The row of `name`, added if it is missing. NULL: no room. A row begins with its name. */
static void *add_row(void *rows, uint8_t *count, size_t stride, const char *name)
{
    bool found;
    size_t at = find_row(rows, *count, stride, name, &found);
    char *row = (char *)rows + at * stride;
    if (found) {
        return row;
    }
    if (*count == MEMBERS_MAX) {
        return NULL;
    }
    memmove(row + stride, row, (*count - at) * stride);
    memset(row, 0, stride);
    text_copy(row, NAME_SIZE, name);
    (*count)++;
    return row;
}

static bool remove_row(void *rows, uint8_t *count, size_t stride, const char *name)
{
    bool found;
    size_t at = find_row(rows, *count, stride, name, &found);
    char *row = (char *)rows + at * stride;
    if (!found) {
        return false;
    }
    memmove(row, row + stride, (*count - at - 1) * stride);
    (*count)--;
    memset((char *)rows + *count * stride, 0, stride);
    return true;
}

static int no_room(void)
{
    return fail(CLI_USAGE, "the directives name %d members already; take back those that left",
                MEMBERS_MAX);
}

/* ---- the changes ----------------------------------------------------------------------------- */

static int add_drain(struct change *change)
{
    struct directives *directives = &change->directives;
    if (!add_row(directives->drain, &directives->drain_count, sizeof *directives->drain,
                 change->member)) {
        return no_room();
    }
    snprintf(change->result, sizeof change->result, "%s/%s is drained", change->cluster,
             change->member);
    if (text_equal(change->member, change->topology.primary)) {
        snprintf(change->remark, sizeof change->remark,
                 "it is the primary, and stays it until the database has another");
    }
    return CLI_DONE;
}

static int remove_drain(struct change *change)
{
    struct directives *directives = &change->directives;
    remove_row(directives->drain, &directives->drain_count, sizeof *directives->drain,
               change->member);
    snprintf(change->result, sizeof change->result, "%s/%s is not drained", change->cluster,
             change->member);
    return CLI_DONE;
}

static int set_weight(struct change *change)
{
    struct directives *directives = &change->directives;
    int64_t weight;
    /* "default": weight_run has checked it */
    if (!text_parse_int(change->args->operands[2], 0, WEIGHT_LIMIT, &weight)) {
        remove_row(directives->weight, &directives->weight_count, sizeof *directives->weight,
                   change->member);
        snprintf(change->result, sizeof change->result, "%s/%s has the weight that is configured",
                 change->cluster, change->member);
        return CLI_DONE;
    }
    struct override *override = add_row(directives->weight, &directives->weight_count,
                                        sizeof *directives->weight, change->member);
    if (!override) {
        return no_room();
    }
    override->weight = (uint16_t)weight;
    snprintf(change->result, sizeof change->result, "%s/%s has weight %d", change->cluster,
             change->member, (int)weight);
    if (weight == 0) {
        snprintf(change->remark, sizeof change->remark,
                 "with weight 0 it serves reads only when nothing else is left");
    }
    return CLI_DONE;
}

static int set_hold(struct change *change)
{
    const char *member = change->member[0] ? change->member : change->topology.primary;
    if (!member[0]) {
        return fail(CLI_USAGE, "%s has no primary to hold; name a member", change->cluster);
    }
    text_copy(change->directives.hold, sizeof change->directives.hold, member);
    snprintf(change->result, sizeof change->result, "%s is held at %s", change->cluster, member);
    if (!text_equal(member, change->topology.primary)) {
        snprintf(change->remark, sizeof change->remark,
                 "%s is not the primary: until the database makes it so, no other can become it",
                 member);
    }
    return CLI_DONE;
}

static int remove_hold(struct change *change)
{
    memset(change->directives.hold, 0, sizeof change->directives.hold);
    snprintf(change->result, sizeof change->result, "%s is not held", change->cluster);
    return CLI_DONE;
}

static int add_accept(struct change *change)
{
    struct directives *directives = &change->directives;
    const struct member *member = topology_member(&change->topology, change->member);
    bool needed = member && (member->fenced || member->claims || member->reason == ANSWER_STRANGER);
    if (!needed) {
        snprintf(change->result, sizeof change->result,
                 "%s/%s needs no acceptance: it is neither fenced nor a rival nor a stranger",
                 change->cluster, change->member);
        return CLI_DONE;
    }
    struct acceptance *acceptance = add_row(directives->accept, &directives->accept_count,
                                            sizeof *directives->accept, change->member);
    if (!acceptance) {
        return no_room();
    }
    acceptance->epoch = change->topology.epoch;
    snprintf(change->result, sizeof change->result, "%s/%s is accepted as of epoch %lld",
             change->cluster, change->member, (long long)change->topology.epoch);
    return CLI_DONE;
}

/* ---- reading the directives ------------------------------------------------------------------ */

static bool is_in_directives(const struct directives *directives, const char *name)
{
    bool drained, weighted;
    find_row(directives->drain, directives->drain_count, sizeof *directives->drain, name, &drained);
    find_row(directives->weight, directives->weight_count, sizeof *directives->weight, name,
             &weighted);
    return drained || weighted;
}

/* A member that left may still be in the directives, and must be removable from them. */
static int check_member(const struct change *change)
{
    if (!change->member[0] || topology_member(&change->topology, change->member)) {
        return CLI_DONE;
    }
    const char *value = change->args->operands[2];
    bool takes_back =
        text_equal(change->args->verb->name, "undrain") || (value && text_equal(value, "default"));
    if (takes_back && is_in_directives(&change->directives, change->member)) {
        return CLI_DONE;
    }
    const char *names[MEMBERS_MAX];
    for (size_t i = 0; i < change->topology.member_count; i++) {
        names[i] = change->topology.members[i].config.name;
    }
    const char *nearest =
        text_nearest(change->member, names, change->topology.member_count, sizeof *names);
    return fail(CLI_USAGE, "%s has no member '%s'%s%s%s", change->cluster, change->member,
                nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* Decodes what was read; no value is the same as an empty record. */
static int read_directives(const struct change *change, const char *path,
                           const struct client_value *value, struct directives *ret_directives)
{
    struct codec_error error;
    *ret_directives = (struct directives){0};
    if (!value->data || directives_decode(value->data, value->len, ret_directives, &error)) {
        return CLI_DONE;
    }
    if (!has_option(change->args, OPTION_FORCE)) {
        return fail(CLI_USAGE, "%s cannot be read (%s), and is not overwritten without --force",
                    path, error.sentence);
    }
    warn("%s could not be read (%s), and is overwritten", path, error.sentence);
    *ret_directives = (struct directives){0};
    return CLI_DONE;
}

/* ---- compare and set ------------------------------------------------------------------------- */

enum outcome { WRITTEN, AGAIN, FAILED };

static enum outcome put(struct client *client, const char *path, const char *data,
                        const struct store_stat *stat, int *ret_code)
{
    struct store_op op = {.kind = stat ? STORE_SET : STORE_CREATE,
                          .path = path,
                          .data = data,
                          .len = strlen(data),
                          .version = stat ? stat->version : 0};
    enum store_rc rc = client_write(client, &op, 1);
    switch (rc) {
    case STORE_OK:
        return WRITTEN;
    case STORE_BAD_VERSION:
    case STORE_EXISTS:
    case STORE_NO_NODE:
    case STORE_UNKNOWN: /* the next read shows whether it happened, or fails when the registry is
                           away */
        return AGAIN;
    default:
        *ret_code = client_failed(client, rc, path);
        return FAILED;
    }
}

/* One attempt: read, edit, write unless nothing changed. */
static enum outcome attempt_change(struct client *client, struct change *change, edit *apply,
                                   const char *path, int *ret_code)
{
    struct client_value value = {0};
    enum outcome outcome = FAILED;
    char *before = NULL;
    char *after = NULL;
    enum store_rc rc = client_get(client, path, &value);
    if (rc != STORE_OK && rc != STORE_NO_NODE) {
        *ret_code = client_failed(client, rc, path);
        return FAILED;
    }
    *ret_code = read_directives(change, path, &value, &change->directives);
    if (*ret_code == CLI_DONE) {
        *ret_code = check_member(change);
    }
    if (*ret_code != CLI_DONE) {
        goto out;
    }
    before = directives_encode(&change->directives);
    *ret_code = apply(change);
    if (*ret_code != CLI_DONE) {
        goto out;
    }
    after = directives_encode(&change->directives);
    if (!before || !after) {
        *ret_code = fail(CLI_INTERNAL, "out of memory");
        goto out;
    }
    outcome = text_equal(before, after) && !has_option(change->args, OPTION_FORCE)
                  ? WRITTEN
                  : put(client, path, after, rc == STORE_OK ? &value.stat : NULL, ret_code);
out:
    free(before);
    free(after);
    client_value_release(&value);
    return outcome;
}

/* The directive is written; will anybody apply it? */
static void remark(struct client *client, const struct change *change)
{
    struct client_names probes = {0};
    if (change->remark[0]) {
        warn("%s", change->remark);
    }
    int now = 0;
    int quorum = quorum_of(change->topology.policy.witnesses);
    if (client_probes(client, change->args, &probes) == STORE_OK &&
        client_witnesses(client, change->args, change->cluster, &probes, &now) == STORE_OK &&
        now < quorum) {
        warn("%d of %d witnesses are present, quorum %d: it takes effect once there is a quorum",
             now, change->topology.policy.witnesses, quorum);
    }
    client_names_release(&probes);
}

static int write_change(struct client *client, struct change *change, edit *apply)
{
    char path[PATH_SIZE];
    path_directives(path, sizeof path, change->args->root, change->cluster);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int code = client_topology(client, change->args, change->cluster, &change->topology);
        if (code != CLI_DONE) {
            return code;
        }
        enum outcome outcome = attempt_change(client, change, apply, path, &code);
        if (outcome == FAILED) {
            return code;
        }
        if (outcome == WRITTEN) {
            assert(change->result[0]);
            printf("%s\n", change->result);
            output_flush();
            remark(client, change);
            return CLI_DONE;
        }
    }
    return fail(CLI_INTERNAL, "%s is being written by others all the time; nothing was changed",
                path);
}

static int change_directives(const struct args *args, edit *apply)
{
    static struct change change;
    change.args = args;
    change.cluster = args->operands[0];
    change.member = args->operand_count > 1 ? args->operands[1] : "";
    if (!is_cluster_name(change.cluster) || (change.member[0] && !is_member_name(change.member))) {
        return CLI_USAGE;
    }
    struct client *client;
    int code = client_open(args, &client);
    if (code == CLI_DONE) {
        code = write_change(client, &change, apply);
        client_close(client);
    }
    return code;
}

/* ---- the verbs ------------------------------------------------------------------------------- */

int drain_run(const struct args *args)
{
    return change_directives(args, add_drain);
}

int undrain_run(const struct args *args)
{
    return change_directives(args, remove_drain);
}

int weight_run(const struct args *args)
{
    const char *value = args->operands[2];
    int64_t weight;
    if (!text_equal(value, "default") && !text_parse_int(value, 0, WEIGHT_LIMIT, &weight)) {
        return fail(CLI_USAGE, "weight: '%s' is not a number in 0..%d, nor 'default'", value,
                    WEIGHT_LIMIT);
    }
    return change_directives(args, set_weight);
}

int hold_run(const struct args *args)
{
    return change_directives(args, set_hold);
}

int release_run(const struct args *args)
{
    return change_directives(args, remove_hold);
}

int accept_run(const struct args *args)
{
    if (args->registry) {
        return args->operand_count == 0
                   ? registry_id_accept(args)
                   : fail(CLI_USAGE,
                          "--registry is about the whole registry: name no cluster with it");
    }
    if (args->operand_count < 2) {
        return fail(
            CLI_USAGE,
            "accept what? usage: roster accept CLUSTER MEMBER, or roster accept --registry OLD-ID");
    }
    return change_directives(args, add_accept);
}
