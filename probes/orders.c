#include "probes/orders.h"

#include <assert.h>
#include <stdlib.h>

void orders_add(struct orders *orders, struct slot *slot)
{
    if (!slot->orders || slot->ordered) {
        return;
    }
    slot->ordered = true;
    slot->next_ordered = NULL;
    *(orders->first ? &orders->last->next_ordered : &orders->first) = slot;
    orders->last = slot;
}

bool orders_next(struct orders *orders, struct slot **ret_slot, void **ret_shell,
                 enum probe_action_kind *ret_kind)
{
    struct slot *slot = orders->first;
    if (!slot) {
        return false;
    }
    assert(slot->orders && slot->ordered);
    int kind = __builtin_ctz(slot->orders);
    *ret_kind = (enum probe_action_kind)kind;
    *ret_slot = kind == ACTION_CLOSE ? NULL : slot;
    *ret_shell = slot->shell;
    slot->orders &= ~(1u << kind);
    if (!slot->orders) {
        orders->first = slot->next_ordered;
        slot->ordered = false;
    }
    if (kind == ACTION_CLOSE) {
        free(slot);
    }
    return true;
}
