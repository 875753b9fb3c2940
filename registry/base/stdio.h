/* The standard descriptors of a program that was started without some of them. */
#ifndef ROSTER_REGISTRY_BASE_STDIO_H
#define ROSTER_REGISTRY_BASE_STDIO_H

#include <stdbool.h>

/* Opens /dev/null in the place of each of 0 to 2 that is closed, by these flags of open(2):
 * else the next socket or pipe would get its number, and what is printed would go into it.
 * Before all else, with one thread. False: that failed. */
bool stdio_fill(int flags);

#endif
