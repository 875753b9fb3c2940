/* An audit against a handful of access lists. */
#include "registry/fleet/audit.h"

#include <string.h>

#include "tests/unit/unit.h"

#define PROBE_AUTH "digest:roster:secret"
enum { ZNODES = 9, MINUTE = 60000 };

/* The whole tree, parents first. */
static const char *const paths[ZNODES] = {
    "/roster",
    "/roster/probes",
    "/roster/probes/probe-a",
    "/roster/clusters",
    "/roster/clusters/orders",
    "/roster/clusters/orders/reports",
    "/roster/clusters/orders/reports/probe-a",
    "/roster/clusters/orders/topology",
    "/roster/clusters/orders/directives",
};

static struct {
    struct store store;
    struct access_rules rules;
    struct access_list lists[ZNODES];
    bool gone[ZNODES], shut;
    int64_t now_ms;
    struct audit *audit;
    /* the request under way */
    uint64_t tag;
    char path[PATH_SIZE];
    bool asked, list;
    int requests, told;
    char sentence[SENTENCE_SIZE + PATH_SIZE];
    enum audit_finding finding;
} world;

static void ask(uint64_t tag, const char *path, bool list)
{
    ck_assert(!world.asked);
    world.asked = true;
    world.tag = tag;
    world.list = list;
    world.requests++;
    strcpy(world.path, path);
}

static void ask_access(struct store *store, uint64_t tag, const char *path)
{
    (void)store;
    ask(tag, path, false);
}

static void ask_list(struct store *store, uint64_t tag, const char *path, bool watch)
{
    (void)store;
    ck_assert(!watch);
    ask(tag, path, true);
}

static const struct store_ops ops = {.access = ask_access, .list = ask_list};

static int find(const char *path)
{
    for (int i = 0; i < ZNODES; i++) {
        if (strcmp(paths[i], path) == 0) {
            return i;
        }
    }
    ck_abort_msg("%s", path);
}

static void step(void)
{
    audit_step(world.audit, world.now_ms);
    enum audit_finding finding;
    const char *sentence = audit_take_sentence(world.audit, &finding);
    if (sentence) {
        world.told++;
        world.finding = finding;
        strcpy(world.sentence, sentence);
    }
}

static void answer(void)
{
    const char *names[ZNODES];
    int at = find(world.path);
    struct store_event event = {.kind = STORE_ANSWER, .tag = world.tag, .path = world.path};
    world.asked = false;
    event.rc = world.gone[at] ? STORE_NO_NODE : world.shut ? STORE_DENIED : STORE_OK;
    event.access = &world.lists[at];
    event.names = names;
    size_t length = strlen(paths[at]);
    for (int i = 0; world.list && i < ZNODES; i++) {
        if (strncmp(paths[i], paths[at], length) == 0 && paths[i][length] == '/' &&
            !strchr(paths[i] + length + 1, '/')) {
            names[event.name_count++] = paths[i] + length + 1;
        }
    }
    event.stat.owner = strstr(paths[at], "/probe-a") ? 7 : 0;
    audit_event(world.audit, &event, world.now_ms);
}

static void pass(int64_t ms)
{
    for (int64_t end_ms = world.now_ms + ms; world.now_ms < end_ms; world.now_ms += 250) {
        step();
        while (world.asked) {
            answer();
        }
    }
    step();
}

static void connect(void)
{
    audit_event(world.audit, &(struct store_event){.kind = STORE_UP, .session = 1, .renewed = true},
                world.now_ms);
}

static void open_up(const char *path)
{
    struct access_list *list = &world.lists[find(path)];
    *list = (struct access_list){.count = 1, .entries = {{MAY_ALL, "world", "anyone"}}};
}

static void set_wanted(const char *path)
{
    access_want(&world.rules, access_kind_of("/roster", path), &world.lists[find(path)]);
}

static void setup(void)
{
    memset(&world, 0, sizeof world);
    world.store.ops = &ops;
    world.now_ms = 1000000;
    access_rules_make(&world.rules, PROBE_AUTH, NULL, NULL, NULL);
    for (int i = 0; i < ZNODES; i++) {
        set_wanted(paths[i]);
    }
    world.audit = audit_new(&world.store, "/roster", &world.rules);
    ck_assert_ptr_nonnull(world.audit);
}

static void teardown(void)
{
    audit_free(world.audit);
}

START_TEST(a_tree_that_is_as_wanted_is_no_news)
{
    connect();
    pass(10 * MINUTE);
    ck_assert_int_eq(world.told, 0);
    ck_assert_int_ge(world.requests, 9 * (ZNODES + 5));
}
END_TEST

START_TEST(an_open_znode_is_told_at_once_and_again_at_growing_intervals)
{
    open_up("/roster/probes");
    connect();
    pass(2000);
    ck_assert_int_eq(world.told, 1);
    ck_assert_int_eq(world.finding, AUDIT_OPEN);
    ck_assert_ptr_nonnull(strstr(world.sentence, "anybody may write it"));
    ck_assert_ptr_nonnull(strstr(world.sentence, "/roster/probes (1 of 9 "));
    pass(60 * MINUTE);
    ck_assert_int_ge(world.told, 4); /* after about 5, 15, 35 minutes */
    ck_assert_int_le(world.told, 5);
    pass((int64_t)7 * 24 * 60 * MINUTE);
    ck_assert_int_le(world.told, 18);
}
END_TEST

START_TEST(of_many_that_are_open_the_topology_is_named)
{
    for (int i = 0; i < ZNODES; i++) {
        open_up(paths[i]);
    }
    connect();
    pass(2000);
    ck_assert_ptr_nonnull(strstr(world.sentence, "/roster/clusters/orders/topology (9 of 9 "));
}
END_TEST

START_TEST(an_open_znode_of_another_probe_is_told)
{
    open_up("/roster/clusters/orders/reports/probe-a");
    connect();
    pass(2000);
    ck_assert_int_eq(world.finding, AUDIT_OPEN);
    ck_assert_ptr_nonnull(strstr(world.sentence, "reports/probe-a"));
}
END_TEST

START_TEST(another_list_is_told_and_so_is_its_end)
{
    strcpy(world.lists[find("/roster/clusters")].entries[0].id,
           "other:n4ganTQV+ydgVrKmMTeEIOHvxSc=");
    connect();
    pass(2000);
    ck_assert_int_eq(world.finding, AUDIT_DIFFERS);
    ck_assert_ptr_nonnull(strstr(world.sentence, "/roster/clusters is not as configured (1 of 9"));
    set_wanted("/roster/clusters");
    pass(2 * MINUTE);
    ck_assert_int_eq(world.told, 2);
    ck_assert_int_eq(world.finding, AUDIT_WELL);
    open_up("/roster/clusters/orders/directives");
    pass(2 * MINUTE);
    ck_assert_int_eq(world.told, 3);
    ck_assert_int_eq(world.finding, AUDIT_OPEN);
}
END_TEST

START_TEST(the_list_of_another_probes_own_znode_is_its_own_affair)
{
    strcpy(world.lists[find("/roster/probes/probe-a")].entries[0].id,
           "other:n4ganTQV+ydgVrKmMTeEIOHvxSc=");
    connect();
    pass(2 * MINUTE);
    ck_assert_int_eq(world.told, 0);
}
END_TEST

START_TEST(what_vanishes_or_is_not_shown_is_passed_over)
{
    world.gone[find("/roster/probes/probe-a")] = true;
    world.gone[find("/roster/clusters/orders")] = true;
    connect();
    pass(2000);
    ck_assert_int_eq(world.told, 0);
    world.shut = true;
    pass(2 * MINUTE);
    ck_assert_int_eq(world.told, 0);
}
END_TEST

START_TEST(a_round_that_a_lost_link_breaks_off_is_begun_anew)
{
    open_up("/roster/clusters/orders/topology");
    connect();
    world.now_ms += 2000;
    step();
    answer();
    ck_assert(world.asked);
    audit_event(world.audit, &(struct store_event){.kind = STORE_DOWN}, world.now_ms);
    world.asked = false;
    audit_event(world.audit,
                &(struct store_event){.kind = STORE_ANSWER, .tag = world.tag, .rc = STORE_UNKNOWN},
                world.now_ms);
    int requests = world.requests;
    pass(10 * MINUTE);
    ck_assert_int_eq(world.requests, requests);
    connect();
    pass(2000);
    ck_assert_int_eq(world.told, 1);
}
END_TEST

Suite *audit_suite(void)
{
    Suite *suite = suite_create("audit");
    TCase *rounds = tcase_create("rounds");
    tcase_add_checked_fixture(rounds, setup, teardown);
    tcase_add_test(rounds, a_tree_that_is_as_wanted_is_no_news);
    tcase_add_test(rounds, an_open_znode_is_told_at_once_and_again_at_growing_intervals);
    tcase_add_test(rounds, of_many_that_are_open_the_topology_is_named);
    tcase_add_test(rounds, an_open_znode_of_another_probe_is_told);
    tcase_add_test(rounds, another_list_is_told_and_so_is_its_end);
    tcase_add_test(rounds, the_list_of_another_probes_own_znode_is_its_own_affair);
    tcase_add_test(rounds, what_vanishes_or_is_not_shown_is_passed_over);
    tcase_add_test(rounds, a_round_that_a_lost_link_breaks_off_is_begun_anew);
    suite_add_tcase(suite, rounds);
    return suite;
}
