#include "registry/fleet/withdrawals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 500 /* after a deletion that was refused */

enum withdrawal_state {
    WITHDRAWAL_DUE,       /* to be deleted, at not_before_ms */
    WITHDRAWAL_DELETING,  /* its deletion is under way */
    WITHDRAWAL_CANCELLED, /* likewise, but it is not wanted any more */
    WITHDRAWAL_DONE       /* deleted, or not wanted any more */
};

struct withdrawal {
    char path[PATH_SIZE];
    int64_t session;
    enum withdrawal_state state;
    int64_t not_before_ms;
    struct withdrawal *next;
};

void withdrawals_release(struct withdrawals *withdrawals)
{
    while (withdrawals->first) {
        struct withdrawal *withdrawal = withdrawals->first;
        withdrawals->first = withdrawal->next;
        free(withdrawal);
    }
}

void withdrawals_add(struct withdrawals *withdrawals, const char *path, int64_t session)
{
    assert(session != 0 && strlen(path) < PATH_SIZE);
    struct withdrawal *withdrawal = calloc(1, sizeof *withdrawal);
    if (!withdrawal) {
        return;
    }
    strcpy(withdrawal->path, path);
    withdrawal->session = session;
    withdrawal->next = withdrawals->first;
    withdrawals->first = withdrawal;
}

void withdrawals_cancel(struct withdrawals *withdrawals, const char *path)
{
    for (struct withdrawal *at = withdrawals->first; at; at = at->next) {
        if (strcmp(at->path, path) == 0) {
            bool deleting = at->state == WITHDRAWAL_DELETING || at->state == WITHDRAWAL_CANCELLED;
            at->state = deleting ? WITHDRAWAL_CANCELLED : WITHDRAWAL_DONE;
        }
    }
}

void withdrawal_answer(struct withdrawal *withdrawal, enum store_rc rc, int64_t now_ms)
{
    assert(withdrawal->state == WITHDRAWAL_DELETING || withdrawal->state == WITHDRAWAL_CANCELLED);
    bool done = withdrawal->state == WITHDRAWAL_CANCELLED || rc == STORE_OK || rc == STORE_NO_NODE;
    withdrawal->state = done ? WITHDRAWAL_DONE : WITHDRAWAL_DUE;
    if (rc != STORE_UNKNOWN) {
        withdrawal->not_before_ms = now_ms + RETRY_MS;
    }
}

static void delete_it(struct withdrawals *withdrawals, struct withdrawal *withdrawal)
{
    struct store_op op = {.kind = STORE_DELETE, .path = withdrawal->path, .version = -1};
    withdrawal->state = WITHDRAWAL_DELETING;
    store_write(withdrawals->store, store_tag(withdrawal, TAG_WITHDRAWAL), &op, 1);
}

int64_t withdrawals_step(struct withdrawals *withdrawals, int64_t session, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;
    for (struct withdrawal **at = &withdrawals->first; *at;) {
        struct withdrawal *withdrawal = *at;
        bool due = withdrawal->state == WITHDRAWAL_DUE;
        if (withdrawal->state == WITHDRAWAL_DONE || (due && withdrawal->session != session)) {
            *at = withdrawal->next;
            free(withdrawal);
            continue;
        }
        if (due && now_ms >= withdrawal->not_before_ms) {
            delete_it(withdrawals, withdrawal);
        } else if (due && withdrawal->not_before_ms < due_ms) {
            due_ms = withdrawal->not_before_ms;
        }
        at = &withdrawal->next;
    }
    return due_ms;
}
