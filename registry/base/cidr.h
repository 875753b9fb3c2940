/* Ranges of addresses, as people write them: 10.0.0.0/8, fd00::/8, 192.0.2.7. Pure.
 *
 * IPv4 in IPv6 (::ffff:10.0.0.1) is IPv4 here. Names are not resolved, and
 * scopes (fe80::1%eth0) are refused: they mean nothing on another host. */
#ifndef ROSTER_REGISTRY_BASE_CIDR_H
#define ROSTER_REGISTRY_BASE_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CIDR_BLOCKS_MAX = 16,
    CIDR_SIZE = 512,
    LITERAL_TEXT_SIZE = 46 /* the longest IPv6 address, and its end */
};

struct cidr_block {
    uint8_t bytes[16]; /* an IPv4 address has the first four */
    uint8_t length;    /* 4 or 16 */
    uint8_t bits;      /* how many of them count */
};

struct cidr_list {
    size_t count;
    struct cidr_block range[CIDR_BLOCKS_MAX];
};

/* A comma list. False, and in `ret_wrong` what is wrong ("10.0.0.0/33: ..."); `ret_ranges` is then
 * unchanged. "" is a list of none. */
bool cidr_parse(const char *from, struct cidr_list *ret_ranges, char *ret_wrong, size_t wrong_size);

/* Is this literal address in one of them? A text that is no address never is. */
bool cidr_contains(const struct cidr_list *ranges, const char *literal);

/* A literal address in the one form in which equal ones are equal text; false when it is none. */
bool cidr_literal(const char *from, char to[LITERAL_TEXT_SIZE]);

/* An address of 127.0.0.0/8, or ::1: one that means another server on every host. */
bool cidr_is_loopback(const char *literal);

#endif
