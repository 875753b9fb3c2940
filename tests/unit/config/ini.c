#include "tests/unit/config/ini.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ini ini;

void ini_setup(void)
{
    strcpy(ini.folder, "/tmp/roster-config-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(ini.folder));
    snprintf(ini.path, sizeof ini.path, "%s/roster-probe.ini", ini.folder);
}

void ini_teardown(void)
{
    static const char *const files[] = {"roster-probe.ini", "password", "ca.pem"};
    config_free(ini.config);
    ini.config = NULL;
    free(ini.errors);
    ini.errors = NULL;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", ini.folder, files[i]);
        unlink(path);
    }
    rmdir(ini.folder);
}

void ini_write(const char *name, mode_t mode, const void *content, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", ini.folder, name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

void ini_load_path(const char *path)
{
    config_free(ini.config);
    free(ini.errors);
    ini.errors = NULL;
    FILE *errors = open_memstream(&ini.errors, &ini.errors_size);
    ck_assert_ptr_nonnull(errors);
    ini.config = config_load(path, errors);
    ck_assert_int_eq(fclose(errors), 0);
}

void ini_load_bytes(const void *content, size_t size)
{
    ini_write("roster-probe.ini", 0600, content, size);
    ini_load_path(ini.path);
}

void ini_load(const char *content)
{
    ini_load_bytes(content, strlen(content));
}

bool ini_has_error(int line, const char *text)
{
    char start[128];
    if (line > 0) {
        snprintf(start, sizeof start, "%s:%d: ", ini.path, line);
    } else {
        snprintf(start, sizeof start, "%s: ", ini.path);
    }
    for (const char *at = ini.errors, *next; *at; at = next) {
        next = at + strcspn(at, "\n") + 1;
        const char *found = strstr(at, text);
        if (strncmp(at, start, strlen(start)) == 0 && found && found < next) {
            return true;
        }
    }
    return false;
}

size_t ini_error_count(void)
{
    size_t n = 0;
    for (const char *at = ini.errors; *at; at++) {
        n += *at == '\n';
    }
    return n;
}

void ini_refuses(const char *before, const char *bad, const char *after, const char *text)
{
    char content[8192];
    int line = 1;
    snprintf(content, sizeof content, "%s%s\n%s", before, bad, after);
    for (const char *at = before; *at; at++) {
        line += *at == '\n';
    }
    ini_load(content);
    ck_assert_msg(!ini.config, "'%s' was taken", bad);
    HAS_ERROR(line, text);
    ck_assert_msg(ini_error_count() == 1, "'%s' gave more than one error:\n%s", bad, ini.errors);
}
