# shellcheck shell=bash
# MySQL servers on loopback, of the release that `elsewhere RELEASE sbin/mysqld` found; asynchronous replication by GTID.
#
#     mysql_new NAME [DATA]       not started; a clone of one template (of that data) with an identity of its own
#     mysql_start NAME            waits until it answers; read-only until told otherwise
#     mysql_pair                  my-1 the source, my-2 its replica
#     mysql_follow NAME UPSTREAM  replicate from there
#     mysql_promote NAME          no replica any more, and writable
#     mysql_switch OLD NEW        a planned switch-over
#
# What is the same for MariaDB is in mariadb.sh: my_sql, my_port, my_stop, my_crash and cluster_my do for these, too.
# Accounts: roster (password secret, REPLICATION CLIENT), repl; of caching_sha2_password, with which MySQL makes them.
# Each server has a certificate that it made for itself.

mysql_template() { # mysql_template FOLDER
    [ ! -e "$1/ready" ] || return 0
    local made=$1.$$
    mkdir "$made"
    cat > "$made/accounts.sql" <<'E2'
SET sql_log_bin = 0;
CREATE USER roster@'%' IDENTIFIED WITH caching_sha2_password BY 'secret';
GRANT REPLICATION CLIENT ON *.* TO roster@'%';
CREATE USER repl@'%' IDENTIFIED WITH caching_sha2_password BY 'repl';
GRANT REPLICATION SLAVE, CONNECTION_ADMIN, BACKUP_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO repl@'%';
E2
    own -R "$made"
    "${unprivileged[@]}" "$ELSEWHERE/mysqld" --no-defaults --initialize-insecure --init-file="$made/accounts.sql" \
        --innodb-redo-log-capacity=8M --innodb-buffer-pool-size=32M --datadir="$made/data" > "$made/log" 2>&1 ||
        { cat "$made/log"; fail "mysqld --initialize"; }
    rm -f "$made/data/auto.cnf" # the server's identity: each clone makes its own
    : > "$made/ready"
    mv -T "$made" "$1" 2> /dev/null || rm -rf "$made"
}

# What is made for a release, by this name.
mysql_folder() { # mysql_folder NAME
    local release=${ELSEWHERE#"$SERVERS"/}
    echo "${TEMPLATES:-$T}/$1-${release%%/*}"
}

mysql_new() { # mysql_new NAME [DATA]
    local template
    template=$(mysql_folder mysql)
    [ -n "${2:-}" ] || once "$template" mysql_template
    cp -a --reflink=auto "${2:-$template/data}" "$T/$1"
    own -R "$T/$1"
    port_take
    cat > "$T/$1.cnf" <<E2
[mysqld]
datadir=$T/$1
tmpdir=$T/$1
secure-file-priv=NULL
socket=$T/$1.sock
mysqlx=OFF
bind-address=127.0.0.1
port=$PORT
server-id=$PORT
skip-name-resolve
log-bin=binlog
gtid-mode=ON
enforce-gtid-consistency=ON
super-read-only
max-connections=40
innodb-buffer-pool-size=32M
innodb-redo-log-capacity=8M
innodb-flush-log-at-trx-commit=2
sync-binlog=0
performance-schema=off
E2
}

mysql_launch() { start "$1" "$ELSEWHERE/mysqld" --defaults-file="$T/$1.cnf"; }
mysql_start() { mysql_launch "$1"; wait_for 120 "my_answers $1"; }

mysql_follow() { # mysql_follow NAME UPSTREAM
    my_sql "$1" "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$(my_port "$2"), SOURCE_USER='repl',
        SOURCE_PASSWORD='repl', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1,
        SOURCE_RETRY_COUNT=1000; START REPLICA"
}

mysql_replicates() {
    [ "$(mariadb --no-defaults -S "$T/$1.sock" -u root -e 'SHOW REPLICA STATUS\G' | grep -cE 'Replica_(IO|SQL)_Running: Yes')" = 2 ]
}

mysql_pair() {
    mysql_new my-1
    mysql_new my-2
    mysql_launch my-1
    mysql_launch my-2
    wait_for 120 "my_answers my-1 && my_answers my-2"
    my_sql my-1 "SET GLOBAL read_only = 0"
    mysql_follow my-2 my-1
    wait_for 120 "mysql_replicates my-2"
}

mysql_promote() { my_sql "$1" "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only = 0"; } # super_read_only goes with it

mysql_switch() { # mysql_switch OLD NEW
    my_sql "$1" "SET GLOBAL super_read_only = 1"
    [ "$(my_sql "$2" "SELECT WAIT_FOR_EXECUTED_GTID_SET('$(my_sql "$1" 'SELECT @@gtid_executed')', 20)")" = 0 ] ||
        fail "$2 does not catch up with $1"
    mysql_promote "$2"
    mysql_follow "$1" "$2"
}
