/* What a probe's step has to log: data. The shell makes sentences of it (log_events.h). */
#ifndef ROSTER_PROBES_FACT_H
#define ROSTER_PROBES_FACT_H

#include "probes/assess/assess.h"
#include "probes/discovery/discovery.h"

enum fact_kind {
    /* about the process and the registry */
    FACT_SLIPPED,       /* number: this process was not scheduled for so many ms */
    FACT_CONNECTED,     /* number: the session, which is another one than before */
    FACT_RECONNECTED,   /* number: the session, the same as before */
    FACT_DISCONNECTED,  /* text: how, or NULL */
    FACT_SESSION_OVER,  /* likewise */
    FACT_NOT_REACHED,   /* the registry has not been reached for a while */
    FACT_TROUBLE,       /* text: what is in the reporter's way */
    FACT_NO_CHROOT,     /* text: the registry's address has one that does not exist */
    FACT_ACCESS,        /* number: the enum audit_finding; text: what of the access lists */
    FACT_REGISTRY,      /* text: which registry is followed now */
    FACT_NAME_CONFLICT, /* text: who has our name */
    FACT_STOPPING,      /* text: by what */
    /* about a cluster */
    FACT_LOOKS_CLOSELY, /* member (or ""), text: why */
    FACT_ABSTAINS,      /* text: why */
    FACT_VOTES,
    FACT_KIND,      /* number: the enum kind that the servers show */
    FACT_MEMBER,    /* assessed: its standing answer changed */
    FACT_ALIAS,     /* member, text: the member that it is one server with; "": none any more */
    FACT_VERDICT,   /* before (or NULL) and topology */
    FACT_REFUSED,   /* text: a znode that cannot be used, and why */
    FACT_DISCOVERY, /* event, candidate, text */
    FACT_LATE,      /* member, number: it is waited for so much longer, for this process is late */
    FACT_NO_MEANS,  /* member, text: the probe could not look at it, for want of what */
    FACT_WITHDRAWN, /* no longer configured */
    FACT_NO_MEMORY  /* member, or "" for the whole cluster */
};

/* What it points to lives as long as the call that hands it over. */
struct fact {
    enum fact_kind kind;
    const char *cluster; /* NULL: about the process */
    const char *member;
    const char *text;
    int64_t number;
    const struct assessed *assessed;
    const struct topology *before, *topology;
    enum discovery_event event;
    const struct candidate *candidate;
};

#endif
