# shellcheck shell=bash
# roster, the command line: what it prints, and every exit code.

alone() {
    zk_start
    pg_group 2
    cluster_pg orders 1 pg-1 pg-2
    fleet_start 1
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1" and ([.members[].health] | unique) == ["up"]'
}

test_bad_usage_exits_2() {
    ZK=127.0.0.1:1
    local args
    while read -r args; do
        # shellcheck disable=SC2086
        expect_code 2 roster $args
        expect_text "$T/said" '.'
    done <<E2

nonsense
show
show a b
show or/ders
route orders
route orders sideways
route orders write --count 0
route orders write --count many
route orders write --nonsense
route orders write --max-lag 1s
weight orders pg-1
weight orders pg-1 1001
weight orders pg-1 heavy
drain orders
hold
accept orders
drain orders pg-1 --wait soon
drain orders pg-1 --replace
accept --registry x --replace
list --root relative
list --timeout soon
E2
    expect_code 2 "$B/roster" list
    expect_code 2 "$B/roster" -z nowhere list
    expect_code 2 "$B/roster" -z 127.0.0.1:70000 list
    expect_code 0 "$B/roster" --version
    expect_code 0 "$B/roster" --help
    expect_code 0 "$B/roster" help route
}

test_an_absent_registry_exits_3() {
    port_take
    ZK=127.0.0.1:$PORT
    expect_code 3 roster list --timeout 500ms
    expect_code 3 roster show orders --timeout 500ms
    expect_code 3 roster route orders write --timeout 500ms
    expect_code 3 roster explain orders --timeout 500ms
    expect_code 3 roster drain orders pg-1 --timeout 500ms
    expect_text "$T/said" 'registry'
}

test_an_unknown_cluster_exits_4() {
    local args
    alone
    while read -r args; do
        # shellcheck disable=SC2086
        expect_code 4 roster $args --timeout 500ms
    done <<E2
show sales
route sales write
explain sales
drain sales pg-1
undrain sales pg-1
weight sales pg-1 5
hold sales pg-1
release sales
accept sales pg-1
forget sales
E2
    expect_code 2 roster drain orders pg-9
    expect_text "$T/said" 'pg-9'
}

test_no_endpoint_exits_5() {
    alone
    expect_code 0 roster route orders write
    expect_code 0 roster route orders read
    pg_crash pg-2
    wait_topology 20 orders '.members[1].health == "down"'
    expect_code 0 roster route orders read --fallback
    expect_text "$T/said" "$(at_pg pg-1)"
    pg_crash pg-1
    wait_topology 20 orders '.primary == null and .state == "no-primary"'
    expect_code 5 roster route orders write
    expect_code 0 roster show orders
    expect_text "$T/said" 'no primary'
    expect_code 0 roster list
    expect_code 0 roster explain orders
}

test_options_stand_before_or_behind_and_come_from_the_environment() {
    alone
    expect_code 0 "$B/roster" -z "$ZK" show orders
    expect_code 0 "$B/roster" show orders -z "$ZK"
    expect_code 0 "$B/roster" show --servers="$ZK" orders
    expect_code 0 env ROSTER_SERVERS="$ZK" "$B/roster" show orders
    expect_code 4 env ROSTER_SERVERS="$ZK" ROSTER_ROOT=/other "$B/roster" show orders --timeout 500ms
    expect_code 0 env ROSTER_SERVERS="$ZK" ROSTER_ROOT=/other "$B/roster" -r /roster show orders
}

test_what_is_shown() {
    alone
    expect_code 0 roster list
    expect_text "$T/said" "orders +ok +1 +pg-1 +$(at_pg pg-1)"
    expect_code 0 roster show orders
    expect_text "$T/said" "pg-1 +$(at_pg pg-1) +primary +up"
    expect_text "$T/said" "pg-2 +$(at_pg pg-2) +secondary +up"
    expect_no_text "$T/said" $'\033'
    roster show orders --json > "$T/json"
    expect "show --json" "$(jq -rc '[.cluster, .state, .primary, .members[1].upstream, .witnesses_now]' "$T/json")" '["orders","ok","pg-1","pg-1",1]'
    # One dialect: what is printed is the record in the registry, with what it leaves out written as null or false.
    short='walk(if type == "object" then with_entries(select(.value != null and .value != false)) else . end)'
    wait_for 10 'roster show orders --json | jq -c "[.epoch, .members] | $short" > "$T/printed" &&
        topology orders . | jq -c "[.epoch, .members] | $short" | cmp -s - "$T/printed"'
    expect "the keys of every member" "$(jq -c '[.members[] | keys] | unique | length' "$T/json")" 1
    expect_code 0 roster route orders read --count 3
    expect "lines of route --count 3" "$(wc -l < "$T/said")" 3
    expect_text "$T/said" "pg-2.*$(at_pg pg-2)"
    expect_code 0 roster explain orders
    expect_text "$T/said" 'probe-a'
    expect_text "$T/said" 'rule'
}

test_watch_prints_json_and_lines() {
    alone
    start json "$B/roster" -z "$ZK" watch orders --json
    start lines "$B/roster" -z "$ZK" watch
    wait_for 10 'head -n 1 "$T/json.log" | jq -e ".cluster == \"orders\" and .primary == \"pg-1\""'
    wait_for 10 'grep -q orders "$T/lines.log"'
    expect "watch --json" "$(head -n 1 "$T/json.log" | jq -rc '[.host, .port, .address == "\(.host):\(.port)", .seen_wall == .evidence_wall, .at_wall, (.plan | map(.host) | unique)]')" \
        "[\"127.0.0.1\",$(pg_port pg-1),true,true,\"$(topology orders .at_wall)\",[\"127.0.0.1\"]]"
    pg_crash pg-1
    pg_promote pg-2
    wait_for 20 'tail -n 1 "$T/json.log" | jq -e ".primary == \"pg-2\""'
    wait_for 20 'grep -q "pg-2" "$T/lines.log"'
    stop json INT
    stop lines TERM
}

test_the_operators_word_is_obeyed() {
    alone
    expect_code 0 roster drain orders pg-2
    wait_topology 20 orders '.members[1].drained'
    wait_for 5 '! roster route orders read --strict'
    expect_code 0 roster undrain orders pg-2
    wait_topology 20 orders '.members[1] | has("drained") | not'
    expect_code 0 roster weight orders pg-2 7
    wait_topology 20 orders '.members[1].weight == 7'
    expect_code 0 roster weight orders pg-2 default
    wait_topology 20 orders '.members[1].weight == 100'
    expect "directives" "$(zk get /roster/clusters/orders/directives | jq -c 'del(.format) | map_values(select(length > 0))')" '{}'
}

test_a_hold_freezes_the_writer_and_release_ends_it() {
    alone
    watch_start watch orders
    expect_code 0 roster hold orders
    wait_for 10 'zk get /roster/clusters/orders/directives | jq -e ".hold == \"pg-1\""'
    pg_crash pg-1
    pg_promote pg-2
    holds_for 5 "! grep -q '$(at_pg pg-2)' '$T/watch.out'"
    expect_code 0 roster release orders
    watch_sees 20 watch "$(at_pg pg-2)"
}

test_accept_clears_a_fence() {
    alone
    pg_crash pg-1
    pg_promote pg-2
    wait_topology 20 orders '.primary == "pg-2" and .members[0].fenced'
    expect_code 0 roster accept orders pg-1
    wait_topology 20 orders '.members[0].fenced | not'
    expect "the primary" "$(topology orders .primary)" pg-2
}

test_forget_refuses_while_a_probe_reports() {
    alone
    expect_code 2 roster forget orders
    expect "the primary" "$(topology orders .primary)" pg-1
    stop probe-a
    expect_code 0 roster forget orders
    expect_code 4 roster show orders --timeout 500ms
}

test_a_closed_pipe_and_a_full_disk_are_noticed() {
    alone
    roster watch orders > >(head -n 1 > "$T/first") 2> /dev/null &
    wait_for 10 '[ -s "$T/first" ]'
    pg_crash pg-2
    wait_topology 20 orders '.members[1].health == "down"'
    wait_for 10 '! kill -0 $!'
    local code=0
    roster list > /dev/full 2> "$T/said" || code=$?
    expect "the exit code with a full disk" $code 1
    code=0
    roster drain orders pg-2 > /dev/full 2> "$T/said" || code=$?
    expect "the exit code of a change with a full disk" $code 1
    expect_text "$T/said" 'orders/pg-2 is drained, but its output could not be written: No space left'
    expect "drained" "$(topology orders '.members[1].drained')" true
}

test_a_word_is_waited_for_and_says_what_became_of_it() {
    zk_start
    pg_group 3
    cluster_pg orders 1 pg-1 pg-2 pg-3
    fleet_start 1
    wait_topology 30 orders '.state == "ok" and .primary == "pg-1" and ([.members[].upstream] | map(select(. == "pg-1")) | length) == 2'
    local topology
    # The verdict that took the word is there when the command ends: nothing is waited for here.
    expect_code 0 roster drain orders pg-2
    expect_text "$T/said" '^orders/pg-2 is drained$'
    expect "drained" "$(topology orders '.members[1].drained')" true
    expect_code 0 roster drain orders pg-2
    expect_text "$T/said" '^orders/pg-2 is drained \(nothing had to be written\)$'
    expect_code 2 roster accept orders pg-2 --replace
    expect_text "$T/said" 'pg-2 is drained, so it does not become primary; `roster undrain orders pg-2` ends that'
    expect_code 0 roster undrain orders pg-2
    expect "undrained" "$(topology orders '.members[1].drained')" null
    expect_code 0 roster weight orders pg-2 7
    expect_text "$T/said" '^orders/pg-2 has weight 7$'
    expect "the weight" "$(topology orders '.members[1].weight')" 7
    expect_code 0 roster hold orders pg-3
    expect_text "$T/said" '^still pending: orders is held at pg-3, .*pg-3 does not claim to be primary \(it follows pg-1\)'
    expect_code 0 roster hold orders
    expect_text "$T/said" '^orders is held at pg-1, primary as of epoch 1$'
    expect "the rule" "$(topology orders .rule)" held
    expect_code 0 roster release orders
    # Against a primary that is up and followed the operator has to mean it.
    topology=$(topology orders .at_wall)
    expect_code 2 roster accept orders pg-3
    expect_text "$T/said" 'pg-1 is primary, up, and others follow it.*`roster accept --replace orders pg-3`'
    expect "no other verdict" "$(topology orders .at_wall)" "$topology"
    expect_code 0 roster accept orders pg-3 --replace
    expect_text "$T/said" '^still pending: orders/pg-3 does not claim to be primary \(it follows pg-1\)$'
    expect_code 0 roster show orders
    expect_text "$T/said" 'accept pg-3 is pending: it does not claim'
    expect_code 0 roster accept orders pg-1
    expect_text "$T/said" '^orders/pg-1 is primary as of epoch 1 \(nothing had to be written\)$'
}

test_a_word_that_nobody_takes_is_told_and_stands() {
    alone
    freeze probe-a
    expect_code 6 roster drain orders pg-2 --wait 1
    expect_text "$T/said" 'orders/pg-2: drain is ordered, but no probe took it within 1'
    thaw probe-a
    wait_topology 20 orders '.members[1].drained'
    stop probe-a
    expect_code 6 roster undrain orders pg-2
    expect_text "$T/said" 'orders/pg-2: undrain is ordered, but no probe is alive to take it'
    expect_code 6 roster undrain orders pg-2
    expect_text "$T/said" 'undrain was ordered already, but no probe is alive to take it'
    # What nobody vouches for any more is shown with its age.
    wait_for 10 'roster show orders | grep -E "^  why +pg-1 is primary .* \(as of .* ago\)$"'
    expect_code 0 roster drain orders pg-1 --wait 0
    expect_text "$T/said" '^orders/pg-1: drain is ordered$'
    expect_code 0 roster drain orders pg-1 --wait 0
    expect_text "$T/said" '^orders/pg-1: drain is ordered already; nothing was written$'
    probe_launch probe-a
    wait_topology 20 orders '.members[0].drained and (.members[1].drained | not)'
}

DIRECTIVES=/roster/clusters/orders/directives

test_directives_that_a_hand_disordered_are_mended() {
    alone
    zk set $DIRECTIVES '{"format":1,"weight":{"pg-2":50,"pg-1":60,"pg-2":50},"drain":["pg-2","pg-2"]}'
    wait_topology 20 orders '.members[1].drained and .members[1].weight == 50'
    expect_code 0 roster weight orders pg-2 7
    expect_text "$T/said" 'was out of order or held something twice; it is mended'
    expect "the directives" "$(zk get $DIRECTIVES)" '{ "format": 1, "drain": [ "pg-2" ], "weight": { "pg-1": 60, "pg-2": 7 }, "hold": null, "accept": [] }'
    expect_code 0 roster weight orders pg-2 7
    expect_no_text "$T/said" 'mended'
    # What contradicts itself is named, and overwritten by force alone. What was read before stays in force.
    zk set $DIRECTIVES '{"format":1,"weight":{"pg-2":50,"pg-2":60}}'
    expect_code 2 roster weight orders pg-2 8
    expect_text "$T/said" 'weight\.pg-2: stands twice, and not with the same value'
    expect_code 0 roster show orders
    expect_text "$T/said" 'orders +cannot be read: weight\.pg-2: stands twice'
    expect "the weight" "$(topology orders '.members[1].weight')" 7
    expect_code 0 roster weight orders pg-2 8 --force
    expect "the weight by force" "$(topology orders '.members[1].weight')" 8
}

test_orders_that_name_nobody_are_refused_and_shown() {
    alone
    local verb
    for verb in 'drain orders pg-22' 'weight orders pg-22 5' 'hold orders pg-22' 'accept orders pg-22' 'undrain orders pg-22'; do
        # shellcheck disable=SC2086
        expect_code 2 roster $verb
        expect_text "$T/said" "orders has no member 'pg-22'; did you mean 'pg-2'\\?"
    done
    zk set $DIRECTIVES '{"format":1,"drain":["pg-9"],"hold":null}'
    for verb in show explain; do
        expect_code 0 roster $verb orders
        expect_text "$T/said" 'drain names pg-9, which is no member; `roster undrain orders pg-9` takes it back'
    done
    expect "remarks in JSON" "$(roster show orders --json | jq -c '.remarks | length')" 1
    expect_code 0 roster undrain orders pg-9
    expect_code 0 roster show orders
    expect_no_text "$T/said" 'pg-9'
}

test_a_claim_that_is_refused_is_shown_with_its_reason_and_its_end() {
    alone
    expect_code 0 roster drain orders pg-2
    pg_promote pg-2
    wait_topology 20 orders '.state == "conflict" and .members[1].claims'
    local verb
    for verb in show explain; do
        expect_code 0 roster $verb orders
        expect_text "$T/said" 'pg-2 claims and is refused \([a-z-]+\): .*; `roster [a-z]+ orders pg-2` ends that'
    done
    expect "the bar in JSON" "$(roster show orders --json | jq -c '.members[1].bar != null')" true
}

# Whatever keeps them from being read: a starting probe must not act as if there were none.
test_a_probe_that_cannot_read_the_directives_decides_nothing_at_first() {
    alone
    watch_start watch orders
    expect_code 0 roster hold orders
    stop probe-a
    zk set $DIRECTIVES 'hold pg-1!'
    probe_launch probe-a
    wait_for 20 'grep -q "nothing is decided before they were read once" "$T/probe-a.log"'
    pg_crash pg-1
    pg_promote pg-2
    holds_for 4 "! grep -q '$(at_pg pg-2)' '$T/watch.out'"
    expect_code 0 roster explain orders
    expect_text "$T/said" 'the directives cannot be read'
    expect_code 0 roster release orders --force
    watch_sees 20 watch "$(at_pg pg-2)"
}

test_a_probe_that_may_not_read_the_directives_decides_nothing_at_first() {
    alone
    watch_start watch orders
    expect_code 0 roster hold orders
    stop probe-a
    acl() { JVMFLAGS=-XX:-UsePerfData /usr/share/zookeeper/bin/zkCli.sh -server "$ZK" setAcl $DIRECTIVES "world:anyone:$1" > /dev/null 2>&1; }
    acl cdwa
    probe_launch probe-a
    wait_for 20 'grep -q "nothing is decided before they were read once" "$T/probe-a.log"'
    pg_crash pg-1
    pg_promote pg-2
    holds_for 4 "! grep -q '$(at_pg pg-2)' '$T/watch.out'"
    expect "how often it is told" "$(grep -c 'directives.*is not used: denied' "$T/probe-a.log")" 1
    acl cdrwa
    # the hold is read then, and counts
    wait_topology 20 orders '.rule == "held" and .primary == "pg-1"'
    expect_code 0 roster release orders
    watch_sees 20 watch "$(at_pg pg-2)"
}

test_an_accidental_promotion_is_undone_by_accept() {
    alone
    pg_promote pg-2
    wait_topology 20 orders '.primary == "pg-2" and .members[0].fenced and .members[0].claims'
    expect_code 0 roster show orders
    expect_text "$T/said" 'pg-1 claims and is refused \(fenced\): .*`roster accept orders pg-1` ends that'
    expect_code 0 roster accept orders pg-1
    expect_text "$T/said" '^orders/pg-1 is primary as of epoch [0-9]+$'
    expect "the primary" "$(topology orders .primary)" pg-1
    expect_code 0 roster accept orders pg-1
    expect_text "$T/said" '^orders/pg-1 is primary as of epoch [0-9]+( \(nothing had to be written\))?$'
    expect_code 0 roster show orders
    expect_text "$T/said" 'pg-2 claims and is refused'
}
