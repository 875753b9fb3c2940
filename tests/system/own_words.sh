# shellcheck shell=bash
# What servers of MySQL and MariaDB say of themselves, alone or in groups: whether they take writes, whom they follow, which
# transactions they have, and of which group they are.

test_mariadb_a_server_that_takes_no_writes_although_it_is_not_read_only_is_left() { on_mariadb closed; }
test_mysql_9_a_server_that_takes_no_writes_although_it_is_not_read_only_is_left() { versions_mysql_story sid closed; }

# ---- whom a replica follows --------------------------------------------------------

# Another cluster's server has the server_id of the primary, as the default is 1 everywhere.
test_mariadb_a_source_of_another_cluster_is_not_the_member_of_its_server_id() {
    of=my
    zk_start
    servers my-1 my-2
    my_new other
    set_in other "server-id=$(my_port my-1)"
    my_start other
    my_sql other "SET GLOBAL read_only = 0, GLOBAL gtid_domain_id = 7; CREATE DATABASE foreign_data"
    follows my-2 my-1
    fleet_on my-1 my-2
    wait_topology 40 sales ".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1)"
    expect_code 0 roster route sales read --max-lag 10s --strict
    my_sql my-2 "STOP SLAVE"
    follows my-2 other
    wait_topology 20 sales "$(member my-2) | .upstream == null and .lag.state != \"ok\""
    expect_code 5 roster route sales read --max-lag 10s --strict
    my_sql my-2 "STOP SLAVE"
    follows my-2 my-1
    wait_topology 20 sales "$(is_up my-2 my-1)"
}

# ---- sets of transactions ------------------------------------------------------------

# Of three thousand servers that wrote once, 150 kB.
long_set() {
    awk 'BEGIN { for (i = 1; i <= 3000; i++) printf "%s%08x-71ca-11e1-9e33-c80aa9429562:1-%d", (i > 1 ? "," : ""), i, i }'
}
has_a_long_set() { # has_a_long_set NAME
    { printf "SET GLOBAL gtid_purged = '+"; long_set; printf "';"; } > "$T/purged.sql"
    mariadb --no-defaults --skip-ssl -S "$T/$1.sock" -u root < "$T/purged.sql"
}

test_mysql_9_sets_of_any_length_are_compared() {
    local name
    of=mysql
    elsewhere sid sbin/mysqld 9.7
    zk_start
    servers my-1 my-2
    for name in my-1 my-2; do has_a_long_set $name; done
    follows my-2 my-1
    fleet_on my-1 my-2
    wait_topology 40 sales ".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1)"
    act my-2 stop
    my_sql my-1 "CREATE DATABASE more"
    act my-2 reset_all open
    wait_report 20 sales probe-a "($(member my-2) | .claim and .lacks == [\"my-1\"]) and ($(member my-1) | .claim and (.lacks // []) == [])"
    wait_topology 20 sales '.state == "conflict" and .primary == "my-1"'
}

# ---- Group Replication -----------------------------------------------------------

# On one member only; who is logged in is sent away.
refuse_probes() { # refuse_probes NAME
    my_sql "$1" "SET sql_log_bin = 0; ALTER USER roster@'%' ACCOUNT LOCK"
    my_sql "$1" "SELECT CONCAT('KILL ', ID) FROM information_schema.PROCESSLIST WHERE USER = 'roster'" |
        while read -r kill; do my_sql "$1" "$kill" || true; done
}

test_group_an_election_is_followed_although_the_old_primary_refuses_the_account() {
    of=mysql
    elsewhere sid sbin/mysqld 9.7
    zk_start
    group_three
    fleet_on my-1 my-2 my-3
    watch_sees 60 watch "$(at_my my-1)"
    refuse_probes my-1
    wait_topology 30 sales ".primary == \"my-1\" and .state == \"suspect\" and ($(member my-1) | .health == \"up\" and .reason == \"auth\")"
    group_leave my-1
    watch_sees 20 watch "$(at_my my-2)"
    wait_topology 20 sales ".primary == \"my-2\" and .rule == \"newest-lineage\" and ($(member my-1) | .fenced and .reason == \"auth\")"
}

# ---- Galera ---------------------------------------------------------------------

# Of three writers one after the other the last is frozen, with the writes, and the others make a group without it.
test_galera_a_group_built_anew_gets_the_writes_from_a_frozen_node_for_good() {
    local name
    galera_elsewhere bookworm 10.11
    zk_start
    galera_three
    cluster_my sales 3 my-1 my-2 my-3
    fleet_start 3
    watch_start watch sales
    watch_sees 60 watch "$(at_my my-1)"
    wait_topology 20 sales '.kind == "galera" and ([.members[].record.start] | all)'
    my_crash my-1
    watch_sees 20 watch "$(at_my my-2)"
    freeze my-3
    my_crash my-2
    watch_sees 20 watch "$(at_my my-3)"
    wait_topology 20 sales ".primary == \"my-3\" and .state == \"suspect\""
    galera_bootstrap my-1
    watch_sees 20 watch "$(at_my my-1)"
    galera_start my-2
    wait_topology 20 sales ".primary == \"my-1\" and ($(member my-2) | .role == \"secondary\" and (.fenced | not)) and ($(member my-3) | .fenced)"
    thaw my-3
    wait_topology 60 sales ".primary == \"my-1\" and ($(member my-3) | .role == \"secondary\" and (.fenced | not))"
    # The group may have no majority for a moment while the node joins.
    expect "whom watch named" "$(grep -v '^-$' "$T/watch.out" | uniq | tr '\n' ' ')" "$(for name in my-1 my-2 my-3 my-1; do at_my $name; done | tr '\n' ' ')"
}

# ---- the operator's statement -------------------------------------------------------

# A table that says who leads has no row for one of them.
test_custom_null_in_a_claim_is_no_claim_and_is_told() {
    of=my
    zk_start
    servers my-1 my-2
    act my-2 open
    my_sql my-1 "CREATE TABLE app.leads (yes BOOLEAN); INSERT INTO app.leads VALUES (NULL); GRANT SELECT ON app.leads TO roster@'%'"
    my_sql my-2 "CREATE TABLE app.leads (yes BOOLEAN); INSERT INTO app.leads VALUES (0); GRANT SELECT ON app.leads TO roster@'%'"
    CLUSTER_SETTINGS=$'kind = custom\nquery = SELECT (SELECT yes FROM app.leads) AS claim, @@server_id AS self_id'
    fleet_on my-1 my-2
    wait_topology 30 sales ".primary == null and .rule == \"no-claim\" and ($(member my-1) | .health == \"up\" and .closed_by == \"claim is NULL\")"
    expect_code 0 roster show sales
    expect_text "$T/said" '^  my-1 .*closed by claim is NULL'
    expect_text "$T/probe-a.log" 'sales/my-1 takes no writes: claim is NULL'
    my_sql my-1 "UPDATE app.leads SET yes = 1"
    watch_sees 20 watch "$(at_my my-1)"
    my_sql my-1 "UPDATE app.leads SET yes = NULL"
    my_sql my-2 "UPDATE app.leads SET yes = 1"
    watch_sees 20 watch "$(at_my my-2)"
}

# ---- closed by another setting than read_only -------------------------------------

restarted_with() { # restarted_with NAME LINE
    my_crash "$1"
    set_in "$1" "$2"
    "${of}_start" "$1"
}

takes_no_writes() { # takes_no_writes NAME SETTING
    wait_topology 30 sales ".primary == null and ($(member "$1") | .health == \"up\" and .closed_by == \"$2\") and
        (.why | test(\"$1 takes no writes: $2\"))"
    [ "$(my_sql "$1" 'SELECT @@read_only')" = 0 ] || fail "$1 is read-only"
    ! my_sql "$1" 'INSERT INTO first_on_my1.t VALUES (1)' 2> /dev/null || fail "$1 takes writes"
}

# With what is lost of a table space a server is started so, and an application has errors only. MySQL takes writes at none of its
# numbers; MariaDB at 4, and at 5 it does not say so.
closed() {
    local forced=5 variable=tx_read_only
    [ "$of" = my ] || forced=1 variable=transaction_read_only
    servers my-1 my-2
    writable_in_file my-1
    follows my-2 my-1
    my_sql my-1 "CREATE TABLE first_on_my1.t (a INT) ENGINE=InnoDB"
    wait_for 20 "my_sql my-2 'SELECT COUNT(*) FROM first_on_my1.t'"
    fleet_on my-1 my-2
    watch_sees 30 watch "$(at_my my-1)"
    restarted_with my-1 "innodb-force-recovery=$forced"
    takes_no_writes my-1 innodb_force_recovery
    expect_code 0 roster show sales
    expect_text "$T/said" '^  my-1 .*closed by innodb_force_recovery'
    expect_code 0 roster explain sales
    expect_text "$T/said" 'takes no writes, closed by innodb_force_recovery'
    act my-2 stop reset_all open
    watch_sees 20 watch "$(at_my my-2)"

    my_sql my-2 "SET GLOBAL $variable = 1"
    takes_no_writes my-2 $variable
    my_sql my-2 "SET GLOBAL $variable = 0"
    watch_sees 20 watch "$(at_my my-2)"

    [ "$of" = my ] || return 0 # one restart of MySQL's is enough
    my_stop my-2
    writable_in_file my-2
    set_in my-2 innodb-read-only=1
    "${of}_start" my-2
    takes_no_writes my-2 innodb_read_only
}
