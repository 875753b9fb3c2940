/* What anybody may write of the tree that this probe relies on: looked at, told, never changed.
 *
 *     session begins --> root --> its list, its children --> theirs ... --> a sentence, if due
 *                          ^                                                   |
 *                          +-------- a while later, longer for a large tree ---+
 *
 * One request at a time, and reads only. What merely goes on is told again at growing intervals. It
 * is the operator who changes lists, with `roster protect`: the first probe of a rolling change
 * would lock the others out. A step: answers and time come in. */
#ifndef ROSTER_REGISTRY_FLEET_AUDIT_H
#define ROSTER_REGISTRY_FLEET_AUDIT_H

#include "registry/model/access.h"
#include "registry/store/store.h"

struct audit;

/* What is to be told. */
enum audit_finding {
    AUDIT_WELL, /* all is as wanted, after it was not */
    AUDIT_DIFFERS,
    AUDIT_OPEN /* anybody may change something */
};

/* With the rules of this process. NULL: no memory. */
struct audit *audit_new(struct store *store, const char *root, const struct access_rules *rules);
/* no request may be under way: close the store first. NULL is fine. */
void audit_free(struct audit *audit);

/* Feed every store event. */
void audit_event(struct audit *audit, const struct store_event *event, int64_t now_ms);

/* Asks what is due. Call it now and then. */
void audit_step(struct audit *audit, int64_t now_ms);

/* The sentence that is due, once; NULL: none is. It lives until the next call. */
const char *audit_take_sentence(struct audit *audit, enum audit_finding *ret_finding);

#endif
