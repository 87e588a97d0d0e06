/* runner_ask.c: a handler asks, the supervisor answers.
 *
 * Jobs that were given ahead may stand in the stream before the answer, and what the
 * handler has borrowed lies in the buffer that they would be read into. So what comes is
 * read into another one, the answer is taken out of it, and after the handler it becomes
 * the buffer that is used. */
#include "worker/runner_inside.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

enum { READ_SIZE = 64 << 10, EXIT_BROKEN = 3 };

/* The worker is gone: nobody could settle what this handler would still do. */
static void leave(void)
{
    _exit(EXIT_BROKEN);
}

static int ahead_begin(struct er_self *r)
{
    if (r->is_ahead)
        return 0;
    er_buf_reset(&r->ahead);
    if (er_buf_reserve(&r->ahead, READ_SIZE) < 0)
        return -1;
    if (r->in.len > r->at &&
        er_buf_add(&r->ahead, r->in.ptr + r->at, r->in.len - r->at) < 0)
        return -1;
    r->is_ahead = true;
    return 0;
}

static int ahead_read(struct er_self *r)
{
    ssize_t n;

    if (er_buf_reserve(&r->ahead, READ_SIZE) < 0)
        return -1;
    do
        n = read(ER_FD_SOCKET, r->ahead.ptr + r->ahead.len,
                 r->ahead.size - r->ahead.len - 1);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        leave();
    r->ahead.len += (size_t)n;
    return 0;
}

/* Takes a frame out of the middle; what is behind it moves up. */
static void ahead_cut(struct er_self *r, size_t at, size_t n)
{
    memmove(r->ahead.ptr + at, r->ahead.ptr + at + n, r->ahead.len - at - n);
    r->ahead.len -= n;
}

static int answer_take(struct er_self *r, const struct er_frame *frame,
                       struct errand_slice *ret, struct errand_error *err)
{
    struct er_frame_ask answer;

    if (er_frame_read_answer(frame, &answer) < 0 || answer.slot != r->slot)
        return errand_error_set(err, ERRAND_EINTERNAL,
                                "an answer of the worker could not be read");
    if (answer.code < 0)
        return errand_error_set(err, answer.code, "%.*s", (int)answer.text.len,
                                answer.text.ptr);
    *ret = er_arena_slice(r->job.arena, answer.text.ptr, answer.text.len);
    return ret->ptr ? 0 : er_error_nomem(err);
}

static int answer_wait(struct er_self *r, struct errand_slice *ret,
                       struct errand_error *err)
{
    struct er_frame frame;
    size_t at = 0;
    long n;
    int rc;

    for (;;) {
        n = er_frame_next(r->ahead.ptr + at, r->ahead.len - at, &frame);
        if (n < 0)
            leave();
        if (n == 0) {
            if (ahead_read(r) < 0)
                return er_error_nomem(err);
            continue;
        }
        if (frame.type == ER_FRAME_ANSWER) {
            rc = answer_take(r, &frame, ret, err);
            ahead_cut(r, at, (size_t)n);
            return rc;
        }
        at += (size_t)n;
    }
}

int er_self_ask(void *ctx, int kind, struct errand_slice text, struct errand_slice *ret,
                struct errand_error *err)
{
    struct er_self *r = ctx;
    struct er_frame_ask ask = {.slot = r->slot, .code = kind, .text = text};
    int rc;

    if (!er_out_is_ours(&r->out))
        return errand_error_set(err, ERRAND_EFORKED,
                                "a child process of a handler cannot ask the worker");
    if (ahead_begin(r) < 0)
        return er_error_nomem(err);
    rc = er_frame_write_ask(er_out_begin(&r->out), &ask);
    er_out_end(&r->out);
    if (rc < 0)
        return errand_error_set(err, ERRAND_ETOOBIG,
                                "%zu bytes are more than the worker takes at once",
                                text.len);
    if (er_out_flush(&r->out) < 0)
        leave();
    return answer_wait(r, ret, err);
}

void er_self_ask_over(struct er_self *r)
{
    struct er_buf used = r->in;

    if (!r->is_ahead)
        return;
    r->in = r->ahead;
    r->at = 0;
    r->ahead = used;
    r->is_ahead = false;
}
