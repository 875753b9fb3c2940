/* A configuration for people, and the table that all of it rests on. */
#include <stdlib.h>
#include <string.h>

#include "registry/config/settings.h"
#include "tests/unit/config/ini.h"
#include "tests/unit/unit.h"

static char *printed(void)
{
    char *out = NULL;
    size_t size;
    FILE *to = open_memstream(&out, &size);
    config_print(ini.config, to);
    fclose(to);
    return out;
}

START_TEST(every_effective_setting_is_printed_with_its_origin_and_no_secret)
{
    ini_write("password", 0600, "hunter2\n", 8);
    ini_load(HEAD "auth = digest:roster:swordfish\n" ORDERS "password_file = password\n" MEMBER
                  "label.zone = a\n");
    ck_assert_msg(ini.config, "%s", ini.errors);
    char *out = printed();
    ck_assert_ptr_nonnull(
        strstr(out, "servers         = zk1:2181                         ; line 2\n"));
    ck_assert_ptr_nonnull(
        strstr(out, "interval        = 1s                               ; default\n"));
    ck_assert_ptr_nonnull(
        strstr(out, ";auth           = (not shown)                      ; line 3\n"));
    ck_assert_ptr_nonnull(strstr(out, "[member orders/pg-1]\n"));
    ck_assert_ptr_nonnull(
        strstr(out, "label.zone      = a                                ; line 9\n"));
    ck_assert_ptr_nonnull(strstr(out, "/password"));
    ck_assert_ptr_null(strstr(out, "hunter2"));
    ck_assert_ptr_null(strstr(out, "swordfish"));
    for (size_t i = 0; i < settings_count; i++) {
        ck_assert_msg(settings[i].type == SETTING_LABEL || strstr(out, settings[i].key),
                      "%s is not printed", settings[i].key);
    }
    free(out);
}
END_TEST

START_TEST(what_is_printed_is_an_ini_that_says_the_same)
{
    ini_load(HEAD "[probe]\nname = probe-a\ninterval = 90s\n" ORDERS
                  "kind = custom\nquery = SELECT 'it''s' = x AS claim\nuser = monitor me\n" MEMBER
                  "label.zone = a\n[member orders/pg-2]\naddress = [::1]:5432\n[cluster "
                  "b]\nengine=mysql\n[member b/x]\naddress = x:1\n");
    ck_assert_msg(ini.config, "%s", ini.errors);
    char *once = printed();
    struct config *was = ini.config;
    ini.config = NULL;
    ini_load(once);
    ck_assert_msg(ini.config, "%s\n%s", ini.errors, once);
    ck_assert_mem_eq(&ini.config->registry, &was->registry, sizeof was->registry);
    ck_assert_mem_eq(&ini.config->probe, &was->probe, sizeof was->probe);
    ck_assert_uint_eq(ini.config->cluster_count, was->cluster_count);
    ck_assert_mem_eq(ini.config->clusters, was->clusters,
                     was->cluster_count * sizeof *was->clusters);
    config_free(was);
    free(once);
}
END_TEST

START_TEST(what_a_reload_cannot_change_is_named)
{
    char changes[SENTENCE_SIZE];
    ini_load(MINIMAL);
    struct config *was = ini.config;
    ini.config = NULL;
    ini_load(
        "[registry]\nservers = zk2:2181\n[probe]\nname = other\ninterval = 2s\n" ORDERS MEMBER);
    ck_assert_str_eq(config_fixed_changes(was, ini.config, changes, sizeof changes),
                     "[registry] servers, [probe] name");
    ck_assert_str_eq(config_fixed_changes(was, was, changes, sizeof changes), "");
    config_free(was);
}
END_TEST

START_TEST(the_table_is_sorted_and_its_defaults_are_good)
{
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *setting = &settings[i], *next = setting + 1;
        ck_assert(i + 1 == settings_count || setting->section < next->section ||
                  (setting->section == next->section && strcmp(setting->key, next->key) < 0));
        ck_assert_ptr_eq(settings_find(setting->section, setting->key), setting);
        ck_assert_ptr_nonnull(setting->meaning);
        ck_assert(!setting->required || !setting->usual[0]);
        for (int engine = ENGINE_POSTGRESQL; engine <= ENGINE_MYSQL; engine++) {
            void *values = calloc(1, section_size(setting->section));
            setting_default(setting, (enum engine)engine, values);
            free(values);
        }
    }
}
END_TEST

Suite *print_suite(void)
{
    Suite *suite = suite_create("print");
    TCase *printing = tcase_create("printing");
    tcase_add_checked_fixture(printing, ini_setup, ini_teardown);
    tcase_add_test(printing, every_effective_setting_is_printed_with_its_origin_and_no_secret);
    tcase_add_test(printing, what_is_printed_is_an_ini_that_says_the_same);
    tcase_add_test(printing, what_a_reload_cannot_change_is_named);
    tcase_add_test(printing, the_table_is_sorted_and_its_defaults_are_good);
    suite_add_tcase(suite, printing);
    return suite;
}
