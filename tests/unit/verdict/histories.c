/* All short histories: from a cluster that is well, whatever three servers may do one after the
 * other, restarts included, while one of three probes is a step behind. A book of what was done is
 * kept here, by rules of its own: nobody but the last primary wins without an act. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

enum { MEMBERS = 3, STEPS = 3 };

/* A server as it may be seen. `upstream` is counted on from the server itself. */
struct view {
    bool writable;
    enum channel_state channel;
    size_t upstream;
    const char *lineage;
    bool refused;
};

static const struct view async_views[] = {
    {.writable = true},
    {.writable = true, .channel = CHANNEL_STOPPED, .upstream = 1},
    {.writable = true, .channel = CHANNEL_LIVE, .upstream = 1},
    {.channel = CHANNEL_LIVE, .upstream = 1},
    {.channel = CHANNEL_LIVE, .upstream = 2},
    {.channel = CHANNEL_STOPPED, .upstream = 1},
    {.writable = false},
    {.refused = true},
};

static const struct view streaming_views[] = {
    {.writable = true, .lineage = "7"},
    {.writable = true, .lineage = "8"},
    {.channel = CHANNEL_LIVE, .upstream = 1, .lineage = "7"},
    {.channel = CHANNEL_LIVE, .upstream = 2, .lineage = "7"},
    {.channel = CHANNEL_LIVE, .upstream = 1, .lineage = "8"},
    {.channel = CHANNEL_LIVE, .upstream = 2, .lineage = "8"},
    {.refused = true},
};

/* What was seen of a server, and what follows from that by the rule. */
struct page {
    struct view seen; /* when it was up last */
    size_t streamed;  /* from whom, last; MEMBERS: from nobody */
    size_t chose;     /* whom it was led to from another, last; MEMBERS: nobody */
    int64_t start;
    bool up;
    bool acted; /* since it followed last */
    bool held;  /* it came up as a primary beside one that was well */
};

struct scene {
    struct world world;
    struct page book[MEMBERS];
};

static struct scene scenes[STEPS + 1];
static const struct view *views;
static size_t view_count;
static enum kind kind;
static bool slow; /* more than two intervals pass between two steps, else more than one */
static long histories, promotions;

/* Records are large, and hold few of the members that they have room for. */
static void copy_topology(struct topology *to, const struct topology *from)
{
    size_t from_fences = offsetof(struct topology, fence_count);
    memcpy(to, from, offsetof(struct topology, members) + MEMBERS * sizeof *from->members);
    memcpy((char *)to + from_fences, (const char *)from + from_fences, sizeof *to - from_fences);
}

static void copy_report(struct report *to, const struct report *from)
{
    memcpy(to, from, offsetof(struct report, members) + MEMBERS * sizeof *from->members);
}

static void copy_scene(struct scene *to, const struct scene *from)
{
    size_t rest = offsetof(struct scene, world.has_previous);
    for (size_t p = 0; p < from->world.count; p++) {
        copy_report(&to->world.reports[p], &from->world.reports[p]);
    }
    copy_topology(&to->world.previous, &from->world.previous);
    to->world.count = from->world.count;
    memcpy((char *)to + rest, (const char *)from + rest, sizeof *to - rest);
}

static void show(struct world *world, int probe, size_t m, const struct view *view, int64_t start)
{
    size_t upstream = (m + view->upstream) % MEMBERS;
    world->restarts = start;
    if (view->refused) {
        world_fails(world, probe, m, ANSWER_REFUSED);
    } else if (kind == KIND_ASYNC) {
        world_server(world, probe, m, view->writable, view->channel, upstream);
    } else if (view->writable) {
        world_primary(world, probe, m, view->lineage);
    } else {
        world_standby(world, probe, m, upstream, view->lineage);
    }
}

/* ---- the book -------------------------------------------------------------------------------- */

static size_t incumbent_of(const struct topology *topology)
{
    const char *name = topology->primary[0] ? topology->primary : topology->last_primary;
    return (size_t)(name[1] - '0');
}

static bool is_fit(const struct page *page)
{
    return page->up && page->seen.writable;
}

/* It was opened, or its channel was stopped or removed, before our eyes. */
static bool acts_within_a_start(const struct view *was, const struct view *is)
{
    bool stopped = was->channel == CHANNEL_LIVE && is->channel == CHANNEL_STOPPED;
    bool removed = was->channel != CHANNEL_NONE && is->channel == CHANNEL_NONE;
    return is->writable && is->channel != CHANNEL_LIVE && (!was->writable || stopped || removed);
}

/* It was restarted where nobody could see what was done to it, and it follows no more. */
static bool appears(const struct page *page, const struct view *is, bool fit)
{
    bool followed = !page->seen.writable || page->seen.channel != CHANNEL_NONE;
    return !fit && followed && is->writable && is->channel == CHANNEL_NONE;
}

static void turn_own(struct page *book, size_t m, const struct view *is, int64_t start, bool fit)
{
    struct page *page = &book[m];
    page->up = !is->refused;
    if (is->refused) {
        return;
    }
    bool follows = !is->writable || is->channel == CHANNEL_LIVE;
    bool anew = start != page->start;
    bool acts = anew ? appears(page, is, fit) : acts_within_a_start(&page->seen, is);
    page->held = is->writable && (page->held || (anew && fit && kind == KIND_STREAMING));
    page->acted = !follows && (page->acted || (acts && !page->held));
    page->seen = *is;
    page->start = start;
}

/* Whoever follows another than before has chosen it. */
static void turn_upstream(struct page *book, size_t m, const struct view *is)
{
    size_t upstream = (m + is->upstream) % MEMBERS;
    bool streams = !is->refused && is->channel == CHANNEL_LIVE;
    if (streams && book[m].streamed != upstream) {
        book[upstream].acted = true;
        book[m].streamed = book[m].chose = upstream;
    }
}

/* By what it did, or by one that was led to it and is there still. */
static bool is_promoted(const struct page *book, size_t m)
{
    bool promoted = book[m].acted;
    for (size_t k = 0; k < MEMBERS; k++) {
        promoted =
            promoted || (book[k].up && book[k].seen.channel == CHANNEL_LIVE && book[k].chose == m);
    }
    return promoted;
}

/* ---- a step ---------------------------------------------------------------------------------- */

/* What a probe adds to its report by what the verdict remembers. */
static void witness(struct world *world, bool fit)
{
    for (size_t p = 0; p < world->count; p++) {
        for (size_t m = 0; m < MEMBERS; m++) {
            unsigned acts = world->previous.members[m].record.acts & ACT_PROMOTES;
            struct member_report *seen = &world->reports[p].members[m];
            seen->stood = acts != 0;
            seen->late = acts != 0 && slow && (fit || seen->late);
        }
    }
}

static const char *tell(const struct scene *scene)
{
    static char text[2048];
    size_t at = 0;
    for (size_t m = 0; m < MEMBERS; m++) {
        const struct page *page = &scene->book[m];
        at += (size_t)snprintf(
            text + at, sizeof text - at, "m%zu:%s%s %s<%zu %s start %d acts %x%s%s; ", m,
            page->up ? "" : " down", page->seen.writable ? " open" : "",
            channel_names[page->seen.channel], (m + page->seen.upstream) % MEMBERS,
            page->seen.lineage ? page->seen.lineage : "", (int)page->start,
            scene->world.previous.members[m].record.acts, page->acted ? " acted" : "",
            page->held ? " held" : "");
    }
    return text;
}

static void check(const struct scene *before, const struct scene *now)
{
    const struct topology *was = &before->world.previous, *is = &now->world.previous;
    size_t incumbent = incumbent_of(was);
    size_t primary = is->primary[0] ? (size_t)(is->primary[1] - '0') : MEMBERS;
    if (primary < MEMBERS && primary != incumbent) {
        promotions++;
        ck_assert_msg(is_promoted(now->book, primary), "m%zu inherited the writes: %s (%s)",
                      primary, tell(now), is->why);
        ck_assert_msg(!is->members[primary].fenced, "a fenced one is primary: %s", tell(now));
    }
    const struct page *last = &now->book[incumbent];
    bool any = false;
    for (size_t m = 0; m < MEMBERS; m++) {
        any = any || (m != incumbent && is_promoted(now->book, m));
    }
    bool back = last->up && last->seen.writable && last->seen.channel == CHANNEL_NONE;
    ck_assert_msg(kind != KIND_ASYNC || any || !back || primary == incumbent,
                  "m%zu does not return: %s (%s)", incumbent, tell(now), is->why);
}

/* A probe that reads a new act counts its time anew. */
static void read_verdict(struct world *world, const struct topology *before)
{
    for (size_t m = 0; m < MEMBERS; m++) {
        unsigned acts = world->previous.members[m].record.acts & ACT_PROMOTES;
        bool more = acts & ~before->members[m].record.acts;
        for (size_t p = 0; p < world->count; p++) {
            struct member_report *seen = &world->reports[p].members[m];
            seen->late = seen->late && acts && !more;
        }
    }
}

/* In any order of the reports the verdict is the same. Resolved again it has the same primary, and
 * nothing moves after that: who was replaced is judged as what it is then. */
static void check_fold(struct scene *scene)
{
    static struct topology before, first, second;
    struct world *world = &scene->world;
    copy_topology(&before, &world->previous);
    ck_assert(world_resolve(world));
    copy_topology(&first, &world->previous);
    copy_topology(&world->previous, &before);
    world->backwards = true;
    ck_assert(world_resolve(world));
    world->backwards = false;
    ck_assert_msg(topology_equal(&first, &world->previous), "depends on order: %s", tell(scene));
    read_verdict(world, &before);
    ck_assert(world_resolve(world));
    copy_topology(&second, &world->previous);
    ck_assert_msg(strcmp(first.primary, second.primary) == 0, "%s: %s / %s", tell(scene), first.why,
                  second.why);
    ck_assert(world_resolve(world));
    ck_assert_msg(topology_equal(&second, &world->previous), "does not settle: %s: %s / %s",
                  tell(scene), second.why, world->previous.why);
}

/* Member `m` is seen so; the third probe still sees what was before. */
static void step(const struct scene *from, struct scene *to, size_t m, const struct view *view,
                 bool restarted)
{
    copy_scene(to, from);
    struct page *book = to->book;
    size_t incumbent = incumbent_of(&from->world.previous);
    int64_t start = book[m].start + restarted;
    copy_report(&to->world.reports[2], &from->world.reports[0]);
    strcpy(to->world.reports[2].probe, from->world.reports[2].probe);
    show(&to->world, 0, m, view, start);
    show(&to->world, 1, m, view, start);
    bool fit = m == incumbent ? !view->refused && view->writable : is_fit(&book[incumbent]);
    turn_own(book, m, view, start, fit);
    turn_upstream(book, m, view);
    witness(&to->world, fit);
    check_fold(to);
    check(from, to);
}

/* Sanitized programs look for other faults: a sample serves them. */
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { STRIDE = 17 };
#else
enum { STRIDE = 1 };
#endif

static void live(size_t depth)
{
    for (size_t i = 0; i < MEMBERS * view_count * 2; i++) {
        size_t m = i % MEMBERS;
        const struct view *view = &views[i / MEMBERS % view_count];
        bool restarted = i / MEMBERS / view_count;
        if ((view->refused && restarted) || (depth + 1 == STEPS && histories++ % STRIDE != 0)) {
            continue;
        }
        step(&scenes[depth], &scenes[depth + 1], m, view, restarted);
        if (depth + 1 < STEPS) {
            live(depth + 1);
        }
    }
}

/* m0 is primary; the others follow it, m1 open for writes if it may be. */
static void live_all(enum kind its_kind, bool open)
{
    struct scene *first = &scenes[0];
    kind = its_kind;
    views = kind == KIND_ASYNC ? async_views : streaming_views;
    view_count = kind == KIND_ASYNC ? sizeof async_views / sizeof *async_views
                                    : sizeof streaming_views / sizeof *streaming_views;
    histories = promotions = 0;
    memset(first, 0, sizeof *first);
    world_init(&first->world, kind, 3, 3, MEMBERS);
    for (size_t m = 0; m < MEMBERS; m++) {
        struct view view = {.writable = m == 0 || (open && m == 1),
                            .channel = m == 0 ? CHANNEL_NONE : CHANNEL_LIVE,
                            .upstream = MEMBERS - m,
                            .lineage = "7"};
        show(&first->world, ALL, m, &view, 0);
        first->book[m] = (struct page){.seen = view,
                                       .up = true,
                                       .streamed = m == 0 ? MEMBERS : 0,
                                       .chose = MEMBERS,
                                       .acted = m == 0};
    }
    ck_assert(world_resolve(&first->world));
    live(0);
    ck_assert_int_gt(promotions, 0);
}

START_TEST(in_no_short_history_without_an_order_is_the_writer_inherited)
{
    slow = _i;
    live_all(KIND_ASYNC, true);
}
END_TEST

START_TEST(in_no_short_history_of_timelines_is_the_writer_inherited)
{
    slow = _i;
    live_all(KIND_STREAMING, false);
}
END_TEST

Suite *histories_suite(void)
{
    Suite *suite = suite_create("histories");
    TCase *tcase = tcase_create("histories");
    tcase_set_timeout(tcase, 900);
    tcase_add_loop_test(tcase, in_no_short_history_without_an_order_is_the_writer_inherited, 0, 2);
    tcase_add_loop_test(tcase, in_no_short_history_of_timelines_is_the_writer_inherited, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
