/* sync.c: begin and end of an attempt in a child process. */
#include "worker/sync.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IN_MAX = 18 << 20, RESULT_MAX = 1 << 20 };

void er_sync_init(struct er_sync *s)
{
    s->output_fd = s->channel_fd = -1;
    s->snooze_ms = -1;
    s->child = (struct er_child){.pidfd = -1};
    er_buf_init(&s->in, IN_MAX);
    er_buf_init(&s->result, RESULT_MAX);
    er_buf_init(&s->error, RESULT_MAX);
}

void er_sync_done(struct er_sync *s)
{
    if (s->child.pid && !s->is_over) {
        er_child_signal(&s->child, SIGKILL);
        while (waitpid(s->child.pid, NULL, 0) < 0 && errno == EINTR)
            ;
        er_child_done(&s->child);
    }
    if (s->output_fd >= 0)
        close(s->output_fd);
    if (s->channel_fd >= 0)
        close(s->channel_fd);
    er_buf_done(&s->in);
    er_buf_done(&s->result);
    er_buf_done(&s->error);
}
