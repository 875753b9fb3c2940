/* Mistakes in a configuration file, gathered while it is read and printed at the
 * end, in the order of its lines:
 *
 *     roster-probe.ini:12: [cluster orders] engine: 'postgress' is unknown (did you mean ...)
 *     roster-probe.ini:13: [cluster orders] witnesses: warning: 2 is even (...)
 *
 * All of them, not the first alone: a person mends a file once. */
#ifndef ROSTER_REGISTRY_CONFIG_ERRORS_H
#define ROSTER_REGISTRY_CONFIG_ERRORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct config_error {
    int line;     /* 0: the file as a whole */
    size_t order; /* among those of one line */
    char *sentence;
};

struct config_errors {
    const char *file; /* borrowed */
    size_t count, room;
    struct config_error *list;
    bool failed; /* one of them was more than a warning, or memory ran out */
};

/* Where a mistake is: `section` as in its heading, without brackets; NULL where there is none. */
struct config_position {
    int line;
    const char *section;
    const char *key;
};

/* `hint` may be NULL or "". */
void config_refuse(struct config_errors *errors, struct config_position position, const char *hint,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for what is odd but not wrong: does not set `failed`. */
void config_warn(struct config_errors *errors, struct config_position position, const char *hint,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Prints them and forgets them; `failed` stays. */
void config_errors_print(struct config_errors *errors, FILE *to);

#endif
