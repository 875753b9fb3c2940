# shellcheck shell=bash
# What PostgreSQL servers say of themselves, and what follows from it: errors at log-in and in a session, a primary that is closed by
# a setting, standbys by other names, histories of one number.

PROBE_SETTINGS='interval = 200ms' # a fresh connection, which is tried at every tenth look, soon

# The probes' sessions there end; what they are told at their next log-in counts.
unseat() { pg_sql "$1" "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'" > /dev/null; }
shows() { echo "$(member "$1") | .health == \"up\" and .reason == \"$2\" and .role == \"$3\""; } # shows NAME REASON ROLE

test_an_error_at_log_in_or_in_a_session_takes_nobody_out() {
    zk_start
    pg_group 2
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    wait_topology 30 orders '.state == "ok" and ([.members[].health] | unique) == ["up"]'
    watch_start watch orders
    # Each log-in fails from now on; old sessions are as good as before, and a promotion is seen over them.
    pg_sql pg-1 "ALTER ROLE roster SET session_preload_libraries = 'nolib'"
    wait_for 20 'grep -q nolib "$T/pg-1.log" && grep -q nolib "$T/pg-2.log"'
    through_beats 1 "topology_is orders '.state == \"ok\" and all(.members[]; .health == \"up\" and (has(\"reason\") | not))'"
    # Without a session it is up, and stays what it was.
    unseat pg-1
    wait_topology 20 orders "$(shows pg-1 auth primary)"
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 10 watch "$(at_pg pg-2)"
    # Whose role is dropped has an open session, in which nothing can be asked.
    pg_sql pg-2 "DROP ROLE roster"
    wait_topology 20 orders "$(shows pg-2 privilege primary)"
    expect "what watch said" "$(grep -vx -e - "$T/watch.out" | tr '\n' ' ')" "$(at_pg pg-1) $(at_pg pg-2) "
    expect_no_text "$T/probe-a.log" 'stalled|protocol'
}
