#include "watchers/table.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "registry/base/text.h"

static_assert((int)ROLE_SECONDARY == (int)ROSTER_ROLE_SECONDARY &&
                  (int)ROLE_PRIMARY == (int)ROSTER_ROLE_PRIMARY,
              "same order");
static_assert((int)HEALTH_UP == (int)ROSTER_HEALTH_UP &&
                  (int)HEALTH_DOWN == (int)ROSTER_HEALTH_DOWN,
              "same order");
static_assert((int)LAG_OK == (int)ROSTER_LAG_OK && (int)LAG_BROKEN == (int)ROSTER_LAG_BROKEN,
              "same order");
static_assert(sizeof((struct roster_endpoint *)0)->name >= NAME_SIZE &&
                  sizeof((struct roster_endpoint *)0)->host >= HOST_SIZE,
              "names and hosts fit");
static_assert((int)MEMBERS_MAX == (int)ROSTER_MEMBERS_MAX && MEMBERS_MAX <= 32,
              "a set of members fits a uint32_t");

static uint32_t bit(int index)
{
    return (uint32_t)1 << index;
}

/* ---- building -------------------------------------------------------------------------------- */

static void describe(const struct member *member, int64_t epoch, struct roster_endpoint *to)
{
    bool fits = text_copy(to->name, sizeof to->name, member->config.name) &&
                text_copy(to->host, sizeof to->host, member->config.host);
    assert(fits); /* the public sizes are no smaller than the model's */
    to->port = member->config.port;
    to->weight = member->config.weight;
    to->role = (enum roster_role)member->role;
    to->health = (enum roster_health)member->health;
    to->lag_state = (enum roster_lag_state)member->lag.state;
    to->lag_bytes = member->lag.bytes;
    to->lag_ms = member->lag.ms;
    to->lag_transactions = member->lag.transactions;
    to->epoch = epoch;
}

static bool is_foreign(const struct member *member)
{
    return member->reason == ANSWER_STRANGER || member->reason == ANSWER_RIVAL;
}

static bool writes(const struct member *member)
{
    return member->role == ROLE_PRIMARY && !member->fenced && !is_foreign(member);
}

static int find_writer(const struct topology *topology)
{
    if (!topology->primary[0] || topology->state == STATE_NO_PRIMARY) {
        return -1;
    }
    for (int i = 0; i < topology->member_count; i++) {
        const struct member *member = &topology->members[i];
        if (text_equal(member->config.name, topology->primary)) {
            return writes(member) ? i : -1;
        }
    }
    return -1;
}

static bool may_be_read(const struct member *member, enum writers writers)
{
    return (member->role == ROLE_SECONDARY ||
            (member->role == ROLE_PRIMARY && writers == WRITERS_ALL)) &&
           member->health != HEALTH_DOWN && !member->fenced && !member->drained &&
           !member->claims && !is_foreign(member);
}

static int tier_of(const struct table *table, int index)
{
    const struct roster_endpoint *endpoint = &table->endpoints[index];
    return (endpoint->lag_state == ROSTER_LAG_BROKEN ? 8 : 0) +
           (table->delayed_set & bit(index) ? 4 : 0) +
           (endpoint->health == ROSTER_HEALTH_UP ? 0 : 2) + (endpoint->weight > 0 ? 0 : 1);
}

/* The unknown is behind every number. */
static int compare_known(int64_t a, int64_t b)
{
    if ((a < 0) != (b < 0)) {
        return a < 0 ? 1 : -1;
    }
    return a < b ? -1 : a > b;
}

/* Before or behind in the floor. A lag known in time comes before one known in bytes only: the two
 * do not compare. */
static int compare_fitness(const struct table *table, int one, int other)
{
    const struct roster_endpoint *a = &table->endpoints[one], *b = &table->endpoints[other];
    int by = tier_of(table, one) - tier_of(table, other);
    if (by == 0) {
        by = (a->lag_state != ROSTER_LAG_OK) - (b->lag_state != ROSTER_LAG_OK);
    }
    if (by == 0) {
        by = compare_known(a->lag_ms, b->lag_ms);
    }
    if (by == 0) {
        by = compare_known(a->lag_bytes, b->lag_bytes);
    }
    return by ? by : compare_known(a->lag_transactions, b->lag_transactions);
}

static void insert_by_fitness(struct table *table, int index)
{
    assert(table->pool_count < MEMBERS_MAX && !(table->pool_set & bit(index)));
    int at = table->pool_count++;
    while (at > 0 && compare_fitness(table, index, table->pool[at - 1]) < 0) {
        table->pool[at] = table->pool[at - 1];
        at--;
    }
    table->pool[at] = (uint8_t)index;
    table->pool_set |= bit(index);
    table->tier_set[tier_of(table, index)] |= bit(index);
}

static void prepare_first_tier(struct table *table)
{
    table->first_tier = 0;
    while (table->first_tier < TIERS && table->tier_set[table->first_tier] == 0) {
        table->first_tier++;
    }
    uint32_t sum = 0;
    for (int i = 0; table->first_tier < TIERS && i < table->endpoint_count; i++) {
        if (table->tier_set[table->first_tier] & bit(i)) {
            sum += table->endpoints[i].weight;
            table->first_sum[table->first_count] = sum;
            table->first[table->first_count++] = (uint8_t)i;
        }
    }
}

void table_build(const struct topology *topology, struct table *ret_table)
{
    *ret_table = (struct table){.epoch = topology->epoch, .endpoint_count = topology->member_count};
    assert(topology->member_count <= MEMBERS_MAX);
    ret_table->writer = find_writer(topology);
    enum writers writers = topology->policy.writers;
    for (int i = 0; i < topology->member_count; i++) {
        const struct member *member = &topology->members[i];
        if (i == ret_table->writer || (writers == WRITERS_ALL && ret_table->writer >= 0 &&
                                       writes(member) && !member->drained)) {
            ret_table->writer_set |= bit(i);
            ret_table->weighty_set |= member->config.weight > 0 ? bit(i) : 0;
        }
        describe(member, topology->epoch, &ret_table->endpoints[i]);
        ret_table->delayed_set |= member->lag.delay_ms > 0 ? bit(i) : 0;
        ret_table->used[i] =
            (uint16_t)(offsetof(struct roster_endpoint, host) + strlen(member->config.host) + 1);
        if (!(ret_table->writer_set & bit(i)) &&
            (member->fenced || member->claims || is_foreign(member))) {
            ret_table->gone_set |= bit(i);
        }
        if (may_be_read(member, writers) && (i != ret_table->writer || writers == WRITERS_ALL)) {
            insert_by_fitness(ret_table, i);
        }
    }
    prepare_first_tier(ret_table);
    assert(ret_table->writer < 0 || (ret_table->writer_set & bit(ret_table->writer)));
    assert(!(ret_table->gone_set & (ret_table->writer_set | ret_table->pool_set)));
    assert((ret_table->first_count > 0) == (ret_table->pool_count > 0));
}

/* ---- picking --------------------------------------------------------------------------------- */

/* A uniform number below n, from the upper half of a uniform 64-bit one. */
static uint32_t below(uint32_t n, uint64_t chance)
{
    return (uint32_t)(((chance >> 32) * n) >> 32);
}

static int pick_of_first(const struct table *table, enum roster_policy policy, uint64_t chance)
{
    uint32_t count = (uint32_t)table->first_count;
    uint32_t total = table->first_sum[count - 1];
    if (policy == ROSTER_ROUND_ROBIN) {
        return table->first[chance % count];
    }
    if (policy == ROSTER_RANDOM || total == 0) {
        return table->first[below(count, chance)];
    }
    uint32_t mark = below(total, chance), at = 0;
    for (uint32_t i = 0; i < count; i++) {
        /* to the end, without a branch: leaving early costs more, mispredicted */
        at += table->first_sum[i] <= mark;
    }
    return table->first[at];
}

static int nth_of(uint32_t set, uint32_t n)
{
    while (n-- > 0) {
        set &= set - 1;
    }
    return __builtin_ctz(set);
}

static int pick_by_weight(const struct table *table, uint32_t set, uint64_t chance)
{
    uint32_t total = 0;
    for (uint32_t left = set; left; left &= left - 1) {
        total += table->endpoints[__builtin_ctz(left)].weight;
    }
    if (total == 0) {
        return nth_of(set, below((uint32_t)__builtin_popcount(set), chance));
    }
    uint32_t mark = below(total, chance);
    for (uint32_t left = set;; left &= left - 1) {
        int index = __builtin_ctz(left);
        if (mark < table->endpoints[index].weight) {
            return index;
        }
        mark -= table->endpoints[index].weight;
    }
}

static int pick_of_set(const struct table *table, uint32_t set, enum roster_policy policy,
                       uint64_t chance)
{
    assert(set && set < UINT64_C(1) << table->endpoint_count);
    uint32_t count = (uint32_t)__builtin_popcount(set);
    switch (policy) {
    case ROSTER_WEIGHTED:
        return pick_by_weight(table, set, chance);
    case ROSTER_RANDOM:
        return nth_of(set, below(count, chance));
    case ROSTER_ROUND_ROBIN:
        break;
    }
    return nth_of(set, (uint32_t)(chance % count));
}

/* One of weight 0 is left to itself while there is another; of several, the policy chooses. */
static int pick_writer(const struct table *table, enum roster_policy policy, uint64_t chance,
                       uint32_t avoid)
{
    uint32_t set = table->writer_set & ~avoid;
    set = set & table->weighty_set ? set & table->weighty_set : set;
    return set ? pick_of_set(table, set, policy, chance) : -1;
}

static bool has_limits(const struct roster_request *request)
{
    return request->max_lag_ms > 0 || request->max_lag_bytes > 0 ||
           request->max_lag_transactions > 0;
}

static bool is_below(int64_t lag, int64_t limit)
{
    return limit <= 0 || (lag >= 0 && lag <= limit);
}

static bool is_within(const struct roster_endpoint *endpoint, const struct roster_request *request)
{
    return endpoint->lag_state == ROSTER_LAG_OK &&
           is_below(endpoint->lag_ms, request->max_lag_ms) &&
           is_below(endpoint->lag_bytes, request->max_lag_bytes) &&
           is_below(endpoint->lag_transactions, request->max_lag_transactions);
}

static uint32_t set_within(const struct table *table, const struct roster_request *request)
{
    if (!has_limits(request)) {
        return table->pool_set;
    }
    uint32_t set = 0;
    for (int i = 0; i < table->pool_count; i++) {
        if (is_within(&table->endpoints[table->pool[i]], request)) {
            set |= bit(table->pool[i]);
        }
    }
    return set;
}

/* The least lagged, and those that are its equals. */
static uint32_t floor_without(const struct table *table, uint32_t avoid)
{
    uint32_t set = 0;
    int first = -1;
    for (int i = 0; i < table->pool_count; i++) {
        int index = table->pool[i];
        first = first < 0 && !(avoid & bit(index)) ? index : first;
        if (first >= 0 && !(avoid & bit(index)) && compare_fitness(table, first, index) == 0) {
            set |= bit(index);
        }
    }
    return set;
}

static int pick_secondary(const struct table *table, const struct roster_request *request,
                          uint64_t chance, uint32_t avoid)
{
    if (!has_limits(request) && avoid == 0) {
        return table->first_count ? pick_of_first(table, request->policy, chance) : -1;
    }
    uint32_t fit = set_within(table, request) & ~avoid;
    for (int tier = 0; fit && tier < TIERS; tier++) {
        if (fit & table->tier_set[tier]) {
            return pick_of_set(table, fit & table->tier_set[tier], request->policy, chance);
        }
    }
    uint32_t floor = request->strict ? 0 : floor_without(table, avoid);
    return floor ? pick_of_set(table, floor, request->policy, chance) : -1;
}

int table_pick(const struct table *table, enum roster_access access,
               const struct roster_request *request, uint64_t chance, uint32_t avoid)
{
    int writer = table->writer >= 0 && !(avoid & bit(table->writer)) ? table->writer : -1;
    if (access == ROSTER_WRITE) {
        return table_has_several_writers(table) ? pick_writer(table, request->policy, chance, avoid)
                                                : writer;
    }
    int index = pick_secondary(table, request, chance, avoid);
    if (index < 0 && request->fallback) {
        index = writer;
    }
    if (index < 0 && avoid) {
        /* a quarantine never empties the pool */
        index = pick_secondary(table, request, chance, 0);
    }
    return index;
}

int table_find(const struct table *table, const char *name)
{
    for (int i = 0; i < table->endpoint_count; i++) {
        if (strcmp(table->endpoints[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}
