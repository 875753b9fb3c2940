#include "probes/gtid.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Transactions of one source, from low to high. */
struct interval {
    const char *source, *tag;
    size_t source_length, tag_length;
    uint64_t low, high;
};

struct cursor {
    const char *at;
    struct interval interval; /* the source and the tag that apply here */
    bool broken;
};

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \n\r\t");
}

static bool take_number(const char **at, uint64_t *ret_number)
{
    char *end;
    if (!isdigit((unsigned char)**at)) {
        return false;
    }
    *ret_number = strtoull(*at, &end, 10);
    *at = end;
    return true;
}

/* DOMAIN-SERVER-NUMBER: whatever that server wrote there up to the number. */
static bool take_reached(struct cursor *cursor, size_t length)
{
    const char *item = cursor->at, *dash = item + length;
    while (dash > item && *dash != '-') {
        dash--;
    }
    const char *number = dash + 1;
    if (dash == item || !take_number(&number, &cursor->interval.high) || number != item + length) {
        return false;
    }
    cursor->interval.source = item;
    cursor->interval.source_length = (size_t)(dash - item);
    cursor->interval.low = 1;
    cursor->at = number;
    return true;
}

static bool take_interval(struct cursor *cursor)
{
    struct interval *interval = &cursor->interval;
    if (!take_number(&cursor->at, &interval->low)) {
        return false;
    }
    interval->high = interval->low;
    if (*cursor->at == '-') {
        cursor->at++;
        return take_number(&cursor->at, &interval->high);
    }
    return true;
}

/* Behind a comma, or at the start: a server of MySQL's or a whole identifier of MariaDB's. */
static bool take_source(struct cursor *cursor)
{
    size_t length = strcspn(cursor->at, ":, \n\r\t");
    cursor->interval = (struct interval){.source = cursor->at, .source_length = length};
    if (cursor->at[length] != ':') {
        return take_reached(cursor, length);
    }
    cursor->at += length + 1;
    return true;
}

/* False at the end, and when it cannot be read (`broken`). */
static bool next(struct cursor *cursor)
{
    cursor->at = skip_space(cursor->at);
    bool fresh = !cursor->interval.source || *cursor->at == ',';
    cursor->at = skip_space(cursor->at + (*cursor->at == ',' || (!fresh && *cursor->at == ':')));
    if (!*cursor->at) {
        return false;
    }
    if (fresh) {
        if (!take_source(cursor)) {
            cursor->broken = true;
            return false;
        }
        if (cursor->interval.high) {
            return true;
        }
    }
    if (!isdigit((unsigned char)*cursor->at)) {
        size_t length = strcspn(cursor->at, ":, \n\r\t");
        cursor->interval.tag = cursor->at;
        cursor->interval.tag_length = length;
        cursor->at += length + (cursor->at[length] == ':');
    }
    cursor->broken = !take_interval(cursor);
    return !cursor->broken;
}

static bool same_text(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && strncasecmp(a, b, a_length) == 0;
}

static bool has(const char *set, const struct interval *wanted, bool *ret_broken)
{
    struct cursor cursor = {.at = set};
    while (next(&cursor)) {
        const struct interval *mine = &cursor.interval;
        if (same_text(mine->source, mine->source_length, wanted->source, wanted->source_length) &&
            same_text(mine->tag_length ? mine->tag : "", mine->tag_length, wanted->tag_length ? wanted->tag : "",
                      wanted->tag_length) &&
            mine->low <= wanted->low && mine->high >= wanted->high) {
            return true;
        }
    }
    *ret_broken = cursor.broken;
    return false;
}

bool gtid_lacks(const char *mine, const char *theirs)
{
    struct cursor cursor = {.at = theirs};
    bool lacks = false, broken = false;
    while (mine[0] && !broken && next(&cursor)) {
        lacks = !has(mine, &cursor.interval, &broken) || lacks;
    }
    return lacks && !broken && !cursor.broken;
}
