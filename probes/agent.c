#include "probes/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "probes/cluster.h"
#include "probes/log_events.h"
#include "probes/memory_file.h"
#include "probes/prober.h"
#include "probes/process.h"
#include "registry/base/clock.h"
#include "registry/base/entropy.h"
#include "registry/base/log.h"
#include "registry/base/random.h"
#include "registry/base/text.h"
#include "registry/config/password.h"
#include "registry/model/codec.h"
#include "registry/store/zk_chroot.h"

enum { CHROOT_MS = 1000 /* how long to look for the chroot that may be meant */ };

struct agent {
    struct probe *probe;
    struct prober_settings probers;
    struct config *config;
    struct store *store;
    uv_loop_t loop;
    const char *file;
    uv_poll_t store_poll;
    uv_timer_t wake, stopping;
    int64_t wake_ms; /* when `wake` is due */
    struct lateness lateness;
    uv_signal_t hup, term, intr;
    uv_work_t store_work;               /* while it is under way, the store is the worker's */
    uv_work_t chroot_work;              /* its data is NULL unless it is under way */
    struct registry_settings chroot_of; /* a copy: a reload may come meanwhile */
    char chroot_said[SENTENCE_SIZE];
    /* what outlives this process; folder "": it keeps nothing */
    char state_folder[MEMORY_PATH_SIZE];
    char name[NAME_SIZE];
    uv_work_t memory_work;
    char *memory_text;      /* the worker's; NULL: none is under way */
    char *memory_text_next; /* to be written behind it, or NULL */
    char memory_fault[SENTENCE_SIZE];
    bool memory_fault_told;
    struct log_events log;
    bool performing;
    bool renewing;                     /* the store is away */
    bool has_passwords;                /* others than before, to be put into force */
    char password_told[SENTENCE_SIZE]; /* what is wrong with a password file, as logged last */
    int exit_code;
};

/* ---- events in, actions out ------------------------------------------------------------------ */

static void perform(struct agent *agent, const struct probe_action *action);
static void step(void *owner, struct probe_event *event);

/* An action may lead to further events at once; theirs are performed by the outermost. */
static void perform_all(struct agent *agent)
{
    struct probe_action action;
    if (agent->performing) {
        return;
    }
    agent->performing = true;
    while (probe_next(agent->probe, &action)) {
        perform(agent, &action);
    }
    agent->performing = false;
    if (agent->has_passwords && !agent->renewing) {
        agent->has_passwords = false;
        step(agent, &(struct probe_event){.kind = EVENT_RELOAD, .config = agent->config});
    }
}

static struct probe_time now(void)
{
    return (struct probe_time){.ms = clock_mono_ms(), .wall_ms = clock_wall_ms()};
}

static void step(void *owner, struct probe_event *event)
{
    struct agent *agent = owner;
    event->now = now();
    probe_step(agent->probe, event);
    perform_all(agent);
}

/* On a worker: which chroot may be meant. */
static void ask_chroot(uv_work_t *work)
{
    struct agent *agent = work->data;
    const struct registry_settings *registry = &agent->chroot_of;
    struct store_zk_options options = {.servers = registry->servers,
                                       .session_timeout_ms = registry->session_timeout_ms,
                                       .auth = registry->auth};
    if (zk_chroot_ask(&options, CHROOT_MS, agent->chroot_said, sizeof agent->chroot_said) !=
        CHROOT_MISSING) {
        agent->chroot_said[0] = '\0';
    }
}

static void on_chroot_asked(uv_work_t *work, int status)
{
    struct agent *agent = work->data;
    (void)status;
    work->data = NULL;
    explicit_bzero(&agent->chroot_of, sizeof agent->chroot_of);
    if (agent->chroot_said[0]) {
        log_events_say(&agent->log, LOG_ERROR, "registry", agent->chroot_said);
    }
}

static void on_fact(void *owner, const struct fact *fact)
{
    struct agent *agent = owner;
    log_events_fact(&agent->log, agent->config->probe.name, fact);
    if (fact->kind == FACT_NO_CHROOT && !agent->chroot_work.data) {
        agent->chroot_work.data = agent;
        agent->chroot_of = agent->config->registry;
        uv_queue_work(&agent->loop, &agent->chroot_work, ask_chroot, on_chroot_asked);
    }
}

static void on_wake(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    lateness_woke(&agent->lateness, agent->wake_ms, clock_mono_ms());
    step(agent, &(struct probe_event){.kind = EVENT_TIMER});
}

static void wake_at(struct agent *agent, int64_t at_ms)
{
    int64_t now_ms = clock_mono_ms();
    agent->wake_ms = at_ms > now_ms ? at_ms : now_ms;
    uv_update_time(&agent->loop);
    uv_timer_start(&agent->wake, on_wake, (uint64_t)(at_ms > now_ms ? at_ms - now_ms : 0), 0);
}

/* ---- the store ------------------------------------------------------------------------------- */

static void on_store(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    step(handle->data, &(struct probe_event){.kind = EVENT_STORE});
}

static void poll_store(struct agent *agent)
{
    uv_poll_start(&agent->store_poll, UV_READABLE, on_store);
}

static void renew_work(uv_work_t *work)
{
    struct agent *agent = work->data;
    store_renew(agent->store);
}

static void on_renewed(uv_work_t *work, int status)
{
    struct agent *agent = work->data;
    (void)status;
    if (!uv_is_closing((uv_handle_t *)&agent->store_poll)) {
        poll_store(agent);
    }
    agent->renewing = false;
    step(agent, &(struct probe_event){.kind = EVENT_RENEWED});
}

static void renew(struct agent *agent)
{
    uv_poll_stop(&agent->store_poll);
    agent->store_work.data = agent;
    agent->renewing = true;
    /* fails only without a callback to call */
    uv_queue_work(&agent->loop, &agent->store_work, renew_work, on_renewed);
}

static void close_work(uv_work_t *work)
{
    struct agent *agent = work->data;
    store_close(agent->store); /* our reports go with the session */
}

static void on_closed(uv_work_t *work, int status)
{
    (void)work; /* nothing else holds the loop */
    (void)status;
}

static void close_store(struct agent *agent)
{
    agent->store_work.data = agent;
    uv_queue_work(&agent->loop, &agent->store_work, close_work, on_closed);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void remember_work(uv_work_t *work)
{
    struct agent *agent = work->data;
    agent->memory_fault[0] = '\0';
    memory_save(agent->state_folder, agent->name, agent->memory_text, agent->memory_fault,
                sizeof agent->memory_fault);
}

static void begin_remembering(struct agent *agent);

static void on_remembered(uv_work_t *work, int status)
{
    struct agent *agent = work->data;
    (void)status;
    free(agent->memory_text);
    agent->memory_text = NULL;
    if (agent->memory_fault[0] && !agent->memory_fault_told) {
        char sentence[SENTENCE_SIZE + 64];
        snprintf(sentence, sizeof sentence, "which one is followed is not kept: %s",
                 agent->memory_fault);
        log_events_say(&agent->log, LOG_WARNING, "registry", sentence);
    }
    agent->memory_fault_told = agent->memory_fault[0] != '\0';
    if (agent->memory_text_next) {
        begin_remembering(agent);
    }
}

/* On a thread of its own: a disk may take seconds. */
static void begin_remembering(struct agent *agent)
{
    agent->memory_text = agent->memory_text_next;
    agent->memory_text_next = NULL;
    agent->memory_work.data = agent;
    uv_queue_work(&agent->loop, &agent->memory_work, remember_work, on_remembered);
}

static void remember(struct agent *agent, const struct memory *memory)
{
    char *text = agent->state_folder[0] ? memory_encode(memory) : NULL;
    if (!text) {
        return; /* no memory: what changes next is kept, too */
    }
    free(agent->memory_text_next);
    agent->memory_text_next = text;
    if (!agent->memory_text) {
        begin_remembering(agent);
    }
}

/* What a former process of this name left; NULL: nothing. Heap. */
static struct memory *recall(struct agent *agent)
{
    const struct probe_settings *probe = &agent->config->probe;
    char sentence[SENTENCE_SIZE];
    strcpy(agent->name, probe->name);
    if (!memory_folder(probe->state_folder, agent->state_folder, sentence, sizeof sentence)) {
        agent->state_folder[0] = '\0';
        log_line(probe->state_folder[0] ? LOG_WARNING : LOG_NOTICE, "registry",
                 "which one is followed is not kept beyond the end of this process: %s", sentence);
        return NULL;
    }
    struct memory *memory =
        memory_load(agent->state_folder, probe->name, sentence, sizeof sentence);
    if (sentence[0]) {
        log_line(LOG_WARNING, "registry", "which one was followed is not known: %s", sentence);
    }
    return memory;
}

/* ---- configuration and signals --------------------------------------------------------------- */

static void keep_what_needs_a_restart(const struct config *old, struct config *new)
{
    char changes[SENTENCE_SIZE];
    if (config_fixed_changes(old, new, changes, sizeof changes)[0]) {
        log_line(LOG_WARNING, "reload", "takes effect at a restart only: %s", changes);
    }
    new->registry = old->registry;
    memcpy(new->probe.name, old->probe.name, sizeof new->probe.name);
    memcpy(new->probe.state_folder, old->probe.state_folder, sizeof new->probe.state_folder);
}

/* NULL: it has errors, which are logged. */
static struct config *load(const char *file)
{
    char *errors = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&errors, &size);
    struct config *config = to ? config_load(file, to) : NULL;
    if (to) {
        fclose(to);
    }
    for (char *line = errors, *end; line && *line; line = end) {
        end = line + strcspn(line, "\n");
        end += *end ? 1 : 0;
        log_line(LOG_WARNING, "reload", "%.*s", (int)strcspn(line, "\n"), line);
    }
    free(errors);
    return config;
}

static void reload(struct agent *agent)
{
    struct config *old = agent->config;
    struct config *config = load(agent->file);
    if (!config) {
        log_line(LOG_ERROR, "reload", "%s is not taken over: the old configuration stays in force",
                 agent->file);
        return;
    }
    keep_what_needs_a_restart(old, config);
    log_set_level((enum log_level)config->probe.log_level);
    agent->config = config;
    step(agent, &(struct probe_event){.kind = EVENT_RELOAD, .config = config});
    config_free(old);
    log_line(LOG_NOTICE, "reload", "%s is in force: %zu clusters", agent->file,
             config->cluster_count);
}

/* The password may have been rotated: what its file holds now is used from here on, with nothing
 * else of the configuration. */
static void on_refused(void *owner, const struct slot *slot)
{
    struct agent *agent = owner;
    const char *name = cluster_settings_of(slot)->name;
    char password[SECRET_SIZE];
    struct mistake mistake;
    for (size_t i = 0; i < agent->config->cluster_count; i++) {
        struct cluster_settings *cluster = &agent->config->clusters[i];
        if (!text_equal(cluster->name, name) || !cluster->password_file[0]) {
            continue;
        }
        if (!password_read(cluster->password_file, password, &mistake)) {
            if (!text_equal(mistake.what, agent->password_told)) {
                log_line(LOG_WARNING, name, "the password was refused, and %s", mistake.what);
            }
            strcpy(agent->password_told, mistake.what);
        } else if (!text_equal(cluster->password, password)) {
            memcpy(cluster->password, password, sizeof password);
            agent->has_passwords = true;
            log_line(LOG_NOTICE, name, "the password was refused, and %s holds another: used now",
                     cluster->password_file);
        }
    }
    explicit_bzero(password, sizeof password);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct agent *agent = handle->data;
    step(agent, &(struct probe_event){.kind = number == SIGHUP ? EVENT_RELOAD_ASKED : EVENT_STOP,
                                      .text = number == SIGTERM ? "SIGTERM" : "SIGINT"});
}

/* ---- the end --------------------------------------------------------------------------------- */

/* The registry or a worker hangs: what we hold goes by itself when the session expires. */
static void give_up_waiting(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    log_line(LOG_WARNING, "registry",
             "does not take our leave: the reports go when the session expires");
    _exit(agent->exit_code);
}

static void stop(struct agent *agent, int64_t at_ms, int exit_code)
{
    int64_t now_ms = clock_mono_ms();
    agent->exit_code = exit_code;
    uv_timer_start(&agent->stopping, give_up_waiting,
                   (uint64_t)(at_ms > now_ms ? at_ms - now_ms : 0), 0);
    /* fires only while something else is still waited for */
    uv_unref((uv_handle_t *)&agent->stopping);
    dns_free(agent->probers.dns, NULL, NULL);
    uv_close((uv_handle_t *)&agent->store_poll, NULL);
    uv_close((uv_handle_t *)&agent->wake, NULL);
    /* caught to the end: a second signal changes nothing */
    uv_unref((uv_handle_t *)&agent->hup);
    uv_unref((uv_handle_t *)&agent->term);
    uv_unref((uv_handle_t *)&agent->intr);
}

/* ---- actions --------------------------------------------------------------------------------- */

/* The slot's prober, made when it has something to do for the first time. NULL: no memory. */
static struct prober *prober_of(struct agent *agent, struct slot *slot)
{
    char application[NAME_SIZE + 16];
    if (!slot->shell) {
        const struct probe_settings *probe = &agent->config->probe;
        snprintf(application, sizeof application, "roster-probe %s", probe->name);
        slot->shell = prober_new(&agent->probers, slot, application, probe->timeout_ms);
    }
    return slot->shell;
}

/* Whatever it was, the look ends without an answer. */
static void fail_slot(struct agent *agent, struct slot *slot)
{
    if (slot->state == SLOT_RESOLVING) {
        step(agent, &(struct probe_event){
                        .kind = EVENT_RESOLVED, .slot = slot, .address = "", .text = NULL});
    }
}

static void perform(struct agent *agent, const struct probe_action *action)
{
    switch (action->kind) {
    case ACTION_RENEW:
        renew(agent);
        break;
    case ACTION_RELOAD:
        reload(agent);
        break;
    case ACTION_STOP:
        stop(agent, action->at_ms, action->exit_code);
        break;
    case ACTION_CLOSE_STORE:
        close_store(agent);
        break;
    case ACTION_REMEMBER:
        remember(agent, action->memory);
        break;
    case ACTION_WAKE:
        wake_at(agent, action->at_ms);
        break;
    case ACTION_CLOSE:
        if (action->shell) {
            prober_perform(action->shell, ACTION_CLOSE);
        }
        break;
    default: /* of a slot */
        if (prober_of(agent, action->slot)) {
            prober_perform(action->slot->shell, action->kind);
        } else {
            fail_slot(agent, action->slot);
        }
    }
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void on_store_log(void *ctx, int severity, const char *line)
{
    (void)ctx;
    log_line(severity <= 1 ? LOG_INFO : LOG_DEBUG, "zookeeper", "%s", line);
}

static bool open_store(struct agent *agent)
{
    const struct registry_settings *registry = &agent->config->registry;
    char sentence[SENTENCE_SIZE];
    struct access_rules rules;
    config_access_rules(registry, &rules);
    agent->store =
        store_zk_new(&(struct store_zk_options){.servers = registry->servers,
                                                .session_timeout_ms = registry->session_timeout_ms,
                                                .auth = registry->auth,
                                                .rules = &rules,
                                                .root = registry->root,
                                                .log = on_store_log},
                     sentence, sizeof sentence);
    if (!agent->store) {
        log_line(LOG_ERROR, "registry", "%s", sentence);
    }
    return agent->store != NULL;
}

static bool start_probe(struct agent *agent)
{
    char uuid[UUID_SIZE];
    struct memory *memory = recall(agent);
    struct probe_setup setup = {
        .store = agent->store,
        .config = agent->config,
        .chroot = strchr(agent->config->registry.servers, '/') != NULL,
        .presence = {.version = ROSTER_VERSION, .nonce = entropy_draw()},
        .registry_uuid = uuid,
        .memory = memory,
        .is_gone = process_is_gone,
        .seed = entropy_draw(),
        .now = now(),
        .log = on_fact,
        .log_owner = agent,
    };
    random_uuid(uuid, entropy_draw(), entropy_draw());
    process_identify(&setup.presence);
    agent->probe = probe_new(&setup);
    free(memory);
    if (!agent->probe) {
        log_line(LOG_ERROR, "registry", "no memory");
    }
    return agent->probe != NULL;
}

static void start_handles(struct agent *agent)
{
    uv_poll_init(&agent->loop, &agent->store_poll, store_fd(agent->store));
    uv_timer_init(&agent->loop, &agent->wake);
    uv_timer_init(&agent->loop, &agent->stopping);
    uv_signal_init(&agent->loop, &agent->hup);
    uv_signal_init(&agent->loop, &agent->term);
    uv_signal_init(&agent->loop, &agent->intr);
    agent->store_poll.data = agent->wake.data = agent->stopping.data = agent;
    agent->hup.data = agent->term.data = agent->intr.data = agent;
    uv_signal_start(&agent->hup, on_signal, SIGHUP);
    uv_signal_start(&agent->term, on_signal, SIGTERM);
    uv_signal_start(&agent->intr, on_signal, SIGINT);
}

int agent_run(struct config *config, const char *file)
{
    static struct agent agent;
    agent = (struct agent){.file = file, .config = config};
    agent.probers = (struct prober_settings){.loop = &agent.loop,
                                             .lateness = &agent.lateness,
                                             .step = step,
                                             .refused = on_refused,
                                             .owner = &agent};
    signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&agent.loop) != 0 || !(agent.probers.dns = dns_new(&agent.loop)) ||
        !open_store(&agent)) {
        config_free(config);
        return 1;
    }
    log_line(LOG_NOTICE, config->probe.name, "roster-probe %s watches %zu clusters", ROSTER_VERSION,
             config->cluster_count);
    if (!start_probe(&agent)) {
        config_free(config);
        return 1;
    }
    start_handles(&agent);
    perform_all(&agent);
    uv_run(&agent.loop, UV_RUN_DEFAULT);
    /* The handles of signals stay open, and so does the loop: closed, they would give the signals
     * back their deadly meaning, and a late one would change how we end. */
    probe_free(agent.probe);
    config_free(agent.config);
    return agent.exit_code;
}
