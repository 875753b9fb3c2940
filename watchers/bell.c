#include "watchers/bell.h"

#include <assert.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static_assert(sizeof(struct bell) == sizeof(uint32_t), "a futex is a word of 32 bits");

void bell_ring(struct bell *bell)
{
    if (atomic_exchange(&bell->rung, 1) == 0) {
        syscall(SYS_futex, bell, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

void bell_wait(struct bell *bell, int64_t ms)
{
    struct timespec timeout = {.tv_sec = (time_t)(ms / 1000),
                               .tv_nsec = (long)(ms % 1000) * 1000000};
    if (ms > 0 && atomic_load(&bell->rung) == 0) {
        syscall(SYS_futex, bell, FUTEX_WAIT_PRIVATE, 0, &timeout, NULL, 0);
    }
    atomic_store(&bell->rung, 0);
}
