#include "registry/config/errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/limits.h"
#include "registry/base/text.h"

/* heading, key, sentence and hint, each tamed into SENTENCE_SIZE */
enum { ERROR_SIZE = 4 * SENTENCE_SIZE + 64 };

/* Takes over `sentence`; NULL is memory that ran out. */
static void add(struct config_errors *errors, int line, char *sentence)
{
    if (errors->count == errors->room) {
        size_t room = errors->room ? 2 * errors->room : 16;
        struct config_error *list = reallocarray(errors->list, room, sizeof *list);
        if (!list) {
            errors->failed = true;
            free(sentence);
            return;
        }
        errors->list = list;
        errors->room = room;
    }
    if (!sentence) {
        errors->failed = true;
        return;
    }
    errors->list[errors->count] =
        (struct config_error){.line = line, .order = errors->count, .sentence = sentence};
    errors->count++;
}

__attribute__((format(printf, 5, 0))) static void compose(struct config_errors *errors,
                                                          struct config_position position,
                                                          const char *severity, const char *hint,
                                                          const char *format, va_list arguments)
{
    char buffer[ERROR_SIZE], what[SENTENCE_SIZE], tame[SENTENCE_SIZE];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    if (position.section) {
        text_tame(tame, sizeof tame, position.section);
        text_put(&text, "[%s]%s", tame, position.key ? " " : ": ");
    }
    if (position.key) {
        text_tame(tame, sizeof tame, position.key);
        text_put(&text, "%s: ", tame);
    }
    if (vsnprintf(what, sizeof what, format, arguments) < 0) {
        what[0] = '\0';
    }
    text_tame(tame, sizeof tame, what);
    text_put(&text, "%s%s", severity, tame);
    if (hint && hint[0]) {
        text_tame(tame, sizeof tame, hint);
        text_put(&text, " (%s)", tame);
    }
    add(errors, position.line, strdup(buffer));
}

void config_refuse(struct config_errors *errors, struct config_position position, const char *hint,
                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    compose(errors, position, "", hint, format, arguments);
    va_end(arguments);
    errors->failed = true;
}

void config_warn(struct config_errors *errors, struct config_position position, const char *hint,
                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    compose(errors, position, "warning: ", hint, format, arguments);
    va_end(arguments);
}

static int by_line(const void *a, const void *b)
{
    const struct config_error *one = a, *other = b;
    if (one->line != other->line) {
        return one->line < other->line ? -1 : 1;
    }
    return one->order < other->order ? -1 : one->order > other->order;
}

void config_errors_print(struct config_errors *errors, FILE *to)
{
    if (errors->count > 0) {
        qsort(errors->list, errors->count, sizeof *errors->list, by_line);
    }
    for (size_t i = 0; i < errors->count; i++) {
        const struct config_error *error = &errors->list[i];
        if (error->line > 0) {
            fprintf(to, "%s:%d: %s\n", errors->file, error->line, error->sentence);
        } else {
            fprintf(to, "%s: %s\n", errors->file, error->sentence);
        }
        free(error->sentence);
    }
    free(errors->list);
    errors->list = NULL;
    errors->count = errors->room = 0;
}
