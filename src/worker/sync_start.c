/* sync_start.c: starting the child. It gets what a worker would give it:
 * data, environment, descriptors; its output goes on to standard error as it comes. */
#include "worker/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "core/clock.h"
#include "worker/protocol.h"
#include "worker/runner.h"

static const char program[] = "/proc/self/exe";

static char **environ_make(struct er_sync *s)
{
    const struct er_environ_job job = {
        .id = s->id.text,
        .name = s->name,
        .queue = s->queue,
        .attempt = 1,
        .tries = 1,
        .deadline_ms = s->timeout_ms > 0 ? er_clock_wall_ms(NULL) + s->timeout_ms : 0,
    };

    return er_environ_job(&job, s->env_allow, s->arena);
}

static int spawn(struct er_sync *s, const int *fds, int fds_n, struct errand_error *err)
{
    char *runner[] = {(char *)program, (char *)ER_RUNNER_ARG, (char *)s->project, NULL};
    char *file[] = {(char *)s->file, NULL};
    struct er_spawn params = {.path = s->file ? s->file : program,
                              .argv = s->file ? file : runner,
                              .envp = environ_make(s),
                              .cwd = s->project,
                              .fds_n = fds_n,
                              .memory_mib = s->memory_mib};

    if (!params.envp)
        return er_error_nomem(err);
    memcpy(params.fds, fds, (size_t)fds_n * sizeof *fds);
    return er_spawn(&params, &s->child, err);
}

/* The job as the runner wants it. The socket takes a frame of any size from us as it
 * empties it, and this one is read before anything is answered. */
static int job_send(struct er_sync *s, struct errand_error *err)
{
    struct er_frame_job frame = {
        .slot = 0,
        .kind = (uint8_t)s->kind,
        .attempt = 1,
        .tries = 1,
        .timeout_ms = s->timeout_ms,
        .id = {s->id.text, strlen(s->id.text)},
        .name = {s->name, strlen(s->name)},
        .queue = {s->queue, strlen(s->queue)},
        .data = s->data,
    };
    struct er_buf buf;
    size_t at = 0;
    int rc = 0;

    er_buf_init(&buf, ER_FRAME_MAX);
    if (er_frame_write_job(&buf, &frame) < 0)
        rc = er_error_nomem(err);
    while (rc == 0 && at < buf.len) {
        ssize_t n = send(s->channel_fd, buf.ptr + at, buf.len - at, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE)
            break; /* it has ended: that is seen, and said, below */
        if (n < 0)
            rc = er_error_errno(err, ERRAND_EIO, errno, "giving the job to its runner");
        else
            at += (size_t)n;
    }
    er_buf_done(&buf);
    return rc;
}

static int input_make(struct er_sync *s)
{
    if (!s->file)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    return er_memory_file("errand-data", s->data);
}

int er_sync_start(struct er_sync *s, struct errand_error *err)
{
    int output[2] = {-1, -1}, channel[2] = {-1, -1}, input, rc;

    input = input_make(s);
    /* Not a socket for an executable: a shell's >/dev/fd/3 would not open it. */
    if (input < 0 || pipe2(output, O_CLOEXEC) < 0 ||
        (!s->file ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel)
                  : pipe2(channel, O_CLOEXEC)) < 0) {
        rc = er_error_errno(err, ERRAND_EIO, errno, "opening the pipes of '%s'", s->name);
        goto out;
    }
    s->output_fd = output[0];
    s->channel_fd = channel[0];
    if ((rc = spawn(s, (int[]){input, output[1], output[1], channel[1]}, 4, err)) == 0 &&
        !s->file)
        rc = job_send(s, err);
out:
    if (input >= 0)
        close(input);
    if (output[1] >= 0)
        close(output[1]);
    if (channel[1] >= 0)
        close(channel[1]);
    return rc;
}
