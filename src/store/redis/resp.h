/* resp.h: commands as the server reads them. hiredis does it with a printf a word, which
 * is a third of what a dispatch costs its process. */
#ifndef ER_STORE_REDIS_RESP_H
#define ER_STORE_REDIS_RESP_H

#include "base/buf.h"

/* One command of n words. A failure is remembered by the buffer. */
void er_resp_add(struct er_buf *buf, size_t n, const char *const *words,
                 const size_t *lens);

#endif
