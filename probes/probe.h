/* The probe: one step for the daemon and for the simulator.
 *
 *     event, with its time --> probe_step --> actions (probe_next)
 *                                  |--------> facts to log, as they come up
 *                                  '--------> requests to the store
 *
 *     a look ended --> cluster: assess, discovery, report ----> reporter --> store
 *     the store    --> mirror --> liveness, reporter, resolver -----------> store
 *
 * All that a probe decides is decided here and in what this calls: when which
 * member is looked at and over which connection (slot.h), what is known of a
 * cluster and whether this probe votes on it (cluster.h), what is written
 * (reporter, resolver), and whether this process may be trusted at all:
 *
 *   slipped   its own time has a gap: everything is read again, and for an interval it abstains
 *   blind     all of two or more targets fail at once, ambiguously: the cause is probably here
 *
 * The order within a step: reporter, liveness, resolver. A shell owns sockets,
 * threads, clocks, names and sentences; it decides nothing. It takes actions out
 * after every step, and may step again while it performs one.
 *
 * Pure: time and chance come in. A look that ends costs a step of its own
 * cluster; a beat, and what the store brings, one of all. One thread. */
#ifndef ROSTER_PROBES_PROBE_H
#define ROSTER_PROBES_PROBE_H

#include "probes/fact.h"
#include "probes/slot.h"
#include "registry/store/store.h"

struct probe;

struct probe_setup {
    struct store *store; /* idle; the first step asks to renew it. Outlives the probe's use */
    const struct config *config; /* borrowed until the next EVENT_RELOAD was stepped */
    bool chroot;                 /* the registry's address has one */
    struct presence presence;    /* ours: host, pid, version and nonce */
    const char *registry_uuid;   /* a fresh one, for the case that we are the first to come */
    const struct memory *memory; /* what a former process had to remember, or NULL */
    /* Is the process that wrote this presence surely gone? */
    bool (*is_gone)(const struct presence *presence);
    uint64_t seed;
    struct probe_time now;
    /* Called from within a step; it must not step. */
    void (*log)(void *owner, const struct fact *fact);
    void *log_owner;
};

enum probe_event_kind {
    EVENT_TIMER,       /* ACTION_WAKE's time has come, or an earlier one */
    EVENT_STORE,       /* the store may have events */
    EVENT_RENEWED,     /* ACTION_RENEW is done */
    EVENT_RESOLVED,    /* slot, address and text */
    EVENT_LOOK_ENDED,  /* slot, observation and remains */
    EVENT_UNSOLICITED, /* slot: its idle kept connection turned readable; it is not polled until
                          the next look */
    EVENT_WORKS,       /* slot: what it asks computes for us; no answer is overdue meanwhile */
    EVENT_WORKED,      /* slot, ms: no longer, and what that took of the processor */
    EVENT_LATE,        /* slot, ms: this process was late, and so its answer is waited for longer */
    EVENT_RELOAD_ASKED,
    EVENT_RELOAD, /* config: a good one */
    EVENT_STOP
};

struct probe_event {
    enum probe_event_kind kind;
    struct probe_time now;
    struct slot *slot;
    const char *address; /* a literal; "": none */
    /* RESOLVED: why there is no address, NULL: no memory for a look; STOP: by what */
    const char *text;
    const struct observation *observation; /* UNKNOWN: there was no memory to ask */
    int64_t ms;                            /* WORKED, LATE */
    enum remains remains;                  /* of the connection that was asked over */
    const struct config *config;
};

struct probe_action {
    enum probe_action_kind kind;
    struct slot *slot;           /* NULL with ACTION_CLOSE: it is gone */
    void *shell;                 /* slot->shell */
    int64_t at_ms;               /* WAKE, STOP */
    const struct memory *memory; /* REMEMBER: until the next step */
    int exit_code; /* STOP: 0 as asked, 1 our name is another live probe's, or no memory */
};

/* Its members' looks are due at once. NULL: no memory. */
struct probe *probe_new(const struct probe_setup *setup);

void probe_step(struct probe *probe, const struct probe_event *event);

/* What is to be done now, one at a time, until false. */
bool probe_next(struct probe *probe, struct probe_action *ret_action);

/* The store is closed, or answers no more. NULL is fine. */
void probe_free(struct probe *probe);

#endif
