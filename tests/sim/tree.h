/* ZooKeeper's memory: znodes, and the transactions that change them.
 *
 *     request --> tree_execute on the leader's tree --> txn --> tree_apply on each server's tree,
 *                                                               in order, each in its time
 *
 * A transaction owns its strings and lives as long as the log; trees borrow. */
#ifndef ROSTER_TESTS_SIM_TREE_H
#define ROSTER_TESTS_SIM_TREE_H

#include "registry/store/store.h"

struct znode {
    const char *path;
    const char *data; /* NULL: none */
    size_t len;
    struct store_stat stat;
    int64_t pzxid; /* when a child last came or went */
};

struct change {
    bool drops;
    bool creates;
    struct znode node; /* as it is afterwards; dropped: the path alone */
};

struct txn {
    int64_t zxid;
    struct change *changes;
    size_t count;
};

struct tree {
    struct znode *nodes; /* sorted by path */
    size_t count, room;
    int64_t zxid; /* of the latest transaction applied */
};

const struct znode *tree_find(const struct tree *tree, const char *path);

/* The direct children of `path`: their last names, to be freed; they borrow from the tree. */
const char **tree_children(const struct tree *tree, const char *path, size_t *ret_count);

/* Works out all steps or none, without applying them. On error the transaction is empty, the way
 * ZooKeeper keeps errors in its log too, and ret_failed is the step. `session` owns new
 * ephemerals. */
enum store_rc tree_execute(const struct tree *tree, const struct store_op *ops, size_t n,
                           int64_t zxid, int64_t session, struct txn *ret_txn, size_t *ret_failed);

/* The transaction that ends a session: its ephemerals go. */
void tree_end_session(const struct tree *tree, int64_t session, int64_t zxid, struct txn *ret_txn);

void tree_apply(struct tree *tree, const struct txn *txn);
void tree_release(struct tree *tree);
void txn_release(struct txn *txn);

/* Is `path` the parent of `child`? */
bool path_is_parent(const char *path, const char *child);

#endif
