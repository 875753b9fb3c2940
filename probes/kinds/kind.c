#include "probes/kinds/kind.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct kind_rules *const rules[] = {
#define KIND_ROW(constant, rules, ...) [KIND_##constant] = &kind_##rules,
    KINDS(KIND_ROW)
#undef KIND_ROW
};

const struct kind_rules *kind_rules_of(enum kind kind)
{
    assert(kind < KIND_AUTO);
    assert(!rules[kind]->shows == (kind_traits_of(kind)->rank == 0));
    return rules[kind];
}

enum kind kind_shown(enum engine engine, const struct observation *facts)
{
    /* a server that refuses a privilege has answered, too */
    assert(facts->answer == ANSWER_OK || facts->answer == ANSWER_PRIVILEGE);
    enum kind shown = KIND_AUTO;
    int rank = 0;
    for (enum kind kind = 0; kind < KIND_AUTO; kind++) {
        if (kind_traits_of(kind)->rank > rank && kind_fits(kind, engine) &&
            rules[kind]->shows(facts)) {
            shown = kind;
            rank = kind_traits_of(kind)->rank;
        }
    }
    return shown;
}

struct lag kind_lag_of_queue(const struct observation *facts, enum condition condition)
{
    struct lag lag = LAG_NOT_KNOWN;
    assert(facts->group.type != GROUP_NONE); /* its queue is what a group reports */
    lag.transactions = facts->group.queue;
    lag.state = condition != CONDITION_FIT ? LAG_BROKEN
                : facts->group.queue < 0   ? LAG_UNKNOWN
                                           : LAG_OK;
    return lag;
}

bool kind_awaits(const struct observation *primary, const struct observation *standby)
{
    size_t length = strlen(standby->stream_name);
    for (const char *at = primary->awaited; *at && length > 0; at += strspn(at, "\n")) {
        size_t size = strcspn(at, "\n");
        if (size == length && memcmp(at, standby->stream_name, length) == 0) {
            return standby->live;
        }
        at += size;
    }
    return false;
}
