# shellcheck shell=bash
# PostgreSQL in depth: standbys of standbys, paused, archived, cut off; fences
# by setting; histories that part and meet again.

# A primary, its standby pg-2, and pg-3, which streams from that.
cascade() {
    zk_start
    pg_group 2
    pg_new pg-3
    pg_follow pg-3 pg-2
    pg_start pg-3
    wait_for 30 'pg_streams pg-3'
}

# Whose standbys a commit waits for, as one is shown.
awaited_are() { # awaited_are NAMES
    wait_topology 20 orders "[.members[] | select(.sync) | .name] | join(\" \") == \"$1\""
}

lag_is() { echo "$(member "$1") | .role == \"secondary\" and .lag.state == \"$2\""; }

# Puts about so many megabytes into the WAL.
wal_grow() { # wal_grow NAME MEGABYTES
    pg_sql "$1" "CREATE TABLE IF NOT EXISTS filler (t text); INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, $2 * 1000)"
}

# What a driver sees, on one line.
looks() { "$B/look" --timeout 5s --password-file "$(password_file)" "$(at_pg "$1")" > "$T/seen"; }

test_the_lag_of_a_cascade_is_measured_from_its_root() {
    cascade
    watched pg-1 pg-2 pg-3
    wait_topology 20 orders "$(secondary pg-2 pg-1)"
    wait_topology 20 orders "$(secondary pg-3 pg-2)"
    # What does not reach the middle does not reach the leaf, whose own stream is up and says nothing of it.
    pg_set pg-2 "primary_conninfo = 'host=127.0.0.1 port=1 user=replicator'"
    pg_reload pg-2
    wait_for 20 '! pg_streams pg-2'
    wal_grow pg-1 4
    expect "pg-3's stream" "$(pg_sql pg-3 "SELECT status FROM pg_stat_wal_receiver")" streaming
    wait_topology 20 orders "$(lag_is pg-2 broken) and .lag.bytes > 1000000"
    wait_topology 20 orders "$(lag_is pg-3 broken) and .lag.bytes > 1000000"
    pg_follow pg-2 pg-1
    pg_reload pg-2
    wait_topology 40 orders "$(secondary pg-2 pg-1 '.lag.bytes < 1000000')"
    wait_topology 40 orders "$(secondary pg-3 pg-2 '.lag.bytes < 1000000')"
}

test_the_middle_of_a_cascade_is_promoted_and_its_standby_stays_with_it() {
    cascade
    watched pg-1 pg-2 pg-3
    window_table pg-1
    window_start orders postgresql pg-1 pg-2 pg-3
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 10 watch "$(at_pg pg-2)"
    wait_topology 20 orders "$(secondary pg-3 pg-2)"
    wait_topology 10 orders '.state == "ok" and .lineage == "2"'
    window_end 1000 1000
    pg_start pg-1
    wait_topology 10 orders ".state == \"conflict\" and .primary == \"pg-2\" and ($(member pg-1) | .claims and .fenced)"
    expect "how often watch named pg-1" "$(grep -cx "$(at_pg pg-1)" "$T/watch.out")" 1
}

# Promoted under a primary that lives: the newer history wins, and who follows the older one is not up to date.
test_who_follows_the_older_history_has_broken_lag() {
    zk_start
    pg_group 3
    watched pg-1 pg-2 pg-3
    pg_promote pg-2
    watch_sees 10 watch "$(at_pg pg-2)"
    wait_topology 10 orders ".state == \"conflict\" and .primary == \"pg-2\" and ($(member pg-1) | .claims and .fenced)"
    expect "pg-3's stream" "$(pg_sql pg-3 "SELECT status FROM pg_stat_wal_receiver")" streaming
    wait_topology 10 orders "$(lag_is pg-3 broken) and .upstream == \"pg-1\""
    pg_stop pg-3
    pg_rewind pg-3 pg-2 # it may have what pg-1 alone has written since
    pg_start pg-3
    wait_topology 30 orders "$(secondary pg-3 pg-2)"
}

test_a_paused_replay_is_broken_lag_until_it_goes_on() {
    zk_start
    pg_group 2
    watched pg-1 pg-2
    wait_topology 20 orders "$(secondary pg-2 pg-1)"
    pg_sql pg-2 "SELECT pg_wal_replay_pause()"
    wait_topology 10 orders "$(lag_is pg-2 broken) and .upstream == \"pg-1\" and .condition == \"paused\""
    wal_grow pg-1 4
    wait_topology 20 orders "$(member pg-2) | .lag.bytes > 1000000"
    pg_sql pg-2 "SELECT pg_wal_replay_resume()"
    wait_topology 30 orders "$(secondary pg-2 pg-1 '.lag.bytes < 1000000 and (has("condition") | not)')"
}

# Its sockets stay: nothing comes, everything that came is replayed.
test_below_a_frozen_primary_lag_is_not_known() {
    zk_start
    pg_group 2
    watched pg-1 pg-2
    wait_topology 20 orders "$(secondary pg-2 pg-1 '.lag.ms == 0')"
    freeze pg-1
    wait_topology 20 orders "$(member pg-2) | .role == \"secondary\" and .lag.state != \"ok\" and .lag.ms == null"
    expect "pg-2's stream" "$(pg_sql pg-2 "SELECT status FROM pg_stat_wal_receiver")" streaming
    thaw pg-1
    wait_topology 30 orders "$(secondary pg-2 pg-1 '.lag.ms == 0')"
}

# It may not connect any more; everything that it has received is replayed, and says nothing of what it misses.
test_a_dead_receiver_is_broken_although_everything_received_is_replayed() {
    zk_start
    pg_group 2
    watched pg-1 pg-2
    wait_topology 20 orders "$(secondary pg-2 pg-1)"
    pg_set pg-2 "primary_conninfo = 'host=127.0.0.1 port=$(pg_port pg-1) user=replicator password=wrong'"
    pg_reload pg-2
    pg_sql pg-1 "SELECT pg_terminate_backend(pid) FROM pg_stat_replication" > /dev/null
    wait_for 20 '[ -z "$(pg_sql pg-2 "SELECT status FROM pg_stat_wal_receiver")" ]'
    expect "received and not replayed" "$(pg_sql pg-2 "SELECT pg_last_wal_receive_lsn() - pg_last_wal_replay_lsn()")" 0
    wait_topology 20 orders "$(lag_is pg-2 broken)"
    expect "the state" "$(topology orders .state)" ok
    looks pg-2
    expect_text "$T/seen" 'live=no .*archived=no'
}

# Fed from an archive alone, it is as far behind as its position says; one that has asked for a stream in vain is broken.
test_a_standby_that_an_archive_feeds_is_no_broken_one() {
    zk_start
    mkdir "$T/archive"
    own "$T/archive"
    pg_new pg-1
    pg_set pg-1 "archive_mode = on"
    pg_set pg-1 "archive_command = 'cp %p $T/archive/%f'"
    pg_start pg-1
    pg_new pg-2
    pg_follow pg-2 pg-1
    pg_set pg-2 "primary_conninfo = ''"
    pg_set pg-2 "restore_command = 'cp $T/archive/%f %p'"
    pg_start pg-2
    watched pg-1 pg-2
    wal_grow pg-1 4
    pg_sql pg-1 "SELECT pg_switch_wal()" > /dev/null
    wait_topology 30 orders "$(lag_is pg-2 ok) and .lag.bytes < 4000000 and .upstream == null"
    wait_for 20 '[ "$(pg_sql pg-2 "SELECT count(*) FROM filler" 2> /dev/null)" = 4000 ]'
    looks pg-2
    expect_text "$T/seen" 'live=no .*archived=yes'
    pg_set pg-2 "primary_conninfo = 'host=127.0.0.1 port=$(pg_port pg-1) user=replicator password=wrong'"
    pg_reload pg-2
    wait_topology 20 orders "$(lag_is pg-2 broken)"
}

# Operators fence by it, and it says so of the primary; what is set for the probes' account alone says nothing.
test_a_primary_that_is_read_only_by_default_is_none() {
    zk_start
    pg_group 2
    watched pg-1 pg-2
    pg_sql pg-1 "ALTER ROLE roster SET default_transaction_read_only = on"
    pg_sql pg-1 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'" > /dev/null
    wait_for 10 '[ "$(pg_as roster secret pg-1 "SHOW transaction_read_only")" = on ]'
    holds_for 4 "topology_is orders '.primary == \"pg-1\"'"
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_pg pg-1)"
    pg_set pg-1 "default_transaction_read_only = on"
    pg_reload pg-1
    holds_for 2 "topology_is orders '.primary == \"pg-1\"'" # the account's own setting hides the server's
    pg_sql pg-1 "BEGIN READ WRITE; ALTER ROLE roster RESET default_transaction_read_only; COMMIT"
    pg_sql pg-1 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'" > /dev/null
    wait_topology 10 orders '.primary == null and .state == "no-primary" and .rule == "not-writable"'
    watch_sees 10 watch -
    pg_set pg-1 "default_transaction_read_only = off"
    pg_reload pg-1
    watch_sees 10 watch "$(at_pg pg-1)"
    wait_topology 10 orders '.state == "ok"'
}

test_a_logical_subscriber_is_a_stranger() {
    zk_start
    pg_new pg-1
    pg_set pg-1 "wal_level = logical"
    pg_start pg-1
    pg_new sub stranger
    pg_start sub
    pg_sql pg-1 "CREATE TABLE journal (id bigint PRIMARY KEY); CREATE PUBLICATION p FOR TABLE journal" app
    pg_sql sub "CREATE TABLE journal (id bigint PRIMARY KEY)" app
    pg_sql sub "CREATE SUBSCRIPTION s CONNECTION 'host=$T port=$(pg_port pg-1) user=postgres dbname=app' PUBLICATION p" app
    pg_sql pg-1 "INSERT INTO journal VALUES (1)" app
    wait_for 20 '[ "$(pg_sql sub "SELECT id FROM journal" app)" = 1 ]'
    cluster_pg orders 3 pg-1
    fleet_start 3
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1"'
    watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
    rm "$(cluster_file)"
    cluster_pg orders 3 pg-1 sub
    for name in $(fleet_names 3); do
        probe_write "$name"
        send HUP "$name"
    done
    wait_topology 20 orders "$(member sub) | .role == \"none\" and .reason == \"stranger\""
    expect "the state" "$(topology orders '.state + " " + .primary')" "ok pg-1"
    # Writable and alone, it still is no primary of this cluster.
    pg_crash pg-1
    wait_topology 20 orders '.primary == null'
    holds_for 3 "! grep -q '$(at_pg sub)' '$T/watch.out'"
}

# fail_over OLD NEW OTHER: OLD dies, NEW is promoted, OTHER follows it.
fail_over() {
    pg_crash "$1"
    pg_promote "$2"
    watch_sees 15 watch "$(at_pg "$2")"
    pg_follow "$3" "$2"
    pg_reload "$3"
    wait_topology 30 orders "$(secondary "$3" "$2")"
}

test_of_several_histories_the_newest_wins_and_older_ones_are_rivals() {
    zk_start
    pg_group 3
    watched pg-1 pg-2 pg-3
    fail_over pg-1 pg-2 pg-3
    pg_rewind pg-1 pg-2
    pg_start pg-1
    wait_topology 30 orders "$(secondary pg-1 pg-2)"
    # pg-2 dies on timeline 2, and stays away for two failovers.
    fail_over pg-2 pg-3 pg-1
    wait_topology 10 orders '.state == "ok" and .lineage == "3"'
    pg_crash pg-3
    pg_promote pg-1
    watch_sees 15 watch "$(at_pg pg-1)"
    wait_topology 10 orders '.state == "ok" and .lineage == "4"'
    pg_start pg-2
    wait_topology 10 orders ".state == \"conflict\" and .primary == \"pg-1\" and ($(member pg-2) | .claims and .fenced and .reason == \"rival\")"
    pg_start pg-3
    wait_topology 10 orders ".primary == \"pg-1\" and ($(member pg-3) | .claims and .fenced and .reason == \"rival\")"
    # Even without the newest beside them: what is known of it is not forgotten.
    pg_crash pg-1
    wait_topology 20 orders '.primary == null'
    holds_for 3 "topology_is orders '.primary == null'"
    pg_start pg-1
    watch_sees 15 watch "$(at_pg pg-1)"
    pg_stop pg-2
    pg_rewind pg-2 pg-1
    pg_start pg-2
    pg_stop pg-3
    pg_rewind pg-3 pg-1
    pg_start pg-3
    wait_topology 30 orders "$(secondary pg-2 pg-1)"
    wait_topology 30 orders "$(secondary pg-3 pg-1)"
    wait_topology 10 orders '.state == "ok" and .lineage == "4"'
    expect "whom watch named" "$(grep -vx -e - "$T/watch.out" | tr '\n' ' ')" \
        "$(at_pg pg-1) $(at_pg pg-2) $(at_pg pg-3) $(at_pg pg-1) $(at_pg pg-1) "
}

# The primary's word for whom a commit waits for, by the names that its standbys go by.
test_the_standbys_that_a_commit_waits_for_are_seen() {
    cascade
    pg_new pg-4
    pg_follow pg-4 pg-1
    pg_set pg-4 "primary_conninfo = 'host=127.0.0.1 port=$(pg_port pg-1) user=replicator password=replicator'"
    pg_set pg-4 "cluster_name = 'a name'"
    pg_start pg-4
    wait_for 30 'pg_streams pg-4'
    watched pg-1 pg-2 pg-3 pg-4
    awaited_are ""
    pg_set pg-1 "synchronous_standby_names = 'FIRST 1 (\"pg-2\", \"a name\")'"
    pg_reload pg-1
    awaited_are pg-2
    # When it is gone, the next one takes its place.
    pg_stop pg-2
    awaited_are pg-4
    pg_start pg-2
    awaited_are pg-2
    pg_set pg-1 "synchronous_standby_names = 'ANY 1 (\"pg-2\", \"a name\")'"
    pg_reload pg-1
    awaited_are "pg-2 pg-4"
    # Two of one name, and a commit waits for one of them alone: which is it?
    pg_set pg-4 "cluster_name = 'pg-2'"
    pg_stop pg-4
    pg_start pg-4
    pg_set pg-1 "synchronous_standby_names = 'FIRST 1 (\"pg-2\")'"
    pg_reload pg-1
    wait_for 20 '[ "$(pg_sql pg-1 "SELECT string_agg(sync_state, chr(32) ORDER BY sync_state) FROM pg_stat_replication")" = "potential sync" ]'
    awaited_are ""
}

test_a_missing_privilege_is_named() {
    zk_start
    pg_group 2
    pg_sql pg-1 "REVOKE pg_read_all_stats FROM roster"
    watched pg-1 pg-2 # role and timeline are seen all the same
    wait_for 20 'roster explain orders | grep -q "the account lacks pg_read_all_stats"'
    expect_text "$T/probe-a.log" 'the account lacks pg_read_all_stats'
}
