/* Group Replication: one row per member that the server knows. 5.7 has no MEMBER_ROLE: there a
 * status variable names the primary. The view's sequence grows with every change of membership, not
 * of the primary.
 *
 * Galera: conf_id is 2^64-1 when there is none. */
#include "probes/drivers/mysql_group.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "registry/base/text.h"

const char group_privilege[] = "SELECT ON performance_schema.replication_group_member*";

static bool is_text(const char *value, const char *text)
{
    return value && strcasecmp(value, text) == 0;
}

static bool is_on(const char *value)
{
    return is_text(value, "ON") || is_text(value, "1");
}

const char *group_variable(const struct client *client, const char *name)
{
    for (size_t row = 0; row < client_rows(client); row++) {
        if (is_text(client_value(client, row, "Variable_name", NULL), name)) {
            return client_value(client, row, "Value", NULL);
        }
    }
    return NULL;
}

/* Percona XtraDB Cluster's pxc_maint_mode is MAINTENANCE while an operator drains the node, and
 * SHUTDOWN while it waits before it ends: it serves still, and is to be left. */
static bool is_unwanted(const struct client *client)
{
    const char *rejects = group_variable(client, "wsrep_reject_queries");
    const char *maintenance = group_variable(client, "pxc_maint_mode");
    return (rejects && !is_text(rejects, "NONE")) ||
           (maintenance && !is_text(maintenance, "DISABLED"));
}

static void read_galera_settings(const struct client *client, struct observation *seen)
{
    if (is_on(group_variable(client, "wsrep_on"))) {
        seen->group.type = GROUP_GALERA;
        seen->group.state = is_unwanted(client) ? CONDITION_REJECTING : CONDITION_FIT;
        /* one that is out of step by order has the state of a donor, and feeds nobody */
        seen->group.donor_rejects =
            is_on(group_variable(client, "wsrep_sst_donor_rejects_queries")) &&
            !is_on(group_variable(client, "wsrep_desync"));
    }
}

void group_read_variables(const struct client *client, struct observation *seen)
{
    const char *name = group_variable(client, "group_replication_group_name");
    read_galera_settings(client, seen);
    if (name && *name && seen->group.type == GROUP_NONE) {
        seen->group.type = GROUP_REPLICATION;
        seen->group.many =
            is_text(group_variable(client, "group_replication_single_primary_mode"), "OFF");
        seen->group.state = CONDITION_LEFT; /* unless the members' table shows it in there */
        text_tame(seen->identity, sizeof seen->identity, name);
    }
}

/* ---- status ---------------------------------------------------------------------------------- */

static int64_t number_of(const char *value)
{
    int64_t number;
    return value && text_parse_int(value, 0, INT64_MAX, &number) ? number : -1;
}

/* wsrep_local_state; anything else is on the way to one of these. */
enum { LOCAL_DONOR = 2, LOCAL_SYNCED = 4 };

static enum condition galera_condition(const struct client *client, const struct group *group)
{
    enum condition ordered = group->state;
    int64_t state = number_of(group_variable(client, "wsrep_local_state"));
    if (!is_text(group_variable(client, "wsrep_cluster_status"), "Primary")) {
        return CONDITION_MINORITY;
    }
    if (state == LOCAL_DONOR) { /* or desynchronized by an operator, which looks the same */
        return ordered != CONDITION_FIT ? ordered
               : group->donor_rejects   ? CONDITION_UNREADY
                                        : CONDITION_DONOR;
    }
    bool configured = number_of(group_variable(client, "wsrep_cluster_conf_id")) >= 0;
    if (state != LOCAL_SYNCED || !configured) { /* none: between two configurations */
        return CONDITION_RECOVERING;
    }
    return is_on(group_variable(client, "wsrep_ready")) ? ordered : CONDITION_UNREADY;
}

static void read_galera(const struct client *client, struct observation *seen)
{
    static const char nobody[] = "00000000-0000-0000-0000-000000000000";
    const char *uuid = group_variable(client, "wsrep_cluster_state_uuid");
    /* 2^64-1 is out of range, and so none */
    int64_t view = number_of(group_variable(client, "wsrep_cluster_conf_id"));
    seen->group.state = galera_condition(client, &seen->group);
    seen->group.queue = number_of(group_variable(client, "wsrep_local_recv_queue"));
    seen->written = seen->applied =
        position_at(number_of(group_variable(client, "wsrep_last_committed")));
    advertised_add_addresses(&seen->advertised, group_variable(client, "wsrep_incoming_addresses"));
    if (uuid && !text_equal(uuid, nobody)) {
        text_tame(seen->identity, sizeof seen->identity, uuid);
    }
    if (view >= 0) {
        snprintf(seen->lineage, sizeof seen->lineage, "conf:%lld", (long long)view);
    }
}

bool group_read_status(const struct client *client, struct observation *seen)
{
    const char *primary = group_variable(client, "group_replication_primary_member");
    if (seen->group.type == GROUP_GALERA) {
        read_galera(client, seen);
    } else if (primary) {
        text_tame(seen->group.leader_id, sizeof seen->group.leader_id, primary);
    }
    return true;
}

/* ---- members --------------------------------------------------------------------------------- */

static enum condition state_of(const char *text)
{
    static const struct {
        const char *text;
        enum condition condition;
    } states[] = {{"ONLINE", CONDITION_FIT},
                  {"RECOVERING", CONDITION_RECOVERING},
                  {"OFFLINE", CONDITION_LEFT},
                  {"ERROR", CONDITION_ERROR}};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (is_text(text, states[i].text)) {
            return states[i].condition;
        }
    }
    return CONDITION_UNREADY;
}

/* STAMP:NUMBER, of digits only. */
static bool is_view(const char *view)
{
    static const char digits[] = "0123456789";
    size_t stamp = strspn(view, digits);
    return stamp > 0 && view[stamp] == ':' && view[stamp + 1] &&
           view[stamp + 1 + strspn(view + stamp + 1, digits)] == '\0';
}

static void read_self(const struct client *client, size_t row, struct observation *seen)
{
    const char *view = client_value(client, row, "VIEW_ID", NULL);
    seen->group.state = state_of(client_value(client, row, "MEMBER_STATE", NULL));
    seen->group.queue =
        number_of(client_value(client, row, "COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE", NULL));
    if (view && is_view(view)) {
        text_copy(seen->lineage, sizeof seen->lineage, view);
    }
}

/* A member of a single-primary group replicates from the primary that it names. */
static void set_upstream(struct observation *seen, bool leader_is_there)
{
    struct group *group = &seen->group;
    group->leads = group->many || text_equal(group->leader_id, seen->self_id);
    if (!group->leads && !seen->replica) {
        seen->replica = true;
        seen->live = group->state == CONDITION_FIT && leader_is_there;
        seen->applying = true;
        text_copy(seen->upstream_id, sizeof seen->upstream_id, group->leader_id);
    }
}

static void advertise_member(const struct client *client, size_t row, struct observation *seen)
{
    const char *host = client_value(client, row, "MEMBER_HOST", NULL);
    int64_t port = number_of(client_value(client, row, "MEMBER_PORT", NULL));
    if (host && port > 0 && port <= UINT16_MAX) {
        advertised_add(&seen->advertised, host, (uint16_t)port);
    }
}

bool group_read_members(const struct client *client, struct observation *seen)
{
    struct group *group = &seen->group;
    bool leader_is_there = false;
    if (group->type != GROUP_REPLICATION) {
        return true;
    }
    for (size_t row = 0; row < client_rows(client); row++) {
        const char *id = client_value(client, row, "MEMBER_ID", NULL);
        bool reachable = !is_text(client_value(client, row, "MEMBER_STATE", NULL), "UNREACHABLE");
        if (!id) {
            return false;
        }
        group->size++;
        group->reachable += reachable;
        if (text_equal(id, seen->self_id)) {
            read_self(client, row, seen);
        }
        if (!group->many && is_text(client_value(client, row, "MEMBER_ROLE", NULL), "PRIMARY")) {
            text_tame(group->leader_id, sizeof group->leader_id, id);
        }
        advertise_member(client, row, seen);
        leader_is_there = leader_is_there || (reachable && text_equal(id, group->leader_id));
    }
    set_upstream(seen, leader_is_there);
    return true;
}

bool group_is_vital(const struct observation *seen)
{
    return seen->group.type == GROUP_REPLICATION;
}
