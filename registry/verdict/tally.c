#include "registry/verdict/tally.h"

#include <assert.h>
#include <string.h>

#include "registry/verdict/agree.h"

static bool is_claim(const struct member_report *seen)
{
    return seen->answer == ANSWER_OK && seen->claim;
}

static bool is_writer(const struct member_report *seen)
{
    return seen->answer == ANSWER_OK && seen->writable;
}

bool member_report_denies(const struct member_report *seen)
{
    return (seen->answer == ANSWER_OK && !seen->writable) || seen->answer == ANSWER_STARTING ||
           seen->answer == ANSWER_STOPPING || seen->answer == ANSWER_OFFLINE;
}

static struct opinions opinions_of(const struct tally *tally)
{
    struct opinions opinions = {.quorum = tally->quorum, .count = tally->count};
    for (size_t i = 0; i < tally->count; i++) {
        opinions.item[i] = tally->seen[i];
    }
    return opinions;
}

/* ---- claims ---------------------------------------------------------------------------------- */

/* Views under one stamp follow each other, and probes look at different moments: who saw a newer
 * view supports a claim in an older one. Timelines do not follow each other so: a probe that saw 8
 * does not support a claim of 7. */
static bool reaches(const struct member_report *theirs, const struct member_report *mine)
{
    return strcmp(theirs->identity, mine->identity) == 0 &&
           (strcmp(theirs->lineage, mine->lineage) == 0 ||
            (!lineage_is_total(mine->lineage) &&
             lineage_compare(theirs->lineage, mine->lineage) > 0));
}

static bool same_claim(const void *theirs, const void *mine)
{
    return is_claim(theirs) && is_claim(mine) && reaches(theirs, mine);
}

static bool same_writer(const void *theirs, const void *mine)
{
    return is_writer(theirs) && is_writer(mine) && reaches(theirs, mine);
}

/* The report that a quorum agrees with; of several (a group changes its view while the probes look)
 * the one in the newest view. */
static const struct member_report *newest(const struct tally *tally, agrees_fn *agrees)
{
    struct opinions opinions = opinions_of(tally);
    const struct member_report *best = NULL;
    for (size_t i = 0; i < tally->count; i++) {
        const struct member_report *mine = tally->seen[i];
        if (agree_count(&opinions, mine, agrees) >= tally->quorum &&
            (!best || (!lineage_is_total(mine->lineage) &&
                       lineage_compare(mine->lineage, best->lineage) > 0))) {
            best = mine;
        }
    }
    return best;
}

/* ---- facts that a quorum of answers reports alike -------------------------------------------- */

static bool both_answered(const struct member_report *a, const struct member_report *b)
{
    return a->answer == ANSWER_OK && b->answer == ANSWER_OK;
}

static bool same_condition(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && theirs->condition == mine->condition;
}

static bool same_closed_by(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && strcmp(theirs->closed_by, mine->closed_by) == 0;
}

static bool same_identity(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && strcmp(theirs->identity, mine->identity) == 0;
}

static bool same_upstream(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && strcmp(theirs->upstream, mine->upstream) == 0;
}

static bool same_alias(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && strcmp(theirs->alias, mine->alias) == 0;
}

static bool reaches_lineage(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && lineage_is_total(theirs->lineage) &&
           lineage_is_total(mine->lineage) && lineage_compare(theirs->lineage, mine->lineage) >= 0;
}

static void find_facts(struct tally *tally)
{
    struct opinions opinions = opinions_of(tally);
    const struct member_report *condition = agree_first(&opinions, same_condition);
    const struct member_report *closed = agree_first(&opinions, same_closed_by);
    const struct member_report *identity = agree_first(&opinions, same_identity);
    const struct member_report *upstream = agree_first(&opinions, same_upstream);
    const struct member_report *alias = agree_first(&opinions, same_alias);
    const struct member_report *lineage = agree_greatest(&opinions, reaches_lineage);
    tally->condition = condition ? &condition->condition : NULL;
    tally->closed_by = closed ? closed->closed_by : NULL;
    tally->identity = identity ? identity->identity : NULL;
    tally->upstream = upstream ? upstream->upstream : NULL;
    tally->alias = alias ? alias->alias : NULL;
    tally->has_lineage = lineage != NULL;
    strcpy(tally->lineage, lineage ? lineage->lineage : "");
}

/* ---- the facts of a start -------------------------------------------------------------------- */

bool same_start(enum engine engine, int64_t a_ms, int64_t b_ms)
{
    int64_t slack_ms = engine == ENGINE_MYSQL ? START_SLACK_MS : 0;
    return a_ms - slack_ms <= b_ms && b_ms <= a_ms + slack_ms;
}

static bool is_dated(const struct member_report *seen)
{
    return seen->answer == ANSWER_OK && seen->start_ms > 0;
}

static bool same_facts(enum engine engine, const struct member_report *theirs,
                       const struct member_report *mine)
{
    return is_dated(theirs) && is_dated(mine) &&
           same_start(engine, theirs->start_ms, mine->start_ms) &&
           theirs->writable == mine->writable && theirs->channel == mine->channel &&
           strcmp(theirs->upstream, mine->upstream) == 0;
}

static bool same_postgresql_facts(const void *theirs, const void *mine)
{
    return same_facts(ENGINE_POSTGRESQL, theirs, mine);
}

static bool same_mysql_facts(const void *theirs, const void *mine)
{
    return same_facts(ENGINE_MYSQL, theirs, mine);
}

/* Reports of a former version do not say: beside these it takes most of the others. */
static int dating_quorum(const struct voters *voters)
{
    int dating = 0;
    for (size_t i = 0; i < voters->count; i++) {
        dating += voters->votes[i].report->rules >= RULES_WITH_RECORDS;
    }
    bool all = dating == (int)voters->count;
    return all || dating / 2 + 1 > voters->quorum ? voters->quorum : dating / 2 + 1;
}

static void find_start(struct tally *tally, const struct voters *voters)
{
    bool postgresql = voters->policy.engine == ENGINE_POSTGRESQL;
    struct opinions opinions = opinions_of(tally);
    for (size_t i = 0; i < tally->count; i++) {
        tally->dated += is_dated(tally->seen[i]);
    }
    opinions.quorum = dating_quorum(voters);
    tally->facts = agree_first(&opinions, postgresql ? same_postgresql_facts : same_mysql_facts);
}

bool tally_is_late(const struct tally *tally, unsigned acts)
{
    bool late = false;
    for (size_t i = 0; i < tally->count; i++) {
        late = late || (tally->seen[i]->late && tally->seen[i]->acts == acts);
    }
    return late;
}

bool tally_has_stood(const struct tally *tally, unsigned acts)
{
    bool stood = false;
    for (size_t i = 0; i < tally->count; i++) {
        stood = stood || (tally->seen[i]->stood && tally->seen[i]->acts == acts);
    }
    return stood;
}

static void count_live(struct tally *tally)
{
    int live = 0;
    for (size_t i = 0; tally->upstream && i < tally->count; i++) {
        const struct member_report *seen = tally->seen[i];
        live +=
            seen->answer == ANSWER_OK && seen->live && strcmp(seen->upstream, tally->upstream) == 0;
    }
    tally->live = live >= tally->quorum;
}

/* The commonest of the answers that make its health, so that "down" comes with the reason that most
 * voters have, and not with that of the one voter that still reaches it. */
static void find_reason(struct tally *tally)
{
    enum health health = tally->up >= tally->quorum     ? HEALTH_UP
                         : tally->down >= tally->quorum ? HEALTH_DOWN
                                                        : HEALTH_UNKNOWN;
    int most = 0;
    for (enum answer answer = ANSWER_UNKNOWN; answer <= ANSWER_RIVAL; answer++) {
        int same = 0;
        for (size_t i = 0; i < tally->count; i++) {
            same += tally->seen[i]->answer == answer;
        }
        if (answer_health(answer) == health && same > most) {
            most = same;
            tally->reason = answer;
        }
    }
}

/* ---- counting -------------------------------------------------------------------------------- */

/* Reports of a former version have no lag of a member that does not answer, from the first moment
 * on. */
static bool is_lagless(const struct report *report, const struct member_report *seen)
{
    return report->rules >= RULES_WITH_LAST_LAG && seen->answer != ANSWER_OK &&
           lag_equal(&seen->lag, &LAG_NOT_KNOWN);
}

void tally_count(struct tally *tally, const struct voters *voters, const char *name)
{
    int sync = 0;
    assert(name && name[0]);
    assert(voters->quorum > 0 && voters->quorum <= WITNESSES_MAX);
    assert(voters->count <= WITNESSES_MAX);
    *tally = (struct tally){.name = name, .quorum = voters->quorum};
    for (size_t i = 0; i < voters->count; i++) {
        const struct member_report *seen = voters_sighting(voters, i, name);
        if (!seen) {
            continue;
        }
        tally->seen[tally->count++] = seen;
        tally->up += answer_health(seen->answer) == HEALTH_UP;
        tally->down += answer_health(seen->answer) == HEALTH_DOWN;
        tally->denies += member_report_denies(seen);
        bool follows = seen->answer == ANSWER_OK && !seen->claim;
        bool unfit = member_report_denies(seen) || answer_health(seen->answer) == HEALTH_DOWN;
        tally->follows += follows;
        tally->unfit += unfit;
        tally->resigns += follows || unfit;
        tally->answered += seen->answer == ANSWER_OK;
        tally->lagless += is_lagless(voters->votes[i].report, seen);
        sync += seen->answer == ANSWER_OK && seen->sync;
    }
    tally->sync = sync >= tally->quorum;
    tally->claim = newest(tally, same_claim);
    tally->writer = newest(tally, same_writer);
    find_facts(tally);
    find_start(tally, voters);
    count_live(tally);
    find_reason(tally);
}

/* ---- lag ------------------------------------------------------------------------------------- */

static bool same_lag_state(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && theirs->lag.state == mine->lag.state;
}

static bool reaches_bytes(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && theirs->lag.bytes >= mine->lag.bytes;
}

static bool reaches_ms(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && theirs->lag.ms >= mine->lag.ms;
}

static bool reaches_transactions(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && theirs->lag.transactions >= mine->lag.transactions;
}

static bool reaches_delay(const void *a, const void *b)
{
    const struct member_report *theirs = a, *mine = b;
    return both_answered(theirs, mine) && theirs->lag.delay_ms >= mine->lag.delay_ms;
}

/* Probes look at different moments, so no two need report one number: the greatest that a quorum
 * reaches is a bound that a single slow or lying probe cannot raise. A quorum on the state is one
 * of answers, so each number is reached by one, be it -1, "not known". */
bool tally_lag(const struct tally *tally, struct lag *ret_lag)
{
    struct opinions opinions = opinions_of(tally);
    const struct member_report *state = agree_first(&opinions, same_lag_state);
    if (!state) {
        bool lost = tally->lagless >= tally->quorum;
        *ret_lag = lost ? LAG_NOT_KNOWN : *ret_lag;
        return lost;
    }
    const struct member_report *bytes = agree_greatest(&opinions, reaches_bytes);
    const struct member_report *ms = agree_greatest(&opinions, reaches_ms);
    const struct member_report *transactions = agree_greatest(&opinions, reaches_transactions);
    const struct member_report *delay = agree_greatest(&opinions, reaches_delay);
    assert(bytes && ms && transactions && delay);
    *ret_lag = (struct lag){state->lag.state, bytes->lag.bytes, ms->lag.ms,
                            transactions->lag.transactions, delay->lag.delay_ms};
    return true;
}

/* ---- one member beside another --------------------------------------------------------------- */

bool tally_is_older(const struct tally *tally, const char *lineage)
{
    int older = 0;
    for (size_t i = 0; i < tally->count; i++) {
        const struct member_report *seen = tally->seen[i];
        older += seen->answer == ANSWER_OK && lineage_is_total(seen->lineage) &&
                 lineage_compare(seen->lineage, lineage) < 0;
    }
    return older >= tally->quorum;
}

bool tally_lacks(const struct tally *tally, const struct voters *voters, const char *other)
{
    int agreeing = 0;
    for (size_t i = 0; i < voters->count; i++) {
        const struct report *report = voters->votes[i].report;
        const struct member_report *mine = voters_sighting(voters, i, tally->name);
        const struct member_report *theirs = voters_sighting(voters, i, other);
        agreeing += mine && theirs && (mine->lacks >> (theirs - report->members) & 1);
    }
    return agreeing >= tally->quorum;
}

/* Positive: most of those that know say that it misses some; negative: that it has all. */
static int compare_sets(const struct tally *tally, const struct voters *voters, const char *other)
{
    int misses = 0, has = 0;
    for (size_t i = 0; i < voters->count; i++) {
        const struct report *report = voters->votes[i].report;
        const struct member_report *mine = report_member(report, tally->name);
        const struct member_report *theirs = report_member(report, other);
        if (mine && theirs) {
            uint32_t bit = UINT32_C(1) << (theirs - report->members);
            misses += (mine->misses & bit) != 0;
            has += (mine->has & bit) != 0;
        }
    }
    return misses == 0 && has == 0 ? 0 : misses >= has ? 1 : -1;
}

bool tally_misses(const struct tally *tally, const struct voters *voters, const char *other)
{
    return compare_sets(tally, voters, other) > 0;
}

bool tally_has(const struct tally *tally, const struct voters *voters, const char *other)
{
    return compare_sets(tally, voters, other) < 0;
}

static int replicas_in(const struct report *report, const char *name)
{
    int replicas = 0;
    for (size_t i = 0; i < report->member_count; i++) {
        const struct member_report *seen = &report->members[i];
        replicas += seen->answer == ANSWER_OK && seen->live && strcmp(seen->upstream, name) == 0;
    }
    return replicas;
}

bool tally_overtakes(const struct tally *tally, const struct voters *voters, const char *other)
{
    int agreeing = 0;
    for (size_t i = 0; i < voters->count; i++) {
        const struct report *report = voters->votes[i].report;
        const struct member_report *mine = voters_sighting(voters, i, tally->name);
        const struct member_report *theirs = voters_sighting(voters, i, other);
        agreeing += mine && theirs && is_claim(mine) && is_claim(theirs) &&
                    !(mine->lacks >> (theirs - report->members) & 1) &&
                    replicas_in(report, tally->name) > replicas_in(report, other);
    }
    return agreeing >= tally->quorum;
}
