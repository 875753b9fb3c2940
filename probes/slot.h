/* One member's slot: when it is looked at, and over which of its connections.
 *
 *     WAITING --due--> RESOLVING --address--> IN_FLIGHT --observation--> WAITING
 *                                              |     ^
 *                                              '-----' the connection broke: asked again at
 *                                                      once over a new one, and that counts
 *
 * The connection is kept from look to look. A log-in or statement that hangs is
 * listened to by the next look, in the place of another one beside it; and when
 * a log-in may be begun is in debts.h. Every FRESH_EVERY looks a fresh one
 * is made beside it, for a server whose accept loop hangs still answers old
 * sessions; once that failed, only a fresh one clears the member. Between looks
 * an idle connection that turns readable means that the server closes it: the
 * member is asked again at once, but never faster than an alarm asks, and no
 * sooner than a refused account may.
 *
 * A slot asks for what is to be done by setting bits of `orders`; the shell does
 * them in the order of enum probe_action_kind. Pure. */
#ifndef ROSTER_PROBES_SLOT_H
#define ROSTER_PROBES_SLOT_H

#include "probes/debts.h"
#include "probes/schedule.h"
#include "probes/timers.h"

/* What a shell has to do. Those up to CLOSE are about a slot, which waits for one of each at most.
 */
enum probe_action_kind {
    ACTION_STOP_RESOLVING, /* the name took too long: its answer is not waited for */
    ACTION_NEXT_ADDRESS,   /* the latest address did not answer: try another of the name's */
    ACTION_ADOPT_FRESH,    /* the fresh connection becomes the kept one, which is closed */
    ACTION_CLOSE_FRESH,
    ACTION_DROP,      /* the kept connection; the next look makes one */
    ACTION_RESOLVE,   /* the member's host: EVENT_RESOLVED */
    ACTION_ASK,       /* over the kept connection, which is made if need be: EVENT_LOOK_ENDED */
    ACTION_ASK_FRESH, /* over a fresh one, likewise */
    ACTION_CLOSE,     /* both connections: no event of this slot any more */

    ACTION_RENEW,       /* store_renew, away from this thread: EVENT_RENEWED */
    ACTION_RELOAD,      /* read the configuration: EVENT_RELOAD if it is good */
    ACTION_STOP,        /* no further events; exit by `at_ms` at the latest, with `exit_code` */
    ACTION_CLOSE_STORE, /* store_close, away from this thread; then exit */
    ACTION_REMEMBER,    /* `memory`, beyond the end of this process */
    ACTION_WAKE         /* EVENT_TIMER at `at_ms`, and no other */
};

enum slot_state { SLOT_WAITING, SLOT_RESOLVING, SLOT_IN_FLIGHT, SLOT_CLOSED };

/* The longest name is a literal IPv6 address with a scope: fe80::1%eth0. */
enum { SLOT_ADDRESS_SIZE = 64 };

enum { IDLE_LEAST_MS = 1000 /* no server ends a session for having been idle for less */ };

struct slot {
    struct timer timer;
    void *cluster;               /* the owner's */
    bool trial;                  /* looked at once, for discovery */
    struct member_config config; /* its name, host and port do not change */
    enum slot_state state;
    bool over_fresh;   /* what is in flight goes over the fresh connection */
    bool logs_in;      /* and begins with a log-in */
    enum remains kept; /* SESSION: the connection is up; QUESTION: it hangs; or neither */
    bool fresh_hangs;  /* the fresh connection does */
    bool only_fresh;   /* the last fresh connection failed */
    struct debts debts;
    int64_t fresh_not_before_ms; /* it showed nothing that the kept one did not know better */
    int64_t fresh_due_ms;
    bool again;       /* asked again after a broken connection */
    bool warned;      /* the look was reported overdue */
    bool pardoned;    /* a word came while a look was under way */
    bool rested;      /* nothing was sent for IDLE_LEAST_MS before it */
    bool unsolicited; /* the next look is due to what the server sent unasked */
    bool works;       /* it computes for us, */
    int64_t works_ms; /* since then */
    int64_t own_ms;   /* for so long in this look, */
    int64_t cost_ms;  /* of which the processor had so much */
    int64_t resolve_until_ms;
    char address[SLOT_ADDRESS_SIZE]; /* the literal that it was asked at last */
    struct look_times times;
    unsigned orders; /* 1u << enum probe_action_kind */
    struct slot *next_ordered;
    bool ordered; /* in the list of those with orders */
    void *shell;  /* the shell's; NULL at first */
};

struct probe_time {
    int64_t ms; /* monotonic */
    int64_t wall_ms;
};

/* What a slot goes by. */
struct slot_context {
    struct probe_time now;
    const struct schedule *schedule;
    int64_t timeout_ms;
    size_t rank, size; /* this probe's place in the fleet */
};

/* What came of a step. */
struct slot_outcome {
    const char *alarm; /* why the whole cluster should be looked at closely; NULL: no reason */
    bool ended;        /* the look ended with this observation */
    bool failed;       /* it showed nothing of the server, for want of means here: likewise */
    struct observation observation;
};

/* Due at once. Its timer is the owner's to add. */
void slot_init(struct slot *slot, const struct member_config *config, bool trial, int64_t now_ms);

/* Begins a look. */
void slot_begin(struct slot *slot, const struct slot_context *context);

/* `address` is a literal, "" when there is none; `problem` why, NULL: no memory for a look. */
void slot_resolved(struct slot *slot, const char *address, const char *problem,
                   const struct slot_context *context, struct slot_outcome *ret_outcome);

/* What was asked gave this observation, and this remains of the connection it went over. UNKNOWN:
 * there was no memory to ask, or no descriptor. */
void slot_look_ended(struct slot *slot, const struct observation *observation, enum remains remains,
                     const struct slot_context *context, struct slot_outcome *ret_outcome);

/* The kept connection turned readable while nothing is in flight. */
void slot_unsolicited(struct slot *slot, const struct slot_context *context,
                      struct slot_outcome *ret_outcome);

/* What it asks computes for us now; or no longer, and that took so much of the processor. */
void slot_works(struct slot *slot, int64_t now_ms);
void slot_worked(struct slot *slot, int64_t cost_ms, int64_t now_ms);

/* Time passed. */
void slot_timer(struct slot *slot, const struct slot_context *context,
                struct slot_outcome *ret_outcome);

/* Something changed in its cluster: bring the next look forward. */
void slot_expedite(struct slot *slot, enum answer standing, const struct slot_context *context);

/* Something says that the server has changed: no log-in waits, and none is listened to. */
void slot_pardon(struct slot *slot, const struct slot_context *context);

/* For reports. */
struct left slot_left(const struct slot *slot, int64_t now_ms);

void slot_close(struct slot *slot);

/* When slot_timer has something to do. */
int64_t slot_due(const struct slot *slot);

#endif
