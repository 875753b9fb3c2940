#include "registry/store/queue.h"

#include <assert.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

bool inbox_init(struct inbox *inbox)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer < 0) {
        return false;
    }
    *inbox = (struct inbox){.timer = timer, .tail = &inbox->head};
    pthread_mutex_init(&inbox->lock, NULL);
    return true;
}

void inbox_release(struct inbox *inbox)
{
    assert(!inbox->head);
    pthread_mutex_destroy(&inbox->lock);
    close(inbox->timer);
}

/* 0: off. Either way the timer forgets that it fired. */
static void set_timer(struct inbox *inbox, int64_t ns)
{
    struct itimerspec at = {.it_value = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}};
    int rc = timerfd_settime(inbox->timer, 0, &at, NULL);
    assert(rc == 0);
    (void)rc;
}

static void ring_locked(struct inbox *inbox)
{
    if (!inbox->rung) {
        inbox->rung = true;
        set_timer(inbox, 1);
    }
}

void inbox_put(struct inbox *inbox, struct item *item)
{
    pthread_mutex_lock(&inbox->lock);
    item->next = NULL;
    *inbox->tail = item;
    inbox->tail = &item->next;
    ring_locked(inbox);
    pthread_mutex_unlock(&inbox->lock);
}

void inbox_lose(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->lost = true;
    ring_locked(inbox);
    pthread_mutex_unlock(&inbox->lock);
}

struct item *inbox_take(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    struct item *item = inbox->head;
    if (item) {
        inbox->head = item->next;
        if (!inbox->head) {
            inbox->tail = &inbox->head;
        }
    }
    pthread_mutex_unlock(&inbox->lock);
    return item;
}

bool inbox_has_lost(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    bool lost = inbox->lost;
    inbox->lost = false;
    pthread_mutex_unlock(&inbox->lock);
    return lost;
}

void inbox_ring(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    ring_locked(inbox);
    pthread_mutex_unlock(&inbox->lock);
}

void inbox_sleep(struct inbox *inbox, int64_t ms)
{
    pthread_mutex_lock(&inbox->lock);
    if (!inbox->head && !inbox->lost) {
        inbox->rung = false;
        set_timer(inbox, ms < 0 ? 0 : ms > 0 ? ms * 1000000 : 1);
    }
    pthread_mutex_unlock(&inbox->lock);
}
