/* Requests on their way through ZooKeeper's C client.
 *
 *   zk_get ... --> a call, in the list --(window)--> zoo_aget ... --> got() --> inbox --> zk_calls_take --> STORE_ANSWER
 *
 * The list owns every call from its issue until its answer is given out, for
 * one completion in eight outstanding at zookeeper_close never comes. Its
 * callbacks run on the client's threads and only fill in the answer and put
 * the call into the inbox; the rest belongs to the thread that uses the store. */
#ifndef ROSTER_REGISTRY_STORE_ZK_REQUESTS_H
#define ROSTER_REGISTRY_STORE_ZK_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/store/queue.h"
#include "registry/store/store.h"

struct _zhandle;
struct ACL_vector;
struct call;

enum { ITEM_ANSWER = 0 }; /* the kind of a call in the inbox; others are their owner's */

struct zk_calls {
    struct inbox *inbox;
    const struct ACL_vector *acls; /* of what is created */
    struct _zhandle *link;         /* where calls go; NULL: the link is down, they are answered as unknown at once */
    struct call *first, *last;     /* all, by issue */
    struct call *waiting;          /* the first that was not sent */
    size_t under_way;
};

void zk_calls_get(struct zk_calls *calls, uint64_t tag, const char *path, bool watch);
void zk_calls_list(struct zk_calls *calls, uint64_t tag, const char *path, bool watch);
void zk_calls_sync(struct zk_calls *calls, uint64_t tag, const char *path);
void zk_calls_write(struct zk_calls *calls, uint64_t tag, const struct store_op *ops, size_t n);

/* The link is lost. What was not sent never will be: nobody is to wait for it, nor is it to happen late. */
void zk_calls_link_down(struct zk_calls *calls);

/* The handle was closed and its threads joined: whatever has no answer gets STORE_UNKNOWN. */
void zk_calls_settle(struct zk_calls *calls);

/* An item of kind ITEM_ANSWER was taken from the inbox: what it answers. The event points into the item, which is the
 * caller's to free with zk_call_free. */
void zk_calls_take(struct zk_calls *calls, struct item *item, struct store_event *ret_event);
void zk_call_free(struct item *item);

#endif
