/* Probes that see a promotion one after the other: whoever sees what first, it arrives, and nobody
 * else is primary on the way. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

enum { STEPS_MAX = 8, SERVERS = 3 };

/* What there is to see of one server. */
enum sight { UP, FOLLOWS_0, FOLLOWS_1, TRIES_0, STOPPED_0, CLOSED, NEWER, AGAIN, DEAD };

struct flow {
    const char *name;
    enum kind kind;
    const char *end;
    bool never_read_only;
    size_t steps;
    enum sight sights[STEPS_MAX][SERVERS];
};

static void see(const struct flow *flow, size_t probe, size_t step)
{
    for (size_t m = 0; m < SERVERS; m++) {
        enum sight sight = flow->sights[step][m];
        struct member_report *to = world_seen(&world, probe, m);
        struct member_report was = *to;
        bool follows = sight >= FOLLOWS_0 && sight <= STOPPED_0;
        if (sight == DEAD) {
            world_fails(&world, (int)probe, m, ANSWER_REFUSED);
        } else if (follows) {
            world_standby(&world, (int)probe, m, sight == FOLLOWS_1,
                          sight == FOLLOWS_1 ? "8" : "7");
            to->live = sight == FOLLOWS_0 || sight == FOLLOWS_1;
            to->channel = sight == TRIES_0     ? CHANNEL_CONNECTING
                          : sight == STOPPED_0 ? CHANNEL_STOPPED
                                               : CHANNEL_LIVE;
            to->writable = flow->never_read_only;
            to->claim = to->writable && to->channel == CHANNEL_STOPPED;
        } else {
            world.restarts = sight == AGAIN;
            world_primary(&world, (int)probe, m, sight >= NEWER ? "8" : "7");
            world.restarts = 0;
            to->claim = to->writable = sight != CLOSED;
        }
        to->acts = was.acts;
        to->stood = was.stood;
    }
}

static unsigned dice(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 16;
}

/* Each probe goes through the steps by itself. Nobody but the two is ever primary, the writes go
 * over once, and they arrive. */
static void walk(const struct flow *flow, unsigned seed)
{
    size_t at[3] = {0};
    bool over = false;
    world_init(&world, flow->kind, 3, 3, SERVERS);
    for (size_t p = 0; p < 3; p++) {
        see(flow, p, 0);
    }
    world_expect(&world, "m0");
    while (at[0] + at[1] + at[2] < 3 * (flow->steps - 1)) {
        size_t p = dice(&seed) % 3;
        if (at[p] + 1 < flow->steps) {
            see(flow, p, ++at[p]);
            world_settle(&world);
            const char *primary = world.previous.primary;
            ck_assert_msg(!primary[0] || strcmp(primary, over ? flow->end : "m0") == 0 ||
                              strcmp(primary, flow->end) == 0,
                          "%s: %s", flow->name, world.previous.why);
            over = over || (strcmp(primary, flow->end) == 0 && strcmp(flow->end, "m0") != 0);
        }
    }
    world_take(&world, 1, true, false);
    world_settle(&world);
    ck_assert_msg(strcmp(world.previous.primary, flow->end) == 0, "%s: %s", flow->name,
                  world.previous.why);
}

START_TEST(whatever_probe_sees_it_first_a_promotion_arrives)
{
    static const struct flow flows[] = {
        {"a switch by hand",
         KIND_ASYNC,
         "m1",
         false,
         6,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {CLOSED, FOLLOWS_0, FOLLOWS_0},
          {CLOSED, STOPPED_0, FOLLOWS_0},
          {CLOSED, UP, FOLLOWS_0},
          {CLOSED, UP, FOLLOWS_1},
          {FOLLOWS_1, UP, FOLLOWS_1}}},
        {"a crash, a failover",
         KIND_ASYNC,
         "m1",
         false,
         5,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {DEAD, TRIES_0, TRIES_0},
          {DEAD, STOPPED_0, TRIES_0},
          {DEAD, UP, TRIES_0},
          {DEAD, UP, FOLLOWS_1}}},
        {"replicas are moved first",
         KIND_ASYNC,
         "m1",
         false,
         5,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {DEAD, TRIES_0, TRIES_0},
          {DEAD, TRIES_0, FOLLOWS_1},
          {DEAD, STOPPED_0, FOLLOWS_1},
          {DEAD, UP, FOLLOWS_1}}},
        {"replicas that are never read-only",
         KIND_ASYNC,
         "m1",
         true,
         5,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {DEAD, TRIES_0, TRIES_0},
          {DEAD, STOPPED_0, TRIES_0},
          {DEAD, UP, TRIES_0},
          {DEAD, UP, FOLLOWS_1}}},
        {"the new one is opened first",
         KIND_ASYNC,
         "m1",
         false,
         5,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {UP, STOPPED_0, FOLLOWS_0},
          {UP, UP, FOLLOWS_0},
          {CLOSED, UP, FOLLOWS_1},
          {FOLLOWS_1, UP, FOLLOWS_1}}},
        {"the old one is never closed",
         KIND_ASYNC,
         "m1",
         true,
         4,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {UP, STOPPED_0, FOLLOWS_0},
          {UP, UP, FOLLOWS_1},
          {FOLLOWS_1, UP, FOLLOWS_1}}},
        {"the far side of a partition",
         KIND_ASYNC,
         "m1",
         false,
         4,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {UP, STOPPED_0, FOLLOWS_0},
          {UP, UP, FOLLOWS_0},
          {UP, UP, FOLLOWS_1}}},
        {"a restart of the primary beside a backup",
         KIND_ASYNC,
         "m0",
         true,
         5,
         {{UP, STOPPED_0, FOLLOWS_0},
          {DEAD, STOPPED_0, TRIES_0},
          {CLOSED, STOPPED_0, TRIES_0},
          {CLOSED, STOPPED_0, FOLLOWS_0},
          {UP, STOPPED_0, FOLLOWS_0}}},
        {"timelines, a switch",
         KIND_STREAMING,
         "m1",
         false,
         5,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {DEAD, TRIES_0, TRIES_0},
          {DEAD, NEWER, TRIES_0},
          {DEAD, NEWER, FOLLOWS_1},
          {FOLLOWS_1, NEWER, FOLLOWS_1}}},
        {"a restart as a part of it",
         KIND_ASYNC,
         "m1",
         false,
         4,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {DEAD, DEAD, TRIES_0},
          {DEAD, AGAIN, TRIES_0},
          {DEAD, AGAIN, FOLLOWS_1}}},
        {"timelines, a restart as a part of it",
         KIND_STREAMING,
         "m1",
         false,
         4,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {DEAD, DEAD, TRIES_0},
          {DEAD, AGAIN, TRIES_0},
          {DEAD, AGAIN, FOLLOWS_1}}},
        {"another's restart, then the primary's",
         KIND_ASYNC,
         "m0",
         true,
         5,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {UP, DEAD, FOLLOWS_0},
          {UP, AGAIN, FOLLOWS_0},
          {DEAD, AGAIN, TRIES_0},
          {UP, AGAIN, FOLLOWS_0}}},
        {"timelines, another's restart, then the primary's",
         KIND_STREAMING,
         "m0",
         false,
         5,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {UP, DEAD, FOLLOWS_0},
          {UP, AGAIN, FOLLOWS_0},
          {DEAD, AGAIN, TRIES_0},
          {UP, AGAIN, FOLLOWS_0}}},
        {"timelines, beside the old one",
         KIND_STREAMING,
         "m1",
         false,
         4,
         {{UP, FOLLOWS_0, FOLLOWS_0},
          {UP, NEWER, FOLLOWS_0},
          {UP, NEWER, FOLLOWS_1},
          {FOLLOWS_1, NEWER, FOLLOWS_1}}},
    };
    for (size_t i = 0; i < sizeof flows / sizeof *flows; i++) {
        for (unsigned seed = 1; seed <= 200; seed++) {
            walk(&flows[i], seed * 7919);
        }
    }
}
END_TEST

Suite *walks_suite(void)
{
    Suite *suite = suite_create("walks");
    TCase *walks = tcase_create("walks");
    tcase_set_timeout(walks, 300);
    tcase_add_test(walks, whatever_probe_sees_it_first_a_promotion_arrives);
    suite_add_tcase(suite, walks);
    return suite;
}
