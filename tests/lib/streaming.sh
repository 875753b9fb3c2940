# shellcheck shell=bash
# PostgreSQL servers as the cluster orders.
#
#     watched MEMBER...             three probes and a watch; the first one is the primary
#     secondary NAME UPSTREAM [JQ]  a filter for the topology: as which NAME is to be shown
#     is_the_primary NAME           another: without a fence
#     pg_rebuild NAME UPSTREAM      its data are thrown away, and copied from there

# The servers given, three probes and a watch; the first one is the primary.
watched() { # watched MEMBER...
    cluster_pg orders 3 "$@"
    fleet_start 3
    wait_topology 30 orders ".state == \"ok\" and .primary == \"$1\" and ([.members[].health] | unique) == [\"up\"]"
    watch_start watch orders
    watch_sees 10 watch "$(at_pg "$1")"
}

pg_reload() { pg_sql "$1" "SELECT pg_reload_conf()" > /dev/null; }

# secondary NAME UPSTREAM [JQ]: as which NAME is to be shown, all well.
secondary() { echo "$(member "$1") | .role == \"secondary\" and .upstream == \"$2\" and .lag.state == \"ok\" and (.fenced | not)${3:+ and $3}"; }

# Rebuilt from a base backup of UPSTREAM: as a standby, or by mistake to recover to the end of its archive and then be a primary.
pg_rebuild() { # pg_rebuild NAME UPSTREAM [RESTORE_COMMAND]
    local port
    port=$(pg_port "$1")
    pg_stop "$1"
    rm -rf "${T:?}/$1"
    "${unprivileged[@]}" "$PG_BIN/pg_basebackup" -D "$T/$1" -h "$T" -p "$(pg_port "$2")" -U postgres -X stream -c fast
    pg_set "$1" "port = $port"
    pg_follow "$1" "$2"
    [ $# = 2 ] || { mv "$T/$1/standby.signal" "$T/$1/recovery.signal" && pg_set "$1" "restore_command = '$3'"; }
    pg_start "$1"
}

is_the_primary() { echo ".primary == \"$1\" and ($(member "$1") | .fenced | not)"; }
