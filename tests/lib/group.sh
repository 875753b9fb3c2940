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

group_new() { # group_new NAME...
    local name weight=90 seeds=''
    local -A at
    for name; do
        mysql_new "$name"
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

group_three() {
    local name
    group_new my-1 my-2 my-3
    for name in my-1 my-2 my-3; do mysql_launch $name; done
    wait_for 40 "my_answers my-1 && my_answers my-2 && my_answers my-3"
    group_join my-1 bootstrap
    wait_for 20 "group_online my-1 1 && [ \"\$(group_says my-1)\" = ONLINE:PRIMARY:0 ]"
    group_accounts my-1
    group_join my-2
    group_join my-3
    for name in my-1 my-2 my-3; do wait_for 40 "group_online $name 3"; done
    cat "$T"/my-[123]/ca.pem > "$T/ca.pem"
}
