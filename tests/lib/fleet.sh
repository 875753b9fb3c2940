# shellcheck shell=bash
# roster's own programs against the servers of the other files.
#
#     cluster_pg NAME WITNESSES MEMBER...   adds a cluster to what the next probes are told of
#     cluster_my NAME WITNESSES MEMBER...
#     probe_start NAME                      a probe with that configuration
#     fleet_start 3                         probe-a probe-b probe-c
#     reload                                these three, with what they are told now
#     restart_probes                        they are killed, and started anew
#     roster VERB ...                       the command line, told of the registry
#     topology NAME [JQ]                    the znode, or what a jq filter makes of it
#     wait_topology SECONDS NAME JQ         until the filter says true
#     watch_start WATCH CLUSTER             `roster watch --primary`; its lines are in T/WATCH.out
#
# PROBE_SETTINGS has further lines for [probe], REGISTRY_SETTINGS for [registry], CLUSTER_SETTINGS for each cluster.

PROBE_SETTINGS=${PROBE_SETTINGS:-}
CLUSTER_SETTINGS=${CLUSTER_SETTINGS:-}
REGISTRY_SETTINGS=${REGISTRY_SETTINGS:-session_timeout = 4s}

cluster_file() { echo "$T/clusters.ini"; }

# The password of the probes' account, readable by them alone.
password_file() {
    echo "${1:-secret}" > "$T/${2:-password}"
    chmod 600 "$T/${2:-password}"
    own "$T/${2:-password}"
    echo "$T/${2:-password}"
}

members_of() { # members_of CLUSTER PORT_FUNCTION MEMBER...
    local cluster=$1 port_of=$2 member
    shift 2
    for member; do
        printf '\n[member %s/%s]\naddress = 127.0.0.1:%s\n' "$cluster" "$member" "$("$port_of" "$member")"
    done
}

cluster_pg() {
    local name=$1 witnesses=$2
    shift 2
    {
        printf '\n[cluster %s]\nengine = postgresql\nwitnesses = %d\nuser = roster\ndatabase = postgres\npassword_file = %s\n%s\n' \
            "$name" "$witnesses" "$(password_file)" "$CLUSTER_SETTINGS"
        members_of "$name" pg_port "$@"
    } >> "$(cluster_file)"
}

cluster_my() {
    local name=$1 witnesses=$2
    shift 2
    {
        printf '\n[cluster %s]\nengine = mysql\nwitnesses = %d\nuser = roster\npassword_file = %s\n%s\n' \
            "$name" "$witnesses" "$(password_file)" "$CLUSTER_SETTINGS"
        members_of "$name" my_port "$@"
    } >> "$(cluster_file)"
}

probe_write() { # probe_write NAME: T/NAME.ini
    {
        printf '[registry]\nservers = %s\n%s\n\n[probe]\nname = %s\n%s\n' "$ZK" "$REGISTRY_SETTINGS" "$1" "$PROBE_SETTINGS"
        case $SLOW.$PROBE_SETTINGS in 1.* | *timeout*) ;; *) echo 'timeout = 2s' ;; esac # a sanitized log-in takes its time
        cat "$(cluster_file)"
    } > "$T/$1.ini"
}

probe_launch() { start "$1" "$B/roster-probe" --config "$T/$1.ini"; } # with the file it has
probe_start() { probe_write "$1"; probe_launch "$1"; }

fleet_names() { local letters=(a b c d e f g) i; for ((i = 0; i < $1; i++)); do echo "probe-${letters[i]}"; done; }
fleet_start() { local name; for name in $(fleet_names "$1"); do probe_start "$name"; done; }
reload() { local name; for name in $(fleet_names 3); do probe_write "$name"; send HUP "$name"; done; }

restart_probes() {
    local name
    for name in $(fleet_names 3); do crash "$name"; done
    for name in $(fleet_names 3); do probe_launch "$name"; done
}

roster() { "$B/roster" -z "$ZK" "$@"; }

topology_path() { echo "/roster/clusters/$1/topology"; }
topology() { zk get "$(topology_path "$1")" | jq -rc "${2:-.}"; }
topology_is() { znode_is "$(topology_path "$1")" "$2"; } # topology_is NAME JQ

# Does the filter say true of a znode? This is asked over and over, while servers need the machine: the registry gives its value again
# when there was a transaction, other than the first and the last one of our own session, and jq is asked when it is another value.
ASKED='' SAID='' ANSWER='' ANSWERED_AT=''
znode_is() { # znode_is PATH JQ
    local question=$1/$2 said now=''
    ! zk_last || now=$ZXID
    if [ -z "$now" ] || [ "$question@$now" != "$ASKED@$ANSWERED_AT" ]; then
        ANSWERED_AT=''
        if said=$(zk get "$1" 2> /dev/null) && [ -n "$now" ]; then ANSWERED_AT=$((now + 2)); fi
        if [ "$question" != "$ASKED" ] || [ "$said" != "$SAID" ]; then
            ANSWER=$(jq -rc "$2" <<< "$said" 2> /dev/null) || true
            ASKED=$question SAID=$said
        fi
    fi
    [ "$ANSWER" = true ]
}

wait_topology() {
    within "$1" "topology_is $2 '$3'" || {
        zk get "$(topology_path "$2")" || true
        roster explain "$2" || true
        fail "the topology of $2 does not become: $3"
    }
}

wait_report() { # wait_report SECONDS CLUSTER PROBE JQ
    within "$1" "znode_is '/roster/clusters/$2/reports/$3' '$4'" || {
        zk get "/roster/clusters/$2/reports/$3" | jq . || true
        fail "the report of $3 on $2 does not become: $4"
    }
}

member() { echo "(.members[] | select(.name == \"$1\"))"; } # member NAME: for jq, of a topology or a report

# through_beats N CONDITION: the condition holds all the while until each probe that runs has beaten N times more. In one beat, of 2 s, it
# looks at every member, reports, and decides as well as it can.
through_beats() {
    local name beats=()
    for name in $(tracked | grep '^probe-'); do beats+=("$name $(($(beat_of "$name") + $1))"); done
    [ ${#beats[@]} -gt 0 ] || fail "no probe runs"
    until have_beaten; do
        eval "$2" > /dev/null 2>&1 || fail "no longer holds: $2"
        pause_ms 50
    done
}

have_beaten() { local each; for each in "${beats[@]}"; do [ "$(beat_of "${each% *}")" -ge "${each#* }" ] || return 1; done; }
beat_of() { zk get "/roster/probes/$1" | jq -r .beat | grep . || echo 0; }

watch_start() { # watch_start WATCH CLUSTER [OPTION...]
    local name=$1 cluster=$2
    shift 2
    (
        cd "$T" || exit 1
        exec "${unprivileged[@]}" "$B/roster" -z "$ZK" watch "$cluster" --primary "$@" > "$T/$name.out" 2> "$T/$name.log" < /dev/null
    ) &
    track "$name" $!
}

watch_last() { tail -n 1 "$T/$1.out"; }
watch_sees() { # watch_sees SECONDS WATCH LINE
    within "$1" "[ \"\$(watch_last $2)\" = '$3' ]" || fail "$2 says '$(watch_last "$2")', not '$3'"
}

at_pg() { echo "127.0.0.1:$(pg_port "$1")"; }
at_my() { echo "127.0.0.1:$(my_port "$1")"; }
