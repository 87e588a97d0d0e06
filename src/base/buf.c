/* buf.c: a growing buffer with a maximum. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 256 };
/* No sum or doubling below wraps around under this. */
static const size_t max_ever = SIZE_MAX / 4;

void er_buf_init(struct er_buf *buf, size_t max)
{
    *buf = (struct er_buf){.max = max};
}

void er_buf_done(struct er_buf *buf)
{
    free(buf->ptr);
    *buf = (struct er_buf){.max = buf->max};
}

void er_buf_reset(struct er_buf *buf)
{
    buf->len = 0;
    buf->has_failed = false;
    if (buf->ptr)
        buf->ptr[0] = '\0';
}

int er_buf_reserve(struct er_buf *buf, size_t more)
{
    size_t max = buf->max < max_ever ? buf->max : max_ever;
    size_t need, size = buf->size ? buf->size : FIRST_SIZE;
    char *p;

    if (buf->len > max || more > max - buf->len) {
        buf->has_failed = true;
        return -1;
    }
    need = buf->len + more + 1;
    if (need <= buf->size)
        return 0;
    while (size < need)
        size *= 2;
    if (!(p = realloc(buf->ptr, size))) {
        buf->has_failed = true;
        return -1;
    }
    buf->ptr = p;
    buf->size = size;
    return 0;
}

int er_buf_add(struct er_buf *buf, const void *ptr, size_t len)
{
    if (er_buf_reserve(buf, len) < 0)
        return -1;
    if (len)
        memcpy(buf->ptr + buf->len, ptr, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
    return 0;
}

int er_buf_str(struct er_buf *buf, const char *text)
{
    return er_buf_add(buf, text, strlen(text));
}

/* A tenth of what er_buf_printf takes for it, for those who write many. */
int er_buf_number(struct er_buf *buf, int64_t n)
{
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    char digits[24], *p = digits + sizeof digits;

    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (n < 0)
        *--p = '-';
    return er_buf_add(buf, p, (size_t)(digits + sizeof digits - p));
}

int er_buf_printf(struct er_buf *buf, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || er_buf_reserve(buf, (size_t)n) < 0) {
        buf->has_failed = true;
        return -1;
    }
    va_start(ap, fmt);
    vsnprintf(buf->ptr + buf->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf->len += (size_t)n;
    return 0;
}

void er_buf_drop(struct er_buf *buf, size_t n)
{
    if (n >= buf->len) {
        er_buf_reset(buf);
        return;
    }
    memmove(buf->ptr, buf->ptr + n, buf->len - n + 1);
    buf->len -= n;
}

char *er_buf_take(struct er_buf *buf)
{
    char *p = buf->ptr;

    *buf = (struct er_buf){.max = buf->max};
    return p;
}
