/* How to ask a server what it is, without ever blocking the loop.
 *
 * A link is one connection to one member, with the statement that is asked over
 * it. It owns no timer and no poller: each call says through `struct want`
 * what it waits for, and the loop comes back.
 *
 *      look --> want IO --> go_on --> want IO --> ... --> want NOTHING (the observation is in)
 *                  \--> deadline passed: give_up -------------^
 *
 * After NOTHING the link is idle (connected, or not when the look failed). An
 * idle connected link's descriptor turning readable means that the server said
 * something unasked, nearly always goodbye: ask again.
 *
 * Drivers ask, kinds judge (kind.h): an observation holds facts, not roles. */
#ifndef ROSTER_PROBES_DRIVERS_DRIVER_H
#define ROSTER_PROBES_DRIVERS_DRIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "probes/drivers/advertised.h"
#include "registry/config/config.h"
#include "registry/model/model.h"

/* What a server says of a group that it belongs to, in words that fit all sorts of groups. */
enum group_type { GROUP_NONE, GROUP_REPLICATION, GROUP_GALERA };
struct group {
    enum group_type type;
    /* how it stands in it; MINORITY only where the server says so itself */
    enum condition state;
    bool leads; /* Group Replication: it says that it is a primary */
    bool many;  /* and that the group lets several write */
    /* Group Replication: members in its view, itself included; those that it can reach */
    int size, reachable;
    char leader_id[IDENTITY_SIZE]; /* whom it names as primary, in the terms of self_id */
    int64_t queue;                 /* transactions received and not applied; -1 not known */
};

enum { GTIDS_SIZE = 4096, AWAITED_SIZE = 1024, CHANNELS_KEPT = 16 };

/* One of the streams that may feed a server. */
struct channel {
    bool live;       /* the stream is up: receiver streaming, I/O thread Yes */
    bool connecting; /* trying to */
    bool applying;   /* replay not paused, SQL thread running */
    uint16_t port;   /* of the source */
    char host[HOST_SIZE];
    char id[IDENTITY_SIZE]; /* in the terms of self_id */
    int64_t lag_ms;
};

/* Facts from one look. Strings are "" and numbers -1 when the server does not say. */
struct observation {
    enum answer answer;
    /* with a failure: the server's or client's own sentence, tamed; no secret */
    char detail[DETAIL_SIZE];
    char version[VERSION_SIZE]; /* "15.20", "10.11.19-MariaDB" */
    /* of the cluster, where the engine has one: PostgreSQL's system identifier */
    char identity[IDENTITY_SIZE];
    /* of this server: MySQL's server_uuid, MariaDB's server_id; PostgreSQL, where discovery
     * asks: the moment at which it was started */
    char self_id[IDENTITY_SIZE];
    char lineage[LINEAGE_SIZE]; /* PostgreSQL: the timeline it writes or follows, decimal */
    /* takes writes from ordinary accounts (not in recovery, not read-only by default) */
    bool writable;
    bool offline;    /* sends ordinary accounts away; ours is none */
    bool replica;    /* in recovery, or has a replication channel configured */
    bool live;       /* its stream from upstream is up: receiver streaming, I/O thread Yes */
    bool connecting; /* trying to */
    bool applying;   /* replay not paused, SQL thread running */
    /* PostgreSQL: fed from an archive, has not asked for a stream since it was started */
    bool archived;
    /* PostgreSQL: by which name its upstream knows it, need not be unique */
    char stream_name[NAME_SIZE];
    /* PostgreSQL: the names, one a line, of the standbys that a commit here waits for */
    char awaited[AWAITED_SIZE];
    char upstream_host[HOST_SIZE];
    uint16_t upstream_port;
    char upstream_id[IDENTITY_SIZE]; /* in the terms of self_id */
    /* another channel than the one told of here runs, in part, or tries to */
    bool fed_elsewhere;
    /* of a server that may have several; the one told of is among them */
    uint8_t channel_count;
    struct channel channels[CHANNELS_KEPT];
    /* what it has executed (gtid.h); "" when that is not known, or too long */
    char gtids[GTIDS_SIZE];
    struct group group;
    /* what a statement of the operator's tells: 0 no, 1 yes, -1 nothing */
    int claim, ready;
    /* PostgreSQL: WAL bytes written (primary) or replayed (standby); else -1 */
    int64_t position;
    int64_t received; /* PostgreSQL standby: WAL bytes received; else -1 */
    int64_t lag_ms;   /* as the server puts it; -1 when it does not know */
    /* servers that it names, where discovery asks; its upstream stands above */
    struct advertised named;
    int64_t lag_bytes; /* as a statement of the operator's puts it; else -1 */
    /* a privilege that we lack, whether or not the look succeeded; "" none */
    char missing[MISSING_SIZE];
};

/* Tell of its channel `i`. */
static inline void observation_follow(struct observation *seen, size_t i)
{
    const struct channel *channel = &seen->channels[i];
    seen->live = channel->live;
    seen->connecting = channel->connecting;
    seen->applying = channel->applying;
    seen->upstream_port = channel->port;
    strcpy(seen->upstream_host, channel->host);
    strcpy(seen->upstream_id, channel->id);
    seen->lag_ms = channel->lag_ms;
    for (size_t k = 0; k < seen->channel_count; k++) {
        const struct channel *other = &seen->channels[k];
        seen->fed_elsewhere = seen->fed_elsewhere ||
                              (k != i && (other->live || other->connecting || other->applying));
    }
}

enum want_kind {
    WANT_NOTHING, /* done: observation() has the outcome */
    /* come back with go_on when `fd` shows `events` (POLLIN, POLLOUT), or after tick_ms if that
     * is set */
    WANT_IO,
    WANT_WORK /* run work() on a worker thread, then call go_on with events 0 */
};

/* Which deadline runs: a new phase gets a new one of `timeout`. */
enum phase { PHASE_IDLE, PHASE_CONNECT, PHASE_QUERY };

struct want {
    enum want_kind kind;
    enum phase phase;
    /* may change from one want to the next, even under the same number: stop polling before you
     * start anew */
    int fd;
    int events;
    /* 0: none. The client cannot tell what it waits for: come back with events 0 after so long */
    int tick_ms;
};

/* What a link needs to know; borrowed for the call of open() only. */
struct target {
    const struct cluster_settings *cluster; /* user, database, password, tls, discover */
    const struct member_config *config;     /* host, port */
    /* how we show in the server's list of sessions: "roster-probe NAME" */
    const char *application;
    int64_t timeout_ms;
};

struct link;

struct driver {
    enum engine engine;

    /* A new link, not connected; NULL when memory ran out. Copies what it needs. */
    struct link *(*open)(const struct target *target);

    /* Begin one look. `address` is a literal IPv4 or IPv6 address; used when a connection must be
     * made. */
    void (*look)(struct link *link, const char *address, struct want *ret_want);

    /* After what was wanted happened. */
    void (*go_on)(struct link *link, int events, struct want *ret_want);

    /* The blocking part, on a worker thread; the loop leaves the link alone meanwhile. */
    void (*work)(struct link *link);

    /* The deadline passed: drop the connection; the observation is TIMEOUT (connecting) or STALLED
     * (accepted, then silence). Not to be called while WANT_WORK is under way: wait for it (bounded
     * by the client's own timeout). */
    void (*give_up)(struct link *link);

    /* The outcome of the last look. */
    const struct observation *(*observation)(const struct link *link);

    /* Descriptor of an idle, connected link; -1 otherwise. */
    int (*idle_fd)(const struct link *link);

    /* Drop the connection, keep the link. */
    void (*drop)(struct link *link);

    /* Drop and free. NULL is fine. */
    void (*close)(struct link *link);
};

extern const struct driver driver_pg; /* probes/drivers/pg.c: libpq */
/* probes/drivers/mysql.c: MariaDB Connector/C or Oracle's libmysqlclient */
extern const struct driver driver_mysql;

#endif
