#include "probes/slot.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void order(struct slot *slot, enum probe_action_kind action)
{
    slot->orders |= 1u << action;
}

void slot_init(struct slot *slot, const struct member_config *config, bool trial, int64_t now_ms)
{
    *slot = (struct slot){.trial = trial, .config = *config, .times = {.due_ms = now_ms}};
}

/* ---- the end of a look ----------------------------------------------------------------------- */

static void end(struct slot *slot, const struct observation *observation, enum answer answer,
                const struct slot_context *context, struct slot_outcome *outcome)
{
    assert(slot->times.in_flight);
    outcome->ended = true;
    outcome->observation = *observation;
    /* broken twice in a row, the second time on a new connection */
    outcome->observation.answer = answer == ANSWER_LOST ? ANSWER_PROTOCOL : answer;
    outcome->observation.took_ms = context->now.ms - slot->times.began_ms;
    slot->state = SLOT_WAITING;
    look_times_end(&slot->times, context->schedule, outcome->observation.answer, context->now.ms,
                   context->now.wall_ms, context->rank, context->size);
}

static void end_unresolved(struct slot *slot, const char *problem,
                           const struct slot_context *context, struct slot_outcome *outcome)
{
    struct observation observation;
    observation_fail(&observation, ANSWER_NAME, problem);
    end(slot, &observation, ANSWER_NAME, context, outcome);
}

static void ask(struct slot *slot, bool fresh)
{
    assert(slot->state == SLOT_RESOLVING || slot->state == SLOT_IN_FLIGHT);
    slot->state = SLOT_IN_FLIGHT;
    slot->over_fresh = fresh;
    order(slot, fresh ? ACTION_ASK_FRESH : ACTION_ASK);
}

/* The fresh connection was tried: it replaces the kept one, or shows something that the kept one
 * hides. */
static void end_fresh(struct slot *slot, const struct observation *observation, bool connected,
                      const struct slot_context *context, struct slot_outcome *outcome)
{
    enum answer answer = observation->answer;
    /* a session counts, though it may refuse the operator's statement */
    bool good = answer == ANSWER_OK || (answer == ANSWER_PROTOCOL && connected);
    if (good) {
        order(slot, ACTION_ADOPT_FRESH);
        slot->kept = connected;
        slot->only_fresh = false;
        end(slot, observation, answer, context, outcome);
        return;
    }
    order(slot, ACTION_CLOSE_FRESH);
    if (answer == ANSWER_UNKNOWN) {
        ask(slot, false); /* it could not be made: nothing was learned */
    } else if (slot->kept && answer_health(answer) == HEALTH_UP) {
        /* full, or our password is an old one, and yet it serves us: what it reports counts */
        slot->fresh_not_before_ms = context->now.ms + AUTH_WAIT_MOST_MS;
        ask(slot, false);
    } else {
        slot->only_fresh = true;
        /* it answers old sessions and takes no new ones */
        bool stalled = slot->kept && !answer_is_definite(answer);
        end(slot, observation, stalled ? ANSWER_STALLED : answer, context, outcome);
    }
}

void slot_look_ended(struct slot *slot, const struct observation *observation, bool connected,
                     const struct slot_context *context, struct slot_outcome *ret_outcome)
{
    assert(slot->state == SLOT_IN_FLIGHT);
    enum answer answer = observation->answer;
    ret_outcome->alarm = NULL;
    ret_outcome->ended = false;
    slot->kept = slot->over_fresh ? slot->kept : connected;
    if (answer == ANSWER_LOST && !slot->again) {
        slot->again = true;
        ret_outcome->alarm = "the connection broke";
        ask(slot, slot->over_fresh);
        return;
    }
    if (answer == ANSWER_TIMEOUT || answer == ANSWER_UNREACHABLE || answer == ANSWER_REFUSED) {
        order(slot, ACTION_NEXT_ADDRESS);
    }
    if (slot->over_fresh) {
        end_fresh(slot, observation, connected, context, ret_outcome);
    } else {
        end(slot, observation, answer, context, ret_outcome);
    }
}

/* ---- the beginning of a look ----------------------------------------------------------------- */

void slot_begin(struct slot *slot, const struct slot_context *context)
{
    assert(slot->state == SLOT_WAITING);
    look_times_begin(&slot->times, context->now.ms);
    slot->state = SLOT_RESOLVING;
    slot->again = false;
    slot->warned = false;
    slot->resolve_until_ms = context->now.ms + context->timeout_ms;
    order(slot, ACTION_RESOLVE);
}

static bool wants_fresh(const struct slot *slot)
{
    bool due = slot->times.looks % FRESH_EVERY == 0 && slot->times.began_ms >= slot->fresh_due_ms;
    /* what the server sent unasked is to be read; and without a connection this look makes one */
    return slot->kept && !slot->unsolicited && slot->times.began_ms >= slot->fresh_not_before_ms &&
           (slot->only_fresh || due);
}

void slot_resolved(struct slot *slot, const char *address, const char *problem,
                   const struct slot_context *context, struct slot_outcome *ret_outcome)
{
    assert(slot->state == SLOT_RESOLVING);
    ret_outcome->alarm = NULL;
    ret_outcome->ended = false;
    if (!address[0]) {
        end_unresolved(slot, problem, context, ret_outcome);
        return;
    }
    assert(strlen(address) < sizeof slot->address);
    snprintf(slot->address, sizeof slot->address, "%s", address);
    bool fresh = wants_fresh(slot);
    slot->only_fresh = slot->only_fresh && slot->kept;
    slot->unsolicited = false;
    if (fresh) {
        slot->fresh_due_ms = slot->times.began_ms + FRESH_PACE_MS;
    }
    ask(slot, fresh);
}

void slot_unsolicited(struct slot *slot, const struct slot_context *context,
                      struct slot_outcome *ret_outcome)
{
    ret_outcome->alarm = NULL;
    ret_outcome->ended = false;
    if (slot->state != SLOT_WAITING) {
        return; /* the look in flight reads it */
    }
    ret_outcome->alarm = "the server sent something unasked";
    if (slot->times.refusals > 0) {
        slot->kept = false;
        order(slot, ACTION_DROP);
        return;
    }
    int64_t soonest_ms = slot->times.began_ms + context->schedule->alert_ms;
    slot->unsolicited = true;
    slot->times.due_ms = slot->times.due_ms < soonest_ms ? slot->times.due_ms : soonest_ms;
}

void slot_timer(struct slot *slot, const struct slot_context *context,
                struct slot_outcome *ret_outcome)
{
    int64_t now_ms = context->now.ms;
    assert(slot->state != SLOT_CLOSED);
    ret_outcome->alarm = NULL;
    ret_outcome->ended = false;
    if (slot->state == SLOT_WAITING && now_ms >= slot->times.due_ms) {
        slot_begin(slot, context);
        return;
    }
    if (slot->times.in_flight && !slot->warned && now_ms >= slot->times.began_ms + OVERDUE_MS) {
        slot->warned = true;
        ret_outcome->alarm = "the answer is overdue";
    }
    if (slot->state == SLOT_RESOLVING && now_ms >= slot->resolve_until_ms) {
        order(slot, ACTION_STOP_RESOLVING);
        end_unresolved(slot, "the name was not resolved in time", context, ret_outcome);
    }
}

void slot_expedite(struct slot *slot, enum answer standing, const struct slot_context *context)
{
    assert(slot->state != SLOT_CLOSED);
    look_times_expedite(&slot->times, context->schedule, standing, context->now.ms);
}

void slot_close(struct slot *slot)
{
    assert(slot->state != SLOT_CLOSED); /* whoever gets its orders frees it */
    slot->state = SLOT_CLOSED;
    slot->orders = 1u << ACTION_CLOSE;
}

int64_t slot_due(const struct slot *slot)
{
    int64_t overdue_ms = slot->warned ? TIMER_NEVER : slot->times.began_ms + OVERDUE_MS;
    switch (slot->state) {
    case SLOT_WAITING:
        return slot->times.due_ms;
    case SLOT_RESOLVING:
        return overdue_ms < slot->resolve_until_ms ? overdue_ms : slot->resolve_until_ms;
    case SLOT_IN_FLIGHT:
        return overdue_ms;
    case SLOT_CLOSED:
        break;
    }
    return TIMER_NEVER;
}
