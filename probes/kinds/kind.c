#include "probes/kinds/kind.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct kind_rules *const rules[] = {
    [KIND_STREAMING] = &kind_streaming, [KIND_ASYNC] = &kind_async,
    [KIND_GROUP] = &kind_group,         [KIND_GALERA] = &kind_galera,
    [KIND_STATELESS] = &kind_stateless, [KIND_CUSTOM] = &kind_custom,
};
static_assert(sizeof rules / sizeof *rules == KIND_AUTO, "every kind has its rules");

const struct kind_rules *kind_rules_of(enum kind kind)
{
    assert(kind < KIND_AUTO && rules[kind]->kind == kind);
    return rules[kind];
}

enum kind kind_shown(enum engine engine, const struct observation *facts)
{
    enum kind shown = KIND_AUTO;
    for (enum kind kind = 0; kind < KIND_AUTO; kind++) {
        if (rules[kind]->recognises && rules[kind]->engine == engine &&
            rules[kind]->recognises(facts)) {
            shown = kind;
        }
    }
    return shown;
}

struct lag kind_lag_of_queue(const struct observation *facts, enum condition condition)
{
    struct lag lag = LAG_NOT_KNOWN;
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
