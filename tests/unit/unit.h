/* The unit suites, one per module (tests/unit/suites.h); a test's name is a sentence. */
#ifndef ROSTER_TESTS_UNIT_UNIT_H
#define ROSTER_TESTS_UNIT_UNIT_H

#include <check.h>

#define SUITE(name) Suite *name##_suite(void);
#include "tests/unit/suites.h"
#undef SUITE

#endif
