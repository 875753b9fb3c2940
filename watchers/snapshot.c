#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#endif

#ifndef UNDER_ASAN /* liburcu aligns its readers less than it declares, which the sanitizers would \
                      hold against us */
#define _LGPL_SOURCE /* its read side inlined: 1.5 ns instead of 15 */
#endif
#include "watchers/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-bp.h>

#include "registry/base/clock.h"
#include "registry/base/entropy.h"
#include "registry/base/random.h"

/* ThreadSanitizer does not see liburcu's fences: these calls state what they guarantee. */
#ifdef UNDER_TSAN
void __tsan_acquire(void *at);
void __tsan_release(void *at);
#else
#define __tsan_acquire(at) ((void)(at))
#define __tsan_release(at) ((void)(at))
#endif

static struct snapshot *begin_read(struct routing *routing)
{
    urcu_bp_read_lock();
    /* pairs with the exchange in routing_publish */
    return __atomic_load_n(&routing->now, __ATOMIC_ACQUIRE);
}

static void end_read(struct routing *routing)
{
    /* pairs with __tsan_acquire in routing_publish; not at `now`, whose store would undo it */
    __tsan_release(&routing->turn);
    urcu_bp_read_unlock();
}

/* ---- chance ---------------------------------------------------------------------------------- */

/* Drawn anew in every forked child, so that the children of one parent do not draw alike. */
static _Atomic uint64_t salt;

/* In the static TLS block: the first draw of a thread must not allocate. */
static __thread __attribute__((tls_model("initial-exec"))) uint64_t draws;

static uint64_t draw(void)
{
    /* each thread starts elsewhere: a thread per request must not draw the same each time */
    if (__builtin_expect(draws == 0, 0)) {
        draws = entropy_draw();
    }
    return random_mix(random_step(&draws) ^ atomic_load_explicit(&salt, memory_order_relaxed));
}

static uint64_t chance_for(struct routing *routing, const struct table *table,
                           enum roster_access access, enum roster_policy policy)
{
    if (access == ROSTER_WRITE && !table_has_several_writers(table)) {
        return 0;
    }
    return policy == ROSTER_ROUND_ROBIN
               ? atomic_fetch_add_explicit(&routing->turn, 1, memory_order_relaxed)
               : draw();
}

/* ---- the quarantine -------------------------------------------------------------------------- */

static uint32_t bit(int index)
{
    assert(index >= 0 && index < MEMBERS_MAX);
    return (uint32_t)1 << index;
}

static uint32_t still_avoided(const struct snapshot *snapshot, int64_t now_ms)
{
    uint32_t set = 0;
    for (uint32_t left = atomic_load_explicit(&snapshot->avoid, memory_order_acquire); left;
         left &= left - 1) {
        int index = __builtin_ctz(left);
        if (atomic_load_explicit(&snapshot->avoid_until_ms[index], memory_order_relaxed) > now_ms) {
            set |= bit(index);
        }
    }
    return set;
}

/* A share of the read pool at most: half of it, so that a pool of one is left alone. */
static void avoid_secondary(struct snapshot *snapshot, int index, int64_t now_ms)
{
    uint32_t others = still_avoided(snapshot, now_ms) & snapshot->table.pool_set & ~bit(index);
    if (__builtin_popcount(others) + 1 <= snapshot->table.pool_count / 2) {
        atomic_store_explicit(&snapshot->avoid_until_ms[index], now_ms + AVOID_SECONDARY_MS,
                              memory_order_relaxed);
        atomic_fetch_or_explicit(&snapshot->avoid, bit(index), memory_order_release);
    }
}

static void apply_feedback(struct snapshot *snapshot, const struct roster_endpoint *endpoint,
                           enum roster_outcome outcome, int64_t now_ms)
{
    int index = table_find(&snapshot->table, endpoint->name);
    if (index < 0) {
        return;
    }
    if (outcome == ROSTER_OUTCOME_OK) {
        if (atomic_load_explicit(&snapshot->avoid, memory_order_relaxed) & bit(index)) {
            atomic_fetch_and_explicit(&snapshot->avoid, ~bit(index), memory_order_relaxed);
        }
    } else if (outcome == ROSTER_OUTCOME_REFUSED && (snapshot->table.pool_set & bit(index))) {
        avoid_secondary(snapshot, index, now_ms);
    } else if (outcome == ROSTER_OUTCOME_READ_ONLY && (snapshot->table.writer_set & bit(index)) &&
               endpoint->epoch == snapshot->table.epoch) {
        atomic_store_explicit(&snapshot->avoid_until_ms[index], now_ms + AVOID_PRIMARY_MS,
                              memory_order_relaxed);
        atomic_fetch_or_explicit(&snapshot->avoid, bit(index), memory_order_release);
    }
}

void routing_feedback(struct routing *routing, const struct roster_endpoint *endpoint,
                      enum roster_outcome outcome, int64_t now_ms)
{
    struct snapshot *snapshot = begin_read(routing);
    if (snapshot) {
        apply_feedback(snapshot, endpoint, outcome, now_ms);
    }
    end_read(routing);
}

/* The writer's is not copied: the verdict is newer than the error that the caller got. */
static void copy_quarantine(struct snapshot *from, struct snapshot *to)
{
    for (uint32_t left = atomic_load_explicit(&from->avoid, memory_order_acquire); left;
         left &= left - 1) {
        int index = __builtin_ctz(left);
        int now = table_find(&to->table, from->table.endpoints[index].name);
        if (now >= 0 && (to->table.pool_set & bit(now))) {
            int64_t until_ms =
                atomic_load_explicit(&from->avoid_until_ms[index], memory_order_relaxed);
            atomic_store_explicit(&to->avoid_until_ms[now], until_ms, memory_order_relaxed);
            atomic_fetch_or_explicit(&to->avoid, bit(now), memory_order_relaxed);
        }
    }
}

void routing_discard_ended(struct routing *routing, int64_t now_ms)
{
    struct snapshot *snapshot = begin_read(routing);
    if (snapshot) {
        uint32_t all = atomic_load_explicit(&snapshot->avoid, memory_order_relaxed);
        uint32_t over = all & ~still_avoided(snapshot, now_ms);
        /* A quarantine set in this very instant may be lost: one more request is refused, no harm.
         */
        if (over) {
            atomic_fetch_and_explicit(&snapshot->avoid, ~over, memory_order_relaxed);
        }
    }
    end_read(routing);
}

/* ---- publishing ------------------------------------------------------------------------------ */

struct snapshot *snapshot_new(const struct topology *topology, const struct provenance *provenance,
                              bool cached, int64_t routed_wall_ms)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot) {
        snapshot->topology = *topology;
        snapshot->provenance = *provenance;
        snapshot->cached = cached;
        snapshot->routed_wall_ms = routed_wall_ms;
        table_build(topology, &snapshot->table);
    }
    return snapshot;
}

void routing_publish(struct routing *routing, struct snapshot *snapshot)
{
    /* only we write it */
    struct snapshot *before = __atomic_load_n(&routing->now, __ATOMIC_RELAXED);
    assert(snapshot && snapshot != before);
    if (before) {
        copy_quarantine(before, snapshot);
    }
    /* pairs with the load in begin_read */
    __atomic_store_n(&routing->now, snapshot, __ATOMIC_RELEASE);
    if (before) {
        urcu_bp_synchronize_rcu();
        __tsan_acquire(&routing->turn); /* pairs with __tsan_release in end_read */
        free(before);
    }
}

void routing_release(struct routing *routing)
{
    free(routing->now);
    routing->now = NULL;
}

/* ---- age ------------------------------------------------------------------------------------- */

void routing_confirm(struct routing *routing, int64_t confirmed_ms, bool fresh)
{
    atomic_store_explicit(&routing->confirmed, confirmed_ms * 2 + fresh, memory_order_relaxed);
}

void routing_leave(struct routing *routing)
{
    atomic_fetch_and_explicit(&routing->confirmed, ~(int64_t)1, memory_order_relaxed);
}

static int64_t age_of(int64_t confirmed, int64_t now_ms)
{
    int64_t confirmed_ms = (confirmed - (confirmed & 1)) / 2;
    return confirmed_ms == CONFIRMED_NEVER ? -1 : now_ms > confirmed_ms ? now_ms - confirmed_ms : 0;
}

int64_t routing_age(const struct routing *routing, int64_t now_ms)
{
    int64_t confirmed = atomic_load_explicit(&routing->confirmed, memory_order_relaxed);
    int64_t age_ms = age_of(confirmed, now_ms);
    return (confirmed & 1) && age_ms <= FRESH_MS && age_ms >= 0 ? 0 : age_ms;
}

int64_t routing_limit(const struct routing *routing)
{
    int64_t limit_ms = atomic_load_explicit(&routing->limit_ms, memory_order_relaxed);
    return limit_ms ? limit_ms : INT64_MAX;
}

int64_t routing_take_limit(struct routing *routing)
{
    int64_t limit_ms = atomic_exchange_explicit(&routing->limit_ms, 0, memory_order_relaxed);
    return limit_ms ? limit_ms : INT64_MAX;
}

/* Is what is known too old for this caller? By the last word of the registry, however fresh it is
 * else: a process that was stopped for longer than the limit knows no better. */
static bool is_too_old(struct routing *routing, int64_t max_age_ms)
{
    int64_t limit_ms = atomic_load_explicit(&routing->limit_ms, memory_order_relaxed);
    if (limit_ms == 0 || max_age_ms < limit_ms) {
        atomic_store_explicit(&routing->limit_ms, max_age_ms, memory_order_relaxed);
    }
    int64_t age_ms =
        age_of(atomic_load_explicit(&routing->confirmed, memory_order_relaxed), clock_boot_ms());
    return age_ms < 0 || age_ms > max_age_ms;
}

/* ---- routing --------------------------------------------------------------------------------- */

static enum roster_status route(struct routing *routing, const struct snapshot *snapshot,
                                enum roster_access access, const struct roster_request *request,
                                struct roster_endpoint *ret_endpoint)
{
    uint32_t avoid = 0;
    if (request->max_age_ms > 0 && is_too_old(routing, request->max_age_ms)) {
        return ROSTER_TOO_OLD;
    }
    if (__builtin_expect(atomic_load_explicit(&snapshot->avoid, memory_order_relaxed) != 0, 0)) {
        avoid = still_avoided(snapshot, clock_boot_ms());
    }
    int index = table_pick(&snapshot->table, access, request,
                           chance_for(routing, &snapshot->table, access, request->policy), avoid);
    if (index < 0) {
        return ROSTER_NO_ENDPOINT;
    }
    assert(index < snapshot->table.endpoint_count);
    /* most often a third of the struct */
    memcpy(ret_endpoint, &snapshot->table.endpoints[index], snapshot->table.used[index]);
    return ROSTER_OK;
}

enum roster_status routing_route(struct routing *routing, enum roster_access access,
                                 const struct roster_request *request,
                                 struct roster_endpoint *ret_endpoint)
{
    const struct snapshot *snapshot = begin_read(routing);
    enum roster_status status =
        snapshot ? route(routing, snapshot, access, request, ret_endpoint) : ROSTER_NO_CLUSTER;
    end_read(routing);
    return status;
}

bool routing_read(struct routing *routing, void (*read)(const struct snapshot *snapshot, void *to),
                  void *to)
{
    const struct snapshot *snapshot = begin_read(routing);
    if (snapshot) {
        read(snapshot, to);
    }
    end_read(routing);
    return snapshot != NULL;
}

/* ---- fork ------------------------------------------------------------------------------------ */

void snapshot_before_fork(void)
{
    urcu_bp_before_fork();
}

void snapshot_after_fork_parent(void)
{
    urcu_bp_after_fork_parent();
}

void snapshot_after_fork_child(void)
{
    urcu_bp_after_fork_child();
    atomic_store_explicit(&salt, entropy_draw(), memory_order_relaxed);
}
