#include "registry/base/auth.h"

#include <stdio.h>
#include <string.h>

#include "registry/base/limits.h"

bool auth_is_valid(const char *auth, char *sentence, size_t size)
{
    static const char scheme[] = "digest:";
    if (strncmp(auth, scheme, sizeof scheme - 1) != 0) {
        snprintf(sentence, size, "does not begin with '%s', the only scheme", scheme);
        return false;
    }
    const char *user = auth + sizeof scheme - 1;
    const char *colon = strchr(user, ':');
    if (!colon || colon == user || !colon[1]) {
        snprintf(sentence, size, "has no user or no password");
        return false;
    }
    if (strlen(auth) >= SECRET_SIZE) {
        snprintf(sentence, size, "is longer than %d bytes", SECRET_SIZE - 1);
        return false;
    }
    return true;
}
