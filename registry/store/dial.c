#include "registry/store/dial.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    ALONE_FIRST_MS = 2000,
    ALONE_MAX_MS = 10000,
    KEEPING_FIRST_MS = 100,
    LOOKUP_FIRST_MS = 200,
    LOOKUP_MAX_MS = 5000,
    /* so often in a row and for so long, or an election is the likelier reason */
    HUNG_UP_TOLD = 3,
    HUNG_UP_TOLD_MS = 3000,
    WRITE_TOLD = 2
};

/* Between a half of it and all: so that those that lost the same registry do not come in step. */
static int64_t jitter(int64_t ms, uint64_t chance)
{
    return ms / 2 + (int64_t)(chance % (uint64_t)(ms / 2 + 1));
}

static int64_t doubled(int64_t first_ms, unsigned times, int64_t max_ms)
{
    int64_t ms = first_ms << (times < 10 ? times : 10);
    return ms < max_ms ? ms : max_ms;
}

int64_t dial_pause_ms(unsigned failures, int64_t session_timeout_ms, uint64_t chance)
{
    if (failures == 0) {
        return 0;
    }
    if (session_timeout_ms == 0) {
        return jitter(doubled(ALONE_FIRST_MS, failures - 1, ALONE_MAX_MS), chance);
    }
    int64_t most_ms = session_timeout_ms / 10;
    return jitter(doubled(KEEPING_FIRST_MS, (failures - 1) / 2,
                          most_ms > KEEPING_FIRST_MS ? most_ms : KEEPING_FIRST_MS),
                  chance);
}

int64_t dial_lookup_pause_ms(unsigned failures, uint64_t chance)
{
    return failures == 0 ? 0
                         : jitter(doubled(LOOKUP_FIRST_MS, failures - 1, LOOKUP_MAX_MS), chance);
}

bool dial_explain(const struct dial_failure *failure, char *to, size_t size)
{
    switch (failure->error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EACCES:
    case EPERM:
        snprintf(to, size, "no connection to the registry could be made: %s",
                 strerror(failure->error));
        return true;
    case EHOSTDOWN: /* the client's word for an end of the stream */
    case ECONNRESET:
        if (failure->rounds < HUNG_UP_TOLD || failure->lasting_ms < HUNG_UP_TOLD_MS) {
            return false;
        }
        snprintf(to, size,
                 "the registry's servers hang up at once, again and again: too many connections "
                 "from this address (maxClientCnxns), or servers without a quorum");
        return true;
    default:
        return false;
    }
}

bool dial_explain_write(unsigned losses, const char *path, size_t bytes, char *to, size_t size)
{
    assert(path);
    if (losses < WRITE_TOLD) {
        return false;
    }
    snprintf(to, size,
             "the link was lost right after a write of %zu bytes to %s, again and again: is "
             "jute.maxbuffer of the registry's servers smaller?",
             bytes, path);
    return true;
}
