/* Which probes live, by the movement of their beats.
 *
 * Presence is not life: an ephemeral outlives its killed owner by most of two
 * session timeouts. So a probe counts as fresh only while its beat moved
 * within our last BEATS_FRESH *acknowledged* beats, and was seen to move at
 * least once. Measured in our own acknowledged beats, a stalled registry ages
 * nobody, and a ghost of a former fleet never votes. */
#ifndef ROSTER_REGISTRY_FLEET_LIVENESS_H
#define ROSTER_REGISTRY_FLEET_LIVENESS_H

#include "registry/model/model.h"
#include "registry/store/mirror.h"

struct liveness;

/* Follows the presence of all probes but `self`, through `mirror`. NULL: no memory. */
struct liveness *liveness_new(struct mirror *mirror, const char *root, const char *self);
/* leaves its nodes to the mirror, which must not read them any more; NULL is fine */
void liveness_free(struct liveness *liveness);

/* A beat of our own was acknowledged. */
void liveness_beat(struct liveness *liveness);

/* Another session of ours began: our own beats count anew, and others' as after liveness_forget. */
void liveness_session_began(struct liveness *liveness);

/* We were away for longer than a beat (stopped, or without a link): whoever beat meanwhile may have
 * died since, so only a beat that moves from now on counts. */
void liveness_forget(struct liveness *liveness);

bool liveness_is_fresh(const struct liveness *liveness, const char *probe);

/* Grows whenever the set of fresh probes may have changed. */
uint64_t liveness_generation(const struct liveness *liveness);

/* Probes present, ourselves included when our beat counts; ret_rank is our place among their names.
 */
size_t liveness_size(const struct liveness *liveness, size_t *ret_rank);

#endif
