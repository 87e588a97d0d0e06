/* buf.h: a growing buffer of bytes that declares its maximum. A failed append leaves it
 * as it was and is remembered, so that a writer may append many times and look once. */
#ifndef ER_BASE_BUF_H
#define ER_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct er_buf {
    char *ptr; /* NUL after len bytes once anything was appended, else NULL */
    size_t len, size, max;
    bool has_failed; /* out of memory, or over max */
};

void er_buf_init(struct er_buf *buf, size_t max);
void er_buf_done(struct er_buf *buf);
void er_buf_reset(struct er_buf *buf);                           /* empty, memory kept */
int er_buf_add(struct er_buf *buf, const void *ptr, size_t len); /* 0 or -1 */
int er_buf_str(struct er_buf *buf, const char *text);
int er_buf_number(struct er_buf *buf, int64_t n); /* decimal */
int er_buf_printf(struct er_buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* room for so many bytes at ptr + len */
int er_buf_reserve(struct er_buf *buf, size_t more);
void er_buf_drop(struct er_buf *buf, size_t n); /* removes the first n bytes */
/* you own it now (free); NULL when nothing was added */
char *er_buf_take(struct er_buf *buf);

#endif
