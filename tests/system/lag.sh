# shellcheck shell=bash
# Lag is a promise: what a replica lacks, and for how long, whatever it reports of itself.

# One probe that looks often; what concerns time is its own affair.
lag_fleet() { # lag_fleet CLUSTER_FUNCTION CLUSTER MEMBER...
    local cluster=$2
    # shellcheck disable=SC2034 # for probe_write
    PROBE_SETTINGS='interval = 300ms'
    encrypt_to_mysql
    "$1" "$cluster" 1 "${@:3}"
    fleet_start 1
    wait_topology 30 "$cluster" ".state == \"ok\" and .primary == \"$3\" and ([.members[] | select(.role == \"secondary\" and .lag.state == \"ok\")] | length) == $(($# - 3))"
}

# Nobody whose data are at most a second old is there to be read.
nobody_within_a_second() { [ "$(code_of roster route "$1" read --max-lag 1s --strict)" != 0 ]; }
code_of() { local code=0; "$@" > /dev/null 2>&1 || code=$?; echo $code; }
somebody_within_a_second() { [ "$(code_of roster route "$1" read --max-lag 1s --strict)" = 0 ]; }

test_a_postgresql_standby_whose_stream_hangs_is_behind_by_what_was_written_since() {
    local sender
    zk_start
    pg_group 2
    pg_sql pg-1 "CREATE TABLE journal (t text)"
    lag_fleet cluster_pg orders pg-1 pg-2
    wait_for 10 'somebody_within_a_second orders'
    sender=$(pg_sql pg-1 "SELECT pid FROM pg_stat_replication")
    kill -STOP "$sender"
    pg_sql pg-1 "INSERT INTO journal VALUES ('is not sent')"
    wait_topology 10 orders "$(member pg-2) | .lag.state == \"ok\" and .lag.ms >= 2048"
    nobody_within_a_second orders
    kill -CONT "$sender"
    wait_topology 20 orders "$(member pg-2) | .lag.state == \"ok\" and .lag.ms <= 512"
    # One transaction writes and writes, and nothing is committed meanwhile.
    pg_sql pg-1 "DO \$\$ BEGIN FOR i IN 1..200 LOOP INSERT INTO journal SELECT repeat('x', 800) FROM generate_series(1, 300); PERFORM pg_sleep(0.02); END LOOP; END \$\$" &
    track long $!
    while alive long; do
        topology_is orders "$(member pg-2) | .lag.ms <= 2048" || fail "$(topology orders "$(member pg-2) | .lag")"
    done
    wait $!
    reap long
}

test_a_postgresql_standby_that_is_delayed_or_that_says_no_more_is_shown_so() {
    zk_start
    pg_group 2
    lag_fleet cluster_pg orders pg-1 pg-2
    pg_set pg-2 "recovery_min_apply_delay = '90min'"
    pg_reload pg-2
    wait_topology 10 orders "$(member pg-2) | .lag.delay == 5400000"
    expect_code 0 roster show orders
    expect_text "$T/said" 'pg-2 .* delayed'
    expect_code 0 roster explain orders
    expect_text "$T/said" 'delayed by 90 min'
    # Our account is refused from now on: what is known of its lag gets old.
    sed -i '1i host all roster 127.0.0.1/32 reject' "$T/pg-2/pg_hba.conf"
    pg_reload pg-2
    pg_sql pg-2 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'" > /dev/null
    wait_topology 10 orders "$(member pg-2) | .reason == \"auth\" and .health == \"up\""
    wait_topology 15 orders "$(member pg-2) | .role == \"secondary\" and .lag == null"
    nobody_within_a_second orders
}

# The primary is listed at the address that its replica goes by, too.
cluster_behind_the_link() {
    cluster_my "$@"
    sed -i "s/:$(my_port my-1)\$/:$port/" "$(cluster_file)"
}

# $of: my or mysql.
a_replica_whose_link_hangs() {
    local port link
    servers my-1 my-2
    port_take
    port=$PORT
    my_port my-1 > "$T/link.to"
    start link "$B/relay" "$port" "$T/link.to"
    wait_for 5 "[ -n \"\$(ss -Hltn 'sport = :$port')\" ]"
    if [ "$of" = my ]; then
        my_sql my-2 "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$port, MASTER_USER='repl', MASTER_PASSWORD='repl', MASTER_USE_GTID=slave_pos; START SLAVE"
    else
        my_sql my-2 "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$port, SOURCE_USER='repl', SOURCE_PASSWORD='repl',
            SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1; START REPLICA"
    fi
    wait_for 30 "${of}_replicates my-2"
    link=$(pgrep -P "$(pid link)") # a process for each connection: so far the replica's alone
    lag_fleet cluster_behind_the_link sales my-1 my-2
    wait_for 10 'somebody_within_a_second sales'
    # shellcheck disable=SC2086 # several, when it connected more than once
    kill -STOP $link
    my_sql my-1 "CREATE DATABASE is_not_sent"
    "${of}_replicates" my-2
    wait_topology 10 sales "$(member my-2) | .lag.ms >= 2048"
    nobody_within_a_second sales
    "${of}_replicates" my-2
    # shellcheck disable=SC2086
    kill -CONT $link
    wait_topology 20 sales "$(member my-2) | .lag.state == \"ok\" and .lag.ms <= 512"
}

test_a_mariadb_replica_whose_link_hangs_is_behind_by_what_was_written_since() { on_mariadb a_replica_whose_link_hangs; }
test_a_mysql_9_replica_whose_link_hangs_is_behind_by_what_was_written_since() { versions_mysql_story sid a_replica_whose_link_hangs; } # twin

read_ten_times() { # read_ten_times CLUSTER [OPTION...]: who is chosen
    local i
    for ((i = 0; i < 10; i++)); do roster route "$1" read "${@:2}" 2> /dev/null | cut -d' ' -f1; done | sort -u | tr '\n' ' '
}

delay() { # delay NAME SECONDS
    act "$1" stop
    if [ "$of" = my ]; then my_sql "$1" "CHANGE MASTER TO MASTER_DELAY=$2"; else my_sql "$1" "CHANGE REPLICATION SOURCE TO SOURCE_DELAY=$2"; fi
    act "$1" start
}

replicas_that_are_the_last_to_be_read() {
    servers my-1 my-2 my-3
    follows my-2 my-1
    follows my-3 my-1
    lag_fleet cluster_my sales my-1 my-2 my-3
    # One that is set to apply later, until nothing else is left.
    delay my-3 3600
    wait_topology 10 sales "$(member my-3) | .lag.state == \"ok\" and .lag.delay == 3600000"
    expect "who is read" "$(read_ten_times sales --policy random)" "my-2 "
    expect_code 0 roster show sales
    expect_text "$T/said" 'my-3 .* delayed'
    expect_code 0 roster drain sales my-2
    expect "who is read" "$(read_ten_times sales)" "my-3 "
    expect_code 0 roster undrain sales my-2
    delay my-3 0
    wait_topology 10 sales "$(member my-3) | .lag.state == \"ok\" and (.lag.delay | not)"
    # One that still follows the former primary, which is up and well.
    my_sql my-1 "SET GLOBAL $(read_only) = 1"
    "${of}_promote" my-2
    wait_topology 10 sales ".primary == \"my-2\" and ($(member my-1) | .fenced) and ($(member my-3) | .role == \"secondary\" and .upstream == \"my-1\")"
    wait_topology 10 sales "$(member my-3) | .lag.state == \"broken\" and .lag.ms == null"
    expect "who is read" "$(read_ten_times sales)" "my-3 "
    nobody_within_a_second sales
    # The former primary follows the new one, and so does who follows it.
    [ "$of" = mysql ] || my_sql my-1 "SET GLOBAL gtid_slave_pos='$(my_position my-1)'"
    "${of}_follow" my-1 my-2
    wait_topology 20 sales "($(member my-1) | .role == \"secondary\") and ($(member my-3) | .lag.state == \"ok\")"
}

test_mariadb_replicas_that_are_delayed_or_follow_a_former_primary_are_the_last_to_be_read() { on_mariadb replicas_that_are_the_last_to_be_read; }
test_mysql_9_replicas_that_are_delayed_or_follow_a_former_primary_are_the_last_to_be_read() { versions_mysql_story sid replicas_that_are_the_last_to_be_read; } # twin
