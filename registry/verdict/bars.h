/* Why a claim may not win: by the operator, by its history, or because nobody promoted it.
 *
 * The bars are asked in one order, and the first that holds is the claim's. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_BARS_H
#define ROSTER_REGISTRY_VERDICT_BARS_H

#include "registry/verdict/claims.h"

/* Finds the newest lineage, and sets the bar of every contender that claims. */
void bars_judge(struct verdict_inputs *inputs);

#endif
