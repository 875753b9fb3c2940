#include "tests/sim/agenda.h"

#include <assert.h>
#include <stdlib.h>

static bool is_before(const struct entry *a, const struct entry *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(struct entry *a, struct entry *b)
{
    struct entry kept = *a;
    *a = *b;
    *b = kept;
}

void agenda_at(struct agenda *agenda, int64_t at_ms, void (*run)(void *owner, uint64_t arg),
               void *owner, uint64_t arg)
{
    if (agenda->count == agenda->room) {
        agenda->room = agenda->room ? 2 * agenda->room : 256;
        agenda->heap = realloc(agenda->heap, agenda->room * sizeof *agenda->heap);
        assert(agenda->heap);
    }
    int64_t moment_ms = at_ms > agenda->now_ms ? at_ms : agenda->now_ms;
    size_t i = agenda->count++;
    agenda->heap[i] = (struct entry){moment_ms, agenda->entered++, run, owner, arg};
    for (; i > 0 && is_before(&agenda->heap[i], &agenda->heap[(i - 1) / 2]); i = (i - 1) / 2) {
        swap(&agenda->heap[i], &agenda->heap[(i - 1) / 2]);
    }
}

static void sink(struct agenda *agenda)
{
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < agenda->count; child++) {
            if (is_before(&agenda->heap[child], &agenda->heap[least])) {
                least = child;
            }
        }
        if (least == i) {
            return;
        }
        swap(&agenda->heap[i], &agenda->heap[least]);
        i = least;
    }
}

bool agenda_step(struct agenda *agenda, int64_t until_ms)
{
    if (agenda->count == 0 || agenda->heap[0].at_ms > until_ms) {
        agenda->now_ms = until_ms > agenda->now_ms ? until_ms : agenda->now_ms;
        return false;
    }
    struct entry entry = agenda->heap[0];
    agenda->heap[0] = agenda->heap[--agenda->count];
    sink(agenda);
    agenda->now_ms = entry.at_ms;
    entry.run(entry.owner, entry.arg);
    return true;
}

void agenda_release(struct agenda *agenda)
{
    free(agenda->heap);
    *agenda = (struct agenda){0};
}
