#include "registry/base/cidr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "registry/base/text.h"

static bool read_address(const char *from, struct cidr_block *to)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memset(to, 0, sizeof *to);
    if (inet_pton(AF_INET, from, to->bytes) == 1) {
        to->length = 4;
    } else if (inet_pton(AF_INET6, from, to->bytes) == 1) {
        to->length = 16;
        if (memcmp(to->bytes, mapped, sizeof mapped) == 0) {
            memmove(to->bytes, to->bytes + 12, 4);
            memset(to->bytes + 4, 0, 12);
            to->length = 4;
        }
    }
    to->bits = (uint8_t)(8 * to->length);
    return to->length > 0;
}

static bool is_set(const struct cidr_block *range, int bit)
{
    return range->bytes[bit / 8] >> (7 - bit % 8) & 1;
}

#define WRONG(...) (snprintf(wrong, wrong_size, __VA_ARGS__), false)

static bool read_range(const char *entry, struct cidr_block *to, char *wrong, size_t wrong_size)
{
    char address[LITERAL_TEXT_SIZE];
    size_t length = strcspn(entry, "/");
    int64_t bits;
    bool v6 = strchr(entry, ':') != NULL;
    if (length >= sizeof address) {
        return WRONG("'%.60s' is not an address", entry);
    }
    memcpy(address, entry, length);
    address[length] = '\0';
    if (!read_address(address, to)) {
        return WRONG("'%.60s' is not an IPv4 or IPv6 address", address);
    }
    if (v6 && to->length == 4) {
        return WRONG("'%.60s' is an IPv4 address in IPv6: write the former", address);
    }
    if (!entry[length]) {
        return true;
    }
    if (!text_parse_int(entry + length + 1, 0, to->bits, &bits)) {
        return WRONG("'%.60s': behind the slash stands a number from 0 to %d", entry, to->bits);
    }
    for (int bit = (int)bits; bit < to->bits; bit++) {
        if (is_set(to, bit)) {
            return WRONG("'%.60s' has more address than its %d bits", entry, (int)bits);
        }
    }
    to->bits = (uint8_t)bits;
    return true;
}

/* The entry from `at` to the next comma, without the blanks round it; false: it is too long for
 * one. */
static bool take_entry(const char **at, char *to, size_t size)
{
    static const char blanks[] = " \t";
    const char *from = *at + strspn(*at, blanks);
    size_t length = strcspn(from, ",");
    *at = from[length] ? from + length + 1 : NULL;
    while (length > 0 && strchr(blanks, from[length - 1])) {
        length--;
    }
    snprintf(to, size, "%.*s", (int)(length < size ? length : size - 1), from);
    return length < size;
}

bool cidr_parse(const char *from, struct cidr_list *ret_ranges, char *wrong, size_t wrong_size)
{
    struct cidr_list ranges = {0};
    for (const char *at = *from ? from : NULL; at;) {
        char entry[64];
        if (!take_entry(&at, entry, sizeof entry)) {
            return WRONG("'%.60s...' is too long for a range", entry);
        }
        if (!entry[0]) {
            return WRONG("there is nothing between two commas, or at an end");
        }
        if (ranges.count == CIDR_BLOCKS_MAX) {
            return WRONG("'%.60s' is one range too many: there are at most %d", entry,
                         CIDR_BLOCKS_MAX);
        }
        if (!read_range(entry, &ranges.range[ranges.count++], wrong, wrong_size)) {
            return false;
        }
    }
    *ret_ranges = ranges;
    return true;
}

static bool holds(const struct cidr_block *range, const struct cidr_block *address)
{
    assert(range->bits <= 8 * range->length);
    if (range->length != address->length) {
        return false;
    }
    for (int bit = 0; bit < range->bits; bit++) {
        if (is_set(range, bit) != is_set(address, bit)) {
            return false;
        }
    }
    return true;
}

bool cidr_contains(const struct cidr_list *ranges, const char *literal)
{
    assert(ranges->count <= CIDR_BLOCKS_MAX);
    struct cidr_block address;
    if (!read_address(literal, &address)) {
        return false;
    }
    for (size_t i = 0; i < ranges->count; i++) {
        if (holds(&ranges->range[i], &address)) {
            return true;
        }
    }
    return false;
}

bool cidr_literal(const char *from, char to[LITERAL_TEXT_SIZE])
{
    struct cidr_block address;
    return read_address(from, &address) && inet_ntop(address.length == 4 ? AF_INET : AF_INET6,
                                                     address.bytes, to, LITERAL_TEXT_SIZE);
}

bool cidr_is_loopback(const char *literal)
{
    static const struct cidr_list loopback = {2, {{{127}, 4, 8}, {{[15] = 1}, 16, 128}}};
    return cidr_contains(&loopback, literal);
}
