#include "probes/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/base/text.h"

/* "" where the kernel does not tell. */
static void read_boot(char boot[IDENTITY_SIZE])
{
    ssize_t got = -1;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, boot, IDENTITY_SIZE - 1);
        close(fd);
    }
    boot[got > 0 ? got : 0] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    if (!text_is_name(boot)) {
        boot[0] = '\0';
    }
}

/* The number of an inode, which no other namespace that lives has. */
static void read_pid_namespace(char name[IDENTITY_SIZE])
{
    struct stat is;
    name[0] = '\0';
    if (stat("/proc/self/ns/pid", &is) == 0) {
        snprintf(name, IDENTITY_SIZE, "%llu", (unsigned long long)is.st_ino);
    }
}

void process_identify(struct presence *presence)
{
    gethostname(presence->host, sizeof presence->host - 1);
    presence->pid = getpid();
    read_boot(presence->boot);
    read_pid_namespace(presence->pid_namespace);
}

bool process_is_gone(const struct presence *presence)
{
    struct presence ours = {0};
    process_identify(&ours);
    bool here = ours.boot[0] && ours.pid_namespace[0] && text_equal(ours.host, presence->host) &&
                text_equal(ours.boot, presence->boot) &&
                text_equal(ours.pid_namespace, presence->pid_namespace);
    if (!here || presence->pid <= 0) {
        return false;
    }
    /* one that had our id before us: the first process of a container is always number 1 */
    return presence->pid == ours.pid || (kill((pid_t)presence->pid, 0) != 0 && errno == ESRCH);
}
