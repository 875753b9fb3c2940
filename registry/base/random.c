#include "registry/base/random.h"

#include <assert.h>
#include <stdio.h>

const char *random_uuid(char to[UUID_SIZE], uint64_t a, uint64_t b)
{
    assert(to);
    snprintf(to, UUID_SIZE, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
             (unsigned)(0x8000 | (b >> 48 & 0x3fff)), (unsigned long long)(b & 0xffffffffffff));
    return to;
}
