/* A client of the simulated ensemble behind registry/store/store.h, and the faults
 * that can befall it. One struct store per client; all are deterministic. */
#ifndef ROSTER_TESTS_SIM_STORE_MEM_H
#define ROSTER_TESTS_SIM_STORE_MEM_H

#include "tests/sim/ensemble.h"

/* An idle client: store_renew begins. `ready` is called when events wait; it must not use the store
 * at once, but put something on the agenda. The name is copied. */
struct store *store_mem_new(struct ensemble *ensemble, const char *name, int64_t timeout_ms,
                            void (*ready)(void *owner), void *owner);

/* The link breaks: noticed at once, or, if `silent`, by its silence only. Requests on their way may
 * still arrive. */
void store_mem_cut(struct store *store, bool silent);
void store_mem_mend(struct store *store);

/* The process is stopped: nothing is sent, and the session runs out meanwhile. */
void store_mem_freeze(struct store *store);
void store_mem_thaw(struct store *store);

/* The process is gone without a goodbye; the store is not to be used any more. */
void store_mem_kill(struct store *store);

/* Every message takes so long, each way. */
void store_mem_delay(struct store *store, int64_t least_ms, int64_t most_ms);

/* The link breaks round the next write below `path`: it is carried out or not, and the answer never
 * comes. */
void store_mem_break_at(struct store *store, const char *path, bool carried_out);

/* The ensemble ends this client's session, though it lives. */
void store_mem_expire(struct store *store);

bool store_mem_is_up(const struct store *store);
/* as the server counts; 0: none that lives */
int64_t store_mem_session(const struct store *store);

#endif
