/* Bounded text: copying, writing, and reading the small languages of our
 * settings (names, durations, numbers, addresses). Nothing here allocates,
 * nothing reads a clock, everything reports whether it fitted. */
#ifndef ROSTER_REGISTRY_BASE_TEXT_H
#define ROSTER_REGISTRY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A writer into somebody else's buffer. It never overruns; what did not fit
 * is dropped and `cut` is set. The buffer is always terminated. */
struct text {
    char *at;
    size_t size;
    size_t used;
    bool cut;
};

void text_init(struct text *text, char *buffer, size_t size);
void text_put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Copy `from` into `to`; false, and an unchanged `to`, when it does not fit. */
bool text_copy(char *to, size_t size, const char *from);

/* Copy what fits, at a character boundary of UTF-8, control bytes replaced by
 * spaces, what is not UTF-8 by '?', blanks at the end dropped: for foreign
 * sentences on their way to a log or a znode. */
void text_tame(char *to, size_t size, const char *from);

static inline bool text_equal(const char *a, const char *b)
{
    return __builtin_strcmp(a, b) == 0;
}

/* Are these bytes UTF-8 (RFC 3629: no overlong forms, no surrogates)? */
bool text_is_utf8(const char *from, size_t length);

/* [A-Za-z0-9._-]{1,63}, and neither "." nor "..". */
bool text_is_name(const char *name);

/* Whole decimal numbers, nothing before or behind; false outside [low, high]. */
bool text_parse_int(const char *from, int64_t low, int64_t high, int64_t *ret_number);

/* "250us"(rounded up to 1ms), "25ms", "1s", "1.5s", "2m", "1h", "1d"; a bare number is refused
 * except "0". The result is in milliseconds. */
bool text_parse_duration(const char *from, int64_t *ret_ms);

/* "65536", "64k", "64KiB", "1M", "2GiB" (powers of 1024). */
bool text_parse_size(const char *from, int64_t *ret_bytes);

/* yes/no, on/off, true/false, 1/0 */
bool text_parse_bool(const char *from, bool *ret_value);

/* "host:port" or "[v6]:port"; host goes unbracketed into ret_host. */
bool text_parse_address(const char *from, char *ret_host, size_t host_size, uint16_t *ret_port);

/* The other way; brackets round a host that holds a colon. Returns `to`. */
const char *text_address(char *to, size_t size, const char *host, uint16_t port);

/* Milliseconds for people: "0 ms", "850 ms", "40 s", "3 min", "2 h", "5 d", rounded
 * down; "unknown" below zero. Returns `to`. */
const char *text_duration(char *to, size_t size, int64_t ms);

/* Bytes likewise: "0 B", "64 KiB", "1.5 MiB". */
const char *text_bytes(char *to, size_t size, int64_t bytes);

/* RFC 3339 UTC with milliseconds, "2026-11-21T01:22:33.123Z", and back. */
const char *text_time(char *to, size_t size, int64_t wall_ms);

/* How much later one clock's time is than another's: "+22 ms", "-3 ms"; more than a second
 * before it could be, it is told as a time of its own: "at 01:22:33.101Z (the clocks differ by
 * 59 min or more)". Returns `to`. */
const char *text_since(char *to, size_t size, int64_t wall_ms, int64_t since_wall_ms);
bool text_parse_time(const char *from, int64_t *ret_wall_ms);

/* The candidate nearest to `wanted` by edits, or NULL when none is near (more
 * than a third of the letters differ). `stride` is the distance in bytes from
 * one candidate pointer to the next, so that any table of structs with a
 * name can be searched. */
const char *text_nearest(const char *wanted, const char *const *candidates, size_t n,
                         size_t stride);

#endif
