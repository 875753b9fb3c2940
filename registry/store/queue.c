#include "registry/store/queue.h"

#include <assert.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

bool queue_init(struct queue *queue, void (*ring)(void *whom), void *whom)
{
    int timer = ring ? -1 : timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer < 0 && !ring) {
        return false;
    }
    *queue = (struct queue){
        .timer = timer, .tail = &queue->head, .ring = ring, .whom = whom, .sleep_ms = -1};
    pthread_mutex_init(&queue->lock, NULL);
    return true;
}

void queue_release(struct queue *queue)
{
    assert(!queue->head);
    pthread_mutex_destroy(&queue->lock);
    if (queue->timer >= 0) {
        close(queue->timer);
    }
}

/* 0: off. Either way the timer forgets that it fired. What the kernel says of the descriptor is
 * no bug of ours: whoever uses the queue comes back by its own clock, too. */
static void set_timer(struct queue *queue, int64_t ns)
{
    struct itimerspec at = {.it_value = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}};
    if (queue->timer >= 0) {
        timerfd_settime(queue->timer, 0, &at, NULL);
    }
}

static void ring_locked(struct queue *queue)
{
    if (!queue->rung) {
        queue->rung = true;
        set_timer(queue, 1);
        if (queue->ring) {
            queue->ring(queue->whom);
        }
    }
}

void queue_put(struct queue *queue, struct queue_item *item)
{
    assert(item);
    pthread_mutex_lock(&queue->lock);
    item->next = NULL;
    *queue->tail = item;
    queue->tail = &item->next;
    ring_locked(queue);
    pthread_mutex_unlock(&queue->lock);
}

void queue_lose(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->lost = true;
    ring_locked(queue);
    pthread_mutex_unlock(&queue->lock);
}

struct queue_item *queue_take(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct queue_item *item = queue->head;
    if (item) {
        queue->head = item->next;
        if (!queue->head) {
            queue->tail = &queue->head;
        }
    }
    assert(queue->head || queue->tail == &queue->head);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

bool queue_has_lost(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool lost = queue->lost;
    queue->lost = false;
    pthread_mutex_unlock(&queue->lock);
    return lost;
}

void queue_ring(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    ring_locked(queue);
    pthread_mutex_unlock(&queue->lock);
}

void queue_sleep(struct queue *queue, int64_t ms)
{
    pthread_mutex_lock(&queue->lock);
    if (!queue->head && !queue->lost) {
        queue->rung = false;
        queue->sleep_ms = ms;
        set_timer(queue, ms < 0 ? 0 : ms > 0 ? ms * 1000000 : 1);
    }
    pthread_mutex_unlock(&queue->lock);
}
