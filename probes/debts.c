#include "probes/debts.h"

#include <assert.h>

void debts_init(struct debts *debts, int64_t now_ms)
{
    *debts = (struct debts){.not_before_ms = now_ms, .pardoned_ms = now_ms - PARDON_MS};
}

bool debts_allow(const struct debts *debts, int64_t now_ms)
{
    return now_ms >= debts->not_before_ms;
}

/* `first_ms`, doubled `times` times. */
static int64_t doubled(int64_t first_ms, unsigned times, int64_t most_ms)
{
    int64_t wait_ms = first_ms;
    for (unsigned i = 0; i < times && wait_ms < most_ms; i++) {
        wait_ms *= 2;
    }
    return wait_ms < most_ms ? wait_ms : most_ms;
}

static void wait(struct debts *debts, int64_t now_ms, int64_t wait_ms)
{
    int64_t until_ms = now_ms + wait_ms;
    debts->not_before_ms = until_ms > debts->not_before_ms ? until_ms : debts->not_before_ms;
}

static void add_refusal(struct debts *debts, int64_t now_ms)
{
    wait(debts, now_ms, doubled(REFUSED_WAIT_MS, debts->refusals, REFUSED_WAIT_MOST_MS));
    debts->refusals++;
}

static void add_break(struct debts *debts, int64_t now_ms)
{
    debts->broken_ms[debts->broken++ % BREAKS_KEPT] = now_ms;
    debts->breaks++;
    if (debts->breaks > BREAKS_MANY) {
        wait(debts, now_ms, BREAK_WAIT_LONG_MS);
    } else if (debts->breaks > BREAKS_FREE) {
        wait(debts, now_ms,
             doubled(BREAK_WAIT_MS, debts->breaks - BREAKS_FREE - 1, BREAK_WAIT_MOST_MS));
    }
}

/* The first one is nearly always the path's fault, not the server's. At the most, one is written
 * off in a long while. */
void debts_give_up(struct debts *debts, int64_t now_ms)
{
    if (debts->left == SESSIONS_LEFT_MOST) {
        wait(debts, now_ms, SESSION_WAIT_LONG_MS);
        return;
    }
    if (debts->left > 0) {
        wait(debts, now_ms, doubled(SESSION_WAIT_MS, debts->left - 1, SESSION_WAIT_MOST_MS));
    }
    debts->left++;
}

static void settle(struct debts *debts, int64_t now_ms)
{
    debts->breaks = debts->left = 0;
    debts->not_before_ms = now_ms;
}

void debts_end(struct debts *debts, enum answer answer, enum remains remains, bool logged_in,
               int64_t now_ms)
{
    bool begins_anew = answer == ANSWER_REFUSED || answer == ANSWER_STARTING;
    if (begins_anew || (answer == ANSWER_OK && logged_in)) {
        settle(debts, now_ms); /* it has none of our former sessions, or goes on with them */
    }
    debts->refusals = answer == ANSWER_OK ? 0 : debts->refusals;
    if (answer == ANSWER_AUTH) {
        add_refusal(debts, now_ms);
    }
    if (remains == REMAINS_BREAK) {
        add_break(debts, now_ms);
    } else if (remains == REMAINS_DOUBT) {
        debts_give_up(debts, now_ms);
    }
    assert(debts->left <= SESSIONS_LEFT_MOST);
}

void debts_lost(struct debts *debts)
{
    debts->not_before_ms = INT64_MIN;
}

bool debts_pardon(struct debts *debts, int64_t now_ms)
{
    if (debts->left == SESSIONS_LEFT_MOST || now_ms - debts->pardoned_ms < PARDON_MS) {
        return false;
    }
    debts->pardoned_ms = now_ms;
    debts->not_before_ms = now_ms;
    return true;
}

struct left debts_count(const struct debts *debts, bool listens, int64_t now_ms)
{
    struct left left = {.sessions = (uint8_t)(debts->left + listens)};
    for (unsigned i = 0; i < BREAKS_KEPT && i < debts->broken; i++) {
        left.handshakes =
            (uint8_t)(left.handshakes + (now_ms - debts->broken_ms[i] < BREAKS_COUNTED_MS));
    }
    return left;
}
