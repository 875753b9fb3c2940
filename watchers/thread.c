#include "watchers/thread.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <time.h>

bool worker_init(struct worker *worker)
{
    pthread_condattr_t attributes;
    *worker = (struct worker){0};
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool clocked = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0;
    bool made = clocked && pthread_cond_init(&worker->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (made && pthread_mutex_init(&worker->lock, NULL) != 0) {
        pthread_cond_destroy(&worker->wake);
        made = false;
    }
    return made;
}

void worker_release(struct worker *worker)
{
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
}

bool worker_start(struct worker *worker, const char *name, void *(*run)(void *arg), void *arg)
{
    worker_lock(worker);
    if (!worker->running) {
        /* a thread inherits the mask: the host's signals are not ours to take */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        worker->running = pthread_create(&worker->thread, NULL, run, arg) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (worker->running) {
            pthread_setname_np(worker->thread, name);
        }
    }
    bool running = worker->running;
    worker_unlock(worker);
    return running;
}

void worker_stop(struct worker *worker)
{
    worker_lock(worker);
    bool running = worker->running;
    worker->stop = true;
    worker_wake(worker);
    worker_unlock(worker);
    if (running) {
        pthread_join(worker->thread, NULL);
        worker->running = false;
    }
}

void worker_lock(struct worker *worker)
{
    int rc = pthread_mutex_lock(&worker->lock);
    assert(rc == 0);
    (void)rc;
}

void worker_unlock(struct worker *worker)
{
    int rc = pthread_mutex_unlock(&worker->lock);
    assert(rc == 0);
    (void)rc;
}

void worker_wake(struct worker *worker)
{
    pthread_cond_broadcast(&worker->wake);
}

void worker_wait(struct worker *worker)
{
    pthread_cond_wait(&worker->wake, &worker->lock);
}

bool worker_wait_until(struct worker *worker, int64_t mono_ms)
{
    struct timespec until = {.tv_sec = (time_t)(mono_ms / 1000),
                             .tv_nsec = (long)(mono_ms % 1000) * 1000000};
    return pthread_cond_timedwait(&worker->wake, &worker->lock, &until) != ETIMEDOUT;
}
