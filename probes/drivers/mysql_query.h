/* What a MySQL or MariaDB server is asked, and how its answer reads. */
#ifndef ROSTER_PROBES_DRIVERS_MYSQL_QUERY_H
#define ROSTER_PROBES_DRIVERS_MYSQL_QUERY_H

#include <stdbool.h>

#include "probes/drivers/driver.h"
#include "probes/drivers/mysql_client.h"

/* Which statements a server knows, by the version that it greets with. */
enum dialect {
    DIALECT_MARIADB,       /* 10.5 and later */
    DIALECT_MARIADB_PLAIN, /* the same, built without Galera's interface */
    DIALECT_SLAVE,         /* MySQL 5.7 to 8.0.21 */
    DIALECT_REPLICA        /* MySQL 8.0.22 and later */
};

enum dialect mysql_dialect(const char *version, unsigned long number);

/* The dialect to try when a server does not know a variable (error 1193) that `dialect` asks for;
 * the same when there is none. */
enum dialect mysql_dialect_without(enum dialect dialect);

/* One statement of the question. */
struct statement {
    const char *sql;       /* NULL ends the list */
    const char *privilege; /* without which it is denied; NULL: nobody is denied it */

    /* The result as it is at hand in `client`. False when it is not what was asked for; the detail
     * may say why. */
    bool (*read)(const struct client *client, struct observation *seen);

    /* Without it the facts could mislead: denied, the look as a whole ends as ANSWER_PRIVILEGE.
     * NULL: always. */
    bool (*is_vital)(const struct observation *seen);
};

/* The statements for one round trip, in order; the server stops at one that it denies. */
const struct statement *mysql_statements(enum dialect dialect);

enum { STATEMENTS_MAX = 8 };

/* The same and one more, for discovery of members; put together in `to`, which is returned. */
const struct statement *mysql_statements_and_replicas(enum dialect dialect,
                                                      struct statement to[STATEMENTS_MAX + 1]);

/* Does configuration ask for this one? That it is denied is told, vital or not. */
bool mysql_is_wanted(const struct statement *part);
/* Reads what a statement of the operator's gives (custom_query.h). */
bool mysql_read_custom(const struct client *client, struct observation *seen);

enum { MYSQL_QUERY_SIZE = 8192 };

/* The same as one text. */
void mysql_join_statements(const struct statement *parts, char to[MYSQL_QUERY_SIZE]);

/* "10.11.19-MariaDB", "8.0.36" */
void mysql_read_version(const char *version, char *to, size_t size);

#endif
