/* quiet.h: hiredis writes as if nobody minded SIGPIPE, whose default ends the host of
 * this library. What is sent goes through these. */
#ifndef ER_STORE_REDIS_QUIET_H
#define ER_STORE_REDIS_QUIET_H

#include <hiredis/hiredis.h>
#include <stdarg.h>

void *er_quiet_argv(redisContext *link, int n, const char **argv, const size_t *lens);
/* Sends commands that are written out and waits for the answers of all n: yours, also
 * when it is -1, and the connection lost before the last. */
int er_quiet_pipe(redisContext *link, const char *commands, size_t len,
                  redisReply **replies, size_t n);
void *er_quiet_format(redisContext *link, const char *format, va_list ap);
int er_quiet_write(redisContext *link, int *ret_is_done);

#endif
