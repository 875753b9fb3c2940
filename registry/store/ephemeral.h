/* One ephemeral znode of ours, kept in existence: a presence or a report. What it holds is its
 * owner's business: it writes whenever the znode is ours and holds something else.
 *
 *     ABSENT ---> CREATING ---> HELD ---> WRITING ---> WRITTEN ---> WRITING ...
 *       ^                         |          |            |
 *       |                         +----------+------------+-- touched by somebody else,
 *       |                                    |                refused, or the outcome unknown
 *       |                                    v
 *       +---- no znode ---- READING <--- UNCERTAIN
 *                              |
 *                              +-- ours ---------------> HELD
 *                              +-- another session's --> FOREIGN
 *
 * Who holds a FOREIGN one, a ghost of our former self or somebody alive, the owner decides:
 * REPLACING deletes and creates it in one transaction, and ends in HELD.
 *
 * An ephemeral is ours when its owning session is; its data proves nothing. An unknown outcome is
 * settled by reading. A znode that somebody deletes by hand is created again, and one that
 * somebody overwrites is HELD, so that its owner writes it again. A step: requests go to the
 * store, time comes in. */
#ifndef ROSTER_REGISTRY_STORE_EPHEMERAL_H
#define ROSTER_REGISTRY_STORE_EPHEMERAL_H

#include "registry/store/mirror.h"
#include "registry/store/store.h"

enum ephemeral_state {
    EPHEMERAL_ABSENT,    /* to be created */
    EPHEMERAL_UNCERTAIN, /* to be read, at not_before_ms */
    EPHEMERAL_FOREIGN,   /* another session's: `found` */
    EPHEMERAL_HELD,      /* ours; what it holds is not what its owner wrote last */
    EPHEMERAL_WRITTEN,   /* ours; it holds what its owner wrote last */
    /* a request is under way */
    EPHEMERAL_CREATING,
    EPHEMERAL_READING,
    EPHEMERAL_REPLACING,
    EPHEMERAL_WRITING,
    EPHEMERAL_ORPHANED /* the session that it was sent in is over */
};

struct ephemeral {
    struct store *store;
    struct mirror *mirror;
    struct mirror_node *node; /* read when somebody else touches it */
    char path[PATH_SIZE];
    char *first; /* what it is created with; owned */
    enum ephemeral_state state;
    int64_t session; /* ours; 0: none */
    int32_t version; /* of the znode, while it is ours */
    int64_t mzxid;
    int64_t not_before_ms; /* UNCERTAIN: when to read */
    const char *trouble;   /* UNCERTAIN: why a request was refused; NULL: it was not */
    /* FOREIGN: what it holds, NULL: nothing, and its version; owned */
    char *found;
    int32_t found_version;
};

/* False: no memory. `first` is copied. */
bool ephemeral_init(struct ephemeral *ephemeral, struct store *store, struct mirror *mirror,
                    const char *path, const char *first);
void ephemeral_release(struct ephemeral *ephemeral); /* no answer may come after it */

/* Another session began, or (0) ours is over: nothing of ours exists. */
void ephemeral_session(struct ephemeral *ephemeral, int64_t session);

/* A request is under way, whose answer is still to come. */
bool ephemeral_is_busy(const struct ephemeral *ephemeral);
/* Our session has created it, as far as we know. */
bool ephemeral_is_ours(const struct ephemeral *ephemeral);
/* Our session has created it, or may have. */
bool ephemeral_may_exist(const struct ephemeral *ephemeral);

/* It is ours and no request is under way: ephemeral_write may be called. */
bool ephemeral_is_writable(const struct ephemeral *ephemeral);
void ephemeral_write(struct ephemeral *ephemeral, const char *data);

/* Whoever holds a FOREIGN ephemeral is a ghost: replace it. */
void ephemeral_replace(struct ephemeral *ephemeral);

/* Read a FOREIGN ephemeral again, then. */
void ephemeral_read_again(struct ephemeral *ephemeral, int64_t at_ms);

/* Why the latest request was refused, once; NULL: it was not. */
const char *ephemeral_take_trouble(struct ephemeral *ephemeral);

/* The answer to a request of ours (tag TAG_EPHEMERAL with our pointer). True when it acknowledges
 * a write. */
bool ephemeral_answer(struct ephemeral *ephemeral, const struct store_event *event, int64_t now_ms);

/* Create it, or read it, where that is due. Returns when to come back. */
int64_t ephemeral_step(struct ephemeral *ephemeral, int64_t now_ms);

#endif
