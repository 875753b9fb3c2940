#include "probes/assess/trail.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* Where a mark goes, the two beside it are further apart: worst where that is much, by the age of
 * the later one. The first is the base that streams move from, and stays. */
static size_t least_missed(const struct trail *trail, int64_t now_ms)
{
    size_t best = 1;
    double least = -1;
    for (size_t i = 1; i + 1 < trail->count; i++) {
        const struct mark *after = &trail->marks[i + 1];
        double apart = (double)(after->first_ms - trail->marks[i - 1].last_ms);
        double worth = apart / (double)(now_ms - after->first_ms + 1000);
        if (least < 0 || worth < least) {
            least = worth;
            best = i;
        }
    }
    return best;
}

void trail_add(struct trail *trail, const struct position *position, int64_t began_ms,
               int64_t ended_ms)
{
    assert(began_ms <= ended_ms && trail->count <= MARKS_MAX);
    if (position->count == 0) {
        return;
    }
    struct mark *last = trail->count > 0 ? &trail->marks[trail->count - 1] : NULL;
    if (last && position_equal(position, &last->position)) {
        last->last_ms = began_ms > last->last_ms ? began_ms : last->last_ms;
        return;
    }
    if (last && !position_reaches(position, &last->position)) {
        trail->count = 0;
    }
    if (trail->count == MARKS_MAX) {
        size_t gone = least_missed(trail, ended_ms);
        trail->count--;
        memmove(&trail->marks[gone], &trail->marks[gone + 1],
                (trail->count - gone) * sizeof trail->marks[0]);
    }
    trail->marks[trail->count++] = (struct mark){ended_ms, began_ms, *position};
}

static int64_t since(int64_t then_ms, int64_t now_ms)
{
    return now_ms > then_ms ? now_ms - then_ms : 0;
}

struct span trail_span(const struct trail *trail, const struct position *applied, int64_t began_ms,
                       int64_t ended_ms)
{
    struct span span = {-1, -1};
    assert(began_ms <= ended_ms && trail->count <= MARKS_MAX);
    if (applied->count == 0 || trail->count == 0) {
        return span;
    }
    const struct position *base = &trail->marks[0].position;
    span.least_ms = 0;
    for (size_t i = trail->count; i-- > 0;) {
        const struct mark *mark = &trail->marks[i];
        if (position_passes(&mark->position, applied, base)) {
            span.least_ms = since(mark->first_ms, began_ms); /* the earliest is met last */
        }
        if (span.most_ms < 0 && position_reaches(applied, &mark->position)) {
            span.most_ms = since(mark->last_ms, ended_ms);
        }
    }
    if (span.most_ms >= 0 && span.least_ms > span.most_ms) {
        span.least_ms = span.most_ms; /* looks that overlapped */
    }
    return span;
}
