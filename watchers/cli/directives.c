/* The operator's directives: drain, undrain, weight, hold, release, accept.
 *
 *     topology + directives --> change --> set at the version read --> wait --> outcome
 *            ^                                   | the version moved, or the outcome is not known
 *            +-----------------------------------+
 *
 * Each verb is a small change of one record, made by compare-and-set. A change
 * that exists already is not written, so that starting over after a lost race or
 * an unknown outcome does no harm. The fleet applies the directives: what is
 * printed at the end is what the verdict that took them made of the word. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/client.h"
#include "watchers/cli/outcome.h"
#include "watchers/cli/output.h"
#include "watchers/cli/taken.h"

enum { ATTEMPTS = 10, WEIGHT_LIMIT = 1000 };

/* One change in the making. */
struct change {
    const struct args *args;
    const char *cluster;
    const char *member; /* "" when the verb has none */
    struct directive word;
    struct topology topology; /* before */
    struct directives directives;
    bool mended;   /* they were out of order, or held something twice */
    bool written;  /* by us; else the word stood there already */
    int64_t mzxid; /* of the directives that have the word; 0: there are none */
};

/* Edits change->directives; or prints why not and returns the exit code. */
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
    bool added = add_row(directives->drain, &directives->drain_count, sizeof *directives->drain,
                         change->member);
    return added ? CLI_DONE : no_room();
}

static int remove_drain(struct change *change)
{
    struct directives *directives = &change->directives;
    remove_row(directives->drain, &directives->drain_count, sizeof *directives->drain,
               change->member);
    return CLI_DONE;
}

static int set_weight(struct change *change)
{
    struct directives *directives = &change->directives;
    if (change->word.weight < 0) {
        remove_row(directives->weight, &directives->weight_count, sizeof *directives->weight,
                   change->member);
        return CLI_DONE;
    }
    struct override *override = add_row(directives->weight, &directives->weight_count,
                                        sizeof *directives->weight, change->member);
    if (!override) {
        return no_room();
    }
    override->weight = (uint16_t)change->word.weight;
    return CLI_DONE;
}

static int set_hold(struct change *change)
{
    const char *member = change->member[0] ? change->member : change->topology.primary;
    if (!member[0]) {
        return fail(CLI_USAGE, "%s has no primary to hold; name a member", change->cluster);
    }
    text_copy(change->directives.hold, sizeof change->directives.hold, member);
    change->word.member = change->directives.hold;
    return CLI_DONE;
}

static int remove_hold(struct change *change)
{
    memset(change->directives.hold, 0, sizeof change->directives.hold);
    return CLI_DONE;
}

/* Acceptances are never taken back: where there is no room, that of the oldest epoch gives way. */
static void drop_oldest_acceptance(struct directives *directives)
{
    size_t oldest = 0;
    for (size_t i = 1; i < directives->accept_count; i++) {
        oldest = directives->accept[i].epoch < directives->accept[oldest].epoch ? i : oldest;
    }
    char name[NAME_SIZE];
    text_copy(name, sizeof name, directives->accept[oldest].name);
    remove_row(directives->accept, &directives->accept_count, sizeof *directives->accept, name);
}

/* Is there anything that accepting this member could end? */
static bool is_in_order(const struct topology *topology, const char *name)
{
    bool order = topology->state == STATE_OK && text_equal(topology->primary, name);
    for (size_t i = 0; order && i < topology->member_count; i++) {
        order = !topology->members[i].claims;
    }
    return order;
}

static int add_accept(struct change *change)
{
    struct directives *directives = &change->directives;
    const struct topology *topology = &change->topology;
    if (is_in_order(topology, change->member)) {
        return CLI_DONE;
    }
    if (!change->word.replace && outcome_replaces(change->member, topology)) {
        return fail(CLI_USAGE,
                    "%s is primary, up, and others follow it; to put %s in its place nevertheless: "
                    "`roster accept --replace %s %s`",
                    topology->primary, change->member, change->cluster, change->member);
    }
    if (directives->accept_count == MEMBERS_MAX) {
        drop_oldest_acceptance(directives);
    }
    struct acceptance *acceptance = add_row(directives->accept, &directives->accept_count,
                                            sizeof *directives->accept, change->member);
    assert(acceptance);
    acceptance->epoch = topology->epoch;
    acceptance->replace = change->word.replace;
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
static int read_directives(struct change *change, const char *path,
                           const struct client_value *value)
{
    struct codec_error error = {.mended = false};
    change->directives = (struct directives){0};
    if (!value->data || directives_decode(value->data, value->len, &change->directives, &error)) {
        change->mended = error.mended;
        return CLI_DONE;
    }
    if (!has_option(change->args, OPTION_FORCE)) {
        return fail(CLI_USAGE, "%s cannot be read (%s), and is not overwritten without --force",
                    path, error.sentence);
    }
    warn("%s could not be read (%s), and is overwritten", path, error.sentence);
    return CLI_DONE;
}

/* ---- compare and set ------------------------------------------------------------------------- */

enum attempt { WRITTEN, AGAIN, FAILED };

static enum attempt put(struct client *client, const char *path, const char *data,
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
static enum attempt attempt_change(struct client *client, struct change *change, edit *apply,
                                   const char *path, int *ret_code)
{
    struct client_value value = {0};
    enum attempt outcome = FAILED;
    char *before = NULL;
    char *after = NULL;
    enum store_rc rc = client_get(client, path, &value);
    if (rc != STORE_OK && rc != STORE_NO_NODE) {
        *ret_code = client_failed(client, rc, path);
        return FAILED;
    }
    *ret_code = read_directives(change, path, &value);
    change->word.hold = change->directives.hold;
    change->mzxid = value.stat.mzxid;
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
    change->written =
        !text_equal(before, after) || change->mended || has_option(change->args, OPTION_FORCE);
    outcome = change->written
                  ? put(client, path, after, rc == STORE_OK ? &value.stat : NULL, ret_code)
                  : WRITTEN;
out:
    free(before);
    free(after);
    client_value_release(&value);
    return outcome;
}

/* ---- what became of it ----------------------------------------------------------------------- */

/* Which version has the word; what somebody wrote since has it too, or has taken it back. */
static int read_version(struct client *client, struct change *change, const char *path)
{
    struct client_value value = {0};
    enum store_rc rc = client_get(client, path, &value);
    change->mzxid = value.stat.mzxid;
    client_value_release(&value);
    return rc == STORE_OK || rc == STORE_NO_NODE ? CLI_DONE : client_failed(client, rc, path);
}

static const char *order_of(const struct change *change)
{
    return change->args->verb->name;
}

static void put_remarks(const struct change *change, const char *path)
{
    if (change->mended) {
        warn("%s was out of order or held something twice; it is mended", path);
    }
    if (change->word.order == ORDER_WEIGHT && change->word.weight == 0) {
        warn("with weight 0 it serves reads, and writes where all write, only when nothing else is "
             "left");
    }
}

static int report(struct client *client, struct change *change)
{
    static struct topology after;
    char sentence[SENTENCE_SIZE];
    const char *unwritten = change->written ? "" : " (nothing had to be written)";
    if (change->args->wait_ms == 0) {
        return done("%s%s%s: %s is %s", change->cluster, change->word.member[0] ? "/" : "",
                    change->word.member, order_of(change),
                    change->written ? "ordered" : "ordered already; nothing was written");
    }
    if (!taken_wait(client, change->args, change->cluster, change->mzxid, &after, sentence,
                    sizeof sentence)) {
        return fail(CLI_NOT_TAKEN, "%s%s%s: %s %s, but %s", change->cluster,
                    change->word.member[0] ? "/" : "", change->word.member, order_of(change),
                    change->written ? "is ordered" : "was ordered already", sentence);
    }
    char became[SENTENCE_SIZE];
    return outcome_of(&change->word, &change->topology, &after, became, sizeof became) ==
                   OUTCOME_REFUSED
               ? fail(CLI_USAGE, "%s", became)
               : done("%s%s", became, unwritten);
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
        enum attempt outcome = attempt_change(client, change, apply, path, &code);
        if (outcome == FAILED) {
            return code;
        }
        if (outcome == WRITTEN) {
            code = change->written ? read_version(client, change, path) : CLI_DONE;
            put_remarks(change, path);
            return code == CLI_DONE ? report(client, change) : code;
        }
    }
    return fail(CLI_INTERNAL, "%s is being written by others all the time; nothing was changed",
                path);
}

static int change_directives(const struct args *args, enum order order, int weight, edit *apply)
{
    static struct change change;
    change.args = args;
    change.cluster = args->operands[0];
    change.member = args->operand_count > 1 ? args->operands[1] : "";
    change.word = (struct directive){.order = order,
                                     .member = change.member,
                                     .weight = weight,
                                     .replace = has_option(args, OPTION_REPLACE)};
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
    return change_directives(args, ORDER_DRAIN, -1, add_drain);
}

int undrain_run(const struct args *args)
{
    return change_directives(args, ORDER_UNDRAIN, -1, remove_drain);
}

int weight_run(const struct args *args)
{
    const char *value = args->operands[2];
    int64_t weight = -1;
    if (!text_equal(value, "default") && !text_parse_int(value, 0, WEIGHT_LIMIT, &weight)) {
        return fail(CLI_USAGE, "weight: '%s' is not a number in 0..%d, nor 'default'", value,
                    WEIGHT_LIMIT);
    }
    return change_directives(args, ORDER_WEIGHT, (int)weight, set_weight);
}

int hold_run(const struct args *args)
{
    return change_directives(args, ORDER_HOLD, -1, set_hold);
}

int release_run(const struct args *args)
{
    return change_directives(args, ORDER_RELEASE, -1, remove_hold);
}

int accept_run(const struct args *args)
{
    if (args->registry && has_option(args, OPTION_REPLACE)) {
        return fail(CLI_USAGE, "--replace is about a member, --registry about the registry");
    }
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
    return change_directives(args, ORDER_ACCEPT, -1, add_accept);
}
