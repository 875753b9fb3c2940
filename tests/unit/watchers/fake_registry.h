/* A registry for tests of the watcher: a handful of znodes in memory, and time is
 * a number. One watcher follows one cluster, "orders"; its news are collected. */
#ifndef ROSTER_TESTS_UNIT_WATCHERS_FAKE_REGISTRY_H
#define ROSTER_TESTS_UNIT_WATCHERS_FAKE_REGISTRY_H

#include "registry/store/store.h"
#include "watchers/watcher.h"

enum { ZNODES_MAX = 8, REQUESTS_MAX = 64 };

struct znode {
    char path[PATH_SIZE];
    bool exists, watched;
    char *data;
    const char *names[8];
    size_t name_count;
    struct store_stat stat;
    enum store_rc refuses; /* STORE_OK: answers */
    char
        *lagging; /* what a server that lags behind answers, until the next sync; NULL: none does */
    int64_t lagging_mzxid;
    unsigned may; /* what anybody may do with it, beside reading */
};

struct request {
    uint64_t tag;
    char path[PATH_SIZE];
    bool list, watch, sync, access;
};

extern struct fake {
    struct store store;
    struct znode znodes[ZNODES_MAX];
    struct request requests[REQUESTS_MAX];
    size_t first, count;
    int64_t zxid, now_ms, wall_ms;
    bool up;
    bool silent; /* fake_answer_all answers nothing */
    int syncs;   /* asked for so far */
    struct watcher *watcher;
    struct watched *orders;
    int topologies;     /* news of that kind so far */
    char logged[16384]; /* sentences, each ended by a newline */
} fake;

extern const char *const fake_probes[3]; /* two of them witnesses */
extern const char fake_topology_path[];

#define OURS "11111111-aaaa-4bbb-8ccc-000000000001"
#define OTHER "22222222-aaaa-4bbb-8ccc-000000000002"

/* Made on first use, absent. */
struct znode *fake_znode(const char *path);
struct now fake_now(void);
void fake_event(const struct store_event *event);
/* Answer one request; false when there is none. */
bool fake_answer_one(void);
void fake_answer_all(void);
/* How many wait for an answer: syncs, or others. */
int fake_count_requests(bool sync);
/* The watch of a znode fires, and the reads that follow are answered. */
void fake_fire(struct znode *node);
/* Write a znode; NULL: without data. */
void fake_put(const char *path, const char *data);
void fake_take(const char *path);
/* The server answers what was there before (NULL: the present data, with another number), until it
 * is asked to catch up; the watch fires. */
void fake_lag(const char *path, const char *data, int64_t mzxid);
/* Which probes are present. */
void fake_present(size_t n, const char *const *probes);
void fake_connect(bool renewed);
/* STORE_DOWN or STORE_GONE. */
void fake_disconnect(enum store_event_kind kind);
/* Let time pass, tick by tick. */
void fake_pass(int64_t ms);
/* The topology of "orders" as text, to be freed. */
char *fake_topology(int64_t epoch, const char *primary);
void fake_put_topology(int64_t epoch, const char *primary);
void fake_put_registry_id(const char *registry, const char *supersedes);
/* A registry with one cluster and two probes, not connected yet. */
void fake_prepare(void);
void fake_follow(void);
/* The same, followed and connected. */
void fake_setup(void);
/* What anybody may do with a znode, from now on; nobody is told. */
void fake_allow(const char *path, unsigned may);
void fake_teardown(void);
int64_t fake_age_ms(void);
void fake_new_session(void);
/* How many sentences so far have this in them. */
int fake_count_logged(const char *word);

#define assert_primary(name) ck_assert_str_eq(fake.orders->topology.primary, name)
#define assert_followed() ck_assert_str_eq(fake.orders->refused, "")
#define assert_refused(word)                                                                       \
    ck_assert_msg(strstr(fake.orders->refused, word), "\"%s\" has no \"%s\"",                      \
                  fake.orders->refused, word)

#endif
