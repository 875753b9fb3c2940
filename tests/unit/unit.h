/* The unit suites, one per module; a test's name is a sentence. */
#ifndef ROSTER_TESTS_UNIT_UNIT_H
#define ROSTER_TESTS_UNIT_UNIT_H

#include <check.h>

Suite *text_suite(void);
Suite *model_suite(void);
Suite *codec_suite(void);
Suite *paths_suite(void);
Suite *config_suite(void);
Suite *resolve_suite(void);
Suite *gtid_suite(void);
Suite *async_suite(void);
Suite *rivals_suite(void);
Suite *liveness_suite(void);
Suite *ephemeral_suite(void);
Suite *resolver_suite(void);
Suite *assess_suite(void);
Suite *schedule_suite(void);
Suite *table_suite(void);
Suite *watcher_suite(void);
Suite *errors_suite(void);
Suite *reporter_suite(void);
Suite *kind_suite(void);
Suite *group_suite(void);
Suite *cidr_suite(void);
Suite *discovery_suite(void);
Suite *custom_query_suite(void);
Suite *host_suite(void);
Suite *random_suite(void);
Suite *agree_suite(void);
Suite *voters_suite(void);
Suite *tally_suite(void);
Suite *rules_suite(void);
Suite *primary_suite(void);
Suite *worlds_suite(void);
Suite *former_suite(void);
Suite *json_suite(void);
Suite *lineage_suite(void);

#endif
