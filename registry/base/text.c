#include "registry/base/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "registry/base/limits.h"

/* <ctype.h> depends on the locale; our languages are ASCII in every locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ---- writing --------------------------------------------------------------------------------- */

void text_init(struct text *text, char *buffer, size_t size)
{
    assert(size > 0);
    *text = (struct text){.at = buffer, .size = size};
    buffer[0] = '\0';
}

void text_put(struct text *text, const char *format, ...)
{
    assert(text->used < text->size);
    size_t room = text->size - text->used;
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(text->at + text->used, room, format, arguments);
    va_end(arguments);
    assert(wanted >= 0);
    if ((size_t)wanted >= room) {
        text->cut = true;
        text->used = text->size - 1;
    } else {
        text->used += (size_t)wanted;
    }
}

bool text_copy(char *to, size_t size, const char *from)
{
    assert(size > 0);
    size_t length = strlen(from);
    if (length >= size) {
        return false;
    }
    memmove(to, from, length + 1);
    return true;
}

/* Bytes of the UTF-8 character at `at`, 0 when there is none: a stray or
 * overlong sequence, a surrogate, beyond U+10FFFF (RFC 3629), or cut off. */
static size_t character_size(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        size_t size;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 1, 0},
                 {0xe0, 0xc0, 2, 0x80},
                 {0xf0, 0xe0, 3, 0x800},
                 {0xf8, 0xf0, 4, 0x10000}};

    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        if ((at[0] & forms[f].mask) != forms[f].lead) {
            continue;
        }
        if (forms[f].size > left) {
            return 0;
        }
        uint32_t code = at[0] & (unsigned char)~forms[f].mask;
        for (size_t i = 1; i < forms[f].size; i++) {
            if ((at[i] & 0xc0) != 0x80) {
                return 0;
            }
            code = code << 6 | (at[i] & 0x3fu);
        }
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        return code >= forms[f].least && code <= 0x10ffff && !surrogate ? forms[f].size : 0;
    }
    return 0;
}

/* Would this character move a terminal's cursor or worse? C0, DEL, C1. */
static bool is_control(const unsigned char *at, size_t size)
{
    return (size == 1 && (at[0] < 0x20 || at[0] == 0x7f)) ||
           (size == 2 && at[0] == 0xc2 && at[1] < 0xa0);
}

bool text_is_utf8(const char *from, size_t length)
{
    const unsigned char *at = (const unsigned char *)from;
    while (length > 0) {
        size_t size = character_size(at, length);
        if (size == 0) {
            return false;
        }
        at += size;
        length -= size;
    }
    return true;
}

void text_tame(char *to, size_t size, const char *from)
{
    const unsigned char *at = (const unsigned char *)from;
    size_t left = strlen(from), used = 0;
    assert(size > 0);
    while (left > 0) {
        size_t taken = character_size(at, left);
        size_t bytes = taken ? taken : 1;
        if (taken == 0 || is_control(at, taken)) {
            if (used + 1 >= size) {
                break;
            }
            to[used++] = taken ? ' ' : '?';
        } else {
            if (used + bytes >= size) {
                break;
            }
            memcpy(to + used, at, bytes);
            used += bytes;
        }
        at += bytes;
        left -= bytes;
    }
    while (used > 0 && to[used - 1] == ' ') {
        used--; /* foreign sentences like to end with a newline */
    }
    to[used] = '\0';
}

/* ---- names and numbers ----------------------------------------------------------------------- */

bool text_is_name(const char *name)
{
    size_t length = 0;
    for (; name[length]; length++) {
        if (!is_name_char(name[length]) || length + 1 >= NAME_SIZE) {
            return false;
        }
    }
    return length > 0 && !text_equal(name, ".") && !text_equal(name, "..");
}

/* The digits at *at as a number; moves *at behind them. False without a digit, or when the number
 * passes 2^63. */
static bool take_digits(const char **at, int64_t *ret_number)
{
    int64_t number = 0;
    const char *from = *at;
    for (; is_digit(**at); (*at)++) {
        if (__builtin_mul_overflow(number, (int64_t)10, &number) ||
            __builtin_add_overflow(number, (int64_t)(**at - '0'), &number)) {
            return false;
        }
    }
    *ret_number = number;
    return *at > from;
}

bool text_parse_int(const char *from, int64_t low, int64_t high, int64_t *ret_number)
{
    assert(low <= high);
    bool negative = *from == '-';
    int64_t number;
    if (negative) {
        from++;
    }
    if (!take_digits(&from, &number) || *from) {
        return false;
    }
    number = negative ? -number : number;
    if (number < low || number > high) {
        return false;
    }
    *ret_number = number;
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit *find_unit(const struct unit *units, const char *name)
{
    for (; units->name; units++) {
        if (text_equal(units->name, name)) {
            return units;
        }
    }
    return NULL;
}

/* "WHOLE[.FRACTION][blanks]" times the unit that follows, in the units' common measure, rounded
 * down. */
static bool parse_with_unit(const char *from, const struct unit *units, int64_t *ret_amount)
{
    int64_t whole, fraction = 0, scale = 1;
    if (!take_digits(&from, &whole)) {
        return false;
    }
    if (*from == '.') {
        const char *digits = ++from;
        if (!take_digits(&from, &fraction) || from - digits > 6) {
            return false;
        }
        for (; digits < from; digits++) {
            scale *= 10;
        }
    }
    while (*from == ' ') {
        from++;
    }
    if (!*from && whole == 0 && fraction == 0) {
        *ret_amount = 0; /* nothing is nothing in any unit */
        return true;
    }
    const struct unit *unit = find_unit(units, from);
    int64_t amount;
    if (!unit || __builtin_mul_overflow(whole, unit->factor, &amount)) {
        return false;
    }
    /* fraction < 10^6 and factor < 2^43: their product fits. */
    return !__builtin_add_overflow(amount, fraction * unit->factor / scale, ret_amount);
}

bool text_parse_duration(const char *from, int64_t *ret_ms)
{
    static const struct unit units[] = {{"us", 1},          {"ms", 1000},      {"s", 1000000},
                                        {"m", 60000000},    {"min", 60000000}, {"h", 3600000000},
                                        {"d", 86400000000}, {NULL, 0}};
    int64_t us;
    if (!parse_with_unit(from, units, &us)) {
        return false;
    }
    *ret_ms = us / 1000 + (us % 1000 != 0);
    return true;
}

bool text_parse_size(const char *from, int64_t *ret_bytes)
{
    static const struct unit units[] = {{"", 1},
                                        {"B", 1},
                                        {"k", 1024},
                                        {"K", 1024},
                                        {"KiB", 1024},
                                        {"M", 1 << 20},
                                        {"MiB", 1 << 20},
                                        {"G", 1 << 30},
                                        {"GiB", 1 << 30},
                                        {"T", (int64_t)1 << 40},
                                        {"TiB", (int64_t)1 << 40},
                                        {NULL, 0}};
    return parse_with_unit(from, units, ret_bytes);
}

bool text_parse_bool(const char *from, bool *ret_value)
{
    static const char *const spellings[] = {"no", "yes", "off", "on", "false", "true", "0", "1"};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (text_equal(from, spellings[i])) {
            *ret_value = i % 2 == 1;
            return true;
        }
    }
    return false;
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* A literal IPv6 address, perhaps with a zone behind '%'. */
static bool is_v6(const char *host)
{
    char literal[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t length = strcspn(host, "%");
    if (length >= sizeof literal || (host[length] == '%' && !text_is_name(host + length + 1))) {
        return false;
    }
    memcpy(literal, host, length);
    literal[length] = '\0';
    return inet_pton(AF_INET6, literal, &address) == 1;
}

static bool is_host_name(const char *host)
{
    size_t length = 0;
    for (; host[length]; length++) {
        if (!is_name_char(host[length])) {
            return false;
        }
    }
    return length > 0 && length < HOST_SIZE && host[0] != '.' && host[0] != '-';
}

bool text_parse_address(const char *from, char *ret_host, size_t host_size, uint16_t *ret_port)
{
    char host[HOST_SIZE];
    const char *colon = strrchr(from, ':');
    int64_t port;
    if (!colon || colon[1] == '-' || !text_parse_int(colon + 1, 1, 65535, &port)) {
        return false;
    }
    bool bracketed = from[0] == '[' && colon > from && colon[-1] == ']';
    const char *start = bracketed ? from + 1 : from;
    size_t length = (size_t)(colon - start) - (bracketed ? 1 : 0);
    if (length >= sizeof host || length >= host_size) {
        return false;
    }
    memcpy(host, start, length);
    host[length] = '\0';
    if (bracketed ? !is_v6(host) : !is_host_name(host)) {
        return false;
    }
    memcpy(ret_host, host, length + 1);
    *ret_port = (uint16_t)port;
    return true;
}

const char *text_address(char *to, size_t size, const char *host, uint16_t port)
{
    assert(size > 0 && host);
    snprintf(to, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    return to;
}

/* ---- amounts for people ---------------------------------------------------------------------- */

const char *text_duration(char *to, size_t size, int64_t ms)
{
    static const struct {
        int64_t below, divisor;
        const char *unit;
    } steps[] = {{1000, 1, "ms"},
                 {120 * 1000, 1000, "s"},
                 {120 * 60000, 60000, "min"},
                 {(int64_t)48 * 3600000, 3600000, "h"},
                 {INT64_MAX, 86400000, "d"}};
    size_t s = 0;
    if (ms < 0) {
        snprintf(to, size, "unknown");
        return to;
    }
    while (s + 1 < sizeof steps / sizeof *steps && ms >= steps[s].below) {
        s++;
    }
    snprintf(to, size, "%" PRId64 " %s", ms / steps[s].divisor, steps[s].unit);
    return to;
}

const char *text_bytes(char *to, size_t size, int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t u = 0;
    int64_t divisor = 1;
    if (bytes < 0) {
        snprintf(to, size, "unknown");
        return to;
    }
    for (; bytes / divisor >= 1024; u++) {
        divisor *= 1024;
    }
    /* 10 x 2^60 still fits */
    uint64_t tenths = (uint64_t)(bytes % divisor) * 10 / (uint64_t)divisor;
    if (tenths > 0 && bytes / divisor < 10) {
        snprintf(to, size, "%" PRId64 ".%" PRIu64 " %s", bytes / divisor, tenths, units[u]);
    } else {
        snprintf(to, size, "%" PRId64 " %s", bytes / divisor, units[u]);
    }
    return to;
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, and back;
 * years begin in March there, so that the leap day comes last. After Howard
 * Hinnant, "chrono-compatible low-level date algorithms". Years 0..9999 here. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, int64_t *ret_year, int64_t *ret_month, int64_t *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    *ret_day = day_of_year - (153 * month + 2) / 5 + 1;
    *ret_month = month < 10 ? month + 3 : month - 9;
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

enum { DAY_MS = 86400000 };
static const int64_t first_ms = (int64_t)-719528 * DAY_MS;    /* 0000-01-01 */
static const int64_t last_ms = (int64_t)2932897 * DAY_MS - 1; /* 9999-12-31T23:59:59.999 */

const char *text_time(char *to, size_t size, int64_t wall_ms)
{
    int64_t year, month, day;
    wall_ms = wall_ms < first_ms ? first_ms : wall_ms > last_ms ? last_ms : wall_ms;
    int64_t days = (wall_ms - (wall_ms < 0 ? DAY_MS - 1 : 0)) / DAY_MS;
    int64_t rest = wall_ms - days * DAY_MS;
    date_of_days(days, &year, &month, &day);
    snprintf(to, size,
             "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64
             ".%03" PRId64 "Z",
             year, month, day, rest / 3600000, rest / 60000 % 60, rest / 1000 % 60, rest % 1000);
    return to;
}

const char *text_since(char *to, size_t size, int64_t wall_ms, int64_t since_wall_ms)
{
    enum { DIFFER_MS = 1000 }; /* clocks that are kept in step differ by less */
    int64_t ms = wall_ms - since_wall_ms;
    if (ms >= -DIFFER_MS) {
        snprintf(to, size, "%+lld ms", (long long)ms);
    } else {
        char time[32], spell[32];
        snprintf(to, size, "at %s (the clocks differ by %s or more)",
                 text_time(time, sizeof time, wall_ms) + 11,
                 text_duration(spell, sizeof spell, -ms));
    }
    return to;
}

/* Exactly `width` digits, then `end`. */
static bool take_field(const char **at, int width, char end, int64_t low, int64_t high,
                       int64_t *ret_number)
{
    int64_t number = 0;
    for (int i = 0; i < width; i++, (*at)++) {
        if (!is_digit(**at)) {
            return false;
        }
        number = number * 10 + (**at - '0');
    }
    if (**at != end || number < low || number > high) {
        return false;
    }
    (*at)++;
    *ret_number = number;
    return true;
}

bool text_parse_time(const char *from, int64_t *ret_wall_ms)
{
    int64_t year, month, day, hour, minute, second, ms = 0;
    if (!take_field(&from, 4, '-', 0, 9999, &year) || !take_field(&from, 2, '-', 1, 12, &month) ||
        !take_field(&from, 2, 'T', 1, 31, &day) || !take_field(&from, 2, ':', 0, 23, &hour) ||
        !take_field(&from, 2, ':', 0, 59, &minute)) {
        return false;
    }
    bool whole = strlen(from) >= 3 && from[2] == 'Z';
    if (!take_field(&from, 2, whole ? 'Z' : '.', 0, 59, &second) ||
        (!whole && !take_field(&from, 3, 'Z', 0, 999, &ms)) || *from) {
        return false;
    }
    int64_t days = days_of_date(year, month, day), same_year, same_month, same_day;
    date_of_days(days, &same_year, &same_month, &same_day);
    if (same_day != day) {
        return false; /* a 30th of February */
    }
    *ret_wall_ms = days * DAY_MS + hour * 3600000 + minute * 60000 + second * 1000 + ms;
    return true;
}

/* ---- guessing -------------------------------------------------------------------------------- */

enum { WORD_MAX = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace; case is free) that turn one text into the other: Levenshtein, one
 * row at a time. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_length; j++) {
            size_t replaced = diagonal + (lower(a[i]) != lower(b[j]));
            diagonal = row[j + 1];
            row[j + 1] = least(replaced, least(diagonal, row[j]) + 1);
        }
    }
    return row[b_length];
}

const char *text_nearest(const char *wanted, const char *const *candidates, size_t n, size_t stride)
{
    assert(stride >= sizeof *candidates);
    const char *nearest = NULL;
    size_t best = WORD_MAX, length = strlen(wanted);
    if (length > WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        const char *candidate =
            *(const char *const *)(const void *)((const char *)candidates + i * stride);
        size_t candidate_length = candidate ? strlen(candidate) : 0;
        if (candidate_length == 0 || candidate_length > WORD_MAX) {
            continue;
        }
        size_t edits = distance(wanted, length, candidate, candidate_length);
        size_t longer = length > candidate_length ? length : candidate_length;
        if (edits * 3 <= longer && edits < best) {
            best = edits;
            nearest = candidate;
        }
    }
    return nearest;
}
