# shellcheck shell=bash
# Members that configuration does not name: found by what servers say, verified by asking them, forgotten when gone.
#
# PostgreSQL tells the addresses of standbys, not their ports. So each server has an address of its own here, 127.0.0.x, and
# its connections leave from there; the port is the same.

# A probe may look for members in 127.0.0.0/28.
DISCOVER='discover = yes
discover_within = 127.0.0.0/28'

member() { echo "(.members[] | select(.name == \"$1\"))"; } # for jq
names() { topology "$1" '[.members[].name] | join(" ")'; }

# ---- PostgreSQL --------------------------------------------------------------------

pg_host() { sed -n "s/^listen_addresses = '\(.*\)'/\1/p" "$T/$1/postgresql.auto.conf" | tail -n 1; }
pg_sql() { PGOPTIONS='' "$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$T/$1" -p "$(pg_port "$1")" -U postgres "${3:-postgres}" -c "$2"; }
pg_launch() { LD_PRELOAD=$B/source.so SOURCE_ADDRESS=$(pg_host "$1") start "$1" "$PG_BIN/postgres" -D "$T/$1"; }
members_of() { # members_of CLUSTER PORT_FUNCTION MEMBER...
    local cluster=$1 port_of=$2 member
    shift 2
    for member; do printf '\n[member %s/%s]\naddress = %s:%s\n' "$cluster" "$member" "$(pg_host "$member")" "$("$port_of" "$member")"; done
}
name_of() { echo "$(pg_host "$1")-$(pg_port "$1")"; }

# A server at 127.0.0.X; the first one chooses the port.
pg_at() { # pg_at NAME X [stranger]
    pg_new "$1" "${3:-}"
    GROUP_PORT=${GROUP_PORT:-$PORT}
    pg_set "$1" "port = $GROUP_PORT"
    pg_set "$1" "listen_addresses = '127.0.0.$2'"
    pg_set "$1" "unix_socket_directories = '$T/$1'"
    echo 'host all all 127.0.0.0/8 scram-sha-256
host replication replicator 127.0.0.0/8 scram-sha-256' >> "$T/$1/pg_hba.conf"
}

# A standby at 127.0.0.X that streams.
standby_at() { # standby_at NAME X UPSTREAM
    pg_at "$1" "$2"
    pg_set "$1" "primary_conninfo = 'host=$(pg_host "$3") port=$GROUP_PORT user=replicator password=replicator application_name=$1'"
    : > "$T/$1/standby.signal"
    own "$T/$1/standby.signal"
    pg_start "$1"
    wait_for 30 "pg_streams $1"
}

# pg-1 is configured; it is at 127.0.0.1, pg-2 and pg-3 are behind it.
orders() { # orders PROBES [SETTING...]
    local probes=$1
    shift
    zk_start
    pg_at pg-1 1
    pg_start pg-1
    standby_at pg-2 2 pg-1
    standby_at pg-3 3 pg-1
    CLUSTER_SETTINGS=$(printf '%s\n' "$DISCOVER" "$@") cluster_pg orders "$probes" pg-1
    fleet_start "$probes"
}

test_standbys_are_found_and_one_that_comes_later_too() {
    orders 3
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1" and (.members | length) == 3'
    wait_topology 20 orders '[.members[].health] | unique == ["up"]'
    expect "the members" "$(names orders)" "$(name_of pg-2) $(name_of pg-3) pg-1"
    expect "pg-2's upstream" "$(topology orders "$(member "$(name_of pg-2)") | .upstream")" pg-1
    expect "pg-2's role" "$(topology orders "$(member "$(name_of pg-2)") | .role")" secondary
    wait_for 10 "roster route orders read --count 20 | grep -q '$(pg_host pg-2):$GROUP_PORT'"
    standby_at pg-4 4 pg-2 # a cascade: the primary does not know it
    wait_topology 30 orders "$(member "127.0.0.4-$GROUP_PORT") | .role == \"secondary\" and .upstream == \"$(name_of pg-2)\""
    # What was found is a member like any other: it may become the primary.
    pg_crash pg-1
    pg_promote pg-2
    wait_topology 20 orders ".primary == \"$(name_of pg-2)\" and .lineage == \"2\""
    for name in $(fleet_names 3); do
        expect "how often $name was told of pg-2" "$(grep -c "discovery: 127.0.0.2:$GROUP_PORT is verified" "$T/$name.log")" 1
        expect_no_text "$T/$name.log" 'Sanitizer'
    done
}

test_a_primary_is_found_by_its_standby() {
    zk_start
    pg_at pg-1 1
    pg_start pg-1
    standby_at pg-2 2 pg-1
    CLUSTER_SETTINGS=$DISCOVER cluster_pg orders 1 pg-2
    fleet_start 1
    wait_topology 30 orders ".state == \"ok\" and .primary == \"127.0.0.1-$GROUP_PORT\""
    expect "the members" "$(names orders)" "127.0.0.1-$GROUP_PORT pg-2"
}

test_one_that_is_gone_is_forgotten_by_all() {
    orders 3 'discover_forget = 3s'
    wait_topology 30 orders '(.members | length) == 3 and ([.members[].health] | unique) == ["up"]'
    pg_stop pg-3
    wait_topology 10 orders "$(member "$(name_of pg-3)") | .health == \"down\""
    wait_topology 30 orders '(.members | length) == 2'
    expect "the members" "$(names orders)" "$(name_of pg-2) pg-1"
    wait_for 10 'grep -q "discovery: member $(name_of pg-3) is forgotten" "$T/probe-a.log"'
    # It comes back as it went, and so does its membership.
    pg_start pg-3
    wait_topology 30 orders "(.members | length) == 3 and ($(member "$(name_of pg-3)") | .health == \"up\")"
}

test_what_is_outside_the_ranges_is_not_asked() {
    zk_start
    pg_at pg-1 1
    pg_start pg-1
    pg_at far 99
    pg_set far "log_connections = on"
    pg_set far "primary_conninfo = 'host=127.0.0.1 port=$GROUP_PORT user=replicator password=replicator'"
    : > "$T/far/standby.signal"
    own "$T/far/standby.signal"
    pg_start far
    wait_for 30 "pg_streams far"
    standby_at pg-2 2 pg-1
    CLUSTER_SETTINGS=$DISCOVER cluster_pg orders 1 pg-1
    fleet_start 1
    wait_topology 30 orders '(.members | length) == 2'
    wait_for 10 "grep -q 'discovery: 127.0.0.99:$GROUP_PORT is refused: it is outside' '$T/probe-a.log'"
    holds_for 3 '! grep -q "connection received: host=127" "$T/far.log"'
    expect "the members" "$(names orders)" "127.0.0.2-$GROUP_PORT pg-1"
    expect "how often it was told" "$(grep -c 'discovery: 127.0.0.99' "$T/probe-a.log")" 1
}

test_a_stranger_where_a_member_is_named_is_never_listed() {
    zk_start
    pg_at pg-1 1
    pg_start pg-1
    # A standby's connections come from 127.0.0.5, where another cluster's server listens.
    pg_at guest 5 stranger
    pg_start guest
    pg_at pg-2 2
    pg_set pg-2 "primary_conninfo = 'host=127.0.0.1 port=$GROUP_PORT user=replicator password=replicator'"
    : > "$T/pg-2/standby.signal"
    own "$T/pg-2/standby.signal"
    LD_PRELOAD=$B/source.so SOURCE_ADDRESS=127.0.0.5 start pg-2 "$PG_BIN/postgres" -D "$T/pg-2"
    wait_for 30 "pg_answers pg-2 && pg_streams pg-2"
    CLUSTER_SETTINGS=$DISCOVER cluster_pg orders 1 pg-1
    fleet_start 1
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1"'
    wait_for 20 "grep -q 'discovery: 127.0.0.5:$GROUP_PORT is refused: it belongs to another cluster' '$T/probe-a.log'"
    holds_for 4 '[ "$(names orders)" = pg-1 ]'
    # Nor one that has the identity, but neither follows nor is followed.
    pg_stop guest
    pg_at clone 5
    pg_start clone
    wait_for 30 "grep -q 'discovery: 127.0.0.5:$GROUP_PORT is refused: it is no standby' '$T/probe-a.log'"
    holds_for 4 '[ "$(names orders)" = pg-1 ]'
}

test_a_second_address_of_a_member_is_no_second_member() {
    zk_start
    pg_at pg-1 1
    pg_set pg-1 "listen_addresses = '127.0.0.1,127.0.0.7'"
    pg_host() { case $1 in pg-1) echo "${AT:-127.0.0.1}" ;; *) sed -n "s/^listen_addresses = '\(.*\)'/\1/p" "$T/$1/postgresql.auto.conf" | tail -n 1 ;; esac; }
    pg_start pg-1
    AT=127.0.0.7 standby_at pg-2 2 pg-1 # which names it at that address as its source
    CLUSTER_SETTINGS=$DISCOVER cluster_pg orders 1 pg-1
    fleet_start 1
    wait_topology 30 orders '(.members | length) == 2'
    wait_for 20 "grep -q 'discovery: 127.0.0.7:$GROUP_PORT is refused: it is a member already' '$T/probe-a.log'"
    holds_for 3 '[ "$(topology orders ".state")" = ok ] && [ "$(topology orders ".members | length")" = 2 ]'
}

test_a_restarted_probe_and_a_reload_keep_what_was_found() {
    orders 1
    wait_topology 30 orders '(.members | length) == 3 and ([.members[].health] | unique) == ["up"]'
    stop probe-a
    : > "$T/probe-a.log"
    probe_launch probe-a
    # Its first vote is on all of them: it had asked those that the registry has.
    holds_for 5 '[ "$(topology orders ".members | length")" = 3 ]'
    wait_for 20 'grep -q "discovery: $(name_of pg-2 | tr - :) is verified" "$T/probe-a.log"'
    holds_for 1 '[ "$(topology orders ".members | length")" = 3 ]'
    # A reload that changes nothing about it; then one that narrows the ranges to pg-2.
    send HUP probe-a
    wait_for 10 'grep -q "is in force" "$T/probe-a.log"'
    holds_for 2 '[ "$(topology orders ".members | length")" = 3 ]'
    sed -i 's,^discover_within = .*,discover_within = 127.0.0.2,' "$T/probe-a.ini"
    send HUP probe-a
    wait_topology 20 orders '(.members | length) == 2'
    expect "the members" "$(names orders)" "$(name_of pg-2) pg-1"
    # Configured by now, it is a member under the name it has there.
    printf '\n[member orders/two]\naddress = 127.0.0.2:%s\n' "$GROUP_PORT" >> "$T/probe-a.ini"
    send HUP probe-a
    wait_topology 20 orders '[.members[].name] == ["pg-1", "two"]'
}

# ---- MariaDB -----------------------------------------------------------------------

# Members tell where they are; the account may ask for that, unless told otherwise.
my_at() { # my_at NAME [REPORT_PORT]
    my_new "$1"
    printf 'report-host=127.0.0.1\nreport-port=%s\n' "${2:-$PORT}" >> "$T/$1.cnf"
    my_start "$1"
    my_sql "$1" "SET sql_log_bin=0; GRANT REPLICATION MASTER ADMIN ON *.* TO roster@'%'"
}

replica_at() { # replica_at NAME UPSTREAM [REPORT_PORT]
    my_at "$1" "${3:-}"
    my_follow "$1" "$2"
    wait_for 20 "my_replicates $1"
}

my_name() { echo "127.0.0.1-$(my_port "$1")"; }

sales() { # sales PROBES MEMBER...
    local probes=$1
    shift
    pg_host() { echo 127.0.0.1; }
    CLUSTER_SETTINGS=$DISCOVER cluster_my sales "$probes" "$@"
    fleet_start "$probes"
}

test_replicas_that_announce_themselves_are_found() {
    zk_start
    my_at my-1
    my_sql my-1 "SET GLOBAL read_only=0"
    replica_at my-2 my-1
    sales 3 my-1
    wait_topology 30 sales ".state == \"ok\" and .primary == \"my-1\" and ($(member "$(my_name my-2)") | .upstream == \"my-1\" and .health == \"up\")"
    replica_at my-3 my-2 # a cascade, which its own source tells of
    wait_topology 30 sales "$(member "$(my_name my-3)") | .upstream == \"$(my_name my-2)\" and .health == \"up\""
    expect "how many members there are" "$(topology sales '.members | length')" 3
}

test_a_source_is_found_by_its_replica_and_a_missing_privilege_is_told() {
    zk_start
    my_at my-1
    my_sql my-1 "SET GLOBAL read_only=0"
    replica_at my-2 my-1
    for name in my-1 my-2; do my_sql $name "SET sql_log_bin=0; REVOKE REPLICATION MASTER ADMIN ON *.* FROM roster@'%'"; done
    sales 1 my-2
    wait_topology 30 sales ".state == \"ok\" and .primary == \"$(my_name my-1)\" and ([.members[].health] | unique) == [\"up\"]"
    wait_for 10 'grep -q "the account lacks REPLICATION MASTER ADMIN" "$T/probe-a.log"'
    expect_code 0 roster explain sales
    expect_text "$T/said" 'REPLICATION MASTER ADMIN'
}

test_a_server_that_only_looks_like_a_replica_is_never_listed() {
    zk_start
    my_at my-1
    my_sql my-1 "SET GLOBAL read_only=0"
    # Another pair, whose source has the server_id of ours; my-2 announces the address of its replica as its own.
    my_at guest-1
    my_sql guest-1 "SET GLOBAL read_only=0; SET GLOBAL server_id=$(my_port my-1)"
    replica_at guest-2 guest-1
    replica_at my-2 my-1 "$(my_port guest-2)"
    sales 1 my-1
    wait_topology 30 sales '.state == "ok" and .primary == "my-1"'
    wait_for 20 "grep -q 'discovery: $(at_my guest-2) is refused: nothing shows' '$T/probe-a.log'"
    holds_for 5 '[ "$(names sales)" = my-1 ]'
    expect "whom guest-2 replicates from" "$(mariadb --no-defaults -S "$T/guest-2.sock" -u root -e 'SHOW SLAVE STATUS\G' | sed -n 's/.*Master_Server_Id: //p')" "$(my_port my-1)"
}

# ---- MySQL --------------------------------------------------------------------------

# One that has all channels of asynchronous replication, by UUID; its account may not see the members of groups.
versions_replicas() { # versions_replicas RELEASE VERSION
    local name
    elsewhere "$1" sbin/mysqld "$2"
    zk_start
    for name in my-1 my-2 my-3; do
        mysql_new $name
        printf 'report-host=127.0.0.1\nreport-port=%s\n' "$PORT" >> "$T/$name.cnf"
        mysql_start $name
    done
    my_sql my-1 "SET GLOBAL read_only = 0; GRANT REPLICATION SLAVE ON *.* TO roster@'%'"
    mysql_follow my-2 my-1
    mysql_follow my-3 my-1
    wait_for 20 "mysql_replicates my-2 && mysql_replicates my-3"
    DISCOVER+=$'\ntls = require' sales 1 my-2
    wait_topology 40 sales ".state == \"ok\" and .primary == \"$(my_name my-1)\" and (.members | length) == 3"
    wait_topology 20 sales '[.members[].health] | unique == ["up"]'
    wait_topology 10 sales "[.members[].upstream // empty] | unique == [\"$(my_name my-1)\"]"
    expect_no_text "$T/probe-a.log" 'lacks'
    my_sql my-1 "REVOKE REPLICATION SLAVE ON *.* FROM roster@'%'"
    expect_code 0 "$B/look" --engine mysql --timeout 5s --password-file "$T/password" --tls require --discover "$(at_my my-1)"
    expect_text "$T/said" 'answer=ok .*missing=REPLICATION SLAVE'
}
test_replicas_of_mysql_9_are_found() { versions_replicas sid 9; }

# ---- groups --------------------------------------------------------------------------

# One member is configured; the group's own table names the others.
versions_group() { # versions_group RELEASE VERSION
    elsewhere "$1" sbin/mysqld "$2"
    zk_start
    group_three
    DISCOVER+=$'\ntls = require\ndiscover_forget = 3s' sales 1 my-2
    wait_topology 60 sales ".kind == \"group-replication\" and .state == \"ok\" and .primary == \"$(my_name my-1)\" and (.members | length) == 3"
    wait_topology 20 sales '[.members[].health] | unique == ["up"]'
    # One that left answers, and is kept; one that is gone is forgotten when the group has.
    my_crash my-3
    wait_topology 60 sales '(.members | length) == 2'
    expect_text "$T/probe-a.log" "discovery: member $(my_name my-3) is forgotten"
}
test_members_of_a_group_are_found() { versions_group sid 9; } # long

versions_galera() { # versions_galera RELEASE VERSION
    galera_elsewhere "$1" "$2"
    zk_start
    galera_three
    DISCOVER+=$'\ndiscover_forget = 3s' sales 1 my-1
    wait_topology 60 sales ".kind == \"galera\" and .state == \"ok\" and .primary != null and (.members | length) == 3"
    wait_topology 20 sales '[.members[].health] | unique == ["up"]'
    expect "the members" "$(names sales)" "$(printf '%s\n' "$(my_name my-2)" "$(my_name my-3)" my-1 | sort | xargs)"
    expect_no_text "$T/probe-a.log" 'lacks'
    my_crash my-3
    wait_topology 60 sales '(.members | length) == 2'
}
test_nodes_of_galera_are_found() { versions_galera bookworm 10.11; } # long
