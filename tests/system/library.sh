# shellcheck shell=bash
# The library, asked of a real ZooKeeper; the questions are in library_test.c.

test_the_library_keeps_its_promises() {
    zk_start
    "$B/library_test" "$ZK" "$(pid zk)"
}

test_the_library_works_on_an_ensemble() {
    zk_ensemble 3
    "$B/library_test" "$ZK"
}
