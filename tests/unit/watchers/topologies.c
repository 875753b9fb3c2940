#include "tests/unit/watchers/topologies.h"

#include <stdio.h>

struct member *add_member(struct topology *topology, const char *name, enum role role)
{
    struct member *member = &topology->members[topology->member_count++];
    *member = (struct member){.role = role, .health = HEALTH_UP, .reason = ANSWER_OK};
    snprintf(member->config.name, sizeof member->config.name, "%s", name);
    snprintf(member->config.host, sizeof member->config.host, "host-%s", name);
    member->config.port = 5432;
    member->config.weight = 100;
    member->lag = role == ROLE_SECONDARY ? (struct lag){LAG_OK, 0, 0, -1, 0} : LAG_NOT_KNOWN;
    if (role == ROLE_PRIMARY) {
        snprintf(topology->primary, sizeof topology->primary, "%s", name);
    }
    return member;
}

struct topology usual_topology(void)
{
    struct topology topology = {
        .cluster = "orders", .epoch = 7, .state = STATE_OK, .policy.witnesses = 3};
    add_member(&topology, "a", ROLE_PRIMARY);
    add_member(&topology, "b", ROLE_SECONDARY);
    add_member(&topology, "c", ROLE_SECONDARY);
    add_member(&topology, "d", ROLE_SECONDARY);
    return topology;
}

struct table built_table(const struct topology *topology)
{
    struct table table;
    table_build(topology, &table);
    return table;
}
