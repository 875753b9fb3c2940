#include "registry/store/zk_log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { SEVERITY_ERROR = 1, SEVERITY_INFO = 3, SEVERITIES = 4 };

/* Written before a handle's threads start and after they were joined, so that they may read it
 * without the lock. */
static struct slot {
    bool used;
    void (*log)(void *, int, const char *);
    void *ctx;
} slots[ZK_LOGS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* "2026-11-21 01:22:33,123:4711(0x7f..):ZOO_WARN@function@123: text" */
static void pass(const struct slot *slot, const char *line)
{
    static const char *const marks[SEVERITIES] = {":ZOO_ERROR@", ":ZOO_WARN@", ":ZOO_INFO@",
                                                  ":ZOO_DEBUG@"};
    for (int i = 0; i < SEVERITIES; i++) {
        const char *mark = strstr(line, marks[i]);
        const char *text = mark ? strstr(mark, ": ") : NULL;
        if (text) {
            slot->log(slot->ctx, SEVERITY_ERROR + i, text + 2);
            return;
        }
    }
    slot->log(slot->ctx, SEVERITY_INFO, line);
}

#define CALLBACK(i)                                                                                \
    static void pass_##i(const char *line)                                                         \
    {                                                                                              \
        pass(&slots[i], line);                                                                     \
    }
#define EACH_OF_8(do, eights)                                                                      \
    do                                                                                             \
    (eights##0) do(eights##1) do(eights##2) do(eights##3) do(eights##4) do(eights##5) do(          \
        eights##6) do(eights##7)
/* Octal numbers: 00 to 077. */
#define EACH(do)                                                                                   \
    EACH_OF_8(do, 0)                                                                               \
    EACH_OF_8(do, 01)                                                                              \
    EACH_OF_8(do, 02)                                                                              \
    EACH_OF_8(do, 03) EACH_OF_8(do, 04) EACH_OF_8(do, 05) EACH_OF_8(do, 06) EACH_OF_8(do, 07)
EACH(CALLBACK)

#define NAME(i) pass_##i,
static void (*const callbacks[ZK_LOGS_MAX])(const char *) = {EACH(NAME)};

static void drop(const char *line)
{
    (void)line;
}

struct zk_log zk_log_claim(void (*log)(void *, int, const char *), void *ctx, bool modest)
{
    struct zk_log claim = {-1, drop};
    pthread_mutex_lock(&lock);
    for (int i = 0; i < (modest ? ZK_LOGS_MAX / 2 : ZK_LOGS_MAX) && claim.slot < 0; i++) {
        if (!slots[i].used) {
            slots[i] = (struct slot){true, log, ctx};
            claim = (struct zk_log){i, callbacks[i]};
        }
    }
    pthread_mutex_unlock(&lock);
    return claim;
}

void zk_log_release(struct zk_log *log)
{
    if (log->slot >= 0) {
        pthread_mutex_lock(&lock);
        slots[log->slot].used = false;
        pthread_mutex_unlock(&lock);
        log->slot = -1;
    }
}
