/* From looks to a report: what this probe holds of every member of a cluster.
 *
 *     observation --> standing answer (definite at once, ambiguous after `fall`)
 *                 --> claim, upstream (standing.h), lag (lag.h) --> member_report --> report
 *
 * Invariants: a failed look keeps the last answer until the failure counts; only a contrary answer
 * changes a role. Members are in the order of the settings, which is by name.
 * Limits: MEMBERS_MAX members; nothing is kept of a member but its last answer, its last failure
 * and a few counters. Pure. */
#ifndef ROSTER_PROBES_ASSESS_ASSESS_H
#define ROSTER_PROBES_ASSESS_ASSESS_H

#include "probes/assess/lag.h"
#include "probes/assess/trail.h"
#include "probes/drivers/driver.h"
#include "registry/model/model.h"

enum { VIEW_SPREADS_MS = 500 /* how long a new view of a group may take to reach its members */ };

/* What is known of two members being one server (alias.h). */
struct alias_pair {
    uint8_t score;
    bool is_other; /* proved */
};

struct aliases {
    struct alias_pair pairs[MEMBERS_MAX][MEMBERS_MAX]; /* the lesser index first */
};

/* What an answer showed of a server's progress. */
struct progress {
    uint64_t serial;
    int64_t position;
    bool replica;
    int64_t ms; /* when it had come; 0: none */
};

enum { PROGRESS_KEPT = 16 };

/* What is known of the history that a standby follows (history.h). */
struct history {
    bool fenced;  /* in the last verdict */
    bool doubted; /* there its own last claim has the number that the cluster has */
    bool within;  /* its source has written what it had replayed, */
    bool ahead;   /* or has not */
    bool moved;   /* it has replayed more while it streamed */
    int looks;    /* at its source, until that is known of: */
    int64_t mark; /* the position that it had replayed */
};

/* One member under assessment. */
struct assessed {
    struct member_config config;
    char address[HOST_SIZE]; /* the literal it was last reached at, "" unknown */
    bool looked;             /* at least one look has ended */
    int64_t looked_ms;       /* when the last one ended */
    int64_t next_ms;         /* when the next one is due */
    enum answer last;        /* what it gave */
    int failures;            /* ambiguous ones in a row */
    int successes;           /* answers in a row */
    enum answer standing;    /* what counts */
    bool answered;           /* ever */
    int64_t answered_ms;
    int64_t view_ms; /* when it was first seen with the lineage that it has */
    /* when it last responded at all, if only that it is full */
    int64_t responded_ms;
    bool claims; /* by its last answer */
    int64_t claims_since_ms;
    int64_t start_ms, uptime_ms; /* when it was started, by its clock, and how long ago */
    unsigned acts;               /* what the verdict remembers of it that promotes */
    int64_t acted_ms;            /* when this probe learned the latest of it */
    bool late;                   /* and the incumbent was seen fit long after that */
    struct observation facts;    /* of the last answer */
    char detail[DETAIL_SIZE];    /* of the last failure */
    char missing[MISSING_SIZE];  /* the privilege that it was about, if it was */
    struct band bytes, ms, transactions;
    enum lag_state lag_state;
    int64_t delay_ms;
    /* of alias.h */
    char alias[NAME_SIZE]; /* the member that it is one server with, and an alias of; "": none */
    bool moved;            /* it was seen to go from one member's server to another's */
    char alias_told[NAME_SIZE];  /* the caller's: what was logged */
    int64_t run_ms;              /* when the present run of its server was first seen */
    bool was_alias, was_primary; /* in the last verdict */
    bool barred;                 /* nobody's source, by that: fenced, a rival, a stranger */
    struct progress progress[PROGRESS_KEPT]; /* by its latest answers, the last one first */
    struct history history;
};

struct assessment {
    char cluster[NAME_SIZE];
    char probe[NAME_SIZE];
    struct policy policy; /* its kind is KIND_AUTO as long as nobody knows */
    bool finds_kind;      /* kind = auto: detected from the servers */
    int rise, fall;
    /* the primary of the last verdict, or the last one; "": there is no verdict */
    char incumbent[NAME_SIZE];
    char last_set[GTIDS_SIZE];    /* its transactions when it was lost, as the verdict has them */
    char identity[IDENTITY_SIZE]; /* the cluster's, by the last verdict; "": not known */
    char source[NAME_SIZE];       /* the member that the trail is of; "": none yet */
    struct trail trail;
    int64_t interval_ms;
    int64_t overdue_ms;      /* a member not looked at for so long is reported unknown */
    int64_t fresh_ms;        /* facts of the primary older than this give no distance */
    int64_t changed_wall_ms; /* when what this probe sees changed last */
    size_t member_count;
    struct assessed members[MEMBERS_MAX];
    struct aliases aliases;
};

/* What a look changed. */
enum {
    ASSESS_SAME = 0,
    ASSESS_CHANGED = 1, /* the standing answer, or the facts of it */
    ASSESS_ALARM = 2    /* look more often: a first failure, or a change */
};

void assess_init(struct assessment *assessment, const char *probe,
                 const struct cluster_settings *cluster, const struct probe_settings *settings);

/* Take over new settings: members that are still listed, at the same address, keep their
 * history. */
void assess_reload(struct assessment *assessment, const struct cluster_settings *cluster,
                   const struct probe_settings *settings);

/* Take in the outcome of a look at member `i`. Returns ASSESS_* flags. */
int assess_look(struct assessment *assessment, size_t i, const struct observation *observation,
                const char *address, int64_t now_ms, int64_t now_wall_ms);

/* When member `i` is to be looked at again: it is not overdue before that. */
void assess_next(struct assessment *assessment, size_t i, int64_t next_ms);

/* The member that member `i` streams from by its last answer; -1: none. */
int assess_feeder(const struct assessment *assessment, size_t i);

/* The registry, or a server, shows this kind. Taken over with kind = auto, unless the kind known so
 * far is more specific. */
void assess_hint(struct assessment *assessment, enum kind kind);

/* The last verdict, as far as it bears on what is assessed. */
void assess_verdict(struct assessment *assessment, const struct topology *topology);

/* The report as of now. `abstains` is the caller's reason ("blind", "slipped") or "". */
void assess_report(const struct assessment *assessment, int64_t now_ms, const char *abstains,
                   struct report *ret_report);

/* For the self-doubt of a probe whose every target fails at once: adds this cluster's members and
 * how many of them failed their last look in an ambiguous way. */
void assess_count_failing(const struct assessment *assessment, size_t *targets, size_t *failing);

/* Does this probe itself see `name` as a writer, from an answer? */
bool assess_sees_writer(const struct assessment *assessment, const char *name);

#endif
