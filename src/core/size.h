/* size.h: numbers of bytes as people write them. */
#ifndef ER_CORE_SIZE_H
#define ER_CORE_SIZE_H

#include <stdint.h>

/* "65536", "64k", "64KiB", "1.5 MiB", "1G" into bytes; a bare number counts in units of
 * `bare` bytes. Letters of either case, all of them powers of 1024. -1 when it is not
 * one, negative, or too large for an int64_t. */
int er_size_parse(const char *text, int64_t bare, int64_t *ret);

#endif
