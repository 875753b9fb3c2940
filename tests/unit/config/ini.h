/* A folder with an INI in it, and what config_load makes of that: for the tests of configuration. */
#ifndef ROSTER_TESTS_UNIT_CONFIG_INI_H
#define ROSTER_TESTS_UNIT_CONFIG_INI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "registry/config/config.h"

struct ini {
    char folder[64];
    char path[96];         /* of roster-probe.ini in it */
    struct config *config; /* as loaded last; NULL: refused */
    char *errors;          /* what config_load printed then */
    size_t errors_size;
};
extern struct ini ini;

void ini_setup(void);
void ini_teardown(void);

/* A file in the folder. */
void ini_write(const char *name, mode_t mode, const void *content, size_t size);

/* Loads a file; or writes the folder's roster-probe.ini first. */
void ini_load_path(const char *path);
void ini_load_bytes(const void *content, size_t size);
void ini_load(const char *content);

/* Is there an error on that line that contains `text`? Line 0: about the file as a whole. */
bool ini_has_error(int line, const char *text);
size_t ini_error_count(void);

#define HAS_ERROR(line, text)                                                                      \
    ck_assert_msg(ini_has_error(line, text), "line %d: expected '%s', got:\n%s", line, text,       \
                  ini.errors)

/* One bad line in an otherwise good file: refused with this error, and no other. */
void ini_refuses(const char *before, const char *bad, const char *after, const char *text);

#define HEAD "[registry]\nservers = zk1:2181\n"          /* lines 1, 2 */
#define ORDERS "[cluster orders]\nengine = postgresql\n" /* two lines */
#define MEMBER "[member orders/pg-1]\naddress = 10.0.0.1:5432\n"
#define MINIMAL HEAD ORDERS MEMBER

#endif
