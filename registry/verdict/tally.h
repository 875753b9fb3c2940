/* What the voters together report of one member: counting, no deciding.
 *
 * "By quorum" below: at least `quorum` voters report the same (agree.h). What
 * no quorum reports is absent, and the caller keeps what was. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_TALLY_H
#define ROSTER_REGISTRY_VERDICT_TALLY_H

#include "registry/verdict/voters.h"

struct tally {
    const char *name;
    int quorum;
    size_t count; /* voters that list it */
    const struct member_report *seen[WITNESSES_MAX];
    int up, down; /* health, as answers count towards it */
    /* its own answer: not writable, starting, or shutting down */
    int denies;
    /* denies or is down; counted once per voter, for STARTING is both */
    int unfit;
    int follows; /* answered, and does not claim */
    int resigns; /* is unfit, or answered and does not claim; likewise once */
    int answered;
    int lagless; /* gets no answer, and has got none for so long that it knows of no lag */
    /* how many report when it was started, and what a quorum of them agrees on of its start, its
     * channel and whether it takes writes; NULL: nothing. Reports of a former version do not say:
     * beside these it is most of the others. */
    int dated;
    const struct member_report *facts;
    /* a claim by quorum (lineage and identity agree; of the views under one stamp the newest
     * that a quorum reaches), or NULL */
    const struct member_report *claim;
    /* the same, but merely writable: what keeps an incumbent without order */
    const struct member_report *writer;
    const char *identity;            /* by quorum, from answers; NULL */
    const char *upstream;            /* by quorum, from answers; NULL */
    const char *alias;               /* likewise; "": it is one server with no other member */
    bool sync;                       /* by quorum, from answers */
    const enum condition *condition; /* by quorum, from answers; NULL */
    const char *closed_by;           /* likewise; "": by nothing */
    /* by quorum: a live stream from that upstream */
    bool live;
    bool has_lineage;
    /* the newest total one that a quorum reaches, from answers */
    char lineage[LINEAGE_SIZE];
    /* the commonest answer of those that make its health; ties by order */
    enum answer reason;
};

void tally_count(struct tally *tally, const struct voters *voters, const char *name);

/* Lag by quorum: the greatest bound that a quorum reaches; not known once it is so to a quorum that
 * gets no answer. False: neither, it stays what it was. */
bool tally_lag(const struct tally *tally, struct lag *ret_lag);

/* Does a quorum report that this claimant lacks, or may lack, transactions which `other` has? */
bool tally_lacks(const struct tally *tally, const struct voters *voters, const char *other);

/* By most of those that can compare the two: does this claimant lack some of the transactions of
 * `other`, has it all of them? Neither: it is not known. */
bool tally_misses(const struct tally *tally, const struct voters *voters, const char *other);
bool tally_has(const struct tally *tally, const struct voters *voters, const char *other);

/* To any voter that speaks of these acts: the primary was fit long after them; they have stood for
 * an interval. A report from before the latest of them shows nothing. */
bool tally_is_late(const struct tally *tally, unsigned acts);
bool tally_has_stood(const struct tally *tally, unsigned acts);

/* May these two be the same start of a server? PostgreSQL gives it exactly. */
bool same_start(enum engine engine, int64_t a_ms, int64_t b_ms);

/* Does a quorum see this claimant overtake the claimant `other`: more replicate from it, and it
 * lacks nothing? All in one voter's report, so that an absent report cannot tip the count. */
bool tally_overtakes(const struct tally *tally, const struct voters *voters, const char *other);

/* By its own answer it takes no writes: in recovery, read-only, offline, or on its way up or down.
 */
bool member_report_denies(const struct member_report *seen);

/* Does a quorum of answers put it behind `lineage`? */
bool tally_is_older(const struct tally *tally, const char *lineage);

#endif
