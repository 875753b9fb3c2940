/* What takes more than one line to judge: what is missing, what is there twice, what
 * does not go together, and whether the files that are named can be used. */
#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/base/text.h"
#include "registry/config/draft.h"
#include "registry/config/password.h"

static struct config_position heading_of(const struct section *section)
{
    return (struct config_position){.line = section->line, .section = section->heading};
}

static bool was_set(const struct section *section, const char *key)
{
    return section->lines[draft_row(section->kind, key)] > 0;
}

static bool is_wrong(const struct section *section, const char *key)
{
    return section->wrong[draft_row(section->kind, key)];
}

/* ---- headings -------------------------------------------------------------------------------- */

static int by_heading(const void *a, const void *b)
{
    const struct section *one = *(const struct section *const *)a,
                         *other = *(const struct section *const *)b;
    int order = (int)one->kind - (int)other->kind;
    order = order ? order : strcmp(one->cluster, other->cluster);
    order = order ? order : strcmp(one->name, other->name);
    return order ? order : (one->line > other->line) - (one->line < other->line);
}

static bool same_heading(const struct section *a, const struct section *b)
{
    return a->kind == b->kind && text_equal(a->cluster, b->cluster) && text_equal(a->name, b->name);
}

/* The sections that count, sorted by heading; the later ones of one name are declared spare. NULL
 * when memory ran out. */
static struct section **sort_sections(struct draft *draft, size_t *ret_count)
{
    struct config_origins *origins = draft->origins;
    struct section **sorted = calloc(origins->count + 1, sizeof(struct section *));
    size_t named = 0, kept = 0;
    if (!sorted) {
        return NULL;
    }
    for (size_t i = 0; i < origins->count; i++) {
        if (!origins->sections[i].spare) {
            sorted[named++] = &origins->sections[i];
        }
    }
    qsort(sorted, named, sizeof(struct section *), by_heading);
    for (size_t i = 0; i < named; i++) {
        if (kept > 0 && same_heading(sorted[kept - 1], sorted[i])) {
            sorted[i]->spare = true;
            config_refuse(&draft->errors, heading_of(sorted[i]), "put its settings together",
                          "this section stands twice: first on line %d", sorted[kept - 1]->line);
        } else {
            sorted[kept++] = sorted[i];
        }
    }
    *ret_count = kept;
    return sorted;
}

/* The slice of one kind. */
static struct section **sections_of(struct section **sorted, size_t count, enum section_kind kind,
                                    size_t *ret_count)
{
    size_t first = 0, end;
    while (first < count && sorted[first]->kind < kind) {
        first++;
    }
    for (end = first; end < count && sorted[end]->kind == kind;) {
        end++;
    }
    *ret_count = end - first;
    return sorted + first;
}

/* ---- defaults -------------------------------------------------------------------------------- */

static void default_probe_name(struct draft *draft, struct section *section)
{
    struct probe_settings *probe = section->values;
    char host[HOST_SIZE] = "";
    if (gethostname(host, sizeof host - 1) != 0) {
        host[0] = '\0';
    }
    host[strcspn(host, ".")] = '\0';
    if (text_is_name(host)) {
        text_copy(probe->name, sizeof probe->name, host);
    } else {
        config_refuse(&draft->errors, draft_position(section, "name"), "set it: name = probe-a",
                      "this host's name, '%.80s', cannot be the probe's", host);
    }
}

/* Set the defaults of what was not set; an error where it must be. */
static void set_defaults(struct draft *draft, struct section *section)
{
    size_t i, end;
    enum engine engine = section->kind == SECTION_CLUSTER
                             ? ((struct cluster_settings *)section->values)->policy.engine
                             : ENGINE_POSTGRESQL;
    for (settings_of(section->kind, &i, &end); i < end; i++) {
        char range[SENTENCE_SIZE];
        if (section->lines[i] > 0) {
            continue;
        }
        if (settings[i].required) {
            const char *hint = settings[i].hint ? settings[i].hint
                                                : setting_range(&settings[i], range, sizeof range);
            config_refuse(&draft->errors, draft_position(section, settings[i].key),
                          *hint ? hint : settings[i].meaning, "must be set");
        } else {
            setting_default(&settings[i], engine, section->values);
        }
    }
    if (section->kind == SECTION_PROBE && !was_set(section, "name")) {
        default_probe_name(draft, section);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Relative paths start from the INI file's folder, not from wherever we were started. */
static bool make_absolute(struct draft *draft, const struct section *section, const char *key,
                          char *path)
{
    const char *file = draft->errors.file, *slash = strrchr(file, '/');
    char joined[2 * PATH_SIZE];
    if (path[0] == '/' || !slash) {
        return true;
    }
    int length = snprintf(joined, sizeof joined, "%.*s%s", (int)(slash + 1 - file), file, path);
    if (length < 0 || (size_t)length >= sizeof joined || !text_copy(path, PATH_SIZE, joined)) {
        config_refuse(&draft->errors, draft_position(section, key), NULL,
                      "with its folder the path is longer than %d bytes", PATH_SIZE - 1);
        return false;
    }
    return true;
}

static void refuse_file(struct draft *draft, const struct section *section, const char *key,
                        const struct mistake *mistake)
{
    config_refuse(&draft->errors, draft_position(section, key),
                  mistake->hint[0] ? mistake->hint : NULL, "%s", mistake->what);
}

static void read_password(struct draft *draft, struct section *section)
{
    struct cluster_settings *cluster = section->values;
    struct mistake mistake;
    if (make_absolute(draft, section, "password_file", cluster->password_file) &&
        !password_read(cluster->password_file, cluster->password, &mistake)) {
        refuse_file(draft, section, "password_file", &mistake);
    }
}

/* ---- one section ----------------------------------------------------------------------------- */

/* The folder need not be there. */
static void check_state_folder(struct draft *draft, const struct section *section)
{
    struct probe_settings *probe = section->values;
    if (was_set(section, "state_folder") && !is_wrong(section, "state_folder")) {
        make_absolute(draft, section, "state_folder", probe->state_folder);
    }
}

static void check_registry(struct draft *draft, const struct section *section)
{
    if (was_set(section, "auth") && !password_is_private(draft->file_owner, draft->file_mode)) {
        char hint[SENTENCE_SIZE];
        snprintf(hint, sizeof hint, "chmod 600 %s", draft->errors.file);
        config_refuse(&draft->errors, draft_position(section, "auth"), hint,
                      "is a secret, but this file has mode %04o, open to others than its owner",
                      (unsigned)(draft->file_mode & 07777));
    }
}

/* Without credentials of its own a probe could not do what the lists leave to others. */
static void check_roles(struct draft *draft, const struct section *section)
{
    static const char *const roles[] = {"nodes", "operators", "probes"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (was_set(section, roles[i]) && !was_set(section, "auth")) {
            config_refuse(&draft->errors, draft_position(section, roles[i]), "set auth, too",
                          "has no effect without auth");
        }
    }
}

static void check_probe(struct draft *draft, const struct section *section)
{
    const struct probe_settings *probe = section->values;
    if (is_wrong(section, "interval") || is_wrong(section, "alert_interval") ||
        is_wrong(section, "timeout")) {
        return;
    }
    if (probe->alert_interval_ms > probe->interval_ms) {
        config_refuse(&draft->errors, draft_position(section, "alert_interval"),
                      "the alarm makes looks more frequent, not less", "is longer than interval");
    }
    if (was_set(section, "timeout") && probe->timeout_ms > probe->interval_ms) {
        config_warn(&draft->errors, draft_position(section, "timeout"),
                    "a member that hangs will be looked at less often than every interval",
                    "is longer than interval");
    }
}

static void check_kind(struct draft *draft, const struct section *section, struct policy *policy)
{
    if (!was_set(section, "engine") || is_wrong(section, "engine") || is_wrong(section, "kind")) {
        return;
    }
    if (policy->kind == KIND_AUTO) {
        policy->kind = kind_only(policy->engine);
    } else if (!kind_fits(policy->kind, policy->engine)) {
        char list[SENTENCE_SIZE / 2], hint[SENTENCE_SIZE];
        kind_list_fitting(policy->engine, list, sizeof list);
        snprintf(hint, sizeof hint, "one of %s, auto", list);
        config_refuse(&draft->errors, draft_position(section, "kind"), hint,
                      "%s does not fit engine %s", kind_names[policy->kind],
                      engine_names[policy->engine]);
    }
    const struct kind_traits *traits = kind_traits_of(policy->kind);
    if (!was_set(section, "writers")) {
        policy->writers = traits->writers;
    }
    if (policy->writers == WRITERS_ALL && !traits->many_writers) {
        config_refuse(&draft->errors, draft_position(section, "writers"), "single",
                      "all does not fit kind %s: it has one writer", kind_names[policy->kind]);
    }
}

/* Only kinds that run the operator's statement have one. */
static void check_query(struct draft *draft, const struct section *section, enum kind kind)
{
    struct config_position position = draft_position(section, "query");
    if (is_wrong(section, "kind") || is_wrong(section, "query")) {
        return;
    }
    const struct kind_traits *traits = kind_traits_of(kind);
    if (traits->takes_query && !traits->default_query && !was_set(section, "query")) {
        config_refuse(&draft->errors, position, "query = SELECT ... AS claim",
                      "must be set for kind %s: it reports what a server is", kind_names[kind]);
    }
    if (was_set(section, "query") && !traits->takes_query) {
        char list[SENTENCE_SIZE / 2], hint[SENTENCE_SIZE];
        kind_list_queried(list, sizeof list);
        snprintf(hint, sizeof hint, "kind = %s", list);
        config_refuse(&draft->errors, position, hint,
                      "does not fit kind %s, which has its own question", kind_names[kind]);
    }
}

static void check_tls(struct draft *draft, struct section *section)
{
    struct cluster_settings *cluster = section->values;
    struct stat is;
    bool engine_known = was_set(section, "engine") && !is_wrong(section, "engine");
    if (is_wrong(section, "tls") || is_wrong(section, "tls_ca") ||
        (!was_set(section, "tls") && !engine_known)) {
        return;
    }
    if (cluster->tls == TLS_VERIFY && !cluster->tls_ca[0]) {
        config_refuse(&draft->errors, draft_position(section, "tls_ca"),
                      "tls = verify needs to know whom to believe", "must be set");
    }
    if (cluster->tls == TLS_OFF && cluster->tls_ca[0]) {
        config_refuse(&draft->errors, draft_position(section, "tls_ca"), "tls = verify, perhaps",
                      "has no effect while tls is off");
    }
    if (cluster->tls_ca[0]) {
        struct mistake mistake;
        bool named = make_absolute(draft, section, "tls_ca", cluster->tls_ca);
        int fd = named ? password_open(cluster->tls_ca, &is, &mistake) : -1;
        if (fd >= 0) {
            close(fd);
        } else if (named) {
            refuse_file(draft, section, "tls_ca", &mistake);
        }
    }
}

static void check_cluster(struct draft *draft, struct section *section)
{
    struct cluster_settings *cluster = section->values;
    enum kind kind = cluster->policy.kind; /* as it is written: auto may become another */
    check_kind(draft, section, &cluster->policy);
    check_query(draft, section, kind);
    check_tls(draft, section);
    if (was_set(section, "password_file") && !is_wrong(section, "password_file")) {
        read_password(draft, section);
    }
    if (!is_wrong(section, "witnesses") && cluster->policy.witnesses % 2 == 0) {
        config_warn(&draft->errors, draft_position(section, "witnesses"),
                    "an odd number bears the loss of as many, with one probe less", "%d is even",
                    cluster->policy.witnesses);
    }
}

/* Discovery needs a range to look in, room for members, and a kind whose servers name others.
 * `members` are those configured. */
static void check_discovery(struct draft *draft, const struct section *section, size_t members)
{
    static const char *const keys[] = {"discover_forget", "discover_max", "discover_within"};
    const struct cluster_settings *cluster = section->values;
    enum kind kind = cluster->policy.kind;
    if (is_wrong(section, "discover")) {
        return;
    }
    for (size_t i = 0; !cluster->discover && i < sizeof keys / sizeof *keys; i++) {
        if (was_set(section, keys[i])) {
            config_warn(&draft->errors, draft_position(section, keys[i]), "discover = yes",
                        "has no effect without discover");
        }
    }
    if (!cluster->discover) {
        return;
    }
    if (!cluster->discover_within[0] && !is_wrong(section, "discover_within")) {
        config_refuse(&draft->errors, draft_position(section, "discover_within"),
                      "the addresses that members can have, no more than that: 10.0.0.0/8",
                      "must be set with discover = yes");
    }
    if (was_set(section, "discover_max") && members + (size_t)cluster->discover_max > MEMBERS_MAX) {
        config_refuse(&draft->errors, draft_position(section, "discover_max"), NULL,
                      "is too much: beside the %zu configured ones there is room for %zu", members,
                      MEMBERS_MAX - members);
    }
    if (!kind_traits_of(kind)->may_discover) {
        config_refuse(&draft->errors, draft_position(section, "discover"), "no",
                      "does not fit kind %s: its servers name no others", kind_names[kind]);
    }
}

/* ---- members --------------------------------------------------------------------------------- */

/* A member's address in a form in which equal ones are equal text. */
struct address {
    char text[ADDRESS_SIZE];
    const struct section *section;
};

static void make_address(struct address *address, const struct section *section)
{
    const struct member_config *member = section->values;
    struct in6_addr v6;
    char host[HOST_SIZE];
    size_t length = strlen(member->host);
    for (size_t i = 0; i <= length; i++) {
        host[i] = (char)tolower((unsigned char)member->host[i]);
    }
    if (inet_pton(AF_INET6, host, &v6) == 1) {
        inet_ntop(AF_INET6, &v6, host, sizeof host);
    } else if (length > 1 && host[length - 1] == '.') {
        host[length - 1] = '\0'; /* the same name, fully qualified */
    }
    address->section = section;
    text_address(address->text, sizeof address->text, host, member->port);
}

static int by_address(const void *a, const void *b)
{
    const struct address *one = a, *other = b;
    int order = strcmp(one->text, other->text);
    return order ? order
                 : (one->section->line > other->section->line) -
                       (one->section->line < other->section->line);
}

static void check_addresses(struct draft *draft, struct section **members, size_t count)
{
    struct address *addresses = calloc(count + 1, sizeof *addresses);
    size_t usable = 0;
    if (!addresses) {
        draft->errors.failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (was_set(members[i], "address") && !is_wrong(members[i], "address")) {
            make_address(&addresses[usable++], members[i]);
        }
    }
    qsort(addresses, usable, sizeof *addresses, by_address);
    for (size_t i = 1, first = 0; i < usable; i++) {
        if (!text_equal(addresses[first].text, addresses[i].text)) {
            first = i;
            continue;
        }
        config_refuse(&draft->errors, draft_position(addresses[i].section, "address"),
                      "a server is one member of one cluster",
                      "%s is the address of [%s] as well, on line %d", addresses[i].text,
                      addresses[first].section->heading,
                      draft_position(addresses[first].section, "address").line);
    }
    free(addresses);
}

static struct section *find_cluster(struct section **clusters, size_t count, const char *name)
{
    for (size_t low = 0, high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, clusters[middle]->name);
        if (order == 0) {
            return clusters[middle];
        }
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return NULL;
}

static void refuse_cluster(struct draft *draft, const struct section *member,
                           struct section **clusters, size_t count)
{
    const char *names[CLUSTERS_MAX];
    char hint[SENTENCE_SIZE];
    count = count < CLUSTERS_MAX ? count : CLUSTERS_MAX;
    for (size_t i = 0; i < count; i++) {
        names[i] = clusters[i]->name;
    }
    const char *nearest = text_nearest(member->cluster, names, count, sizeof *names);
    if (nearest) {
        snprintf(hint, sizeof hint, "did you mean %s/%s?", nearest, member->name);
    } else {
        snprintf(hint, sizeof hint, "it needs a [cluster %s]", member->cluster);
    }
    config_refuse(&draft->errors, heading_of(member), hint, "there is no cluster '%s'",
                  member->cluster);
}

/* Every member has its cluster, and every cluster members, but not too many. Both are sorted, so
 * those of one cluster are neighbours. */
static void check_members(struct draft *draft, struct section **clusters, size_t cluster_count,
                          struct section **members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct section *cluster = find_cluster(clusters, cluster_count, members[i]->cluster);
        struct cluster_settings *values = cluster ? cluster->values : NULL;
        if (!cluster) {
            refuse_cluster(draft, members[i], clusters, cluster_count);
        } else if (values->member_count == MEMBERS_MAX) {
            config_refuse(&draft->errors, heading_of(members[i]), NULL,
                          "is one too many: a cluster has at most %d members", MEMBERS_MAX);
        } else {
            /* a count for now: the config's members are added one by one */
            values->member_count++;
        }
    }
    for (size_t i = 0; i < cluster_count; i++) {
        struct cluster_settings *values = clusters[i]->values;
        if (values->member_count == 0) {
            char hint[SENTENCE_SIZE];
            snprintf(hint, sizeof hint, "add [member %s/NAME] with an address", clusters[i]->name);
            config_refuse(&draft->errors, heading_of(clusters[i]), hint,
                          "this cluster has no members");
        }
        check_discovery(draft, clusters[i], values->member_count);
        values->member_count = 0;
    }
    check_addresses(draft, members, count);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool is_there(const struct draft *draft, enum section_kind kind)
{
    for (size_t i = 0; i < draft->origins->count; i++) {
        if (draft->origins->sections[i].kind == kind) {
            return true;
        }
    }
    return false;
}

/* Sections that must be there, or are there of themselves. Adding moves sections, so this comes
 * first. */
static void add_missing(struct draft *draft)
{
    if (!is_there(draft, SECTION_REGISTRY)) {
        config_refuse(&draft->errors, (struct config_position){.section = "registry"},
                      "it needs at least: servers = host:port,host:port",
                      "this section is missing");
    }
    if (!is_there(draft, SECTION_CLUSTER)) {
        config_refuse(&draft->errors, (struct config_position){.section = "cluster NAME"},
                      "[cluster orders], for example, with its engine, and its [member orders/...]",
                      "there is no such section, so there is nothing to watch");
    }
    if (!is_there(draft, SECTION_PROBE) && !draft_add_section(draft, SECTION_PROBE, 0, "probe")) {
        draft->errors.failed = true;
    }
}

void draft_check(struct draft *draft)
{
    size_t count, cluster_count, member_count;
    add_missing(draft);
    struct section **sorted = sort_sections(draft, &count);
    if (!sorted) {
        draft->errors.failed = true;
        return;
    }
    struct section **clusters = sections_of(sorted, count, SECTION_CLUSTER, &cluster_count);
    struct section **members = sections_of(sorted, count, SECTION_MEMBER, &member_count);
    for (size_t i = 0; i < count; i++) {
        set_defaults(draft, sorted[i]);
        switch (sorted[i]->kind) {
        case SECTION_REGISTRY:
            check_registry(draft, sorted[i]);
            check_roles(draft, sorted[i]);
            break;
        case SECTION_PROBE:
            check_probe(draft, sorted[i]);
            check_state_folder(draft, sorted[i]);
            break;
        case SECTION_CLUSTER:
            check_cluster(draft, sorted[i]);
            break;
        default:
            break;
        }
    }
    check_members(draft, clusters, cluster_count, members, member_count);
    if (cluster_count > CLUSTERS_MAX) {
        config_refuse(&draft->errors, heading_of(clusters[CLUSTERS_MAX]), NULL,
                      "is one too many: there are at most %d clusters", CLUSTERS_MAX);
    }
    free(sorted);
}
