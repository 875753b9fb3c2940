/* The parts of a watcher, for its own files.
 *
 *     watcher.c   the step: the link, time, news, life
 *     judge.c     what may be taken of what was read, and what proves that the registry went back
 *     belief.c    where the belief of a cluster moves, and the sentence of a refusal
 *     age.c       when the registry last answered: the pulse, presences, ages */
#ifndef ROSTER_WATCHERS_WATCHER_PARTS_H
#define ROSTER_WATCHERS_WATCHER_PARTS_H

#include "registry/base/limits.h"
#include "registry/model/model.h"
#include "registry/store/mirror.h"
#include "registry/store/store.h"
#include "watchers/watcher.h"

enum watcher_link {
    LINK_NEW, /* not up yet, which was not logged */
    LINK_UP,
    LINK_LOST /* logged */
};

/* Who is present: the children of /probes. */
enum presence_state {
    PRESENCE_UNREAD, /* in this session */
    PRESENCE_STALE,  /* read in this session, but not since the last connect, or it failed */
    PRESENCE_CURRENT
};

/* Which registry this is: the root znode. */
enum registry_id_state {
    REGISTRY_ID_UNREAD, /* in this session */
    REGISTRY_ID_KNOWN,  /* for this session, whatever becomes of the znode */
    REGISTRY_ID_FAULTY  /* it does not identify itself; registry_id_fault has the reason */
};

/* A proof that the registry went back in time. */
struct past {
    char registry[IDENTITY_SIZE]; /* of this identity; "": there is none */
    int64_t found, known;         /* mzxids of one topology */
};

/* A sync that nobody waits for: its answer shows that the registry answers, and that all it said
 * before is as new as the asking. */
struct pulse {
    bool under_way;
    int64_t sent_ms;  /* the last one */
    int64_t heard_ms; /* when the last one that was answered was sent; 0: none was */
};

struct watcher {
    struct store *store;
    struct pulse pulse;
    int64_t limit_ms; /* the least age that callers still take; INT64_MAX: they ask for none */
    struct mirror *mirror;
    struct mirror_node *presence_node;
    char root[PATH_SIZE];
    struct watched *all;     /* newest first */
    struct watched *news_at; /* where watcher_news continues; NULL: at the start */
    bool guarded;            /* topologies that anybody may write are not followed */
    enum watcher_link link;
    enum presence_state presence;
    enum registry_id_state registry_id_state;
    struct registry_id registry_id;
    char registry_id_fault[SENTENCE_SIZE];
    struct past past;
    char sentence[SENTENCE_SIZE]; /* about the registry, not returned yet; "" */
    int sentence_level;
    struct now now;              /* of the present step */
    char trouble[SENTENCE_SIZE]; /* the link's, while it is lost and something is to be mended */
    int64_t resync_due_ms;
    uint64_t random;
};

/* ---- belief.c -------------------------------------------------------------------------------- */

/* The one place where the belief moves. A topology is never given up for none, and what the
 * registry confirmed never becomes a cache file's again. */
void belief_enter(struct watched *watched, enum belief belief);
void belief_unconfirm(struct watched *watched);

/* What the registry holds is not followed. czxid and version: of the value, when it is refused for
 * its contents; else 0. */
void belief_refuse(struct watched *watched, int64_t czxid, int32_t version, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void belief_stop_refusing(struct watched *watched);

/* What is held is the one to follow: it is refused for its lists or for nothing. */
void belief_settle_refusal(struct watched *watched);

/* ---- age.c ----------------------------------------------------------------------------------- */

/* Anew, from the presences and the pulse. */
void age_refresh(const struct watcher *watcher, struct watched *watched);
void age_refresh_all(struct watcher *watcher);

/* From the verdict's own time, where nothing better is known. */
void age_begin_at_verdict(struct watched *watched, struct now now);

/* What is later than now is not. */
void age_clock_went_back(struct watcher *watcher);

/* Asks for a sync, unless one is under way. */
void pulse_send(struct watcher *watcher);

/* Sends one when it is due, and returns when the next one is. */
int64_t pulse_step(struct watcher *watcher);

/* An answer with TAG_CALLER. */
void pulse_answer(struct watcher *watcher, const struct store_event *event);

/* ---- judge.c --------------------------------------------------------------------------------- */

/* Not before all that the judgement needs was read in this session; then it is called again. */
void judge_cluster(struct watcher *watcher, struct watched *watched);
void judge_all(struct watcher *watcher);

/* Asks who may write a topology, behind the reads that are under way: the answers come with theirs.
 */
void judge_ask_access(struct watched *watched);

/* Of all, or of those that are open: no watch tells that a list was mended. */
void judge_ask_all_access(struct watcher *watcher, bool open_ones);

#endif
