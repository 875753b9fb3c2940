/* The table of verbs: a row here, a file beside, and a paragraph in roster(1) make a verb. */
#include <stdio.h>

#include "registry/base/text.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/output.h"

static int help_run(const struct args *args);
static int version_run(const struct args *args);

#define BIT OPTION_BIT
#define CHANGES (BIT(OPTION_TIMEOUT) | BIT(OPTION_FORCE) | BIT(OPTION_WAIT))

const struct verb verbs[] = {
    {.name = "list",
     .operands = "",
     .options = BIT(OPTION_TIMEOUT),
     .summary = "all clusters, one line each",
     .run = list_run},
    {.name = "show",
     .operands = "CLUSTER",
     .least = 1,
     .most = 1,
     .options = BIT(OPTION_TIMEOUT) | BIT(OPTION_CACHE) | BIT(OPTION_JSON),
     .summary = "a cluster: its state, its members, who replicates from whom",
     .details = "While the registry is away, what was seen last is shown with its age.",
     .run = show_run},
    {.name = "watch",
     .operands = "[CLUSTER]",
     .most = 1,
     .options = BIT(OPTION_CACHE) | BIT(OPTION_JSON) | BIT(OPTION_PRIMARY),
     .summary = "follow a cluster, or all: a line for every change, until interrupted",
     .details =
         "Waits for a cluster or a registry that does not exist yet, and reconnects for ever.\n"
         "With --primary the first line comes as soon as the cluster is known; after a second\n"
         "without knowledge it is -.",
     .run = watch_run},
    {.name = "route",
     .operands = "CLUSTER write|read",
     .least = 2,
     .most = 2,
     .options = BIT(OPTION_TIMEOUT) | BIT(OPTION_CACHE) | BIT(OPTION_COUNT) | BIT(OPTION_POLICY) |
                BIT(OPTION_MAX_LAG) | BIT(OPTION_MAX_LAG_BYTES) | BIT(OPTION_MAX_AGE) |
                BIT(OPTION_STRICT) | BIT(OPTION_FALLBACK),
     .summary = "where a compute node would go: name, host:port and role",
     .run = route_run},
    {.name = "explain",
     .operands = "CLUSTER",
     .least = 1,
     .most = 1,
     .options = BIT(OPTION_TIMEOUT),
     .summary = "what every probe sees of every member, and the rule that decided",
     .run = explain_run},
    {.name = "drain",
     .operands = "CLUSTER MEMBER",
     .least = 2,
     .most = 2,
     .options = CHANGES,
     .summary = "no new work for a member; it never becomes primary",
     .run = drain_run},
    {.name = "undrain",
     .operands = "CLUSTER MEMBER",
     .least = 2,
     .most = 2,
     .options = CHANGES,
     .summary = "the member takes work again",
     .run = undrain_run},
    {.name = "weight",
     .operands = "CLUSTER MEMBER N|default",
     .least = 3,
     .most = 3,
     .options = CHANGES,
     .summary = "its share of weighted reads, 0..1000; default: as configured",
     .run = weight_run},
    {.name = "hold",
     .operands = "CLUSTER [MEMBER]",
     .least = 1,
     .most = 2,
     .options = CHANGES,
     .summary = "freeze the writer at a member; the present primary when none is named",
     .run = hold_run},
    {.name = "release",
     .operands = "CLUSTER",
     .least = 1,
     .most = 1,
     .options = CHANGES,
     .summary = "end the hold",
     .run = release_run},
    {.name = "accept",
     .operands = "CLUSTER MEMBER",
     .most = 2,
     .options = CHANGES | BIT(OPTION_REPLACE) | BIT(OPTION_REGISTRY),
     .summary = "vouch for a member as the primary, or for a restored registry",
     .details =
         "`roster accept CLUSTER MEMBER` makes a member that claims the primary, as of the "
         "present\n"
         "epoch, and ends its fence. It waits for a verdict that has taken the word and says what\n"
         "became of it. `roster accept --registry OLD-ID` gives a restored or rebuilt registry a "
         "new\n"
         "identity that supersedes OLD-ID, so that all who follow the old one follow this one.",
     .run = accept_run},
    {.name = "forget",
     .operands = "CLUSTER",
     .least = 1,
     .most = 1,
     .options = BIT(OPTION_TIMEOUT),
     .summary = "remove a cluster that no probe reports any more",
     .run = forget_run},
    {.name = "protect",
     .operands = "",
     .options = BIT(OPTION_TIMEOUT) | BIT(OPTION_CONFIG) | BIT(OPTION_APPLY) | BIT(OPTION_FORCE),
     .summary = "who may do what with each znode; mend it with --apply",
     .details = "By the roles of a probe's file, or, without --config, everything for ROSTER_AUTH "
                "and\nreading for everybody. Exits with 6 while a list is not as it should be.",
     .run = protect_run},
    {.name = "help",
     .operands = "[VERB]",
     .most = 1,
     .summary = "this, or the details of a verb",
     .run = help_run,
     .local = true},
    {.name = "version",
     .operands = "",
     .summary = "the version",
     .run = version_run,
     .local = true},
    {0},
};

const struct verb *verb_find(const char *name)
{
    const struct verb *end = verbs;
    for (; end->name; end++) {
        if (text_equal(name, end->name)) {
            return end;
        }
    }
    const char *nearest = text_nearest(name, &verbs[0].name, (size_t)(end - verbs), sizeof *verbs);
    if (nearest) {
        fail(CLI_USAGE, "there is no verb '%s'; did you mean '%s'?", name, nearest);
    } else {
        fail(CLI_USAGE, "there is no verb '%s'; `roster help` lists them", name);
    }
    return NULL;
}

static int help_run(const struct args *args)
{
    const struct verb *verb = args->operand_count ? verb_find(args->operands[0]) : NULL;
    if (args->operand_count && !verb) {
        return CLI_USAGE;
    }
    options_help(verb);
    return CLI_DONE;
}

static int version_run(const struct args *args)
{
    (void)args;
    printf("roster %s\n", roster_version());
    return CLI_DONE;
}
