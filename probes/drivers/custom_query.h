/* The operator's statement (setting `query`), and how its result is read: at most one row, whose
 * columns have the names and meanings in roster-probe.ini(5).
 *
 * A column's value becomes a fact; a column that is absent, or NULL, is not known. No row: the
 * server is not ready. What is not understood is refused with a sentence that names the column:
 * nothing is guessed. Pure. */
#ifndef ROSTER_PROBES_DRIVERS_CUSTOM_QUERY_H
#define ROSTER_PROBES_DRIVERS_CUSTOM_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/drivers/driver.h"

/* The statement to send instead of the driver's own; NULL: the driver's. */
const char *custom_statement(const struct cluster_settings *cluster);

/* A result in any client library. `value` is of the first row, NULL for SQL's NULL. */
struct custom_result {
    const void *result;
    size_t rows, columns;
    const char *(*name)(const void *result, size_t column);
    const char *(*value)(const void *result, size_t column);
};

/* Read it into `seen`, whose answer becomes OK; or PROTOCOL, with a sentence in its detail that
 * names the column at fault. */
void custom_read(const struct custom_result *answer, struct observation *seen);

#endif
