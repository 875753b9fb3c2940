#include <stdlib.h>

#include "tests/unit/unit.h"

int main(void)
{
    static Suite *(*const suites[])(void) = {
#define SUITE(name) name##_suite,
#include "tests/unit/suites.h"
#undef SUITE
    };
    SRunner *runner = srunner_create(suites[0]());
    for (size_t i = 1; i < sizeof suites / sizeof *suites; i++) {
        srunner_add_suite(runner, suites[i]());
    }
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
