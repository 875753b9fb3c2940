#include "probes/schedule.h"

#include <assert.h>

void schedule_init(struct schedule *schedule, int64_t interval_ms, int64_t alert_ms, int64_t now_ms)
{
    assert(interval_ms > 0 && alert_ms > 0);
    *schedule = (struct schedule){interval_ms, alert_ms, now_ms + ALARM_HOLD_MS, now_ms};
}

void schedule_reload(struct schedule *schedule, int64_t interval_ms, int64_t alert_ms)
{
    assert(interval_ms > 0 && alert_ms > 0);
    schedule->interval_ms = interval_ms;
    schedule->alert_ms = alert_ms;
}

bool schedule_alarm(struct schedule *schedule, int64_t now_ms)
{
    bool news = schedule_gap(schedule, now_ms) > schedule->alert_ms;
    schedule->alarm_until_ms = now_ms + ALARM_HOLD_MS;
    return news;
}

void schedule_writer(struct schedule *schedule, bool valid, int64_t now_ms)
{
    if (valid) {
        schedule->lost_ms = -1;
    } else if (schedule->lost_ms < 0) {
        schedule->lost_ms = now_ms;
    }
}

int64_t schedule_gap(const struct schedule *schedule, int64_t now_ms)
{
    if (now_ms < schedule->alarm_until_ms) {
        return schedule->alert_ms;
    }
    int64_t lost_ms = schedule->lost_ms < 0 ? INT64_MAX : now_ms - schedule->lost_ms;
    if (lost_ms < SEARCH_MS) {
        return schedule->alert_ms;
    }
    if (lost_ms < SEARCH_MS + SEARCH_LONG_MS && SEARCH_SLOW_MS < schedule->interval_ms) {
        return SEARCH_SLOW_MS > schedule->alert_ms ? SEARCH_SLOW_MS : schedule->alert_ms;
    }
    return schedule->interval_ms;
}

void look_times_begin(struct look_times *times, int64_t now_ms)
{
    assert(!times->in_flight);
    times->in_flight = true;
    times->began_ms = now_ms;
    times->looks++;
}

/* The next moment of our phase that is at least half an interval away. */
static int64_t quiet_due(const struct look_times *times, const struct schedule *schedule,
                         int64_t now_ms, int64_t now_wall_ms, size_t rank, size_t size)
{
    int64_t interval_ms = schedule->interval_ms;
    int64_t phase_ms = interval_ms * (int64_t)rank / (int64_t)(size ? size : 1) + times->after_ms;
    int64_t into_ms = ((now_wall_ms - phase_ms) % interval_ms + interval_ms) % interval_ms;
    int64_t wait_ms = interval_ms - into_ms;
    return now_ms + (wait_ms < interval_ms / 2 ? wait_ms + interval_ms : wait_ms);
}

/* A statement that fails again and again fills the server's log, and once it is no accident. */
static bool is_pressed_in_vain(const struct look_times *times, enum answer answer)
{
    return answer == ANSWER_SATURATED || times->denials > 1;
}

void look_times_end(struct look_times *times, const struct schedule *schedule, enum answer answer,
                    int64_t now_ms, int64_t now_wall_ms, size_t rank, size_t size)
{
    int64_t gap_ms = schedule_gap(schedule, now_ms);
    assert(times->in_flight && (rank < size || size == 0));
    times->in_flight = false;
    times->denials = answer == ANSWER_PRIVILEGE ? times->denials + 1 : 0;
    if (gap_ms == schedule->interval_ms || is_pressed_in_vain(times, answer)) {
        times->due_ms = quiet_due(times, schedule, now_ms, now_wall_ms, rank, size);
    } else {
        int64_t due_ms = times->began_ms + gap_ms;
        times->due_ms = due_ms > now_ms ? due_ms : now_ms;
    }
    if (times->due_ms < times->not_before_ms) {
        times->due_ms = times->not_before_ms;
    }
}

void look_times_expedite(struct look_times *times, const struct schedule *schedule,
                         enum answer standing, int64_t now_ms)
{
    if (times->in_flight || is_pressed_in_vain(times, standing)) {
        return;
    }
    int64_t soonest_ms = times->began_ms + schedule->alert_ms;
    soonest_ms = soonest_ms > times->not_before_ms ? soonest_ms : times->not_before_ms;
    int64_t due_ms = soonest_ms > now_ms ? soonest_ms : now_ms;
    times->due_ms = due_ms < times->due_ms ? due_ms : times->due_ms;
}
