/* What discovery of members needs: where to look, room, and a kind of server that names others. */
#include "registry/config/draft.h"

static bool is(const struct section *section, const char *key, const bool *of_row)
{
    return of_row[draft_row(section->kind, key)];
}

void draft_check_discovery(struct draft *draft, const struct section *section, size_t members)
{
    static const char *const keys[] = {"discover_forget", "discover_max", "discover_within"};
    const struct cluster_settings *cluster = section->values;
    enum kind kind = cluster->policy.kind;
    if (is(section, "discover", section->wrong)) {
        return;
    }
    for (size_t i = 0; !cluster->discover && i < sizeof keys / sizeof *keys; i++) {
        if (section->lines[draft_row(section->kind, keys[i])] > 0) {
            config_warn(&draft->errors, draft_position(section, keys[i]), "discover = yes",
                        "has no effect without discover");
        }
    }
    if (!cluster->discover) {
        return;
    }
    if (!cluster->discover_within[0] && !is(section, "discover_within", section->wrong)) {
        config_refuse(&draft->errors, draft_position(section, "discover_within"),
                      "the addresses that members can have, no more than that: 10.0.0.0/8",
                      "must be set with discover = yes");
    }
    if (section->lines[draft_row(section->kind, "discover_max")] > 0 &&
        members + (size_t)cluster->discover_max > MEMBERS_MAX) {
        config_refuse(&draft->errors, draft_position(section, "discover_max"), NULL,
                      "is too much: beside the %zu configured ones there is room for %zu", members,
                      MEMBERS_MAX - members);
    }
    if (!kind_traits_of(kind)->may_discover) {
        config_refuse(&draft->errors, draft_position(section, "discover"), "no",
                      "does not fit kind %s: its servers name no others", kind_names[kind]);
    }
}
