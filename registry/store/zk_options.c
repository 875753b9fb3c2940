#include "registry/store/zk_options.h"

#include <stdio.h>

#include "registry/base/auth.h"
#include "registry/base/text.h"

static bool take_auth(const char *auth, char to[SECRET_SIZE], char *sentence, size_t size)
{
    char mistake[SENTENCE_SIZE];
    if (!auth || !*auth) {
        return true;
    }
    if (!auth_is_valid(auth, mistake, sizeof mistake)) {
        snprintf(sentence, size, "auth %s (%s)", mistake, AUTH_FORM);
        return false;
    }
    return text_copy(to, SECRET_SIZE, auth);
}

bool zk_options_take(const struct store_zk_options *options, struct zk_options *ret_options,
                     char *sentence, size_t size)
{
    if (!connect_string_parse(options->servers, &ret_options->servers, sentence, size)) {
        return false;
    }
    if (options->session_timeout_ms < 1 || options->session_timeout_ms > INT32_MAX) {
        snprintf(sentence, size, "the session timeout is out of range");
        return false;
    }
    if (!take_auth(options->auth, ret_options->auth[0], sentence, size) ||
        !take_auth(options->also_auth, ret_options->auth[1], sentence, size)) {
        return false;
    }
    ret_options->timeout_ms = (int)options->session_timeout_ms;
    return true;
}

bool store_zk_servers_ok(const char *servers, char *sentence, size_t size)
{
    struct connect_string ignored;
    return connect_string_parse(servers, &ignored, sentence, size);
}
