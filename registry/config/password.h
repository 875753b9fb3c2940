/* A password file: its first line is the password, and nobody but its owner may open it. Read when
 * the configuration is, and again when a server refuses what it held: passwords are rotated without
 * a restart. */
#ifndef ROSTER_REGISTRY_CONFIG_PASSWORD_H
#define ROSTER_REGISTRY_CONFIG_PASSWORD_H

#include <stdbool.h>
#include <sys/stat.h>

#include "registry/config/settings.h"

/* Does the mode keep everybody else out? A file of root's may be shown to our group besides: that
 * is how packages and service managers hand secrets to a daemon without rights. */
bool password_is_private(uid_t owner, mode_t mode);

/* Opens a file that a setting names; -1, and why, when it is not there or not a file. */
int password_open(const char *path, struct stat *ret_is, struct mistake *ret_mistake);

/* False, and why, in a sentence that holds nothing of the password; `ret_password` is as it was
 * then. */
bool password_read(const char *path, char ret_password[SECRET_SIZE], struct mistake *ret_mistake);

#endif
