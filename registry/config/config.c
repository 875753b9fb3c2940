/* inih splits lines into keys and values; what it would get wrong silently never reaches it:
 *
 *     file --> reader: one line at a time --> inih --> handler --> setting_parse --> draft
 *                |
 *                +--> errors: too long, a NUL byte, not UTF-8, no '='
 *
 * Line numbers are the reader's, for inih calls back while its line is the current one.
 *
 * - It cuts lines at 199 bytes and goes on with the rest as another line: a
 *   longer one is handed over in part, and the handler appends the rest.
 * - It cuts section names at 49 bytes: headings are read here.
 * - An indented line continues the value above: indentation is taken off.
 * - It reports the first bad line only: bad lines never reach it.
 * The variables that change this at run time are Debian's own, and are left alone. */
#include "registry/config/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/base/text.h"
#include "registry/config/draft.h"

/* ---- lines ----------------------------------------------------------------------------------- */

struct reader {
    struct draft *draft;
    const char *at, *end; /* of the file, what is still to be read */
    int line_number;
    char line[LINE_SIZE]; /* the current one, without comment and blanks at its ends */
    const char *rest;     /* what of it inih was not handed */
    bool awaited;         /* inih was handed a setting and has not called back yet */
    bool in_section;
    size_t section; /* the current one's index: sections move */
};

static struct section *current_section(const struct reader *reader)
{
    return reader->in_section ? &reader->draft->origins->sections[reader->section] : NULL;
}

static struct config_position here(const struct reader *reader, const char *key)
{
    const struct section *section = current_section(reader);
    return (struct config_position){
        .line = reader->line_number, .section = section ? section->heading : NULL, .key = key};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cut off a comment (';' at the start or behind a blank) and the blanks round what is left. */
static char *strip(char *line)
{
    while (is_blank(*line)) {
        line++;
    }
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++) {
        if (line[i] == ';' && (i == 0 || is_blank(line[i - 1]))) {
            length = i;
        }
    }
    while (length > 0 && is_blank(line[length - 1])) {
        length--;
    }
    line[length] = '\0';
    return line;
}

static bool has_control(const char *line)
{
    for (; *line; line++) {
        if (((unsigned char)*line < 0x20 && *line != '\t') || *line == 0x7f) {
            return true;
        }
    }
    return false;
}

/* The next line of the file into reader->line; "" when it is empty, or nothing we
 * could read. */
static void take_line(struct reader *reader)
{
    struct config_errors *errors = &reader->draft->errors;
    const char *start = reader->at, *stop = memchr(start, '\n', (size_t)(reader->end - start));
    stop = stop ? stop : reader->end;
    reader->at = stop < reader->end ? stop + 1 : stop;
    reader->line_number++;
    reader->line[0] = '\0';

    while (start < stop && is_blank(*start)) {
        start++;
    }
    size_t length = (size_t)(stop - start);
    if (length == 0 || *start == '#' || *start == ';') {
        return;
    }
    if (memchr(start, '\0', length)) {
        config_refuse(errors, here(reader, NULL), "is it text? UTF-16 is not read",
                      "the line holds a NUL byte");
    } else if (length >= LINE_SIZE) {
        config_refuse(errors, here(reader, NULL), NULL, "the line is longer than %d bytes",
                      LINE_SIZE - 1);
    } else if (!text_is_utf8(start, length)) {
        config_refuse(errors, here(reader, NULL), NULL, "the line is not UTF-8");
    } else {
        char line[LINE_SIZE];
        memcpy(line, start, length);
        line[length] = '\0';
        char *stripped = strip(line);
        if (has_control(stripped)) {
            config_refuse(errors, here(reader, NULL), NULL, "the line holds a control character");
        } else {
            memcpy(reader->line, stripped, strlen(stripped) + 1);
        }
        explicit_bzero(line, sizeof line);
    }
}

/* ---- headings -------------------------------------------------------------------------------- */

static const char headings[] =
    "the sections are [registry], [probe], [cluster NAME], [member CLUSTER/NAME]";

/* "[cluster orders]" in reader->line. A section that cannot be made out still becomes the current
 * one, lest its settings end up in the one before. */
static void open_section(struct reader *reader)
{
    struct config_errors *errors = &reader->draft->errors;
    char *close = strchr(reader->line, ']'), *heading = reader->line + 1, *name;
    reader->in_section = false;
    if (!close) {
        config_refuse(errors, here(reader, NULL), "[cluster orders], for example",
                      "the heading has no ']'");
    } else if (close[1]) {
        config_refuse(errors, here(reader, NULL), "a comment begins with ';' behind a blank",
                      "there is something behind the heading");
    }
    if (close) {
        *close = '\0';
    }
    heading = strip(heading);
    size_t length = strcspn(heading, " \t");
    name = heading + length + strspn(heading + length, " \t");

    char kind_name[16] = "";
    if (length < sizeof kind_name) {
        memcpy(kind_name, heading, length);
    }
    int kind = name_index(section_names, kind_name);
    struct section *section =
        draft_add_section(reader->draft, kind < 0 ? SECTION_UNKNOWN : (enum section_kind)kind,
                          reader->line_number, heading);
    if (!section) {
        reader->draft->errors.failed = true;
        return;
    }
    reader->in_section = true;
    reader->section = reader->draft->origins->count - 1;
    if (kind < 0 && close) {
        const char *nearest =
            text_nearest(kind_name, section_names, SECTION_UNKNOWN, sizeof *section_names);
        char hint[SENTENCE_SIZE];
        snprintf(hint, sizeof hint, "%s%s%s%s", nearest ? "did you mean " : "",
                 nearest ? nearest : "", nearest ? "? " : "", headings);
        config_refuse(errors, here(reader, NULL), hint, "there is no such section");
    }
    section->spare = kind < 0 || !draft_name_section(section, name, errors);
}

/* ---- settings -------------------------------------------------------------------------------- */

/* Is the line in reader->line a setting that inih will call back for? */
static bool is_setting(struct reader *reader)
{
    struct config_errors *errors = &reader->draft->errors;
    size_t length = strcspn(reader->line, "=:");
    if (reader->line[length] != '=') {
        config_refuse(errors, here(reader, NULL),
                      "write KEY = VALUE; a value cannot go on in the next line",
                      "this is not a setting");
        return false;
    }
    if (length == 0) {
        config_refuse(errors, here(reader, NULL), "write KEY = VALUE",
                      "there is no key before the '='");
        return false;
    }
    if (length > NAME_SIZE) {
        config_refuse(errors, here(reader, NULL), NULL, "'%.40s...' is too long for a key",
                      reader->line);
        return false;
    }
    if (!reader->in_section) {
        config_refuse(errors, here(reader, NULL), headings,
                      "this setting stands before any section");
        return false;
    }
    return current_section(reader)->kind != SECTION_UNKNOWN;
}

/* What inih calls for a line: fgets. `size` is the room it has, which differs from build to build.
 */
static char *read_line(char *to, int size, void *stream)
{
    struct reader *reader = stream;
    size_t room = (size_t)size - 2; /* a newline and the end */
    assert(size > 2 * NAME_SIZE);
    if (reader->awaited) {
        config_refuse(&reader->draft->errors, here(reader, NULL), NULL,
                      "the INI library did not understand this line");
        reader->awaited = false;
    }
    if (reader->at == reader->end) {
        return NULL;
    }
    take_line(reader);
    if (reader->line[0] == '[') {
        open_section(reader);
        reader->line[0] = '\0';
    }
    if (reader->line[0] && !is_setting(reader)) {
        reader->line[0] = '\0';
    }
    reader->awaited = reader->line[0] != '\0';

    size_t length = strlen(reader->line);
    size_t handed = length < room ? length : room;
    while (handed > 0 && handed < length && is_blank(reader->line[handed - 1])) {
        handed--; /* inih would trim the blank, though the value goes on */
    }
    memcpy(to, reader->line, handed);
    memcpy(to + handed, "\n", 2);
    reader->rest = reader->line + handed;
    return to;
}

static void refuse_key(struct reader *reader, const char *key)
{
    enum section_kind kind = current_section(reader)->kind;
    const char *nearest = settings_nearest(kind, key);
    char hint[SENTENCE_SIZE];
    struct text text;
    text_init(&text, hint, sizeof hint);
    for (int other = 0; !nearest && other < SECTION_UNKNOWN; other++) {
        if (settings_find((enum section_kind)other, key)) {
            text_put(&text, "it belongs to a [%s] section; ", section_names[other]);
        }
    }
    if (nearest) {
        text_put(&text, "did you mean %s?", nearest);
    } else {
        size_t i, end;
        text_put(&text, "there are");
        for (settings_of(kind, &i, &end); i < end; i++) {
            text_put(&text, " %s%s", settings[i].key, i + 1 < end ? "," : "");
        }
    }
    config_refuse(&reader->draft->errors, here(reader, key), hint, "there is no such setting here");
}

/* What is wrong with any value, whatever its type. */
static bool is_sound(struct reader *reader, const struct setting *setting, const char *key,
                     const char *value)
{
    struct config_errors *errors = &reader->draft->errors;
    size_t length = strlen(value);
    bool quoted =
        length > 1 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0];
    char hint[SENTENCE_SIZE];
    if (length == 0) {
        snprintf(hint, sizeof hint, "leave the line out for the default, %s", setting->usual[0]);
        config_refuse(errors, here(reader, key), setting->usual[0] ? hint : NULL, "has no value");
    } else if (quoted) {
        config_refuse(errors, here(reader, key), "leave them out",
                      "quotes would be part of the value");
    } else if (strstr(value, " #")) {
        config_refuse(errors, here(reader, key), "behind a value a comment begins with ';'",
                      "'#' would be part of the value");
    }
    return length > 0 && !quoted && !strstr(value, " #");
}

/* Records where a key was set; false, and an error, when it was set before. */
static bool claim_key(struct reader *reader, const struct setting *setting, const char *key)
{
    struct section *section = current_section(reader);
    int *line = &section->lines[setting - settings], before = *line;
    if (setting->type == SETTING_LABEL) {
        before = 0;
        for (size_t i = 0; i < section->label_count; i++) {
            before = text_equal(section->labels[i].key, key + strlen("label."))
                         ? section->labels[i].line
                         : before;
        }
    }
    if (before) {
        config_refuse(&reader->draft->errors, here(reader, key), NULL,
                      "is set twice: first on line %d", before);
        return false;
    }
    *line = reader->line_number;
    return true;
}

static void set(struct reader *reader, const char *key, const char *value)
{
    struct section *section = current_section(reader);
    const struct setting *setting = settings_find(section->kind, key);
    struct mistake mistake;
    if (!setting) {
        refuse_key(reader, key);
        return;
    }
    if (!claim_key(reader, setting, key)) {
        return;
    }
    if (!is_sound(reader, setting, key, value)) {
        section->wrong[setting - settings] = true;
    } else if (!setting_parse(setting, key, value, section->values, &mistake)) {
        section->wrong[setting - settings] = true;
        config_refuse(&reader->draft->errors, here(reader, key), mistake.hint, "%s", mistake.what);
    } else if (setting->type == SETTING_LABEL) {
        struct label_origin *origin = &section->labels[section->label_count++];
        text_copy(origin->key, sizeof origin->key, key + strlen("label."));
        origin->line = reader->line_number;
    }
}

/* inih's handler; the value goes on in reader->rest when the line was longer than inih can take. */
static int handle(void *user, const char *section, const char *key, const char *value)
{
    struct reader *reader = user;
    char whole[LINE_SIZE];
    (void)section; /* cut at 49 bytes; ours is whole */
    if (!reader->awaited) {
        config_refuse(&reader->draft->errors, here(reader, key), NULL,
                      "the INI library saw a setting where there is none");
        return 1;
    }
    reader->awaited = false;
    size_t length = strlen(value);
    assert(length + strlen(reader->rest) < sizeof whole); /* both are parts of reader->line */
    memcpy(whole, value, length);
    memcpy(whole + length, reader->rest, strlen(reader->rest) + 1);
    set(reader, key, whole + strspn(whole, " \t"));
    explicit_bzero(whole, sizeof whole);
    return 1;
}

/* ---- the file -------------------------------------------------------------------------------- */

static void parse(struct draft *draft, const char *content, size_t size)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct reader reader = {.draft = draft, .at = content, .end = content + size};
    if (size >= 3 && memcmp(content, byte_order_mark, 3) == 0) {
        reader.at += 3;
    }
    if (ini_parse_stream(read_line, &reader, handle, &reader) != 0 && !draft->errors.failed) {
        config_refuse(&draft->errors, (struct config_position){0}, NULL, "the INI library gave up");
    }
    explicit_bzero(&reader, sizeof reader);
}

/* The whole file, to be wiped and freed by the caller; NULL, and an error, when it cannot be
 * read. */
static char *read_file(struct draft *draft, const char *file, size_t *ret_size)
{
    struct config_errors *errors = &draft->errors;
    struct stat is;
    char *content = NULL;
    size_t size = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &is) != 0) {
        config_refuse(errors, (struct config_position){0}, NULL, "cannot be opened: %s",
                      strerror(errno));
        goto out;
    }
    if (!S_ISREG(is.st_mode)) {
        config_refuse(errors, (struct config_position){0}, "it must be a regular file", "is %s",
                      S_ISDIR(is.st_mode) ? "a directory" : "not a file");
        goto out;
    }
    draft->file_owner = is.st_uid;
    draft->file_mode = is.st_mode;
    content = malloc(FILE_SIZE_MAX + 1);
    if (!content) {
        config_refuse(errors, (struct config_position){0}, NULL, "memory ran out");
        goto out;
    }
    for (ssize_t got = 1; got > 0; size += (size_t)got) {
        got = size <= FILE_SIZE_MAX ? read(fd, content + size, FILE_SIZE_MAX + 1 - size) : 0;
        if (got < 0) {
            config_refuse(errors, (struct config_position){0}, NULL, "cannot be read: %s",
                          strerror(errno));
            break;
        }
    }
    if (size > FILE_SIZE_MAX) {
        config_refuse(errors, (struct config_position){0}, NULL, "is larger than %d bytes",
                      FILE_SIZE_MAX);
    }
out:
    if (fd >= 0) {
        close(fd);
    }
    if (errors->failed && content) {
        explicit_bzero(content, FILE_SIZE_MAX + 1);
        free(content);
        content = NULL;
    }
    *ret_size = size;
    return content;
}

struct config *config_load(const char *file, FILE *errors)
{
    struct draft draft = {.origins = calloc(1, sizeof *draft.origins), .errors = {.file = file}};
    struct config *config = NULL;
    size_t size;
    char *content = draft.origins ? read_file(&draft, file, &size) : NULL;
    if (content) {
        parse(&draft, content, size);
        explicit_bzero(content, size);
        free(content);
        draft_check(&draft);
        config = draft.errors.failed ? NULL : draft_make_config(&draft);
    }
    if (!config && draft.errors.count == 0) {
        config_refuse(&draft.errors, (struct config_position){0}, NULL, "memory ran out");
    }
    config_errors_print(&draft.errors, errors);
    origins_free(draft.origins);
    return config;
}

void config_free(struct config *config)
{
    if (!config) {
        return;
    }
    explicit_bzero(config->clusters, config->cluster_count * sizeof *config->clusters);
    free(config->clusters);
    origins_free(config->origins);
    explicit_bzero(config, sizeof *config);
    free(config);
}
