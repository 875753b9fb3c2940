#include "watchers/cli/client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "registry/base/limits.h"
#include "registry/base/text.h"
#include "registry/model/paths.h"

enum { POLL_MS = 100 };

struct session {
    struct store *store;
    const char *servers;
    int64_t deadline_ms;
    int cancel_fd;
    bool up;
    /* a write's outcome is not known, and nothing was read since */
    bool unsettled;
    uint64_t serial;             /* of the latest request: makes its tag */
    char trouble[SENTENCE_SIZE]; /* what the store said last of a lost or refused link */
};

/* ---- life -------------------------------------------------------------------------------------- */

static void on_store_line(void *context, int severity, const char *line)
{
    (void)context;
    (void)severity;
    fprintf(stderr, "roster: %s\n", line);
}

int session_open(const struct asked *asked, struct session **ret_session)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session) {
        return fail(CLI_INTERNAL, "out of memory");
    }
    char sentence[SENTENCE_SIZE] = "";
    struct store_zk_options options = {
        .servers = asked->servers,
        .session_timeout_ms = SESSION_TIMEOUT_MS,
        .auth = asked->auth,
        .log = asked_for(asked, OPTION_VERBOSE) ? on_store_line : NULL,
    };
    session->store = store_zk_new(&options, sentence, sizeof sentence);
    if (!session->store) {
        free(session);
        return fail(CLI_USAGE, "%s", sentence);
    }
    session->servers = asked->servers;
    session_grant(session, asked->timeout_ms, -1);
    store_renew(session->store);
    *ret_session = session;
    return CLI_DONE;
}

void session_grant(struct session *session, int64_t timeout_ms, int cancel_fd)
{
    session->deadline_ms = clock_mono_ms() + timeout_ms;
    session->cancel_fd = cancel_fd;
}

void session_close(struct session *session)
{
    if (session) {
        store_close(session->store);
        free(session);
    }
}

int session_unreachable(const struct session *session)
{
    if (session->unsettled) {
        return fail(CLI_UNREACHABLE,
                    "the registry at %s stopped answering; whether the change was written is not "
                    "known: look once it answers",
                    session->servers);
    }
    return fail(CLI_UNREACHABLE,
                "the registry at %s cannot be reached%s%s; is it up, and are these its servers?",
                session->servers, session->trouble[0] ? ": " : "", session->trouble);
}

/* ---- waiting ----------------------------------------------------------------------------------- */

/* The next event before the deadline. */
static bool next_event(struct session *session, struct store_event *ret_event)
{
    for (;;) {
        int64_t now_ms = clock_mono_ms();
        if (store_next(session->store, now_ms, ret_event)) {
            return true;
        }
        if (now_ms >= session->deadline_ms) {
            return false;
        }
        int64_t left_ms = session->deadline_ms - now_ms;
        struct pollfd fds[] = {{.fd = store_fd(session->store), .events = POLLIN},
                               {.fd = session->cancel_fd, .events = POLLIN}};
        /* in slices: the store notices silence only when called */
        poll(fds, 2, (int)(left_ms < POLL_MS ? left_ms : POLL_MS));
        if (fds[1].revents) {
            return false;
        }
    }
}

/* What concerns the session and no request. */
static void follow(struct session *session, const struct store_event *event)
{
    switch (event->kind) {
    case STORE_UP:
        session->up = true;
        store_sync(session->store, TAG_CALLER, "/"); /* tag of serial 0: nobody waits for it */
        break;
    case STORE_GONE:
    case STORE_DOWN:
        session->up = false;
        if (event->detail) {
            text_tame(session->trouble, sizeof session->trouble, event->detail);
        }
        if (event->kind == STORE_GONE) {
            store_renew(session->store);
        }
        break;
    case STORE_CHANGED:
    case STORE_ANSWER:
        break;
    }
}

static bool be_up(struct session *session)
{
    struct store_event event;
    while (!session->up) {
        if (!next_event(session, &event)) {
            return false;
        }
        follow(session, &event);
    }
    return true;
}

static uint64_t next_tag(struct session *session)
{
    return ++session->serial << 3 | TAG_CALLER;
}

static bool await(struct session *session, struct store_event *ret_event)
{
    uint64_t tag = session->serial << 3 | TAG_CALLER;
    while (next_event(session, ret_event)) {
        if (ret_event->kind == STORE_ANSWER && ret_event->tag == tag) {
            return true;
        }
        follow(session, ret_event);
    }
    return false;
}

/* ---- requests ---------------------------------------------------------------------------------- */

void session_value_release(struct session_value *value)
{
    free(value->data);
    *value = (struct session_value){0};
}

enum store_rc session_get(struct session *session, const char *path,
                          struct session_value *ret_value)
{
    struct store_event event;
    do {
        if (!be_up(session)) {
            return STORE_UNKNOWN;
        }
        store_get(session->store, next_tag(session), path, false);
        if (!await(session, &event)) {
            return STORE_UNKNOWN;
        }
    } while (event.rc == STORE_UNKNOWN);
    session->unsettled = false;
    if (event.rc != STORE_OK) {
        return event.rc;
    }
    struct session_value value = {.len = event.data ? event.len : 0, .stat = event.stat};
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

void session_names_release(struct session_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    *names = (struct session_names){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool copy_names(const struct store_event *event, struct session_names *ret_names)
{
    struct session_names names = {calloc(event->name_count + 1, sizeof *names.names), 0};
    for (; names.names && names.count < event->name_count; names.count++) {
        names.names[names.count] = strdup(event->names[names.count]);
        if (!names.names[names.count]) {
            session_names_release(&names);
        }
    }
    if (!names.names) {
        return false;
    }
    qsort(names.names, names.count, sizeof *names.names, compare_names);
    *ret_names = names;
    return true;
}

enum store_rc session_list(struct session *session, const char *path,
                           struct session_names *ret_names)
{
    struct store_event event;
    do {
        if (!be_up(session)) {
            return STORE_UNKNOWN;
        }
        store_list(session->store, next_tag(session), path, false);
        if (!await(session, &event)) {
            return STORE_UNKNOWN;
        }
    } while (event.rc == STORE_UNKNOWN);
    session->unsettled = false;
    if (event.rc == STORE_OK && !copy_names(&event, ret_names)) {
        return STORE_FAILED;
    }
    return event.rc;
}

enum store_rc session_write(struct session *session, const struct store_op *ops, size_t n)
{
    struct store_event event;
    if (!be_up(session)) {
        return STORE_UNKNOWN;
    }
    store_write(session->store, next_tag(session), ops, n);
    enum store_rc rc = await(session, &event) ? event.rc : STORE_UNKNOWN;
    session->unsettled = rc == STORE_UNKNOWN;
    return rc;
}

int session_failed(const struct session *session, enum store_rc rc, const char *what)
{
    switch (rc) {
    case STORE_UNKNOWN:
        return session_unreachable(session);
    case STORE_DENIED:
        return fail(
            CLI_USAGE,
            "%s: the registry's access list forbids it; set ROSTER_AUTH=digest:USER:PASSWORD",
            what);
    default:
        return fail(CLI_INTERNAL, "%s: the registry says: %s", what, store_rc_names[rc]);
    }
}

/* ---- what several verbs read ------------------------------------------------------------------- */

int session_no_cluster(struct session *session, const struct asked *asked, const char *cluster)
{
    char path[PATH_SIZE];
    struct session_names names = {0};
    enum store_rc rc = session_list(session, path_clusters(path, sizeof path, asked->root), &names);
    const char *nearest = rc == STORE_OK ? text_nearest(cluster, (const char *const *)names.names,
                                                        names.count, sizeof *names.names)
                                         : NULL;
    if (rc == STORE_OK && session_names_hold(&names, cluster)) {
        fail(CLI_NO_CLUSTER,
             "%s has no topology yet: it waits for a first quorum of its witnesses; see `roster "
             "explain %s`",
             cluster, cluster);
    } else if (nearest) {
        fail(CLI_NO_CLUSTER, "there is no cluster '%s'; did you mean '%s'?", cluster, nearest);
    } else {
        fail(CLI_NO_CLUSTER,
             "there is no cluster '%s' below %s; `roster list` shows those there are", cluster,
             asked->root);
    }
    session_names_release(&names);
    return CLI_NO_CLUSTER;
}

bool session_decode(const struct session_value *value, const char *cluster,
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

int session_topology(struct session *session, const struct asked *asked, const char *cluster,
                     struct topology *ret_topology)
{
    char path[PATH_SIZE];
    struct session_value value = {0};
    enum store_rc rc =
        session_get(session, path_topology(path, sizeof path, asked->root, cluster), &value);
    if (rc == STORE_NO_NODE) {
        return session_no_cluster(session, asked, cluster);
    }
    if (rc != STORE_OK) {
        return session_failed(session, rc, path);
    }
    struct codec_error error;
    bool readable = session_decode(&value, cluster, ret_topology, &error);
    session_value_release(&value);
    return readable ? CLI_DONE
                    : fail(CLI_NO_CLUSTER, "%s holds no topology that can be read: %s", path,
                           error.sentence);
}

bool session_names_hold(const struct session_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (text_equal(names->names[i], name)) {
            return true;
        }
    }
    return false;
}

enum store_rc session_probes(struct session *session, const struct asked *asked,
                             struct session_names *ret_names)
{
    char path[PATH_SIZE];
    enum store_rc rc =
        session_list(session, path_probes(path, sizeof path, asked->root), ret_names);
    if (rc == STORE_NO_NODE) {
        *ret_names = (struct session_names){0};
        return STORE_OK;
    }
    return rc;
}

enum store_rc session_witnesses(struct session *session, const struct asked *asked,
                                const char *cluster, const struct session_names *probes,
                                int *ret_count)
{
    char path[PATH_SIZE];
    struct session_names reports = {0};
    enum store_rc rc =
        session_list(session, path_reports(path, sizeof path, asked->root, cluster), &reports);
    if (rc != STORE_OK && rc != STORE_NO_NODE) {
        return rc;
    }
    *ret_count = 0;
    for (size_t i = 0; i < reports.count; i++) {
        *ret_count += session_names_hold(probes, reports.names[i]);
    }
    session_names_release(&reports);
    return STORE_OK;
}
