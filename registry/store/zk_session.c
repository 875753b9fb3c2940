/* ZooKeeper behind store.h, by the C client's asynchronous requests.
 *
 *   our thread                          |  its threads (one for I/O, one for callbacks)
 *   store_get ... --> zk_requests ---------> zoo_aget ... --\
 *   store_next <---- queue <---------------------------------+-- watched()
 *
 * Callbacks only put what they are given into the queue; everything else
 * belongs to the one thread that uses the store. Requests and their answers
 * are zk_requests.c; here is the session's life.
 *
 * Rules for this client, each found by a failure:
 *  - It looks its servers' names up on every packet unless it is configured not to, so a
 *    stalled resolver kills healthy sessions: it gets literal addresses only.
 *  - It learns of an expired session from a server only: here a link that stays
 *    down for twice the timeout ends the session, and names are looked up anew.
 *  - The first watcher receives session events and all watches alike.
 *  - An answer that the link is down must not be given out before STORE_DOWN, or
 *    its receiver would ask again at once, for ever.
 *
 * Limits: its sockets are not close-on-exec; where it cannot have memory or a
 * thread it aborts, and a request without memory does here too; its handle
 * must not be used in a forked child. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#include "registry/base/auth.h"
#include "registry/base/clock.h"
#include "registry/base/entropy.h"
#include "registry/base/text.h"
#include "registry/store/connect_string.h"
#include "registry/store/queue.h"
#include "registry/store/store.h"
#include "registry/store/zk_acl.h"
#include "registry/store/zk_hosts.h"
#include "registry/store/zk_log.h"
#include "registry/store/zk_requests.h"

enum {
    SILENCE_FACTOR = 2,   /* link down for so many session timeouts: the session is over */
    PAUSE_FIRST_MS = 100, /* before another try when the last one came to nothing */
    PAUSE_MAX_MS = 5000,
    FINISH_MS = 200 /* how long store_close waits for requests under way */
};

/* ---- types ----------------------------------------------------------------------------------- */

enum { ITEM_SESSION = ITEM_ANSWER + 1, ITEM_CHANGED };

/* What no request asked for. */
struct event {
    struct queue_item item;
    int state;       /* ITEM_SESSION: a ZOO_..._STATE */
    int64_t session; /* ITEM_SESSION, when connected */
    char path[];     /* ITEM_CHANGED */
};

enum phase {
    PHASE_IDLE,   /* not begun */
    PHASE_TRYING, /* a handle, never connected */
    PHASE_UP,
    PHASE_DOWN,   /* was connected */
    PHASE_ENDING, /* the session is over; STORE_GONE is held back for a pause */
    PHASE_GONE    /* STORE_GONE was given out: store_renew is due */
};

struct store_zk {
    struct store store;
    struct queue queue; /* shared with the client's threads; the rest is ours */
    /* options */
    struct connect_string servers;
    int timeout_ms;
    char auth[2][SECRET_SIZE];
    void (*log)(void *, int, const char *);
    void *log_ctx;
    struct zk_acls acls;
    /* the session */
    zhandle_t *handle;
    struct zk_log handle_log;
    enum phase phase;
    int64_t since_ms;    /* when the phase began; -1: at the next store_next */
    int64_t patience_ms; /* how long it may last, where that is limited */
    int64_t session;     /* the last one that was up; 0: none yet */
    unsigned failures;   /* sessions in a row that ended without an answered request */
    char detail[DETAIL_SIZE];
    struct zk_requests requests;
    struct queue_item *current; /* what the last event points into */
};

static struct store_zk *zk_of(struct store *store)
{
    return (struct store_zk *)(void *)store;
}

/* ---- callbacks: on the client's threads, they only hand over --------------------------------- */

static struct event *new_event(struct store_zk *zk, int kind, const char *path)
{
    size_t size = strlen(path) + 1;
    struct event *event = calloc(1, sizeof *event + size);
    if (!event) {
        queue_lose(&zk->queue);
        return NULL;
    }
    event->item.kind = kind;
    memcpy(event->path, path, size);
    return event;
}

static void watched(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    struct store_zk *zk = context;
    bool of_session = type == ZOO_SESSION_EVENT;
    struct event *event =
        new_event(zk, of_session ? ITEM_SESSION : ITEM_CHANGED, of_session || !path ? "" : path);
    if (event) {
        event->state = state;
        if (of_session && state == ZOO_CONNECTED_STATE) {
            event->session = zoo_client_id(handle)->client_id;
        }
        queue_put(&zk->queue, &event->item);
    }
}

/* On the I/O thread; a refusal also comes as a session event. */
static void authenticated(int rc, const void *context)
{
    (void)rc;
    (void)context;
}

/* ---- the end of a session, as reported to the caller ----------------------------------------- */

static bool has_session(const struct store_zk *zk)
{
    return zk->phase == PHASE_TRYING || zk->phase == PHASE_UP || zk->phase == PHASE_DOWN;
}

static void enter(struct store_zk *zk, enum phase phase, int64_t since_ms, int64_t patience_ms)
{
    assert(patience_ms >= 0);
    zk->phase = phase;
    zk->since_ms = since_ms;
    zk->patience_ms = patience_ms;
}

/* None before the first new try, then doubling, with jitter so that a fleet does not come in step.
 */
static int64_t pause_ms(const struct store_zk *zk)
{
    if (zk->failures == 0) {
        return 0;
    }
    unsigned doublings = zk->failures - 1 < 6 ? zk->failures - 1 : 6;
    int64_t ms = (int64_t)PAUSE_FIRST_MS << doublings;
    ms = ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
    return ms / 2 + (int64_t)(entropy_draw() % (uint64_t)(ms / 2 + 1));
}

static bool report_gone(struct store_zk *zk, struct store_event *ret_event)
{
    enter(zk, PHASE_GONE, -1, 0);
    zk->failures++;
    zk_requests_link_down(&zk->requests);
    *ret_event = (struct store_event){.kind = STORE_GONE, .detail = zk->detail};
    return true;
}

static bool report_down(struct store_zk *zk, struct store_event *ret_event)
{
    zk_requests_link_down(&zk->requests);
    *ret_event = (struct store_event){.kind = STORE_DOWN, .detail = zk->detail};
    return true;
}

/* The session is over. A caller that relies on it must know at once, even when the pause holds
 * STORE_GONE back. */
static bool end_later(struct store_zk *zk, int64_t now_ms, const char *why,
                      struct store_event *ret_event)
{
    bool was_up = zk->phase == PHASE_UP;
    text_tame(zk->detail, sizeof zk->detail, why);
    enter(zk, PHASE_ENDING, now_ms, pause_ms(zk));
    if (zk->patience_ms == 0) {
        return report_gone(zk, ret_event);
    }
    return was_up && report_down(zk, ret_event);
}

/* What is due by the clock alone. */
static bool next_by_clock(struct store_zk *zk, int64_t now_ms, struct store_event *ret_event)
{
    bool limited =
        zk->phase == PHASE_TRYING || zk->phase == PHASE_DOWN || zk->phase == PHASE_ENDING;
    if (!limited) {
        queue_sleep(&zk->queue, -1);
        return false;
    }
    if (zk->since_ms < 0) {
        zk->since_ms = now_ms;
    }
    int64_t left_ms = zk->since_ms + zk->patience_ms - now_ms;
    if (left_ms > 0) {
        queue_sleep(&zk->queue, left_ms);
        return false;
    }
    if (zk->phase != PHASE_ENDING) {
        char spell[32];
        snprintf(zk->detail, sizeof zk->detail, "no server of the registry was reached for %s",
                 text_duration(spell, sizeof spell, now_ms - zk->since_ms));
    }
    return report_gone(zk, ret_event);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void free_item(struct queue_item *item)
{
    if (item && item->kind == ITEM_ANSWER) {
        zk_request_free(item);
    } else {
        free(item);
    }
}

static bool next_answer(struct store_zk *zk, struct queue_item *item, struct store_event *ret_event)
{
    zk_requests_take(&zk->requests, item, ret_event);
    if (ret_event->rc != STORE_UNKNOWN) {
        zk->failures = 0;
    }
    return true;
}

static bool next_session(struct store_zk *zk, const struct event *event, int64_t now_ms,
                         struct store_event *ret_event)
{
    if (!has_session(zk)) {
        return false; /* of a session that is over */
    }
    if (event->state == ZOO_CONNECTED_STATE) {
        bool renewed = event->session != zk->session;
        enter(zk, PHASE_UP, now_ms, 0);
        zk->session = event->session;
        zk->requests.link = zk->handle;
        *ret_event =
            (struct store_event){.kind = STORE_UP, .session = event->session, .renewed = renewed};
        return true;
    }
    if (event->state == ZOO_EXPIRED_SESSION_STATE) {
        return end_later(zk, now_ms, "the session expired", ret_event);
    }
    if (event->state == ZOO_AUTH_FAILED_STATE) {
        return end_later(zk, now_ms, "the registry refused the auth given", ret_event);
    }
    if (zk->phase == PHASE_UP) {
        int64_t timeout_ms = zoo_recv_timeout(zk->handle); /* as negotiated */
        enter(zk, PHASE_DOWN, now_ms, SILENCE_FACTOR * timeout_ms);
        snprintf(zk->detail, sizeof zk->detail, "the link to the registry was lost");
        return report_down(zk, ret_event);
    }
    return false;
}

static bool next_of(struct store_zk *zk, struct queue_item *item, int64_t now_ms,
                    struct store_event *ret_event)
{
    switch (item->kind) {
    case ITEM_ANSWER:
        return next_answer(zk, item, ret_event);
    case ITEM_SESSION:
        return next_session(zk, (struct event *)(void *)item, now_ms, ret_event);
    case ITEM_CHANGED:
        *ret_event = (struct store_event){.kind = STORE_CHANGED,
                                          .path = ((struct event *)(void *)item)->path};
        return has_session(zk);
    }
    return false;
}

static bool zk_next(struct store *store, int64_t now_ms, struct store_event *ret_event)
{
    struct store_zk *zk = zk_of(store);
    if (queue_has_lost(&zk->queue) && has_session(zk) &&
        end_later(zk, now_ms, "out of memory", ret_event)) {
        return true;
    }
    do {
        free_item(zk->current);
        zk->current = queue_take(&zk->queue);
        if (!zk->current) {
            return next_by_clock(zk, now_ms, ret_event);
        }
    } while (!next_of(zk, zk->current, now_ms, ret_event));
    return true;
}

static void zk_get(struct store *store, uint64_t tag, const char *path, bool watch)
{
    zk_requests_get(&zk_of(store)->requests, tag, path, watch);
}

static void zk_list(struct store *store, uint64_t tag, const char *path, bool watch)
{
    zk_requests_list(&zk_of(store)->requests, tag, path, watch);
}

static void zk_sync(struct store *store, uint64_t tag, const char *path)
{
    zk_requests_sync(&zk_of(store)->requests, tag, path);
}

static void zk_write(struct store *store, uint64_t tag, const struct store_op *ops, size_t n)
{
    zk_requests_write(&zk_of(store)->requests, tag, ops, n);
}

static void zk_access(struct store *store, uint64_t tag, const char *path)
{
    zk_requests_access(&zk_of(store)->requests, tag, path);
}

static void zk_protect(struct store *store, uint64_t tag, const char *path,
                       const struct access_list *list, int32_t aversion)
{
    zk_requests_protect(&zk_of(store)->requests, tag, path, list, aversion);
}

static int zk_fd(const struct store *store)
{
    return queue_fd(&((const struct store_zk *)(const void *)store)->queue);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The client's threads inherit the mask: no signal of the program is ever handled on them. */
static zhandle_t *open_handle(struct store_zk *zk, const char *addresses)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    zhandle_t *handle = zookeeper_init2(addresses, watched, zk->timeout_ms, NULL, zk,
                                        ZOO_NO_LOG_CLIENTENV, zk->handle_log.callback);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return handle;
}

/* It is remembered, and sent before all else at each connect. */
static void show_auth(struct store_zk *zk, const char *auth)
{
    const char *colon = strchr(auth, ':');
    if (colon) {
        char scheme[SECRET_SIZE];
        snprintf(scheme, sizeof scheme, "%.*s", (int)(colon - auth), auth);
        zoo_add_auth(zk->handle, scheme, colon + 1, (int)strlen(colon + 1), authenticated, NULL);
    }
}

static bool begin_session(struct store_zk *zk)
{
    char addresses[ZK_HOSTS_SIZE];
    if (!zk_hosts_resolve(&zk->servers, addresses, sizeof addresses, zk->detail,
                          sizeof zk->detail)) {
        return false;
    }
    zk->handle_log = zk_log_claim(zk->log, zk->log_ctx);
    zk->handle = open_handle(zk, addresses);
    if (!zk->handle) {
        snprintf(zk->detail, sizeof zk->detail, "no session could be begun: %s", strerror(errno));
        zk_log_release(&zk->handle_log);
        return false;
    }
    zoo_set_servers_resolution_delay(zk->handle, -1);
    for (size_t i = 0; i < sizeof zk->auth / sizeof *zk->auth; i++) {
        show_auth(zk, zk->auth[i]);
    }
    return true;
}

/* Joins the client's threads: after it no callback runs, and what was not answered never will be.
 */
static void end_session(struct store_zk *zk)
{
    if (zk->handle) {
        zookeeper_close(zk->handle);
        zk->handle = NULL;
        zk_log_release(&zk->handle_log);
    }
}

/* Drop the former session's events; its answers stay, and are made up where they are missing. */
static void settle(struct store_zk *zk)
{
    struct queue_item *kept = NULL, **tail = &kept, *item;
    while ((item = queue_take(&zk->queue))) {
        if (item->kind == ITEM_ANSWER) {
            *tail = item;
            tail = &item->next;
        } else {
            free(item);
        }
    }
    *tail = NULL;
    while ((item = kept)) {
        kept = item->next;
        queue_put(&zk->queue, item);
    }
    zk_requests_settle(&zk->requests);
}

static void zk_renew(struct store *store)
{
    struct store_zk *zk = zk_of(store);
    end_session(zk);
    settle(zk);
    queue_has_lost(&zk->queue);
    if (begin_session(zk)) {
        enter(zk, PHASE_TRYING, -1, (int64_t)SILENCE_FACTOR * zk->timeout_ms);
    } else {
        enter(zk, PHASE_ENDING, -1, pause_ms(zk));
    }
    queue_ring(&zk->queue); /* so that store_next is called and sets since_ms */
}

/* Requests under way get a moment: a withdrawal may be among them, and what is outstanding at its
 * close the client leaks. */
static void finish_requests(struct store_zk *zk)
{
    int64_t until_ms = clock_mono_ms() + FINISH_MS;
    int64_t now_ms;
    while (zk->phase == PHASE_UP && zk->requests.first && (now_ms = clock_mono_ms()) < until_ms) {
        struct pollfd fd = {.fd = queue_fd(&zk->queue), .events = POLLIN};
        struct store_event event;
        poll(&fd, 1, (int)(until_ms - now_ms));
        while (zk_next(&zk->store, now_ms, &event)) {
        }
    }
}

static void zk_close(struct store *store)
{
    struct store_zk *zk = zk_of(store);
    finish_requests(zk);
    end_session(zk);
    settle(zk);
    free_item(zk->current);
    for (struct queue_item *item; (item = queue_take(&zk->queue));) {
        free_item(item); /* every request there is was answered by now */
    }
    queue_release(&zk->queue);
    zk_acls_release(&zk->acls);
    explicit_bzero(zk->auth, sizeof zk->auth);
    free(zk);
}

static const struct store_ops zk_ops = {
    .get = zk_get,
    .list = zk_list,
    .sync = zk_sync,
    .write = zk_write,
    .access = zk_access,
    .protect = zk_protect,
    .fd = zk_fd,
    .next = zk_next,
    .renew = zk_renew,
    .close = zk_close,
};

static bool make_acls(struct store_zk *zk, const struct store_zk_options *options)
{
    struct access_rules *usual = malloc(sizeof *usual);
    if (!usual) {
        return false;
    }
    access_rules_make(usual, options->auth, NULL, NULL, NULL);
    bool made = zk_acls_init(&zk->acls, options->root ? options->root : "/",
                             options->rules ? options->rules : usual);
    free(usual);
    return made;
}

static bool take_auth(const char *auth, char to[SECRET_SIZE], char *sentence, size_t size)
{
    char mistake[SENTENCE_SIZE];
    if (!auth || !*auth) {
        return true;
    }
    if (!auth_is_valid(auth, mistake, sizeof mistake)) {
        snprintf(sentence, size, "auth %s (%s)", mistake, AUTH_FORM);
        return false;
    }
    return text_copy(to, SECRET_SIZE, auth);
}

static bool take_options(struct store_zk *zk, const struct store_zk_options *options,
                         char *sentence, size_t size)
{
    if (!connect_string_parse(options->servers, &zk->servers, sentence, size)) {
        return false;
    }
    if (options->session_timeout_ms < 1 || options->session_timeout_ms > INT32_MAX) {
        snprintf(sentence, size, "the session timeout is out of range");
        return false;
    }
    if (!take_auth(options->auth, zk->auth[0], sentence, size) ||
        !take_auth(options->also_auth, zk->auth[1], sentence, size)) {
        return false;
    }
    zk->timeout_ms = (int)options->session_timeout_ms;
    zk->log = options->log;
    zk->log_ctx = options->log_ctx;
    return true;
}

struct store *store_zk_new(const struct store_zk_options *options, char *sentence, size_t size)
{
    struct store_zk *zk = calloc(1, sizeof *zk);
    if (!zk) {
        snprintf(sentence, size, "out of memory");
        return NULL;
    }
    if (!take_options(zk, options, sentence, size)) {
        free(zk);
        return NULL;
    }
    if (!queue_init(&zk->queue)) {
        snprintf(sentence, size, "no timer could be made: %s", strerror(errno));
        free(zk);
        return NULL;
    }
    if (!make_acls(zk, options)) {
        snprintf(sentence, size, "out of memory");
        zk_acls_release(&zk->acls);
        queue_release(&zk->queue);
        free(zk);
        return NULL;
    }
    zk->store.ops = &zk_ops;
    zk->requests.queue = &zk->queue;
    zk->requests.acls = &zk->acls;
    return &zk->store;
}

bool store_zk_servers_ok(const char *servers, char *sentence, size_t size)
{
    struct connect_string ignored;
    return connect_string_parse(servers, &ignored, sentence, size);
}
