# shellcheck shell=bash
# MariaDB servers on loopback, with asynchronous replication by GTID.
#
#     my_new NAME                not started; a clone of one template with a server id of its own
#     my_start NAME              waits until it answers; read-only until told otherwise
#     my_pair [PREFIX]           PREFIX-1 (my-1) the primary, PREFIX-2 its replica
#     my_sql NAME SQL            as root, through the socket; prints rows
#     my_follow NAME UPSTREAM    replicate from there
#     my_promote NAME            no replica any more, and writable
#     my_switch OLD NEW          a planned switch-over: closes no session of a reader
#
# Accounts: roster (password secret, SLAVE MONITOR), app (password app, owns the database app), repl.

my_template() { # my_template FOLDER
    [ ! -e "$1/ready" ] || return 0
    local made=$1.$$
    mkdir "$made"
    own "$made" # for temporary files too: a server that starts removes what it takes for leftovers of another
    "${unprivileged[@]}" mariadb-install-db --no-defaults --tmpdir="$made" --auth-root-authentication-method=normal --skip-test-db \
        --skip-name-resolve --innodb-log-file-size=8M --datadir="$made/data" > "$made/log" 2>&1 || { cat "$made/log"; fail "mariadb-install-db"; }
    "${unprivileged[@]}" mariadbd --no-defaults --tmpdir="$made" --bootstrap --innodb-log-file-size=8M --datadir="$made/data" >> "$made/log" 2>&1 <<'E2' ||
USE mysql;
FLUSH PRIVILEGES;
CREATE USER roster@'%' IDENTIFIED BY 'secret';
GRANT SLAVE MONITOR ON *.* TO roster@'%';
CREATE USER repl@'%' IDENTIFIED BY 'repl';
GRANT REPLICATION SLAVE ON *.* TO repl@'%';
CREATE USER app@'%' IDENTIFIED BY 'app';
CREATE DATABASE app;
GRANT ALL ON app.* TO app@'%';
E2
        { cat "$made/log"; fail "bootstrap"; }
    : > "$made/ready"
    mv -T "$made" "$1" 2> /dev/null || rm -rf "$made"
}

my_new() { # my_new NAME
    my_template "${TEMPLATES:-$T}/my"
    cp -a --reflink=auto "${TEMPLATES:-$T}/my/data" "$T/$1"
    own -R "$T/$1"
    port_take
    cat > "$T/$1.cnf" <<E2
[mariadbd]
datadir=$T/$1
tmpdir=$T/$1
socket=$T/$1.sock
bind-address=127.0.0.1
port=$PORT
server-id=$PORT
skip-name-resolve
log-bin=binlog
log-slave-updates
read-only
slave-net-timeout=4
max-connections=40
innodb-buffer-pool-size=16M
innodb-log-file-size=8M
innodb-flush-log-at-trx-commit=2
sync-binlog=0
performance-schema=off
E2
}

my_port() { sed -n 's/^port=//p' "$T/$1.cnf"; }
my_launch() { start "$1" mariadbd --defaults-file="$T/$1.cnf"; }
my_answers() { [ "$(my_sql "$1" 'SELECT 1')" = 1 ]; }
my_start() { my_launch "$1"; wait_for 40 "my_answers $1"; }

my_sql() { mariadb --no-defaults --skip-ssl -N -B -S "$T/$1.sock" -u root -e "$2"; }

# As somebody on the network does it: my_as USER PASSWORD NAME SQL
my_as() { mariadb --no-defaults -N -B --connect-timeout=5 -h 127.0.0.1 -P "$(my_port "$3")" -u "$1" -p"$2" -e "$4"; }

my_follow() { # my_follow NAME UPSTREAM
    my_sql "$1" "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$(my_port "$2"), MASTER_USER='repl', MASTER_PASSWORD='repl',
        MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE"
}

my_replicates() {
    [ "$(mariadb --no-defaults -S "$T/$1.sock" -u root -e 'SHOW SLAVE STATUS\G' | grep -cE 'Slave_(IO|SQL)_Running: Yes')" = 2 ]
}

my_pair() {
    local prefix=${1:-my}
    my_new "$prefix-1"
    my_new "$prefix-2"
    my_launch "$prefix-1"
    my_launch "$prefix-2"
    wait_for 40 "my_answers $prefix-1 && my_answers $prefix-2"
    my_sql "$prefix-1" "SET GLOBAL read_only=0"
    my_follow "$prefix-2" "$prefix-1"
    wait_for 20 "my_replicates $prefix-2"
}

my_position() { my_sql "$1" "SELECT @@gtid_current_pos"; }

my_promote() { my_sql "$1" "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0"; }

my_switch() { # my_switch OLD NEW
    my_sql "$1" "SET GLOBAL read_only=1"
    [ "$(my_sql "$2" "SELECT MASTER_GTID_WAIT('$(my_position "$1")', 20)")" = 0 ] || fail "$2 does not catch up with $1"
    my_promote "$2"
    my_sql "$1" "SET GLOBAL gtid_slave_pos='$(my_position "$1")'"
    my_follow "$1" "$2"
}

my_stop() { stop "$1" TERM 30; }
my_crash() { crash "$1"; }
