#include "watchers/thread.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <time.h>

bool thread_init(struct thread *thread)
{
    pthread_condattr_t attributes;
    *thread = (struct thread){0};
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool clocked = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0;
    bool made = clocked && pthread_cond_init(&thread->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (made && pthread_mutex_init(&thread->lock, NULL) != 0) {
        pthread_cond_destroy(&thread->wake);
        made = false;
    }
    return made;
}

void thread_release(struct thread *thread)
{
    pthread_cond_destroy(&thread->wake);
    pthread_mutex_destroy(&thread->lock);
}

bool thread_start(struct thread *thread, const char *name, void *(*run)(void *arg), void *arg)
{
    thread_lock(thread);
    if (!thread->running) {
        /* a thread inherits the mask: the host's signals are not ours to take */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        thread->running = pthread_create(&thread->id, NULL, run, arg) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (thread->running) {
            pthread_setname_np(thread->id, name);
        }
    }
    bool running = thread->running;
    thread_unlock(thread);
    return running;
}

void thread_stop(struct thread *thread)
{
    thread_lock(thread);
    bool running = thread->running;
    thread->stop = true;
    thread_wake(thread);
    thread_unlock(thread);
    if (running) {
        pthread_join(thread->id, NULL);
        thread->running = false;
    }
}

void thread_lock(struct thread *thread)
{
    int rc = pthread_mutex_lock(&thread->lock);
    assert(rc == 0);
    (void)rc;
}

void thread_unlock(struct thread *thread)
{
    int rc = pthread_mutex_unlock(&thread->lock);
    assert(rc == 0);
    (void)rc;
}

void thread_wake(struct thread *thread)
{
    pthread_cond_broadcast(&thread->wake);
}

void thread_wait(struct thread *thread)
{
    pthread_cond_wait(&thread->wake, &thread->lock);
}

bool thread_wait_until(struct thread *thread, int64_t mono_ms)
{
    struct timespec until = {.tv_sec = (time_t)(mono_ms / 1000),
                             .tv_nsec = (long)(mono_ms % 1000) * 1000000};
    return pthread_cond_timedwait(&thread->wake, &thread->lock, &until) != ETIMEDOUT;
}
