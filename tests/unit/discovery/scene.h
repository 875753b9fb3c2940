/* One cluster of one probe with discovery: what is configured, what the members answered, and what
 * discovery notified; for the tests of discovery and relation. */
#ifndef ROSTER_TESTS_UNIT_DISCOVERY_SCENE_H
#define ROSTER_TESTS_UNIT_DISCOVERY_SCENE_H

#include "probes/discovery/discovery.h"

enum { SCENE_LOG_SIZE = 4096 };

extern struct cluster_settings configured;
extern struct assessment assessment;
extern struct discovery discovery;
extern char scene_log[SCENE_LOG_SIZE]; /* "verified 10.0.0.2:5432\n" */
extern int64_t now_ms;
extern const char ours[];       /* the cluster's identity */
extern const char uuids[3][40]; /* of servers */

/* pg-1 at 10.0.0.1:5432 is configured, and all is as at the start. */
void scene_begin(enum kind kind);

/* One more configured member; scene_list_anew assesses what is listed now. */
void scene_configure(const char *name, const char *host, uint16_t port);
void scene_list_anew(void);

/* What a server answers: a primary; one that streams from there; one that names this address, too;
 * one that a channel from there feeds, too; no answer. */
struct observation scene_answers(const char *identity, const char *self_id);
struct observation scene_streams(struct observation facts, const char *host, uint16_t port,
                                 const char *upstream_id);
struct observation scene_names(struct observation facts, const char *host, uint16_t port);
struct observation scene_feeds(struct observation facts, const char *host, uint16_t port,
                               const char *id);
struct observation scene_fails(enum answer answer);

/* A listed member was looked at. */
void scene_look(const char *name, struct observation facts);

/* The next candidate, "10.0.0.2:5432", which is on trial then; "": none. */
const char *scene_next(void);

/* The end of a trial: is it a member now? */
bool scene_trial(const char *host, uint16_t port, struct observation facts);

bool scene_lists(const char *name);
bool scene_logged(const char *words);
size_t scene_lines(void);

#endif
