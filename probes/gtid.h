/* Sets of global transaction identifiers, as MySQL (gtid_executed) and MariaDB (gtid_binlog_state) write them:
 *
 *     3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77:80, 8a94f357-...:backup:1-3      MySQL, tags from 8.3 on
 *     0-1-270,0-2-113                                                            MariaDB: domain, server, number reached
 *
 * Pure. */
#ifndef ROSTER_PROBES_GTID_H
#define ROSTER_PROBES_GTID_H

#include <stdbool.h>

/* Is there anything in `theirs` that is not in `mine`? False too when either cannot be read or is "": nothing is known then. */
bool gtid_lacks(const char *mine, const char *theirs);

#endif
