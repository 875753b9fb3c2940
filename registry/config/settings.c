#include "registry/config/settings.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "registry/base/auth.h"
#include "registry/base/log.h"
#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "registry/store/connect_string.h"

const char *const section_names[] = {"cluster", "member", "probe", "registry", NULL};
const char *const no_yes[] = {"no", "yes", NULL};
const char *const tls_names[] = {"off", "prefer", "require", "verify", NULL};

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
enum { RELOADS = true, RESTARTS = false, REQUIRED = true };

#define FIELD(structure, field)                                                                    \
    .offset = offsetof(struct structure, field), .size = sizeof(((struct structure *)0)->field)
#define CLUSTER(key_) .section = SECTION_CLUSTER, .key = key_, .reloads = RELOADS
#define MEMBER(key_) .section = SECTION_MEMBER, .key = key_, .reloads = RELOADS
#define PROBE(key_) .section = SECTION_PROBE, .key = key_
#define REGISTRY(key_) .section = SECTION_REGISTRY, .key = key_, .reloads = RESTARTS

const struct setting settings[] = {
    {CLUSTER("conflict"), .type = SETTING_CHOICE, .choices = conflict_names, .usual = {"hold"},
     FIELD(cluster_settings, policy.conflict),
     .meaning = "what to do while several members claim to be primary and none is newest: hold the "
                "old one, or have none"},
    {CLUSTER("database"), .type = SETTING_TEXT, .usual = {"postgres", ""},
     FIELD(cluster_settings, database), .meaning = "the database to log in to"},
    {CLUSTER("discover"), .type = SETTING_CHOICE, .choices = no_yes, .usual = {"no"},
     FIELD(cluster_settings, discover),
     .meaning = "look for further members in what the servers report"},
    {CLUSTER("discover_forget"), .type = SETTING_DURATION, .low = SECOND, .high = 30 * (int64_t)DAY,
     .usual = {"1h"}, FIELD(cluster_settings, discover_forget_ms),
     .meaning = "a discovered member that no server names and that does not answer for so long is "
                "forgotten"},
    {CLUSTER("discover_max"), .type = SETTING_INTEGER, .low = 1, .high = MEMBERS_MAX - 1,
     .usual = {"8"}, FIELD(cluster_settings, discover_max),
     .meaning = "how many members may be discovered"},
    {CLUSTER("discover_within"), .type = SETTING_CIDR, FIELD(cluster_settings, discover_within),
     .meaning =
         "the addresses that discovered members may have: ranges such as 10.0.0.0/8, fd00::/8"},
    {CLUSTER("engine"), .type = SETTING_CHOICE, .choices = engine_names, .required = REQUIRED,
     FIELD(cluster_settings, policy.engine),
     .hint = "one of postgresql, mysql; mysql is MariaDB, too",
     .meaning = "how to talk to the servers"},
    {CLUSTER("kind"), .type = SETTING_CHOICE, .choices = kind_names, .usual = {"auto"},
     FIELD(cluster_settings, policy.kind),
     .meaning = "how to read what they report; auto finds out from the servers"},
    {CLUSTER("password_file"), .type = SETTING_FILE, FIELD(cluster_settings, password_file),
     .meaning = "file whose first line is the password, readable by its owner alone"},
    {CLUSTER("query"), .type = SETTING_TEXT, FIELD(cluster_settings, query),
     .meaning = "for kinds that take one: the statement to run instead of our own query; its "
                "columns describe the server"},
    {CLUSTER("tls"), .type = SETTING_CHOICE, .choices = tls_names, .usual = {"prefer", "off"},
     FIELD(cluster_settings, tls),
     .meaning =
         "encrypt the connections: never (off), if the server can (prefer), always (require), "
         "always and with a check of its certificate (verify)"},
    {CLUSTER("tls_ca"), .type = SETTING_FILE, FIELD(cluster_settings, tls_ca),
     .meaning = "file of the certificate authorities that sign the servers' certificates"},
    {CLUSTER("user"), .type = SETTING_TEXT, .usual = {"roster"}, FIELD(cluster_settings, user),
     .meaning = "the account to log in as"},
    {CLUSTER("witnesses"), .type = SETTING_INTEGER, .low = 1, .high = WITNESSES_MAX, .usual = {"1"},
     FIELD(cluster_settings, policy.witnesses),
     .meaning = "how many probes should watch this cluster; more than half of them decide"},
    {CLUSTER("writers"), .type = SETTING_CHOICE, .choices = writers_names, .usual = {"single"},
     FIELD(cluster_settings, policy.writers),
     .meaning = "where several members may write at a time: write to a single one, or to all"},

    {MEMBER("address"), .type = SETTING_ADDRESS, .required = REQUIRED, FIELD(member_config, host),
     .meaning = "host:port, or [v6]:port"},
    {MEMBER("label.KEY"), .type = SETTING_LABEL, FIELD(member_config, labels),
     .meaning = "something for compute nodes to choose by, such as label.zone = a"},
    {MEMBER("weight"), .type = SETTING_INTEGER, .low = 0, .high = 1000, .usual = {"100"},
     FIELD(member_config, weight),
     .meaning = "its share of the reads; 0: only when nothing else is left"},

    {PROBE("alert_interval"), .type = SETTING_DURATION, .low = 5, .high = HOUR, .usual = {"25ms"},
     .reloads = RELOADS, FIELD(probe_settings, alert_interval_ms),
     .meaning = "between two looks at a member while something is amiss in its cluster"},
    {PROBE("fall"), .type = SETTING_INTEGER, .low = 1, .high = 100, .usual = {"3"},
     .reloads = RELOADS, FIELD(probe_settings, fall),
     .meaning = "ambiguous failures (timeouts) in a row before they count"},
    {PROBE("interval"), .type = SETTING_DURATION, .low = 50, .high = HOUR, .usual = {"1s"},
     .reloads = RELOADS, FIELD(probe_settings, interval_ms),
     .meaning = "between two looks at a member in quiet times"},
    {PROBE("log_level"), .type = SETTING_CHOICE, .choices = log_level_names, .usual = {"notice"},
     .reloads = RELOADS, FIELD(probe_settings, log_level),
     .meaning = "the least urgent lines to log"},
    {PROBE("name"), .type = SETTING_NAME, .reloads = RESTARTS, FIELD(probe_settings, name),
     .meaning = "of this probe in the registry; by default the host name, cut at the first dot"},
    {PROBE("rise"), .type = SETTING_INTEGER, .low = 1, .high = 100, .usual = {"2"},
     .reloads = RELOADS, FIELD(probe_settings, rise),
     .meaning = "good answers in a row before a member that was down counts as up"},
    {PROBE("state_folder"), .type = SETTING_FILE, .reloads = RESTARTS,
     FIELD(probe_settings, state_folder),
     .meaning = "the folder in which the probe keeps which registry it follows; by default the one "
                "of its service, or of its user"},
    {PROBE("timeout"), .type = SETTING_DURATION, .low = 10, .high = MINUTE, .usual = {"500ms"},
     .reloads = RELOADS, FIELD(probe_settings, timeout_ms),
     .meaning = "for each step of a look: resolving the name, connecting, the query"},

    {REGISTRY("auth"), .type = SETTING_AUTH, FIELD(registry_settings, auth),
     .meaning =
         "digest:user:password to show to ZooKeeper; the file must be its owner's alone then"},
    {REGISTRY("nodes"), .type = SETTING_IDS, FIELD(registry_settings, nodes),
     .meaning = "the ids of compute nodes: these alone read then, and not everybody"},
    {REGISTRY("operators"), .type = SETTING_IDS, FIELD(registry_settings, operators),
     .meaning = "the ids of operators: these alone write directives and change access lists then"},
    {REGISTRY("probes"), .type = SETTING_IDS, FIELD(registry_settings, probes),
     .meaning = "further ids of probes, while their credentials are changed"},
    {REGISTRY("root"), .type = SETTING_ROOT, .usual = {"/roster"}, FIELD(registry_settings, root),
     .meaning = "the znode below which everything is kept; created when missing"},
    {REGISTRY("servers"), .type = SETTING_SERVERS, .required = REQUIRED,
     FIELD(registry_settings, servers),
     .meaning = "the ZooKeeper ensemble: host:port,host:port with an optional /chroot at the end"},
    {REGISTRY("session_timeout"), .type = SETTING_DURATION, .low = SESSION_TIMEOUT_LOW_MS,
     .high = SESSION_TIMEOUT_HIGH_MS, .usual = {"10s"},
     FIELD(registry_settings, session_timeout_ms),
     .meaning = "how long ZooKeeper keeps a silent probe's reports"},
};
const size_t settings_count = sizeof settings / sizeof *settings;

/* ---- finding --------------------------------------------------------------------------------- */

static const char label_prefix[] = "label.";

size_t section_size(enum section_kind kind)
{
    static const size_t sizes[] = {sizeof(struct cluster_settings), sizeof(struct member_config),
                                   sizeof(struct probe_settings), sizeof(struct registry_settings),
                                   1};
    return sizes[kind];
}

void settings_of(enum section_kind kind, size_t *ret_first, size_t *ret_end)
{
    size_t first = 0;
    while (first < settings_count && settings[first].section != kind) {
        first++;
    }
    *ret_first = *ret_end = first;
    while (*ret_end < settings_count && settings[*ret_end].section == kind) {
        (*ret_end)++;
    }
}

const struct setting *settings_find(enum section_kind kind, const char *key)
{
    size_t i, end;
    for (settings_of(kind, &i, &end); i < end; i++) {
        bool label = settings[i].type == SETTING_LABEL;
        if (label ? strncmp(key, label_prefix, strlen(label_prefix)) == 0
                  : text_equal(key, settings[i].key)) {
            return &settings[i];
        }
    }
    return NULL;
}

const char *settings_nearest(enum section_kind kind, const char *key)
{
    size_t first, end;
    settings_of(kind, &first, &end);
    return first < end ? text_nearest(key, &settings[first].key, end - first, sizeof *settings)
                       : NULL;
}

/* ---- numbers of any width -------------------------------------------------------------------- */

static void store_number(const struct setting *setting, void *to, int64_t number)
{
    char *at = (char *)to + setting->offset;
    switch (setting->size) {
    case 1:
        memcpy(at, &(uint8_t){(uint8_t)number}, 1);
        break;
    case 2:
        memcpy(at, &(uint16_t){(uint16_t)number}, 2);
        break;
    case 4:
        memcpy(at, &(int32_t){(int32_t)number}, 4);
        break;
    default:
        assert(setting->size == 8);
        memcpy(at, &number, 8);
    }
}

static int64_t load_number(const struct setting *setting, const void *from)
{
    const char *at = (const char *)from + setting->offset;
    uint16_t two;
    int32_t four;
    int64_t eight;
    switch (setting->size) {
    case 1:
        return *(const uint8_t *)at;
    case 2:
        memcpy(&two, at, sizeof two);
        return two;
    case 4:
        memcpy(&four, at, sizeof four);
        return four;
    default:
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
}

/* ---- parsing --------------------------------------------------------------------------------- */

#define WRONG(mistake, ...) (snprintf((mistake)->what, sizeof(mistake)->what, __VA_ARGS__), false)
#define HINT(mistake, ...) snprintf((mistake)->hint, sizeof(mistake)->hint, __VA_ARGS__)

static bool parse_text(const struct setting *setting, const char *value, void *to,
                       struct mistake *mistake)
{
    if (text_copy((char *)to + setting->offset, setting->size, value)) {
        return true;
    }
    return WRONG(mistake, "is longer than %zu bytes", setting->size - 1);
}

static bool parse_name(const struct setting *setting, const char *value, void *to,
                       struct mistake *mistake)
{
    if (strcmp(setting->key, "name") == 0 && strcmp(value, "directives") == 0) {
        return WRONG(
            mistake,
            "'directives' is reserved: a topology's evidence lists it beside the probes' names");
    }
    if (text_is_name(value)) {
        return parse_text(setting, value, to, mistake);
    }
    HINT(mistake, "1 to %d of the letters A-Z a-z 0-9 . _ -", NAME_SIZE - 1);
    return WRONG(mistake, "'%.80s' is not a name", value);
}

static bool parse_integer(const struct setting *setting, const char *value, void *to,
                          struct mistake *mistake)
{
    int64_t number;
    bool whole = text_parse_int(value, INT64_MIN, INT64_MAX, &number);
    if (whole && number >= setting->low && number <= setting->high) {
        store_number(setting, to, number);
        return true;
    }
    setting_range(setting, mistake->hint, sizeof mistake->hint);
    return whole ? WRONG(mistake, "%s is out of range", value)
                 : WRONG(mistake, "'%.80s' is not a whole number", value);
}

static bool parse_duration(const struct setting *setting, const char *value, void *to,
                           struct mistake *mistake)
{
    int64_t ms;
    if (!text_parse_duration(value, &ms)) {
        if (text_parse_int(value, 0, INT64_MAX, &ms)) {
            HINT(mistake, "in which unit? %sms, %ss", value, value);
            return WRONG(mistake, "%s has no unit", value);
        }
        HINT(mistake, "a number and a unit (ms, s, m, h, d), such as %s", setting->usual[0]);
        return WRONG(mistake, "'%.80s' is not a duration", value);
    }
    if (ms < setting->low || ms > setting->high) {
        setting_range(setting, mistake->hint, sizeof mistake->hint);
        return WRONG(mistake, "%s is out of range", value);
    }
    store_number(setting, to, ms);
    return true;
}

static size_t count_choices(const char *const *choices)
{
    size_t n = 0;
    while (choices[n]) {
        n++;
    }
    return n;
}

static bool parse_choice(const struct setting *setting, const char *value, void *to,
                         struct mistake *mistake)
{
    int index = name_index(setting->choices, value);
    if (index >= 0) {
        store_number(setting, to, index);
        return true;
    }
    const char *nearest = text_nearest(value, setting->choices, count_choices(setting->choices),
                                       sizeof *setting->choices);
    char range[SENTENCE_SIZE / 2];
    setting_range(setting, range, sizeof range);
    HINT(mistake, "%s%s%s%s", nearest ? "did you mean " : "", nearest ? nearest : "",
         nearest ? "? " : "", setting->hint ? setting->hint : range);
    return WRONG(mistake, "'%.80s' is unknown", value);
}

static bool parse_servers(const struct setting *setting, const char *value, void *to,
                          struct mistake *mistake)
{
    struct connect_string servers;
    if (connect_string_parse(value, &servers, mistake->what, sizeof mistake->what)) {
        return parse_text(setting, value, to, mistake);
    }
    HINT(mistake, "zk1:2181,zk2:2181,zk3:2181 or zk1:2181/chroot");
    return false;
}

static bool parse_root(const struct setting *setting, const char *value, void *to,
                       struct mistake *mistake)
{
    if (path_is_root(value)) {
        return parse_text(setting, value, to, mistake);
    }
    HINT(mistake,
         "a path such as %s: it begins with a slash, does not end with one, and has at most 120 "
         "bytes",
         setting->usual[0]);
    return WRONG(mistake, "'%.80s' is not a znode path", value);
}

/* The value is a secret: no sentence may repeat it. */
static bool parse_auth(const struct setting *setting, const char *value, void *to,
                       struct mistake *mistake)
{
    if (auth_is_valid(value, mistake->what, sizeof mistake->what)) {
        return parse_text(setting, value, to, mistake);
    }
    HINT(mistake, AUTH_FORM);
    return false;
}

static bool parse_ids(const struct setting *setting, const char *value, void *to,
                      struct mistake *mistake)
{
    struct access_ids ids;
    if (access_ids_parse(value, &ids, mistake->what, sizeof mistake->what)) {
        return parse_text(setting, value, to, mistake);
    }
    HINT(mistake, "USER:HASH, separated by commas; the hash is of "
                  "printf %%s USER:PASSWORD | openssl sha1 -binary | base64");
    return false;
}

static bool parse_address(const char *value, struct member_config *to, struct mistake *mistake)
{
    if (text_parse_address(value, to->host, sizeof to->host, &to->port)) {
        return true;
    }
    const char *colon = strchr(value, ':');
    if (!colon) {
        HINT(mistake, "%.80s:5432, for example", value);
        return WRONG(mistake, "'%.80s' has no port", value);
    }
    if (value[0] != '[' && strchr(colon + 1, ':')) {
        HINT(mistake, "brackets round an IPv6 address: [2001:db8::1]:5432");
    } else {
        HINT(mistake, "a host name or an address, a colon, and a port from 1 to 65535");
    }
    return WRONG(mistake, "'%.300s' is not host:port", value);
}

/* Labels are kept sorted by key. */
static bool parse_label(const char *key, const char *value, struct member_config *to,
                        struct mistake *mistake)
{
    struct label label = {0};
    const char *bare = key + strlen(label_prefix);
    if (!text_is_name(bare) || !text_copy(label.key, sizeof label.key, bare)) {
        HINT(mistake, "1 to %d of the letters A-Z a-z 0-9 . _ - behind 'label.'",
             LABEL_KEY_SIZE - 1);
        return WRONG(mistake, "the label's key is not a name");
    }
    if (!text_copy(label.value, sizeof label.value, value)) {
        return WRONG(mistake, "is longer than %d bytes", LABEL_VALUE_SIZE - 1);
    }
    if (to->label_count == LABELS_MAX) {
        return WRONG(mistake, "is one label too many: a member has at most %d", LABELS_MAX);
    }
    size_t i = to->label_count++;
    for (; i > 0 && strcmp(to->labels[i - 1].key, label.key) > 0; i--) {
        to->labels[i] = to->labels[i - 1];
    }
    to->labels[i] = label;
    return true;
}

static bool parse_cidr(const struct setting *setting, const char *value, void *to,
                       struct mistake *mistake)
{
    struct cidr_list ranges;
    if (cidr_parse(value, &ranges, mistake->what, sizeof mistake->what)) {
        return parse_text(setting, value, to, mistake);
    }
    HINT(mistake, "ranges of addresses and commas: 10.0.0.0/8, 192.0.2.7, fd00::/8");
    return false;
}

bool setting_parse(const struct setting *setting, const char *key, const char *value, void *to,
                   struct mistake *ret_mistake)
{
    *ret_mistake = (struct mistake){{0}, {0}};
    switch (setting->type) {
    case SETTING_NAME:
        return parse_name(setting, value, to, ret_mistake);
    case SETTING_TEXT:
    case SETTING_FILE:
        return parse_text(setting, value, to, ret_mistake);
    case SETTING_INTEGER:
        return parse_integer(setting, value, to, ret_mistake);
    case SETTING_DURATION:
        return parse_duration(setting, value, to, ret_mistake);
    case SETTING_CHOICE:
        return parse_choice(setting, value, to, ret_mistake);
    case SETTING_SERVERS:
        return parse_servers(setting, value, to, ret_mistake);
    case SETTING_ROOT:
        return parse_root(setting, value, to, ret_mistake);
    case SETTING_AUTH:
        return parse_auth(setting, value, to, ret_mistake);
    case SETTING_IDS:
        return parse_ids(setting, value, to, ret_mistake);
    case SETTING_ADDRESS:
        return parse_address(value, to, ret_mistake);
    case SETTING_CIDR:
        return parse_cidr(setting, value, to, ret_mistake);
    case SETTING_LABEL:
        return parse_label(key, value, to, ret_mistake);
    }
    assert(false); /* a row without a type */
    return false;
}

static const char *usual_for(const struct setting *setting, enum engine engine)
{
    return setting->usual[engine] ? setting->usual[engine] : setting->usual[0];
}

void setting_default(const struct setting *setting, enum engine engine, void *to)
{
    const char *usual = usual_for(setting, engine);
    struct mistake mistake;
    if (usual) {
        bool good = setting_parse(setting, setting->key, usual, to, &mistake);
        assert(good);
        (void)good;
    }
}

/* ---- printing -------------------------------------------------------------------------------- */

/* In the largest unit that divides it. */
static const char *print_duration(int64_t ms, char *to, size_t size)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{DAY, "d"}, {HOUR, "h"}, {MINUTE, "m"}, {SECOND, "s"}, {1, "ms"}};
    size_t u = 0;
    while (ms % units[u].ms != 0 || ms < units[u].ms) {
        if (units[u].ms == 1) {
            break;
        }
        u++;
    }
    snprintf(to, size, "%" PRId64 "%s", ms / units[u].ms, units[u].name);
    return to;
}

const char *setting_print(const struct setting *setting, const void *from, char *to, size_t size)
{
    const char *text = (const char *)from + setting->offset;
    const struct member_config *member = from;
    int64_t number;
    switch (setting->type) {
    case SETTING_INTEGER:
        snprintf(to, size, "%" PRId64, load_number(setting, from));
        return to;
    case SETTING_DURATION:
        return print_duration(load_number(setting, from), to, size);
    case SETTING_CHOICE:
        number = load_number(setting, from);
        snprintf(to, size, "%s", setting->choices[number]);
        return to;
    case SETTING_ADDRESS:
        return text_address(to, size, member->host, member->port);
    case SETTING_AUTH:
        snprintf(to, size, "%s", text[0] ? "(not shown)" : "");
        return to;
    default:
        snprintf(to, size, "%s", text);
        return to;
    }
}

const char *setting_range(const struct setting *setting, char *to, size_t size)
{
    char low[32], high[32];
    struct text text;
    text_init(&text, to, size);
    switch (setting->type) {
    case SETTING_INTEGER:
        text_put(&text, "from %" PRId64 " to %" PRId64, setting->low, setting->high);
        break;
    case SETTING_DURATION:
        text_put(&text, "from %s to %s", print_duration(setting->low, low, sizeof low),
                 print_duration(setting->high, high, sizeof high));
        break;
    case SETTING_CHOICE:
        text_put(&text, "one of");
        for (size_t i = 0; setting->choices[i]; i++) {
            text_put(&text, "%s %s", i ? "," : "", setting->choices[i]);
        }
        break;
    default:
        break;
    }
    return to;
}

void config_print_settings(FILE *to)
{
    static const char *const types[] = {"name",    "text",    "integer", "duration", "choice",
                                        "file",    "servers", "root",    "auth",     "ids",
                                        "address", "ranges",  "label"};
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *setting = &settings[i];
        const char *other = setting->usual[1];
        char range[SENTENCE_SIZE];
        fprintf(to, "%s %s %s ", section_names[setting->section], setting->key,
                types[setting->type]);
        fputs(setting->required ? "required" : setting->usual[0] ? setting->usual[0] : "-", to);
        if (other) {
            fprintf(to, "|%s", other[0] ? other : "-");
        }
        setting_range(setting, range, sizeof range);
        fprintf(to, " %s%s%s\n", setting->reloads ? "reload" : "restart", range[0] ? " " : "",
                range);
    }
}
