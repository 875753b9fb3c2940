/* What a store is made with, checked and copied. */
#ifndef ROSTER_REGISTRY_STORE_ZK_OPTIONS_H
#define ROSTER_REGISTRY_STORE_ZK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/base/limits.h"
#include "registry/store/connect_string.h"
#include "registry/store/store.h"

struct zk_options {
    struct connect_string servers;
    int timeout_ms;
    char auth[2][SECRET_SIZE]; /* "": none */
};

/* False: `sentence` has the reason. */
bool zk_options_take(const struct store_zk_options *options, struct zk_options *ret_options,
                     char *sentence, size_t size);

#endif
