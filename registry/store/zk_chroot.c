#include "registry/store/zk_chroot.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "registry/base/text.h"

enum { POLL_MS = 100 };

struct question {
    struct store *store;
    int64_t deadline_ms;
    const char *chroot;
    char folder[PATH_SIZE]; /* the part that exists */
    char *sentence;
    size_t size;
};

/* The answer to the latest request; false: none in time. */
static bool await(struct question *question, struct store_event *ret_event)
{
    for (;;) {
        int64_t now_ms = clock_mono_ms();
        while (store_next(question->store, now_ms, ret_event)) {
            if (ret_event->kind == STORE_ANSWER) {
                return true;
            }
            if (ret_event->kind == STORE_GONE) {
                store_renew(question->store);
            }
            if (ret_event->kind == STORE_UP) {
                store_list(question->store, TAG_CALLER, question->folder, false);
            }
        }
        if (now_ms >= question->deadline_ms) {
            return false;
        }
        int64_t left_ms = question->deadline_ms - now_ms;
        struct pollfd fd = {.fd = store_fd(question->store), .events = POLLIN};
        poll(&fd, 1, (int)(left_ms < POLL_MS ? left_ms : POLL_MS));
    }
}

static enum chroot_answer missing(const struct question *question, const char *part,
                                  const struct store_event *event)
{
    const char *nearest = text_nearest(part, event->names, event->name_count, sizeof *event->names);
    const char *slash = text_equal(question->folder, "/") ? "" : "/";
    if (nearest) {
        snprintf(question->sentence, question->size,
                 "the chroot %s does not exist; did you mean %s%s%s?", question->chroot,
                 question->folder, slash, nearest);
    } else {
        snprintf(question->sentence, question->size,
                 "the chroot %s does not exist, and is not created: if it is meant, create it "
                 "(zkCli.sh create %s)",
                 question->chroot, question->chroot);
    }
    return CHROOT_MISSING;
}

static bool lists(const struct store_event *event, const char *name)
{
    for (size_t i = 0; i < event->name_count; i++) {
        if (text_equal(event->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Folder by folder; each list shows whether the next exists. */
static enum chroot_answer descend(struct question *question)
{
    struct store_event event;
    const char *at = question->chroot;
    for (;;) {
        char part[PATH_SIZE];
        size_t length = strcspn(at + 1, "/");
        snprintf(part, sizeof part, "%.*s", (int)length, at + 1);
        if (!await(question, &event) || event.rc != STORE_OK) {
            snprintf(question->sentence, question->size,
                     "whether the chroot %s exists is not known", question->chroot);
            return CHROOT_UNKNOWN;
        }
        if (!lists(&event, part)) {
            return missing(question, part, &event);
        }
        at += 1 + length;
        if (!*at) {
            return CHROOT_FINE;
        }
        snprintf(question->folder, sizeof question->folder, "%.*s", (int)(at - question->chroot),
                 question->chroot);
        store_list(question->store, TAG_CALLER, question->folder, false);
    }
}

enum chroot_answer zk_chroot_ask(const struct store_zk_options *options, int64_t timeout_ms,
                                 char *sentence, size_t size)
{
    struct question question = {
        .chroot = strchr(options->servers, '/'), .folder = "/", .sentence = sentence, .size = size};
    struct store_zk_options plain = *options;
    if (!question.chroot) {
        return CHROOT_FINE;
    }
    char *servers =
        strndup(options->servers, (size_t)(question.chroot - options->servers)); /* without it */
    plain.servers = servers;
    question.store = servers ? store_zk_new(&plain, sentence, size) : NULL;
    free(servers);
    if (!question.store) {
        return CHROOT_UNKNOWN;
    }
    question.deadline_ms = clock_mono_ms() + timeout_ms;
    store_renew(question.store);
    enum chroot_answer answer = descend(&question);
    store_close(question.store);
    return answer;
}
