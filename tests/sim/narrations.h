/* The expected narration of each story, line by line: what happens to the servers, and what the
 * fleet and the router make of it. */
#ifndef ROSTER_TESTS_SIM_NARRATIONS_H
#define ROSTER_TESTS_SIM_NARRATIONS_H

/* "" for a story that has none yet. */
const char *narration_of(const char *story);

#endif
