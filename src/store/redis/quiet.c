/* quiet.c: see quiet.h.
 *
 * The signal is blocked in this thread for the length of the call, and taken away when
 * the call has raised it. MSG_NOSIGNAL would cost nothing, but neither hiredis nor
 * OpenSSL can be told of it; two calls of the system are a hundredth of a round trip. */
#include "store/redis/quiet.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

struct quiet {
    sigset_t pipe, before;
    bool was_pending; /* for the host: that one stays */
};

static struct quiet begin(void)
{
    struct quiet q = {.was_pending = false};
    sigset_t pending;

    sigemptyset(&q.pipe);
    sigaddset(&q.pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &q.pipe, &q.before);
    if (sigismember(&q.before, SIGPIPE) && sigpending(&pending) == 0)
        q.was_pending = sigismember(&pending, SIGPIPE);
    return q;
}

static void end(const struct quiet *q, const redisContext *link)
{
    const struct timespec at_once = {0};

    if (link->err && !q->was_pending)
        sigtimedwait(&q->pipe, NULL, &at_once);
    if (!sigismember(&q->before, SIGPIPE))
        pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

void *er_quiet_argv(redisContext *link, int n, const char **argv, const size_t *lens)
{
    struct quiet q = begin();
    void *reply = redisCommandArgv(link, n, argv, lens);
    int saved = errno;

    end(&q, link);
    errno = saved;
    return reply;
}

int er_quiet_pipe(redisContext *link, const char *commands, size_t len,
                  redisReply **replies, size_t n)
{
    struct quiet q = begin();
    int rc = redisAppendFormattedCommand(link, commands, len), saved;

    for (size_t i = 0; i < n && rc == REDIS_OK; i++) {
        void *reply = NULL;
        if ((rc = redisGetReply(link, &reply)) == REDIS_OK)
            replies[i] = reply;
    }
    saved = errno;
    end(&q, link);
    errno = saved;
    return rc == REDIS_OK ? 0 : -1;
}

void *er_quiet_format(redisContext *link, const char *format, va_list ap)
{
    struct quiet q = begin();
    void *reply = redisvCommand(link, format, ap);
    int saved = errno;

    end(&q, link);
    errno = saved;
    return reply;
}

int er_quiet_write(redisContext *link, int *ret_is_done)
{
    struct quiet q = begin();
    int rc = redisBufferWrite(link, ret_is_done);
    int saved = errno;

    end(&q, link);
    errno = saved;
    return rc;
}
