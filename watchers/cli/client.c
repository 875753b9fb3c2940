#include "watchers/cli/client.h"
#include "watchers/cli/output.h"

#include <assert.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "registry/base/clock.h"
#include "registry/base/limits.h"
#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "registry/store/connect_string.h"
#include "registry/store/zk_chroot.h"

enum { POLL_MS = 100 };

struct client {
    struct store *store;
    const char *servers;
    int64_t deadline_ms;
    int cancel_fd;
    bool up;
    /* a write's outcome is not known, and nothing was read since */
    bool unsettled;
    uint64_t serial;             /* of the latest request: makes its tag */
    char trouble[SENTENCE_SIZE]; /* the reason for the latest lost or refused link; "" */
};

/* ---- life ------------------------------------------------------------------------------------ */

static void on_store_line(void *context, int severity, const char *line)
{
    (void)context;
    (void)severity;
    fprintf(stderr, "roster: %s\n", line);
}

int client_open(const struct args *args, struct client **ret_client)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client) {
        return fail(CLI_INTERNAL, "out of memory");
    }
    char sentence[SENTENCE_SIZE] = "";
    struct store_zk_options options = {
        .servers = args->servers,
        .session_timeout_ms = SESSION_TIMEOUT_MS,
        .auth = args->auth,
        .also_auth = args->also_auth,
        .log = has_option(args, OPTION_VERBOSE) ? on_store_line : NULL,
    };
    client->store = store_zk_new(&options, sentence, sizeof sentence);
    if (!client->store) {
        free(client);
        return fail(CLI_USAGE, "%s", sentence);
    }
    client->servers = args->servers;
    client_set_deadline(client, args->timeout_ms, -1);
    store_renew(client->store);
    *ret_client = client;
    return CLI_DONE;
}

void client_set_deadline(struct client *client, int64_t timeout_ms, int cancel_fd)
{
    client->deadline_ms = clock_mono_ms() + timeout_ms;
    client->cancel_fd = cancel_fd;
}

void client_close(struct client *client)
{
    if (client) {
        store_close(client->store);
        free(client);
    }
}

int client_unreachable(const struct client *client)
{
    if (client->unsettled) {
        return fail(CLI_UNREACHABLE,
                    "the registry at %s stopped answering; whether the change was written is not "
                    "known: look once it answers",
                    client->servers);
    }
    return unreachable(client->servers, client->trouble);
}

/* The store says nothing of names that are not found while others are. */
static void put_unresolved(const char *servers, char *to, size_t size)
{
    static struct connect_string parsed;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char sentence[SENTENCE_SIZE];
    struct text text;
    text_init(&text, to, size);
    if (!connect_string_parse(servers, &parsed, sentence, sizeof sentence)) {
        return;
    }
    for (size_t i = 0; i < parsed.count; i++) {
        struct addrinfo *found = NULL;
        int rc = getaddrinfo(parsed.entries[i].host, NULL, &hints, &found);
        if (rc == 0) {
            freeaddrinfo(found);
        } else {
            text_put(&text, "%s%s does not resolve (%s)", text.used ? ", " : "",
                     parsed.entries[i].host, gai_strerror(rc));
        }
    }
}

int unreachable(const char *servers, const char *trouble)
{
    char names[SENTENCE_SIZE] = "";
    if (!trouble[0]) {
        put_unresolved(servers, names, sizeof names);
        trouble = names;
    }
    return fail(CLI_UNREACHABLE,
                "the registry at %s cannot be reached%s%s; is it up, and are these its servers?",
                servers, trouble[0] ? ": " : "", trouble);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* The next event before the deadline. */
static bool next_event(struct client *client, struct store_event *ret_event)
{
    for (;;) {
        int64_t now_ms = clock_mono_ms();
        if (store_next(client->store, now_ms, ret_event)) {
            return true;
        }
        if (now_ms >= client->deadline_ms) {
            return false;
        }
        int64_t left_ms = client->deadline_ms - now_ms;
        struct pollfd fds[] = {{.fd = store_fd(client->store), .events = POLLIN},
                               {.fd = client->cancel_fd, .events = POLLIN}};
        /* in slices: the store notices a silent link only when it is called */
        poll(fds, 2, (int)(left_ms < POLL_MS ? left_ms : POLL_MS));
        if (fds[1].revents) {
            return false;
        }
    }
}

/* Events of the session, which answer no request. */
static void follow(struct client *client, const struct store_event *event)
{
    switch (event->kind) {
    case STORE_UP:
        client->up = true;
        store_sync(client->store, TAG_CALLER, "/"); /* tag of serial 0: nothing waits for it */
        break;
    case STORE_GONE:
    case STORE_DOWN:
        client->up = false;
        if (event->detail) {
            text_tame(client->trouble, sizeof client->trouble, event->detail);
        }
        if (event->kind == STORE_GONE) {
            store_renew(client->store);
        }
        break;
    case STORE_CHANGED:
    case STORE_ANSWER:
        break;
    }
}

static bool be_up(struct client *client)
{
    struct store_event event;
    while (!client->up) {
        if (!next_event(client, &event)) {
            return false;
        }
        follow(client, &event);
    }
    return true;
}

static uint64_t next_tag(struct client *client)
{
    return ++client->serial << 3 | TAG_CALLER;
}

static bool await(struct client *client, struct store_event *ret_event)
{
    uint64_t tag = client->serial << 3 | TAG_CALLER;
    while (next_event(client, ret_event)) {
        if (ret_event->kind == STORE_ANSWER && ret_event->tag == tag) {
            return true;
        }
        follow(client, ret_event);
    }
    return false;
}

/* ---- requests -------------------------------------------------------------------------------- */

void client_value_release(struct client_value *value)
{
    free(value->data);
    *value = (struct client_value){0};
}

enum store_rc client_get(struct client *client, const char *path, struct client_value *ret_value)
{
    struct store_event event;
    assert(!ret_value->data); /* or it would be lost */
    do {
        if (!be_up(client)) {
            return STORE_UNKNOWN;
        }
        store_get(client->store, next_tag(client), path, false);
        if (!await(client, &event)) {
            return STORE_UNKNOWN;
        }
    } while (event.rc == STORE_UNKNOWN);
    client->unsettled = false;
    if (event.rc != STORE_OK) {
        return event.rc;
    }
    struct client_value value = {.len = event.data ? event.len : 0, .stat = event.stat};
    if (event.data) {
        value.data = malloc(event.len + 1);
        if (!value.data) {
            return STORE_FAILED;
        }
        memcpy(value.data, event.data, event.len);
        value.data[event.len] = '\0';
    }
    *ret_value = value;
    return STORE_OK;
}

void client_names_release(struct client_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    *names = (struct client_names){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool copy_names(const struct store_event *event, struct client_names *ret_names)
{
    struct client_names names = {calloc(event->name_count + 1, sizeof *names.names), 0};
    for (; names.names && names.count < event->name_count; names.count++) {
        names.names[names.count] = strdup(event->names[names.count]);
        if (!names.names[names.count]) {
            client_names_release(&names);
        }
    }
    if (!names.names) {
        return false;
    }
    qsort(names.names, names.count, sizeof *names.names, compare_names);
    *ret_names = names;
    return true;
}

enum store_rc client_list(struct client *client, const char *path, struct client_names *ret_names)
{
    struct store_event event;
    assert(!ret_names->names); /* or they would be lost */
    do {
        if (!be_up(client)) {
            return STORE_UNKNOWN;
        }
        store_list(client->store, next_tag(client), path, false);
        if (!await(client, &event)) {
            return STORE_UNKNOWN;
        }
    } while (event.rc == STORE_UNKNOWN);
    client->unsettled = false;
    if (event.rc == STORE_OK && !copy_names(&event, ret_names)) {
        return STORE_FAILED;
    }
    return event.rc;
}

enum store_rc client_write(struct client *client, const struct store_op *ops, size_t n)
{
    struct store_event event;
    assert(n > 0);
    if (!be_up(client)) {
        return STORE_UNKNOWN;
    }
    store_write(client->store, next_tag(client), ops, n);
    enum store_rc rc = await(client, &event) ? event.rc : STORE_UNKNOWN;
    client->unsettled = rc == STORE_UNKNOWN;
    return rc;
}

enum store_rc client_access(struct client *client, const char *path, struct access_list *ret_list,
                            struct store_stat *ret_stat)
{
    struct store_event event;
    do {
        if (!be_up(client)) {
            return STORE_UNKNOWN;
        }
        store_access(client->store, next_tag(client), path);
        if (!await(client, &event)) {
            return STORE_UNKNOWN;
        }
    } while (event.rc == STORE_UNKNOWN);
    client->unsettled = false;
    if (event.rc == STORE_OK) {
        *ret_list = *event.access;
        *ret_stat = event.stat;
    }
    return event.rc;
}

enum store_rc client_protect(struct client *client, const char *path,
                             const struct access_list *list, int32_t aversion)
{
    struct store_event event;
    if (!be_up(client)) {
        return STORE_UNKNOWN;
    }
    store_protect(client->store, next_tag(client), path, list, aversion);
    enum store_rc rc = await(client, &event) ? event.rc : STORE_UNKNOWN;
    client->unsettled = rc == STORE_UNKNOWN;
    return rc;
}

int client_failed(const struct client *client, enum store_rc rc, const char *what)
{
    assert(rc != STORE_OK);
    switch (rc) {
    case STORE_UNKNOWN:
        return client_unreachable(client);
    case STORE_DENIED:
        return fail(
            CLI_USAGE,
            "%s: the registry's access list forbids it; set ROSTER_AUTH=digest:USER:PASSWORD",
            what);
    default:
        return fail(CLI_INTERNAL, "%s: the registry answers: %s", what, store_rc_names[rc]);
    }
}

/* ---- what several verbs read ----------------------------------------------------------------- */

bool client_lacks_chroot(const struct args *args)
{
    char sentence[SENTENCE_SIZE];
    struct store_zk_options options = {
        .servers = args->servers, .session_timeout_ms = SESSION_TIMEOUT_MS, .auth = args->auth};
    if (zk_chroot_ask(&options, args->timeout_ms, sentence, sizeof sentence) != CHROOT_MISSING) {
        return false;
    }
    fail(CLI_USAGE, "%s", sentence);
    return true;
}

int client_no_cluster(struct client *client, const struct args *args, const char *cluster)
{
    char path[PATH_SIZE];
    struct client_names names = {0};
    enum store_rc rc = client_list(client, path_clusters(path, sizeof path, args->root), &names);
    const char *nearest = rc == STORE_OK ? text_nearest(cluster, (const char *const *)names.names,
                                                        names.count, sizeof *names.names)
                                         : NULL;
    if (rc == STORE_NO_NODE && client_lacks_chroot(args)) {
        return CLI_USAGE;
    }
    if (rc == STORE_OK && client_names_hold(&names, cluster)) {
        fail(CLI_NO_CLUSTER,
             "%s has no topology yet: it waits for a first quorum of its witnesses; see `roster "
             "explain %s`",
             cluster, cluster);
    } else if (nearest) {
        fail(CLI_NO_CLUSTER, "there is no cluster '%s'; did you mean '%s'?", cluster, nearest);
    } else {
        fail(CLI_NO_CLUSTER,
             "there is no cluster '%s' below %s; `roster list` shows those there are", cluster,
             args->root);
    }
    client_names_release(&names);
    return CLI_NO_CLUSTER;
}

bool client_decode(const struct client_value *value, const char *cluster,
                   struct topology *ret_topology, struct codec_error *error)
{
    if (!topology_decode(value->data ? value->data : "", value->len, ret_topology, error)) {
        return false;
    }
    if (!text_equal(ret_topology->cluster, cluster)) {
        snprintf(error->sentence, sizeof error->sentence, "cluster: it is that of '%s'",
                 ret_topology->cluster);
        return false;
    }
    return true;
}

int client_topology(struct client *client, const struct args *args, const char *cluster,
                    struct topology *ret_topology)
{
    char path[PATH_SIZE];
    struct client_value value = {0};
    enum store_rc rc =
        client_get(client, path_topology(path, sizeof path, args->root, cluster), &value);
    if (rc == STORE_NO_NODE) {
        return client_no_cluster(client, args, cluster);
    }
    if (rc != STORE_OK) {
        return client_failed(client, rc, path);
    }
    struct codec_error error;
    bool readable = client_decode(&value, cluster, ret_topology, &error);
    client_value_release(&value);
    return readable ? CLI_DONE
                    : fail(CLI_NO_CLUSTER, "%s holds no topology that can be read: %s", path,
                           error.sentence);
}

bool client_names_hold(const struct client_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (text_equal(names->names[i], name)) {
            return true;
        }
    }
    return false;
}

enum store_rc client_past(struct client *client, const struct args *args,
                          char sentence[SENTENCE_SIZE])
{
    struct client_value value = {0};
    struct codec_error error;
    struct registry_id id;
    enum store_rc rc = client_get(client, args->root, &value);
    sentence[0] = '\0';
    if (rc == STORE_OK &&
        registry_id_decode(value.data ? value.data : "", value.len, &id, &error) &&
        id.went_back.known > 0) {
        past_phrase(sentence, SENTENCE_SIZE, id.registry, id.went_back.found, id.went_back.known);
    }
    client_value_release(&value);
    return rc == STORE_NO_NODE || rc == STORE_DENIED ? STORE_OK : rc;
}

enum store_rc client_probes(struct client *client, const struct args *args,
                            struct client_names *ret_names)
{
    char path[PATH_SIZE];
    enum store_rc rc = client_list(client, path_probes(path, sizeof path, args->root), ret_names);
    if (rc == STORE_NO_NODE) {
        *ret_names = (struct client_names){0};
        return STORE_OK;
    }
    return rc;
}

enum store_rc client_witnesses(struct client *client, const struct args *args, const char *cluster,
                               const struct client_names *probes, int *ret_count)
{
    char path[PATH_SIZE];
    struct client_names reports = {0};
    enum store_rc rc =
        client_list(client, path_reports(path, sizeof path, args->root, cluster), &reports);
    if (rc != STORE_OK && rc != STORE_NO_NODE) {
        return rc;
    }
    *ret_count = 0;
    for (size_t i = 0; i < reports.count; i++) {
        *ret_count += client_names_hold(probes, reports.names[i]);
    }
    client_names_release(&reports);
    return STORE_OK;
}
