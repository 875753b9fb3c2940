# shellcheck shell=bash
# Who is read, and who of several is written to, while nobody can look.

primaries() { echo '[.members[] | select(.role == "primary") | .name]'; }

# Servers that know nothing of each other; all of them refuse the probes' account, and serve others as before.
test_peers_stay_writers_while_accounts_are_refused_everywhere() {
    local name
    zk_start
    for name in pg-1 pg-2; do pg_new $name; pg_launch $name; done
    for name in pg-1 pg-2; do wait_for 60 "pg_answers $name"; done
    # shellcheck disable=SC2034 # for cluster_pg and probe_write
    CLUSTER_SETTINGS='kind = stateless' PROBE_SETTINGS='interval = 300ms'
    cluster_pg lake 1 pg-1 pg-2
    fleet_start 1
    wait_topology 30 lake ".state == \"ok\" and $(primaries) == [\"pg-1\", \"pg-2\"]"
    for name in pg-1 pg-2; do
        sed -i '1i host all roster 127.0.0.1/32 reject' "$T/$name/pg_hba.conf"
        pg_sql $name "SELECT pg_reload_conf()" > /dev/null
        pg_sql $name "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'" > /dev/null
    done
    wait_topology 10 lake '[.members[].reason] == ["auth", "auth"]'
    holds_for 2 "topology_is lake '$(primaries) == [\"pg-1\", \"pg-2\"]'"
    # Refused is not gone: one that goes leaves.
    pg_crash pg-2
    wait_topology 10 lake "$(primaries) == [\"pg-1\"]"
}
