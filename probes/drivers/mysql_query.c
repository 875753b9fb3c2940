/* The statements: settings, then further variables and the group's status (no rows without a
 * group), then the replication channels; with MySQL last the members of its group, for which most
 * accounts that do not need it have no privilege. Discovery reads replicas, too.
 *
 * Columns are found by name, in the new spelling and the old: MariaDB keeps the old one whatever
 * the statement is called, MySQL changed it with 8.0.22.
 *
 * A server may have several channels, and is a replica when it has any. Its upstream is that of the
 * first channel that runs, else of the first that tries to connect, else of the first; standing.c,
 * which knows the members, may choose another. */
#include "probes/drivers/mysql_query.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/drivers/custom_query.h"
#include "probes/drivers/gtid.h"
#include "probes/drivers/gtid_fold.h"
#include "probes/drivers/mysql_group.h"
#include "registry/base/text.h"

enum dialect mysql_dialect(const char *version, unsigned long number)
{
    if (strcasestr(version, "maria")) {
        return DIALECT_MARIADB;
    }
    return number >= 80022 ? DIALECT_REPLICA : DIALECT_SLAVE;
}

void mysql_read_version(const char *version, char *to, size_t size)
{
    char tamed[VERSION_SIZE];
    text_tame(tamed, sizeof tamed, version);
    char *end = tamed + strspn(tamed, "0123456789.");
    static const char maria[] = "-MariaDB";
    if (strncmp(end, maria, sizeof maria - 1) == 0) {
        end += sizeof maria - 1;
    }
    *end = 0;
    text_tame(to, size, tamed);
}

/* Newer servers have more than two values for read_only: everything but off is on. */
static bool is_off(const struct client *client, const char *name)
{
    const char *value = client_value(client, 0, name, NULL);
    return !value || text_equal(value, "0") ||
           strcasecmp(value, "OFF") == 0; /* NULL: a server without the variable */
}

/* The server gives the second of its start by its clock only as a difference. */
static void read_start(const struct client *client, struct observation *seen)
{
    const char *now = client_value(client, 0, "now_s", NULL);
    const char *uptime = client_value(client, 0, "uptime_s", NULL);
    int64_t now_s, uptime_s;
    if (now && uptime && text_parse_int(now, 0, INT32_MAX * INT64_C(8), &now_s) &&
        text_parse_int(uptime, 0, now_s, &uptime_s)) {
        seen->start_ms = (now_s - uptime_s) * 1000;
        seen->uptime_ms = uptime_s * 1000;
    }
}

static const char *text_of(const struct client *client, size_t row, const char *name,
                           const char *other_name)
{
    const char *value = client_value(client, row, name, other_name);
    return value ? value : "";
}

/* MariaDB tells apart what it has written to its binary log from what it has applied of another's;
 * MySQL has one set. */
static void read_positions(const struct client *client, struct observation *seen)
{
    position_read(text_of(client, 0, "written", "gtids"), &seen->written);
    position_read(text_of(client, 0, "applied", "gtids"), &seen->applied);
}

static bool read_settings(const struct client *client, struct observation *seen)
{
    const char *self_id = client_value(client, 0, "self_id", NULL);
    if (client_rows(client) != 1 || !self_id || !client_value(client, 0, "read_only", NULL)) {
        return false;
    }
    text_tame(seen->self_id, sizeof seen->self_id, self_id);
    seen->serial = strtoull(text_of(client, 0, "serial", NULL), NULL, 10);
    gtid_fold(text_of(client, 0, "gtids", NULL), seen->self_id, seen->gtids);
    read_positions(client, seen);
    read_start(client, seen);
    seen->offline = !is_off(client, "offline_mode");
    seen->writable =
        is_off(client, "read_only") && is_off(client, "super_read_only") && !seen->offline;
    return true;
}

/* ---- further variables ----------------------------------------------------------------------- */

/* From which innodb_force_recovery on no write passes, whatever innodb_read_only says. MariaDB goes
 * on up to 4, and says that InnoDB is read-only from 6 on; MySQL refuses writes at any. */
enum { FORCED_MARIADB = 5, FORCED_MYSQL = 1 };

static bool is_set(const struct client *client, const char *name, int64_t least)
{
    const char *value = group_variable(client, name);
    int64_t number;
    return value && (text_parse_int(value, 0, INT32_MAX, &number)
                         ? number >= least
                         : least <= 1 && strcasecmp(value, "OFF") != 0);
}

/* By which of these a server that is not read-only takes no writes all the same. The last one is
 * what sessions begin with, as PostgreSQL's default_transaction_read_only; MariaDB has it under the
 * former name. */
static const char *find_closing(const struct client *client, int64_t forced)
{
    const struct {
        const char *name;
        int64_t least;
    } settings[] = {{"innodb_force_recovery", forced},
                    {"innodb_read_only", 1},
                    {"transaction_read_only", 1},
                    {"tx_read_only", 1}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (is_set(client, settings[i].name, settings[i].least)) {
            return settings[i].name;
        }
    }
    return NULL;
}

static bool read_variables(const struct client *client, struct observation *seen, int64_t forced)
{
    const char *closing = seen->writable ? find_closing(client, forced) : NULL;
    if (closing) {
        seen->writable = false;
        text_copy(seen->closed_by, sizeof seen->closed_by, closing);
    }
    group_read_variables(client, seen);
    return true;
}

static bool read_mariadb_variables(const struct client *client, struct observation *seen)
{
    return read_variables(client, seen, FORCED_MARIADB);
}

static bool read_mysql_variables(const struct client *client, struct observation *seen)
{
    return read_variables(client, seen, FORCED_MYSQL);
}

/* ---- channels -------------------------------------------------------------------------------- */

enum threads { THREAD_STOPPED, THREAD_CONNECTING, THREAD_RUNNING };

static enum threads receiver_of(const struct client *client, size_t row)
{
    const char *state = text_of(client, row, "Replica_IO_Running", "Slave_IO_Running");
    if (strcasecmp(state, "Yes") == 0) {
        return THREAD_RUNNING;
    }
    return strcasecmp(state, "Connecting") == 0 || strcasecmp(state, "Preparing") == 0
               ? THREAD_CONNECTING
               : THREAD_STOPPED;
}

/* Group Replication lists its own channels here; they have no source. */
static bool is_channel(const struct client *client, size_t row)
{
    const char *host = text_of(client, row, "Source_Host", "Master_Host");
    return *host && !text_equal(host, "<NULL>") &&
           strncmp(text_of(client, row, "Channel_Name", NULL), "group_replication_", 18) != 0;
}

/* Does the channel go by identifiers of transactions? */
static bool goes_by_gtids(const struct client *client, size_t row)
{
    const char *using = text_of(client, row, "Auto_Position", "Using_Gtid");
    return *using && !text_equal(using, "0") && strcasecmp(using, "No") != 0;
}

/* Has it received whole transactions that it has not applied? By identifiers where the channel has
 * them: they count whole transactions. Positions do not, and the rest of one that broke off counts
 * as received. */
static bool is_unapplied(const struct client *client, size_t row)
{
    const char *received = text_of(client, row, "Retrieved_Gtid_Set", "Gtid_IO_Pos");
    const char *applied = text_of(client, row, "Executed_Gtid_Set", "Gtid_Slave_Pos");
    enum gtid_relation relation = gtid_reaches(applied, received);
    if (relation != GTID_UNKNOWN || goes_by_gtids(client, row)) {
        return relation == GTID_LACKS; /* it has received nothing yet where none are known */
    }
    const char *file = text_of(client, row, "Source_Log_File", "Master_Log_File");
    if (!*file) {
        return false; /* it was reset */
    }
    return !text_equal(file,
                       text_of(client, row, "Relay_Source_Log_File", "Relay_Master_Log_File")) ||
           !text_equal(text_of(client, row, "Read_Source_Log_Pos", "Read_Master_Log_Pos"),
                       text_of(client, row, "Exec_Source_Log_Pos", "Exec_Master_Log_Pos"));
}

static struct channel read_channel(const struct client *client, size_t row)
{
    int64_t number;
    enum threads receiver = receiver_of(client, row);
    const char *source = text_of(client, row, "Source_UUID", NULL);
    struct channel channel = {
        .live = receiver == THREAD_RUNNING,
        .connecting = receiver == THREAD_CONNECTING,
        .applying = strcasecmp(text_of(client, row, "Replica_SQL_Running", "Slave_SQL_Running"),
                               "Yes") == 0,
        .unapplied = is_unapplied(client, row),
        .lag_ms = -1,
    };
    text_tame(channel.host, sizeof channel.host,
              text_of(client, row, "Source_Host", "Master_Host"));
    if (text_parse_int(text_of(client, row, "Source_Port", "Master_Port"), 1, UINT16_MAX,
                       &number)) {
        channel.port = (uint16_t)number;
    }
    if (!*source) {
        source = text_of(client, row, "Master_UUID", "Master_Server_Id");
    }
    if (!text_equal(source, "0")) { /* it has never been connected */
        text_tame(channel.id, sizeof channel.id, source);
    }
    if (channel.live && channel.applying && /* a stopped receiver can show 0 */
        text_parse_int(text_of(client, row, "Seconds_Behind_Source", "Seconds_Behind_Master"), 0,
                       INT32_MAX, &number)) {
        channel.lag_ms = number * 1000;
    }
    /* MariaDB: led elsewhere by other means, gtid_slave_pos is of before until something comes */
    const char *using = text_of(client, row, "Using_Gtid", NULL);
    channel.exact = !*using || strcasecmp(using, "Slave_Pos") == 0;
    if (text_parse_int(text_of(client, row, "SQL_Delay", NULL), 0, INT32_MAX, &number)) {
        channel.delay_ms = number * 1000;
    }
    return channel;
}

static bool read_channels(const struct client *client, struct observation *seen)
{
    size_t best = 0;
    for (size_t row = 0; row < client_rows(client); row++) {
        if (!is_channel(client, row)) {
            continue;
        }
        if (seen->channel_count == CHANNELS_KEPT) {
            seen->fed_elsewhere = true; /* it may be */
            continue;
        }
        enum threads receiver = receiver_of(client, row);
        const struct channel *first = &seen->channels[best];
        if ((receiver == THREAD_RUNNING && !first->live) ||
            (receiver == THREAD_CONNECTING && !first->live && !first->connecting)) {
            best = seen->channel_count;
        }
        seen->channels[seen->channel_count++] = read_channel(client, row);
    }
    seen->replica = seen->channel_count > 0;
    if (seen->replica) {
        observation_follow(seen, best);
    }
    return true;
}

/* ---- statements ------------------------------------------------------------------------------ */

#define VARIABLES                                                                                  \
    "'innodb_force_recovery', 'innodb_read_only', 'transaction_read_only', 'tx_read_only', "       \
    "'group_replication_group_name', 'group_replication_single_primary_mode', 'wsrep_on', "        \
    "'wsrep_reject_queries', 'wsrep_sst_donor_rejects_queries', 'wsrep_desync', 'pxc_maint_mode'"
#define GALERA_STATUS                                                                              \
    "'wsrep_cluster_status', 'wsrep_ready', 'wsrep_local_state', 'wsrep_cluster_state_uuid',"      \
    " 'wsrep_cluster_conf_id', 'wsrep_local_recv_queue', 'wsrep_incoming_addresses',"              \
    " 'wsrep_last_committed'"

/* What only some servers have is looked up by name; where it does not exist there is no row. */
#define LOOK_UP(table, names)                                                                      \
    "SELECT VARIABLE_NAME AS Variable_name, VARIABLE_VALUE AS Value FROM "                         \
    "performance_schema." table " WHERE VARIABLE_NAME IN (" names ")"

/* A binary log without what was replicated does not show what the server has. */
static const char mariadb_settings[] =
    "SELECT @@global.read_only AS read_only, @@global.server_id AS self_id, UUID_SHORT() AS serial,"
    " IF(@@global.log_slave_updates, @@global.gtid_binlog_state, '') AS gtids,"
    " @@global.gtid_binlog_pos AS written, @@global.gtid_slave_pos AS applied,"
    " UNIX_TIMESTAMP() AS now_s, (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
    " WHERE VARIABLE_NAME = 'UPTIME') AS uptime_s";
static const char mariadb_variables[] =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN (" VARIABLES ")";
static const char mysql_settings[] =
    "SELECT @@global.read_only AS read_only, @@global.super_read_only AS super_read_only, "
    "@@global.offline_mode AS offline_mode,"
    " @@global.server_uuid AS self_id, UUID_SHORT() AS serial, @@global.gtid_executed AS gtids,"
    " UNIX_TIMESTAMP() AS now_s,"
    " (SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Uptime')"
    " AS uptime_s";
static const char mysql_variables[] = LOOK_UP("global_variables", VARIABLES);
static const char mariadb_status[] =
    "SHOW GLOBAL STATUS WHERE Variable_name IN (" GALERA_STATUS ")";
static const char mysql_status[] =
    LOOK_UP("global_status", "'group_replication_primary_member', " GALERA_STATUS);
static const char mysql_members[] =
    "SELECT * FROM performance_schema.replication_group_members m"
    " LEFT JOIN performance_schema.replication_group_member_stats s"
    " ON s.MEMBER_ID = m.MEMBER_ID AND s.CHANNEL_NAME = m.CHANNEL_NAME";

static const char monitor[] = "SLAVE MONITOR";
static const char client_privilege[] = "REPLICATION CLIENT";

const struct statement *mysql_statements(enum dialect dialect)
{
    static const struct statement statements[][6] = {
        [DIALECT_MARIADB] = {{mariadb_settings, NULL, read_settings, NULL},
                             {mariadb_variables, NULL, read_mariadb_variables, NULL},
                             {mariadb_status, NULL, group_read_status, NULL},
                             {"SHOW ALL SLAVES STATUS", monitor, read_channels, NULL}},
        [DIALECT_SLAVE] = {{mysql_settings, NULL, read_settings, NULL},
                           {mysql_variables, NULL, read_mysql_variables, NULL},
                           {mysql_status, NULL, group_read_status, NULL},
                           {"SHOW SLAVE STATUS", client_privilege, read_channels, NULL},
                           {mysql_members, group_privilege, group_read_members, group_is_vital}},
        [DIALECT_REPLICA] = {{mysql_settings, NULL, read_settings, NULL},
                             {mysql_variables, NULL, read_mysql_variables, NULL},
                             {mysql_status, NULL, group_read_status, NULL},
                             {"SHOW REPLICA STATUS", client_privilege, read_channels, NULL},
                             {mysql_members, group_privilege, group_read_members, group_is_vital}},
    };
    return statements[dialect];
}

/* ---- replicas, for discovery ----------------------------------------------------------------- */

/* Replicas that announce themselves; without report_host they do so without a host. */
static bool read_replicas(const struct client *client, struct observation *seen)
{
    for (size_t row = 0; row < client_rows(client); row++) {
        int64_t port;
        if (text_parse_int(text_of(client, row, "Port", NULL), 1, UINT16_MAX, &port)) {
            advertised_add(&seen->advertised, text_of(client, row, "Host", NULL), (uint16_t)port);
        }
    }
    return true;
}

static bool is_never_vital(const struct observation *seen)
{
    (void)seen;
    return false;
}

const struct statement *mysql_statements_and_replicas(enum dialect dialect,
                                                      struct statement to[STATEMENTS_MAX + 1])
{
    static const struct statement replicas[] = {
        [DIALECT_MARIADB] = {"SHOW SLAVE HOSTS", "REPLICATION MASTER ADMIN", read_replicas,
                             is_never_vital},
        [DIALECT_SLAVE] = {"SHOW SLAVE HOSTS", "REPLICATION SLAVE", read_replicas, is_never_vital},
        [DIALECT_REPLICA] = {"SHOW REPLICAS", "REPLICATION SLAVE", read_replicas, is_never_vital},
    };
    const struct statement *statements = mysql_statements(dialect);
    size_t count = 0;
    for (; statements[count].sql; count++) {
        assert(count + 1 < STATEMENTS_MAX);
        to[count] = statements[count];
    }
    to[count] = replicas[dialect];
    to[count + 1] = (struct statement){0};
    return to;
}

bool mysql_is_wanted(const struct statement *statement)
{
    return statement->read == read_replicas;
}

/* ---- as one text ----------------------------------------------------------------------------- */

void mysql_join_statements(const struct statement *statements, char to[MYSQL_QUERY_SIZE])
{
    struct text text;
    text_init(&text, to, MYSQL_QUERY_SIZE);
    for (const struct statement *at = statements; at->sql; at++) {
        text_put(&text, "%s%s", at == statements ? "" : "; ", at->sql);
    }
    assert(!text.cut);
}

/* ---- the operator's statement ---------------------------------------------------------------- */

static const char *name_at(const void *client, size_t column)
{
    return client_column(client, column);
}

static const char *value_at(const void *client, size_t column)
{
    return client_value(client, 0, client_column(client, column), NULL);
}

bool mysql_read_custom(const struct client *client, struct observation *seen)
{
    const struct custom_result answer = {
        .result = client,
        .rows = client_rows(client),
        .columns = client_columns(client),
        .name = name_at,
        .value = value_at,
    };
    custom_read(&answer, seen);
    return seen->answer == ANSWER_OK;
}
