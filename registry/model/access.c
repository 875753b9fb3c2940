#include "registry/model/access.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"

/* ---- what a path is -------------------------------------------------------------------------- */

/* The next part of a path behind `at`, which is a slash; NULL: none. */
static const char *part_behind(const char *at)
{
    const char *slash = strchr(at, '/');
    return slash ? slash + 1 : NULL;
}

static bool is_part(const char *part, const char *name)
{
    size_t length = strlen(name);
    return strncmp(part, name, length) == 0 && (part[length] == '/' || !part[length]);
}

/* Of clusters/CLUSTER/...; `at` is what stands behind CLUSTER. */
static enum access_kind kind_in_cluster(const char *at)
{
    const char *child = part_behind(at);
    if (is_part(at, "reports")) {
        return !child ? ACCESS_REPORTS : !part_behind(child) ? ACCESS_REPORT : ACCESS_OTHER;
    }
    if (child) {
        return ACCESS_OTHER;
    }
    return is_part(at, "topology")     ? ACCESS_TOPOLOGY
           : is_part(at, "directives") ? ACCESS_DIRECTIVES
                                       : ACCESS_OTHER;
}

enum access_kind access_kind_of(const char *root, const char *path)
{
    size_t length = strlen(root);
    if (strncmp(path, root, length) != 0 || (path[length] && path[length] != '/')) {
        return strncmp(root, path, strlen(path)) == 0 ? ACCESS_ROOT : ACCESS_OTHER;
    }
    const char *part = part_behind(path + length);
    if (!part) {
        return ACCESS_ROOT;
    }
    const char *child = part_behind(part);
    const char *grandchild = child ? part_behind(child) : NULL;
    if (is_part(part, "probes")) {
        return !child ? ACCESS_PROBES : !grandchild ? ACCESS_PRESENCE : ACCESS_OTHER;
    }
    if (!is_part(part, "clusters")) {
        return ACCESS_OTHER;
    }
    return !child ? ACCESS_CLUSTERS : !grandchild ? ACCESS_CLUSTER : kind_in_cluster(grandchild);
}

/* ---- who is who ------------------------------------------------------------------------------ */

bool access_ids_hold(const struct access_ids *ids, const char *id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (text_equal(ids->ids[i], id)) {
            return true;
        }
    }
    return false;
}

bool access_ids_add(struct access_ids *ids, const char *id)
{
    if (access_ids_hold(ids, id)) {
        return true;
    }
    if (ids->count == ACCESS_IDS_MAX || !text_copy(ids->ids[ids->count], DIGEST_ID_SIZE, id)) {
        return false;
    }
    ids->count++;
    return true;
}

bool access_ids_parse(const char *from, struct access_ids *ret_ids, char *sentence, size_t size)
{
    struct access_ids ids = {0};
    struct text said;
    text_init(&said, sentence, size);
    for (const char *at = from, *end; at; at = *end ? end + 1 : NULL) {
        char id[DIGEST_ID_SIZE + 1];
        at += strspn(at, " \t");
        end = at + strcspn(at, ",");
        size_t length = (size_t)(end - at);
        while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t')) {
            length--;
        }
        length = length < sizeof id ? length : sizeof id - 1;
        memcpy(id, at, length);
        id[length] = '\0';
        if (!digest_id_is_valid(id, sentence, size)) {
            return false;
        }
        if (!access_ids_add(&ids, id)) {
            text_put(&said, "has more than %d ids", ACCESS_IDS_MAX);
            return false;
        }
    }
    *ret_ids = ids;
    return true;
}

static void add_all(struct access_ids *ids, const char *from)
{
    char sentence[SENTENCE_SIZE];
    struct access_ids more = {0};
    bool valid = !from || !from[0] || access_ids_parse(from, &more, sentence, sizeof sentence);
    assert(valid); /* it is checked where it comes in */
    for (size_t i = 0; i < more.count; i++) {
        access_ids_add(ids, more.ids[i]);
    }
}

void access_rules_make(struct access_rules *rules, const char *auth, const char *probes,
                       const char *operators, const char *nodes)
{
    char id[DIGEST_ID_SIZE];
    *rules = (struct access_rules){0};
    if (auth && auth[0]) {
        access_ids_add(&rules->probes, digest_id(auth, id));
        add_all(&rules->probes, probes);
        add_all(&rules->operators, operators);
        add_all(&rules->nodes, nodes);
    }
}

/* ---- the list that is wanted ----------------------------------------------------------------- */

/* Beside operators, who change every list and clean up everywhere, each has what it needs. No probe
 * needs to delete a topology or directives, so none may. */
static const struct {
    unsigned probes, operators;
} rights[ACCESS_KINDS] = {
    [ACCESS_ROOT] = {MAY_READ | MAY_WRITE | MAY_CREATE, MAY_ALL},
    [ACCESS_PROBES] = {MAY_ALL & ~MAY_ADMIN, MAY_ALL},
    [ACCESS_PRESENCE] = {MAY_READ | MAY_WRITE, MAY_READ | MAY_ADMIN},
    [ACCESS_CLUSTERS] = {MAY_READ | MAY_CREATE, MAY_ALL},
    [ACCESS_CLUSTER] = {MAY_READ | MAY_CREATE, MAY_ALL},
    [ACCESS_REPORTS] = {MAY_ALL & ~MAY_ADMIN, MAY_ALL},
    [ACCESS_REPORT] = {MAY_READ | MAY_WRITE, MAY_READ | MAY_ADMIN},
    [ACCESS_TOPOLOGY] = {MAY_READ | MAY_WRITE, MAY_READ | MAY_ADMIN},
    [ACCESS_DIRECTIVES] = {MAY_READ, MAY_ALL},
    [ACCESS_OTHER] = {MAY_READ, MAY_ALL},
};

static void allow(struct access_list *list, const char *scheme, const char *id, unsigned may)
{
    for (size_t i = 0; i < list->count; i++) {
        struct access_entry *entry = &list->entries[i];
        if (text_equal(entry->scheme, scheme) && text_equal(entry->id, id)) {
            entry->may |= may;
            return;
        }
    }
    assert(list->count < ACCESS_ENTRIES_MAX); /* all ids of all roles have room */
    struct access_entry *entry = &list->entries[list->count++];
    entry->may = may;
    text_copy(entry->scheme, sizeof entry->scheme, scheme);
    text_copy(entry->id, sizeof entry->id, id);
}

static void allow_all(struct access_list *list, const struct access_ids *ids, unsigned may)
{
    for (size_t i = 0; i < ids->count; i++) {
        allow(list, "digest", ids->ids[i], may);
    }
}

void access_want(const struct access_rules *rules, enum access_kind kind,
                 struct access_list *ret_list)
{
    *ret_list = (struct access_list){0};
    if (rules->probes.count == 0) {
        allow(ret_list, "world", "anyone", MAY_ALL);
        return;
    }
    allow_all(ret_list, &rules->probes,
              rules->operators.count > 0 ? rights[kind].probes : (unsigned)MAY_ALL);
    allow_all(ret_list, &rules->operators, rights[kind].operators);
    if (rules->nodes.count > 0) {
        allow_all(ret_list, &rules->nodes, MAY_READ);
    } else {
        allow(ret_list, "world", "anyone", MAY_READ);
    }
}

/* ---- the list that is there ------------------------------------------------------------------ */

unsigned access_of_anybody(const struct access_list *list)
{
    unsigned may = 0;
    for (size_t i = 0; i < list->count; i++) {
        /* an address proves nothing: whoever is in that network, or says so */
        if (text_equal(list->entries[i].scheme, "world") ||
            text_equal(list->entries[i].scheme, "ip")) {
            may |= list->entries[i].may;
        }
    }
    return may;
}

unsigned access_of_id(const struct access_list *list, const char *id)
{
    unsigned may = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct access_entry *entry = &list->entries[i];
        bool his = text_equal(entry->scheme, "digest") && digest_id_equal(entry->id, id);
        may |= his ? entry->may : 0;
    }
    return may;
}

static bool same_entry(const struct access_entry *a, const struct access_entry *b)
{
    return text_equal(a->scheme, b->scheme) &&
           (text_equal(a->scheme, "digest") ? digest_id_equal(a->id, b->id)
                                            : text_equal(a->id, b->id));
}

static unsigned may_of(const struct access_list *list, const struct access_entry *whose)
{
    unsigned may = 0;
    for (size_t i = 0; i < list->count; i++) {
        may |= same_entry(&list->entries[i], whose) ? list->entries[i].may : 0;
    }
    return may;
}

static bool has_all_of(const struct access_list *list, const struct access_list *other)
{
    for (size_t i = 0; i < other->count; i++) {
        const struct access_entry *entry = &other->entries[i];
        if (may_of(list, entry) != may_of(other, entry)) {
            return false;
        }
    }
    return true;
}

bool access_equal(const struct access_list *a, const struct access_list *b)
{
    return !a->cut && !b->cut && has_all_of(a, b) && has_all_of(b, a);
}

/* ---- for people ------------------------------------------------------------------------------ */

static void print_letters(struct text *text, unsigned may)
{
    static const struct {
        unsigned may;
        char letter;
    } letters[] = {
        {MAY_CREATE, 'c'}, {MAY_DELETE, 'd'}, {MAY_READ, 'r'}, {MAY_WRITE, 'w'}, {MAY_ADMIN, 'a'}};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        if (may & letters[i].may) {
            text_put(text, "%c", letters[i].letter);
        }
    }
}

const char *access_print(const struct access_list *list, bool whole, char *to, size_t size)
{
    struct text text;
    text_init(&text, to, size);
    for (size_t i = 0; i < list->count; i++) {
        const struct access_entry *entry = &list->entries[i];
        bool plain = text_equal(entry->scheme, "digest") || text_equal(entry->scheme, "world");
        int shown = (int)(whole || !text_equal(entry->scheme, "digest") ? strlen(entry->id)
                                                                        : strcspn(entry->id, ":"));
        text_put(&text, "%s%s%s%.*s ", i ? ", " : "", plain ? "" : entry->scheme, plain ? "" : ":",
                 shown, entry->id);
        print_letters(&text, entry->may);
    }
    text_put(&text, "%s", list->count == 0 ? "nobody" : list->cut ? ", ..." : "");
    return to;
}

const char *access_print_may(unsigned may, char *to, size_t size)
{
    static const struct {
        unsigned may;
        const char *words;
    } acts[] = {{MAY_WRITE, "write it"},
                {MAY_CREATE, "create below it"},
                {MAY_DELETE, "delete below it"},
                {MAY_ADMIN, "change its access list"}};
    struct text text;
    text_init(&text, to, size);
    const char *between = "";
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (may & acts[i].may) {
            text_put(&text, "%s%s", between, acts[i].words);
            between = ", ";
        }
    }
    return to;
}
