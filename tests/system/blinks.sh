# shellcheck shell=bash
# Nobody inherits the writes because somebody else is gone: a primary that is away for a moment returns as what it was, and what
# stood beside it meanwhile, writable or not, is nobody's primary unless it was promoted.

test_mariadb_a_replica_stopped_by_hand_inherits_nothing() { on_mariadb stopped_by_hand; }
test_mariadb_a_replica_stopped_by_an_error_inherits_nothing() { on_mariadb stopped_by_an_error; }
test_mariadb_a_replica_started_without_its_channel_inherits_nothing() { on_mariadb started_without_its_channel; }
test_mysql_9_a_replica_stopped_by_hand_inherits_nothing() { versions_mysql_story sid stopped_by_hand; }
test_mysql_9_a_replica_stopped_by_an_error_inherits_nothing() { versions_mysql_story sid stopped_by_an_error; }
test_mysql_9_a_replica_started_without_its_channel_inherits_nothing() { versions_mysql_story sid started_without_its_channel; }

# ---- asynchronous replication -----------------------------------------------------

# my-1, which is writable whenever it starts, and my-2, which replicates from it and is writable as well.
pair_of_writable() {
    servers my-1 my-2
    writable_in_file my-1
    follows my-2 my-1
    my_sql my-1 "CREATE TABLE first_on_my1.journal (id INT PRIMARY KEY)"
    act my-2 open
    fleet_on my-1 my-2
    well
}

set_in() { echo "$2" >> "$T/$1.cnf"; } # set_in NAME LINE: the last word in the file is the one that counts
writable_in_file() { set_in "$1" 'read-only=0'; [ "$of" = my ] || set_in "$1" 'super-read-only=0'; }

well() { wait_topology 60 sales ".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1) and ($(member my-1) | .fenced | not)"; }

for_all_probes() { local name; for name in $(fleet_names 3); do wait_report 20 sales "$name" "$1"; done; }
channel_is_seen_stopped() { for_all_probes "$(member my-2) | .writable and .lag.state == \"broken\""; }
seen_to_lack() { for_all_probes "$(member my-2) | .lacks == [\"my-1\"]"; }

# What my-2 lacks until it replicates again.
ROW=0
write_a_row() { ROW=$((ROW + 1)); my_sql my-1 "INSERT INTO first_on_my1.journal VALUES ($ROW)"; }

# my-1 is away for two beats of the probes, and comes back.
blink() { # blink [COMMAND]: what happens meanwhile
    my_crash my-1
    wait_topology 20 sales "$(member my-1) | .health == \"down\""
    ${1:-:}
    inherits_nothing
    "${of}_start" my-1
}

inherits_nothing() { through_beats 2 "topology_is sales '.primary != \"my-2\"'"; }

# It is the primary again, by itself; the other never was.
returns() {
    watch_sees 20 watch "$(at_my my-1)"
    wait_topology 20 sales ".primary == \"my-1\" and ($(member my-1) | .fenced | not)"
    expect_no_text "$T/watch.out" "$(at_my my-2)"
}

stopped_by_hand() {
    pair_of_writable
    act my-2 stop # for a backup
    write_a_row
    channel_is_seen_stopped
    through_beats 3 "topology_is sales '.primary == \"my-1\"'" # long enough for nobody to take it for a promotion
    blink
    returns

    # Now it comes back read-only, and is opened by hand.
    set_in my-1 'read-only=1'
    blink
    wait_topology 20 sales "$(member my-1) | .health == \"up\""
    inherits_nothing
    act my-1 open
    returns

    # And when the channel was stopped a moment ago, what my-2 lacks is known.
    act my-2 start
    well
    act my-2 stop
    write_a_row
    seen_to_lack
    blink
    inherits_nothing
    act my-1 open
    returns
    act my-2 start
    well
}

# The applier stops at a row that is there already, and the receiver at an error as well.
stopped_by_an_error() {
    pair_of_writable
    my_sql my-2 "SET sql_log_bin = 0; INSERT INTO first_on_my1.journal VALUES (1)"
    write_a_row
    channel_is_seen_stopped
    blink # the receiver tries on
    returns
    act my-2 stop_receiver
    seen_to_lack
    blink restart_probes
    returns
    my_sql my-2 "SET sql_log_bin = 0; DELETE FROM first_on_my1.journal"
    act my-2 start
    well
}

restart_probes() {
    local name
    for name in $(fleet_names 3); do crash "$name"; done
    for name in $(fleet_names 3); do probe_launch "$name"; done
}

started_without_its_channel() {
    pair_of_writable
    writable_in_file my-2
    if [ "$of" = my ]; then set_in my-2 skip-slave-start; else set_in my-2 skip-replica-start; fi
    my_crash my-2
    write_a_row
    "${of}_start" my-2
    channel_is_seen_stopped
    blink
    returns

    # After a power cut it comes up first.
    write_a_row
    my_crash my-1
    my_crash my-2
    wait_topology 20 sales '[.members[].health] == ["down", "down"]'
    "${of}_start" my-2
    wait_topology 20 sales "$(member my-2) | .health == \"up\""
    inherits_nothing
    "${of}_start" my-1
    returns
    act my-2 start
    well
}
