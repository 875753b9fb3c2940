# shellcheck shell=bash
# What servers say of themselves, PostgreSQL's above all: errors at log-in and in a session, sessions that are ended, a primary that is
# closed by a setting, standbys by other names, histories of one number.

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

test_mariadb_an_init_connect_that_fails_takes_nobody_out() {
    zk_start
    my_new my-1
    my_start my-1
    my_sql my-1 "SET GLOBAL read_only = 0"
    cluster_my sales 1 my-1
    fleet_start 1
    wait_topology 30 sales '.state == "ok"'
    my_sql my-1 "SET GLOBAL init_connect = 'SELECT nonsense'"
    wait_for 20 'grep -q "init_connect command failed" "$T/my-1.log"' # of a fresh connection
    through_beats 1 "topology_is sales '.state == \"ok\" and (.members[0] | .health == \"up\" and (has(\"reason\") | not))'"
    my_sql my-1 "KILL USER roster"
    wait_topology 20 sales "$(shows my-1 auth primary)"
    expect_no_text "$T/probe-a.log" 'went (stalled|protocol)'
}

# An alarm lasts for a second, and looks forty times in it.
test_sessions_that_a_server_ends_for_being_idle_are_no_news() {
    zk_start
    pg_new pg-1
    my_new my-1
    pg_start pg-1
    my_start my-1
    pg_sql pg-1 "ALTER ROLE roster SET idle_session_timeout = '1s'"
    my_sql my-1 "SET GLOBAL wait_timeout = 1, log_warnings = 4, read_only = 0"
    PROBE_SETTINGS=$'log_level = info\ninterval = 3s'
    cluster_pg orders 1 pg-1
    cluster_my sales 1 my-1
    fleet_start 1
    wait_topology 30 orders '.state == "ok"'
    wait_topology 30 sales '.state == "ok"'
    wait_for 20 '[ "$(grep -c "idle-session timeout" "$T/pg-1.log")" -ge 2 ]'
    wait_for 20 '[ "$(grep -c "Aborted connection" "$T/my-1.log")" -ge 2 ]'
    expect_no_text "$T/probe-a.log" 'looking closely: .*(unasked|broke)'
    topology_is orders '.state == "ok" and .epoch == 1'
}

test_mysql_9_sessions_that_it_ends_for_being_idle_are_no_news() { versions_mysql_story sid idle_sessions; }

idle_sessions() {
    mysql_new my-1
    mysql_start my-1
    my_sql my-1 "SET GLOBAL wait_timeout = 1; SET GLOBAL read_only = 0"
    PROBE_SETTINGS=$'log_level = info\ninterval = 3s'
    CLUSTER_SETTINGS='tls = require'
    cluster_my sales 1 my-1
    fleet_start 1
    wait_topology 30 sales '.state == "ok"'
    wait_for 20 '[ "$(my_sql my-1 "SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = '\''Aborted_clients'\''")" -ge 2 ]'
    expect_no_text "$T/probe-a.log" 'looking closely: .*(unasked|broke)|my-1 went'
    topology_is sales '.state == "ok" and .epoch == 1'
}

# A former primary, pg-1, with writes of its own, beside pg-2, which was promoted.
two_histories() {
    zk_start
    pg_group 2
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    wait_topology 30 orders '.state == "ok" and ([.members[].health] | unique) == ["up"]'
    pg_crash pg-1
    pg_promote pg-2
    wait_topology 20 orders '.primary == "pg-2" and .lineage == "2"'
    pg_start pg-1
    wait_topology 20 orders '.state == "conflict"'
    pg_sql pg-1 "CREATE TABLE own (t text); INSERT INTO own SELECT repeat('x', 1000) FROM generate_series(1, 100)"
}

# It is made a standby as it is, and tries to stream, in vain or not.
follows_unrewound() {
    pg_stop pg-1
    pg_set pg-1 "restore_command = ''"
    pg_follow pg-1 pg-2
    pg_start pg-1
    wait_for 20 'grep -q "'"$1"'" "$T/pg-1.log"'
    through_beats 1 "topology_is orders '$(member pg-1) | .fenced and .role == \"none\"'"
    expect_code 5 roster route orders read
}

test_a_former_primary_that_follows_its_own_history_stays_fenced() {
    two_histories
    follows_unrewound 'new timeline 2 forked off'
    pg_stop pg-1
    pg_rewind pg-1 pg-2
    pg_start pg-1
    wait_topology 20 orders "$(secondary pg-1 pg-2)"
}

test_a_former_primary_that_follows_another_history_of_its_number_stays_fenced() {
    two_histories
    # It is promoted by mistake as well, to the number that the other one has, and is ahead of that.
    pg_stop pg-1
    pg_set pg-1 "restore_command = 'false'"
    : > "$T/pg-1/recovery.signal"
    own "$T/pg-1/recovery.signal"
    pg_start pg-1
    wait_topology 20 orders "$(member pg-1) | .record.lineage == \"2\""
    follows_unrewound 'started streaming WAL'
    expect "its stream" "$(pg_sql pg-1 "SELECT status FROM pg_stat_wal_receiver")" streaming
    # The other one passes it: what it receives does not fit.
    pg_sql pg-2 "CREATE TABLE theirs (t text); INSERT INTO theirs SELECT repeat('z', 1000) FROM generate_series(1, 2000)"
    through_beats 1 "topology_is orders '$(member pg-1) | .fenced and .role == \"none\"'"
    pg_rebuild pg-1 pg-2
    pg_sql pg-2 "INSERT INTO theirs SELECT 'more'"
    wait_topology 20 orders "$(secondary pg-1 pg-2)"
}

test_a_primary_that_is_closed_by_a_setting_serves_no_reads_within_limits() {
    zk_start
    pg_group 2
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    wait_topology 30 orders '.state == "ok" and ([.members[].health] | unique) == ["up"]'
    pg_set pg-1 "default_transaction_read_only = on"
    pg_reload pg-1
    wait_topology 20 orders ".state == \"no-primary\" and .rule == \"not-writable\" and ($(member pg-1) | .lag.state == \"broken\")"
    # While there is another it is not read from; alone it is, by those that set no limit.
    wait_topology 20 orders "$(secondary pg-2 pg-1)"
    expect_code 0 roster route orders read --count 20
    expect_no_text "$T/said" "$(at_pg pg-1)"
    pg_crash pg-2
    wait_topology 20 orders "$(member pg-2) | .health == \"down\""
    expect_code 0 roster route orders read
    expect_text "$T/said" "$(at_pg pg-1)"
    expect_code 5 roster route orders read --max-lag 1m --strict
    expect_code 0 roster show orders
    expect_text "$T/said" 'pg-1 .*broken'
}

test_a_primary_whose_standbys_stream_by_other_names_is_not_withdrawn_where_its_port_is_refused() {
    zk_start
    pg_group 2
    port_take
    VIP=$PORT
    pg_port pg-1 > "$T/vip.to"
    start vip "$B/relay" "$VIP" "$T/vip.to"
    vip_port() { [ "$1" = pg-1 ] && echo "$VIP" || pg_port "$1"; }
    {
        printf '\n[cluster orders]\nengine = postgresql\nwitnesses = 1\nuser = roster\ndatabase = postgres\npassword_file = %s\n' "$(password_file)"
        members_of orders vip_port pg-1 pg-2
    } > "$(cluster_file)"
    fleet_start 1
    wait_topology 30 orders ".state == \"ok\" and .primary == \"pg-1\" and ($(member pg-2) | .role == \"secondary\" and (has(\"upstream\") | not))"
    send USR1 vip
    crash vip
    wait_topology 20 orders "$(member pg-1) | .reason == \"refused\""
    through_beats 1 "topology_is orders '.primary == \"pg-1\" and .state == \"suspect\"'"
    # Once it is gone, nobody streams from anywhere.
    pg_crash pg-1
    wait_topology 20 orders '.state == "no-primary" and .rule == "refused"'
}
