/* Every limit has a name, and the name lives here.
 *
 * Values that decisions rest on are flat and bounded by these, so that a copy
 * is an assignment and a hostile znode cannot make us allocate without end.
 * Intervals are here when two modules depend on them; an interval of one
 * module's own is in that module. */
#ifndef ROSTER_REGISTRY_BASE_LIMITS_H
#define ROSTER_REGISTRY_BASE_LIMITS_H

enum {
    NAME_SIZE = 64,          /* a cluster, member or probe name: [A-Za-z0-9._-]{1,63} */
    HOST_SIZE = 254,         /* a host name or literal address (RFC 1035: 253) */
    ADDRESS_SIZE = 264,      /* host:port, or [v6]:port */
    LITERAL_SIZE = 64,       /* a literal address, an IPv6 scope included: fe80::1%eth0 */
    LINEAGE_SIZE = 64,       /* a timeline, a view id, a configuration id */
    IDENTITY_SIZE = 64,      /* a system identifier, a group name, a cluster UUID */
    VERSION_SIZE = 48,       /* a server's version string, cut to fit */
    MISSING_SIZE = 80,       /* a privilege, as GRANT spells it */
    LABEL_KEY_SIZE = 32,     /* label.KEY */
    LABEL_VALUE_SIZE = 64,   /* label.KEY = VALUE */
    LABELS_MAX = 8,          /* labels per member */
    MEMBERS_MAX = 32,        /* members per cluster: a set of them fits a uint32_t */
    WITNESSES_MAX = 15,      /* witnesses = N */
    REPORTS_MAX = 24,        /* reports kept per cluster: voters and standbys */
    PROBES_MAX = 256,        /* probes distinguished in one fleet */
    CLUSTERS_MAX = 1024,     /* clusters in one INI, or subscriptions in one handle */
    WHY_SIZE = 512,          /* the sentence that explains a verdict */
    GTIDS_SIZE = 4096,       /* a set of transactions; a longer one is folded */
    RULE_SIZE = 32,          /* the name of the rule that decided */
    DETAIL_SIZE = 200,       /* the text of a server or client library about a failure */
    SENTENCE_SIZE = 512,     /* an error message for a person */
    SERVERS_MAX = 32,        /* servers in the registry's list */
    SERVERS_SIZE = 2048,     /* the registry's comma list of host:port */
    PATH_SIZE = 320,         /* a znode path below the chroot */
    LINE_SIZE = 4096,        /* one line of an INI file */
    FILE_SIZE_MAX = 1 << 20, /* an INI file, a password file, a cache file */
    SECRET_SIZE = 256,       /* a password */
    IDS_SIZE = 1024,         /* the ids of a role, as a setting */
    /* a statement of the operator's; with its key it must fit in LINE_SIZE */
    QUERY_SIZE = 3072,
    WEIGHT_MAX = 1000, /* weight = N */
    WEIGHT_DEFAULT = 100,
    ANSWER_BYTES_MAX = 256 * 1024, /* what one look reads of a server, more is a protocol error */
    /* the same of MySQL and MariaDB, where sets of transactions may be long */
    MYSQL_ANSWER_BYTES_MAX = 8 * 1024 * 1024,
    PAYLOAD_MAX = 512 * 1024 /* one znode's value; ZooKeeper itself stops at 1 MiB */
};

#define BEAT_MS 2000  /* a probe's presence is rewritten this often */
#define BEATS_FRESH 3 /* own acknowledged beats within which another's must move */
/* what may wait, a change of lag among it, is written no oftener than this, per cluster */
#define PACE_MS 1000
/* two times of a server's start that are no further apart may be one: they are differences of
 * seconds */
#define START_SLACK_MS 2000
#define RESYNC_MS 45000 /* everything watched is re-read this often, jittered by a third */

/* A session of the registry: the usual timeout, and the range of what may be set. */
#define SESSION_TIMEOUT_MS 10000
#define SESSION_TIMEOUT_LOW_MS 1000
#define SESSION_TIMEOUT_HIGH_MS 300000

#endif
