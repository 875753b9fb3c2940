/* How results of MySQL's and MariaDB's statements become facts. */
#include "probes/drivers/mysql_query.h"

#include <stdio.h>
#include <string.h>

#include "registry/base/text.h"

#include "tests/unit/drivers/fake_client.h"
#include "tests/unit/unit.h"

static struct observation seen;

static bool read(enum dialect dialect, size_t i, const char *text)
{
    return mysql_statements(dialect)[i].read(fake_result(text), &seen);
}

static bool settings(const char *text)
{
    observation_init(&seen);
    return read(DIALECT_REPLICA, 0, text);
}

static bool channels(const char *text)
{
    observation_init(&seen);
    return read(DIALECT_REPLICA, 3, text);
}

START_TEST(a_server_is_writable_unless_one_of_its_settings_forbids_it)
{
    ck_assert(settings("self_id=uuid-1\nread_only=0\nsuper_read_only=OFF\ngtids=g:1-5"));
    ck_assert(seen.writable && !seen.offline);
    ck_assert_str_eq(seen.self_id, "uuid-1");
    ck_assert_str_eq(seen.gtids, "g:1-5");
    ck_assert(settings("self_id=1\nread_only=1"));
    ck_assert(!seen.writable);
    ck_assert(settings("self_id=1\nread_only=NO_LOCK")); /* MariaDB 12: more than two values */
    ck_assert(!seen.writable);
    ck_assert(settings("self_id=1\nread_only=0\noffline_mode=1"));
    ck_assert(!seen.writable && seen.offline);
}
END_TEST

/* Which setting closes it; "": none. */
static void expect_closed(enum dialect dialect, const char *read_only, const char *variables,
                          const char *closed_by)
{
    char text[64];
    snprintf(text, sizeof text, "self_id=1\nread_only=%s", read_only);
    ck_assert(settings(text));
    ck_assert(mysql_statements(dialect)[1].read(fake_variables(variables), &seen));
    ck_assert_str_eq(seen.closed_by, closed_by);
    ck_assert_int_eq(seen.writable, text_equal(read_only, "0") && !closed_by[0]);
}

START_TEST(a_server_that_is_not_read_only_may_be_closed_by_another_setting)
{
    static const char well[] = "innodb_force_recovery=0\ninnodb_read_only=OFF\ntx_read_only=OFF";
    expect_closed(DIALECT_REPLICA, "0", well, "");
    expect_closed(DIALECT_MARIADB, "0", well, "");
    expect_closed(DIALECT_MARIADB, "0", "wsrep_on=OFF", ""); /* without InnoDB */
    expect_closed(DIALECT_REPLICA, "0", "innodb_read_only=ON", "innodb_read_only");
    expect_closed(DIALECT_MARIADB, "0", "innodb_read_only=ON", "innodb_read_only");
    expect_closed(DIALECT_REPLICA, "0", "transaction_read_only=ON", "transaction_read_only");
    expect_closed(DIALECT_MARIADB, "0", "tx_read_only=ON", "tx_read_only");
    expect_closed(DIALECT_SLAVE, "0", "tx_read_only=1", "tx_read_only");
    /* read-only by its usual setting, it is merely a replica */
    expect_closed(DIALECT_REPLICA, "1", "innodb_read_only=ON", "");
}
END_TEST

START_TEST(how_far_recovery_may_be_forced_differs)
{
    expect_closed(DIALECT_REPLICA, "0", "innodb_force_recovery=1", "innodb_force_recovery");
    expect_closed(DIALECT_SLAVE, "0", "innodb_force_recovery=4\ninnodb_read_only=OFF",
                  "innodb_force_recovery");
    expect_closed(DIALECT_MARIADB, "0", "innodb_force_recovery=4\ninnodb_read_only=OFF", "");
    expect_closed(DIALECT_MARIADB, "0", "innodb_force_recovery=5\ninnodb_read_only=OFF",
                  "innodb_force_recovery");
}
END_TEST

START_TEST(settings_of_another_shape_are_refused)
{
    ck_assert(!settings(""));
    ck_assert(!settings("self_id=1"));
    ck_assert(!settings("read_only=0"));
    ck_assert(!settings("self_id=1\nread_only=0\n\nself_id=2\nread_only=0"));
}
END_TEST

START_TEST(a_channel_is_read_in_the_new_spelling_and_the_old)
{
    ck_assert(channels("Source_Host=10.0.0.1\nSource_Port=3307\nSource_UUID=uuid-1\n"
                       "Replica_IO_Running=Yes\nReplica_SQL_Running=Yes\nSeconds_Behind_Source=2"));
    ck_assert(seen.replica && seen.live && seen.applying && !seen.connecting);
    ck_assert_str_eq(seen.upstream_host, "10.0.0.1");
    ck_assert_uint_eq(seen.upstream_port, 3307);
    ck_assert_str_eq(seen.upstream_id, "uuid-1");
    ck_assert_int_eq(seen.lag_ms, 2000);
    ck_assert(channels("Master_Host=10.0.0.2\nMaster_Port=3306\nMaster_Server_Id=7\n"
                       "Slave_IO_Running=Connecting\nSlave_SQL_Running=No\nSeconds_Behind_Master"));
    ck_assert(seen.replica && !seen.live && seen.connecting && !seen.applying);
    ck_assert_str_eq(seen.upstream_id, "7");
    ck_assert_int_eq(seen.lag_ms, -1);
}
END_TEST

START_TEST(a_stopped_receiver_has_no_lag_whatever_it_shows)
{
    ck_assert(channels("Master_Host=a\nMaster_Port=3306\nSlave_IO_Running=No\n"
                       "Slave_SQL_Running=Yes\nSeconds_Behind_Master=0"));
    ck_assert_int_eq(seen.lag_ms, -1);
}
END_TEST

START_TEST(what_is_written_and_what_is_applied_are_told_apart)
{
    ck_assert(settings("self_id=7\nread_only=0\nwritten=0-7-9\napplied=0-5-8\ngtids="));
    ck_assert_int_eq(seen.written.streams[0].top, 9);
    ck_assert_int_eq(seen.applied.streams[0].top, 8);
    ck_assert(settings("self_id=7\nread_only=0\nwritten=\napplied=0-5-8\ngtids=0-7-9"));
    ck_assert_int_eq(seen.written.count, 0);
    ck_assert(settings("self_id=7\nread_only=0\ngtids=3e11fa47-71ca-11e1-9e33-c80aa9429562:1-9"));
    ck_assert_int_eq(seen.written.streams[0].top, 9);
    ck_assert_int_eq(seen.applied.streams[0].top, 9);
}
END_TEST

START_TEST(a_channel_that_is_set_to_apply_later_says_so)
{
    ck_assert(channels("Source_Host=a\nReplica_IO_Running=Yes\nSQL_Delay=3600\n"));
    ck_assert_int_eq(seen.delay_ms, 3600000);
    ck_assert(channels("Source_Host=a\nReplica_IO_Running=Yes\nSQL_Delay=0\n"));
    ck_assert_int_eq(seen.delay_ms, 0);
}
END_TEST

START_TEST(a_mariadb_that_goes_by_another_position_is_not_exact)
{
    ck_assert(channels("Master_Host=a\nSlave_IO_Running=Yes\nUsing_Gtid=Slave_Pos\n"));
    ck_assert(seen.applied.exact);
    ck_assert(channels("Master_Host=a\nSlave_IO_Running=Yes\nUsing_Gtid=Current_Pos\n"));
    ck_assert(!seen.applied.exact);
    ck_assert(channels("Master_Host=a\nSlave_IO_Running=Yes\nUsing_Gtid=No\n"));
    ck_assert(!seen.applied.exact);
    ck_assert(channels("Source_Host=a\nReplica_IO_Running=Yes\nAuto_Position=0\n"));
    ck_assert(seen.applied.exact);
}
END_TEST

START_TEST(without_a_channel_a_server_is_no_replica)
{
    ck_assert(channels(""));
    ck_assert(!seen.replica);
    ck_assert(channels("Source_Host=<NULL>\nChannel_Name=group_replication_applier\n"));
    ck_assert(!seen.replica);
}
END_TEST

START_TEST(of_several_channels_one_that_runs_is_the_upstream)
{
    ck_assert(channels("Source_Host=a\nReplica_IO_Running=No\n\n"
                       "Source_Host=b\nReplica_IO_Running=Connecting\n\n"
                       "Source_Host=c\nReplica_IO_Running=Yes\n\n"));
    ck_assert_uint_eq(seen.channel_count, 3);
    ck_assert_str_eq(seen.upstream_host, "c");
    ck_assert(seen.fed_elsewhere); /* b tries to connect */
}
END_TEST

/* It may be fed by any of those that are not kept. */
START_TEST(however_many_channels_a_server_has_it_answers)
{
    static char text[65 * 48];
    for (size_t i = 0; i < 65; i++) {
        strcat(text, "Source_Host=a\nReplica_IO_Running=No\n\n");
    }
    ck_assert(channels(text));
    ck_assert(seen.replica && seen.fed_elsewhere);
    ck_assert_uint_eq(seen.channel_count, CHANNELS_KEPT);
}
END_TEST

START_TEST(a_dialect_follows_from_the_greeting)
{
    ck_assert_int_eq(mysql_dialect("10.11.19-MariaDB", 101119), DIALECT_MARIADB);
    ck_assert_int_eq(mysql_dialect("8.0.21", 80021), DIALECT_SLAVE);
    ck_assert_int_eq(mysql_dialect("8.0.22", 80022), DIALECT_REPLICA);
}
END_TEST

START_TEST(statements_fit_together_and_discovery_adds_one)
{
    static char text[MYSQL_QUERY_SIZE];
    struct statement more[STATEMENTS_MAX + 1];
    for (enum dialect dialect = DIALECT_MARIADB; dialect <= DIALECT_REPLICA; dialect++) {
        size_t count = 0, all = 0;
        while (mysql_statements(dialect)[count].sql) {
            count++;
        }
        mysql_statements_and_replicas(dialect, more);
        while (more[all].sql) {
            ck_assert_int_eq(mysql_is_wanted(&more[all]), all == count);
            all++;
        }
        ck_assert_uint_eq(all, count + 1);
        mysql_join_statements(more, text);
        ck_assert_ptr_nonnull(strstr(text, more[all - 1].sql));
    }
}
END_TEST

START_TEST(a_version_is_cut_behind_its_numbers)
{
    char version[VERSION_SIZE];
    mysql_read_version("10.11.19-MariaDB-0+deb12u1", version, sizeof version);
    ck_assert_str_eq(version, "10.11.19-MariaDB");
    mysql_read_version("8.0.36-0ubuntu0", version, sizeof version);
    ck_assert_str_eq(version, "8.0.36");
}
END_TEST

Suite *mysql_query_suite(void)
{
    Suite *suite = suite_create("mysql_query");
    TCase *tests = tcase_create("results");
    tcase_add_test(tests, a_server_is_writable_unless_one_of_its_settings_forbids_it);
    tcase_add_test(tests, a_server_that_is_not_read_only_may_be_closed_by_another_setting);
    tcase_add_test(tests, how_far_recovery_may_be_forced_differs);
    tcase_add_test(tests, settings_of_another_shape_are_refused);
    tcase_add_test(tests, a_channel_is_read_in_the_new_spelling_and_the_old);
    tcase_add_test(tests, a_stopped_receiver_has_no_lag_whatever_it_shows);
    tcase_add_test(tests, what_is_written_and_what_is_applied_are_told_apart);
    tcase_add_test(tests, a_channel_that_is_set_to_apply_later_says_so);
    tcase_add_test(tests, a_mariadb_that_goes_by_another_position_is_not_exact);
    tcase_add_test(tests, without_a_channel_a_server_is_no_replica);
    tcase_add_test(tests, of_several_channels_one_that_runs_is_the_upstream);
    tcase_add_test(tests, however_many_channels_a_server_has_it_answers);
    tcase_add_test(tests, a_dialect_follows_from_the_greeting);
    tcase_add_test(tests, statements_fit_together_and_discovery_adds_one);
    tcase_add_test(tests, a_version_is_cut_behind_its_numbers);
    suite_add_tcase(suite, tests);
    return suite;
}
