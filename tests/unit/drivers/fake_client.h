/* A result of a MySQL client (mysql_client.h) made of text, for the readers of results. */
#ifndef ROSTER_TESTS_UNIT_DRIVERS_FAKE_CLIENT_H
#define ROSTER_TESTS_UNIT_DRIVERS_FAKE_CLIENT_H

#include "probes/drivers/mysql_client.h"

/* Lines of KEY=VALUE, separated by newlines, make a row; an empty line ends it. A key without '='
 * is NULL. The text is borrowed until the next call. */
const struct client *fake_result(const char *text);

/* The same as rows of Variable_name and Value: one for each line. */
const struct client *fake_variables(const char *text);

#endif
