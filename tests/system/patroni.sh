# shellcheck shell=bash
# A Patroni cluster needs no setting of its own: three members, and what the
# servers say. Patroni and roster share the ZooKeeper, and never meet there.

member() { echo "(.members[] | select(.name == \"$1\"))"; } # for jq

# Three members, three probes, settled; a watch that follows.
orders() {
    command -v patroni > /dev/null || skip "there is no Patroni here"
    zk_start
    patroni_group 3
    cluster_pg orders 3 pg-1 pg-2 pg-3
    fleet_start 3
    settled 40 pg-1 pg-2 pg-3
    watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
    TIMELINE=$(topology orders .lineage) # Patroni adopts the first server by promoting it
}

# All is well in Patroni's eyes and in roster's.
settled() { # settled SECONDS LEADER SECONDARY...
    local leader=$2 name
    wait_for "$1" "patroni_settled ${*:2}"
    wait_topology "$1" orders ".state == \"ok\" and .primary == \"$leader\""
    for name in "${@:3}"; do
        wait_topology "$1" orders \
            "$(member "$name") | .role == \"secondary\" and .health == \"up\" and .upstream == \"$leader\" and .lag.state == \"ok\" and (.fenced | not)"
    done
}

# The leader that Patroni has found, other than NAME: into LEADER, the one left over into OTHER.
find_leader() { # find_leader NAME
    wait_for 60 "new=\$(patroni_leader) && [ \"\$new\" != $1 ] && [ \"\$(pg_sql \"\$new\" 'SELECT pg_is_in_recovery()')\" = f ]"
    LEADER=$(patroni_leader)
    for OTHER in pg-1 pg-2 pg-3; do [ "$OTHER" = "$1" ] || [ "$OTHER" = "$LEADER" ] || break; done
}

# In between watch has said that there is none; it may be over by now.
said_none() { wait_for 20 'grep -qx -e - "$T/watch.out"'; }

# What watch said, without the moments in which there was none.
said() { grep -vx -e - "$T/watch.out" | tr '\n' ' '; }

test_a_switchover_is_followed_there_and_back() {
    orders
    window_table pg-1
    window_start orders postgresql pg-1 pg-2 pg-3
    patroni_ctl switchover --force --candidate pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
    settled 60 pg-2 pg-1 pg-3
    wait_topology 10 orders ".lineage == \"$((TIMELINE + 1))\""
    patroni_ctl switchover --force --candidate pg-1
    watch_sees 20 watch "$(at_pg pg-1)"
    settled 60 pg-1 pg-2 pg-3
    expect "the timeline" "$(topology orders .lineage)" $((TIMELINE + 2))
    window_end 1000 1000
    expect "what watch said" "$(said)" "$(at_pg pg-1) $(at_pg pg-2) $(at_pg pg-1) "
}

test_a_host_that_dies_is_failed_over_and_comes_back_rewound() {
    orders
    window_table pg-1
    window_start orders postgresql pg-1 pg-2 pg-3
    host_kill pg-1
    said_none
    find_leader pg-1
    watch_sees 20 watch "$(at_pg "$LEADER")"
    wait_topology 20 orders "$(member pg-1) | .role == \"none\" and .health == \"down\" and .fenced"
    settled 60 "$LEADER" "$OTHER"
    patroni_start pg-1
    settled 60 "$LEADER" "$OTHER" pg-1
    window_end 1000 1000
    expect "what watch said" "$(said)" "$(at_pg pg-1) $(at_pg "$LEADER") "
}

# The server writes on while nobody reads it: what it alone has is what pg_rewind takes away.
test_a_primary_with_writes_of_its_own_is_rewound_and_no_longer_fenced() {
    orders
    pg_sql pg-1 "CREATE TABLE journal (id bigint)" app
    host_kill pg-1
    find_leader pg-1
    watch_sees 20 watch "$(at_pg "$LEADER")"
    # Without Patroni, by hand: the old primary takes writes again.
    rm -f "$T/pg-1/standby.signal"
    pg_launch pg-1
    wait_for 30 'pg_answers pg-1'
    pg_sql pg-1 "INSERT INTO journal SELECT generate_series(1, 1000)" app
    wait_topology 20 orders ".state == \"conflict\" and .primary == \"$LEADER\" and ($(member pg-1) | .claims and .fenced)"
    pg_crash pg-1
    patroni_start pg-1
    settled 30 "$LEADER" "$OTHER" pg-1
    expect "rows that the other history had" "$(pg_sql pg-1 "SELECT count(*) FROM journal" app)" 0
    expect_text "$T/patroni-pg-1.log" 'pg_rewind'
    expect "what watch said" "$(said)" "$(at_pg pg-1) $(at_pg "$LEADER") "
}

# Patroni starts it again where it was: nobody else is promoted.
test_a_killed_server_that_patroni_restarts_is_the_primary_again() {
    orders
    pg_kill pg-1
    said_none
    wait_for 60 'patroni_leader | grep -q . && pg_sql "$(patroni_leader)" "SELECT pg_is_in_recovery()" | grep -qx f'
    wait_topology 40 orders ".state == \"ok\" and .primary == \"$(patroni_leader)\""
    watch_sees 10 watch "$(at_pg "$(patroni_leader)")"
}

test_a_paused_cluster_without_its_primary_has_none_until_it_is_resumed() {
    orders
    patroni_ctl pause --wait
    holds_for 3 "topology_is orders '.state == \"ok\" and .primary == \"pg-1\"'"
    pg_kill pg-1
    wait_topology 20 orders '.state == "no-primary" and .primary == null'
    watch_sees 10 watch -
    holds_for 10 "topology_is orders '.primary == null'" # longer than the leader's place would last
    expect "pg-2 in recovery" "$(pg_sql pg-2 'SELECT pg_is_in_recovery()')" t
    expect "pg-3 in recovery" "$(pg_sql pg-3 'SELECT pg_is_in_recovery()')" t
    patroni_ctl resume --wait
    wait_for 60 'patroni_leader | grep -q . && pg_sql "$(patroni_leader)" "SELECT pg_is_in_recovery()" | grep -qx f'
    wait_topology 40 orders ".state == \"ok\" and .primary == \"$(patroni_leader)\""
}

test_restarts_of_members_move_nothing() {
    orders
    patroni_ctl restart --force --role replica
    settled 60 pg-1 pg-2 pg-3
    patroni_ctl restart --force --role leader || patroni_ctl restart --force --role master
    settled 60 pg-1 pg-2 pg-3
    expect "the timeline" "$(topology orders .lineage)" "$TIMELINE"
    expect "what watch said" "$(said | tr ' ' '\n' | sort -u)" "$(at_pg pg-1)"
}

# Patroni chooses it, the primary says so, and it is the one to switch over to.
test_the_synchronous_standby_is_marked_and_takes_over() {
    local first
    orders
    patroni_ctl edit-config --force -s synchronous_mode=true
    wait_topology 30 orders '[.members[] | select(.sync) | .role] == ["secondary"]'
    first=$(topology orders '.members[] | select(.sync) | .name')
    wait_for 20 "zk get /service/orders/sync | jq -e '.sync_standby == \"$first\"'"
    patroni_ctl switchover --force --candidate "$first"
    watch_sees 20 watch "$(at_pg "$first")"
    wait_topology 40 orders ".state == \"ok\" and ([.members[] | select(.sync) | .role] == [\"secondary\"]) and ($(member "$first") | .role == \"primary\")"
}

# The servers go on without Patroni, and so does what roster says of them.
test_without_patroni_the_servers_still_say_what_they_are() {
    orders
    crash patroni-pg-2
    crash patroni-pg-3
    crash patroni-pg-1
    holds_for 10 "topology_is orders '.state == \"ok\" and .primary == \"pg-1\"'"
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_pg pg-1)"
}
