/* What one look at a server found: facts as the server gave them, without a judgement.
 *
 * Drivers fill an observation, kinds judge it (kinds/kind.h). It is a flat value: a copy is an
 * assignment. Strings are "" and numbers -1 where the server gives none; an observation begins as
 * observation_init leaves it, so that no reader has to set what it does not know.
 *
 * Limits: CHANNELS_KEPT replication channels, ADVERTISED_MAX advertised servers; a set of
 * transactions or a list of standbys that is longer than its field is left out or cut. Pure. */
#ifndef ROSTER_PROBES_DRIVERS_OBSERVATION_H
#define ROSTER_PROBES_DRIVERS_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "probes/drivers/advertised.h"
#include "probes/drivers/position.h"
#include "registry/model/model.h"

enum { AWAITED_SIZE = 1024, CHANNELS_KEPT = 16 };

enum group_type { GROUP_NONE, GROUP_REPLICATION, GROUP_GALERA };

/* The group that a server belongs to, in terms that fit all sorts of groups. */
struct group {
    enum group_type type;
    /* of the server in its group; MINORITY only where the server reports it itself */
    enum condition state;
    bool donor_rejects; /* Galera: while it feeds another it serves nobody */
    bool leads;         /* Group Replication: it reports itself a primary */
    bool many;          /* and that the group lets several write */
    /* Group Replication: members in its view, itself included; those that it can reach */
    int size, reachable;
    char leader_id[IDENTITY_SIZE]; /* whom it names as primary, as a self_id */
    int64_t queue;                 /* transactions received and not applied; -1 not known */
};

/* One of the streams that may feed a server. */
struct channel {
    bool live;       /* the stream is up: receiver streaming, I/O thread Yes */
    bool connecting; /* it is trying to connect */
    bool applying;   /* replay not paused, SQL thread running */
    bool unapplied;  /* it has received whole transactions that are not applied */
    uint16_t port;   /* of the source */
    char host[HOST_SIZE];
    char id[IDENTITY_SIZE]; /* of the source, as a self_id */
    int64_t lag_ms;
    int64_t delay_ms; /* it is set to apply so much later; 0: at once */
    bool exact;       /* it goes on from what the server has applied, by identifiers */
};

struct observation {
    enum answer answer;
    /* with a failure: the server's or client library's own sentence, tamed; no secret */
    char detail[DETAIL_SIZE];
    bool was_idle; /* LOST: the server has ended the session, by its word for being idle too long */
    char version[VERSION_SIZE]; /* "15.20", "10.11.19-MariaDB" */
    /* of the cluster, where the engine has one: PostgreSQL's system identifier */
    char identity[IDENTITY_SIZE];
    /* of this server: MySQL's server_uuid, MariaDB's server_id; PostgreSQL's time of start */
    char self_id[IDENTITY_SIZE];
    int64_t start_ms;  /* when it was started, by its own clock; -1 not known */
    int64_t uptime_ms; /* MySQL: since then; -1 not known */
    int64_t start_us;  /* PostgreSQL: that time, since 1970; 0 not known */
    /* MySQL, MariaDB: a number that one run of a server gives out once, in ascending order; 0: none
     */
    uint64_t serial;
    char lineage[LINEAGE_SIZE]; /* PostgreSQL: the timeline it writes or follows, decimal */
    /* takes writes from ordinary accounts (not in recovery, not read-only by default) */
    bool writable;
    /* neither in recovery nor read-only by its usual setting, and another setting makes every write
     * fail: "innodb_force_recovery"; "" none */
    char closed_by[MISSING_SIZE];
    bool offline; /* rejects ordinary accounts; ours is not one */

    bool replica; /* in recovery, or has a replication channel configured */

    /* The upstream: of several channels, the one that observation_follow chose. */
    bool live;       /* as of a channel */
    bool connecting; /* likewise */
    bool applying;   /* likewise */
    char upstream_host[HOST_SIZE];
    uint16_t upstream_port;
    char upstream_id[IDENTITY_SIZE]; /* as a self_id */
    int64_t lag_ms;                  /* by the server's own account */
    int64_t delay_ms;                /* it is set to apply so much later; 0: at once */
    bool unapplied;        /* of that channel: whole transactions received and not applied */
    bool fed_elsewhere;    /* a channel that was not chosen is live, connecting or applying */
    uint8_t channel_count; /* of a server that may have several */
    struct channel channels[CHANNELS_KEPT];

    /* PostgreSQL: fed from an archive, has not requested a stream since it was started */
    bool archived;
    /* PostgreSQL: the name by which its upstream knows it; need not be unique */
    char stream_name[NAME_SIZE];
    /* PostgreSQL: the names, one a line, of the standbys that a commit here waits for */
    char awaited[AWAITED_SIZE];
    int64_t position; /* PostgreSQL: WAL bytes written (primary) or replayed (standby) */
    int64_t received; /* PostgreSQL standby: WAL bytes received */
    /* the same of every engine, to be compared: what others can have of it, were it the source, and
     * what it has applied, were it a replica */
    struct position written, applied;
    int64_t took_ms; /* the look, from its begin to its end; by whoever looked */

    char gtids[GTIDS_SIZE]; /* MySQL, MariaDB: transactions executed (gtid_fold.h) */
    struct group group;

    /* By the operator's statement: 0 no, 1 yes, -1 not given. */
    int claim, ready;
    int64_t lag_bytes; /* likewise */

    /* servers that it names besides its upstream, where discovery is on */
    struct advertised advertised;
    /* a privilege that our account lacks, whether or not the look succeeded; "" none */
    char missing[MISSING_SIZE];
};

/* Nothing is known yet: the answer is UNKNOWN. */
void observation_init(struct observation *observation);

/* The look failed: nothing is known but why. `detail`, which is tamed, may be a part of
 * `observation`. */
void observation_fail(struct observation *observation, enum answer answer, const char *detail);

/* Take channel `i` as the upstream. */
void observation_follow(struct observation *observation, size_t i);

#endif
