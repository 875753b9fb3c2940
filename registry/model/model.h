/* The records of the registry and the values in them.
 *
 *   report      evidence: what one probe sees of every member of a cluster
 *   topology    verdict: what the fleet agrees on
 *   directives  what the operator ordered
 *   presence    a probe lives
 *   registry_id which registry this is
 *
 * All are flat values, bounded by limits.h: a copy is an assignment. A string
 * that is empty means "none". Unused slots are zero, so that records can be
 * built from {0}. Every enum has a table of names, the ones in the znodes;
 * index and value agree, the tables end with NULL. */
#ifndef ROSTER_REGISTRY_MODEL_MODEL_H
#define ROSTER_REGISTRY_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/base/limits.h"
#include "registry/model/kinds.h"
#include "registry/model/lineage.h"

enum { MODEL_FORMAT = 1, MODEL_RULES = 4 };

/* The edition of the rules from which on a verdict remembers what members did. */
enum { RULES_WITH_RECORDS = 3 };

/* From which on a probe gives the last lag of a member that does not answer, for a while. */
enum { RULES_WITH_LAST_LAG = 4 };

enum role { ROLE_NONE, ROLE_PRIMARY, ROLE_SECONDARY };
extern const char *const role_names[]; /* none, primary, secondary */

enum health { HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN };
extern const char *const health_names[]; /* unknown, up, down */

enum state { STATE_OK, STATE_SUSPECT, STATE_NO_PRIMARY, STATE_CONFLICT };
extern const char *const state_names[]; /* ok, suspect, no-primary, conflict */

/* The outcome of the last look at a member; classified, never merged.
 * STRANGER and RIVAL never come from a probe: resolve gives them as a member's reason. */
enum answer {
    ANSWER_UNKNOWN,     /* not looked at yet, or the look is overdue */
    ANSWER_OK,          /* it answered the statement */
    ANSWER_REFUSED,     /* the port refused: the host lives, the server does not */
    ANSWER_TIMEOUT,     /* no connection within the deadline */
    ANSWER_UNREACHABLE, /* no route, host or network unreachable */
    ANSWER_NAME,        /* the host name was not found */
    ANSWER_AUTH,        /* alive, but refused our account */
    ANSWER_SATURATED,   /* alive, but has no connection to spare */
    ANSWER_STARTING,    /* alive, not yet accepting sessions */
    ANSWER_STOPPING,    /* alive, shutting down */
    ANSWER_OFFLINE,     /* alive, but in offline mode: it takes no ordinary session */
    ANSWER_STALLED,     /* accepted the connection or the query and then sent nothing */
    ANSWER_PRIVILEGE,   /* alive, but our account may not see what we must see */
    ANSWER_TLS,         /* alive, but without the encryption asked for, or it cannot be verified */
    /* sent something that is not the protocol or not the shape we asked for */
    ANSWER_PROTOCOL,
    /* an established connection broke; asked again at once, never reported */
    ANSWER_LOST,
    ANSWER_STRANGER, /* belongs to another cluster (identity differs) */
    ANSWER_RIVAL     /* claims to be primary and is not the one */
};
/* unknown, ok, refused, timeout, unreachable, name-not-found, auth, saturated, starting,
 * stopping, offline, stalled, privilege, tls, protocol, lost, stranger, rival */
extern const char *const answer_names[];

/* How an answer counts towards health, and whether it is definite (counts at once) or not (counts
 * after `fall` in a row). */
enum health answer_health(enum answer answer);
bool answer_is_definite(enum answer answer);

/* The fitness that a server reports of itself, beyond its role. */
enum condition {
    CONDITION_FIT,        /* in full service */
    CONDITION_PAUSED,     /* a replica that is set not to apply */
    CONDITION_RECOVERING, /* joining its group, catching up */
    /* feeds another member, or is out of its group's flow control: it may fall behind without
     * bound */
    CONDITION_DONOR,
    CONDITION_REJECTING, /* set to reject statements */
    CONDITION_UNREADY,   /* it reports that it is not ready */
    /* it sees no majority of its group: what it has may be old, and a write would hang */
    CONDITION_MINORITY,
    CONDITION_LEFT, /* no member of its group: stopped, or not started */
    CONDITION_ERROR /* thrown out of its group */
};
/* fit, paused, recovering, donor, rejecting, not-ready, minority, left, error */
extern const char *const condition_names[];

/* Is it fit to be read from? */
bool condition_serves(enum condition condition);

enum lag_state { LAG_UNKNOWN, LAG_OK, LAG_BROKEN };
extern const char *const lag_state_names[]; /* unknown, ok, broken */

/* Lag as the registry carries it: the upper end of its band. -1: not known. Which of them a server
 * reports depends on its kind. */
struct lag {
    enum lag_state state;
    int64_t bytes; /* of the log */
    int64_t ms;
    int64_t transactions; /* received and not yet applied */
    int64_t delay_ms;     /* it is set to apply so much later; 0: at once, or not known */
};

#define LAG_NOT_KNOWN ((struct lag){LAG_UNKNOWN, -1, -1, -1, 0})

/* The rules that decide who is primary, and why nobody is. In the registry a rule is its name and
 * its number: a number is never given to another rule, and new rules get new numbers, so that a
 * name can become a better one. */
enum rule {
    RULE_FOREIGN = 0,        /* of a newer version: known by its name only, for display */
    RULE_NO_CLAIM = 1,       /* nobody claims, and nobody was primary */
    RULE_SOLE_CLAIMANT = 2,  /* one claims */
    RULE_NEWEST_LINEAGE = 3, /* the strictly newest of several, or newer than the last */
    RULE_PREFERRED = 4,      /* several may write: the incumbent, else by weight, then by name */
    RULE_MOST_REPLICAS = 5,  /* no order: the one that most others replicate from */
    RULE_INCUMBENT = 6,      /* several claim, none is newest: the incumbent holds */
    RULE_HELD = 7,           /* the operator holds the primary */
    RULE_KEPT = 8,           /* it cannot be read as primary, but nothing contradicts it */
    RULE_NOT_WRITABLE = 9,   /* withdrawn: it reports itself that it takes no writes */
    RULE_MINORITY = 10,   /* withdrawn: it reports itself that it sees no majority of its group */
    RULE_REFUSED = 11,    /* withdrawn: its port refuses and nothing streams from it */
    RULE_OUTDATED = 12,   /* withdrawn: a newer lineage was seen */
    RULE_REWOUND = 13,    /* withdrawn: its own lineage is older than it was */
    RULE_STRANGER = 14,   /* withdrawn: another cluster answers at its address */
    RULE_TIE = 15,        /* several claim, none is newest, and none may hold */
    RULE_UNPROMOTED = 16, /* some claim, and none of them was seen to be promoted */
    RULE_ACCEPTED = 17,   /* the operator vouches for it */
    RULE_LAST = RULE_ACCEPTED
};
extern const char *const rule_names[]; /* "", no-claim, sole-claimant, newest-lineage, ... */

/* Why a claim may not win. */
enum bar {
    BAR_NONE,         /* it may */
    BAR_IDENTITY,     /* another cluster's server */
    BAR_FENCED,       /* it was replaced, and has not followed since */
    BAR_DRAINED,      /* by the operator */
    BAR_OLDER,        /* its lineage is not newer than the cluster's */
    BAR_NOT_PROMOTED, /* it takes writes, but nothing that promotes it was seen */
    BAR_UNAPPLIED,    /* it has received transactions that it has not applied */
    BAR_LACKS,        /* it lacks transactions of the primary, or may lack some */
    BAR_HELD,         /* it claimed beside a primary that took writes */
    BAR_TIE           /* another claim is as good */
};
/* "", identity, fenced, drained, older, not-promoted, unapplied, lacks, held, tie */
extern const char *const bar_names[];

/* How a server is fed by others. */
enum channel_state {
    CHANNEL_NONE,       /* by nobody: no channel is configured, or it is not in recovery */
    CHANNEL_STOPPED,    /* neither receives nor applies */
    CHANNEL_APPLYING,   /* applies what it has received, and receives nothing more */
    CHANNEL_CONNECTING, /* tries to reach its source */
    CHANNEL_LIVE        /* receives */
};
extern const char *const channel_names[]; /* none, stopped, applying, connecting, live */

/* What was seen of a member that bears on who is primary: bits. A promotion is an act of its
 * promoter, not a state that a server can be found in. */
enum act {
    /* within one start it was opened for writes, or its last channel was removed */
    ACT_OPENED = 1 << 0,
    ACT_STOPPED = 1 << 1,   /* within one start its channels were stopped, open for writes */
    ACT_REPOINTED = 1 << 2, /* it claims, and one that streamed from another follows it now */
    ACT_APPEARED = 1 << 3,  /* unseen: it claims since a time at which the primary was unfit */
    ACT_LATE = 1 << 4,      /* the primary took writes long after these acts */
    ACT_CLOSED = 1 << 5,    /* the primary: within one start it was closed for writes */
    ACT_STREAMED = 1 << 6,  /* this start was seen streaming from the primary's line */
    ACT_HELD = 1 << 7,      /* its claim came up beside a primary that took writes */
    /* another history was accepted: what this one has says nothing until it streams on that line */
    ACT_LEFT = 1 << 8,
    ACT_PROMOTES = ACT_OPENED | ACT_STOPPED | ACT_REPOINTED | ACT_APPEARED
};
enum { ACTS = 9 };
/* opened, stopped, repointed, appeared, late, closed, streamed, held, left */
extern const char *const act_names[];

/* What the fleet remembers of a member, so that an act is known from a state also by probes that
 * were started later. */
struct record {
    int64_t start_ms; /* when the server was started, by its clock; 0: not known */
    bool writable;
    enum channel_state channel;
    char source[NAME_SIZE];     /* the member that its channel leads to */
    char streamed[NAME_SIZE];   /* the member that it last streamed from */
    char lineage[LINEAGE_SIZE]; /* of its last claim */
    char self[IDENTITY_SIZE];   /* the server's own identity */
    int64_t accepted;           /* the epoch of the acceptance that made it primary last */
    unsigned acts;              /* of enum act */
};

/* What to do while several claim and none is newest. */
enum conflict { CONFLICT_HOLD, CONFLICT_NONE };
extern const char *const conflict_names[]; /* hold, none */

struct label {
    char key[LABEL_KEY_SIZE];
    char value[LABEL_VALUE_SIZE];
};

/* A member as configuration lists it. Labels are sorted by key. */
struct member_config {
    char name[NAME_SIZE];
    char host[HOST_SIZE];
    uint16_t port;
    uint16_t weight; /* 0..1000, 100 by default; 0: only when nothing else is left */
    uint8_t label_count;
    struct label labels[LABELS_MAX];
};

/* A cluster's configuration, as reports and topologies carry it. */
struct policy {
    enum engine engine;
    enum kind kind;
    enum conflict conflict;
    enum writers writers;
    uint8_t witnesses; /* 1..WITNESSES_MAX */
};

static inline int quorum_of(int witnesses)
{
    return witnesses / 2 + 1;
}

/* ---- the report ------------------------------------------------------------------------------ */

/* What a probe may have left behind at a server. */
struct left {
    uint8_t sessions;   /* of which it does not know the end */
    uint8_t handshakes; /* that it broke off in the last minute */
};

/* What one probe reports of one member. */
struct member_report {
    struct member_config config;
    enum answer answer;
    bool claim;    /* answered, is writable, and fulfils its kind's conditions for a primary */
    bool shared;   /* a claim that others may share: its group lets several write */
    bool writable; /* would take a write from an ordinary account, and could commit it */
    bool sync;     /* a commit waits for it */
    enum condition condition;
    /* open for writes by its usual setting, and this one makes every write fail; "" none */
    char closed_by[MISSING_SIZE];
    bool live;        /* a live stream from `upstream` right now */
    bool replica;     /* in recovery, or has a replication channel */
    int64_t start_ms; /* when it was started, by its clock; 0: not known, or of a former version */
    enum channel_state channel;
    bool unapplied; /* it has received whole transactions that it has not applied */
    /* it was seen to act (struct record), and later than two intervals after that the primary was
     * seen fit */
    bool late;
    bool stood;               /* and all of it has stood for an interval */
    unsigned acts;            /* the acts that both are about, of those that promote */
    char self[IDENTITY_SIZE]; /* the server's own identity */
    char lineage[LINEAGE_SIZE];
    char identity[IDENTITY_SIZE];
    char upstream[NAME_SIZE]; /* the member it replicates from */
    char alias[NAME_SIZE];    /* the member that it is one server with; "": none */
    /* the members seen streaming from it: bits by index in this report */
    uint32_t replicas;
    /* other claimants that have, or may have, transactions which it has not: likewise */
    uint32_t lacks;
    /* of a claimant beside the last primary and other claimants, by what is known of their
     * transactions: it lacks some, it has all */
    uint32_t misses, has;
    struct lag lag;
    char missing[MISSING_SIZE]; /* a privilege that our account lacks */
    struct left left;
    char version[VERSION_SIZE];
    enum role last_role; /* with no answer: the role it had at its last answer */
    char last_lineage[LINEAGE_SIZE];
};

struct report {
    char cluster[NAME_SIZE];
    char probe[NAME_SIZE];
    int rules; /* MODEL_RULES of the program that wrote it */
    /* why this report must not vote: "starting", "blind", "slipped"; "" votes */
    char abstains[RULE_SIZE];
    struct policy policy;
    /* when what changed last was first seen; for timelines only, not material */
    int64_t seen_wall_ms;
    /* the last primary's transactions as last seen, while it is not seen fit and the verdict has
     * none; "" none */
    char last_set[GTIDS_SIZE];
    uint8_t member_count;
    struct member_report members[MEMBERS_MAX]; /* sorted by name */
};

/* ---- the topology ---------------------------------------------------------------------------- */

struct member {
    struct member_config config; /* weight: as configured, or the operator's */
    enum role role;
    enum health health;
    /* why it is not up, or not used; ANSWER_OK when there is no reason */
    enum answer reason;
    bool fenced;          /* a former primary not seen replicating since: never routed to */
    int64_t fenced_epoch; /* the epoch at which it was replaced */
    bool drained;         /* by the operator */
    bool unlisted;        /* a quorum has taken it out of its configuration */
    /* a quorum reads it as claiming (a rival, if it is not the primary) */
    bool claims;
    enum bar bar; /* why that claim may not win */
    bool sync;    /* a commit waits for it */
    enum condition condition;
    char closed_by[MISSING_SIZE]; /* the setting by which no write passes, as in a report */
    char alias[NAME_SIZE]; /* the member whose server it is by another name: it has no role */
    char upstream[NAME_SIZE];
    struct lag lag;
    struct record record;
};

/* A fence of a member that is no longer listed: whoever comes back under this name, at this
 * address or as this server is fenced. */
struct fence {
    char name[NAME_SIZE];
    char host[HOST_SIZE];
    uint16_t port;
    char self[IDENTITY_SIZE]; /* "": not known */
    int64_t epoch;
};

/* One report that a verdict rests on. */
struct evidence_ref {
    char probe[NAME_SIZE];
    int64_t mzxid;
};

struct topology {
    char cluster[NAME_SIZE];
    struct policy policy;
    int64_t epoch; /* counts writer changes, withdrawal included; from 1 */
    /* the epoch in which the primary, or the last one, took over from another; 0: of a former
     * version, not known */
    int64_t elected;
    enum state state;
    char primary[NAME_SIZE];      /* "": none */
    char last_primary[NAME_SIZE]; /* the latest member that was primary, while there is none */
    char lineage[LINEAGE_SIZE];   /* of the primary, or of the last one */
    char identity[IDENTITY_SIZE];
    char why[WHY_SIZE];
    enum rule rule;               /* that decided who is primary */
    char foreign_rule[RULE_SIZE]; /* its name, when it is RULE_FOREIGN; else "" */
    int rules;                    /* MODEL_RULES of the program that wrote it */
    char by[NAME_SIZE];
    int64_t at_wall_ms;   /* when the verdict was reached */
    int64_t seen_wall_ms; /* when the evidence for it was first seen; 0: not known */
    /* the last primary's transactions when it was lost; "": not known, or it is not lost */
    char last_set[GTIDS_SIZE];
    uint8_t member_count;
    struct member members[MEMBERS_MAX]; /* sorted by name */
    uint8_t fence_count;
    struct fence fences[MEMBERS_MAX]; /* sorted by name */
    uint8_t evidence_count;
    struct evidence_ref evidence[WITNESSES_MAX + 1]; /* sorted by probe */
    int64_t directives_mzxid;                        /* 0: there were none */
};

/* ---- the operator's orders ------------------------------------------------------------------- */

struct override {
    char name[NAME_SIZE];
    uint16_t weight;
};

/* `accept`: the operator vouches for this member as of this epoch. */
struct acceptance {
    char name[NAME_SIZE];
    int64_t epoch;
    bool replace; /* also in the place of a primary that is up and takes writes */
};

/* Lists are sorted by member, and each names a member once. */
struct directives {
    uint8_t drain_count;
    char drain[MEMBERS_MAX][NAME_SIZE];
    uint8_t weight_count;
    struct override weight[MEMBERS_MAX];
    char hold[NAME_SIZE]; /* freezes the writer at this member; "": no hold */
    uint8_t accept_count;
    struct acceptance accept[MEMBERS_MAX];
};

/* ---- presence -------------------------------------------------------------------------------- */

/* /probes/<probe>: this probe lives. */
struct presence {
    char probe[NAME_SIZE];
    char host[HOST_SIZE];
    char boot[IDENTITY_SIZE];          /* of that host; "": not known */
    char pid_namespace[IDENTITY_SIZE]; /* in which the pid counts; "": not known */
    int64_t pid;
    char version[VERSION_SIZE];
    uint64_t nonce; /* drawn at start: distinguishes this process from a former one */
    uint64_t beat;  /* grows every BEAT_MS */
};

/* The root znode: which registry this is. */
struct registry_id {
    char registry[IDENTITY_SIZE]; /* a UUID drawn when the root was created */
    uint8_t supersedes_count;     /* the identities an operator declared replaced by this one */
    char supersedes[8][IDENTITY_SIZE];
    /* drawn by a probe that knew of no former one: whoever remembers one may still put that back */
    bool provisional;
    /* what a probe that refuses it has proved, for who knew nothing of the time before; the probes
     * themselves do not go by it. known 0: nothing */
    struct went_back {
        int64_t found, known; /* numbers of transactions */
    } went_back;
};

/* "the registry went back in time: zxid f after 1dd; ...", and what ends that. Returns `to`. */
const char *past_phrase(char *to, size_t size, const char *registry, int64_t found, int64_t known);

/* Up to which transaction a topology is known. */
struct known_topology {
    char cluster[NAME_SIZE];
    int64_t mzxid;
};

/* What a probe remembers of the registry that it follows: in a file of its own, no znode. */
struct memory {
    struct registry_id registry_id; /* registry "": none */
    size_t known_count;
    struct known_topology known[CLUSTERS_MAX]; /* the latest; in no order */
};

/* ---- look-ups, all NULL when absent ---------------------------------------------------------- */

const struct member *topology_member(const struct topology *topology, const char *name);
const struct member_report *report_member(const struct report *report, const char *name);

bool member_config_equal(const struct member_config *a, const struct member_config *b);
bool lag_equal(const struct lag *a, const struct lag *b);

/* The name of the rule that decided: ours, or the one a newer version wrote. */
const char *topology_rule(const struct topology *topology);

/* Equal in all that matters: everything but by, at_wall, seen_wall, why and the reports it rests
 * on. Which directives it rests on matters: whoever wrote them waits for it. */
bool topology_equal(const struct topology *a, const struct topology *b);

/* The same sentence, but for how many witnesses of how many: that flickers. */
bool why_equal(const char *a, const char *b);

/* Equal in all that matters: everything but seen_wall. */
bool report_equal(const struct report *a, const struct report *b);

/* Equal in all but how far members lag; a stream that broke is no matter of degree. */
bool report_alike(const struct report *a, const struct report *b);

/* Index of `name` in a NULL-terminated table of names, -1 when absent. */
int name_index(const char *const *names, const char *name);

#endif
