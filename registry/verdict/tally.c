#include "registry/verdict/tally.h"

#include <string.h>

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

/* Views under one stamp follow each other, and probes look at different moments. */
static bool reaches(const struct member_report *theirs, const struct member_report *mine)
{
    return strcmp(theirs->identity, mine->identity) == 0 &&
           (strcmp(theirs->lineage, mine->lineage) == 0 ||
            (!lineage_is_total(mine->lineage) &&
             lineage_compare(theirs->lineage, mine->lineage) > 0));
}

/* The member_report of a kind that a quorum shares with the same identity and lineage. */
static const struct member_report *shared(const struct tally *tally,
                                          bool (*is)(const struct member_report *))
{
    const struct member_report *best = NULL;
    for (size_t i = 0; i < tally->count; i++) {
        const struct member_report *mine = tally->seen[i];
        int same = 0;
        for (size_t k = 0; is(mine) && k < tally->count; k++) {
            same += is(tally->seen[k]) && reaches(tally->seen[k], mine);
        }
        if (same >= tally->quorum &&
            (!best || (!lineage_is_total(mine->lineage) &&
                       lineage_compare(mine->lineage, best->lineage) > 0))) {
            best = mine;
        }
    }
    return best;
}

static const enum condition *agreed_condition(const struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++) {
        int same = 0;
        for (size_t k = 0; tally->seen[i]->answer == ANSWER_OK && k < tally->count; k++) {
            same += tally->seen[k]->answer == ANSWER_OK &&
                    tally->seen[k]->condition == tally->seen[i]->condition;
        }
        if (same >= tally->quorum) {
            return &tally->seen[i]->condition;
        }
    }
    return NULL;
}

static const char *identity_of(const struct member_report *seen)
{
    return seen->identity;
}

static const char *upstream_of(const struct member_report *seen)
{
    return seen->upstream;
}

/* A string that a quorum of answers gives alike. */
static const char *agreed(const struct tally *tally,
                          const char *(*of)(const struct member_report *))
{
    for (size_t i = 0; i < tally->count; i++) {
        int same = 0;
        for (size_t k = 0; tally->seen[i]->answer == ANSWER_OK && k < tally->count; k++) {
            same += tally->seen[k]->answer == ANSWER_OK &&
                    strcmp(of(tally->seen[i]), of(tally->seen[k])) == 0;
        }
        if (same >= tally->quorum) {
            return of(tally->seen[i]);
        }
    }
    return NULL;
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

/* The greatest lineage that at least a quorum of answers reach. */
static void find_lineage(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++) {
        const struct member_report *mine = tally->seen[i];
        int reach = 0;
        for (size_t k = 0;
             mine->answer == ANSWER_OK && lineage_is_total(mine->lineage) && k < tally->count;
             k++) {
            const struct member_report *theirs = tally->seen[k];
            reach += theirs->answer == ANSWER_OK && lineage_is_total(theirs->lineage) &&
                     lineage_compare(theirs->lineage, mine->lineage) >= 0;
        }
        if (reach >= tally->quorum &&
            (!tally->has_lineage || lineage_compare(mine->lineage, tally->lineage) > 0)) {
            tally->has_lineage = true;
            strcpy(tally->lineage, mine->lineage);
        }
    }
}

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

void tally_count(struct tally *tally, const struct voters *voters, const char *name)
{
    int sync = 0;
    *tally = (struct tally){.name = name, .quorum = voters->quorum};
    for (size_t i = 0; i < voters->count; i++) {
        const struct member_report *seen = report_member(voters->votes[i].report, name);
        if (!seen) {
            continue;
        }
        tally->seen[tally->count++] = seen;
        tally->up += answer_health(seen->answer) == HEALTH_UP;
        tally->down += answer_health(seen->answer) == HEALTH_DOWN;
        tally->denies += member_report_denies(seen);
        tally->unfit += member_report_denies(seen) || answer_health(seen->answer) == HEALTH_DOWN;
        tally->follows += seen->answer == ANSWER_OK && !seen->claim;
        sync += seen->answer == ANSWER_OK && seen->sync;
    }
    tally->sync = sync >= tally->quorum;
    tally->condition = agreed_condition(tally);
    tally->claim = shared(tally, is_claim);
    tally->writer = shared(tally, is_writer);
    tally->identity = agreed(tally, identity_of);
    tally->upstream = agreed(tally, upstream_of);
    count_live(tally);
    find_lineage(tally);
    find_reason(tally);
}

/* The value at place `quorum` from the top: at least a quorum report this much or more. -1 is "not
 * known". */
static int64_t reached(const struct tally *tally, int64_t (*of)(const struct member_report *))
{
    int64_t best = -1;
    for (size_t i = 0; i < tally->count; i++) {
        int reach = 0;
        for (size_t k = 0; k < tally->count; k++) {
            reach +=
                tally->seen[k]->answer == ANSWER_OK && of(tally->seen[k]) >= of(tally->seen[i]);
        }
        if (tally->seen[i]->answer == ANSWER_OK && reach >= tally->quorum &&
            of(tally->seen[i]) > best) {
            best = of(tally->seen[i]);
        }
    }
    return best;
}

static int64_t bytes_of(const struct member_report *seen)
{
    return seen->lag.bytes;
}

static int64_t transactions_of(const struct member_report *seen)
{
    return seen->lag.transactions;
}

static int64_t ms_of(const struct member_report *seen)
{
    return seen->lag.ms;
}

bool tally_lag(const struct tally *tally, struct lag *ret_lag)
{
    for (enum lag_state state = LAG_UNKNOWN; state <= LAG_BROKEN; state++) {
        int same = 0;
        for (size_t i = 0; i < tally->count; i++) {
            same += tally->seen[i]->answer == ANSWER_OK && tally->seen[i]->lag.state == state;
        }
        if (same >= tally->quorum) {
            *ret_lag = (struct lag){state, reached(tally, bytes_of), reached(tally, ms_of),
                                    reached(tally, transactions_of)};
            return true;
        }
    }
    return false;
}

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
    int saying = 0;
    for (size_t i = 0; i < voters->count; i++) {
        const struct report *report = voters->votes[i].report;
        const struct member_report *mine = report_member(report, tally->name);
        const struct member_report *theirs = report_member(report, other);
        saying += mine && theirs && (mine->lacks >> (theirs - report->members) & 1);
    }
    return saying >= tally->quorum;
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
    int saying = 0;
    for (size_t i = 0; i < voters->count; i++) {
        const struct report *report = voters->votes[i].report;
        const struct member_report *mine = report_member(report, tally->name);
        const struct member_report *theirs = report_member(report, other);
        saying += mine && theirs && is_claim(mine) && is_claim(theirs) &&
                  !(mine->lacks >> (theirs - report->members) & 1) &&
                  replicas_in(report, tally->name) > replicas_in(report, other);
    }
    return saying >= tally->quorum;
}
