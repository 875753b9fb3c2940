/* What a PostgreSQL server is asked, and how its answer reads. */
#ifndef ROSTER_PROBES_DRIVERS_PG_QUERY_H
#define ROSTER_PROBES_DRIVERS_PG_QUERY_H

#include <stdbool.h>

#include "probes/drivers/driver.h"

struct pg_result; /* libpq's PGresult */

enum { PG_QUERY_SIZE = 4096 };

/* One statement, one row. `discover`: with what discovery of members wants to know. */
void pg_query(bool discover, char to[PG_QUERY_SIZE]);

/* The row into `seen`, whose answer becomes OK. `version`: the server_version it has reported; may
 * be NULL. False when the row is not what the statement gives; `seen` may then be half filled. */
bool pg_read_answer(const struct pg_result *result, const char *version, struct observation *seen);

/* The same for a statement of the operator's: the answer becomes OK, or PROTOCOL with a sentence in
 * the detail. */
void pg_read_custom(const struct pg_result *result, const char *version, struct observation *seen);

#endif
