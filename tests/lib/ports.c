/* ports - takes a block of 100 TCP ports on loopback and keeps it.
 *
 *     ports        prints the block's first usable port, then waits
 *
 * The block is taken by listening on its lowest port: two runs, of whatever
 * users, cannot have the same one, and it is free again when this process
 * ends, which it does with its parent. Blocks lie below 32768, where the
 * kernel picks no ports for outgoing connections. A stranger may still listen
 * inside a block: ask ss before using a port. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FIRST = 20000, BLOCK = 100, BLOCKS = 120 };

static int take(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 1)) {
        return 1;
    }
    if (fd >= 0) {
        close(fd);
    }
    return 0;
}

int main(void)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int start = (int)((unsigned)getpid() ^ (unsigned)time(NULL)) & 0x7fff;
    for (int i = 0; i < BLOCKS; i++) {
        int port = FIRST + (start + i) % BLOCKS * BLOCK;
        if (take(port)) {
            printf("%d\n", port + 1);
            fclose(stdout);
            for (;;) {
                pause();
            }
        }
    }
    fputs("ports: every block is taken\n", stderr);
    return EXIT_FAILURE;
}
