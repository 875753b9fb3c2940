#include "probes/drivers/position.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "probes/drivers/gtid.h"
#include "registry/base/hash.h"

enum { ONLY = 0 /* the source of a position of one stream */ };

struct position position_at(int64_t number)
{
    struct position position = {0};
    if (number >= 0) {
        position.count = 1;
        position.streams[0] = (struct position_stream){ONLY, number, number};
    }
    return position;
}

static const struct position_stream *find(const struct position *position, uint64_t source)
{
    assert(position->count <= STREAMS_MAX);
    for (size_t i = 0; i < position->count; i++) {
        if (position->streams[i].source == source) {
            return &position->streams[i];
        }
    }
    return NULL;
}

/* ---- out of a set of transactions ------------------------------------------------------------ */

/* MariaDB's numbers grow along a domain, whoever writes. */
static uint64_t source_of(const struct gtid_stretch *stretch)
{
    const char *dash = memchr(stretch->source, '-', stretch->source_length);
    bool domain = stretch->low == 0 && dash;
    size_t length = domain ? (size_t)(dash - stretch->source) : stretch->source_length;
    uint64_t source = hash_letters(hash_seed, stretch->source, length);
    return hash_letters(hash_byte(source, ':'), stretch->tag, stretch->tag_length);
}

static bool take(void *owner, const struct gtid_stretch *stretch)
{
    struct position *position = owner;
    uint64_t source = source_of(stretch);
    struct position_stream *known = (struct position_stream *)(uintptr_t)find(position, source);
    if (!known) {
        if (position->count == STREAMS_MAX) {
            return false;
        }
        known = &position->streams[position->count++];
        *known = (struct position_stream){.source = source};
    }
    int64_t high = (int64_t)stretch->high;
    assert(high >= 0 && stretch->low <= stretch->high); /* as sets are read */
    int64_t more = stretch->low > 0 ? high - (int64_t)stretch->low + 1 : high - known->top;
    known->count += more > 0 && known->count <= INT64_MAX - more ? more : 0;
    known->top = high > known->top ? high : known->top;
    return true;
}

void position_read(const char *set, struct position *ret_position)
{
    *ret_position = (struct position){0};
    if (!gtid_each(set, take, ret_position)) {
        ret_position->count = 0;
    }
}

/* ---- beside another -------------------------------------------------------------------------- */

bool position_reaches(const struct position *mine, const struct position *theirs)
{
    for (size_t i = 0; i < theirs->count; i++) {
        const struct position_stream *wanted = &theirs->streams[i];
        const struct position_stream *known = find(mine, wanted->source);
        if (!known || known->top < wanted->top || known->count < wanted->count) {
            return false;
        }
    }
    return mine->count > 0 && theirs->count > 0;
}

bool position_equal(const struct position *a, const struct position *b)
{
    return a->count == b->count && position_reaches(a, b) && position_reaches(b, a);
}

bool position_passes(const struct position *theirs, const struct position *mine,
                     const struct position *base)
{
    for (size_t i = 0; mine->count > 0 && i < theirs->count; i++) {
        const struct position_stream *reached = &theirs->streams[i];
        const struct position_stream *before = find(base, reached->source);
        const struct position_stream *known = find(mine, reached->source);
        bool counts = reached->source == ONLY || (known && mine->exact) || !before ||
                      reached->top > before->top;
        if (counts && (!known || known->top < reached->top)) {
            return true;
        }
    }
    return false;
}
