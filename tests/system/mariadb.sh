# shellcheck shell=bash
# MariaDB with asynchronous replication: no order among claims, so the incumbent counts.

sales() {
    zk_start
    my_pair
    cluster_my sales 3 my-1 my-2
    fleet_start 3
    wait_topology 30 sales '.state == "ok" and .primary == "my-1" and ([.members[].health] | unique) == ["up"]'
    watch_start watch sales
    watch_sees 10 watch "$(at_my my-1)"
}

member() { echo "(.members[] | select(.name == \"$1\"))"; }

test_a_planned_switch_reaches_watch() {
    sales
    expect "my-2's role" "$(topology sales "$(member my-2) | .role")" secondary
    expect "my-2's upstream" "$(topology sales "$(member my-2) | .upstream")" my-1
    my_switch my-1 my-2
    watch_sees 15 watch "$(at_my my-2)"
    wait_topology 20 sales ".state == \"ok\" and ($(member my-1) | .role == \"secondary\" and .upstream == \"my-2\" and (.fenced | not))"
    expect_code 0 roster route sales write
    expect_text "$T/said" "$(at_my my-2)"
    my_switch my-2 my-1
    watch_sees 15 watch "$(at_my my-1)"
    wait_topology 20 sales '.state == "ok" and .primary == "my-1"'
}

test_a_killed_primary_is_followed_by_the_replica_that_is_promoted() {
    sales
    my_crash my-1
    my_sql my-2 "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0"
    watch_sees 15 watch "$(at_my my-2)"
    # It comes back as it was, writable, replicating from nobody.
    sed -i '/^read-only$/d' "$T/my-1.cnf"
    my_start my-1
    expect "my-1 read_only" "$(my_sql my-1 'SELECT @@read_only')" 0
    wait_topology 20 sales '.state == "conflict" and .primary == "my-2" and (.why | test("my-1"))'
    expect_code 0 roster route sales write --count 20
    expect_no_text "$T/said" "$(at_my my-1)"
    expect_code 0 roster route sales read --count 20 --fallback
    expect_no_text "$T/said" "$(at_my my-1)"
    expect "how often watch named my-1" "$(grep -cx "$(at_my my-1)" "$T/watch.out")" 1
    my_sql my-1 "SET GLOBAL read_only=1; SET GLOBAL gtid_slave_pos='$(my_position my-1)'"
    my_follow my-1 my-2
    wait_topology 20 sales ".state == \"ok\" and ($(member my-1) | .role == \"secondary\" and (.fenced | not))"
}

test_a_writable_replica_is_no_primary() {
    sales
    my_sql my-2 "SET GLOBAL read_only=0"
    holds_for 5 "[ \"\$(watch_last watch)\" = \"$(at_my my-1)\" ]"
    expect "the primary" "$(topology sales .primary)" my-1
    expect "the epoch" "$(topology sales .epoch)" 1
}

test_a_broken_replica_is_shown_as_broken() {
    sales
    my_sql my-2 "STOP SLAVE SQL_THREAD"
    wait_topology 20 sales "$(member my-2) | .lag.state == \"broken\""
    my_sql my-2 "START SLAVE SQL_THREAD"
    wait_topology 20 sales "$(member my-2) | .lag.state == \"ok\""
}

test_a_refused_password_is_no_death() { # long
    local refused before
    sales
    my_sql my-1 "SET PASSWORD FOR roster@'%' = PASSWORD('another')"
    wait_for 10 '! my_as roster secret my-2 "SELECT 1"'
    before=$(my_sql my-1 "SHOW GLOBAL STATUS LIKE 'Access_denied_errors'" | cut -f2)
    for name in my-1 my-2; do
        my_sql $name "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE user = 'roster'" | while read -r statement; do
            my_sql $name "$statement" || true
        done
    done
    wait_topology 20 sales '[.members[].reason] | unique == ["auth"]'
    expect "the primary" "$(topology sales .primary)" my-1
    sleep 15
    refused=$(($(my_sql my-1 "SHOW GLOBAL STATUS LIKE 'Access_denied_errors'" | cut -f2) - before))
    [ $refused -le 18 ] || fail "$refused failed logins on my-1 in 15 s"
    my_sql my-1 "SET PASSWORD FOR roster@'%' = PASSWORD('secret')"
    wait_topology 90 sales '.state == "ok" and all(.members[]; has("reason") | not)'
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_my my-1)"
}

test_a_missing_privilege_is_told() {
    zk_start
    my_pair
    my_sql my-1 "REVOKE SLAVE MONITOR ON *.* FROM roster@'%'"
    wait_for 10 '! my_as roster secret my-2 "SHOW SLAVE STATUS"'
    cluster_my sales 1 my-1 my-2
    fleet_start 1
    wait_report 20 sales probe-a '[.members[].answer] | unique == ["privilege"]'
    expect_text "$T/probe-a.log" 'SLAVE MONITOR|REPLICA MONITOR'
    wait_for 10 'roster explain sales | grep -q "the account lacks SLAVE MONITOR"'
}
