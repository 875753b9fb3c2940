# shellcheck shell=bash
# Nobody inherits the writes because somebody else is gone: a primary that is away for a moment returns as what it was, and what
# stood beside it meanwhile, writable or not, is nobody's primary unless it was promoted.

test_mariadb_a_replica_stopped_by_hand_inherits_nothing() { on_mariadb stopped_by_hand; }
test_mariadb_a_replica_stopped_by_an_error_inherits_nothing() { on_mariadb stopped_by_an_error; }
test_mariadb_a_replica_started_without_its_channel_inherits_nothing() { on_mariadb started_without_its_channel; }
test_mysql_9_a_replica_stopped_by_hand_inherits_nothing() { versions_mysql_story sid stopped_by_hand; }
test_mysql_9_a_replica_stopped_by_an_error_inherits_nothing() { versions_mysql_story sid stopped_by_an_error; } # twin
test_mysql_9_a_replica_started_without_its_channel_inherits_nothing() { versions_mysql_story sid started_without_its_channel; } # twin
test_mariadb_a_replica_promoted_by_mistake_inherits_nothing() { on_mariadb promoted_by_mistake; }
test_mysql_9_a_replica_promoted_by_mistake_inherits_nothing() { versions_mysql_story sid promoted_by_mistake; } # twin
test_mariadb_the_stopped_middle_of_a_cascade_inherits_nothing() { on_mariadb stopped_middle; }
test_mariadb_without_gtids_a_stopped_replica_inherits_nothing() { on_mariadb stopped_without_gtids; }
test_mysql_9_without_gtids_a_stopped_replica_inherits_nothing() { versions_mysql_story sid stopped_without_gtids; } # twin
test_mariadb_a_fence_outlives_a_reload_by_name_and_by_address() { on_mariadb fenced_and_listed_anew; }
test_mysql_9_a_fence_outlives_a_reload_by_name_and_by_address() { versions_mysql_story sid fenced_and_listed_anew; } # twin
test_mariadb_the_first_look_crowns_no_stopped_replica() { on_mariadb first_look; }
test_mysql_9_the_first_look_crowns_no_stopped_replica() { versions_mysql_story sid first_look; } # twin

# ---- asynchronous replication -----------------------------------------------------

# my-1, which is writable whenever it starts, and my-2, which replicates from it and is writable as well; below that LEAF, when given.
pair_of_writable() { # pair_of_writable [LEAF]
    servers my-1 my-2 "$@"
    writable_in_file my-1
    follows my-2 my-1
    [ $# = 0 ] || follows "$1" my-2
    my_sql my-1 "CREATE TABLE first_on_my1.journal (id INT PRIMARY KEY)"
    act my-2 open
    fleet_on my-1 my-2 "$@"
    well
}

well() { wait_topology 60 sales ".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1) and ($(member my-1) | .fenced | not)"; }

for_all_probes() { local name; for name in $(fleet_names 3); do wait_report 20 sales "$name" "$1"; done; }
channel_is_seen_stopped() { for_all_probes "$(member my-2) | .writable and .lag.state == \"broken\""; }
seen_to_lack() { for_all_probes "$(member my-2) | .lacks == [\"my-1\"]"; }

# What my-2 lacks until it replicates again.
ROW=0
write_a_row() { ROW=$((ROW + 1)); my_sql my-1 "INSERT INTO first_on_my1.journal VALUES ($ROW)"; }

# my-1 is away for two beats of the probes, and comes back: it is killed, or in another way.
blink() { # blink [WAY [COMMAND]]: what happens meanwhile
    "leaves_${1:-killed}"
    wait_topology 20 sales "$(member my-1) | .health == \"down\" or .role != \"primary\""
    ${2:-:}
    inherits_nothing 2
    "returns_${1:-killed}"
}

leaves_killed() { my_crash my-1; }
returns_killed() { "${of}_start" my-1; }
leaves_ended() { my_stop my-1; }
returns_ended() { "${of}_start" my-1; }
leaves_hung() { freeze my-1; }
returns_hung() { thaw my-1; }
leaves_closed() { act my-1 close; }
returns_closed() { act my-1 open; }

inherits_nothing() { through_beats "${1:-1}" "topology_is sales '.primary != \"my-2\"'"; }

# It is the primary again, by itself; the other never was.
returns() {
    watch_sees 20 watch "$(at_my my-1)"
    wait_topology 20 sales ".primary == \"my-1\" and ($(member my-1) | .fenced | not)"
    expect_no_text "$T/watch.out" "$(at_my my-2)"
}

# Long enough for nobody to take it for a promotion.
beside_the_primary() { through_beats 3 "topology_is sales '.primary == \"my-1\"'"; }

stopped_by_hand() {
    pair_of_writable
    act my-2 stop # for a backup
    write_a_row
    channel_is_seen_stopped
    beside_the_primary
    blink
    returns
    blink closed
    returns

    # The channel was stopped a moment ago, but what my-2 lacks is known; and my-1 comes back read-only, and is opened by hand.
    act my-2 start
    well
    set_in my-1 'read-only=1'
    act my-2 stop
    write_a_row
    seen_to_lack
    blink
    wait_topology 20 sales "$(member my-1) | .health == \"up\""
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
    blink hung # the receiver is there still
    returns
    act my-2 stop_receiver
    seen_to_lack
    blink killed restart_probes
    returns
    my_sql my-2 "SET sql_log_bin = 0; DELETE FROM first_on_my1.journal"
    act my-2 start
    well
}

started_without_its_channel() {
    pair_of_writable
    writable_in_file my-2
    if [ "$of" = my ]; then set_in my-2 skip-slave-start; else set_in my-2 skip-replica-start; fi
    my_crash my-2
    write_a_row
    "${of}_start" my-2
    channel_is_seen_stopped
    blink ended
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

# Promoted by mistake, as if it were meant: the primary was well all the time, and holds.
promoted_by_mistake() {
    servers my-1 my-2
    writable_in_file my-1
    follows my-2 my-1
    my_sql my-1 "CREATE TABLE first_on_my1.journal (id INT PRIMARY KEY)"
    fleet_on my-1 my-2
    well
    act my-2 stop
    write_a_row
    act my-2 reset_all open
    wait_topology 20 sales ".state == \"conflict\" and .primary == \"my-1\" and ($(member my-2) | .claims)"
    beside_the_primary
    blink
    returns
    blink closed restart_probes
    returns
    writable_in_file my-2
    my_crash my-2
    "${of}_start" my-2
    wait_topology 20 sales "$(member my-2) | .health == \"up\" and .claims"
    blink hung
    returns
    act my-2 close
    [ "$of" = mysql ] || my_sql my-2 "SET GLOBAL gtid_slave_pos = '$(my_position my-2)'"
    follows my-2 my-1
    well
}

# What it lacks cannot be known.
stopped_without_gtids() {
    local name
    for name in my-1 my-2; do "${of}_new" $name; no_gtids $name; "${of}_launch" $name; done
    for name in my-1 my-2; do wait_for 60 "my_answers $name"; act $name open; done
    writable_in_file my-1
    by_position my-2 my-1
    fleet_on my-1 my-2
    well
    my_sql my-1 "CREATE DATABASE first_on_my1; CREATE TABLE first_on_my1.journal (id INT PRIMARY KEY)"
    act my-2 stop
    write_a_row
    channel_is_seen_stopped
    beside_the_primary
    blink
    returns
    blink closed
    returns
    act my-2 start
    well
}

# What always stood below it proves nothing.
stopped_middle() {
    pair_of_writable my-3
    act my-2 stop
    channel_is_seen_stopped
    for_all_probes "$(member my-3) | .upstream == \"my-2\" and .live"
    beside_the_primary
    write_a_row
    blink
    returns
    act my-2 start
    well
}

# ---- fences -------------------------------------------------------------------------

# list_as NAME ADDRESS: the probes' files have my-2 and, when a name is given, the old primary under that name and address.
list_as() {
    rm "$(cluster_file)"
    cluster_my sales 3 my-2
    [ $# = 0 ] || printf '\n[member sales/%s]\naddress = %s:%s\n' "$1" "$2" "$(my_port my-1)" >> "$(cluster_file)"
    reload
}

# my-1 was replaced, comes back writable, leaves the files of all probes and is listed again; then my-2 restarts.
fenced_and_listed_anew() {
    local name address
    servers my-1 my-2
    writable_in_file my-1
    writable_in_file my-2
    follows my-2 my-1
    fleet_on my-1 my-2
    well
    my_crash my-1
    act my-2 stop reset_all open
    watch_sees 20 watch "$(at_my my-2)"
    "${of}_start" my-1
    wait_topology 20 sales ".primary == \"my-2\" and ($(member my-1) | .claims and .fenced)"
    while read -r name address; do
        list_as
        wait_topology 30 sales '[.members[].name] == ["my-2"]'
        list_as "$name" "$address"
        wait_topology 30 sales "$(member "$name") | .health == \"up\""
        through_beats 1 "topology_is sales '.primary == \"my-2\"'"
        my_crash my-2
        wait_topology 20 sales "$(member my-2) | .health == \"down\""
        through_beats 1 "topology_is sales '.primary != \"$name\"'"
        "${of}_start" my-2
        watch_sees 20 watch "$(at_my my-2)"
        wait_topology 20 sales ".primary == \"my-2\" and ($(member my-2) | .fenced | not)"
    done <<E2
my-1 127.0.0.1
old 127.0.0.1
my-1 localhost
other localhost
E2
    expect "how often watch named my-1" "$(grep -cx -e "$(at_my my-1)" -e "localhost:$(my_port my-1)" "$T/watch.out")" 1
}

# ---- the first look ---------------------------------------------------------------------

# The fleet forgets the cluster, and looks at it for the first time.
forget() { # forget CLUSTER
    local name
    for name in $(fleet_names 3); do stop "$name"; done
    roster forget "$1"
    for name in $(fleet_names 3); do probe_launch "$name"; done
}

# At a first look a server that is merely slow to answer is one that is not there.
patient() { PROBE_SETTINGS='timeout = 5s'; }

nobody_until_accepted() { # nobody_until_accepted CLUSTER MEMBER
    wait_topology 30 "$1" ".primary == null and (.why | test(\"accept\"))"
    through_beats 2 "topology_is $1 '.primary == null'"
    expect_code 0 roster explain "$1"
    expect_text "$T/said" accept
    expect_code 0 roster accept "$1" "$2"
    wait_topology 20 "$1" ".primary == \"$2\""
}

first_look() {
    patient
    servers my-1 my-2
    follows my-2 my-1
    act my-2 open stop
    my_crash my-1
    fleet_on my-1 my-2
    nobody_until_accepted sales my-2

    # Unless the source is there, and takes no writes; in its file it is read-only.
    "${of}_start" my-1
    forget sales
    wait_topology 30 sales '.primary == "my-2"'
}

# ---- PostgreSQL -------------------------------------------------------------------------

# Nobody else than NAME was ever the primary.
named_alone() { expect "whom watch named" "$(grep -vx -e - "$T/watch.out" | sort -u)" "$(at_pg "$1")"; }

pg_blink() { # pg_blink NAME CONDITION: it restarts, and the condition holds all the while
    pg_stop "$1"
    wait_topology 20 orders "$(member "$1") | .health == \"down\""
    through_beats 2 "topology_is orders '$2'"
    pg_start "$1"
    wait_topology 20 orders "$(member "$1") | .health == \"up\""
}

test_two_standbys_promoted_to_one_timeline_stay_a_tie_until_one_is_accepted() {
    local name
    zk_start
    pg_group 3
    watched pg-1 pg-2 pg-3
    pg_crash pg-1
    wait_topology 20 orders '.primary == null'
    for name in $(fleet_names 3); do crash "$name"; done
    pg_promote pg-2
    pg_promote pg-3
    for name in $(fleet_names 3); do probe_launch "$name"; done
    wait_topology 30 orders ".primary == null and ($(member pg-2) | .claims) and ($(member pg-3) | .claims)"
    pg_blink pg-3 '.primary == null'
    pg_blink pg-2 '.primary == null'
    through_beats 1 "topology_is orders '.primary == null'"
    wait_topology 20 orders '.why | test("accept")'
    expect_code 0 roster accept orders pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
    pg_blink pg-2 '.primary != "pg-3"'
    watch_sees 20 watch "$(at_pg pg-2)"
    wait_topology 20 orders ".primary == \"pg-2\" and ($(member pg-2) | .fenced | not)"
    expect_no_text "$T/watch.out" "$(at_pg pg-3)"
}

# Neither the probes' restart nor its own makes it another.
forgets_nothing() {
    restart_probes
    pg_blink pg-3 '.primary == "pg-1"'
}

test_a_backup_that_promotes_itself_is_a_conflict_that_holds() {
    local restore
    zk_start
    mkdir "$T/archive"
    own "$T/archive"
    pg_group 3
    watched pg-1 pg-2 pg-3
    for restore in false "cp $T/archive/%f %p"; do
        pg_rebuild pg-3 pg-1 "$restore"
        wait_for 20 '! pg_in_recovery pg-3'
        wait_topology 20 orders ".state == \"conflict\" and ($(member pg-3) | .claims) and $(is_the_primary pg-1)"
        through_beats 1 "topology_is orders '$(is_the_primary pg-1)'"
        [ "$restore" = false ] || forgets_nothing
        pg_blink pg-1 '.primary != "pg-3"'
        watch_sees 20 watch "$(at_pg pg-1)"
        wait_topology 20 orders "$(is_the_primary pg-1)"
        pg_rebuild pg-3 pg-1
        wait_topology 30 orders ".state == \"ok\" and ($(secondary pg-3 pg-1))"
    done
    named_alone pg-1
}

test_a_drained_standby_promoted_for_a_rehearsal_withdraws_nobody() {
    zk_start
    pg_group 3
    pg_new pg-4
    pg_follow pg-4 pg-3
    pg_start pg-4
    wait_for 30 'pg_streams pg-4'
    watched pg-1 pg-2 pg-3 pg-4
    expect_code 0 roster drain orders pg-3
    wait_topology 20 orders "$(member pg-3) | .drained"
    pg_promote pg-3
    wait_for 30 '[ "$(pg_sql pg-4 "SELECT received_tli FROM pg_stat_wal_receiver")" = 2 ]' # the cascade goes with it
    wait_topology 20 orders "$(member pg-3) | .claims"
    through_beats 2 "topology_is orders '$(is_the_primary pg-1)'"
    pg_blink pg-1 '.primary != "pg-3"'
    watch_sees 20 watch "$(at_pg pg-1)"
    pg_rebuild pg-3 pg-1
    pg_rebuild pg-4 pg-3
    expect_code 0 roster undrain orders pg-3
    wait_topology 30 orders ".state == \"ok\" and ($(secondary pg-3 pg-1)) and ($(secondary pg-4 pg-3))"
    named_alone pg-1
}

test_the_first_look_at_two_histories_takes_the_one_that_is_followed() {
    zk_start
    patient
    pg_group 3
    pg_stop pg-3
    pg_promote pg-2
    cluster_pg orders 3 pg-1 pg-2 pg-3
    fleet_start 3
    nobody_until_accepted orders pg-2
    pg_start pg-3
    wait_for 30 'pg_streams pg-3'
    forget orders
    wait_topology 30 orders "$(is_the_primary pg-1)"
    through_beats 1 "topology_is orders '$(is_the_primary pg-1)'"
}

# Opened by removing its signal file it writes on under the number that the others have: nothing tells the two apart.
test_a_standby_opened_on_the_same_timeline_waits_for_accept() {
    zk_start
    pg_group 2
    watched pg-1 pg-2
    pg_crash pg-1
    pg_stop pg-2
    wait_topology 20 orders '.primary == null'
    rm "$T/pg-2/standby.signal"
    pg_start pg-2
    wait_topology 20 orders "$(member pg-2) | .claims"
    nobody_until_accepted orders pg-2
    pg_start pg-1 # the old one
    wait_topology 20 orders ".primary == \"pg-2\" and .state == \"conflict\" and ($(member pg-1) | .claims)"
    through_beats 1 "topology_is orders '.primary == \"pg-2\"'"
    expect "how often watch named pg-1" "$(grep -cx "$(at_pg pg-1)" "$T/watch.out")" 1
}
