/* store_test SERVERS [PID [WORD]] - the promises of store.h, asked of a real ZooKeeper.
 * store_test SERVERS follow PATH  - a line for every event of one session that watches PATH, until
 * it is killed.
 *
 * With the server's PID the tests that stop and continue it run too. WORD
 * picks the tests whose names contain it. Prints "ok NAME" or "not ok NAME:
 * reason" per test; exits 1 when one failed. `follow` prints "up SESSION new",
 * "up SESSION same", "down", "gone", "absent", "value TEXT" and "unknown". */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/base/clock.h"
#include "registry/store/store.h"

enum { TIMEOUT_MS = 2000, PATIENCE_MS = 30000, MANY = 4000, ROUNDS = 25, DATA_SIZE = 64 };

static const char *servers;
static pid_t server_pid;
static char root[64]; /* a folder of this run's own */

static jmp_buf failed;
static char reason[512];

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    longjmp(failed, 1);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail("line %d: %s", __LINE__, #condition);                                             \
        }                                                                                          \
    } while (0)

/* ---- a store and what it said last ----------------------------------------------------------- */

/* Copies, for an event's own words last until the next call only. */
struct heard {
    struct store_event event;
    char path[PATH_SIZE];
    char data[DATA_SIZE];
    char detail[DETAIL_SIZE];
};

enum { STORES_MAX = 4 };
static struct store *stores[STORES_MAX]; /* for cleaning up after a failed test */

static struct store *store_new(const char *at, int64_t timeout_ms, const char *auth)
{
    char sentence[SENTENCE_SIZE] = "";
    struct store_zk_options options = {
        .servers = at, .session_timeout_ms = timeout_ms, .auth = auth};
    struct store *store = store_zk_new(&options, sentence, sizeof sentence);
    if (!store) {
        fail("%s: %s", at, sentence);
    }
    for (int i = 0; i < STORES_MAX; i++) {
        if (!stores[i]) {
            stores[i] = store;
            break;
        }
    }
    store_renew(store);
    return store;
}

static void end(struct store *store)
{
    for (int i = 0; i < STORES_MAX; i++) {
        if (stores[i] == store) {
            stores[i] = NULL;
        }
    }
    store_close(store);
}

static void copy(char *to, size_t size, const char *from, size_t len)
{
    len = len < size - 1 ? len : size - 1;
    memcpy(to, from, len);
    to[len] = '\0';
}

static void hear(struct heard *heard, const struct store_event *event)
{
    memset(heard, 0, sizeof *heard);
    heard->event = *event;
    if (event->path) {
        copy(heard->path, sizeof heard->path, event->path, strlen(event->path));
    }
    if (event->data) {
        copy(heard->data, sizeof heard->data, event->data, event->len);
    }
    if (event->detail) {
        copy(heard->detail, sizeof heard->detail, event->detail, strlen(event->detail));
    }
}

/* The next event of a store, or false when there is none within `ms`. It is driven by its
 * descriptor alone. */
static bool next_within(struct store *store, int64_t ms, struct heard *heard)
{
    int64_t until_ms = clock_mono_ms() + ms;
    for (;;) {
        struct store_event event;
        int64_t now_ms = clock_mono_ms();
        if (store_next(store, now_ms, &event)) {
            hear(heard, &event);
            return true;
        }
        if (now_ms >= until_ms) {
            return false;
        }
        struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};
        poll(&fd, 1, (int)(until_ms - now_ms));
    }
}

static struct heard next(struct store *store)
{
    struct heard heard;
    if (!next_within(store, PATIENCE_MS, &heard)) {
        fail("no event came");
    }
    return heard;
}

static struct heard next_of(struct store *store, enum store_event_kind kind)
{
    struct heard heard = next(store);
    if (heard.event.kind != kind) {
        fail("event %d came where %d was due (rc %s, %s)", (int)heard.event.kind, (int)kind,
             store_rc_names[heard.event.rc], heard.detail);
    }
    return heard;
}

static struct heard answer(struct store *store, uint64_t tag)
{
    struct heard heard = next_of(store, STORE_ANSWER);
    if (heard.event.tag != tag) {
        fail("answer %" PRIu64 " came where %" PRIu64 " was due", heard.event.tag, tag);
    }
    return heard;
}

static struct store *connected_for(int64_t timeout_ms, const char *auth)
{
    struct store *store = store_new(servers, timeout_ms, auth);
    struct heard up = next_of(store, STORE_UP);
    CHECK(up.event.renewed && up.event.session != 0);
    return store;
}

static struct store *connected(void)
{
    return connected_for(10 * TIMEOUT_MS, NULL);
}

/* ---- short words for requests ---------------------------------------------------------------- */

static const char *path_of(const char *name)
{
    static char path[8][PATH_SIZE];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s%s%s", root, *name ? "/" : "", name);
    return path[turn];
}

static struct store_op op(enum store_op_kind kind, const char *name, const char *data,
                          int32_t version)
{
    return (struct store_op){kind, path_of(name), data, data ? strlen(data) : 0, version};
}

static struct heard write_all(struct store *store, const struct store_op *ops, size_t n)
{
    static uint64_t tag = 1000000;
    store_write(store, ++tag, ops, n);
    return answer(store, tag);
}

static struct heard write_one(struct store *store, enum store_op_kind kind, const char *name,
                              const char *data, int32_t version)
{
    struct store_op one = op(kind, name, data, version);
    return write_all(store, &one, 1);
}

static enum store_rc rc_of(struct heard heard)
{
    return heard.event.rc;
}

static struct heard get(struct store *store, const char *name, bool watch)
{
    static uint64_t tag = 2000000;
    store_get(store, ++tag, path_of(name), watch);
    struct heard heard = answer(store, tag);
    CHECK(strcmp(heard.path, path_of(name)) == 0);
    return heard;
}

static void changed(struct store *store, const char *name)
{
    struct heard heard = next_of(store, STORE_CHANGED);
    CHECK(strcmp(heard.path, path_of(name)) == 0);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void what_is_written_reads_back(void)
{
    struct store *store = connected();
    CHECK(rc_of(write_one(store, STORE_CREATE, "a", "one", 0)) == STORE_OK);
    struct heard first = get(store, "a", false);
    CHECK(rc_of(first) == STORE_OK && strcmp(first.data, "one") == 0 && first.event.len == 3);
    CHECK(first.event.stat.version == 0 && first.event.stat.owner == 0 &&
          first.event.stat.czxid == first.event.stat.mzxid);
    struct heard set = write_one(store, STORE_SET, "a", "two", 0);
    CHECK(rc_of(set) == STORE_OK && set.event.stat.version == 1);
    struct heard second = get(store, "a", false);
    CHECK(second.event.stat.mzxid == set.event.stat.mzxid && second.event.stat.version == 1);
    CHECK(second.event.stat.mzxid > first.event.stat.mzxid &&
          second.event.stat.czxid == first.event.stat.czxid);
    CHECK(strcmp(second.data, "two") == 0);
    CHECK(rc_of(write_one(store, STORE_DELETE, "a", NULL, 1)) == STORE_OK);
    CHECK(rc_of(get(store, "a", false)) == STORE_NO_NODE);
    end(store);
}

static void a_created_node_tells_its_stat(void)
{
    struct store *store = connected();
    struct heard created = write_one(store, STORE_CREATE, "b", "x", 0);
    struct heard read = get(store, "b", false);
    CHECK(rc_of(created) == STORE_OK && created.event.stat.mzxid == read.event.stat.mzxid);
    CHECK(rc_of(write_one(store, STORE_CREATE, "b", "x", 0)) == STORE_EXISTS);
    end(store);
}

static void refusals_have_their_reasons(void)
{
    struct store *store = connected();
    CHECK(rc_of(write_one(store, STORE_CREATE, "c", "", 0)) == STORE_OK);
    CHECK(rc_of(write_one(store, STORE_CREATE, "c/child", "", 0)) == STORE_OK);
    CHECK(rc_of(write_one(store, STORE_CREATE, "c", "", 0)) == STORE_EXISTS);
    CHECK(rc_of(write_one(store, STORE_CREATE, "none/child", "", 0)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(store, STORE_SET, "c", "x", 7)) == STORE_BAD_VERSION);
    CHECK(rc_of(write_one(store, STORE_CHECK, "c", NULL, 7)) == STORE_BAD_VERSION);
    CHECK(rc_of(write_one(store, STORE_CHECK, "none", NULL, 0)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(store, STORE_DELETE, "c", NULL, -1)) == STORE_NOT_EMPTY);
    CHECK(rc_of(write_one(store, STORE_CREATE, "c//d", "", 0)) == STORE_INVALID);
    CHECK(rc_of(get(store, "c/../d", false)) == STORE_INVALID);
    end(store);
}

static void a_transaction_is_all_or_nothing(void)
{
    struct store *store = connected();
    struct store_op good[] = {op(STORE_CREATE, "d", "1", 0), op(STORE_CREATE, "d/e", "2", 0),
                              op(STORE_SET, "d", "3", 0), op(STORE_CHECK, "d/e", NULL, 0)};
    struct heard done = write_all(store, good, 4);
    CHECK(rc_of(done) == STORE_OK && done.event.stat.version == 1);
    CHECK(get(store, "d", false).event.stat.mzxid == done.event.stat.mzxid);
    struct store_op stale[] = {op(STORE_CHECK, "d/e", NULL, 0), op(STORE_CHECK, "d", NULL, 0),
                               op(STORE_SET, "d", "4", 1)};
    struct heard refused = write_all(store, stale, 3);
    CHECK(rc_of(refused) == STORE_BAD_VERSION && refused.event.failed_op == 1);
    struct store_op late[] = {op(STORE_SET, "d", "5", 1), op(STORE_CREATE, "d/e", "6", 0)};
    refused = write_all(store, late, 2);
    CHECK(rc_of(refused) == STORE_EXISTS && refused.event.failed_op == 1);
    CHECK(strcmp(get(store, "d", false).data, "3") == 0);
    struct store_op swap[] = {op(STORE_DELETE, "d/e", NULL, 0),
                              op(STORE_CREATE_EPHEMERAL, "d/e", "7", 0)};
    CHECK(rc_of(write_all(store, swap, 2)) == STORE_OK);
    CHECK(get(store, "d/e", false).event.stat.owner != 0);
    end(store);
}

static void too_large_a_value_is_refused_here(void)
{
    struct store *store = connected();
    size_t size = PAYLOAD_MAX + 1;
    char *data = calloc(1, size);
    struct store_op big = op(STORE_CREATE, "big", NULL, 0);
    big.data = data;
    big.len = size;
    enum store_rc rc = rc_of(write_all(store, &big, 1));
    big.len = PAYLOAD_MAX;
    struct store_op two[] = {big, op(STORE_SET, "big", NULL, 0)};
    two[1].data = data;
    two[1].len = PAYLOAD_MAX;
    enum store_rc both_rc = rc_of(write_all(store, two, 2));
    enum store_rc fitting_rc = rc_of(write_all(store, &big, 1));
    free(data);
    CHECK(rc == STORE_INVALID);
    CHECK(both_rc == STORE_INVALID);
    CHECK(fitting_rc == STORE_OK);
    CHECK(get(store, "big", false).event.len == PAYLOAD_MAX);
    end(store);
}

static void a_watch_tells_of_creation_change_and_deletion(void)
{
    struct store *store = connected();
    struct store *other = connected();
    CHECK(rc_of(get(store, "w", true)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(other, STORE_CREATE, "w", "1", 0)) == STORE_OK);
    changed(store, "w");
    CHECK(strcmp(get(store, "w", true).data, "1") == 0);
    CHECK(rc_of(write_one(other, STORE_SET, "w", "2", -1)) == STORE_OK);
    changed(store, "w");
    CHECK(strcmp(get(store, "w", true).data, "2") == 0);
    CHECK(rc_of(write_one(other, STORE_DELETE, "w", NULL, -1)) == STORE_OK);
    changed(store, "w");
    CHECK(rc_of(get(store, "w", false)) == STORE_NO_NODE);
    struct heard heard;
    CHECK(rc_of(write_one(other, STORE_CREATE, "w", "3", 0)) == STORE_OK);
    CHECK(!next_within(store, 200, &heard)); /* no watch was asked for */
    end(other);
    end(store);
}

static bool lists(struct store *store, const char *name, const char *const *names, size_t count)
{
    struct store_event event;
    store_list(store, 77, path_of(name), true);
    for (int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
         !store_next(store, clock_mono_ms(), &event);) {
        struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};
        poll(&fd, 1, 1000);
        CHECK(clock_mono_ms() < until_ms);
    }
    CHECK(event.kind == STORE_ANSWER && event.tag == 77 && event.rc == STORE_OK);
    size_t found = 0;
    for (size_t i = 0; i < event.name_count; i++) {
        for (size_t j = 0; j < count; j++) {
            found += strcmp(event.names[i], names[j]) == 0;
        }
    }
    return event.name_count == count && found == count;
}

static void a_list_is_watched_too(void)
{
    struct store *store = connected();
    struct store *other = connected();
    static const char *const names[] = {"one", "two"};
    store_list(store, 1, path_of("l"), true);
    CHECK(rc_of(answer(store, 1)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(other, STORE_CREATE, "l", "", 0)) == STORE_OK);
    changed(store, "l");
    CHECK(lists(store, "l", names, 0));
    CHECK(rc_of(write_one(other, STORE_CREATE, "l/one", "", 0)) == STORE_OK);
    changed(store, "l");
    CHECK(lists(store, "l", names, 1));
    CHECK(rc_of(write_one(other, STORE_CREATE_EPHEMERAL, "l/two", "", 0)) == STORE_OK);
    changed(store, "l");
    CHECK(lists(store, "l", names, 2));
    end(other); /* its ephemeral goes with it, at once */
    changed(store, "l");
    CHECK(lists(store, "l", names, 1));
    end(store);
}

static void an_ephemeral_names_its_session_and_goes_with_it(void)
{
    struct store *store = connected();
    struct store *other = store_new(servers, 10 * TIMEOUT_MS, NULL);
    struct heard up = next_of(other, STORE_UP);
    CHECK(rc_of(write_one(other, STORE_CREATE_EPHEMERAL, "eph", "", 0)) == STORE_OK);
    struct heard read = get(store, "eph", true);
    CHECK(rc_of(read) == STORE_OK && read.event.stat.owner == up.event.session);
    end(other);
    changed(store, "eph");
    CHECK(rc_of(get(store, "eph", false)) == STORE_NO_NODE);
    end(store);
}

static void a_read_behind_a_sync_sees_what_another_wrote(void)
{
    struct store *store = connected();
    struct store *other = connected();
    CHECK(rc_of(write_one(other, STORE_CREATE, "s", "0", 0)) == STORE_OK);
    for (int i = 0; i < 200; i++) {
        char data[16];
        snprintf(data, sizeof data, "%d", i);
        CHECK(rc_of(write_one(other, STORE_SET, "s", data, -1)) == STORE_OK);
        store_sync(store, 1, "/");
        store_get(store, 2, path_of("s"), false);
        CHECK(rc_of(answer(store, 1)) == STORE_OK);
        CHECK(strcmp(answer(store, 2).data, data) == 0);
    }
    end(other);
    end(store);
}

static void answers_come_in_the_order_of_requests(void)
{
    struct store *store = connected();
    CHECK(rc_of(write_one(store, STORE_CREATE, "o", "x", 0)) == STORE_OK);
    for (uint64_t i = 0; i < MANY; i++) {
        if (i % 3 == 0) {
            struct store_op set = op(STORE_SET, "o", "y", -1);
            store_write(store, i, &set, 1);
        } else {
            store_get(store, i, path_of(i % 3 == 1 ? "o" : "absent"), false);
        }
    }
    for (uint64_t i = 0; i < MANY; i++) {
        CHECK(rc_of(answer(store, i)) == (i % 3 == 2 ? STORE_NO_NODE : STORE_OK));
    }
    CHECK(get(store, "o", false).event.stat.version == (MANY + 2) / 3);
    end(store);
}

static void requests_before_the_link_is_up_are_answered_unknown(void)
{
    struct store *store = store_new("127.0.0.1:1", TIMEOUT_MS, NULL);
    for (uint64_t i = 0; i < 10; i++) {
        store_get(store, i, "/x", true);
    }
    for (uint64_t i = 0; i < 10; i++) {
        CHECK(rc_of(answer(store, i)) == STORE_UNKNOWN);
    }
    end(store);
}

static void closing_with_requests_under_way_is_clean(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct store *store = connected();
        for (uint64_t i = 0; i < 200; i++) {
            struct store_op set = op(STORE_SET, "", "z", -1);
            store_write(store, i, &set, 1);
            store_get(store, i, root, true);
        }
        struct heard heard;
        next_within(store, round % 5, &heard);
        end(store);
    }
}

static void renewing_answers_what_was_under_way(void)
{
    struct store *store = connected();
    for (int round = 0; round < ROUNDS; round++) {
        struct store_op set = op(STORE_SET, "", "z", -1);
        for (uint64_t i = 0; i < 1500; i++) {
            store_write(store, i, &set, 1);
        }
        store_renew(store);
        bool seen[1500] = {false};
        for (uint64_t i = 0; i < 1500; i++) {
            /* all of them, before anything of the new session */
            struct heard heard = next_of(store, STORE_ANSWER);
            CHECK(heard.event.tag < 1500 && !seen[heard.event.tag]);
            seen[heard.event.tag] = true;
            CHECK(rc_of(heard) == STORE_OK || rc_of(heard) == STORE_UNKNOWN);
        }
        CHECK(next_of(store, STORE_UP).event.renewed);
    }
    end(store);
}

static void a_port_where_nobody_listens_is_gone_after_a_while(void)
{
    struct store *store = store_new("127.0.0.1:1", TIMEOUT_MS, NULL);
    for (int i = 0; i < 2; i++) {
        int64_t start_ms = clock_mono_ms();
        struct heard gone = next_of(store, STORE_GONE);
        int64_t took_ms = clock_mono_ms() - start_ms;
        CHECK(took_ms >= 2 * TIMEOUT_MS - 50 && *gone.detail);
        struct heard heard;
        CHECK(!next_within(store, 100, &heard)); /* it is said once */
        store_renew(store);
    }
    end(store);
}

static void names_without_an_address_are_tried_again_at_ease(void)
{
    struct store *store = store_new("no-such-host.invalid:2181", TIMEOUT_MS, NULL);
    int gone = 0;
    struct heard heard;
    for (int64_t until_ms = clock_mono_ms() + 2000; clock_mono_ms() < until_ms;) {
        if (next_within(store, until_ms - clock_mono_ms(), &heard)) {
            CHECK(heard.event.kind == STORE_GONE && strstr(heard.detail, "no-such-host"));
            gone++;
            store_renew(store);
        }
    }
    if (gone < 2 || gone > 10) {
        fail("said so %d times in 2 s", gone);
    }
    end(store);
}

static void a_name_without_an_address_does_no_harm_beside_a_good_one(void)
{
    char list[SERVERS_SIZE];
    snprintf(list, sizeof list, "no-such-host.invalid:2181, %s", servers);
    struct store *store = store_new(list, TIMEOUT_MS, NULL);
    next_of(store, STORE_UP);
    end(store);
}

static void a_chroot_is_invisible(void)
{
    char list[SERVERS_SIZE];
    struct store *store = connected();
    CHECK(rc_of(write_one(store, STORE_CREATE, "jail", "", 0)) == STORE_OK);
    snprintf(list, sizeof list, "%s%s", servers, path_of("jail"));
    struct store *inside = store_new(list, TIMEOUT_MS, NULL);
    next_of(inside, STORE_UP);
    store_get(inside, 1, "/cell", true);
    CHECK(rc_of(answer(inside, 1)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(store, STORE_CREATE, "jail/cell", "x", 0)) == STORE_OK);
    CHECK(strcmp(next_of(inside, STORE_CHANGED).path, "/cell") == 0);
    end(inside);
    end(store);
}

static void with_auth_others_may_read_but_not_write(void)
{
    struct store *owner = connected_for(TIMEOUT_MS, "digest:someone:a:secret");
    struct store *other = connected();
    CHECK(rc_of(write_one(owner, STORE_CREATE, "mine", "x", 0)) == STORE_OK);
    CHECK(strcmp(get(other, "mine", false).data, "x") == 0);
    CHECK(rc_of(write_one(other, STORE_SET, "mine", "y", -1)) == STORE_DENIED);
    CHECK(rc_of(write_one(owner, STORE_SET, "mine", "y", -1)) == STORE_OK);
    end(other);
    end(owner);
}

static void wrong_options_are_refused_with_a_sentence(void)
{
    static const struct store_zk_options wrong[] = {
        {.servers = "", .session_timeout_ms = 1000},
        {.servers = "zk1", .session_timeout_ms = 1000},
        {.servers = "zk1:2181/a/", .session_timeout_ms = 1000},
        {.servers = "zk1:2181", .session_timeout_ms = 0},
        {.servers = "zk1:2181", .session_timeout_ms = 1000, .auth = "user:password"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char sentence[SENTENCE_SIZE] = "";
        CHECK(!store_zk_new(&wrong[i], sentence, sizeof sentence));
        CHECK(*sentence && !strstr(sentence, "password"));
    }
}

struct hand {
    struct store *store;
    enum store_rc rc;
};

static void *use(void *argument)
{
    struct hand *hand = argument;
    struct store_event event;
    store_get(hand->store, 5, "/", true);
    while (!store_next(hand->store, clock_mono_ms(), &event) || event.kind != STORE_ANSWER) {
        struct pollfd fd = {.fd = store_fd(hand->store), .events = POLLIN};
        poll(&fd, 1, 1000);
    }
    hand->rc = event.rc;
    return NULL;
}

static void another_thread_may_go_on_with_it(void)
{
    struct hand hand = {connected(), STORE_FAILED};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, use, &hand) == 0);
    pthread_join(thread, NULL);
    CHECK(hand.rc == STORE_OK);
    end(hand.store);
}

/* ---- tests that stop the server -------------------------------------------------------------- */

static void stop_server(void)
{
    CHECK(kill(server_pid, SIGSTOP) == 0);
}

static void continue_server(void)
{
    CHECK(kill(server_pid, SIGCONT) == 0);
}

static void a_hung_server_is_down_then_gone_and_a_new_session_follows(void)
{
    struct store *store = connected_for(TIMEOUT_MS, NULL);
    CHECK(rc_of(write_one(store, STORE_CREATE_EPHEMERAL, "h", "", 0)) == STORE_OK);
    CHECK(rc_of(get(store, "h", true)) == STORE_OK);
    stop_server();
    int64_t start_ms = clock_mono_ms();
    for (uint64_t i = 0; i < 20; i++) {
        struct store_op set = op(STORE_SET, "h", "x", -1);
        store_write(store, i, &set, 1);
    }
    next_of(store, STORE_DOWN);
    int64_t down_ms = clock_mono_ms() - start_ms;
    for (uint64_t i = 0; i < 20; i++) {
        CHECK(rc_of(answer(store, i)) == STORE_UNKNOWN);
    }
    struct heard gone = next_of(store, STORE_GONE);
    int64_t gone_ms = clock_mono_ms() - start_ms;
    CHECK(down_ms <= 2 * TIMEOUT_MS && gone_ms >= 2 * TIMEOUT_MS && gone_ms <= 8 * TIMEOUT_MS &&
          *gone.detail);
    continue_server();
    store_renew(store);
    struct heard up = next_of(store, STORE_UP);
    CHECK(up.event.renewed);
    for (int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
         rc_of(get(store, "h", false)) != STORE_NO_NODE;) {
        CHECK(clock_mono_ms() < until_ms); /* the ghost stays for a session timeout at most */
    }
    end(store);
}

/* Longer than the server's patience, but not than the store's own. */
static struct heard after_a_long_stop(struct store *store)
{
    stop_server();
    next_of(store, STORE_DOWN);
    poll(NULL, 0, 3 * TIMEOUT_MS / 2);
    continue_server();
    return next(store);
}

static void a_session_that_a_server_calls_expired_is_gone_at_once(void)
{
    struct store *store = connected_for(TIMEOUT_MS, NULL);
    struct store *patient = connected_for(20 * TIMEOUT_MS, NULL);
    struct heard heard = after_a_long_stop(store);
    /* the server heard of it before it looked at its clock */
    for (int i = 0; i < 5 && heard.event.kind == STORE_UP; i++) {
        CHECK(!heard.event.renewed);
        heard = after_a_long_stop(store);
    }
    CHECK(heard.event.kind == STORE_GONE && strstr(heard.detail, "expired"));
    store_renew(store);
    CHECK(next_of(store, STORE_UP).event.renewed);
    CHECK(rc_of(get(patient, "", false)) == STORE_OK); /* never noticed anything */
    end(patient);
    end(store);
}

static void a_short_stop_keeps_the_session(void)
{
    struct store *store = connected_for(6 * TIMEOUT_MS, NULL);
    CHECK(rc_of(write_one(store, STORE_CREATE_EPHEMERAL, "short", "", 0)) == STORE_OK);
    stop_server();
    poll(NULL, 0, TIMEOUT_MS);
    continue_server();
    CHECK(rc_of(write_one(store, STORE_SET, "short", "x", 0)) == STORE_OK);
    end(store);
}

static void closing_beside_a_hung_server_ends_soon(void)
{
    struct store *store = connected();
    stop_server();
    for (uint64_t i = 0; i < 50; i++) {
        store_get(store, i, root, false);
    }
    int64_t start_ms = clock_mono_ms();
    end(store);
    int64_t took_ms = clock_mono_ms() - start_ms;
    continue_server();
    CHECK(took_ms < 4000); /* some 1.7 s, on a quiet machine */
}

/* ---- running them ---------------------------------------------------------------------------- */

struct test {
    const char *name;
    void (*run)(void);
    bool stops; /* needs the server's pid */
};
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name, false                                                                         \
    }
#define STOPPING_TEST(name)                                                                        \
    {                                                                                              \
#name, name, true                                                                          \
    }

static const struct test tests[] = {
    TEST(what_is_written_reads_back),
    TEST(a_created_node_tells_its_stat),
    TEST(refusals_have_their_reasons),
    TEST(a_transaction_is_all_or_nothing),
    TEST(too_large_a_value_is_refused_here),
    TEST(a_watch_tells_of_creation_change_and_deletion),
    TEST(a_list_is_watched_too),
    TEST(an_ephemeral_names_its_session_and_goes_with_it),
    TEST(a_read_behind_a_sync_sees_what_another_wrote),
    TEST(answers_come_in_the_order_of_requests),
    TEST(requests_before_the_link_is_up_are_answered_unknown),
    TEST(closing_with_requests_under_way_is_clean),
    TEST(renewing_answers_what_was_under_way),
    TEST(a_port_where_nobody_listens_is_gone_after_a_while),
    TEST(names_without_an_address_are_tried_again_at_ease),
    TEST(a_name_without_an_address_does_no_harm_beside_a_good_one),
    TEST(a_chroot_is_invisible),
    TEST(with_auth_others_may_read_but_not_write),
    TEST(wrong_options_are_refused_with_a_sentence),
    TEST(another_thread_may_go_on_with_it),
    STOPPING_TEST(a_hung_server_is_down_then_gone_and_a_new_session_follows),
    STOPPING_TEST(a_session_that_a_server_calls_expired_is_gone_at_once),
    STOPPING_TEST(a_short_stop_keeps_the_session),
    STOPPING_TEST(closing_beside_a_hung_server_ends_soon),
};

static bool run(const struct test *test)
{
    int64_t start_ms = clock_mono_ms();
    bool good = false;
    if (setjmp(failed) == 0) {
        snprintf(root, sizeof root, "/store-test-%d-%d", (int)getpid(), (int)(test - tests));
        struct store *store = connected();
        struct store_op make = {STORE_CREATE, root, "", 0, 0};
        CHECK(rc_of(write_all(store, &make, 1)) == STORE_OK);
        end(store);
        test->run();
        good = true;
    }
    if (test->stops) {
        kill(server_pid, SIGCONT);
    }
    for (int i = 0; i < STORES_MAX; i++) {
        if (stores[i]) {
            end(stores[i]);
        }
    }
    printf("%s %s%s%s (%" PRId64 " ms)\n", good ? "ok" : "not ok", test->name, good ? "" : ": ",
           good ? "" : reason, clock_mono_ms() - start_ms);
    fflush(stdout);
    return good;
}

/* ---- follow ---------------------------------------------------------------------------------- */

static void say(struct store *store, const struct heard *heard, const char *path)
{
    const struct store_event *event = &heard->event;
    switch (event->kind) {
    case STORE_UP:
        printf("up %" PRIx64 " %s\n", (uint64_t)event->session, event->renewed ? "new" : "same");
        store_sync(store, 2, "/");
        store_get(store, 1, path, true);
        break;
    case STORE_DOWN:
        printf("down\n");
        break;
    case STORE_GONE:
        printf("gone\n");
        store_renew(store);
        break;
    case STORE_CHANGED:
        store_get(store, 1, path, true);
        break;
    case STORE_ANSWER:
        if (event->tag == 2) {
            break;
        }
        if (event->rc == STORE_OK) {
            printf("value %s\n", heard->data);
        } else {
            printf("%s\n", event->rc == STORE_NO_NODE   ? "absent"
                           : event->rc == STORE_UNKNOWN ? "unknown"
                                                        : "failed");
        }
        break;
    }
    fflush(stdout);
}

static int follow(const char *path)
{
    if (setjmp(failed) != 0) {
        fprintf(stderr, "%s\n", reason);
        return EXIT_FAILURE;
    }
    struct store *store = store_new(servers, TIMEOUT_MS, NULL);
    for (;;) {
        struct heard heard;
        if (next_within(store, PATIENCE_MS, &heard)) {
            say(store, &heard, path);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: store_test SERVERS [PID [WORD]] | SERVERS follow PATH\n");
        return 2;
    }
    servers = argv[1];
    if (argc == 4 && strcmp(argv[2], "follow") == 0) {
        return follow(argv[3]);
    }
    server_pid = argc > 2 ? (pid_t)atoi(argv[2]) : 0;
    const char *word = argc > 3 ? argv[3] : "";
    bool good = true;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (strstr(tests[i].name, word) && (server_pid > 0 || !tests[i].stops)) {
            good = run(&tests[i]) && good;
        }
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
