/* What a server's facts mean: drivers ask, kinds judge.
 *
 * One pure function set per kind, from the facts of one look (and, for lag,
 * from the facts of the primary) to a claim and a lag. */
#ifndef ROSTER_PROBES_JUDGE_H
#define ROSTER_PROBES_JUDGE_H

#include "probes/driver.h"

struct judge {
    enum kind kind;

    /* Does it claim to be the primary? `other` are the facts of the other half of a circular pair: the member that it
     * replicates from and that replicates from it; NULL when there is none, or its facts are not known. */
    bool (*claims)(const struct observation *facts, const struct observation *other);

    /* Its lag as measured now, unbanded. `source` are fresh facts of a member that claims, or NULL. */
    struct lag (*lag)(const struct observation *facts, const struct observation *source);
};

const struct judge *judge_of(enum kind kind);

#endif
