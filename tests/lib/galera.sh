# shellcheck shell=bash
# A Galera cluster of MariaDB servers on loopback, of the release that `elsewhere RELEASE sbin/mariadbd` found: also where
# this machine has a MariaDB of its own, since what Galera needs besides comes with a package that would be a service here.
#
#     galera_elsewhere RELEASE VERSION
#     galera_three                three nodes, my-1 my-2 my-3, in one cluster
#     galera_new NAME...          not started; each knows the others
#     galera_start NAME [new]     joins the cluster, or makes it; waits until it is ready
#     galera_bootstrap NAME       the cluster is made anew by this node, after a crash of all
#     galera_isolate NAME [0|1]   cut its cluster traffic off (1, the default), or let it through again
#     galera_status NAME NAME     one status variable of a node
#     galera_says NAME            what it says of itself: STATE:STATUS:ready
#
# my_sql, my_as, my_port, my_stop and my_crash are those of mariadb.sh, and so are the accounts; app owns the database app.
# A node that is silent for two seconds is suspected, and after three or four the others go on without it. Less, and a busy
# machine parts those that are well.

galera_elsewhere() {
    elsewhere "$1" sbin/mariadbd "$2"
    PATH=${ELSEWHERE%/*}/bin:$ELSEWHERE:$PATH # where the server looks for what transfers its state, too
    GALERA_PROVIDER=${ELSEWHERE%/*}/lib/libgalera_smm.so
    [ -e "$GALERA_PROVIDER" ] || skip "$1 has no galera-4"
    TEMPLATES=${TEMPLATES:-$T}/$1
    mkdir -p "$TEMPLATES"
}

galera_new() { # galera_new NAME...; GALERA_DATA: a folder that has their data
    local name all=''
    local -A at
    for name; do
        my_new "$name" "${GALERA_DATA:+$GALERA_DATA/$name}"
        port_take
        at[$name]=$PORT
        all+=,127.0.0.1:$PORT
    done
    for name; do
        sed -i '/^read-only$/d' "$T/$name.cnf"
        galera_settings "$name" "${at[$name]}" >> "$T/$name.cnf"
        echo "gcomm://${all#,}" > "$T/$name.cluster"
    done
}

galera_settings() { # galera_settings NAME PORT
    local options
    port_take
    options=(base_host=127.0.0.1 base_port="$2" gmcast.listen_addr=tcp://127.0.0.1:"$2" gmcast.peer_timeout=PT2S
        ist.recv_addr=127.0.0.1:"$PORT" gcache.size=16M gcache.recover=yes
        evs.keepalive_period=PT0.3S evs.suspect_timeout=PT2S evs.inactive_timeout=PT4S evs.inactive_check_period=PT0.2S
        evs.install_timeout=PT4S)
    port_take
    cat << E2
binlog-format=ROW
innodb-autoinc-lock-mode=2
wsrep-on=ON
wsrep-provider=$GALERA_PROVIDER
wsrep-cluster-name=tests
wsrep-node-name=$1
wsrep-node-address=127.0.0.1
wsrep-node-incoming-address=127.0.0.1:$(my_port "$1")
wsrep-sst-method=rsync
wsrep-sst-receive-address=127.0.0.1:$PORT
wsrep-provider-options="$(IFS=';'; echo "${options[*]}")"
E2
}

# After a crash the position is in the tablespace, not in grastate.dat: given it, a node needs an incremental transfer only.
galera_position() {
    grep -qsx 'seqno: *-1' "$T/$1/grastate.dat" || return 0
    (cd "$T" && "${unprivileged[@]}" mariadbd --defaults-file="$T/$1.cnf" --wsrep-cluster-address="$(cat "$T/$1.cluster")" \
        --wsrep-recover --skip-networking 2>&1) | sed -n 's/.*WSREP: Recovered position: *//p' | tail -n 1
}

galera_launch() { # galera_launch NAME [new]
    local cluster position
    cluster=$(cat "$T/$1.cluster")
    [ -z "${2:-}" ] || cluster=gcomm://
    position=$(galera_position "$1")
    start "$1" mariadbd --defaults-file="$T/$1.cnf" --wsrep-cluster-address="$cluster" ${position:+--wsrep-start-position="$position"}
}

galera_ready() { [ "$(galera_status "$1" wsrep_ready)" = ON ]; }
galera_start() {
    galera_launch "$@"
    wait_for 120 "galera_ready $1"
}

# To make the cluster anew after a crash a node wants the operator's word.
galera_bootstrap() { # galera_bootstrap NAME
    sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$T/$1/grastate.dat"
    galera_start "$1" new
}

galera_isolate() { my_sql "$1" "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=${2:-1}'"; }

galera_status() { my_sql "$1" "SHOW GLOBAL STATUS LIKE '$2'" | cut -f 2; }

galera_says() {
    my_sql "$1" "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_local_state_comment', 'wsrep_cluster_status', 'wsrep_ready')" |
        sort | cut -f 2 | tr '\n' ' ' | awk '{ print $2 ":" $1 ":" $3 }'
}

galera_well() { [ "$(galera_says "$1")" = Synced:Primary:ON ] && [ "$(galera_status "$1" wsrep_cluster_size)" = 3 ]; }
galera_all_well() { galera_well my-1 && galera_well my-2 && galera_well my-3; }

# One after the other, the first one feeds the others.
galera_form() {
    galera_new my-1 my-2 my-3
    galera_start my-1 new
    galera_start my-2
    galera_start my-3
    wait_for 120 galera_all_well
}

# Three that were a cluster, killed at one moment, and their tablespaces mended: all have one position, and remember one another. In a
# folder of its own, for a test has nodes of these names.
galera_template() { # galera_template FOLDER
    local T=$T/template name position
    rm -rf "$1.made"
    mkdir -p "$T/pids" "$1.made"
    own "$T"
    galera_form
    for name in my-1 my-2 my-3; do send KILL $name; done
    for name in my-1 my-2 my-3; do
        crash $name
        position=$(galera_position $name)
        [ -n "$position" ] || fail "$name has no position"
        sed -i "s/^seqno:.*/seqno: ${position##*:}/" "$T/$name/grastate.dat"
        rm -f "$T/$name/galera.cache"
        mv "$T/$name" "$1.made"
    done
    : > "$1.made/ready"
    mv -T "$1.made" "$1"
}

galera_three() {
    local GALERA_DATA='' name
    if shared; then
        once "$TEMPLATES/three" galera_template
        GALERA_DATA=$TEMPLATES/three
        galera_new my-1 my-2 my-3
        for name in my-1 my-2 my-3; do galera_launch $name; done
        for name in my-1 my-2 my-3; do wait_for 120 "galera_ready $name"; done
        wait_for 120 galera_all_well
    else
        galera_form
    fi
}
