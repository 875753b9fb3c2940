#include "registry/store/zk_acl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#include "registry/base/text.h"

struct ACL_vector *zk_acl_new(const struct access_list *list)
{
    struct piece {
        struct ACL_vector vector;
        struct ACL acls[];
    };
    assert(MAY_ALL == ZOO_PERM_ALL && MAY_ADMIN == ZOO_PERM_ADMIN); /* the bits are the same */
    size_t size = sizeof(struct piece) + list->count * sizeof(struct ACL);
    size_t strings = 0;
    for (size_t i = 0; i < list->count; i++) {
        strings += strlen(list->entries[i].scheme) + 1 + strlen(list->entries[i].id) + 1;
    }
    struct piece *piece = calloc(1, size + strings);
    if (!piece) {
        return NULL;
    }
    char *text = (char *)piece + size;
    piece->vector = (struct ACL_vector){(int32_t)list->count, piece->acls};
    for (size_t i = 0; i < list->count; i++) {
        struct ACL *acl = &piece->acls[i];
        acl->perms = (int32_t)list->entries[i].may;
        acl->id.scheme = text;
        text = stpcpy(text, list->entries[i].scheme) + 1;
        acl->id.id = text;
        text = stpcpy(text, list->entries[i].id) + 1;
    }
    return &piece->vector;
}

void zk_acl_read(const struct ACL_vector *from, struct access_list *ret_list)
{
    *ret_list = (struct access_list){0};
    for (int32_t i = 0; i < from->count; i++) {
        const struct ACL *acl = &from->data[i];
        struct access_entry *entry = &ret_list->entries[ret_list->count];
        if (ret_list->count == ACCESS_ENTRIES_MAX ||
            !text_copy(entry->scheme, sizeof entry->scheme, acl->id.scheme) ||
            !text_copy(entry->id, sizeof entry->id, acl->id.id)) {
            ret_list->cut = true;
            continue;
        }
        entry->may = (unsigned)acl->perms & MAY_ALL;
        ret_list->count++;
    }
}

bool zk_acls_init(struct zk_acls *acls, const char *root, const struct access_rules *rules)
{
    bool good = text_copy(acls->root, sizeof acls->root, root);
    for (int kind = 0; good && kind < ACCESS_KINDS; kind++) {
        struct access_list list;
        access_want(rules, (enum access_kind)kind, &list);
        acls->of[kind] = zk_acl_new(&list);
        good = acls->of[kind] != NULL;
    }
    return good;
}

void zk_acls_release(struct zk_acls *acls)
{
    for (int kind = 0; kind < ACCESS_KINDS; kind++) {
        free(acls->of[kind]);
    }
}

const struct ACL_vector *zk_acls_for(const struct zk_acls *acls, const char *path)
{
    return acls->of[access_kind_of(acls->root, path)];
}
