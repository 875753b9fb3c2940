/* What a MySQL or MariaDB server is asked, and how its answer reads. */
#ifndef ROSTER_PROBES_MYSQL_QUESTION_H
#define ROSTER_PROBES_MYSQL_QUESTION_H

#include <stdbool.h>

#include "probes/driver.h"
#include "probes/mysql_client.h"

/* Which statements a server knows, by the version that it greets with. */
enum dialect {
    DIALECT_MARIADB, /* 10.5 and later */
    DIALECT_SLAVE,   /* MySQL 5.7 to 8.0.21 */
    DIALECT_REPLICA  /* MySQL 8.0.22 and later */
};

enum dialect mysql_dialect(const char *version, unsigned long number);

/* Two statements for one round trip: the server's settings, then its replication channels. */
const char *mysql_question(enum dialect dialect);

/* The privilege without which the second one fails. */
const char *mysql_privilege(enum dialect dialect);

/* "10.11.19-MariaDB", "8.0.36" */
void mysql_read_version(const char *version, char *to, size_t size);

/* The results, one after the other, as they are at hand in `client`. False when they are not what was asked for. */
bool mysql_read_settings(const struct client *client, struct observation *seen);
bool mysql_read_channels(const struct client *client, struct observation *seen);

#endif
