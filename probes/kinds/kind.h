/* What a server's facts mean: drivers collect facts, kinds judge them.
 *
 *     facts of one look --> shows:       are they those of a server of this kind?
 *                       --> claim_state: does it claim, could it commit a write, what is amiss
 *                       --> lag
 *
 * A file per kind, with pure functions; what is decided by kind elsewhere is a column of
 * registry/model/kinds.h. */
#ifndef ROSTER_PROBES_KINDS_KIND_H
#define ROSTER_PROBES_KINDS_KIND_H

#include "probes/drivers/driver.h"

struct claim_state {
    bool claim;    /* it is a primary, by all that its kind asks for */
    bool shared;   /* and others may be so beside it */
    bool writable; /* an ordinary account's write would be taken and committed */
    enum condition condition;
};

struct kind_rules {
    /* Do the facts show a server of this kind? NULL: its rank is 0, only configuration names it. */
    bool (*shows)(const struct observation *facts);

    /* `other` are the facts of the other half of a circular pair: the member that it replicates
     * from and that replicates from it; NULL when there is none, or its facts are not known. */
    struct claim_state (*claim_state)(const struct observation *facts,
                                      const struct observation *other);

    /* Its lag as measured now, unbanded. `source` are fresh facts of a member that claims, or NULL.
     */
    struct lag (*lag)(const struct observation *facts, const struct observation *source);
};

#define KIND_RULES(constant, rules, ...) extern const struct kind_rules kind_##rules;
KINDS(KIND_RULES)
#undef KIND_RULES

/* KIND_AUTO has none. */
const struct kind_rules *kind_rules_of(enum kind kind);

/* The kind of greatest rank that the facts show, of those that fit `engine`; KIND_AUTO when they
 * show none. */
enum kind kind_shown(enum engine engine, const struct observation *facts);

/* The lag of a group's member by what it has received and not applied. */
struct lag kind_lag_of_queue(const struct observation *facts, enum condition condition);

/* Does a commit on `primary` wait for `standby`, which streams from it? By name: true for each of
 * several that share one. */
bool kind_awaits(const struct observation *primary, const struct observation *standby);

#endif
