/* The members' places in replication: who replicates from whom, who claims, whose
 * data the others are measured against, and what rivals lack of each other.
 *
 * All of it follows from the last answers of the members; nothing is kept. A member is identified
 * by the identity that it reports of itself, where there is one, else by its address: several
 * servers can be reached at one host, and one server by several names. Pure. */
#ifndef ROSTER_PROBES_ASSESS_STANDING_H
#define ROSTER_PROBES_ASSESS_STANDING_H

#include "probes/assess/assess.h"
#include "probes/kinds/kind.h"

/* By which rules to read the members' facts; while the kind is unknown, those of the engine's least
 * kind. */
const struct kind_traits *standing_traits(const struct assessment *assessment);
const struct kind_rules *standing_rules(const struct assessment *assessment);

/* Does its last answer count (a failure does not yet, or no more)? */
bool standing_has_answer(const struct assessed *member);

/* Is the member at this address, as configuration has it or as it was last reached? */
bool standing_is_at(const struct assessed *member, const char *host, uint16_t port);

/* Index of the member that a server with these facts replicates from; -1: no member. */
int standing_upstream(const struct assessment *assessment, const struct observation *facts);

/* Of several channels take as upstream one that leads to a member before one that does not, then by
 * how well it runs. */
void standing_choose_channel(const struct assessment *assessment, struct observation *facts);

/* The judgement of its kind, with the other half of a circular pair taken into account. */
struct claim_state standing_claim(const struct assessment *assessment,
                                  const struct assessed *member);
bool standing_claims(const struct assessment *assessment, const struct assessed *member);

/* Under the name of its own that the server of member `i` has; -1 stays that. */
int standing_server(const struct assessment *assessment, int i);

/* What the last verdict says of who may be the source of the cluster's data. */
void standing_take(struct assessment *assessment, const struct topology *topology);

/* The source of the cluster's data, with fresh facts: the verdict's primary while it claims, else
 * the member that claims with the newest lineage and that the verdict does not bar; NULL: none. */
const struct assessed *standing_source(const struct assessment *assessment, int64_t now_ms);

/* By all that is known, data come from here, and not from the source nor from the last primary. */
bool standing_is_foreign(const struct assessment *assessment, const struct assessed *member,
                         const struct assessed *source);

/* The lineage to report of a member. */
const char *standing_lineage(const struct assessment *assessment, const struct assessed *member,
                             int64_t now_ms);

/* Sets `lacks` of the report's rivals. */
void standing_relate(const struct assessment *assessment, struct report *report);

#endif
