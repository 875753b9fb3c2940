# shellcheck shell=bash
# What a script that starts real servers stands on: a temporary folder, ports,
# processes tracked by id, waiting for events, and taking all of it away again.
#
#     . tests/lib/all.sh
#     harness_begin
#     zk_start; pg_group orders 3; fleet_start 3; ...
#
# harness_begin sets
#     T     the temporary folder; removed at exit unless KEEP=1
#     B     where the programs are (build/$VARIANT unless set before)
# and an EXIT trap, which ends what was started, by process id, and complains
# about what is left over. Every process runs in T and as an ordinary user:
# started by root, servers are switched to nobody (PostgreSQL refuses root).

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VARIANT=${VARIANT:-release}
B=${B:-build/$VARIANT}
case $B in /*) ;; *) B=$ROOT/$B ;; esac

# Sanitized programs are slower: deadlines are multiplied.
case $VARIANT in asan | tsan) SLOW=3 ;; *) SLOW=1 ;; esac

# It is asked a hundred times in a test. It prints keys in the order of their names.
jq() { gojq "$@"; }

unprivileged=()
if [ "$(id -u)" = 0 ]; then
    unprivileged=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi

harness_begin() {
    local in=${TMPDIR:-/tmp}
    [ ${#in} -le 40 ] || in=/tmp # a socket's path has 107 bytes
    T=$(mktemp -d "$in/roster-XXXXXX")
    chmod 755 "$T"
    own "$T"
    mkdir -p "$T/pids"
    export HOME=$T LC_ALL=C.UTF-8 # a user's own settings are nobody's business here
    trap harness_end EXIT
    trap 'exit 130' HUP INT TERM PIPE
    start ports "$B/ports"
    wait_for 5 '[ -s "$T/ports.log" ]'
    PORT_NEXT=$(cat "$T/ports.log")
    PORT_END=$((PORT_NEXT + 99))
}

# Runs at every end of the script, with the exit code that it would have.
harness_end() {
    local code=$? name left
    trap - EXIT ERR
    trap '' HUP INT TERM PIPE
    set +eu
    [ $code = 0 ] || [ $code = 77 ] || [ -n "${QUIET_END:-}" ] || harness_tell
    [ $SLOW = 1 ] || sanitizer_end
    for name in $(tracked); do crash "$name"; done
    promoters_end
    if grep -lE 'ERROR: (Address|Leak)Sanitizer|ThreadSanitizer:|: runtime error: ' "$T"/*.log "$T"/*.out 2> /dev/null; then
        echo "have findings of a sanitizer:"
        grep -hE -A 25 'ERROR: (Address|Leak)Sanitizer|ThreadSanitizer:|: runtime error: ' "$T"/*.log "$T"/*.out | head -n 60
        [ $code != 0 ] || code=1
    fi
    for name in "$T"/*/postmaster.pid; do pg_forget_memory "$name"; done
    within 5 '[ -z "$(processes_in "$T")" ]' # what was killed may need a moment to be gone
    left=$(processes_in "$T")
    if [ -n "$left" ]; then
        echo "left running:"
        # shellcheck disable=SC2086 # a list of numbers
        ps -o pid=,args= -p $left
        # shellcheck disable=SC2086
        kill -KILL $left 2> /dev/null
        [ $code != 0 ] || code=1
    fi
    [ "${KEEP:-}" = 1 ] || rm -rf "$T"
    exit $code
}

# Leaks are looked for at an orderly end only: our own programs get one.
sanitizer_end() {
    local name
    for name in $(tracked); do
        case $(readlink "/proc/$(pid "$name")/exe") in "$B"/roster* | "$B"/writer) send CONT "$name"; send TERM "$name" ;; *) continue ;; esac
        within 5 "gone $name"
    done
}

# What the servers and programs said last: for whoever reads a failure.
harness_tell() {
    local log
    for log in "$T"/*.log "$T"/*.out; do
        [ -s "$log" ] || continue
        printf -- '--- %s\n' "${log##*/}"
        tail -n "${TELL:-12}" "$log"
    done
}

# once FOLDER COMMAND...: unless FOLDER is there and ready, the command makes it; one at a time, whoever comes meanwhile waits.
once() {
    [ ! -e "$1/ready" ] || return 0
    (
        flock 9
        [ -e "$1/ready" ] || "${@:2}" "$1" 9>&-
    ) 9> "$1.lock"
}

# Are templates kept for other tests, so that it is worth while to make one?
shared() { [ -n "${TEMPLATES:-}" ] && [ -z "${ALONE:-}" ] && case $TEMPLATES in "$T"*) false ;; esac; }

own() { [ ${#unprivileged[@]} = 0 ] || chown nobody:nogroup "$@"; }

# ---- ports --------------------------------------------------------------------

# The next port of ours on which nobody listens, into PORT.
port_take() {
    while :; do
        PORT=$PORT_NEXT
        PORT_NEXT=$((PORT_NEXT + 1))
        [ "$PORT" -lt "$PORT_END" ] || fail "out of ports"
        [ -n "$(ss -Hltn "sport = :$PORT")" ] || return 0
    done
}

# ---- processes ----------------------------------------------------------------
# A process has a name; T/pids/NAME holds its id and the time it was started at,
# which together are never another's.

# start NAME COMMAND...: in the background, unprivileged, in T, its output in T/NAME.log.
start() {
    local name=$1
    shift
    (
        cd "$T" || exit 1
        exec "${unprivileged[@]}" "$@" >> "$T/$name.log" 2>&1 < /dev/null
    ) &
    track "$name" $!
}

track() { echo "$2 $(started_at "$2")" > "$T/pids/$1"; }
tracked() { ls "$T/pids" 2> /dev/null; }
started_at() { stat_of "$1" && echo "${STAT[19]}"; }

# What the kernel tells of a process, from its state on, into STAT; by the shell alone, for it is asked very often.
stat_of() {
    local line
    { read -r line < "/proc/$1/stat"; } 2> /dev/null || return 1 # in a trap, what is returned without a number is from before it
    read -r -a STAT <<< "${line##*) }"
}

# The process id, also of one that has ended; nothing when there never was one.
pid() { local id rest; read -r id rest 2> /dev/null < "$T/pids/$1" && echo "$id"; }

alive() {
    local id at
    { read -r id at < "$T/pids/$1"; } 2> /dev/null && [ -n "$at" ] && stat_of "$id" && [ "${STAT[19]}" = "$at" ] && [ "${STAT[0]}" != Z ]
}

gone() { ! alive "$1"; }

# send SIGNAL NAME
send() { if alive "$2"; then kill "-$1" "$(pid "$2")" || true; fi; }

# End it at once; a stopped process obeys SIGKILL too. Disowned first, or bash reports the kill as news.
crash() {
    disown "$(pid "$1")" 2> /dev/null || true
    send KILL "$1" 2> /dev/null || true
    wait_for 10 "gone $1"
    rm -f "$T/pids/$1"
}

# End it politely: SIGTERM, or the signal given; wait until it has gone. Its exit code is in STATUS.
stop() {
    send "${2:-TERM}" "$1"
    wait_for "${3:-20}" "gone $1"
    reap "$1"
}

reap() {
    STATUS=0
    wait "$(pid "$1")" 2> /dev/null || STATUS=$?
    rm -f "$T/pids/$1"
}

# freeze NAME: it and its children stop (a hung server); thaw NAME goes on.
freeze() { local id; id=$(pid "$1"); kill -STOP "$id"; pkill -STOP -P "$id" || true; }
thaw() { local id; id=$(pid "$1"); pkill -CONT -P "$id" || true; kill -CONT "$id"; }

# Those whose working folder is this one or below it, save for this shell.
processes_in() {
    find /proc/[0-9]*/cwd -maxdepth 0 \( -lname "$1" -o -lname "$1/*" -o -lname "$1 (deleted)" \) -printf '%h\n' 2> /dev/null | sed 's,^/proc/,,' | grep -vx $$ || true
}

# ---- waiting and judging --------------------------------------------------------

now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }
clock_ms() { printf -v "$1" %d $((${EPOCHREALTIME/[.,]/} / 1000)); } # the same, into a variable
# Nothing comes out of a pipe that nobody else has: that costs no process, where sleep(1) would.
exec {NEVER}<> <(:)
pause_ms() {
    local seconds
    printf -v seconds '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
    read -rt "$seconds" -u "$NEVER" || true
}

# within SECONDS CONDITION: true once the condition, a shell command, holds; false when time is up.
# What is asked takes its time, of which the servers that are waited for have a need: a quarter of it, at most, goes to asking.
within() {
    local began end now
    clock_ms now
    end=$((now + $1 * 1000 * SLOW))
    while :; do
        began=$now
        ! eval "$2" > /dev/null 2>&1 || return 0
        clock_ms now
        [ "$now" -lt "$end" ] || return 1
        pause_ms $((now - began < 15 ? 45 : now - began > 150 ? 450 : 3 * (now - began)))
        clock_ms now
    done
}

# The same as a demand.
wait_for() { within "$1" "$2" || fail "not within $(($1 * SLOW)) s: $2"; }

# The opposite: the condition holds all the time.
holds_for() {
    local end now
    clock_ms now
    end=$((now + $1 * 1000))
    while [ "$now" -lt "$end" ]; do
        eval "$2" > /dev/null 2>&1 || fail "no longer holds: $2"
        pause_ms 50
        clock_ms now
    done
}

fail() {
    echo "FAILED: $*"
    local i
    for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
        echo "    at ${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]} (${FUNCNAME[i]})"
    done
    exit 1
}

skip() { echo "SKIPPED: $*"; exit 77; }

# expect WHAT ACTUAL WANTED
expect() { [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"; }

# expect_text FILE PATTERN: an extended regular expression.
expect_text() { grep -qE -- "$2" "$1" || { sed 's/^/    | /' "$1"; fail "${1##*/} lacks: $2"; }; }
expect_no_text() { ! grep -E -- "$2" "$1" || fail "${1##*/} has: $2"; }

# expect_code CODE COMMAND...: its output in T/said.
expect_code() {
    local want=$1 code=0
    shift
    "$@" > "$T/said" 2>&1 < /dev/null || code=$?
    [ $code = "$want" ] || { sed 's/^/    | /' "$T/said"; fail "exit code $code, not $want: $*"; }
}
