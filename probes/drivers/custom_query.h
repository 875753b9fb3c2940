/* A statement of the operator's (`query`), and how its answer reads: at most one row, whose columns
 * go by name.
 *
 * What a column tells becomes a fact; what is not there, or NULL, is not told. No row: the server
 * is not ready. */
#ifndef ROSTER_PROBES_DRIVERS_CUSTOM_QUERY_H
#define ROSTER_PROBES_DRIVERS_CUSTOM_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/drivers/driver.h"

/* The statement to ask instead of the driver's own question; NULL: that one. */
const char *custom_statement(const struct cluster_settings *cluster);

/* A result in some client library's hands. `value` is the first row's, NULL when SQL says NULL. */
struct custom_result {
    const void *result;
    size_t rows, columns;
    const char *(*name)(const void *result, size_t column);
    const char *(*value)(const void *result, size_t column);
};

/* Into `seen`, whose answer becomes OK; or PROTOCOL, with a sentence in its detail that names the
 * column at fault. */
void custom_read(const struct custom_result *answer, struct observation *seen);

#endif
