# shellcheck shell=bash
# Promoters that Debian has, doing what they do: roster asks none of them, and follows.

# Which standby was promoted: into NEW, the one left over into OTHER.
find_promoted() { # find_promoted NAME NAME
    wait_for 60 "! pg_in_recovery $1 || ! pg_in_recovery $2"
    if pg_in_recovery "$1"; then NEW=$2 OTHER=$1; else NEW=$1 OTHER=$2; fi
}

said() { grep -vx -e - "$T/watch.out" | tr '\n' ' '; } # watch, without the moments in which there was none

# It writes that down when all is done.
repmgr_knows_primary() { [ "$(pg_sql "$1" "SELECT type FROM repmgr.nodes WHERE node_name = '$1'" repmgr)" = primary ]; }

test_repmgr_fails_over_rejoins_and_switches_over() { # long
    [ -x "$PG_BIN/repmgr" ] || skip "there is no repmgr here"
    zk_start
    repmgr_group 3
    watched pg-1 pg-2 pg-3
    pg_crash pg-1
    find_promoted pg-2 pg-3
    watch_sees 5 watch "$(at_pg "$NEW")"
    wait_topology 40 orders "$(secondary "$OTHER" "$NEW")"
    wait_for 40 "repmgr_knows_primary $NEW"
    pg_sql "$NEW" "CHECKPOINT" # before 16, a new timeline is seen once it stands in the control file
    repmgr_on pg-1 node rejoin -d "host=127.0.0.1 port=$(pg_port "$NEW") user=repmgr dbname=repmgr" --force-rewind --config-files=postgresql.auto.conf
    wait_topology 40 orders ".state == \"ok\" and .primary == \"$NEW\" and ($(secondary pg-1 "$NEW")) and ($(secondary "$OTHER" "$NEW"))"
    expect "what watch said" "$(said)" "$(at_pg pg-1) $(at_pg "$NEW") "
    repmgr_on pg-1 standby switchover --siblings-follow
    watch_sees 5 watch "$(at_pg pg-1)"
    wait_topology 40 orders ".state == \"ok\" and .primary == \"pg-1\" and ($(secondary pg-2 pg-1)) and ($(secondary pg-3 pg-1))"
    expect "what watch said" "$(said)" "$(at_pg pg-1) $(at_pg "$NEW") $(at_pg pg-1) "
}

test_pg_auto_failover_switches_over_and_fails_over() { # long
    command -v pg_autoctl > /dev/null || skip "there is no pg_auto_failover here"
    zk_start
    autoctl_pair
    watched pg-1 pg-2
    wait_for 20 "autoctl_monitor perform switchover" # its monitor may find a deadlock of its own, and do nothing
    watch_sees 20 watch "$(at_pg pg-2)"
    wait_topology 40 orders ".state == \"ok\" and .primary == \"pg-2\" and ($(secondary pg-1 pg-2))"
    wait_for 40 'autoctl_settled pg-2 pg-1'
    autoctl_kill pg-2
    wait_for 60 '! pg_in_recovery pg-1'
    watch_sees 5 watch "$(at_pg pg-1)"
    autoctl_run pg-2
    wait_topology 60 orders ".state == \"ok\" and .primary == \"pg-1\" and ($(secondary pg-2 pg-1))"
    expect "what watch said" "$(said)" "$(at_pg pg-1) $(at_pg pg-2) $(at_pg pg-1) "
}
