#include "tests/unit/watchers/fake_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "tests/unit/unit.h"

struct fake fake;

struct znode *fake_znode(const char *path)
{
    for (int i = 0; i < ZNODES_MAX; i++) {
        if (strcmp(fake.znodes[i].path, path) == 0) {
            return &fake.znodes[i];
        }
        if (!fake.znodes[i].path[0]) {
            strcpy(fake.znodes[i].path, path);
            return &fake.znodes[i];
        }
    }
    ck_abort_msg("too many znodes");
}

static void ask(uint64_t tag, const char *path, bool list, bool watch, bool sync)
{
    ck_assert_uint_lt(fake.count, REQUESTS_MAX);
    struct request *request = &fake.requests[(fake.first + fake.count++) % REQUESTS_MAX];
    *request = (struct request){.tag = tag, .list = list, .watch = watch, .sync = sync};
    strcpy(request->path, path);
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
    fake.syncs++;
}

static void ask_access(struct store *store, uint64_t tag, const char *path)
{
    (void)store;
    ask(tag, path, false, false, false);
    fake.requests[(fake.first + fake.count - 1) % REQUESTS_MAX].access = true;
}

static const struct store_ops ops = {
    .get = ask_get, .list = ask_list, .sync = ask_sync, .access = ask_access};

struct now fake_now(void)
{
    return (struct now){fake.now_ms, fake.wall_ms};
}

static void collect_news(void)
{
    struct news news;
    while (watcher_news(fake.watcher, &news)) {
        if (news.kind == NEWS_TOPOLOGY) {
            fake.topologies++;
        } else if (news.kind == NEWS_SENTENCE) {
            ck_assert_uint_lt(strlen(fake.logged) + strlen(news.sentence) + 2, sizeof fake.logged);
            strcat(strcat(fake.logged, news.sentence), "\n");
        }
    }
}

void fake_event(const struct store_event *event)
{
    watcher_event(fake.watcher, event, fake_now());
    collect_news();
}

static void catch_up(void)
{
    for (int i = 0; i < ZNODES_MAX; i++) {
        free(fake.znodes[i].lagging);
        fake.znodes[i].lagging = NULL;
    }
}

void fake_lag(const char *path, const char *data, int64_t mzxid)
{
    struct znode *node = fake_znode(path);
    free(node->lagging);
    node->lagging = strdup(data ? data : node->data);
    node->lagging_mzxid = mzxid;
    fake_fire(node);
}

/* Answer one request; false when there is none. */
bool fake_answer_one(void)
{
    if (fake.count == 0) {
        return false;
    }
    struct request request = fake.requests[fake.first];
    struct store_event event = {.kind = STORE_ANSWER, .tag = request.tag, .path = request.path};
    fake.first = (fake.first + 1) % REQUESTS_MAX;
    fake.count--;
    struct access_list access;
    if (!fake.up) {
        event.rc = STORE_UNKNOWN;
    } else if (request.access) {
        struct znode *node = fake_znode(request.path);
        access = (struct access_list){.count = 1, .entries = {{MAY_READ, "world", "anyone"}}};
        access.entries[0].may |= node->may;
        event.rc = node->refuses ? node->refuses : node->exists ? STORE_OK : STORE_NO_NODE;
        event.stat = node->stat;
        event.access = &access;
    } else if (request.sync) {
        catch_up();
    } else {
        struct znode *node = fake_znode(request.path);
        node->watched |= request.watch;
        event.rc = node->refuses ? node->refuses : node->exists ? STORE_OK : STORE_NO_NODE;
        event.stat = node->stat;
        event.stat.mzxid = node->lagging ? node->lagging_mzxid : node->stat.mzxid;
        event.data = request.list ? NULL : node->lagging ? node->lagging : node->data;
        event.len = event.data ? strlen(event.data) : 0;
        event.names = node->names;
        event.name_count = request.list ? node->name_count : 0;
    }
    fake_event(&event);
    return true;
}

void fake_answer_all(void)
{
    while (!fake.silent && fake_answer_one()) {
    }
}

int fake_count_requests(bool sync)
{
    int count = 0;
    for (size_t i = 0; i < fake.count; i++) {
        count += fake.requests[(fake.first + i) % REQUESTS_MAX].sync == sync;
    }
    return count;
}

void fake_fire(struct znode *node)
{
    if (node->watched && fake.up) {
        node->watched = false;
        fake_event(&(struct store_event){.kind = STORE_CHANGED, .path = node->path});
        fake_answer_all();
    }
}

void fake_put(const char *path, const char *data)
{
    struct znode *node = fake_znode(path);
    free(node->data);
    node->data = data ? strdup(data) : NULL;
    node->stat.mzxid = ++fake.zxid;
    node->stat.version = node->exists ? node->stat.version + 1 : 0;
    node->stat.czxid = node->exists ? node->stat.czxid : fake.zxid;
    node->exists = true;
    fake_fire(node);
}

void fake_allow(const char *path, unsigned may)
{
    fake_znode(path)->may = may;
    fake_znode(path)->stat.aversion++;
}

void fake_take(const char *path)
{
    fake_znode(path)->exists = false;
    fake_fire(fake_znode(path));
}

void fake_present(size_t n, const char *const *probes)
{
    struct znode *node = fake_znode("/roster/probes");
    node->exists = true;
    node->name_count = n;
    for (size_t i = 0; i < n; i++) {
        node->names[i] = probes[i];
    }
    fake_fire(node);
}

const char *const fake_probes[3] = {"probe-b", "probe-a", "stray"};

void fake_connect(bool renewed)
{
    fake.up = true;
    for (int i = 0; i < ZNODES_MAX && renewed; i++) {
        fake.znodes[i].watched = false;
    }
    fake_event(&(struct store_event){.kind = STORE_UP, .session = 1, .renewed = renewed});
    fake_answer_all();
}

void fake_disconnect(enum store_event_kind kind)
{
    bool silent = fake.silent;
    fake.up = fake.silent = false; /* all is answered as unknown */
    fake_answer_all();
    fake.silent = silent;
    fake_event(&(struct store_event){.kind = kind, .detail = "no answer"});
}

void fake_pass(int64_t ms)
{
    while (ms > 0) {
        int64_t step_ms = ms < TICK_MS ? ms : TICK_MS;
        fake.now_ms += step_ms;
        fake.wall_ms += step_ms;
        ms -= step_ms;
        watcher_tick(fake.watcher, fake_now());
        collect_news();
        fake_answer_all();
    }
}

char *fake_topology(int64_t epoch, const char *primary)
{
    struct topology topology = {
        .cluster = "orders", .epoch = epoch, .rules = 1, .policy.witnesses = 3, .state = STATE_OK};
    topology.at_wall_ms = fake.wall_ms;
    strcpy(topology.primary, primary);
    strcpy(topology.why, "because");
    topology.rule = RULE_SOLE_CLAIMANT;
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

const char fake_topology_path[] = "/roster/clusters/orders/topology";

void fake_put_topology(int64_t epoch, const char *primary)
{
    char *text = fake_topology(epoch, primary);
    fake_put(fake_topology_path, text);
    free(text);
}

void fake_put_registry_id(const char *registry, const char *supersedes)
{
    struct registry_id registry_id = {.supersedes_count = supersedes ? 1 : 0};
    strcpy(registry_id.registry, registry);
    strcpy(registry_id.supersedes[0], supersedes ? supersedes : "");
    char *text = registry_id_encode(&registry_id);
    ck_assert_ptr_nonnull(text);
    fake_put("/roster", text);
    free(text);
}

/* A registry with one cluster and two probes, not connected yet. */
void fake_prepare(void)
{
    fake =
        (struct fake){.store.ops = &ops, .zxid = 100, .now_ms = 1000000, .wall_ms = 1795224153000};
    fake_put_registry_id(OURS, NULL);
    fake_present(3, fake_probes);
    fake_put("/roster/clusters/orders", "");
    fake_put_topology(1, "pg-1");
    fake.watcher = watcher_new(&fake.store, "/roster", 1);
    ck_assert_ptr_nonnull(fake.watcher);
}

void fake_follow(void)
{
    fake.orders = watcher_follow(fake.watcher, "orders", NULL, NULL, NULL, fake_now());
    ck_assert_ptr_nonnull(fake.orders);
    fake_answer_all();
}

void fake_setup(void)
{
    fake_prepare();
    fake_follow();
    fake_connect(true);
}

void fake_teardown(void)
{
    watcher_free(fake.watcher);
    for (int i = 0; i < ZNODES_MAX; i++) {
        free(fake.znodes[i].data);
        free(fake.znodes[i].lagging);
    }
}

int64_t fake_age_ms(void)
{
    return fake.orders->belief == BELIEF_FRESH ? 0 : fake.now_ms - fake.orders->confirmed_ms;
}

void fake_new_session(void)
{
    fake_disconnect(STORE_GONE);
    fake_connect(true);
}

int fake_count_logged(const char *word)
{
    int count = 0;
    for (const char *at = fake.logged; (at = strstr(at, word)); at++) {
        count++;
    }
    return count;
}
