/* PostgreSQL: does a standby follow the history that its source has, or one of its own?
 *
 * A former primary that was made a standby and not rewound has transactions that nobody else has. A
 * server compares histories by the number of the timeline alone, and of its own word it streams: on
 * a lesser number for a moment at each attempt; on an equal one (both were promoted from the same)
 * for as long as it has more log than its source. So these prove what it says:
 *
 *     its source, asked later, has written what it has replayed    else it is ahead of its source
 *     it replays more while it streams                             its own end does not fit there
 *
 * The first is asked of one that is fenced, and held against any standby. The second besides of one
 * whose own claim had the number that the cluster has now. What is not proved is reported as no
 * live stream. Lesser numbers are the verdict's to compare.
 *
 * Limit: two histories that part by records of equal length cannot be told apart. Pure. */
#ifndef ROSTER_PROBES_ASSESS_HISTORY_H
#define ROSTER_PROBES_ASSESS_HISTORY_H

#include "probes/assess/assess.h"

/* `member` has answered. `before`: its facts until then; NULL: it had given none. */
void history_look(struct assessment *assessment, struct assessed *member,
                  const struct observation *before);

/* The last verdict. */
void history_hint(struct assessment *assessment, const struct topology *topology);

/* It says that it streams, and what it follows is another history, or may be. */
bool history_is_apart(const struct assessed *member);

#endif
