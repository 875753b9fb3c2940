/* roster route: the answer that a compute node's roster_route() would get here and now. */
#include <stdio.h>

#include "registry/base/limits.h"
#include "registry/base/text.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/output.h"
#include "watchers/cli/view.h"

static int refuse(enum roster_status status, const struct args *args,
                  const struct roster_state *state)
{
    const char *cluster = args->operands[0];
    char age[32];
    switch (status) {
    case ROSTER_NO_ENDPOINT:
        if (text_equal(args->operands[1], "write")) {
            return fail(CLI_NO_ENDPOINT,
                        "%s has no primary to write to (%s); see `roster explain %s`", cluster,
                        view_state_name(state->state), cluster);
        }
        return fail(CLI_NO_ENDPOINT, "%s has no secondary fit for this read%s", cluster,
                    args->request.fallback ? ", and no primary to fall back to"
                                           : "; --fallback would take the primary");
    case ROSTER_TOO_OLD:
        text_duration(age, sizeof age, state->age_ms);
        if (state->age_ms <= 0) {
            return fail(CLI_NO_ENDPOINT, "what is known of %s is older than --max-age allows%s",
                        cluster, state->age_ms < 0 ? ": its age is not known" : "");
        }
        return fail(CLI_NO_ENDPOINT, "what is known of %s is %s old, older than --max-age allows",
                    cluster, age);
    case ROSTER_NO_CLUSTER:
        return fail(CLI_NO_CLUSTER, "%s has no topology", cluster);
    default:
        return fail(CLI_INTERNAL, "%s", roster_strerror(status));
    }
}

static int route(const struct args *args, struct roster_cluster *cluster)
{
    enum roster_access access = text_equal(args->operands[1], "write") ? ROSTER_WRITE : ROSTER_READ;
    struct roster_endpoint to;
    struct roster_state state;
    char address[ADDRESS_SIZE];
    for (int64_t i = 0; i < args->count && !ferror(stdout); i++) {
        enum roster_status status = roster_route(cluster, access, &args->request, &to);
        if (status != ROSTER_OK) {
            roster_state(cluster, &state);
            return refuse(status, args, &state);
        }
        printf("%s %s %s\n", to.name, text_address(address, sizeof address, to.host, to.port),
               view_role_name(to.role));
    }
    return CLI_DONE;
}

static bool is_sensible(const struct args *args)
{
    const char *access = args->operands[1];
    if (!is_cluster_name(args->operands[0])) {
        return false;
    }
    if (!text_equal(access, "write") && !text_equal(access, "read")) {
        fail(CLI_USAGE, "'%s' is neither write nor read", access);
        return false;
    }
    uint32_t reads = OPTION_BIT(OPTION_MAX_LAG) | OPTION_BIT(OPTION_MAX_LAG_BYTES) |
                     OPTION_BIT(OPTION_STRICT) | OPTION_BIT(OPTION_FALLBACK);
    if (text_equal(access, "write") && (args->given & reads)) {
        fail(CLI_USAGE,
             "--max-lag, --max-lag-bytes, --strict and --fallback are for reads: a write "
             "goes to the primary");
        return false;
    }
    return true;
}

int route_run(const struct args *args)
{
    if (!is_sensible(args)) {
        return CLI_USAGE;
    }
    struct roster *roster;
    struct roster_cluster *cluster;
    int code = open_roster(args, &roster);
    if (code != CLI_DONE) {
        return code;
    }
    code = view_follow(roster, args, &cluster);
    if (code == CLI_DONE) {
        code = route(args, cluster);
    }
    roster_close(roster);
    return code;
}
