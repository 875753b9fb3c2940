# shellcheck shell=bash
# MySQL Group Replication: what roster makes of what its members say while something happens to them.
#
# my-1 is the primary and my-2 its successor. While a fault lasts, every member is written to and every change of mind is
# noted: the bounds at window_end are what the servers' own words allow.

RELEASE=sid

sales() {
    elsewhere "$RELEASE" sbin/mysqld 9.7
    zk_start
    group_three
    window_table my-1
    CLUSTER_SETTINGS=$'tls = require\n'"tls_ca = $T/ca.pem"
    cluster_my sales 3 my-1 my-2 my-3
    fleet_start 3
    settled my-1
    window_start sales mysql my-1 my-2 my-3
    watch_start watch sales
    watch_sees 10 watch "$(at_my my-1)"
}

member() { echo "(.members[] | select(.name == \"$1\"))"; }

# All is well, whatever was before.
settled() { # settled PRIMARY
    wait_topology 60 sales ".kind == \"group-replication\" and .state == \"ok\" and .primary == \"$1\" and
        ([.members[].health] | unique) == [\"up\"] and ([.members[] | .condition // \"fit\"] | unique) == [\"fit\"] and
        ([.members[] | select(.role == \"secondary\" and (.fenced | not) and .lag.state == \"ok\")] | length) == 2"
}

names() { watch_sees 30 watch "$(at_my "$1")"; } # names MEMBER

# It was the primary once, before, and never again.
not_named_again() { expect "how often $1 was named" "$(grep -cx "$(at_my "$1")" "$T/watch.out")" 1; }

test_a_killed_primary_is_followed_by_the_one_elected() {
    sales
    my_crash my-1
    names my-2
    wait_topology 10 sales ".state == \"ok\" and .primary == \"my-2\" and ($(member my-1) | .health == \"down\")"
    group_start my-1
    wait_topology 20 sales "$(member my-1) | .health == \"up\" and .condition == \"left\" and .role != \"primary\""
    group_join my-1
    settled my-2
    window_end 1000 1000
    not_named_again my-1
}

# The one that leaves says for 3 s that it is the primary, and writable.
test_a_primary_told_to_end_is_left_for_the_one_elected() {
    sales
    send TERM my-1
    names my-2
    wait_topology 20 sales ".state == \"ok\" and .primary == \"my-2\" and ($(member my-1) | .health == \"down\")"
    holds_for 3 "[ \"\$(watch_last watch)\" = \"$(at_my my-2)\" ]"
    window_end 2000 2000
    not_named_again my-1 # it may take a minute to end while a client waits for its commit
}

test_a_planned_switch_is_followed_within_the_group() {
    sales
    group_switch my-3
    names my-3
    settled my-3
    group_switch my-1
    names my-1
    settled my-1
    window_end 1000 1000
    expect "the identity" "$(topology sales .identity)" "$GROUP_NAME"
    # What the account may not see is named, and changes nothing.
    my_sql my-1 "REVOKE SELECT ON performance_schema.replication_group_member_stats FROM roster@'%'"
    wait_for 20 'roster explain sales | grep -q "the account lacks SELECT ON performance_schema.replication_group_member"'
    expect "the primary" "$(topology sales .primary)" my-1
}

# Thawed, it says for 3 s what it said before: the primary, writable, all members online, in an old view.
test_a_frozen_primary_that_thaws_is_not_believed() {
    sales
    freeze my-1
    names my-2
    wait_topology 10 sales ".state == \"ok\" and .primary == \"my-2\""
    holds_for 3 "[ \"\$(watch_last watch)\" = \"$(at_my my-2)\" ]"
    thaw my-1
    holds_for 6 "[ \"\$(watch_last watch)\" = \"$(at_my my-2)\" ]"
    settled my-2
    window_end 1000 1000
    not_named_again my-1
}

# It goes on saying that it is the primary, and writable; its writes hang.
test_a_primary_without_a_majority_is_none() {
    sales
    freeze my-2
    freeze my-3
    wait_topology 30 sales ".state != \"ok\" and ($(member my-1) | .condition == \"minority\")"
    topology sales .why
    holds_for 3 '! topology_is sales ".state == \"ok\""'
    thaw my-2
    thaw my-3
    settled my-1
    window_end 1000 2000
}

# For 3 s it says that it is the primary, and refuses writes (3100).
test_a_primary_that_leaves_its_group_is_left() {
    sales
    group_leave my-1
    names my-2
    wait_topology 20 sales ".primary == \"my-2\" and ($(member my-1) | .health == \"up\" and .condition == \"left\")"
    expect_code 0 roster route sales read --count 20
    expect_no_text "$T/said" "$(at_my my-1)"
    group_join my-1
    settled my-2
    window_end 2000 2000
    not_named_again my-1
}

test_a_member_in_offline_mode_is_out_of_use() {
    sales
    my_sql my-3 "SET GLOBAL offline_mode = ON"
    wait_topology 20 sales "$(member my-3) | .health == \"down\" and .reason == \"offline\""
    expect_code 0 roster route sales read --count 20
    expect_no_text "$T/said" "$(at_my my-3)"
    expect "the primary" "$(topology sales .primary)" my-1
    my_sql my-3 "SET GLOBAL offline_mode = OFF"
    settled my-1

    my_sql my-1 "SET GLOBAL offline_mode = ON"
    wait_topology 20 sales ".state != \"ok\" and ($(member my-1) | .reason == \"offline\")"
    group_switch my-2
    names my-2
    my_sql my-1 "SET GLOBAL offline_mode = OFF"
    settled my-2
    window_end 1000 1000
}

# Where all may write roster names one, and stays with it.
test_a_group_of_many_primaries_has_one_writer() {
    sales
    my_sql my-1 "SELECT group_replication_switch_to_multi_primary_mode()"
    wait_for 20 '[ "$(group_says my-3)" = ONLINE:PRIMARY:0 ]'
    wait_report 20 sales probe-a '.members | all(.claim and .peer)'
    holds_for 3 "topology_is sales '.state == \"ok\" and .primary == \"my-1\"'"
    my_crash my-1
    wait_topology 20 sales '.state == "ok" and .primary != "my-1"'
    watch_sees 10 watch "$(at_my "$(topology sales .primary)")"
    window_end 2000 2000
    not_named_again my-1
}
