/* The daemon's shell: the loop, the store, and everything that is due.
 *
 *      looks --> assess --> reporter --> store
 *      store --> mirror --> liveness, resolver --> store
 *
 * Nothing is decided here: events go in with the time, what comes out is
 * performed, and news are put into words for the log. */
#ifndef ROSTER_PROBES_AGENT_H
#define ROSTER_PROBES_AGENT_H

#include "registry/config/config.h"

/* Runs until SIGTERM or SIGINT. Takes the configuration over; `file` is read again on SIGHUP.
 * Returns the exit code: 0 stopped as asked, 1 our name is another live probe's, or no memory. */
int agent_run(struct config *config, const char *file);

#endif
