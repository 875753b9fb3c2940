# shellcheck shell=bash
# Asynchronous replication in depth, each story on this machine's MariaDB and on MySQL 9.

test_mariadb_a_cascade_is_told_as_it_is() { on_mariadb cascade; }
test_mariadb_a_channel_from_outside_hides_none_from_inside() { on_mariadb channels; }
test_mariadb_of_two_writable_servers_the_one_that_lacks_nothing_and_is_followed_wins() { on_mariadb two_writers; }
test_mariadb_an_account_that_may_write_anyway_makes_no_primary() { on_mariadb privileged; }
test_mysql_9_a_cascade_is_told_as_it_is() { versions_mysql_story sid cascade; }
test_mysql_9_a_channel_from_outside_hides_none_from_inside() { versions_mysql_story sid channels; } # twin
test_mysql_9_of_two_writable_servers_the_one_that_lacks_nothing_and_is_followed_wins() { versions_mysql_story sid two_writers; } # twin
test_mysql_9_an_account_that_may_write_anyway_makes_no_primary() { versions_mysql_story sid privileged; } # twin
test_mysql_9_offline_mode_withdraws_the_primary() { versions_mysql_story sid offline; }

# ---- stories --------------------------------------------------------------------

# my-1 feeds my-2, which feeds my-3.
cascade() {
    local name well
    servers my-1 my-2 my-3
    [ "$of" = my ] || my_sql my-1 "CREATE USER app@'%' IDENTIFIED BY 'app'; CREATE DATABASE app; GRANT ALL ON app.* TO app@'%'"
    follows my-2 my-1
    follows my-3 my-2
    fleet_on my-1 my-2 my-3
    well=".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1) and $(is_up my-3 my-2)"
    wait_topology 40 sales "$well"

    my_sql my-2 "SET GLOBAL read_only = 0" # a middle that is writable is no primary
    wait_report 20 sales probe-a "$(member my-2) | .writable and (.claim | not)"
    holds_for 3 '[ "$(topology sales .primary)" = my-1 ]'
    my_sql my-2 "SET GLOBAL $(read_only) = 1"

    freeze my-1 # those that it feeds say Yes, Yes and 0 all the while
    wait_topology 30 sales "[.members[] | .role, .lag] == [\"primary\", null, \"secondary\", null, \"secondary\", null]"
    for name in my-2 my-3; do "${of}_replicates" $name || fail "$name has noticed"; done
    thaw my-1
    wait_topology 30 sales "$well"

    my_crash my-2 # without its middle the leaf is broken
    wait_topology 30 sales "($(member my-2) | .health == \"down\") and ($(member my-3) | .lag.state == \"broken\") and .primary == \"my-1\""
    "${of}_start" my-2
    wait_topology 60 sales "$well"
    expect "the epoch" "$(topology sales .epoch)" 1

    window_table my-1
    window_start sales mysql my-1 my-2 my-3
    my_crash my-1
    "${of}_promote" my-2
    watch_sees 20 watch "$(at_my my-2)"
    wait_topology 30 sales ".primary == \"my-2\" and $(is_up my-3 my-2)"

    "${of}_switch" my-2 my-3 # and the leaf after it
    watch_sees 20 watch "$(at_my my-3)"
    wait_topology 30 sales ".primary == \"my-3\" and $(is_up my-2 my-3)"
    window_end 2000 2000 # a planned switch closes no connection: it is seen at the next look, an interval later
}

# my-2 is fed by my-1 and by another, which is no member.
channels() {
    servers my-1 my-2
    DOMAIN=7 servers other
    feed my-2 inside my-1
    feed my-2 abroad other # the first in order
    fleet_on my-1 my-2
    wait_topology 40 sales ".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1)"

    stop_feed my-2 inside
    wait_topology 20 sales "$(member my-2) | .upstream == \"my-1\" and .lag.state == \"broken\""

    # Fed from outside it is no primary, writable or not, with the primary there or not.
    my_sql my-2 "SET GLOBAL read_only = 0"
    my_crash my-1
    wait_report 20 sales probe-a "$(member my-2) | .writable and (.claim | not)"
    wait_topology 20 sales "($(member my-1) | .health == \"down\") and .primary == null"
    holds_for 3 '[ "$(topology sales .primary)" = null ]'
    stop_feed my-2 abroad
    watch_sees 20 watch "$(at_my my-2)"
}

two_writers() {
    servers my-1 my-2 my-3
    follows my-2 my-1
    follows my-3 my-1
    fleet_on my-1 my-2 my-3
    local well
    well=".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1) and $(is_up my-3 my-1)"
    wait_topology 40 sales "$well"

    stop_feeds my-2
    my_sql my-1 "CREATE DATABASE second" # which my-2 lacks
    "${of}_promote" my-2
    wait_topology 20 sales ".state == \"conflict\" and .primary == \"my-1\" and ($(member my-2) | .bar == \"lacks\")"
    wait_report 20 sales probe-a "$(member my-2) | .claim and .lacks == [\"my-1\"]"
    holds_for 3 '[ "$(topology sales .primary)" = my-1 ]'

    my_sql my-2 "SET GLOBAL $(read_only) = 1"
    follows my-2 my-1
    wait_for 20 "my_sql my-2 'SHOW DATABASES' | grep -qx second"
    wait_topology 30 sales "$well"
    expect "the epoch" "$(topology sales .epoch)" 1

    stop_feeds my-2
    "${of}_promote" my-2 # now it has all there is
    wait_topology 20 sales ".state == \"conflict\" and .primary == \"my-1\" and .rule == \"incumbent-holds\""
    stop_feeds my-3
    follows my-3 my-2 # and the other one is pointed to it
    watch_sees 20 watch "$(at_my my-2)"
    wait_topology 20 sales ".state == \"conflict\" and .primary == \"my-2\" and .rule == \"most-replicas\" and ($(member my-1) | .fenced)"
    my_sql my-1 "SET GLOBAL $(read_only) = 1"
    follows my-1 my-2
    wait_topology 30 sales ".state == \"ok\" and .primary == \"my-2\" and $(is_up my-1 my-2) and ($(member my-1) | .fenced | not)"
}

privileged() {
    servers my-1 my-2
    follows my-2 my-1
    if [ "$of" = my ]; then
        my_sql my-1 "GRANT READ_ONLY ADMIN, CONNECTION ADMIN ON *.* TO roster@'%'; GRANT ALL ON first_on_my1.* TO roster@'%'"
        wait_for 20 'my_as roster secret my-2 "CREATE TABLE IF NOT EXISTS first_on_my1.written (a INT)"'
    else
        my_sql my-1 "GRANT CONNECTION_ADMIN, SYSTEM_VARIABLES_ADMIN ON *.* TO roster@'%'; GRANT ALL ON first_on_my1.* TO roster@'%'"
        my_sql my-2 "SET GLOBAL super_read_only = 0" # leaves read_only, which CONNECTION_ADMIN is above
        wait_for 20 'my_as roster secret my-2 "CREATE TABLE IF NOT EXISTS first_on_my1.written (a INT)"'
    fi
    expect "my-2 is read-only" "$(my_sql my-2 'SELECT @@read_only')" 1
    fleet_on my-1 my-2
    wait_topology 40 sales ".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1)"
    my_crash my-1
    stop_feeds my-2
    wait_topology 20 sales '.primary == null'
    wait_report 20 sales probe-a "$(member my-2) | .answer == \"ok\" and (.writable | not) and (.claim | not)"
    holds_for 3 '[ "$(topology sales .primary)" = null ]'
    my_sql my-2 "SET GLOBAL read_only = 0"
    watch_sees 20 watch "$(at_my my-2)"
}

offline() {
    servers my-1 my-2
    follows my-2 my-1
    fleet_on my-1 my-2
    wait_topology 40 sales ".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1)"
    my_sql my-1 "SET GLOBAL offline_mode = ON" # cuts sessions, refuses new ones
    wait_topology 20 sales ".primary == null and ($(member my-1) | .reason == \"offline\" and .health == \"down\")"
    my_sql my-1 "SET GLOBAL offline_mode = OFF"
    wait_topology 30 sales ".state == \"ok\" and .primary == \"my-1\""

    my_sql my-1 "GRANT CONNECTION_ADMIN ON *.* TO roster@'%'; SET GLOBAL offline_mode = ON" # which lets the probes in, nobody else
    wait_topology 20 sales ".primary == null and ($(member my-1) | .reason == \"offline\")"
    my_as roster secret my-1 'SELECT 1' > /dev/null || fail "the probes are refused"
    my_sql my-1 "SET GLOBAL offline_mode = OFF"
    wait_topology 30 sales ".state == \"ok\" and .primary == \"my-1\""
}
