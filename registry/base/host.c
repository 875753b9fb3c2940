#include "registry/base/host.h"

#include <assert.h>

#include "registry/base/cidr.h"
#include "registry/base/text.h"

bool host_is_local(const char *host)
{
    char literal[LITERAL_TEXT_SIZE];
    assert(host);
    if (text_equal(host, "localhost")) {
        return true;
    }
    return cidr_literal(host, literal) &&
           (text_equal(literal, "127.0.0.1") || text_equal(literal, "::1"));
}

bool host_equal(const char *a, const char *b)
{
    char one[LITERAL_TEXT_SIZE], other[LITERAL_TEXT_SIZE];
    assert(a && b);
    if (text_equal(a, b) || (host_is_local(a) && host_is_local(b))) {
        return true;
    }
    return cidr_literal(a, one) && cidr_literal(b, other) && text_equal(one, other);
}
