/* roster explain: from the verdict back to what every probe saw.
 *
 *     orders: ok, pg-2 is primary (epoch 7)
 *       why      pg-2 is primary on timeline 8, read by 3 of 3 witnesses
 *       ...
 *     witnesses: who reports, and who votes
 *     pg-1: what each of them sees of it ...
 *     directives
 *     configuration: where the reports differ
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "registry/base/text.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/evidence.h"
#include "watchers/cli/output.h"
#include "watchers/cli/view.h"

/* ---- the verdict ----------------------------------------------------------------------------- */

static void print_verdict(const struct cluster_evidence *evidence)
{
    const struct topology *topology = &evidence->topology;
    const char *state = evidence->past[0] ? "refused" : state_names[topology->state];
    char at[32] = "an unknown time";
    output_put(STRONG, "%s", evidence->cluster);
    printf(": ");
    output_put(colour_of(state), "%s", state);
    printf(", %s%s (epoch %lld)\n", topology->primary[0] ? topology->primary : "no primary",
           topology->primary[0] ? " is primary" : "", (long long)topology->epoch);
    if (topology->at_wall_ms) {
        text_time(at, sizeof at, topology->at_wall_ms);
    }
    printf("  why      %s\n", topology->why[0] ? topology->why : "-");
    const char *rule = topology_rule(topology);
    printf("  rule     %s, by %s at %s (zxid %lld)\n", rule[0] ? rule : "-",
           topology->by[0] ? topology->by : "-", at, (long long)evidence->topology_mzxid);
    if (topology->seen_wall_ms && topology->at_wall_ms) {
        char verdict[80];
        printf("  seen     %s, verdict %s\n", text_time(at, sizeof at, topology->seen_wall_ms),
               text_since(verdict, sizeof verdict, topology->at_wall_ms, topology->seen_wall_ms));
    }
    printf("  engine   %s %s%s%s%s%s\n", engine_names[topology->policy.engine],
           kind_names[topology->policy.kind], topology->lineage[0] ? ", lineage " : "",
           topology->lineage, topology->identity[0] ? ", identity " : "", topology->identity);
    printf("  policy   witnesses %d (quorum %d), conflict %s, writers %s\n",
           topology->policy.witnesses, quorum_of(topology->policy.witnesses),
           conflict_names[topology->policy.conflict], writers_names[topology->policy.writers]);
}

static void print_past(const struct cluster_evidence *evidence)
{
    if (evidence->past[0]) {
        printf("  refused  ");
        output_put(BAD, "%s", evidence->past);
        printf("\n");
    }
}

/* Does the evidence of now lead to the verdict in the registry? */
static void print_recomputed(const struct cluster_evidence *evidence)
{
    printf("  now      ");
    if (!evidence->quorum) {
        output_put(BAD, "no quorum of witnesses is present and votes: the verdict cannot change");
    } else if (!evidence->decided) {
        output_put(BAD, "the directives cannot be read: probes keep those that they read before, "
                        "and one that starts decides nothing");
    } else if (evidence->has_topology && topology_equal(&evidence->topology, &evidence->now)) {
        output_put(GOOD, "the evidence present leads to the same verdict");
    } else {
        output_put(DOUBTFUL, "the evidence present leads to %s: %s (rule %s)",
                   evidence->has_topology ? "another verdict" : "a verdict", evidence->now.why,
                   topology_rule(&evidence->now));
    }
    printf("\n");
}

/* ---- the witnesses --------------------------------------------------------------------------- */

static void put_vote(struct grid *grid, const struct probe_evidence *probe)
{
    if (!probe->readable) {
        grid_cell(grid, BAD, "unreadable: %s", probe->error.sentence);
    } else if (!probe->present) {
        grid_cell(grid, BAD, "does not vote: its probe is gone");
    } else if (probe->report.abstains[0]) {
        grid_cell(grid, DOUBTFUL, "abstains: %s", probe->report.abstains);
    } else if (probe->version == 0) {
        grid_cell(grid, DOUBTFUL, "does not vote: its first write never does");
    } else {
        grid_cell(grid, probe->votes ? GOOD : DOUBTFUL, "%s",
                  probe->votes ? "votes" : "spare: enough others vote");
    }
}

/* Does the verdict rest on this very write? */
static const char *use_of(const struct cluster_evidence *evidence,
                          const struct probe_evidence *probe)
{
    for (size_t i = 0; i < evidence->topology.evidence_count; i++) {
        const struct evidence_ref *ref = &evidence->topology.evidence[i];
        if (text_equal(ref->probe, probe->name)) {
            return ref->mzxid == probe->mzxid ? "the verdict rests on it"
                                              : "rewritten since the verdict";
        }
    }
    return evidence->has_topology ? "not in the verdict" : "";
}

static void print_witnesses(const struct cluster_evidence *evidence)
{
    struct grid *grid = grid_new();
    output_put(STRONG, "\nwitnesses");
    printf("%s\n", evidence->probe_count ? "" : ": no probe reports this cluster");
    for (size_t i = 0; i < evidence->probe_count; i++) {
        const struct probe_evidence *probe = &evidence->probes[i];
        grid_cell(grid, PLAIN, "%s", probe->name);
        put_vote(grid, probe);
        grid_cell(grid, FAINT, "%s", use_of(evidence, probe));
        if (probe->presence_readable) {
            grid_cell(grid, FAINT, "beat %llu, %s pid %lld, %s",
                      (unsigned long long)probe->presence.beat, probe->presence.host,
                      (long long)probe->presence.pid, probe->presence.version);
        } else {
            grid_cell(grid, FAINT, "%s", probe->present ? "its presence cannot be read" : "");
        }
        grid_end_row(grid);
    }
    for (size_t i = 0; i < evidence->topology.evidence_count; i++) {
        const char *probe = evidence->topology.evidence[i].probe;
        bool reports = false;
        for (size_t k = 0; k < evidence->probe_count; k++) {
            reports = reports || text_equal(evidence->probes[k].name, probe);
        }
        if (!reports) {
            grid_cell(grid, PLAIN, "%s", probe);
            grid_cell(grid, BAD, "gone");
            grid_cell(grid, FAINT, "the verdict rests on its report");
            grid_end_row(grid);
        }
    }
    grid_print(grid, "  ");
    grid_free(grid);
    if (evidence->left_out) {
        printf("  and %zu more, beyond what is read\n", evidence->left_out);
    }
}

/* ---- the members ----------------------------------------------------------------------------- */

static void put_set(struct text *text, const char *what, const struct report *report, uint32_t set)
{
    const char *before = what;
    for (size_t i = 0; i < report->member_count; i++) {
        if (set >> i & 1) {
            text_put(text, "%s %s", before, report->members[i].config.name);
            before = "";
        }
    }
    if (set) {
        text_put(text, ", ");
    }
}

static void put_lag(struct grid *grid, const struct member_report *seen)
{
    char bytes[32] = "-";
    char ms[32] = "-";
    if (seen->lag.state != LAG_OK) {
        bool relevant = seen->lag.state == LAG_BROKEN || seen->upstream[0];
        grid_cell(grid, seen->lag.state == LAG_BROKEN ? BAD : FAINT, "%s%s", relevant ? "lag " : "",
                  relevant ? lag_state_names[seen->lag.state] : "");
        return;
    }
    if (seen->lag.bytes >= 0) {
        text_bytes(bytes, sizeof bytes, seen->lag.bytes);
    }
    if (seen->lag.ms >= 0) {
        text_duration(ms, sizeof ms, seen->lag.ms);
    }
    if (seen->lag.transactions >= 0) {
        grid_cell(grid, PLAIN, "lag %lld transactions", (long long)seen->lag.transactions);
    } else {
        grid_cell(grid, PLAIN, "lag %s, %s", bytes, ms);
    }
}

static void put_facts(struct grid *grid, const struct report *report,
                      const struct member_report *seen)
{
    char facts[SENTENCE_SIZE];
    struct text text;
    text_init(&text, facts, sizeof facts);
    if (seen->claim) {
        text_put(&text, seen->shared ? "claims beside others, " : "claims, ");
    }
    if (seen->answer == ANSWER_OK) {
        text_put(&text, "%s, ",
                 seen->writable       ? "writable"
                 : seen->closed_by[0] ? "takes no writes"
                                      : "read-only");
    }
    if (seen->closed_by[0]) {
        text_put(&text, "closed by %s, ", seen->closed_by);
    }
    if (seen->upstream[0]) {
        text_put(&text, "%s %s, ", seen->live ? "streams from" : "points to", seen->upstream);
    } else if (seen->replica) {
        text_put(&text, "%s, ",
                 seen->live ? "streams from none of the members" : "replica without a stream");
    }
    if (seen->condition != CONDITION_FIT) {
        text_put(&text, "%s, ", condition_names[seen->condition]);
    }
    if (seen->lag.delay_ms > 0) {
        char delay[32];
        text_put(&text, "delayed by %s, ", text_duration(delay, sizeof delay, seen->lag.delay_ms));
    }
    if (seen->sync) {
        text_put(&text, "synchronous, ");
    }
    put_set(&text, "replicas", report, seen->replicas);
    put_set(&text, "lacks what is on", report, seen->lacks);
    if (seen->missing[0]) {
        text_put(&text, "the account lacks %s, ", seen->missing);
    }
    if (seen->left.sessions || seen->left.handshakes) {
        text_put(&text, "left behind: %d session%s, %d handshake%s a minute, ", seen->left.sessions,
                 seen->left.sessions == 1 ? "" : "s", seen->left.handshakes,
                 seen->left.handshakes == 1 ? "" : "s");
    }
    if (seen->last_role != ROLE_NONE) {
        text_put(&text, "last seen as %s%s%s, ", role_names[seen->last_role],
                 seen->last_lineage[0] ? " on lineage " : "", seen->last_lineage);
    }
    if (text.used >= 2) {
        facts[text.used - 2] = '\0'; /* the last comma */
    }
    grid_cell(grid, PLAIN, "%s", facts);
}

static void put_member_report(struct grid *grid, const struct probe_evidence *probe,
                              const struct member_report *seen)
{
    grid_cell(grid, probe->votes ? PLAIN : FAINT, "%s%s", probe->name,
              probe->votes ? "" : " (no vote)");
    if (!seen) {
        grid_cell(grid, DOUBTFUL, "does not list it");
        grid_end_row(grid);
        return;
    }
    grid_cell(grid, colour_of(health_names[answer_health(seen->answer)]), "%s",
              answer_names[seen->answer]);
    put_facts(grid, &probe->report, seen);
    grid_cell(grid, PLAIN, "%s%s", seen->lineage[0] ? "lineage " : "", seen->lineage);
    grid_cell(grid, PLAIN, "%s%s", seen->identity[0] ? "identity " : "", seen->identity);
    put_lag(grid, seen);
    grid_cell(grid, FAINT, "%s", seen->version);
    grid_end_row(grid);
}

static void print_member_state(const struct member *member)
{
    char address[ADDRESS_SIZE];
    const char *health = health_names[member->health];
    text_address(address, sizeof address, member->config.host, member->config.port);
    printf(" %s: %s, ", address, role_names[member->role]);
    output_put(colour_of(health), "%s", health);
    if (member->reason != ANSWER_OK) {
        printf(" (%s)", answer_names[member->reason]);
    }
    if (member->alias[0]) {
        printf(", alias of %s", member->alias);
    }
    if (member->fenced) {
        printf(", fenced since epoch %lld", (long long)member->fenced_epoch);
    }
    printf("%s%s%s", member->condition != CONDITION_FIT ? ", " : "",
           member->condition != CONDITION_FIT ? condition_names[member->condition] : "",
           member->sync ? ", synchronous" : "");
    printf("%s%s", member->closed_by[0] ? ", closed by " : "", member->closed_by);
    printf("%s%s, weight %u\n", member->drained ? ", drained" : "",
           member->claims ? ", claims to be primary" : "", member->config.weight);
}

static void print_member(const struct cluster_evidence *evidence, const char *name)
{
    const struct member *member =
        evidence->has_topology ? topology_member(&evidence->topology, name) : NULL;
    struct grid *grid = grid_new();
    printf("\n");
    output_put(STRONG, "%s", name);
    if (member) {
        print_member_state(member);
    } else {
        printf(": not in the verdict\n");
    }
    for (size_t i = 0; i < evidence->probe_count; i++) {
        if (evidence->probes[i].readable) {
            put_member_report(grid, &evidence->probes[i],
                              report_member(&evidence->probes[i].report, name));
        }
    }
    grid_print(grid, "  ");
    grid_free(grid);
}

/* Calls `visit` once for every member of the topology or of a report, by name. */
static void each_member(const struct cluster_evidence *evidence,
                        void (*visit)(const struct cluster_evidence *, const char *))
{
    const char *last = "";
    for (;;) {
        const char *next = NULL;
        for (size_t i = 0; evidence->has_topology && i < evidence->topology.member_count; i++) {
            const char *name = evidence->topology.members[i].config.name;
            next = strcmp(name, last) > 0 && (!next || strcmp(name, next) < 0) ? name : next;
        }
        for (size_t i = 0; i < evidence->probe_count; i++) {
            const struct report *report = &evidence->probes[i].report;
            for (size_t k = 0; evidence->probes[i].readable && k < report->member_count; k++) {
                const char *name = report->members[k].config.name;
                next = strcmp(name, last) > 0 && (!next || strcmp(name, next) < 0) ? name : next;
            }
        }
        if (!next) {
            return;
        }
        visit(evidence, next);
        last = next;
    }
}

/* ---- directives ------------------------------------------------------------------------------ */

static void print_beside(const struct cluster_evidence *evidence)
{
    static struct remark_scene scene;
    const struct topology *topology = &evidence->topology;
    scene = (struct remark_scene){
        .cluster = evidence->cluster,
        .elected = topology->elected > 0 ? topology->elected : topology->epoch,
        .directives = evidence->has_directives ? &evidence->directives : NULL,
    };
    for (size_t i = 0; i < topology->member_count; i++) {
        scene.members[scene.member_count++] = (struct remark_member){
            topology->members[i].config.name, claim_of(&topology->members[i], topology)};
    }
    print_remarks(&scene);
}

static void print_directives(const struct cluster_evidence *evidence)
{
    const struct directives *directives = &evidence->directives;
    output_put(STRONG, "\ndirectives");
    if (evidence->directives_refused[0]) {
        output_put(BAD, ": cannot be read: %s", evidence->directives_refused);
    } else if (!directives->drain_count && !directives->weight_count && !directives->hold[0] &&
               !directives->accept_count) {
        printf(": none");
    }
    printf("\n");
    for (size_t i = 0; i < directives->drain_count; i++) {
        printf("  drain    %s\n", directives->drain[i]);
    }
    for (size_t i = 0; i < directives->weight_count; i++) {
        printf("  weight   %s %u\n", directives->weight[i].name, directives->weight[i].weight);
    }
    if (directives->hold[0]) {
        printf("  hold     %s\n", directives->hold);
    }
    for (size_t i = 0; i < directives->accept_count; i++) {
        printf("  accept   %s as of epoch %lld%s\n", directives->accept[i].name,
               (long long)directives->accept[i].epoch,
               directives->accept[i].replace ? ", in the place of a primary that is up" : "");
    }
    if (evidence->has_topology) {
        print_beside(evidence);
    }
    if (evidence->has_topology && evidence->has_directives &&
        evidence->topology.directives_mzxid != evidence->directives_mzxid) {
        printf("  (written after the verdict)\n");
    }
}

/* ---- drift ----------------------------------------------------------------------------------- */

/* Writes one setting as one report has it. */
typedef void setting(const struct report *report, const char *member, struct text *text);

static void describe_policy(const struct report *report, const char *member, struct text *text)
{
    (void)member;
    text_put(text, "%s %s, witnesses %d, conflict %s, writers %s",
             engine_names[report->policy.engine], kind_names[report->policy.kind],
             report->policy.witnesses, conflict_names[report->policy.conflict],
             writers_names[report->policy.writers]);
}

static void describe_member(const struct report *report, const char *member, struct text *text)
{
    const struct member_report *seen = report_member(report, member);
    if (!seen) {
        text_put(text, "not listed");
        return;
    }
    char address[ADDRESS_SIZE];
    text_put(text, "%s, weight %u",
             text_address(address, sizeof address, seen->config.host, seen->config.port),
             seen->config.weight);
    for (size_t i = 0; i < seen->config.label_count; i++) {
        text_put(text, ", %s=%s", seen->config.labels[i].key, seen->config.labels[i].value);
    }
}

/* Prints the setting of each report when they differ. */
static bool print_drift(const struct cluster_evidence *evidence, const char *what,
                        const char *member, setting *describe)
{
    char texts[REPORTS_MAX][SENTENCE_SIZE];
    const char *first = NULL;
    bool differ = false;
    for (size_t i = 0; i < evidence->probe_count; i++) {
        struct text text;
        text_init(&text, texts[i], sizeof texts[i]);
        if (evidence->probes[i].readable) {
            describe(&evidence->probes[i].report, member, &text);
            differ = differ || (first && !text_equal(first, texts[i]));
            first = first ? first : texts[i];
        }
    }
    for (size_t i = 0; differ && i < evidence->probe_count; i++) {
        if (evidence->probes[i].readable) {
            printf("  %s by %s: %s\n", what, evidence->probes[i].name, texts[i]);
        }
    }
    return differ;
}

static bool drifts; /* the result of the visits of print_member_drift */

static void print_member_drift(const struct cluster_evidence *evidence, const char *member)
{
    drifts = print_drift(evidence, member, member, describe_member) || drifts;
}

static void print_configuration(const struct cluster_evidence *evidence)
{
    output_put(STRONG, "\nconfiguration");
    printf(": where the reports differ\n");
    drifts = print_drift(evidence, "cluster", "", describe_policy);
    each_member(evidence, print_member_drift);
    if (!drifts) {
        printf("  nowhere\n");
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void print_evidence(const struct cluster_evidence *evidence)
{
    if (evidence->has_topology) {
        print_verdict(evidence);
    } else {
        output_put(STRONG, "%s", evidence->cluster);
        printf(": no verdict%s%s\n", evidence->topology_refused[0] ? " that can be read: " : " yet",
               evidence->topology_refused);
    }
    print_past(evidence);
    print_recomputed(evidence);
    print_witnesses(evidence);
    each_member(evidence, print_member);
    print_directives(evidence);
    print_configuration(evidence);
}

int explain_run(const struct args *args)
{
    const char *cluster = args->operands[0];
    if (!is_cluster_name(cluster)) {
        return CLI_USAGE;
    }
    struct cluster_evidence *evidence = malloc(sizeof *evidence);
    struct client *client = NULL;
    int code = evidence ? client_open(args, &client) : fail(CLI_INTERNAL, "out of memory");
    if (code == CLI_DONE) {
        code = cluster_evidence_read(client, args, cluster, evidence);
    }
    if (code == CLI_DONE && evidence->exists) {
        print_evidence(evidence);
    } else if (code == CLI_DONE) {
        print_past(evidence);
    }
    if (code == CLI_DONE && !evidence->has_topology) {
        code = client_topology(client, args, cluster, &evidence->topology); /* prints why not */
    }
    client_close(client);
    free(evidence);
    return code;
}
