/* resp.c: see resp.h. */
#include "store/redis/resp.h"

#include <string.h>

enum { HEAD_MAX = 24 }; /* a sign, 20 digits, an end of line */

static char *head_write(char *at, char sign, size_t number)
{
    char digits[HEAD_MAX];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    *at++ = sign;
    while (n)
        *at++ = digits[--n];
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

void er_resp_add(struct er_buf *buf, size_t n, const char *const *words,
                 const size_t *lens)
{
    size_t size = HEAD_MAX;
    char *at;

    for (size_t i = 0; i < n; i++)
        size += HEAD_MAX + lens[i] + 2;
    if (er_buf_reserve(buf, size) < 0)
        return;
    at = head_write(buf->ptr + buf->len, '*', n);
    for (size_t i = 0; i < n; i++) {
        at = head_write(at, '$', lens[i]);
        memcpy(at, words[i], lens[i]);
        at += lens[i];
        *at++ = '\r';
        *at++ = '\n';
    }
    buf->len = (size_t)(at - buf->ptr);
}
