#include "probes/drivers/gtid_fold.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/hash.h"
#include "registry/base/random.h"

enum { HEAPS = 64, RUN_TEXT_MAX = 160, HEAP_TEXT_MAX = 2 * 16 + 3 };
static_assert(HEAPS * HEAP_TEXT_MAX + RUN_TEXT_MAX < GTIDS_SIZE, "the heaps leave room");

static const char folded_sign = '~';

struct heap {
    uint64_t count, digest;
};

/* All that a set has of one server. */
struct run {
    const char *text; /* as the server writes it */
    size_t length;
    size_t source_length;
    bool whole;         /* one interval, and no tag */
    uint64_t low, high; /* of that */
    struct heap own;
};

struct runs {
    struct run *all;
    size_t count, room;
    bool failed; /* no memory */
};

/* ---- one server ------------------------------------------------------------------------------ */

static uint64_t add_number(uint64_t hash, uint64_t number)
{
    for (int shift = 0; shift < 64; shift += 8) {
        hash = hash_byte(hash, (unsigned char)(number >> shift));
    }
    return hash;
}

static uint64_t add_text(uint64_t hash, const char *text, size_t length)
{
    return hash_byte(hash_letters(hash, text, length), 0);
}

static size_t heap_of(const struct run *run)
{
    return random_mix(add_text(hash_seed, run->text, run->source_length)) % HEAPS;
}

static bool is_of(const struct run *run, const char *source, size_t length)
{
    return run->source_length == length && strncasecmp(run->text, source, length) == 0;
}

static struct run *room_for(struct runs *runs)
{
    if (runs->count == runs->room) {
        size_t room = runs->room ? 2 * runs->room : 64;
        struct run *all = realloc(runs->all, room * sizeof *all);
        if (!all) {
            runs->failed = true;
            return NULL;
        }
        runs->all = all;
        runs->room = room;
    }
    return &runs->all[runs->count++];
}

static struct heap whole_of(const struct run *run, uint64_t high)
{
    uint64_t digest = add_text(add_text(hash_seed, run->text, run->source_length), "", 0);
    digest = add_number(add_number(digest, run->low), high);
    return high + 1 > run->low ? (struct heap){high + 1 - run->low, random_mix(digest)}
                               : (struct heap){0};
}

/* Servers write all that is of one source in one stretch of the text. */
static bool take_stretch(void *owner, const struct gtid_stretch *stretch)
{
    struct runs *runs = owner;
    struct run *run = runs->count > 0 ? &runs->all[runs->count - 1] : NULL;
    if (!run || !is_of(run, stretch->source, stretch->source_length)) {
        run = room_for(runs);
        if (!run) {
            return false;
        }
        *run = (struct run){.text = stretch->source,
                            .length = strcspn(stretch->source, ", \n\r\t"),
                            .source_length = stretch->source_length,
                            .own.digest =
                                add_text(hash_seed, stretch->source, stretch->source_length)};
    }
    run->whole = run->own.count == 0 && stretch->tag_length == 0;
    run->low = stretch->low;
    run->high = stretch->high;
    uint64_t digest = add_text(run->own.digest, stretch->tag, stretch->tag_length);
    run->own.digest = add_number(add_number(digest, stretch->low), stretch->high);
    run->own.count += stretch->high - stretch->low + 1;
    return true;
}

/* The caller frees runs->all. */
static bool read_runs(const char *set, struct runs *ret_runs)
{
    *ret_runs = (struct runs){0};
    bool good = gtid_each(set, take_stretch, ret_runs) && !ret_runs->failed;
    for (size_t i = 0; good && i < ret_runs->count; i++) {
        ret_runs->all[i].own.digest = random_mix(ret_runs->all[i].own.digest);
    }
    return good;
}

static void add_to(struct heap heaps[HEAPS], const struct run *run)
{
    struct heap *heap = &heaps[heap_of(run)];
    heap->count += run->own.count;
    heap->digest += run->own.digest;
}

static void take_out(struct heap heaps[HEAPS], const struct run *run)
{
    struct heap *heap = &heaps[heap_of(run)];
    heap->count -= run->own.count;
    heap->digest -= run->own.digest;
}

/* ---- folding --------------------------------------------------------------------------------- */

/* By its UUID, or by its server_id behind a domain. */
static bool is_own(const struct run *run, const char *self_id)
{
    size_t length = strlen(self_id);
    size_t before = run->source_length - length;
    return length > 0 && length <= run->source_length &&
           strncasecmp(run->text + before, self_id, length) == 0 &&
           (before == 0 || run->text[before - 1] == '-');
}

/* Those that write now have written most. */
static int by_count(const void *a, const void *b)
{
    const struct run *one = a, *other = b;
    if (one->own.count != other->own.count) {
        return one->own.count > other->own.count ? -1 : 1;
    }
    return one->text < other->text ? -1 : one->text > other->text;
}

static char *write_run(char *at, const char *end, const struct run *run)
{
    bool fits = run->length <= RUN_TEXT_MAX && run->length + 2 <= (size_t)(end - at);
    return fits ? at + sprintf(at, "%s%.*s", at[-1] == ';' ? "" : ",", (int)run->length, run->text)
                : at;
}

static void write_folded(const struct runs *runs, const char *self_id, char ret_folded[GTIDS_SIZE])
{
    const char *end = ret_folded + GTIDS_SIZE;
    struct heap heaps[HEAPS] = {0};
    for (size_t i = 0; i < runs->count; i++) {
        add_to(heaps, &runs->all[i]);
    }
    char *at = ret_folded;
    *at++ = folded_sign;
    for (size_t i = 0; i < HEAPS; i++) {
        at += sprintf(at, "%s%" PRIx64 ".%" PRIx64, i > 0 ? "," : "", heaps[i].count,
                      heaps[i].digest);
    }
    *at++ = ';';
    *at = '\0';
    qsort(runs->all, runs->count, sizeof *runs->all, by_count);
    for (size_t i = 0; i < runs->count; i++) {
        at = is_own(&runs->all[i], self_id) ? write_run(at, end, &runs->all[i]) : at;
    }
    for (size_t i = 0; i < runs->count; i++) {
        at = is_own(&runs->all[i], self_id) ? at : write_run(at, end, &runs->all[i]);
    }
}

void gtid_fold(const char *set, const char *self_id, char ret_folded[GTIDS_SIZE])
{
    struct runs runs;
    ret_folded[0] = '\0';
    if (strlen(set) < GTIDS_SIZE) {
        strcpy(ret_folded, set);
        return;
    }
    if (read_runs(set, &runs)) {
        write_folded(&runs, self_id, ret_folded);
    }
    free(runs.all);
}

/* ---- comparing ------------------------------------------------------------------------------- */

struct folded {
    struct heap heaps[HEAPS];
    struct runs runs; /* those that are written out */
};

static bool read_heaps(const char **at, struct heap heaps[HEAPS])
{
    for (size_t i = 0; i < HEAPS; i++) {
        char *end;
        heaps[i].count = strtoull(*at, &end, 16);
        if (end == *at || *end != '.') {
            return false;
        }
        *at = end + 1;
        heaps[i].digest = strtoull(*at, &end, 16);
        if (end == *at || *end != (i + 1 < HEAPS ? ',' : ';')) {
            return false;
        }
        *at = end + 1;
    }
    return true;
}

/* The caller frees ret_folded->runs.all. */
static bool unfold(const char *text, struct folded *ret_folded)
{
    *ret_folded = (struct folded){0};
    if (*text == folded_sign) {
        text++;
        return read_heaps(&text, ret_folded->heaps) &&
               (!*text || read_runs(text, &ret_folded->runs));
    }
    bool good = read_runs(text, &ret_folded->runs);
    for (size_t i = 0; good && i < ret_folded->runs.count; i++) {
        add_to(ret_folded->heaps, &ret_folded->runs.all[i]);
    }
    return good;
}

static const struct run *find(const struct runs *runs, const struct run *wanted)
{
    for (size_t i = 0; i < runs->count; i++) {
        if (is_of(&runs->all[i], wanted->text, wanted->source_length)) {
            return &runs->all[i];
        }
    }
    return NULL;
}

static enum gtid_relation compare_runs(const struct run *mine, const struct run *theirs)
{
    char my_text[GTIDS_SIZE], their_text[GTIDS_SIZE];
    assert(mine->length < GTIDS_SIZE && theirs->length < GTIDS_SIZE);
    sprintf(my_text, "%.*s", (int)mine->length, mine->text);
    sprintf(their_text, "%.*s", (int)theirs->length, theirs->text);
    return gtid_compare(my_text, their_text);
}

/* Is all that heap `i` of theirs lacks the end of one server's transactions, or that server? */
static bool lacks_an_end(const struct folded *mine, const struct folded *theirs, size_t i)
{
    const struct heap *my_heap = &mine->heaps[i], *their_heap = &theirs->heaps[i];
    uint64_t less = my_heap->count - their_heap->count;
    for (size_t r = 0; r < mine->runs.count; r++) {
        const struct run *run = &mine->runs.all[r];
        bool counts =
            run->whole && less <= run->own.count && heap_of(run) == i && !find(&theirs->runs, run);
        uint64_t digest = my_heap->digest - run->own.digest;
        if (counts && digest + whole_of(run, run->high - less).digest == their_heap->digest) {
            return true;
        }
    }
    return false;
}

static enum gtid_relation compare_heaps(const struct folded *mine, const struct folded *theirs)
{
    enum gtid_relation relation = GTID_CONTAINS;
    for (size_t i = 0; i < HEAPS; i++) {
        const struct heap *my_heap = &mine->heaps[i], *their_heap = &theirs->heaps[i];
        if (my_heap->count < their_heap->count) {
            return GTID_LACKS;
        }
        bool equal = my_heap->count == their_heap->count && my_heap->digest == their_heap->digest;
        relation = equal || lacks_an_end(mine, theirs, i) ? relation : GTID_UNKNOWN;
    }
    return relation;
}

static enum gtid_relation compare(struct folded *mine, struct folded *theirs)
{
    for (size_t i = 0; i < theirs->runs.count; i++) {
        const struct run *their_run = &theirs->runs.all[i];
        const struct run *my_run = find(&mine->runs, their_run);
        if (my_run) {
            if (compare_runs(my_run, their_run) != GTID_CONTAINS) {
                return GTID_LACKS;
            }
            take_out(mine->heaps, my_run);
            take_out(theirs->heaps, their_run);
        }
    }
    return compare_heaps(mine, theirs);
}

enum gtid_relation gtid_fold_compare(const char *mine, const char *theirs)
{
    if (*mine != folded_sign && *theirs != folded_sign) {
        return gtid_compare(mine, theirs);
    }
    struct folded my_set = {0}, their_set = {0};
    bool good = unfold(mine, &my_set) && unfold(theirs, &their_set);
    enum gtid_relation relation = good ? compare(&my_set, &their_set) : GTID_UNKNOWN;
    free(my_set.runs.all);
    free(their_set.runs.all);
    return relation;
}
