/* relay PORT FILE: an address that moves. What connects to PORT is connected with the port of
 * 127.0.0.1 that FILE names at that moment, by a process of its own; SIGUSR1 ends all that.
 *
 * relay PORT FILE pooler: refuses PostgreSQL's clients that send options at the start, as poolers
 * do. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int port_in(const char *file)
{
    int port = 0;
    FILE *from = fopen(file, "r");
    if (from && fscanf(from, "%d", &port) != 1) {
        port = 0;
    }
    if (from) {
        fclose(from);
    }
    return port;
}

static struct sockaddr_in at(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* False at the end. */
static int pass(int from, int to)
{
    char bytes[65536];
    ssize_t got = read(from, bytes, sizeof bytes), put = 0;
    for (ssize_t n; got > put; put += n) {
        n = write(to, bytes + put, (size_t)(got - put));
        if (n <= 0) {
            return 0;
        }
    }
    return got > 0;
}

/* The first message of a client whose encryption is declined; 0: there is none. */
static size_t first_message(int client, char *to, size_t size)
{
    enum { SSL_REQUEST = 8 /* bytes: the length, a number */ };
    size_t got = 0, wanted = 4;
    while (got < wanted && wanted <= size) {
        ssize_t n = read(client, to + got, wanted - got);
        if (n <= 0) {
            return 0;
        }
        got += (size_t)n;
        uint32_t length;
        memcpy(&length, to, sizeof length);
        wanted = got < 4 ? 4 : ntohl(length);
        if (got == wanted && wanted == SSL_REQUEST && write(client, "N", 1) == 1) {
            got = 0, wanted = 4;
        }
    }
    return got == wanted ? got : 0;
}

/* Passes on the first message; false when it was refused. */
static int admits(int client, int server)
{
    static const char refusal[] = "E\0\0\0\x42SFATAL\0VFATAL\0C08P01\0"
                                  "Munsupported startup parameter: options\0";
    _Static_assert(sizeof refusal == 1 + 0x42, "its length stands in it");
    char message[4096];
    size_t size = first_message(client, message, sizeof message);
    if (size > 0 && memmem(message, size, "\0options", 9)) {
        return write(client, refusal, sizeof refusal) < 0;
    }
    return size > 0 && write(server, message, size) == (ssize_t)size;
}

static void serve(int client, const char *file, int pools)
{
    struct sockaddr_in to = at(port_in(file));
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&to, sizeof to) != 0) {
        return;
    }
    if (pools && !admits(client, server)) {
        return;
    }
    struct pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    while (poll(ends, 2, -1) > 0) {
        if ((ends[0].revents && !pass(client, server)) ||
            (ends[1].revents && !pass(server, client))) {
            return;
        }
    }
}

static void on_move(int number)
{
    (void)number;
}

int main(int argc, char **argv)
{
    int door = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in here = at(argc >= 3 ? atoi(argv[1]) : 0);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (argc < 3 || bind(door, (struct sockaddr *)&here, sizeof here) != 0 ||
        listen(door, 64) != 0) {
        return 2;
    }
    signal(SIGCHLD, SIG_IGN);
    signal(SIGUSR1, on_move);
    for (;;) {
        int client = accept(door, NULL, NULL);
        if (client >= 0 && fork() == 0) {
            close(door);
            signal(SIGUSR1, SIG_DFL);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve(client, argv[2], argc > 3);
            _exit(0);
        }
        if (client >= 0) {
            close(client);
        }
    }
}
