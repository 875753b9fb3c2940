/* Records as the version before this one wrote them: read here, and resolved to its verdicts. What
 * this version writes differs in the keys named below and in nothing else.
 *
 * A file here is what one version left in the registry, a record after a line "# kind": reports
 * with their mzxid, the previous topology, directives, and the topology that the version resolved
 * from them. The files are never edited; a later version adds a folder of its own. Those of the
 * folder mixed are of both versions, side by side. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/codec.h"
#include "registry/verdict/resolve.h"
#include "tests/unit/unit.h"

enum { FILE_SIZE = 64 * 1024, FILES_MAX = 64, RECORD_SIZE = 32 * 1024 };

static struct codec_error error;
static char file[FILE_SIZE];

/* ---- the files ------------------------------------------------------------------------------- */

static char files[FILES_MAX][256];
static int file_count;

static void list_files(void)
{
    struct dirent *entry;
    DIR *folder = opendir("tests/unit/former");
    ck_assert_msg(folder != NULL, "tests run in the tree's root");
    file_count = 0;
    while ((entry = readdir(folder))) {
        size_t length = strlen(entry->d_name);
        if (length > 4 && text_equal(entry->d_name + length - 4, ".txt")) {
            ck_assert_int_lt(file_count, FILES_MAX);
            snprintf(files[file_count++], sizeof *files, "tests/unit/former/%.200s", entry->d_name);
        }
    }
    closedir(folder);
    ck_assert_int_ge(file_count, 17);
}

static void load(const char *path)
{
    FILE *from = fopen(path, "r");
    ck_assert_msg(from != NULL, "%s", path);
    size_t length = fread(file, 1, sizeof file - 1, from);
    fclose(from);
    ck_assert_uint_lt(length, sizeof file - 1);
    file[length] = '\0';
}

struct former_record {
    char kind[16];
    long long mzxid;
    char text[RECORD_SIZE];
};

/* The record at *at, which moves on to the next; false at the end. */
static bool next_record(const char **at, struct former_record *record)
{
    if (!**at) {
        return false;
    }
    record->mzxid = 0;
    ck_assert_int_ge(sscanf(*at, "# %15s %lld", record->kind, &record->mzxid), 1);
    const char *from = strchr(*at, '\n') + 1;
    const char *end = strstr(from, "\n# ");
    size_t length = end ? (size_t)(end + 1 - from) : strlen(from);
    ck_assert_uint_lt(length, sizeof record->text);
    memcpy(record->text, from, length);
    record->text[length] = '\0';
    *at = from + length;
    return true;
}

/* ---- what this version no longer writes, or writes beside it --------------------------------- */

static void cut(char *text, const char *piece)
{
    for (char *at = text; (at = strstr(at, piece));) {
        memmove(at, at + strlen(piece), strlen(at + strlen(piece)) + 1);
    }
}

static const char no_directives[] =
    "{ \"format\": 1, \"drain\": [], \"weight\": {}, \"hold\": null, \"accept\": [] }\n";

/* Consumes both. */
static void expect_but_for_known_differences(char *former, char *ours)
{
    cut(former, ", \"claim\": false");
    cut(former, ", \"writable\": false");
    cut(former, ", \"bytes\": null");
    cut(former, ", \"ms\": null");
    char *id = strstr(ours, ", \"rule_id\": ");
    if (id) {
        const char *end = strchr(id + 2, ',');
        ck_assert_ptr_nonnull(end);
        memmove(id, end, strlen(end) + 1);
    }
    bool empty = text_equal(former, "{ \"format\": 1 }\n");
    ck_assert_str_eq(ours, empty ? no_directives : former);
    free(ours);
}

#define READ_AND_WRITE(type, record, ret)                                                          \
    do {                                                                                           \
        const char *text_ = (record)->text;                                                        \
        ck_assert_msg(type##_decode(text_, strlen(text_), ret, &error), "%s", error.sentence);     \
        expect_but_for_known_differences((record)->text, type##_encode(ret));                      \
    } while (0)

/* ---- the tests ------------------------------------------------------------------------------- */

static struct report reports[REPORTS_MAX];
static struct topology previous, expected, resolved;
static struct directives directives;
static struct evidence evidence;
static int topologies, small_records;

static void take(struct former_record *record)
{
    if (text_equal(record->kind, "report")) {
        struct report *report = &reports[evidence.count];
        READ_AND_WRITE(report, record, report);
        evidence.votes[evidence.count++] = (struct vote){report, record->mzxid};
    } else if (text_equal(record->kind, "previous")) {
        READ_AND_WRITE(topology, record, &previous);
        evidence.previous = &previous;
    } else if (text_equal(record->kind, "topology")) {
        READ_AND_WRITE(topology, record, &expected);
        topologies++;
    } else if (text_equal(record->kind, "directives")) {
        READ_AND_WRITE(directives, record, &directives);
        evidence.directives = &directives;
        evidence.directives_mzxid = 7;
        small_records++;
    } else if (text_equal(record->kind, "presence")) {
        struct presence presence;
        READ_AND_WRITE(presence, record, &presence);
        small_records++;
    } else {
        struct registry_id id;
        ck_assert_str_eq(record->kind, "registry_id");
        READ_AND_WRITE(registry_id, record, &id);
        small_records++;
    }
}

static bool take_file(const char *path)
{
    static struct former_record record;
    bool verdict = false;
    memset(&evidence, 0, sizeof evidence);
    load(path);
    for (const char *at = file; next_record(&at, &record);) {
        take(&record);
        verdict = verdict || text_equal(record.kind, "topology");
    }
    return verdict;
}

START_TEST(records_of_the_former_version_are_read_and_written_alike)
{
    list_files();
    topologies = small_records = 0;
    for (int i = 0; i < file_count; i++) {
        take_file(files[i]);
    }
    ck_assert_int_ge(topologies, 16);
    ck_assert_int_ge(small_records, 5);
}
END_TEST

/* What the former version does not know of. */
static void forget_newer(struct topology *topology)
{
    topology->rules = expected.rules;
    topology->last_set[0] = '\0';
    topology->elected = expected.elected;
    for (size_t i = 0; i < topology->member_count; i++) {
        topology->members[i].bar = BAR_NONE;
        topology->members[i].record = (struct record){0};
    }
}

START_TEST(evidence_of_the_former_version_resolves_to_its_verdict)
{
    list_files();
    unsigned seen = 0;
    for (int i = 0; i < file_count; i++) {
        if (!take_file(files[i])) {
            continue;
        }
        expected.rules = MODEL_RULES; /* an edition that changed nothing of these cases */
        ck_assert(resolve(&evidence, &resolved));
        forget_newer(&resolved);
        ck_assert_msg(topology_equal(&resolved, &expected), "%s: %s", files[i], resolved.why);
        /* each version says it in its own words, and the former one did not compare them */
        ck_assert(resolved.why[0] && expected.why[0]);
        ck_assert_uint_eq(resolved.evidence_count, expected.evidence_count);
        ck_assert_int_eq(resolved.directives_mzxid, expected.directives_mzxid);
        seen |= 1u << resolved.rule;
        /* and its own verdict is nothing to overwrite: the two versions agree side by side */
        evidence.previous = &expected;
        ck_assert(resolve(&evidence, &resolved));
        forget_newer(&resolved);
        ck_assert_msg(topology_equal(&resolved, &expected), "%s", files[i]);
    }
    for (enum rule rule = RULE_FOREIGN + 1; rule <= RULE_TIE; rule++) {
        ck_assert_msg(seen >> rule & 1, "no file rests on the rule %s", rule_names[rule]);
    }
}
END_TEST

/* ---- beside this version --------------------------------------------------------------------- */

/* The folder mixed has moments of fleets of two versions on real servers: the topology before, as
 * this version wrote it, and what six probes report then, the first three of the former version.
 * From these come fleets of every mixture; three are witnesses, and one more is spare. */

struct mixture {
    const char *probes; /* by the last letter of their names */
    bool dated;         /* one of the voters says when the servers were started */
};

static const struct mixture mixtures[] = {
    {"abc", false},  {"abd", true},  {"ade", true},  {"def", true},
    {"abcd", false}, {"abde", true}, {"adef", true},
};
enum { MIXTURES = sizeof mixtures / sizeof *mixtures };

static struct topology before_it, unrecorded;

static void take_moment(const char *name)
{
    static struct former_record record;
    char path[256];
    snprintf(path, sizeof path, "tests/unit/former/mixed/%.200s.txt", name);
    load(path);
    memset(&evidence, 0, sizeof evidence);
    for (const char *at = file; next_record(&at, &record);) {
        size_t length = strlen(record.text);
        if (text_equal(record.kind, "report")) {
            struct report *report = &reports[evidence.count];
            ck_assert(report_decode(record.text, length, report, &error));
            evidence.votes[evidence.count++] = (struct vote){report, record.mzxid};
        } else if (text_equal(record.kind, "previous")) {
            ck_assert(topology_decode(record.text, length, &before_it, &error));
        }
    }
    ck_assert_uint_eq(evidence.count, 6);
    before_it.evidence_count = 0; /* so that names decide who votes */
    ck_assert_int_eq(before_it.rules, RULES_WITH_RECORDS);
    ck_assert_int_gt(before_it.members[0].record.start_ms, 0);
    unrecorded = before_it;
    unrecorded.rules = RULES_WITH_RECORDS - 1;
    for (size_t i = 0; i < unrecorded.member_count; i++) {
        unrecorded.members[i].bar = BAR_NONE;
        unrecorded.members[i].record = (struct record){0};
    }
}

/* The primary, by the fleet of these probes. */
static const char *primary_by(const struct mixture *mixture, const struct topology *before)
{
    struct evidence fleet = {.previous = before};
    for (const char *letter = mixture->probes; *letter; letter++) {
        const struct vote *vote = &evidence.votes[*letter - 'a'];
        ck_assert_int_eq(vote->report->rules, RULES_WITH_RECORDS - (*letter < 'd'));
        fleet.votes[fleet.count++] = *vote;
    }
    ck_assert(resolve(&fleet, &resolved));
    ck_assert_uint_eq(resolved.evidence_count, 3);
    return resolved.primary;
}

static const struct {
    const char *moment, *primary;
} promoted[] = {
    {"async-promoted", "my-2"},
    {"async-switched", "my-3"},
    {"streaming-promoted", "pg-2"},
    {"streaming-switched", "pg-3"},
};

START_TEST(a_promotion_is_followed_at_once_by_every_mixture)
{
    take_moment(promoted[_i].moment);
    for (int i = 0; i < MIXTURES; i++) {
        const char *probes = mixtures[i].probes;
        const char *recorded = primary_by(&mixtures[i], &before_it);
        ck_assert_msg(text_equal(recorded, promoted[_i].primary), "%s: %s", probes, resolved.why);
        const char *other = primary_by(&mixtures[i], &unrecorded);
        ck_assert_msg(text_equal(other, promoted[_i].primary), "%s: %s", probes, resolved.why);
    }
}
END_TEST

/* Once one voter dates a start, or the registry has what one that was there before has seen. */
START_TEST(a_blink_crowns_nobody_once_this_version_saw_the_servers)
{
    static const char *const blinks[] = {"async-blink", "streaming-blink"};
    take_moment(blinks[_i]);
    for (int i = 0; i < MIXTURES; i++) {
        const char *probes = mixtures[i].probes;
        ck_assert_msg(!primary_by(&mixtures[i], &before_it)[0], "%s: %s", probes, resolved.why);
        if (mixtures[i].dated) {
            primary_by(&mixtures[i], &unrecorded);
            ck_assert_msg(!resolved.primary[0], "%s: %s", probes, resolved.why);
        }
    }
}
END_TEST

Suite *former_suite(void)
{
    Suite *suite = suite_create("former");
    TCase *tcase = tcase_create("former");
    tcase_add_test(tcase, records_of_the_former_version_are_read_and_written_alike);
    tcase_add_test(tcase, evidence_of_the_former_version_resolves_to_its_verdict);
    tcase_add_loop_test(tcase, a_promotion_is_followed_at_once_by_every_mixture, 0, 4);
    tcase_add_loop_test(tcase, a_blink_crowns_nobody_once_this_version_saw_the_servers, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
