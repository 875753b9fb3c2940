/* ZooKeeper behind store.h, by the C client's asynchronous requests.
 *
 *   our thread                          |  its threads (one for I/O, one for callbacks)
 *   store_get ... --> zk_requests ---------> zoo_aget ... --\
 *   store_next <---- queue <---------------------------------+-- watched()
 *
 * Callbacks only put what they are given into the queue; everything else
 * belongs to the one thread that uses the store. Requests and their answers
 * are zk_requests.c, a handle of the client zk_link.c, names zk_names.c, pauses
 * and reasons dial.c; here is the session's life.
 *
 *   NAMES --> TRYING --> UP --> TRYING ...      the link was lost: the same session, if it may be
 *               |  ^                             kept, by the same handle or by another
 *               v  |
 *             PAUSING                            a round of dials reached no server
 *
 * Rules for this client, each found by a failure:
 *  - It looks its servers' names up on every packet unless it is configured not to, so a
 *    stalled resolver kills healthy sessions: it gets literal addresses only.
 *  - It learns of an expired session from a server only: here a link that stays
 *    down for twice the timeout ends the session.
 *  - It never stops dialling: a round that came to nothing closes its handle here.
 *  - A list of servers cannot be changed safely under it: another list is another handle, which
 *    goes on with the session.
 *  - The first watcher receives session events and all watches alike.
 *  - An answer that the link is down must not be given out before STORE_DOWN, or
 *    its receiver would ask again at once, for ever.
 *
 * Limits: its sockets are not close-on-exec; where it cannot have memory or a
 * thread it aborts, and a request without memory does here too; its handle
 * must not be used in a forked child. Closing a handle that connects just then to a server that
 * hangs takes a second or two. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#include "registry/base/clock.h"
#include "registry/base/entropy.h"
#include "registry/base/text.h"
#include "registry/store/dial.h"
#include "registry/store/queue.h"
#include "registry/store/store.h"
#include "registry/store/zk_acl.h"
#include "registry/store/zk_link.h"
#include "registry/store/zk_names.h"
#include "registry/store/zk_options.h"
#include "registry/store/zk_requests.h"

enum {
    SILENCE_FACTOR = 2, /* link down for so many session timeouts: the session is over */
    BEFORE_IT_MS = 50,
    OTHERS_MS = 250,    /* for the other names, once one has an address */
    WRITE_BYTES = 1024, /* a smaller write breaks no link by its size */
    FINISH_MS = 200,    /* how long store_close waits for requests under way */
    FINISH_STEP_MS = 2  /* where nothing wakes it */
};

/* ---- types ----------------------------------------------------------------------------------- */

enum phase {
    PHASE_IDLE,   /* not begun */
    PHASE_NAMES,  /* no server's address is known yet */
    PHASE_TRYING, /* a handle that dials */
    PHASE_UP,
    PHASE_PAUSING, /* no handle; due_ms ends it */
    PHASE_GONE     /* STORE_GONE was given out: store_renew is due */
};

struct store_zk {
    struct store store;
    struct queue queue; /* shared with the client's threads and those of names; the rest is ours */
    struct zk_options options;
    struct zk_acls acls;
    /* its servers */
    struct zk_names *names;
    struct zk_names_state known;
    unsigned dialled_edition; /* of the list that the handle has */
    bool has_dialled;         /* there was a list before: it is as good as none that is awaited */
    /* the session */
    struct zk_link link;
    enum phase phase;
    /* PAUSING: its end; NAMES: that of the wait, 0: none yet; TRYING: that of the round */
    int64_t due_ms;
    bool gone_then;     /* PAUSING: its end is STORE_GONE */
    int64_t since_ms;   /* since when no server is reached */
    bool keeps_session; /* `identity` is one that may live on */
    struct zk_identity identity;
    int session_timeout_ms; /* as negotiated */
    int64_t session;        /* the last one that was up; 0: none yet */
    size_t dials, round;    /* of the present round: how many failed, and how many make it up */
    unsigned failures;      /* rounds in a row that reached no server */
    unsigned ends;          /* sessions in a row that a server ended without an answered request */
    struct dial_failure failure;
    int64_t failing_since_ms;
    /* links in a row that were lost with a write under way */
    unsigned losses;
    size_t lost_bytes;
    char lost_path[PATH_SIZE];
    bool to_tell;             /* `detail` is to be told while the session may be kept */
    char told[SENTENCE_SIZE]; /* what is to be mended, as it was given out; "" */
    char detail[SENTENCE_SIZE];
    struct zk_requests requests;
    struct queue_item *current; /* what the last event points into */
};

static struct store_zk *zk_of(struct store *store)
{
    return (struct store_zk *)(void *)store;
}

/* ---- to the caller --------------------------------------------------------------------------- */

static int64_t silence_ms(const struct store_zk *zk)
{
    return SILENCE_FACTOR *
           (int64_t)(zk->keeps_session ? zk->session_timeout_ms : zk->options.timeout_ms);
}

static bool report(struct store_zk *zk, enum store_event_kind kind, bool to_mend,
                   struct store_event *ret_event)
{
    zk_requests_link_down(&zk->requests);
    if (to_mend) {
        text_copy(zk->told, sizeof zk->told, zk->detail);
    }
    *ret_event = (struct store_event){.kind = kind, .detail = zk->detail, .to_mend = to_mend};
    return true;
}

static bool report_gone(struct store_zk *zk, bool to_mend, struct store_event *ret_event)
{
    zk->phase = PHASE_GONE;
    zk->keeps_session = false;
    return report(zk, STORE_GONE, to_mend, ret_event);
}

/* Something is to be mended: told at once, and once. */
static bool report_trouble(struct store_zk *zk, const char *why, struct store_event *ret_event)
{
    if (text_equal(why, zk->told)) {
        return false;
    }
    text_copy(zk->detail, sizeof zk->detail, why);
    return zk->keeps_session ? report(zk, STORE_DOWN, true, ret_event)
                             : report_gone(zk, true, ret_event);
}

/* ---- dialling -------------------------------------------------------------------------------- */

static void pause_until(struct store_zk *zk, int64_t due_ms, bool gone_then)
{
    zk->phase = PHASE_PAUSING;
    zk->due_ms = due_ms;
    zk->gone_then = gone_then;
}

/* After this no callback runs; what was sent and not answered is unknown. */
static void close_link(struct store_zk *zk)
{
    zk_requests_link_down(&zk->requests);
    zk_link_close(&zk->link);
    zk_requests_settle(&zk->requests);
}

/* The links of a session that a size breaks again and again are spaced, so that it is kept. */
static int64_t pause_ms(const struct store_zk *zk)
{
    int64_t kept_ms = zk->keeps_session ? zk->session_timeout_ms : 0;
    int64_t ms = dial_pause_ms(zk->failures, kept_ms, entropy_draw());
    if (zk->losses > 1) {
        int64_t spaced_ms = dial_pause_ms(zk->losses - 1, 0, entropy_draw());
        spaced_ms = kept_ms && spaced_ms > kept_ms / 3 ? kept_ms / 3 : spaced_ms;
        ms = spaced_ms > ms ? spaced_ms : ms;
    }
    return ms;
}

/* The client gives a server that hangs two thirds of the timeout, and dials the next one in the
 * same moment: the handle is closed just before it would begin another round. */
static void begin_round(struct store_zk *zk, size_t more, int64_t now_ms)
{
    int64_t timeout_ms = zk->keeps_session ? zk->session_timeout_ms : zk->options.timeout_ms;
    zk->dials = 0;
    zk->round = zk->known.addresses + more;
    zk->due_ms = now_ms + (int64_t)zk->round * timeout_ms * 2 / 3 - BEFORE_IT_MS;
    zk_link_scout(&zk->link);
}

static void open_link(struct store_zk *zk, int64_t now_ms)
{
    char addresses[ZK_NAMES_SIZE];
    zk_names_list(zk->names, addresses, sizeof addresses);
    zk->dialled_edition = zk->known.edition;
    zk->has_dialled = true;
    if (zk_link_open(&zk->link, &(struct zk_link_options){
                                    .addresses = addresses,
                                    .timeout_ms = zk->options.timeout_ms,
                                    .identity = zk->keeps_session ? &zk->identity : NULL,
                                    .auth = zk->options.auth[0],
                                    .also_auth = zk->options.auth[1],
                                })) {
        zk->phase = PHASE_TRYING;
        begin_round(zk, 0, now_ms);
        return;
    }
    snprintf(zk->detail, sizeof zk->detail, "no session could be begun: %s", strerror(errno));
    zk->failures++;
    zk->to_tell = zk->keeps_session; /* else the end of the pause tells it */
    pause_until(zk, now_ms + pause_ms(zk), !zk->keeps_session);
}

/* Waits for names only where none has an address, or a moment where the others come with it. */
static void begin_dialling(struct store_zk *zk, int64_t now_ms)
{
    zk_names_look(zk->names, &zk->known);
    if (zk->known.addresses == 0 && zk->known.pending == 0) {
        zk_names_look_up(zk->names);
    }
    if (zk->known.addresses > 0 && (zk->known.pending == 0 || zk->has_dialled)) {
        open_link(zk, now_ms);
    } else {
        zk->phase = PHASE_NAMES;
        zk->due_ms = 0;
    }
}

static bool end_round(struct store_zk *zk, int error, int64_t now_ms, struct store_event *ret_event)
{
    char why[SENTENCE_SIZE];
    close_link(zk);
    zk->failures++;
    if (error != zk->failure.error || zk->failure.rounds == 0) {
        zk->failure = (struct dial_failure){.error = error};
        zk->failing_since_ms = now_ms;
    }
    zk->failure.rounds++;
    zk->failure.lasting_ms = now_ms - zk->failing_since_ms;
    zk_names_look_up(zk->names);
    pause_until(zk, now_ms + pause_ms(zk), false);
    return dial_explain(&zk->failure, why, sizeof why) && report_trouble(zk, why, ret_event);
}

/* ---- what is due by the clock alone, or by the names ----------------------------------------- */

static bool is_seeking(const struct store_zk *zk)
{
    return zk->phase == PHASE_NAMES || zk->phase == PHASE_TRYING || zk->phase == PHASE_PAUSING;
}

static bool give_up(struct store_zk *zk, int64_t now_ms, struct store_event *ret_event)
{
    char spell[32], why[SENTENCE_SIZE];
    if (zk->keeps_session && zk->phase == PHASE_TRYING) {
        close_link(zk);
        zk->due_ms = 0;
    } /* else what dials or pauses goes on in zk_renew */
    bool to_mend = dial_explain(&zk->failure, why, sizeof why);
    snprintf(zk->detail, sizeof zk->detail, "no server of the registry was reached for %s%s%.300s",
             text_duration(spell, sizeof spell, now_ms - zk->since_ms),
             to_mend || zk->known.why[0] ? ": " : "", to_mend ? why : zk->known.why);
    return report_gone(zk, to_mend || zk->known.why[0], ret_event);
}

static void step_names(struct store_zk *zk, int64_t now_ms)
{
    bool found = zk->known.addresses > 0;
    if (found && zk->due_ms == 0) {
        zk->due_ms = now_ms + OTHERS_MS;
    }
    if (found && (zk->known.pending == 0 || now_ms >= zk->due_ms)) {
        open_link(zk, now_ms);
    } else if (zk->known.pending == 0) {
        snprintf(zk->detail, sizeof zk->detail, "no server of the registry has an address: %.400s",
                 zk->known.why);
        zk->failures++;
        pause_until(zk, now_ms + dial_lookup_pause_ms(zk->failures, entropy_draw()),
                    !zk->keeps_session);
    }
}

static bool pause_ended(struct store_zk *zk, int64_t now_ms, struct store_event *ret_event)
{
    if (zk->gone_then) {
        return report_gone(zk, true, ret_event);
    }
    begin_dialling(zk, now_ms);
    return false;
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
    return a_ms == 0 || (b_ms != 0 && b_ms < a_ms) ? b_ms : a_ms;
}

/* When this is to be called again; 0: never. */
static int64_t next_due(const struct store_zk *zk, int64_t lookup_due_ms)
{
    int64_t over_ms = zk->since_ms + silence_ms(zk);
    return is_seeking(zk) ? sooner(sooner(over_ms, zk->due_ms), lookup_due_ms) : lookup_due_ms;
}

/* Told while the session may be kept. */
static bool tell_trouble(struct store_zk *zk, struct store_event *ret_event)
{
    char why[SENTENCE_SIZE];
    bool due = zk->to_tell;
    text_copy(why, sizeof why, zk->detail);
    zk->to_tell = false;
    return due && report_trouble(zk, why, ret_event);
}

static bool step_dialling(struct store_zk *zk, int64_t now_ms, struct store_event *ret_event)
{
    if (zk->phase != PHASE_TRYING || zk_link_is_connected(&zk->link)) {
        return false;
    }
    if (zk->dialled_edition != zk->known.edition) {
        close_link(zk);
        open_link(zk, now_ms);
    }
    return zk->phase == PHASE_TRYING && now_ms >= zk->due_ms &&
           end_round(zk, ETIMEDOUT, now_ms, ret_event);
}

static bool next_by_clock(struct store_zk *zk, int64_t now_ms, struct store_event *ret_event)
{
    if (zk->phase == PHASE_IDLE || zk->phase == PHASE_GONE) {
        queue_sleep(&zk->queue, -1);
        return false;
    }
    int64_t lookup_due_ms = zk_names_step(zk->names, now_ms, &zk->known);
    if (tell_trouble(zk, ret_event)) {
        return true;
    }
    if (is_seeking(zk) && now_ms - zk->since_ms >= silence_ms(zk)) {
        return give_up(zk, now_ms, ret_event);
    }
    if (zk->phase == PHASE_PAUSING && now_ms >= zk->due_ms && pause_ended(zk, now_ms, ret_event)) {
        return true;
    }
    if (zk->phase == PHASE_NAMES) {
        step_names(zk, now_ms);
    }
    if (step_dialling(zk, now_ms, ret_event)) {
        return true;
    }
    int64_t due_ms = next_due(zk, lookup_due_ms);
    queue_sleep(&zk->queue, due_ms == 0 ? -1 : due_ms > now_ms ? due_ms - now_ms : 1);
    return false;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void free_item(struct queue_item *item)
{
    if (item && item->kind == ITEM_ANSWER) {
        zk_request_free(item);
    } else if (item && item->kind != ITEM_SCOUT) {
        free(item);
    }
}

static bool next_answer(struct store_zk *zk, struct queue_item *item, struct store_event *ret_event)
{
    zk_requests_take(&zk->requests, item, ret_event);
    if (ret_event->rc != STORE_UNKNOWN) {
        zk->failures = zk->ends = 0;
    }
    if (zk->losses && zk->requests.answered_bytes >= zk->lost_bytes) {
        zk->losses = 0;
        zk->told[0] = '\0';
    }
    return true;
}

static bool connected(struct store_zk *zk, struct store_event *ret_event)
{
    zk_link_identity(&zk->link, &zk->identity);
    bool renewed = zk->identity.session != zk->session;
    zk->phase = PHASE_UP;
    zk->keeps_session = true;
    zk->session = zk->identity.session;
    zk->session_timeout_ms = zk_link_timeout_ms(&zk->link);
    zk->failure = (struct dial_failure){0};
    if (!zk->losses) {
        zk->told[0] = '\0';
    }
    zk->requests.link = zk->link.handle;
    *ret_event = (struct store_event){.kind = STORE_UP, .session = zk->session, .renewed = renewed};
    return true;
}

/* Its size is a reason that nothing else tells. */
static bool note_write(struct store_zk *zk)
{
    const char *path;
    size_t bytes;
    if (!zk_requests_largest_write(&zk->requests, &path, &bytes) || bytes < WRITE_BYTES) {
        return false;
    }
    zk->losses = text_equal(path, zk->lost_path) ? zk->losses + 1 : 1;
    zk->lost_bytes = bytes;
    text_copy(zk->lost_path, sizeof zk->lost_path, path);
    return true;
}

/* The client dials on with the same handle, unless another list or a pause is better. */
static bool lost(struct store_zk *zk, int64_t now_ms, struct store_event *ret_event)
{
    char why[SENTENCE_SIZE] = "";
    bool to_mend = note_write(zk) &&
                   dial_explain_write(zk->losses, zk->lost_path, zk->lost_bytes, why, sizeof why);
    text_copy(zk->detail, sizeof zk->detail, to_mend ? why : "the link to the registry was lost");
    zk->since_ms = now_ms;
    zk_names_look(zk->names, &zk->known);
    zk_names_look_up(zk->names);
    report(zk, STORE_DOWN, to_mend, ret_event);
    if (to_mend) {
        close_link(zk);
        pause_until(zk, now_ms + pause_ms(zk), false);
    } else if (zk->dialled_edition != zk->known.edition && !zk_link_is_connected(&zk->link)) {
        close_link(zk);
        open_link(zk, now_ms);
    } else {
        zk->phase = PHASE_TRYING;
        begin_round(zk, 1, now_ms); /* the loss may be what the first scout is answered with */
    }
    return true;
}

/* A server ended it. A caller that relies on it must know at once, even when a pause holds
 * STORE_GONE back. */
static bool ended(struct store_zk *zk, int64_t now_ms, const char *why, bool to_mend,
                  struct store_event *ret_event)
{
    bool was_up = zk->phase == PHASE_UP;
    int64_t left_ms = zk->ends ? dial_pause_ms(zk->ends, 0, entropy_draw()) : 0;
    close_link(zk);
    zk->ends++;
    zk->keeps_session = false;
    zk->since_ms = now_ms;
    text_copy(zk->detail, sizeof zk->detail, why);
    if (left_ms == 0) {
        return report_gone(zk, to_mend, ret_event);
    }
    pause_until(zk, now_ms + left_ms, true);
    return was_up && report(zk, STORE_DOWN, to_mend, ret_event);
}

static bool next_session(struct store_zk *zk, int state, int64_t now_ms,
                         struct store_event *ret_event)
{
    if (zk->phase != PHASE_TRYING && zk->phase != PHASE_UP) {
        return false; /* of a session that is over */
    }
    if (state == ZOO_CONNECTED_STATE) {
        return connected(zk, ret_event);
    }
    if (state == ZOO_EXPIRED_SESSION_STATE) {
        return ended(zk, now_ms, "the session expired", false, ret_event);
    }
    if (state == ZOO_AUTH_FAILED_STATE) {
        return ended(zk, now_ms, "the registry refused the auth given", true, ret_event);
    }
    return zk->phase == PHASE_UP && lost(zk, now_ms, ret_event);
}

static bool next_scout(struct store_zk *zk, int64_t now_ms, struct store_event *ret_event)
{
    bool failed = zk_link_take_scout(&zk->link);
    if (zk->phase != PHASE_TRYING || !failed) {
        return false; /* it is connected, or about to be */
    }
    if (++zk->dials < zk->round) {
        zk_link_scout(&zk->link);
        return false;
    }
    return !zk_link_is_connected(&zk->link) &&
           end_round(zk, atomic_load(&zk->link.error), now_ms, ret_event);
}

static bool next_of(struct store_zk *zk, struct queue_item *item, int64_t now_ms,
                    struct store_event *ret_event)
{
    struct zk_event *event = (struct zk_event *)(void *)item;
    switch (item->kind) {
    case ITEM_ANSWER:
        return next_answer(zk, item, ret_event);
    case ITEM_SESSION:
        return next_session(zk, event->state, now_ms, ret_event);
    case ITEM_SCOUT:
        return next_scout(zk, now_ms, ret_event);
    case ITEM_CHANGED:
        *ret_event = (struct store_event){.kind = STORE_CHANGED, .path = event->path};
        return zk->phase == PHASE_TRYING || zk->phase == PHASE_UP;
    }
    return false;
}

static bool zk_next(struct store *store, int64_t now_ms, struct store_event *ret_event)
{
    struct store_zk *zk = zk_of(store);
    bool has_link = zk->phase == PHASE_TRYING || zk->phase == PHASE_UP;
    if (queue_has_lost(&zk->queue) && has_link &&
        ended(zk, now_ms, "out of memory", true, ret_event)) {
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

static int64_t zk_idle_ms(const struct store *store)
{
    return ((const struct store_zk *)(const void *)store)->queue.sleep_ms;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void zk_renew(struct store *store)
{
    struct store_zk *zk = zk_of(store);
    int64_t now_ms = clock_mono_ms();
    int64_t due_ms = zk->phase == PHASE_GONE ? zk->due_ms : 0;
    bool dials_on = zk->phase == PHASE_GONE && zk->link.handle && !zk_link_is_connected(&zk->link);
    if (!dials_on) {
        close_link(zk);
    }
    queue_has_lost(&zk->queue);
    zk->keeps_session = false;
    zk->since_ms = now_ms;
    zk_names_look_up(zk->names);
    if (dials_on) {
        zk->phase = PHASE_TRYING;
    } else if (due_ms > now_ms) {
        pause_until(zk, due_ms, false);
    } else {
        begin_dialling(zk, now_ms);
    }
    queue_ring(&zk->queue); /* so that store_next is called and sees to the time */
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
        int64_t left_ms = until_ms - now_ms;
        poll(&fd, 1, (int)(fd.fd >= 0 || left_ms < FINISH_STEP_MS ? left_ms : FINISH_STEP_MS));
        while (zk_next(&zk->store, now_ms, &event)) {
        }
    }
}

static void zk_close(struct store *store)
{
    struct store_zk *zk = zk_of(store);
    finish_requests(zk);
    close_link(zk);
    zk_requests_settle(&zk->requests);
    zk_names_free(zk->names);
    free_item(zk->current);
    for (struct queue_item *item; (item = queue_take(&zk->queue));) {
        free_item(item); /* every request there is was answered by now */
    }
    queue_release(&zk->queue);
    zk_acls_release(&zk->acls);
    explicit_bzero(zk->options.auth, sizeof zk->options.auth);
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
    .idle_ms = zk_idle_ms,
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

struct store *store_zk_new(const struct store_zk_options *options, char *sentence, size_t size)
{
    struct store_zk *zk = calloc(1, sizeof *zk);
    if (!zk) {
        snprintf(sentence, size, "out of memory");
        return NULL;
    }
    if (!zk_options_take(options, &zk->options, sentence, size)) {
        free(zk);
        return NULL;
    }
    if (!queue_init(&zk->queue, options->ring, options->ring_ctx)) {
        snprintf(sentence, size, "no timer could be made: %s", strerror(errno));
        free(zk);
        return NULL;
    }
    zk->names = zk_names_new(&zk->options.servers, &zk->queue);
    if (!zk->names || !make_acls(zk, options)) {
        snprintf(sentence, size, "out of memory, or of threads");
        zk_names_free(zk->names);
        zk_acls_release(&zk->acls);
        queue_release(&zk->queue);
        free(zk);
        return NULL;
    }
    zk->link.queue = &zk->queue;
    zk->link.log = options->log;
    zk->link.log_ctx = options->log_ctx;
    zk->store.ops = &zk_ops;
    zk->requests.queue = &zk->queue;
    zk->requests.acls = &zk->acls;
    return &zk->store;
}
