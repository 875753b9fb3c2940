/* The watcher: what it believes of a registry that forgets, lies, dies or was
 * replaced. The registry is a handful of znodes in memory; time is a number. */
#include "watchers/watcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <roster.h>

#include "registry/model/codec.h"
#include "tests/unit/unit.h"

/* ---- a registry ------------------------------------------------------------------------------ */

enum { ZNODES_MAX = 8, ASKED_MAX = 64 };

struct znode {
    char path[PATH_SIZE];
    bool exists, watched;
    char *data;
    const char *names[8];
    size_t name_count;
    struct store_stat stat;
    enum store_rc refuses; /* STORE_OK: answers */
};

struct asked {
    uint64_t tag;
    char path[PATH_SIZE];
    bool list, watch, sync;
};

static struct world {
    struct store store;
    struct znode znodes[ZNODES_MAX];
    struct asked asked[ASKED_MAX];
    size_t first, count;
    int64_t zxid, now_ms, wall_ms;
    bool up;
    struct watcher *watcher;
    struct watched *orders;
    int topologies;   /* news of that kind so far */
    char said[16384]; /* sentences, each ended by a newline */
} world;

static struct znode *znode(const char *path)
{
    for (int i = 0; i < ZNODES_MAX; i++) {
        if (strcmp(world.znodes[i].path, path) == 0) {
            return &world.znodes[i];
        }
        if (!world.znodes[i].path[0]) {
            strcpy(world.znodes[i].path, path);
            return &world.znodes[i];
        }
    }
    ck_abort_msg("too many znodes");
}

static void ask(uint64_t tag, const char *path, bool list, bool watch, bool sync)
{
    ck_assert_uint_lt(world.count, ASKED_MAX);
    struct asked *asked = &world.asked[(world.first + world.count++) % ASKED_MAX];
    *asked = (struct asked){.tag = tag, .list = list, .watch = watch, .sync = sync};
    strcpy(asked->path, path);
}

static void ask_get(struct store *store, uint64_t tag, const char *path, bool watch)
{
    (void)store;
    ask(tag, path, false, watch, false);
}

static void ask_list(struct store *store, uint64_t tag, const char *path, bool watch)
{
    (void)store;
    ask(tag, path, true, watch, false);
}

static void ask_sync(struct store *store, uint64_t tag, const char *path)
{
    (void)store;
    ask(tag, path, false, false, true);
}

static const struct store_ops ops = {.get = ask_get, .list = ask_list, .sync = ask_sync};

static struct now read_clocks(void)
{
    return (struct now){world.now_ms, world.wall_ms};
}

static void note_news(void)
{
    struct news news;
    while (watcher_news(world.watcher, &news)) {
        if (news.kind == NEWS_TOPOLOGY) {
            world.topologies++;
        } else if (news.kind == NEWS_SENTENCE) {
            ck_assert_uint_lt(strlen(world.said) + strlen(news.sentence) + 2, sizeof world.said);
            strcat(strcat(world.said, news.sentence), "\n");
        }
    }
}

static void tell(const struct store_event *event)
{
    watcher_event(world.watcher, event, read_clocks());
    note_news();
}

/* Answer one request; false when there is none. */
static bool answer_one(void)
{
    if (world.count == 0) {
        return false;
    }
    struct asked asked = world.asked[world.first];
    struct store_event event = {.kind = STORE_ANSWER, .tag = asked.tag, .path = asked.path};
    world.first = (world.first + 1) % ASKED_MAX;
    world.count--;
    if (!world.up) {
        event.rc = STORE_UNKNOWN;
    } else if (!asked.sync) {
        struct znode *node = znode(asked.path);
        node->watched |= asked.watch;
        event.rc = node->refuses ? node->refuses : node->exists ? STORE_OK : STORE_NO_NODE;
        event.stat = node->stat;
        event.data = asked.list ? NULL : node->data;
        event.len = event.data ? strlen(event.data) : 0;
        event.names = node->names;
        event.name_count = asked.list ? node->name_count : 0;
    }
    tell(&event);
    return true;
}

static void answer_all(void)
{
    while (answer_one()) {
    }
}

static void fire(struct znode *node)
{
    if (node->watched && world.up) {
        node->watched = false;
        tell(&(struct store_event){.kind = STORE_CHANGED, .path = node->path});
        answer_all();
    }
}

static void put(const char *path, const char *data)
{
    struct znode *node = znode(path);
    free(node->data);
    node->data = data ? strdup(data) : NULL;
    node->stat.mzxid = ++world.zxid;
    node->stat.version = node->exists ? node->stat.version + 1 : 0;
    node->stat.czxid = node->exists ? node->stat.czxid : world.zxid;
    node->exists = true;
    fire(node);
}

static void take(const char *path)
{
    znode(path)->exists = false;
    fire(znode(path));
}

static void present(size_t n, const char *const *probes)
{
    struct znode *node = znode("/roster/probes");
    node->exists = true;
    node->name_count = n;
    for (size_t i = 0; i < n; i++) {
        node->names[i] = probes[i];
    }
    fire(node);
}

static const char *const all_probes[] = {"probe-b", "probe-a", "stray"};

static void connect_with(bool renewed)
{
    world.up = true;
    for (int i = 0; i < ZNODES_MAX && renewed; i++) {
        world.znodes[i].watched = false;
    }
    tell(&(struct store_event){.kind = STORE_UP, .session = 1, .renewed = renewed});
    answer_all();
}

static void disconnect(enum store_event_kind kind)
{
    world.up = false;
    answer_all();
    tell(&(struct store_event){.kind = kind, .detail = "no answer"});
}

static void pass(int64_t ms)
{
    while (ms > 0) {
        int64_t step_ms = ms < TICK_MS ? ms : TICK_MS;
        world.now_ms += step_ms;
        world.wall_ms += step_ms;
        ms -= step_ms;
        watcher_tick(world.watcher, read_clocks());
        note_news();
        answer_all();
    }
}

static char *topology_text(int64_t epoch, const char *primary)
{
    struct topology topology = {
        .cluster = "orders", .epoch = epoch, .rules = 1, .policy.witnesses = 3, .state = STATE_OK};
    topology.at_wall_ms = world.wall_ms;
    strcpy(topology.primary, primary);
    strcpy(topology.why, "because");
    strcpy(topology.rule, "sole");
    strcpy(topology.by, "probe-a");
    topology.member_count = 1;
    struct member *member = &topology.members[0];
    *member = (struct member){
        .role = ROLE_PRIMARY, .health = HEALTH_UP, .reason = ANSWER_OK, .lag = LAG_NOT_KNOWN};
    strcpy(member->config.name, primary);
    strcpy(member->config.host, "10.0.0.1");
    member->config.port = 5432;
    topology.evidence_count = 2;
    topology.evidence[0] = (struct evidence_ref){"probe-a", 5};
    topology.evidence[1] = (struct evidence_ref){"probe-b", 6};
    topology.directives_mzxid = 7;
    char *text = topology_encode(&topology);
    ck_assert_ptr_nonnull(text);
    return text;
}

static const char topology_path[] = "/roster/clusters/orders/topology";

static void put_topology(int64_t epoch, const char *primary)
{
    char *text = topology_text(epoch, primary);
    put(topology_path, text);
    free(text);
}

static void put_registry_id(const char *registry, const char *supersedes)
{
    struct registry_id registry_id = {.supersedes_count = supersedes ? 1 : 0};
    strcpy(registry_id.registry, registry);
    strcpy(registry_id.supersedes[0], supersedes ? supersedes : "");
    char *text = registry_id_encode(&registry_id);
    ck_assert_ptr_nonnull(text);
    put("/roster", text);
    free(text);
}

#define OURS "11111111-aaaa-4bbb-8ccc-000000000001"
#define OTHER "22222222-aaaa-4bbb-8ccc-000000000002"

/* A registry with one cluster and two probes, not connected yet. */
static void prepare(void)
{
    world =
        (struct world){.store.ops = &ops, .zxid = 100, .now_ms = 1000000, .wall_ms = 1795224153000};
    put_registry_id(OURS, NULL);
    present(3, all_probes);
    put_topology(1, "pg-1");
    world.watcher = watcher_new(&world.store, "/roster", 1);
    ck_assert_ptr_nonnull(world.watcher);
}

static void follow(void)
{
    world.orders = watcher_follow(world.watcher, "orders", NULL, NULL, NULL, read_clocks());
    ck_assert_ptr_nonnull(world.orders);
    answer_all();
}

static void setup(void)
{
    prepare();
    follow();
    connect_with(true);
}

static void teardown(void)
{
    watcher_free(world.watcher);
    for (int i = 0; i < ZNODES_MAX; i++) {
        free(world.znodes[i].data);
    }
}

static int64_t age_ms(void)
{
    return world.orders->belief == BELIEF_FRESH ? 0 : world.now_ms - world.orders->confirmed_ms;
}

static void new_session(void)
{
    disconnect(STORE_GONE);
    connect_with(true);
}

#define assert_primary(name) ck_assert_str_eq(world.orders->topology.primary, name)
#define assert_followed() ck_assert_str_eq(world.orders->refused, "")
#define assert_refused(word)                                                                       \
    ck_assert_msg(strstr(world.orders->refused, word), "\"%s\" has no \"%s\"",                     \
                  world.orders->refused, word)

static int count_of(const char *word)
{
    int count = 0;
    for (const char *at = world.said; (at = strstr(at, word)); at++) {
        count++;
    }
    return count;
}

/* ---- following ------------------------------------------------------------------------------- */

START_TEST(a_topology_is_followed_from_change_to_change)
{
    assert_primary("pg-1");
    ck_assert_int_eq(world.topologies, 1);
    ck_assert(world.orders->answered);
    put_topology(2, "pg-2");
    assert_primary("pg-2");
    ck_assert_int_eq(world.topologies, 2);
    assert_followed();
}
END_TEST

START_TEST(a_cluster_that_is_not_there_yet_is_found_when_it_comes)
{
    struct watched *later = watcher_follow(world.watcher, "later", NULL, NULL, NULL, read_clocks());
    answer_all();
    ck_assert(later->answered);
    ck_assert(!watched_has_topology(later));
    ck_assert_str_eq(later->refused, "");
    char *text = topology_text(1, "pg-1");
    char *name = strstr(text, "\"orders\"");
    ck_assert_ptr_nonnull(name);
    memcpy(name, "\"later\" ", 8);
    put("/roster/clusters/later/topology", text);
    free(text);
    ck_assert(watched_has_topology(later));
}
END_TEST

START_TEST(a_deleted_topology_is_kept_and_its_successor_followed)
{
    take(topology_path);
    assert_primary("pg-1");
    assert_refused("no topology");
    ck_assert_int_ne(world.orders->belief, BELIEF_FRESH);
    put_topology(2, "pg-2");
    assert_primary("pg-2");
    assert_followed();
    ck_assert_int_eq(world.orders->belief, BELIEF_FRESH);
}
END_TEST

START_TEST(garbage_and_the_future_are_refused_and_said_once_each)
{
    put(topology_path, "garbage");
    assert_primary("pg-1");
    ck_assert_str_ne(world.orders->refused, "");
    ck_assert_int_eq(count_of("not followed"), 1);
    pass(3 * RESYNC_MS); /* read again and again */
    new_session();
    ck_assert_int_eq(count_of("not followed"), 1);
    put(topology_path, "{\"format\": 2}");
    assert_refused("format");
    ck_assert_int_eq(count_of("not followed"), 2);
    put(topology_path, "");
    put(topology_path, NULL);
    assert_primary("pg-1");
    put_topology(2, "pg-2");
    assert_primary("pg-2");
    assert_followed();
    ck_assert_int_eq(count_of("followed again"), 1);
}
END_TEST

START_TEST(the_topology_of_another_cluster_is_refused)
{
    char *text = topology_text(2, "pg-2");
    memcpy(strstr(text, "\"orders\""), "\"others\"", 8);
    put(topology_path, text);
    free(text);
    assert_primary("pg-1");
    assert_refused("another cluster");
}
END_TEST

START_TEST(a_denied_read_keeps_what_was_known)
{
    znode(topology_path)->refuses = STORE_DENIED;
    put_topology(2, "pg-2");
    assert_primary("pg-1");
    assert_refused("denied");
    znode(topology_path)->refuses = STORE_OK;
    pass(2 * RESYNC_MS);
    assert_primary("pg-2");
    assert_followed();
}
END_TEST

START_TEST(a_watch_that_never_fired_is_made_up_for_by_the_resync)
{
    znode(topology_path)->watched = false;
    put_topology(2, "pg-2");
    assert_primary("pg-1");
    pass(RESYNC_MS * 4 / 3 + TICK_MS);
    assert_primary("pg-2");
}
END_TEST

START_TEST(reads_that_callers_ask_for_are_spread)
{
    world.up = false; /* count what is asked, answer nothing */
    world.first = world.count = 0;
    znode(topology_path)->watched = false;
    world.up = true;
    for (int i = 0; i < 1000; i++) {
        watcher_refresh(world.watcher, world.orders, read_clocks());
        answer_all();
    }
    put_topology(2, "pg-2");
    watcher_refresh(world.watcher, world.orders, read_clocks());
    ck_assert_uint_eq(world.count, 0);
    assert_primary("pg-2"); /* the first of the thousand set the watch again */
    znode(topology_path)->watched = false;
    put_topology(3, "pg-3");
    ck_assert_int_eq(watcher_tick(world.watcher, read_clocks()), world.now_ms + REFRESH_GAP_MS);
    pass(REFRESH_GAP_MS);
    assert_primary("pg-3");
}
END_TEST

/* ---- order ----------------------------------------------------------------------------------- */

START_TEST(a_lagging_read_within_a_session_is_passed_over_in_silence)
{
    put_topology(2, "pg-2");
    int64_t zxid = znode(topology_path)->stat.mzxid;
    char *old = topology_text(1, "pg-1");
    free(znode(topology_path)->data);
    znode(topology_path)->data = old;
    znode(topology_path)->stat.mzxid = zxid - 1;
    fire(znode(topology_path));
    assert_primary("pg-2");
    assert_followed();
    ck_assert_int_eq(count_of("not followed"), 0);
}
END_TEST

START_TEST(a_registry_that_went_back_is_refused_until_it_passes_what_was_known)
{
    put_topology(2, "pg-2");
    int64_t zxid = world.zxid;
    world.zxid -= 50; /* yesterday's backup */
    put_topology(1, "pg-1");
    new_session();
    assert_primary("pg-2");
    assert_refused("back in time");
    ck_assert_int_ne(world.orders->belief, BELIEF_FRESH);
    ck_assert_int_eq(count_of("not followed"), 1);
    new_session();
    new_session();
    ck_assert_int_eq(count_of("not followed"), 1);
    world.zxid = zxid;
    put_topology(3, "pg-3");
    assert_primary("pg-3");
    assert_followed();
}
END_TEST

START_TEST(a_restored_registry_is_taken_when_an_operator_accepts_it)
{
    put_topology(2, "pg-2");
    world.zxid -= 50;
    put_topology(1, "pg-1");
    new_session();
    assert_refused("back in time");
    put_registry_id(OTHER, OURS);
    assert_primary("pg-1");
    assert_followed();
    ck_assert_str_eq(world.orders->provenance.registry, OTHER);
    ck_assert_int_eq(world.orders->provenance.mzxid, znode(topology_path)->stat.mzxid);
}
END_TEST

START_TEST(another_registry_is_refused_however_new_its_topology)
{
    disconnect(STORE_GONE);
    put_registry_id(OTHER, NULL);
    put_topology(9, "pg-9");
    connect_with(true);
    assert_primary("pg-1");
    assert_refused(OTHER);
    put_topology(10, "pg-10");
    assert_primary("pg-1");
    ck_assert_int_eq(count_of("not followed"), 1);
    put_registry_id(OTHER, OURS);
    assert_primary("pg-10");
    assert_followed();
}
END_TEST

START_TEST(a_registry_without_a_name_is_refused_by_those_who_knew_one)
{
    disconnect(STORE_GONE);
    put("/roster", "");
    put_topology(9, "pg-9");
    connect_with(true);
    assert_primary("pg-1");
    assert_refused("does not say which");
    put_registry_id(OURS, NULL);
    assert_primary("pg-9");
    assert_followed();
}
END_TEST

START_TEST(within_a_session_the_root_may_be_spoilt_without_harm)
{
    put("/roster", "garbage");
    put_topology(2, "pg-2");
    assert_primary("pg-2");
    disconnect(STORE_DOWN);
    connect_with(false);
    put_topology(3, "pg-3");
    assert_primary("pg-3");
    assert_followed();
}
END_TEST

START_TEST(a_nameless_registry_is_followed_by_newcomers)
{
    teardown();
    prepare();
    take("/roster");
    follow();
    connect_with(true);
    assert_primary("pg-1");
    put_registry_id(OURS, NULL);
    new_session();
    ck_assert_str_eq(world.orders->provenance.registry, OURS);
    assert_followed();
}
END_TEST

START_TEST(nothing_is_taken_before_the_registry_has_said_which_it_is)
{
    teardown();
    prepare();
    follow();
    world.up = true;
    tell(&(struct store_event){.kind = STORE_UP, .session = 1, .renewed = true});
    while (world.count > 0) { /* in whatever order the reads are answered */
        ck_assert(!watched_has_topology(world.orders));
        answer_one();
    }
    ck_assert(watched_has_topology(world.orders));
    ck_assert_int_eq(world.orders->belief, BELIEF_FRESH); /* and who is present was known by then */
}
END_TEST

/* ---- the cache ------------------------------------------------------------------------------- */

static void follow_cached(const char *registry, int64_t mzxid, const char *primary)
{
    struct topology *kept = calloc(1, sizeof *kept);
    struct provenance provenance = {.mzxid = mzxid};
    struct codec_error error;
    char *text = topology_text(1, primary);
    ck_assert(topology_decode(text, strlen(text), kept, &error));
    strcpy(provenance.registry, registry);
    kept->at_wall_ms -= 60000;
    world.orders = watcher_follow(world.watcher, "orders", NULL, kept, &provenance, read_clocks());
    answer_all();
    free(text);
    free(kept);
}

START_TEST(a_cached_topology_holds_until_the_registry_speaks)
{
    teardown();
    prepare();
    follow_cached(OURS, znode(topology_path)->stat.mzxid - 1, "pg-0");
    assert_primary("pg-0");
    ck_assert_int_eq(world.orders->belief, BELIEF_CACHED);
    pass(10000);
    ck_assert_int_eq(age_ms(), 70000);
    connect_with(true);
    assert_primary("pg-1");
    ck_assert_int_ne(world.orders->belief, BELIEF_CACHED);
    ck_assert_int_eq(world.orders->belief, BELIEF_FRESH);
}
END_TEST

START_TEST(the_very_topology_that_was_cached_is_confirmed_without_news)
{
    teardown();
    prepare();
    follow_cached(OURS, znode(topology_path)->stat.mzxid, "pg-1");
    connect_with(true);
    ck_assert_int_ne(world.orders->belief, BELIEF_CACHED);
    ck_assert_int_eq(world.orders->belief, BELIEF_FRESH);
    ck_assert_int_eq(world.topologies, 0);
}
END_TEST

START_TEST(a_registry_older_than_the_cache_or_another_is_refused)
{
    teardown();
    prepare();
    follow_cached(OURS, znode(topology_path)->stat.mzxid + 1, "pg-0");
    connect_with(true);
    assert_primary("pg-0");
    assert_refused("back in time");
    teardown();
    prepare();
    follow_cached(OTHER, 1, "pg-0");
    connect_with(true);
    assert_primary("pg-0");
    assert_refused(OTHER);
    ck_assert_int_eq(world.orders->belief, BELIEF_CACHED);
}
END_TEST

/* ---- age ------------------------------------------------------------------------------------- */

START_TEST(age_is_nothing_while_the_fleet_stands_behind_it)
{
    pass(3600 * 1000);
    ck_assert_int_eq(age_ms(), 0);
    ck_assert_int_eq(world.orders->confirmed_ms, world.now_ms);
    ck_assert_int_eq(world.orders->witnesses_now, 2);
}
END_TEST

START_TEST(age_grows_while_the_registry_is_silent_for_hours)
{
    disconnect(STORE_DOWN);
    ck_assert_int_eq(world.orders->witnesses_now, -1);
    pass(73 * 3600 * 1000LL);
    ck_assert_int_eq(age_ms(), 73 * 3600 * 1000LL);
    assert_primary("pg-1");
    ck_assert_int_eq(world.topologies, 1);
    for (int i = 0; i < 100; i++) {
        disconnect(STORE_GONE);
    }
    ck_assert_int_eq(count_of("routing goes on"), 1); /* said once, however long */
    put_topology(2, "pg-2");
    connect_with(true);
    assert_primary("pg-2");
    ck_assert_int_eq(age_ms(), 0);
}
END_TEST

START_TEST(age_grows_while_none_of_the_evidences_probes_is_present)
{
    static const char *const stray[] = {"stray"};
    present(1, stray);
    pass(40000);
    ck_assert_int_eq(age_ms(), 40000);
    ck_assert_int_eq(world.orders->witnesses_now, 0);
    present(3, all_probes);
    ck_assert_int_eq(age_ms(), 0);
    take("/roster/probes");
    pass(5000);
    ck_assert_int_eq(age_ms(), 5000);
}
END_TEST

START_TEST(age_grows_while_what_the_registry_holds_is_refused)
{
    put(topology_path, "garbage");
    pass(9000);
    ck_assert_int_eq(age_ms(), 9000);
}
END_TEST

START_TEST(a_cold_start_without_probes_counts_from_the_verdict)
{
    teardown();
    prepare();
    present(0, NULL);
    world.wall_ms += 86400000;
    follow();
    connect_with(true);
    ck_assert_int_eq(age_ms(), 86400000);
    put_topology(2, "pg-2"); /* somebody decided just now */
    ck_assert_int_eq(age_ms(), 0);
    pass(2000);
    ck_assert_int_eq(age_ms(), 2000);
}
END_TEST

START_TEST(a_verdict_from_a_clock_ahead_is_not_younger_than_now)
{
    teardown();
    prepare();
    present(0, NULL);
    world.wall_ms -= 3600000;
    follow();
    connect_with(true);
    ck_assert_int_eq(age_ms(), 0);
}
END_TEST

START_TEST(a_process_that_was_stopped_doubts_before_it_believes)
{
    int64_t before_ms = world.now_ms;
    world.now_ms += 600000;
    watcher_tick(world.watcher, read_clocks());
    ck_assert_int_ne(world.orders->belief, BELIEF_FRESH);
    ck_assert_int_eq(world.orders->confirmed_ms, before_ms);
    answer_all();
    ck_assert_int_eq(world.orders->belief, BELIEF_FRESH);
}
END_TEST

START_TEST(a_flapping_link_changes_nothing_but_the_age)
{
    for (int i = 0; i < 50; i++) {
        disconnect(i % 5 ? STORE_DOWN : STORE_GONE);
        pass(100);
        ck_assert_int_eq(age_ms(), 100);
        connect_with(i % 5 == 0);
        ck_assert_int_eq(age_ms(), 0);
    }
    ck_assert_int_eq(world.topologies, 1);
    assert_primary("pg-1");
}
END_TEST

Suite *watcher_suite(void)
{
    const TTest *const all[] = {a_topology_is_followed_from_change_to_change,
                                a_cluster_that_is_not_there_yet_is_found_when_it_comes,
                                a_deleted_topology_is_kept_and_its_successor_followed,
                                garbage_and_the_future_are_refused_and_said_once_each,
                                the_topology_of_another_cluster_is_refused,
                                a_denied_read_keeps_what_was_known,
                                a_watch_that_never_fired_is_made_up_for_by_the_resync,
                                reads_that_callers_ask_for_are_spread,
                                a_lagging_read_within_a_session_is_passed_over_in_silence,
                                a_registry_that_went_back_is_refused_until_it_passes_what_was_known,
                                a_restored_registry_is_taken_when_an_operator_accepts_it,
                                another_registry_is_refused_however_new_its_topology,
                                a_registry_without_a_name_is_refused_by_those_who_knew_one,
                                within_a_session_the_root_may_be_spoilt_without_harm,
                                a_nameless_registry_is_followed_by_newcomers,
                                nothing_is_taken_before_the_registry_has_said_which_it_is,
                                a_cached_topology_holds_until_the_registry_speaks,
                                the_very_topology_that_was_cached_is_confirmed_without_news,
                                a_registry_older_than_the_cache_or_another_is_refused,
                                age_is_nothing_while_the_fleet_stands_behind_it,
                                age_grows_while_the_registry_is_silent_for_hours,
                                age_grows_while_none_of_the_evidences_probes_is_present,
                                age_grows_while_what_the_registry_holds_is_refused,
                                a_cold_start_without_probes_counts_from_the_verdict,
                                a_verdict_from_a_clock_ahead_is_not_younger_than_now,
                                a_process_that_was_stopped_doubts_before_it_believes,
                                a_flapping_link_changes_nothing_but_the_age};
    Suite *suite = suite_create("watcher");
    TCase *tests = tcase_create("watcher");
    tcase_add_checked_fixture(tests, setup, teardown);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tcase_add_test(tests, all[i]);
    }
    suite_add_tcase(suite, tests);
    return suite;
}
