#include "watchers/cli/last_seen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/base/hash.h"
#include "registry/base/limits.h"

enum { FOLDER_SIZE = 1024 };

/* Which registry: FNV-1a of its servers and root. */
static uint64_t digest(const char *servers, const char *root)
{
    return hash_text(hash_byte(hash_text(hash_seed, servers), 0), root);
}

static bool make(const char *folder)
{
    return mkdir(folder, 0700) == 0 || errno == EEXIST;
}

const char *last_seen_open(const struct args *args)
{
    static char folder[FOLDER_SIZE];
    const char *caches = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int used;
    if (caches && caches[0] == '/') {
        used = snprintf(folder, sizeof folder, "%s", caches);
    } else if (home && home[0] == '/') {
        used = snprintf(folder, sizeof folder, "%s/.cache", home);
    } else {
        return NULL;
    }
    if (used < 0 || (size_t)used >= sizeof folder - 64 || !make(folder)) {
        return NULL;
    }
    size_t at = (size_t)used;
    at += (size_t)snprintf(folder + at, sizeof folder - at, "/roster");
    if (!make(folder)) {
        return NULL;
    }
    snprintf(folder + at, sizeof folder - at, "/%016llx",
             (unsigned long long)digest(args->servers, args->root));
    return make(folder) ? folder : NULL;
}

void last_seen_forget(const char *folder, const char *cluster)
{
    char file[FOLDER_SIZE + NAME_SIZE + 16];
    snprintf(file, sizeof file, "%s/%s.roster", folder, cluster);
    unlink(file);
}
