# shellcheck shell=bash
# A Patroni cluster on the registry's own ZooKeeper: members are PostgreSQL
# servers as in postgres.sh, each with a Patroni that starts, promotes and
# rewinds it.
#
#     patroni_group 3 [PREFIX]   PREFIX-1 (pg-1) the leader, the others streaming from it
#     patroni_start NAME         the Patroni of a member, which starts its server
#     patroni_ctl VERB ...       patronictl, on the cluster $PATRONI_SCOPE
#     patroni_settled LEADER [MEMBER...]   true once it leads and the others stream on its timeline
#     patroni_leader             who leads, in Patroni's own word
#     pg_id NAME                 the server's process id; Patroni starts it, so `pid` does not know
#     pg_kill NAME               kill -9 for the server: its postmaster, whose children follow
#     host_kill NAME             kill -9 for everything on the member's host, Patroni first
#
# What Patroni does is quick here: it looks every second, and a leader that is
# silent for 7 s has lost its place (loop_wait + 2 * retry_timeout <= ttl).

PATRONI_SCOPE=orders

patroni_file() { echo "$T/$1.yml"; }

# The members' account of the probes needs nothing special: a line for it in pg_hba, which Patroni writes from here.
patroni_write() { # patroni_write NAME PORT REST_PORT
    cat > "$(patroni_file "$1")" <<E2
scope: $PATRONI_SCOPE
namespace: /service/
name: $1
restapi: {listen: '127.0.0.1:$3', connect_address: '127.0.0.1:$3'}
zookeeper: {hosts: [${ZK//,/, }]}
bootstrap:
  dcs:
    {ttl: 7, loop_wait: 1, retry_timeout: 3, maximum_lag_on_failover: 1048576,
     postgresql: {use_pg_rewind: true, use_slots: true, parameters: {max_connections: 40, wal_log_hints: 'on', wal_keep_size: 64MB}}}
postgresql:
  listen: 127.0.0.1:$2
  connect_address: 127.0.0.1:$2
  data_dir: $T/$1
  bin_dir: $PG_BIN
  pgpass: $T/$1.pgpass
  use_unix_socket: true
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
  authentication:
    superuser: {username: postgres}
    replication: {username: replicator, password: replicator}
  parameters: {unix_socket_directories: '$T'}
  pg_hba:
    - local all all trust
    - host all postgres 127.0.0.1/32 trust
    - host replication replicator 127.0.0.1/32 scram-sha-256
    - host all roster,app 127.0.0.1/32 scram-sha-256
E2
    echo "$2" > "$T/$1.port"
}

# The first one's data directory is the template, which Patroni adopts; it copies it to the others itself.
patroni_new() { # patroni_new NAME [FIRST]
    local port
    if [ -n "${2:-}" ]; then
        pg_template "${TEMPLATES:-$T}/pg"
        cp -a --reflink=auto "${TEMPLATES:-$T}/pg/data" "$T/$1"
        own -R "$T/$1"
    fi
    port_take
    port=$PORT
    port_take
    patroni_write "$1" "$port" "$PORT"
}

patroni_start() { start "patroni-$1" patroni "$(patroni_file "$1")"; }

patroni_ctl() { patronictl -c "$(patroni_file pg-1)" "$@" "$PATRONI_SCOPE" 2>&1; }

# What Patroni holds of its members: [{Member, Role, State, TL}].
patroni_list() { patronictl -c "$(patroni_file pg-1)" list -f json "$PATRONI_SCOPE" 2> /dev/null; }
patroni_leader() { zk get "/service/$PATRONI_SCOPE/leader"; }

pg_id() { head -n 1 "$T/$1/postmaster.pid" 2> /dev/null; }
pg_kill() { kill -KILL "$(pg_id "$1")"; }

# By the folder that they work in, as a host's end takes them all at once.
host_kill() {
    local ids
    ids=$(processes_in "$T/$1")
    send KILL "patroni-$1"
    # shellcheck disable=SC2086 # a list of numbers
    kill -KILL $ids 2> /dev/null || true
    crash "patroni-$1"
    wait_for 10 "[ -z \"\$(processes_in $T/$1)\" ]"
}

patroni_streams() { # patroni_streams NAME LEADER
    [ "$(pg_sql "$1" "SELECT status || ' ' || sender_port FROM pg_stat_wal_receiver")" = "streaming $(pg_port "$2")" ]
}

patroni_settled() { # patroni_settled LEADER MEMBER...
    local leader=$1 name
    shift
    [ "$(patroni_leader)" = "$leader" ] && ! pg_in_recovery "$leader" || return 1
    for name; do patroni_streams "$name" "$leader" || return 1; done
}

patroni_group() { # patroni_group N [PREFIX]
    local i prefix=${2:-pg} others=()
    for ((i = 1; i <= $1; i++)); do patroni_new "$prefix-$i" "$([ "$i" != 1 ] || echo first)"; done
    patroni_start "$prefix-1"
    wait_for 120 "patroni_settled $prefix-1"
    for ((i = 2; i <= $1; i++)); do
        patroni_start "$prefix-$i"
        others+=("$prefix-$i")
    done
    wait_for 120 "patroni_settled $prefix-1 ${others[*]}"
}

# Servers outlive the promoter that started them, and nobody else knows their ids.
promoters_end() {
    local file left
    for file in "$T"/patroni-*.log "$T"/repmgrd-*.log "$T"/autoctl-*.log; do
        [ -e "$file" ] || continue
        left=$(processes_in "$T")
        # shellcheck disable=SC2086 # a list of numbers
        [ -z "$left" ] || kill -KILL $left 2> /dev/null
        within 5 '[ -z "$(processes_in "$T")" ]'
        return 0
    done
}
