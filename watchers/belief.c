#include "watchers/watcher_parts.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <roster.h>

#include "registry/base/text.h"

/* A probe has proved that this registry went back: who knew nothing follows it, and is told. */
static bool is_marked(const struct watched *watched)
{
    const struct watcher *watcher = watched->watcher;
    return watcher->registry_id_state == REGISTRY_ID_KNOWN &&
           watcher->registry_id.went_back.known > 0;
}

void belief_enter(struct watched *watched, enum belief belief)
{
    assert(belief != BELIEF_NONE);
    assert(belief != BELIEF_CACHED || watched->belief == BELIEF_NONE);
    assert(belief != BELIEF_HELD || watched->belief >= BELIEF_HELD);
    assert(belief < BELIEF_CONFIRMED || !watched->refused[0] || is_marked(watched) ||
           guard_is_open(&watched->guard));
    if (watched->belief != belief) {
        watched->belief = belief;
        watched->news |= 1u << NEWS_STATUS;
    }
}

void belief_unconfirm(struct watched *watched)
{
    if (watched->belief >= BELIEF_CONFIRMED) {
        belief_enter(watched, BELIEF_HELD);
    }
    watched->news |= 1u << NEWS_STATUS;
}

static void add_sentence(struct watched *watched, int level)
{
    watched->sentence_level = level;
    watched->news |= 1u << NEWS_SENTENCE;
}

static void set_refused(struct watched *watched, int64_t czxid, int32_t version,
                        const char *sentence)
{
    char tame[REFUSED_SIZE];
    text_tame(tame, sizeof tame, sentence);
    assert(tame[0]); /* "" means that nothing is refused */
    bool logged = text_equal(tame, watched->refused) && czxid == watched->refused_czxid &&
                  version == watched->refused_version;
    if (!logged) {
        strcpy(watched->refused, tame);
        watched->refused_czxid = czxid;
        watched->refused_version = version;
        watched->news |= 1u << NEWS_STATUS;
        add_sentence(watched, ROSTER_LOG_ERROR);
    }
}

void belief_refuse(struct watched *watched, int64_t czxid, int32_t version, const char *format, ...)
{
    char sentence[SENTENCE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    set_refused(watched, czxid, version, sentence);
    belief_unconfirm(watched);
}

void belief_stop_refusing(struct watched *watched)
{
    if (watched->refused[0]) {
        watched->refused[0] = '\0';
        watched->refused_czxid = 0;
        watched->refused_version = 0;
        watched->news |= 1u << NEWS_STATUS;
        add_sentence(watched, ROSTER_LOG_NOTICE);
    }
}

void belief_settle_refusal(struct watched *watched)
{
    if (is_marked(watched)) {
        const struct registry_id *id = &watched->watcher->registry_id;
        char sentence[SENTENCE_SIZE];
        set_refused(watched, 0, 0,
                    past_phrase(sentence, sizeof sentence, id->registry, id->went_back.found,
                                id->went_back.known));
    } else if (guard_is_open(
                   &watched->guard)) { /* told before there is a change that is not followed */
        char sentence[SENTENCE_SIZE];
        set_refused(watched, 0, 0, guard_phrase(&watched->guard, sentence, sizeof sentence));
    } else {
        belief_stop_refusing(watched);
    }
}
