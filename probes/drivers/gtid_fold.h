/* Sets of transactions of any length, in a text of bounded length that can be compared.
 *
 *     a set, as the server writes it --> gtid_fold --> itself while it fits; else
 *                                                      "~" 64 heaps ";" the greatest servers
 *
 * Servers are spread over the heaps by their names. A heap is COUNT.DIGEST, both in hexadecimal:
 * how many transactions, and the sum of a hash of each server's intervals. What is written out as
 * well can be taken out of its heap again: so the servers that write are compared one by one
 * (whoever gave the set is among them), and the many that wrote once, and never again, by a heap
 * that is equal or not. Where the other has the same but for the last transactions of one server,
 * or for all of it, the digest shows that, too.
 *
 * Limits: of a server with more gaps than RUN_TEXT_MAX letters tell, and where a heap has more
 * transactions and another digest, whether it contains the other's is not known; that it lacks some
 * is, when it has fewer. A digest is no proof against intent. Pure. */
#ifndef ROSTER_PROBES_DRIVERS_GTID_FOLD_H
#define ROSTER_PROBES_DRIVERS_GTID_FOLD_H

#include "probes/drivers/gtid.h"
#include "registry/base/limits.h"

/* "" for one that cannot be read, or when there is no memory to fold it. `self_id`: who gave it. */
void gtid_fold(const char *set, const char *self_id, char ret_folded[GTIDS_SIZE]);

/* What `mine` is to `theirs`, each folded or not. Not known where the heaps cannot tell. */
enum gtid_relation gtid_fold_compare(const char *mine, const char *theirs);

#endif
