/* Who a client is to ZooKeeper's scheme "digest": its id is the user, a colon, and the SHA-1 of
 * user:password in base64. Access lists hold ids, so that no list and no other role's file has a
 * secret. SHA-1 because ZooKeeper has it so. Pure. */
#ifndef ROSTER_REGISTRY_BASE_DIGEST_H
#define ROSTER_REGISTRY_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum {
    DIGEST_HASH_LENGTH = 28, /* of 20 bytes in base64 */
    DIGEST_ID_SIZE = 288     /* a user, which is shorter than a secret, a colon and the hash */
};

/* The id of "digest:USER:PASSWORD" (auth.h), which is valid. Returns `to`. */
const char *digest_id(const char *auth, char to[DIGEST_ID_SIZE]);

/* Is it USER:HASH? If not, `sentence` is what is wrong, to follow the setting's name. */
bool digest_id_is_valid(const char *id, char *sentence, size_t size);

/* The same id? A server shows hashes to those alone who may change a list; others see "x", which
 * matches any. */
bool digest_id_equal(const char *a, const char *b);

#endif
