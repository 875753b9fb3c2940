/* What this probe keeps in the registry of itself and its clusters: its presence and its reports.
 *
 *     session begins --> it is our registry --> the folders exist --> our name is ours --> our
 *     reports, and a beat every BEAT_MS
 *
 * A registry that is refused (root.h) holds nothing of ours: when it becomes so within a session,
 * that session is left (reporter_must_leave).
 *
 * One name, one probe. A presence of our name in another session is our own former self (same
 * nonce), a dead process of this host, or one whose beat does not move: those are replaced. One
 * whose beat moves is alive: then we stop (reporter_name_conflict). Reports follow the name. */
#ifndef ROSTER_REGISTRY_FLEET_REPORTER_H
#define ROSTER_REGISTRY_FLEET_REPORTER_H

#include "registry/fleet/cluster_report.h"
#include "registry/fleet/root.h"
#include "registry/model/model.h"

struct reporter;

struct reporter_settings {
    const char *root;
    bool has_chroot;             /* the registry's address has one */
    struct presence presence;    /* ours; beat is counted here */
    const char *registry_uuid;   /* a fresh UUID, for the case that we are the first to come */
    const struct memory *memory; /* of the registry that a former process followed, or NULL */
    /* Is the process that wrote this presence surely gone (same host, no such pid)? */
    bool (*is_gone)(const struct presence *presence);
};

struct reporter *reporter_new(struct store *store, struct mirror *mirror,
                              const struct reporter_settings *settings);
/* no request may be under way: close the store first, or drain */
void reporter_free(struct reporter *reporter);

/* The registry's root. */
struct root *reporter_root(struct reporter *reporter);

/* What this session holds of ours must go, and another one begin. */
bool reporter_must_leave(const struct reporter *reporter);

/* A cluster's report, to be published with cluster_report_publish. NULL: no memory. */
struct cluster_report *reporter_add(struct reporter *reporter, const char *cluster);
/* Withdraws it; it is gone for the caller. */
void reporter_remove(struct reporter *reporter, struct cluster_report *report);

/* Feed every store event. */
void reporter_event(struct reporter *reporter, const struct store_event *event, int64_t now_ms);

/* Does what is due; returns when to come back. */
int64_t reporter_step(struct reporter *reporter, int64_t now_ms);

/* Beats acknowledged since the last call. */
unsigned reporter_take_beats(struct reporter *reporter);

/* Who holds our name and lives; "" nobody. A sentence for the log. */
const char *reporter_name_conflict(const struct reporter *reporter);

/* Something in our way, once per change; NULL: nothing. */
const char *reporter_trouble(struct reporter *reporter);

#endif
