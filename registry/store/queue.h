/* What foreign threads hand to ours: a locked list with a doorbell.
 *
 *   their threads: inbox_put --> list --> inbox_take: our thread
 *                          \-> timerfd: readable at once
 *
 * The doorbell is a timer, so that one descriptor also serves for what no
 * thread tells: our thread sets it to the next moment when time itself is news. */
#ifndef ROSTER_REGISTRY_STORE_QUEUE_H
#define ROSTER_REGISTRY_STORE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* First member of whatever is put in; the owner casts back. */
struct item {
    struct item *next;
    int kind; /* the owner's */
};

struct inbox {
    pthread_mutex_t lock;
    struct item *head, **tail;
    bool rung; /* the timer is set to fire at once */
    bool lost;
    int timer;
};

bool inbox_init(struct inbox *inbox);    /* false: no descriptor to be had; errno says why */
void inbox_release(struct inbox *inbox); /* items in it are the caller's to take first */

/* Any thread. The item belongs to the inbox until it is taken. */
void inbox_put(struct inbox *inbox, struct item *item);

/* Any thread: something could not be put, for want of memory. */
void inbox_lose(struct inbox *inbox);

/* Our thread. The oldest item, or NULL. */
struct item *inbox_take(struct inbox *inbox);

/* Our thread. Was anything lost since the last call? */
bool inbox_has_lost(struct inbox *inbox);

/* Any thread: make the descriptor readable. */
void inbox_ring(struct inbox *inbox);

/* Our thread: silence the doorbell until something is put, or for `ms` (negative: no limit). Does nothing while items wait. */
void inbox_sleep(struct inbox *inbox, int64_t ms);

/* Readable while items may wait or the time set has come. */
static inline int inbox_fd(const struct inbox *inbox)
{
    return inbox->timer;
}

#endif
