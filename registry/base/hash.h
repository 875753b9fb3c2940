/* FNV-1a (Fowler, Noll, Vo), 64 bits: texts as numbers. Fast, and no proof against intent. Pure. */
#ifndef ROSTER_REGISTRY_BASE_HASH_H
#define ROSTER_REGISTRY_BASE_HASH_H

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>

/* What a hash begins with. */
static const uint64_t hash_seed = UINT64_C(0xcbf29ce484222325);

static inline uint64_t hash_byte(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

static inline uint64_t hash_text(uint64_t hash, const char *text)
{
    while (*text) {
        hash = hash_byte(hash, (unsigned char)*text++);
    }
    return hash;
}

/* Of letters that count alike in either case. */
static inline uint64_t hash_letters(uint64_t hash, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        hash = hash_byte(hash, (unsigned char)tolower((unsigned char)text[i]));
    }
    return hash;
}

#endif
