#include "registry/config/errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/limits.h"
#include "registry/base/text.h"

enum { COMPLAINT_SIZE = 4 * SENTENCE_SIZE + 64 }; /* heading, key, sentence and hint, each tamed into SENTENCE_SIZE */

/* Takes over `sentence`; NULL is memory that ran out. */
static void add(struct complaints *complaints, int line, char *sentence)
{
    if (complaints->count == complaints->room) {
        size_t room = complaints->room ? 2 * complaints->room : 16;
        struct complaint *list = reallocarray(complaints->list, room, sizeof *list);
        if (!list) {
            complaints->failed = true;
            free(sentence);
            return;
        }
        complaints->list = list;
        complaints->room = room;
    }
    if (!sentence) {
        complaints->failed = true;
        return;
    }
    complaints->list[complaints->count] = (struct complaint){.line = line, .order = complaints->count, .sentence = sentence};
    complaints->count++;
}

__attribute__((format(printf, 5, 0))) static void compose(struct complaints *complaints, struct place place, const char *severity,
                                                          const char *hint, const char *format, va_list arguments)
{
    char buffer[COMPLAINT_SIZE], what[SENTENCE_SIZE], tame[SENTENCE_SIZE];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    if (place.section) {
        text_tame(tame, sizeof tame, place.section);
        text_put(&text, "[%s]%s", tame, place.key ? " " : ": ");
    }
    if (place.key) {
        text_tame(tame, sizeof tame, place.key);
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
    add(complaints, place.line, strdup(buffer));
}

void complain(struct complaints *complaints, struct place place, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    compose(complaints, place, "", hint, format, arguments);
    va_end(arguments);
    complaints->failed = true;
}

void complain_mildly(struct complaints *complaints, struct place place, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    compose(complaints, place, "warning: ", hint, format, arguments);
    va_end(arguments);
}

static int by_line(const void *a, const void *b)
{
    const struct complaint *one = a, *other = b;
    if (one->line != other->line) {
        return one->line < other->line ? -1 : 1;
    }
    return one->order < other->order ? -1 : one->order > other->order;
}

void complaints_tell(struct complaints *complaints, FILE *to)
{
    if (complaints->count > 0) {
        qsort(complaints->list, complaints->count, sizeof *complaints->list, by_line);
    }
    for (size_t i = 0; i < complaints->count; i++) {
        const struct complaint *complaint = &complaints->list[i];
        if (complaint->line > 0) {
            fprintf(to, "%s:%d: %s\n", complaints->file, complaint->line, complaint->sentence);
        } else {
            fprintf(to, "%s: %s\n", complaints->file, complaint->sentence);
        }
        free(complaint->sentence);
    }
    free(complaints->list);
    complaints->list = NULL;
    complaints->count = complaints->room = 0;
}
