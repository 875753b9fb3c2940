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
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/base/clock.h"
#include "tests/system/store_test.h"

const char *servers;
pid_t server_pid;
char root[64];

static jmp_buf failed;
static char reason[512];

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    longjmp(failed, 1);
}

/* ---- a store and its latest event ------------------------------------------------------------ */

enum { STORES_MAX = 4 };
static struct store *stores[STORES_MAX]; /* for cleaning up after a failed test */

struct store *store_new(const char *at, int64_t timeout_ms, const char *auth)
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

void end(struct store *store)
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

static void copy_event(struct received *received, const struct store_event *event)
{
    memset(received, 0, sizeof *received);
    received->event = *event;
    if (event->path) {
        copy(received->path, sizeof received->path, event->path, strlen(event->path));
    }
    if (event->data) {
        copy(received->data, sizeof received->data, event->data, event->len);
    }
    if (event->detail) {
        copy(received->detail, sizeof received->detail, event->detail, strlen(event->detail));
    }
}

/* The next event of a store, or false when there is none within `ms`. It is driven by its
 * descriptor alone. */
bool next_within(struct store *store, int64_t ms, struct received *received)
{
    int64_t until_ms = clock_mono_ms() + ms;
    for (;;) {
        struct store_event event;
        int64_t now_ms = clock_mono_ms();
        if (store_next(store, now_ms, &event)) {
            copy_event(received, &event);
            return true;
        }
        if (now_ms >= until_ms) {
            return false;
        }
        struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};
        poll(&fd, 1, (int)(until_ms - now_ms));
    }
}

struct received next(struct store *store)
{
    struct received received;
    if (!next_within(store, PATIENCE_MS, &received)) {
        fail("no event came");
    }
    return received;
}

struct received next_of(struct store *store, enum store_event_kind kind)
{
    struct received received = next(store);
    if (received.event.kind != kind) {
        fail("event %d came where %d was due (rc %s, %s)", (int)received.event.kind, (int)kind,
             store_rc_names[received.event.rc], received.detail);
    }
    return received;
}

struct received answer(struct store *store, uint64_t tag)
{
    struct received received = next_of(store, STORE_ANSWER);
    if (received.event.tag != tag) {
        fail("answer %" PRIu64 " came where %" PRIu64 " was due", received.event.tag, tag);
    }
    return received;
}

struct store *connected_for(int64_t timeout_ms, const char *auth)
{
    struct store *store = store_new(servers, timeout_ms, auth);
    struct received up = next_of(store, STORE_UP);
    CHECK(up.event.renewed && up.event.session != 0);
    return store;
}

struct store *connected(void)
{
    return connected_for(10 * TIMEOUT_MS, NULL);
}

/* ---- requests by name ------------------------------------------------------------------------ */

const char *path_of(const char *name)
{
    static char path[8][PATH_SIZE];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s%s%s", root, *name ? "/" : "", name);
    return path[turn];
}

struct store_op op(enum store_op_kind kind, const char *name, const char *data, int32_t version)
{
    return (struct store_op){kind, path_of(name), data, data ? strlen(data) : 0, version};
}

struct received write_all(struct store *store, const struct store_op *ops, size_t n)
{
    static uint64_t tag = 1000000;
    store_write(store, ++tag, ops, n);
    return answer(store, tag);
}

struct received write_one(struct store *store, enum store_op_kind kind, const char *name,
                          const char *data, int32_t version)
{
    struct store_op one = op(kind, name, data, version);
    return write_all(store, &one, 1);
}

enum store_rc rc_of(struct received received)
{
    return received.event.rc;
}

struct received get(struct store *store, const char *name, bool watch)
{
    static uint64_t tag = 2000000;
    store_get(store, ++tag, path_of(name), watch);
    struct received received = answer(store, tag);
    CHECK(strcmp(received.path, path_of(name)) == 0);
    return received;
}

void changed(struct store *store, const char *name)
{
    struct received received = next_of(store, STORE_CHANGED);
    CHECK(strcmp(received.path, path_of(name)) == 0);
}

/* ---- running them ---------------------------------------------------------------------------- */

/* `number`: of the test in this run */
static bool run(const struct test *test, int number)
{
    int64_t start_ms = clock_mono_ms();
    bool good = false;
    if (setjmp(failed) == 0) {
        snprintf(root, sizeof root, "/store-test-%d-%d", (int)getpid(), number);
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

static void print_event(struct store *store, const struct received *received, const char *path)
{
    const struct store_event *event = &received->event;
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
            printf("value %s\n", received->data);
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
        struct received received;
        if (next_within(store, PATIENCE_MS, &received)) {
            print_event(store, &received, path);
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
    const struct test *const parts[] = {request_tests, session_tests};
    int number = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (const struct test *test = parts[i]; test->name; test++, number++) {
            if (strstr(test->name, word) && (server_pid > 0 || !test->stops)) {
                good = run(test, number) && good;
            }
        }
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
