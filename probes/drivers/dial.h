/* How a connect() went that did not wait. */
#ifndef ROSTER_PROBES_DRIVERS_DIAL_H
#define ROSTER_PROBES_DRIVERS_DIAL_H

/* To be asked once, when `fd` has become writable: 0 when it is connected, else an errno. A socket
 * that has met itself, which happens when the port is one of this machine's own outgoing ones and
 * nobody listens there, counts as refused. */
int errors_of_connect(int fd);

#endif
