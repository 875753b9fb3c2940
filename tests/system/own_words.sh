# shellcheck shell=bash
# What servers of MySQL and MariaDB say of themselves, alone or in groups: whether they take writes, whom they follow, which
# transactions they have, and of which group they are.

test_mariadb_a_server_that_takes_no_writes_although_it_is_not_read_only_is_left() { on_mariadb closed; }
test_mysql_9_a_server_that_takes_no_writes_although_it_is_not_read_only_is_left() { versions_mysql_story sid closed; }

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
