/* Access lists between our form and that of ZooKeeper's C client. */
#ifndef ROSTER_REGISTRY_STORE_ZK_ACL_H
#define ROSTER_REGISTRY_STORE_ZK_ACL_H

#include "registry/model/access.h"

struct ACL_vector;

/* In one piece, to be freed. NULL: no memory. */
struct ACL_vector *zk_acl_new(const struct access_list *list);

/* What a server gave. */
void zk_acl_read(const struct ACL_vector *from, struct access_list *ret_list);

/* The lists of what is created below a root, by what the path is. */
struct zk_acls {
    char root[PATH_SIZE];
    struct ACL_vector *of[ACCESS_KINDS];
};

bool zk_acls_init(struct zk_acls *acls, const char *root, const struct access_rules *rules);
void zk_acls_release(struct zk_acls *acls);
const struct ACL_vector *zk_acls_for(const struct zk_acls *acls, const char *path);

#endif
