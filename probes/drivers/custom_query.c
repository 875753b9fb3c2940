#include "probes/drivers/custom_query.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registry/base/text.h"

const char *custom_statement(const struct cluster_settings *cluster)
{
    const struct kind_traits *traits = kind_traits_of(cluster->policy.kind);
    if (!traits->takes_query) {
        return NULL;
    }
    return cluster->query[0] ? cluster->query : traits->default_query;
}

/* ---- values: each reader returns NULL, or what it would accept ------------------------------- */

static const char *read_flag(const char *value, int *to)
{
    static const char *const spellings[] = {"f", "t",   "false", "true", "0",
                                            "1", "off", "on",    "no",   "yes"};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (strcasecmp(value, spellings[i]) == 0) {
            *to = i % 2 == 1;
            return NULL;
        }
    }
    return "t or f, true or false, 1 or 0, on or off, yes or no";
}

/* Databases return fractions where one does not expect them ("19.7649993896484"): they are cut. */
static bool read_fraction(const char *value, double *to)
{
    char *end;
    /* strtod would accept blanks, hexadecimal, nan and inf, too */
    if (!*value || value[strspn(value, "0123456789+-.eE")]) {
        return false;
    }
    *to = strtod(value, &end);
    return !*end && isfinite(*to) && fabs(*to) < 9e18;
}

static bool read_number(const char *value, int64_t *to)
{
    double number;
    if (text_parse_int(value, INT64_MIN, INT64_MAX, to)) {
        return true;
    }
    if (!read_fraction(value, &number)) {
        return false;
    }
    *to = (int64_t)number;
    return true;
}

/* Clocks differ: a negative lag is none. */
static const char *read_lag(const char *value, int64_t *to)
{
    int64_t number;
    if (!read_number(value, &number)) {
        return "a number";
    }
    *to = number > 0 ? number : 0;
    return NULL;
}

static const char *read_position(const char *value, struct observation *seen)
{
    int64_t number;
    if (!read_number(value, &number) || number < 0) {
        return "a number of bytes";
    }
    seen->position = number;
    seen->written = seen->applied = position_at(number);
    return NULL;
}

static const char *read_words(const char *value, char *to, size_t size)
{
    if (strlen(value) >= size) {
        return "a shorter text";
    }
    text_tame(to, size, value);
    return NULL;
}

/* A number, or STAMP:NUMBER; without leading zeros, which would be another text for the same. */
static const char *read_lineage(const char *value, char to[LINEAGE_SIZE])
{
    const char *colon = strchr(value, ':');
    const char *number = colon ? colon + 1 : value;
    size_t stamp = (size_t)(number - value);
    size_t digits = strspn(number, "0123456789");
    for (size_t i = 0; i < stamp; i++) {
        if (!isgraph((unsigned char)value[i])) {
            return "a number, or STAMP:NUMBER";
        }
    }
    if (digits == 0 || number[digits] || stamp == 1 || strlen(value) >= LINEAGE_SIZE) {
        return "a number, or STAMP:NUMBER";
    }
    while (number[0] == '0' && number[1]) {
        number++;
    }
    snprintf(to, LINEAGE_SIZE, "%.*s%s", (int)stamp, value, number);
    return NULL;
}

/* host:port, or the self_id of another server. */
static const char *read_upstream(const char *value, struct observation *seen)
{
    if (text_parse_address(value, seen->upstream_host, sizeof seen->upstream_host,
                           &seen->upstream_port)) {
        return NULL;
    }
    return strlen(value) < sizeof seen->upstream_id
               ? read_words(value, seen->upstream_id, sizeof seen->upstream_id)
               : "host:port, or another's self_id";
}

/* ---- columns --------------------------------------------------------------------------------- */

static const char *const columns[] = {"claim",    "identity", "lag_bytes", "lag_ms",
                                      "lineage",  "position", "ready",     "self_id",
                                      "upstream", "version",  "writable"};
enum column {
    CLAIM,
    IDENTITY,
    LAG_BYTES,
    LAG_MS,
    LINEAGE,
    POSITION,
    READY,
    SELF_ID,
    UPSTREAM,
    VERSION,
    WRITABLE,
    COLUMNS
};
static_assert(sizeof columns / sizeof *columns == COLUMNS, "every column has its name");

static enum column column_of(const char *name)
{
    enum column column = 0;
    while (column < COLUMNS && strcasecmp(columns[column], name) != 0) {
        column++;
    }
    return column;
}

static const char *read_value(enum column column, const char *value, struct observation *seen,
                              int *writable)
{
    switch (column) {
    case CLAIM:
        return read_flag(value, &seen->claim);
    case IDENTITY:
        return read_words(value, seen->identity, sizeof seen->identity);
    case LAG_BYTES:
        return read_lag(value, &seen->lag_bytes);
    case LAG_MS:
        return read_lag(value, &seen->lag_ms);
    case LINEAGE:
        return *value ? read_lineage(value, seen->lineage) : NULL;
    case POSITION:
        return read_position(value, seen);
    case READY:
        return read_flag(value, &seen->ready);
    case SELF_ID:
        return read_words(value, seen->self_id, sizeof seen->self_id);
    case UPSTREAM:
        return *value ? read_upstream(value, seen) : NULL;
    case VERSION:
        text_tame(seen->version, sizeof seen->version, value); /* cut: it is for people */
        return NULL;
    case WRITABLE:
        return read_flag(value, writable);
    default:
        return NULL;
    }
}

/* ---- the answer ------------------------------------------------------------------------------ */

#define WRONG(seen, ...) (snprintf((seen)->detail, sizeof(seen)->detail, __VA_ARGS__), false)

static bool refuse_column(const char *name, struct observation *seen)
{
    char tamed[NAME_SIZE], lower[NAME_SIZE], list[160];
    struct text text;
    text_tame(tamed, sizeof tamed, name);
    for (size_t i = 0; i < sizeof lower; i++) {
        lower[i] = (char)tolower((unsigned char)tamed[i]);
    }
    const char *nearest = text_nearest(lower, columns, COLUMNS, sizeof *columns);
    if (nearest) {
        return WRONG(seen,
                     "the query gives a column '%s', which means nothing here; did you mean %s?",
                     tamed, nearest);
    }
    text_init(&text, list, sizeof list);
    for (size_t i = 0; i < COLUMNS; i++) {
        text_put(&text, "%s%s", i ? ", " : "", columns[i]);
    }
    return WRONG(seen, "the query gives a column '%.20s'; there are %.110s", tamed, list);
}

static bool check_rows(const struct custom_result *answer, struct observation *seen)
{
    if (answer->columns == 0) {
        return WRONG(seen, "the query gives nothing to read");
    }
    return answer->rows <= 1 || WRONG(seen,
                                      "the query gives %zu rows; it must give one, or none from a "
                                      "server that is not ready",
                                      answer->rows);
}

/* Every column has a meaning, and occurs once. */
static bool check_columns(const struct custom_result *answer, struct observation *seen)
{
    bool there[COLUMNS] = {false};
    for (size_t i = 0; i < answer->columns; i++) {
        const char *name = answer->name(answer->result, i);
        enum column column = column_of(name);
        if (column == COLUMNS) {
            return refuse_column(name, seen);
        }
        if (there[column]) {
            return WRONG(seen, "the query gives the column %s twice", columns[column]);
        }
        there[column] = true;
    }
    return true;
}

/* A number orders claims over all time, but only within one cluster: without an identity none could
 * ever win. */
static bool check_lineage(const struct custom_result *answer, struct observation *seen)
{
    bool has_identity = false;
    for (size_t i = 0; i < answer->columns; i++) {
        has_identity = has_identity || column_of(answer->name(answer->result, i)) == IDENTITY;
    }
    if (lineage_is_total(seen->lineage) && !has_identity) {
        return WRONG(
            seen,
            "the query gives a number as lineage, and no identity: it needs that column, too");
    }
    return true;
}

/* What a server does not know of itself is no reason to write to it, and makes no standby of it. */
static void take_null(enum column column, struct observation *seen, int *writable)
{
    if (column == READY) {
        seen->ready = 0;
    } else if (column == CLAIM || column == WRITABLE) {
        seen->claim = column == CLAIM ? 0 : seen->claim;
        *writable = column == WRITABLE ? 0 : *writable;
        snprintf(seen->closed_by, sizeof seen->closed_by, "%s is NULL", columns[column]);
    }
}

static bool read_row(const struct custom_result *answer, struct observation *seen, int *writable)
{
    if (answer->rows == 0) {
        seen->ready = 0;
        return true;
    }
    for (size_t i = 0; i < answer->columns; i++) {
        enum column column = column_of(answer->name(answer->result, i));
        const char *value = answer->value(answer->result, i);
        const char *takes = value ? read_value(column, value, seen, writable) : NULL;
        if (!value) {
            take_null(column, seen, writable);
        }
        if (takes) {
            char tamed[NAME_SIZE];
            text_tame(tamed, sizeof tamed, value);
            return WRONG(seen, "the query's column %s is '%s'; it takes %s", columns[column], tamed,
                         takes);
        }
    }
    return check_lineage(answer, seen);
}

void custom_read(const struct custom_result *answer, struct observation *seen)
{
    int writable = -1;
    assert(seen->claim == -1 && seen->ready == -1 && seen->lag_ms == -1);
    if (!check_rows(answer, seen) || !check_columns(answer, seen) ||
        !read_row(answer, seen, &writable)) {
        seen->answer = ANSWER_PROTOCOL;
        return;
    }
    seen->answer = ANSWER_OK;
    seen->writable = seen->ready != 0 && (writable >= 0 ? writable == 1 : seen->claim != 0);
    bool fed = seen->upstream_host[0] || seen->upstream_id[0];
    bool follows = seen->claim == 0 && !seen->closed_by[0];
    seen->replica = seen->live = seen->applying = fed || follows;
}
