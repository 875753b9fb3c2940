/* What the parts of store_test share: a registry, and stores that connect to it. */
#ifndef ROSTER_TESTS_SYSTEM_STORE_TEST_H
#define ROSTER_TESTS_SYSTEM_STORE_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "registry/store/store.h"

enum { TIMEOUT_MS = 2000, PATIENCE_MS = 30000, MANY = 4000, ROUNDS = 25, DATA_SIZE = 64 };

struct test {
    const char *name; /* NULL: the end of the list */
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

extern const struct test request_tests[]; /* store_requests.c */
extern const struct test session_tests[]; /* store_session.c */

extern const char *servers;
extern pid_t server_pid;
extern char root[64]; /* a folder of this run's own */

/* Ends the running test. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail("line %d: %s", __LINE__, #condition);                                             \
        }                                                                                          \
    } while (0)

/* An event, with copies of what it points to, which lasts until the next call only. */
struct received {
    struct store_event event;
    char path[PATH_SIZE];
    char data[DATA_SIZE];
    char detail[DETAIL_SIZE];
};

/* A store that begins to connect, and its end. What a failed test leaves is ended for it. */
struct store *store_new(const char *at, int64_t timeout_ms, const char *auth);
void end(struct store *store);

/* A store that is connected. */
struct store *connected_for(int64_t timeout_ms, const char *auth);
struct store *connected(void);

/* The next event of a store, or false when there is none within `ms`. It is driven by its
 * descriptor alone. */
bool next_within(struct store *store, int64_t ms, struct received *received);

/* The next event, which must come, be of that kind, be that answer. */
struct received next(struct store *store);
struct received next_of(struct store *store, enum store_event_kind kind);
struct received answer(struct store *store, uint64_t tag);

/* ---- requests by name, below `root` ---------------------------------------------------------- */

const char *path_of(const char *name);
struct store_op op(enum store_op_kind kind, const char *name, const char *data, int32_t version);
struct received write_all(struct store *store, const struct store_op *ops, size_t n);
struct received write_one(struct store *store, enum store_op_kind kind, const char *name,
                          const char *data, int32_t version);
enum store_rc rc_of(struct received received);
struct received get(struct store *store, const char *name, bool watch);
void changed(struct store *store, const char *name); /* the next event is that change */

#endif
