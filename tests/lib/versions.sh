# shellcheck shell=bash
# One story for servers of any version: what they say of themselves, a planned
# switch, a killed primary. Three probes, a router that follows.
#
#     versions_postgresql RELEASE VERSION    the version's first number or two
#     versions_mariadb RELEASE VERSION
#     versions_mysql RELEASE VERSION

# All is well, whatever was before.
versions_settled() { # versions_settled CLUSTER PRIMARY SECONDARY VERSION ADDRESS
    local of='.members[] | select(.name == '
    wait_topology 40 "$1" ".state == \"ok\" and .primary == \"$2\" and ([.members[].health] | unique) == [\"up\"]"
    wait_topology 20 "$1" "$of\"$3\") | .role == \"secondary\" and .upstream == \"$2\" and .lag.state == \"ok\" and (.fenced | not)"
    wait_report 20 "$1" probe-a ".members | all(.answer == \"ok\" and (.version | startswith(\"$4.\")))"
    watch_sees 10 watch "$5"
}

versions_postgresql() {
    elsewhere "$1" "lib/postgresql/$2/bin/postgres" "$2"
    PG_BIN=$ELSEWHERE
    TEMPLATES=$T
    zk_start
    pg_group 2
    cluster_pg orders 3 pg-1 pg-2
    fleet_start 3
    watch_start watch orders
    versions_settled orders pg-1 pg-2 "$2" "$(at_pg pg-1)"

    pg_stop pg-1
    pg_promote pg-2
    watch_sees 15 watch "$(at_pg pg-2)"
    pg_follow pg-1 pg-2
    pg_start pg-1
    versions_settled orders pg-2 pg-1 "$2" "$(at_pg pg-2)"
    expect "the timeline" "$(topology orders .lineage)" 2

    pg_crash pg-2
    pg_promote pg-1
    watch_sees 15 watch "$(at_pg pg-1)"
    wait_topology 10 orders '.lineage == "3"'
}

# Both kinds of MySQL, once my-1 is the primary and my-2 its replica: SWITCH OLD NEW, PROMOTE NAME.
versions_of_a_pair() { # versions_of_a_pair VERSION SWITCH PROMOTE
    cluster_my sales 3 my-1 my-2
    fleet_start 3
    watch_start watch sales
    versions_settled sales my-1 my-2 "$1" "$(at_my my-1)"
    "$2" my-1 my-2
    watch_sees 15 watch "$(at_my my-2)"
    versions_settled sales my-2 my-1 "$1" "$(at_my my-2)"
    my_crash my-2
    "$3" my-1
    watch_sees 15 watch "$(at_my my-1)"
}

versions_mariadb() {
    elsewhere "$1" sbin/mariadbd "$2"
    PATH=${ELSEWHERE%/*}/bin:$ELSEWHERE:$PATH
    TEMPLATES=$T
    zk_start
    my_pair
    versions_of_a_pair "$2" my_switch my_promote
}

# With accounts as MySQL makes them, which want an encrypted connection; and the least rights there are.
versions_mysql() {
    elsewhere "$1" sbin/mysqld "$2"
    zk_start
    mysql_pair
    CLUSTER_SETTINGS='tls = require'
    versions_of_a_pair "$2" mysql_switch mysql_promote
    expect_code 1 "$B/look" --engine mysql --timeout 5s --password-file "$T/password" --tls off "$(at_my my-1)"
    expect_text "$T/said" 'answer=auth .*tls = require'
    my_sql my-1 "REVOKE REPLICATION CLIENT ON *.* FROM roster@'%'"
    expect_code 1 "$B/look" --engine mysql --timeout 5s --password-file "$T/password" --tls require "$(at_my my-1)"
    expect_text "$T/said" 'answer=privilege .*missing=REPLICATION CLIENT'
}
