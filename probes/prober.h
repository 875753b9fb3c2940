/* Asks one member what it is: the shell of a slot (slot.h). It has the
 * connections, the loop's handles for them and the deadlines of the drivers.
 *
 *     resolve, ask --> driver --> (poll, worker, deadline) --> event
 *
 * What a driver waits for gets a deadline of the configured timeout per phase. Time that a worker
 * computed for us, or by which the loop was late, comes on top: it is not the server's.
 * While nothing is in flight the kept connection is polled, or the one that hangs:
 * EVENT_UNSOLICITED.
 *
 * Loop thread only. */
#ifndef ROSTER_PROBES_PROBER_H
#define ROSTER_PROBES_PROBER_H

#include "probes/dns.h"
#include "probes/lateness.h"
#include "probes/probe.h"

struct prober;

/* What all probers share; lives as long as they. */
struct prober_settings {
    struct uv_loop_s *loop;
    struct dns *dns;
    struct lateness *lateness; /* of the loop */
    /* An event of a slot; may perform actions of this and any other prober before it returns. */
    void (*step)(void *owner, struct probe_event *event);
    /* A server has refused the account of this slot's cluster. */
    void (*refused)(void *owner, const struct slot *slot);
    void *owner;
};

/* For the member of `slot`, which is asked by its cluster's settings; `application` is how it
 * shows in the server's list of sessions. NULL: no memory. */
struct prober *prober_new(const struct prober_settings *settings, struct slot *slot,
                          const char *application, int64_t timeout_ms);

/* Does what a slot orders. After ACTION_CLOSE the prober is gone for the caller; its memory goes
 * when the loop has let go of it. */
void prober_perform(struct prober *prober, enum probe_action_kind action);

#endif
