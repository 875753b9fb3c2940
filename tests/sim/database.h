/* Database servers of virtual time, as a driver sees them: who writes, who
 * follows whom on which timeline, who is dead, hung or starting. Nobody here
 * decides anything: the stories and the seeds play the databases' own HA.
 *
 * What is kept of the engines: a promotion takes the next number after the
 * promoted server's own timeline (so two histories may carry the same one),
 * a standby streams only from a server whose history is not behind its own and
 * takes that history over, a crash closes every connection, a hang none. Without
 * an order a replica may be open for writes, and its channel is stopped until it
 * is started, by a statement or by a restart. The workload rests: positions do
 * not move. */
#ifndef ROSTER_TESTS_SIM_DATABASE_H
#define ROSTER_TESTS_SIM_DATABASE_H

#include "probes/drivers/driver.h"
#include "registry/model/model.h"

enum { SERVERS_OF_CLUSTER_MAX = 5, REIGNS_MAX = 1024 };

enum plight { RUNNING, CRASHED, HUNG, STARTING, STOPPING };

/* How it takes new connections; old ones are served all the same. */
enum door { DOOR_OPEN, DOOR_STUCK, DOOR_FULL };

struct database {
    char name[NAME_SIZE];
    char address[NAME_SIZE]; /* the literal */
    enum plight condition;
    enum door door;
    bool standby; /* in recovery; async: has a channel */
    bool writable;
    int upstream; /* index; -1: none */
    bool stream_cut;
    bool stopped; /* async: its channel is, until somebody starts it */
    int64_t timeline;
    char identity[IDENTITY_SIZE];
    int64_t lag_bytes, lag_ms;
    int starts;    /* of the server */
    uint64_t boot; /* grows whenever it drops its connections */
};

/* `server` took writes on this timeline from then on. */
struct reign {
    int server;
    int64_t timeline;
    int64_t since_ms;
};

struct databases {
    enum kind kind;
    int count;
    struct database at[SERVERS_OF_CLUSTER_MAX];
    int64_t written; /* PostgreSQL: bytes of the log; more with each look at a server that writes */
    int reign_count;
    struct reign reigns[REIGNS_MAX];
};

/* m `count` servers "pg-1"... (or "my-1"...): the first is primary, the others follow it. */
void databases_init(struct databases *databases, enum kind kind, int count);

void databases_crash(struct databases *databases, int i);
void databases_hang(struct databases *databases, int i);
/* Back as it was: a crashed one starts up as what it was, a hung one goes on. */
void databases_return(struct databases *databases, int i);
/* It takes writes from now on, on the timeline after its own. False when it cannot. An open replica
 * loses its channel. */
bool databases_promote(struct databases *databases, int i, int64_t now_ms);
/* Async: it is opened for writes, and goes on as the replica that it is. */
void databases_open(struct databases *databases, int i, int64_t now_ms);
void databases_stop_channel(struct databases *databases, int i, int64_t now_ms);
void databases_start_channel(struct databases *databases, int i);
/* It is another start of the server, and async: its channel starts with it, or not. */
void databases_restart(struct databases *databases, int i, bool channel, int64_t now_ms);
/* Rebuilt from a backup of `upstream`, with recovery.signal in the place of standby.signal. */
void databases_restore(struct databases *databases, int i, int upstream, int64_t now_ms);
/* It gives up writing. */
void databases_demote(struct databases *databases, int i);
/* Rebuilt or rewound, it follows `upstream`, which may be down. */
void databases_follow(struct databases *databases, int i, int upstream);

bool databases_writes(const struct databases *databases, int i);  /* up, open, and no replica */
bool databases_follows(const struct databases *databases, int i); /* by its settings */
bool databases_streams(const struct databases *databases, int i);
/* the greatest timeline there ever was */
int64_t databases_newest(const struct databases *databases);
bool databases_reigned(const struct databases *databases, const char *name, const char *lineage);

/* What it answers, or how asking fails. Whether it answers at all: databases_is_silent. */
bool databases_is_silent(const struct databases *databases, int i, bool connected);
void databases_look(struct databases *databases, int i, bool connected,
                    struct observation *ret_observation);

#endif
