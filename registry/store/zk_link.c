#include "registry/store/zk_link.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

/* ---- callbacks: on the client's threads, they only hand over --------------------------------- */

static void put_event(struct zk_link *link, int kind, int state, const char *path)
{
    size_t size = strlen(path) + 1;
    struct zk_event *event = calloc(1, sizeof *event + size);
    if (!event) {
        queue_lose(link->queue);
        return;
    }
    event->item.kind = kind;
    event->state = state;
    memcpy(event->path, path, size);
    queue_put(link->queue, &event->item);
}

static void watched(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    bool of_session = type == ZOO_SESSION_EVENT;
    (void)handle;
    put_event(context, of_session ? ITEM_SESSION : ITEM_CHANGED, state,
              of_session || !path ? "" : path);
}

/* On the I/O thread; a refusal also comes as a session event. */
static void authenticated(int rc, const void *context)
{
    (void)rc;
    (void)context;
}

static void scouted(int rc, const struct Stat *stat, const void *context)
{
    struct zk_link *link = (struct zk_link *)(uintptr_t)context;
    (void)stat;
    link->scout_rc = rc;
    queue_put(link->queue, &link->scout);
}

/* "... errno=111(Connection refused): ..." */
static void on_line(void *context, int severity, const char *line)
{
    struct zk_link *link = context;
    const char *at = strstr(line, "errno=");
    if (at) {
        atomic_store(&link->error, atoi(at + strlen("errno=")));
    }
    if (link->log) {
        link->log(link->log_ctx, severity, line);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The client's threads inherit the mask: no signal of the program is ever handled on them. */
static zhandle_t *open_handle(struct zk_link *link, const struct zk_link_options *options)
{
    sigset_t all, before;
    clientid_t id = {0};
    static_assert(sizeof id.passwd == sizeof options->identity->secret, "a secret fits");
    if (options->identity) {
        id.client_id = options->identity->session;
        memcpy(id.passwd, options->identity->secret, sizeof id.passwd);
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    zhandle_t *handle = zookeeper_init2(options->addresses, watched, options->timeout_ms,
                                        options->identity ? &id : NULL, link, ZOO_NO_LOG_CLIENTENV,
                                        link->handle_log.callback);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return handle;
}

/* It is remembered, and sent before all else at each connect. */
static void show_auth(struct zk_link *link, const char *auth)
{
    const char *colon = strchr(auth, ':');
    if (colon) {
        char scheme[SECRET_SIZE];
        snprintf(scheme, sizeof scheme, "%.*s", (int)(colon - auth), auth);
        zoo_add_auth(link->handle, scheme, colon + 1, (int)strlen(colon + 1), authenticated, NULL);
    }
}

bool zk_link_open(struct zk_link *link, const struct zk_link_options *options)
{
    assert(!link->handle);
    atomic_store(&link->error, 0);
    link->scout.kind = ITEM_SCOUT;
    link->handle_log = zk_log_claim(on_line, link, !link->log);
    link->handle = open_handle(link, options);
    if (!link->handle) {
        int error = errno;
        zk_log_release(&link->handle_log);
        errno = error;
        return false;
    }
    zoo_set_servers_resolution_delay(link->handle, -1);
    show_auth(link, options->auth);
    show_auth(link, options->also_auth);
    return true;
}

/* Its events; what it answered stays. */
static void purge(struct zk_link *link)
{
    struct queue_item *kept = NULL, **tail = &kept, *item;
    while ((item = queue_take(link->queue))) {
        if (item->kind == ITEM_ANSWER) {
            *tail = item;
            tail = &item->next;
        } else if (item->kind != ITEM_SCOUT) {
            free(item);
        }
    }
    *tail = NULL;
    while ((item = kept)) {
        kept = item->next;
        queue_put(link->queue, item);
    }
}

void zk_link_close(struct zk_link *link)
{
    if (link->handle) {
        zookeeper_close(link->handle);
        link->handle = NULL;
        zk_log_release(&link->handle_log);
        purge(link);
        link->scouting = false;
    }
}

/* ---- questions ------------------------------------------------------------------------------- */

void zk_link_scout(struct zk_link *link)
{
    if (link->scouting) {
        return;
    }
    link->scouting = true;
    if (zoo_aexists(link->handle, "/", 0, scouted, link) != ZOK) {
        link->scout_rc = ZCONNECTIONLOSS;
        queue_put(link->queue, &link->scout);
    }
}

bool zk_link_take_scout(struct zk_link *link)
{
    link->scouting = false;
    return link->scout_rc == ZCONNECTIONLOSS || link->scout_rc == ZOPERATIONTIMEOUT ||
           link->scout_rc == ZSESSIONMOVED;
}

bool zk_link_is_connected(const struct zk_link *link)
{
    return link->handle && zoo_state(link->handle) == ZOO_CONNECTED_STATE;
}

void zk_link_identity(const struct zk_link *link, struct zk_identity *ret_identity)
{
    const clientid_t *id = zoo_client_id(link->handle);
    ret_identity->session = id->client_id;
    memcpy(ret_identity->secret, id->passwd, sizeof ret_identity->secret);
}

int zk_link_timeout_ms(const struct zk_link *link)
{
    return zoo_recv_timeout(link->handle);
}
