/* Golden stories: named worlds in which something happens, and its narration, line by line. */
#ifndef ROSTER_TESTS_SIM_STORIES_H
#define ROSTER_TESTS_SIM_STORIES_H

#include <stdbool.h>

/* Plays all stories, or the one called `only`; prints "ok NAME" or "not ok NAME REASON" for each.
 * Returns how many failed; -1 when there is none of that name. */
int stories_play(const char *only, bool loud);

#endif
