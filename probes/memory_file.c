#include "probes/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/model/codec.h"

static bool fail(char *sentence, size_t size, const char *what, const char *path)
{
    snprintf(sentence, size, "cannot %s %s: %s", what, path, strerror(errno));
    return false;
}

/* With the folders above it. */
static bool make_folder(char *folder)
{
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(folder, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!made) {
            return false;
        }
    }
    return mkdir(folder, 0700) == 0 || errno == EEXIST;
}

/* 0: the environment names none. */
static int usual_folder(char *folder, size_t size)
{
    const char *service = getenv("STATE_DIRECTORY"), *state = getenv("XDG_STATE_HOME"),
               *home = getenv("HOME");
    if (service && service[0] == '/') { /* the first, of several */
        return snprintf(folder, size, "%.*s", (int)strcspn(service, ":"), service);
    }
    if (state && state[0] == '/') {
        return snprintf(folder, size, "%s/roster", state);
    }
    return home && home[0] == '/' ? snprintf(folder, size, "%s/.local/state/roster", home) : 0;
}

bool memory_folder(const char *setting, char *ret_folder, char *sentence, size_t size)
{
    int used = setting[0] ? snprintf(ret_folder, MEMORY_PATH_SIZE, "%s", setting)
                          : usual_folder(ret_folder, MEMORY_PATH_SIZE);
    if (used <= 0 || used >= MEMORY_PATH_SIZE - NAME_SIZE - 64) {
        snprintf(sentence, size, "there is no folder for it: set [probe] state_folder");
        return false;
    }
    return make_folder(ret_folder) || fail(sentence, size, "make", ret_folder);
}

static void path_of(char path[MEMORY_PATH_SIZE], const char *folder, const char *probe)
{
    snprintf(path, MEMORY_PATH_SIZE, "%s/%s.registry", folder, probe);
}

/* NULL: it cannot be read, or memory ran out. */
static char *read_whole(int fd, size_t *ret_len)
{
    char *bytes = malloc(FILE_SIZE_MAX);
    size_t len = 0;
    ssize_t got = 1;
    while (bytes && got > 0 && len < FILE_SIZE_MAX) {
        got = read(fd, bytes + len, FILE_SIZE_MAX - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        free(bytes);
        return NULL;
    }
    *ret_len = len;
    return bytes;
}

struct memory *memory_load(const char *folder, const char *probe, char *sentence, size_t size)
{
    char path[MEMORY_PATH_SIZE];
    struct codec_error error;
    size_t len = 0;
    path_of(path, folder, probe);
    sentence[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        if (errno != ENOENT) {
            fail(sentence, size, "open", path);
        }
        return NULL;
    }
    char *bytes = read_whole(fd, &len);
    struct memory *memory = bytes ? malloc(sizeof *memory) : NULL;
    if (!memory) {
        fail(sentence, size, "read", path);
    } else if (!memory_decode(bytes, len, memory, &error)) {
        snprintf(sentence, size, "%s is not used: %s", path, error.sentence);
        free(memory);
        memory = NULL;
    }
    free(bytes);
    close(fd);
    return memory;
}

static bool write_whole(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put <= 0 && errno != EINTR) {
            return false;
        }
        bytes += put > 0 ? put : 0;
        len -= put > 0 ? (size_t)put : 0;
    }
    return fsync(fd) == 0;
}

bool memory_save(const char *folder, const char *probe, const char *text, char *sentence,
                 size_t size)
{
    char path[MEMORY_PATH_SIZE], temporary[MEMORY_PATH_SIZE + 32];
    path_of(path, folder, probe);
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(sentence, size, "write", temporary);
    }
    bool written = write_whole(fd, text, strlen(text));
    written = close(fd) == 0 && written && rename(temporary, path) == 0;
    if (!written) {
        fail(sentence, size, "write", path);
        unlink(temporary);
    }
    return written;
}
