#include "probes/prober.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "registry/base/clock.h"

/* A poll handle belongs to one descriptor number; another descriptor needs another handle. */
struct poller {
    uv_poll_t handle;
    int fd;
    struct look *look; /* NULL: closing */
};

struct look {
    struct look_settings to; /* its config and application are not used after look_new */
    char member[NAME_SIZE];
    char host[HOST_SIZE];
    struct link *link;           /* the persistent one */
    struct link *fresh;          /* a second one, while a fresh connection is tried */
    struct link *flying;         /* the one of the two that is asked now */
    bool only_fresh;             /* the last fresh connection failed */
    int64_t fresh_not_before_ms; /* it told nothing that the old one did not know better */
    int64_t fresh_due_ms;
    bool again;  /* asked again after a broken connection */
    bool spoken; /* the idle connection turned readable */
    bool naming;
    bool working;
    bool closing;
    bool warned; /* the alarm for being overdue was raised */
    char address[LITERAL_SIZE];
    struct turn turn;
    enum phase phase;
    int64_t deadline_ms;
    int64_t tick_ms; /* when to come back without an event; INT64_MAX never */
    uv_timer_t timer;
    bool timer_open;
    uv_work_t work;
    struct poller *poller;
    struct target target; /* to open further links */
    struct member_config config;
    char application[NAME_SIZE + 16];
};

static void begin(struct look *look);
static void follow(struct look *look, const struct want *want);

/* ---- handles --------------------------------------------------------------------------------- */

static void free_poller(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop_poller(struct look *look)
{
    if (look->poller) {
        look->poller->look = NULL;
        uv_poll_stop(&look->poller->handle);
        uv_close((uv_handle_t *)&look->poller->handle, free_poller);
        look->poller = NULL;
    }
}

/* The client libraries close and reopen descriptors under the same number: nothing is polled while
 * they run. */
static void rest(struct look *look)
{
    if (look->poller) {
        uv_poll_stop(&look->poller->handle);
    }
}

static void ready(uv_poll_t *handle, int status, int events);

/* Drivers speak of poll(2)'s events. */
static bool poll_fd(struct look *look, int fd, short events)
{
    int wanted = (events & POLLIN ? UV_READABLE : 0) | (events & POLLOUT ? UV_WRITABLE : 0);
    if (look->poller && look->poller->fd != fd) {
        drop_poller(look);
    }
    if (!look->poller) {
        struct poller *poller = calloc(1, sizeof *poller);
        if (!poller) {
            return false;
        }
        if (uv_poll_init(look->to.loop, &poller->handle, fd) != 0) {
            free(poller);
            return false;
        }
        poller->handle.data = poller;
        poller->fd = fd;
        poller->look = look;
        look->poller = poller;
    }
    return uv_poll_start(&look->poller->handle, wanted, ready) == 0;
}

static void on_timer(uv_timer_t *timer);

static void wake_at(struct look *look, int64_t at_ms)
{
    int64_t now_ms = clock_mono_ms();
    uv_update_time(look->to.loop);
    uv_timer_start(&look->timer, on_timer, (uint64_t)(at_ms > now_ms ? at_ms - now_ms : 0), 0);
}

static void wake_while_flying(struct look *look)
{
    int64_t at_ms = look->deadline_ms < look->tick_ms ? look->deadline_ms : look->tick_ms;
    int64_t overdue_ms = look->turn.began_ms + OVERDUE_MS;
    wake_at(look, !look->warned && overdue_ms < at_ms ? overdue_ms : at_ms);
}

static void free_if_done(struct look *look)
{
    if (!look->closing || look->working || look->timer_open) {
        return;
    }
    look->to.driver->close(look->link);
    look->to.driver->close(look->fresh);
    free(look);
}

static void timer_closed(uv_handle_t *handle)
{
    struct look *look = handle->data;
    look->timer_open = false;
    free_if_done(look);
}

/* ---- the end of a look ----------------------------------------------------------------------- */

static void watch_idle(struct look *look)
{
    int fd = look->to.driver->idle_fd(look->link);
    if (fd >= 0) {
        poll_fd(look, fd, POLLIN);
    } else {
        drop_poller(look);
    }
}

static void end(struct look *look, const struct observation *outcome)
{
    struct observation observation = *outcome;
    int64_t now_ms = clock_mono_ms();
    look->flying = NULL;
    look->naming = false;
    if (observation.answer == ANSWER_LOST) {
        /* twice in a row, the second time on a new connection */
        observation.answer = ANSWER_PROTOCOL;
    }
    turn_end(&look->turn, look->to.schedule, observation.answer, now_ms, clock_wall_ms(),
             *look->to.rank, *look->to.size);
    watch_idle(look);
    wake_at(look, look->turn.due_ms);
    look->to.outcome(look->to.owner, look->member, &observation, look->address);
}

static void fly(struct look *look, struct link *link)
{
    struct want want;
    look->flying = link;
    look->phase = PHASE_IDLE;
    look->deadline_ms = clock_mono_ms() + look->to.timeout_ms;
    look->tick_ms = INT64_MAX;
    rest(look);
    look->to.driver->look(link, look->address, &want);
    follow(look, &want);
}

/* The fresh connection was tried: it replaces the old one, or tells something that the old one
 * hides. */
static void end_fresh(struct look *look, const struct observation *observation)
{
    const struct driver *driver = look->to.driver;
    struct observation outcome = *observation;
    /* a session, though it may refuse the operator's statement */
    bool takes = driver->idle_fd(look->fresh) >= 0;
    bool good = outcome.answer == ANSWER_OK || (outcome.answer == ANSWER_PROTOCOL && takes);
    bool old_serves = driver->idle_fd(look->link) >= 0;
    drop_poller(look);
    if (good) {
        driver->close(look->link);
        look->link = look->fresh;
    } else {
        driver->close(look->fresh);
    }
    look->fresh = NULL;
    if (!good && old_serves && answer_health(outcome.answer) == HEALTH_UP) {
        /* full, or our password is an old one, and yet */
        look->fresh_not_before_ms = clock_mono_ms() + AUTH_WAIT_MOST_MS;
        /* it serves us: what it says is the truth */
        fly(look, look->link);
        return;
    }
    look->only_fresh = !good;
    if (!good && !answer_is_definite(outcome.answer) && old_serves) {
        outcome.answer = ANSWER_STALLED; /* it answers old sessions and takes no new ones */
    }
    end(look, &outcome);
}

static void finish(struct look *look)
{
    const struct observation *observation = look->to.driver->observation(look->flying);
    if (observation->answer == ANSWER_LOST && !look->again) {
        look->again = true;
        look->to.alarm(look->to.owner, look->member, "the connection broke");
        fly(look, look->flying);
        return;
    }
    bool no_way = observation->answer == ANSWER_TIMEOUT ||
                  observation->answer == ANSWER_UNREACHABLE ||
                  observation->answer == ANSWER_REFUSED;
    if (no_way) {
        names_next(look->to.names, look->host, look->address);
    }
    if (look->flying == look->fresh) {
        end_fresh(look, observation);
    } else {
        end(look, observation);
    }
}

/* ---- what the driver wants ------------------------------------------------------------------- */

static void do_work(uv_work_t *work)
{
    struct look *look = work->data;
    look->to.driver->work(look->flying);
}

static void work_done(uv_work_t *work, int status)
{
    struct look *look = work->data;
    struct want want;
    (void)status;
    look->working = false;
    if (look->closing) {
        free_if_done(look);
        return;
    }
    look->to.driver->go_on(look->flying, 0, &want);
    follow(look, &want);
}

static void follow(struct look *look, const struct want *want)
{
    if (want->kind == WANT_NOTHING) {
        finish(look);
        return;
    }
    int64_t now_ms = clock_mono_ms();
    if (want->phase != look->phase) {
        look->phase = want->phase;
        look->deadline_ms = now_ms + look->to.timeout_ms;
    }
    look->tick_ms = want->tick_ms > 0 ? now_ms + want->tick_ms : INT64_MAX;
    if (want->kind == WANT_WORK) {
        /* the worker may close the descriptor, and another look get its number */
        drop_poller(look);
        look->working = true;
        look->work.data = look;
        if (uv_queue_work(look->to.loop, &look->work, do_work, work_done) == 0) {
            return;
        }
        look->working = false;
    } else if (want->fd < 0 || poll_fd(look, want->fd, (short)want->events)) {
        wake_while_flying(look);
        return;
    }
    look->to.driver->give_up(look->flying); /* no memory for a handle */
    finish(look);
}

static void go_on(struct look *look, int events)
{
    struct want want;
    rest(look);
    look->to.driver->go_on(look->flying, events, &want);
    follow(look, &want);
}

/* The idle connection turned readable: nearly always goodbye. Asked again at once, over the
 * connection that spoke, so that what it said is read; but never faster than an alarm asks, and no
 * sooner than a refused account may. */
static void heard(struct look *look)
{
    int64_t soonest_ms = look->turn.began_ms + look->to.schedule->alert_ms;
    rest(look);
    look->to.alarm(look->to.owner, look->member, "the server spoke unasked");
    if (look->turn.refusals > 0) {
        drop_poller(look);
        look->to.driver->drop(look->link);
        return;
    }
    look->spoken = true;
    if (clock_mono_ms() >= soonest_ms) {
        begin(look);
    } else {
        wake_at(look, soonest_ms);
    }
}

static void ready(uv_poll_t *handle, int status, int events)
{
    struct look *look = ((struct poller *)handle->data)->look;
    if (!look || look->closing || look->working) {
        return;
    }
    if (look->flying) {
        int met = (events & UV_READABLE ? POLLIN : 0) | (events & UV_WRITABLE ? POLLOUT : 0);
        /* an error shows at the next read or write */
        go_on(look, status < 0 ? POLLIN | POLLOUT : met);
    } else if (!look->naming) {
        heard(look);
    }
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void named(void *context, const struct resolution *resolution)
{
    struct look *look = context;
    look->naming = false;
    if (!resolution->address[0]) {
        struct observation observation = {
            .answer = ANSWER_NAME, .position = -1, .received = -1, .lag_ms = -1};
        snprintf(observation.detail, sizeof observation.detail, "%s", resolution->problem);
        end(look, &observation);
        return;
    }
    snprintf(look->address, sizeof look->address, "%s", resolution->address);
    bool connected = look->to.driver->idle_fd(look->link) >= 0;
    /* else this look makes a fresh connection anyway */
    look->only_fresh = look->only_fresh && connected;
    bool fresh = connected && !look->spoken && look->turn.began_ms >= look->fresh_not_before_ms &&
                 (look->only_fresh || (look->turn.looks % FRESH_EVERY == 0 &&
                                       look->turn.began_ms >= look->fresh_due_ms));
    look->spoken = false;
    if (fresh) {
        look->fresh_due_ms = look->turn.began_ms + FRESH_PACE_MS;
    }
    if (fresh && !look->fresh) {
        look->fresh = look->to.driver->open(&look->target);
    }
    fly(look, fresh && look->fresh ? look->fresh : look->link);
}

static void begin(struct look *look)
{
    turn_begin(&look->turn, clock_mono_ms());
    look->again = false;
    look->warned = false;
    look->naming = true;
    look->deadline_ms = look->turn.began_ms + look->to.timeout_ms;
    look->tick_ms = INT64_MAX;
    /* else an idle connection that is readable wakes us without end while the name is looked up */
    rest(look);
    wake_while_flying(look);
    names_lookup(look->to.names, look->host, named, look);
}

static void on_timer(uv_timer_t *timer)
{
    struct look *look = timer->data;
    int64_t now_ms = clock_mono_ms();
    if (look->closing || look->working) {
        return;
    }
    if (!look->turn.flying) {
        begin(look);
        return;
    }
    if (!look->warned && now_ms >= look->turn.began_ms + OVERDUE_MS) {
        look->warned = true;
        look->to.alarm(look->to.owner, look->member, "the answer is overdue");
    }
    if (now_ms >= look->deadline_ms && look->naming) {
        struct observation observation = {.answer = ANSWER_NAME,
                                          .detail = "the name was not resolved in time",
                                          .position = -1,
                                          .received = -1,
                                          .lag_ms = -1};
        names_forget(look->to.names, look);
        end(look, &observation);
    } else if (now_ms >= look->deadline_ms) {
        rest(look);
        look->to.driver->give_up(look->flying);
        finish(look);
    } else if (now_ms >= look->tick_ms) {
        go_on(look, 0);
    } else {
        wake_while_flying(look);
    }
}

struct look *look_new(const struct look_settings *settings)
{
    struct look *look = calloc(1, sizeof *look);
    if (!look) {
        return NULL;
    }
    look->to = *settings;
    look->config = *settings->config;
    strcpy(look->member, settings->config->name);
    strcpy(look->host, settings->config->host);
    snprintf(look->application, sizeof look->application, "%s", settings->application);
    look->target =
        (struct target){settings->cluster, &look->config, look->application, settings->timeout_ms};
    look->link = settings->driver->open(&look->target);
    if (!look->link || uv_timer_init(settings->loop, &look->timer) != 0) {
        settings->driver->close(look->link);
        free(look);
        return NULL;
    }
    look->timer.data = look;
    look->timer_open = true;
    wake_at(look, clock_mono_ms());
    return look;
}

void look_close(struct look *look)
{
    if (!look) {
        return;
    }
    look->closing = true;
    names_forget(look->to.names, look);
    drop_poller(look);
    uv_close((uv_handle_t *)&look->timer, timer_closed);
}

void look_hasten(struct look *look, enum answer standing)
{
    if (look->turn.flying) {
        return;
    }
    turn_hasten(&look->turn, look->to.schedule, standing, clock_mono_ms());
    wake_at(look, look->turn.due_ms);
}
