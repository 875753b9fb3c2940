/* The two objects behind roster.h, and which thread may touch what.
 *
 *     caller's threads        loop thread            notifier thread    cache writer thread
 *     roster.c, cluster.c     loop.c                 notifier.c         cache_writer.c
 *       routing_route <------   routing_publish
 *       roster_subscribe --->   watcher, store
 *                               a change ----------->  changed()
 *                               a line ------------->  log()
 *                               a change ------------------------------>  cache file
 *
 * The loop thread owns the store and the watcher and never runs foreign code,
 * so no slow callback and no slow disk delays a route. The notifier runs only
 * for a log or a callback, the cache writer only for a cache.
 *
 * Locks, in the order in which they may be taken (fork takes all of them): the
 * list of handles (roster.c), then loop.lock of a handle, then its notifier's,
 * then its cache writer's. No foreign code runs and nothing blocks under one.
 *
 * Life: a handle is freed by roster_close, or, when the loop thread waits for a
 * registry that hangs, by that thread as soon as it returns. In a forked child it
 * stays on the list of handles for ever: what the parent's threads were doing
 * when the child was born is unknown. */
#ifndef ROSTER_WATCHERS_INTERNAL_H
#define ROSTER_WATCHERS_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <roster.h>

#include "registry/store/store.h"
#include "watchers/bell.h"
#include "watchers/snapshot.h"
#include "watchers/thread.h"
#include "watchers/watcher.h"

/* How the registry answers for a cluster; under loop.lock. */
struct status {
    bool connected;
    bool answered;
    bool cached;
    int witnesses_now;
    char refused[REFUSED_SIZE];
};

struct roster_cluster {
    struct routing routing; /* any thread */
    struct roster *roster;
    char name[NAME_SIZE];
    /* of the handle's list; set under loop.lock, never unlinked */
    struct roster_cluster *next;
    struct status status; /* under loop.lock */
    atomic_bool refresh;  /* feedback of a caller: read the topology again */

    /* the loop thread's; NULL: it does not know the cluster yet */
    struct watched *watched;
    /* the loop thread's: memory ran out when it was published, try again */
    bool unpublished;
    /* from the cache file, until the loop thread takes it over */
    struct topology *cached;
    struct provenance cached_provenance;

    struct roster_subscription subscription;
    bool pending_notify; /* under notifier.thread.lock */
    bool pending_save;   /* under cache_writer.lock */
    /* the notifier's: the table that the callback got last, once there was a call */
    bool notified_any;
    struct table notified;
};

/* One line on its way to the log callback. */
struct line {
    enum roster_log_level level;
    char text[640];
};
enum { LINES_MAX = 64 };

struct notifier {
    struct thread thread; /* its lock guards what follows */
    /* a ring; when it is full new lines are dropped and counted */
    struct line lines[LINES_MAX];
    size_t first_line, line_count;
    uint64_t dropped;
};

enum loop_state {
    LOOP_RUNNING,  /* or not started */
    LOOP_ENDED,    /* it touches the handle no more */
    LOOP_ABANDONED /* roster_close did not wait for it: it frees the handle */
};

struct roster {
    char root[PATH_SIZE];
    void (*log)(void *log_context, enum roster_log_level level, const char *line);
    void *log_context;
    char *cache_dir;   /* NULL: none */
    int64_t opened_ms; /* CLOCK_MONOTONIC */

    /* its lock guards clusters and statuses */
    struct thread loop;
    struct bell bell;    /* of the loop: new clusters, refreshes, stop, and events of the store */
    struct store *store; /* the loop thread's, as is the watcher */
    struct watcher *watcher;
    struct roster_cluster *clusters; /* newest first */
    size_t cluster_count;
    enum loop_state loop_state;     /* under loop.lock */
    atomic_bool refresh;            /* of some cluster `refresh` is set */
    _Atomic int64_t limit_now_ms;   /* the least age that callers take, as the registry is asked */
    atomic_bool hurry;              /* the loop thread was woken for a lower one */
    int64_t limit_ms, limit_due_ms; /* the loop thread's: see its limit_age */
    /* this is a forked child: the threads and the session are the parent's */
    atomic_bool forked;

    struct notifier notifier;
    struct thread cache_writer;

    struct roster *next, *prev; /* all handles of the process, for fork */
};

/* ---- loop.c: the library thread -------------------------------------------------------------- */

bool loop_start(struct roster *roster);

/* Asks it to end and waits, two seconds at most. */
void loop_stop(struct roster *roster);

/* After loop_stop. True: the thread has ended, the handle is the caller's to free. False: it hangs,
 * and calls roster_free itself when it returns; the handle must not be touched again. */
bool loop_leave(struct roster *roster);

/* There is work for the loop thread. Never blocks. Any thread. */
void loop_wake(struct roster *roster);

/* ---- notifier.c: the thread that runs the caller's functions --------------------------------- */

/* Starts it unless it runs. */
bool notifier_start(struct roster *roster);

/* Passes on what is left of the log, then ends it. Waits for a callback that is running. */
void notifier_stop(struct roster *roster);

/* Routing of this cluster changed. */
void notifier_changed(struct roster_cluster *cluster);

/* A line for the log; nothing without a log. Never blocks. Any thread. */
void notifier_log(struct roster *roster, enum roster_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Is this its thread? */
bool notifier_is_self(const struct roster *roster);

/* ---- cache_writer.c: the thread that writes the cache ---------------------------------------- */

bool cache_writer_start(struct roster *roster);
void cache_writer_stop(struct roster *roster); /* writes what is left */
void cache_writer_changed(struct roster_cluster *cluster);

/* ---- roster.c -------------------------------------------------------------------------------- */

/* Frees a handle whose threads are gone. */
void roster_free(struct roster *roster);

/* Sets the calling thread's roster_error() and returns `status`. */
enum roster_status roster_refuse(enum roster_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
