# shellcheck shell=bash
# Galera: every node of the primary component may write; roster names one, and another only when it has to.
#
# While a fault lasts, every node is written to and every change of mind is noted: the bounds at window_end
# are what the servers' own words allow.

RELEASE=bookworm

sales() {
    galera_elsewhere "$RELEASE" 10.11
    zk_start
    galera_three
    window_table my-1
    cluster_my sales 3 my-1 my-2 my-3
    fleet_start 3
    settled my-1
    window_start sales mysql my-1 my-2 my-3
    watch_start watch sales
    watch_sees 10 watch "$(at_my my-1)"
}

member() { echo "(.members[] | select(.name == \"$1\"))"; }

settled() { # settled PRIMARY
    wait_topology 60 sales ".kind == \"galera\" and .state == \"ok\" and .primary == \"$1\" and
        ([.members[].health] | unique) == [\"up\"] and ([.members[] | .condition // \"fit\"] | unique) == [\"fit\"] and
        ([.members[] | select(.role == \"secondary\" and (.fenced | not))] | length) == 2"
}

# Another than the one before; its name is in NEXT.
another_than() {
    wait_topology 30 sales ".state == \"ok\" and .primary != \"$1\" and .primary != null"
    NEXT=$(topology sales .primary)
    watch_sees 10 watch "$(at_my "$NEXT")"
}

# It was the writer once, before, and never again.
not_named_again() { expect "how often $1 was named" "$(grep -cx "$(at_my "$1")" "$T/watch.out")" 1; }

test_a_killed_writer_is_replaced_and_does_not_come_back() {
    sales
    my_crash my-1
    another_than my-1
    galera_start my-1
    wait_for 40 galera_all_well
    settled "$NEXT"
    holds_for 3 "[ \"\$(watch_last watch)\" = \"$(at_my "$NEXT")\" ]"
    window_end 1500 1500
    not_named_again my-1
}

test_a_writer_told_to_end_is_replaced() {
    sales
    send TERM my-1
    another_than my-1
    wait_for 60 'gone my-1'
    wait_topology 20 sales ".state == \"ok\" and .primary == \"$NEXT\" and ($(member my-1) | .health == \"down\")"
    window_end 1500 1500
    not_named_again my-1
}

# It says nothing of it for seconds; its writes hang.
test_a_writer_cut_off_from_the_others_is_replaced() {
    sales
    galera_isolate my-1
    another_than my-1
    wait_topology 20 sales "$(member my-1) | .health == \"up\" and .condition == \"minority\""
    expect_code 0 roster route sales read --count 20 --fallback
    expect_no_text "$T/said" "$(at_my my-1)"
    galera_isolate my-1 0
    wait_for 40 galera_all_well
    settled "$NEXT"
    window_end 2000 2000
    not_named_again my-1
}

# Thawed, it claims for a second or two to be what it was.
test_a_frozen_writer_that_thaws_is_not_believed() {
    sales
    freeze my-1
    another_than my-1
    holds_for 2 "[ \"\$(watch_last watch)\" = \"$(at_my "$NEXT")\" ]"
    thaw my-1
    wait_for 60 galera_all_well
    settled "$NEXT"
    window_end 5000 5000
    not_named_again my-1
}

# The one that is left is the minority, and says so. Thawed, the two claim to be what they were.
test_a_writer_left_alone_is_none() {
    sales
    freeze my-2
    freeze my-3
    wait_topology 30 sales ".state != \"ok\" and ($(member my-1) | .condition == \"minority\")"
    topology sales .why
    thaw my-2
    thaw my-3
    wait_for 90 galera_all_well
    wait_topology 60 sales ".state == \"ok\" and .primary != null and ([.members[] | .condition // \"fit\"] | unique) == [\"fit\"]"
    topology sales .why
    window_end 3000 3000
}

test_a_node_out_of_step_or_rejecting_is_out_of_the_pool() {
    sales
    my_sql my-2 "SET GLOBAL wsrep_desync = ON"
    wait_topology 20 sales "$(member my-2) | .condition == \"donor\""
    my_sql my-3 "SET GLOBAL wsrep_reject_queries = ALL"
    wait_topology 20 sales "$(member my-3) | .condition == \"rejecting\""
    expect "the primary" "$(topology sales .primary)" my-1
    my_sql my-2 "SET GLOBAL wsrep_desync = OFF"
    wait_topology 20 sales "$(member my-2) | (.condition // \"fit\") == \"fit\""
    expect_code 0 roster route sales read --count 20
    expect_no_text "$T/said" "$(at_my my-3)"
    expect_text "$T/said" "$(at_my my-2)"

    # The writer too: my-3 may not follow it.
    my_sql my-1 "SET GLOBAL wsrep_reject_queries = ALL"
    watch_sees 20 watch "$(at_my my-2)"
    my_sql my-1 "SET GLOBAL wsrep_reject_queries = NONE"
    my_sql my-3 "SET GLOBAL wsrep_reject_queries = NONE"
    settled my-2
    window_end 1500 1500
    not_named_again my-1
}

# Of those that are there the one that feeds it is out of step meanwhile, not the writer.
test_a_node_that_comes_new_is_fed_and_the_writer_stays() {
    sales
    my_stop my-3
    wait_topology 20 sales "$(member my-3) | .health == \"down\""
    rm -f "$T/my-3/grastate.dat" "$T/my-3/galera.cache"
    echo wsrep-sst-donor=my-2 >> "$T/my-3.cnf"
    galera_start my-3
    settled my-1
    expect "the epoch" "$(topology sales .epoch)" 1
    window_end 1500 1500
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_my my-1)"
}
