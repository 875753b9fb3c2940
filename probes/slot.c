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
    slot->times.not_before_ms = now_ms;
    debts_init(&slot->debts, now_ms);
}

/* ---- log-ins --------------------------------------------------------------------------------- */

static bool hangs(const struct slot *slot)
{
    return slot->fresh_hangs || slot->kept == REMAINS_QUESTION;
}

/* Will the next look have to log in? */
static bool needs_login(const struct slot *slot)
{
    return !hangs(slot) && (slot->only_fresh || slot->kept != REMAINS_SESSION);
}

/* How long to do without a log-in like that of the last look. */
static int64_t dear_ms(const struct slot *slot)
{
    return slot->cost_ms >= DEAR_MS ? slot->cost_ms * DEAR_PART : 0;
}

static void update_not_before(struct slot *slot, int64_t now_ms)
{
    bool waits = needs_login(slot) || slot->debts.refusals > 0;
    int64_t until_ms = now_ms + dear_ms(slot);
    until_ms = until_ms > slot->debts.not_before_ms ? until_ms : slot->debts.not_before_ms;
    slot->times.not_before_ms = waits ? until_ms : now_ms;
}

/* What hangs is given up; the next look logs in. */
static void give_up(struct slot *slot, int64_t now_ms)
{
    order(slot, slot->fresh_hangs ? ACTION_CLOSE_FRESH : ACTION_DROP);
    slot->kept = slot->fresh_hangs ? slot->kept : REMAINS_NOTHING;
    slot->fresh_hangs = false;
    debts_give_up(&slot->debts, now_ms);
}

/* ---- the end of a look ----------------------------------------------------------------------- */

/* A word came that it may have changed. */
static void log_in_anew(struct slot *slot, int64_t now_ms)
{
    bool waits = hangs(slot) || (needs_login(slot) && !debts_allow(&slot->debts, now_ms));
    slot->pardoned = false;
    if (!waits || !debts_pardon(&slot->debts, now_ms)) {
        return;
    }
    if (hangs(slot)) {
        give_up(slot, now_ms);
        slot->debts.not_before_ms = now_ms;
    }
    update_not_before(slot, now_ms);
    slot->times.due_ms = now_ms;
}

/* The next look is due. */
static void rest(struct slot *slot, enum answer answer, const struct slot_context *context)
{
    assert(slot->times.in_flight);
    slot->state = SLOT_WAITING;
    update_not_before(slot, context->now.ms);
    look_times_end(&slot->times, context->schedule, answer, context->now.ms, context->now.wall_ms,
                   context->rank, context->size);
    if (slot->pardoned) {
        log_in_anew(slot, context->now.ms);
    }
}

static void end(struct slot *slot, const struct observation *observation, enum answer answer,
                const struct slot_context *context, struct slot_outcome *outcome)
{
    outcome->failed = answer == ANSWER_UNKNOWN;
    outcome->ended = !outcome->failed || slot->trial;
    outcome->observation = *observation;
    /* broken twice in a row, the second time on a new connection */
    outcome->observation.answer = answer == ANSWER_LOST ? ANSWER_PROTOCOL : answer;
    outcome->observation.took_ms = context->now.ms - slot->times.began_ms;
    rest(slot, outcome->observation.answer, context);
}

static void end_unresolved(struct slot *slot, const char *problem,
                           const struct slot_context *context, struct slot_outcome *outcome)
{
    struct observation observation;
    enum answer answer = problem ? ANSWER_NAME : ANSWER_UNKNOWN;
    observation_fail(&observation, answer, problem ? problem : "no memory for a look");
    end(slot, &observation, answer, context, outcome);
}

static void ask(struct slot *slot, bool fresh)
{
    assert(slot->state == SLOT_RESOLVING || slot->state == SLOT_IN_FLIGHT);
    slot->state = SLOT_IN_FLIGHT;
    slot->over_fresh = fresh;
    slot->logs_in = fresh ? !slot->fresh_hangs : slot->kept == REMAINS_NOTHING;
    order(slot, fresh ? ACTION_ASK_FRESH : ACTION_ASK);
}

/* The fresh connection was tried: it replaces the kept one, or shows something that the kept one
 * hides. */
static void end_fresh(struct slot *slot, const struct observation *observation,
                      enum remains remains, const struct slot_context *context,
                      struct slot_outcome *outcome)
{
    enum answer answer = observation->answer;
    bool has_kept = slot->kept == REMAINS_SESSION;
    int64_t soonest_ms = slot->times.began_ms + dear_ms(slot);
    slot->fresh_due_ms = slot->fresh_due_ms > soonest_ms ? slot->fresh_due_ms : soonest_ms;
    slot->fresh_hangs = remains == REMAINS_QUESTION;
    /* a session counts, though it may refuse the operator's statement */
    bool good = answer == ANSWER_OK || (answer == ANSWER_PROTOCOL && remains == REMAINS_SESSION);
    if (good) {
        order(slot, ACTION_ADOPT_FRESH);
        slot->kept = remains;
        slot->only_fresh = false;
        end(slot, observation, answer, context, outcome);
        return;
    }
    if (!slot->fresh_hangs) {
        order(slot, ACTION_CLOSE_FRESH);
    }
    if (answer == ANSWER_UNKNOWN) {
        ask(slot, false); /* it could not be made: nothing was learned */
    } else if (has_kept && answer_health(answer) == HEALTH_UP) {
        /* full, or our password is an old one, and yet it serves us: what it reports counts */
        slot->fresh_not_before_ms = context->now.ms + FRESH_REFUSED_WAIT_MS;
        ask(slot, false);
    } else {
        slot->only_fresh = true;
        /* it answers old sessions and takes no new ones */
        bool stalled = has_kept && !answer_is_definite(answer);
        end(slot, observation, stalled ? ANSWER_STALLED : answer, context, outcome);
    }
}

/* A path that lost the connection is the likeliest reason for silence at an old session: it is
 * given up, once, for a new one. */
static void take_remains(struct slot *slot, enum remains remains, int64_t now_ms)
{
    bool was_up = slot->kept == REMAINS_SESSION;
    slot->kept =
        remains == REMAINS_SESSION || remains == REMAINS_QUESTION ? remains : REMAINS_NOTHING;
    if (remains == REMAINS_QUESTION && was_up && slot->debts.left == 0) {
        give_up(slot, now_ms);
    }
}

void slot_look_ended(struct slot *slot, const struct observation *observation, enum remains remains,
                     const struct slot_context *context, struct slot_outcome *ret_outcome)
{
    assert(slot->state == SLOT_IN_FLIGHT);
    enum answer answer = observation->answer;
    *ret_outcome = (struct slot_outcome){.alarm = NULL};
    debts_end(&slot->debts, answer, remains, slot->logs_in, context->now.ms);
    if (!slot->over_fresh) {
        take_remains(slot, remains, context->now.ms);
    }
    if (answer == ANSWER_LOST && !slot->again) {
        slot->again = true;
        /* MariaDB does not say that it ends a session for being idle: the answer to come decides */
        bool idle = observation->was_idle || slot->rested;
        ret_outcome->alarm = idle ? NULL : "the connection broke";
        debts_lost(&slot->debts);
        ask(slot, slot->over_fresh);
        return;
    }
    if (answer == ANSWER_TIMEOUT || answer == ANSWER_UNREACHABLE || answer == ANSWER_REFUSED) {
        order(slot, ACTION_NEXT_ADDRESS);
    }
    if (slot->over_fresh) {
        end_fresh(slot, observation, remains, context, ret_outcome);
    } else {
        end(slot, observation, answer, context, ret_outcome);
    }
}

/* ---- the beginning of a look ----------------------------------------------------------------- */

void slot_begin(struct slot *slot, const struct slot_context *context)
{
    assert(slot->state == SLOT_WAITING);
    slot->rested = context->now.ms - slot->times.began_ms >= IDLE_LEAST_MS;
    look_times_begin(&slot->times, context->now.ms);
    slot->state = SLOT_RESOLVING;
    slot->again = false;
    slot->warned = hangs(slot); /* it was told */
    slot->own_ms = slot->cost_ms = 0;
    slot->resolve_until_ms = context->now.ms + context->timeout_ms;
    order(slot, ACTION_RESOLVE);
}

static bool wants_fresh(const struct slot *slot)
{
    bool due = slot->times.looks % FRESH_EVERY == 0 && slot->times.began_ms >= slot->fresh_due_ms;
    /* what the server sent unasked is to be read; and without a connection this look makes one */
    return slot->kept == REMAINS_SESSION && !slot->unsolicited &&
           slot->times.began_ms >= slot->fresh_not_before_ms &&
           debts_allow(&slot->debts, slot->times.began_ms) && (slot->only_fresh || due);
}

void slot_resolved(struct slot *slot, const char *address, const char *problem,
                   const struct slot_context *context, struct slot_outcome *ret_outcome)
{
    assert(slot->state == SLOT_RESOLVING);
    *ret_outcome = (struct slot_outcome){.alarm = NULL};
    if (!address[0]) {
        end_unresolved(slot, problem, context, ret_outcome);
        return;
    }
    assert(strlen(address) < sizeof slot->address);
    snprintf(slot->address, sizeof slot->address, "%s", address);
    bool fresh = slot->fresh_hangs || (!hangs(slot) && wants_fresh(slot));
    slot->only_fresh = slot->only_fresh && slot->kept == REMAINS_SESSION;
    slot->unsolicited = false;
    if (fresh) {
        slot->fresh_due_ms = slot->times.began_ms + FRESH_PACE_MS;
    }
    ask(slot, fresh);
}

void slot_unsolicited(struct slot *slot, const struct slot_context *context,
                      struct slot_outcome *ret_outcome)
{
    *ret_outcome = (struct slot_outcome){.alarm = NULL};
    if (slot->state != SLOT_WAITING) {
        return; /* the look in flight reads it */
    }
    if (slot->debts.refusals > 0 && !hangs(slot)) {
        ret_outcome->alarm = "the server sent something unasked";
        slot->kept = REMAINS_NOTHING;
        order(slot, ACTION_DROP);
        return;
    }
    /* else what it is decides, which is read at once: the end of an idle session is no news */
    ret_outcome->alarm = hangs(slot) ? "what it owed has come" : NULL;
    int64_t soonest_ms = slot->times.began_ms + context->schedule->alert_ms;
    slot->unsolicited = true;
    slot->times.due_ms = slot->times.due_ms < soonest_ms ? slot->times.due_ms : soonest_ms;
}

void slot_works(struct slot *slot, int64_t now_ms)
{
    assert(slot->state == SLOT_IN_FLIGHT && !slot->works);
    slot->works = true;
    slot->works_ms = now_ms;
}

void slot_worked(struct slot *slot, int64_t cost_ms, int64_t now_ms)
{
    assert(slot->state == SLOT_IN_FLIGHT && slot->works);
    slot->works = false;
    slot->own_ms += now_ms - slot->works_ms;
    slot->cost_ms += cost_ms;
}

/* When its answer is late, by the server's fault. */
static int64_t overdue_ms(const struct slot *slot)
{
    bool never = slot->warned || slot->works;
    return never ? TIMER_NEVER : slot->times.began_ms + slot->own_ms + OVERDUE_MS;
}

void slot_timer(struct slot *slot, const struct slot_context *context,
                struct slot_outcome *ret_outcome)
{
    int64_t now_ms = context->now.ms;
    assert(slot->state != SLOT_CLOSED);
    *ret_outcome = (struct slot_outcome){.alarm = NULL};
    if (slot->state == SLOT_WAITING && now_ms >= slot->times.due_ms) {
        slot_begin(slot, context);
        return;
    }
    if (slot->times.in_flight && now_ms >= overdue_ms(slot)) {
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

void slot_pardon(struct slot *slot, const struct slot_context *context)
{
    assert(slot->state != SLOT_CLOSED);
    slot->pardoned = slot->state != SLOT_WAITING;
    if (!slot->pardoned) {
        log_in_anew(slot, context->now.ms);
    }
}

struct left slot_left(const struct slot *slot, int64_t now_ms)
{
    return debts_count(&slot->debts, hangs(slot), now_ms);
}

void slot_close(struct slot *slot)
{
    assert(slot->state != SLOT_CLOSED); /* whoever gets its orders frees it */
    slot->state = SLOT_CLOSED;
    slot->orders = 1u << ACTION_CLOSE;
}

int64_t slot_due(const struct slot *slot)
{
    int64_t until_ms = overdue_ms(slot);
    switch (slot->state) {
    case SLOT_WAITING:
        return slot->times.due_ms;
    case SLOT_RESOLVING:
        return until_ms < slot->resolve_until_ms ? until_ms : slot->resolve_until_ms;
    case SLOT_IN_FLIGHT:
        return until_ms;
    case SLOT_CLOSED:
        break;
    }
    return TIMER_NEVER;
}
