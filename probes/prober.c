#include "probes/prober.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "probes/cluster.h"
#include "registry/base/clock.h"

/* A poll handle belongs to one descriptor number; another descriptor needs another handle. */
struct poller {
    uv_poll_t handle;
    int fd;
    struct prober *prober; /* NULL: closing */
};

struct prober {
    const struct prober_settings *settings;
    struct slot *slot; /* NULL: closing */
    const struct driver *driver;
    struct link *kept;
    struct link *fresh;     /* a second one, while a fresh connection is tried */
    struct link *in_flight; /* the one of the two that is asked now */
    bool working;
    char address[LITERAL_SIZE];
    int64_t timeout_ms;
    enum phase phase;
    int64_t deadline_ms;
    int64_t tick_ms; /* when to come back without an event; INT64_MAX never */
    uv_timer_t timer;
    bool timer_open;
    uv_work_t work;
    int64_t work_ms; /* since when it is under way */
    int64_t cost_ms; /* what it took of the processor */
    int64_t late_ms; /* how late the loop had been when the deadline was set */
    int64_t extended_ms;
    struct poller *poller;
    char application[NAME_SIZE + 16];
};

enum { EXTENSIONS_MOST = 3 /* a wait takes so many timeouts more at the most */ };

static void follow(struct prober *prober, const struct want *want);
static void step(struct prober *prober, struct probe_event *event);

/* ---- handles --------------------------------------------------------------------------------- */

static void free_poller(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop_poller(struct prober *prober)
{
    if (prober->poller) {
        prober->poller->prober = NULL;
        uv_poll_stop(&prober->poller->handle);
        uv_close((uv_handle_t *)&prober->poller->handle, free_poller);
        prober->poller = NULL;
    }
}

/* The client libraries close and reopen descriptors under the same number: nothing is polled while
 * they run. */
static void pause_polling(struct prober *prober)
{
    if (prober->poller) {
        uv_poll_stop(&prober->poller->handle);
    }
}

static void on_ready(uv_poll_t *handle, int status, int events);

/* Drivers use poll(2)'s events. */
static bool poll_fd(struct prober *prober, int fd, short events)
{
    int wanted = (events & POLLIN ? UV_READABLE : 0) | (events & POLLOUT ? UV_WRITABLE : 0);
    if (prober->poller && prober->poller->fd != fd) {
        drop_poller(prober);
    }
    if (!prober->poller) {
        struct poller *poller = calloc(1, sizeof *poller);
        if (!poller) {
            return false;
        }
        if (uv_poll_init(prober->settings->loop, &poller->handle, fd) != 0) {
            free(poller);
            return false;
        }
        poller->handle.data = poller;
        poller->fd = fd;
        poller->prober = prober;
        prober->poller = poller;
    }
    return uv_poll_start(&prober->poller->handle, wanted, on_ready) == 0;
}

static bool is_owed(const struct prober *prober, const struct link *link)
{
    return link && prober->driver->remains(link) == REMAINS_QUESTION;
}

/* Nothing is in flight: the kept connection, or the fresh one if that hangs. */
static void poll_idle(struct prober *prober)
{
    bool fresh = is_owed(prober, prober->fresh);
    int fd = prober->driver->idle_fd(fresh ? prober->fresh : prober->kept);
    if (fd >= 0) {
        poll_fd(prober, fd, POLLIN);
    } else {
        drop_poller(prober);
    }
}

static void on_timer(uv_timer_t *timer);

static void set_deadline(struct prober *prober)
{
    int64_t now_ms = clock_mono_ms();
    int64_t at_ms = prober->deadline_ms < prober->tick_ms ? prober->deadline_ms : prober->tick_ms;
    uv_update_time(prober->settings->loop);
    uv_timer_start(&prober->timer, on_timer, (uint64_t)(at_ms > now_ms ? at_ms - now_ms : 0), 0);
}

static void begin_wait(struct prober *prober, int64_t now_ms)
{
    prober->deadline_ms = now_ms + prober->timeout_ms;
    prober->late_ms = prober->settings->lateness->total_ms;
    prober->extended_ms = 0;
}

/* At the deadline: time in which this process did not run says nothing of the server. */
static bool extend(struct prober *prober)
{
    int64_t own_ms = prober->settings->lateness->total_ms - prober->late_ms;
    int64_t left_ms = EXTENSIONS_MOST * prober->timeout_ms - prober->extended_ms;
    own_ms = own_ms < left_ms ? own_ms : left_ms;
    if (own_ms <= 0) {
        return false;
    }
    prober->late_ms = prober->settings->lateness->total_ms;
    prober->extended_ms += own_ms;
    prober->deadline_ms = clock_mono_ms() + own_ms;
    step(prober, &(struct probe_event){.kind = EVENT_LATE, .ms = own_ms});
    return true;
}

static void free_if_done(struct prober *prober)
{
    if (prober->slot || prober->working || prober->timer_open) {
        return;
    }
    prober->driver->close(prober->kept);
    prober->driver->close(prober->fresh);
    free(prober);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct prober *prober = handle->data;
    prober->timer_open = false;
    free_if_done(prober);
}

/* ---- one look -------------------------------------------------------------------------------- */

static void step(struct prober *prober, struct probe_event *event)
{
    event->slot = prober->slot;
    prober->settings->step(prober->settings->owner, event);
}

static void finish(struct prober *prober)
{
    struct link *link = prober->in_flight;
    prober->in_flight = NULL;
    uv_timer_stop(&prober->timer);
    if (link == prober->kept || is_owed(prober, link)) {
        poll_idle(prober);
    } else {
        drop_poller(prober); /* until it is known which of the two connections stays */
    }
    if (prober->driver->observation(link)->answer == ANSWER_AUTH) {
        prober->settings->refused(prober->settings->owner, prober->slot);
    }
    step(prober, &(struct probe_event){.kind = EVENT_LOOK_ENDED,
                                       .observation = prober->driver->observation(link),
                                       .remains = prober->driver->remains(link)});
}

/* There is no memory for a handle: nothing is learned of the server. */
static void give_up(struct prober *prober)
{
    struct observation nothing;
    observation_fail(&nothing, ANSWER_UNKNOWN, "no memory to wait for its answer");
    prober->driver->disconnect(prober->in_flight);
    prober->in_flight = NULL;
    uv_timer_stop(&prober->timer);
    drop_poller(prober);
    step(prober, &(struct probe_event){
                     .kind = EVENT_LOOK_ENDED, .observation = &nothing, .remains = REMAINS_DOUBT});
}

static void do_work(uv_work_t *work)
{
    struct prober *prober = work->data;
    int64_t before_ms = clock_thread_ms();
    prober->driver->run_blocking(prober->in_flight);
    prober->cost_ms = clock_thread_ms() - before_ms;
}

static void on_work_done(uv_work_t *work, int status)
{
    struct prober *prober = work->data;
    struct want want;
    (void)status;
    prober->working = false;
    if (!prober->slot) {
        free_if_done(prober);
        return;
    }
    prober->deadline_ms += clock_mono_ms() - prober->work_ms; /* that was our own time */
    step(prober, &(struct probe_event){.kind = EVENT_WORKED, .ms = prober->cost_ms});
    prober->driver->resume(prober->in_flight, 0, &want);
    follow(prober, &want);
}

/* What the driver wants. */
static void follow(struct prober *prober, const struct want *want)
{
    if (want->kind == WANT_NOTHING) {
        finish(prober);
        return;
    }
    int64_t now_ms = clock_mono_ms();
    if (want->phase != prober->phase) {
        prober->phase = want->phase;
        begin_wait(prober, now_ms);
    }
    prober->tick_ms = want->tick_ms > 0 ? now_ms + want->tick_ms : INT64_MAX;
    if (want->kind == WANT_BLOCKING) {
        /* the worker may close the descriptor, and another link get its number */
        drop_poller(prober);
        uv_timer_stop(&prober->timer);
        prober->working = true;
        prober->work_ms = now_ms;
        prober->work.data = prober;
        step(prober, &(struct probe_event){.kind = EVENT_WORKS});
        if (uv_queue_work(prober->settings->loop, &prober->work, do_work, on_work_done) == 0) {
            return;
        }
        prober->working = false;
    } else if (want->fd < 0 || poll_fd(prober, want->fd, (short)want->events)) {
        set_deadline(prober);
        return;
    }
    give_up(prober);
}

static void go_on(struct prober *prober, int events)
{
    struct want want;
    pause_polling(prober);
    prober->driver->resume(prober->in_flight, events, &want);
    follow(prober, &want);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct prober *prober = ((struct poller *)handle->data)->prober;
    if (!prober || prober->working) {
        return;
    }
    if (prober->in_flight) {
        int ready = (events & UV_READABLE ? POLLIN : 0) | (events & UV_WRITABLE ? POLLOUT : 0);
        /* an error shows at the next read or write */
        go_on(prober, status < 0 ? POLLIN | POLLOUT : ready);
    } else {
        /* else a readable connection wakes us without end */
        pause_polling(prober);
        step(prober, &(struct probe_event){.kind = EVENT_UNSOLICITED});
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct prober *prober = timer->data;
    int64_t now_ms = clock_mono_ms();
    if (!prober->slot || !prober->in_flight || prober->working) {
        return;
    }
    if (prober->deadline_ms < INT64_MAX && now_ms >= prober->deadline_ms) {
        lateness_woke(prober->settings->lateness, prober->deadline_ms, now_ms);
    }
    if (now_ms >= prober->deadline_ms && !extend(prober)) {
        pause_polling(prober);
        prober->driver->expire(prober->in_flight);
        finish(prober);
    } else if (now_ms >= prober->tick_ms) {
        go_on(prober, 0);
    } else {
        set_deadline(prober);
    }
}

/* ---- what a slot orders ---------------------------------------------------------------------- */

static void on_resolved(void *context, const struct resolution *resolution)
{
    struct prober *prober = context;
    snprintf(prober->address, sizeof prober->address, "%s", resolution->address);
    if (!prober->address[0]) {
        poll_idle(prober); /* the look ends with that */
    }
    step(prober, &(struct probe_event){.kind = EVENT_RESOLVED,
                                       .address = prober->address,
                                       .text = resolution->problem});
}

static void resolve(struct prober *prober)
{
    /* else an idle connection that is readable wakes us without end while the name is looked up */
    pause_polling(prober);
    dns_lookup(prober->settings->dns, prober->slot->config.host, on_resolved, prober);
}

static struct link *open_link(const struct prober *prober)
{
    return prober->driver->open(&(struct target){cluster_settings_of(prober->slot),
                                                 &prober->slot->config, prober->application,
                                                 prober->timeout_ms});
}

static void ask(struct prober *prober, struct link *link)
{
    struct want want;
    if (!link) {
        struct observation nothing;
        observation_fail(&nothing, ANSWER_UNKNOWN, "no memory for a look");
        step(prober, &(struct probe_event){.kind = EVENT_LOOK_ENDED, .observation = &nothing});
        return;
    }
    prober->in_flight = link;
    prober->phase = PHASE_IDLE;
    begin_wait(prober, clock_mono_ms());
    prober->tick_ms = INT64_MAX;
    pause_polling(prober);
    prober->driver->start(link, prober->address, &want);
    follow(prober, &want);
}

static void ask_fresh(struct prober *prober)
{
    if (!prober->fresh) {
        prober->fresh = open_link(prober);
    }
    ask(prober, prober->fresh);
}

static void adopt_fresh(struct prober *prober)
{
    prober->driver->close(prober->kept);
    prober->kept = prober->fresh;
    prober->fresh = NULL;
    poll_idle(prober);
}

static void close_fresh(struct prober *prober)
{
    prober->driver->close(prober->fresh);
    prober->fresh = NULL;
    poll_idle(prober);
}

static void close_all(struct prober *prober)
{
    dns_cancel(prober->settings->dns, prober);
    prober->slot = NULL;
    drop_poller(prober);
    uv_close((uv_handle_t *)&prober->timer, on_timer_closed);
}

void prober_perform(struct prober *prober, enum probe_action_kind action)
{
    assert(prober->slot && (action == ACTION_CLOSE || !prober->working));
    switch (action) {
    case ACTION_STOP_RESOLVING:
        dns_cancel(prober->settings->dns, prober);
        poll_idle(prober);
        break;
    case ACTION_NEXT_ADDRESS:
        dns_next_address(prober->settings->dns, prober->slot->config.host, prober->address);
        break;
    case ACTION_ADOPT_FRESH:
        adopt_fresh(prober);
        break;
    case ACTION_CLOSE_FRESH:
        close_fresh(prober);
        break;
    case ACTION_DROP:
        drop_poller(prober);
        prober->driver->disconnect(prober->kept);
        poll_idle(prober);
        break;
    case ACTION_RESOLVE:
        resolve(prober);
        break;
    case ACTION_ASK:
        ask(prober, prober->kept);
        break;
    case ACTION_ASK_FRESH:
        ask_fresh(prober);
        break;
    case ACTION_CLOSE:
        close_all(prober);
        break;
    default:
        assert(false); /* no action of a slot */
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

struct prober *prober_new(const struct prober_settings *settings, struct slot *slot,
                          const char *application, int64_t timeout_ms)
{
    static const struct driver *const drivers[] = {
        [ENGINE_POSTGRESQL] = &driver_pg, [ENGINE_MYSQL] = &driver_mysql};
    struct prober *prober = calloc(1, sizeof *prober);
    if (!prober) {
        return NULL;
    }
    prober->settings = settings;
    prober->slot = slot;
    prober->driver = drivers[cluster_settings_of(slot)->policy.engine];
    prober->timeout_ms = timeout_ms;
    snprintf(prober->application, sizeof prober->application, "%s", application);
    prober->kept = open_link(prober);
    if (!prober->kept || uv_timer_init(settings->loop, &prober->timer) != 0) {
        prober->driver->close(prober->kept);
        free(prober);
        return NULL;
    }
    prober->timer.data = prober;
    prober->timer_open = true;
    return prober;
}
