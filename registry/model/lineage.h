/* Lineages: the order of histories. When a standby is promoted, its history departs from the old
 * primary's; a lineage is what numbers these departures, so that the newer of two claims is known.
 *
 *   "7"            a number: orders claims over all time (PostgreSQL's timeline). Total.
 *   "STAMP:7"      orders claims that are seen together, under one stamp only (a group's views)
 *   ""             the server has none: claims are not ordered by it
 *
 * Numbers have any length. Two histories may carry one number (two standbys promoted from one
 * timeline): equal lineages do not prove equal data. Pure. */
#ifndef ROSTER_REGISTRY_MODEL_LINEAGE_H
#define ROSTER_REGISTRY_MODEL_LINEAGE_H

#include <stdbool.h>

/* Is it a number? */
bool lineage_is_total(const char *lineage);

/* -1, 0, 1: the order of two lineages. "" is before every number; 0 where there is no order. */
int lineage_compare(const char *a, const char *b);

#endif
