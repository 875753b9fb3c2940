/* Why a member that claims to be primary is not the one, and the command that ends it.
 *
 * The only place that has these words: show and explain print them, the verbs that
 * change something end with them. Works on names, since libroster gives those. */
#ifndef ROSTER_WATCHERS_CLI_REFUSAL_H
#define ROSTER_WATCHERS_CLI_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/model/model.h"
#include "roster.h"

/* What is known of the claim. */
struct claim {
    bool claims, fenced, drained;
    const char *reason;  /* the member's, by its name; "" */
    const char *primary; /* the member that is primary; "": none */
    const char *rule;    /* that decided, by its name */
    const char *bar;     /* of the verdict, by its name; "": it does not say, then it is derived */
};

struct claim claim_of(const struct member *member, const struct topology *topology);
/* libroster does not give the bar; "" where nobody knows it. */
struct claim claim_in_view(const struct roster_member *member, const struct roster_state *state,
                           const char *bar);

/* The bar, by its name. NULL: it does not claim, so nothing bars it. */
const char *bar_of(const struct claim *claim);

/* "it was replaced and has not followed since" */
const char *bar_text(const char *bar);

/* "roster accept orders pg-1" */
const char *bar_exit(const char *bar, const char *cluster, const char *member, char *to,
                     size_t size);

#endif
