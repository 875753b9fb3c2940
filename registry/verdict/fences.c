#include "registry/verdict/fences.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"

static struct fence fence_of(const struct member *member)
{
    int64_t epoch = member->fenced_epoch > 0 ? member->fenced_epoch : 1;
    struct fence fence = {.port = member->config.port, .epoch = epoch};
    strcpy(fence.name, member->config.name);
    strcpy(fence.host, member->config.host);
    strcpy(fence.self, member->record.self);
    return fence;
}

static bool matches(const struct fence *fence, const struct member_config *listing,
                    const char *self)
{
    return text_equal(fence->name, listing->name) ||
           (fence->port == listing->port && text_equal(fence->host, listing->host)) ||
           (self[0] && text_equal(fence->self, self));
}

int64_t fences_find(const struct topology *previous, const struct member_config *listing,
                    const char *self)
{
    int64_t epoch = 0;
    for (size_t i = 0; previous && i < previous->fence_count; i++) {
        const struct fence *fence = &previous->fences[i];
        epoch = matches(fence, listing, self) && fence->epoch > epoch ? fence->epoch : epoch;
    }
    for (size_t i = 0; previous && i < previous->member_count; i++) {
        struct fence fence = fence_of(&previous->members[i]);
        bool fenced = previous->members[i].fenced && matches(&fence, listing, self);
        epoch = fenced && fence.epoch > epoch ? fence.epoch : epoch;
    }
    return epoch;
}

static bool is_listed(const struct topology *topology, const struct fence *fence)
{
    for (size_t i = 0; i < topology->member_count; i++) {
        const struct member *member = &topology->members[i];
        if (matches(fence, &member->config, member->record.self)) {
            return true;
        }
    }
    return false;
}

/* Sorted by name. Beyond the limit the oldest are forgotten. */
static void add(struct topology *out, const struct fence *fence)
{
    if (is_listed(out, fence)) {
        return;
    }
    if (out->fence_count == MEMBERS_MAX) {
        size_t oldest = 0;
        for (size_t i = 1; i < MEMBERS_MAX; i++) {
            oldest = out->fences[i].epoch < out->fences[oldest].epoch ? i : oldest;
        }
        out->fence_count--;
        memmove(&out->fences[oldest], &out->fences[oldest + 1],
                (out->fence_count - oldest) * sizeof *out->fences);
    }
    size_t at = out->fence_count++;
    for (; at > 0 && strcmp(fence->name, out->fences[at - 1].name) < 0; at--) {
        out->fences[at] = out->fences[at - 1];
    }
    out->fences[at] = *fence;
}

void fences_carry(const struct topology *previous, struct topology *out)
{
    assert(out->fence_count == 0);
    for (size_t i = 0; previous && i < previous->fence_count; i++) {
        add(out, &previous->fences[i]);
    }
    for (size_t i = 0; previous && i < previous->member_count; i++) {
        if (previous->members[i].fenced) {
            struct fence fence = fence_of(&previous->members[i]);
            add(out, &fence);
        }
    }
}
