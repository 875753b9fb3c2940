# shellcheck shell=bash
# PostgreSQL servers under pg_auto_failover: a monitor that decides, and a keeper for each server that obeys.
#
#     autoctl_pair               pg-1 the primary, pg-2 its standby
#     autoctl_monitor VERB ...   pg_autoctl, told of the monitor
#     autoctl_run NAME           the keeper of a member, which starts its server
#     autoctl_kill NAME          kill -9 for both
#
# What the monitor does is quick here: a server that is silent for 3 s is replaced.

# It looks for servers in the environment: through their sockets, as the servers' superuser.
autoctl_environment() { # autoctl_environment [NAME]
    export XDG_RUNTIME_DIR=$T/run PG_REGRESS_SOCK_DIR=$T PGHOST=$T
    [ "${1:-monitor}" = monitor ] || export PGUSER=postgres
}
autoctl() { (cd "$T" && autoctl_environment "${AUTOCTL:-}" && "${unprivileged[@]}" pg_autoctl "$@" >> "$T/autoctl-said.log" 2>&1 < /dev/null); }
autoctl_run() { (autoctl_environment "$1" && start "autoctl-$1" pg_autoctl run --pgdata "$T/$1"); }
autoctl_kill() {
    local ids
    freeze "autoctl-$1" # or one half starts the other again
    ids="$(pgrep -P "$(pid "autoctl-$1")") $(processes_in "$T/$1")"
    # shellcheck disable=SC2086 # a list of numbers
    kill -KILL $ids 2> /dev/null || true
    crash "autoctl-$1"
    wait_for 10 "[ -z \"\$(processes_in $T/$1)\" ]"
}
autoctl_uri() { echo "postgres://autoctl_node@127.0.0.1:$(cat "$T/monitor.port")/pg_auto_failover?sslmode=prefer"; }
autoctl_monitor() { autoctl "$@" --monitor "$(autoctl_uri)"; }

autoctl_create() { # autoctl_create WHAT NAME OPTION...
    port_take
    echo "$PORT" > "$T/$2.port"
    AUTOCTL=$2 autoctl create "$1" --pgdata "$T/$2" --pgport "$PORT" --pgctl "$PG_BIN/pg_ctl" --hostname 127.0.0.1 --auth trust --no-ssl "${@:3}" ||
        { tail -n 30 "$T/autoctl-said.log"; fail "pg_autoctl create $1 $2"; }
}

autoctl_pair() {
    mkdir "$T/run"
    own "$T/run"
    autoctl_create monitor monitor
    cat >> "$T/monitor/postgresql.conf" <<E2
unix_socket_directories = '$T'
fsync = off
pgautofailover.health_check_period = 500
pgautofailover.health_check_timeout = 500
pgautofailover.health_check_retry_delay = 500
pgautofailover.node_considered_unhealthy_timeout = 3000
pgautofailover.primary_demote_timeout = 3000
pgautofailover.startup_grace_period = 3000
E2
    autoctl_run monitor
    wait_for 60 'autoctl_monitor show state'
    pg_template "${TEMPLATES:-$T}/pg"
    cp -a --reflink=auto "${TEMPLATES:-$T}/pg/data" "$T/pg-1"
    echo "unix_socket_directories = '$T'" >> "$T/pg-1/postgresql.conf"
    printf 'host all,replication pgautofailover_replicator,pgautofailover_monitor 127.0.0.1/32 trust\n' | # before the others
        cat - "${TEMPLATES:-$T}/pg/data/pg_hba.conf" > "$T/pg-1/pg_hba.conf"
    own -R "$T/pg-1"
    autoctl_create postgres pg-1 --name pg-1 --monitor "$(autoctl_uri)"
    autoctl_run pg-1
    wait_for 60 'pg_answers pg-1'
    autoctl_create postgres pg-2 --name pg-2 --monitor "$(autoctl_uri)"
    autoctl_run pg-2
    wait_for 60 'autoctl_settled pg-1 pg-2'
}

# What the monitor holds of its servers: a line each, with the state that was reported.
autoctl_states() {
    (cd "$T" && "${unprivileged[@]}" pg_autoctl show state --json --monitor "$(autoctl_uri)" 2> /dev/null) |
        jq -r '.[] | .nodename + " " + .current_group_state' | sort
}
autoctl_settled() { # autoctl_settled PRIMARY SECONDARY
    [ "$(autoctl_states)" = "$(printf '%s primary\n%s secondary\n' "$1" "$2" | sort)" ]
}
