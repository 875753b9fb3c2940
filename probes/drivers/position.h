/* Where a server is in the streams of transactions that it writes or applies.
 *
 *     PostgreSQL     one stream, numbers are bytes of its log
 *     MySQL          a stream for each server (and tag) that ever wrote: how many of its
 *                    transactions there are, and the greatest number among them
 *     MariaDB        a stream for each domain: the number reached
 *     Galera         one stream: the group's sequence number
 *     custom         one stream: the column position
 *
 * Two positions compare when they are of one cluster and one history; whoever compares has to know
 * that. A position of more than STREAMS_MAX streams is not known. Pure. */
#ifndef ROSTER_PROBES_DRIVERS_POSITION_H
#define ROSTER_PROBES_DRIVERS_POSITION_H

#include <stdbool.h>
#include <stdint.h>

enum { STREAMS_MAX = 16 };

struct position_stream {
    uint64_t source; /* whose it is: a digest */
    int64_t count;   /* of what it has of it */
    int64_t top;     /* the greatest number of that; count is less where some are left out */
};

struct position {
    uint8_t count; /* of streams; 0: not known */
    bool exact;    /* what it has of a stream is what the stream goes on from */
    struct position_stream streams[STREAMS_MAX];
};

/* Of one stream; negative: not known. */
struct position position_at(int64_t number);

/* Sets `ret_position` to that of a set of transactions, as MySQL or MariaDB writes it (gtid.h). One
 * that cannot be read, or is "", is not known. */
void position_read(const char *set, struct position *ret_position);

bool position_equal(const struct position *a, const struct position *b);

/* Does `mine` have all that `theirs` has, as far as numbers tell? False where one is not known. */
bool position_reaches(const struct position *mine, const struct position *theirs);

/* Has `theirs` gone beyond `mine`? Of transactions those streams count that have moved since
 * `base`, and those that `mine` has a part of, if it is exact: what `mine` was set up without, or
 * lacks by its books only, says nothing of how far behind it is. */
bool position_passes(const struct position *theirs, const struct position *mine,
                     const struct position *base);

#endif
