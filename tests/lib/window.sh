# shellcheck shell=bash
# How long did roster name a server that could not take writes, while another could? See window.c.
#
#     window_table NAME          the table that is written into, on a primary
#     window_start CLUSTER postgresql|mysql MEMBER...    waits until it measures; the members' account app writes into `commits`
#     window_end WRONG LATE      prints what was measured, and fails when longer than so many milliseconds
#     window_said JQ             of its last line

window_table() {
    case $1 in
    pg-*) pg_sql "$1" "CREATE TABLE commits (member text, at bigint, PRIMARY KEY (member, at)); ALTER TABLE commits OWNER TO app" app ;;
    *) my_sql "$1" "CREATE TABLE app.commits (member VARCHAR(64), at BIGINT, PRIMARY KEY (member, at))" ;;
    esac
}

window_start() {
    local cluster=$1 engine=$2 name port=my_port members=()
    shift 2
    [ "$engine" = mysql ] || port=pg_port
    for name; do members+=("$name=127.0.0.1:$("$port" "$name")"); done
    start window "$B/window" "$ZK" "$cluster" "$engine" app app app "${members[@]}"
    wait_for 20 'grep -qx armed "$T/window.log"'
}

window_said() { tail -n 1 "$T/window.log" | jq -rc "$1"; }

# Sanitized programs, and the machine that they slow down, get their time.
window_end() { # window_end WRONG LATE
    stop window
    expect "the meter's exit code" "$STATUS" 0
    grep -v '^{' "$T/window.log"
    [ "$(window_said .wrong_ms)" -le $(($1 * SLOW)) ] || fail "named for $(window_said .wrong_ms) ms although others took the writes"
    [ "$(window_said .none_ms)" -le $(($2 * SLOW)) ] || fail "nobody was named for $(window_said .none_ms) ms"
    [ "$(window_said .late_ms)" -le $(($2 * SLOW)) ] || fail "named $(window_said .late_ms) ms late"
}
