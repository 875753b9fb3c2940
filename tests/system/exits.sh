# shellcheck shell=bash
# Every state has an exit: one word of the operator ends it, or says what stands against it; and a primary that is taken out of the
# probes' files is not the primary for ever.

# roster VERB ..., and what it says became of the word: nothing is waited for behind it.
word() { # word CODE PATTERN VERB...
    expect_code "$1" roster "${@:3}"
    expect_text "$T/said" "$2"
}

accepted() { # accepted CLUSTER MEMBER: one word, and it is the primary
    word 0 "^$1/$2 is primary as of epoch $(($(topology "$1" .epoch) + 1))\$" accept "$1" "$2"
    expect "the primary" "$(topology "$1" .primary)" "$2"
    expect "its fence" "$(topology "$1" "$(member "$2") | .fenced")" null
}

stays() { through_beats 1 "topology_is $1 '$(is_the_primary "$2")'"; } # stays CLUSTER MEMBER

# list_pg, list_my MEMBER...: what the files of all probes have from now on
list_pg() { rm "$(cluster_file)"; cluster_pg orders 3 "$@"; reload; }
list_my() { rm "$(cluster_file)"; cluster_my sales 3 "$@"; reload; }

primaries() { echo '([.members[] | select(.role == "primary") | .name])'; }
names() { echo '([.members[].name])'; }

# It is the primary still, and nobody looks at it any more.
left_alone() { # left_alone CLUSTER MEMBER
    wait_topology 30 "$1" ".primary == \"$2\" and .state == \"suspect\" and ($(member "$2") | .health == \"unknown\") and (.why | test(\"no probe.s file\"))"
    expect_code 0 roster show "$1"
    expect_text "$T/said" "^  why +$2 stays primary although it is in no probe's file"
    stays "$1" "$2"
}

# ---- PostgreSQL -------------------------------------------------------------------------

tli() { pg_sql "$1" "SELECT timeline_id FROM pg_control_checkpoint()"; }

# The one with the smaller number is wanted again, when the other is down, and when the other streams to others.
test_a_lower_timeline_is_brought_back_by_one_word_and_followed_from_there() {
    zk_start
    pg_group 3
    watched pg-1 pg-2 pg-3
    pg_promote pg-2
    wait_topology 20 orders ".primary == \"pg-2\" and ($(member pg-1) | .claims and .bar == \"fenced\")"
    pg_stop pg-2
    wait_topology 20 orders "$(member pg-2) | .health == \"down\""
    expect "the primary" "$(topology orders '.primary != "pg-1"')" true
    accepted orders pg-1
    watch_sees 10 watch "$(at_pg pg-1)"
    pg_rebuild pg-2 pg-1
    wait_topology 30 orders ".state == \"ok\" and .lineage == \"1\" and ($(secondary pg-2 pg-1)) and ($(secondary pg-3 pg-1))"

    # Promoted to the number that was left.
    pg_crash pg-1
    pg_promote pg-3
    wait_topology 20 orders '.primary == "pg-3" and .lineage == "2"'
    watch_sees 10 watch "$(at_pg pg-3)"
    pg_rebuild pg-1 pg-3
    pg_rebuild pg-2 pg-3
    wait_topology 30 orders ".state == \"ok\" and ($(secondary pg-1 pg-3)) and ($(secondary pg-2 pg-3))"

    # The wrong one serves, and is followed: the operator has to mean it.
    pg_promote pg-1
    wait_topology 20 orders ".primary == \"pg-1\" and .lineage == \"3\" and ($(member pg-3) | .claims)"
    pg_stop pg-2
    pg_follow pg-2 pg-1
    pg_start pg-2
    wait_topology 30 orders "$(secondary pg-2 pg-1)"
    word 2 'pg-1 is primary, up, and others follow it.*`roster accept --replace orders pg-3`' accept orders pg-3
    stays orders pg-1
    word 0 '^orders/pg-3 is primary as of epoch [0-9]+$' accept orders pg-3 --replace
    wait_topology 10 orders "$(is_the_primary pg-3) and .lineage == \"2\" and ($(member pg-1) | .fenced)"
    stays orders pg-3
    pg_crash pg-1 # what was left moves nothing when it does not stream, or is looked at by others
    wait_topology 20 orders "$(member pg-1) | .health == \"down\""
    restart_probes
    stays orders pg-3
    pg_start pg-1
    wait_topology 20 orders "($(is_the_primary pg-3)) and ($(member pg-1) | .claims and .fenced)"
    watch_sees 10 watch "$(at_pg pg-3)"

    # And from there to the number at which the wrong one stands, up and writable.
    pg_rebuild pg-2 pg-3
    wait_topology 30 orders "$(secondary pg-2 pg-3)"
    pg_crash pg-3
    pg_promote pg-2
    wait_topology 20 orders "$(is_the_primary pg-2) and .lineage == \"3\" and ($(member pg-1) | .fenced)"
    watch_sees 10 watch "$(at_pg pg-2)"
    stays orders pg-2
}

# Of an identity of its own, at the address that it had.
pg_stranger() { # pg_stranger NAME
    local port
    port=$(pg_port "$1")
    rm -rf "${T:?}/$1"
    pg_new "$1" stranger
    pg_set "$1" "port = $port"
    pg_start "$1"
}

# A snapshot from before a failover is restored: it is a standby at first. Then all are lost, and the cluster is made anew.
test_a_restored_snapshot_and_a_cluster_built_anew_take_one_word_each() {
    local name
    zk_start
    pg_group 3
    watched pg-1 pg-2 pg-3
    pg_stop pg-3
    cp -a "$T/pg-3" "$T/snapshot"
    pg_start pg-3
    pg_crash pg-1
    pg_promote pg-2
    wait_topology 20 orders '.primary == "pg-2" and .lineage == "2"'
    pg_crash pg-2
    pg_crash pg-3
    rm -rf "$T/pg-3"
    mv "$T/snapshot" "$T/pg-3"
    pg_start pg-3
    wait_topology 20 orders "$(member pg-3) | .health == \"up\""
    word 0 '^still pending: orders/pg-3 does not claim to be primary' accept orders pg-3
    word 0 'accept pg-3 is pending: it does not claim' show orders
    through_beats 1 "topology_is orders '.primary != \"pg-3\"'"
    pg_stop pg-3
    rm "$T/pg-3/standby.signal"
    pg_start pg-3
    wait_topology 20 orders "$(is_the_primary pg-3) and .lineage == \"1\""
    watch_sees 10 watch "$(at_pg pg-3)"
    expect_code 0 roster show orders
    expect_no_text "$T/said" pending
    pg_rebuild pg-1 pg-3
    pg_rebuild pg-2 pg-3
    wait_topology 30 orders ".state == \"ok\" and ($(secondary pg-1 pg-3)) and ($(secondary pg-2 pg-3))"

    for name in pg-1 pg-2 pg-3; do pg_crash $name; done
    pg_stranger pg-2
    for name in pg-1 pg-3; do pg_rebuild $name pg-2; done
    wait_topology 30 orders ".primary == null and ([.members[].reason] | unique) == [\"stranger\"]"
    accepted orders pg-2
    watch_sees 10 watch "$(at_pg pg-2)"
    wait_topology 30 orders ".state == \"ok\" and ($(secondary pg-1 pg-2)) and ($(secondary pg-3 pg-2))"
    pg_crash pg-2
    pg_promote pg-1
    wait_topology 20 orders "$(is_the_primary pg-1)"
}

test_a_postgresql_primary_that_is_in_no_file_stays_until_another_is_promoted() {
    zk_start
    pg_group 3
    watched pg-1 pg-2 pg-3
    list_pg pg-2 pg-3
    left_alone orders pg-1
    list_pg pg-1 pg-2 pg-3
    wait_topology 30 orders ".state == \"ok\" and .epoch == 1 and ($(is_the_primary pg-1)) and ($(member pg-1) | .health == \"up\")"

    # Held, it is so in no file, too.
    word 0 '^orders is held at pg-1, primary as of epoch 1$' hold orders pg-1
    list_pg pg-2 pg-3
    wait_topology 30 orders ".state == \"suspect\" and .rule == \"held\" and (.why | test(\"held.*no probe.s file\"))"
    word 0 "^  why +pg-1 is held as primary.*no probe's file" show orders
    pg_crash pg-1
    pg_promote pg-2
    wait_topology 20 orders "$(member pg-2) | .claims"
    stays orders pg-1
    expect_code 0 roster release orders
    wait_topology 20 orders ".state == \"ok\" and ($(is_the_primary pg-2)) and $(names) == [\"pg-2\", \"pg-3\"]"
    watch_sees 10 watch "$(at_pg pg-2)"

    # Back in the files it is what it was, and well once it follows.
    pg_start pg-1
    list_pg pg-1 pg-2 pg-3
    wait_topology 30 orders ".primary == \"pg-2\" and ($(member pg-1) | .fenced and .claims)"
    pg_rebuild pg-1 pg-2
    wait_topology 30 orders "($(is_the_primary pg-2)) and ($(secondary pg-1 pg-2))"
    expect "what watch said" "$(grep -vx -e - "$T/watch.out" | uniq | tr '\n' ' ')" "$(at_pg pg-1) $(at_pg pg-2) "
}

# Opened by removing its signal file, pg-2 writes on under the number that both have.
test_conflict_none_withdraws_the_writer_beside_an_equal_on_one_timeline() {
    zk_start
    pg_group 2
    CLUSTER_SETTINGS='conflict = none' watched pg-1 pg-2
    pg_stop pg-2
    rm "$T/pg-2/standby.signal"
    pg_start pg-2
    wait_topology 20 orders ".primary == null and .rule == \"tie\" and .state == \"conflict\" and ($(member pg-2) | .claims)"
    watch_sees 10 watch -
    expect_code 0 roster drain orders pg-2
    wait_topology 20 orders "$(is_the_primary pg-1)"
    expect_code 0 roster undrain orders pg-2
    wait_topology 20 orders '.primary == null'
    accepted orders pg-1
    stays orders pg-1
    watch_sees 10 watch "$(at_pg pg-1)"
}

# ---- asynchronous replication ---------------------------------------------------------------

test_mariadb_a_rival_a_lost_successor_and_a_tie_end_by_one_word_each() { on_mariadb one_word_each; }
test_mysql_9_a_rival_a_lost_successor_and_a_tie_end_by_one_word_each() { versions_mysql_story sid one_word_each; } # twin
test_mariadb_conflict_none_withdraws_the_writer_beside_any_rival() { on_mariadb withdrawn_beside_a_rival; }
test_mariadb_a_primary_that_is_in_no_file_stays_until_another_is_promoted() { on_mariadb in_no_file; }

replicating() { wait_topology 60 sales ".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1)"; }

one_word_each() {
    local name
    servers my-1 my-2 my-3
    writable_in_file my-1
    follows my-2 my-1
    follows my-3 my-1
    fleet_on my-1 my-2 my-3
    replicating

    # Two are opened while nobody looks, and neither is better.
    act my-2 stop reset_all
    act my-3 stop reset_all
    for name in $(fleet_names 3); do crash "$name"; done
    act my-2 open
    act my-3 open
    my_crash my-1
    for name in $(fleet_names 3); do probe_launch "$name"; done
    wait_topology 30 sales ".primary == null and ($(member my-2) | .claims) and ($(member my-3) | .claims)"
    through_beats 2 "topology_is sales '.primary == null'"
    accepted sales my-3
    watch_sees 10 watch "$(at_my my-3)"
    wait_topology 20 sales "$(member my-2) | .fenced and .claims"
    stays sales my-3

    # Lost for good; the one that it replaced is there again.
    "${of}_start" my-1
    my_crash my-3
    wait_topology 20 sales "($(member my-3) | .health == \"down\") and ($(member my-1) | .claims and .fenced)"
    through_beats 1 "topology_is sales '.primary != \"my-1\" and .primary != \"my-2\"'"
    word 0 'my-1 claims and is refused \(fenced\).*`roster accept sales my-1` ends that' show sales
    accepted sales my-1
    watch_sees 10 watch "$(at_my my-1)"

    # Opened beside a primary that is well, and holds.
    act my-2 close
    follows my-2 my-1
    wait_topology 30 sales "$(is_up my-2 my-1)"
    act my-2 stop reset_all open
    wait_topology 20 sales ".state == \"conflict\" and .primary == \"my-1\" and ($(member my-2) | .claims)"
    through_beats 2 "topology_is sales '.primary == \"my-1\"'"
    accepted sales my-2
    watch_sees 10 watch "$(at_my my-2)"
    wait_topology 20 sales "$(member my-1) | .fenced and .claims"
    stays sales my-2
}

# Whatever it did to be one: opened by hand; stopped, and writable anyway.
withdrawn_beside_a_rival() {
    servers my-1 my-2
    follows my-2 my-1
    CLUSTER_SETTINGS='conflict = none' fleet_on my-1 my-2
    replicating
    watch_sees 10 watch "$(at_my my-1)"
    act my-2 stop reset_all open
    wait_topology 20 sales ".primary == null and .rule == \"tie\" and .state == \"conflict\""
    watch_sees 10 watch -
    expect_code 0 roster drain sales my-2
    wait_topology 20 sales "$(is_the_primary my-1)"
    expect_code 0 roster undrain sales my-2
    wait_topology 20 sales '.primary == null'
    act my-2 close
    follows my-2 my-1
    replicating
    watch_sees 10 watch "$(at_my my-1)"
    accepted_beside_a_rival
}

# A fenced rival withdraws nobody.
accepted_beside_a_rival() {
    act my-2 open stop
    wait_topology 20 sales '.primary == null'
    accepted sales my-1
    wait_topology 20 sales "$(member my-2) | .fenced and .claims"
    stays sales my-1
}

in_no_file() {
    servers my-1 my-2 my-3
    follows my-2 my-1
    follows my-3 my-1
    fleet_on my-1 my-2 my-3
    replicating
    list_my my-2 my-3
    left_alone sales my-1
    list_my my-1 my-2 my-3
    wait_topology 30 sales ".state == \"ok\" and .epoch == 1 and ($(is_the_primary my-1)) and ($(member my-1) | .health == \"up\")"

    # The hold is on one that is not listed any more: the writer stays where it is.
    word 0 '^still pending: sales is held at my-3' hold sales my-3
    list_my my-1 my-2
    wait_topology 30 sales "$(names) == [\"my-1\", \"my-2\"] and .rule == \"held\" and .primary == \"my-1\" and (.why | test(\"my-1 is held\"))"
    word 0 'hold names my-3, which is no member; `roster release sales` takes it back' show sales
    my_crash my-1
    act my-2 stop reset_all open
    wait_topology 20 sales "$(member my-2) | .claims"
    stays sales my-1
    expect_code 0 roster release sales
    wait_topology 20 sales "$(is_the_primary my-2)"
    "${of}_start" my-1
    follows my-1 my-2
    wait_topology 30 sales ".state == \"ok\" and $(is_up my-1 my-2)"

    # In no file, and well: another that is promoted takes its place at once.
    list_my my-1
    left_alone sales my-2
    act my-1 stop reset_all open
    wait_topology 20 sales ".state == \"ok\" and ($(is_the_primary my-1)) and $(names) == [\"my-1\"]"
    watch_sees 10 watch "$(at_my my-1)"
    act my-2 close
    follows my-2 my-1
    list_my my-1 my-2
    wait_topology 30 sales ".state == \"ok\" and ($(is_the_primary my-1)) and $(is_up my-2 my-1)"
}

# ---- peers ------------------------------------------------------------------------------------

# The writer moves at once to one that is not drained, and not back; out of the files it is gone.
moves_by_drain() { # moves_by_drain CLUSTER
    local epoch
    epoch=$(topology "$1" .epoch)
    word 0 "^$1/my-1 is drained; my-2 is primary as of epoch $((epoch + 1))\$" drain "$1" my-1
    watch_sees 10 watch "$(at_my my-2)"
    expect_code 0 roster undrain "$1" my-1
    wait_topology 20 "$1" ".state == \"ok\" and ($(member my-1) | (.drained | not) and .health == \"up\" and .role != \"none\")"
    through_beats 1 "topology_is $1 '.primary == \"my-2\" and .epoch == $((epoch + 1))'"
    watch_sees 1 watch "$(at_my my-2)"
}

# Drained, all of them, the writer stays where it is; the first one that is undrained takes the writes.
stays_where_all_are_drained() { # stays_where_all_are_drained CLUSTER: my-2 is the writer
    local name
    for name in my-3 my-1 my-2; do expect_code 0 roster drain "$1" $name; done
    expect "the primary" "$(topology "$1" .primary)" my-2
    for name in my-2 my-3 my-1; do expect_code 0 roster undrain "$1" $name; done
    expect "the primary" "$(topology "$1" .primary)" my-2
}

written_to() { # written_to CLUSTER POLICY: whom a hundred writes went to
    roster route "$1" write --count 30 --policy "$2" | cut -d ' ' -f 1 | sort -u | tr '\n' ' '
}

test_stateless_peers_take_the_writes_of_one_that_is_drained_weightless_or_in_no_file() {
    local name policy
    zk_start
    for name in my-1 my-2 my-3; do my_new $name; my_launch $name; done
    for name in my-1 my-2 my-3; do wait_for 60 "my_answers $name"; done
    CLUSTER_SETTINGS='kind = stateless'
    cluster_my lake 3 my-1 my-2 my-3
    fleet_start 3
    wait_topology 30 lake ".state == \"ok\" and .primary == \"my-1\" and $(primaries) == [\"my-1\", \"my-2\", \"my-3\"]"
    watch_start watch lake
    watch_sees 10 watch "$(at_my my-1)"
    moves_by_drain lake
    stays_where_all_are_drained lake
    wait_topology 20 lake "$(primaries) == [\"my-1\", \"my-2\", \"my-3\"]"

    # Without a weight it is named as before, and written to only when no other is left.
    word 0 '^lake/my-2 has weight 0$' weight lake my-2 0
    wait_for 10 '[ "$(written_to lake round-robin)" = "my-1 my-3 " ]'
    for policy in round-robin random weighted; do expect "who is written to by $policy" "$(written_to lake $policy)" "my-1 my-3 "; done
    for name in my-1 my-3; do my_crash $name; done
    wait_topology 20 lake ".primary == \"my-2\" and $(primaries) == [\"my-2\"]"
    for policy in round-robin random weighted; do expect "who is written to by $policy" "$(written_to lake $policy)" "my-2 "; done
    for name in my-1 my-3; do my_start $name; done
    wait_topology 20 lake ".state == \"ok\" and .primary == \"my-2\" and $(primaries) == [\"my-1\", \"my-2\", \"my-3\"]"

    # In no file, well as it is.
    rm "$(cluster_file)"
    cluster_my lake 3 my-1 my-3
    reload
    wait_topology 20 lake ".state == \"ok\" and .primary == \"my-1\" and $(names) == [\"my-1\", \"my-3\"]"
    watch_sees 10 watch "$(at_my my-1)"
    expect "who is written to" "$(written_to lake random)" "my-1 my-3 "
    rm "$(cluster_file)"
    cluster_my lake 3 my-1 my-2 my-3
    reload
    wait_topology 20 lake ".state == \"ok\" and .primary == \"my-1\" and $(primaries) == [\"my-1\", \"my-2\", \"my-3\"]"
}

# The group was lost as a whole, with the majority, and is back under the number that it had then.
test_galera_nodes_take_the_writes_of_one_that_is_drained_or_in_no_file_and_a_lost_group_needs_no_word() {
    local name conf
    galera_elsewhere bookworm 10.11
    zk_start
    galera_three
    cluster_my sales 3 my-1 my-2 my-3
    fleet_start 3
    wait_topology 60 sales ".kind == \"galera\" and .state == \"ok\" and .primary == \"my-1\" and ([.members[].health] | unique) == [\"up\"]"
    watch_start watch sales
    watch_sees 10 watch "$(at_my my-1)"
    moves_by_drain sales
    stays_where_all_are_drained sales

    list_my my-1 my-3
    wait_topology 20 sales ".state == \"ok\" and .primary == \"my-1\" and $(names) == [\"my-1\", \"my-3\"]"
    watch_sees 10 watch "$(at_my my-1)"
    list_my my-1 my-2 my-3
    wait_topology 30 sales ".state == \"ok\" and .primary == \"my-1\" and ($(member my-2) | .role == \"secondary\" and (.fenced | not))"

    conf=$(topology sales .lineage)
    for name in my-2 my-3; do freeze $name; done
    wait_topology 30 sales ".primary == null and .rule == \"minority\" and .lineage == \"$conf\""
    for name in $(fleet_names 3) my-1 my-2 my-3; do crash $name; done # it comes to the number while nobody looks
    galera_bootstrap my-1
    for name in my-2 my-3; do galera_start $name; done
    wait_for 60 galera_all_well
    for name in $(fleet_names 3); do probe_launch $name; done
    # On a busy machine a node may join twice: then it is a greater number.
    [ "$(galera_status my-1 wsrep_cluster_conf_id)" -ge "${conf#conf:}" ] || fail "the group does not come to $conf"
    conf=conf:$(galera_status my-1 wsrep_cluster_conf_id)
    wait_topology 30 sales ".state == \"ok\" and .lineage == \"$conf\" and ([.members[] | .fenced // false] | unique) == [false]"
    watch_sees 10 watch "$(at_my "$(topology sales .primary)")"
}
