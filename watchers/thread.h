/* A thread of a guest: blocks all signals, has a name, and sleeps on a
 * condition until there is work or it is told to stop. */
#ifndef ROSTER_WATCHERS_THREAD_H
#define ROSTER_WATCHERS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct worker {
    pthread_mutex_t lock; /* also guards what the worker's owner hands over */
    pthread_cond_t wake;  /* waits by the monotonic clock */
    pthread_t thread;
    bool running;
    bool stop;
};

bool worker_init(struct worker *worker);
/* its thread must have been stopped, or never have been */
void worker_release(struct worker *worker);

/* Starts the thread unless it runs; false when none could be made. Any thread. */
bool worker_start(struct worker *worker, const char *name, void *(*run)(void *arg), void *arg);

/* Tells it to stop and waits until it has. */
void worker_stop(struct worker *worker);

void worker_lock(struct worker *worker);
void worker_unlock(struct worker *worker);

/* With the lock held. */
void worker_wake(struct worker *worker);
void worker_wait(struct worker *worker);
/* The same until a moment of CLOCK_MONOTONIC; false when it has come. */
bool worker_wait_until(struct worker *worker, int64_t mono_ms);

#endif
