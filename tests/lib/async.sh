# shellcheck shell=bash
# Asynchronous replication of MariaDB or of MySQL 9, whichever a test chooses: `of` is my or mysql.
#
#     on_mariadb STORY              the story, a function, on this machine's MariaDB
#     versions_mysql_story RELEASE STORY    the same on that release's MySQL
#     servers NAME...               running servers, the first of them writable
#     follows NAME UPSTREAM         and waits until it does
#     fleet_on MEMBER...            the cluster sales, three probes, a watch
#     act NAME WORD...              statements, one a word: see there
#     writable_in_file NAME         whenever it starts
#     no_gtids NAME                 for a server that is not started yet; by_position NAME UPSTREAM makes it a replica

on_mariadb() { # on_mariadb STORY
    of=my
    zk_start
    "$1"
}

versions_mysql_story() { # versions_mysql_story RELEASE STORY
    elsewhere "$1" sbin/mysqld 9
    of=mysql
    zk_start
    "$2"
}

# One that replicates from UPSTREAM, all well: for jq.
is_up() { echo "($(member "$1") | .role == \"secondary\" and .upstream == \"$2\" and .lag.state == \"ok\")"; }

# Running servers, the first of them writable, with something written.
servers() {
    local name
    for name; do
        "${of}_new" "$name"
        sed -i 's/^slave-net-timeout=.*/slave-net-timeout=60/' "$T/$name.cnf"
        "${of}_launch" "$name"
    done
    for name; do wait_for 60 "my_answers $name"; done
    my_sql "$1" "SET GLOBAL read_only = 0"
    [ "$of" != my ] || my_sql "$1" "SET GLOBAL gtid_domain_id = ${DOMAIN:-0}"
    my_sql "$1" "CREATE DATABASE first_on_${1/-/}"
}

set_in() { echo "$2" >> "$T/$1.cnf"; } # set_in NAME LINE: the last word in the file is the one that counts
writable_in_file() { set_in "$1" 'read-only=0'; [ "$of" = my ] || set_in "$1" 'super-read-only=0'; }

follows() { "${of}_follow" "$1" "$2"; wait_for 30 "${of}_replicates $1"; }

# MySQL's accounts need encryption. With a file of authorities of its own a probe need not read the system's at each login, which is most of
# the work.
encrypt_to_mysql() {
    if [ "${of:-}" = mysql ]; then
        cat "$T"/*/ca.pem > "$T/authorities"
        # shellcheck disable=SC2034 # for cluster_my
        CLUSTER_SETTINGS=$'tls = require\ntls_ca = '$T/authorities
    fi
}

fleet_on() { # fleet_on MEMBER...
    encrypt_to_mysql
    cluster_my sales 3 "$@"
    fleet_start 3
    watch_start watch sales
}

# One channel of several: feed NAME CHANNEL SOURCE, stop_feed NAME CHANNEL
feed() {
    if [ "$of" = my ]; then
        my_sql "$1" "CHANGE MASTER '$2' TO MASTER_HOST='127.0.0.1', MASTER_PORT=$(my_port "$3"), MASTER_USER='repl', MASTER_PASSWORD='repl',
            MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE '$2'"
    else
        my_sql "$1" "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$(my_port "$3"), SOURCE_USER='repl',
            SOURCE_PASSWORD='repl', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1 FOR CHANNEL '$2';
            START REPLICA FOR CHANNEL '$2'"
    fi
}

stop_feed() { if [ "$of" = my ]; then my_sql "$1" "STOP SLAVE '$2'"; else my_sql "$1" "STOP REPLICA FOR CHANNEL '$2'"; fi; }
stop_feeds() { if [ "$of" = my ]; then my_sql "$1" "STOP ALL SLAVES"; else my_sql "$1" "STOP REPLICA"; fi; }
read_only() { if [ "$of" = my ]; then echo read_only; else echo super_read_only; fi; }

# What promoters and operators say to a server, a statement for each word, each by itself.
act() { # act NAME WORD...
    local name=$1 word
    shift
    for word; do my_sql "$name" "$(statement "$word")"; done
}

statement() { # statement WORD
    local replica=REPLICA
    [ "$of" != my ] || replica=SLAVE
    case $1 in
    start) echo "START $replica" ;;
    stop) if [ "$of" = my ]; then echo "STOP ALL SLAVES"; else echo "STOP REPLICA"; fi ;;
    stop_receiver) echo "STOP $replica IO_THREAD" ;;
    reset) echo "RESET $replica" ;;         # keeps where the source is
    reset_all) echo "RESET $replica ALL" ;; # keeps nothing
    open) echo "SET GLOBAL read_only = 0" ;; # super_read_only goes with it
    close) echo "SET GLOBAL $(read_only) = 1" ;;
    *) fail "no statement is called $1" ;;
    esac
}

# ---- without GTIDs ---------------------------------------------------------------

no_gtids() { [ "$of" = my ] || sed -i 's/^gtid-mode=.*/gtid-mode=OFF/; /^enforce-gtid/d' "$T/$1.cnf"; }

# By the name of a binary log and a position in it.
by_position() { # by_position NAME UPSTREAM
    local file position rest
    if [ "$of" = my ]; then
        read -r file position rest < <(my_sql "$2" "SHOW MASTER STATUS")
        my_sql "$1" "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$(my_port "$2"), MASTER_USER='repl', MASTER_PASSWORD='repl',
            MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=no, MASTER_LOG_FILE='$file', MASTER_LOG_POS=$position; START SLAVE"
    else
        read -r file position rest < <(my_sql "$2" "SHOW BINARY LOG STATUS")
        my_sql "$1" "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$(my_port "$2"), SOURCE_USER='repl',
            SOURCE_PASSWORD='repl', SOURCE_AUTO_POSITION=0, SOURCE_LOG_FILE='$file', SOURCE_LOG_POS=$position,
            GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=1000; START REPLICA"
    fi
}
