#include "registry/base/entropy.h"

#include <sys/random.h>

#include "registry/base/clock.h"
#include "registry/base/random.h"

uint64_t entropy_draw(void)
{
    uint64_t n = 0;
    if (getrandom(&n, sizeof n, 0) != (ssize_t)sizeof n) {
        n = random_mix((uint64_t)clock_mono_ns()); /* interrupted, or not supported */
    }
    return n;
}
