/* What a MySQL or MariaDB server says of the group that it belongs to: Group Replication's tables,
 * Galera's status. Facts only; kinds/group.c and kinds/galera.c judge. */
#ifndef ROSTER_PROBES_DRIVERS_MYSQL_GROUP_H
#define ROSTER_PROBES_DRIVERS_MYSQL_GROUP_H

#include "probes/drivers/driver.h"
#include "probes/drivers/mysql_client.h"

/* MariaDB's settings have columns wsrep_on and wsrep_reject_queries. */
void group_read_settings(const struct client *client, struct observation *seen);

/* Parts of the question (mysql_query.h), in this order: variables (MySQL's) and status as rows of
 * Variable_name and Value, members with performance_schema's columns. */
bool group_read_variables(const struct client *client, struct observation *seen);
bool group_read_status(const struct client *client, struct observation *seen);
bool group_read_members(const struct client *client, struct observation *seen);

/* Must the members be seen? Where a group is set up, they must. */
bool group_is_vital(const struct observation *seen);
extern const char group_privilege[];

#endif
