/* One server that is listed twice: by its address and by a name, or by an address that moves from
 * server to server. Which of the two is it, and which an alias?
 *
 *     facts of two members --> one run of one server? --> score of the pair --> alias, judged anew
 *                                                                               at each look
 *
 * That two are one has to be proved, for different servers may be alike in all that is configured:
 * clones have equal host names, ids and UUIDs.
 *
 *   PostgreSQL     the microsecond in which it was started, besides the system identifier; then
 *                  what one look shows of the log must not be behind what the other showed before
 *   MySQL, MariaDB a number that the server gives out once, from the second of its start on
 *                  (UUID_SHORT): both members' numbers are of one row, over many looks, and none is
 *                  given out by both
 *
 * The alias is the one that was seen to move; else the one that the last verdict has as such; else
 * the one that is not its primary; else the latter by name. While a member that was an alias gives
 * no answer, or its pairs are not decided, it stays one. Pure. */
#ifndef ROSTER_PROBES_ASSESS_ALIAS_H
#define ROSTER_PROBES_ASSESS_ALIAS_H

#include "probes/assess/assess.h"

/* Member `i` has answered. `before`: its facts until then, and when they were seen; NULL: it had
 * given none. */
void alias_look(struct assessment *assessment, size_t i, const struct observation *before,
                int64_t before_ms);

/* Not enough looks yet to tell whether two members are one. */
bool alias_is_open(const struct assessment *assessment);

/* What the registry has. */
void alias_hint(struct assessment *assessment, const struct topology *topology);

/* Another list of members. */
void alias_forget(struct assessment *assessment);

#endif
