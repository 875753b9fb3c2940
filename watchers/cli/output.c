#include "watchers/cli/output.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/base/limits.h"
#include "registry/base/text.h"

/* ---- sentences ------------------------------------------------------------------------------- */

static void print_sentence(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static void print_sentence(const char *format, va_list args)
{
    char sentence[2 * SENTENCE_SIZE];
    vsnprintf(sentence, sizeof sentence, format, args);
    fprintf(stderr, "roster: %s\n", sentence);
}

int fail(enum cli_exit code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_sentence(format, args);
    va_end(args);
    return (int)code;
}

void warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_sentence(format, args);
    va_end(args);
}

/* ---- colours --------------------------------------------------------------------------------- */

static bool coloured;

static const char *const escapes[] = {
    [PLAIN] = "",        [STRONG] = "\033[1m",    [FAINT] = "\033[2m",
    [GOOD] = "\033[32m", [DOUBTFUL] = "\033[33m", [BAD] = "\033[31m",
};

void output_init(void)
{
    const char *no_color =
        getenv("NO_COLOR"); /* https://no-color.org: when present and not empty */
    const char *term = getenv("TERM");
    coloured =
        isatty(STDOUT_FILENO) && !(no_color && no_color[0]) && !(term && text_equal(term, "dumb"));
}

/* ---- writing --------------------------------------------------------------------------------- */

static int first_error; /* later ones are its consequence */

bool output_flush(void)
{
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && !first_error) {
        first_error = errno ? errno : EIO;
    }
    return first_error == 0;
}

int output_error(void)
{
    return first_error;
}

void output_forgive(void)
{
    __fpurge(stdout);
    clearerr(stdout);
    first_error = 0;
}

int done(const char *format, ...)
{
    char sentence[2 * SENTENCE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    printf("%s\n", sentence);
    if (output_flush() || first_error == EPIPE) {
        return CLI_DONE;
    }
    return fail(CLI_INTERNAL, "%s, but its output could not be written: %s", sentence,
                strerror(first_error));
}

static void begin_colour(enum colour colour)
{
    if (coloured && colour != PLAIN) {
        fputs(escapes[colour], stdout);
    }
}

static void end_colour(enum colour colour)
{
    if (coloured && colour != PLAIN) {
        fputs("\033[0m", stdout);
    }
}

void output_put(enum colour colour, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    begin_colour(colour);
    vprintf(format, args);
    end_colour(colour);
    va_end(args);
}

enum colour colour_of(const char *word)
{
    static const struct {
        const char *word;
        enum colour colour;
    } words[] = {
        {"ok", GOOD},          {"up", GOOD},      {"suspect", DOUBTFUL},
        {"unknown", DOUBTFUL}, {"conflict", BAD}, {"no-primary", BAD},
        {"down", BAD},         {"broken", BAD},   {"primary", STRONG},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text_equal(word, words[i].word)) {
            return words[i].colour;
        }
    }
    return PLAIN;
}

/* ---- the grid -------------------------------------------------------------------------------- */

struct cell {
    enum colour colour;
    char *text; /* NULL: the row ends here */
};

struct grid {
    struct cell *cells;
    size_t count, room;
};

static void *must(void *memory)
{
    if (!memory) {
        fputs("roster: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

struct grid *grid_new(void)
{
    return must(calloc(1, sizeof(struct grid)));
}

static void add_cell(struct grid *grid, enum colour colour, char *text)
{
    if (grid->count == grid->room) {
        grid->room = grid->room ? 2 * grid->room : 64;
        grid->cells = must(realloc(grid->cells, grid->room * sizeof *grid->cells));
    }
    grid->cells[grid->count++] = (struct cell){colour, text};
}

void grid_cell(struct grid *grid, enum colour colour, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) {
        text = NULL;
    }
    va_end(args);
    add_cell(grid, colour, must(text));
}

void grid_end_row(struct grid *grid)
{
    assert(grid->count > 0 && grid->cells[grid->count - 1].text); /* a row has cells */
    add_cell(grid, PLAIN, NULL);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++) {
        width += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return width;
}

static size_t column_width(const struct grid *grid, size_t column)
{
    size_t widest = 0;
    size_t at = 0;
    for (size_t i = 0; i < grid->count; i++) {
        if (!grid->cells[i].text) {
            at = 0;
            continue;
        }
        size_t width = at++ == column ? width_of(grid->cells[i].text) : 0;
        widest = width > widest ? width : widest;
    }
    return widest;
}

/* Nothing but emptiness up to the end of the row? Then no blanks are printed for it. */
static bool row_is_over(const struct cell *cell)
{
    for (; cell->text; cell++) {
        if (cell->text[0]) {
            return false;
        }
    }
    return true;
}

void grid_print(const struct grid *grid, const char *indent)
{
    enum { COLUMNS = 16 };
    size_t widths[COLUMNS];
    for (size_t column = 0; column < COLUMNS; column++) {
        widths[column] = column_width(grid, column);
    }
    size_t column = 0;
    size_t owed = 0; /* blanks before the next word */
    for (const struct cell *cell = grid->cells; cell < grid->cells + grid->count; cell++) {
        if (!cell->text) {
            putchar('\n');
            column = owed = 0;
            continue;
        }
        if (row_is_over(cell)) {
            continue;
        }
        if (column == 0) {
            fputs(indent, stdout);
        }
        printf("%*s", (int)owed, "");
        output_put(cell->colour, "%s", cell->text);
        size_t room = column < COLUMNS ? widths[column] : width_of(cell->text);
        owed = room - width_of(cell->text) + (room ? 2 : 0);
        column++;
    }
}

void grid_free(struct grid *grid)
{
    if (!grid) {
        return;
    }
    for (size_t i = 0; i < grid->count; i++) {
        free(grid->cells[i].text);
    }
    free(grid->cells);
    free(grid);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_quoted(FILE *to, const char *text)
{
    putc('"', to);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') {
            putc('\\', to);
            putc(*c, to);
        } else if (*c < 0x20 || *c == 0x7f) {
            fprintf(to, "\\u%04x", *c);
        } else {
            putc(*c, to);
        }
    }
    putc('"', to);
}

static void put_key(struct json_writer *json, const char *key)
{
    assert(json->to);
    if (json->comma) {
        fputs(", ", json->to);
    }
    json->comma = true;
    if (key) {
        put_quoted(json->to, key);
        fputs(": ", json->to);
    }
}

void json_writer_open(struct json_writer *json, const char *key, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    put_key(json, key);
    putc(bracket, json->to);
    json->comma = false;
}

void json_writer_close(struct json_writer *json, char bracket)
{
    assert(bracket == '}' || bracket == ']');
    putc(bracket, json->to);
    json->comma = true;
}

void json_writer_text(struct json_writer *json, const char *key, const char *value)
{
    put_key(json, key);
    if (value && value[0]) {
        put_quoted(json->to, value);
    } else {
        fputs("null", json->to);
    }
}

void json_writer_number(struct json_writer *json, const char *key, int64_t value)
{
    put_key(json, key);
    fprintf(json->to, "%lld", (long long)value);
}

void json_writer_amount(struct json_writer *json, const char *key, int64_t value)
{
    if (value >= 0) {
        json_writer_number(json, key, value);
    } else {
        json_writer_text(json, key, NULL);
    }
}

void json_writer_time(struct json_writer *json, const char *key, int64_t wall_ms)
{
    char time[32];
    json_writer_text(json, key, wall_ms ? text_time(time, sizeof time, wall_ms) : NULL);
}

void json_writer_bool(struct json_writer *json, const char *key, bool value)
{
    put_key(json, key);
    fputs(value ? "true" : "false", json->to);
}
