/* Sets of global transaction identifiers, as MySQL (gtid_executed) and MariaDB (gtid_binlog_state)
 * write them:
 *
 *     3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77:80, 8a94f357-...:backup:1-3
 *         MySQL: server, from 8.3 on perhaps a tag, intervals
 *     0-1-270,0-2-113
 *         MariaDB: domain, server, number reached
 *
 * Both servers write each stretch once, so that one is contained in a set only if it is in a single
 * stretch of it. Pure. */
#ifndef ROSTER_PROBES_DRIVERS_GTID_H
#define ROSTER_PROBES_DRIVERS_GTID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gtid_relation {
    /* one of the two cannot be read, or is "", as from a server without identifiers */
    GTID_UNKNOWN,
    GTID_CONTAINS,
    GTID_LACKS
};

/* What `mine` is to `theirs`: does it contain all of it, or lack some? */
enum gtid_relation gtid_compare(const char *mine, const char *theirs);

/* The same of positions in a stream: MariaDB gives the last transaction of each domain, whoever
 * wrote it, and numbers grow along a domain. */
enum gtid_relation gtid_reaches(const char *mine, const char *theirs);

/* A stretch of a set. */
struct gtid_stretch {
    const char *source; /* MySQL: the server; MariaDB: DOMAIN-SERVER. As long as follows */
    size_t source_length;
    const char *tag;
    size_t tag_length;  /* 0: none */
    uint64_t low, high; /* MariaDB: low is 0 */
};

/* Calls `take` with one stretch after the other, until it returns false. False then, and when the
 * set cannot be read, or is "". */
bool gtid_each(const char *set, bool (*take)(void *owner, const struct gtid_stretch *stretch),
               void *owner);

#endif
