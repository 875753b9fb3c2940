/* A thread of a guest library: it blocks all signals, has a name, and sleeps on
 * a condition until there is work or it is asked to stop. */
#ifndef ROSTER_WATCHERS_THREAD_H
#define ROSTER_WATCHERS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct thread {
    pthread_mutex_t lock; /* also guards what other threads hand over to this one */
    pthread_cond_t wake;  /* waits by the monotonic clock */
    pthread_t id;         /* valid while `running` */
    bool running;
    bool stop;
};

bool thread_init(struct thread *thread);

/* The thread must have been stopped, or never have been started. */
void thread_release(struct thread *thread);

/* Starts the thread unless it runs; false when none could be made. Any thread. */
bool thread_start(struct thread *thread, const char *name, void *(*run)(void *arg), void *arg);

/* Asks it to stop and waits until it has. */
void thread_stop(struct thread *thread);

void thread_lock(struct thread *thread);
void thread_unlock(struct thread *thread);

/* With the lock held. */
void thread_wake(struct thread *thread);
void thread_wait(struct thread *thread);
/* Waits until woken or until a time of CLOCK_MONOTONIC; false when that time has come. */
bool thread_wait_until(struct thread *thread, int64_t mono_ms);

#endif
