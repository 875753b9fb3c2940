/* The permanent znodes that everything else is kept in: the root, which holds the registry's id
 * (root.h), and the folders below it. Whoever comes first creates them; they are never removed.
 *
 *     [is there the chroot?] --> the root is there? --no--> root, part by part --> read
 *                       \--yes, and it may be used --> probes --> clusters --> complete
 *     then, on request: clusters/NAME, clusters/NAME/reports
 *
 * A new session makes sure of all of them but the clusters': were one of these missing, the report
 * in it could not be created. A step: answers and time come in. */
#ifndef ROSTER_REGISTRY_FLEET_FOLDERS_H
#define ROSTER_REGISTRY_FLEET_FOLDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/fleet/root.h"
#include "registry/store/store.h"

/* The trouble that nothing can be created in. A chroot is never created: a mistyped one would
 * become a second registry. */
extern const char folders_no_chroot[];

enum folders_phase {
    FOLDERS_CHROOT, /* of the registry's address: does it exist? */
    FOLDERS_ROOT,
    FOLDERS_PROBES,
    FOLDERS_CLUSTERS,
    FOLDERS_COMPLETE
};

struct folders {
    struct store *store;
    struct root *root;
    bool has_chroot;
    enum folders_phase phase; /* what is made now */
    size_t root_made;         /* ROOT: so much of its path */
    unsigned root_reads;      /* of the root, when all of its path was made */
    unsigned pending;         /* requests under way */
    int64_t not_before_ms;    /* after a refusal */
    const char *trouble;      /* why something was refused; NULL: it was not */
};

void folders_init(struct folders *folders, struct store *store, struct root *root, bool has_chroot);

/* Make sure of all of them, from the root on. */
void folders_begin(struct folders *folders);

static inline bool folders_are_complete(const struct folders *folders)
{
    return folders->phase == FOLDERS_COMPLETE;
}

/* Can it take a request now? */
bool folders_are_idle(const struct folders *folders, int64_t now_ms);

/* Asks for what is next. Returns when to come back. */
int64_t folders_step(struct folders *folders, int64_t now_ms);

/* Complete and idle: make a cluster's folders. What is created in them by a later request of this
 * session finds them, or is refused. */
void folders_make_cluster(struct folders *folders, const char *cluster);

/* The answer to a request (tag TAG_FOLDERS with our pointer). */
void folders_answer(struct folders *folders, const struct store_event *event, int64_t now_ms);

/* Why the latest request was refused, once; NULL: none was. */
const char *folders_take_trouble(struct folders *folders);

#endif
