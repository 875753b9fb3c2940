# shellcheck shell=bash
# A part of tests/bench/run: a group of three, whose primary is killed, or switched as planned; takeover.c measures.
#
# Needs a release of Debian that has MySQL, fetched (tests/lib/elsewhere.sh); what is not to be had is said, and is no failure.

# ---- MySQL Router -----------------------------------------------------------------------
# What tells it of the group, the shell of MySQL writes. That is no part of Debian, so this is the least that it asks for: it was found in its log
# at level debug.

mysqlrouter_metadata() { # mysqlrouter_metadata PRIMARY MEMBER...
    local primary=$1 name rows='' id=0
    shift
    for name; do
        id=$((id + 1))
        rows+=", ($id, 'group', '$(at_my "$name")', '$(at_my "$name")', NULL, '$(group_uuid "$name")', '{}', '$name')"
    done
    my_sql "$primary" "CREATE DATABASE mysql_innodb_cluster_metadata; USE mysql_innodb_cluster_metadata;
        CREATE VIEW schema_version (major, minor, patch) AS SELECT 2, 0, 0;
        CREATE VIEW v2_gr_clusters (cluster_id, cluster_name, group_name) AS SELECT 'group', 'group', '$GROUP_NAME';
        CREATE TABLE v2_instances (instance_id INT PRIMARY KEY, cluster_id VARCHAR(36), address VARCHAR(265), endpoint VARCHAR(265),
            xendpoint VARCHAR(265), mysql_server_uuid VARCHAR(36), attributes JSON, label VARCHAR(256));
        INSERT INTO v2_instances VALUES ${rows#, };
        CREATE VIEW v2_this_instance (cluster_id, instance_id, cluster_name, cluster_type) AS
            SELECT cluster_id, instance_id, 'group', 'gr' FROM v2_instances
            JOIN performance_schema.global_variables ON variable_name = 'server_uuid' AND variable_value = mysql_server_uuid;
        CREATE TABLE v2_routers (router_id INT PRIMARY KEY, router_name VARCHAR(265), address VARCHAR(256), version VARCHAR(12),
            last_check_in TIMESTAMP NULL, attributes JSON, options JSON);
        INSERT INTO v2_routers VALUES (1, 'bench', '127.0.0.1', NULL, NULL, '{}', '{}');
        CREATE USER router@'%' IDENTIFIED BY 'router';
        GRANT SELECT ON mysql_innodb_cluster_metadata.* TO router@'%';
        GRANT UPDATE ON mysql_innodb_cluster_metadata.v2_routers TO router@'%';
        GRANT SELECT ON performance_schema.* TO router@'%'"
}

mysqlrouter_write() { # mysqlrouter_write FOLDER PORT MEMBER...: FOLDER has all files; timeouts as it sets them up itself
    local folder=$1 port=$2 name servers=''
    shift 2
    for name; do servers+=",\"mysql://$(at_my "$name")\""; done
    mkdir -p "$folder"
    cat > "$folder/state.json" << E2
{"version": "1.0.0", "metadata-cache": {"group-replication-id": "$GROUP_NAME", "cluster-metadata-servers": [${servers#,}]}}
E2
    cat > "$folder/conf" << E2
[DEFAULT]
plugin_folder=${ELSEWHERE%/*}/lib/mysqlrouter/plugin
logging_folder=
runtime_folder=$folder
data_folder=$folder
keyring_path=$folder/keyring
master_key_path=$folder/key
dynamic_state=$folder/state.json
connect_timeout=5
read_timeout=30

[logger]
level=info

[metadata_cache:group]
cluster_type=gr
router_id=1
user=router
metadata_cluster=group
ttl=0.5
auth_cache_ttl=-1
auth_cache_refresh_interval=2
use_gr_notifications=0

[routing:write]
bind_address=127.0.0.1
bind_port=$port
destinations=metadata-cache://group/?role=PRIMARY
routing_strategy=first-available
protocol=classic
client_ssl_mode=PASSTHROUGH
server_ssl_mode=AS_CLIENT
E2
    own -R "$folder"
}

mysqlrouter_keys() { # mysqlrouter_keys FOLDER: the password of its account is asked for
    local tool=${ELSEWHERE%/*}/bin/mysqlrouter_keyring files=(--master-key-file="$1/key" "$1/keyring")
    "${unprivileged[@]}" "$tool" init "${files[@]}" && "${unprivileged[@]}" "$tool" set "${files[@]}" router password router
}

# Sets ROUTER_PORT; 0 when there is no MySQL Router.
mysqlrouter_start() { # mysqlrouter_start PRIMARY MEMBER...
    local primary=$1
    shift
    ROUTER_PORT=0
    [ -x "${ELSEWHERE%/*}/bin/mysqlrouter" ] || { echo "no MySQL Router: the release has none"; return 0; }
    "${ELSEWHERE%/*}/bin/mysqlrouter" --version | head -n 1
    mysqlrouter_metadata "$primary" "$@"
    port_take
    mysqlrouter_write "$T/mysqlrouter" "$PORT" "$@"
    mysqlrouter_keys "$T/mysqlrouter"
    start mysqlrouter "${ELSEWHERE%/*}/bin/mysqlrouter" --config "$T/mysqlrouter/conf"
    if within 20 "mariadb --no-defaults --connect-timeout=1 -h 127.0.0.1 -P $PORT -u app -papp -e 'SELECT 1'"; then
        ROUTER_PORT=$PORT
    else
        echo "no MySQL Router: $(tail -n 1 "$T/mysqlrouter.log")"
        crash mysqlrouter
    fi
}

# ---- rounds -------------------------------------------------------------------------------

group_primary() {
    local name
    for name in my-1 my-2 my-3; do [ "$(group_says "$name")" != ONLINE:PRIMARY:0 ] || echo "$name"; done
}

# Sets PRIMARY.
group_settled() {
    local name
    for name in my-1 my-2 my-3; do wait_for 60 "group_online $name 3"; done
    wait_for 20 '[ -n "$(group_primary)" ]'
    PRIMARY=$(group_primary)
    settled group "$PRIMARY"
}

ports_from() { # ports_from MEMBER: it first, the others behind it
    local name
    my_port "$1"
    for name in my-1 my-2 my-3; do [ "$name" = "$1" ] || my_port "$name"; done
}

takeover() { # takeover kill|switch PID|UUID: appends to T/takeover.HOW
    sample=$((sample + 1))
    # shellcheck disable=SC2046 # a list of numbers
    start takeover-$sample "$B/bench/takeover" "$ZK" group "$ROUTER_PORT" "$1" "$2" $(ports_from "$PRIMARY")
    wait_for 120 "gone takeover-$sample"
    reap takeover-$sample
    [ "$STATUS" = 0 ] || fail "$(cat "$T/takeover-$sample.log")"
    tail -n 1 "$T/takeover-$sample.log" >> "$T/takeover.$1"
}

group_killed() {
    group_settled
    disown "$(pid "$PRIMARY")" 2> /dev/null || true # or bash reports the kill as news
    takeover kill "$(pid "$PRIMARY")"
    crash "$PRIMARY"
    group_start "$PRIMARY"
    group_join "$PRIMARY" > /dev/null
}

group_switched() {
    group_settled
    case $PRIMARY in my-1) takeover switch "$(group_uuid my-2)" ;; *) takeover switch "$(group_uuid my-1)" ;; esac
}

# Medians and maxima of the three, and of how much later than the poll the other two were, round by round.
tell_takeovers() { # tell_takeovers HOW
    awk '
        function add(row, value) { if (value != "-") { value += 0; for (i = ++n[row]; i > 1 && v[row, i - 1] > value; i--) v[row, i] = v[row, i - 1]; v[row, i] = value } }
        function line(row, what, failed,    m) {
            m = n[row]
            if (!m) { printf "%-58s   not measured\n", what; return }
            printf "%-58s %3d %8.0f %8.0f   %s\n", what, m, (v[row, int((m + 1) / 2)] + v[row, int(m / 2) + 1]) / 2, v[row, m], failed
        }
        { for (w = 0; w < 3; w++) { add(w, $(2 * w + 1)); if ($(2 * w + 2) != "-") lost[w] += $(2 * w + 2) }
          add(3, $1 - $5); if ($3 != "-") add(4, $3 - $5) }
        END {
            line(0, "through libroster", lost[0] + 0); line(1, "through MySQL Router, ttl 0.5 s", lost[1] + 0)
            line(2, "by a direct 5 ms poll of every member", lost[2] + 0)
            line(3, "libroster later than the poll"); line(4, "MySQL Router later than the poll")
        }' "$T/takeover.$1"
    sed 's/^/    each (roster, router, direct; ms, failed): /' "$T/takeover.$1"
}

group_heading() { printf '%-58s %3s %8s %8s   %s\n' "$1" n median max "failed attempts, all rounds"; }

bench_group() {
    local i rounds=${ROUNDS:-5}
    title "Group Replication: ms from the kill -9 of the primary until a write is committed; the group itself takes 5 to 7 s to elect"
    elsewhere sid sbin/mysqld 9.7
    group_three
    my_sql my-1 "GRANT GROUP_REPLICATION_ADMIN ON *.* TO app@'%'; CREATE TABLE app.writes (id BIGINT AUTO_INCREMENT PRIMARY KEY, way VARCHAR(6))"
    mysqlrouter_start my-1 my-1 my-2 my-3
    # shellcheck disable=SC2034 # for cluster_my and fleet_start
    CLUSTER_SETTINGS=$'tls = require\n'"tls_ca = $T/ca.pem" PROBE_SETTINGS="log_level = $PROBE_LOG"
    cluster_my group 3 my-1 my-2 my-3
    fleet_start 3
    for ((i = 0; i < rounds; i++)); do group_killed; done
    group_heading "primary killed -9; 3 probes at default settings, $(servers "$ENSEMBLE")"
    tell_takeovers kill
    title "Group Replication, planned switch: ms, the longest time between two commits"
    for ((i = 0; i < rounds; i++)); do group_switched; done
    group_heading "group_replication_set_as_primary()"
    tell_takeovers switch
}
