#include "registry/config/draft.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"

struct section *draft_add_section(struct draft *draft, enum section_kind kind, int line,
                                  const char *heading)
{
    struct config_origins *origins = draft->origins;
    if (origins->count == origins->room) {
        size_t room = origins->room ? 2 * origins->room : 16;
        struct section *sections = reallocarray(origins->sections, room, sizeof *sections);
        if (!sections) {
            return NULL;
        }
        origins->sections = sections;
        origins->room = room;
    }
    struct section *section = &origins->sections[origins->count];
    *section = (struct section){.kind = kind,
                                .line = line,
                                .heading = strdup(heading),
                                .values = calloc(1, section_size(kind))};
    if (!section->heading || !section->values) {
        free(section->heading);
        free(section->values);
        return NULL;
    }
    origins->count++;
    return section;
}

struct section *draft_only_section(struct draft *draft, enum section_kind kind)
{
    for (size_t i = 0; i < draft->origins->count; i++) {
        if (draft->origins->sections[i].kind == kind && !draft->origins->sections[i].spare) {
            return &draft->origins->sections[i];
        }
    }
    return NULL;
}

size_t draft_row(enum section_kind kind, const char *key)
{
    const struct setting *setting = settings_find(kind, key);
    assert(setting && settings_count <= SETTINGS_MAX);
    return (size_t)(setting - settings);
}

struct config_position draft_position(const struct section *section, const char *key)
{
    int line = section->lines[draft_row(section->kind, key)];
    return (struct config_position){
        .line = line ? line : section->line, .section = section->heading, .key = key};
}

static void drop_values(struct section *section)
{
    if (section->values) {
        explicit_bzero(section->values, section_size(section->kind));
    }
    free(section->values);
    section->values = NULL;
}

void origins_free(struct config_origins *origins)
{
    if (!origins) {
        return;
    }
    for (size_t i = 0; i < origins->count; i++) {
        drop_values(&origins->sections[i]);
        free(origins->sections[i].heading);
    }
    free(origins->sections);
    free(origins);
}

/* ---- headings -------------------------------------------------------------------------------- */

static const char names[] = "a name is 1 to 63 of the letters A-Z a-z 0-9 . _ -";

bool draft_name_section(struct section *section, const char *name, struct config_errors *errors)
{
    struct config_position position = {.line = section->line, .section = section->heading};
    const char *slash = strchr(name, '/');
    char cluster[NAME_SIZE] = "";
    switch (section->kind) {
    case SECTION_CLUSTER:
        if (!*name) {
            config_refuse(errors, position, "[cluster NAME]", "has no name");
            return false;
        }
        break;
    case SECTION_MEMBER:
        if (!slash) {
            config_refuse(errors, position, "[member CLUSTER/NAME]",
                          "does not say whose member it is, and its name");
            return false;
        }
        if ((size_t)(slash - name) < sizeof cluster) {
            memcpy(cluster, name, (size_t)(slash - name));
        }
        name = slash + 1;
        if (!text_is_name(cluster)) {
            config_refuse(errors, position, names, "the cluster's name is not one");
            return false;
        }
        break;
    default:
        if (*name) {
            config_refuse(errors, position, NULL, "this section takes no name");
        }
        return !*name;
    }
    if (!text_is_name(name)) {
        config_refuse(errors, position, names, "'%.80s' is not a name", name);
        return false;
    }
    memcpy(section->cluster, cluster, sizeof cluster);
    return text_copy(section->name, sizeof section->name, name);
}

/* ---- from draft to config -------------------------------------------------------------------- */

static int by_cluster_name(const void *a, const void *b)
{
    return strcmp(((const struct cluster_settings *)a)->name,
                  ((const struct cluster_settings *)b)->name);
}

static void add_member(struct config *config, const struct section *section)
{
    struct member_config member;
    memcpy(&member, section->values, sizeof member);
    text_copy(member.name, sizeof member.name, section->name);
    for (size_t c = 0; c < config->cluster_count; c++) {
        struct cluster_settings *cluster = &config->clusters[c];
        if (text_equal(cluster->name, section->cluster)) {
            assert(cluster->member_count < MEMBERS_MAX);
            size_t i = cluster->member_count++;
            for (; i > 0 && strcmp(cluster->members[i - 1].name, member.name) > 0; i--) {
                cluster->members[i] = cluster->members[i - 1];
            }
            cluster->members[i] = member;
        }
    }
}

struct config *draft_make_config(struct draft *draft)
{
    struct config_origins *origins = draft->origins;
    struct config *config = calloc(1, sizeof *config);
    size_t count = 0;
    for (size_t i = 0; i < origins->count; i++) {
        count += origins->sections[i].kind == SECTION_CLUSTER;
    }
    struct cluster_settings *clusters = calloc(count, sizeof *clusters);
    if (!config || !clusters) {
        free(config);
        free(clusters);
        return NULL;
    }
    config->clusters = clusters;
    memcpy(&config->registry, draft_only_section(draft, SECTION_REGISTRY)->values,
           sizeof config->registry);
    memcpy(&config->probe, draft_only_section(draft, SECTION_PROBE)->values, sizeof config->probe);
    for (size_t i = 0; i < origins->count; i++) {
        if (origins->sections[i].kind == SECTION_CLUSTER) {
            struct cluster_settings *cluster = &clusters[config->cluster_count++];
            memcpy(cluster, origins->sections[i].values, sizeof *cluster);
            text_copy(cluster->name, sizeof cluster->name, origins->sections[i].name);
        }
    }
    qsort(clusters, count, sizeof *clusters, by_cluster_name);
    for (size_t i = 0; i < origins->count; i++) {
        if (origins->sections[i].kind == SECTION_MEMBER) {
            add_member(config, &origins->sections[i]);
        }
        drop_values(&origins->sections[i]);
    }
    config->origins = origins;
    draft->origins = NULL;
    return config;
}
