/* The slots that have orders for the shell: first come, first served. Pure. */
#ifndef ROSTER_PROBES_ORDERS_H
#define ROSTER_PROBES_ORDERS_H

#include "probes/slot.h"

struct orders {
    struct slot *first, *last; /* NULL: none */
};

/* Unless it has none, or is in the list. */
void orders_add(struct orders *orders, struct slot *slot);

/* Takes out the next order. With ACTION_CLOSE the slot is freed: *ret_slot is NULL. */
bool orders_next(struct orders *orders, struct slot **ret_slot, void **ret_shell,
                 enum probe_action_kind *ret_kind);

#endif
