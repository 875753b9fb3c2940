#include "registry/config/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void refuse(struct mistake *mistake,
                                                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(mistake->what, sizeof mistake->what, format, args);
    va_end(args);
}

bool password_is_private(uid_t owner, mode_t mode)
{
    mode_t others = owner == 0 && geteuid() != 0 ? S_IRWXO | S_IWGRP : S_IRWXO | S_IRWXG;
    return (mode & others) == 0;
}

int password_open(const char *path, struct stat *ret_is, struct mistake *ret_mistake)
{
    *ret_mistake = (struct mistake){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, ret_is) != 0) {
        refuse(ret_mistake, "%s cannot be opened: %s", path, strerror(errno));
    } else if (!S_ISREG(ret_is->st_mode)) {
        refuse(ret_mistake, "%s is %s", path,
               S_ISDIR(ret_is->st_mode) ? "a directory" : "not a file");
        strcpy(ret_mistake->hint, "it must be a regular file");
    } else {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

/* The first line, without the mark that some editors put before a text in UTF-8. */
static bool take(const char *path, const char *content, size_t size, char *ret_password,
                 struct mistake *ret_mistake)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    size_t skipped = size >= 3 && memcmp(content, byte_order_mark, 3) == 0 ? 3 : 0;
    content += skipped;
    size -= skipped;
    const char *newline = memchr(content, '\n', size);
    size_t length = newline ? (size_t)(newline - content) : size;
    if (length > 0 && content[length - 1] == '\r') {
        length--;
    }
    if (length == 0) {
        refuse(ret_mistake, "the first line of %s, which should be the password, is empty", path);
    } else if (length >= SECRET_SIZE) {
        refuse(ret_mistake, "the password in %s is longer than %d bytes", path, SECRET_SIZE - 1);
    } else if (memchr(content, '\0', length)) {
        refuse(ret_mistake, "the password in %s holds a NUL byte", path);
    } else {
        memcpy(ret_password, content, length);
        memset(ret_password + length, 0, SECRET_SIZE - length);
        return true;
    }
    return false;
}

bool password_read(const char *path, char ret_password[SECRET_SIZE], struct mistake *ret_mistake)
{
    char content[SECRET_SIZE + 5]; /* the mark, the longest password, CR, LF */
    struct stat is;
    bool good = false;
    int fd = password_open(path, &is, ret_mistake);
    if (fd < 0) {
        return false;
    }
    if (!password_is_private(is.st_uid, is.st_mode)) {
        refuse(ret_mistake, "%s has mode %04o, open to others than its owner", path,
               (unsigned)(is.st_mode & 07777));
        snprintf(ret_mistake->hint, sizeof ret_mistake->hint, "chmod 600 %.*s", PATH_SIZE, path);
    } else {
        ssize_t size = read(fd, content, sizeof content);
        if (size < 0) {
            refuse(ret_mistake, "%s cannot be read: %s", path, strerror(errno));
        } else {
            good = take(path, content, (size_t)size, ret_password, ret_mistake);
        }
        explicit_bzero(content, sizeof content);
    }
    close(fd);
    return good;
}
