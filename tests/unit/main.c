#include <stdlib.h>

#include "tests/unit/unit.h"

int main(void)
{
    Suite *(*const suites[])(void) = {
        text_suite,    model_suite,     codec_suite,        paths_suite,    config_suite,
        resolve_suite, assess_suite,    schedule_suite,     table_suite,    watcher_suite,
        errors_suite,  reporter_suite,  liveness_suite,     resolver_suite, ephemeral_suite,
        kind_suite,    group_suite,     gtid_suite,         async_suite,    rivals_suite,
        cidr_suite,    discovery_suite, custom_query_suite, host_suite,     random_suite,
        agree_suite,   voters_suite,    tally_suite,        rules_suite,    primary_suite,
        worlds_suite,  former_suite,    json_suite,         lineage_suite};
    SRunner *runner = srunner_create(suites[0]());
    for (size_t i = 1; i < sizeof suites / sizeof *suites; i++) {
        srunner_add_suite(runner, suites[i]());
    }
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
