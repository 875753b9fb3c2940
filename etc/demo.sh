#!/bin/bash
# make demo: a failover reaches a router, before your eyes.
#
# Starts a ZooKeeper, a PostgreSQL primary with two standbys, a MariaDB primary
# with a replica, three probes and two compute nodes that write all the time,
# through libroster; on loopback, on free ports, unprivileged, in a temporary
# folder. Then kills, promotes and switches, shows what the compute nodes saw,
# and checks that no write went to a wrong server. KEEP=1 leaves it running.
set -euo pipefail
cd "$(dirname "$0")/.."
VARIANT=${VARIANT:-release}
B=${B:-build/$VARIANT}
case $B in /*) ;; *) B=$PWD/$B ;; esac
export B VARIANT SHOWN_B=${SHOWN_B:-$B}

if [ "$(id -u)" = 0 ]; then # servers do not run as root: go on as nobody, from a copy
    . tests/lib/unprivileged.sh
    folder=$(mktemp -d /tmp/roster-demo-XXXXXX)
    [ "${KEEP:-}" = 1 ] || trap 'rm -rf "$folder"' EXIT
    trap : INT TERM # the copy hears them too, and cleans up
    chmod 755 "$folder"
    stage "$folder/tree"
    code=0
    "${as_user[@]}" STAGED="$folder" bash "$HOME_TREE/etc/demo.sh" || code=$?
    exit $code
fi

. tests/lib/all.sh
set -eE

# ---- telling --------------------------------------------------------------------

bold='' plain='' green='' red=''
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m' green=$'\033[32m' red=$'\033[31m'; fi
began=$(now_ms)
step=0
wrong=0

title() {
    step=$((step + 1))
    printf '\n%s%d. %s%s\n' "$bold" $step "$*" "$plain"
}
indent() { sed 's/^/     /'; }
note() { echo "$*" | indent; }
stamp() { date +%H:%M:%S.%3N; }
shown() {
    note "\$ roster $*"
    roster "$@" | indent
}

# check WHAT CONDITION: a shell command that must hold
check() {
    if eval "$2" > "$T/check" 2>&1; then
        echo "${green}ok${plain}  $1" | indent
    else
        echo "${red}NOT SO${plain}  $1" | indent
        indent < "$T/check"
        wrong=$((wrong + 1))
    fi
}

# What a writer said since the last time it was asked.
declare -A heard=([orders]=0 [sales]=0)
writer_said() {
    tail -n "+$((heard[$1] + 1))" "$T/writer-$1.log" | indent
    heard[$1]=$(wc -l < "$T/writer-$1.log")
}
writes_to() { tail -n 200 "$T/writer-$1.log" | grep -E ' writes to ' | tail -n 1 | grep -q " writes to $2"; }
books() { tail -n 1 "$T/writer-$1.log" | jq -r "$2"; }

# ---- the play ---------------------------------------------------------------------

harness_begin
trap 'fail "$BASH_COMMAND"' ERR
TELL=5
echo "Everything runs as $(id -un), on loopback, in $T."

title "Servers: a ZooKeeper; PostgreSQL pg-1 with standbys pg-2 and pg-3; MariaDB my-1 with replica my-2"
zk_start
pg_group 3
my_pair
pg_sql pg-1 "CREATE TABLE journal (id bigint, member text); ALTER TABLE journal OWNER TO app" app
my_sql my-1 "CREATE TABLE app.journal (id bigint, member varchar(63))"
note "up after $((($(now_ms) - began) / 100))00 ms"

title "A fleet of three probes, and two compute nodes that write every 5 ms"
cluster_pg orders 3 pg-1 pg-2 pg-3
cluster_my sales 3 my-1 my-2
fleet_start 3
start writer-orders "$B/writer" "$ZK" orders postgresql app app app
start writer-sales "$B/writer" "$ZK" sales mysql app app app
wait_topology 40 orders '.state == "ok" and .primary == "pg-1" and ([.members[].health] | unique) == ["up"]'
wait_topology 40 sales '.state == "ok" and .primary == "my-1" and ([.members[].health] | unique) == ["up"]'
wait_for 20 'writes_to orders pg-1 && writes_to sales my-1'
shown list
shown show orders
shown show sales

title "PostgreSQL: kill -9 pg-1, promote pg-2"
writer_said orders > /dev/null
sleep 1
note "$(stamp) kill -9 pg-1"
pg_crash pg-1
note "$(stamp) pg_promote() on pg-2"
pg_promote pg-2
note "$(stamp) pg-2 is promoted"
within 20 'writes_to orders pg-2' || true
writer_said orders
check "orders is written to pg-2" 'writes_to orders pg-2'
pg_follow pg-3 pg-2
pg_sql pg-3 "SELECT pg_reload_conf()" > /dev/null
within 20 'pg_streams pg-3' || true

title "The old primary comes back, writable, not knowing that it was replaced"
pg_start pg-1
check "pg-1 takes writes" '[ "$(pg_sql pg-1 "SELECT pg_is_in_recovery()")" = f ]'
wait_topology 20 orders '.state == "conflict"'
shown show orders
check "the topology says conflict, pg-2 stays primary" 'topology_is orders ".state == \"conflict\" and .primary == \"pg-2\""'
check "nobody is routed to pg-1" '! { roster route orders write --count 50; roster route orders read --count 50; } | grep -q "$(at_pg pg-1)"'

title "MariaDB: a planned switch from my-1 to my-2, which closes no connection"
writer_said sales > /dev/null
note "$(stamp) my-1 read-only, my-2 catches up and is made the primary"
my_switch my-1 my-2
note "$(stamp) done"
within 20 'writes_to sales my-2' || true
writer_said sales
check "sales is written to my-2" 'writes_to sales my-2'
wait_topology 20 sales '.state == "ok" and .primary == "my-2"'
shown show sales

title "A probe dies: nothing changes, for a dead probe is no dead database"
writer_said orders > /dev/null
writer_said sales > /dev/null
crash probe-b
sleep 5
writer_said orders
writer_said sales
check "both clusters are written where they were" 'writes_to orders pg-2 && writes_to sales my-2'
check "the topologies stand" 'topology_is orders ".primary == \"pg-2\"" && topology_is sales ".primary == \"my-2\""'

title "The books"
stop writer-orders
stop writer-sales
for cluster in orders sales; do
    note "$cluster: $(books $cluster '"\(.writes) writes, \(.failures) attempts failed, longest pause \(.longest_gap_ms) ms"')"
done
# An insert that was under way when the server died may have been done without being acknowledged: one beyond the last.
check "pg-1 holds no write from after its death" \
    '[ "$(pg_sql pg-1 "SELECT max(id) <= $(books orders ".last[\"pg-1\"]") + 1 FROM journal" app)" = t ]'
check "pg-2 holds every write that it acknowledged, and none of others after its promotion" \
    '[ "$(pg_sql pg-2 "SELECT max(id) FILTER (WHERE member = '"'pg-1'"') < min(id) FILTER (WHERE member = '"'pg-2'"') AND max(id) >= $(books orders ".last[\"pg-2\"]") FROM journal" app)" = t ]'
check "my-2 holds every write that was acknowledged, by either" \
    '[ "$(my_sql my-2 "SELECT count(*) >= $(books sales .writes) FROM app.journal")" = 1 ]'
check "sales moved once, from my-1 to my-2" \
    '[ "$(my_sql my-2 "SELECT max(if(member = '"'my-1'"', id, 0)) < min(if(member = '"'my-2'"', id, 9e9)) FROM app.journal")" = 1 ]'

echo
if [ $wrong = 0 ]; then
    echo "${bold}All as said, in $((($(now_ms) - began) / 1000)) s.${plain}"
else
    echo "${red}$wrong of the above were not as said.${plain}"
fi

# ---- left running -----------------------------------------------------------------

if [ "${KEEP:-}" = 1 ]; then
    probe_launch probe-b
    start writer-orders "$B/writer" "$ZK" orders postgresql app app app
    start writer-sales "$B/writer" "$ZK" sales mysql app app app
    cat > "$T/stop" <<E2
#!/bin/bash
# Ends what the demo left running, by process id, and removes its folder.
. "$PWD/tests/lib/all.sh"
T=$T
harness_end
E2
    [ -z "${STAGED:-}" ] || echo "rm -rf '$STAGED'" > "$T/stop.rest"
    trap - EXIT ERR
    cat <<E2

It goes on. Look at it:

    export ROSTER_SERVERS=$ZK
    $SHOWN_B/roster show orders
    $SHOWN_B/roster watch
    $SHOWN_B/roster explain sales
    /usr/share/zookeeper/bin/zkCli.sh -server $ZK get /roster/clusters/orders/topology
    tail -f $T/writer-orders.log

    psql:     psql -h $T -p $(pg_port pg-2) -U postgres app
    mariadb:  mariadb -S $T/my-2.sock -u root app

End it:

    bash $T/stop${STAGED:+; rm -rf $STAGED}
E2
fi
exit $((wrong > 0))
