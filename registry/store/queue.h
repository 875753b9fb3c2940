/* What foreign threads hand to ours: a locked list and a descriptor that wakes us.
 *
 *   their threads: queue_put --> list --> queue_take: our thread
 *                          \-> timerfd: readable at once
 *
 * The descriptor is a timer, so that it also serves for what no thread hands over:
 * our thread sets it to the next time when something is due by the clock alone. A guest in another
 * program has none: a descriptor of its own can be closed by its host. */
#ifndef ROSTER_REGISTRY_STORE_QUEUE_H
#define ROSTER_REGISTRY_STORE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* First member of whatever is put in; the owner casts back. */
struct queue_item {
    struct queue_item *next;
    int kind; /* the owner's */
};

struct queue {
    pthread_mutex_t lock;
    struct queue_item *head, **tail;
    bool rung; /* the timer is set to fire at once */
    bool lost;
    int timer;                /* -1: `ring` is called instead */
    void (*ring)(void *whom); /* with the lock held; from any thread */
    void *whom;
    int64_t sleep_ms; /* without a timer: what queue_sleep was told last */
};

/* With `ring` it has no descriptor: that is called when something is put, and who uses the queue
 * sees to the time. False: no descriptor; errno has the reason. */
bool queue_init(struct queue *queue, void (*ring)(void *whom), void *whom);
void queue_release(struct queue *queue); /* items in it are the caller's to take first */

/* Any thread. The item belongs to the queue until it is taken. */
void queue_put(struct queue *queue, struct queue_item *item);

/* Any thread: something could not be put, for want of memory. */
void queue_lose(struct queue *queue);

/* Our thread. The oldest item, or NULL. */
struct queue_item *queue_take(struct queue *queue);

/* Our thread. Was anything lost since the last call? */
bool queue_has_lost(struct queue *queue);

/* Any thread: make the descriptor readable. */
void queue_ring(struct queue *queue);

/* Our thread: not readable until something is put, or for `ms` (negative: no limit). Does nothing
 * while items wait. */
void queue_sleep(struct queue *queue, int64_t ms);

/* Readable while items may wait or the time set has come. */
static inline int queue_fd(const struct queue *queue)
{
    return queue->timer;
}

#endif
