#include "registry/verdict/renamed.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"

struct renaming {
    const struct topology *previous;
    const struct member_config *listed;
    size_t count;
};

static bool same_address(const struct member_config *a, const struct member_config *b)
{
    return a->port == b->port && text_equal(a->host, b->host);
}

/* The name under which this server is listed now, if that is another one; else NULL. */
static const char *new_name(const struct renaming *renaming, const struct member *was)
{
    for (size_t i = 0; i < renaming->count; i++) {
        const struct member_config *listed = &renaming->listed[i];
        if (same_address(listed, &was->config)) {
            return text_equal(listed->name, was->config.name) ? NULL : listed->name;
        }
    }
    return NULL;
}

/* The record of the server that has this listing now; NULL: it is new. */
static const struct member *record_of(const struct renaming *renaming,
                                      const struct member_config *listed)
{
    const struct topology *previous = renaming->previous;
    for (size_t i = 0; i < previous->member_count; i++) {
        if (same_address(&previous->members[i].config, listed)) {
            return &previous->members[i];
        }
    }
    const struct member *namesake = topology_member(previous, listed->name);
    return namesake && !new_name(renaming, namesake) ? namesake : NULL;
}

static void rename_in(const struct renaming *renaming, char name[NAME_SIZE])
{
    const struct member *was = topology_member(renaming->previous, name);
    const char *now = was ? new_name(renaming, was) : NULL;
    if (now) {
        memmove(name, now, strlen(now) + 1);
    }
}

static bool any_moved(const struct renaming *renaming)
{
    for (size_t i = 0; i < renaming->previous->member_count; i++) {
        if (new_name(renaming, &renaming->previous->members[i])) {
            return true;
        }
    }
    return false;
}

/* The incumbent's name is given to another server, and its own is listed nowhere. */
static bool loses_incumbent(const struct renaming *renaming)
{
    const struct topology *previous = renaming->previous;
    const char *name = previous->primary[0] ? previous->primary : previous->last_primary;
    const struct member *was = topology_member(previous, name);
    if (!was || new_name(renaming, was)) {
        return false;
    }
    for (size_t i = 0; i < renaming->count; i++) {
        if (text_equal(renaming->listed[i].name, name)) {
            return record_of(renaming, &renaming->listed[i]) != was;
        }
    }
    return false;
}

/* What was accepted under a name, was so of the server that had it: a new epoch ends that. */
static void put_member(const struct renaming *renaming, const struct member_config *listed,
                       struct topology *to)
{
    const struct member *was = record_of(renaming, listed);
    if (!was) {
        return;
    }
    assert(to->member_count < MEMBERS_MAX);
    struct member *member = &to->members[to->member_count++];
    *member = *was;
    strcpy(member->config.name, listed->name);
    rename_in(renaming, member->upstream);
    rename_in(renaming, member->record.source);
    rename_in(renaming, member->record.streamed);
    if (member->fenced && !text_equal(was->config.name, listed->name)) {
        member->fenced_epoch = to->epoch;
    }
}

bool renamed_topology(const struct topology *previous, const struct member_config *listed,
                      size_t count, struct topology *ret_topology)
{
    const struct renaming renaming = {previous, listed, count};
    assert(previous && previous != ret_topology && count <= MEMBERS_MAX);
    if (!any_moved(&renaming) || loses_incumbent(&renaming)) {
        return false;
    }
    *ret_topology = *previous;
    ret_topology->epoch++;
    ret_topology->member_count = 0;
    memset(ret_topology->members, 0, sizeof ret_topology->members);
    rename_in(&renaming, ret_topology->primary);
    rename_in(&renaming, ret_topology->last_primary);
    for (size_t i = 0; i < count; i++) {
        put_member(&renaming, &listed[i], ret_topology);
    }
    return true;
}
