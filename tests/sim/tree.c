#include "tests/sim/tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t place_of(const struct tree *tree, const char *path, bool *ret_there)
{
    size_t low = 0;
    size_t high = tree->count;
    *ret_there = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(path, tree->nodes[middle].path);
        if (order == 0) {
            *ret_there = true;
            return middle;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

const struct znode *tree_find(const struct tree *tree, const char *path)
{
    bool there;
    size_t at = place_of(tree, path, &there);
    return there ? &tree->nodes[at] : NULL;
}

static size_t parent_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? 1 : (size_t)(slash - path);
}

bool path_is_parent(const char *path, const char *child)
{
    return strcmp(child, "/") != 0 && parent_length(child) == strlen(path) &&
           strncmp(path, child, strlen(path)) == 0;
}

const char **tree_children(const struct tree *tree, const char *path, size_t *ret_count)
{
    const char **names = calloc(tree->count + 1, sizeof *names);
    assert(names);
    *ret_count = 0;
    for (size_t i = 0; i < tree->count; i++) {
        if (path_is_parent(path, tree->nodes[i].path)) {
            names[(*ret_count)++] = strrchr(tree->nodes[i].path, '/') + 1;
        }
    }
    return names;
}

/* ---- executing: the tree as it would be after the steps so far ------------------------------- */

static const struct znode *find_ahead(const struct tree *tree, const struct txn *txn,
                                      const char *path)
{
    for (size_t i = txn->count; i-- > 0;) {
        if (strcmp(txn->changes[i].node.path, path) == 0) {
            return txn->changes[i].drops ? NULL : &txn->changes[i].node;
        }
    }
    return tree_find(tree, path);
}

static bool has_children(const struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (path_is_parent(path, tree->nodes[i].path)) {
            return true;
        }
    }
    return false;
}

static struct change *add_change(struct txn *txn, const char *path)
{
    struct change *change = &txn->changes[txn->count++];
    *change = (struct change){.node.path = strdup(path)};
    return change;
}

static void set_data(struct znode *node, const struct store_op *op)
{
    char *data = malloc(op->len + 1);
    assert(data);
    memcpy(data, op->data ? op->data : "", op->len);
    data[op->len] = '\0';
    node->data = data;
    node->len = op->len;
}

static enum store_rc create(const struct tree *tree, struct txn *txn, const struct store_op *op,
                            int64_t session)
{
    char parent[PATH_SIZE];
    size_t length = parent_length(op->path);
    memcpy(parent, op->path, length);
    parent[length] = '\0';
    if (find_ahead(tree, txn, op->path)) {
        return STORE_EXISTS;
    }
    if (!find_ahead(tree, txn, parent)) {
        return STORE_NO_NODE;
    }
    struct change *change = add_change(txn, op->path);
    change->creates = true;
    change->node.stat =
        (struct store_stat){.czxid = txn->zxid,
                            .mzxid = txn->zxid,
                            .owner = op->kind == STORE_CREATE_EPHEMERAL ? session : 0};
    change->node.pzxid = txn->zxid;
    set_data(&change->node, op);
    return STORE_OK;
}

static enum store_rc execute(const struct tree *tree, struct txn *txn, const struct store_op *op,
                             int64_t session)
{
    const struct znode *node = find_ahead(tree, txn, op->path);
    if (op->kind == STORE_CREATE || op->kind == STORE_CREATE_EPHEMERAL) {
        return create(tree, txn, op, session);
    }
    if (!node) {
        return STORE_NO_NODE;
    }
    if (op->version != -1 && op->version != node->stat.version) {
        return STORE_BAD_VERSION;
    }
    if (op->kind == STORE_DELETE) {
        if (has_children(tree, op->path)) {
            return STORE_NOT_EMPTY;
        }
        add_change(txn, op->path)->drops = true;
    } else if (op->kind == STORE_SET) {
        struct store_stat stat = node->stat;
        int64_t pzxid = node->pzxid;
        struct change *change = add_change(txn, op->path);
        change->node.stat = stat;
        change->node.stat.mzxid = txn->zxid;
        change->node.stat.version++;
        change->node.pzxid = pzxid;
        set_data(&change->node, op);
    }
    return STORE_OK;
}

static void begin(struct txn *txn, int64_t zxid, size_t room)
{
    *txn = (struct txn){.zxid = zxid, .changes = calloc(room + 1, sizeof *txn->changes)};
    assert(txn->changes);
}

enum store_rc tree_execute(const struct tree *tree, const struct store_op *ops, size_t n,
                           int64_t zxid, int64_t session, struct txn *ret_txn, size_t *ret_failed)
{
    begin(ret_txn, zxid, n);
    for (size_t i = 0; i < n; i++) {
        enum store_rc rc = execute(tree, ret_txn, &ops[i], session);
        if (rc != STORE_OK) {
            txn_release(ret_txn);
            begin(ret_txn, zxid, 0);
            *ret_failed = i;
            return rc;
        }
    }
    return STORE_OK;
}

void tree_end_session(const struct tree *tree, int64_t session, int64_t zxid, struct txn *ret_txn)
{
    begin(ret_txn, zxid, tree->count);
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].stat.owner == session) {
            add_change(ret_txn, tree->nodes[i].path)->drops = true;
        }
    }
}

/* ---- applying -------------------------------------------------------------------------------- */

static void touch_parent(struct tree *tree, const char *path, int64_t zxid)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (path_is_parent(tree->nodes[i].path, path)) {
            tree->nodes[i].pzxid = zxid;
        }
    }
}

static void apply(struct tree *tree, const struct change *change, int64_t zxid)
{
    bool there;
    size_t at = place_of(tree, change->node.path, &there);
    if (change->drops) {
        assert(there);
        memmove(&tree->nodes[at], &tree->nodes[at + 1], (--tree->count - at) * sizeof *tree->nodes);
        touch_parent(tree, change->node.path, zxid);
        return;
    }
    if (there) {
        int64_t pzxid = tree->nodes[at].pzxid;
        tree->nodes[at] = change->node;
        tree->nodes[at].pzxid = pzxid;
        return;
    }
    if (tree->count == tree->room) {
        tree->room = tree->room ? 2 * tree->room : 64;
        tree->nodes = realloc(tree->nodes, tree->room * sizeof *tree->nodes);
        assert(tree->nodes);
    }
    memmove(&tree->nodes[at + 1], &tree->nodes[at], (tree->count++ - at) * sizeof *tree->nodes);
    tree->nodes[at] = change->node;
    touch_parent(tree, change->node.path, zxid);
}

void tree_apply(struct tree *tree, const struct txn *txn)
{
    for (size_t i = 0; i < txn->count; i++) {
        apply(tree, &txn->changes[i], txn->zxid);
    }
    tree->zxid = txn->zxid;
}

void tree_release(struct tree *tree)
{
    free(tree->nodes);
    *tree = (struct tree){0};
}

void txn_release(struct txn *txn)
{
    for (size_t i = 0; i < txn->count; i++) {
        free((void *)(uintptr_t)txn->changes[i].node.path);
        free((void *)(uintptr_t)txn->changes[i].node.data);
    }
    free(txn->changes);
    *txn = (struct txn){0};
}
