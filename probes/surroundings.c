#include "probes/surroundings.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libpq's; those of both MySQL clients: passwords, plugins to load, a verification to leave out. */
static bool is_theirs(const char *variable)
{
    static const char *const begins[] = {"PG", "MYSQL_", "MARIADB_", "LIBMYSQL_"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        if (strncmp(variable, begins[i], strlen(begins[i])) == 0) {
            return true;
        }
    }
    return false;
}

void surroundings_forget(void)
{
    char name[128];
    for (char **at = environ; at && *at;) {
        size_t length = strcspn(*at, "=");
        if (!is_theirs(*at) || length >= sizeof name) {
            at++;
            continue;
        }
        memcpy(name, *at, length);
        name[length] = '\0';
        unsetenv(name); /* the rest moves up */
    }
}
