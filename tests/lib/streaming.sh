# shellcheck shell=bash
# PostgreSQL servers as the cluster orders.
#
#     watched MEMBER...             three probes and a watch; the first one is the primary
#     secondary NAME UPSTREAM [JQ]  a filter for the topology: as which NAME is to be shown

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
