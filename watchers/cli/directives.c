/* The operator's word: drain, undrain, weight, hold, release, accept.
 *
 *     topology + directives --> change --> set at the version read
 *            ^                                   | the version moved, or the outcome is not known
 *            +-----------------------------------+
 *
 * Each verb is a small change of one record, made by compare-and-set. A change
 * that is there already is not written, so that starting over after a lost race
 * or an unknown outcome does no harm: what is said at the end is what was read
 * or acknowledged. The fleet applies what stands there; roster never waits for
 * it, but says so when no quorum of witnesses is there to do it. */
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
struct word {
    const struct asked *asked;
    const char *cluster;
    const char *member; /* "" when the verb has none */
    struct topology topology;
    struct directives directives;
    char said[SENTENCE_SIZE];   /* what is so once it is written */
    char remark[SENTENCE_SIZE]; /* what the operator may not expect; "" */
};

/* Changes word->directives and fills word->said; or says why not and returns the exit code. */
typedef int change(struct word *word);

/* ---- lists sorted by name: how directives are kept --------------------------------------------- */

static size_t place_of(const void *rows, size_t count, size_t stride, const char *name,
                       bool *ret_found)
{
    size_t at = 0;
    int order = -1;
    while (at < count && (order = strcmp((const char *)rows + at * stride, name)) < 0) {
        at++;
    }
    *ret_found = at < count && order == 0;
    return at;
}

/* The row of `name`, made if it is not there. NULL: no room. A row begins with its name. */
static void *put_row(void *rows, uint8_t *count, size_t stride, const char *name)
{
    bool found;
    size_t at = place_of(rows, *count, stride, name, &found);
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

static bool cut_row(void *rows, uint8_t *count, size_t stride, const char *name)
{
    bool found;
    size_t at = place_of(rows, *count, stride, name, &found);
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
    return fail(CLI_USAGE,
                "the directives name %d members already; take back some that are no more",
                MEMBERS_MAX);
}

/* ---- the changes ------------------------------------------------------------------------------- */

static int add_drain(struct word *word)
{
    struct directives *directives = &word->directives;
    if (!put_row(directives->drain, &directives->drain_count, sizeof *directives->drain,
                 word->member)) {
        return no_room();
    }
    snprintf(word->said, sizeof word->said, "%s/%s is drained", word->cluster, word->member);
    if (text_equal(word->member, word->topology.primary)) {
        snprintf(word->remark, sizeof word->remark,
                 "it is the primary, and stays it until the database has another");
    }
    return CLI_DONE;
}

static int cut_drain(struct word *word)
{
    struct directives *directives = &word->directives;
    cut_row(directives->drain, &directives->drain_count, sizeof *directives->drain, word->member);
    snprintf(word->said, sizeof word->said, "%s/%s is not drained", word->cluster, word->member);
    return CLI_DONE;
}

static int set_weight(struct word *word)
{
    struct directives *directives = &word->directives;
    int64_t weight;
    /* "default": weight_run has checked it */
    if (!text_parse_int(word->asked->operands[2], 0, WEIGHT_LIMIT, &weight)) {
        cut_row(directives->weight, &directives->weight_count, sizeof *directives->weight,
                word->member);
        snprintf(word->said, sizeof word->said, "%s/%s has the weight that is configured",
                 word->cluster, word->member);
        return CLI_DONE;
    }
    struct override *override = put_row(directives->weight, &directives->weight_count,
                                        sizeof *directives->weight, word->member);
    if (!override) {
        return no_room();
    }
    override->weight = (uint16_t)weight;
    snprintf(word->said, sizeof word->said, "%s/%s has weight %d", word->cluster, word->member,
             (int)weight);
    if (weight == 0) {
        snprintf(word->remark, sizeof word->remark,
                 "with weight 0 it serves reads only when nothing else is left");
    }
    return CLI_DONE;
}

static int set_hold(struct word *word)
{
    const char *member = word->member[0] ? word->member : word->topology.primary;
    if (!member[0]) {
        return fail(CLI_USAGE, "%s has no primary to hold; name a member", word->cluster);
    }
    text_copy(word->directives.hold, sizeof word->directives.hold, member);
    snprintf(word->said, sizeof word->said, "%s is held at %s", word->cluster, member);
    if (!text_equal(member, word->topology.primary)) {
        snprintf(word->remark, sizeof word->remark,
                 "%s is not the primary: until the database makes it so, no other can become it",
                 member);
    }
    return CLI_DONE;
}

static int cut_hold(struct word *word)
{
    memset(word->directives.hold, 0, sizeof word->directives.hold);
    snprintf(word->said, sizeof word->said, "%s is not held", word->cluster);
    return CLI_DONE;
}

static int add_accept(struct word *word)
{
    struct directives *directives = &word->directives;
    const struct member *member = topology_member(&word->topology, word->member);
    bool needed = member && (member->fenced || member->claims || member->reason == ANSWER_STRANGER);
    if (!needed) {
        snprintf(word->said, sizeof word->said,
                 "%s/%s needs no acceptance: it is neither fenced nor a rival nor a stranger",
                 word->cluster, word->member);
        return CLI_DONE;
    }
    struct acceptance *acceptance = put_row(directives->accept, &directives->accept_count,
                                            sizeof *directives->accept, word->member);
    if (!acceptance) {
        return no_room();
    }
    acceptance->epoch = word->topology.epoch;
    snprintf(word->said, sizeof word->said, "%s/%s is accepted as of epoch %lld", word->cluster,
             word->member, (long long)word->topology.epoch);
    return CLI_DONE;
}

/* ---- reading what stands there ----------------------------------------------------------------- */

static bool is_in_directives(const struct directives *directives, const char *name)
{
    bool drained, weighted;
    place_of(directives->drain, directives->drain_count, sizeof *directives->drain, name, &drained);
    place_of(directives->weight, directives->weight_count, sizeof *directives->weight, name,
             &weighted);
    return drained || weighted;
}

/* A member that left may still be named in the directives, and must be removable from there. */
static int check_member(const struct word *word)
{
    if (!word->member[0] || topology_member(&word->topology, word->member)) {
        return CLI_DONE;
    }
    const char *value = word->asked->operands[2];
    bool takes_back =
        text_equal(word->asked->verb->name, "undrain") || (value && text_equal(value, "default"));
    if (takes_back && is_in_directives(&word->directives, word->member)) {
        return CLI_DONE;
    }
    const char *names[MEMBERS_MAX];
    for (size_t i = 0; i < word->topology.member_count; i++) {
        names[i] = word->topology.members[i].config.name;
    }
    const char *nearest =
        text_nearest(word->member, names, word->topology.member_count, sizeof *names);
    return fail(CLI_USAGE, "%s has no member '%s'%s%s%s", word->cluster, word->member,
                nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* Fills `directives` from what was read; nothing there is as good as an empty record. */
static int read_directives(const struct word *word, const char *path,
                           const struct session_value *value, struct directives *ret_directives)
{
    struct codec_error error;
    *ret_directives = (struct directives){0};
    if (!value->data || directives_decode(value->data, value->len, ret_directives, &error)) {
        return CLI_DONE;
    }
    if (!asked_for(word->asked, OPTION_FORCE)) {
        return fail(CLI_USAGE, "%s cannot be read (%s), and is not overwritten without --force",
                    path, error.sentence);
    }
    warn("%s could not be read (%s), and is overwritten", path, error.sentence);
    *ret_directives = (struct directives){0};
    return CLI_DONE;
}

/* ---- compare and set --------------------------------------------------------------------------- */

enum outcome { WRITTEN, AGAIN, FAILED };

static enum outcome put(struct session *session, const char *path, const char *data,
                        const struct store_stat *stat, int *ret_code)
{
    struct store_op op = {.kind = stat ? STORE_SET : STORE_CREATE,
                          .path = path,
                          .data = data,
                          .len = strlen(data),
                          .version = stat ? stat->version : 0};
    enum store_rc rc = session_write(session, &op, 1);
    switch (rc) {
    case STORE_OK:
        return WRITTEN;
    case STORE_BAD_VERSION:
    case STORE_EXISTS:
    case STORE_NO_NODE:
    case STORE_UNKNOWN: /* the re-read tells; it ends the matter when the registry is away */
        return AGAIN;
    default:
        *ret_code = session_failed(session, rc, path);
        return FAILED;
    }
}

/* One turn: read, change, write unless it is so already. */
static enum outcome turn(struct session *session, struct word *word, change *apply,
                         const char *path, int *ret_code)
{
    struct session_value value = {0};
    enum outcome outcome = FAILED;
    char *before = NULL;
    char *after = NULL;
    enum store_rc rc = session_get(session, path, &value);
    if (rc != STORE_OK && rc != STORE_NO_NODE) {
        *ret_code = session_failed(session, rc, path);
        return FAILED;
    }
    *ret_code = read_directives(word, path, &value, &word->directives);
    if (*ret_code == CLI_DONE) {
        *ret_code = check_member(word);
    }
    if (*ret_code != CLI_DONE) {
        goto out;
    }
    before = directives_encode(&word->directives);
    *ret_code = apply(word);
    if (*ret_code != CLI_DONE) {
        goto out;
    }
    after = directives_encode(&word->directives);
    if (!before || !after) {
        *ret_code = fail(CLI_INTERNAL, "out of memory");
        goto out;
    }
    outcome = text_equal(before, after) && !asked_for(word->asked, OPTION_FORCE)
                  ? WRITTEN
                  : put(session, path, after, rc == STORE_OK ? &value.stat : NULL, ret_code);
out:
    free(before);
    free(after);
    session_value_release(&value);
    return outcome;
}

/* The directive stands; will anybody apply it? */
static void remark(struct session *session, const struct word *word)
{
    struct session_names probes = {0};
    if (word->remark[0]) {
        warn("%s", word->remark);
    }
    int now = 0;
    int quorum = quorum_of(word->topology.policy.witnesses);
    if (session_probes(session, word->asked, &probes) == STORE_OK &&
        session_witnesses(session, word->asked, word->cluster, &probes, &now) == STORE_OK &&
        now < quorum) {
        warn("%d of %d witnesses are present, quorum %d: it takes effect once there is a quorum",
             now, word->topology.policy.witnesses, quorum);
    }
    session_names_release(&probes);
}

static int steer_session(struct session *session, struct word *word, change *apply)
{
    char path[PATH_SIZE];
    path_directives(path, sizeof path, word->asked->root, word->cluster);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int code = session_topology(session, word->asked, word->cluster, &word->topology);
        if (code != CLI_DONE) {
            return code;
        }
        enum outcome outcome = turn(session, word, apply, path, &code);
        if (outcome == FAILED) {
            return code;
        }
        if (outcome == WRITTEN) {
            printf("%s\n", word->said);
            output_flush();
            remark(session, word);
            return CLI_DONE;
        }
    }
    return fail(CLI_INTERNAL, "%s is being written by others all the time; nothing was changed",
                path);
}

static int steer(const struct asked *asked, change *apply)
{
    static struct word word;
    word.asked = asked;
    word.cluster = asked->operands[0];
    word.member = asked->operand_count > 1 ? asked->operands[1] : "";
    if (!is_cluster_name(word.cluster) || (word.member[0] && !is_member_name(word.member))) {
        return CLI_USAGE;
    }
    struct session *session;
    int code = session_open(asked, &session);
    if (code == CLI_DONE) {
        code = steer_session(session, &word, apply);
        session_close(session);
    }
    return code;
}

/* ---- the verbs --------------------------------------------------------------------------------- */

int drain_run(const struct asked *asked)
{
    return steer(asked, add_drain);
}

int undrain_run(const struct asked *asked)
{
    return steer(asked, cut_drain);
}

int weight_run(const struct asked *asked)
{
    const char *value = asked->operands[2];
    int64_t weight;
    if (!text_equal(value, "default") && !text_parse_int(value, 0, WEIGHT_LIMIT, &weight)) {
        return fail(CLI_USAGE, "weight: '%s' is not a number in 0..%d, nor 'default'", value,
                    WEIGHT_LIMIT);
    }
    return steer(asked, set_weight);
}

int hold_run(const struct asked *asked)
{
    return steer(asked, set_hold);
}

int release_run(const struct asked *asked)
{
    return steer(asked, cut_hold);
}

int accept_run(const struct asked *asked)
{
    if (asked->registry) {
        return asked->operand_count == 0
                   ? registry_id_accept(asked)
                   : fail(CLI_USAGE,
                          "--registry is about the whole registry: name no cluster with it");
    }
    if (asked->operand_count < 2) {
        return fail(
            CLI_USAGE,
            "accept what? usage: roster accept CLUSTER MEMBER, or roster accept --registry OLD-ID");
    }
    return steer(asked, add_accept);
}
