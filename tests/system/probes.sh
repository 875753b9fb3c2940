# shellcheck shell=bash
# The life of roster-probe: configuration, starting, reloading, ending.

# A file to find fault with; needs no servers. Lines are added to [cluster], [member]s follow.
ini() {
    cat > "$T/probe.ini"
    code=0
    "$B/roster-probe" --config "$T/probe.ini" --check > "$T/said" 2>&1 || code=$?
}

test_check_prints_every_setting_and_where_it_came_from() {
    password_file > /dev/null
    ini <<E2
[registry]
servers = 127.0.0.1:2181

[probe]
name = probe-a

[cluster orders]
engine = postgresql
witnesses = 3
user = roster
password_file = $T/password

[member orders/pg-1]
address = 127.0.0.1:5432
label.zone = a
E2
    expect "the exit code" $code 0
    expect_text "$T/said" 'servers.*127\.0\.0\.1:2181.*line 2'
    expect_text "$T/said" 'interval.*1s.*default'
    expect_text "$T/said" 'alert_interval.*25ms.*default'
    expect_text "$T/said" 'session_timeout.*10s.*default'
    expect_text "$T/said" 'witnesses.*3.*line 9'
    expect_text "$T/said" 'address.*127\.0\.0\.1:5432.*line 14'
    expect_no_text "$T/said" secret
}

test_check_reports_every_mistake_in_one_run() {
    password_file > /dev/null
    chmod 644 "$T/password"
    ini <<E2
[registry]
servers = 127.0.0.1
sesion_timeout = 4s

[probe]
name = probe a
interval = 10 parsecs

[cluster orders]
engine = oracle
user = roster
password_file = $T/password

[member orders/pg-1]
address = 127.0.0.1:5432

[member orders/pg-2]
address = 127.0.0.1:5432

[cluster sales]
engine = mysql
user = roster
password_file = $T/missing

[member sales/my-1]
address = 127.0.0.1:70000

[member nowhere/x]
address = 127.0.0.1:5433
E2
    expect "the exit code" $code 2
    expect_text "$T/said" 'probe\.ini:2: .*servers'
    expect_text "$T/said" 'probe\.ini:3: .*sesion_timeout.*session_timeout'
    expect_text "$T/said" 'probe\.ini:6: .*name'
    expect_text "$T/said" 'probe\.ini:7: .*interval'
    expect_text "$T/said" 'probe\.ini:10: .*engine.*oracle.*postgresql'
    expect_text "$T/said" 'probe\.ini:12: .*password_file'
    expect_text "$T/said" 'probe\.ini:18: .*address'
    expect_text "$T/said" 'probe\.ini:23: .*password_file'
    expect_text "$T/said" 'probe\.ini:26: .*address'
    expect_text "$T/said" 'probe\.ini:2[89]: .*nowhere'
    expect_no_text "$T/said" 'secret'
}

test_a_probe_does_not_start_with_a_bad_file() {
    echo '[registry' > "$T/bad.ini"
    expect_code 2 "$B/roster-probe" --config "$T/bad.ini"
    expect_text "$T/said" 'bad\.ini:1:'
    expect_code 2 "$B/roster-probe" --config "$T/absent.ini"
    expect_code 2 "$B/roster-probe" --config "$T"
    expect_code 2 "$B/roster-probe" --nonsense
    expect_code 2 "$B/roster-probe"
}

# One probe on one server: all that a test of its life needs.
alone() {
    zk_start
    pg_group 2
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1"'
}

test_sigterm_withdraws_the_reports_and_exits_0_within_2_s() {
    local start took
    alone
    start=$(now_ms)
    stop probe-a TERM 10
    took=$(($(now_ms) - start))
    expect "the exit code" "$STATUS" 0
    [ $took -le $((2000 * SLOW)) ] || fail "took $took ms"
    # At once, not when the session would have run out.
    expect "reports left" "$(zk ls /roster/clusters/orders/reports)" ''
    expect "probes left" "$(zk ls /roster/probes)" ''
    expect "the primary" "$(topology orders .primary)" pg-1
}

test_sigterm_ends_it_within_5_s_while_the_registry_is_gone() {
    local start took how
    for how in frozen stopped; do
        if [ $how = frozen ]; then
            alone
            freeze zk
        else
            thaw zk
            probe_launch probe-a
            wait_for 20 '[ -n "$(zk ls /roster/probes)" ]'
            zk_stop
        fi
        sleep 1
        start=$(now_ms)
        stop probe-a TERM 15
        took=$(($(now_ms) - start))
        expect "the exit code, registry $how" "$STATUS" 0
        [ $took -le $((5000 * SLOW)) ] || fail "took $took ms with the registry $how"
    done
}

test_sigterm_ends_it_while_the_servers_hang() {
    alone
    freeze pg-1
    freeze pg-2
    wait_for 20 '! topology_is orders ".state == \"ok\""'
    stop probe-a TERM 5
    expect "the exit code" "$STATUS" 0
    thaw pg-1
    thaw pg-2
}

test_sigint_and_a_second_signal_end_it_too() {
    alone
    send INT probe-a
    send TERM probe-a
    wait_for 5 'gone probe-a'
    reap probe-a
    expect "the exit code" "$STATUS" 0
}

# A worker waits inside the client library nearly all of the time: the end comes in the midst of it.
test_sigterm_and_a_reload_come_in_the_midst_of_an_encrypted_login() {
    local turn
    zk_start
    port_take
    start rogue "$B/rogue" my-tls-mute "$PORT"
    rogue() { echo "$PORT"; }
    CLUSTER_SETTINGS='tls = require'
    cluster_my sales 1
    members_of sales rogue my-1 >> "$(cluster_file)"
    for turn in 1 2 3; do
        probe_start probe-a
        wait_for 20 "grep -q 'sales/my-1 went stalled' '$T/probe-a.log'"
        stop probe-a TERM 5
        expect "the exit code of turn $turn" "$STATUS" 0
        : > "$T/probe-a.log"
    done
    probe_start probe-a
    wait_for 20 "grep -q 'sales/my-1 went stalled' '$T/probe-a.log'"
    members_of sales rogue my-2 > "$T/other"
    sed -i "/^\\[member/,\$d" "$T/probe-a.ini"
    cat "$T/other" >> "$T/probe-a.ini"
    send HUP probe-a
    wait_for 20 "grep -q 'sales/my-2 went stalled' '$T/probe-a.log'"
    stop probe-a TERM 5
    expect "the exit code" "$STATUS" 0
}

# The backend that serves roster on pg-1. Every 10th look takes a fresh connection: slow looks keep that out of the way.
backend() { pg_sql pg-1 "SELECT pid FROM pg_stat_activity WHERE usename = 'roster' ORDER BY pid"; }

test_a_reload_keeps_the_connections_of_members_that_did_not_change() {
    local before
    PROBE_SETTINGS=$'interval = 5s\nalert_interval = 2s'
    alone
    pg_new pg-3
    pg_follow pg-3 pg-1
    pg_start pg-3
    before=$(backend)
    rm "$(cluster_file)"
    cluster_pg orders 1 pg-1 pg-2 pg-3
    probe_write probe-a
    send HUP probe-a
    wait_topology 20 orders '[.members[].name] == ["pg-1", "pg-2", "pg-3"] and ([.members[].health] | unique) == ["up"]'
    expect "the backend on pg-1" "$(backend)" "$before"
    # A bad file changes nothing, and is told.
    echo 'nonsense = 1' >> "$T/probe-a.ini"
    send HUP probe-a
    wait_for 10 'grep -q nonsense "$T/probe-a.log"'
    holds_for 2 'alive probe-a'
    expect "the backend on pg-1" "$(backend)" "$before"
    # A member that is listed no longer leaves; weights and labels follow.
    rm "$(cluster_file)"
    cluster_pg orders 1 pg-1 pg-2
    printf 'weight = 7\nlabel.zone = b\n' >> "$(cluster_file)"
    probe_write probe-a
    send HUP probe-a
    wait_topology 20 orders '[.members[].name] == ["pg-1", "pg-2"] and .members[1].weight == 7 and .members[1].labels.zone == "b"'
    expect "the primary" "$(topology orders .primary)" pg-1
    expect "the epoch" "$(topology orders .epoch)" 1
}

# The verdict follows the server, in whatever order the files come to the probes.
test_members_that_swap_their_addresses_do_not_disturb_the_writer() {
    local name primary
    zk_start
    pg_group 3
    cluster_pg orders 3 pg-1 pg-2 pg-3
    fleet_start 3
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1" and ([.members[].health] | unique) == ["up"]'
    watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
    for primary in pg-2 pg-1; do
        for name in $(fleet_names 3); do
            case $primary in
            pg-2) sed -i "s/^\\(address = 127.0.0.1:\\)$(pg_port pg-1)$/\\1first/; s/^\\(address = 127.0.0.1:\\)$(pg_port pg-2)$/\\1$(pg_port pg-1)/; s/:first$/:$(pg_port pg-2)/" "$T/$name.ini" ;;
            pg-1) probe_write "$name" ;;
            esac
            send HUP "$name"
            holds_for 2 'topology_is orders ".state == \"ok\" or .state == \"suspect\""'
        done
        wait_topology 20 orders ".state == \"ok\" and .primary == \"$primary\""
        expect "the writer's port" "$(topology orders '.primary as $p | .members[] | select(.name == $p) | .port')" "$(pg_port pg-1)"
    done
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_pg pg-1)"
    expect "fenced" "$(topology orders '[.members[].fenced] | unique | tostring')" '[null]'
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
}

test_a_reload_adds_and_removes_whole_clusters() {
    alone
    pg_new in-1
    pg_start in-1
    cluster_pg invoices 1 in-1
    probe_write probe-a
    send HUP probe-a
    wait_topology 20 invoices '.primary == "in-1"'
    rm "$(cluster_file)"
    cluster_pg invoices 1 in-1
    probe_write probe-a
    send HUP probe-a
    wait_for 20 '[ -z "$(zk ls /roster/clusters/orders/reports)" ]'
    expect "what stays of orders" "$(topology orders .primary)" pg-1
    expect_code 0 roster forget orders
    wait_for 10 '! zk stat /roster/clusters/orders'
    expect_code 4 roster show orders --timeout 1s
}

test_a_second_live_probe_of_one_name_refuses_to_start() {
    local owner
    alone
    owner=$(zk stat /roster/probes/probe-a | sed 's/.*ephemeralOwner=\([0-9-]*\).*/\1/')
    cp "$T/probe-a.ini" "$T/twin.ini"
    start twin "$B/roster-probe" --config "$T/twin.ini"
    wait_for 20 'gone twin'
    reap twin
    [ "$STATUS" != 0 ] || fail "the twin ended as if all were well"
    expect_text "$T/twin.log" 'probe-a'
    holds_for 2 'alive probe-a'
    expect "who owns the name" "$(zk stat /roster/probes/probe-a | sed 's/.*ephemeralOwner=\([0-9-]*\).*/\1/')" "$owner"
    expect "the primary" "$(topology orders .primary)" pg-1
}

# The next descriptors would be the loop's and the registry's, and the log would go into them.
test_a_probe_with_closed_standard_descriptors_works_and_ends_well() {
    zk_start
    pg_group 1
    cluster_pg orders 1 pg-1
    probe_write probe-a
    # shellcheck disable=SC2016 # for the inner shell
    start probe-a bash -c 'exec "$1" --config "$2" <&- >&- 2>&-' - "$B/roster-probe" "$T/probe-a.ini"
    wait_topology 20 orders '.primary == "pg-1"'
    expect "its standard descriptors" "$(readlink "/proc/$(pid probe-a)/fd/"{0,1,2} | sort -u)" /dev/null
    send TERM probe-a
    wait_for 10 'gone probe-a'
    reap probe-a
    expect "how it ended" "$STATUS" 0
}

test_a_killed_probe_takes_its_name_back_at_once() {
    alone
    crash probe-a
    probe_launch probe-a
    # Its former self's znodes live for a session timeout yet: it is the same host, and that process is gone.
    wait_for 3 'zk get /roster/probes/probe-a | jq -e ".pid == $(pid probe-a)"'
    wait_for 15 'roster show orders --json | jq -e ".age_ms == 0 and .witnesses_now == 1"'
}

test_what_a_probe_remembers_is_in_the_folder_that_is_set() {
    local file=$T/state/deep/probe-a.registry
    PROBE_SETTINGS='state_folder = state/deep' # beside its file
    alone
    wait_for 20 '[ "$(jq -r .registry '"$file"')" = "$(zk get /roster | jq -r .registry)" ]'
    wait_for 10 'jq -e ".topologies.orders" '"$file"
    [ ! -e "$T/.local" ] || fail "another folder is used"
    # One that cannot be read is told, and replaced.
    stop probe-a
    echo 'no json at all' > "$file"
    probe_launch probe-a
    wait_for 20 'grep -q "which one was followed is not known" "$T/probe-a.log"'
    wait_for 20 'jq -e ".topologies.orders" '"$file"
    # Without a folder it works, and says so.
    stop probe-a
    sed -i 's,^state_folder.*,state_folder = /proc/nowhere,' "$T/probe-a.ini"
    probe_launch probe-a
    wait_for 20 'grep -q "is not kept beyond the end of this process" "$T/probe-a.log"'
    wait_for 20 'roster show orders --json | jq -e ".age_ms == 0 and .witnesses_now == 1"'
}

# contained NAME FILE: a probe as the first process but one of a namespace of process ids, the host's name being the same.
contained() {
    start "$1" unshare --user --map-current-user --pid --fork --kill-child "$B/roster-probe" --config "$T/$2.ini"
}

presence() { zk get /roster/probes/probe-a | jq -r "$1"; }

# Their host has one name, and in both namespaces the probe has the same process id, or none has the other's.
test_of_two_probes_of_one_name_in_two_namespaces_one_ends() {
    local nonce writes how
    unshare --user --map-current-user --pid --fork true || skip "no namespaces of process ids here"
    alone
    crash probe-a
    contained one probe-a
    wait_for 20 '[ "$(presence .pid)" = 1 ]'
    wait_for 20 'roster show orders --json | jq -e ".age_ms == 0 and .witnesses_now == 1"'
    nonce=$(presence .nonce)
    for how in contained plain; do
        writes=$(zk_zxid)
        case $how in
        contained) contained two probe-a ;;
        plain) start two "$B/roster-probe" --config "$T/probe-a.ini" ;;
        esac
        wait_for 30 'gone two'
        reap two
        expect "the exit code, $how" "$STATUS" 1
        expect_text "$T/two.log" 'another live probe has the name probe-a'
        writes=$(($(zk_zxid) - writes))
        [ $writes -le 60 ] || fail "$writes transactions while two probes had one name, $how"
        expect "whose name it is, $how" "$(presence .nonce)" "$nonce"
        holds_for 1 'alive one'
        : > "$T/two.log"
    done
}

# A container that is started anew: the same name of the host, the same id, another namespace. Its beat stands still, or its session ends.
test_a_probe_that_died_in_another_namespace_is_replaced_soon() {
    local nonce
    unshare --user --map-current-user --pid --fork true || skip "no namespaces of process ids here"
    alone
    crash probe-a
    contained one probe-a
    wait_for 20 '[ "$(presence .pid)" = 1 ]'
    nonce=$(presence .nonce)
    crash one
    contained two probe-a
    wait_for 20 '[ "$(presence .pid)" = 1 ] && [ "$(presence .nonce)" != '"$nonce"' ]'
    holds_for 2 'alive two'
}

test_a_stopped_probe_wakes_up_without_harm() {
    zk_start
    pg_group 2
    cluster_pg orders 3 pg-1 pg-2
    fleet_start 3
    watch_start watch orders
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1"'
    kill -STOP "$(pid probe-c)"
    wait_for 20 '! zk stat /roster/probes/probe-c'
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
    kill -CONT "$(pid probe-c)"
    wait_for 20 'zk stat /roster/probes/probe-c'
    wait_report 20 orders probe-c '.abstains == null and .members[1].claim'
    expect "the primary" "$(topology orders .primary)" pg-2
    expect "what watch said" "$(grep -vx -e - "$T/watch.out" | tr '\n' ' ')" "$(at_pg pg-1) $(at_pg pg-2) "
}

test_no_secret_is_told() {
    alone
    expect_no_text "$T/probe-a.log" 'secret'
    zk tree /roster | cut -d' ' -f1 | while read -r path; do zk get "$path"; done > "$T/said"
    expect_no_text "$T/said" 'secret'
}
