# shellcheck shell=bash
# PostgreSQL servers as in postgres.sh, each with a repmgrd that promotes or re-points it.
#
#     repmgr_group N             pg-1 the primary, the others stream from it; all registered, all watched over
#     repmgr_on NAME VERB ...    repmgr on the host of NAME
#     repmgrd_start NAME
#
# What repmgr does is quick here: a primary that is away for 2 s is replaced.

repmgr_on() { # repmgr_on NAME VERB...
    (cd "$T" && PATH=$T/bin:$PATH "${unprivileged[@]}" "$PG_BIN/repmgr" -f "$T/$1.repmgr" "${@:2}" > "$T/repmgr.out" 2>&1 < /dev/null) ||
        { cat "$T/repmgr.out"; fail "repmgr ${*:2} on $1"; }
}

repmgrd_start() { start "repmgrd-$1" "$PG_BIN/repmgrd" -f "$T/$1.repmgr" --daemonize=false --no-pid-file; }

# Before the others in the list of who may log in.
repmgr_admit() {
    printf 'host all repmgr 127.0.0.1/32 trust\nhost replication repmgr 127.0.0.1/32 trust\n' | cat - "$T/$1/pg_hba.conf" > "$T/hba"
    cat "$T/hba" > "$T/$1/pg_hba.conf"
}

repmgr_write() { # repmgr_write NAME NUMBER
    cat > "$T/$1.repmgr" <<E2
node_id=$2
node_name='$1'
conninfo='host=127.0.0.1 port=$(pg_port "$1") user=repmgr dbname=repmgr application_name=$1'
data_directory='$T/$1'
pg_bindir='$PG_BIN'
failover=automatic
promote_command='$PG_BIN/repmgr standby promote -f $T/$1.repmgr'
follow_command='$PG_BIN/repmgr standby follow -f $T/$1.repmgr --upstream-node-id=%n'
monitor_interval_secs=1
reconnect_attempts=2
reconnect_interval=1
primary_notification_timeout=10
pg_ctl_options='-s -l $T/$1-restarted.log'
E2
    own "$T/$1.repmgr"
}

# All hosts are this one, so that a login on another is a shell.
repmgr_ssh() {
    mkdir -p "$T/bin"
    cat > "$T/bin/ssh" <<'E2'
#!/bin/sh
while [ "${1#-}" != "$1" ]; do
    case $1 in -o) shift ;; esac
    shift
done
shift # the host
exec sh -c "$*"
E2
    chmod 755 "$T/bin" "$T/bin/ssh"
}

repmgr_group() { # repmgr_group N
    local i
    repmgr_ssh
    for ((i = 1; i <= $1; i++)); do
        pg_new "pg-$i"
        [ $i = 1 ] || pg_follow "pg-$i" pg-1
        pg_set "pg-$i" "shared_preload_libraries = 'repmgr'"
        echo "$PORT" > "$T/pg-$i.port" # repmgr writes settings anew, in its own way
        repmgr_admit "pg-$i"
        repmgr_write "pg-$i" $i
        pg_launch "pg-$i"
    done
    wait_for 60 'pg_answers pg-1'
    pg_sql pg-1 "CREATE ROLE repmgr SUPERUSER LOGIN REPLICATION"
    pg_sql pg-1 "CREATE DATABASE repmgr OWNER repmgr"
    repmgr_on pg-1 primary register
    for ((i = 2; i <= $1; i++)); do
        wait_for 60 "pg_streams pg-$i"
        repmgr_on "pg-$i" standby register --wait-sync=20
    done
    for ((i = 1; i <= $1; i++)); do repmgrd_start "pg-$i"; done
}
