/* How far a member is behind: measured by its kind, checked against what feeds it, bounded by
 * positions, kept in bands.
 *
 *     feed       a replica is worth something only while the chain that feeds it leads to the
 *                primary. Behind one that is silent lag is unknown, whatever it reports (with the
 *                source frozen that is "0 seconds" for ever); behind one that is fenced, a rival or
 *                no primary it is broken
 *     bounds     a server's own account of time is taken as far as positions at both ends allow
 *                (trail.h): no less than the source has had something that the replica lacks, no
 *                more than since the replica had all. Where it gives none, it is the latter. Where
 *                positions do not compare (without GTIDs) its account is all there is
 *     delay      one that is set to apply later lags by that; it is shown beside
 *
 * A band has a power of two times its floor as upper end, which is what is reported. It is widened
 * after LAG_RISES samples in a row, at once by what positions prove, and narrowed after LAG_FALLS,
 * so that a spike writes nothing. Pure. */
#ifndef ROSTER_PROBES_ASSESS_LAG_H
#define ROSTER_PROBES_ASSESS_LAG_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/model/model.h"

struct assessment;
struct assessed;

enum {
    LAG_BYTES_FLOOR = 64 * 1024, /* the first band above none */
    LAG_MS_FLOOR = 128,
    LAG_TRANSACTIONS_FLOOR = 64,
    LAG_RISES = 3,
    LAG_FALLS = 10
};

struct band {
    bool known;
    int64_t top;      /* its upper end, which is reported */
    int above, below; /* samples in a row outside of it */
};

/* What a replica gets from its upstream. */
enum feed {
    FEED_FLOWS,
    FEED_SILENT, /* a member upstream does not respond: whether it has anything new is not known */
    FEED_CUT,    /* a member upstream is not fed itself: it passes on what it has, nothing new */
    FEED_FOREIGN /* it comes from a member that is not the primary: it is another history */
};

/* One more sample; negative: not known this time. */
void band_add(struct band *band, int64_t value, int64_t floor);

/* It is at least `value`, beyond doubt. */
void band_raise(struct band *band, int64_t value, int64_t floor);

enum feed lag_feed(const struct assessment *assessment, const struct assessed *member,
                   int64_t now_ms);

/* Where `member`, which has just answered, was: if it is the source. */
void lag_mark(struct assessment *assessment, const struct assessed *member, int64_t now_ms);

/* Measure `member`, which has just answered, and add to its bands. */
void lag_measure(const struct assessment *assessment, struct assessed *member, int64_t now_ms);

/* As a report carries it: for `overdue_ms` after its last answer, and then it is not known. */
struct lag lag_reported(const struct assessment *assessment, const struct assessed *member,
                        int64_t now_ms);

#endif
