#include "registry/fleet/root.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/codec.h"

enum {
    PROVISIONAL_MS = 3 * BEAT_MS,
    RETRY_MS = BEAT_MS, /* after a write that was refused */
    SUPERSEDES_MAX =
        sizeof((struct registry_id *)0)->supersedes / sizeof *((struct registry_id *)0)->supersedes
};

static void judge(void *owner, const struct mirror_node *node);

/* ---- life ------------------------------------------------------------------------------------ */

static void remember(struct root *root, const struct memory *memory)
{
    *root->memory = *memory;
    for (size_t i = 0; i < memory->known_count; i++) {
        int64_t mzxid = memory->known[i].mzxid;
        root->newest = mzxid > root->newest ? mzxid : root->newest;
    }
}

bool root_init(struct root *root, struct store *store, struct mirror *mirror, const char *path,
               const char *drawn, const struct memory *memory)
{
    assert(strlen(drawn) < sizeof root->drawn);
    *root = (struct root){.store = store, .mirror = mirror};
    strcpy(root->drawn, drawn);
    root->memory = calloc(1, sizeof *root->memory);
    root->node = root->memory ? mirror_add(mirror, path, false, judge, root) : NULL;
    if (!root->node) {
        free(root->memory);
        return false;
    }
    if (memory) {
        remember(root, memory);
    }
    return true;
}

void root_release(struct root *root)
{
    mirror_remove(root->mirror, root->node);
    free(root->memory);
    *root = (struct root){0};
}

/* ---- what is told ---------------------------------------------------------------------------- */

/* What goes on is told once. */
static __attribute__((format(printf, 3, 4))) void say(struct root *root, bool is_refusal,
                                                      const char *format, ...)
{
    char sentence[SENTENCE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (!text_equal(sentence, root->sentence)) {
        strcpy(root->sentence, sentence);
        root->is_said = false;
        root->is_refusal = is_refusal;
    }
}

const char *root_take_sentence(struct root *root, bool *ret_is_refusal)
{
    if (root->is_said || !root->sentence[0]) {
        return NULL;
    }
    root->is_said = true;
    *ret_is_refusal = root->is_refusal;
    return root->sentence;
}

const struct memory *root_take_memory(struct root *root)
{
    const struct registry_id *ours = &root->memory->registry_id;
    bool changed = root->memory_changed && ours->registry[0] && !ours->provisional;
    root->memory_changed = root->memory_changed && !changed;
    return changed ? root->memory : NULL;
}

/* ---- what it is to hold ---------------------------------------------------------------------- */

static struct registry_id contents(const struct root *root)
{
    struct registry_id id = root->memory->registry_id;
    if (!id.registry[0]) {
        id = (struct registry_id){.provisional = true};
        strcpy(id.registry, root->drawn);
    }
    return id;
}

char *root_contents(const struct root *root)
{
    struct registry_id id = contents(root);
    return registry_id_encode(&id);
}

static void want(struct root *root, const struct registry_id *id)
{
    root->wanted = true;
    root->wanted_id = *id;
}

static bool supersedes(const struct registry_id *id, const char *registry)
{
    for (size_t i = 0; i < id->supersedes_count; i++) {
        if (text_equal(id->supersedes[i], registry)) {
            return true;
        }
    }
    return false;
}

/* In the place of one that was drawn meanwhile; of too many the oldest gives way. */
static void want_ours(struct root *root, const struct registry_id *drawn)
{
    struct registry_id id = root->memory->registry_id;
    if (!supersedes(&id, drawn->registry)) {
        if (id.supersedes_count == SUPERSEDES_MAX) {
            memmove(id.supersedes[0], id.supersedes[1],
                    sizeof id.supersedes - sizeof id.supersedes[0]);
            id.supersedes_count--;
        }
        strcpy(id.supersedes[id.supersedes_count++], drawn->registry);
    }
    want(root, &id);
}

static void want_final(struct root *root)
{
    struct registry_id id = root->memory->registry_id;
    id.provisional = false;
    want(root, &id);
}

/* ---- judging --------------------------------------------------------------------------------- */

static void follow(struct root *root, const struct registry_id *found)
{
    struct registry_id *ours = &root->memory->registry_id;
    if (!text_equal(ours->registry, found->registry)) {
        say(root, false, "follows registry %s%s%s", found->registry,
            ours->registry[0] ? " in the place of " : "", ours->registry);
        root->memory->known_count = 0;
        root->newest = 0;
        root->provisional_ms = 0;
    } else if (root->state == ROOT_REFUSED) {
        say(root, false, "follows registry %s again", found->registry);
    }
    root->memory_changed = root->memory_changed || memcmp(ours, found, sizeof *ours) != 0;
    *ours = *found;
    root->went_back[0] = '\0';
    root->state = ROOT_FOLLOWED;
    root->provisional_ms = !found->provisional     ? 0
                           : !root->provisional_ms ? root->node->read_ms
                                                   : root->provisional_ms;
}

static void refuse_other(struct root *root, const struct registry_id *found)
{
    const char *ours = root->memory->registry_id.registry;
    root->state = ROOT_REFUSED;
    say(root, true,
        "this is registry %s, and this probe follows registry %s: nothing is written here before "
        "an operator takes the one for the other: roster accept --registry %s",
        found->registry, ours, ours);
}

/* For who knew nothing of the time before. It is the one thing that is written there. */
static void want_mark(struct root *root)
{
    if (!root->found.went_back.known && !root->mark_denied && root->found.registry[0]) {
        struct registry_id marked = root->found;
        marked.went_back = root->proof;
        want(root, &marked);
    }
}

static void judge_identity(struct root *root, struct registry_id *found)
{
    const struct registry_id *ours = &root->memory->registry_id;
    bool same = text_equal(ours->registry, found->registry);
    root->found = *found;
    found->went_back = (struct went_back){0}; /* we go by what we know ourselves */
    if (root->went_back[0] && text_equal(found->registry, root->went_back)) {
        root->state = ROOT_REFUSED;
        want_mark(root);
    } else if (same && found->provisional && !ours->provisional) {
        want_final(root);
        found->provisional = false;
        follow(root, found);
    } else if (same || !ours->registry[0] || ours->provisional ||
               supersedes(found, ours->registry)) {
        follow(root, found);
    } else if (found->provisional) {
        root->state = ROOT_UNREAD;
        want_ours(root, found);
    } else {
        refuse_other(root, found);
    }
}

/* What cannot be understood is left alone. What was known in this session holds. */
static void judge_unreadable(struct root *root)
{
    root->state =
        root->state == ROOT_UNREAD || root->state == ROOT_ABSENT ? ROOT_FAULTY : root->state;
    if (root->node->rc == STORE_OK) {
        say(root, true,
            "the root znode holds something that is not ours to overwrite; routers cannot tell "
            "this registry's identity");
    }
}

static void judge(void *owner, const struct mirror_node *node)
{
    struct root *root = owner;
    struct registry_id found;
    struct codec_error error;
    struct registry_id made = contents(root);
    assert(node == root->node);
    root->reads++;
    root->wanted = false;
    root->found.registry[0] = '\0';
    if (node->rc == STORE_NO_NODE) {
        root->state = ROOT_ABSENT;
    } else if (node->rc == STORE_OK && node->len == 0) { /* made by hand */
        root->state = ROOT_ABSENT;
        want(root, &made);
    } else if (node->rc == STORE_OK && registry_id_decode(node->data, node->len, &found, &error)) {
        judge_identity(root, &found);
    } else {
        judge_unreadable(root);
    }
}

static void refuse_past(struct root *root, int64_t found, int64_t known)
{
    const char *ours = root->memory->registry_id.registry;
    strcpy(root->went_back, ours);
    root->state = ROOT_REFUSED;
    root->wanted = false;
    root->proof = (struct went_back){found, known};
    root->mark_denied = false;
    want_mark(root);
    char sentence[SENTENCE_SIZE];
    say(root, true, "%s", past_phrase(sentence, sizeof sentence, ours, found, known));
}

static struct known_topology *known_of(struct memory *memory, const char *cluster)
{
    for (size_t i = 0; i < memory->known_count; i++) {
        if (text_equal(memory->known[i].cluster, cluster)) {
            return &memory->known[i];
        }
    }
    if (memory->known_count == CLUSTERS_MAX) {
        return NULL;
    }
    struct known_topology *known = &memory->known[memory->known_count++];
    *known = (struct known_topology){.mzxid = 0};
    text_copy(known->cluster, sizeof known->cluster, cluster);
    return known;
}

bool root_saw_topology(struct root *root, const char *cluster, int64_t mzxid)
{
    struct known_topology *known =
        root->state == ROOT_FOLLOWED ? known_of(root->memory, cluster) : NULL;
    if (!known) {
        return true;
    }
    if (mzxid < known->mzxid) {
        refuse_past(root, mzxid, known->mzxid);
        return false;
    }
    root->memory_changed = root->memory_changed || mzxid > known->mzxid;
    known->mzxid = mzxid;
    root->newest = mzxid > root->newest ? mzxid : root->newest;
    return true;
}

void root_wrote(struct root *root, int64_t zxid)
{
    if (root->state == ROOT_FOLLOWED && zxid < root->newest) {
        refuse_past(root, zxid, root->newest);
    }
}

/* ---- requests and events --------------------------------------------------------------------- */

static void write_wanted(struct root *root)
{
    char *json = registry_id_encode(&root->wanted_id);
    if (!json) {
        return; /* the next step tries again */
    }
    struct store_op op = {.kind = STORE_SET,
                          .path = root->node->path,
                          .data = json,
                          .len = strlen(json),
                          .version = root->node->stat.version};
    root->wanted = false;
    root->pending = true;
    store_write(root->store, store_tag(root, TAG_ROOT), &op, 1);
    free(json);
}

int64_t root_step(struct root *root, int64_t now_ms)
{
    int64_t final_ms = root->state == ROOT_FOLLOWED && root->provisional_ms
                           ? root->provisional_ms + PROVISIONAL_MS
                           : INT64_MAX;
    if (root->pending || !mirror_is_up(root->mirror)) {
        return INT64_MAX;
    }
    if (!root->wanted && now_ms >= final_ms) {
        want_final(root);
    }
    if (!root->wanted) {
        return final_ms;
    }
    if (now_ms < root->not_before_ms) {
        return root->not_before_ms;
    }
    write_wanted(root);
    return INT64_MAX;
}

/* Whatever came of it, what is there now is read. */
void root_answer(struct root *root, const struct store_event *event, int64_t now_ms)
{
    assert(event->kind == STORE_ANSWER && root->pending);
    root->pending = false;
    if (event->rc != STORE_OK) {
        root->not_before_ms = now_ms + RETRY_MS;
    }
    if (event->rc == STORE_DENIED && root->state == ROOT_REFUSED) {
        root->mark_denied = true;
    } else if (event->rc == STORE_DENIED) {
        say(root, true,
            "the registry's access list forbids writing its root: check [registry] auth");
    }
    mirror_refresh(root->mirror, root->node);
}

void root_event(struct root *root, const struct store_event *event)
{
    if ((event->kind == STORE_UP && event->renewed) || event->kind == STORE_GONE) {
        root->state = ROOT_UNREAD;
        root->wanted = false;
    }
}
