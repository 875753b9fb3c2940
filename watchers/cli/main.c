/* roster(1): the table of verbs, and what all of them share. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/base/limits.h"
#include "registry/base/text.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/output.h"

static int help_run(const struct args *args);
static int version_run(const struct args *args);

#define BIT OPTION_BIT
#define STEERING (BIT(OPTION_TIMEOUT) | BIT(OPTION_FORCE))

const struct verb verbs[] = {
    {"list", "", 0, 0, BIT(OPTION_TIMEOUT), "all clusters, one line each", NULL, list_run},
    {"show", "CLUSTER", 1, 1, BIT(OPTION_TIMEOUT) | BIT(OPTION_CACHE) | BIT(OPTION_JSON),
     "a cluster: its state, its members, who replicates from whom",
     "While the registry is away, what was seen last is shown with its age.", show_run},
    {"watch", "[CLUSTER]", 0, 1, BIT(OPTION_CACHE) | BIT(OPTION_JSON) | BIT(OPTION_PRIMARY),
     "follow a cluster, or all: a line for every change, until interrupted",
     "Waits for a cluster or a registry that is not there yet, and reconnects for ever. With "
     "--primary\n"
     "the first line comes as soon as the cluster is known, or is - after a second without "
     "knowledge.",
     watch_run},
    {"route", "CLUSTER write|read", 2, 2,
     BIT(OPTION_TIMEOUT) | BIT(OPTION_CACHE) | BIT(OPTION_COUNT) | BIT(OPTION_POLICY) |
         BIT(OPTION_MAX_LAG) | BIT(OPTION_MAX_LAG_BYTES) | BIT(OPTION_MAX_AGE) |
         BIT(OPTION_STRICT) | BIT(OPTION_FALLBACK),
     "where a compute node would go: name, host:port and role", NULL, route_run},
    {"explain", "CLUSTER", 1, 1, BIT(OPTION_TIMEOUT),
     "what every probe sees of every member, and the rule that decided", NULL, explain_run},
    {"drain", "CLUSTER MEMBER", 2, 2, STEERING,
     "no new work for a member; it never becomes primary", NULL, drain_run},
    {"undrain", "CLUSTER MEMBER", 2, 2, STEERING, "the member takes work again", NULL, undrain_run},
    {"weight", "CLUSTER MEMBER N|default", 3, 3, STEERING,
     "its share of weighted reads, 0..1000; default: as configured", NULL, weight_run},
    {"hold", "CLUSTER [MEMBER]", 1, 2, STEERING,
     "freeze the writer at a member; the present primary when none is named", NULL, hold_run},
    {"release", "CLUSTER", 1, 1, STEERING, "end the hold", NULL, release_run},
    {"accept", "CLUSTER MEMBER", 0, 2, STEERING | BIT(OPTION_REGISTRY),
     "vouch for a fenced member, or for a restored registry",
     "`roster accept CLUSTER MEMBER` clears the fence of a former primary, as of the present "
     "epoch.\n"
     "`roster accept --registry OLD-ID` gives a restored or rebuilt registry a new identity that\n"
     "supersedes OLD-ID, so that all who follow the old one follow this one.",
     accept_run},
    {"forget", "CLUSTER", 1, 1, BIT(OPTION_TIMEOUT),
     "remove a cluster that no probe reports any more", NULL, forget_run},
    {"help", "[VERB]", 0, 1, 0, "this, or more of one verb", NULL, help_run},
    {"version", "", 0, 0, 0, "the version", NULL, version_run},
    {NULL, NULL, 0, 0, 0, NULL, NULL, NULL},
};
const size_t verb_count = sizeof verbs / sizeof *verbs - 1;

static void say(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static void say(const char *format, va_list args)
{
    char sentence[2 * SENTENCE_SIZE];
    vsnprintf(sentence, sizeof sentence, format, args);
    fprintf(stderr, "roster: %s\n", sentence);
}

int fail(enum cli_exit code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
    return (int)code;
}

void warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

static bool is_name(const char *word, const char *whose)
{
    if (text_is_name(word)) {
        return true;
    }
    fail(CLI_USAGE, "'%s' is not the name of a %s: letters, digits and ._- (1 to 63 of them)", word,
         whose);
    return false;
}

bool is_cluster_name(const char *name)
{
    return is_name(name, "cluster");
}

bool is_member_name(const char *name)
{
    return is_name(name, "member");
}

/* What goes on, to those who args; what goes wrong, also to those who watch. The other verbs end
 * with a sentence of their own. */
static void on_store_line(void *context, enum roster_log_level level, const char *line)
{
    static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};
    const struct args *args = context;
    if (has_option(args, OPTION_VERBOSE) ||
        (level <= ROSTER_LOG_WARNING && args->verb->run == watch_run)) {
        fprintf(stderr, "roster: %s: %s\n", levels[level], line);
    }
}

int open_roster(const struct args *args, struct roster **ret_roster)
{
    struct roster_options options = {
        .servers = args->servers,
        .root = args->root,
        .auth = args->auth,
        .cache_dir = args->cache,
        .log = on_store_line,
        .log_context = (void *)(uintptr_t)args,
    };
    enum roster_status status = roster_open(&options, ret_roster);
    if (status == ROSTER_OK) {
        return CLI_DONE;
    }
    return fail(status == ROSTER_INVALID ? CLI_USAGE : CLI_INTERNAL, "%s",
                status == ROSTER_INVALID ? roster_error() : roster_strerror(status));
}

static int help_run(const struct args *args)
{
    if (args->operand_count == 0) {
        options_help(NULL);
        return CLI_DONE;
    }
    for (const struct verb *verb = verbs; verb->name; verb++) {
        if (text_equal(args->operands[0], verb->name)) {
            options_help(verb);
            return CLI_DONE;
        }
    }
    const char *nearest =
        text_nearest(args->operands[0], &verbs[0].name, verb_count, sizeof *verbs);
    return fail(CLI_USAGE, "there is no verb '%s'%s%s%s", args->operands[0],
                nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int version_run(const struct args *args)
{
    (void)args;
    printf("roster %s\n", roster_version());
    return CLI_DONE;
}

/* A closed standard descriptor would be given to the next socket, which would then be written to.
 */
static void keep_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd) {
            _exit(CLI_INTERNAL);
        }
    }
}

/* What was printed is only done when it was written. A reader that went away has what it wanted. */
static int finish(int code)
{
    if (output_flush() || output_error() == EPIPE) {
        return code;
    }
    return code ? code
                : fail(CLI_INTERNAL, "cannot write to standard output: %s",
                       strerror(output_error()));
}

int main(int argc, char **argv)
{
    keep_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    output_init();
    struct args args;
    int code = options_parse(argc, argv, &args);
    if (code != CLI_DONE) {
        return code;
    }
    if (has_option(&args, OPTION_HELP)) {
        options_help(args.verb);
        return finish(CLI_DONE);
    }
    if (has_option(&args, OPTION_VERSION)) {
        return finish(version_run(&args));
    }
    return finish(args.verb->run(&args));
}
