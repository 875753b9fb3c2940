#include "watchers/watcher_parts.h"

#include <string.h>

enum {
    PULSE_MS = 2000,     /* between two syncs, where no caller needs more */
    PULSE_LOW_MS = 50,   /* however low a caller's limit is */
    PULSES_PER_LIMIT = 4 /* so many fall into the age that a caller still takes */
};

static bool is_present(const struct watcher *watcher, const char *probe)
{
    const struct mirror_node *node = watcher->presence_node;
    size_t low = 0, high = node->exists ? node->name_count : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(probe, node->names[middle]);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

static int count_witnesses(const struct watcher *watcher, const struct watched *watched)
{
    if (watcher->link != LINK_UP || watcher->presence != PRESENCE_CURRENT) {
        return -1;
    }
    int present = 0;
    for (int i = 0; i < watched->topology.evidence_count; i++) {
        present += is_present(watcher, watched->topology.evidence[i].probe);
    }
    return present;
}

/* What is fresh is as old as the last sync that was answered: all that the registry said before it
 * was read since, of the topology and of who is present. */
static void confirm(const struct watcher *watcher, struct watched *watched)
{
    if (mirror_settled(watched->node) && mirror_settled(watcher->presence_node) &&
        watcher->pulse.heard_ms > watched->confirmed_ms) {
        watched->confirmed_ms = watcher->pulse.heard_ms;
    }
    watched->news |= 1u << NEWS_STATUS;
}

void age_refresh(const struct watcher *watcher, struct watched *watched)
{
    int witnesses = count_witnesses(watcher, watched);
    if (watched->belief >= BELIEF_CONFIRMED) {
        belief_enter(watched, witnesses > 0 ? BELIEF_FRESH : BELIEF_CONFIRMED);
    }
    if (watched->belief == BELIEF_FRESH) {
        confirm(watcher, watched);
    }
    if (witnesses != watched->witnesses_now) {
        watched->witnesses_now = witnesses;
        watched->news |= 1u << NEWS_STATUS;
    }
}

void age_refresh_all(struct watcher *watcher)
{
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        age_refresh(watcher, watched);
    }
}

int64_t age_of_verdict(const struct topology *topology, struct now now)
{
    int64_t age_ms = now.wall_ms - topology->at_wall_ms;
    return age_ms < 0 ? CONFIRMED_NEVER : now.mono_ms - age_ms;
}

void age_begin_at_verdict(struct watched *watched, struct now now)
{
    int64_t confirmed_ms = age_of_verdict(&watched->topology, now);
    if (!watched_has_topology(watched) || confirmed_ms > watched->confirmed_ms) {
        watched->confirmed_ms = confirmed_ms;
    }
}

void age_clock_went_back(struct watcher *watcher)
{
    int64_t now_ms = watcher->now.mono_ms;
    watcher->pulse.heard_ms = 0;
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        if (watched->confirmed_ms > now_ms) {
            watched->confirmed_ms = now_ms;
        }
    }
}

/* ---- the pulse ------------------------------------------------------------------------------- */

static int64_t interval_ms(const struct watcher *watcher)
{
    int64_t needed_ms = watcher->limit_ms / PULSES_PER_LIMIT;
    return needed_ms > PULSE_MS ? PULSE_MS : needed_ms > PULSE_LOW_MS ? needed_ms : PULSE_LOW_MS;
}

void pulse_send(struct watcher *watcher)
{
    struct pulse *pulse = &watcher->pulse;
    if (watcher->link == LINK_UP && !pulse->under_way) {
        pulse->under_way = true;
        pulse->sent_ms = watcher->now.mono_ms;
        store_sync(watcher->store, store_tag(pulse, TAG_CALLER), "/");
    }
}

int64_t pulse_step(struct watcher *watcher)
{
    int64_t due_ms = watcher->pulse.sent_ms + interval_ms(watcher);
    if (watcher->now.mono_ms >= due_ms) {
        pulse_send(watcher);
    }
    return watcher->pulse.under_way || watcher->link != LINK_UP
               ? INT64_MAX
               : watcher->pulse.sent_ms + interval_ms(watcher);
}

void pulse_answer(struct watcher *watcher, const struct store_event *event)
{
    struct pulse *pulse = &watcher->pulse;
    if (store_tag_pointer(event->tag) != pulse) {
        return;
    }
    pulse->under_way = false;
    if (event->rc == STORE_OK && pulse->sent_ms <= watcher->now.mono_ms) {
        pulse->heard_ms = pulse->sent_ms;
        age_refresh_all(watcher);
    }
}
