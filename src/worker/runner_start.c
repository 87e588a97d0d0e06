/* runner_start.c: making a runner: memory, log, socket, process. */
#include "worker/runner_link.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "worker/runner.h"
#include "worker/supervisor.h"

enum { HELLO_MS = 10000, HELLO_SOON_MS = 1000 };

static int runner_spawn(struct er_runner *r, int socket, int shared, int null,
                        struct errand_error *err)
{
    const struct errand_worker_options *o = &r->s->options;
    char *argv[] = {"errand", ER_RUNNER_ARG, (char *)o->project, NULL};
    struct er_spawn spawn = {
        .path = "/proc/self/exe",
        .argv = argv,
        .envp = r->s->envp,
        .cwd = o->project,
        .fds = {null, r->log_fd, r->log_fd, socket, shared},
        .fds_n = 5,
        .memory_mib = o->memory,
    };

    return er_spawn(&spawn, &r->child, err);
}

void er_runner_free(struct er_runner *r)
{
    if (!r)
        return;
    er_marks_free(r->s->lots.trail, &r->marks);
    if (r->fd >= 0)
        close(r->fd);
    if (r->log_fd >= 0)
        close(r->log_fd);
    er_buf_done(&r->in);
    er_buf_done(&r->out);
    er_buf_done(&r->question.text);
    free(r);
}

int er_runner_start(struct er_supervisor *s, struct er_runner **ret,
                    struct errand_error *err)
{
    struct er_runner *r = calloc(1, sizeof *r);
    int pair[2] = {-1, -1}, shared = -1, null = -1, rc;

    if (!r)
        return er_error_nomem(err);
    r->s = s;
    r->fd = r->log_fd = r->child.pidfd = -1;
    er_buf_init(&r->in, 2 * (size_t)ER_FRAME_MAX);
    er_buf_init(&r->out, (size_t)ER_SLOTS * ER_FRAME_MAX);
    r->generation = s->generation;
    r->born_ms = s->now_ms;
    r->hello_by_ms = s->now_ms + (er_failpoint("hello-soon") ? HELLO_SOON_MS : HELLO_MS);
    if ((rc = er_marks_new(s->lots.trail, &r->marks, &shared, err)) < 0)
        goto out;
    r->shared = r->marks.shared;
    r->log_fd = er_memory_file("errand-log", (struct errand_slice){0});
    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (r->log_fd < 0 || null < 0 || fcntl(r->log_fd, F_SETFL, O_APPEND | O_RDWR) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        rc = er_error_errno(err, ERRAND_EIO, errno, "opening the pipes of a runner");
        goto out;
    }
    r->fd = pair[0];
    if ((rc = runner_spawn(r, pair[1], shared, null, err)) < 0)
        goto out;
    if (er_runner_watch(r) < 0) {
        er_child_signal(&r->child, SIGKILL);
        waitpid(r->child.pid, NULL, 0);
        rc = er_error_nomem(err);
        goto out;
    }
    *ret = r;
    r = NULL;
out:
    if (pair[1] >= 0)
        close(pair[1]);
    if (shared >= 0)
        close(shared);
    if (null >= 0)
        close(null);
    er_runner_free(r);
    return rc;
}
