/* roster watch: a line for every change, until interrupted.
 *
 *     libroster's callback thread --> print_change --> stdout
 *     main thread: signals, a reader that went away, new clusters, the first second
 *
 * A change is printed in the callback, so that only a lock and a write lie
 * between routing and the line. A reader that went away ends the program
 * quietly. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "registry/base/clock.h"
#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/client.h"
#include "watchers/cli/output.h"
#include "watchers/cli/view.h"

enum {
    FIRST_MS = 1000, /* how long the first answer may take before its lack is an answer */
    LIST_MS = 2000,  /* how often new clusters are looked for */
    LIST_WAIT_MS = 1500,
    GOODBYE_S = 3 /* a reader that has stopped reading cannot keep us from ending */
};

struct watch;

struct follower {
    struct watch *watch;
    char name[NAME_SIZE];
    struct roster_cluster *cluster;
    bool printed;               /* a change of it was */
    char primary[ADDRESS_SIZE]; /* --primary: the last line */
};

struct watch {
    const struct args *args;
    struct roster *roster;
    struct client *client; /* to look for new clusters; NULL when one was named */
    pthread_mutex_t lock;  /* around stdout, `over` and what the followers printed */
    int over_fd;           /* readable once `over` is set */
    int signal_fd;
    bool over; /* nothing can be written any more */
    struct follower *followers[CLUSTERS_MAX];
    size_t count;
};

/* ---- lines ----------------------------------------------------------------------------------- */

/* Under the lock, after a line. */
static void end_line(struct watch *watch)
{
    if (!output_flush()) {
        watch->over = true;
        eventfd_write(watch->over_fd, 1);
    }
}

static void print_primary(struct follower *follower, const char *address)
{
    if (!text_equal(follower->primary, address)) {
        text_copy(follower->primary, sizeof follower->primary, address);
        printf("%s\n", address);
        end_line(follower->watch);
    }
}

static void print_sentence(const struct follower *follower, const struct roster_change *change)
{
    char at[32];
    char address[ADDRESS_SIZE] = "no address to write to";
    struct roster_state state = {0};
    if (change->primary) {
        text_address(address, sizeof address, change->primary->host, change->primary->port);
    }
    text_time(at, sizeof at, change->routed_wall_ms);
    roster_state(follower->cluster, &state);
    const char *word = view_state_name(state.state);
    printf("%s %s; ", at, change->timeline);
    output_put(colour_of(word), "%s", word);
    printf(", %s; %s\n", address, change->why);
}

/* `address` is host and port in one, as before they were two keys; its readers still find it. */
static void put_address(struct json_writer *json, const struct roster_endpoint *endpoint)
{
    char address[ADDRESS_SIZE];
    json_writer_text(json, "host", endpoint ? endpoint->host : NULL);
    json_writer_amount(json, "port", endpoint ? endpoint->port : -1);
    json_writer_text(
        json, "address",
        endpoint ? text_address(address, sizeof address, endpoint->host, endpoint->port) : NULL);
}

static void put_step(struct json_writer *json, const struct roster_step *step)
{
    static const char *const actions[] = {
        [ROSTER_KEEP] = "keep", [ROSTER_DROP] = "drop", [ROSTER_DRAIN] = "drain"};
    json_writer_open(json, NULL, '{');
    json_writer_text(json, "action", actions[step->action]);
    json_writer_text(json, "name", step->endpoint.name);
    put_address(json, &step->endpoint);
    json_writer_text(json, "role", view_role_name(step->endpoint.role));
    json_writer_text(json, "health", view_health_name(step->endpoint.health));
    json_writer_close(json, '}');
}

static void print_json(const struct follower *follower, const struct roster_change *change)
{
    struct roster_state state = {0};
    struct json_writer json = {.to = stdout};
    roster_state(follower->cluster, &state);
    json_writer_open(&json, NULL, '{');
    json_writer_text(&json, "cluster", change->cluster);
    json_writer_text(&json, "state", view_state_name(state.state));
    json_writer_number(&json, "epoch", change->epoch);
    json_writer_text(&json, "primary", change->primary ? change->primary->name : NULL);
    put_address(&json, change->primary);
    json_writer_text(&json, "why", change->why);
    json_writer_time(&json, "seen_wall", change->evidence_wall_ms);
    json_writer_time(&json, "at_wall", change->verdict_wall_ms);
    json_writer_time(&json, "routed_wall", change->routed_wall_ms);
    /* the former names of seen_wall and at_wall */
    json_writer_time(&json, "evidence_wall", change->evidence_wall_ms);
    json_writer_time(&json, "verdict_wall", change->verdict_wall_ms);
    json_writer_open(&json, "plan", '[');
    for (size_t i = 0; i < change->plan_size; i++) {
        put_step(&json, &change->plan[i]);
    }
    json_writer_close(&json, ']');
    json_writer_close(&json, '}');
    printf("\n");
}

/* On libroster's thread. */
static void print_change(void *context, const struct roster_change *change)
{
    struct follower *follower = context;
    struct watch *watch = follower->watch;
    char address[ADDRESS_SIZE] = "-";
    pthread_mutex_lock(&watch->lock);
    follower->printed = true;
    if (watch->over) {
        /* the reader went away */
    } else if (has_option(watch->args, OPTION_PRIMARY)) {
        if (change->primary) {
            text_address(address, sizeof address, change->primary->host, change->primary->port);
        }
        print_primary(follower, address);
    } else {
        if (has_option(watch->args, OPTION_JSON)) {
            print_json(follower, change);
        } else {
            print_sentence(follower, change);
        }
        end_line(watch);
    }
    pthread_mutex_unlock(&watch->lock);
}

/* ---- what to follow -------------------------------------------------------------------------- */

static int follow(struct watch *watch, const char *name)
{
    assert(watch->count < CLUSTERS_MAX);
    struct follower *follower = calloc(1, sizeof *follower);
    if (!follower) {
        return fail(CLI_INTERNAL, "out of memory");
    }
    follower->watch = watch;
    text_copy(follower->name, sizeof follower->name, name);
    watch->followers[watch->count++] = follower;
    struct roster_subscription subscription = {
        .changed = print_change, .context = follower, .wait_ms = -1};
    /* the first callback waits until the follower knows its cluster */
    pthread_mutex_lock(&watch->lock);
    enum roster_status status =
        roster_subscribe(watch->roster, name, &subscription, &follower->cluster);
    pthread_mutex_unlock(&watch->lock);
    switch (status) {
    case ROSTER_OK:
    case ROSTER_UNREACHABLE:
    case ROSTER_NO_CLUSTER:
        return CLI_DONE;
    case ROSTER_INVALID:
        return fail(CLI_USAGE, "%s", roster_error());
    default:
        return fail(CLI_INTERNAL, "%s", roster_strerror(status));
    }
}

static bool is_followed(const struct watch *watch, const char *name)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (text_equal(watch->followers[i]->name, name)) {
            return true;
        }
    }
    return false;
}

/* New clusters; a registry that does not answer is tried again next time. */
static int look_for_clusters(struct watch *watch)
{
    char path[PATH_SIZE];
    struct client_names names = {0};
    int code = CLI_DONE;
    client_set_deadline(watch->client, LIST_WAIT_MS, watch->signal_fd);
    if (client_list(watch->client, path_clusters(path, sizeof path, watch->args->root), &names) !=
        STORE_OK) {
        return CLI_DONE;
    }
    for (size_t i = 0; i < names.count && code == CLI_DONE; i++) {
        if (text_is_name(names.names[i]) && !is_followed(watch, names.names[i]) &&
            watch->count < CLUSTERS_MAX) {
            code = follow(watch, names.names[i]);
        }
    }
    client_names_release(&names);
    return code;
}

/* The first second is over: which clusters are still unknown? */
static void print_unknown(struct watch *watch)
{
    if (watch->count == 0) {
        warn("no cluster is known yet; waiting");
    }
    pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; i < watch->count && !watch->over; i++) {
        struct follower *follower = watch->followers[i];
        if (follower->printed) {
            continue;
        }
        if (has_option(watch->args, OPTION_PRIMARY)) {
            print_primary(follower, "-");
        } else {
            struct roster_state state = {0};
            roster_state(follower->cluster, &state);
            warn("%s: %s; waiting", follower->name,
                 state.refused[0]  ? state.refused
                 : state.connected ? "no topology yet"
                                   : "the registry does not answer");
        }
    }
    pthread_mutex_unlock(&watch->lock);
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Waits until `until_ms` (monotonic). True: it is over, by a signal, a reader that left or a failed
 * write. */
static bool wait_until(struct watch *watch, int64_t until_ms)
{
    for (;;) {
        int64_t left_ms = until_ms - clock_mono_ms();
        if (left_ms <= 0) {
            return false;
        }
        struct pollfd fds[] = {
            {.fd = watch->signal_fd, .events = POLLIN},
            {.fd = watch->over_fd, .events = POLLIN},
            {.fd = STDOUT_FILENO, .events = 0}, /* errors and hang-ups are always reported */
        };
        if (poll(fds, 3, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX) > 0) {
            return true;
        }
    }
}

static int run(struct watch *watch)
{
    int code = watch->client ? look_for_clusters(watch) : follow(watch, watch->args->operands[0]);
    int64_t second_ms = clock_mono_ms() + FIRST_MS;
    if (code != CLI_DONE || wait_until(watch, second_ms)) {
        return code;
    }
    print_unknown(watch);
    while (code == CLI_DONE &&
           !wait_until(watch, watch->client ? clock_mono_ms() + LIST_MS : INT64_MAX)) {
        code = look_for_clusters(watch);
    }
    return code;
}

static void end_now(int signal_number)
{
    (void)signal_number;
    _exit(CLI_DONE);
}

/* Before any thread is made, so that all of them leave these signals to the descriptor. */
static bool catch_signals(struct watch *watch)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    signal(SIGALRM, end_now);
    return pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 &&
           (watch->signal_fd = signalfd(-1, &set, SFD_CLOEXEC)) >= 0 &&
           (watch->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) >= 0;
}

static int start(struct watch *watch)
{
    int code = CLI_DONE;
    if (watch->args->operand_count == 0) {
        code = client_open(watch->args, &watch->client);
    }
    return code == CLI_DONE ? open_roster(watch->args, &watch->roster) : code;
}

int watch_run(const struct args *args)
{
    static struct watch watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .signal_fd = -1, .over_fd = -1};
    watch.args = args;
    if (args->operand_count == 1 && !is_cluster_name(args->operands[0])) {
        return CLI_USAGE;
    }
    if (has_option(args, OPTION_PRIMARY) &&
        (args->operand_count == 0 || has_option(args, OPTION_JSON))) {
        return fail(CLI_USAGE, "--primary is for one cluster, and without --json");
    }
    if (!catch_signals(&watch)) {
        return fail(CLI_INTERNAL, "cannot wait for signals: %s", strerror(errno));
    }
    int code = start(&watch);
    if (code == CLI_DONE) {
        code = run(&watch);
    }
    alarm(GOODBYE_S);
    roster_close(watch.roster);
    client_close(watch.client);
    for (size_t i = 0; i < watch.count; i++) {
        free(watch.followers[i]);
    }
    close(watch.signal_fd);
    close(watch.over_fd);
    alarm(0);
    if (output_error() == EBADF) {
        /* standard output was never open: nobody is missing anything */
        output_forgive();
    }
    return code;
}
