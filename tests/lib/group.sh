# shellcheck shell=bash
# MySQL Group Replication on loopback, of the release that `elsewhere RELEASE sbin/mysqld` found.
#
#     group_three                   my-1 my-2 my-3 in one group, my-1 the primary, my-2 its successor, then my-3; T/ca.pem has
#                                   the authorities of their certificates
#     group_new NAME...             not started; each knows the others
#     group_start NAME              waits until it answers; in no group yet
#     group_join NAME [bootstrap]   joins the group, or makes it
#     group_leave NAME              STOP GROUP_REPLICATION
#     group_online NAME COUNT       does NAME count as many members online?
#     group_says NAME               what it says of itself: STATE:ROLE:super_read_only
#     group_uuid NAME
#     group_switch TO               a planned switch of the primary
#
# my_sql, my_port, my_stop and my_crash are those of mariadb.sh. Accounts: roster (password secret), with the least rights that
# answer roster's question; app (password app), who owns the database app. A member suspected for 5 s, which cannot be
# set, is expelled at the next moment: a killed primary has a successor after 6 s. A member
# that was killed needs up to 17 s to come in again, one that was frozen 5 s.

GROUP_NAME=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee

group_new() { # group_new NAME...; GROUP_DATA: a folder that has their data
    local name weight=90 seeds=''
    local -A at
    for name; do
        mysql_new "$name" "${GROUP_DATA:+$GROUP_DATA/$name}"
        port_take
        at[$name]=127.0.0.1:$PORT
        seeds+=,${at[$name]}
    done
    for name; do
        sed -i '/^performance-schema=/d' "$T/$name.cnf"
        group_settings "${at[$name]}" "${seeds#,}" $weight "$(my_port "$name")" >> "$T/$name.cnf"
        weight=$((weight - 10))
    done
}

group_settings() { # group_settings ADDRESS SEEDS WEIGHT PORT
    cat << E2
report-host=127.0.0.1
report-port=$4
relay-log-recovery=ON
innodb-log-buffer-size=1M
table-open-cache=400
table-definition-cache=400
performance-schema-digests-size=200
performance-schema-events-statements-history-long-size=0
plugin-load-add=group_replication.so
loose-group-replication-group-name=$GROUP_NAME
loose-group-replication-start-on-boot=OFF
loose-group-replication-communication-stack=XCOM
loose-group-replication-local-address=$1
loose-group-replication-group-seeds=$2
loose-group-replication-member-weight=$3
loose-group-replication-recovery-get-public-key=ON
loose-group-replication-member-expel-timeout=0
E2
}

group_start() { mysql_start "$1"; }

group_join() { # group_join NAME [bootstrap]
    my_sql "$1" "CHANGE REPLICATION SOURCE TO SOURCE_USER='repl', SOURCE_PASSWORD='repl' FOR CHANNEL 'group_replication_recovery';
        SET GLOBAL group_replication_bootstrap_group = $([ "${2:-}" = bootstrap ] && echo ON || echo OFF);
        START GROUP_REPLICATION;
        SET GLOBAL group_replication_bootstrap_group = OFF"
}

group_leave() { my_sql "$1" "STOP GROUP_REPLICATION"; }

group_online() {
    [ "$(my_sql "$1" "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE MEMBER_STATE = 'ONLINE'")" = "$2" ]
}

group_says() {
    my_sql "$1" "SELECT CONCAT_WS(':', MEMBER_STATE, MEMBER_ROLE, @@global.super_read_only)
        FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid"
}

group_uuid() { my_sql "$1" "SELECT @@server_uuid"; }

group_switch() { my_sql "$1" "SELECT group_replication_set_as_primary(@@server_uuid)"; }

# What the whole group is to know is written on its first primary, and replicated like anything else.
group_accounts() {
    my_sql "$1" "GRANT SELECT ON performance_schema.replication_group_members TO roster@'%';
        GRANT SELECT ON performance_schema.replication_group_member_stats TO roster@'%';
        CREATE USER app@'%' IDENTIFIED BY 'app';
        CREATE DATABASE app;
        GRANT ALL ON app.* TO app@'%'"
}

# Running, and in no group.
group_servers() { # group_servers NAME...
    local name
    group_new "$@"
    for name; do mysql_launch "$name"; done
    for name; do wait_for 120 "my_answers $name"; done
}

# The first makes the group; ACCOUNTS what it is to know.
group_form() { # group_form NAME...
    local name
    group_join "$1" bootstrap
    wait_for 120 "group_online $1 1 && [ \"\$(group_says $1)\" = ONLINE:PRIMARY:0 ]"
    [ -n "${GROUP_DATA:-}" ] || group_accounts "$1"
    for name in "${@:2}"; do group_join "$name"; done
    for name; do wait_for 120 "group_online $name $#"; done
}

# Three that were a group: what they know, they know for good. In a folder of its own, for a test has servers of these names.
group_template() { # group_template FOLDER
    local T=$T/template name
    rm -rf "$1.made"
    mkdir -p "$T/pids" "$1.made"
    own "$T"
    group_servers my-1 my-2 my-3
    group_form my-1 my-2 my-3
    for name in my-3 my-2 my-1; do group_leave $name; done
    for name in my-1 my-2 my-3; do send TERM $name; done
    for name in my-1 my-2 my-3; do
        my_stop $name
        mv "$T/$name" "$1.made"
    done
    : > "$1.made/ready"
    mv -T "$1.made" "$1"
}

group_three() {
    local GROUP_DATA=''
    if shared; then
        once "$(mysql_folder group)" group_template
        GROUP_DATA=$(mysql_folder group)
    fi
    group_servers my-1 my-2 my-3
    group_form my-1 my-2 my-3
    cat "$T"/my-[123]/ca.pem > "$T/ca.pem"
}
