# shellcheck shell=bash
# What a probe may do to the servers that it looks at, to its host, and to who reads its log: little, whatever goes wrong.

# ---- handshakes ------------------------------------------------------------------------

# A server that knows its clients by name, as most do: it blocks a host after max_connect_errors. Those that come from 127.0.0.1 it never
# blocks, so it is reached at an address of this machine, for which it finds a name.
known_by_name() { # known_by_name NAME
    HOST_ADDRESS=$(hostname -I | tr ' ' '\n' | grep -m 1 '^[0-9.]*$') || skip "this machine has no address of its own"
    printf '127.0.0.1 localhost\n%s probes.host\n' "$HOST_ADDRESS" > "$T/hosts"
    "${unprivileged[@]}" unshare --user --map-root-user --mount mount --bind "$T/hosts" /etc/hosts || skip "no namespaces of mounts here"
    my_new "$1"
    sed -i '/^skip-name-resolve/d; s/^bind-address=.*/bind-address=0.0.0.0/' "$T/$1.cnf"
    printf 'skip-ssl\nmax-connect-errors=1\nuser=root\n' >> "$T/$1.cnf" # that of the namespace
    start "$1" unshare --user --map-root-user --mount sh -c \
        "mount --bind $T/hosts /etc/hosts && exec mariadbd --defaults-file=$T/$1.cnf"
    wait_for 120 "my_answers $1"
    my_sql "$1" "SET GLOBAL read_only = 0"
}

from_its_host() { mariadb --no-defaults --skip-ssl -N -B -h "$HOST_ADDRESS" -P "$(my_port "$1")" -u app -papp -e 'SELECT USER()'; }
log_ins_of() { my_sql "$1" "SHOW GLOBAL STATUS LIKE 'Connections'" | cut -f 2; }

at_its_address() { sed -i "s/^address = 127.0.0.1/address = $HOST_ADDRESS/" "$(cluster_file)"; }

test_mariadb_without_tls_does_not_block_the_host_of_a_probe_that_asks_for_it() {
    zk_start
    known_by_name my-1
    expect "who comes" "$(from_its_host my-1)" app@probes.host

    CLUSTER_SETTINGS='tls = prefer'
    cluster_my sales 1 my-1
    at_its_address
    fleet_start 1
    wait_topology 20 sales '.state == "ok"'
    expect "what was left" "$(zk get /roster/clusters/sales/reports/probe-a | jq -c "$(member my-1) | .left")" null

    rm "$(cluster_file)"
    CLUSTER_SETTINGS='tls = require'
    cluster_my sales 1 my-1
    at_its_address
    probe_write probe-a
    send HUP probe-a
    wait_report 20 sales probe-a "$(member my-1) | .answer == \"tls\" and .left.handshakes >= 3"
    expect "who comes" "$(from_its_host my-1)" app@probes.host
    expect_code 0 roster explain sales
    expect_text "$T/said" 'probe-a .*tls .*left behind: 0 sessions, [34] handshakes a minute'
}

# ---- sessions ----------------------------------------------------------------------------

sessions_of_probes() { ps -o args= --ppid "$(pid "$1")" | grep -c 'postgres: roster'; } # also those that are not logged in yet

# Log-ins hang, and no session does.
test_a_postgresql_whose_log_ins_hang_keeps_room_for_others() {
    local name
    zk_start
    pg_new pg-1
    pg_set pg-1 'max_connections = 25'
    pg_start pg-1
    cluster_pg orders 3 pg-1
    fleet_start 3
    wait_topology 30 orders '.state == "ok"'
    start lock "$PG_BIN/psql" -X -h "$T" -p "$(pg_port pg-1)" -U postgres -d postgres \
        -Atc 'SELECT pg_backend_pid()' -c BEGIN -c 'LOCK pg_authid' -c 'SELECT pg_sleep(100)'
    for name in a b c; do wait_report 30 orders probe-$name "$(member pg-1) | .answer == \"stalled\" and .left.sessions >= 1"; done
    holds_for 3 '[ "$(sessions_of_probes pg-1)" -le 9 ]' # a good one and two besides, of each
    roster explain orders > "$T/said"
    expect_text "$T/said" 'stalled .*left behind: [12] sessions?, 0 handshakes a minute'
    kill "$(head -n 1 "$T/lock.log")"
    wait_topology 10 orders ".state == \"ok\" and ($(member pg-1) | .health == \"up\")"
    for name in a b c; do wait_report 5 orders probe-$name "$(member pg-1) | .left == null"; done
}

# Nothing goes on there, and the system takes connections in its place.
test_a_mariadb_that_hangs_is_not_flooded_with_log_ins() {
    local before
    zk_start
    my_new my-1
    my_start my-1
    my_sql my-1 "SET GLOBAL read_only = 0"
    cluster_my sales 3 my-1
    fleet_start 3
    wait_topology 30 sales '.state == "ok"'
    before=$(log_ins_of my-1)
    freeze my-1
    wait_topology 20 sales "$(member my-1) | .health == \"down\""
    sleep 3 # of a standing trouble
    thaw my-1
    wait_topology 10 sales "$(member my-1) | .health == \"up\""
    [ $(($(log_ins_of my-1) - before)) -le 12 ] || fail "$(($(log_ins_of my-1) - before)) log-ins"
}

# ---- the probe's own time --------------------------------------------------------------------

# What `secret` is with 250,000 iterations: a log-in computes for longer than the timeout, here.
dear_secret='SCRAM-SHA-256$250000:MDEyMzQ1Njc4OWFiY2RlZg==$A/Bihqbshw4wik1CCKaG1dZ/KPnrGG8LI8+ZgZabeag=:F9H6Fx2RYGerRPgAT1IXVo3BpnPrKfKI+mhk/78p4cE='

cpu_ms() { stat_of "$(pid "$1")" && echo $(((STAT[11] + STAT[12]) * 10)); }

test_postgresql_log_ins_that_are_dear_for_the_probe_are_no_fault_of_the_servers() {
    local before
    zk_start
    pg_group 2
    pg_sql pg-1 "UPDATE pg_authid SET rolpassword = '$dear_secret' WHERE rolname = 'roster'"
    wait_for 10 '[ "$(pg_sql pg-2 "SELECT rolpassword FROM pg_authid WHERE rolname = '"'roster'"'")" = "$dear_secret" ]'
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    wait_topology 30 orders ".state == \"ok\" and ($(member pg-2) | .health == \"up\")"
    before=$(cpu_ms probe-a)
    holds_for 4 "topology_is orders '.state == \"ok\" and ($(member pg-1) | .health == \"up\") and ($(member pg-2) | .health == \"up\")'"
    [ $(($(cpu_ms probe-a) - before)) -lt 3000 ] || fail "$(($(cpu_ms probe-a) - before)) ms of the processor"
    expect_no_text "$T/probe-a.log" 'stalled|timeout|overdue'
}

is_asked() { [ "$(pg_sql "$1" "SELECT count(*) FROM pg_stat_activity WHERE usename = 'roster'")" -gt 0 ]; }

test_a_probe_without_descriptors_calls_nobody_down() {
    zk_start
    pg_new pg-1
    pg_start pg-1
    cluster_pg orders 1 pg-1
    fleet_start 1
    wait_topology 30 orders '.state == "ok"'
    prlimit --pid "$(pid probe-a)" --nofile=4:4096 # those that it has stay
    pg_sql pg-1 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'" > /dev/null
    wait_for 10 'grep -q "pg-1 was not looked at: .*Too many open files" "$T/probe-a.log"'
    holds_for 2 "topology_is orders '.state == \"ok\" and ($(member pg-1) | .health == \"up\")'"
    prlimit --pid "$(pid probe-a)" --nofile=1024:4096
    wait_for 10 'is_asked pg-1'
    expect_no_text "$T/probe-a.log" 'pg-1 went'
    [ "$(grep -c 'was not looked at' "$T/probe-a.log")" -le 5 ] || fail "it is told again and again"
}

# ---- the log, and the registry -----------------------------------------------------------------

# One probe may write, and one may not: it tries, and says so, more and more rarely. And an epoch that a hand made is put back, once.
test_a_trouble_that_goes_on_is_told_rarely_and_an_epoch_made_by_hand_is_put_back() {
    zk_start
    pg_new pg-1
    pg_start pg-1
    cluster_pg orders 1 pg-1
    REGISTRY_SETTINGS=$'session_timeout = 4s\nauth = digest:roster:secret'
    probe_write probe-a
    own "$T/probe-a.ini"
    chmod 600 "$T/probe-a.ini"
    probe_launch probe-a
    wait_topology 30 orders '.state == "ok"'

    REGISTRY_SETTINGS='session_timeout = 4s'
    probe_start probe-b
    wait_for 20 'grep -q "forbids .*times more since it was told" "$T/probe-b.log"'
    [ "$(grep -c forbids "$T/probe-b.log")" -le 8 ] || fail "it is told $(grep -c forbids "$T/probe-b.log") times"
    stop probe-b

    topology orders '.epoch = 9007199254740992' > "$T/forged"
    ZK_AUTH=roster:secret zk set "$(topology_path orders)" "$(cat "$T/forged")" > /dev/null
    wait_topology 10 orders '.epoch == 1'
    wait_for 5 'grep -q "its epoch is too great to be counted on from there" "$T/probe-a.log"'
    through_beats 1 "topology_is orders '.epoch == 1'"
}
