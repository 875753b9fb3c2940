/* The daemon: a shell of the probe (probe.h). It has the loop, the store's
 * threads, the clocks, the signals and the configuration file.
 *
 *     timer, store, signal, prober --> probe_step --> actions --> prober, store, timer
 *                                                 \-> facts --> log_events
 *
 * Nothing is decided here. */
#ifndef ROSTER_PROBES_AGENT_H
#define ROSTER_PROBES_AGENT_H

#include "registry/config/config.h"

/* Runs until SIGTERM or SIGINT. Takes the configuration over; `file` is read again on SIGHUP.
 * Returns the exit code: 0 stopped as asked, 1 our name is another live probe's, or no memory. */
int agent_run(struct config *config, const char *file);

#endif
