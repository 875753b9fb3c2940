/* The statements for a MySQL or MariaDB server, and how their results are read.
 *
 * The statements of a look are sent together, separated by ';', in one round trip. Each reader adds
 * to an observation what its result shows; none needs the result of a later one.
 *
 * Invariant: what only some servers have is looked up by name, so that others give no row, and no
 * error.
 *
 * Limits: STATEMENTS_MAX statements, MYSQL_QUERY_SIZE bytes together. */
#ifndef ROSTER_PROBES_DRIVERS_MYSQL_QUERY_H
#define ROSTER_PROBES_DRIVERS_MYSQL_QUERY_H

#include <stdbool.h>

#include "probes/drivers/driver.h"
#include "probes/drivers/mysql_client.h"

enum { STATEMENTS_MAX = 8, MYSQL_QUERY_SIZE = 8192 };

/* Which statements a server knows, by the version that it greets with. */
enum dialect {
    DIALECT_MARIADB, /* 10.5 and later */
    DIALECT_SLAVE,   /* MySQL 5.7 to 8.0.21 */
    DIALECT_REPLICA  /* MySQL 8.0.22 and later */
};

/* `version` and `number` as in the greeting: "8.0.36" and 80036. */
enum dialect mysql_dialect(const char *version, unsigned long number);

struct statement {
    const char *sql;       /* NULL ends the list */
    const char *privilege; /* without which it is denied; NULL: it never is */

    /* Read the result at hand in `client`. False when it does not have the statement's shape; the
     * detail may contain the reason. */
    bool (*read)(const struct client *client, struct observation *seen);

    /* Would the facts mislead without it? Then the look ends as ANSWER_PRIVILEGE when it is denied.
     * NULL: always. */
    bool (*is_vital)(const struct observation *seen);
};

/* The statements of a look, in order; the server stops at one that it denies. */
const struct statement *mysql_statements(enum dialect dialect);

/* The same and one for discovery of members, put together in `to`, which is returned. */
const struct statement *mysql_statements_and_replicas(enum dialect dialect,
                                                      struct statement to[STATEMENTS_MAX + 1]);

/* Does configuration require this one (discovery's)? Then a missing privilege for it is reported,
 * vital or not. */
bool mysql_is_wanted(const struct statement *statement);

/* Statements as one text, which is not cut. */
void mysql_join_statements(const struct statement *statements, char to[MYSQL_QUERY_SIZE]);

/* Reads the result of the operator's statement (custom_query.h). */
bool mysql_read_custom(const struct client *client, struct observation *seen);

/* "10.11.19-MariaDB", "8.0.36": without what distributions append. */
void mysql_read_version(const char *version, char *to, size_t size);

#endif
