/* Is there the chroot that a registry's address ends in? Nobody creates it: one that is mistyped
 * would become a second registry. */
#ifndef ROSTER_REGISTRY_STORE_ZK_CHROOT_H
#define ROSTER_REGISTRY_STORE_ZK_CHROOT_H

#include "registry/store/store.h"

enum chroot_answer {
    CHROOT_FINE, /* it exists, or there is none in the address */
    CHROOT_MISSING,
    CHROOT_UNKNOWN /* the registry did not answer in time, or does not show it */
};

/* Asks over a session of its own, and waits. `sentence` is what is missing, with the nearest that
 * exists; or why nothing is known. */
enum chroot_answer zk_chroot_ask(const struct store_zk_options *options, int64_t timeout_ms,
                                 char *sentence, size_t size);

#endif
