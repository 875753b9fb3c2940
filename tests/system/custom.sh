# shellcheck shell=bash
# What an operator's own statement tells (kinds custom and stateless), and the samples in etc/samples.
#
# The systems that the samples are for cannot be had here: real PostgreSQL and MariaDB servers answer in their place, with
# functions and tables of the names and columns that those document.

member() { echo "(.members[] | select(.name == \"$1\"))"; }
primaries() { echo '[.members[] | select(.role == "primary") | .name]'; }

# asked_by KIND QUERY: the settings of a cluster
asked_by() { printf 'kind = %s\nquery = %s' "$1" "$2"; }

# ---- a statement that says what the driver's own question says ----------------------

PG_RULES="SELECT NOT pg_is_in_recovery() AS claim, current_setting('default_transaction_read_only') = 'off' AS writable, \
s.system_identifier AS identity, CASE WHEN pg_is_in_recovery() THEN c.timeline_id \
ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END AS lineage, \
w.sender_host || ':' || w.sender_port AS upstream, \
pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, '0/0') AS position \
FROM pg_control_system() s CROSS JOIN pg_control_checkpoint() c LEFT JOIN pg_stat_wal_receiver w ON true"

test_a_query_on_postgresql_follows_a_promotion() {
    zk_start
    pg_group 2
    CLUSTER_SETTINGS=$(asked_by custom "$PG_RULES") cluster_pg orders 3 pg-1 pg-2
    fleet_start 3
    wait_topology 30 orders ".kind == \"custom\" and .state == \"ok\" and .primary == \"pg-1\" and .lineage == \"1\" and
        ($(member pg-2) | .role == \"secondary\" and .upstream == \"pg-1\" and .lag.state == \"ok\")"
    watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
    wait_topology 20 orders '.lineage == "2"'
    pg_start pg-1 # writable, on the old timeline
    wait_topology 20 orders ".state == \"conflict\" and .primary == \"pg-2\" and ($(member pg-1) | .fenced)"
    pg_stop pg-1
    pg_rewind pg-1 pg-2
    pg_start pg-1
    wait_topology 30 orders ".state == \"ok\" and ($(member pg-1) | .role == \"secondary\" and .upstream == \"pg-2\")"
    expect "whom watch named" "$(grep -v '^-$' "$T/watch.out" | tr '\n' ' ')" "$(at_pg pg-1) $(at_pg pg-2) "
}

test_a_query_on_mariadb_follows_a_promotion() {
    zk_start
    my_pair
    CLUSTER_SETTINGS=$(asked_by custom 'SELECT @@read_only = 0 AS claim, @@server_id AS self_id') cluster_my sales 3 my-1 my-2
    fleet_start 3
    wait_topology 30 sales ".kind == \"custom\" and .state == \"ok\" and .primary == \"my-1\" and ($(member my-2) | .role == \"secondary\")"
    watch_start watch sales
    watch_sees 10 watch "$(at_my my-1)"
    my_switch my-1 my-2
    watch_sees 15 watch "$(at_my my-2)"
    # The statement does not say whom my-1 follows now: that is for the operator to vouch for.
    wait_topology 20 sales ".state == \"ok\" and ($(member my-1) | .fenced and .role == \"none\")"
    roster accept sales my-1
    wait_topology 20 sales "$(member my-1) | (.fenced | not) and .role == \"secondary\""
    my_crash my-2
    my_promote my-1
    watch_sees 15 watch "$(at_my my-1)"
}

# ---- a statement that is no good ---------------------------------------------------------

# asks ENGINE NAME QUERY: one look by it, into T/seen
asks() {
    local port
    case $1 in mysql) port=$(my_port "$2") ;; *) port=$(pg_port "$2") ;; esac
    "$B/look" --engine "$1" --timeout 5s --password-file "$(password_file)" --query "$3" "127.0.0.1:$port" > "$T/seen" 2>&1 || true
}

test_mistakes_in_a_query_are_told_in_plain_words() {
    local engine name
    pg_new pg-1
    pg_start pg-1
    my_new my-1
    my_start my-1
    my_sql my-1 "CREATE TABLE app.secrets (claim INT)"
    pg_sql pg-1 "CREATE TABLE public.secrets (claim INT)"
    while read -r engine name; do
        asks "$engine" "$name" "SELECT 1 AS Claim, 0 AS ready, 'a' AS lag_ms"
        expect_text "$T/seen" "answer=protocol .*column lag_ms is 'a'; it takes a number"
        asks "$engine" "$name" "SELECT 1 AS claims"
        expect_text "$T/seen" "answer=protocol .*a column 'claims', .*did you mean claim"
        asks "$engine" "$name" "SELECT 1 AS claim UNION ALL SELECT 0"
        expect_text "$T/seen" 'answer=protocol .*gives 2 rows'
        asks "$engine" "$name" "SELECT 1 AS claim; SELECT 2 AS claim"
        expect_text "$T/seen" 'answer=protocol .*more than one statement'
        asks "$engine" "$name" "SELEKT 1"
        expect_text "$T/seen" 'answer=protocol .*detail=".*(syntax)'
        asks "$engine" "$name" "SELECT nothing AS claim"
        expect_text "$T/seen" 'answer=protocol .*detail=".*nothing'
        asks "$engine" "$name" "SELECT claim FROM $([ "$engine" = mysql ] && echo app || echo public).secrets"
        expect_text "$T/seen" 'answer=privilege .*detail=".*secrets'
        asks "$engine" "$name" "SELECT 1 AS claim, 'x' AS identity, NULL AS lineage, 0.5 AS lag_ms;"
        expect_text "$T/seen" 'answer=ok writable=yes replica=no .*identity=x version=[0-9.]+.* lag_ms=0 claim=1'
        asks "$engine" "$name" "SELECT 1 AS claim FROM (SELECT 1) t WHERE 1 = 0"
        expect_text "$T/seen" 'answer=ok writable=no .* ready=0'
    done <<'E2'
postgresql pg-1
mysql my-1
E2
}

test_a_mistake_in_a_query_is_in_the_log_and_its_correction_needs_no_restart() {
    zk_start
    my_new my-1
    my_start my-1
    CLUSTER_SETTINGS=$(asked_by custom "SELECT 'perhaps' AS claim") cluster_my sales 1 my-1
    fleet_start 1
    wait_report 20 sales probe-a '[.members[].answer] == ["protocol"]'
    expect_text "$T/probe-a.log" "sales/my-1.* went protocol: the query's column claim is 'perhaps'; it takes t or f"
    sed -i "s/^query = .*/query = SELECT 'yes' AS claim/" "$T/clusters.ini"
    probe_write probe-a
    send HUP probe-a
    wait_topology 20 sales '.state == "ok" and .primary == "my-1"'
}

# ---- stateless ---------------------------------------------------------------------------------

test_stateless_peers_all_write_and_one_that_dies_leaves() {
    local name
    zk_start
    for name in my-1 my-2; do
        my_new $name
        my_start $name
    done
    CLUSTER_SETTINGS='kind = stateless' cluster_my lake 3 my-1 my-2
    fleet_start 3
    wait_topology 30 lake ".kind == \"stateless\" and .state == \"ok\" and .primary == \"my-1\" and $(primaries) == [\"my-1\", \"my-2\"]"
    my_crash my-2
    wait_topology 20 lake ".state == \"ok\" and .primary == \"my-1\" and $(primaries) == [\"my-1\"] and ($(member my-2) | .health == \"down\")"
    my_start my-2
    wait_topology 20 lake "$(primaries) == [\"my-1\", \"my-2\"]"
    my_crash my-1 # the preferred one: the other is so from now on
    wait_topology 20 lake ".state == \"ok\" and .primary == \"my-2\" and $(primaries) == [\"my-2\"]"
    expect_code 0 roster route lake write --count 20
    expect_no_text "$T/said" "$(at_my my-1)"
    my_start my-1
    wait_topology 20 lake ".state == \"ok\" and .primary == \"my-2\" and $(primaries) == [\"my-1\", \"my-2\"]"
}

test_stateless_postgresql_servers_are_peers_too() {
    zk_start
    pg_new pg-1
    pg_start pg-1
    pg_new pg-2
    pg_start pg-2
    CLUSTER_SETTINGS='kind = stateless' cluster_pg lake 1 pg-1 pg-2
    fleet_start 1
    wait_topology 30 lake "$(primaries) == [\"pg-1\", \"pg-2\"]"
    pg_stop pg-1
    wait_topology 20 lake "$(primaries) == [\"pg-2\"]"
}

# ---- samples -----------------------------------------------------------------------------------

samples() { ls "$ROOT"/etc/samples/*.ini; }
query_in() { sed -n 's/^query = //p' "$ROOT/etc/samples/$1.ini"; }

test_every_sample_is_a_good_configuration_and_in_the_manual() {
    local file
    for file in $(samples); do
        expect_code 0 "$B/roster-probe" --config "$file" --check
        grep -q "Pa samples/${file##*/}" "$ROOT/etc/man/roster-probe.ini.5" || fail "the manual does not tell of ${file##*/}"
    done
}

# sample NAME PORT_FUNCTION [SED]: its cluster, as it stands save for addresses, account and encryption, and what SED changes in
# the query. Servers here have the names of its members.
sample() {
    sed -n '/^\[cluster/,$p' "$ROOT/etc/samples/$1.ini" | sed -e "s,^#password_file = .*,user = roster\npassword_file = $(password_file)," \
        -e 's/^tls = .*/tls = off/' -e "/^query = /{ ${3:-} }" > "$T/sample.ini"
    while read -r name; do
        sed -i "/^\[member .*\/$name\]/{ n; s/^address = .*/address = 127.0.0.1:$("$2" "$name")/ }" "$T/sample.ini"
    done < <(sed -n 's/^\[member .*\/\(.*\)\]/\1/p' "$T/sample.ini")
    cat "$T/sample.ini" >> "$(cluster_file)"
}

pg_reload() { pg_sql "$1" "SELECT pg_reload_conf()" > /dev/null; }

# openGauss's names for what a PostgreSQL server has by others. Its receiver's function has the name of one of PostgreSQL's.
pretend_opengauss() {
    pg_sql "$1" "SET allow_system_table_mods = on;
        ALTER FUNCTION pg_catalog.pg_stat_get_wal_receiver() RENAME TO pg_stat_get_wal_receiver_here;
        CREATE FUNCTION pg_catalog.pg_stat_get_wal_receiver(OUT receiver_pid int, OUT local_role text, OUT peer_role text,
            OUT peer_state text, OUT state text, OUT sender_sent_location text, OUT sender_write_location text,
            OUT sender_flush_location text, OUT sender_replay_location text, OUT receiver_received_location text,
            OUT receiver_write_location text, OUT receiver_flush_location text, OUT receiver_replay_location text,
            OUT sync_percent text, OUT channel text) RETURNS SETOF record LANGUAGE sql VOLATILE AS
            \$\$ SELECT pid, 'Standby', 'Primary', 'Normal', 'Normal', '0/0', '0/0', '0/0', '0/0', '0/0', '0/0', '0/0', '0/0', '100%',
                format('127.0.0.1:49480<--%s:%s', sender_host, sender_port + 1) FROM pg_catalog.pg_stat_wal_receiver \$\$;
        CREATE FUNCTION pg_catalog.pg_stat_get_stream_replications(OUT local_role text, OUT static_connections int, OUT db_state text,
            OUT detail_information text) RETURNS SETOF record LANGUAGE sql VOLATILE AS
            \$\$ SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'Standby' ELSE 'Primary' END, 2,
                coalesce(pg_catalog.current_setting('gauss.db_state', true), 'Normal'), 'Normal' \$\$;
        CREATE FUNCTION pg_catalog.pg_current_xlog_location() RETURNS text LANGUAGE sql VOLATILE AS
            \$\$ SELECT pg_catalog.pg_current_wal_lsn()::text \$\$;
        CREATE FUNCTION pg_catalog.pg_last_xlog_replay_location() RETURNS text LANGUAGE sql VOLATILE AS
            \$\$ SELECT pg_catalog.pg_last_wal_replay_lsn()::text \$\$;
        CREATE FUNCTION pg_catalog.pg_xlog_location_diff(text, text) RETURNS numeric LANGUAGE sql IMMUTABLE AS
            \$\$ SELECT pg_catalog.pg_wal_lsn_diff(\$1::pg_lsn, \$2::pg_lsn) \$\$"
}

test_the_sample_for_opengauss_follows_a_failover() {
    zk_start
    pg_group 3 node
    pretend_opengauss node-1
    sample opengauss pg_port
    fleet_start 1
    wait_topology 30 ledger ".state == \"ok\" and .primary == \"node-1\" and
        ($(member node-2) | .role == \"secondary\" and .upstream == \"node-1\" and .lag.state == \"ok\" and .lag.bytes >= 0)"
    pg_set node-3 "gauss.db_state = 'Catchup'"
    pg_reload node-3
    wait_topology 20 ledger "$(member node-3) | .role == \"none\" and .condition == \"not-ready\""
    pg_set node-3 "gauss.db_state = 'Normal'"
    pg_reload node-3
    wait_topology 20 ledger "$(member node-3) | .role == \"secondary\""
    pg_crash node-1
    pg_promote node-2
    wait_topology 20 ledger '.primary == "node-2"'
    pg_start node-1
    wait_topology 20 ledger '.state == "conflict" and .primary == "node-2"'
    pg_stop node-1
    pg_rewind node-1 node-2
    pg_start node-1
    wait_topology 30 ledger ".state == \"ok\" and ($(member node-1) | .role == \"secondary\" and .upstream == \"node-2\")"
}

# What Aurora keeps of its instances, in a table that here is replicated like any other.
test_the_sample_for_aurora_postgresql_follows_a_failover() {
    local name
    zk_start
    pg_group 2 instance
    for name in instance-1 instance-2; do
        pg_set $name "aurora.self = '$name'"
        pg_reload $name
    done
    pg_sql instance-1 "CREATE TABLE public.status (server_id text, session_id text, last_update_timestamp timestamptz, replica_lag_in_msec double precision);
        INSERT INTO public.status VALUES ('instance-1', 'MASTER_SESSION_ID', now(), NULL),
            ('instance-2', '0b4d0a5c-6f3d-4bd7-bf1b-3d7a4a2a52b4', now(), 19.7649993896484);
        SET allow_system_table_mods = on;
        CREATE FUNCTION pg_catalog.aurora_db_instance_identifier() RETURNS text LANGUAGE sql STABLE AS
            \$\$ SELECT pg_catalog.current_setting('aurora.self') \$\$;
        CREATE FUNCTION pg_catalog.aurora_replica_status(OUT server_id text, OUT session_id text, OUT durable_lsn bigint,
            OUT highest_lsn_rcvd bigint, OUT current_read_lsn bigint, OUT cur_replay_latency_in_usec int, OUT active_txns int,
            OUT is_current boolean, OUT last_transport_error int, OUT last_error_timestamp timestamptz,
            OUT last_update_timestamp timestamptz, OUT feedback_xmin bigint, OUT feedback_epoch int,
            OUT replica_lag_in_msec double precision) RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER AS
            \$\$ SELECT server_id, session_id, 1, 1, 1, 1, 1, true, 0, NULL::timestamptz,
                CASE WHEN server_id <> pg_catalog.current_setting('aurora.self') THEN last_update_timestamp END, 0, 0,
                replica_lag_in_msec FROM public.status \$\$"
    sample aurora-postgresql pg_port
    fleet_start 1
    wait_topology 30 accounts ".state == \"ok\" and .primary == \"instance-1\" and
        ($(member instance-2) | .role == \"secondary\" and .upstream == \"instance-1\" and .lag.ms == 128)"
    pg_stop instance-1
    pg_promote instance-2
    # The entry of the former writer is still there; the newer one is right.
    pg_sql instance-2 "UPDATE public.status SET session_id = 'MASTER_SESSION_ID', replica_lag_in_msec = NULL WHERE server_id = 'instance-2'"
    wait_topology 20 accounts '.state == "ok" and .primary == "instance-2"'
    pg_rewind instance-1 instance-2
    pg_set instance-1 "aurora.self = 'instance-1'"
    pg_sql instance-2 "UPDATE public.status SET session_id = 'c1f4a2e8-90c6-4f8a-8f7e-2f8e1b6a7d11' WHERE server_id = 'instance-1'"
    pg_start instance-1
    wait_topology 30 accounts ".state == \"ok\" and ($(member instance-1) | .role == \"secondary\" and .upstream == \"instance-2\" and (.fenced | not))"
}

# What a MySQL server has by names that nobody can give to anything here, by others.
AURORA_NAMES='s/information_schema[.]/app./g; s/@@aurora_server_id/@@report_host/g; s/@@aurora_version/@@version/g; s/@@innodb_read_only/@@read_only/g'

test_the_sample_for_aurora_mysql_follows_a_failover() {
    local name
    zk_start
    for name in instance-1 instance-2; do
        my_new $name
        echo "report-host=$name" >> "$T/$name.cnf"
        my_start $name
    done
    my_sql instance-1 "SET GLOBAL read_only=0"
    my_follow instance-2 instance-1
    wait_for 20 'my_replicates instance-2'
    my_sql instance-1 "CREATE TABLE app.REPLICA_HOST_STATUS (SERVER_ID VARCHAR(100), SESSION_ID VARCHAR(100), IOPS INT UNSIGNED,
            REPLICA_LAG_IN_MILLISECONDS DOUBLE, CPU DOUBLE, LAST_UPDATE_TIMESTAMP DATETIME(6));
        GRANT SELECT ON app.REPLICA_HOST_STATUS TO roster@'%';
        INSERT INTO app.REPLICA_HOST_STATUS VALUES ('instance-1', 'MASTER_SESSION_ID', 0, 0, 1.5, NOW(6)),
            ('instance-2', '0b4d0a5c-6f3d-4bd7-bf1b-3d7a4a2a52b4', 0, 19.7649993896484, 1.5, NOW(6))"
    sample aurora-mysql my_port "$AURORA_NAMES"
    fleet_start 1
    wait_topology 30 accounts ".state == \"ok\" and .primary == \"instance-1\" and
        ($(member instance-2) | .role == \"secondary\" and .upstream == \"instance-1\" and .lag.ms == 128)"
    # The entry of the former writer is still there; the newer one is right.
    my_switch instance-1 instance-2
    my_sql instance-2 "INSERT INTO app.REPLICA_HOST_STATUS VALUES ('instance-2', 'MASTER_SESSION_ID', 0, 0, 1.5, NOW(6))"
    wait_topology 20 accounts ".state == \"ok\" and .primary == \"instance-2\" and
        ($(member instance-1) | .role == \"secondary\" and .upstream == \"instance-2\" and (.fenced | not))"
    # Able to write, but not listed as the writer: it is not.
    my_sql instance-1 "SET GLOBAL read_only=0"
    holds_for 3 "topology_is accounts '.state == \"ok\" and .primary == \"instance-2\"'"
}

test_the_sample_for_ndb_takes_nodes_that_reach_the_data() {
    local name
    zk_start
    for name in sql-1 sql-2; do
        my_new $name
        sed -i 's/^performance-schema=off/performance-schema=on/' "$T/$name.cnf"
        my_start $name
        my_sql $name "CREATE TABLE app.global_status (VARIABLE_NAME VARCHAR(64), VARIABLE_VALUE VARCHAR(1024));
            GRANT SELECT ON app.global_status TO roster@'%';
            INSERT INTO app.global_status VALUES ('Ndb_number_of_data_nodes', '4'), ('Ndb_number_of_ready_data_nodes', '4'), ('Uptime', '9')"
    done
    asks mysql sql-1 "$(query_in ndb)" # as it stands: there is no NDB here
    expect_text "$T/seen" 'answer=ok writable=no .* ready=0'
    sample ndb my_port 's/performance_schema[.]/app./g'
    fleet_start 1
    wait_topology 30 sessions ".state == \"ok\" and $(primaries) == [\"sql-1\", \"sql-2\"]"
    my_sql sql-1 "UPDATE app.global_status SET VARIABLE_VALUE = '2' WHERE VARIABLE_NAME = 'Ndb_number_of_ready_data_nodes'"
    holds_for 3 "topology_is sessions '$(primaries) == [\"sql-1\", \"sql-2\"]'"
    my_sql sql-1 "UPDATE app.global_status SET VARIABLE_VALUE = '1' WHERE VARIABLE_NAME = 'Ndb_number_of_ready_data_nodes'"
    wait_topology 20 sessions ".state == \"ok\" and .primary == \"sql-2\" and $(primaries) == [\"sql-2\"] and
        ($(member sql-1) | .condition == \"not-ready\" and .health == \"up\")"
    my_sql sql-1 "UPDATE app.global_status SET VARIABLE_VALUE = '4' WHERE VARIABLE_NAME = 'Ndb_number_of_ready_data_nodes'"
    wait_topology 20 sessions ".state == \"ok\" and $(primaries) == [\"sql-1\", \"sql-2\"]"
}

test_the_sample_for_matrixone_has_peers_by_label() {
    local name
    zk_start
    for name in cn-1 cn-2 cn-3; do
        my_new $name
        my_launch $name
    done
    for name in cn-1 cn-2 cn-3; do wait_for 40 "my_answers $name"; done
    sample matrixone my_port
    fleet_start 1
    wait_topology 30 lake ".state == \"ok\" and $(primaries) == [\"cn-1\", \"cn-2\", \"cn-3\"] and
        [.members[].labels.pool] == [\"orders\", \"orders\", \"reports\"]"
    my_crash cn-2
    wait_topology 20 lake ".state == \"ok\" and $(primaries) == [\"cn-1\", \"cn-3\"]"
}
