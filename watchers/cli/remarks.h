/* What an operator should know of a cluster beside its members: claims that are refused, with the
 * reason and the command that ends it; orders that wait; orders that name nobody.
 *
 * Pure. Printed by show and explain alike, from what either has. */
#ifndef ROSTER_WATCHERS_CLI_REMARKS_H
#define ROSTER_WATCHERS_CLI_REMARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/model/model.h"
#include "watchers/cli/refusal.h"

enum remark_kind { REMARK_REFUSED, REMARK_PENDING, REMARK_UNLISTED };

struct remark {
    enum remark_kind kind;
    const char *order; /* the verb; NULL with REMARK_REFUSED */
    const char *member;
    char text[SENTENCE_SIZE];
};

/* A member, as a remark sees it. */
struct remark_member {
    const char *name;
    struct claim claim;
};

struct remark_scene {
    const char *cluster;
    int64_t elected; /* the epoch since which nobody else became primary */
    size_t member_count;
    struct remark_member members[MEMBERS_MAX];
    const struct directives *directives; /* NULL: not known */
};

enum { REMARKS_MAX = 4 * MEMBERS_MAX + 1 };

/* Fills `remarks`, of REMARKS_MAX, and returns how many. Names point into the scene. */
size_t remarks_of(const struct remark_scene *scene, struct remark *remarks);

#endif
