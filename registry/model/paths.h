/* The paths of the znodes. All are below `root`. */
#ifndef ROSTER_REGISTRY_MODEL_PATHS_H
#define ROSTER_REGISTRY_MODEL_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* Every function writes into `to` (PATH_SIZE bytes will do for valid names
 * and a root of at most 120 bytes) and returns it. */
/* /roster/probes */
const char *path_probes(char *to, size_t size, const char *root);
/* /roster/probes/a */
const char *path_probe(char *to, size_t size, const char *root, const char *probe);
/* /roster/clusters */
const char *path_clusters(char *to, size_t size, const char *root);
/* /roster/clusters/c */
const char *path_cluster(char *to, size_t size, const char *root, const char *cluster);
/* .../c/reports */
const char *path_reports(char *to, size_t size, const char *root, const char *cluster);
/* .../c/reports/a */
const char *path_report(char *to, size_t size, const char *root, const char *cluster,
                        const char *probe);
/* .../c/topology */
const char *path_topology(char *to, size_t size, const char *root, const char *cluster);
/* .../c/directives */
const char *path_directives(char *to, size_t size, const char *root, const char *cluster);

/* A valid root: absolute, no empty or dot parts, no trailing slash, at most 120 bytes. */
bool path_is_root(const char *root);

#endif
