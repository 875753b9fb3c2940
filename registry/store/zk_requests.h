/* Requests on their way through ZooKeeper's C client.
 *
 *   zk_requests_get ... --> a request, in the list --(window)--> zoo_aget ...
 *   STORE_ANSWER <-- zk_requests_take <-- queue <-- got() ... <-----/
 *
 * The list owns every request from its issue until its answer is given out, for
 * one completion in eight outstanding at zookeeper_close never comes. Its
 * callbacks run on the client's threads and only fill in the answer and put
 * the request into the queue; the rest belongs to the thread that uses the store. */
#ifndef ROSTER_REGISTRY_STORE_ZK_REQUESTS_H
#define ROSTER_REGISTRY_STORE_ZK_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/store/queue.h"
#include "registry/store/store.h"

struct _zhandle;
struct zk_acls;
struct zk_request;

enum { ITEM_ANSWER = 0 }; /* the kind of a request in the queue; others are their owner's */

struct zk_requests {
    struct queue *queue;
    const struct zk_acls *acls; /* of what is created */
    /* where requests go; NULL: the link is down, they are answered as unknown at once */
    struct _zhandle *link;
    struct zk_request *first, *last; /* all, by issue */
    struct zk_request *waiting;      /* the first that was not sent */
    size_t under_way;
    size_t
        answered_bytes; /* of a write, the item that was taken last; 0: it is none, or not known */
};

/* Of the writes that were sent and have no answer yet, the largest; false: there is none. */
bool zk_requests_largest_write(const struct zk_requests *requests, const char **ret_path,
                               size_t *ret_bytes);

void zk_requests_get(struct zk_requests *requests, uint64_t tag, const char *path, bool watch);
void zk_requests_list(struct zk_requests *requests, uint64_t tag, const char *path, bool watch);
void zk_requests_sync(struct zk_requests *requests, uint64_t tag, const char *path);
void zk_requests_write(struct zk_requests *requests, uint64_t tag, const struct store_op *ops,
                       size_t n);
void zk_requests_access(struct zk_requests *requests, uint64_t tag, const char *path);
void zk_requests_protect(struct zk_requests *requests, uint64_t tag, const char *path,
                         const struct access_list *list, int32_t aversion);

/* The link is lost. What was not sent never will be: nobody is to wait for it, nor is it to happen
 * late. */
void zk_requests_link_down(struct zk_requests *requests);

/* The handle was closed and its threads joined: whatever has no answer gets STORE_UNKNOWN. */
void zk_requests_settle(struct zk_requests *requests);

/* An item of kind ITEM_ANSWER was taken from the queue: what it answers. The event points into the
 * item, which is the caller's to free with zk_request_free. */
void zk_requests_take(struct zk_requests *requests, struct queue_item *item,
                      struct store_event *ret_event);
void zk_request_free(struct queue_item *item);

#endif
