#include "probes/log_events.h"

#include <stdarg.h>
#include <stdio.h>

#include "registry/base/clock.h"
#include "registry/base/log.h"
#include "registry/base/text.h"
#include "registry/fleet/audit.h"

enum { LOG_SENTENCE_SIZE = 1800 };

static void say(struct log_events *log, enum log_level level, const char *subject,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

static void say(struct log_events *log, enum log_level level, const char *subject,
                const char *format, ...)
{
    char sentence[LOG_SENTENCE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    log_events_say(log, level, subject, sentence);
}

void log_events_say(struct log_events *log, enum log_level level, const char *subject,
                    const char *sentence)
{
    unsigned long kept_back = 0;
    if (level <= LOG_NOTICE &&
        !damper_tells(&log->damper, subject, sentence, clock_mono_ms(), &kept_back)) {
        return;
    }
    if (kept_back > 0) {
        log_line(level, subject, "%s (and %lu times more since it was told)", sentence, kept_back);
    } else {
        log_line(level, subject, "%s", sentence);
    }
}

static void log_member(struct log_events *log, const char *cluster, const struct assessed *member)
{
    char subject[2 * NAME_SIZE];
    snprintf(subject, sizeof subject, "%s/%s", cluster, member->config.name);
    if (member->standing == ANSWER_OK) {
        say(log, LOG_NOTICE, subject, "answers: %s, version %s%s%s",
            member->facts.replica ? "a replica" : "no replica", member->facts.version,
            member->facts.writable ? ", writable" : "",
            member->facts.missing[0] ? "; a privilege is missing" : "");
        if (member->facts.closed_by[0]) {
            say(log, LOG_WARNING, subject, "takes no writes: %s", member->facts.closed_by);
        }
        if (member->facts.missing[0]) {
            say(log, LOG_WARNING, subject, "the account lacks %s: what depends on it is not seen",
                member->facts.missing);
        }
    } else {
        say(log, LOG_WARNING, subject, "went %s%s%s", answer_names[member->standing],
            member->detail[0] ? ": " : "", member->detail);
    }
}

static void log_verdict(struct log_events *log, const char *cluster, const struct topology *before,
                        const struct topology *now)
{
    if (!before || !text_equal(before->primary, now->primary)) {
        say(log, LOG_NOTICE, cluster,
            "primary went %s (rule %s) epoch=%lld was=%s state=%s by=%s: %s",
            now->primary[0] ? now->primary : "none", topology_rule(now), (long long)now->epoch,
            before && before->primary[0] ? before->primary : "none", state_names[now->state],
            now->by, now->why);
        if (now->seen_wall_ms) {
            char seen[CLOCK_TEXT_SIZE], verdict[80];
            say(log, LOG_NOTICE, cluster, "timeline: evidence %s, verdict %s",
                text_time(seen, sizeof seen, now->seen_wall_ms),
                text_since(verdict, sizeof verdict, now->at_wall_ms, now->seen_wall_ms));
        }
    } else if (before->state != now->state) {
        say(log, now->state == STATE_OK ? LOG_NOTICE : LOG_WARNING, cluster,
            "state went %s (rule %s) by=%s: %s", state_names[now->state], topology_rule(now),
            now->by, now->why);
    } else {
        say(log, LOG_INFO, cluster, "topology changed by %s: %s", now->by, now->why);
    }
}

static void log_discovery(struct log_events *log, const char *cluster, enum discovery_event event,
                          const struct candidate *candidate, const char *why)
{
    char address[ADDRESS_SIZE], name[NAME_SIZE];
    text_address(address, sizeof address, candidate->host, candidate->port);
    discovery_name(candidate, name);
    switch (event) {
    case DISCOVERY_NAMED:
        say(log, LOG_NOTICE, cluster, "discovery: %s is named by %s: to be verified", address, why);
        break;
    case DISCOVERY_VERIFIED:
        say(log, LOG_NOTICE, cluster, "discovery: %s is verified: member %s", address, name);
        break;
    case DISCOVERY_REFUSED:
        say(log, LOG_NOTICE, cluster, "discovery: %s is refused: %s",
            candidate->port ? address : candidate->host, why);
        break;
    case DISCOVERY_FORGOTTEN:
        say(log, LOG_NOTICE, cluster,
            "discovery: member %s is forgotten: it is silent, and nobody names it", name);
        break;
    }
}

static void log_alias(struct log_events *log, const struct fact *fact)
{
    char subject[2 * NAME_SIZE];
    snprintf(subject, sizeof subject, "%s/%s", fact->cluster, fact->member);
    say(log, LOG_NOTICE, subject, "%s%s",
        fact->text[0] ? "is listed twice: it is the server " : "is a server of its own again",
        fact->text);
}

static void log_of_cluster(struct log_events *log, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_LOOKS_CLOSELY:
        say(log, LOG_INFO, fact->cluster, "looking closely: %s%s%s", fact->member,
            fact->member[0] ? ": " : "", fact->text);
        break;
    case FACT_ABSTAINS:
        say(log, LOG_NOTICE, fact->cluster, "this probe abstains: %s", fact->text);
        break;
    case FACT_VOTES:
        say(log, LOG_NOTICE, fact->cluster, "this probe votes");
        break;
    case FACT_KIND:
        say(log, LOG_NOTICE, fact->cluster, "the servers show that its kind is %s",
            kind_names[fact->number]);
        break;
    case FACT_MEMBER:
        log_member(log, fact->cluster, fact->assessed);
        break;
    case FACT_ALIAS:
        log_alias(log, fact);
        break;
    case FACT_VERDICT:
        log_verdict(log, fact->cluster, fact->before, fact->topology);
        break;
    case FACT_REFUSED:
        say(log, LOG_WARNING, fact->cluster, "%s", fact->text);
        break;
    case FACT_DISCOVERY:
        log_discovery(log, fact->cluster, fact->event, fact->candidate, fact->text);
        break;
    case FACT_WITHDRAWN:
        say(log, LOG_NOTICE, fact->cluster, "no longer configured: its report is withdrawn");
        break;
    case FACT_LATE:
        say(log, LOG_WARNING, fact->cluster,
            "this process is late, its machine is busy: %s is waited for %lld ms longer",
            fact->member, (long long)fact->number);
        break;
    case FACT_NO_MEANS:
        say(log, LOG_WARNING, fact->cluster, "%s was not looked at: %s", fact->member, fact->text);
        break;
    case FACT_NO_MEMORY:
        say(log, LOG_ERROR, fact->cluster, "no memory to %s%s",
            fact->member[0] ? "look at " : "watch it", fact->member);
        break;
    default:
        break;
    }
}

static void log_link(struct log_events *log, const struct fact *fact)
{
    bool over = fact->kind == FACT_SESSION_OVER;
    say(log, LOG_WARNING, "registry", "%s%s%s: probing goes on",
        over ? "the session is over" : "the connection is lost", fact->text ? ", " : "",
        fact->text ? fact->text : "");
}

void log_events_fact(struct log_events *log, const char *probe, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_SLIPPED:
        say(log, LOG_WARNING, probe,
            "this process was not scheduled for %lld ms: reading everything again before deciding",
            (long long)fact->number);
        break;
    case FACT_CONNECTED:
        say(log, LOG_NOTICE, "registry", "connected, a new session, session 0x%llx",
            (unsigned long long)fact->number);
        break;
    case FACT_RECONNECTED:
        say(log, LOG_NOTICE, "registry", "connected again, session 0x%llx",
            (unsigned long long)fact->number);
        break;
    case FACT_DISCONNECTED:
    case FACT_SESSION_OVER:
        log_link(log, fact);
        break;
    case FACT_NOT_REACHED:
        say(log, LOG_WARNING, "registry", "not reached at %s: waiting; probing goes on",
            fact->text);
        break;
    case FACT_TROUBLE:
        say(log, LOG_WARNING, "registry", "%s", fact->text);
        break;
    case FACT_NO_CHROOT:
        say(log, LOG_ERROR, "registry", "%s", fact->text);
        break;
    case FACT_ACCESS:
        say(log, fact->number == AUDIT_OPEN ? LOG_ERROR : LOG_NOTICE, "registry", "%s", fact->text);
        break;
    case FACT_REGISTRY:
        say(log, LOG_NOTICE, "registry", "%s", fact->text);
        break;
    case FACT_NAME_CONFLICT:
        say(log, LOG_ERROR, probe, "%s", fact->text);
        break;
    case FACT_STOPPING:
        say(log, LOG_NOTICE, probe, "stopping: %s", fact->text);
        break;
    default:
        log_of_cluster(log, fact);
    }
}
