# shellcheck shell=bash
# One server that is listed twice: by its address and by another, or by an address that moves.

# listed MEMBER ADDRESS:PORT: one more member of the cluster that was written last.
listed() { printf '\n[member orders/%s]\naddress = %s\n' "$1" "$2" >> "$(cluster_file)"; }

is_alias() { # is_alias MEMBER OF: it has no role, nobody is in conflict, and the reason is told
    topology_is orders '.state == "ok" and ([.members[] | select(.name == "'"$1"'")] == [.members[] | select(.alias == "'"$2"'" and .role == "none")])'
}

never_in_trouble() { expect_no_text "$T/probe-a.log" 'tie|conflict|claims to be primary too'; }

test_a_postgresql_that_is_listed_by_two_addresses_is_one() {
    zk_start
    pg_group 2
    cluster_pg orders 3 pg-1 pg-2
    listed pg-1-again "localhost:$(pg_port pg-1)"
    listed pg-2-again "localhost:$(pg_port pg-2)"
    fleet_start 3
    wait_topology 30 orders '.primary == "pg-1" and .state == "ok"'
    wait_for 20 'is_alias pg-1-again pg-1 && is_alias pg-2-again pg-2'
    expect_code 0 roster show orders
    expect_text "$T/said" 'pg-1-again.*alias'
    expect_code 0 roster explain orders
    expect_text "$T/said" 'alias of pg-1'
    expect_text "$T/said" 'pg-1-again is the server pg-1 by another name'
    expect_code 0 roster route orders read
    expect_text "$T/said" "^pg-2 $(at_pg pg-2)"
    # Restarted, it is one still.
    pg_crash pg-1
    pg_start pg-1
    wait_for 30 'is_alias pg-1-again pg-1 && topology_is orders ".primary == \"pg-1\""'
    pg_crash pg-1
    pg_promote pg-2
    wait_topology 30 orders '.primary == "pg-2" and .state == "ok"'
    wait_for 20 'is_alias pg-2-again pg-2'
    expect "the epoch's members" "$(topology orders '[.members[] | select(.claims) | .name] | tostring')" '[]'
    never_in_trouble
}

test_a_mariadb_that_is_listed_by_two_addresses_is_one() {
    zk_start
    my_pair
    cluster_my orders 3 my-1 my-2
    listed my-1-again "localhost:$(my_port my-1)"
    listed a-third-name "localhost:$(my_port my-2)"
    fleet_start 3
    wait_topology 40 orders '.primary == "my-1" and .state == "ok"'
    wait_for 20 'is_alias my-1-again my-1'
    wait_for 20 'topology_is orders "[.members[] | select(.alias)] | length == 2"'
    never_in_trouble
}

# The address first leads to PORT; vip_to moves it, and ends what is connected.
vip_start() { # vip_start PORT
    port_take
    VIP=$PORT
    vip_file "$1"
    start vip "$B/relay" "$VIP" "$T/vip.to"
}
vip_file() { echo "$1" > "$T/vip.to"; }
vip_to() {
    vip_file "$1"
    pkill -USR1 -P "$(pid vip)" || true
}

test_an_address_that_moves_with_the_primary_is_an_alias_wherever_it_is() {
    zk_start
    pg_group 2
    cluster_pg orders 3 pg-1 pg-2
    vip_start "$(pg_port pg-1)"
    listed vip "127.0.0.1:$VIP"
    fleet_start 3
    watch_start watch orders
    wait_topology 30 orders '.primary == "pg-1" and .state == "ok"'
    wait_for 20 'is_alias vip pg-1'
    vip_to "$(pg_port pg-2)" # by mistake, to a standby: judged anew
    wait_for 20 'is_alias vip pg-2 && topology_is orders ".primary == \"pg-1\""'
    vip_to "$(pg_port pg-1)"
    wait_for 20 'is_alias vip pg-1'
    pg_crash pg-1
    pg_promote pg-2
    vip_to "$(pg_port pg-2)"
    watch_sees 20 watch "$(at_pg pg-2)"
    wait_for 20 'is_alias vip pg-2'
    expect_no_text "$T/watch.out" ":$VIP"
    never_in_trouble
}

test_an_address_that_moves_between_mariadbs_is_never_the_primary() {
    zk_start
    my_pair
    cluster_my orders 3 my-1 my-2
    vip_start "$(my_port my-1)"
    listed vip "127.0.0.1:$VIP"
    fleet_start 3
    watch_start watch orders
    wait_topology 40 orders '.primary == "my-1" and .state == "ok"'
    wait_for 20 'is_alias vip my-1'
    my_switch my-1 my-2
    vip_to "$(my_port my-2)"
    watch_sees 20 watch "$(at_my my-2)"
    wait_for 20 'is_alias vip my-2'
    expect_no_text "$T/watch.out" ":$VIP"
    never_in_trouble
}
