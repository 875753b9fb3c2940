# shellcheck shell=bash
# Promotions in the ways that people and promoters make them, statement by statement: each is followed at once, and the old primary
# is not named again.

test_mariadb_after_a_crash_every_order_of_statements_is_followed() { on_mariadb after_a_crash; }
test_mysql_9_after_a_crash_every_order_of_statements_is_followed() { versions_mysql_story sid after_a_crash; }
test_mariadb_a_planned_switch_is_followed_in_every_order() { on_mariadb planned; }
test_mysql_9_a_planned_switch_is_followed_in_every_order() { versions_mysql_story sid planned; } # twin
test_mariadb_a_promotion_with_a_restart_or_after_a_mistake_is_followed() { on_mariadb with_restarts; }
test_mariadb_replicas_that_never_were_read_only_are_followed_when_promoted() { on_mariadb never_read_only; }
test_mysql_9_replicas_that_never_were_read_only_are_followed_when_promoted() { versions_mysql_story sid never_read_only; } # twin
test_mariadb_the_other_half_of_a_circular_pair_is_followed_when_opened() { on_mariadb circular_pair; }
test_mysql_9_the_other_half_of_a_circular_pair_is_followed_when_opened() { versions_mysql_story sid circular_pair; } # twin
test_mariadb_a_promotion_that_nobody_saw_is_followed() { on_mariadb unseen; } # long
test_mysql_9_a_promotion_that_nobody_saw_is_followed() { versions_mysql_story sid unseen; } # twin
test_mariadb_without_gtids_promotions_are_followed() { on_mariadb without_gtids; }
test_mysql_9_without_gtids_promotions_are_followed() { versions_mysql_story sid without_gtids; } # twin

# ---- three servers, one promotion after the other -----------------------------------------
# OLD is the primary, NEW is to be it, OTHER is one more replica. A way of promoting is a function of that name.

# Settled, and something to replicate.
three_servers() {
    local name
    for name in my-1 my-2 my-3; do "${of}_new" "$name"; ${1:-:} "$name"; "${of}_launch" "$name"; done
    for name in my-1 my-2 my-3; do wait_for 60 "my_answers $name"; done
    act my-1 open
    OLD=my-1 NEW=my-2 OTHER=my-3 NAMED=$(at_my my-1)
    joins my-2 my-1
    joins my-3 my-1
    fleet_on my-1 my-2 my-3
    well
    my_sql my-1 "CREATE DATABASE shop; CREATE TABLE shop.journal (id INT AUTO_INCREMENT PRIMARY KEY)"
}

well() {
    wait_topology 60 sales ".state == \"ok\" and .primary == \"$OLD\" and $(is_up "$NEW" "$OLD") and $(is_up "$OTHER" "$OLD") and
        ([.members[] | select(.fenced)] == [])"
}

# NAME replicates from UPSTREAM: a former primary, or one that replicates from elsewhere.
joins() {
    act "$1" stop
    [ "$of" = mysql ] || my_sql "$1" "SET GLOBAL gtid_slave_pos = '$(my_position "$1")'"
    "${of}_follow" "$1" "$2"
}
joins_later() { act "$1" stop; "${of}_follow" "$1" "$2"; } # a running replica knows its position

writes_a_row() { my_sql "$1" "INSERT INTO shop.journal VALUES ()"; }
rows_of() { my_sql "$1" "SELECT COUNT(*) FROM shop.journal"; }
has_all_of() { wait_for 20 "[ \"\$(rows_of $1)\" = \"\$(rows_of $2)\" ]"; } # has_all_of NAME SOURCE

# A server of MySQL 9 takes long to start: there the ways behind -- are left out, unless every one is wanted.
ways() { # ways WAY... [-- WAY...]
    local way
    for way; do
        case $way.$of${EVERY:+.every} in
        --.mysql) return ;;
        --.*) ;;
        *) echo "$way" ;;
        esac
    done
}

# Each way in turn; each is followed within seconds; then all is mended, and NEW is the primary that the next one replaces.
each_is_followed() { # each_is_followed WAY...
    local way
    for way in $(ways "$@"); do
        echo "$way: $OLD -> $NEW"
        writes_a_row "$OLD"
        has_all_of "$NEW" "$OLD"
        has_all_of "$OTHER" "$OLD"
        "$way"
        watch_sees 5 watch "$(at_my "$NEW")"
        NAMED+=" $(at_my "$NEW")"
        mended
    done
    expect "whom watch named" "$(grep -vx -e - "$T/watch.out" | tr '\n' ' ')" "$NAMED "
}

# Whoever is down starts, read-only or not as its file says, and follows NEW.
mended() {
    local was=$OLD
    alive "$OLD" || "${of}_start" "$OLD"
    follows_by_now "$OLD" "$NEW" || { act "$OLD" ${CLOSES-close}; joins "$OLD" "$NEW"; }
    follows_by_now "$OTHER" "$NEW" || joins_later "$OTHER" "$NEW"
    OLD=$NEW NEW=$OTHER OTHER=$was
    well
}

follows_by_now() { # follows_by_now NAME UPSTREAM
    "${of}_replicates" "$1" && [ "$(source_port "$1")" = "$(my_port "$2")" ]
}
source_port() {
    mariadb --no-defaults --skip-ssl -S "$T/$1.sock" -u root -e "$([ "$of" = my ] && echo "SHOW SLAVE STATUS\G" || echo "SHOW REPLICA STATUS\G")" |
        sed -nE 's/^ *(Master|Source)_Port: //p'
}

for_all_probes() { local name; for name in $(fleet_names 3); do wait_report 20 sales "$name" "$1"; done; }

crashes() { my_crash "$1"; wait_topology 20 sales "$(member "$1") | .health == \"down\""; }

# By hand: the probes see the outcome of each statement before the next one.
by_hand() { # by_hand NAME WORD...
    local name=$1 word
    shift
    for word; do
        act "$name" "$word"
        case $word in
        open) for_all_probes "$(member "$name") | .writable" ;;
        close) for_all_probes "$(member "$name") | .writable | not" ;;
        reset_all) for_all_probes "$(member "$name") | .upstream == null" ;;
        esac
    done
}

# ---- after a crash ------------------------------------------------------------------------

stop_reset_open() { crashes "$OLD"; by_hand "$NEW" stop reset_all open; }
stop_open_reset() { crashes "$OLD"; by_hand "$NEW" stop open reset_all; }
open_stop_reset() { crashes "$OLD"; by_hand "$NEW" open stop reset_all; }

# It keeps where its source was, reset or not.
stop_reset_keeping_open() { crashes "$OLD"; by_hand "$NEW" stop reset open; }
stop_open() { crashes "$OLD"; by_hand "$NEW" stop open; }

# MHA, MaxScale and replication-manager: all at once, before any probe has seen that the old one is gone; then the others.
in_one_go() { my_crash "$OLD"; act "$NEW" stop reset_all open; joins_later "$OTHER" "$NEW"; }

# orchestrator: the others first, below one that is still a replica.
others_first() { crashes "$OLD"; joins_later "$OTHER" "$NEW"; act "$NEW" stop reset_all open; }

# orchestrator with a source that is detached: where it was can be read, and leads nowhere.
detached() {
    crashes "$OLD"
    joins_later "$OTHER" "$NEW"
    act "$NEW" stop
    if [ "$of" = my ]; then
        my_sql "$NEW" "CHANGE MASTER TO MASTER_HOST = '//127.0.0.1'"
    else
        my_sql "$NEW" "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '//127.0.0.1'"
    fi
    act "$NEW" open
}

# The last transactions are lost: nobody can have them any more.
losing_the_last() {
    act "$NEW" stop_receiver
    writes_a_row "$OLD"
    has_all_of "$OTHER" "$OLD"
    crashes "$OLD"
    act "$NEW" stop reset_all open
}

after_a_crash() {
    three_servers
    each_is_followed detached open_stop_reset -- in_one_go stop_reset_keeping_open stop_reset_open stop_open_reset stop_open others_first
    losing_the_last
    watch_sees 5 watch "$(at_my "$NEW")"
    "${of}_start" "$OLD"
    act "$OLD" open
    wait_topology 20 sales ".primary == \"$NEW\" and .state == \"conflict\" and ($(member "$OLD") | .claims and .fenced)"
    expect "the last one named" "$(watch_last watch)" "$(at_my "$NEW")"
}

# ---- planned ----------------------------------------------------------------------------

# The sessions of all accounts but root are ended: applications', and the probes'.
kills_sessions() {
    my_sql "$1" "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE user NOT IN ('root', 'system user', 'repl', 'event_scheduler')" |
        while read -r statement; do my_sql "$1" "$statement" || true; done
}

# By hand, MaxScale and replication-manager: the old one is closed, what it has is waited for, the new one is opened; the old one and
# the others follow it.
closed_first() {
    my_sql "$OLD" "FLUSH TABLES WITH READ LOCK; SET GLOBAL $(read_only) = 1; UNLOCK TABLES"
    kills_sessions "$OLD"
    has_all_of "$NEW" "$OLD"
    act "$NEW" stop reset_all open
    joins "$OLD" "$NEW"
    joins_later "$OTHER" "$NEW"
}

closed_by_hand() {
    by_hand "$OLD" close
    by_hand "$NEW" stop reset_all open
    joins "$OLD" "$NEW"
}

# orchestrator, gracefully: the others are moved below the new one, which is still a replica.
others_first_then_closed() {
    joins_later "$OTHER" "$NEW"
    act "$OLD" close
    has_all_of "$NEW" "$OLD"
    act "$NEW" stop reset_all open
    joins "$OLD" "$NEW"
}

# MHA: the new one is opened while it still replicates from the old one; that it did is forgotten at the end.
open_while_it_replicates() {
    act "$OLD" close
    has_all_of "$NEW" "$OLD"
    act "$NEW" open
    joins_later "$OTHER" "$NEW"
    act "$NEW" stop reset_all
}

# Both are open for a moment.
opened_first() {
    act "$NEW" stop reset_all open
    act "$OLD" close
    joins "$OLD" "$NEW"
}

# And for long: the old one holds, until it is closed.
opened_long_before() {
    act "$NEW" stop reset_all open
    through_beats 3 "topology_is sales '.primary == \"$OLD\"'"
    act "$OLD" close
}

# The old one is shut down.
shut_down() {
    my_stop "$OLD"
    act "$NEW" stop reset_all open
}

# The old one hangs, and comes back open.
hung() {
    freeze "$OLD"
    wait_topology 20 sales "$(member "$OLD") | .health == \"down\""
    act "$NEW" stop reset_all open
    watch_sees 5 watch "$(at_my "$NEW")"
    thaw "$OLD"
    wait_topology 20 sales ".primary == \"$NEW\" and .state == \"conflict\" and ($(member "$OLD") | .claims and .fenced)"
    through_beats 1 "topology_is sales '.primary == \"$NEW\"'"
}

planned() {
    three_servers
    each_is_followed open_while_it_replicates hung -- closed_first others_first_then_closed closed_by_hand opened_first opened_long_before shut_down
}

# ---- with a restart, or a second one ---------------------------------------------------------

starts_writable() { sed -i '/read-only/d' "$T/$1.cnf"; "${of}_start" "$1"; }
restarts_writable() { my_stop "$1"; starts_writable "$1"; }

restarted_then_reset() { crashes "$OLD"; restarts_writable "$NEW"; by_hand "$NEW" stop reset_all; }
reset_then_restarted() { crashes "$OLD"; by_hand "$NEW" stop reset_all; restarts_writable "$NEW"; }
closed_then_restarted() { by_hand "$OLD" close; by_hand "$NEW" stop reset_all; restarts_writable "$NEW"; }

# The old one is back at once, and writable.
old_one_back_at_once() {
    my_crash "$OLD"
    act "$NEW" stop reset_all open
    starts_writable "$OLD"
}

# A mistake that was undone does not stand in the way.
promoted_again() {
    act "$NEW" stop reset_all open
    through_beats 3 "topology_is sales '.primary == \"$OLD\"'"
    act "$NEW" close
    joins "$NEW" "$OLD"
    well
    crashes "$OLD"
    act "$NEW" stop reset_all open
}

with_restarts() {
    three_servers
    each_is_followed restarted_then_reset reset_then_restarted closed_then_restarted old_one_back_at_once promoted_again
}

# ---- replicas that never were read-only -----------------------------------------------------

writable_in_file() { echo 'read-only=0' >> "$T/$1.cnf"; [ "$of" = my ] || echo 'super-read-only=0' >> "$T/$1.cnf"; }

stop_reset() { crashes "$OLD"; by_hand "$NEW" stop reset_all; }

# It still knows its source; that others replicate from it makes it the primary.
stop_and_the_others_follow() { crashes "$OLD"; joins_later "$OTHER" "$NEW"; act "$NEW" stop; }
the_others_follow_and_stop() { crashes "$OLD"; act "$NEW" stop; joins_later "$OTHER" "$NEW"; }

never_read_only() {
    CLOSES=''
    three_servers writable_in_file
    each_is_followed stop_reset the_others_follow_and_stop -- stop_and_the_others_follow
}

# Each replicates from the other, and the one that is no primary is read-only; its channel is never touched.
circular_pair() {
    servers my-1 my-2
    joins my-2 my-1
    joins my-1 my-2
    wait_for 20 "${of}_replicates my-1 && ${of}_replicates my-2"
    fleet_on my-1 my-2
    wait_topology 40 sales ".state == \"ok\" and .primary == \"my-1\" and $(is_up my-2 my-1)"
    OLD=my-1
    for NEW in my-2 my-1; do
        for_all_probes "$(member "$OLD") | .upstream == \"$NEW\" and .live"
        crashes "$OLD"
        by_hand "$NEW" open
        watch_sees 5 watch "$(at_my "$NEW")"
        "${of}_start" "$OLD"
        wait_topology 40 sales ".state == \"ok\" and .primary == \"$NEW\" and $(is_up "$OLD" "$NEW") and ([.members[] | select(.fenced)] == [])"
        OLD=$NEW
    done
    expect "whom watch named" "$(grep -vx -e - "$T/watch.out" | tr '\n' ' ')" "$(at_my my-1) $(at_my my-2) $(at_my my-1) "
}

# ---- while nobody looks ---------------------------------------------------------------------

probes_end() { local name; for name in $(fleet_names 3); do crash "$name"; done; }
probes_begin() { local name; for name in $(fleet_names 3); do probe_launch "$name"; done; }
probes_restart() { probes_end; probes_begin; }

between_statements() {
    crashes "$OLD"
    act "$NEW" open
    probes_restart
    act "$NEW" stop
    probes_restart
    act "$NEW" reset_all
}

without_probes() {
    probes_end
    my_crash "$OLD"
    act "$NEW" stop reset_all open
    probes_begin
}

# A server that is restarted as a part of it.
without_probes_and_restarted() {
    probes_end
    my_crash "$OLD"
    act "$NEW" stop reset_all
    restarts_writable "$NEW"
    probes_begin
}

without_the_registry() {
    zk_stop
    my_crash "$OLD"
    act "$NEW" stop reset_all open
    zk_start
}

registry_leaves_between_statements() {
    crashes "$OLD"
    act "$NEW" stop
    zk_stop
    act "$NEW" reset_all open
    zk_start
}

unseen() {
    three_servers
    each_is_followed without_probes_and_restarted -- between_statements without_probes without_the_registry registry_leaves_between_statements
}

# ---- without GTIDs ----------------------------------------------------------------------------

without_gtids() {
    joins() { act "$1" stop; by_position "$1" "$2"; }
    joins_later() { joins "$@"; }
    three_servers no_gtids
    each_is_followed closed_first -- open_stop_reset in_one_go others_first_then_closed
}

# ---- PostgreSQL ---------------------------------------------------------------------------------

test_postgresql_every_way_of_promoting_is_followed() { pg_each_is_followed promoted switched_over restarted_and_promoted middle_promoted fed_by_an_archive promoted_while_it_hangs; }
test_postgresql_a_promotion_that_nobody_saw_is_followed() { # long
    pg_each_is_followed promoted_without_probes promoted_without_the_registry started_alone_after_all_ended
}

pg_well() {
    wait_topology 60 orders ".state == \"ok\" and .primary == \"$OLD\" and ($(secondary "$NEW" "$OLD")) and ($(secondary "$OTHER" "$OLD"))"
}

# As each_is_followed, for PostgreSQL.
pg_each_is_followed() { # pg_each_is_followed WAY...
    local name way
    zk_start
    mkdir "$T/archive"
    own "$T/archive"
    for name in pg-1 pg-2 pg-3; do
        pg_new $name
        printf "archive_mode = on\narchive_command = 'cp %%p $T/archive/%%f'\nrestore_command = 'cp $T/archive/%%f %%p'\n" >> "$T/$name/postgresql.auto.conf"
        [ $name = pg-1 ] || pg_follow $name pg-1
        pg_start $name
    done
    OLD=pg-1 NEW=pg-2 OTHER=pg-3 NAMED=$(at_pg pg-1)
    watched pg-1 pg-2 pg-3
    for way; do
        pg_well
        echo "$way: $OLD -> $NEW"
        "$way"
        watch_sees 5 watch "$(at_pg "$NEW")"
        NAMED+=" $(at_pg "$NEW")"
        pg_mended
    done
    pg_well
    expect "whom watch named" "$(grep -vx -e - "$T/watch.out" | tr '\n' ' ')" "$NAMED "
}

# The old one and the other follow the new one; repmgr, operators and pg_auto_failover end so, too.
pg_mended() {
    local was=$OLD
    ! alive "$OLD" || pg_stop "$OLD"
    [ -e "$T/$OLD/standby.signal" ] || pg_rewind "$OLD" "$NEW"
    pg_start "$OLD"
    pg_follow "$OTHER" "$NEW"
    if alive "$OTHER"; then pg_reload "$OTHER"; else pg_start "$OTHER"; fi
    OLD=$NEW NEW=$OTHER OTHER=$was
}

pg_crashes() { pg_crash "$1"; wait_topology 20 orders "$(member "$1") | .health == \"down\""; }

promoted() { pg_crashes "$OLD"; pg_promote "$NEW"; }

# Planned: everything that the old one wrote has arrived when it has ended.
switched_over() {
    pg_stop "$OLD"
    pg_promote "$NEW"
    pg_follow "$OLD" "$NEW"
    pg_start "$OLD"
}

# pg_auto_failover: the standby is given other settings, which takes a restart, and never streams again before it is promoted.
restarted_and_promoted() {
    pg_stop "$OLD"
    wait_topology 20 orders "$(member "$OLD") | .health == \"down\""
    pg_stop "$NEW"
    pg_set "$NEW" "primary_conninfo = ''"
    pg_start "$NEW"
    wait_topology 20 orders "$(member "$NEW") | .health == \"up\""
    pg_promote "$NEW"
}

middle_promoted() {
    pg_follow "$OTHER" "$NEW"
    pg_reload "$OTHER"
    wait_topology 30 orders "$(secondary "$OTHER" "$NEW")"
    pg_crashes "$OLD"
    pg_promote "$NEW"
}

# The old one comes back writable.
promoted_while_it_hangs() {
    freeze "$OLD"
    wait_topology 20 orders "$(member "$OLD") | .health == \"down\""
    pg_promote "$NEW"
    watch_sees 5 watch "$(at_pg "$NEW")"
    pg_stop "$OTHER" # it may have what the old one alone has written
    pg_rewind "$OTHER" "$NEW"
    thaw "$OLD"
    wait_topology 20 orders ".primary == \"$NEW\" and .state == \"conflict\" and ($(member "$OLD") | .claims and .fenced)"
    through_beats 1 "topology_is orders '.primary == \"$NEW\"'"
}

# It never streams, before or after.
fed_by_an_archive() {
    pg_stop "$NEW"
    pg_set "$NEW" "primary_conninfo = ''"
    pg_start "$NEW"
    pg_sql "$OLD" "SELECT pg_switch_wal()" > /dev/null
    wait_topology 30 orders "$(member "$NEW") | .health == \"up\" and .upstream == null"
    promoted
}

promoted_without_probes() {
    probes_end
    pg_crash "$OLD"
    pg_promote "$NEW"
    probes_begin
}

promoted_without_the_registry() {
    zk_stop
    pg_crash "$OLD"
    pg_promote "$NEW"
    zk_start
}

# A site that was without power: what was a standby is started alone, and promoted.
started_alone_after_all_ended() {
    local name
    for name in "$OLD" "$NEW" "$OTHER"; do pg_crash "$name"; done
    probes_end
    pg_start "$NEW"
    probes_begin
    wait_topology 30 orders "$(member "$NEW") | .health == \"up\""
    pg_promote "$NEW"
}
