# shellcheck shell=bash
# What a driver sees of real servers, and of servers that lie; without any daemon.

# One look, or several by options, into T/seen.
sees() { # sees ENGINE HOST:PORT [OPTION...]
    "$B/look" --engine "$1" --timeout "${TIMEOUT:-5s}" --password-file "${PASSWORD_FILE:-$(password_file)}" "${@:3}" "$2" > "$T/seen" 2>&1 || true
    expect_no_text "$T/seen" 'secret|Sanitizer'
}

# A server of the kind that rogue can be, on PORT.
rogue() {
    port_take
    start rogue "$B/rogue" "$1" "$PORT"
    wait_for 5 'grep -q ready "$T/rogue.log"'
}

at() { echo "127.0.0.1:$1"; }

# ---- servers that lie -------------------------------------------------------------

test_no_server_gets_the_postgresql_password_in_clear_text() {
    local mode tls
    for mode in pg-clear pg-scram-then-clear pg-md5-and-clear; do
        rogue $mode
        for tls in off prefer; do
            sees postgresql "$(at "$PORT")" --tls $tls
            expect_text "$T/seen" 'answer=auth.*in clear text'
        done
        wait_for 5 '[ $(grep -c "^no password" "$T/rogue.log") = 2 ]'
        stop rogue
        expect_no_text "$T/rogue.log" '^password'
        : > "$T/rogue.log"
    done
}

test_no_server_gets_the_mysql_password_in_clear_text() {
    local mode tls
    for mode in my-clear my-key my-old-key; do
        rogue $mode
        for tls in off prefer; do
            sees mysql "$(at "$PORT")" --tls $tls
            expect_text "$T/seen" 'answer=auth.*without encryption'
        done
        for tls in require verify; do
            sees mysql "$(at "$PORT")" --tls $tls
            expect_text "$T/seen" 'answer=tls.*offers no encryption'
        done
        stop rogue
        expect_no_text "$T/rogue.log" '^password'
        : > "$T/rogue.log"
    done
    rogue my-file
    sees mysql "$(at "$PORT")"
    wait_for 5 'grep -q "^no file" "$T/rogue.log"'
    expect_no_text "$T/rogue.log" '^file'
}

test_a_server_that_sends_without_end_is_cut_off() {
    # libpq reads on within one call while bytes keep coming: a flood on loopback outruns what is slowed down tenfold.
    [ "$VARIANT" != tsan ] || skip "the flood outruns a thread-sanitized reader inside libpq"
    rogue pg-flood
    sees postgresql "$(at "$PORT")"
    expect_text "$T/seen" 'answer=protocol.*too long'
    stop rogue
    : > "$T/rogue.log"
    rogue my-flood
    sees mysql "$(at "$PORT")"
    expect_text "$T/seen" 'answer=protocol.*too long'
}

test_what_is_no_database_is_told_so() {
    local mode engine
    for mode in flood hang-up; do
        rogue $mode
        for engine in postgresql mysql; do
            sees $engine "$(at "$PORT")"
            expect_text "$T/seen" 'answer=protocol'
        done
        stop rogue
        : > "$T/rogue.log"
    done
    rogue pg-shape
    sees postgresql "$(at "$PORT")"
    expect_text "$T/seen" 'answer=protocol.*not the shape'
}

test_a_silent_server_costs_no_more_than_the_deadline() {
    local engine tls
    rogue mute
    for engine in postgresql mysql; do
        for tls in off prefer; do
            TIMEOUT=300ms sees $engine "$(at "$PORT")" --tls $tls
            expect_text "$T/seen" 'ms=[3-9][0-9][0-9] answer=stalled'
        done
    done
    stop rogue
    : > "$T/rogue.log"
    rogue my-tls-drip # in the midst of the handshake, where the client library waits by itself
    TIMEOUT=300ms sees mysql "$(at "$PORT")" --tls prefer
    expect_text "$T/seen" 'answer=stalled'
    expect_text "$T/seen" ' ms=([3-9][0-9][0-9]|1[0-9][0-9][0-9]) '
}

# ---- PostgreSQL ----------------------------------------------------------------------

test_postgresql_says_what_it_is() {
    local identity
    pg_group 2
    identity=$(pg_sql pg-1 "SELECT system_identifier FROM pg_control_system()")
    sees postgresql "$(at "$(pg_port pg-1)")" --repeat 2 --interval 10ms
    expect_text "$T/seen" "look=2 .*answer=ok writable=yes replica=no .*lineage=1 identity=$identity .*version=[0-9.]+ position=[0-9]+"
    sees postgresql "$(at "$(pg_port pg-2)")"
    expect_text "$T/seen" "answer=ok writable=no replica=yes live=yes .*applying=yes lineage=1 identity=$identity .*upstream=127.0.0.1:$(pg_port pg-1) .*lag_ms="

    pg_sql pg-1 "CREATE ROLE plain LOGIN PASSWORD 'secret'; CREATE ROLE few LOGIN PASSWORD 'secret' CONNECTION LIMIT 0"
    wait_for 10 '[ "$(pg_sql pg-2 "SELECT count(*) FROM pg_roles WHERE rolname = '\''plain'\''")" = 1 ]'
    sees postgresql "$(at "$(pg_port pg-2)")" --user plain
    expect_text "$T/seen" 'answer=ok .*replica=yes live=no .*missing=pg_read_all_stats'
    sees postgresql "$(at "$(pg_port pg-1)")" --user few
    expect_text "$T/seen" 'answer=saturated'
    sees postgresql "$(at "$(pg_port pg-1)")" --database nowhere
    expect_text "$T/seen" 'answer=auth.*nowhere'
    sees postgresql "$(at "$(pg_port pg-1)")" --tls require
    expect_text "$T/seen" 'answer=tls'
    PASSWORD_FILE=$(password_file wrong wrong) sees postgresql "$(at "$(pg_port pg-1)")"
    expect_text "$T/seen" 'answer=auth'

    pg_sql pg-2 "SELECT pg_wal_replay_pause()"
    sees postgresql "$(at "$(pg_port pg-2)")"
    expect_text "$T/seen" 'answer=ok .*applying=no'
    pg_sql pg-2 "SELECT pg_wal_replay_resume()"
    pg_stop pg-1
    sees postgresql "$(at "$(pg_port pg-1)")"
    expect_text "$T/seen" 'answer=refused'
    pg_promote pg-2
    sees postgresql "$(at "$(pg_port pg-2)")"
    expect_text "$T/seen" "answer=ok writable=yes replica=no .*lineage=2 identity=$identity"
}

test_a_postgresql_session_outlives_a_promotion_without_an_error() {
    pg_group 2
    "$B/look" --password-file "$(password_file)" --timeout 5s --repeat 0 --interval 1ms "$(at "$(pg_port pg-2)")" > "$T/seen" &
    track look $!
    wait_for 10 'grep -q replica=yes "$T/seen"'
    pg_promote pg-2
    wait_for 10 'grep -q writable=yes "$T/seen"'
    stop look
    expect_no_text "$T/seen" 'answer=([^o]|o[^k])'
    expect_no_text "$T/seen" 'writable=yes .*lineage=1'
}

# ---- MariaDB ---------------------------------------------------------------------------

test_mariadb_says_what_it_is() {
    my_pair
    sees mysql "$(at "$(my_port my-1)")" --repeat 2 --interval 10ms
    expect_text "$T/seen" "look=2 .*answer=ok writable=yes replica=no .*self=$(my_port my-1) version=[0-9.]+-MariaDB"
    sees mysql "$(at "$(my_port my-2)")"
    expect_text "$T/seen" "answer=ok writable=no replica=yes live=yes .*applying=yes .*upstream=127.0.0.1:$(my_port my-1) upstream_id=$(my_port my-1) lag_ms=0"

    my_sql my-1 "SET GLOBAL read_only = 1"
    sees mysql "$(at "$(my_port my-1)")"
    expect_text "$T/seen" 'answer=ok writable=no replica=no'
    my_sql my-1 "SET GLOBAL read_only = 0"
    my_sql my-2 "STOP SLAVE SQL_THREAD"
    sees mysql "$(at "$(my_port my-2)")"
    expect_text "$T/seen" 'answer=ok .*replica=yes live=yes .*applying=no'
    expect_no_text "$T/seen" lag_ms
    my_sql my-2 "STOP SLAVE; START SLAVE SQL_THREAD"
    sees mysql "$(at "$(my_port my-2)")"
    expect_text "$T/seen" 'answer=ok .*replica=yes live=no .*applying=yes'
    expect_no_text "$T/seen" lag_ms

    my_new my-3
    echo skip-ssl >> "$T/my-3.cnf" # from 11.4 on a server makes a certificate for itself
    my_start my-3
    sees mysql "$(at "$(my_port my-3)")" --tls require
    expect_text "$T/seen" 'answer=tls.*offers no encryption'
    sees mysql "$(at "$(my_port my-3)")" --tls prefer
    expect_text "$T/seen" 'answer=ok'
    my_sql my-1 "REVOKE SLAVE MONITOR ON *.* FROM roster@'%'"
    sees mysql "$(at "$(my_port my-1)")"
    expect_text "$T/seen" 'answer=privilege writable=yes .*missing=SLAVE MONITOR'
    PASSWORD_FILE=$(password_file wrong wrong) sees mysql "$(at "$(my_port my-1)")"
    expect_text "$T/seen" 'answer=auth'
    my_stop my-1
    sees mysql "$(at "$(my_port my-1)")"
    expect_text "$T/seen" 'answer=refused'
}

# ---- TLS --------------------------------------------------------------------------------

# T/ca.pem and T/other.pem, authorities; T/server.pem and .key, made out to localhost alone.
certificates() {
    command -v openssl > /dev/null || skip "openssl is not installed"
    local name
    for name in ca other; do
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$name" -keyout "$T/$name.key" -out "$T/$name.pem" 2> "$T/openssl.out"
    done
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$T/server.key" -out "$T/server.csr" 2> "$T/openssl.out"
    echo 'subjectAltName = DNS:localhost' > "$T/server.ext"
    openssl x509 -req -in "$T/server.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial -days 2 -extfile "$T/server.ext" \
        -out "$T/server.pem" 2> "$T/openssl.out"
    chmod 600 "$T/server.key"
    own "$T/server.key"
}

expect_encryption() { # expect_encryption ENGINE PORT
    local tls
    for tls in off prefer require; do
        sees "$1" "$(at "$2")" --tls $tls --repeat 2 --interval 10ms
        expect_text "$T/seen" 'look=2 .*answer=ok'
    done
    sees "$1" "localhost:$2" --tls verify --ca "$T/ca.pem" --repeat 2 --interval 10ms
    expect_text "$T/seen" 'look=2 .*answer=ok'
    sees "$1" "127.0.0.2:$2" --tls verify --ca "$T/ca.pem" # not the name it is made out to
    expect_text "$T/seen" 'answer=tls'
    sees "$1" "localhost:$2" --tls verify --ca "$T/other.pem"
    expect_text "$T/seen" 'answer=tls'
}

test_postgresql_is_verified_by_name_and_authority() {
    certificates
    pg_new pg-1
    pg_set pg-1 "listen_addresses = '127.0.0.1, 127.0.0.2'"
    pg_set pg-1 "ssl = on"
    pg_set pg-1 "ssl_cert_file = '$T/server.pem'"
    pg_set pg-1 "ssl_key_file = '$T/server.key'"
    pg_start pg-1
    expect_encryption postgresql "$(pg_port pg-1)"
    # A password in clear text: inside TLS with a verified server only.
    sed -i '1i host all clear 127.0.0.1/32 password' "$T/pg-1/pg_hba.conf"
    pg_sql pg-1 "CREATE ROLE clear LOGIN PASSWORD 'secret'" > /dev/null
    pg_sql pg-1 "SELECT pg_reload_conf()" > /dev/null
    wait_for 10 'sees postgresql "$(at "$(pg_port pg-1)")" --user clear --tls require; grep -q "answer=auth.*in clear text" "$T/seen"'
    sees postgresql "localhost:$(pg_port pg-1)" --user clear --tls verify --ca "$T/ca.pem"
    expect_text "$T/seen" 'answer=ok'
}

test_mariadb_is_verified_by_name_and_authority() {
    certificates
    my_new my-1
    # Connector/C 3.4 compares no name with 127.0.0.1.
    printf 'ssl-cert=%s\nssl-key=%s\nssl-ca=%s\nbind-address=127.0.0.1,127.0.0.2\n' "$T/server.pem" "$T/server.key" "$T/ca.pem" >> "$T/my-1.cnf"
    my_start my-1
    expect_encryption mysql "$(my_port my-1)"
}
