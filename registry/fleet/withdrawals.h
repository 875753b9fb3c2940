/* Reports that were withdrawn and may still exist: left alone one would vote, fresh by our beat,
 * as long as we live. Each is deleted, until that is known to have happened; the end of the session
 * that it belongs to deletes it as well. */
#ifndef ROSTER_REGISTRY_FLEET_WITHDRAWALS_H
#define ROSTER_REGISTRY_FLEET_WITHDRAWALS_H

#include "registry/store/store.h"

struct withdrawal;

/* In no order. Zeroed but for `store` it is empty. */
struct withdrawals {
    struct store *store;
    struct withdrawal *first;
};

void withdrawals_release(struct withdrawals *withdrawals);

/* The znode at `path`, of this session. Without memory it is left to the session's end. */
void withdrawals_add(struct withdrawals *withdrawals, const char *path, int64_t session);

/* Its cluster is back: what is at `path` is wanted again. */
void withdrawals_cancel(struct withdrawals *withdrawals, const char *path);

/* Deletes what is due while `session` is ours. Returns when to come back. */
int64_t withdrawals_step(struct withdrawals *withdrawals, int64_t session, int64_t now_ms);

/* The answer to a deletion (tag TAG_WITHDRAWAL). */
void withdrawal_answer(struct withdrawal *withdrawal, enum store_rc rc, int64_t now_ms);

#endif
