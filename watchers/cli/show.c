/* roster show: one cluster as this machine's compute nodes know it.
 *
 *     orders: ok, pg-2 is primary (epoch 7)
 *       pg-2 is primary on timeline 8, read by 3 of 3 witnesses
 *       ...
 *       pg-2      10.0.0.2:5432  primary    up      weight 100  zone=b
 *       \_ pg-3   10.0.0.3:5432  secondary  up      lag 0 B     weight 100
 *       pg-1      10.0.0.1:5432  none       down    refused     fenced
 *
 * A customer of libroster, so that it shows what routing follows: what libroster
 * refuses, show refuses. */
#include <stdio.h>
#include <string.h>

#include "registry/base/clock.h"
#include "registry/base/limits.h"
#include "registry/base/text.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/last_seen.h"
#include "watchers/cli/output.h"
#include "watchers/cli/view.h"

/* ---- the head -------------------------------------------------------------------------------- */

static void print_title(const struct view *view)
{
    const struct roster_state *state = &view->state;
    const char *word = view_state_name(state->state);
    output_put(STRONG, "%s", view->cluster);
    printf(": ");
    output_put(colour_of(word), "%s", word);
    if (state->primary[0]) {
        printf(", %s is primary", state->primary);
    } else {
        printf(", no primary");
    }
    printf(" (epoch %lld)\n", (long long)state->epoch);
}

/* What is not confirmed may not be so any more: then the sentence has its age. */
static void print_why(const struct roster_state *state)
{
    char age[32] = "";
    if (state->age_ms > 0 || (state->age_ms == 0 && state->refused[0])) {
        text_duration(age, sizeof age, state->age_ms);
    }
    printf("  why      %s%s%s%s\n", state->why[0] ? state->why : "-", age[0] ? " (as of " : "", age,
           age[0] ? " ago)" : "");
}

static void print_verdict(const struct roster_state *state)
{
    char at[32] = "an unknown time";
    char since[48] = "", spell[32];
    if (state->at_wall_ms) {
        int64_t since_ms = clock_wall_ms() - state->at_wall_ms;
        text_time(at, sizeof at, state->at_wall_ms);
        if (since_ms >= 0) {
            snprintf(since, sizeof since, " (%s ago)",
                     text_duration(spell, sizeof spell, since_ms));
        } else {
            strcpy(since, " (by a clock ahead of ours)");
        }
    }
    print_why(state);
    printf("  rule     %s, by %s at %s%s\n", state->rule[0] ? state->rule : "-",
           state->by[0] ? state->by : "-", at, since);
    printf("  engine   %s %s", state->engine, state->kind);
    printf("%s%s", state->lineage[0] ? ", lineage " : "", state->lineage);
    printf("%s%s\n", state->identity[0] ? ", identity " : "", state->identity);
}

static void print_witnesses(const struct roster_state *state)
{
    printf("  fleet    ");
    if (state->witnesses_now < 0) {
        output_put(DOUBTFUL, "witnesses not known: the registry does not answer");
        printf(" (%d should watch, quorum %d)\n", state->witnesses, state->quorum);
        return;
    }
    bool enough = state->witnesses_now >= state->quorum;
    int beyond = state->witnesses_now - state->witnesses;
    output_put(enough ? PLAIN : BAD, "%d of %d witnesses present",
               beyond > 0 ? state->witnesses : state->witnesses_now, state->witnesses);
    if (beyond > 0) {
        printf(" and %d more", beyond);
    }
    printf(", quorum %d%s\n", state->quorum, enough ? "" : ": frozen, no verdict can change");
}

static void print_age(const struct roster_state *state)
{
    char age[32];
    text_duration(age, sizeof age, state->age_ms);
    printf("  age      ");
    output_put(state->age_ms != 0 ? DOUBTFUL : PLAIN, "%s", age);
    if (state->cached) {
        printf(", from the cache");
    }
    if (!state->connected) {
        printf(", the registry does not answer");
    } else if (state->age_ms != 0 && state->witnesses_now > 0 && !state->refused[0]) {
        printf(", the registry has not answered since");
    } else if (state->age_ms != 0 && !state->refused[0]) {
        printf(", none of the probes that reached it is present");
    }
    if (state->age_ms < 0) {
        printf(
            ", the verdict is dated later than now: this machine's clock, or a probe's, is wrong");
    }
    printf("\n");
    if (state->refused[0]) {
        printf("  refused  ");
        output_put(BAD, "%s", state->refused);
        printf("\n");
    }
}

static void print_orders(const struct view *view)
{
    if (view->directives_refused[0]) {
        printf("  orders   ");
        output_put(BAD, "cannot be read: %s", view->directives_refused);
        printf("\n");
    }
}

/* ---- the tree -------------------------------------------------------------------------------- */

struct tree {
    const struct view *view;
    struct grid *grid;
    /* members printed already: two that replicate from each other must end */
    uint32_t printed;
};

static void put_lag(struct grid *grid, const struct roster_endpoint *endpoint)
{
    char bytes[32] = "";
    char ms[32] = "";
    char transactions[48] = "";
    if (endpoint->role == ROSTER_ROLE_PRIMARY) {
        grid_cell(grid, PLAIN, "%s", "");
    } else if (endpoint->lag_state == ROSTER_LAG_BROKEN) {
        grid_cell(grid, BAD, "replication broken");
    } else if (endpoint->lag_state == ROSTER_LAG_UNKNOWN) {
        grid_cell(grid, FAINT, "%s", endpoint->role == ROSTER_ROLE_SECONDARY ? "lag unknown" : "");
    } else {
        if (endpoint->lag_bytes >= 0) {
            text_bytes(bytes, sizeof bytes, endpoint->lag_bytes);
        }
        if (endpoint->lag_ms >= 0) {
            text_duration(ms, sizeof ms, endpoint->lag_ms);
        }
        if (endpoint->lag_transactions >= 0) {
            snprintf(transactions, sizeof transactions, "%lld transactions",
                     (long long)endpoint->lag_transactions);
        }
        bool any = ms[0] || bytes[0];
        grid_cell(grid, PLAIN, "lag %s%s%s%s%s", bytes, bytes[0] && ms[0] ? ", " : "", ms,
                  any && transactions[0] ? ", " : "",
                  transactions[0] ? transactions
                  : any           ? ""
                                  : "ok");
    }
}

static void put_marks(struct grid *grid, const struct view *view,
                      const struct roster_member *member)
{
    char marks[256];
    const struct member *known = topology_member(&view->topology, member->endpoint.name);
    struct text text;
    text_init(&text, marks, sizeof marks);
    const char *gap = "";
    if (member->condition[0]) {
        text_put(&text, "%s", member->condition);
        gap = ", ";
    }
    if (known && known->closed_by[0]) {
        text_put(&text, "%sclosed by %s", gap, known->closed_by);
        gap = ", ";
    }
    if (member->sync) {
        text_put(&text, "%ssync", gap);
        gap = ", ";
    }
    if (member->fenced) {
        text_put(&text, "%sfenced", gap);
        gap = ", ";
    }
    if (member->drained) {
        text_put(&text, "%sdrained", gap);
        gap = ", ";
    }
    if (member->claims && member->endpoint.role != ROSTER_ROLE_PRIMARY) {
        text_put(&text, "%sclaims to be primary", gap);
    }
    grid_cell(grid, BAD, "%s", marks);
}

static void put_member(struct tree *tree, size_t index, int depth)
{
    const struct roster_member *member = &tree->view->members[index];
    const struct roster_endpoint *endpoint = &member->endpoint;
    const char *role = view_role_name(endpoint->role);
    const char *health = view_health_name(endpoint->health);
    char address[ADDRESS_SIZE];
    tree->printed |= UINT32_C(1) << index;
    text_address(address, sizeof address, endpoint->host, endpoint->port);
    grid_cell(tree->grid, PLAIN, "%*s%s%s", depth > 1 ? 3 * (depth - 1) : 0, "",
              depth > 0 ? "\\_ " : "", endpoint->name);
    grid_cell(tree->grid, PLAIN, "%s", address);
    grid_cell(tree->grid, colour_of(role), "%s", role);
    if (member->reason[0]) {
        grid_cell(tree->grid, colour_of(health), "%s (%s)", health, member->reason);
    } else {
        grid_cell(tree->grid, colour_of(health), "%s", health);
    }
    put_lag(tree->grid, endpoint);
    grid_cell(tree->grid, PLAIN, "weight %u", endpoint->weight);
    put_marks(tree->grid, tree->view, member);
    grid_cell(tree->grid, FAINT, "%s", member->labels);
    grid_end_row(tree->grid);
}

static bool is_printed(const struct tree *tree, size_t index)
{
    return (tree->printed >> index & 1) != 0;
}

static void put_branch(struct tree *tree, size_t index, int depth)
{
    put_member(tree, index, depth);
    for (size_t i = 0; i < tree->view->member_count; i++) {
        if (!is_printed(tree, i) &&
            text_equal(tree->view->members[i].upstream, tree->view->members[index].endpoint.name)) {
            put_branch(tree, i, depth + 1);
        }
    }
}

static bool has_upstream(const struct view *view, const struct roster_member *member)
{
    for (size_t i = 0; i < view->member_count; i++) {
        if (text_equal(view->members[i].endpoint.name, member->upstream)) {
            return true;
        }
    }
    return false;
}

/* The primary's branch first, then those that follow nobody, then what is left: circles. */
static void print_tree(const struct view *view)
{
    struct tree tree = {.view = view, .grid = grid_new()};
    for (int turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < view->member_count; i++) {
            const struct roster_member *member = &view->members[i];
            bool due = turn == 0   ? member->endpoint.role == ROSTER_ROLE_PRIMARY
                       : turn == 1 ? !has_upstream(view, member)
                                   : true;
            if (due && !is_printed(&tree, i)) {
                put_branch(&tree, i, 0);
            }
        }
    }
    printf("\n");
    grid_print(tree.grid, "  ");
    grid_free(tree.grid);
}

/* Without --cache, what was seen last is in a folder of the user's. A registry that contradicts it
 * is believed: that folder must never keep its owner from a registry that answers. */
static int look(const struct args *args, struct view *view)
{
    struct args with = *args;
    const char *folder = args->cache ? NULL : last_seen_open(args);
    bool again = false;
    char seen[sizeof view->state.refused] =
        ""; /* what the folder has to say against the registry */
    int code;
    with.cache = args->cache ? args->cache : folder;
    do {
        struct roster *roster;
        struct roster_cluster *cluster;
        code = open_roster(&with, &roster);
        if (code != CLI_DONE) {
            return code;
        }
        code = view_follow(roster, &with, &cluster);
        if (code == CLI_DONE) {
            view_read(view, &with, cluster);
        }
        roster_close(roster);
        again =
            code == CLI_DONE && folder && !again && view->state.connected && view->state.refused[0];
        if (again) {
            last_seen_forget(folder, args->operands[0]);
            strcpy(seen, view->state.refused);
        }
    } while (again);
    if (code == CLI_DONE && !view->state.refused[0]) { /* told once: from now on it is forgotten */
        strcpy(view->state.refused, seen);
    }
    return code;
}

int show_run(const struct args *args)
{
    static struct view view;
    if (!is_cluster_name(args->operands[0])) {
        return CLI_USAGE;
    }
    int code = look(args, &view);
    if (code != CLI_DONE) {
        return code;
    }
    if (has_option(args, OPTION_JSON)) {
        view_json(&view, stdout);
    } else {
        print_title(&view);
        print_verdict(&view.state);
        print_witnesses(&view.state);
        print_age(&view.state);
        print_orders(&view);
        print_tree(&view);
        static struct remark_scene scene;
        view_scene(&view, &scene);
        print_remarks(&scene);
    }
    return CLI_DONE;
}
