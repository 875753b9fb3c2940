#include "registry/base/digest.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "registry/base/limits.h"
#include "registry/base/text.h"

/* ---- SHA-1 (FIPS 180-4) ---------------------------------------------------------------------- */

enum { BLOCK = 64, HASH = 20 };

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void spread(const uint8_t *block, uint32_t words[80])
{
    for (size_t i = 0; i < 16; i++) {
        const uint8_t *at = block + 4 * i;
        words[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    for (size_t i = 16; i < 80; i++) {
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
}

static uint32_t mix(size_t round, uint32_t b, uint32_t c, uint32_t d)
{
    switch (round / 20) {
    case 0:
        return ((b & c) | (~b & d)) + 0x5a827999;
    case 1:
        return (b ^ c ^ d) + 0x6ed9eba1;
    case 2:
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    default:
        return (b ^ c ^ d) + 0xca62c1d6;
    }
}

static void take_block(uint32_t state[5], const uint8_t *block)
{
    uint32_t words[80];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    spread(block, words);
    for (size_t i = 0; i < 80; i++) {
        uint32_t next = rotate(a, 5) + mix(i, b, c, d) + e + words[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/* Of at most so much that it, its mark and its length fit into `padded`. */
static void hash(const char *text, size_t length, uint8_t to[HASH])
{
    uint8_t padded[SECRET_SIZE + BLOCK] = {0};
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    size_t blocks = (length + 9 + BLOCK - 1) / BLOCK;
    assert(length < SECRET_SIZE && blocks * BLOCK <= sizeof padded);
    memcpy(padded, text, length);
    padded[length] = 0x80;
    padded[blocks * BLOCK - 2] = (uint8_t)(length * 8 >> 8);
    padded[blocks * BLOCK - 1] = (uint8_t)(length * 8);
    for (size_t i = 0; i < blocks; i++) {
        take_block(state, padded + i * BLOCK);
    }
    for (size_t i = 0; i < HASH; i++) {
        to[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
    }
    explicit_bzero(padded, sizeof padded);
}

/* ---- base64 (RFC 4648) ----------------------------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode(const uint8_t from[HASH], char to[DIGEST_HASH_LENGTH + 1])
{
    uint8_t bytes[HASH + 1] = {0}; /* a whole number of threes */
    memcpy(bytes, from, HASH);
    for (size_t i = 0; i < DIGEST_HASH_LENGTH; i++) {
        const uint8_t *three = bytes + i / 4 * 3;
        uint32_t bits = (uint32_t)three[0] << 16 | (uint32_t)three[1] << 8 | three[2];
        to[i] = alphabet[bits >> (18 - 6 * (i % 4)) & 63];
    }
    to[DIGEST_HASH_LENGTH - 1] = '='; /* of the last three one byte is padding */
    to[DIGEST_HASH_LENGTH] = '\0';
}

/* ---- ids ------------------------------------------------------------------------------------- */

const char *digest_id(const char *auth, char to[DIGEST_ID_SIZE])
{
    uint8_t hashed[HASH];
    char encoded[DIGEST_HASH_LENGTH + 1];
    const char *user = strchr(auth, ':') + 1;
    const char *colon = strchr(user, ':');
    assert(colon > user); /* it is valid */
    hash(user, strlen(user), hashed);
    encode(hashed, encoded);
    int length = snprintf(to, DIGEST_ID_SIZE, "%.*s:%s", (int)(colon - user), user, encoded);
    assert(length > 0 && length < DIGEST_ID_SIZE);
    return to;
}

bool digest_id_is_valid(const char *id, char *sentence, size_t size)
{
    const char *colon = strchr(id, ':');
    if (!colon || colon == id) {
        snprintf(sentence, size, "'%.80s' is no id: it has no user", id);
        return false;
    }
    size_t length = strlen(colon + 1);
    if (length != DIGEST_HASH_LENGTH || colon[length] != '=' ||
        strspn(colon + 1, alphabet) != length - 1) {
        /* it may be a password, which is not repeated */
        snprintf(sentence, size, "what follows '%.*s:' is no SHA-1 in base64",
                 (int)(colon - id < 80 ? colon - id : 80), id);
        return false;
    }
    if (strlen(id) >= DIGEST_ID_SIZE) {
        snprintf(sentence, size, "an id is longer than %d bytes", DIGEST_ID_SIZE - 1);
        return false;
    }
    return true;
}

static bool is_masked(const char *id, size_t user)
{
    return text_equal(id + user, ":x");
}

bool digest_id_equal(const char *a, const char *b)
{
    size_t user = strcspn(a, ":");
    bool same_user = a[user] && strcspn(b, ":") == user && b[user] && strncmp(a, b, user) == 0;
    return text_equal(a, b) || (same_user && (is_masked(a, user) || is_masked(b, user)));
}
