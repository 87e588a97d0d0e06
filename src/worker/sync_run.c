/* sync_run.c: following the child to its end. */
#include "worker/sync.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "core/clock.h"
#include "errand/job.h"
#include "worker/channel.h"
#include "worker/protocol.h"

enum {
    TERM_TO_KILL_MS = 5000,
    START_MS = 60000, /* job files may have to be compiled */
    LOOK_MS = 50,     /* where no descriptor tells of the end of a child */
    CHUNK = 64 << 10,
};

/* ---------------------------------------------------------------- the channel */

static void keep(struct er_buf *buf, struct errand_slice text)
{
    er_buf_reset(buf);
    er_buf_add(buf, text.ptr, text.len);
}

/* An executable's descriptor 3: a result, or that it is to run later. */
static void lines_read(struct er_sync *s, bool is_end)
{
    const char *end;

    while (s->in.len && ((end = memchr(s->in.ptr, '\n', s->in.len)) || is_end)) {
        size_t len = end ? (size_t)(end - s->in.ptr) : s->in.len;
        struct errand_slice line = {.ptr = s->in.ptr, .len = len};
        struct er_channel_value value;
        enum er_said said = er_channel_line(line, &value, NULL);

        if (said == ER_SAID_RESULT)
            keep(&s->result, line);
        else if (said == ER_SAID_SNOOZE)
            s->snooze_ms = value.wait_ms;
        er_buf_drop(&s->in, end ? len + 1 : len);
    }
}

static void done_read(struct er_sync *s, const struct er_frame *frame)
{
    struct er_frame_done done;

    if (er_frame_read_done(frame, &done) < 0)
        return;
    s->has_answer = true;
    s->verdict = done.verdict;
    s->snooze_ms = done.snooze_ms;
    keep(&s->error, done.error);
    keep(&s->result, done.result);
    /* It may end now: nothing more comes from us. */
    shutdown(s->channel_fd, SHUT_WR);
}

/* Its time is over so long from now, and `more`. */
static void clock_set(struct er_sync *s, int64_t more_ms)
{
    s->term_ms = s->kill_ms = INT64_MAX;
    if (s->timeout_ms <= 0)
        return;
    s->term_ms = er_clock_mono_ms(NULL) + s->timeout_ms + more_ms;
    s->kill_ms = s->term_ms + TERM_TO_KILL_MS;
}

static void frames_read(struct er_sync *s)
{
    struct er_frame frame;
    long n;

    while ((n = er_frame_next(s->in.ptr, s->in.len, &frame)) > 0) {
        if (frame.type == ER_FRAME_DONE)
            done_read(s, &frame);
        else if (frame.type == ER_FRAME_STARTED)
            clock_set(s, 0);
        else if (frame.type == ER_FRAME_FATAL)
            keep(&s->error, frame.body);
        er_buf_drop(&s->in, (size_t)n);
    }
    if (n < 0)
        er_child_signal(&s->child, SIGKILL); /* what speaks like that is no runner */
}

/* 1 more may come, 0 the end. */
static int channel_read(struct er_sync *s)
{
    ssize_t n;

    if (er_buf_reserve(&s->in, CHUNK) < 0)
        return 0;
    n = read(s->channel_fd, s->in.ptr + s->in.len, CHUNK);
    if (n < 0)
        return errno == EINTR;
    s->in.len += (size_t)n;
    if (!s->file)
        frames_read(s);
    else
        lines_read(s, n == 0);
    return n > 0;
}

static int output_read(struct er_sync *s)
{
    char bytes[4096];
    ssize_t n = read(s->output_fd, bytes, sizeof bytes);

    if (n > 0)
        (void)!write(STDERR_FILENO, bytes, (size_t)n);
    return n > 0 || (n < 0 && errno == EINTR);
}

/* ---------------------------------------------------------------- to the end */

static void look_for_end(struct er_sync *s)
{
    if (!s->is_over && er_child_reap(&s->child, &s->status, NULL)) {
        s->is_over = true;
        er_child_done(&s->child); /* what it left running would hold the pipes open */
    }
}

/* TERM when its time is over, KILL when that did not help; and KILL for a runner that has
 * answered and does not go. */
static void time_check(struct er_sync *s)
{
    int64_t now = er_clock_mono_ms(NULL);

    if (s->is_over)
        return;
    if (s->has_answer && s->term_ms != INT64_MAX) {
        s->term_ms = INT64_MAX;
        s->kill_ms = now + TERM_TO_KILL_MS;
    }
    if (!s->is_timed_out && now >= s->term_ms) {
        s->is_timed_out = true;
        er_child_signal(&s->child, SIGTERM);
    } else if (now >= s->kill_ms) {
        er_child_signal(&s->child, SIGKILL);
    }
}

int er_sync_run(struct er_sync *s, struct errand_error *err)
{
    bool has_output = true, has_channel = true;

    /* A runner first has to load what it runs; its own time begins when it says so. */
    clock_set(s, s->file ? 0 : START_MS);
    while (!s->is_over || has_output || has_channel) {
        struct pollfd fds[] = {
            {.fd = has_output ? s->output_fd : -1, .events = POLLIN},
            {.fd = has_channel ? s->channel_fd : -1, .events = POLLIN},
            {.fd = s->is_over ? -1 : s->child.pidfd, .events = POLLIN}};

        if (poll(fds, 3, LOOK_MS) < 0 && errno != EINTR)
            return er_error_errno(err, ERRAND_EIO, errno, "waiting for '%s'", s->name);
        if (fds[0].revents)
            has_output = output_read(s);
        if (fds[1].revents)
            has_channel = channel_read(s);
        look_for_end(s);
        time_check(s);
        /* Somebody it started may hold its ends open for ever: what is there is all. */
        if (s->is_over && !fds[0].revents && !fds[1].revents)
            break;
    }
    if (s->file && s->is_over && WIFEXITED(s->status)) {
        int code = WEXITSTATUS(s->status);

        s->has_answer = true;
        s->verdict = er_channel_verdict(code, s->snooze_ms >= 0);
        if (code)
            er_buf_printf(&s->error, "exit code %d%s", code,
                          code == ER_CODE_RETRY ? ": try again" : "");
    }
    return 0;
}
