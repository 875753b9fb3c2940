/* How far a member is behind: measured by its kind, checked against what feeds it, kept in bands.
 *
 * A replica's own account of its lag is worth something only while its source responds: with the
 * source frozen, a replica reports "0 seconds" for ever. So the lag of a replica whose source, or
 * that one's source, is silent or cut off is unknown or broken, whatever it reports.
 *
 * A band has a power of two times its floor as upper end, which is what is reported. It is widened
 * after LAG_RISES samples in a row and narrowed after LAG_FALLS, so that a spike writes nothing.
 * Pure. */
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
    FEED_CUT     /* a member upstream is not fed itself: it passes on what it has, nothing new */
};

/* One more sample; negative: not known this time. */
void band_add(struct band *band, int64_t value, int64_t floor);

enum feed lag_feed(const struct assessment *assessment, const struct assessed *member,
                   int64_t now_ms);

/* Measure `member`, which has just answered, and add to its bands. */
void lag_measure(const struct assessment *assessment, struct assessed *member, int64_t now_ms);

/* As a report carries it. */
struct lag lag_reported(const struct assessed *member);

#endif
