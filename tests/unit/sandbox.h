/* A registry in memory and one client of it, in virtual time: for the tests of
 * what lives on a store and a mirror. The simulator's ensemble, nothing else of it. */
#ifndef ROSTER_TESTS_UNIT_SANDBOX_H
#define ROSTER_TESTS_UNIT_SANDBOX_H

#include "registry/store/mirror.h"
#include "tests/sim/store_mem.h"

struct sandbox {
    struct agenda agenda;
    struct ensemble *ensemble;
    struct store *store;
    struct mirror *mirror;
    /* Every event, before the mirror takes it in; and then what is due. Each may be NULL. */
    void (*event)(const struct store_event *event);
    void (*step)(void);
};

void sandbox_init(struct sandbox *sandbox);
void sandbox_release(struct sandbox *sandbox);

/* Lets so much time pass, in steps of a millisecond. */
void sandbox_pass(struct sandbox *sandbox, int64_t ms);

static inline int64_t sandbox_now(const struct sandbox *sandbox)
{
    return sandbox->agenda.now_ms;
}

/* What stands there, NULL: nothing. */
const struct znode *sandbox_find(const struct sandbox *sandbox, const char *path);

/* The operator's hand; parents must be there. Takes `json` (heap). */
void sandbox_put(struct sandbox *sandbox, const char *path, char *json);

#endif
