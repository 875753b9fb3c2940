/* roster-probe --check --connect: try all that a probe needs, and say what each answers. */
#ifndef ROSTER_PROBES_CONNECT_H
#define ROSTER_PROBES_CONNECT_H

#include "registry/config/config.h"

/* Names, the registry's servers, its chroot, our credentials there, and every member with its
 * account's privileges: a line for each on standard output. Writes nothing anywhere, and waits for
 * each. False: something failed. */
bool connect_all(const struct config *config);

#endif
