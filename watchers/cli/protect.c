/* roster protect: who may do what in the whole tree, and whether that is as it should be.
 *
 *     a probe's file, or ROSTER_AUTH --> rules
 *     root, then what is below it: its list --(--apply)--> mended --> its children
 *
 * From the top: once a list is mended, nobody else can put something else below it. Every list that
 * is written leaves the right to change it with credentials that are in use, so that whatever
 * interrupts this can be mended by the same command; and nothing is written while a live probe has
 * other credentials than the lists will name. A list that is as wanted is not written. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/auth.h"
#include "registry/base/text.h"
#include "registry/config/config.h"
#include "registry/model/paths.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/client.h"
#include "watchers/cli/output.h"

enum { ATTEMPTS = 5, LIST_TEXT_SIZE = 2048 };

struct protection {
    struct args args; /* with what the probe's file says */
    struct config *config;
    struct access_rules rules;
    struct client *client;
    bool apply;
    size_t total, unwell, open, mended;
    /* of the znode that is looked at */
    struct access_list list, wanted;
    struct store_stat stat;
};

/* ---- by which rules -------------------------------------------------------------------------- */

static int take_config(struct protection *all)
{
    struct args *args = &all->args;
    all->config = config_load(args->config, stderr);
    if (!all->config) {
        return CLI_USAGE;
    }
    const struct registry_settings *registry = &all->config->registry;
    args->servers = args->servers ? args->servers : registry->servers;
    args->root = args->root ? args->root : registry->root;
    args->also_auth = registry->auth;
    config_access_rules(registry, &all->rules);
    return options_have_registry(args) ? CLI_DONE : CLI_USAGE;
}

static int take_rules(struct protection *all)
{
    char sentence[SENTENCE_SIZE];
    const char *auth = all->args.auth;
    if (auth && !auth_is_valid(auth, sentence, sizeof sentence)) {
        return fail(CLI_USAGE, "ROSTER_AUTH %s (%s)", sentence, AUTH_FORM);
    }
    if (all->args.config) {
        int code = take_config(all);
        if (code != CLI_DONE) {
            return code;
        }
    } else {
        access_rules_make(&all->rules, auth, NULL, NULL, NULL);
    }
    if (all->rules.probes.count == 0) {
        return fail(CLI_USAGE,
                    "without credentials there is nothing to protect with: set [registry] auth in "
                    "the probes' files and give one with --config, or set ROSTER_AUTH");
    }
    return CLI_DONE;
}

/* ---- nobody is locked out -------------------------------------------------------------------- */

static bool may_change_lists(const struct protection *all, const char *auth)
{
    char id[DIGEST_ID_SIZE];
    if (!auth || !auth[0]) {
        return false;
    }
    digest_id(auth, id);
    for (int kind = 0; kind < ACCESS_KINDS; kind++) {
        struct access_list list;
        access_want(&all->rules, (enum access_kind)kind, &list);
        if (!(access_of_id(&list, id) & MAY_ADMIN)) {
            return false;
        }
    }
    return true;
}

/* Nobody would find out that the hash of an operator is mistyped before it is too late. */
static int check_ourselves(const struct protection *all)
{
    if (may_change_lists(all, all->args.auth) || may_change_lists(all, all->args.also_auth)) {
        return CLI_DONE;
    }
    return fail(CLI_USAGE, "nothing was changed: ROSTER_AUTH has no operator's credentials, and "
                           "afterwards only theirs may change the lists");
}

static bool has_credentials_of_a_probe(const struct protection *all)
{
    for (size_t i = 0; i < all->rules.probes.count; i++) {
        if (access_of_id(&all->list, all->rules.probes.ids[i]) & MAY_WRITE) {
            return true;
        }
    }
    return false;
}

/* A probe's own znode shows which credentials it has: it made the list. */
static int check_probe(struct protection *all, const char *probe)
{
    char path[PATH_SIZE], list[LIST_TEXT_SIZE];
    enum store_rc rc = client_access(
        all->client, path_probe(path, sizeof path, all->args.root, probe), &all->list, &all->stat);
    if (rc == STORE_NO_NODE || (rc == STORE_OK && all->stat.owner == 0)) {
        return CLI_DONE; /* it went, or never was one */
    }
    if (rc != STORE_OK) {
        return client_failed(all->client, rc, path);
    }
    if (has_credentials_of_a_probe(all)) {
        return CLI_DONE;
    }
    access_print(&all->list, true, list, sizeof list);
    if (has_option(&all->args, OPTION_FORCE)) {
        warn("%s shows other credentials than those of the probes, or none: it is locked out (%s)",
             probe, list);
        return CLI_DONE;
    }
    return fail(CLI_USAGE,
                "nothing was changed: %s is live, shows other credentials than those of the "
                "probes, or none, and would be locked out (%s); set its [registry] auth first",
                probe, list);
}

static int check_probes(struct protection *all)
{
    struct client_names probes = {0};
    enum store_rc rc = client_probes(all->client, &all->args, &probes);
    int code = rc == STORE_OK ? CLI_DONE : client_failed(all->client, rc, all->args.root);
    for (size_t i = 0; code == CLI_DONE && i < probes.count; i++) {
        client_set_deadline(all->client, all->args.timeout_ms, -1);
        code = check_probe(all, probes.names[i]);
    }
    client_names_release(&probes);
    return code;
}

/* ---- one znode ------------------------------------------------------------------------------- */

static void print(const struct protection *all, enum colour colour, const char *word,
                  const char *path)
{
    char is[LIST_TEXT_SIZE], wanted[LIST_TEXT_SIZE];
    access_print(&all->list, false, is, sizeof is);
    access_print(&all->wanted, false, wanted, sizeof wanted);
    bool well = text_equal(word, "ok");
    bool whole = !well && text_equal(is, wanted); /* the same users with other passwords */
    output_put(colour, "%-7s", word);
    printf(" %s: %s", path, access_print(&all->list, whole, is, sizeof is));
    if (!well) {
        printf(" (wanted: %s)", access_print(&all->wanted, whole, wanted, sizeof wanted));
    }
    printf("\n");
}

static bool is_well(const struct protection *all)
{
    return access_equal(&all->list, &all->wanted);
}

/* Whatever comes of an attempt, what is there is read before the next. STORE_OK: it is as wanted,
 * or gone. */
static enum store_rc mend(struct protection *all, const char *path)
{
    enum store_rc rc = STORE_UNKNOWN;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        rc = client_protect(all->client, path, &all->wanted, all->stat.aversion);
        if (rc != STORE_BAD_VERSION && rc != STORE_UNKNOWN) {
            break;
        }
        rc = client_access(all->client, path, &all->list, &all->stat);
        if (rc != STORE_OK || is_well(all)) {
            break;
        }
    }
    return rc == STORE_NO_NODE ? STORE_OK : rc;
}

static void count_unwell(struct protection *all)
{
    all->unwell++;
    all->open += (access_of_anybody(&all->list) & ~(unsigned)MAY_READ) != 0;
}

static int mend_and_print(struct protection *all, const char *path)
{
    enum store_rc rc = mend(all, path);
    if (rc == STORE_UNKNOWN) {
        return client_unreachable(all->client);
    }
    if (rc == STORE_OK) {
        all->mended++;
        print(all, GOOD, "mended", path);
        return CLI_DONE;
    }
    count_unwell(all);
    print(all, BAD, "refused", path);
    warn("%s: %s", path,
         rc == STORE_DENIED ? "only who has the right \"a\" there may change it: give ROSTER_AUTH "
                              "of one of those"
                            : store_rc_names[rc]);
    return CLI_DONE;
}

/* *ret_gone: there is nothing below it to look at. */
static int look_at(struct protection *all, const char *path, bool *ret_gone)
{
    enum store_rc rc = client_access(all->client, path, &all->list, &all->stat);
    *ret_gone = rc == STORE_NO_NODE;
    if (rc == STORE_NO_NODE) {
        return CLI_DONE;
    }
    access_want(&all->rules, access_kind_of(all->args.root, path), &all->wanted);
    all->total++;
    if (rc == STORE_DENIED) {
        all->unwell++;
        warn("%s: its list is not shown to these credentials", path);
        return CLI_DONE;
    }
    if (rc != STORE_OK) {
        return client_failed(all->client, rc, path);
    }
    if (is_well(all)) {
        print(all, GOOD, "ok", path);
        return CLI_DONE;
    }
    if (all->apply) {
        return mend_and_print(all, path);
    }
    count_unwell(all);
    bool open = (access_of_anybody(&all->list) & ~(unsigned)MAY_READ) != 0;
    print(all, open ? BAD : DOUBTFUL, open ? "OPEN" : "differs", path);
    return CLI_DONE;
}

/* ---- the tree -------------------------------------------------------------------------------- */

static int walk(struct protection *all, const char *path)
{
    struct client_names names = {0};
    bool gone;
    client_set_deadline(all->client, all->args.timeout_ms, -1);
    int code = look_at(all, path, &gone);
    if (code != CLI_DONE || gone) {
        return code;
    }
    enum store_rc rc = client_list(all->client, path, &names);
    if (rc == STORE_DENIED) {
        warn("%s: what is below it is not shown to these credentials", path);
        all->unwell++;
    } else if (rc != STORE_OK && rc != STORE_NO_NODE) {
        code = client_failed(all->client, rc, path);
    }
    for (size_t i = 0; code == CLI_DONE && i < names.count; i++) {
        char child[PATH_SIZE];
        if (snprintf(child, sizeof child, "%s/%s", path, names.names[i]) < (int)sizeof child) {
            code = walk(all, child);
        } else {
            warn("%s: a name below it is too long to be looked at", path);
            all->unwell++;
        }
    }
    client_names_release(&names);
    return code;
}

static int summarize(const struct protection *all)
{
    if (all->total == 0 && client_lacks_chroot(&all->args)) {
        return CLI_USAGE;
    }
    if (all->total == 0) {
        return fail(CLI_USAGE, "there is no %s: nothing to protect", all->args.root);
    }
    printf("%zu znodes", all->total);
    if (all->mended > 0) {
        printf(", %zu mended", all->mended);
    }
    if (all->unwell == 0) {
        printf(", all as wanted\n");
    } else {
        printf(", %zu not as wanted, %zu of them open to anybody%s\n", all->unwell, all->open,
               all->apply ? "" : ": --apply mends them");
    }
    if (all->mended > 0 && !output_flush() && output_error() != EPIPE) {
        return fail(CLI_INTERNAL, "%zu znodes are mended, but its output could not be written: %s",
                    all->mended, strerror(output_error()));
    }
    return all->unwell == 0 ? CLI_DONE : CLI_UNPROTECTED;
}

/* So that nobody needs another program to learn an id. */
static void print_id(const char *auth)
{
    char id[DIGEST_ID_SIZE];
    if (auth && auth[0]) {
        printf("you     %s\n", digest_id(auth, id));
    }
}

static int protect(struct protection *all)
{
    print_id(all->args.auth);
    print_id(all->args.also_auth);
    int code = all->apply ? check_ourselves(all) : CLI_DONE;
    if (code == CLI_DONE) {
        code = client_open(&all->args, &all->client);
    }
    if (code == CLI_DONE && all->apply) {
        code = check_probes(all);
    }
    if (code == CLI_DONE) {
        code = walk(all, all->args.root);
    }
    client_close(all->client);
    return code == CLI_DONE ? summarize(all) : code;
}

int protect_run(const struct args *args)
{
    static struct protection all;
    all.args = *args;
    all.apply = has_option(args, OPTION_APPLY);
    int code = take_rules(&all);
    if (code == CLI_DONE) {
        code = protect(&all);
    }
    config_free(all.config);
    return code;
}
