#include "registry/fleet/audit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"

enum {
    FIRST_MS = 1000,     /* after a session began: folders may just be created */
    ROUND_MS = 60000,    /* between two rounds, */
    ROUND_EACH_MS = 50,  /* and so much more for each znode */
    TOLD_MS = 5 * 60000, /* what goes on is told again after so long, then twice as long, ... */
    TOLD_MAX_MS = 24 * 3600000
};

/* A path to be looked at. */
struct todo {
    struct todo *next;
    char path[];
};

enum request { REQUEST_NONE, REQUEST_ACCESS, REQUEST_LIST };

/* What a round has found so far. */
struct round {
    size_t looked_at, open, differ;
    unsigned may; /* what anybody may do with the first open one */
    char first_open[PATH_SIZE], first_other[PATH_SIZE];
};

struct audit {
    struct store *store;
    char root[PATH_SIZE];
    struct access_rules rules;
    bool up;
    enum request request;
    struct todo *todo; /* the rest of the round */
    struct todo *at;   /* what the request is about */
    int64_t due_ms;    /* when the next round begins */
    struct round round;
    /* told last, when, and for how long it need not be told again */
    enum audit_finding told;
    int64_t told_ms, told_gap_ms;
    enum audit_finding finding;
    char sentence[SENTENCE_SIZE + PATH_SIZE];
    bool news;
};

struct audit *audit_new(struct store *store, const char *root, const struct access_rules *rules)
{
    struct audit *audit = calloc(1, sizeof *audit);
    if (audit) {
        assert(strlen(root) < sizeof audit->root);
        audit->store = store;
        audit->rules = *rules;
        audit->due_ms = INT64_MAX;
        strcpy(audit->root, root);
    }
    return audit;
}

static void drop_round(struct audit *audit)
{
    free(audit->at);
    audit->at = NULL;
    while (audit->todo) {
        struct todo *next = audit->todo->next;
        free(audit->todo);
        audit->todo = next;
    }
}

void audit_free(struct audit *audit)
{
    if (audit) {
        drop_round(audit);
        free(audit);
    }
}

/* ---- telling --------------------------------------------------------------------------------- */

static void phrase(struct audit *audit)
{
    const struct round *round = &audit->round;
    char may[128];
    switch (audit->finding) {
    case AUDIT_OPEN:
        snprintf(audit->sentence, sizeof audit->sentence,
                 "anybody may %s: %s (%zu of %zu znodes are open to anybody); `roster protect` "
                 "shows and mends the access lists",
                 access_print_may(round->may, may, sizeof may), round->first_open, round->open,
                 round->looked_at);
        break;
    case AUDIT_DIFFERS:
        snprintf(audit->sentence, sizeof audit->sentence,
                 "the access list of %s is not as configured (%zu of %zu znodes); `roster protect` "
                 "shows and mends the access lists",
                 round->first_other, round->differ, round->looked_at);
        break;
    case AUDIT_WELL:
        snprintf(audit->sentence, sizeof audit->sentence,
                 "the access lists of %zu znodes are as configured", round->looked_at);
        break;
    }
}

/* At once when it is another finding than the last, else when its time has come. */
static void tell(struct audit *audit, int64_t now_ms)
{
    const struct round *round = &audit->round;
    audit->finding = round->open > 0 ? AUDIT_OPEN : round->differ > 0 ? AUDIT_DIFFERS : AUDIT_WELL;
    bool another = audit->finding != audit->told;
    bool again = audit->told != AUDIT_WELL && now_ms - audit->told_ms >= audit->told_gap_ms;
    if (!another && !again) {
        return;
    }
    int64_t gap_ms = another ? TOLD_MS : 2 * audit->told_gap_ms;
    audit->told_gap_ms = gap_ms < TOLD_MAX_MS ? gap_ms : TOLD_MAX_MS;
    audit->told_ms = now_ms;
    audit->told = audit->finding;
    audit->news = true;
    phrase(audit);
}

const char *audit_take_sentence(struct audit *audit, enum audit_finding *ret_finding)
{
    bool news = audit->news;
    audit->news = false;
    *ret_finding = audit->finding;
    return news ? audit->sentence : NULL;
}

/* ---- the round ------------------------------------------------------------------------------- */

/* Without memory the round passes it over. */
static void add(struct audit *audit, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    struct todo *todo = size <= PATH_SIZE ? malloc(sizeof *todo + size) : NULL;
    if (todo) {
        char *end = stpcpy(todo->path, folder);
        if (name[0]) {
            stpcpy(stpcpy(end, "/"), name);
        }
        todo->next = audit->todo;
        audit->todo = todo;
    }
}

static void begin_round(struct audit *audit)
{
    assert(!audit->todo && !audit->at);
    audit->round = (struct round){0};
    audit->due_ms = INT64_MAX;
    add(audit, audit->root, "");
}

static void end_round(struct audit *audit, int64_t now_ms)
{
    audit->due_ms = now_ms + ROUND_MS + ROUND_EACH_MS * (int64_t)audit->round.looked_at;
    if (audit->round.looked_at > 0) {
        tell(audit, now_ms);
    }
}

static uint64_t tag_of(struct audit *audit)
{
    return store_tag(audit, TAG_AUDIT);
}

/* The next of the round, or its end. */
static void go_on(struct audit *audit, int64_t now_ms)
{
    free(audit->at);
    audit->at = audit->todo;
    if (!audit->at) {
        end_round(audit, now_ms);
        return;
    }
    audit->todo = audit->at->next;
    audit->request = REQUEST_ACCESS;
    store_access(audit->store, tag_of(audit), audit->at->path);
}

/* An ephemeral znode's list is its owner's affair as long as nobody else may write. */
static void judge(struct audit *audit, const struct access_list *list, bool ephemeral)
{
    const char *path = audit->at->path;
    struct round *round = &audit->round;
    struct access_list wanted;
    enum access_kind kind = access_kind_of(audit->root, path);
    access_want(&audit->rules, kind, &wanted);
    unsigned open = access_of_anybody(list) & ~(unsigned)MAY_READ;
    if (open) {
        if (round->open++ == 0 || kind == ACCESS_TOPOLOGY) { /* that one matters most */
            strcpy(round->first_open, path);
            round->may = open;
        }
    } else if (!ephemeral && !access_equal(list, &wanted) && round->differ++ == 0) {
        strcpy(round->first_other, path);
    }
}

static bool has_children(const struct audit *audit)
{
    switch (access_kind_of(audit->root, audit->at->path)) {
    case ACCESS_ROOT:
    case ACCESS_PROBES:
    case ACCESS_CLUSTERS:
    case ACCESS_CLUSTER:
    case ACCESS_REPORTS:
        return true;
    default:
        return false;
    }
}

static void take_access(struct audit *audit, const struct store_event *event, int64_t now_ms)
{
    if (event->rc == STORE_OK) {
        audit->round.looked_at++;
        judge(audit, event->access, event->stat.owner != 0);
        if (has_children(audit)) {
            audit->request = REQUEST_LIST;
            store_list(audit->store, tag_of(audit), audit->at->path, false);
            return;
        }
    }
    go_on(audit, now_ms); /* it is gone, or not shown to us */
}

static void take_list(struct audit *audit, const struct store_event *event, int64_t now_ms)
{
    for (size_t i = 0; event->rc == STORE_OK && i < event->name_count; i++) {
        add(audit, audit->at->path, event->names[i]);
    }
    go_on(audit, now_ms);
}

static void take_answer(struct audit *audit, const struct store_event *event, int64_t now_ms)
{
    enum request request = audit->request;
    assert(request != REQUEST_NONE);
    audit->request = REQUEST_NONE;
    if (!audit->up || event->rc == STORE_UNKNOWN) {
        drop_round(audit); /* the next connect begins another */
        audit->due_ms = audit->up ? now_ms + FIRST_MS : INT64_MAX;
    } else if (request == REQUEST_ACCESS) {
        take_access(audit, event, now_ms);
    } else {
        take_list(audit, event, now_ms);
    }
}

void audit_event(struct audit *audit, const struct store_event *event, int64_t now_ms)
{
    switch (event->kind) {
    case STORE_UP:
        audit->up = true;
        audit->due_ms = now_ms + FIRST_MS;
        break;
    case STORE_DOWN:
    case STORE_GONE:
        audit->up = false;
        break;
    case STORE_ANSWER:
        if ((event->tag & TAG_MASK) == TAG_AUDIT) {
            take_answer(audit, event, now_ms);
        }
        break;
    default:
        break;
    }
}

void audit_step(struct audit *audit, int64_t now_ms)
{
    if (audit->up && audit->request == REQUEST_NONE && now_ms >= audit->due_ms) {
        begin_round(audit);
        go_on(audit, now_ms);
    }
}
