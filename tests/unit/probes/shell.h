/* The probe's step in a shell that narrates: events go in, and what is to be done and logged is
 * read like a log. The registry is the simulator's, in memory. One probe at a time. */
#ifndef ROSTER_TESTS_UNIT_PROBES_SHELL_H
#define ROSTER_TESTS_UNIT_PROBES_SHELL_H

#include "probes/probe.h"
#include "registry/config/config.h"
#include "tests/sim/store_mem.h"

enum { INTERVAL = 1000, TIMEOUT = 500, SERVERS_MAX_HERE = 8, TOLD = 16 * 1024 };

/* How a server answers from now on, over whatever connection. */
struct fake_server {
    char host[HOST_SIZE];
    struct observation says;
    bool silent;       /* its look stays in flight */
    struct slot *slot; /* that asked it last */
};

extern struct shell {
    struct agenda agenda;
    struct ensemble *ensemble;
    struct store *store;
    struct probe *probe;
    struct config config;
    struct cluster_settings clusters[3];
    struct fake_server servers[SERVERS_MAX_HERE];
    size_t server_count;
    int64_t wake_ms;
    bool ready, renewing, closed;
    char told[TOLD];
} shell;

bool shell_is_told(const char *words);
bool shell_is_not_told(const char *words);
void shell_step(struct probe_event event);
void shell_step_kind(enum probe_event_kind kind);
void shell_renew(void);
void shell_pass(int64_t ms);
void shell_stand_still(int64_t ms);
struct fake_server *shell_add_member(struct cluster_settings *cluster, const char *name);
void shell_answers(const char *host, enum answer answer);
void shell_answers_as_standby(const char *host);
struct cluster_settings *shell_add_cluster(const char *name);
void shell_put(const char *path, char *data);
void shell_put_topology(enum kind kind);
void shell_setup(void);
void shell_teardown(void);
void shell_start_unconnected(void);
void shell_start(void);
void shell_start_and_settle(void);
struct fake_server *shell_server_at(const char *host);
void shell_answer_now(const char *host);

#endif
