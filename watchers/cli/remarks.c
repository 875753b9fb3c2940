#include "watchers/cli/remarks.h"

#include <assert.h>
#include <stdio.h>

#include "registry/base/text.h"

struct list {
    const struct remark_scene *scene;
    struct remark *remarks;
    size_t count;
};

static struct remark *add(struct list *list, enum remark_kind kind, const char *order,
                          const char *member)
{
    assert(list->count < REMARKS_MAX);
    struct remark *remark = &list->remarks[list->count++];
    *remark = (struct remark){.kind = kind, .order = order, .member = member};
    return remark;
}

static const struct remark_member *find(const struct remark_scene *scene, const char *name)
{
    for (size_t i = 0; i < scene->member_count; i++) {
        if (text_equal(scene->members[i].name, name)) {
            return &scene->members[i];
        }
    }
    return NULL;
}

static void add_refusals(struct list *list)
{
    for (size_t i = 0; i < list->scene->member_count; i++) {
        const struct remark_member *member = &list->scene->members[i];
        const char *bar = bar_of(&member->claim);
        char exit[2 * NAME_SIZE + 32];
        if (bar) {
            struct remark *remark = add(list, REMARK_REFUSED, NULL, member->name);
            snprintf(remark->text, sizeof remark->text,
                     "%s claims and is refused (%s): %s; `%s` ends that", member->name, bar,
                     bar_text(bar),
                     bar_exit(bar, list->scene->cluster, member->name, exit, sizeof exit));
        }
    }
}

/* An order about somebody who is no member. `exit` has the rest of its command. */
static void add_unlisted(struct list *list, const char *order, const char *name, const char *exit)
{
    if (find(list->scene, name)) {
        return;
    }
    struct remark *remark = add(list, REMARK_UNLISTED, order, name);
    snprintf(remark->text, sizeof remark->text, "%s names %s, which is no member%s%s%s", order,
             name, exit[0] ? "; `roster " : "", exit, exit[0] ? "` takes it back" : "");
}

static void add_orders(struct list *list)
{
    const struct directives *directives = list->scene->directives;
    const char *cluster = list->scene->cluster;
    char exit[2 * NAME_SIZE + 32];
    for (size_t i = 0; i < directives->drain_count; i++) {
        snprintf(exit, sizeof exit, "undrain %s %s", cluster, directives->drain[i]);
        add_unlisted(list, "drain", directives->drain[i], exit);
    }
    for (size_t i = 0; i < directives->weight_count; i++) {
        snprintf(exit, sizeof exit, "weight %s %s default", cluster, directives->weight[i].name);
        add_unlisted(list, "weight", directives->weight[i].name, exit);
    }
    if (directives->hold[0]) {
        snprintf(exit, sizeof exit, "release %s", cluster);
        add_unlisted(list, "hold", directives->hold, exit);
    }
}

/* Those given before the last election are over. */
static void add_acceptances(struct list *list)
{
    const struct directives *directives = list->scene->directives;
    for (size_t i = 0; i < directives->accept_count; i++) {
        const struct acceptance *acceptance = &directives->accept[i];
        const struct remark_member *member = find(list->scene, acceptance->name);
        if (acceptance->epoch < list->scene->elected) {
            continue;
        }
        if (!member) {
            add_unlisted(list, "accept", acceptance->name, "");
        } else if (!member->claim.claims && !text_equal(member->claim.primary, member->name)) {
            struct remark *remark = add(list, REMARK_PENDING, "accept", member->name);
            snprintf(remark->text, sizeof remark->text, "accept %s is pending: it does not claim",
                     member->name);
        }
    }
}

size_t remarks_of(const struct remark_scene *scene, struct remark *remarks)
{
    struct list list = {.scene = scene, .remarks = remarks};
    add_refusals(&list);
    if (scene->directives) {
        add_orders(&list);
        add_acceptances(&list);
    }
    return list.count;
}
