/* The sentences of the rules, and when a rule stays. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_RULES_H
#define ROSTER_REGISTRY_VERDICT_RULES_H

#include "registry/model/model.h"

/* With the same primary: is it still the rule of the last verdict that brought this about, although
 * now `now` would be the rule to reach it by? */
bool rule_stays(enum rule before, enum rule now, bool same_state);

/* Writes the sentence that explains `topology` by its rule; `readers` of its witnesses read the
 * primary as such. What does not fit is cut. */
void rule_explain(const struct topology *topology, int readers, char *to, size_t size);

#endif
