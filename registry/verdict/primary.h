/* Who is to be written to, of those that claim, and what becomes of the writer when nobody does.
 * Pure. */
#ifndef ROSTER_REGISTRY_VERDICT_PRIMARY_H
#define ROSTER_REGISTRY_VERDICT_PRIMARY_H

#include "registry/verdict/claims.h"

/* The writer and the rule that made it so. */
struct decision {
    const char *primary; /* "": none */
    enum rule rule;
};

struct decision writer_decide(const struct work *work);

#endif
