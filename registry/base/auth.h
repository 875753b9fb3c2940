/* What a client shows to ZooKeeper: "digest:USER:PASSWORD", in the INI, in ROSTER_AUTH and in
 * struct roster_options. One judge for all of them. Pure. */
#ifndef ROSTER_REGISTRY_BASE_AUTH_H
#define ROSTER_REGISTRY_BASE_AUTH_H

#include <stdbool.h>
#include <stddef.h>

/* What is right, for a hint behind the sentence. */
#define AUTH_FORM "digest:USER:PASSWORD"

/* Is it of that form, and shorter than SECRET_SIZE? If not, `sentence` is what is wrong, to follow
 * the setting's name. It is a secret: no sentence repeats any of it. */
bool auth_is_valid(const char *auth, char *sentence, size_t size);

#endif
