/* Descriptors of a guest's own, apart from its host's.
 *
 * ZooKeeper's client keeps a socket and a pipe that it neither shows nor marks close-on-exec.
 * In the host's table a program that the host starts would inherit them, a host that closes all
 * that it does not know (daemonize, closefrom(3)) would take them away, and what it opens next
 * would get their numbers: the client would read and write the host's files. So the thread that
 * makes the client's handles has a table of its own, which its threads share; nobody else sees
 * it. */
#ifndef ROSTER_WATCHERS_DESCRIPTORS_H
#define ROSTER_WATCHERS_DESCRIPTORS_H

#include <stdbool.h>

/* From now on this thread, and those that it makes, have a table of their own, with /dev/null
 * as 0 to 2. What the host opened lives on there alone. False: this kernel, or a filter, does
 * not let us; then the host's table is shared. */
bool descriptors_leave_host(void);

#endif
