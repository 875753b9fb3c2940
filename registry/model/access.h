/* Who may do what with which znode: the rules, and the access lists that follow from them.
 *
 *     who is who (ids) + what the path is --> the list that the znode is to have
 *     the list that it has                --> as wanted? may anybody write?
 *
 * Three roles. Probes write evidence and verdicts; operators write directives and change lists;
 * nodes read. Where no operators are named probes are operators, where no nodes are named
 * everybody reads, and where no probe has credentials everybody may do everything. Pure. */
#ifndef ROSTER_REGISTRY_MODEL_ACCESS_H
#define ROSTER_REGISTRY_MODEL_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/base/digest.h"
#include "registry/base/limits.h"

/* What may be done; the bits are ZooKeeper's. Creation and deletion are of a znode's children. */
enum {
    MAY_READ = 1,
    MAY_WRITE = 2,
    MAY_CREATE = 4,
    MAY_DELETE = 8,
    MAY_ADMIN = 16, /* change the list itself */
    MAY_ALL = 31
};

enum {
    ACCESS_ENTRIES_MAX = 32,
    ACCESS_IDS_MAX = 8, /* of one role */
    ACCESS_SCHEME_SIZE = 16
};

struct access_entry {
    unsigned may;
    char scheme[ACCESS_SCHEME_SIZE]; /* world, digest, ip, sasl, x509, ... */
    char id[DIGEST_ID_SIZE];
};

struct access_list {
    size_t count;
    bool cut; /* it has more entries than there is room for, or longer ones */
    struct access_entry entries[ACCESS_ENTRIES_MAX];
};

struct access_ids {
    size_t count;
    char ids[ACCESS_IDS_MAX][DIGEST_ID_SIZE];
};

/* Who is who. */
struct access_rules {
    struct access_ids probes; /* none: everybody may do everything */
    struct access_ids operators;
    struct access_ids nodes;
};

/* What a path is, as far as access goes. */
enum access_kind {
    ACCESS_ROOT, /* the root, and what is above it */
    ACCESS_PROBES,
    ACCESS_PRESENCE,
    ACCESS_CLUSTERS,
    ACCESS_CLUSTER,
    ACCESS_REPORTS,
    ACCESS_REPORT,
    ACCESS_TOPOLOGY,
    ACCESS_DIRECTIVES,
    ACCESS_OTHER, /* not ours */
    ACCESS_KINDS
};

enum access_kind access_kind_of(const char *root, const char *path);

/* "user:hash, user:hash"; false, and what is wrong, to follow the setting's name. */
bool access_ids_parse(const char *from, struct access_ids *ret_ids, char *sentence, size_t size);
bool access_ids_add(struct access_ids *ids, const char *id); /* false: no room */
bool access_ids_hold(const struct access_ids *ids, const char *id);

/* The rules of a process: `auth` ("digest:USER:PASSWORD"; "" or NULL: none) is a probe's, and the
 * lists of ids, which are valid, name the others ("" or NULL: none). */
void access_rules_make(struct access_rules *rules, const char *auth, const char *probes,
                       const char *operators, const char *nodes);

/* The list that a znode of that kind is to have. */
void access_want(const struct access_rules *rules, enum access_kind kind,
                 struct access_list *ret_list);

/* What anybody may do by that list: without credentials, or from an address. */
unsigned access_of_anybody(const struct access_list *list);

/* What that digest id may do by that list, beside what anybody may. */
unsigned access_of_id(const struct access_list *list, const char *id);

/* The same rights for the same ids, in whatever order? */
bool access_equal(const struct access_list *a, const struct access_list *b);

/* "roster cdrwa, anyone r"; with `whole` ids, hashes too. Returns `to`. */
const char *access_print(const struct access_list *list, bool whole, char *to, size_t size);

/* "write it", "create and delete below it", ...: what is open, for a sentence. Returns `to`. */
const char *access_print_may(unsigned may, char *to, size_t size);

#endif
