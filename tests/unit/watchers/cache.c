/* The cache file: what is saved is loaded, and nothing else is. */
#include "watchers/cache.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tests/unit/watchers/topologies.h"

#define OURS "11111111-aaaa-4bbb-8ccc-000000000001"
#define OTHER "22222222-aaaa-4bbb-8ccc-000000000002"

static char dir[64];
static char file[128];
static char sentence[SENTENCE_SIZE];
static struct topology loaded;
static struct provenance loaded_from;

static void setup(void)
{
    strcpy(dir, "/tmp/roster-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/orders.roster", dir);
}

static void teardown(void)
{
    unlink(file);
    rmdir(dir);
}

static bool save(const char *registry, int64_t mzxid, int64_t epoch)
{
    struct topology topology = usual_topology();
    struct provenance provenance = {.mzxid = mzxid};
    topology.epoch = epoch;
    strcpy(topology.why, "because");
    topology.rule = RULE_SOLE_CLAIMANT;
    strcpy(topology.by, "probe-a");
    topology.rules = 1;
    topology.at_wall_ms = 1795224153000;
    strcpy(provenance.registry, registry);
    return cache_save(dir, &topology, &provenance, sentence, sizeof sentence);
}

static bool load(const char *cluster)
{
    return cache_load(dir, cluster, &loaded, &loaded_from, sentence, sizeof sentence);
}

static size_t read_file(char *bytes, size_t size)
{
    FILE *from = fopen(file, "r");
    ck_assert_ptr_nonnull(from);
    size_t len = fread(bytes, 1, size, from);
    fclose(from);
    return len;
}

static void write_file(const char *bytes, size_t len)
{
    FILE *to = fopen(file, "w");
    ck_assert_ptr_nonnull(to);
    ck_assert_uint_eq(fwrite(bytes, 1, len, to), len);
    fclose(to);
}

START_TEST(what_was_saved_is_loaded)
{
    ck_assert(save(OURS, 42, 7));
    ck_assert(load("orders"));
    ck_assert_int_eq(loaded.epoch, 7);
    ck_assert_int_eq(loaded.member_count, 4);
    ck_assert_str_eq(loaded.primary, "a");
    ck_assert_str_eq(loaded_from.registry, OURS);
    ck_assert_int_eq(loaded_from.mzxid, 42);
    ck_assert(save("", 43, 8)); /* a registry without an identity */
    ck_assert(load("orders"));
    ck_assert_str_eq(loaded_from.registry, "");
}
END_TEST

START_TEST(no_file_is_no_fault)
{
    ck_assert(!load("orders"));
    ck_assert_str_eq(sentence, "");
}
END_TEST

START_TEST(an_older_answer_never_replaces_a_newer_one_of_its_registry)
{
    ck_assert(save(OURS, 42, 7));
    ck_assert(save(OURS, 41, 6));
    ck_assert(load("orders"));
    ck_assert_int_eq(loaded.epoch, 7);
    ck_assert(save(OTHER, 5, 1));
    ck_assert(load("orders"));
    ck_assert_int_eq(loaded.epoch, 1);
    ck_assert_str_eq(loaded_from.registry, OTHER);
}
END_TEST

START_TEST(a_file_of_another_cluster_is_not_used)
{
    char other[128];
    ck_assert(save(OURS, 42, 7));
    snprintf(other, sizeof other, "%s/sales.roster", dir);
    ck_assert_int_eq(rename(file, other), 0);
    ck_assert(!load("sales"));
    ck_assert_str_eq(sentence, "the cache file is of another cluster");
    unlink(other);
}
END_TEST

START_TEST(a_changed_byte_anywhere_is_noticed)
{
    static char bytes[16384];
    ck_assert(save(OURS, 42, 7));
    size_t len = read_file(bytes, sizeof bytes);
    for (size_t at = 0; at < len; at += 7) {
        bytes[at] ^= 1;
        write_file(bytes, len);
        ck_assert_msg(!load("orders"), "byte %zu", at);
        ck_assert_str_ne(sentence, "");
        bytes[at] ^= 1;
    }
    write_file(bytes, len - 1);
    ck_assert(!load("orders"));
    write_file(bytes, 0);
    ck_assert(!load("orders"));
    write_file(bytes, len);
    ck_assert(load("orders"));
}
END_TEST

START_TEST(nothing_but_the_file_is_left_behind)
{
    ck_assert(save(OURS, 42, 7));
    ck_assert(save(OURS, 43, 8));
    DIR *folder = opendir(dir);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        ck_assert(entry->d_name[0] == '.' ? strspn(entry->d_name, ".") == strlen(entry->d_name)
                                          : strcmp(entry->d_name, "orders.roster") == 0);
    }
    closedir(folder);
}
END_TEST

START_TEST(a_directory_must_be_ours_alone)
{
    ck_assert(cache_check_dir(dir, sentence, sizeof sentence));
    ck_assert_int_eq(chmod(dir, 0770), 0);
    ck_assert(!cache_check_dir(dir, sentence, sizeof sentence));
    ck_assert_ptr_nonnull(strstr(sentence, "0700"));
    ck_assert(!save(OURS, 42, 7));
    ck_assert(!load("orders"));
    ck_assert(!cache_check_dir("/nonexistent", sentence, sizeof sentence));
    ck_assert(!cache_check_dir("/dev/null", sentence, sizeof sentence));
}
END_TEST

Suite *cache_suite(void)
{
    const TTest *const all[] = {what_was_saved_is_loaded,
                                no_file_is_no_fault,
                                an_older_answer_never_replaces_a_newer_one_of_its_registry,
                                a_file_of_another_cluster_is_not_used,
                                a_changed_byte_anywhere_is_noticed,
                                nothing_but_the_file_is_left_behind,
                                a_directory_must_be_ours_alone};
    Suite *suite = suite_create("cache");
    TCase *tests = tcase_create("cache");
    tcase_add_checked_fixture(tests, setup, teardown);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        tcase_add_test(tests, all[i]);
    }
    suite_add_tcase(suite, tests);
    return suite;
}
