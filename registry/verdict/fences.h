/* Fences of members that are no longer listed: a reload of the configuration lifts none.
 *
 * A fence is remembered by name, address and the server's own identity. Whoever is listed under one
 * of them is fenced, until it follows the primary or the operator accepts it. Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_FENCES_H
#define ROSTER_REGISTRY_VERDICT_FENCES_H

#include "registry/model/model.h"

/* The epoch of the fence that a member so listed is under by the last verdict; 0: none. `self` is
 * the server's identity, "" where it is not known. */
int64_t fences_find(const struct topology *previous, const struct member_config *listing,
                    const char *self);

/* Into `out`, whose members are judged: the fences of `previous` whose members it does not list. */
void fences_carry(const struct topology *previous, struct topology *out);

#endif
