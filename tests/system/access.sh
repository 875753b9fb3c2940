# shellcheck shell=bash
# Who may write: access lists from the start, switched on later, and while they are being switched on.

FLEET_AUTH=roster:secret
OPS_AUTH=ops:secret
NODE_AUTH=node:secret

id_of() { printf '%s:%s' "${1%%:*}" "$(printf %s "$1" | openssl sha1 -binary | base64)"; }

with_one_auth() { REGISTRY_SETTINGS=$'session_timeout = 4s\nauth = digest:'$FLEET_AUTH; }
with_roles() {
    REGISTRY_SETTINGS=$'session_timeout = 4s\nauth = digest:'$FLEET_AUTH$'\noperators = '$(id_of $OPS_AUTH)
    REGISTRY_SETTINGS+=$'\nnodes = '$(id_of $NODE_AUTH)
}

# A file with a secret must be one.
auth_start() { probe_write "$1"; own "$T/$1.ini"; chmod 600 "$T/$1.ini"; probe_launch "$1"; }
auth_fleet() { local name; for name in $(fleet_names 3); do auth_start "$name"; done; }

servers_up() {
    zk_start
    pg_group 2
    cluster_pg orders 3 pg-1 pg-2
}

as() { local auth=$1; shift; ROSTER_AUTH=${auth:+digest:$auth} ZK_AUTH=$auth "$@"; } # as USER:PASSWORD COMMAND...

is_fine() { # is_fine AUTH: the verdict, as that one reads it
    as "$1" zk get "$(topology_path orders)" | jq -e '.state == "ok" and .primary == "pg-1" and ([.members[].health] | unique) == ["up"]'
}
all_vote() { as "$1" zk get "$(topology_path orders)" | jq -e '.evidence | has("probe-a") and has("probe-b") and has("probe-c")'; }

PATHS='/roster /roster/probes /roster/probes/probe-a /roster/clusters /roster/clusters/orders
    /roster/clusters/orders/reports /roster/clusters/orders/reports/probe-a
    /roster/clusters/orders/topology /roster/clusters/orders/directives'

# The verdict as an attacker would have it.
forged() { # forged MEMBER
    as $FLEET_AUTH zk get "$(topology_path orders)" | jq -c --arg to "${1:-pg-2}" '.primary = $to | .epoch += 1 | .state = "ok" |
        .members |= map(.role = if .name == $to then "primary" else "secondary" end | del(.fenced, .fenced_epoch))'
}

# may_not AUTH: set, create, delete or change a list anywhere.
may_not() {
    local path
    for path in $PATHS; do
        expect_code 1 as "$1" zk set "$path" '{"format":1}'
        expect_code 1 as "$1" zk create "$path/intruder" '{}'
        expect_code 1 as "$1" zk delete "$path"
        expect_code 1 as "$1" zk open "$path"
    done
    expect_code 1 as "$1" zk create /roster/clusters/evil ''
    expect_code 1 as "$1" zk create /roster/probes/evil ''
    expect_code 1 as "$1" zk create /roster/clusters/orders/reports/evil ''
    expect_code 1 as "$1" zk set "$(topology_path orders)" "$(forged)"
}

watch_as() { as "$1" watch_start "$2" orders; }

test_a_tree_made_with_auth_is_written_by_the_fleet_alone() {
    servers_up
    with_one_auth
    auth_fleet
    wait_for 30 "is_fine '' && all_vote ''"
    watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
    may_not ''
    may_not $NODE_AUTH
    expect_code 2 as '' roster drain orders pg-2
    expect_code 0 as $FLEET_AUTH roster drain orders pg-2
    wait_topology 20 orders '.members[1].drained'
    expect_code 0 as $FLEET_AUTH roster undrain orders pg-2
    expect_code 0 as $FLEET_AUTH roster protect
    expect_text "$T/said" 'all as wanted'
    grep -qxF "you     $(id_of $FLEET_AUTH)" "$T/said"
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_pg pg-1)"
}

test_three_roles_write_what_is_theirs() {
    local path
    servers_up
    with_roles
    auth_fleet
    wait_for 30 "is_fine $NODE_AUTH && all_vote $NODE_AUTH"
    as $NODE_AUTH watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
    may_not ''
    may_not $NODE_AUTH
    for path in $PATHS; do expect_code 1 as '' zk get "$path"; done
    # A probe's credentials write no directives, and change no list.
    expect_code 2 as $FLEET_AUTH roster drain orders pg-2
    for path in $PATHS; do expect_code 1 as $FLEET_AUTH zk open "$path"; done
    expect_code 1 as $FLEET_AUTH zk delete /roster/clusters/orders/directives
    # An operator's write directives, which probes read; and no verdict.
    expect_code 0 as $OPS_AUTH roster drain orders pg-2
    wait_for 20 "as $NODE_AUTH zk get $(topology_path orders) | jq -e '.members[1].drained'"
    expect_code 1 as $OPS_AUTH zk set "$(topology_path orders)" "$(forged)"
    expect_code 0 as $OPS_AUTH roster undrain orders pg-2
    expect_code 0 as $OPS_AUTH roster protect --config "$T/probe-a.ini"
    # It all goes on: a failover is decided, written and followed.
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
    # And a cluster is forgotten by an operator alone.
    stop probe-a; stop probe-b; stop probe-c
    wait_for 20 "[ -z \"\$(as $OPS_AUTH zk ls /roster/probes)\" ]"
    expect_code 2 as $FLEET_AUTH roster forget orders
    expect_code 0 as $OPS_AUTH roster forget orders
}

# Writes the forged verdict over and over, for two seconds.
attack() { # attack MEMBER
    local verdict end
    verdict=$(forged "$1")
    end=$(($(now_ms) + 2000))
    while [ "$(now_ms)" -lt $end ]; do
        as '' zk set "$(topology_path orders)" "$verdict" 2> /dev/null || true
    done
}

test_a_node_with_credentials_follows_no_change_that_anybody_may_have_made() {
    local name
    servers_up
    fleet_start 3
    wait_for 30 "is_fine '' && all_vote ''"
    # Half of the change is done: the tree is open, two probes have credentials, and so has a node. The probes cannot
    # distinguish the verdict of an attacker from their own.
    with_one_auth
    for name in probe-a probe-b; do
        stop $name
        auth_start $name
        wait_for 30 "as '' zk acl /roster/probes/$name | grep -q digest:roster"
        wait_for 30 "is_fine '' && all_vote ''"
    done
    as $NODE_AUTH watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
    as $NODE_AUTH roster show orders > "$T/said"
    expect_text "$T/said" 'refused +anybody may write it.*roster protect'
    attack pg-2
    expect "what watch said" "$(cat "$T/watch.out")" "$(at_pg pg-1)"
    # A failover meanwhile is followed as soon as the tree is protected.
    pg_crash pg-1
    pg_promote pg-2
    wait_topology 20 orders '.primary == "pg-2"'
    holds_for 2 '[ "$(cat "$T/watch.out")" = "$(at_pg pg-1)" ]'
    stop probe-c
    auth_start probe-c
    wait_for 30 "as '' zk acl /roster/probes/probe-c | grep -q digest:roster"
    expect_code 0 as $FLEET_AUTH roster protect --apply
    watch_sees 20 watch "$(at_pg pg-2)"
    may_not ''
    # Opened by somebody who may, it is refused again.
    as $FLEET_AUTH zk open "$(topology_path orders)"
    attack pg-1
    expect "what watch said" "$(tail -n 1 "$T/watch.out")" "$(at_pg pg-2)"
    expect_code 7 as $FLEET_AUTH roster protect
    expect_code 0 as $FLEET_AUTH roster protect --apply
    expect_text "$T/said" 'znodes, 1 mended'
    wait_for 20 "as $NODE_AUTH roster show orders > '$T/shown' && ! grep -q "anybody may" '$T/shown'"
}

test_auth_that_comes_later_is_told_and_protect_mends_the_tree() {
    local name before
    servers_up
    fleet_start 3
    wait_for 30 "is_fine '' && all_vote ''"
    # One by one; half of them have credentials for a while.
    with_one_auth
    stop probe-a
    auth_start probe-a
    wait_for 30 "as '' zk acl /roster/probes/probe-a | grep -q digest:roster"
    wait_for 20 'grep -q "anybody may .*roster protect" "$T/probe-a.log"'
    wait_for 30 "is_fine '' && all_vote ''"
    before=$(zk acl "$(topology_path orders)")
    expect_code 2 as $FLEET_AUTH roster protect --apply
    expect_text "$T/said" 'nothing was changed: probe-[bc] is live'
    expect "the topology's list" "$(zk acl "$(topology_path orders)")" "$before"
    expect_code 7 as $FLEET_AUTH roster protect
    expect_text "$T/said" '^OPEN +/roster/clusters/orders/topology: anyone cdrwa \(wanted: roster cdrwa, anyone r\)'
    for name in probe-b probe-c; do
        stop $name
        auth_start $name
        wait_for 30 "as '' zk acl /roster/probes/$name | grep -q digest:roster"
        wait_for 30 "is_fine '' && all_vote ''"
    done
    # Not by others' credentials.
    expect_code 2 as $NODE_AUTH roster protect --apply
    expect_code 0 as $FLEET_AUTH roster protect --apply
    expect_text "$T/said" 'mended +/roster:'
    expect_text "$T/said" 'all as wanted'
    expect_code 0 as $FLEET_AUTH roster protect
    expect_no_text "$T/said" 'mended'
    # What was done is told where there is still room to tell it.
    as $FLEET_AUTH zk open "$(topology_path orders)"
    local code=0
    as $FLEET_AUTH roster protect --apply > /dev/full 2> "$T/said" || code=$?
    expect "the exit code of a change with a full disk" $code 1
    expect_text "$T/said" '1 znodes are mended, but its output could not be written: No space left'
    may_not ''
    may_not $NODE_AUTH
    holds_for 3 "is_fine '' && all_vote ''"
    pg_crash pg-1
    pg_promote pg-2
    wait_topology 20 orders '.primary == "pg-2"'
    expect "warnings of probe-a" "$(grep -c 'anybody may' "$T/probe-a.log")" 1
}

checked() { # checked CODE OPTION...: roster-probe --check, as the user that the probes run as
    local code=$1
    shift
    expect_code "$code" "${unprivileged[@]}" "$B/roster-probe" --config "$T/probe-a.ini" --check "$@"
}

test_check_connect_tries_all_and_says_what_each_answers() {
    servers_up
    with_one_auth
    probe_write probe-a; own "$T/probe-a.ini"; chmod 600 "$T/probe-a.ini"
    checked 0 --connect
    expect_text "$T/said" '^ok +registry 127.0.0.1:[0-9]+: answers'
    expect_text "$T/said" '^note +/roster: does not exist yet'
    expect_text "$T/said" '^ok +orders/pg-1 127.0.0.1:[0-9]+: version [0-9.]+, no replica, writable'
    expect_text "$T/said" '^ok +orders/pg-2 .*: version [0-9.]+, a replica'
    expect "what it created" "$(zk ls /)" zookeeper
    auth_fleet
    wait_for 30 "is_fine ''"
    checked 0 --connect
    expect_text "$T/said" '^ok +/roster/clusters/orders/topology: may write the verdict \(roster cdrwa, anyone r\)'
    # Others' credentials, a name that is none, a server that is gone, a privilege that is missing.
    sed -i "s/auth = .*/auth = digest:other:secret/" "$T/probe-a.ini"
    printf '\n[member orders/pg-3]\naddress = no-such-host.invalid:5432\n' >> "$T/probe-a.ini"
    pg_sql pg-1 "REVOKE pg_read_all_stats FROM roster"
    pg_crash pg-2
    checked 1 --connect
    expect_text "$T/said" '^FAILED +/roster/clusters/orders/topology: these credentials may not write the verdict'
    expect_text "$T/said" '^FAILED +orders/pg-1 .*lacks pg_read_all_stats'
    expect_text "$T/said" '^FAILED +orders/pg-2 .*: refused'
    expect_text "$T/said" '^FAILED +orders/pg-3 no-such-host.invalid:5432: the name does not resolve'
    # What anybody may write is noted; a chroot that is none fails; so does a registry that is away.
    sed -i "s/auth = .*/auth = digest:$FLEET_AUTH/" "$T/probe-a.ini"
    as $FLEET_AUTH zk open "$(topology_path orders)"
    checked 1 --connect
    expect_text "$T/said" '^note +/roster/clusters/orders/topology: anybody may write'
    sed -i "s,^servers = .*,servers = $ZK/rosters," "$T/probe-a.ini"
    checked 1 --connect
    expect_text "$T/said" '^FAILED +chroot: the chroot /rosters does not exist; did you mean /roster\?'
    port_take
    sed -i "s,^servers = .*,servers = 127.0.0.1:$PORT," "$T/probe-a.ini"
    checked 1 --connect
    expect_text "$T/said" "^FAILED +registry 127.0.0.1:$PORT: no session"
    expect_no_text "$T/said" secret
    expect_code 2 "$B/roster-probe" --config "$T/probe-a.ini" --connect
}

test_check_by_root_looks_with_the_eyes_of_the_user_that_will_run() {
    [ ${#unprivileged[@]} != 0 ] || skip "not run by root"
    ZK=127.0.0.1:1
    echo secret > "$T/password"
    chmod 600 "$T/password" # root's
    printf '[registry]\nservers = %s\n[cluster orders]\nengine = postgresql\npassword_file = %s\n[member orders/pg-1]\naddress = 127.0.0.1:1\n' \
        "$ZK" "$T/password" > "$T/probe.ini"
    expect_code 0 "$B/roster-probe" --config "$T/probe.ini" --check --user root
    expect_code 2 "$B/roster-probe" --config "$T/probe.ini" --check --user nobody
    expect_text "$T/said" 'password cannot be opened: Permission denied'
    expect_code 2 "$B/roster-probe" --config "$T/probe.ini" --check --user no-such-user
    chown nobody "$T/password"
    expect_code 0 "$B/roster-probe" --config "$T/probe.ini" --check --user nobody
}

# Credentials are changed in a tree that is protected all the time: half of the probes have the next ones for a while.
test_credentials_of_a_fleet_are_changed_one_probe_after_the_other() {
    local name next=next:secret
    servers_up
    REGISTRY_SETTINGS=$'session_timeout = 4s\nauth = digest:'$FLEET_AUTH$'\nprobes = '$(id_of $next)$'\noperators = '$(id_of $OPS_AUTH)
    auth_fleet
    wait_for 30 "is_fine '' && all_vote ''"
    watch_start watch orders
    watch_sees 10 watch "$(at_pg pg-1)"
    REGISTRY_SETTINGS=$'session_timeout = 4s\nauth = digest:'$next$'\nprobes = '$(id_of $FLEET_AUTH)$'\noperators = '$(id_of $OPS_AUTH)
    stop probe-a
    auth_start probe-a
    wait_for 30 "is_fine '' && all_vote ''"
    may_not ''
    may_not $NODE_AUTH
    pg_crash pg-1
    pg_promote pg-2
    watch_sees 20 watch "$(at_pg pg-2)"
    for name in probe-b probe-c; do
        stop $name
        auth_start $name
        wait_for 30 "all_vote ''"
    done
    # The former ones are taken out of the files, and then of the lists.
    REGISTRY_SETTINGS=$'session_timeout = 4s\nauth = digest:'$next$'\noperators = '$(id_of $OPS_AUTH)
    for name in probe-a probe-b probe-c; do
        stop $name
        auth_start $name
        wait_for 30 "all_vote ''"
    done
    expect_code 7 as $OPS_AUTH roster protect --config "$T/probe-a.ini"
    expect_code 0 as $OPS_AUTH roster protect --config "$T/probe-a.ini" --apply
    may_not $FLEET_AUTH
    expect "what watch said" "$(grep -vx -e - "$T/watch.out" | tr '\n' ' ')" "$(at_pg pg-1) $(at_pg pg-2) "
    expect_no_text "$T/probe-a.log" 'denied|forbids'
}

test_protect_locks_nobody_out() {
    local before
    servers_up
    fleet_start 3
    wait_for 30 "is_fine '' && all_vote ''"
    before=$(for path in $PATHS; do zk acl "$path"; done)
    # Without credentials there is nothing to protect with; what is no credentials is told without repeating it.
    expect_code 2 as '' roster protect --apply
    ROSTER_AUTH=swordfish expect_code 2 roster protect
    expect_no_text "$T/said" swordfish
    # Nobody has the credentials of a mistyped hash.
    with_one_auth
    REGISTRY_SETTINGS+=$'\noperators = '$(id_of ops:typo)
    probe_write later
    chmod 600 "$T/later.ini"
    expect_code 2 as $OPS_AUTH roster protect --config "$T/later.ini" --apply
    expect_text "$T/said" 'nothing was changed: ROSTER_AUTH has no operator'
    # Live probes have none.
    expect_code 2 as $FLEET_AUTH roster protect --apply
    expect_text "$T/said" 'probe-a is live'
    expect "the lists" "$(for path in $PATHS; do zk acl "$path"; done)" "$before"
    # Cut short anywhere it can be repeated: as if ended after the first lists.
    with_one_auth
    stop probe-a; stop probe-b; stop probe-c
    wait_for 20 '[ -z "$(zk ls /roster/probes)" ]'
    expect_code 0 as $FLEET_AUTH roster protect --apply
    as $FLEET_AUTH zk open /roster/clusters/orders
    as $FLEET_AUTH zk open /roster/clusters/orders/directives
    expect_code 2 as "" roster protect
    expect_code 0 as $FLEET_AUTH roster protect --apply
    expect_text "$T/said" 'znodes, 2 mended, all as wanted'
    # What somebody else put there is protected as well.
    as $FLEET_AUTH zk create /roster/clusters/orders/mine ""
    auth_fleet
    wait_for 30 "is_fine '' && all_vote ''"
    expect_code 0 as $FLEET_AUTH roster protect --apply
    expect_text "$T/said" 'mended +/roster/clusters/orders/mine'
    # What others protected is theirs: it is named, and the rest is done.
    as $FLEET_AUTH zk open /roster/clusters/orders/mine
    expect_code 0 as $OPS_AUTH roster --root /roster/clusters/orders/mine protect --apply
    as $FLEET_AUTH zk open /roster/probes
    expect_code 7 as $FLEET_AUTH roster protect --apply
    expect_text "$T/said" '^refused +/roster/clusters/orders/mine: ops cdrwa, anyone r'
    expect_text "$T/said" '^mended +/roster/probes:'
    expect_text "$T/said" '1 mended, 1 not as wanted, 0 of them open to anybody'
}
