/* varint.h: numbers in blobs: seven bits a byte, the lowest first, the top bit says that
 * more follow. */
#ifndef ER_STORE_SQLITE_VARINT_H
#define ER_STORE_SQLITE_VARINT_H

#include <stddef.h>
#include <stdint.h>

enum { ER_VARINT_MAX = 10 };

static inline unsigned char *er_varint_write(unsigned char *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    *p++ = (unsigned char)v;
    return p;
}

/* NULL at a broken end. */
static inline const unsigned char *er_varint_read(const unsigned char *p,
                                                  const unsigned char *end, uint64_t *ret)
{
    uint64_t v = 0;

    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        v |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p++ & 0x80)) {
            *ret = v;
            return p;
        }
    }
    return NULL;
}

#endif
