#include "watchers/plan.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"

static bool is_used(const struct table *table, int index)
{
    return (table->writer_set | table->pool_set) >> index & 1;
}

static bool is_gone(const struct table *table, int index)
{
    return table->gone_set >> index & 1;
}

static bool moved(const struct roster_endpoint *a, const struct roster_endpoint *b)
{
    return a->port != b->port || strcmp(a->host, b->host) != 0;
}

/* `old` and `new` are indices of the same name, -1 where it is not known. */
static enum roster_action action_for(const struct table *before, int old, const struct table *now,
                                     int new)
{
    assert(old >= 0 || new >= 0);
    if (new < 0 || is_gone(now, new)) {
        return ROSTER_DROP;
    }
    if (old >= 0 && moved(&before->endpoints[old], &now->endpoints[new])) {
        return ROSTER_DROP;
    }
    if (old >= 0 && (before->writer_set >> old & 1) && !(now->writer_set >> new & 1)) {
        return ROSTER_DROP;
    }
    return is_used(now, new) ? ROSTER_KEEP : ROSTER_DRAIN;
}

static size_t add_steps(enum roster_action wanted, const struct table *before,
                        const struct table *now, struct roster_step *steps, size_t n)
{
    int b = 0, a = 0, b_count = before ? before->endpoint_count : 0;
    /* a merge: both sides are sorted by name */
    while (b < b_count || a < now->endpoint_count) {
        int order = b == b_count ? 1
                    : a == now->endpoint_count
                        ? -1
                        : strcmp(before->endpoints[b].name, now->endpoints[a].name);
        int old = order <= 0 ? b++ : -1;
        int new = order >= 0 ? a++ : -1;
        if (action_for(before, old, now, new) == wanted) {
            assert(n < STEPS_MAX);
            bool as_it_was = wanted != ROSTER_KEEP && old >= 0;
            steps[n].action = wanted;
            steps[n++].endpoint = as_it_was ? before->endpoints[old] : now->endpoints[new];
        }
    }
    return n;
}

size_t plan_make(const struct table *before, const struct table *now, struct roster_step *steps)
{
    size_t n = add_steps(ROSTER_DROP, before, now, steps, 0);
    n = add_steps(ROSTER_DRAIN, before, now, steps, n);
    return add_steps(ROSTER_KEEP, before, now, steps, n);
}

static bool same_endpoint(const struct roster_endpoint *a, const struct roster_endpoint *b)
{
    return strcmp(a->name, b->name) == 0 && !moved(a, b) && a->weight == b->weight &&
           a->role == b->role && a->health == b->health && a->lag_state == b->lag_state &&
           a->lag_bytes == b->lag_bytes && a->lag_ms == b->lag_ms &&
           a->lag_transactions == b->lag_transactions;
}

bool plan_is_needed(const struct table *before, const struct table *now)
{
    if (!before || before->epoch != now->epoch || before->writer != now->writer ||
        before->writer_set != now->writer_set || before->pool_set != now->pool_set ||
        before->gone_set != now->gone_set || before->delayed_set != now->delayed_set ||
        before->endpoint_count != now->endpoint_count) {
        return true;
    }
    for (int i = 0; i < now->endpoint_count; i++) {
        if (!same_endpoint(&before->endpoints[i], &now->endpoints[i])) {
            return true;
        }
    }
    return false;
}

static void put_offset(struct text *text, const char *what, int64_t wall_ms, int64_t since_ms)
{
    if (wall_ms == 0) {
        return;
    }
    char time[80];
    if (since_ms) {
        text_put(text, ", %s %s", what, text_since(time, sizeof time, wall_ms, since_ms));
    } else {
        text_put(text, ": %s %s", what, text_time(time, sizeof time, wall_ms) + 11);
    }
}

const char *plan_timeline(char *to, size_t size, const struct topology *topology,
                          int64_t routed_wall_ms)
{
    struct text text;
    assert(size > 0);
    text_init(&text, to, size);
    text_put(&text, "%s: ", topology->cluster);
    if (topology->primary[0]) {
        text_put(&text, "%s is primary", topology->primary);
    } else {
        text_put(&text, "no primary");
    }
    text_put(&text, ", epoch %lld", (long long)topology->epoch);
    int64_t start_ms = topology->seen_wall_ms ? topology->seen_wall_ms : topology->at_wall_ms;
    if (topology->seen_wall_ms) {
        put_offset(&text, "evidence", start_ms, 0);
        put_offset(&text, "verdict", topology->at_wall_ms, start_ms);
    } else {
        put_offset(&text, "verdict", start_ms, 0);
    }
    put_offset(&text, "routed", routed_wall_ms, start_ms);
    return to;
}
