/* One handle of ZooKeeper's C client: opened, watched, closed.
 *
 * Its threads only hand over: session events and fired watches are items of the queue; so is what
 * became of the scout, a request that is sent with each dial, for the client says nothing of a
 * dial that failed but to the requests that wait for it. What else it knows of the reason
 * stands in its log, which is read for the number of the error. */
#ifndef ROSTER_REGISTRY_STORE_ZK_LINK_H
#define ROSTER_REGISTRY_STORE_ZK_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/base/limits.h"
#include "registry/store/queue.h"
#include "registry/store/zk_log.h"
#include "registry/store/zk_requests.h"

struct _zhandle;

enum { ITEM_SESSION = ITEM_ANSWER + 1, ITEM_CHANGED, ITEM_SCOUT };

/* What no request asked for. */
struct zk_event {
    struct queue_item item;
    int state;   /* ITEM_SESSION: a ZOO_..._STATE */
    char path[]; /* ITEM_CHANGED */
};

/* Whose session it is, so that another handle may go on with it. */
struct zk_identity {
    int64_t session; /* 0: none yet */
    char secret[16];
};

struct zk_link {
    struct queue *queue;
    void (*log)(void *, int, const char *);
    void *log_ctx;
    struct _zhandle *handle; /* NULL: closed */
    struct zk_log handle_log;
    atomic_int error; /* errno, as the client logged it last; 0: none */
    struct queue_item scout;
    bool scouting; /* it is under way, or in the queue */
    int scout_rc;
};

struct zk_link_options {
    const char *addresses; /* literal ones */
    int timeout_ms;
    const struct zk_identity *identity; /* to go on with; NULL: a new session */
    const char *auth, *also_auth;       /* "": none */
};

/* False: errno has the reason. */
bool zk_link_open(struct zk_link *link, const struct zk_link_options *options);

/* Joins the client's threads: after it no callback runs. Nothing of it is left in the queue but
 * answers to requests. Takes a moment where it is connected to a server that hangs. */
void zk_link_close(struct zk_link *link);

/* Send one, unless it is under way: its item comes when the dial under way, or the next one,
 * came to an end. */
void zk_link_scout(struct zk_link *link);

/* An item of kind ITEM_SCOUT was taken from the queue: did that dial fail? */
bool zk_link_take_scout(struct zk_link *link);

bool zk_link_is_connected(const struct zk_link *link);

/* Of a connected one. */
void zk_link_identity(const struct zk_link *link, struct zk_identity *ret_identity);
int zk_link_timeout_ms(const struct zk_link *link);

#endif
