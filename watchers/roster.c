/* The handles of roster.h: their options, their threads, and what fork does to
 * them. cluster.c has the rest of roster.h. */
#include <roster.h>

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/auth.h"
#include "registry/base/clock.h"
#include "registry/base/entropy.h"
#include "registry/base/limits.h"
#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "watchers/cache.h"
#include "watchers/internal.h"

/* ---- sentences ------------------------------------------------------------------------------- */

static __thread char last_error[SENTENCE_SIZE];

enum roster_status roster_refuse(enum roster_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(last_error, sizeof last_error, format, args);
    va_end(args);
    return status;
}

const char *roster_error(void)
{
    return last_error;
}

const char *roster_strerror(enum roster_status status)
{
    switch (status) {
    case ROSTER_OK:
        return "ok";
    case ROSTER_INVALID:
        return "an argument is wrong";
    case ROSTER_NO_MEMORY:
        return "memory ran out";
    case ROSTER_UNREACHABLE:
        return "the registry was not reached in time";
    case ROSTER_NO_CLUSTER:
        return "no topology of that cluster was ever seen";
    case ROSTER_NO_ENDPOINT:
        return "there is no endpoint to route to";
    case ROSTER_TOO_OLD:
        return "what is known is older than the request allows";
    case ROSTER_INTERNAL:
        return "an internal error";
    }
    return "an unknown status";
}

const char *roster_version(void)
{
    return ROSTER_VERSION;
}

/* ---- all handles, and fork ------------------------------------------------------------------- */

static pthread_mutex_t handles_lock = PTHREAD_MUTEX_INITIALIZER;
static struct roster *handles;
static pthread_once_t fork_hooks = PTHREAD_ONCE_INIT;

static void before_fork(void)
{
    pthread_mutex_lock(&handles_lock);
    for (struct roster *roster = handles; roster; roster = roster->next) {
        thread_lock(&roster->loop);
        thread_lock(&roster->notifier.thread);
        thread_lock(&roster->cache_writer);
    }
    snapshot_before_fork();
}

static void unlock_all(void)
{
    for (struct roster *roster = handles; roster; roster = roster->next) {
        thread_unlock(&roster->cache_writer);
        thread_unlock(&roster->notifier.thread);
        thread_unlock(&roster->loop);
    }
    pthread_mutex_unlock(&handles_lock);
}

static void after_fork_parent(void)
{
    snapshot_after_fork_parent();
    unlock_all();
}

static void after_fork_child(void)
{
    snapshot_after_fork_child();
    for (struct roster *roster = handles; roster; roster = roster->next) {
        atomic_store(&roster->forked, true);
        for (struct roster_cluster *cluster = roster->clusters; cluster; cluster = cluster->next) {
            /* so that the children of one parent do not all start at one endpoint */
            atomic_fetch_add(&cluster->routing.turn, entropy_draw() >> 8);
            routing_leave(&cluster->routing); /* the session is the parent's */
        }
    }
    unlock_all();
}

static void install_fork_hooks(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

static void enlist(struct roster *roster)
{
    pthread_mutex_lock(&handles_lock);
    roster->next = handles;
    if (handles) {
        handles->prev = roster;
    }
    handles = roster;
    pthread_mutex_unlock(&handles_lock);
}

static void delist(struct roster *roster)
{
    pthread_mutex_lock(&handles_lock);
    *(roster->prev ? &roster->prev->next : &handles) = roster->next;
    if (roster->next) {
        roster->next->prev = roster->prev;
    }
    pthread_mutex_unlock(&handles_lock);
}

/* ---- a handle -------------------------------------------------------------------------------- */

static enum roster_status check_auth(const char *auth)
{
    char sentence[SENTENCE_SIZE];
    if (!auth_is_valid(auth, sentence, sizeof sentence)) {
        return roster_refuse(ROSTER_INVALID, "auth: %s (%s)", sentence, AUTH_FORM);
    }
    return ROSTER_OK;
}

static enum roster_status check_options(const struct roster_options *options)
{
    char sentence[SENTENCE_SIZE];
    if (!options->servers || !options->servers[0]) {
        return roster_refuse(ROSTER_INVALID,
                             "servers: required, host:port[,host:port...][/chroot]");
    }
    if (!store_zk_servers_ok(options->servers, sentence, sizeof sentence)) {
        return roster_refuse(ROSTER_INVALID, "servers: %s", sentence);
    }
    if (options->root && !path_is_root(options->root)) {
        return roster_refuse(ROSTER_INVALID, "root: \"%.200s\" is not an absolute znode path",
                             options->root);
    }
    if (options->session_timeout_ms && (options->session_timeout_ms < SESSION_TIMEOUT_LOW_MS ||
                                        options->session_timeout_ms > SESSION_TIMEOUT_HIGH_MS)) {
        return roster_refuse(ROSTER_INVALID, "session_timeout_ms: %u is not in %d..%d",
                             options->session_timeout_ms, SESSION_TIMEOUT_LOW_MS,
                             SESSION_TIMEOUT_HIGH_MS);
    }
    if (options->cache_dir && !cache_check_dir(options->cache_dir, sentence, sizeof sentence)) {
        return roster_refuse(ROSTER_INVALID, "cache_dir: %s: %s", options->cache_dir, sentence);
    }
    return options->auth ? check_auth(options->auth) : ROSTER_OK;
}

static void log_of_store(void *context, int severity, const char *line)
{
    (void)severity; /* the client logs each attempt to connect as an error */
    notifier_log(context, ROSTER_LOG_DEBUG, "zookeeper: %s", line);
}

static void ring(void *context)
{
    loop_wake(context);
}

static enum roster_status make_store(struct roster *roster, const struct roster_options *options)
{
    char sentence[SENTENCE_SIZE] = "memory ran out";
    struct store_zk_options of_store = {.servers = options->servers,
                                        .session_timeout_ms = options->session_timeout_ms
                                                                  ? options->session_timeout_ms
                                                                  : SESSION_TIMEOUT_MS,
                                        .auth = options->auth,
                                        .log = options->log ? log_of_store : NULL,
                                        .log_ctx = roster,
                                        .ring = ring,
                                        .ring_ctx = roster};
    roster->store = store_zk_new(&of_store, sentence, sizeof sentence);
    if (!roster->store) {
        return roster_refuse(ROSTER_INVALID, "%s", sentence);
    }
    roster->watcher = watcher_new(roster->store, roster->root, entropy_draw());
    if (!roster->watcher) {
        return roster_refuse(ROSTER_NO_MEMORY, "memory ran out");
    }
    if (options->auth) {
        watcher_guard(roster->watcher);
    }
    return ROSTER_OK;
}

static enum roster_status fill(struct roster *roster, const struct roster_options *options)
{
    text_copy(roster->root, sizeof roster->root, options->root ? options->root : "/roster");
    roster->log = options->log;
    roster->log_context = options->log_context;
    roster->opened_ms = clock_mono_ms();
    atomic_store(&roster->limit_now_ms, INT64_MAX);
    if (options->cache_dir && !(roster->cache_dir = strdup(options->cache_dir))) {
        return roster_refuse(ROSTER_NO_MEMORY, "memory ran out");
    }
    return make_store(roster, options);
}

static enum roster_status start_threads(struct roster *roster)
{
    if ((roster->log && !notifier_start(roster)) ||
        (roster->cache_dir && !cache_writer_start(roster)) || !loop_start(roster)) {
        cache_writer_stop(roster);
        notifier_stop(roster);
        return roster_refuse(ROSTER_INTERNAL, "a thread could not be made: %s", strerror(errno));
    }
    return ROSTER_OK;
}

static struct roster *new_handle(void)
{
    struct roster *roster = calloc(1, sizeof *roster);
    if (!roster) {
        return NULL;
    }
    bool loop = thread_init(&roster->loop);
    bool notifier = thread_init(&roster->notifier.thread);
    bool cache_writer = thread_init(&roster->cache_writer);
    assert(loop && notifier && cache_writer); /* on Linux they allocate nothing */
    return roster;
}

enum roster_status roster_open(const struct roster_options *options, struct roster **ret_roster)
{
    if (!ret_roster) {
        return roster_refuse(ROSTER_INVALID, "ret_roster: required");
    }
    *ret_roster = NULL;
    if (!options) {
        return roster_refuse(ROSTER_INVALID, "options: required");
    }
    enum roster_status status = check_options(options);
    if (status != ROSTER_OK) {
        return status;
    }
    pthread_once(&fork_hooks, install_fork_hooks);
    struct roster *roster = new_handle();
    if (!roster) {
        return roster_refuse(ROSTER_NO_MEMORY, "memory ran out");
    }
    enlist(roster); /* before there are threads whose locks a fork must hold */
    status = fill(roster, options);
    if (status == ROSTER_OK) {
        status = start_threads(roster);
    }
    if (status != ROSTER_OK) {
        store_close(roster->store);
        watcher_free(roster->watcher);
        roster_free(roster);
        return status;
    }
    *ret_roster = roster;
    return ROSTER_OK;
}

static void free_clusters(struct roster *roster)
{
    while (roster->clusters) {
        struct roster_cluster *cluster = roster->clusters;
        roster->clusters = cluster->next;
        routing_release(&cluster->routing);
        free(cluster->cached);
        free(cluster);
    }
}

void roster_free(struct roster *roster)
{
    delist(roster);
    free_clusters(roster);
    thread_release(&roster->loop);
    thread_release(&roster->notifier.thread);
    thread_release(&roster->cache_writer);
    free(roster->cache_dir);
    free(roster);
}

void roster_close(struct roster *roster)
{
    if (!roster) {
        return;
    }
    if (atomic_load(&roster->forked)) {
        /* What the parent's threads were doing at the fork is unknown: what they own stays as it
         * is, reachable from the list. */
        free_clusters(roster);
        return;
    }
    if (notifier_is_self(roster)) {
        notifier_log(roster, ROSTER_LOG_ERROR, "roster_close was called from a callback: ignored");
        return;
    }
    loop_stop(roster);
    cache_writer_stop(roster);
    notifier_stop(roster);
    if (loop_leave(roster)) {
        roster_free(roster);
    }
}
