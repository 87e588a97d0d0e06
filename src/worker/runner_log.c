/* runner_log.c: what a handler prints becomes the attempt's log.
 *
 * Descriptors 1 and 2 are one append-only memory file. Its size is asked after each job,
 * one cheap system call; only when there is something is it read and cut. */
#include "worker/runner_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <unistd.h>

enum { LOG_HALF = ER_LOG_MAX / 2, FD_LOG = 1 };

/* Reads len bytes from `at` of the file to the end of buf; what cannot be read is left
 * out. */
static void part_read(struct er_buf *buf, off_t at, size_t len)
{
    while (len > 0 && er_buf_reserve(buf, len) == 0) {
        ssize_t n = pread(FD_LOG, buf->ptr + buf->len, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        buf->len += (size_t)n;
        buf->ptr[buf->len] = '\0';
        at += n;
        len -= (size_t)n;
    }
}

static bool is_inside(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The last bytes of a cut part may be the beginning of a character: drop it. */
static void tail_trim(struct er_buf *buf)
{
    size_t len = buf->len, back = 0;

    while (back < 3 && len > back && is_inside((unsigned char)buf->ptr[len - 1 - back]))
        back++;
    if (len > back && (unsigned char)buf->ptr[len - 1 - back] >= 0xc0)
        buf->len = len - 1 - back;
}

static void log_read(struct er_buf *buf, off_t size)
{
    size_t at;

    if (size <= ER_LOG_MAX) {
        part_read(buf, 0, (size_t)size);
        return;
    }
    part_read(buf, 0, LOG_HALF);
    tail_trim(buf);
    er_buf_printf(buf, "\n[… %lld bytes left out …]\n", (long long)size - ER_LOG_MAX);
    at = buf->len;
    part_read(buf, size - LOG_HALF, LOG_HALF);
    for (int i = 0; i < 3 && at + 1 < buf->len && is_inside((unsigned char)buf->ptr[at]);
         i++)
        buf->ptr[at++] = '?';
}

bool er_self_log(struct er_self *r, uint32_t slot)
{
    struct er_buf log;
    off_t size;

    if (__fpending(stdout) > 0)
        fflush(stdout);
    size = lseek(FD_LOG, 0, SEEK_END);
    if (size <= 0)
        return false; /* nothing, or not a file: run by hand on a terminal */
    er_buf_init(&log, 2 * ER_LOG_MAX);
    log_read(&log, size);
    er_frame_write_slot(er_out_begin(&r->out), ER_FRAME_LOG, slot,
                        (struct errand_slice){.ptr = log.ptr, .len = log.len});
    er_out_end(&r->out);
    er_buf_done(&log);
    er_self_log_forget();
    return true;
}

void er_self_log_forget(void)
{
    if (__fpending(stdout) > 0)
        fflush(stdout);
    if (lseek(FD_LOG, 0, SEEK_END) > 0)
        (void)!ftruncate(FD_LOG, 0);
}
