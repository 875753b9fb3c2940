#include "registry/store/store.h"

#include <assert.h>

const char *const store_rc_names[] = {"ok",        "no node", "exists",  "version moved",
                                      "not empty", "denied",  "invalid", "outcome unknown",
                                      "failed",    NULL};

void store_get(struct store *store, uint64_t tag, const char *path, bool watch)
{
    store->ops->get(store, tag, path, watch);
}

void store_list(struct store *store, uint64_t tag, const char *path, bool watch)
{
    store->ops->list(store, tag, path, watch);
}

void store_sync(struct store *store, uint64_t tag, const char *path)
{
    store->ops->sync(store, tag, path);
}

void store_write(struct store *store, uint64_t tag, const struct store_op *ops, size_t n)
{
    assert(n > 0 && n <= STORE_OPS_MAX);
    store->ops->write(store, tag, ops, n);
}

void store_access(struct store *store, uint64_t tag, const char *path)
{
    assert(store->ops->access);
    store->ops->access(store, tag, path);
}

void store_protect(struct store *store, uint64_t tag, const char *path,
                   const struct access_list *list, int32_t aversion)
{
    assert(store->ops->protect && !list->cut);
    store->ops->protect(store, tag, path, list, aversion);
}

int store_fd(const struct store *store)
{
    return store->ops->fd(store);
}

int64_t store_idle_ms(const struct store *store)
{
    return store->ops->idle_ms ? store->ops->idle_ms(store) : -1;
}

bool store_next(struct store *store, int64_t now_ms, struct store_event *ret_event)
{
    return store->ops->next(store, now_ms, ret_event);
}

void store_renew(struct store *store)
{
    store->ops->renew(store);
}

void store_close(struct store *store)
{
    if (store) {
        store->ops->close(store);
    }
}
