/* The reporter against a registry of a handful of znodes: what stands there in
 * the end, whatever got lost on the way. */
#include "registry/fleet/reporter.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { ZNODES_MAX = 16, ASKED_MAX = 64, STEPS_MAX = 4, SESSION = 7 };

static const char orders[] = "/roster/clusters/orders/reports/probe-a";

struct znode {
    char path[PATH_SIZE];
    struct store_stat stat;
    bool exists;
};

struct step {
    enum store_op_kind kind;
    char path[PATH_SIZE];
    int32_t version;
};

/* A read of the first step's path, or a write of all of them. */
struct asked {
    uint64_t tag;
    bool read;
    size_t count;
    struct step steps[STEPS_MAX];
};

static struct {
    struct store store;
    struct znode znodes[ZNODES_MAX];
    struct asked asked[ASKED_MAX];
    size_t first, count;
    int64_t zxid, now_ms;
    bool up;
    struct mirror *mirror;
    struct reporter *reporter;
} world;

static struct znode *znode(const char *path)
{
    for (int i = 0; i < ZNODES_MAX; i++) {
        if (!world.znodes[i].path[0]) {
            strcpy(world.znodes[i].path, path);
        }
        if (strcmp(world.znodes[i].path, path) == 0) {
            return &world.znodes[i];
        }
    }
    ck_abort_msg("too many znodes");
}

static struct asked *ask(uint64_t tag, bool read, const char *path)
{
    ck_assert_uint_lt(world.count, ASKED_MAX);
    struct asked *asked = &world.asked[(world.first + world.count++) % ASKED_MAX];
    *asked = (struct asked){.tag = tag, .read = read};
    strcpy(asked->steps[0].path, path);
    return asked;
}

static void ask_read(struct store *store, uint64_t tag, const char *path, bool watch)
{
    (void)store;
    (void)watch;
    ask(tag, true, path);
}

static void ask_sync(struct store *store, uint64_t tag, const char *path)
{
    (void)store;
    ask(tag, true, path);
}

static void ask_write(struct store *store, uint64_t tag, const struct store_op *steps, size_t n)
{
    (void)store;
    ck_assert_uint_le(n, STEPS_MAX);
    struct asked *asked = ask(tag, false, steps[0].path);
    for (size_t i = 0; i < n; i++) {
        asked->steps[asked->count++] =
            (struct step){.kind = steps[i].kind, .version = steps[i].version};
        strcpy(asked->steps[i].path, steps[i].path);
    }
}

static const struct store_ops ops = {
    .get = ask_read, .list = ask_read, .sync = ask_sync, .write = ask_write};

static bool creates(const struct step *step)
{
    return step->kind == STORE_CREATE || step->kind == STORE_CREATE_EPHEMERAL;
}

static enum store_rc check(const struct step *step)
{
    const struct znode *node = znode(step->path);
    if (creates(step) == node->exists) {
        return node->exists ? STORE_EXISTS : STORE_NO_NODE;
    }
    return !creates(step) && step->version >= 0 && step->version != node->stat.version
               ? STORE_BAD_VERSION
               : STORE_OK;
}

static void perform(const struct step *step)
{
    struct znode *node = znode(step->path);
    node->stat.version = creates(step) ? 0 : node->stat.version + 1;
    node->stat.owner = step->kind == STORE_CREATE_EPHEMERAL ? SESSION : node->stat.owner;
    node->stat.mzxid = world.zxid;
    node->exists = step->kind != STORE_DELETE;
}

static enum store_rc serve(const struct asked *asked)
{
    if (!world.up) {
        return STORE_UNKNOWN;
    }
    if (asked->read) {
        return znode(asked->steps[0].path)->exists ? STORE_OK : STORE_NO_NODE;
    }
    for (size_t i = 0; i < asked->count; i++) {
        enum store_rc rc = check(&asked->steps[i]);
        if (rc != STORE_OK) {
            return rc;
        }
    }
    world.zxid++;
    for (size_t i = 0; i < asked->count; i++) {
        perform(&asked->steps[i]);
    }
    return STORE_OK;
}

static void tell(const struct store_event *event)
{
    reporter_event(world.reporter, event, world.now_ms);
    mirror_event(world.mirror, event, world.now_ms);
}

static void answer_one(void)
{
    struct asked asked = world.asked[world.first];
    const char *path = asked.steps[0].path;
    world.first = (world.first + 1) % ASKED_MAX;
    world.count--;
    enum store_rc rc = serve(&asked);
    static const char root[] = "{ \"format\": 1, \"registry\": \"uuid\" }";
    bool is_root = asked.read && strcmp(path, "/roster") == 0;
    tell(&(struct store_event){.kind = STORE_ANSWER,
                               .tag = asked.tag,
                               .path = path,
                               .rc = rc,
                               .data = is_root ? root : NULL,
                               .len = is_root ? strlen(root) : 0,
                               .stat = znode(path)->stat});
}

/* Until nothing is asked any more. */
static void settle(void)
{
    do {
        while (world.count) {
            answer_one();
        }
        reporter_step(world.reporter, world.now_ms);
    } while (world.count);
}

static void link_is(bool up, bool renewed)
{
    world.up = up;
    tell(&(struct store_event){
        .kind = up ? STORE_UP : STORE_DOWN, .session = SESSION, .renewed = renewed});
}

static bool nobody_is_gone(const struct presence *presence)
{
    (void)presence;
    return false;
}

static void say(struct cluster_report *orders_report, const char *abstains)
{
    static struct report report;
    report = (struct report){
        .cluster = "orders", .probe = "probe-a", .rules = MODEL_RULES, .policy = {.witnesses = 1}};
    strcpy(report.abstains, abstains);
    cluster_report_publish(orders_report, &report, world.now_ms);
}

static void setup(void)
{
    memset(&world, 0, sizeof world);
    world.store.ops = &ops;
    world.now_ms = 1000000;
    world.mirror = mirror_new(&world.store);
    world.reporter = reporter_new(
        &world.store, world.mirror,
        &(struct reporter_settings){.root = "/roster",
                                    .presence = {.probe = "probe-a", .host = "h", .nonce = 1},
                                    .registry_uuid = "uuid",
                                    .is_gone = nobody_is_gone});
    ck_assert_ptr_nonnull(world.reporter);
}

static void teardown(void)
{
    reporter_free(world.reporter);
    mirror_free(world.mirror);
}

/* A report of ours stands and votes. */
static struct cluster_report *begin(void)
{
    struct cluster_report *orders_report = reporter_add(world.reporter, "orders");
    say(orders_report, "");
    link_is(true, true);
    settle();
    ck_assert(znode(orders)->exists);
    ck_assert_int_gt(znode(orders)->stat.version, 0);
    return orders_report;
}

START_TEST(a_withdrawn_report_goes)
{
    reporter_remove(world.reporter, begin());
    settle();
    ck_assert(!znode(orders)->exists);
}
END_TEST

START_TEST(a_report_that_is_withdrawn_without_a_link_goes_when_it_is_back)
{
    struct cluster_report *orders_report = begin();
    link_is(false, false);
    reporter_remove(world.reporter, orders_report);
    settle();
    ck_assert(znode(orders)->exists);
    link_is(true, false);
    settle();
    ck_assert(!znode(orders)->exists);
}
END_TEST

START_TEST(a_report_that_is_withdrawn_while_it_is_created_goes_too)
{
    struct cluster_report *orders_report = reporter_add(world.reporter, "orders");
    link_is(true, true);
    const struct asked *next = &world.asked[world.first];
    while (next->read || strcmp(next->steps[0].path, orders) != 0) {
        answer_one();
        reporter_step(world.reporter, world.now_ms);
        ck_assert_uint_gt(world.count, 0);
        next = &world.asked[world.first];
    }
    reporter_remove(world.reporter, orders_report);
    settle();
    ck_assert(!znode(orders)->exists);
}
END_TEST

START_TEST(a_cluster_that_comes_back_keeps_its_report)
{
    struct cluster_report *orders_report = begin();
    link_is(false, false);
    reporter_remove(world.reporter, orders_report);
    orders_report = reporter_add(world.reporter, "orders");
    say(orders_report, "");
    link_is(true, false);
    settle();
    const struct report *acked;
    int32_t version;
    int64_t mzxid;
    ck_assert(cluster_report_take_acked(orders_report, &acked, &version, &mzxid));
    ck_assert_ptr_nonnull(acked);
    ck_assert(znode(orders)->exists);
    ck_assert_int_eq(version, znode(orders)->stat.version);
}
END_TEST

Suite *reporter_suite(void)
{
    Suite *suite = suite_create("reporter");
    TCase *reports = tcase_create("reports");
    tcase_add_checked_fixture(reports, setup, teardown);
    tcase_add_test(reports, a_withdrawn_report_goes);
    tcase_add_test(reports, a_report_that_is_withdrawn_without_a_link_goes_when_it_is_back);
    tcase_add_test(reports, a_report_that_is_withdrawn_while_it_is_created_goes_too);
    tcase_add_test(reports, a_cluster_that_comes_back_keeps_its_report);
    suite_add_tcase(suite, reports);
    return suite;
}
