/* A configuration for people: what is in force and where it came from, and
 * what a reload would not put into force. */
#include <stdio.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/config/draft.h"

static const struct section *find_origin(const struct config *config, enum section_kind kind,
                                         const char *cluster, const char *name)
{
    for (size_t i = 0; config->origins && i < config->origins->count; i++) {
        const struct section *section = &config->origins->sections[i];
        if (section->kind == kind && text_equal(section->cluster, cluster) &&
            text_equal(section->name, name)) {
            return section;
        }
    }
    return NULL;
}

/* What is printed is an INI again: what is not set, or not shown, is a comment there. */
static void print_line(FILE *to, const char *key, const char *value, const char *instead, int line)
{
    bool shown = value[0] && !instead;
    fprintf(to, "%s%-*s = %-32s ; ", shown ? "" : ";", shown ? 15 : 14, key,
            shown      ? value
            : value[0] ? instead
                       : "(none)");
    if (line > 0) {
        fprintf(to, "line %d\n", line);
    } else {
        fprintf(to, "default\n");
    }
}

static void print_labels(FILE *to, const struct member_config *member, const struct section *origin)
{
    for (size_t i = 0; i < member->label_count; i++) {
        char key[LABEL_KEY_SIZE + 8];
        int line = 0;
        for (size_t j = 0; origin && j < origin->label_count; j++) {
            line = text_equal(origin->labels[j].key, member->labels[i].key) ? origin->labels[j].line
                                                                            : line;
        }
        snprintf(key, sizeof key, "label.%s", member->labels[i].key);
        print_line(to, key, member->labels[i].value, NULL, line);
    }
}

static void print_section(FILE *to, enum section_kind kind, const void *values,
                          const struct section *origin)
{
    size_t i, end;
    for (settings_of(kind, &i, &end); i < end; i++) {
        char value[QUERY_SIZE > SERVERS_SIZE ? QUERY_SIZE : SERVERS_SIZE];
        if (settings[i].type == SETTING_LABEL) {
            print_labels(to, values, origin);
        } else {
            /* roles need auth, which is not shown: they are comments as well */
            const char *instead = settings[i].type == SETTING_AUTH  ? "(not shown)"
                                  : settings[i].type == SETTING_IDS ? value
                                                                    : NULL;
            setting_print(&settings[i], values, value, sizeof value);
            print_line(to, settings[i].key, value, instead, origin ? origin->lines[i] : 0);
        }
    }
}

void config_print(const struct config *config, FILE *to)
{
    fprintf(to, "[registry]\n");
    print_section(to, SECTION_REGISTRY, &config->registry,
                  find_origin(config, SECTION_REGISTRY, "", ""));
    fprintf(to, "\n[probe]\n");
    print_section(to, SECTION_PROBE, &config->probe, find_origin(config, SECTION_PROBE, "", ""));
    for (size_t c = 0; c < config->cluster_count; c++) {
        const struct cluster_settings *cluster = &config->clusters[c];
        fprintf(to, "\n[cluster %s]\n", cluster->name);
        print_section(to, SECTION_CLUSTER, cluster,
                      find_origin(config, SECTION_CLUSTER, "", cluster->name));
        for (size_t m = 0; m < cluster->member_count; m++) {
            const struct member_config *member = &cluster->members[m];
            fprintf(to, "\n[member %s/%s]\n", cluster->name, member->name);
            print_section(to, SECTION_MEMBER, member,
                          find_origin(config, SECTION_MEMBER, cluster->name, member->name));
        }
    }
}

static void list_changes(struct text *text, enum section_kind kind, const void *was,
                         const void *now)
{
    size_t i, end;
    for (settings_of(kind, &i, &end); i < end; i++) {
        const struct setting *setting = &settings[i];
        if (!setting->reloads && memcmp((const char *)was + setting->offset,
                                        (const char *)now + setting->offset, setting->size) != 0) {
            text_put(text, "%s[%s] %s", text->used ? ", " : "", section_names[kind], setting->key);
        }
    }
}

const char *config_fixed_changes(const struct config *was, const struct config *now, char *to,
                                 size_t size)
{
    struct text text;
    text_init(&text, to, size);
    list_changes(&text, SECTION_REGISTRY, &was->registry, &now->registry);
    list_changes(&text, SECTION_PROBE, &was->probe, &now->probe);
    return to;
}
