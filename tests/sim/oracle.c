/* Who knows the truth and checks what is written and routed against it, at
 * every step. The names of the invariants are those of the fault catalogue:
 *
 *   S1  epochs count by one when the writer changes and never otherwise; lineages never go back,
 *       but by an acceptance
 *   S2  whoever becomes writer did take writes on that lineage once, and a quorum's reports in the
 *       registry show that at that moment
 *   S3  where there is an order, a lineage has one primary
 *   S5  a writer is withdrawn only for what a quorum reports
 *   S6  what is written follows from what was there: resolving the evidence again gives the same
 *   S8  who was replaced stays fenced until a quorum sees it replicate
 *   S9  whoever becomes primary, and is not the last one, was promoted or chosen since it followed
 *       last, or the operator accepts it; of timelines: or it was never seen beside a primary that
 *       took writes
 *   S10 a router never goes back
 *   S12 a router follows only what was written
 *   G   a voter's beat moved lately: no ghost votes */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/fleet/reporter.h"
#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "registry/verdict/resolve.h"
#include "registry/verdict/tally.h"
#include "tests/sim/store_mem.h"
#include "tests/sim/world.h"

enum {
    GHOST_MS = 14000,
    PAST_MS = 2 * GHOST_MS, /* a verdict may rest on what was so before */
    LINEAGES_MAX = 256,
    HISTORY_MAX = 512
};

struct oracle {
    struct world *world;
    bool has;
    struct topology last;
    struct directives directives;
    struct topology *history[HISTORY_MAX]; /* all that was written */
    int history_count;
    bool forgotten; /* a history was begun anew */
    /* the operator's hand took away or spoiled what was written last */
    bool touched;
    /* when each probe's presence was written last, in time that the registry served */
    int64_t beat_ms[PROBES];
    /* since when it does not serve; how long it did not, altogether */
    int64_t halted_ms, halts_ms;
    int lineage_count;
    struct {
        char lineage[LINEAGE_SIZE], primary[NAME_SIZE];
    } lineages[LINEAGES_MAX];
    /* was primary, and has not been seen replicating since: must be fenced */
    bool replaced[SERVERS_OF_CLUSTER_MAX];
    int64_t replaced_ms[SERVERS_OF_CLUSTER_MAX];
    /* the book of promotions, in time that the registry served; 0: never */
    int64_t promoted_ms[SERVERS_OF_CLUSTER_MAX], follows_ms[SERVERS_OF_CLUSTER_MAX];
    bool beside[SERVERS_OF_CLUSTER_MAX]; /* it claimed beside a primary that took writes */
    struct evidence evidence;            /* of the latest check */
    struct report reports[WITNESSES_MAX];
};

/* By kind, not by the verdict under test: a lineage that is lost is one that went back.
 */
static bool is_ordered(const struct topology *topology)
{
    return topology->policy.kind == KIND_STREAMING;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static int64_t served_ms(const struct oracle *oracle)
{
    return world_now(oracle->world) - oracle->halts_ms;
}

void oracle_halted(struct oracle *oracle, bool halted)
{
    int64_t now_ms = world_now(oracle->world);
    if (halted) {
        oracle->halted_ms = now_ms;
    } else {
        oracle->halts_ms += now_ms - oracle->halted_ms;
    }
}

/* ---- the evidence ---------------------------------------------------------------------------- */

/* The reports that a verdict names, as the registry holds them at this very moment. */
static bool read_evidence(struct oracle *oracle, const struct topology *topology)
{
    struct codec_error error;
    char path[PATH_SIZE];
    oracle->evidence = (struct evidence){.previous = oracle->has ? &oracle->last : NULL,
                                         .directives = &oracle->directives,
                                         .directives_mzxid = topology->directives_mzxid};
    for (size_t i = 0; i < topology->evidence_count; i++) {
        const struct evidence_ref *ref = &topology->evidence[i];
        path_report(path, sizeof path, SIM_ROOT, SIM_CLUSTER, ref->probe);
        const struct znode *node = tree_find(&oracle->world->ensemble->head, path);
        if (!node || node->stat.mzxid != ref->mzxid ||
            !report_decode(node->data, node->len, &oracle->reports[i], &error)) {
            world_fail(oracle->world, "S6: the verdict rests on a report of %s that does not exist",
                       ref->probe);
            return false;
        }
        oracle->evidence.votes[oracle->evidence.count++] =
            (struct vote){&oracle->reports[i], ref->mzxid};
    }
    return true;
}

static int count(const struct oracle *oracle, bool (*shows)(const struct member_report *),
                 const char *member, const char *lineage)
{
    int n = 0;
    for (size_t i = 0; i < oracle->evidence.count; i++) {
        const struct member_report *seen = report_member(oracle->evidence.votes[i].report, member);
        n += seen && shows(seen) && (!lineage || is(seen->lineage, lineage));
    }
    return n;
}

static bool shows_claim(const struct member_report *seen)
{
    return seen->answer == ANSWER_OK && seen->claim;
}

static bool shows_writable(const struct member_report *seen)
{
    return seen->answer == ANSWER_OK && seen->writable;
}

static bool shows_dead(const struct member_report *seen)
{
    return seen->answer == ANSWER_REFUSED || member_report_denies(seen);
}

static bool shows_replica(const struct member_report *seen)
{
    return seen->answer == ANSWER_OK && seen->replica && seen->live && !seen->claim;
}

static void check_voters(struct oracle *oracle, const struct topology *now, const char *by)
{
    if ((int)oracle->evidence.count < quorum_of(now->policy.witnesses)) {
        world_fail(oracle->world, "S4: %zu witnesses of %d wrote a verdict", oracle->evidence.count,
                   now->policy.witnesses);
    }
    for (int i = 0; i < PROBES; i++) {
        for (size_t k = 0; k < now->evidence_count; k++) {
            int64_t still_ms = served_ms(oracle) - oracle->beat_ms[i];
            if (is(now->evidence[k].probe, probe_name(i)) && still_ms > GHOST_MS) {
                world_fail(oracle->world, "G: %s counted %s, which has not beaten for %lld ms", by,
                           probe_name(i), (long long)still_ms);
            }
        }
    }
}

/* ---- what is written ------------------------------------------------------------------------- */

static void check_order(struct oracle *oracle, const struct topology *now)
{
    const struct topology *last = &oracle->last;
    bool moved = !is(last->primary, now->primary);
    if (now->epoch != last->epoch + (moved ? 1 : 0)) {
        world_fail(oracle->world, "S1: epoch %lld follows %lld, primary %s follows %s",
                   (long long)now->epoch, (long long)last->epoch, now->primary, last->primary);
    }
    bool chosen = now->rule == RULE_ACCEPTED && moved; /* by a person */
    if (is_ordered(now) && lineage_compare(now->lineage, last->lineage) < 0 && !chosen) {
        world_fail(oracle->world, "S1: lineage %s follows %s", now->lineage, last->lineage);
    }
}

/* The primary, or the last one while there is none. */
static const char *former_of(const struct oracle *oracle)
{
    const struct topology *last = &oracle->last;
    return !oracle->has ? "" : last->primary[0] ? last->primary : last->last_primary;
}

/* Without an order the last primary needs no more than to be open, whatever channels it has. */
static void check_new_writer(struct oracle *oracle, const struct topology *now)
{
    int quorum = quorum_of(now->policy.witnesses);
    const char *lineage = is_ordered(now) ? now->lineage : NULL;
    bool returns = !is_ordered(now) && is(now->primary, former_of(oracle));
    if (count(oracle, returns ? shows_writable : shows_claim, now->primary, lineage) < quorum) {
        world_fail(oracle->world, "S2: %s became writer without a quorum that sees it so",
                   now->primary);
    }
    if (!databases_reigned(&oracle->world->databases, now->primary, now->lineage)) {
        world_fail(oracle->world, "S2: %s became writer on lineage %s and never was one",
                   now->primary, now->lineage);
    }
}

static bool is_accepted(const struct oracle *oracle, const char *member)
{
    for (size_t i = 0; i < oracle->directives.accept_count; i++) {
        if (is(oracle->directives.accept[i].name, member)) {
            return true;
        }
    }
    return false;
}

static void check_uniqueness(struct oracle *oracle, const struct topology *now)
{
    for (int i = 0; i < oracle->lineage_count; i++) {
        if (is(oracle->lineages[i].lineage, now->lineage)) {
            if (!is(oracle->lineages[i].primary, now->primary) &&
                !is_accepted(oracle, now->primary)) {
                world_fail(oracle->world, "S3: lineage %s is of %s and of %s", now->lineage,
                           oracle->lineages[i].primary, now->primary);
            }
            return;
        }
    }
    assert(oracle->lineage_count < LINEAGES_MAX);
    strcpy(oracle->lineages[oracle->lineage_count].lineage, now->lineage);
    strcpy(oracle->lineages[oracle->lineage_count++].primary, now->primary);
}

/* Does this report contradict the writer that was: by what it reports itself, by its error, or by a
 * newer history than its own? */
static bool is_against(const struct report *report, const char *was, const struct topology *now)
{
    const struct member_report *seen = report_member(report, was);
    if (seen && shows_dead(seen)) {
        return true;
    }
    if (!is_ordered(now)) {
        return false;
    }
    bool newer =
        seen && seen->answer == ANSWER_OK && lineage_compare(seen->lineage, now->lineage) < 0;
    for (size_t m = 0; m < report->member_count; m++) {
        const struct member_report *other = &report->members[m];
        newer = newer ||
                (other->answer == ANSWER_OK && lineage_compare(other->lineage, now->lineage) > 0);
    }
    return newer;
}

static void check_withdrawal(struct oracle *oracle, const struct topology *now)
{
    const char *was = oracle->last.primary;
    int against = 0;
    for (size_t i = 0; i < oracle->evidence.count; i++) {
        against += is_against(oracle->evidence.votes[i].report, was, now);
    }
    if (against < quorum_of(now->policy.witnesses)) {
        world_fail(oracle->world, "S5: %s was withdrawn by %d witnesses (%s)", was, against,
                   topology_rule(now));
    }
}

/* Without an order a promotion after that ends it, too. */
static bool was_promoted_since(const struct oracle *oracle, int i)
{
    const struct databases *databases = &oracle->world->databases;
    for (int k = 0; databases->kind == KIND_ASYNC && k < databases->reign_count; k++) {
        const struct reign *reign = &databases->reigns[k];
        if (reign->server == i && reign->since_ms > oracle->replaced_ms[i]) {
            return true;
        }
    }
    return false;
}

void oracle_promoted(struct oracle *oracle, int database)
{
    oracle->promoted_ms[database] = served_ms(oracle) + 1;
}

void oracle_follows(struct oracle *oracle, int database)
{
    oracle->follows_ms[database] = served_ms(oracle) + 1;
}

/* Nobody inherits the writes because somebody else is gone. */
static void check_promotion(struct oracle *oracle, const struct topology *now)
{
    const char *former = former_of(oracle);
    int quorum = quorum_of(now->policy.witnesses);
    bool fit = count(oracle, shows_claim, former, NULL) >= quorum;
    for (int i = 0; i < oracle->world->databases.count; i++) {
        const char *name = oracle->world->databases.at[i].name;
        bool claims = count(oracle, shows_claim, name, NULL) >= quorum;
        bool replica = count(oracle, shows_replica, name, NULL) >= quorum;
        oracle->beside[i] = !replica && (oracle->beside[i] || (claims && fit));
        if (!is(name, now->primary) || is(name, former) || is_accepted(oracle, name)) {
            continue;
        }
        bool since =
            oracle->promoted_ms[i] > 0 && (oracle->promoted_ms[i] >= oracle->follows_ms[i] ||
                                           served_ms(oracle) - oracle->follows_ms[i] < PAST_MS);
        if (!since && (!is_ordered(now) || oracle->beside[i])) {
            world_fail(oracle->world, "S9: %s became primary, and nobody promoted it (%s)", name,
                       topology_rule(now));
        }
    }
}

/* Who was primary and is not any more is neither written to nor read from until a quorum sees it
 * replicate. Kept by the oracle's own book. */
static void check_fences(struct oracle *oracle, const struct topology *now)
{
    const char *former = former_of(oracle);
    for (int i = 0; i < oracle->world->databases.count; i++) {
        const char *name = oracle->world->databases.at[i].name;
        const struct member *member = topology_member(now, name);
        if (is(name, former) && now->primary[0] && !is(name, now->primary)) {
            oracle->replaced[i] = true;
            oracle->replaced_ms[i] = world_now(oracle->world);
        }
        if (is_accepted(oracle, name) || was_promoted_since(oracle, i) ||
            count(oracle, shows_replica, name, NULL) >= quorum_of(now->policy.witnesses)) {
            oracle->replaced[i] = false;
        }
        if (oracle->replaced[i] && member && (!member->fenced || member->role != ROLE_NONE)) {
            world_fail(oracle->world,
                       "S8: %s was replaced, no quorum sees it replicate, and it is %s%s", name,
                       role_names[member->role], member->fenced ? ", fenced" : "");
        }
    }
}

/* The book as of a verdict that is remembered. */
static void reopen_book(struct oracle *oracle, const struct topology *topology)
{
    for (int i = 0; i < oracle->world->databases.count; i++) {
        const struct member *member =
            topology ? topology_member(topology, oracle->world->databases.at[i].name) : NULL;
        oracle->replaced[i] = member && member->fenced;
    }
}

/* Twice the same evidence, twice the same verdict; and it rests on the verdict that was there
 * before. */
static void check_fold(struct oracle *oracle, const struct topology *now)
{
    static struct topology again;
    if (!resolve(&oracle->evidence, &again) || !topology_equal(&again, now)) {
        world_fail(oracle->world,
                   "S6: the verdict of %s (epoch %lld, %s, %s) does not follow from its evidence "
                   "(epoch %lld, %s, %s)",
                   now->by, (long long)now->epoch, now->primary, topology_rule(now),
                   (long long)again.epoch, again.primary, topology_rule(&again));
    }
}

static bool follows_from(struct oracle *oracle, const struct topology *previous,
                         const struct topology *now)
{
    static struct topology again;
    oracle->evidence.previous = previous;
    return resolve(&oracle->evidence, &again) && topology_equal(&again, now);
}

/* The verdict that `now` rests on, if it is one of those that were written; NULL: none. */
static const struct topology *find_previous(struct oracle *oracle, const struct topology *now)
{
    for (int i = oracle->history_count; i-- > 0;) {
        if (follows_from(oracle, oracle->history[i], now)) {
            return oracle->history[i];
        }
    }
    return NULL;
}

/* What was taken away by hand is put back by those who remember. When those who knew it last are
 * out of touch, it is put back as it was before, or is a first one again, until they return. */
static void check_memory(struct oracle *oracle, const struct topology *now)
{
    bool odd = oracle->has && !follows_from(oracle, &oracle->last, now);
    if (odd && (oracle->touched || oracle->forgotten)) {
        const struct topology *previous = find_previous(oracle, now);
        bool more = previous && previous->epoch > oracle->last.epoch;
        if (oracle->touched || more) {
            world_log(oracle->world, true, "%s remembers %s", now->by,
                      more       ? "more"
                      : previous ? "less"
                                 : "nothing");
            oracle->has = previous != NULL;
            oracle->last = previous ? *previous : (struct topology){0};
            oracle->lineage_count = 0;
            oracle->forgotten = true;
            reopen_book(oracle, previous);
        }
    }
    oracle->evidence.previous = oracle->has ? &oracle->last : NULL;
    oracle->touched = false;
}

static void keep(struct oracle *oracle, const struct topology *now)
{
    oracle->has = true;
    oracle->last = *now;
    assert(oracle->history_count < HISTORY_MAX);
    struct topology *kept = malloc(sizeof *kept);
    assert(kept);
    *kept = *now;
    oracle->history[oracle->history_count++] = kept;
}

static void log_verdict(struct oracle *oracle, const struct topology *now)
{
    const struct topology *last = &oracle->last;
    bool aside = oracle->has && is(last->primary, now->primary) && last->state == now->state &&
                 is(topology_rule(last), topology_rule(now));
    world_log(oracle->world, aside, "verdict %lld: %s, %s, %s", (long long)now->epoch,
              now->primary[0] ? now->primary : "nobody", state_names[now->state],
              topology_rule(now));
    world_log(oracle->world, true, "  by %s: %s", now->by, now->why);
}

static void check_topology(struct oracle *oracle, const struct change *change, const char *by)
{
    struct world *world = oracle->world;
    struct codec_error error;
    static struct topology now;
    if (change->drops || !by) {
        oracle->touched = true;
        return; /* the operator's hand; what a probe makes of it is checked */
    }
    if (!topology_decode(change->node.data, change->node.len, &now, &error)) {
        world_fail(world, "S14: %s wrote a verdict that cannot be read: %s", by, error.sentence);
        return;
    }
    log_verdict(oracle, &now);
    if (!read_evidence(oracle, &now)) {
        return;
    }
    check_memory(oracle, &now);
    check_fold(oracle, &now);
    check_voters(oracle, &now, by);
    if (oracle->has) {
        check_order(oracle, &now);
        check_fences(oracle, &now);
        check_promotion(oracle, &now);
    }
    if (now.primary[0] && (!oracle->has || !is(oracle->last.primary, now.primary))) {
        check_new_writer(oracle, &now);
    }
    if (now.primary[0] && is_ordered(&now)) {
        check_uniqueness(oracle, &now);
    }
    if (oracle->has && oracle->last.primary[0] && !now.primary[0]) {
        check_withdrawal(oracle, &now);
    }
    keep(oracle, &now);
}

static void on_change(void *owner, const struct change *change, const char *by)
{
    struct oracle *oracle = owner;
    char path[PATH_SIZE];
    struct codec_error error;
    if (is(change->node.path, path_topology(path, sizeof path, SIM_ROOT, SIM_CLUSTER))) {
        check_topology(oracle, change, by);
    } else if (is(change->node.path, path_directives(path, sizeof path, SIM_ROOT, SIM_CLUSTER)) &&
               !change->drops) {
        directives_decode(change->node.data, change->node.len, &oracle->directives, &error);
    }
    for (int i = 0; i < PROBES; i++) {
        if (is(change->node.path, path_probe(path, sizeof path, SIM_ROOT, probe_name(i))) &&
            !change->drops) {
            oracle->beat_ms[i] = served_ms(oracle);
        }
    }
}

const struct topology *oracle_topology(const struct oracle *oracle)
{
    return oracle->has ? &oracle->last : NULL;
}

/* ---- what is routed -------------------------------------------------------------------------- */

void oracle_check_router(struct oracle *oracle, const char *router, const struct topology *before,
                         int64_t before_mzxid, const struct topology *now, int64_t now_mzxid)
{
    if (before &&
        (now_mzxid <= before_mzxid || (now->epoch < before->epoch && !oracle->forgotten))) {
        world_fail(
            oracle->world,
            "S10: %s went back from zxid %" PRIx64 " (epoch %lld) to %" PRIx64 " (epoch %lld)",
            router, before_mzxid, (long long)before->epoch, now_mzxid, (long long)now->epoch);
    }
    char path[PATH_SIZE];
    path_topology(path, sizeof path, SIM_ROOT, SIM_CLUSTER);
    const struct ensemble *ensemble = oracle->world->ensemble;
    for (size_t i = 0; i < ensemble->log_count; i++) {
        const struct txn *txn = &ensemble->log[i];
        for (size_t k = 0; txn->zxid == now_mzxid && k < txn->count; k++) {
            if (is(txn->changes[k].node.path, path) && !txn->changes[k].drops) {
                return;
            }
        }
    }
    world_fail(oracle->world, "S12: %s follows zxid %" PRIx64 ", at which no verdict was written",
               router, now_mzxid);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct oracle *oracle_new(struct world *world)
{
    struct oracle *oracle = calloc(1, sizeof *oracle);
    assert(oracle);
    oracle->world = world;
    oracle_promoted(oracle, 0);
    world->ensemble->on_change = on_change;
    world->ensemble->owner = oracle;
    return oracle;
}

void oracle_free(struct oracle *oracle)
{
    while (oracle->history_count > 0) {
        free(oracle->history[--oracle->history_count]);
    }
    free(oracle);
}
