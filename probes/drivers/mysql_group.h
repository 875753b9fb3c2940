/* The group of a MySQL or MariaDB server: readers of Group Replication's tables and Galera's
 * status.
 *
 * Facts only; kinds/group.c and kinds/galera.c judge them. Whether a member of Group Replication
 * sees a majority is counted from its own table, and judged there, too; Galera's nodes show it
 * themselves. */
#ifndef ROSTER_PROBES_DRIVERS_MYSQL_GROUP_H
#define ROSTER_PROBES_DRIVERS_MYSQL_GROUP_H

#include "probes/drivers/driver.h"
#include "probes/drivers/mysql_client.h"

/* Of rows of Variable_name and Value; NULL where there is none of this name. */
const char *group_variable(const struct client *client, const char *name);

/* From such rows; first of all. */
void group_read_variables(const struct client *client, struct observation *seen);

/* Readers of statements (mysql_query.h), in this order: status as such rows, members with
 * performance_schema's columns. */
bool group_read_status(const struct client *client, struct observation *seen);
bool group_read_members(const struct client *client, struct observation *seen);

/* Where a group is set up its members must be read (struct statement). */
bool group_is_vital(const struct observation *seen);
extern const char group_privilege[]; /* without which they cannot */

#endif
