/* The two objects behind roster.h, and who may touch what.
 *
 *     caller's threads          library thread               teller               keeper
 *     roster.c, cluster.c       session.c                    teller.c             keeper.c
 *       routing_route  <------    routing_publish
 *       newcomers      ------>    watcher, store
 *                                 a change  ---------------->  changed()
 *                                 a sentence --------------->  log()
 *                                 a change  ---------------------------------->   cache file
 *
 * The library thread owns the store and the watcher and never runs foreign
 * code, so no slow callback and no slow disk delays a route. The teller runs
 * only for a log or a callback, the keeper only for a cache.
 *
 * Locks, in the order in which they may be taken (fork takes all of them):
 * the list of handles (roster.c), then session.lock of a handle, then its
 * teller's, then its keeper's. No foreign code runs and nothing blocks under
 * one of them.
 *
 * Life: a handle is freed by roster_close, or, when the library thread hangs in
 * name resolution, by that thread as soon as it comes back. In a forked child it
 * stays on the list of handles for ever: what the parent's threads were at when
 * the child was born is unknown. */
#ifndef ROSTER_WATCHERS_INTERNAL_H
#define ROSTER_WATCHERS_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <roster.h>

#include "registry/store/store.h"
#include "watchers/snapshot.h"
#include "watchers/thread.h"
#include "watchers/watcher.h"

/* What the registry is to a cluster at the moment; under session.lock. */
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
    /* of the handle's; under session.lock, but never unlinked */
    struct roster_cluster *next;
    struct status status; /* under session.lock */
    atomic_bool reread;   /* a caller met something: read the topology again */

    struct watched *watched; /* the library thread's; NULL: a newcomer */
    /* the library thread's: memory ran out over it, try again */
    bool unpublished;
    /* of the cache, until the library thread takes it over */
    struct topology *kept;
    struct provenance kept_provenance;

    struct roster_subscription subscription;
    bool untold, unsaved; /* under the teller's lock, under the keeper's */
    bool told_any;        /* the teller's */
    struct table told;    /* the teller's: what the callback was last told */
};

/* One line on its way to the log callback. */
struct line {
    enum roster_log_level level;
    char text[640];
};
enum { LINES_MAX = 64 };

struct teller {
    struct worker worker; /* its lock guards what follows */
    /* a ring; the newest are dropped when it is full, and counted */
    struct line lines[LINES_MAX];
    size_t first_line, line_count;
    uint64_t dropped;
};

struct roster {
    char root[PATH_SIZE];
    void (*log)(void *log_context, enum roster_log_level level, const char *line);
    void *log_context;
    char *cache_dir;   /* NULL: none */
    int64_t opened_ms; /* CLOCK_MONOTONIC */

    /* the library thread; its lock guards clusters and statuses */
    struct worker session;
    int wake_fd;         /* eventfd: newcomers, rereads, stop */
    struct store *store; /* the library thread's, as is the watcher */
    struct watcher *watcher;
    struct roster_cluster *clusters; /* newest first */
    size_t cluster_count;
    bool connected; /* under session.lock */
    bool finished;  /* the library thread is through; under session.lock */
    /* roster_close did not wait for it; under session.lock */
    bool abandoned;
    atomic_bool reread; /* some cluster wants to be read again */
    /* we are a child: the threads and the session are the parent's */
    atomic_bool forked;

    struct teller teller;
    struct worker keeper;

    struct roster *next, *prev; /* all handles of the process, for fork */
};

/* ---- session.c: the library thread ------------------------------------------------------------- */

bool session_start(struct roster *roster);

/* Ends it and waits, but not for ever. */
void session_stop(struct roster *roster);

/* After session_stop. True: the thread is gone, the handle is the caller's to free. False: it
 * hangs, and calls handle_free itself when it comes back; the handle must not be touched again. */
bool session_leave(struct roster *roster);

/* Something waits for the library thread. Never blocks. Any thread. */
void session_wake(struct roster *roster);

/* ---- teller.c: the thread that runs the caller's functions ------------------------------------- */

/* Starts it unless it runs. */
bool teller_start(struct roster *roster);

/* Tells what is left of the log, then ends it. Waits for a callback that is running. */
void teller_stop(struct roster *roster);

/* Routing of this cluster changed. */
void teller_changed(struct roster_cluster *cluster);

/* A line for the log; nothing without a log. Never blocks. Any thread. */
void teller_say(struct roster *roster, enum roster_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Are we on its thread? */
bool teller_is_self(const struct roster *roster);

/* ---- keeper.c: the thread that writes the cache ------------------------------------------------ */

bool keeper_start(struct roster *roster);
void keeper_stop(struct roster *roster); /* writes what is left */
void keeper_changed(struct roster_cluster *cluster);

/* ---- roster.c ---------------------------------------------------------------------------------- */

/* Frees a handle whose threads are gone. */
void handle_free(struct roster *roster);

/* Sets the calling thread's roster_error() and returns `status`. */
enum roster_status handle_refuse(enum roster_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
