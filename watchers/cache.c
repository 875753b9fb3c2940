#include "watchers/cache.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/base/text.h"
#include "registry/model/codec.h"

enum { HEADER_SIZE = 256, FILE_NAME_SIZE = NAME_SIZE + 8, TEMPORARY_SIZE = FILE_NAME_SIZE + 48 };

static uint32_t crc32_of(uint32_t crc, const char *bytes, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

/* The sum covers the header's values too: a changed digit in the mzxid must not pass. */
static uint32_t sum_of(const struct provenance *provenance, const char *json, size_t len)
{
    char facts[IDENTITY_SIZE + 32];
    int n = snprintf(facts, sizeof facts, "%s %lld", provenance->registry,
                     (long long)provenance->mzxid);
    return crc32_of(crc32_of(0, facts, (size_t)n), json, len);
}

static bool fail(char *sentence, size_t size, const char *what, int error)
{
    snprintf(sentence, size, "%s%s%s", what, error ? ": " : "", error ? strerror(error) : "");
    return false;
}

static int open_dir(const char *dir, char *sentence, size_t size)
{
    struct stat stat;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        fail(sentence, size, "cannot open the cache directory", errno);
        return -1;
    }
    const char *fault = fstat(fd, &stat) != 0      ? "cannot examine the cache directory"
                        : stat.st_uid != geteuid() ? "the cache directory belongs to another user"
                        : stat.st_mode & (S_IWGRP | S_IWOTH)
                            ? "the cache directory is writable by others (chmod 0700)"
                            : NULL;
    if (fault) {
        fail(sentence, size, fault, 0);
        close(fd);
        return -1;
    }
    return fd;
}

bool cache_check_dir(const char *dir, char *sentence, size_t size)
{
    int fd = open_dir(dir, sentence, size);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const char *name_of(char *to, size_t size, const char *cluster)
{
    snprintf(to, size, "%s.roster", cluster);
    return to;
}

/* The whole file, terminated, or NULL and a sentence ("" when there is no file). */
static char *read_whole(int dir_fd, const char *name, size_t *ret_len, char *sentence, size_t size)
{
    struct stat stat;
    char *bytes = NULL;
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        fail(sentence, size, errno == ENOENT ? "" : "cannot open the cache file",
             errno == ENOENT ? 0 : errno);
        return NULL;
    }
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_uid != geteuid() ||
        stat.st_size > FILE_SIZE_MAX) {
        fail(sentence, size, "the cache file is not a file of our own", 0);
    } else if ((bytes = malloc((size_t)stat.st_size + 1)) == NULL) {
        fail(sentence, size, "memory ran out", 0);
    } else {
        size_t len = 0;
        ssize_t got;
        while (len < (size_t)stat.st_size &&
               (got = read(fd, bytes + len, (size_t)stat.st_size - len)) > 0) {
            len += (size_t)got;
        }
        bytes[len] = '\0';
        *ret_len = len;
    }
    close(fd);
    return bytes;
}

/* "roster-cache 1 <registry or -> <mzxid> <bytes> <crc32>\n" and that many bytes. */
static const char *check_whole(const char *bytes, size_t len, struct provenance *ret_provenance,
                               size_t *ret_json_len)
{
    char registry[IDENTITY_SIZE];
    long long mzxid;
    unsigned long json_len;
    unsigned sum;
    int used = 0;
    static_assert(IDENTITY_SIZE == 64, "the width in the format");
    if (strlen(bytes) != len ||
        sscanf(bytes, "roster-cache 1 %63s %lld %lu %8x%n", registry, &mzxid, &json_len, &sum,
               &used) != 4 ||
        used == 0 || bytes[used] != '\n' || len - (size_t)used - 1 != json_len) {
        return NULL;
    }
    *ret_provenance = (struct provenance){.mzxid = mzxid};
    if (!text_equal(registry, "-")) {
        strcpy(ret_provenance->registry, registry);
    }
    *ret_json_len = json_len;
    const char *json = bytes + used + 1;
    return sum_of(ret_provenance, json, json_len) == sum ? json : NULL;
}

static bool load_from(int dir_fd, const char *cluster, struct topology *ret_topology,
                      struct provenance *ret_provenance, char *sentence, size_t size)
{
    char name[FILE_NAME_SIZE];
    size_t len = 0, json_len = 0;
    struct provenance provenance;
    struct codec_error error = {.sentence = ""};
    char *bytes = read_whole(dir_fd, name_of(name, sizeof name, cluster), &len, sentence, size);
    const char *json = bytes ? check_whole(bytes, len, &provenance, &json_len) : NULL;
    bool good = false;
    if (bytes && !json) {
        fail(sentence, size, "the cache file is torn", 0);
    } else if (json && !topology_decode(json, json_len, ret_topology, &error)) {
        fail(sentence, size, error.sentence, 0);
    } else if (json && !text_equal(ret_topology->cluster, cluster)) {
        fail(sentence, size, "the cache file is of another cluster", 0);
    } else if (json) {
        *ret_provenance = provenance;
        good = true;
    }
    free(bytes);
    return good;
}

bool cache_load(const char *dir, const char *cluster, struct topology *ret_topology,
                struct provenance *ret_provenance, char *sentence, size_t size)
{
    int dir_fd = open_dir(dir, sentence, size);
    if (dir_fd < 0) {
        return false;
    }
    bool good = load_from(dir_fd, cluster, ret_topology, ret_provenance, sentence, size);
    close(dir_fd);
    return good;
}

/* ---- writing --------------------------------------------------------------------------------- */

static bool write_whole(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, bytes, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        bytes += put;
        n -= (size_t)put;
    }
    return true;
}

static bool has_newer(int dir_fd, const struct topology *topology,
                      const struct provenance *provenance)
{
    char ignored[SENTENCE_SIZE];
    struct provenance found;
    struct topology *old = calloc(1, sizeof *old);
    bool newer =
        old && load_from(dir_fd, topology->cluster, old, &found, ignored, sizeof ignored) &&
        text_equal(found.registry, provenance->registry) && found.mzxid > provenance->mzxid;
    free(old);
    return newer;
}

static bool save_to(int dir_fd, const char *cluster, const char *header, const char *json,
                    char *sentence, size_t size)
{
    static atomic_uint saves; /* two handles of one process may share a directory */
    char name[FILE_NAME_SIZE], temporary[TEMPORARY_SIZE];
    name_of(name, sizeof name, cluster);
    snprintf(temporary, sizeof temporary, ".%s.%ld.%u", name, (long)getpid(),
             atomic_fetch_add(&saves, 1));
    unlinkat(dir_fd, temporary, 0); /* left by a process of this number that died while writing */
    int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(sentence, size, "cannot write the cache file", errno);
    }
    bool written = write_whole(fd, header, strlen(header)) && write_whole(fd, json, strlen(json)) &&
                   fsync(fd) == 0;
    int error = errno;
    written = close(fd) == 0 && written;
    if (!written || renameat(dir_fd, temporary, dir_fd, name) != 0) {
        error = written ? errno : error;
        unlinkat(dir_fd, temporary, 0);
        return fail(sentence, size, "cannot write the cache file", error);
    }
    fsync(dir_fd);
    return true;
}

bool cache_save(const char *dir, const struct topology *topology,
                const struct provenance *provenance, char *sentence, size_t size)
{
    char header[HEADER_SIZE];
    int dir_fd = open_dir(dir, sentence, size);
    if (dir_fd < 0) {
        return false;
    }
    char *json = topology_encode(topology);
    bool saved = json ? true : fail(sentence, size, "memory ran out", 0);
    if (json && !has_newer(dir_fd, topology, provenance)) {
        size_t len = strlen(json);
        snprintf(header, sizeof header, "roster-cache 1 %s %lld %zu %08x\n",
                 provenance->registry[0] ? provenance->registry : "-", (long long)provenance->mzxid,
                 len, (unsigned)sum_of(provenance, json, len));
        saved = save_to(dir_fd, topology->cluster, header, json, sentence, size);
    }
    free(json);
    close(dir_fd);
    return saved;
}
