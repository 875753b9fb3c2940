/* How Group Replication's tables and Galera's status become facts. */
#include "probes/drivers/mysql_group.h"

#include <string.h>

#include "tests/unit/drivers/fake_client.h"
#include "tests/unit/unit.h"

static struct observation seen;

static void begin_group(const char *mode)
{
    char text[200] = "group_replication_group_name=group-1\n"
                     "group_replication_single_primary_mode=";
    observation_init(&seen);
    strcpy(seen.self_id, "uuid-1");
    group_read_variables(fake_variables(strcat(text, mode)), &seen);
}

static const char members[] = "MEMBER_ID=uuid-1\nMEMBER_STATE=ONLINE\nMEMBER_ROLE=SECONDARY\n"
                              "MEMBER_HOST=10.0.0.1\nMEMBER_PORT=3306\nVIEW_ID=17:4\n"
                              "COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE=5\n\n"
                              "MEMBER_ID=uuid-2\nMEMBER_STATE=ONLINE\nMEMBER_ROLE=PRIMARY\n"
                              "MEMBER_HOST=10.0.0.2\nMEMBER_PORT=3306\nVIEW_ID=17:4\n\n"
                              "MEMBER_ID=uuid-3\nMEMBER_STATE=UNREACHABLE\nMEMBER_ROLE=SECONDARY\n"
                              "MEMBER_HOST=10.0.0.3\nMEMBER_PORT=3306\n";

START_TEST(a_member_follows_the_primary_that_it_names)
{
    begin_group("ON");
    ck_assert_int_eq(seen.group.type, GROUP_REPLICATION);
    ck_assert_int_eq(seen.group.state, CONDITION_LEFT); /* before its members were read */
    ck_assert(group_read_members(fake_result(members), &seen));
    ck_assert_int_eq(seen.group.state, CONDITION_FIT);
    ck_assert_int_eq(seen.group.size, 3);
    ck_assert_int_eq(seen.group.reachable, 2);
    ck_assert(!seen.group.leads && seen.replica && seen.live);
    ck_assert_str_eq(seen.upstream_id, "uuid-2");
    ck_assert_str_eq(seen.lineage, "17:4");
    ck_assert_str_eq(seen.identity, "group-1");
    ck_assert_int_eq(seen.group.queue, 5);
    ck_assert_uint_eq(seen.advertised.count, 3);
}
END_TEST

START_TEST(the_primary_leads_and_in_a_multi_primary_group_everybody_does)
{
    begin_group("ON");
    strcpy(seen.self_id, "uuid-2");
    ck_assert(group_read_members(fake_result(members), &seen));
    ck_assert(seen.group.leads && !seen.replica);
    begin_group("OFF");
    ck_assert(group_read_members(fake_result(members), &seen));
    ck_assert(seen.group.many && seen.group.leads && !seen.replica);
}
END_TEST

START_TEST(members_without_an_identity_are_refused_and_without_a_group_not_read)
{
    begin_group("ON");
    ck_assert(!group_read_members(fake_result("MEMBER_ID\nMEMBER_STATE=ONLINE"), &seen));
    observation_init(&seen);
    ck_assert(group_read_members(fake_result("MEMBER_ID"), &seen));
    ck_assert(!group_is_vital(&seen));
}
END_TEST

START_TEST(galeras_status_is_a_condition)
{
    static const struct {
        const char *status;
        enum condition state;
    } cases[] = {
        {"wsrep_cluster_status=Primary\nwsrep_local_state=4\nwsrep_cluster_conf_id=7\n"
         "wsrep_ready=ON",
         CONDITION_FIT},
        {"wsrep_cluster_status=non-Primary\nwsrep_local_state=4", CONDITION_MINORITY},
        {"wsrep_cluster_status=Primary\nwsrep_local_state=2", CONDITION_DONOR},
        {"wsrep_cluster_status=Primary\nwsrep_local_state=1", CONDITION_RECOVERING},
        {"wsrep_cluster_status=Primary\nwsrep_local_state=4\n"
         "wsrep_cluster_conf_id=18446744073709551615",
         CONDITION_RECOVERING},
        {"wsrep_cluster_status=Primary\nwsrep_local_state=4\nwsrep_cluster_conf_id=7\n"
         "wsrep_ready=OFF",
         CONDITION_UNREADY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        observation_init(&seen);
        group_read_variables(fake_variables("wsrep_on=ON\nwsrep_reject_queries=NONE"), &seen);
        ck_assert_int_eq(seen.group.type, GROUP_GALERA);
        ck_assert(group_read_status(fake_variables(cases[i].status), &seen));
        ck_assert_int_eq(seen.group.state, cases[i].state);
    }
}
END_TEST

START_TEST(galeras_configuration_is_the_lineage_and_its_uuid_the_identity)
{
    observation_init(&seen);
    group_read_variables(fake_variables("wsrep_on=ON\nwsrep_reject_queries=ALL"), &seen);
    ck_assert_int_eq(seen.group.state, CONDITION_REJECTING);
    ck_assert(group_read_status(
        fake_variables("wsrep_cluster_conf_id=7\nwsrep_cluster_state_uuid=state-1\n"
                       "wsrep_local_recv_queue=3\nwsrep_incoming_addresses=10.0.0.2:3306,"),
        &seen));
    ck_assert_str_eq(seen.lineage, "conf:7");
    ck_assert_str_eq(seen.identity, "state-1");
    ck_assert_int_eq(seen.group.queue, 3);
    ck_assert_uint_eq(seen.advertised.count, 1);
}
END_TEST

/* As Percona XtraDB Cluster has it, which cannot be had here. */
START_TEST(a_galera_node_in_maintenance_is_rejecting)
{
    static const struct {
        const char *variables;
        const char *status;
        enum condition state;
    } cases[] = {
        {"wsrep_on=ON\nwsrep_reject_queries=NONE\npxc_maint_mode=DISABLED",
         "wsrep_cluster_status=Primary\nwsrep_local_state=4\nwsrep_cluster_conf_id=7\n"
         "wsrep_ready=ON",
         CONDITION_FIT},
        {"wsrep_on=ON\nwsrep_reject_queries=NONE\npxc_maint_mode=MAINTENANCE",
         "wsrep_cluster_status=Primary\nwsrep_local_state=4\nwsrep_cluster_conf_id=7\n"
         "wsrep_ready=ON",
         CONDITION_REJECTING},
        {"wsrep_on=ON\nwsrep_reject_queries=NONE\npxc_maint_mode=SHUTDOWN",
         "wsrep_cluster_status=Primary\nwsrep_local_state=4\nwsrep_cluster_conf_id=7\n"
         "wsrep_ready=ON",
         CONDITION_REJECTING},
        {"wsrep_on=ON\npxc_maint_mode=MAINTENANCE",
         "wsrep_cluster_status=Primary\nwsrep_local_state=2", CONDITION_REJECTING},
        {"wsrep_on=ON\npxc_maint_mode=MAINTENANCE",
         "wsrep_cluster_status=non-Primary\nwsrep_local_state=4", CONDITION_MINORITY},
        {"wsrep_on=ON\nwsrep_sst_donor_rejects_queries=ON\nwsrep_desync=OFF",
         "wsrep_cluster_status=Primary\nwsrep_local_state=2", CONDITION_UNREADY},
        {"wsrep_on=ON\nwsrep_sst_donor_rejects_queries=ON\nwsrep_desync=OFF",
         "wsrep_cluster_status=Primary\nwsrep_local_state=4\nwsrep_cluster_conf_id=7\n"
         "wsrep_ready=ON",
         CONDITION_FIT},
        {"wsrep_on=ON\nwsrep_sst_donor_rejects_queries=ON\nwsrep_desync=ON",
         "wsrep_cluster_status=Primary\nwsrep_local_state=2", CONDITION_DONOR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        observation_init(&seen);
        group_read_variables(fake_variables(cases[i].variables), &seen);
        ck_assert(group_read_status(fake_variables(cases[i].status), &seen));
        ck_assert_int_eq(seen.group.state, cases[i].state);
    }
}
END_TEST

Suite *mysql_group_suite(void)
{
    Suite *suite = suite_create("mysql_group");
    TCase *tests = tcase_create("results");
    tcase_add_test(tests, a_member_follows_the_primary_that_it_names);
    tcase_add_test(tests, the_primary_leads_and_in_a_multi_primary_group_everybody_does);
    tcase_add_test(tests, members_without_an_identity_are_refused_and_without_a_group_not_read);
    tcase_add_test(tests, galeras_status_is_a_condition);
    tcase_add_test(tests, a_galera_node_in_maintenance_is_rejecting);
    tcase_add_test(tests, galeras_configuration_is_the_lineage_and_its_uuid_the_identity);
    suite_add_tcase(suite, tests);
    return suite;
}
