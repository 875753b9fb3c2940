#include "registry/model/paths.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ROOT_LENGTH_MAX = 120 };

/* What would not fit is cut: with a valid root and valid names nothing is. */
static const char *write_path(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static const char *write_path(char *to, size_t size, const char *format, ...)
{
    va_list args;
    assert(size > 0);
    va_start(args, format);
    vsnprintf(to, size, format, args);
    va_end(args);
    return to;
}

const char *path_probes(char *to, size_t size, const char *root)
{
    return write_path(to, size, "%s/probes", root);
}

const char *path_probe(char *to, size_t size, const char *root, const char *probe)
{
    return write_path(to, size, "%s/probes/%s", root, probe);
}

const char *path_clusters(char *to, size_t size, const char *root)
{
    return write_path(to, size, "%s/clusters", root);
}

const char *path_cluster(char *to, size_t size, const char *root, const char *cluster)
{
    return write_path(to, size, "%s/clusters/%s", root, cluster);
}

const char *path_reports(char *to, size_t size, const char *root, const char *cluster)
{
    return write_path(to, size, "%s/clusters/%s/reports", root, cluster);
}

const char *path_report(char *to, size_t size, const char *root, const char *cluster,
                        const char *probe)
{
    return write_path(to, size, "%s/clusters/%s/reports/%s", root, cluster, probe);
}

const char *path_topology(char *to, size_t size, const char *root, const char *cluster)
{
    return write_path(to, size, "%s/clusters/%s/topology", root, cluster);
}

const char *path_directives(char *to, size_t size, const char *root, const char *cluster)
{
    return write_path(to, size, "%s/clusters/%s/directives", root, cluster);
}

static bool is_part(const char *part, size_t len)
{
    return len > 0 && !(len == 1 && part[0] == '.') &&
           !(len == 2 && part[0] == '.' && part[1] == '.');
}

/* ZooKeeper forbids control characters and most of what is not text; printable ASCII without blanks
 * is all we take. */
static bool is_plain(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

bool path_is_root(const char *root)
{
    assert(root);
    if (root[0] != '/' || strlen(root) > ROOT_LENGTH_MAX || !is_plain(root)) {
        return false;
    }
    for (const char *part = root; *part == '/';) {
        part++;
        size_t len = strcspn(part, "/");
        if (!is_part(part, len)) {
            return false;
        }
        part += len;
    }
    return true;
}
