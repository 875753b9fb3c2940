/* roster-probe.ini: read by inih through a line reader of our own, checked
 * against one table of settings, reported whole.
 *
 * The settings table (registry/config/settings.h) alone has what is known of a key:
 * its section, type, default, range and meaning. Parsing, defaults, --check,
 * the sample and the manual's lint follow from it. */
#ifndef ROSTER_REGISTRY_CONFIG_CONFIG_H
#define ROSTER_REGISTRY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "registry/base/cidr.h"
#include "registry/model/access.h"
#include "registry/model/model.h"

enum tls { TLS_OFF, TLS_PREFER, TLS_REQUIRE, TLS_VERIFY };
extern const char *const tls_names[]; /* off, prefer, require, verify */
extern const char *const no_yes[];

struct registry_settings {
    char servers[SERVERS_SIZE];
    char root[128];
    int64_t session_timeout_ms;
    char auth[SECRET_SIZE]; /* digest:user:password; secret */
    /* who else is who: lists of user:hash; "" none */
    char probes[IDS_SIZE];
    char operators[IDS_SIZE];
    char nodes[IDS_SIZE];
};

struct probe_settings {
    char name[NAME_SIZE];      /* default: the host name, cut at the first dot */
    int64_t interval_ms;       /* between two looks at a member in quiet times */
    int64_t alert_interval_ms; /* the same while the alarm is raised */
    int64_t timeout_ms;        /* per phase: resolve, connect, query */
    /* good answers in a row before a member that was down counts as up */
    int rise;
    int fall;                     /* ambiguous failures in a row before they count */
    int log_level;                /* enum log_level */
    char state_folder[PATH_SIZE]; /* what outlives the process is kept there; "": see the manual */
};

struct cluster_settings {
    char name[NAME_SIZE];
    struct policy policy;
    char user[NAME_SIZE];
    char database[NAME_SIZE];
    char password_file[PATH_SIZE]; /* relative ones already start from the INI file's folder */
    char password[SECRET_SIZE];    /* read from password_file; secret */
    enum tls tls;
    char tls_ca[PATH_SIZE];
    bool discover;                   /* look for further members in what the servers report */
    char discover_within[CIDR_SIZE]; /* the addresses that they may have (cidr.h) */
    int discover_max;                /* so many of them at most */
    /* one that is silent and that no server names for so long is forgotten */
    int64_t discover_forget_ms;
    /* kinds custom and stateless: the statement to run; "": none */
    char query[QUERY_SIZE];
    size_t member_count;
    struct member_config members[MEMBERS_MAX]; /* sorted by name */
};

struct config {
    struct registry_settings registry;
    struct probe_settings probe;
    size_t cluster_count;
    struct cluster_settings *clusters; /* sorted by name */
    struct config_origins *origins;    /* where each value came from; private to config.c */
};

/* Reads and checks the whole file, and the password files it names. Every
 * mistake found is printed to `errors`, one per line in the file's order, as
 * "FILE:LINE: [section] key: what is wrong (hint)". Returns NULL when there was
 * any; warnings alone (an even `witnesses`) do not fail. */
struct config *config_load(const char *file, FILE *errors);
void config_free(struct config *config); /* wipes the secrets */

/* Who may do what in the registry, by these settings. */
static inline void config_access_rules(const struct registry_settings *registry,
                                       struct access_rules *ret_rules)
{
    access_rules_make(ret_rules, registry->auth, registry->probes, registry->operators,
                      registry->nodes);
}

/* --check: every effective setting with where it came from ("default" or "line N"); no secrets.
 * Itself an INI. */
void config_print(const struct config *config, FILE *to);

/* The settings that a reload cannot put into force (the session's and the probe's name) and that
 * differ between two configurations, as "[registry] root, [probe] name"; "" when there are none.
 * Returns `to`. */
const char *config_fixed_changes(const struct config *was, const struct config *now, char *to,
                                 size_t size);

/* The settings table as text, for people and the lint: a line "section key type default reload
 * [range]" for each, where default is "required", "-" for none, or two joined by '|' (postgresql's
 * and mysql's), and reload is "reload" or "restart". */
void config_print_settings(FILE *to);

#endif
