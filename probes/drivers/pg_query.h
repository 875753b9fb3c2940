/* The statement for a PostgreSQL server, and how its row is read.
 *
 * One statement and one row, for primaries and standbys of PostgreSQL 12-18. An account with
 * pg_read_all_stats sees all of it; one without sees less, and `missing` names the privilege.
 * Limit: the statement works across a promotion, but may fail once while recovery ends (55000). */
#ifndef ROSTER_PROBES_DRIVERS_PG_QUERY_H
#define ROSTER_PROBES_DRIVERS_PG_QUERY_H

#include <stdbool.h>

#include "probes/drivers/driver.h"

struct pg_result; /* libpq's PGresult */

enum { PG_QUERY_SIZE = 4096 };

/* `discover`: with the columns that discovery of members needs. */
void pg_query(bool discover, char to[PG_QUERY_SIZE]);

/* Read the row into `seen`, whose answer becomes OK. `version`: the server_version that was
 * reported, or NULL. False when the row does not have the statement's shape; `seen` may then be
 * half filled. */
bool pg_read_answer(const struct pg_result *result, const char *version, struct observation *seen);

/* The same for the operator's statement: the answer becomes OK, or PROTOCOL with a sentence in the
 * detail. */
void pg_read_custom(const struct pg_result *result, const char *version, struct observation *seen);

#endif
