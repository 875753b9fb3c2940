/* The command line: one table of options; the table of verbs has which verb takes
 * which. Options come before or after the verb and its operands; "--" ends them.
 * What is not understood is refused with a sentence, which has the nearest name
 * that exists. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/limits.h"
#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "registry/store/store.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/output.h"

static_assert(OPTIONS <= 32, "a set of options fits a uint32_t");

enum { TIMEOUT_MS = 5000, WAIT_MS = 10000, WAIT_MAX_S = 86400, COUNT_MAX = 1000000000 };

#define COMMON                                                                                     \
    (OPTION_BIT(OPTION_SERVERS) | OPTION_BIT(OPTION_ROOT) | OPTION_BIT(OPTION_VERBOSE) |           \
     OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION))

struct option_row {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* what it takes; NULL: nothing */
    const char *meaning;
};

static const struct option_row rows[OPTIONS] = {
    [OPTION_SERVERS] = {"servers", 'z', "LIST",
                        "the registry: host:port[,host:port...][/chroot]; else $ROSTER_SERVERS"},
    [OPTION_ROOT] = {"root", 'r', "PATH",
                     "where roster is kept in it; else $ROSTER_ROOT, else /roster"},
    [OPTION_TIMEOUT] = {"timeout", 't', "DURATION", "how long to wait for the registry (5s)"},
    [OPTION_CACHE] =
        {"cache", 0, "DIR",
         "a directory of your own that keeps the last good answers; else $ROSTER_CACHE"},
    [OPTION_JSON] = {"json", 0, NULL, "print JSON, one object per line"},
    [OPTION_PRIMARY] = {"primary", 0, NULL,
                        "print host:port of the primary, or - for none, and nothing else"},
    [OPTION_COUNT] = {"count", 'n', "N", "how many times to route (1)"},
    [OPTION_POLICY] = {"policy", 0, "POLICY",
                       "how reads choose: round-robin, random or weighted (round-robin)"},
    [OPTION_MAX_LAG] = {"max-lag", 0, "DURATION",
                        "reads: only secondaries whose lag is known and within"},
    [OPTION_MAX_LAG_BYTES] = {"max-lag-bytes", 0, "SIZE", "likewise, by distance: 64k, 1MiB"},
    [OPTION_MAX_AGE] = {"max-age", 0, "DURATION", "refuse to answer from older knowledge"},
    [OPTION_STRICT] = {"strict", 0, NULL, "reads: none rather than one beyond the limits"},
    [OPTION_FALLBACK] = {"fallback", 0, NULL, "reads go to the primary when there is no secondary"},
    [OPTION_FORCE] = {"force", 0, NULL,
                      "overwrite directives that cannot be read; protect against live probes"},
    [OPTION_WAIT] = {"wait", 0, "SECONDS",
                     "how long to wait for a verdict that has taken the word (10); 0: not at all"},
    [OPTION_REPLACE] = {"replace", 0, NULL,
                        "also in the place of a primary that is up, writable and followed"},
    [OPTION_REGISTRY] = {"registry", 0, "OLD-ID",
                         "take this registry for the one of that identity"},
    [OPTION_CONFIG] = {"config", 'c', "FILE",
                       "a probe's file: its [registry] says where, and who may do what"},
    [OPTION_APPLY] = {"apply", 0, NULL, "mend what is not as it should be"},
    [OPTION_VERBOSE] = {"verbose", 'v', NULL, "log on stderr what happens meanwhile"},
    [OPTION_HELP] = {"help", 'h', NULL, "this"},
    [OPTION_VERSION] = {"version", 'V', NULL, "the version"},
};

static const char *const policies[] = {[ROSTER_ROUND_ROBIN] = "round-robin",
                                       [ROSTER_RANDOM] = "random",
                                       [ROSTER_WEIGHTED] = "weighted"};
enum { POLICIES = sizeof policies / sizeof *policies };

/* ---- help ------------------------------------------------------------------------------------ */

static void print_option(enum option option)
{
    assert(option < OPTIONS && rows[option].name);
    const struct option_row *row = &rows[option];
    char left[64];
    struct text text;
    text_init(&text, left, sizeof left);
    text_put(&text, row->letter ? "-%c, " : "    ", row->letter);
    text_put(&text, "--%s", row->name);
    if (row->value) {
        text_put(&text, " %s", row->value);
    }
    printf("  %-27s %s\n", left, row->meaning);
}

static void print_options(uint32_t options)
{
    for (int option = 0; option < OPTIONS; option++) {
        if (options & OPTION_BIT(option)) {
            print_option((enum option)option);
        }
    }
}

static void print_verbs(void)
{
    for (const struct verb *verb = verbs; verb->name; verb++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", verb->name, verb->operands[0] ? " " : "",
                 verb->operands);
        printf("  %-27s %s\n", left, verb->summary);
    }
}

void options_help(const struct verb *verb)
{
    if (!verb) {
        printf("usage: roster [OPTION...] VERB [OPERAND...]\n\nlearn which database server to talk "
               "to, and steer it\n\n");
        print_verbs();
        printf("\n");
        print_options(COMMON);
        printf("\n`roster help VERB` has more of one; roster(1) has all.\n");
        return;
    }
    printf("usage: roster %s%s%s [OPTION...]\n\n%s\n", verb->name, verb->operands[0] ? " " : "",
           verb->operands, verb->summary);
    if (verb->details) {
        printf("\n%s\n", verb->details);
    }
    printf("\n");
    print_options(verb->options | COMMON);
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool take_duration(enum option option, const char *value, int64_t *ret_ms)
{
    int64_t ms;
    if (!text_parse_duration(value, &ms) || ms <= 0) {
        fail(CLI_USAGE, "--%s: '%s' is not a duration above zero (like 500ms, 5s, 1m)",
             rows[option].name, value);
        return false;
    }
    *ret_ms = ms;
    return true;
}

/* A number of seconds, or a duration. */
static bool take_wait(const char *value, int64_t *ret_ms)
{
    int64_t seconds;
    if (text_parse_int(value, 0, WAIT_MAX_S, &seconds)) {
        *ret_ms = seconds * 1000;
        return true;
    }
    if (text_parse_duration(value, ret_ms) && *ret_ms >= 0) {
        return true;
    }
    fail(CLI_USAGE, "--wait: '%s' is not a number of seconds (like 0, 10 or 500ms)", value);
    return false;
}

static bool take_policy(const char *value, enum roster_policy *ret_policy)
{
    for (int i = 0; i < POLICIES; i++) {
        if (text_equal(value, policies[i])) {
            *ret_policy = (enum roster_policy)i;
            return true;
        }
    }
    const char *nearest = text_nearest(value, policies, POLICIES, sizeof *policies);
    fail(CLI_USAGE, "--policy: '%s' is not round-robin, random or weighted%s%s%s", value,
         nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    return false;
}

static bool take_value(struct args *args, enum option option, const char *value)
{
    switch (option) {
    case OPTION_SERVERS:
        args->servers = value;
        return true;
    case OPTION_ROOT:
        args->root = value;
        return true;
    case OPTION_CACHE:
        args->cache = value;
        return true;
    case OPTION_REGISTRY:
        args->registry = value;
        return true;
    case OPTION_CONFIG:
        args->config = value;
        return true;
    case OPTION_TIMEOUT:
        return take_duration(option, value, &args->timeout_ms);
    case OPTION_WAIT:
        return take_wait(value, &args->wait_ms);
    case OPTION_MAX_AGE:
        return take_duration(option, value, &args->request.max_age_ms);
    case OPTION_MAX_LAG:
        return take_duration(option, value, &args->request.max_lag_ms);
    case OPTION_MAX_LAG_BYTES:
        if (!text_parse_size(value, &args->request.max_lag_bytes) ||
            args->request.max_lag_bytes <= 0) {
            fail(CLI_USAGE,
                 "--max-lag-bytes: '%s' is not a size above zero (like 65536, 64k, 1MiB)", value);
            return false;
        }
        return true;
    case OPTION_COUNT:
        if (!text_parse_int(value, 1, COUNT_MAX, &args->count)) {
            fail(CLI_USAGE, "--count: '%s' is not a number in 1..%d", value, COUNT_MAX);
            return false;
        }
        return true;
    case OPTION_POLICY:
        return take_policy(value, &args->request.policy);
    case OPTION_STRICT:
        args->request.strict = 1;
        return true;
    case OPTION_FALLBACK:
        args->request.fallback = 1;
        return true;
    default:
        return true; /* a switch: `given` has it */
    }
}

/* ---- arguments ------------------------------------------------------------------------------- */

static enum option find_long(const char *name, size_t length)
{
    for (int option = 0; option < OPTIONS; option++) {
        if (strlen(rows[option].name) == length && strncmp(rows[option].name, name, length) == 0) {
            return (enum option)option;
        }
    }
    return OPTIONS;
}

static enum option find_letter(char letter)
{
    for (int option = 0; option < OPTIONS; option++) {
        if (rows[option].letter && rows[option].letter == letter) {
            return (enum option)option;
        }
    }
    return OPTIONS;
}

static bool unknown_long(const char *name, size_t length)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const char *nearest = text_nearest(word, &rows[0].name, OPTIONS, sizeof *rows);
    if (nearest) {
        fail(CLI_USAGE, "there is no option --%s; did you mean --%s?", word, nearest);
    } else {
        fail(CLI_USAGE, "there is no option --%s; `roster help` lists them", word);
    }
    return false;
}

/* An option at argv[*at]; moves *at over a value that is an argument of its own. */
static bool take_option(struct args *args, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    const char *value = NULL;
    enum option option;
    if (word[1] == '-') {
        size_t length = strcspn(word + 2, "=");
        option = find_long(word + 2, length);
        if (option == OPTIONS) {
            return unknown_long(word + 2, length);
        }
        value = word[2 + length] ? word + 3 + length : NULL;
    } else {
        option = find_letter(word[1]);
        if (option == OPTIONS) {
            fail(CLI_USAGE, "there is no option -%c; `roster help` lists them", word[1]);
            return false;
        }
        value = word[2] ? word + 2 : NULL;
    }
    const struct option_row *row = &rows[option];
    if (!row->value && value) {
        fail(CLI_USAGE, "--%s takes no value", row->name);
        return false;
    }
    if (row->value && !value) {
        if (*at + 1 >= argc) {
            fail(CLI_USAGE, "--%s needs a %s: %s", row->name, row->value, row->meaning);
            return false;
        }
        value = argv[++*at];
    }
    args->given |= OPTION_BIT(option);
    return take_value(args, option, value);
}

static bool take_operand(struct args *args, const char *word)
{
    if (args->verb) {
        if (args->operand_count == OPERANDS_MAX) {
            fail(CLI_USAGE, "'%s' is one word too many; usage: roster %s %s", word,
                 args->verb->name, args->verb->operands);
            return false;
        }
        args->operands[args->operand_count++] = word;
        return true;
    }
    args->verb = verb_find(word);
    return args->verb != NULL;
}

static bool take_words(struct args *args, int argc, char **argv)
{
    bool options_end = false;
    for (int at = 1; at < argc; at++) {
        const char *word = argv[at];
        bool is_option = !options_end && word[0] == '-' && word[1];
        if (is_option && text_equal(word, "--")) {
            options_end = true;
        } else if (is_option ? !take_option(args, argc, argv, &at) : !take_operand(args, word)) {
            return false;
        }
    }
    return true;
}

/* ---- names ----------------------------------------------------------------------------------- */

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

/* ---- the whole ------------------------------------------------------------------------------- */

static bool fits_verb(const struct args *args)
{
    const struct verb *verb = args->verb;
    uint32_t foreign = args->given & ~(verb->options | COMMON);
    for (int option = 0; option < OPTIONS; option++) {
        if (foreign & OPTION_BIT(option)) {
            fail(CLI_USAGE, "%s has no option --%s; see `roster help %s`", verb->name,
                 rows[option].name, verb->name);
            return false;
        }
    }
    if (args->operand_count < verb->least || args->operand_count > verb->most) {
        bool few = args->operand_count < verb->least;
        fail(CLI_USAGE, "%s; usage: roster %s%s%s",
             few ? "something is missing" : "that is one word too many", verb->name,
             verb->operands[0] ? " " : "", verb->operands);
        return false;
    }
    return true;
}

static const char *from_environment(const char *variable)
{
    const char *value = getenv(variable);
    return value && value[0] ? value : NULL;
}

bool options_have_registry(const struct args *args)
{
    char sentence[SENTENCE_SIZE];
    if (!args->servers) {
        fail(CLI_USAGE, "which registry? give -z HOST:PORT[,...] or set ROSTER_SERVERS");
    } else if (!store_zk_servers_ok(args->servers, sentence, sizeof sentence)) {
        fail(CLI_USAGE, "servers: %s", sentence);
    } else if (!path_is_root(args->root)) {
        fail(CLI_USAGE, "root: '%s' is not a path like /roster", args->root);
    } else {
        return true;
    }
    return false;
}

/* What a probe's file says is not taken from the environment. */
static bool complete(struct args *args)
{
    if (!args->config) {
        args->servers = args->servers ? args->servers : from_environment("ROSTER_SERVERS");
        args->root = args->root ? args->root : from_environment("ROSTER_ROOT");
        args->root = args->root ? args->root : "/roster";
    }
    args->cache = args->cache ? args->cache : from_environment("ROSTER_CACHE");
    args->auth = from_environment("ROSTER_AUTH");
    args->timeout_ms = args->timeout_ms ? args->timeout_ms : TIMEOUT_MS;
    args->count = args->count ? args->count : 1;
    return args->config || options_have_registry(args);
}

int options_parse(int argc, char **argv, struct args *ret_args)
{
    *ret_args = (struct args){.wait_ms = WAIT_MS};
    if (!take_words(ret_args, argc, argv)) {
        return CLI_USAGE;
    }
    if (has_option(ret_args, OPTION_HELP) || has_option(ret_args, OPTION_VERSION)) {
        return CLI_DONE;
    }
    if (!ret_args->verb) {
        return fail(CLI_USAGE, "what is to be done? `roster help` lists the verbs");
    }
    if (!fits_verb(ret_args) || (!ret_args->verb->local && !complete(ret_args))) {
        return CLI_USAGE;
    }
    return CLI_DONE;
}
