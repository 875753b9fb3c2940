#include "watchers/watcher_parts.h"

#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/codec.h"

/* ---- who may write --------------------------------------------------------------------------- */

/* Behind the reads that are under way: the answers come with theirs. */
void judge_ask_access(struct watched *watched)
{
    struct watcher *watcher = watched->watcher;
    if (watcher->link == LINK_UP) {
        guard_ask(&watched->guard, store_tag(watched, TAG_AUDIT), watcher->now.mono_ms);
    }
}

/* Of all, or of those that are open: no watch tells that a list was mended. */
void judge_ask_all_access(struct watcher *watcher, bool open_ones)
{
    int64_t before_ms = watcher->now.mono_ms - OPEN_GAP_MS;
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        bool due = watched->guard.asked_ms <= before_ms;
        if (!open_ones || (due && guard_is_open(&watched->guard))) {
            judge_ask_access(watched);
        }
    }
}

/* If not it is asked for, and the answer leads here again. */
static bool knows_access(struct watched *watched)
{
    bool known = guard_knows(&watched->guard, &watched->node->stat);
    if (!known) {
        judge_ask_access(watched);
    }
    return known;
}

/* ---- judging what was read ------------------------------------------------------------------- */

static bool supersedes(const struct registry_id *registry_id, const char *registry)
{
    for (int i = 0; i < registry_id->supersedes_count; i++) {
        if (text_equal(registry_id->supersedes[i], registry)) {
            return true;
        }
    }
    return false;
}

/* Whatever is read later: a new leader's numbers are greater than all before. */
static bool went_back(const struct watcher *watcher)
{
    return watcher->past.registry[0] && watcher->registry_id_state == REGISTRY_ID_KNOWN &&
           text_equal(watcher->past.registry, watcher->registry_id.registry);
}

static void refuse_past(const struct watcher *watcher, struct watched *watched)
{
    const struct past *past = &watcher->past;
    char sentence[SENTENCE_SIZE];
    belief_refuse(watched, 0, 0, "%s",
                  past_phrase(sentence, sizeof sentence, past->registry, past->found, past->known));
}

/* May what this registry holds be compared with what we hold? Then *ret_floor is what its mzxid
 * must pass. */
static bool judge_registry(const struct watcher *watcher, struct watched *watched,
                           int64_t *ret_floor)
{
    const char *ours = watched->provenance.registry;
    *ret_floor = watched_has_topology(watched) ? watched->provenance.mzxid : 0;
    if (!watched_has_topology(watched) || !ours[0]) {
        return true;
    }
    if (watcher->registry_id_state != REGISTRY_ID_KNOWN) {
        belief_refuse(
            watched, 0, 0,
            "the registry does not say which one it is (%s); what is known is of registry %s",
            watcher->registry_id_fault, ours);
        return false;
    }
    if (text_equal(ours, watcher->registry_id.registry) && went_back(watcher)) {
        refuse_past(watcher, watched);
        return false;
    }
    if (text_equal(ours, watcher->registry_id.registry)) {
        return true;
    }
    if (supersedes(&watcher->registry_id, ours)) {
        *ret_floor = 0;
        return true;
    }
    belief_refuse(
        watched, 0, 0,
        "this is registry %s; what is known is of registry %s, and an operator has not accepted "
        "the new one",
        watcher->registry_id.registry, ours);
    return false;
}

static void adopt_registry(const struct watcher *watcher, struct watched *watched)
{
    if (watcher->registry_id_state == REGISTRY_ID_KNOWN) {
        strcpy(watched->provenance.registry, watcher->registry_id.registry);
    }
}

static void accept(const struct watcher *watcher, struct watched *watched,
                   const struct topology *topology)
{
    watched->topology = *topology;
    watched->provenance.mzxid = watched->node->stat.mzxid;
    adopt_registry(watcher, watched);
    watched->news |= 1u << NEWS_TOPOLOGY | 1u << NEWS_STATUS;
    age_begin_at_verdict(watched, watcher->now);
    belief_settle_refusal(watched);
    belief_enter(watched, BELIEF_CONFIRMED);
}

/* The registry holds just what we hold. */
static void confirm(const struct watcher *watcher, struct watched *watched)
{
    if (!watched->provenance.registry[0]) {
        adopt_registry(watcher, watched);
    }
    belief_settle_refusal(watched);
    belief_enter(watched, BELIEF_CONFIRMED);
}

static void judge_newer_value(const struct watcher *watcher, struct watched *watched)
{
    const struct mirror_node *node = watched->node;
    struct topology *topology = calloc(1, sizeof *topology);
    struct codec_error error = {.sentence = "memory ran out"};
    if (!topology || !topology_decode(node->data ? node->data : "", node->len, topology, &error)) {
        belief_refuse(watched, node->stat.czxid, node->stat.version, "%s", error.sentence);
    } else if (!text_equal(topology->cluster, watched->cluster)) {
        belief_refuse(watched, node->stat.czxid, node->stat.version,
                      "it is the topology of another cluster, \"%s\"", topology->cluster);
    } else {
        accept(watcher, watched, topology);
    }
    free(topology);
}

/* One that does not say which it is proves it for this value only. */
static void prove_past(struct watcher *watcher, struct watched *watched, int64_t floor)
{
    struct past *past = &watcher->past;
    *past = (struct past){.found = watched->node->stat.mzxid, .known = floor};
    strcpy(past->registry, watched->provenance.registry);
    refuse_past(watcher, watched);
    if (went_back(watcher)) {
        judge_all(watcher);
    }
}

static void judge_value(struct watcher *watcher, struct watched *watched, int64_t floor)
{
    const struct mirror_node *node = watched->node;
    if (node->stat.mzxid > floor && guard_is_open(&watched->guard) &&
        watched_has_topology(watched)) {
        belief_settle_refusal(watched);
        belief_unconfirm(watched);
    } else if (node->stat.mzxid > floor) {
        judge_newer_value(watcher, watched);
    } else if (node->stat.mzxid == floor) {
        confirm(watcher, watched);
    } else if (node->synced) { /* no lagging server is the reason */
        prove_past(watcher, watched, floor);
    } else {
        mirror_refresh_synced(watcher->mirror, watched->node); /* then it is judged again */
    }
}

/* Not before all that the judgement needs was read in this session; then it is called again. */
void judge_cluster(struct watcher *watcher, struct watched *watched)
{
    const struct mirror_node *node = watched->node;
    int64_t floor;
    if (watcher->registry_id_state == REGISTRY_ID_UNREAD || watcher->presence == PRESENCE_UNREAD ||
        node->rc == STORE_UNKNOWN || (node->rc == STORE_OK && !knows_access(watched))) {
        return;
    }
    watched->answered = true;
    watched->news |= 1u << NEWS_STATUS;
    if (judge_registry(watcher, watched, &floor)) {
        if (node->rc == STORE_OK) {
            judge_value(watcher, watched, floor);
        } else if (node->rc != STORE_NO_NODE) {
            belief_refuse(watched, 0, 0, "reading it was refused: %s", store_rc_names[node->rc]);
        } else if (watched_has_topology(watched)) {
            belief_refuse(watched, 0, 0, "the registry holds no topology of this cluster any more");
        } else {
            belief_stop_refusing(watched);
        }
    }
    age_refresh(watcher, watched);
}

void judge_all(struct watcher *watcher)
{
    for (struct watched *watched = watcher->all; watched; watched = watched->next) {
        judge_cluster(watcher, watched);
    }
}
