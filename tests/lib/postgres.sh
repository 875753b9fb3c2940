# shellcheck shell=bash
# PostgreSQL servers on loopback.
#
#     pg_new NAME              a primary on a port of its own, not started; all are clones of one template: one identity
#     pg_new NAME stranger     one of an identity of its own
#     pg_follow NAME UPSTREAM  makes it a standby of that (before pg_start)
#     pg_start NAME            waits until it answers
#     pg_group N [PREFIX]      PREFIX-1 (pg-1) the primary, the others its standbys, all streaming
#     pg_sql NAME SQL          as the superuser, through the socket; prints rows
#     pg_promote, pg_stop, pg_crash, pg_rewind
#
# Accounts: roster (password secret, pg_read_all_stats) for probes, app (password app, owns the database app) for
# writers, replicator for standbys. Names have to be valid as roster's members.

PG_BIN=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -n 1)

# A data directory to copy, made once per run: initdb takes longer than everything else.
pg_template() { # pg_template FOLDER
    [ ! -e "$1/ready" ] || return 0
    local made=$1.$$ keep='wal_keep_size = 64MB'
    case $("$PG_BIN/postgres" --version) in *' 12.'*) keep='wal_keep_segments = 64' ;; esac
    mkdir "$made"
    own "$made"
    "${unprivileged[@]}" "$PG_BIN/initdb" -D "$made/data" -U postgres -E UTF8 --locale=C --wal-segsize=1 -N \
        --auth-local=trust --auth-host=scram-sha-256 > "$made/log" 2>&1 || { cat "$made/log"; fail "initdb"; }
    cat >> "$made/data/postgresql.conf" <<E2
listen_addresses = '127.0.0.1'
max_connections = 40
shared_buffers = 16MB
dynamic_shared_memory_type = mmap
fsync = off
wal_log_hints = on
$keep
min_wal_size = 8MB
wal_retrieve_retry_interval = 100ms
log_line_prefix = '%m [%p] %q%u '
E2
    cat >> "$made/data/pg_hba.conf" <<'E2'
host replication replicator 127.0.0.1/32 scram-sha-256
E2
    "${unprivileged[@]}" "$PG_BIN/postgres" --single -D "$made/data" postgres >> "$made/log" 2>&1 <<'E2' || fail "bootstrap"
CREATE ROLE roster LOGIN PASSWORD 'secret' IN ROLE pg_read_all_stats;
CREATE ROLE replicator LOGIN REPLICATION PASSWORD 'replicator';
CREATE ROLE app LOGIN PASSWORD 'app';
CREATE DATABASE app OWNER app;
E2
    : > "$made/ready"
    mv -T "$made" "$1" 2> /dev/null || rm -rf "$made" # another test of this run was faster
}

pg_new() { # pg_new NAME [stranger]
    local template=${TEMPLATES:-$T}/pg
    if [ "${2:-}" = stranger ]; then
        template=$T/stranger
    fi
    pg_template "$template"
    cp -a --reflink=auto "$template/data" "$T/$1"
    own -R "$T/$1"
    port_take
    printf "port = %d\nunix_socket_directories = '%s'\n" "$PORT" "$T" >> "$T/$1/postgresql.auto.conf"
}

# The last word in the file is the one that counts.
pg_set() { echo "$2" >> "$T/$1/postgresql.auto.conf"; } # pg_set NAME 'SETTING = VALUE'
pg_port() { # Patroni's members have it in a file of their own
    if [ -e "$T/$1.port" ]; then cat "$T/$1.port"; else sed -n 's/^port = //p' "$T/$1/postgresql.auto.conf" | tail -n 1; fi
}

pg_follow() { # pg_follow NAME UPSTREAM
    pg_set "$1" "primary_conninfo = 'host=127.0.0.1 port=$(pg_port "$2") user=replicator password=replicator application_name=$1'"
    : > "$T/$1/standby.signal"
    own "$T/$1/standby.signal"
}

pg_launch() { start "$1" "$PG_BIN/postgres" -D "$T/$1"; }

# It writes down when it takes connections: to ask before costs it time.
pg_answers() {
    case $(sed -n 8p "$T/$1/postmaster.pid" 2> /dev/null) in ready* | standby*) [ "$(pg_sql "$1" 'SELECT 1')" = 1 ] ;; *) return 1 ;; esac
}
pg_start() { pg_launch "$1"; wait_for 120 "pg_answers $1"; }

pg_sql() { PGOPTIONS='' "$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$T" -p "$(pg_port "$1")" -U postgres "${3:-postgres}" -c "$2"; }

# As somebody on the network does it: pg_as USER PASSWORD NAME SQL
pg_as() {
    PGPASSWORD=$2 PGCONNECT_TIMEOUT=5 "$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(pg_port "$3")" -U "$1" app -c "$4"
}

pg_streams() { [ "$(pg_sql "$1" "SELECT status FROM pg_stat_wal_receiver")" = streaming ]; }
pg_in_recovery() { [ "$(pg_sql "$1" "SELECT pg_is_in_recovery()")" = t ]; }

pg_group() { # pg_group N [PREFIX]
    local i prefix=${2:-pg}
    for ((i = 1; i <= $1; i++)); do
        pg_new "$prefix-$i"
        [ $i = 1 ] || pg_follow "$prefix-$i" "$prefix-1"
        pg_launch "$prefix-$i"
    done
    for ((i = 1; i <= $1; i++)); do wait_for 120 "pg_answers $prefix-$i"; done
    for ((i = 2; i <= $1; i++)); do wait_for 120 "pg_streams $prefix-$i"; done
}

pg_promote() { pg_sql "$1" "SELECT pg_promote(true, 30)" > /dev/null || fail "pg_promote $1"; }
pg_stop() { stop "$1" INT 30; }
pg_crash() { crash "$1"; }

# A former primary, stopped, becomes fit to follow UPSTREAM.
pg_rewind() { # pg_rewind NAME UPSTREAM
    local port
    port=$(pg_port "$1")
    pg_sql "$2" "CHECKPOINT" # before 16, a new timeline is seen once it stands in the control file
    "${unprivileged[@]}" "$PG_BIN/pg_rewind" -D "$T/$1" --source-server="host=$T port=$(pg_port "$2") user=postgres dbname=postgres" \
        > "$T/rewind.out" 2>&1 || fail "pg_rewind $1"
    pg_set "$1" "port = $port" # it has copied the other's settings
    pg_follow "$1" "$2"
}

# A killed server leaves a few bytes of System V shared memory behind.
pg_forget_memory() {
    local id
    id=$(awk 'NR == 7 { print $2 }' "$1" 2> /dev/null)
    [ -z "$id" ] || "${unprivileged[@]}" ipcrm -m "$id" 2> /dev/null
}
