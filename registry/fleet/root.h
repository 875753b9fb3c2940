/* The root znode: which registry this is, and whether it is the one that this probe follows.
 *
 *     root znode --(mirror)--> ABSENT    to be created; by a probe with a memory as it was
 *                         \--> FOLLOWED
 *                         \--> REFUSED   nothing is written in this registry
 *                         \--> FAULTY    it does not say; used all the same, and told
 *
 * A probe remembers the identity that it follows, beyond its own end (struct memory, which the
 * shell keeps in a file), and up to which transaction it has seen each topology. Another identity
 * is refused until the root says that it supersedes ours; so is our own, once a topology, or the
 * number of a write of ours, proves that the registry went back in time. Both until the root znode
 * has another identity: a new leader numbers its transactions anew, so what comes later proves
 * nothing.
 *
 * Whoever has no memory and finds no root draws an identity, which is provisional for three beats:
 * a probe that remembers another puts that in its place, and lists the drawn one as superseded.
 * Then one that follows it makes it final. So a first start waits for nobody, and of those that
 * start at once on a registry that was emptied, the one that remembers wins.
 *
 * The judgement needs a read that is no lagging server's: it comes behind the sync of each
 * connect (mirror.h). A step: requests go to the store, time comes in. */
#ifndef ROSTER_REGISTRY_FLEET_ROOT_H
#define ROSTER_REGISTRY_FLEET_ROOT_H

#include "registry/model/model.h"
#include "registry/store/mirror.h"
#include "registry/store/store.h"

enum root_state {
    ROOT_UNREAD, /* in this session, or about to be written by us */
    ROOT_ABSENT,
    ROOT_FOLLOWED,
    ROOT_REFUSED, /* until it has another identity */
    ROOT_FAULTY
};

struct root {
    struct store *store;
    struct mirror *mirror;
    struct mirror_node *node;
    char drawn[IDENTITY_SIZE]; /* the identity of a registry that has none */
    struct memory *memory;     /* what is followed; owned */
    bool memory_changed;       /* since the shell last took it */
    enum root_state state;
    unsigned reads;                /* how often it was judged */
    int64_t newest;                /* the greatest number of a transaction in the memory */
    char went_back[IDENTITY_SIZE]; /* the identity that proved it; "": none did */
    struct went_back proof;
    bool mark_denied;         /* the access list forbids to write that into the root */
    struct registry_id found; /* what the root holds, as read last */
    int64_t provisional_ms;   /* since when it is seen to be; 0: it is not */
    /* a write of the root's contents */
    bool wanted, pending;
    struct registry_id wanted_id;
    int64_t not_before_ms;
    char sentence[SENTENCE_SIZE]; /* the latest for the log */
    bool is_said, is_refusal;
};

/* The registry's identity is drawn by the caller, for the case that there is none. `memory`: what a
 * former process left, or NULL. False: no memory. */
bool root_init(struct root *root, struct store *store, struct mirror *mirror, const char *path,
               const char *drawn, const struct memory *memory);
void root_release(struct root *root);

/* Feed the events of the link, before the mirror has them. */
void root_event(struct root *root, const struct store_event *event);

/* The answer to a write of ours (tag TAG_ROOT with our pointer). */
void root_answer(struct root *root, const struct store_event *event, int64_t now_ms);

/* Writes what is due into the znode; returns when to come back. */
int64_t root_step(struct root *root, int64_t now_ms);

/* What the znode is to be created with; heap. NULL: no memory. */
char *root_contents(const struct root *root);

/* May this registry be used? */
static inline bool root_is_used(const struct root *root)
{
    return root->state == ROOT_FOLLOWED || root->state == ROOT_FAULTY;
}

/* A topology was read. False: it is from before what is known, and the registry is refused. */
bool root_saw_topology(struct root *root, const char *cluster, int64_t mzxid);

/* A write of ours has just had this number. */
void root_wrote(struct root *root, int64_t zxid);

/* A sentence for the log, once; NULL: none. */
const char *root_take_sentence(struct root *root, bool *ret_is_refusal);

/* What is to be kept beyond the end of this process, when it is another than before; else NULL. */
const struct memory *root_take_memory(struct root *root);

#endif
