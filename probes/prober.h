/* One member being looked at: its link, its turn, and the loop's handles for them.
 *
 *     due --> name --> link.look --> (poll, worker, deadline) --> outcome --> due
 *                          |
 *                          +-- an old connection broke: asked again at once on a new one, and that
 * outcome counts
 *
 * Every FRESH_EVERY looks a fresh connection is made, for a server whose accept
 * loop hangs still answers old sessions; once that failed, only a fresh one
 * clears the member. Between looks the idle connection is watched: when it turns
 * readable the server has said goodbye, and it is asked again at once.
 *
 * Loop thread only. */
#ifndef ROSTER_PROBES_PROBER_H
#define ROSTER_PROBES_PROBER_H

#include "probes/dns.h"
#include "probes/drivers/driver.h"
#include "probes/schedule.h"

struct look;

struct look_settings {
    struct uv_loop_s *loop;
    struct names *names;
    const struct driver *driver;
    const struct cluster_settings *cluster; /* lives as long as the look */
    const struct member_config *config;     /* borrowed for the call */
    const char *application;                /* likewise */
    int64_t timeout_ms;
    const struct schedule *schedule; /* lives as long as the look */
    /* our place in the liveness, kept up to date by the owner */
    const size_t *rank, *size;
    void *owner;
    /* A look ended. `address` is the literal it was made at, "" when the name gave none. */
    void (*outcome)(void *owner, const char *member, const struct observation *observation,
                    const char *address);
    /* Something is happening at this member: look closely at the whole cluster. */
    void (*alarm)(void *owner, const char *member, const char *why);
};

/* NULL: no memory. Begins at once. */
struct look *look_new(const struct look_settings *settings);
/* calls no one any more; memory goes when the loop has let go of it. NULL is fine */
void look_close(struct look *look);
void look_hasten(struct look *look, enum answer standing);

#endif
