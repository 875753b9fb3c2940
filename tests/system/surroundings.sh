# shellcheck shell=bash
# What is around a probe: homes and environments, poolers, files that others write, names that nobody answers for.

PROBE_SETTINGS='interval = 200ms'

# A certificate that vouches for itself: self_signed FILE, which gets .key and .pem.
self_signed() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$1.key" -out "$1.pem" 2> "$T/openssl.out"
    chmod 600 "$1.key"
    own "$1.key" "$1.pem"
}

# through CLUSTER SETTINGS [pooler]: pg-1 as a cluster of its own, by an address in between.
through() {
    port_take
    pg_port pg-1 > "$T/$1.to"
    start "between-$1" "$B/relay" "$PORT" "$T/$1.to" ${3:-}
    {
        printf '\n[cluster %s]\nengine = postgresql\nwitnesses = 1\nuser = roster\ndatabase = postgres\npassword_file = %s\n%s\n' "$1" "$(password_file)" "$2"
        printf '\n[member %s/pg-1]\naddress = 127.0.0.1:%s\n' "$1" "$PORT"
    } >> "$(cluster_file)"
}

test_nothing_in_a_home_or_an_environment_decides_how_a_server_is_asked() {
    command -v openssl > /dev/null || skip "openssl is not installed"
    zk_start
    pg_new pg-1
    my_new my-1
    self_signed "$T/pg-1/server"
    pg_set pg-1 "ssl = on"
    pg_set pg-1 "ssl_cert_file = 'server.pem'"
    pg_set pg-1 "ssl_key_file = 'server.key'"
    pg_start pg-1
    my_start my-1
    mkdir "$T/.postgresql"
    self_signed "$T/.postgresql/root"
    mv "$T/.postgresql/root.pem" "$T/.postgresql/root.crt" # of nobody that is here
    echo nonsense | tee "$T/.postgresql/postgresql.crt" > "$T/.postgresql/postgresql.key"
    printf '[client]\nport = 1\n' > "$T/.my.cnf"
    own -R "$T/.postgresql" "$T/.my.cnf"
    CLUSTER_SETTINGS='tls = require'
    cluster_pg orders 1 pg-1
    CLUSTER_SETTINGS=''
    through bills 'tls = prefer'
    cluster_my sales 1 my-1
    (
        export PGSERVICE=absent PGSSLMODE=disable PGHOST=192.0.2.1 PGSSLMINPROTOCOLVERSION=TLSv1.9 PGREQUIREPEER=nobody PGGEQO=perhaps PGTZ=nowhere
        export MYSQL_PWD=wrong MYSQL_TCP_PORT=1 LIBMYSQL_PLUGINS=absent MARIADB_PLUGIN_DIR=/nonexistent
        probe_start probe-a
    )
    wait_topology 20 orders '.state == "ok"'
    wait_topology 20 bills '.state == "ok"'
    wait_topology 20 sales '.members[0].health == "up"'
    expect "who is encrypted" "$(pg_sql pg-1 "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'roster'")" t
}

test_behind_a_pooler_peers_are_asked_without_options_and_others_are_told_why_not() {
    zk_start
    pg_new pg-1
    pg_start pg-1
    through stateless 'kind = stateless' pooler
    through custom $'kind = custom\nquery = SELECT NOT pg_is_in_recovery() AS claim' pooler
    through streaming 'kind = streaming' pooler
    fleet_start 1
    wait_topology 20 stateless '.primary == "pg-1" and .state == "ok"'
    wait_topology 20 custom '.primary == "pg-1" and .state == "ok"'
    wait_report 20 streaming probe-a '[.members[].answer] == ["auth"]'
    expect_text "$T/probe-a.log" 'streaming/pg-1 went auth: a pooler refuses start-up options: give the address of the server behind it'
    expect_no_text "$T/probe-a.log" '(stateless|custom)/pg-1 went'
}

test_a_password_that_is_rotated_is_read_again_when_the_old_one_is_refused() {
    local session
    zk_start
    pg_new pg-1
    pg_start pg-1
    cluster_pg orders 1 pg-1
    printf '\xef\xbb\xbfsecret\r\n' > "$T/password" # as an editor elsewhere leaves it
    fleet_start 1
    wait_topology 20 orders '.state == "ok"'
    pg_sql pg-1 "ALTER ROLE roster PASSWORD 'rotated'"
    wait_for 20 'grep -q "password authentication failed" "$T/pg-1.log"' # of a fresh connection
    holds_for 1 "topology_is orders '.state == \"ok\"'"
    password_file rotated > /dev/null
    pg_sql pg-1 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'" > /dev/null
    wait_for 20 'grep -q "the password was refused, and .* holds another: used now" "$T/probe-a.log"'
    wait_topology 20 orders '.state == "ok" and (.members[0] | has("reason") | not)'
    expect_no_text "$T/probe-a.log" 'rotated|secret'
    # A file that is empty for a moment is told of, and read again.
    : > "$T/password"
    pg_sql pg-1 "ALTER ROLE roster PASSWORD 'secret'"
    pg_sql pg-1 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'roster'" > /dev/null
    wait_for 20 'grep -q "the password was refused, and the first line of .* is empty" "$T/probe-a.log"'
    password_file secret > /dev/null
    wait_topology 30 orders '.state == "ok" and (.members[0] | has("reason") | not)'
    expect "how often its file was told of" "$(grep -c 'is empty' "$T/probe-a.log")" 1
}

test_names_that_nobody_answers_for_do_not_starve_others() {
    local i
    [ $SLOW = 1 ] || skip "a sanitizer has lookups of its own"
    zk_start
    pg_new pg-1
    pg_start pg-1
    {
        printf '\n[cluster orders]\nengine = postgresql\nwitnesses = 1\nuser = roster\ndatabase = postgres\npassword_file = %s\n' "$(password_file)"
        for ((i = 0; i < 12; i++)); do printf '\n[member orders/dead-%d]\naddress = dead-%d.test:5432\n' $i $i; done
        printf '\n[member orders/pg-1]\naddress = localhost:%s\n' "$(pg_port pg-1)"
    } > "$(cluster_file)"
    probe_write probe-a
    start probe-a env LD_PRELOAD="$B/names.so" "$B/roster-probe" --config "$T/probe-a.ini"
    wait_topology 10 orders '.primary == "pg-1"'
    expect "the dead are looked up" "$(topology orders '[.members[] | select(.name != "pg-1") | .reason] | unique | join(" ")')" name-not-found
}
