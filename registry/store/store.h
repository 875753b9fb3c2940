/* The registry behind a seam: requests and answers as values.
 *
 *   requests --> store --> events, one at a time, on the caller's thread
 *
 * A store is used by one thread: every function here, and the memory an event
 * points to, belongs to it. Nothing blocks but store_renew and store_close.
 * zk_session.c puts ZooKeeper behind it, tests/sim/store_mem.c a ZooKeeper of
 * virtual time. Requests are answered exactly once, in order of issue within a
 * session, or answered STORE_UNKNOWN when the session's link broke before the
 * outcome was known; a write answered STORE_UNKNOWN may have happened or not.
 * Answers that the session's end swallows are made up as STORE_UNKNOWN by
 * store_renew, so a tag may be a pointer: its three low bits name the owner.
 * While the link is down nothing is sent: requests are answered STORE_UNKNOWN at once.
 *
 *     store_renew --> STORE_UP --> STORE_DOWN --> STORE_UP ...
 *                        \              \
 *                         '--------------'--> STORE_GONE --> store_renew ...
 *
 * A STORE_UP behind a STORE_DOWN has the same session, whose ephemerals live on; its watches
 * may be gone: what is watched is to be read again. With STORE_GONE all are gone; the next
 * STORE_UP has a new session. A further STORE_DOWN while it is down tells what is to be mended. */
#ifndef ROSTER_REGISTRY_STORE_STORE_H
#define ROSTER_REGISTRY_STORE_STORE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/base/limits.h"
#include "registry/model/access.h"

struct store;

/* Whose pointer a tag carries: its low bits; the rest is the pointer. */
enum store_tag {
    TAG_MIRROR,     /* a mirror_node, or the mirror itself */
    TAG_FOLDERS,    /* the folders; NULL: nobody waits for it */
    TAG_EPHEMERAL,  /* a struct ephemeral */
    TAG_WITHDRAWAL, /* a struct withdrawal */
    TAG_RESOLVER,   /* a resolver */
    TAG_CALLER,     /* whatever the caller likes */
    TAG_AUDIT,      /* an audit, or a watched cluster: about access lists */
    TAG_ROOT,       /* a struct root */
    TAG_MASK = 7
};

static inline uint64_t store_tag(const void *pointer, enum store_tag owner)
{
    assert(((uintptr_t)pointer & TAG_MASK) == 0 && owner <= TAG_MASK);
    return (uint64_t)(uintptr_t)pointer | (uint64_t)owner;
}

static inline void *store_tag_pointer(uint64_t tag)
{
    return (void *)(uintptr_t)(tag & ~(uint64_t)TAG_MASK);
}

enum store_rc {
    STORE_OK,
    STORE_NO_NODE,     /* the path, or its parent, is not there */
    STORE_EXISTS,      /* create: it is there already */
    STORE_BAD_VERSION, /* check, set, delete: the version moved */
    STORE_NOT_EMPTY,   /* delete: it has children */
    STORE_DENIED,      /* the access list forbids it */
    STORE_INVALID,     /* the request itself is wrong (a path, a size) */
    STORE_UNKNOWN,     /* the outcome is not known: re-read, never retry blindly */
    STORE_FAILED       /* refused for another reason; nothing was done */
};
extern const char *const store_rc_names[];

struct store_stat {
    int64_t czxid;    /* when created: differs after delete and re-create */
    int64_t mzxid;    /* when last written */
    int32_t version;  /* writes since creation */
    int64_t owner;    /* session of an ephemeral; 0: persistent */
    int32_t aversion; /* changes of its access list */
};

enum store_op_kind { STORE_CREATE, STORE_CREATE_EPHEMERAL, STORE_SET, STORE_DELETE, STORE_CHECK };

/* One step of a transaction. version -1: any. data is copied by store_write. */
struct store_op {
    enum store_op_kind kind;
    const char *path;
    const char *data; /* create, set */
    size_t len;
    int32_t version; /* set, delete, check */
};

enum { STORE_OPS_MAX = WITNESSES_MAX + 8 };

enum store_event_kind {
    /* connected; `session` is its id, `renewed`: it is another than before */
    STORE_UP,
    STORE_DOWN,    /* link lost; the session may live on */
    STORE_GONE,    /* session expired, refused, or silent past its timeout: call store_renew */
    STORE_CHANGED, /* a watch fired: `path` changed in some way; the watch is used up */
    STORE_ANSWER   /* to the request `tag` */
};

struct store_event {
    enum store_event_kind kind;
    /* STORE_UP */
    int64_t session;
    bool renewed;
    /* STORE_GONE, STORE_DOWN */
    const char *detail; /* a sentence, or NULL */
    bool to_mend;       /* it names what is to be mended: a setting, or a want of this process */
    /* STORE_CHANGED and STORE_ANSWER to a read */
    const char *path;
    /* STORE_ANSWER */
    uint64_t tag;
    enum store_rc rc;
    /* get, access; and single set and create where known, else zero */
    struct store_stat stat;
    const char *data; /* get: terminated beyond len; NULL when the znode has no data */
    size_t len;
    const char *const *names; /* list: unsorted child names */
    size_t name_count;
    const struct access_list *access; /* access */
    size_t failed_op;                 /* a write that was refused: which step */
};

/* ---- requests: never block, never fail at once ----------------------------------------------- */

/* Read a znode. With `watch`, a later change gives one STORE_CHANGED; a get on an
 * absent znode answers STORE_NO_NODE and watches for its creation. */
void store_get(struct store *store, uint64_t tag, const char *path, bool watch);

/* List children, likewise. */
void store_list(struct store *store, uint64_t tag, const char *path, bool watch);

/* Make the server we are connected to catch up with the ensemble before the reads behind it. */
void store_sync(struct store *store, uint64_t tag, const char *path);

/* All steps or none. n <= STORE_OPS_MAX; data is copied. */
void store_write(struct store *store, uint64_t tag, const struct store_op *ops, size_t n);

/* Read a znode's access list. */
void store_access(struct store *store, uint64_t tag, const char *path);

/* Replace it, if it changed `aversion` times so far; -1: in any case. The list is copied. */
void store_protect(struct store *store, uint64_t tag, const char *path,
                   const struct access_list *list, int32_t aversion);

/* ---- events ---------------------------------------------------------------------------------- */

/* Readable (POLLIN) while events may wait, those that time alone brings among them.
 * Level-triggered. -1 for a store without one. */
int store_fd(const struct store *store);

/* Of a store without a descriptor: how long it has none by time alone, as of the last store_next
 * that returned false; negative: without limit. */
int64_t store_idle_ms(const struct store *store);

/* The next event, or false. What it points to lives until the next call on this store.
 * `now_ms` (monotonic) lets the store notice silence past the session timeout. */
bool store_next(struct store *store, int64_t now_ms, struct store_event *ret_event);

/* ---- life: may block for the session's end; callable from any one thread while no other uses the
 * store ------------------------------------------------- */

/* After STORE_GONE (or never connected for long): drop the old session, begin another. The
 * servers' names are looked up anew, which nobody waits for. */
void store_renew(struct store *store);

/* Ends the session (ephemerals go at once when the server receives that) and frees the store.
 * NULL is fine. */
void store_close(struct store *store);

/* What an implementation provides (registry/store/store.c passes the calls above on to it);
 * `struct store` is its first member. */
struct store_ops {
    void (*get)(struct store *, uint64_t, const char *, bool);
    void (*list)(struct store *, uint64_t, const char *, bool);
    void (*sync)(struct store *, uint64_t, const char *);
    void (*write)(struct store *, uint64_t, const struct store_op *, size_t);
    /* NULL, both: a store without access lists, which nobody asks for them */
    void (*access)(struct store *, uint64_t, const char *);
    void (*protect)(struct store *, uint64_t, const char *, const struct access_list *, int32_t);
    int (*fd)(const struct store *);
    int64_t (*idle_ms)(const struct store *);
    bool (*next)(struct store *, int64_t, struct store_event *);
    void (*renew)(struct store *);
    void (*close)(struct store *);
};
struct store {
    const struct store_ops *ops;
};

/* ---- ZooKeeper ------------------------------------------------------------------------------- */

struct store_zk_options {
    /* comma list of host:port, [v6]:port; an optional /chroot at the very end */
    const char *servers;
    int64_t session_timeout_ms;
    const char *auth;      /* "digest:user:password", or NULL or "" for none */
    const char *also_auth; /* likewise, shown beside it */
    /* The lists of what is created below `root`. NULL: all for `auth`, and everybody reads. */
    const struct access_rules *rules;
    const char *root;
    /* the client library's log; NULL drops it; called on its threads. severity: 1 error,
     * 2 warning, 3 info, 4 debug */
    void (*log)(void *ctx, int severity, const char *line);
    void *log_ctx;
    /* NULL: store_fd wakes. Else the store has no descriptor: this is called when events may wait,
     * on any thread; it must not call the store */
    void (*ring)(void *ctx);
    void *ring_ctx;
};

/* Checks the servers string and returns an idle store: call store_renew to begin. NULL when
 * memory ran out or the options are wrong; then `sentence` has the reason. No I/O here. */
struct store *store_zk_new(const struct store_zk_options *options, char *sentence, size_t size);

/* The same check alone, for configuration. */
bool store_zk_servers_ok(const char *servers, char *sentence, size_t size);

#endif
