/* All small worlds: every combination of what a few probes may see of a few members, resolved and
 * held against the invariants. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

static const struct member *member(size_t m)
{
    return &world.previous.members[m];
}

/* What a probe may see of one member, in a world of two timelines. */
enum view { SEES_OLD, SEES_NEW, SEES_STANDBY, SEES_NOTHING, SEES_REFUSAL, VIEWS };

static void show(struct world *w, int probe, size_t m, enum view view)
{
    switch (view) {
    case SEES_OLD:
        world_primary(w, probe, m, "7");
        break;
    case SEES_NEW:
        world_primary(w, probe, m, "8");
        break;
    case SEES_STANDBY:
        world_standby(w, probe, m, (m + 1) % w->reports[0].member_count, "7");
        break;
    case SEES_NOTHING:
        world_fails(w, probe, m, ANSWER_UNKNOWN);
        break;
    case SEES_REFUSAL:
    case VIEWS:
        world_fails(w, probe, m, ANSWER_REFUSED);
    }
}

static int count_seeing(const int *views, size_t members, size_t probes, size_t m, bool newest,
                        bool alive)
{
    int count = 0;
    for (size_t p = 0; p < probes; p++) {
        int view = views[p * members + m];
        bool claims = view == SEES_NEW || (!newest && view == SEES_OLD);
        count += claims && (alive || p > 0);
    }
    return count;
}

/* Sanitized programs are ten times slower and look for other faults than these: a sample serves
 * them. */
#if defined __SANITIZE_THREAD__
enum { STRIDE = 29 };
#elif defined __SANITIZE_ADDRESS__
enum { STRIDE = 5 };
#else
enum { STRIDE = 1 };
#endif

static bool next_world(int *views, int cells)
{
    for (int step = 0; step < STRIDE; step++) {
        int i = 0;
        while (i < cells && ++views[i] == VIEWS) {
            views[i++] = 0;
        }
        if (i == cells) {
            return false;
        }
    }
    return true;
}

/* What must hold of any verdict that follows `before` by these views. */
static void check_invariants(const struct topology *before, const int *views, size_t members,
                             size_t probes, bool alive)
{
    const struct topology *after = &world.previous;
    if (after->primary[0] && strcmp(after->primary, before->primary) != 0) {
        size_t m = (size_t)(after->primary[1] - '0');
        ck_assert_msg(count_seeing(views, members, probes, m, false, alive) >= 2,
                      "S4: won by fewer than a quorum");
        if (!(before->last_primary[0] && strcmp(before->last_primary, after->primary) == 0)) {
            ck_assert_msg(lineage_compare(after->lineage, before->lineage) > 0,
                          "S1: won on no newer timeline");
        }
        ck_assert_msg(!member(m)->fenced, "S8: a fenced member is primary");
    }
    ck_assert_msg(lineage_compare(after->lineage, before->lineage) >= 0,
                  "S1: the lineage went back");
    ck_assert_int_ge(after->epoch, before->epoch);
    for (size_t m = 0; m < after->member_count; m++) {
        bool is_primary = strcmp(after->members[m].config.name, after->primary) == 0;
        ck_assert_int_eq(is_primary, after->members[m].role == ROLE_PRIMARY);
    }
}

/* Probes are alike: of the combinations that differ only in which probe saw what, one will do. */
static bool is_ordered(const int *views, size_t members, size_t probes)
{
    for (size_t p = 1; p < probes; p++) {
        for (size_t m = 0; m < members; m++) {
            int before = views[(p - 1) * members + m];
            int now = views[p * members + m];
            if (before != now) {
                if (before > now) {
                    return false;
                }
                break;
            }
        }
    }
    return true;
}

/* From m0 being primary on 7: every combination of what three probes may see of three members; then
 * the same evidence again (idempotent), in another order (the same verdict), and thinned (no change
 * of routing). */
static void check_all_worlds(enum kind kind)
{
    enum { MEMBERS = 3, PROBES = 3, CELLS = MEMBERS * PROBES };
    int views[CELLS] = {0};
    world_init(&world, kind, 3, PROBES, MEMBERS);
    world_primary(&world, ALL, 0, "7");
    world_standby(&world, ALL, 1, 0, "7");
    world_standby(&world, ALL, 2, 0, "7");
    ck_assert(world_resolve(&world));
    static struct topology before, first;
    before = world.previous;
    bool more = true;
    while (more) {
        if (!is_ordered(views, MEMBERS, PROBES)) {
            more = next_world(views, CELLS);
            continue;
        }
        world.previous = before;
        for (int i = 0; i < CELLS; i++) {
            show(&world, i / MEMBERS, (size_t)(i % MEMBERS), (enum view)views[i]);
        }
        ck_assert(world_resolve(&world));
        if (kind == KIND_STREAMING) {
            check_invariants(&before, views, MEMBERS, PROBES, true);
        }
        first = world.previous;
        ck_assert(world_resolve(&world));
        ck_assert_msg(topology_equal(&first, &world.previous), "not idempotent: %s / %s", first.why,
                      world.previous.why);

        world.previous = before;
        world.backwards = true; /* the same reports in another order */
        ck_assert(world_resolve(&world));
        world.backwards = false;
        ck_assert_msg(topology_equal(&first, &world.previous), "depends on order: %s / %s",
                      first.why, world.previous.why);

        for (int p = 0; p < PROBES; p++) { /* evidence goes: routing stays */
            world.previous = first;
            strcpy(world.reports[p].abstains, "blind");
            ck_assert(world_resolve(&world));
            ck_assert_msg(strcmp(world.previous.primary, first.primary) == 0,
                          "S5: a vanished report moved the writer: %s / %s", first.why,
                          world.previous.why);
            world.reports[p].abstains[0] = '\0';
        }
        more = next_world(views, CELLS);
    }
}

START_TEST(every_small_world_of_timelines_keeps_the_invariants)
{
    check_all_worlds(KIND_STREAMING);
}
END_TEST

START_TEST(every_small_world_without_an_order_keeps_the_invariants)
{
    check_all_worlds(KIND_ASYNC);
}
END_TEST

Suite *worlds_suite(void)
{
    Suite *suite = suite_create("worlds");
    TCase *tcase = tcase_create("worlds");
    tcase_set_timeout(tcase, 900);
    tcase_add_test(tcase, every_small_world_of_timelines_keeps_the_invariants);
    tcase_add_test(tcase, every_small_world_without_an_order_keeps_the_invariants);
    suite_add_tcase(suite, tcase);
    return suite;
}
