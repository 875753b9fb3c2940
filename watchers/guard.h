/* Who may put another topology in the place of one: by its access list and that of its folder.
 *
 *     guard_ask --> two lists --> guard_take --> guard_knows, guard_is_open
 *
 * A topology is as trustworthy as those two lists: who may delete in the folder and create there
 * writes as well, with whatever list he likes. What the fleet goes by beside it (reports,
 * directives) is looked at by the probes. A step: answers and time come in. */
#ifndef ROSTER_WATCHERS_GUARD_H
#define ROSTER_WATCHERS_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/store/store.h"

/* What anybody may do with a znode, as asked last. */
struct seen_access {
    bool known; /* in this session */
    bool shown; /* of the znode created at czxid (0: there is none), by that version of its list */
    int64_t czxid;
    int32_t aversion;
    unsigned may; /* MAY_... */
};

struct access_guard {
    struct store *store; /* NULL: nobody is on guard, everything is known and nothing open */
    char topology_path[PATH_SIZE], folder_path[PATH_SIZE];
    struct seen_access topology, folder;
    unsigned asked; /* answers that are outstanding */
    int64_t asked_ms;
};

void guard_init(struct access_guard *guard, struct store *store, const char *topology_path,
                const char *folder_path);

/* Ask for both lists, unless that is under way. */
void guard_ask(struct access_guard *guard, uint64_t tag, int64_t now_ms);

/* An answer. False: it says nothing, the next connect is to ask again. */
bool guard_take(struct access_guard *guard, const struct store_event *event);

/* In a new session all is to be asked anew: it may be another registry. */
void guard_forget(struct access_guard *guard);

/* Is it known who may write the value that was read with this stat? If not, it is to be asked. */
bool guard_knows(const struct access_guard *guard, const struct store_stat *stat);

/* By what was asked last, may anybody put another topology there? */
bool guard_is_open(const struct access_guard *guard);

/* What is open, and what to do. Returns `to`. */
const char *guard_phrase(const struct access_guard *guard, char *to, size_t size);

#endif
