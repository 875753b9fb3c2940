#include "probes/drivers/gtid.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { UUID_LENGTH = 36, TAG_MAX = 32 };

static const char spaces[] = " \n\r\t";
static const char digits[] = "0123456789";
static const char uuid_letters[] = "0123456789abcdefABCDEF-";
static const char tag_letters[] = "0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* A piece of the text that is read. */
struct piece {
    const char *at;
    size_t length;
};

/* Transactions of one source, from low to high. */
struct interval {
    struct piece source, tag;
    uint64_t low, high;
};

struct cursor {
    const char *at;
    struct interval interval; /* the source and the tag that apply here */
    bool begun;
    bool in_server; /* of MySQL's: a colon leads to more of it */
    bool broken;
};

static void skip_space(struct cursor *cursor)
{
    cursor->at += strspn(cursor->at, spaces);
}

static bool take(struct cursor *cursor, char sign)
{
    skip_space(cursor);
    bool is_there = *cursor->at == sign;
    cursor->at += is_there;
    return is_there;
}

static bool take_number(struct cursor *cursor, uint64_t *ret_number)
{
    skip_space(cursor);
    if (!isdigit((unsigned char)*cursor->at)) {
        return false;
    }
    char *end;
    *ret_number = strtoull(cursor->at, &end, 10);
    cursor->at = end;
    return *ret_number <= INT64_MAX;
}

/* DOMAIN-SERVER-NUMBER: whatever that server wrote there, up to the number. */
static bool take_reached(struct cursor *cursor)
{
    size_t domain = strspn(cursor->at, digits);
    size_t server = cursor->at[domain] == '-' ? strspn(cursor->at + domain + 1, digits) : 0;
    if (domain == 0 || server == 0 || cursor->at[domain + 1 + server] != '-') {
        return false;
    }
    cursor->interval = (struct interval){.source = {cursor->at, domain + 1 + server}};
    cursor->in_server = false;
    cursor->at += domain + 1 + server + 1;
    return take_number(cursor, &cursor->interval.high);
}

/* LOW or LOW-HIGH, perhaps behind a tag, which goes for what follows as well. */
static bool take_interval(struct cursor *cursor)
{
    struct interval *interval = &cursor->interval;
    skip_space(cursor);
    if (!isdigit((unsigned char)*cursor->at)) {
        interval->tag = (struct piece){cursor->at, strspn(cursor->at, tag_letters)};
        cursor->at += interval->tag.length;
        if (interval->tag.length == 0 || interval->tag.length > TAG_MAX || !take(cursor, ':')) {
            return false;
        }
    }
    if (!take_number(cursor, &interval->low)) {
        return false;
    }
    interval->high = interval->low;
    return (!take(cursor, '-') || take_number(cursor, &interval->high)) && interval->low >= 1 &&
           interval->low <= interval->high;
}

static bool is_server(const char *at)
{
    return strspn(at, uuid_letters) == UUID_LENGTH &&
           at[UUID_LENGTH + strspn(at + UUID_LENGTH, spaces)] == ':';
}

/* At the start or behind a comma: a server of MySQL's or a whole identifier of MariaDB's. */
static bool take_source(struct cursor *cursor)
{
    if (!is_server(cursor->at)) {
        return take_reached(cursor);
    }
    cursor->interval = (struct interval){.source = {cursor->at, UUID_LENGTH}};
    cursor->in_server = true;
    cursor->at += UUID_LENGTH;
    return take(cursor, ':') && take_interval(cursor);
}

/* False at the end, and when it cannot be read (`broken`). */
static bool next(struct cursor *cursor)
{
    assert(!cursor->broken); /* it does not point at the start of anything */
    bool good;
    if (cursor->in_server && take(cursor, ':')) {
        good = take_interval(cursor);
    } else {
        bool apart = !cursor->begun;
        while (take(cursor, ',')) {
            apart = true;
        }
        if (!*cursor->at) {
            return false;
        }
        good = apart && take_source(cursor);
    }
    cursor->begun = true;
    cursor->broken = !good;
    return good;
}

static bool same_text(struct piece a, struct piece b)
{
    return a.length == b.length && (a.length == 0 || strncasecmp(a.at, b.at, a.length) == 0);
}

/* Behind `from`; *ret_before is where the one that has it is read next. */
static bool find(struct cursor from, const struct interval *wanted, struct cursor *ret_before)
{
    struct cursor before = from;
    assert(wanted->low <= wanted->high);
    while (next(&from)) {
        const struct interval *mine = &from.interval;
        if (same_text(mine->source, wanted->source) && same_text(mine->tag, wanted->tag) &&
            mine->low <= wanted->low && mine->high >= wanted->high) {
            *ret_before = before;
            return true;
        }
        before = from;
    }
    return false;
}

static bool is_readable(const char *set)
{
    struct cursor cursor = {.at = set};
    while (next(&cursor)) {
    }
    return cursor.begun && !cursor.broken;
}

enum gtid_relation gtid_compare(const char *mine, const char *theirs)
{
    if (!is_readable(mine) || !is_readable(theirs)) {
        return GTID_UNKNOWN;
    }
    struct cursor cursor = {.at = theirs};
    struct cursor start = {.at = mine}, place = start; /* servers write all sets in one order */
    while (next(&cursor)) {
        if (!find(place, &cursor.interval, &place) && !find(start, &cursor.interval, &place)) {
            return GTID_LACKS;
        }
    }
    return GTID_CONTAINS;
}

bool gtid_each(const char *set, bool (*take_stretch)(void *, const struct gtid_stretch *),
               void *owner)
{
    struct cursor cursor = {.at = set};
    while (next(&cursor)) {
        const struct interval *at = &cursor.interval;
        struct gtid_stretch stretch = {at->source.at,  at->source.length, at->tag.at,
                                       at->tag.length, at->low,           at->high};
        if (!take_stretch(owner, &stretch)) {
            return false;
        }
    }
    return cursor.begun && !cursor.broken;
}

/* ---- positions ------------------------------------------------------------------------------- */

/* Of DOMAIN-SERVER-NUMBER. */
static struct piece domain_of(const struct interval *interval)
{
    return (struct piece){interval->source.at, strspn(interval->source.at, digits)};
}

static bool is_reached(const char *set, const struct interval *wanted)
{
    struct cursor cursor = {.at = set};
    while (next(&cursor)) {
        if (same_text(domain_of(&cursor.interval), domain_of(wanted)) &&
            cursor.interval.high >= wanted->high) {
            return true;
        }
    }
    return false;
}

enum gtid_relation gtid_reaches(const char *mine, const char *theirs)
{
    struct cursor cursor = {.at = theirs};
    enum gtid_relation relation = gtid_compare(mine, theirs);
    while (relation == GTID_LACKS && next(&cursor)) {
        if (cursor.in_server || !is_reached(mine, &cursor.interval)) {
            return GTID_LACKS; /* MySQL's are sets, not positions */
        }
    }
    return relation == GTID_LACKS ? GTID_CONTAINS : relation;
}
