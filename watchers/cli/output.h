/* How verbs print: sentences, colours, a grid of columns, JSON.
 *
 * Colours appear only when stdout is a terminal, TERM is not "dumb" and
 * NO_COLOR is not set. Running out of memory ends the program. */
#ifndef ROSTER_WATCHERS_CLI_OUTPUT_H
#define ROSTER_WATCHERS_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "watchers/cli/cli.h"

/* "roster: sentence" to stderr; returns `code`, so that a verb can end with it. */
int fail(enum cli_exit code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

enum colour { PLAIN, STRONG, FAINT, GOOD, DOUBTFUL, BAD };

/* The sentence to stdout, for something that was changed, which it is whether or not the sentence
 * can be written. Returns the exit code. */
int done(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Call before anything is printed. */
void output_init(void);

/* Write out what was printed. False once anything could not be written. One thread at a time. */
bool output_flush(void);

/* The errno of the first failed write; 0: all was written. */
int output_error(void);

/* Drops what could not be written, and the error. */
void output_forgive(void);

/* Print coloured; `colour` PLAIN is printf. */
void output_put(enum colour colour, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The colour of a state, a health or a role, by its name in the registry. */
enum colour colour_of(const char *word);

/* Rows of cells, printed with aligned columns, two blanks between. */
struct grid;
struct grid *grid_new(void);
void grid_cell(struct grid *grid, enum colour colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void grid_end_row(struct grid *grid);
void grid_print(const struct grid *grid, const char *indent);
void grid_free(struct grid *grid);

/* JSON as it comes: no tree in memory. `key` is NULL inside an array.
 *
 * The dialect is the registry's: its key names; host and port apart; times in RFC 3339 under names
 * that end in _wall. To a reader an absent key, null and, for a flag, false are the same. The
 * registry leaves such keys out; what is printed here is complete, so that a script in any language
 * finds every key of a record. */
struct json_writer {
    FILE *to;
    bool comma; /* a value precedes, on this level */
};
void json_writer_open(struct json_writer *json, const char *key, char bracket);
void json_writer_close(struct json_writer *json, char bracket);
/* NULL or "": null */
void json_writer_text(struct json_writer *json, const char *key, const char *value);
void json_writer_number(struct json_writer *json, const char *key, int64_t value);
/* below 0: not known, null */
void json_writer_amount(struct json_writer *json, const char *key, int64_t value);
/* milliseconds since 1970; 0: not known, null */
void json_writer_time(struct json_writer *json, const char *key, int64_t wall_ms);
void json_writer_bool(struct json_writer *json, const char *key, bool value);

#endif
