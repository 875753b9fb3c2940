# shellcheck shell=bash
# Probes, routers and commands of a former version, whose programs are in FORMER, beside those of this one: a fleet is upgraded probe by
# probe and rolled back in the same way, and at each stage promotions are followed, blinks are none, orders are understood, and nobody
# writes while nothing happens.

test_postgresql_an_upgrade_follows_promotions_at_each_stage() { on_postgresql upgrade promotions; } # long
test_mariadb_an_upgrade_follows_promotions_at_each_stage() { on_mariadb upgrade promotions; } # long
test_postgresql_a_rollback_follows_promotions_at_each_stage() { on_postgresql rollback promotions; } # long
test_mariadb_a_rollback_follows_promotions_at_each_stage() { on_mariadb rollback promotions; } # long
test_postgresql_orders_of_either_version_are_understood_by_both() { on_postgresql upgrade orders; }
test_mariadb_orders_of_either_version_are_understood_by_both() { on_mariadb upgrade orders; }
test_postgresql_a_blink_crowns_nobody_once_one_probe_is_new() { on_postgresql upgrade blinks; }
test_mariadb_a_blink_crowns_nobody_once_one_probe_is_new() { on_mariadb upgrade blinks; }
test_mariadb_a_blink_crowns_nobody_while_one_probe_is_new() { on_mariadb rollback blinks; }
test_postgresql_a_standby_without_its_signal_inherits_nothing() { on_postgresql without_its_signal; }
test_mariadb_what_the_former_version_wrote_over_is_no_loss() { on_mariadb written_over; }
test_postgresql_what_the_former_version_wrote_over_is_no_loss() { on_postgresql written_over; }
test_postgresql_a_spare_writer_beside_former_voters_follows_promotions() { on_postgresql spare_writer; }
test_mariadb_a_spare_writer_beside_former_voters_follows_promotions() { on_mariadb spare_writer; }
test_mariadb_one_registry_is_made_by_both_at_once_and_names_pass_on() { on_mariadb one_registry; }

# ---- programs of two versions ----------------------------------------------------------------

declare -A programs=() # of each probe: former or new

folder_of() { if [ "$1" = former ]; then echo "$FORMER"; else echo "$B"; fi; }
probe_launch() { start "$1" "$(folder_of "${programs[$1]}")/roster-probe" --config "$T/$1.ini"; }
roster_of() { # roster_of VERSION VERB...
    local folder
    folder=$(folder_of "$1")
    shift
    "$folder/roster" -z "$ZK" "$@"
}

fleet_of() { # fleet_of VERSION
    local name
    for name in $(fleet_names 3); do programs[$name]=$1; done
    fleet_start 3
}

# Replaced, and voting.
becomes() { # becomes VERSION PROBE
    programs[$2]=$1
    stop "$2"
    probe_launch "$2"
    wait_for 30 "votes $2"
}
any_is() { case " ${programs[*]} " in *" $1 "*) ;; *) return 1 ;; esac; }

votes() { znode_is "/roster/clusters/sales/reports/$1" ".abstains == null and .rules == $(rules_of "${programs[$1]}")"; }
# The edition of the rules that a version applies.
rules_of() { if [ "$1" = former ]; then echo "$FORMER_RULES"; else echo "$NEW_RULES"; fi; }

# Routers of both versions.
watches() {
    local B=$FORMER
    watch_start former_router sales
    B=$NEW_B
    watch_start router sales
    both_see 20
    NAMED=$(at "$OLD")
}
both_see() { # both_see SECONDS: that OLD is the one to write to
    watch_sees "$1" router "$(at "$OLD")"
    watch_sees "$1" former_router "$(at "$OLD")"
}

# ---- three servers: OLD is the primary, NEW is promoted next ----------------------------------------

at() { "at_$of" "$1"; }
port() { "${of}_port" "$1"; }

on_postgresql() { # on_postgresql STORY [CHECK]
    of=pg
    prepared
    pg_group 3
    watched_by "$@"
}

on_mariadb() {
    of=my
    prepared
    servers my-1 my-2 my-3
    follows my-2 my-1
    follows my-3 my-1
    watched_by "$@"
}

prepared() {
    [ -n "${FORMER:-}" ] || skip "FORMER does not name the programs of a former version: make check-former"
    NEW_B=$B
    zk_start
}

watched_by() { # watched_by STORY [CHECK]
    OLD=$of-1 NEW=$of-2 OTHER=$of-3
    "cluster_$of" sales 3 "$OLD" "$NEW" "$OTHER"
    "$@"
}

well() {
    wait_topology 60 sales ".state == \"ok\" and .primary == \"$OLD\" and $(is_up "$NEW" "$OLD") and $(is_up "$OTHER" "$OLD") and
        ([.members[] | select(.fenced)] == [])"
}

turn() {
    local was=$OLD
    OLD=$NEW NEW=$OTHER OTHER=$was NAMED+=" $(at "$OLD")"
    well
    both_see 5
    named_alone
}

# Both routers named the primaries one after the other, and nobody else.
named_alone() {
    expect "whom the router named" "$(names_in router)" "$NAMED"
    expect "whom the former router named" "$(names_in former_router)" "$NAMED"
}
names_in() { grep -vx -e - "$T/$1.out" | uniq | paste -sd ' '; }

# Crashed, another promoted, and back behind it.
fails_over() {
    "${of}_crash" "$OLD"
    "${of}_promote" "$NEW"
    both_go_to_new
    "${of}_led" "$OTHER"
    "${of}_returns"
    turn
}
both_go_to_new() { watch_sees 10 router "$(at "$NEW")"; watch_sees 10 former_router "$(at "$NEW")"; }

pg_led() { pg_follow "$1" "$NEW"; pg_sql "$1" "SELECT pg_reload_conf()" > /dev/null; }
my_led() { my_sql "$1" "STOP SLAVE"; my_follow "$1" "$NEW"; }
pg_returns() { pg_rewind "$OLD" "$NEW"; pg_start "$OLD"; }
my_returns() { my_start "$OLD"; my_sql "$OLD" "SET GLOBAL gtid_slave_pos = '$(my_position "$OLD")'"; my_follow "$OLD" "$NEW"; }

# In good order.
switches() {
    "${of}_switches"
    both_go_to_new
    "${of}_led" "$OTHER"
    turn
}
pg_switches() { pg_stop "$OLD"; pg_promote "$NEW"; pg_follow "$OLD" "$NEW"; pg_start "$OLD"; }
my_switches() { my_switch "$OLD" "$NEW"; }

# ---- stages ---------------------------------------------------------------------------------

upgrade() { # upgrade CHECK
    local name
    fleet_of former
    well
    watches
    stage_of "$1"
    for name in $(fleet_names 3); do becomes new "$name"; well; stage_of "$1"; done
}

rollback() {
    local name
    fleet_of new
    well
    watches
    stage_of "$1"
    for name in $(fleet_names 3); do becomes former "$name"; well; stage_of "$1"; done
}

stage_of() { echo "stage: ${programs[*]}"; "$1"; quiet; }

# No record is written while nothing happens; presence alone is. A look may fail on a busy machine: that is something.
quiet() { wait_for 90 nothing_is_written; }
nothing_is_written() {
    local was
    was=$(written)
    through_beats 3 true
    [ "$(written)" = "$was" ]
}
written() { { "$B/zk" "$ZK" tree /roster/clusters; "$B/zk" "$ZK" stat /roster; } | grep -v '/probes/'; }

promotions() { fails_over; switches; }

# Orders of either version's command, understood by whoever writes.
orders() {
    local version
    for version in former new; do
        expect_code 0 roster_of $version drain sales "$OTHER"
        wait_topology 10 sales "$(member "$OTHER") | .drained"
        expect_code 0 roster_of $version undrain sales "$OTHER"
        wait_topology 10 sales "$(member "$OTHER") | .drained | not"
        expect_code 0 roster_of $version weight sales "$OTHER" 7
        wait_topology 10 sales "$(member "$OTHER") | .weight == 7"
        expect_code 0 roster_of $version weight sales "$OTHER" default
        expect_code 0 roster_of $version hold sales "$OLD"
        wait_topology 10 sales '.rule == "held"'
        expect_code 0 roster_of $version release sales
        wait_topology 10 sales '.rule != "held"'
        expect_code 0 roster_of $version show sales
        expect_code 0 roster_of $version explain sales
        well
    done
}

# Who votes is of the former version, what the registry remembers is of this one, and so is the only probe that writes.
spare_writer() {
    local name
    for name in d e f g; do programs[probe-$name]=new; done
    for name in a b c; do programs[probe-$name]=former; done
    for name in d e f; do probe_start "probe-$name"; done
    well
    voters_are d e f
    for name in g a b c; do probe_start "probe-$name"; wait_for 30 "votes probe-$name"; done
    through_beats 3 true # they count one another as fresh
    watches
    stop probe-d; voters_are a e f
    stop probe-e; voters_are a b f
    stop probe-f; voters_are a b c
    expect "records" "$(topology sales '[.members[].record.start] | min > 0')" true
    promotions
    voters_are a b c
    expect "the edition" "$(topology sales .rules)" "$(rules_of new)"
}
voters_are() { wait_topology 30 sales "[.evidence | keys[] | select(startswith(\"probe\"))] == [$(printf '"probe-%s",' "$@" | sed 's/,$//')]"; }

# Both make the registry at once. Then each is killed, and the other version takes its name while its presence is still there.
one_registry() {
    local name id
    programs=([probe-a]=former [probe-b]=new [probe-c]=new)
    fleet_start 3
    well
    watches
    wait_for 30 'znode_is /roster ".provisional | not"'
    id=$(zk get /roster | jq -r .registry)
    for name in $(fleet_names 3); do
        if [ "${programs[$name]}" = new ]; then programs[$name]=former; else programs[$name]=new; fi
        crash "$name"
        probe_launch "$name"
        wait_for 60 "votes $name"
    done
    well
    quiet
    expect "the registry" "$(zk get /roster | jq -r .registry)" "$id"
    promotions
}

# ---- blinks ---------------------------------------------------------------------------------

# The primary is away for two beats, and NEW, which is open for writes, is a replica whose channel is stopped: for long, or just now.
blinks() {
    any_is new || return 0
    "${of}_beside" through_beats 2 "topology_is sales '.primary == \"$OLD\"'"
    blink
    "${of}_beside" true
    blink
}

blink() {
    "${of}_crash" "$OLD"
    wait_topology 20 sales "$(member "$OLD") | .health == \"down\""
    inherits_nothing
    "${of}_start" "$OLD"
    both_see 20
    named_alone
    "${of}_beside_no_more"
    well
}
inherits_nothing() { through_beats 2 "topology_is sales '.primary != \"$NEW\"'"; }

pg_beside() { "$@"; }
pg_beside_no_more() { :; }

ROW=0
my_beside() {
    grep -q read-only=0 "$T/$OLD.cnf" || echo read-only=0 >> "$T/$OLD.cnf"
    my_sql "$NEW" "SET GLOBAL read_only = 0"
    my_sql "$NEW" "STOP SLAVE"
    ROW=$((ROW + 1))
    my_sql "$OLD" "CREATE DATABASE beside_$ROW"
    for_all_probes "$(member "$NEW") | .writable and .lacks == [\"$OLD\"]"
    "$@"
}
for_all_probes() { local name; for name in $(fleet_names 3); do wait_report 20 sales "$name" "$1"; done; }
my_beside_no_more() { my_sql "$NEW" "START SLAVE"; }

# Started as a primary on the timeline that it followed.
without_its_signal() {
    fleet_of former
    well
    watches
    becomes new probe-a
    well
    pg_stop "$NEW"
    rm "$T/$NEW/standby.signal"
    pg_start "$NEW"
    wait_topology 20 sales "$(member "$NEW") | .claims"
    through_beats 2 "topology_is sales '.primary == \"$OLD\"'"
    pg_crash "$OLD"
    wait_topology 20 sales "$(member "$OLD") | .health == \"down\""
    inherits_nothing
    pg_start "$OLD"
    both_see 20
    named_alone
}

# ---- written over ---------------------------------------------------------------------------

# A fence, records and bars of this version; the former one writes the topology again, without what it does not know; and this one is
# back. OLD, which was replaced and still claims, is never written to.
written_over() {
    local name
    fleet_of new
    well
    watches
    "${of}_crash" "$OLD"
    "${of}_promote" "$NEW"
    both_go_to_new
    "${of}_led" "$OTHER"
    [ "$of" = pg ] || echo read-only=0 >> "$T/$OLD.cnf"
    "${of}_start" "$OLD"
    fenced
    for name in $(fleet_names 3); do becomes former "$name"; fenced; done
    expect_code 0 roster_of former drain sales "$OTHER"
    wait_topology 10 sales ".rules == $(rules_of former)"
    expect_code 0 roster_of former undrain sales "$OTHER"
    expect "records" "$(topology sales '[.members[].record // empty] | length')" 0
    fenced
    for name in $(fleet_names 3); do
        becomes new "$name"
        fenced
        away_for_a_moment
        fenced
    done
    wait_topology 10 sales ".rules == $(rules_of new)"
    "${of}_stop" "$OLD"
    "${of}_returns"
    turn
    quiet
}
fenced() { wait_topology 20 sales ".primary == \"$NEW\" and .state == \"conflict\" and ($(member "$OLD") | .fenced and .claims)"; }
away_for_a_moment() {
    "${of}_crash" "$NEW"
    wait_topology 20 sales "$(member "$NEW") | .health == \"down\""
    through_beats 1 "topology_is sales '.primary != \"$OLD\"'"
    [ "$of" = pg ] || grep -q read-only=0 "$T/$NEW.cnf" || echo read-only=0 >> "$T/$NEW.cnf"
    "${of}_start" "$NEW"
    wait_topology 20 sales ".primary == \"$NEW\""
}
