/* One ephemeral znode of ours, kept as we want it: a presence or a report.
 *
 *      ABSENT --create--> HELD <--set--> (writing)
 *         ^                 |
 *         |   gone, moved, or the outcome unknown
 *         |                 v
 *         +---- none ---- EXAMINING ---- ours ---> HELD
 *                           |
 *                           +-- another session's --> the owner is asked (a ghost of our former
 * self, or somebody alive?)
 *                                                     --> REPLACING: delete and create in one
 * transaction
 *
 * Ephemeral ownership is told by the session, never by the data. An unknown
 * outcome is settled by reading. A znode that somebody deletes or overwrites by
 * hand is put back. A step: requests go to the store, time comes in. */
#ifndef ROSTER_REGISTRY_STORE_EPHEMERAL_H
#define ROSTER_REGISTRY_STORE_EPHEMERAL_H

#include "registry/store/mirror.h"
#include "registry/store/store.h"

enum ephemeral_state {
    EPHEMERAL_ABSENT,
    EPHEMERAL_CREATING,
    EPHEMERAL_EXAMINING,
    EPHEMERAL_FOREIGN,
    EPHEMERAL_REPLACING,
    EPHEMERAL_HELD,
    EPHEMERAL_WRITING
};

struct ephemeral {
    struct store *store;
    struct mirror *mirror;
    struct mirror_node *node; /* tells when somebody else touches it */
    char path[PATH_SIZE];
    enum ephemeral_state state;
    bool busy;       /* a request is under way */
    int64_t session; /* ours; 0: none */
    int32_t version; /* while held: of what stands there */
    int64_t mzxid;
    char *first;  /* what it is created with; owned */
    char *wanted; /* what should stand there; owned; NULL: nothing yet */
    bool dirty;   /* wanted is not what stands there */
    /* the latest answer acknowledged a write: the owner clears it */
    bool acked;
    /* FOREIGN: what stands there in another session's name; owned */
    char *found;
    size_t found_len;
    int32_t found_version;
    int64_t not_before_ms; /* after a refusal */
    const char *trouble;   /* why it cannot be written; NULL: nothing to say */
};

/* False: no memory. `first` is copied. */
bool ephemeral_init(struct ephemeral *ephemeral, struct store *store, struct mirror *mirror,
                    const char *path, const char *first);
void ephemeral_release(struct ephemeral *ephemeral); /* no request may be under way */

/* another session began: nothing of ours is there yet */
void ephemeral_session(struct ephemeral *ephemeral, int64_t session);

/* What should stand there. Takes `data` (heap); NULL is ignored. */
void ephemeral_want(struct ephemeral *ephemeral, char *data);

/* Whoever holds a FOREIGN ephemeral is a ghost: replace it. */
void ephemeral_replace(struct ephemeral *ephemeral);

/* Look again at whoever holds it. */
void ephemeral_examine(struct ephemeral *ephemeral);

/* TAG_EPHEMERAL with our pointer */
void ephemeral_answer(struct ephemeral *ephemeral, const struct store_event *event, int64_t now_ms);
/* returns when to come back */
int64_t ephemeral_step(struct ephemeral *ephemeral, int64_t now_ms);

#endif
