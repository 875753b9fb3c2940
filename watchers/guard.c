#include "watchers/guard.h"

#include <assert.h>
#include <stdio.h>

#include "registry/base/text.h"

/* What opens the topology itself, and what its folder. */
static const unsigned opens = MAY_WRITE | MAY_ADMIN;
static const unsigned opens_folder = MAY_CREATE | MAY_DELETE | MAY_ADMIN;

void guard_init(struct access_guard *guard, struct store *store, const char *topology_path,
                const char *folder_path)
{
    bool fits = text_copy(guard->topology_path, sizeof guard->topology_path, topology_path) &&
                text_copy(guard->folder_path, sizeof guard->folder_path, folder_path);
    assert(fits);
    (void)fits;
    guard->store = store;
}

void guard_ask(struct access_guard *guard, uint64_t tag, int64_t now_ms)
{
    if (guard->store && guard->asked == 0) {
        guard->asked = 2;
        guard->asked_ms = now_ms;
        store_access(guard->store, tag, guard->topology_path);
        store_access(guard->store, tag, guard->folder_path);
    }
}

/* A list that is not shown to us does not let everybody in. */
bool guard_take(struct access_guard *guard, const struct store_event *event)
{
    bool of_topology = text_equal(event->path, guard->topology_path);
    struct seen_access *seen = of_topology ? &guard->topology : &guard->folder;
    assert(guard->asked > 0);
    guard->asked--;
    if (event->rc == STORE_UNKNOWN) {
        return false;
    }
    *seen = (struct seen_access){.known = true,
                                 .shown = event->rc == STORE_OK || event->rc == STORE_NO_NODE};
    if (event->rc == STORE_OK) {
        seen->czxid = event->stat.czxid;
        seen->aversion = event->stat.aversion;
        seen->may = access_of_anybody(event->access);
    }
    return true;
}

void guard_forget(struct access_guard *guard)
{
    guard->topology.known = guard->folder.known = false;
}

bool guard_knows(const struct access_guard *guard, const struct store_stat *stat)
{
    const struct seen_access *seen = &guard->topology;
    bool outdated = seen->shown && (seen->czxid < stat->czxid || (seen->czxid == stat->czxid &&
                                                                  seen->aversion < stat->aversion));
    return !guard->store || (seen->known && guard->folder.known && !outdated);
}

bool guard_is_open(const struct access_guard *guard)
{
    return (guard->topology.may & opens) || (guard->folder.may & opens_folder);
}

const char *guard_phrase(const struct access_guard *guard, char *to, size_t size)
{
    unsigned of_topology = guard->topology.may & opens;
    char may[96];
    access_print_may(of_topology ? of_topology : guard->folder.may & opens_folder, may, sizeof may);
    snprintf(to, size,
             "anybody may %s (the access list of %s), so no change is followed before `roster "
             "protect` has mended it",
             may, of_topology ? "the topology" : guard->folder_path);
    return to;
}
