# shellcheck shell=bash
# The seam to the registry, asked of a real ZooKeeper; the questions are in store_test.c.

follow_says() { wait_for "${2:-20}" "tail -n 1 '$T/follow.log' | grep -qE '^$1\$'"; }

follow_start() {
    zk_start
    zk create /value one
    start follow "$B/store_test" "$ZK" follow /value
    follow_says 'value one'
}

test_the_store_keeps_its_promises() {
    zk_start
    "$B/store_test" "$ZK" "$(pid zk)"
}

test_the_store_works_on_an_ensemble() {
    zk_ensemble 3
    "$B/store_test" "$ZK"
}

test_a_session_outlives_a_restart_of_the_registry() {
    follow_start
    zk_stop
    follow_says 'down'
    zk_start
    follow_says 'value one'
    expect_text "$T/follow.log" '^up [0-9a-f]+ same$'
    zk set /value two
    follow_says 'value two'
    expect "sessions" "$(grep -c ' new$' "$T/follow.log")" 1
}

test_a_registry_that_lost_everything_gets_a_new_session() {
    follow_start
    zk_stop
    rm -rf "$T/zk.data"
    follow_says 'down'
    zk_write zk "$(zk_port zk)"
    zk_start
    follow_says 'absent' 30
    expect "sessions" "$(grep -c ' new$' "$T/follow.log")" 2
    zk create /value three
    follow_says 'value three'
}

test_a_session_moves_to_another_server_of_the_ensemble() {
    local name
    zk_ensemble 3
    zk create /value one
    start follow "$B/store_test" "$ZK" follow /value
    follow_says 'value one'
    for name in zk1 zk2 zk3; do
        zk_stop "$name"
        wait_for 30 "zk set /value without-$name"
        follow_says "value without-$name" 30
        zk_start "$name"
    done
    expect "sessions" "$(grep -c ' new$' "$T/follow.log")" 1
}
