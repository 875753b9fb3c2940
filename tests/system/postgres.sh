# shellcheck shell=bash
# PostgreSQL: a promotion, planned or not, reaches a router; what is not the primary never does.

# A primary, two standbys and three probes, settled; a watch that follows.
orders() {
    zk_start
    pg_group 3
    cluster_pg orders 3 pg-1 pg-2 pg-3
    fleet_start 3
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1" and ([.members[].health] | unique) == ["up"]'
    watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
}

member() { echo "(.members[] | select(.name == \"$1\"))"; } # for jq

test_a_killed_primary_and_a_promoted_standby_reach_watch() {
    orders
    expect "pg-2's role" "$(topology orders "$(member pg-2) | .role")" secondary
    expect "pg-3's upstream" "$(topology orders "$(member pg-3) | .upstream")" pg-1
    expect "the epoch" "$(topology orders .epoch)" 1
    pg_crash pg-1
    wait_topology 10 orders '.primary != "pg-1"'
    pg_promote pg-2
    watch_sees 10 watch "$(at_pg pg-2)"
    wait_topology 10 orders '.lineage == "2" and .epoch > 1'
    wait_topology 10 orders "$(member pg-1) | .role == \"none\" and .health == \"down\" and .reason == \"refused\" and .fenced"
    # Nothing but the three states it went through, in order, each once.
    expect "what watch said" "$(grep -vx -e - "$T/watch.out" | tr '\n' ' ')" "$(at_pg pg-1) $(at_pg pg-2) "
    # Whom the third follows now is not roster's business, but it must be told.
    pg_follow pg-3 pg-2
    pg_stop pg-3
    pg_start pg-3
    wait_topology 15 orders "$(member pg-3) | .role == \"secondary\" and .upstream == \"pg-2\" and .lag.state == \"ok\""
}

test_a_planned_switchover_ends_with_the_old_primary_as_a_standby() {
    orders
    pg_stop pg-1
    pg_promote pg-2
    watch_sees 10 watch "$(at_pg pg-2)"
    pg_follow pg-1 pg-2
    pg_start pg-1
    wait_for 20 'pg_streams pg-1'
    wait_topology 20 orders "$(member pg-1) | .role == \"secondary\" and .upstream == \"pg-2\" and (.fenced | not)"
    wait_topology 20 orders '.state == "ok" and .primary == "pg-2"'
    # And back, the same way: nothing about it is special.
    pg_follow pg-3 pg-2
    pg_stop pg-3
    pg_start pg-3
    pg_stop pg-2
    pg_promote pg-1
    watch_sees 10 watch "$(at_pg pg-1)"
    wait_topology 10 orders '.lineage == "3"'
}

test_an_old_primary_that_comes_back_writable_is_never_routed() {
    local i
    orders
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 10 watch "$(at_pg pg-2)"
    pg_start pg-1
    expect "pg-1 in recovery" "$(pg_sql pg-1 'SELECT pg_is_in_recovery()')" f
    wait_topology 10 orders '.state == "conflict" and .primary == "pg-2" and (.why | test("pg-1"))'
    wait_topology 10 orders "$(member pg-1) | .claims and .fenced and .role == \"none\" and .reason == \"rival\""
    for i in 1 2 3 4 5; do
        expect_code 0 roster route orders write --count 20
        expect_no_text "$T/said" "$(at_pg pg-1)"
        expect_code 0 roster route orders read --count 20
        expect_no_text "$T/said" "$(at_pg pg-1)"
    done
    expect_code 0 roster explain orders
    expect_text "$T/said" 'pg-1'
    expect "how often watch named pg-1" "$(grep -cx "$(at_pg pg-1)" "$T/watch.out")" 1
    # Rewound and following, it is a member like any other.
    pg_stop pg-1
    pg_rewind pg-1 pg-2
    pg_start pg-1
    wait_topology 30 orders ".state == \"ok\" and ($(member pg-1) | .role == \"secondary\" and (.fenced | not))"
    expect "how often watch named pg-1" "$(grep -cx "$(at_pg pg-1)" "$T/watch.out")" 1
}

test_no_write_reaches_an_old_primary_that_comes_back() {
    local last
    orders
    pg_sql pg-1 "CREATE TABLE journal (id bigint, member text); ALTER TABLE journal OWNER TO app" app
    start writer "$B/writer" "$ZK" orders postgresql app app app
    wait_for 10 'grep -q "writes to pg-1" "$T/writer.log"'
    wait_for 10 '[ "$(pg_sql pg-1 "SELECT count(*) > 50 FROM journal" app)" = t ]'
    pg_crash pg-1
    pg_promote pg-2
    wait_for 10 'grep -q "writes to pg-2" "$T/writer.log"'
    pg_start pg-1
    wait_topology 10 orders '.state == "conflict" and .primary == "pg-2"'
    sleep 3 # a few hundred writes while both would take them
    stop writer
    expect "the writer's exit code" "$STATUS" 0
    last=$(tail -n 1 "$T/writer.log" | jq '.last["pg-1"]')
    # One beyond the last acknowledged: an insert that was under way when the server died.
    expect "writes on pg-1 from after its death" "$(pg_sql pg-1 "SELECT count(*) FROM journal WHERE id > $last + 1" app)" 0
    expect "the last write on pg-2" "$(pg_sql pg-2 "SELECT max(id) FROM journal" app)" "$(tail -n 1 "$T/writer.log" | jq '.last["pg-2"]')"
}

test_a_primary_restarted_in_place_keeps_its_role() {
    orders
    pg_stop pg-1
    wait_topology 10 orders '.state != "ok"'
    pg_start pg-1
    watch_sees 15 watch "$(at_pg pg-1)"
    wait_topology 20 orders '.state == "ok" and .primary == "pg-1" and .lineage == "1"'
    expect_no_text "$T/watch.out" "$(at_pg pg-2)|$(at_pg pg-3)"
}

test_a_hung_primary_is_suspected_and_not_replaced() {
    orders
    freeze pg-1
    wait_topology 20 orders '.state == "suspect" and .primary == "pg-1"'
    wait_topology 20 orders "$(member pg-1) | .health == \"down\" and (.reason == \"timeout\" or .reason == \"stalled\")"
    holds_for 3 "[ \"\$(watch_last watch)\" = \"$(at_pg pg-1)\" ]"
    thaw pg-1
    wait_topology 20 orders '.state == "ok" and .primary == "pg-1"'
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_pg pg-1)"
    expect "the epoch" "$(topology orders .epoch)" 1
}

test_a_hung_standby_leaves_the_read_pool_and_comes_back() {
    orders
    freeze pg-3
    wait_topology 20 orders "$(member pg-3) | .health == \"down\""
    expect_code 0 roster route orders read --count 20
    expect_no_text "$T/said" "$(at_pg pg-3)"
    thaw pg-3
    wait_topology 20 orders "$(member pg-3) | .health == \"up\""
    wait_for 10 "roster route orders read --count 20 | grep -q '$(at_pg pg-3)'"
}

test_a_hung_accept_loop_is_seen_although_old_sessions_answer() {
    orders
    kill -STOP "$(pid pg-1)" # the postmaster alone: its backends go on
    wait_topology 40 orders '.state == "suspect" and .primary == "pg-1"'
    kill -CONT "$(pid pg-1)"
    wait_topology 20 orders '.state == "ok"'
}

test_a_server_of_another_cluster_is_refused_and_shown() {
    orders
    pg_new guest stranger
    pg_start guest
    cluster_pg orders 3 pg-1 pg-2 pg-3 guest > /dev/null
    rm "$(cluster_file)"
    cluster_pg orders 3 pg-1 pg-2 pg-3 guest
    for name in $(fleet_names 3); do
        probe_write "$name"
        send HUP "$name"
    done
    wait_topology 20 orders "$(member guest) | .role == \"none\" and .reason == \"stranger\""
    expect "the primary" "$(topology orders .primary)" pg-1
    expect_code 0 roster route orders read --count 20
    expect_no_text "$T/said" "$(at_pg guest)"
    # Not even as the last one that is left.
    pg_crash pg-1
    pg_crash pg-2
    pg_crash pg-3
    wait_topology 20 orders '.primary == null'
    holds_for 3 "! grep -q '$(at_pg guest)' '$T/watch.out'"
}

test_a_refused_password_is_no_death_and_locks_no_account() { # long
    local before after
    orders
    pg_sql pg-1 "ALTER ROLE roster PASSWORD 'another'"
    wait_for 10 '! pg_as roster secret pg-3 "SELECT 1"'
    before=$(cat "$T"/pg-?.log | grep -c 'password authentication failed')
    for name in pg-1 pg-2 pg-3; do pg_sql $name "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'" > /dev/null; done
    wait_topology 20 orders '[.members[].reason] | unique == ["auth"]'
    wait_topology 20 orders '.primary == "pg-1" and ([.members[].health] | unique) == ["up"]'
    sleep 15 # a budget over time is what this looks at
    after=$(cat "$T"/pg-?.log | grep -c 'password authentication failed')
    # Three probes, three members: a handful each, where one a second would be 135.
    [ $((after - before)) -le 54 ] || fail "$((after - before)) failed logins in 15 s"
    expect_text "$T/probe-a.log" 'auth|password'
    expect_no_text "$T/probe-a.log" 'secret'
    expect "the primary" "$(topology orders .primary)" pg-1
    pg_sql pg-1 "ALTER ROLE roster PASSWORD 'secret'"
    wait_topology 90 orders '.state == "ok" and all(.members[]; has("reason") | not)'
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_pg pg-1)"
}

# Keeps every session that ordinary accounts can have; whoever ends one, it is taken again at once.
crowd() {
    local i
    cat > "$T/crowd" <<E2
while :; do
    "$PG_BIN/psql" -X -q -h "$T" -p $(pg_port "$1") -U app app -c 'SELECT pg_sleep(1000)'
    sleep 0.01
done
E2
    for ((i = 0; i < $2; i++)); do start "crowd-$i" bash "$T/crowd"; done
}

test_a_server_without_a_free_connection_is_alive() {
    zk_start
    pg_new pg-1
    pg_set pg-1 "max_connections = 12"
    pg_start pg-1
    cluster_pg orders 1 pg-1
    fleet_start 1
    wait_topology 30 orders '.state == "ok"'
    watch_start watch orders
    crowd pg-1 14
    kick() { pg_sql pg-1 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'"; }
    wait_for 30 'kick; topology orders ".members[0].reason" | grep saturated'
    expect "its health" "$(topology orders '.members[0].health')" up
    expect "the primary" "$(topology orders .primary)" pg-1
    for name in $(tracked | grep crowd); do
        pkill -KILL -P "$(pid "$name")" || true
        crash "$name"
    done
    pg_sql pg-1 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'" > /dev/null
    wait_topology 60 orders '.state == "ok" and (.members[0] | has("reason") | not)'
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_pg pg-1)"
}

test_a_fleet_on_an_ensemble_survives_a_leader() {
    local name leader
    zk_ensemble 3
    pg_group 3
    cluster_pg orders 3 pg-1 pg-2 pg-3
    fleet_start 3
    watch_start watch orders
    wait_topology 40 orders '.state == "ok" and .primary == "pg-1"'
    for name in zk1 zk2 zk3; do
        if zk_word $name srvr | grep -q 'Mode: leader'; then leader=$name; fi
    done
    crash "$leader"
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 40 watch "$(at_pg pg-2)"
    wait_topology 10 orders '.lineage == "2"'
}

test_one_probe_on_one_server_is_enough() {
    zk_start
    pg_group 2
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    watch_start watch orders
    watch_sees 30 watch "$(at_pg pg-1)"
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 10 watch "$(at_pg pg-2)"
}

test_a_minority_of_witnesses_changes_nothing() { # long
    orders
    crash probe-b
    crash probe-c
    sleep 10 # longer than three beats: they no longer count
    pg_crash pg-1
    pg_promote pg-2
    holds_for 8 "topology_is orders '.primary == \"pg-1\"'"
    probe_launch probe-b
    watch_sees 40 watch "$(at_pg pg-2)"
}
