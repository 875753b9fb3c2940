/* What the parts of library_test share: a registry written by hand, and
 * handles that follow it. */
#ifndef ROSTER_TESTS_SYSTEM_LIBRARY_TEST_H
#define ROSTER_TESTS_SYSTEM_LIBRARY_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <roster.h>

#ifdef __SANITIZE_THREAD__
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

enum { PATIENCE_MS = 30000, SESSION_MS = 2000 };

struct test {
    const char *name; /* NULL: the end of the list */
    void (*run)(void);
    bool stops; /* the server: needs its process id */
};
#define TEST(function, stops)                                                                      \
    {                                                                                              \
#function, function, stops                                                                 \
    }

extern const struct test follow_tests[]; /* library_follow.c */
extern const struct test life_tests[];   /* library_life.c */
extern const struct test age_tests[];    /* library_age.c */
extern const struct test names_tests[];  /* library_names.c */
extern const struct test guest_tests[];  /* library_guest.c */

extern const char *servers;
extern char root[64];        /* a folder of this run's own */
extern int threads_at_start; /* ours, those of our own client, a sanitizer's */

/* Ends the running test. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail("line %d: %s", __LINE__, #condition);                                             \
        }                                                                                          \
    } while (0)

/* Until it holds, with a generous deadline. */
#define EVENTUALLY(condition)                                                                      \
    do {                                                                                           \
        for (int64_t until_ms = now_ms() + PATIENCE_MS; !(condition);) {                           \
            if (now_ms() > until_ms) {                                                             \
                fail("line %d: never: %s", __LINE__, #condition);                                  \
            }                                                                                      \
            pause_ms(2);                                                                           \
        }                                                                                          \
    } while (0)

int64_t now_ms(void);
void pause_ms(long ms);

/* Of a folder; "." and ".." too. */
int count_entries(const char *path);

/* Znodes below `root`, whatever was there before. */
void put(const char *path, const char *data);
void take(const char *path);

/* Three members a, b, c; `primary` is one of them or NULL. Every port shows the epoch: 10000 +
 * epoch. */
void put_topology(const char *cluster, int epoch, const char *primary);

/* Reached by a clock that is so much ahead. */
void put_topology_of(const char *cluster, int epoch, const char *primary, int64_t ahead_ms);

void stop_server(void);
void continue_server(void);

/* Handles with a short session timeout; a subscription that must succeed. */
struct roster *open_with(struct roster_options options);
struct roster *open_for(struct roster_options options, unsigned session_timeout_ms);
struct roster *opened(void);
struct roster_cluster *followed(struct roster *roster, const char *name);

/* Where a write would go now: a name, or the sentence of a refusal. */
const char *writer(struct roster_cluster *cluster);
bool writes_to(struct roster_cluster *cluster, const char *name);
struct roster_state state_of(struct roster_cluster *cluster);
int64_t epoch_of(struct roster_cluster *cluster); /* -1: none */

/* A log callback that counts its lines and finds out when two come at once. */
void log_line(void *context, enum roster_log_level level, const char *line);

#endif
