#include "registry/model/kinds.h"

#include <assert.h>

#include "registry/base/text.h"

const char *const engine_names[] = {"postgresql", "mysql", NULL};
const char *const writers_names[] = {"single", "all", NULL};

#define KIND_NAME(constant, rules, name, ...) name,
const char *const kind_names[] = {KINDS(KIND_NAME) "auto", NULL};

#define KIND_ROW(constant, rules, name, ...) [KIND_##constant] = {__VA_ARGS__},
static const struct kind_traits traits[] = {
    [KIND_AUTO] = {.engines = ON_POSTGRESQL | ON_MYSQL, .many_writers = true, .may_discover = true},
    KINDS(KIND_ROW) /* each with its comma */
};

const struct kind_traits *kind_traits_of(enum kind kind)
{
    assert((size_t)kind < sizeof traits / sizeof *traits);
    return &traits[kind];
}

bool kind_fits(enum kind kind, enum engine engine)
{
    return kind_traits_of(kind)->engines & 1U << engine;
}

static bool is_shown(enum kind kind, enum engine engine)
{
    return kind_fits(kind, engine) && traits[kind].rank > 0;
}

enum kind kind_least(enum engine engine)
{
    enum kind least = KIND_AUTO;
    for (enum kind kind = 0; kind < KIND_AUTO; kind++) {
        if (is_shown(kind, engine) &&
            (least == KIND_AUTO || traits[kind].rank < traits[least].rank)) {
            least = kind;
        }
    }
    assert(least != KIND_AUTO);
    return least;
}

enum kind kind_only(enum engine engine)
{
    enum kind only = kind_least(engine);
    for (enum kind kind = 0; kind < KIND_AUTO; kind++) {
        if (kind != only && is_shown(kind, engine)) {
            return KIND_AUTO;
        }
    }
    return only;
}

enum kind kind_or_least(enum kind kind, enum engine engine)
{
    return kind != KIND_AUTO ? kind : kind_least(engine);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void put_name(struct text *list, const char *separator, enum kind kind)
{
    text_put(list, "%s%s", list->used ? separator : "", kind_names[kind]);
}

void kind_list_fitting(enum engine engine, char *to, size_t size)
{
    struct text list;
    text_init(&list, to, size);
    for (enum kind kind = 0; kind < KIND_AUTO; kind++) {
        if (kind_fits(kind, engine)) {
            put_name(&list, ", ", kind);
        }
    }
}

void kind_list_queried(char *to, size_t size)
{
    struct text list;
    text_init(&list, to, size);
    for (enum kind kind = KIND_AUTO; kind-- > 0;) { /* the general ones are the last rows */
        if (traits[kind].takes_query) {
            put_name(&list, ", or ", kind);
        }
    }
}
