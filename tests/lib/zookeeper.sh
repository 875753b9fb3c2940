# shellcheck shell=bash
# ZooKeeper servers from Debian's jars: one, or an ensemble.
#
#     zk_start                one server, named zk; again after a stop: the same one, with its data
#     zk_ensemble 3           zk1 zk2 zk3
#     zk_stop NAME...         and zk_start NAME again
#     zk get|set|... PATH     the registry from a client's side; see zk.c
#
# ZK is the connect string. Small ticks, so that short session timeouts are allowed.

# The classes that a server needs, loaded and checked already; made once a run, if this machine's java can.
ZK_CLASSES=${TEMPLATES:+$TEMPLATES/zk.jsa}

# All jars of the folder would die in conflicting logging bindings: these will do.
zk_class_path() {
    local jar path=''
    for jar in zookeeper zookeeper-jute slf4j-api slf4j-nop netty-all snappy-java metrics-core; do
        path+=:/usr/share/java/$jar.jar
    done
    echo "${path#:}"
}

zk_write() { # zk_write NAME PORT [EXTRA LINES]
    mkdir -p "$T/$1.data"
    own "$T/$1.data"
    cat > "$T/$1.cfg" <<E2
tickTime=500
initLimit=40
syncLimit=10
minSessionTimeout=1000
maxSessionTimeout=60000
dataDir=$T/$1.data
clientPort=$2
clientPortAddress=127.0.0.1
admin.enableServer=false
maxClientCnxns=0
4lw.commands.whitelist=*
${3:-}
E2
}

zk_launch() {
    local classes=()
    ANSWERED_AT='' # transactions may be counted anew
    [ ! -e "$ZK_CLASSES" ] || classes=(-XX:SharedArchiveFile="$ZK_CLASSES")
    zk_java "$1" "${classes[@]}"
}

zk_java() { # zk_java NAME OPTION...
    start "$1" java -Xmx128m -Xss512k -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -XX:-UsePerfData "${@:2}" \
        -Dzookeeper.preAllocSize=1024 -Dzookeeper.forceSync=no -cp "$(zk_class_path)" \
        org.apache.zookeeper.server.quorum.QuorumPeerMain "$T/$1.cfg"
}

zk_port() { sed -n 's/^clientPort=//p' "$T/$1.cfg"; }

# A four-letter word to one server.
zk_word() {
    local fd
    { exec {fd}<> "/dev/tcp/127.0.0.1/$(zk_port "$1")"; } 2> /dev/null || return 1
    echo "$2" >&"$fd"
    timeout 5 cat <&"$fd"
    exec {fd}>&-
}

zk_serves() { zk_word "$1" srvr | grep -q '^Mode: [a-z]*'; }

# zk_start [NAME]
zk_start() {
    local name=${1:-zk}
    if [ ! -e "$T/$name.cfg" ]; then
        port_take
        zk_write "$name" "$PORT"
        ZK=127.0.0.1:$PORT
    fi
    zk_launch "$name"
    wait_for 120 "zk_serves $name"
}

zk_ensemble() {
    local i peers='' ports=() at=()
    for ((i = 1; i <= $1; i++)); do
        port_take; ports[i]=$PORT
        port_take; peers+="server.$i=127.0.0.1:$PORT"
        port_take; peers+=":$PORT"$'\n'
    done
    for ((i = 1; i <= $1; i++)); do
        zk_write "zk$i" "${ports[i]}" "$peers"
        echo "$i" > "$T/zk$i.data/myid"
        at+=("127.0.0.1:${ports[i]}")
        zk_launch "zk$i"
    done
    ZK=$(IFS=,; echo "${at[*]}")
    for ((i = 1; i <= $1; i++)); do wait_for 120 "zk_serves zk$i"; done
}

# From a server that has served; it writes them down when it ends.
zk_template() { # zk_template FILE
    zk_launch() { zk_java "$1" -XX:ArchiveClassesAtExit="$T/zk.jsa"; }
    zk_start
    zk create /value 1
    zk get /value
    stop zk
    [ ! -e "$T/zk.jsa" ] || mv "$T/zk.jsa" "$1"
}

zk_stop() { local name; for name in "${@:-zk}"; do crash "$name"; done; }

zk() { "$B/zk" "$ZK" "$@"; }

# The last transaction that the registry knows of, as a number, into ZXID: of one server, which answers. By the shell alone, and
# without a session, which would be two transactions itself.
zk_last() {
    local fd said=''
    [[ ${ZK:-} =~ ^127\.0\.0\.1:([0-9]+)(/.*)?$ ]] || return 1
    { exec {fd}<> "/dev/tcp/127.0.0.1/${BASH_REMATCH[1]}"; } 2> /dev/null || return 1
    { echo srvr >&"$fd" && read -r -t 1 -d '' said <&"$fd"; } 2> /dev/null || true # it ends without a NUL
    exec {fd}>&-
    [[ $said =~ Zxid:\ (0x[0-9a-f]+) ]] || return 1
    ZXID=$((BASH_REMATCH[1]))
}

# The last transaction that the server knows of, as a number.
zk_zxid() { local zxid; zxid=$(zk_word "${1:-zk}" srvr | sed -n 's/^Zxid: //p'); echo $((zxid)); }
