/* What this probe says of itself and of its clusters, kept in the registry.
 *
 *   session begins --> the standing folders exist --> our name is ours --> our reports stand --> a
 * beat every BEAT_MS
 *
 * One name, one probe. A presence of our name in another session's hand is our
 * own former self (same nonce), a dead process of this host, or one whose beat
 * stands still: those are replaced. One whose beat moves is alive: then we stop
 * (`taken`). Reports follow the name.
 *
 * A report is written when what it says changed: at once, but for lag alone,
 * which is paced. It begins as one that abstains, so that version 0 never votes. */
#ifndef ROSTER_REGISTRY_FLEET_REPORTER_H
#define ROSTER_REGISTRY_FLEET_REPORTER_H

#include "registry/model/model.h"
#include "registry/store/ephemeral.h"

struct reporter;
struct published; /* one cluster's report */

struct reporter_settings {
    const char *root;
    const char *chroot_create; /* "/" when a chroot may have to be made, else NULL */
    struct presence presence;  /* ours; beat is counted here */
    const char *registry_uuid; /* a fresh UUID, for the case that we are the first to come */
    /* Is the process that wrote this presence surely gone (same host, no such pid)? */
    bool (*is_gone)(const struct presence *presence);
};

struct reporter *reporter_new(struct store *store, struct mirror *mirror,
                              const struct reporter_settings *settings);
/* no request may be under way: close the store first, or drain */
void reporter_free(struct reporter *reporter);

/* NULL: no memory */
struct published *reporter_add(struct reporter *reporter, const char *cluster);
/* withdraws the report */
void reporter_remove(struct reporter *reporter, struct published *published);

/* Feed every store event. */
void reporter_event(struct reporter *reporter, const struct store_event *event, int64_t now_ms);

/* What should be said of a cluster now. Unchanged reports cost nothing. True when there is something
 * to write, now or later: reporter_step. */
bool reporter_say(struct reporter *reporter, struct published *published,
                  const struct report *report, int64_t now_ms);

/* Does what is due; returns when to come back. */
int64_t reporter_step(struct reporter *reporter, int64_t now_ms);

/* Beats acknowledged since the last call. */
unsigned reporter_take_beats(struct reporter *reporter);

/* The report as last acknowledged changed: then ret_report (NULL: none stands), version and mzxid
 * tell it. */
bool published_take_acked(struct published *published, const struct report **ret_report,
                          int32_t *ret_version, int64_t *ret_mzxid);

/* Who holds our name and lives; "" nobody. A sentence for the log. */
const char *reporter_name_conflict(const struct reporter *reporter);

/* Something in our way, once per change; NULL: nothing. */
const char *reporter_trouble(struct reporter *reporter);

#endif
