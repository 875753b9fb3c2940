#include "registry/verdict/agree.h"

#include <assert.h>

int agree_count(const struct opinions *opinions, const void *mine, agrees_fn *agrees)
{
    int count = 0;
    assert(opinions->count <= WITNESSES_MAX);
    for (size_t i = 0; mine && i < opinions->count; i++) {
        count += opinions->item[i] && agrees(opinions->item[i], mine);
    }
    return count;
}

const void *agree_first(const struct opinions *opinions, agrees_fn *agrees)
{
    assert(opinions->quorum > 0);
    for (size_t i = 0; i < opinions->count; i++) {
        if (agree_count(opinions, opinions->item[i], agrees) >= opinions->quorum) {
            return opinions->item[i];
        }
    }
    return NULL;
}

const void *agree_greatest(const struct opinions *opinions, agrees_fn *reaches)
{
    const void *best = NULL;
    assert(opinions->quorum > 0);
    for (size_t i = 0; i < opinions->count; i++) {
        const void *mine = opinions->item[i];
        if (agree_count(opinions, mine, reaches) >= opinions->quorum &&
            (!best || !reaches(best, mine))) {
            best = mine;
        }
    }
    return best;
}
