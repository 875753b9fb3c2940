# shellcheck shell=bash
# The registry on its bad days: away, emptied, filled with garbage, quiet.

orders() {
    zk_start
    pg_group "${1:-2}"
    cluster_pg orders "${2:-3}" $(seq -f 'pg-%g' "${1:-2}")
    fleet_start "${2:-3}"
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1" and ([.members[].health] | unique) == ["up"]'
    watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
}

watch_never_wavered() { expect "what watch said" "$(cat "$T/watch.out")" "$(at_pg pg-1)"; }

test_all_probes_dead_leave_the_topology_and_its_age_shows() {
    local before name
    orders
    before=$(zk stat "$(topology_path orders)")
    for name in $(fleet_names 3); do crash "$name"; done
    wait_for 20 '[ -z "$(zk ls /roster/probes)" ]'
    wait_for 20 'roster show orders --json | jq -e ".age_ms > 3000 and .witnesses_now == 0 and .state == \"ok\""'
    expect_code 0 roster show orders
    expect_text "$T/said" 'age +[1-9]'
    expect_code 0 roster route orders write
    expect_text "$T/said" "$(at_pg pg-1)"
    expect_code 0 roster route orders read
    expect_text "$T/said" "$(at_pg pg-2)"
    expect_code 5 roster route orders write --max-age 1s
    # A database that dies now is not known to: nobody is there to see it.
    pg_crash pg-1
    holds_for 3 'roster route orders write | grep -q "$(at_pg pg-1)"'
    expect "the topology" "$(zk stat "$(topology_path orders)")" "$before"
    watch_never_wavered
    pg_start pg-1
    fleet_start 3
    wait_for 30 'roster show orders --json | jq -e ".age_ms == 0 and .witnesses_now >= 2"'
    watch_never_wavered
}

test_a_stopped_registry_leaves_routing_and_its_age_shows() {
    orders
    mkdir -m 700 "$T/cache"
    expect_code 0 roster show orders --cache "$T/cache"
    expect_code 0 roster show orders
    zk_stop
    expect_code 0 roster show orders --cache "$T/cache" --timeout 1s
    expect_text "$T/said" 'age +[1-9].*(cache|registry)'
    expect_code 0 roster route orders write --cache "$T/cache" --timeout 1s
    expect_text "$T/said" "$(at_pg pg-1)"
    expect_code 3 roster route orders write --timeout 1s
    expect_code 0 roster show orders --timeout 1s # from what this user saw last
    expect_text "$T/said" 'age +[1-9].*(cache|registry)'
    HOME=$T/nobody expect_code 3 roster show orders --timeout 1s
    holds_for 8 'alive watch && alive probe-a && alive probe-b && alive probe-c'
    zk_start
    wait_for 40 'roster show orders --json | jq -e ".age_ms == 0 and .witnesses_now >= 2"'
    watch_never_wavered
}

test_a_promotion_while_the_registry_is_away_is_told_when_it_is_back() { # long
    orders
    zk_stop
    sleep 20
    pg_crash pg-1
    pg_promote pg-2
    sleep 40 # a minute in all: long past every session
    watch_never_wavered
    zk_start
    watch_sees 40 watch "$(at_pg pg-2)"
    wait_topology 10 orders '.lineage == "2"'
    expect "what watch said" "$(grep -vx -e - "$T/watch.out" | tr '\n' ' ')" "$(at_pg pg-1) $(at_pg pg-2) "
}

test_a_probe_waits_for_a_registry_that_is_not_there_yet() {
    zk_start
    zk_stop
    pg_group 2
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    watch_start watch orders
    wait_for 10 'grep -qi "registry" "$T/probe-a.log"'
    watch_sees 5 watch -
    holds_for 3 'alive probe-a && alive watch'
    expect_code 3 roster list --timeout 1s
    zk_start
    watch_sees 40 watch "$(at_pg pg-1)"
}

test_what_is_deleted_by_hand_comes_back() {
    local path
    orders
    # A probe's own things, the verdict, the operator's word.
    for path in /roster/probes/probe-b /roster/clusters/orders/reports/probe-a /roster/clusters/orders/topology \
        /roster/clusters/orders/directives; do
        zk delete $path
        wait_for 20 "zk get $path | jq -e '.format == 1'"
    done
    # And whole branches, with their parents.
    for path in /roster/probes /roster/clusters/orders; do
        zk delete $path
        wait_for 30 '[ "$(zk ls /roster/probes | wc -l)$(zk ls /roster/clusters/orders/reports | wc -l)" = 33 ]'
        wait_for 30 "zk get /roster/clusters/orders/directives && zk get $(topology_path orders)"
    done
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1"'
    watch_never_wavered
    # It all works still, and it is the same watch that hears of it.
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
}

test_a_deleted_root_comes_back_and_routing_holds() {
    orders
    zk delete /roster
    wait_for 40 'topology_is orders ".state == \"ok\" and .primary == \"pg-1\""'
    holds_for 5 'alive watch'
    watch_never_wavered
}

test_garbage_in_a_znode_harms_nobody() {
    local path
    orders
    for path in /roster/clusters/orders/topology /roster/clusters/orders/reports/probe-a /roster/probes/probe-c; do
        for garbage in 'no json at all' '{}' '{"format":1}' '[]' '' '{"format":1,"format":1}'; do
            zk set $path "$garbage"
            wait_for 30 "zk get $path | jq -e '.format == 1 and (has(\"cluster\") or has(\"beat\"))'"
        done
    done
    wait_topology 20 orders '.state == "ok" and .primary == "pg-1"'
    holds_for 2 'alive probe-a && alive probe-b && alive probe-c && alive watch'
    watch_never_wavered
    # The operator's word is the operator's: it stays as it was put, the last good one counts, and it is told.
    expect_code 0 roster drain orders pg-2
    wait_topology 20 orders '.members[1].drained'
    zk set /roster/clusters/orders/directives 'no json at all'
    wait_for 20 'grep -q directives "$T/probe-a.log"'
    holds_for 5 "topology_is orders '.members[1].drained'"
    expect "directives" "$(zk get /roster/clusters/orders/directives)" 'no json at all'
    expect_code 2 roster undrain orders pg-2
    expect_code 0 roster undrain orders pg-2 --force
    wait_topology 20 orders '.members[1].drained | not'
    watch_never_wavered
}

test_a_future_format_is_left_alone_and_the_last_good_answer_kept() {
    local future='{"format":2,"cluster":"orders","primary":{"new":"shape"}}'
    orders
    zk set "$(topology_path orders)" "$future"
    wait_for 20 'grep -q topology "$T/probe-a.log"'
    holds_for 5 "[ \"\$(zk get $(topology_path orders))\" = '$future' ]"
    watch_never_wavered
    expect_code 4 roster show orders
    expect_text "$T/said" 'format'
    # Gone, the fleet goes on where it was, and so does the watch.
    zk delete "$(topology_path orders)"
    wait_topology 20 orders '.state == "ok" and .primary == "pg-1"'
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
}

test_a_report_of_a_future_format_has_no_vote() {
    orders 2 3
    crash probe-c
    wait_for 20 '! zk get /roster/clusters/orders/reports/probe-c'
    zk create /roster/clusters/orders/reports/probe-z '{"format":2,"probe":"probe-z"}'
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
    expect "evidence of probe-z" "$(topology orders '.evidence | has("probe-z")')" false
    zk delete /roster/clusters/orders/reports/probe-z
}

# The registry's writes in a quiet minute are the probes' beats: one each per 2 s. On a loaded machine a look may be
# late; then the probes say so, and that minute was none. A fleet that says nothing writes nothing.
test_a_quiet_minute_writes_nothing_but_beats() { # long
    local before after zxid tries said
    orders 3 3
    tree() { zk tree /roster | grep -v '^/roster/probes/'; }
    still() { local was; was=$(tree); sleep 6; [ "$(tree)" = "$was" ]; }
    said() { cat "$T"/probe-?.log | wc -l; }
    for tries in 1 2 3; do
        wait_for 60 still
        before=$(tree)
        said=$(said)
        sleep 3 # our own session has ended
        zxid=$(zk_zxid)
        sleep 60
        zxid=$(($(zk_zxid) - zxid))
        after=$(tree)
        [ "$(said)" != "$said" ] || break
    done
    expect "lines the probes said in minute $tries" "$(($(said) - said))" 0
    expect "all but the probes' presence" "$after" "$before"
    [ $zxid -le 93 ] || fail "$zxid transactions in 60 s, where three probes' beats are 90"
    [ $zxid -ge 81 ] || fail "$zxid transactions in 60 s: the fleet does not beat"
}

test_zkcli_shows_readable_json() {
    orders
    JVMFLAGS=-XX:-UsePerfData /usr/share/zookeeper/bin/zkCli.sh -server "$ZK" get /roster/clusters/orders/topology > "$T/said" 2> /dev/null
    expect_text "$T/said" '"state": "ok", "primary": "pg-1"'
    sed -n '/^{/,/^}/p' "$T/said" > "$T/json"
    expect "what zkCli printed, parsed" "$(jq -r .state "$T/json")" ok
    for path in /roster /roster/probes/probe-a /roster/clusters/orders/reports/probe-a /roster/clusters/orders/directives; do
        expect "$path's format" "$(zk get $path | jq -r .format)" 1
    done
}

test_a_chroot_and_another_root_work() {
    zk_start
    pg_group 2
    zk create /apps ''
    zk create /apps/eu ''
    ZK_PLAIN=$ZK
    ZK=$ZK/apps/eu
    REGISTRY_SETTINGS=$'session_timeout = 4s\nroot = /db/roster'
    export ROSTER_ROOT=/db/roster
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    watch_start watch orders
    watch_sees 30 watch "$(at_pg pg-1)"
    ZK=$ZK_PLAIN
    expect "the primary" "$(zk get /apps/eu/db/roster/clusters/orders/topology | jq -r .primary)" pg-1
}

test_a_chroot_with_a_typing_error_is_refused_and_not_created() {
    zk_start
    pg_group 2
    zk create /apps ''
    zk create /apps/europe ''
    ZK_PLAIN=$ZK
    ZK=$ZK/apps/eurpe
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    wait_for 20 'grep -q "error registry the chroot /apps/eurpe does not exist; did you mean /apps/europe?" "$T/probe-a.log"'
    expect_code 2 roster list
    expect_text "$T/said" 'the chroot /apps/eurpe does not exist; did you mean /apps/europe\?'
    expect_code 2 roster show orders
    expect_text "$T/said" 'did you mean /apps/europe\?'
    expect_code 2 roster drain orders pg-1
    holds_for 2 'alive probe-a'
    expect "what is in /apps" "$("$B/zk" "$ZK_PLAIN" ls /apps)" europe
    # Nothing is like it: what to do is told. Once it is there, the probe goes on by itself.
    expect_code 2 "$B/roster" -z "$ZK_PLAIN/zzz" list
    expect_text "$T/said" 'the chroot /zzz does not exist, and is not created'
    "$B/zk" "$ZK_PLAIN" create /apps/eurpe ''
    wait_topology 20 orders '.primary == "pg-1"'
}

# ---- the registry's identity -------------------------------------------------------

registry_id() { zk get /roster | jq -r .registry; }
probe_refuses() { grep -q "roster accept --registry $2" "$T/$1.log"; } # probe_refuses PROBE ID

test_an_emptied_registry_gets_its_identity_back_from_probes_that_were_restarted() {
    local id name
    orders
    for name in $(fleet_names 3); do stop "$name"; done
    fleet_start 3
    id=$(registry_id)
    wait_for 20 'roster show orders --json | jq -e ".age_ms == 0 and .witnesses_now == 3"'
    zk delete /roster
    wait_for 30 '[ "$(registry_id)" = '"$id"' ] && topology_is orders ".state == \"ok\""'
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 30 watch "$(at_pg pg-2)"
    expect "the identity" "$(registry_id)" "$id"
}

test_an_identity_outlives_the_probes_that_followed_it() {
    local id name
    orders
    wait_for 20 'ls "$T"/.local/state/roster/probe-?.registry | wc -l | grep -qx 3'
    id=$(registry_id)
    for name in $(fleet_names 3); do stop "$name"; done
    zk delete /roster
    rm "$T"/.local/state/roster/probe-[ab].registry # they remember nothing, and are first
    probe_launch probe-a
    probe_launch probe-b
    wait_topology 30 orders '.primary == "pg-1"'
    probe_launch probe-c
    wait_for 20 '[ "$(registry_id)" = '"$id"' ]'
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 30 watch "$(at_pg pg-2)"
    expect_no_text "$T/probe-a.log" 'accept --registry'
    expect_no_text "$T/probe-c.log" 'accept --registry'
}

test_probes_refuse_a_registry_of_another_identity_until_it_is_accepted() {
    local id
    orders
    id=$(registry_id)
    wait_for 20 'ls "$T"/.local/state/roster/probe-?.registry | wc -l | grep -qx 3'
    zk set /roster '{"format":1,"registry":"another","supersedes":[]}'
    wait_for 20 "probe_refuses probe-a $id && probe_refuses probe-b $id && probe_refuses probe-c $id"
    wait_for 20 '[ -z "$(zk ls /roster/probes)$(zk ls /roster/clusters/orders/reports)" ]' # what was theirs went
    crash probe-a
    probe_launch probe-a # it remembers
    holds_for 5 '[ -z "$(zk ls /roster/probes)" ]'
    expect "how often it is told" "$(grep -c "accept --registry" "$T/probe-b.log")" 1
    expect_code 0 roster accept --registry "$id"
    wait_for 20 '[ "$(zk ls /roster/probes | wc -l)" = 3 ]'
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 30 watch "$(at_pg pg-2)"
}

# A new leader numbers its transactions anew, in a greater epoch: what the restored registry holds then looks newer than all before.
test_a_restored_ensemble_is_refused_although_its_leader_is_new() {
    local name id
    zk_ensemble 3
    pg_group 2
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1" and ([.members[].health] | unique) == ["up"]'
    id=$(registry_id)
    wait_for 20 '[ "$(zk get /roster | jq .provisional)" = null ]'
    watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
    zk_stop zk1 zk2 zk3
    for name in zk1 zk2 zk3; do cp -a "$T/$name.data" "$T/$name.backup"; done
    for name in zk1 zk2 zk3; do zk_launch $name; done
    for name in zk1 zk2 zk3; do wait_for 120 "zk_serves $name"; done
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 30 watch "$(at_pg pg-2)"
    wait_for 10 "grep -q '\"orders\"' '$T/.local/state/roster/probe-a.registry'"
    zk_stop zk1 zk2 zk3
    for name in zk1 zk2 zk3; do rm -rf "$T/$name.data"; mv "$T/$name.backup" "$T/$name.data"; done
    for name in zk1 zk2 zk3; do zk_launch $name; done
    for name in zk1 zk2 zk3; do wait_for 120 "zk_serves $name"; done
    wait_for 60 "probe_refuses probe-a $id"
    wait_for 20 'grep -q "back in time" "$T/watch.log"'
    wait_for 10 '[ -z "$(zk ls /roster/probes)" ]' # the backup had its presence
    holds_for 5 '[ -z "$(zk ls /roster/probes)" ] && [ "$(watch_last watch)" = "$(at_pg pg-2)" ]'
    # A verdict that somebody writes now has a greater number than all before, and is followed by nobody.
    zk set "$(topology_path orders)" "$(zk get "$(topology_path orders)")"
    holds_for 3 '[ "$(watch_last watch)" = "$(at_pg pg-2)" ]'
    expect_code 0 roster accept --registry "$id"
    wait_topology 30 orders '.primary == "pg-2"'
    watch_sees 20 watch "$(at_pg pg-2)"
    expect "the registry's holders" "$(zk ls /roster/probes)" probe-a
}

# The probe puts back the identity that it follows; its first write then shows that the history is lost.
test_a_registry_that_lost_its_data_is_told_alike_by_all_and_accepted_by_one_word() {
    local id said verb
    orders 2 1
    id=$(registry_id)
    wait_for 10 "grep -q '\"orders\"' '$T/.local/state/roster/probe-a.registry'"
    expect_code 0 roster show orders
    zk_stop
    rm -rf "$T/zk.data"/*
    zk_start
    said="the registry went back in time: zxid [0-9a-f]+ after [0-9a-f]+; to follow it all the same: roster accept --registry $id"
    wait_for 30 'grep -qE "$said" "$T/probe-a.log"'
    expect "how often the probe tells it" "$(grep -cE "$said" "$T/probe-a.log")" 1
    wait_for 20 'zk get /roster | jq -e .went_back.known'
    # Somebody's topology of before, or a probe's that knew nothing: it is there, and nobody follows it.
    for path in /roster/clusters /roster/clusters/orders; do zk create $path '' || true; done
    zk create "$(topology_path orders)" "$(cat "$T/.cache/roster"/*/orders.roster | sed 1d)"
    wait_for 20 'grep -qE "orders: what the registry holds is not followed: $said" "$T/watch.log"'
    for verb in list 'show orders' 'explain orders'; do
        # shellcheck disable=SC2086 # a verb and its operand
        expect_code 0 roster $verb
        expect_text "$T/said" "$said"
    done
    expect_code 0 roster list
    expect_text "$T/said" 'orders +refused'
    HOME=$T/nobody expect_code 0 roster show orders --json # who knew nothing of the time before
    expect "what show says of its age" "$(jq '.age_ms > 0 and .refused != null' "$T/said")" true
    watch_never_wavered
    expect_code 0 roster accept --registry "$id"
    wait_for 20 'roster show orders --json | jq -e ".age_ms == 0 and .refused == null"'
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 30 watch "$(at_pg pg-2)"
}

# ---- settings of the servers that break a link, and names that come and go -----------------------

# Its report is larger than what the servers take: each write ends in a lost link.
test_a_buffer_that_is_smaller_than_a_report_is_told_and_starts_no_storm() {
    local before i
    zk_launch() { zk_java "$1" -Djute.maxbuffer=3000; }
    zk_start
    pg_group 1
    cluster_pg orders 1 pg-1
    for i in 2 3 4 5 6 7 8 9; do
        printf '\n[member orders/pg-%d]\naddress = 127.0.0.1:%d\nlabel.rack = %0.63d\nlabel.zone = %0.63d\n' "$i" "$i" "$i" "$i" >> "$(cluster_file)"
    done
    probe_start probe-a
    wait_for 30 'grep -q "the link was lost right after a write of [0-9]* bytes to /roster/clusters/orders/.*jute.maxbuffer" "$T/probe-a.log"'
    before=$(grep -c 'registry connected' "$T/probe-a.log")
    sleep 4
    before=$(($(grep -c 'registry connected' "$T/probe-a.log") - before))
    [ $before -le 5 ] || fail "$before links in 4 s" # a third of the session's timeout apart; it was five a second
    expect "sessions" "$(grep -c 'a new session' "$T/probe-a.log")" 1
}

test_connections_beyond_the_servers_limit_are_told_and_followed_later() {
    links() { ss -Htn state established "sport = :$(zk_port zk)" | wc -l; }
    zk_start
    zk create /roster '{"format":1,"registry":"a","supersedes":[]}'
    zk_stop
    sed -i 's/^maxClientCnxns=0/maxClientCnxns=2/' "$T/zk.cfg"
    zk_launch zk
    wait_for 60 'ss -Htln "sport = :$(zk_port zk)" | grep -q .' # a look from here would take one of the two
    cluster_pg orders 1
    printf '\n[member orders/pg-1]\naddress = 127.0.0.1:1\n' >> "$(cluster_file)"
    watch_start watch-1 orders
    wait_for 20 '[ "$(links)" = 1 ]'
    watch_start watch-2 orders
    wait_for 20 '[ "$(links)" = 2 ]'
    watch_start watch-3 orders
    probe_start probe-a
    wait_for 30 'grep -q "the registry.s servers hang up at once.*maxClientCnxns" "$T/watch-3.log"'
    wait_for 30 'grep -q "warning registry the registry.s servers hang up at once.*maxClientCnxns" "$T/probe-a.log"'
    crash watch-1
    crash watch-2
    wait_for 30 'grep -q "registry connected, a new session" "$T/probe-a.log"'
    wait_for 30 '[ "$(links)" = 2 ]'
}
